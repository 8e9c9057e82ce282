//! What happens to records, as spans for an OpenTelemetry collector: off unless a collector is named.
//!
//! In: the moments of a record's way through the pipeline. Out: spans in a bounded queue, from which [`exporter`] sends
//! them; and the `traceparent` that the published record carries. A span that finds no room is counted and dropped:
//! nothing here waits, and no record depends on it.
//!
//! ```text
//! producer's span ─ process articles.raw ┬ entities          each record; linked to the producer's span as well
//!                                        ├ quotes
//!                                        ├ sentiment
//!                                        └ send articles.enriched   in the published record's `traceparent`
//! commit articles.raw                                         each transaction; linked to its records' spans
//! ```
//!
//! A record that is not sampled has no spans at all, and its headers pass as they are. Without a collector there is no
//! [`Tracer`], and so no spans either.

mod client;
pub mod context;
mod exporter;
mod spans;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::metrics::TraceMetrics;
use crate::sink::Destination;
use crate::source::RawRecord;
use crate::stages::{StageOutcome, StageRun};
use context::{Context, Ids};
use spans::{Kind, Names, Spanned};

pub use client::{Endpoint, is_free_header, is_header_value};
pub use exporter::{Exporter, StartError};

/// Of a transaction's records, so many are linked to: as many as OpenTelemetry's own libraries keep.
const LINKS_MAX: usize = 128;

/// Makes spans; clones share one queue.
#[derive(Debug, Clone)]
pub struct Tracer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ids: Ids,
    sample_ratio: f64,
    names: Names,
    queue: mpsc::Sender<Span>,
    metrics: TraceMetrics,
}

/// Starts exporting, if the configuration names a collector. Must be called on the runtime that is to send.
///
/// # Errors
/// When TLS cannot be set up.
pub fn start(
    config: &Config,
    metrics: &TraceMetrics,
) -> Result<Option<(Tracer, Exporter)>, StartError> {
    let tracing = &config.tracing;
    let Some(endpoint) = &tracing.endpoint else { return Ok(None) };
    let (queue, spans) = mpsc::channel(tracing.queue_spans_max);
    let exporter = Exporter::start(config, endpoint, spans, metrics.clone())?;
    let shared = Shared {
        ids: Ids::default(),
        sample_ratio: tracing.sample_ratio,
        names: Names::new(config),
        queue,
        metrics: metrics.clone(),
    };
    tracing::info!(%endpoint, sample_ratio = tracing.sample_ratio, "traces are exported");
    Ok(Some((Tracer { shared: Arc::new(shared) }, exporter)))
}

/// A record that is being processed.
#[derive(Debug)]
pub struct Processing {
    context: Context,
    /// The producer's span.
    parent: Option<Context>,
    tracestate: String,
    begun: Moment,
}

/// A record that is being sent.
#[derive(Debug, Clone)]
pub struct Sending {
    context: Context,
    process: Context,
    producer: Option<Context>,
    tracestate: String,
    destination: Destination,
    begun: SystemTime,
}

/// Offsets that are being committed, with or without a transaction.
#[derive(Debug)]
pub struct Committing {
    context: Context,
    records: Commit,
    begun: SystemTime,
}

/// The records of a commit, as far as they are sampled.
#[derive(Debug, Default)]
pub struct Commit {
    /// [`LINKS_MAX`] at most.
    origins: Vec<Context>,
    n_records: usize,
}

/// The same moment by both clocks: spans have the time of day, measurements do not.
#[derive(Debug, Clone, Copy)]
struct Moment {
    instant: Instant,
    time: SystemTime,
}

impl Tracer {
    /// A record was received; `None` when it is not sampled. The producer's decision holds where there is one.
    pub fn begin(&self, record: &RawRecord) -> Option<Processing> {
        let ids = &self.shared.ids;
        let parent = Context::of(&record.headers);
        let context = match parent {
            Some(parent) => ids.child(parent),
            None => {
                let root = ids.root(true);
                let is_sampled = is_sampled(root.trace_id, self.shared.sample_ratio);
                if is_sampled { root } else { return None }
            }
        };
        let tracestate = || context::tracestate(&record.headers);
        context.is_sampled().then(|| Processing {
            context,
            parent,
            tracestate: parent.map_or_else(String::new, |_| tracestate()),
            begun: Moment { instant: Instant::now(), time: SystemTime::now() },
        })
    }

