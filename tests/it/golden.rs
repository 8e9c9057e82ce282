//! What each sample article becomes: compared with `tests/golden/`, and checked for all that must hold of any record.
//!
//! `UPDATE_EXPECT=1 cargo test --test it golden` writes the files anew; read the difference before it is committed.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use copydesk::article::Format;
use copydesk::config::Config;
use copydesk::encode::OffsetUnits;
use copydesk::enriched::JSON_SCHEMA;
use copydesk::enriched::view::{Enriched, Published, Tone};
use copydesk::pipeline::process::{Processed, Processor};
use copydesk::pool::Pool;
use copydesk::source::lines::{Framing, Inputs};
use copydesk::stages::{Models, Stages};
use expect_test::expect_file;
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
    let models = Models::embedded();
    let runtime = Runtime::new().unwrap();
    let inputs = Inputs::new(vec![root().join("samples")], Framing::ByName, 1024 * 1024);
    inputs
        .map(|input| {
            let input = input.unwrap();
            let stem = Path::new(&*input.record.position.topic).file_stem().unwrap();
            let line = input.record.position.offset;
            let suffix = if line == 0 { String::new() } else { format!("-{line}") };
            config.input.decode.format = input.is_text.then_some(Format::RawText);
            let processor =
                Processor::new(&config, models.clone(), Stages::default(), pool.clone());
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
fn each_sample_becomes_what_its_golden_file_says() {
    for Sample { name, processed } in samples(2) {
        let shown = match (&processed, body(&processed).map(|body| Published::parse(body).unwrap()))
        {
            (Processed::Refused(letter), _) => {
                format!("refused {}: {}\n", letter.reason.as_str(), letter.detail)
            }
            (_, Some(Published::Retracted(it))) => {
                let version = it.version.as_deref().unwrap_or("-");
                format!("retracted {} version {version}: {}\n", it.id, it.reason)
            }
            (_, Some(Published::Enriched(article))) => summary(&article),
            (_, None) => unreachable!("whatever is not refused has a body"),
        };
        expect_file![root().join(format!("tests/golden/{name}.txt"))].assert_eq(&shown);
    }
}

/// The record as it is published, of two short articles: plain text, and HTML with its way back to the source.
#[test]
fn whole_records_are_what_their_golden_files_say() {
    let mut n_compared = 0;
    for Sample { name, processed } in samples(2) {
        if name.starts_with("14-briefs") {
            let mut record: Value = serde_json::from_slice(body(&processed).unwrap()).unwrap();
            // These change with each build and with each setting, and are tested where they are made.
            for name in ["build", "config", "knowledge", "model"] {
                record["provenance"][name] = "…".into();
            }
            let shown = format!("{record:#}\n");
            expect_file![root().join(format!("tests/golden/{name}.json"))].assert_eq(&shown);
            n_compared += 1;
        }
    }
    assert_eq!(n_compared, 2);
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

/// A record in lines that can be reviewed: what was found, without the positions.
fn summary(article: &Enriched) -> String {
    let mut out = String::new();
    let version = article.version.as_deref().unwrap_or("-");
    writeln!(out, "{} version {version} language {}", article.id, article.language.code).unwrap();
    let stages = &article.stages;
    let outcomes = [&stages.entities, &stages.quotes, &stages.sentiment];
    let outcomes = outcomes.map(|stage| stage.outcome.as_str());
    writeln!(out, "entities {}, quotes {}, sentiment {}", outcomes[0], outcomes[1], outcomes[2])
        .unwrap();
    let tones = &article.sentiment;
    let voices = [
        ("document", Some(&tones.document)),
        ("headline", tones.headline.as_ref()),
        ("narrator", tones.narrator.as_ref()),
        ("quoted", tones.quoted.as_ref()),
    ];
    for (voice, tone) in voices {
        writeln!(out, "{voice}: {}", tone.map_or_else(|| "-".to_owned(), shown)).unwrap();
    }
    for entity in &article.entities {
        let mentions: Vec<String> = entity
            .mentions
            .iter()
            .map(|mention| {
                let field = if mention.is_in_headline() { "headline " } else { "" };
                format!("{field}{}", mention.text)
            })
            .collect();
        let wikidata = entity.wikidata.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        writeln!(
            out,
            "{} {}{wikidata} salience {} {}: {}",
            entity.kind,
            entity.name,
            entity.salience,
            shown(&entity.sentiment),
            mentions.join(" | ")
        )
        .unwrap();
    }
    for (quote, speaker) in article.quotes.iter().zip(article.speakers()) {
        let parts = if quote.segments.is_empty() {
            quote.text.clone()
        } else {
            quote.segments.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" ¶ ")
        };
        let cue = quote.cue.as_ref().map_or("-", |cue| &cue.text);
        let written = quote.speaker.as_ref().and_then(|it| it.text.as_deref()).unwrap_or("-");
        let speaker = speaker.or(quote.unattributed.as_deref()).unwrap_or("-");
        writeln!(out, "{} {parts}\n    {cue}: {written} → {speaker}", quote.kind).unwrap();
    }
    out
}

fn shown(tone: &Tone) -> String {
    format!("{} {}", tone.label, tone.score)
}
