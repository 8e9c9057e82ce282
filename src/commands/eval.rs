//! `copydesk eval`: annotated articles through the pipeline, and the figures of what came out.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};

use anyhow::Context as _;
use bytes::Bytes;
use serde_json::json;

use super::{Ending, models};
use crate::article::Format;
use crate::cli::EvalArgs;
use crate::config::Config;
use crate::enriched::view::{Enriched, Published};
use crate::evaluation::{Evaluation, GoldArticle};
use crate::pipeline::process::{Processed, Processor};
use crate::pool::Pool;
use crate::source::{Position, RawRecord};
use crate::stages::Stages;

pub(super) async fn run(args: EvalArgs, mut config: Config) -> anyhow::Result<Ending> {
    let file =
        File::open(&args.gold).with_context(|| format!("cannot read {}", args.gold.display()))?;
    let pool =
        Pool::start(config.pipeline.compute_threads).context("cannot start the compute threads")?;
    config.input.decode.format = Some(Format::Plain);
    let processor = Processor::new(&config, models::load(&config)?, Stages::default(), pool);
    let mut evaluation = Evaluation::default();
    let mut n_articles = 0;
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let place = || format!("{}:{number}", args.gold.display());
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let gold = GoldArticle::parse(&line).with_context(place)?;
        let record = enriched(&processor, &gold).await.with_context(place)?;
        evaluation.add(&gold, record.as_ref()).with_context(place)?;
        n_articles += 1;
    }
    anyhow::ensure!(n_articles > 0, "{} has no articles", args.gold.display());
    let figures = evaluation.figures();
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&figures)?)?;
    } else {
        writeln!(out, "{figures}")?;
    }
    Ok(Ending::Ok)
}

/// The published record of an annotated article's text; `None`, with the reason on standard error, when it is refused.
async fn enriched(processor: &Processor, gold: &GoldArticle) -> anyhow::Result<Option<Enriched>> {
    let value = json!({"id": gold.doc_id, "text": gold.text}).to_string();
    let record = RawRecord {
        position: Position { topic: gold.doc_id.as_str().into(), partition: 0, offset: 0 },
        timestamp_ms: None,
        key: None,
        value: Some(Bytes::from(value)),
        headers: Vec::new(),
    };
    let body = match processor.process(record).await {
        Processed::Enriched { body, .. } | Processed::Retracted { body, .. } => body,
        Processed::Refused(letter) => {
            let reason = letter.reason.as_str();
            writeln!(
                std::io::stderr().lock(),
                "copydesk: {}: refused: {reason}: {}",
                gold.doc_id,
                letter.detail
            )?;
            return Ok(None);
        }
    };
    match Published::parse(&body.bytes).context("the published record does not read back")? {
        Published::Enriched(record) => Ok(Some(*record)),
        Published::Retracted(_) => Ok(None),
    }
}