    /// A record was processed, and is to be sent to `destination`; `error` when it was refused.
    pub fn processed(
        &self,
        processing: Processing,
        record: &RawRecord,
        stages: &[StageRun],
        error: Option<&'static str>,
        destination: Destination,
    ) -> Sending {
        let Processing { context, parent, tracestate, begun } = processing;
        let now = SystemTime::now();
        for run in stages.iter().filter(|run| run.outcome != StageOutcome::UnsupportedLanguage) {
            let started = run.started.map_or(begun.time, |instant| begun.at(instant));
            let error = (run.outcome != StageOutcome::Ok).then(|| run.outcome.as_str());
            let stage = Spanned {
                context: self.shared.ids.child(context),
                parent: Some(context),
                is_parent_remote: false,
                tracestate: &tracestate,
                kind: Kind::Stage(run.stage),
                begun: started,
                ended: started + run.elapsed,
                error,
            };
            self.emit(stage.into_span(&self.shared.names, &[]));
        }
        let process = Spanned {
            context,
            parent,
            is_parent_remote: true,
            tracestate: &tracestate,
            kind: Kind::Process(record),
            begun: begun.time,
            ended: now,
            error,
        };
        self.emit(process.into_span(&self.shared.names, parent.as_slice()));
        Sending {
            context: self.shared.ids.child(context),
            process: context,
            producer: parent,
            tracestate,
            destination,
            begun: now,
        }
    }

    /// A record is on its topic, or (`error`) will never be as it is.
    pub fn sent(&self, sending: &Sending, is_tombstone: bool, error: Option<&'static str>) {
        let send = Spanned {
            context: sending.context,
            parent: Some(sending.process),
            is_parent_remote: false,
            tracestate: &sending.tracestate,
            kind: Kind::Send { destination: sending.destination, is_tombstone },
            begun: sending.begun,
            ended: SystemTime::now(),
            error,
        };
        self.emit(send.into_span(&self.shared.names, &[]));
    }

    /// What was refused is sent as a dead letter.
    pub fn resend(&self, sending: Sending) -> Sending {
        Sending {
            context: self.shared.ids.child(sending.process),
            destination: Destination::DeadLetters,
            begun: SystemTime::now(),
            ..sending
        }
    }

    /// A commit begins; `None` when none of its records is sampled.
    pub fn begin_commit(&self, records: Commit) -> Option<Committing> {
        if records.origins.is_empty() {
            return None;
        }
        let context = self.shared.ids.root(true);
        Some(Committing { context, records, begun: SystemTime::now() })
    }

    /// A commit ended; `error` when nothing was committed.
    pub fn committed(&self, committing: &Committing, error: Option<&'static str>) {
        let Committing { context, records, begun } = committing;
        let commit = Spanned {
            context: *context,
            parent: None,
            is_parent_remote: false,
            tracestate: "",
            kind: Kind::Commit { n_records: records.n_records },
            begun: *begun,
            ended: SystemTime::now(),
            error,
        };
        self.emit(commit.into_span(&self.shared.names, &records.origins));
    }

    fn emit(&self, span: Span) {
        if self.shared.queue.try_send(span).is_err() {
            self.shared.metrics.dropped(1);
        }
    }
}

impl Sending {
    /// What the published record carries.
    pub fn traceparent(&self) -> String {
        self.context.to_string()
    }

    /// Whether the input's trace goes on, so that its `tracestate` does too.
    pub fn is_continued(&self) -> bool {
        self.producer.is_some()
    }
}

impl Commit {
    /// Counts one of its records, and links to where it came from, if it is sampled.
    pub fn add(&mut self, sending: Option<&Sending>) {
        self.n_records += 1;
        if let Some(sending) = sending.filter(|_| self.origins.len() < LINKS_MAX) {
            self.origins.push(sending.producer.unwrap_or(sending.process));
        }
    }
}

impl Moment {
    fn at(self, instant: Instant) -> SystemTime {
        self.time + instant.saturating_duration_since(self.instant)
    }
}

/// As OpenTelemetry's libraries decide, so that all of them decide alike: by the lower 63 bits of the trace id.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a bound from 0 to 2^63, whose last bits do not matter; the lower half of an id is what is asked for"
)]
fn is_sampled(trace_id: u128, ratio: f64) -> bool {
    let bound = (ratio.clamp(0.0, 1.0) * (1_u64 << 63) as f64) as u64;
    (trace_id as u64) >> 1 < bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_decides_by_the_trace_id() {
        let ids = Ids::default();
        let n_sampled =
            |ratio: f64| (0..4000).filter(|_| is_sampled(ids.root(true).trace_id, ratio)).count();
        assert_eq!((n_sampled(0.0), n_sampled(1.0)), (0, 4000));
        let quarter = n_sampled(0.25);
        // Eleven standard deviations on either side.
        assert!((700..1300).contains(&quarter), "{quarter}");
        assert!(!is_sampled(1 << 63, 0.5));
        assert!(is_sampled((1 << 63) - 1, 0.5));
    }
}
