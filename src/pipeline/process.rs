//! One record through decode, stages, link and encode.
//!
//! In: a [`RawRecord`]. Out: what is to be delivered for it. No I/O: delivery and progress are the loop's.

use std::sync::Arc;
use std::time::Duration;

use crate::article::{Article, ArticleId, DecodeWarning, Format, Retraction};
use crate::config::Config;
use crate::dead_letter::{DeadLetter, Reason};
use crate::decode::{self, DecodeOptions, Decoded};
use crate::encode::{self, Body, OffsetUnits, RunProvenance};
use crate::link::{self, LinkedQuote, Speaker};
use crate::pool::Pool;
use crate::source::RawRecord;
use crate::stages::quotes::QuoteKind;
use crate::stages::{self, Models, StageRun, Stages, truecase};
use crate::text::{Segmented, language};
use crate::versions::Edition;

/// The pure part of the pipeline, shared by all commands.
#[derive(Debug, Clone)]
pub struct Processor {
    decode: DecodeOptions,
    units: OffsetUnits,
    stage_budget: Duration,
    models: Models,
    stages: Stages,
    pool: Pool,
    provenance: Arc<RunProvenance>,
    keeps_state: bool,
}

/// What a record became.
#[derive(Debug)]
pub enum Processed {
    Enriched {
        id: ArticleId,
        body: Body,
        facts: Facts,
        /// What later versions are compared with; `None` where nothing is kept of articles.
        edition: Option<Box<Edition>>,
    },
    Retracted {
        retraction: Retraction,
        body: Body,
    },
    Refused(DeadLetter),
}

/// What is counted about an enriched record, beside its body.
#[derive(Debug)]
pub struct Facts {
    pub format: Format,
    pub n_unknown_fields: usize,
    pub warnings: Vec<DecodeWarning>,
    /// How each stage ended, and its compute time.
    pub stages: [StageRun; 3],
    /// Each quote's type, and whether its speaker is an entity of the article.
    pub quotes: Vec<(QuoteKind, bool)>,
}

impl Processor {
    pub fn new(config: &Config, models: Models, stages: Stages, pool: Pool) -> Self {
        let provenance = RunProvenance {
            build: crate::BUILD.to_owned(),
            model: models.reader.version().to_owned(),
            knowledge: models.knowledge.version().to_owned(),
            config: config.fingerprint(),
        };
        Self {
            decode: config.input.decode.clone(),
            units: config.output.offset_units,
            stage_budget: config.pipeline.stage_budget,
            models,
            stages,
            pool,
            provenance: Arc::new(provenance),
            keeps_state: config.state.is_on(),
        }
    }

    /// Takes one record all the way to bytes; a panic anywhere costs this record alone.
    pub async fn process(&self, raw: RawRecord) -> Processed {
        let shared = Arc::new(raw);
        let result = self.try_process(&shared).await;
        let raw = || Arc::unwrap_or_clone(shared);
        match result {
            Ok(Ok(processed)) => processed,
            Ok(Err(error)) => Processed::Refused(DeadLetter::refused(raw(), &error)),
            Err(crate::pool::Panicked) => Processed::Refused(DeadLetter {
                reason: Reason::Panicked,
                detail: "a defect in copydesk: processing this record panicked".to_owned(),
                record: raw(),
            }),
        }
    }

    async fn try_process(
        &self,
        raw: &Arc<RawRecord>,
    ) -> Result<Result<Processed, decode::DecodeError>, crate::pool::Panicked> {
        let (this, input) = (self.clone(), Arc::clone(raw));
        let prepared = self.pool.run(move || this.prepare(&input)).await?.value;
        let (article, language) = match prepared {
            Ok(Prepared::Article(article, language)) => (article, language),
            Ok(Prepared::Retraction(retraction)) => {
                let body = encode::retraction(&retraction, false);
                return Ok(Ok(Processed::Retracted { retraction, body }));
            }
            Err(error) => return Ok(Err(error)),
        };
        let annotations = stages::annotate(
            &article,
            &language,
            &self.models,
            self.stages,
            &self.pool,
            self.stage_budget,
        )
        .await;
        let stages = annotations.runs();
        let (this, input) = (self.clone(), Arc::clone(raw));
        let encoded = self.pool.run(move || {
            let linked = link::link(&article, annotations);
            let outcomes = stages.map(|run| run.outcome);
            let options = (&*this.provenance, this.units);
            let body =
                encode::enriched(article.sent(), &language, &linked, outcomes, &input, options);
            let facts = Facts::of(article.sent(), stages, &linked.quotes);
            let edition = this
                .keeps_state
                .then(|| Edition::of(article.sent(), &linked, outcomes, &this.provenance).into());
            Processed::Enriched { id: article.article.id.clone(), body, facts, edition }
        });
        Ok(Ok(encoded.await?.value))
    }

    fn prepare(&self, raw: &RawRecord) -> Result<Prepared, decode::DecodeError> {
        Ok(match decode::decode(raw, &self.decode)? {
            Decoded::Article(article) => {
                let language = language::detect(&article);
                let segmented = match truecase::restore(&article, &self.models.knowledge) {
                    Some(cased) => Segmented::with_capitals(*article, cased),
                    None => Segmented::new(*article),
                };
                Prepared::Article(Arc::new(segmented), language)
            }
            Decoded::Retraction(retraction) => Prepared::Retraction(retraction),
        })
    }
}

impl Facts {
    fn of(article: &Article, stages: [StageRun; 3], quotes: &[LinkedQuote]) -> Self {
        let is_attributed = |linked: &LinkedQuote| matches!(linked.speaker, Speaker::Entity { .. });
        Self {
            format: article.format,
            n_unknown_fields: article.n_unknown_fields,
            warnings: article.warnings.clone(),
            stages,
            quotes: quotes
                .iter()
                .map(|linked| (linked.quote.kind, is_attributed(linked)))
                .collect(),
        }
    }
}

enum Prepared {
    Article(Arc<Segmented>, language::Language),
    Retraction(Retraction),
}
