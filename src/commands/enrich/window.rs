//! Records in work, in input order.
//!
//! In: what the source read. Out: one [`Outcome`] each, in the same order, however long each takes. The window holds
//! no more records and bytes than the configuration allows to be in flight.

use std::collections::VecDeque;

use anyhow::Context as _;
use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::article::Format;
use crate::commands::models;
use crate::config::Config;
use crate::dead_letter::DeadLetter;
use crate::pipeline::process::{Processed, Processor};
use crate::pool::Pool;
use crate::source::lines::{Input, InputFault, place};
use crate::stages::Stages;

/// What became of one input.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The body of an enriched article or a retraction.
    Published(Bytes),
    /// For people: where and why.
    Failed(String),
}

pub(super) struct Window {
    /// For records whose format is recognised, or fixed by the command line.
    recognising: Processor,
    /// For files whose name says that they are raw text.
    raw_text: Processor,
    in_work: VecDeque<InWork>,
    n_bytes: usize,
    records_max: usize,
    bytes_max: usize,
}

struct InWork {
    n_bytes: usize,
    state: State,
}

enum State {
    Unreadable(InputFault),
    Running(JoinHandle<Processed>),
}

impl Window {
    /// Starts the compute threads; `format` is fixed for all records when it is given.
    pub(super) fn start(mut config: Config, format: Option<Format>) -> anyhow::Result<Self> {
        let pool = Pool::start(config.pipeline.compute_threads)
            .context("cannot start the compute threads")?;
        let models = models::load(&config)?;
        let (records_max, bytes_max) =
            (config.pipeline.inflight_records_max, config.pipeline.inflight_bytes_max);
        let mut processor = |format: Option<Format>| {
            config.input.decode.format = format.or(config.input.decode.format);
            Processor::new(&config, models.clone(), Stages::default(), pool.clone())
        };
        Ok(Self {
            recognising: processor(format),
            raw_text: processor(format.or(Some(Format::RawText))),
            in_work: VecDeque::new(),
            n_bytes: 0,
            records_max,
            bytes_max,
        })
    }

    pub(super) fn has_room(&self) -> bool {
        self.in_work.len() < self.records_max && self.n_bytes < self.bytes_max
    }

    pub(super) fn push(&mut self, input: Result<Input, InputFault>) {
        let in_work = match input {
            Ok(Input { record, is_text }) => {
                let n_bytes = record.size_bytes();
                let processor = if is_text { &self.raw_text } else { &self.recognising }.clone();
                let work = async move { processor.process(record).await };
                InWork { n_bytes, state: State::Running(tokio::spawn(work)) }
            }
            Err(fault) => InWork { n_bytes: 0, state: State::Unreadable(fault) },
        };
        self.n_bytes += in_work.n_bytes;
        self.in_work.push_back(in_work);
    }

    /// Whether [`Self::next`] would not wait.
    pub(super) fn is_next_ready(&self) -> bool {
        self.in_work.front().is_some_and(|first| match &first.state {
            State::Unreadable(_) => true,
            State::Running(task) => task.is_finished(),
        })
    }

    /// The outcome of the oldest record; `None` when there is none in work. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<anyhow::Result<Outcome>> {
        let first = self.in_work.front_mut()?;
        let outcome = match &mut first.state {
            State::Unreadable(fault) => Ok(Outcome::Failed(fault.to_string())),
            State::Running(task) => {
                task.await.map(outcome).context("the record's task did not end")
            }
        };
        self.n_bytes -= first.n_bytes;
        self.in_work.pop_front();
        Some(outcome)
    }
}

fn outcome(processed: Processed) -> Outcome {
    match processed {
        Processed::Enriched { body, .. } | Processed::Retracted { body, .. } => {
            Outcome::Published(body.bytes)
        }
        Processed::Refused(DeadLetter { reason, detail, record }) => {
            let place = place(&record.position.topic, record.position.offset);
            Outcome::Failed(format!("{place}: refused: {}: {detail}", reason.as_str()))
        }
    }
}
