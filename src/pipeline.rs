//! The loop: event → decode → annotate → link → encode → deliver → settle.
//!
//! In: a Kafka topic. Out: every record of it settled: published, retracted or dead-lettered, in input order per
//! partition.

pub mod process;

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::admin::Health;
use crate::article::RetractionReason;
use crate::config::Config;
use crate::dead_letter::Reason;
use crate::metrics::Metrics;
use crate::pipeline::process::Processor;
use crate::source::Position;

/// What the loop works with and reports to.
#[derive(Debug)]
pub struct Service {
    pub processor: Processor,
    pub metrics: Metrics,
    pub health: Health,
    /// Told of every settled record. Never waited for: a receiver that is too slow learns how many it missed
    /// ([`broadcast::error::RecvError::Lagged`]).
    pub observer: Option<broadcast::Sender<Settled>>,
}

/// What became of one record; sent after the broker has acknowledged it.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Where the record was read.
    pub position: Position,
    /// The key under which it was published; `None` only for a dead letter whose record had none.
    pub key: Option<Bytes>,
    pub fate: Fate,
    /// The input record's value, byte for byte.
    pub input: Option<Bytes>,
    /// The published value; `None` is a tombstone.
    pub output: Option<Bytes>,
    /// From receiving the record to its acknowledged delivery.
    pub elapsed: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Enriched,
    Retracted(RetractionReason),
    DeadLettered(Reason),
}

/// Why the loop ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error("the Kafka client cannot be built: {0}")]
    Client(String),
}

/// Runs until `shutdown` is cancelled and what is in flight has been drained, or until the first fault that cannot be
/// waited out.
///
/// # Errors
/// See [`PipelineError`]; no record is lost by any of them, since its offset is not committed.
#[expect(clippy::unused_async, reason = "the loop takes its place")]
pub async fn run(
    _config: &Config,
    _service: Service,
    _shutdown: CancellationToken,
) -> Result<(), PipelineError> {
    Err(PipelineError::Client("the loop is not built yet".to_owned()))
}
