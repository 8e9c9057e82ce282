//! `copydesk eval`: annotated articles through the pipeline, and the figures of what came out.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use super::{Ending, models};
use crate::article::{Article, ArticleId, Field, Format};
use crate::cli::EvalArgs;
use crate::config::Config;
use crate::enriched::view::{Enriched, Published};
use crate::evaluation::{Evaluation, GoldArticle, GoldTarget, TargetEvaluation};
use crate::link::{self, Tone};
use crate::pipeline::process::{Processed, Processor};
use crate::pool::Pool;
use crate::source::{Position, RawRecord};
use crate::stages::entities::{EntityType, Mention};
use crate::stages::{Annotations, Entity, Models, StageResult, Stages};
use crate::text::Segmented;

pub(super) async fn run(args: EvalArgs, config: Config) -> anyhow::Result<Ending> {
    if args.targets { targets(&args, &config) } else { articles(&args, config).await }
}

async fn articles(args: &EvalArgs, mut config: Config) -> anyhow::Result<Ending> {
    let pool =
        Pool::start(config.pipeline.compute_threads).context("cannot start the compute threads")?;
    config.input.decode.format = Some(Format::Plain);
    let processor = Processor::new(&config, models::load(&config)?, Stages::default(), pool);
    let mut evaluation = Evaluation::default();
    let mut n_articles = 0;
    for line in lines(&args.gold)? {
        let (place, line) = line?;
        let gold = GoldArticle::parse(&line).with_context(|| place.clone())?;
        let record = enriched(&processor, &gold).await.with_context(|| place.clone())?;
        evaluation.add(&gold, record.as_ref()).context(place)?;
        n_articles += 1;
    }
    anyhow::ensure!(n_articles > 0, "{} has no articles", args.gold.display());
    print(&evaluation.figures(), args.json)
}

fn targets(args: &EvalArgs, config: &Config) -> anyhow::Result<Ending> {
    let models = models::load(config)?;
    let mut evaluation = TargetEvaluation::default();
    let mut n_targets = 0;
    for line in lines(&args.gold)? {
        let (place, line) = line?;
        let gold = GoldTarget::parse(&line).context(place)?;
        evaluation.add(&gold, tone_of(&gold, &models).label());
        n_targets += 1;
    }
    anyhow::ensure!(n_targets > 0, "{} has no targets", args.gold.display());
    print(&evaluation.figures(), args.json)
}

/// What the product says of a target: its stages and `link`, with the target as the one entity of its text.
fn tone_of(gold: &GoldTarget, models: &Models) -> Tone {
    let article = Segmented::new(Article {
        id: ArticleId::digest_of(gold.text.as_bytes()),
        version: None,
        headline: None,
        text: gold.text.clone(),
        declared_language: None,
        published: None,
        updated: None,
        embargoed_until: None,
        format: Format::Plain,
        source_map: None,
        n_unknown_fields: 0,
        warnings: Vec::new(),
    });
    let span = gold.span();
    let target = Entity {
        kind: EntityType::Person,
        name: span.of(&gold.text).to_owned(),
        mentions: vec![Mention { field: Field::Text, span, confidence: 1.0 }],
        salience: 1.0,
        wikidata: None,
        roles: Vec::new(),
        gender: None,
    };
    let reading = models.reader.read_article(&article);
    let stages = Stages::default();
    let annotations = Annotations {
        entities: StageResult { value: vec![target], ..StageResult::default() },
        quotes: StageResult {
            value: (stages.quotes)(&article, &reading),
            ..StageResult::default()
        },
        sentiment: StageResult {
            value: (stages.sentiment)(&article, &reading),
            ..StageResult::default()
        },
    };
    let linked = link::link(&article, annotations);
    linked.entities.first().map(|linked| linked.tone).unwrap_or_default()
}

/// The lines of a file or of standard input that are not blank, each with its place.
fn lines(path: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<(String, String)>>> {
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Box::new(BufReader::new(file))
    };
    let name = path.display().to_string();
    let placed = (1_usize..).zip(reader.lines()).map(move |(number, line)| {
        let place = format!("{name}:{number}");
        let line = line.with_context(|| place.clone())?;
        Ok((place, line))
    });
    Ok(placed.filter(|line| !line.as_ref().is_ok_and(|(_, line)| line.trim().is_empty())))
}

fn print(figures: &(impl Display + Serialize), as_json: bool) -> anyhow::Result<Ending> {
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string_pretty(figures)?)?;
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
