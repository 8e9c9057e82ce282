//! One record through decode, stages, link and encode.
//!
//! In: a [`RawRecord`]. Out: what is to be delivered for it. No I/O: delivery and progress are the loop's.

use std::sync::Arc;
use std::time::Duration;

use crate::article::{ArticleId, Retraction};
use crate::config::Config;
use crate::dead_letter::{DeadLetter, Reason};
use crate::decode::{self, DecodeOptions, Decoded};
use crate::encode::{self, Body, OffsetUnits, RunProvenance};
use crate::knowledge::Knowledge;
use crate::link;
use crate::pool::Pool;
use crate::source::RawRecord;
use crate::stages::{self, Stage, StageOutcome, Stages};
use crate::text::{Segmented, language};

/// The pure part of the pipeline, shared by all commands.
#[derive(Debug, Clone)]
pub struct Processor {
    decode: DecodeOptions,
    units: OffsetUnits,
    stage_budget: Duration,
    knowledge: Arc<Knowledge>,
    stages: Stages,
    pool: Pool,
    provenance: Arc<RunProvenance>,
}

/// What a record became.
#[derive(Debug)]
pub enum Processed {
    Enriched { id: ArticleId, body: Body, stages: [(Stage, StageOutcome, Duration); 3] },
    Retracted { retraction: Retraction, body: Body },
    Refused(DeadLetter),
}

impl Processor {
    pub fn new(config: &Config, knowledge: Arc<Knowledge>, stages: Stages, pool: Pool) -> Self {
        let provenance = RunProvenance {
            build: crate::BUILD.to_owned(),
            model: "rules-1".to_owned(),
            knowledge: knowledge.version().to_owned(),
            config: config.fingerprint(),
        };
        Self {
            decode: config.input.decode.clone(),
            units: config.output.offset_units,
            stage_budget: config.pipeline.stage_budget,
            knowledge,
            stages,
            pool,
            provenance: Arc::new(provenance),
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
        let (input, options) = (Arc::clone(raw), self.decode.clone());
        let prepared = self.pool.run(move || prepare(&input, &options)).await?.value;
        let (article, language) = match prepared {
            Ok(Prepared::Article(article, language)) => (article, language),
            Ok(Prepared::Retraction(retraction)) => {
                let body = encode::retraction(&retraction);
                return Ok(Ok(Processed::Retracted { retraction, body }));
            }
            Err(error) => return Ok(Err(error)),
        };
        let annotations = stages::annotate(
            &article,
            &language,
            &self.knowledge,
            self.stages,
            &self.pool,
            self.stage_budget,
        )
        .await;
        let stages = annotations.outcomes();
        let (this, input) = (self.clone(), Arc::clone(raw));
        let encoded = self.pool.run(move || {
            let linked = link::link(&article, annotations);
            let outcomes = stages.map(|(_, outcome, _)| outcome);
            let options = (&*this.provenance, this.units);
            let body =
                encode::enriched(&article.article, &language, &linked, outcomes, &input, options);
            (article.article.id.clone(), body)
        });
        let (id, body) = encoded.await?.value;
        Ok(Ok(Processed::Enriched { id, body, stages }))
    }
}

enum Prepared {
    Article(Arc<Segmented>, language::Language),
    Retraction(Retraction),
}

fn prepare(raw: &RawRecord, options: &DecodeOptions) -> Result<Prepared, decode::DecodeError> {
    Ok(match decode::decode(raw, options)? {
        Decoded::Article(article) => {
            let language = language::detect(&article);
            Prepared::Article(Arc::new(Segmented::new(*article)), language)
        }
        Decoded::Retraction(retraction) => Prepared::Retraction(retraction),
    })
}
