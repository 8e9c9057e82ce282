//! The sample articles through the pipeline, checked for all that must hold of any record.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use copydesk::article::Format;
use copydesk::config::Config;
use copydesk::encode::OffsetUnits;
use copydesk::enriched::JSON_SCHEMA;
use copydesk::knowledge::Knowledge;
use copydesk::pipeline::process::{Processed, Processor};
use copydesk::pool::Pool;
use copydesk::source::lines::{Framing, Inputs};
use copydesk::stages::Stages;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::support;

/// One sample record: the name of its golden file, and what became of it.
struct Sample {
    name: String,
    processed: Processed,
}

/// Every record of `samples/`, through the pipeline with every offset unit published.
fn samples(n_threads: usize) -> Vec<Sample> {
    let mut config = Config::default();
    config.output.offset_units = OffsetUnits { utf8: true, utf16: true, source: true };
    // A debug build on a busy machine: the budget is not what these tests are about.
    config.pipeline.stage_budget = Duration::from_secs(600);
    let pool = Pool::start(NonZeroUsize::new(n_threads).unwrap()).unwrap();
    let knowledge = Arc::new(Knowledge::embedded());
    let runtime = Runtime::new().unwrap();
    let inputs = Inputs::new(vec![root().join("samples")], Framing::ByName, 1024 * 1024);
    inputs
        .map(|input| {
            let input = input.unwrap();
            let stem = Path::new(&*input.record.position.topic).file_stem().unwrap();
            let line = input.record.position.offset;
            let suffix = if line == 0 { String::new() } else { format!("-{line}") };
            config.input.decode.format = input.is_text.then_some(Format::RawText);
            let knowledge = Arc::clone(&knowledge);
            let processor = Processor::new(&config, knowledge, Stages::default(), pool.clone());
            Sample {
                name: format!("{}{suffix}", stem.display()),
                processed: runtime.block_on(processor.process(input.record)),
            }
        })
        .collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn body(processed: &Processed) -> Option<&[u8]> {
    match processed {
        Processed::Enriched { body, .. } | Processed::Retracted { body, .. } => Some(&body.bytes),
        Processed::Refused(_) => None,
    }
}

#[test]
fn every_sample_record_is_of_the_schema_and_its_spans_hold() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut n_checked = 0;
    for Sample { name, processed } in samples(2) {
        let Some(body) = body(&processed) else { continue };
        let record: Value = serde_json::from_slice(body).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&record).map(|error| error.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{name}");
        if let Processed::Enriched { body, .. } = &processed {
            assert_eq!(body.n_spans_withheld, 0, "{name}");
            support::check_spans(&record);
        }
        n_checked += 1;
    }
    assert!(n_checked > 12, "only {n_checked} records");
}

#[test]
fn bodies_are_the_same_bytes_on_another_run_and_another_number_of_threads() {
    let bodies = |n_threads| -> Vec<_> {
        samples(n_threads).iter().map(|it| body(&it.processed).map(<[u8]>::to_vec)).collect()
    };
    let first = bodies(2);
    assert_eq!(first, bodies(2));
    assert_eq!(first, bodies(1));
}
