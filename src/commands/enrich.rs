//! `copydesk enrich`: files, folders or standard input through the pipeline, without Kafka.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;

use super::Ending;
use crate::article::Format;
use crate::cli::EnrichArgs;
use crate::config::Config;
use crate::knowledge::Knowledge;
use crate::pipeline::process::{Processed, Processor};
use crate::pool::Pool;
use crate::source::{Position, RawRecord};
use crate::stages::Stages;

pub(super) async fn run(args: EnrichArgs, mut config: Config) -> anyhow::Result<Ending> {
    let mut ending = Ending::Ok;
    for input in &args.inputs {
        let bytes =
            std::fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
        let is_text = input.extension().is_some_and(|extension| extension == "txt");
        config.input.decode.format = is_text.then_some(Format::RawText);
        let pool = Pool::start(config.pipeline.compute_threads)?;
        let processor =
            Processor::new(&config, Arc::new(Knowledge::embedded()), Stages::default(), pool);
        for record in records(input, bytes, is_text) {
            let line = match processor.process(record).await {
                Processed::Enriched { body, .. } | Processed::Retracted { body, .. } => body.bytes,
                Processed::Refused(letter) => {
                    tracing::error!(
                        reason = letter.reason.as_str(),
                        detail = letter.detail,
                        "record refused"
                    );
                    ending = Ending::Failed;
                    continue;
                }
            };
            let mut out = std::io::stdout().lock();
            out.write_all(&line)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(ending)
}

fn records(path: &Path, bytes: Vec<u8>, is_text: bool) -> Vec<RawRecord> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let position = |offset| Position { topic: name.as_str().into(), partition: 0, offset };
    let record = |offset, value| RawRecord {
        position: position(offset),
        timestamp_ms: None,
        key: Some(Bytes::from(name.clone())),
        value: Some(value),
        headers: Vec::new(),
    };
    if is_text {
        return vec![record(0, bytes.into())];
    }
    let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.zip(0..).map(|(line, offset)| record(offset, Bytes::copy_from_slice(line))).collect()
}
