//! The loop: event → decode → annotate → link → encode → judge → deliver → settle.
//!
//! In: a Kafka topic. Out: every record of it settled: published, retracted or dead-lettered, in input order per
//! partition.
//!
//! One thread owns the consumer and hands records to the producer; it never computes and never waits for one record.
//! The work runs on the runtime and the compute pool, many records of a partition at once.
//!
//! 1. A record is read when there is room for it, and gets a slot in its partition.
//! 2. Its result waits in the slot until all before it have been sent; then it is judged by what is known of its article,
//!    once, and sent together with what is known now.
//! 3. What can never be delivered is made smaller, or becomes a dead letter, and is sent as such.
//!
//! Exactly once, records are sent in transactions, one after the other, each with the offsets that it settles. One that
//! fails is aborted, and its records are sent again from their slots: nothing is computed twice. At least once, the
//! brokers' acknowledgements settle a record, and the offset below which all is settled is committed now and then.
//!
//! A partition that leaves is drained first; what is not settled in time is dropped here and read again elsewhere. It is
//! not given up while a transaction is under way that may have records of it, and each assignment has an epoch, so no
//! record is published, and no offset committed, for an assignment that has ended.

mod mailbox;
mod outgoing;
pub mod process;
mod startup;
mod stream;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;

use crate::admin::Health;
use crate::article::RetractionReason;
use crate::config::Config;
use crate::dead_letter::Reason;
use crate::metrics::Metrics;
use crate::sink::Refusal;
use crate::source::Position;
use crate::trace::Tracer;
use crate::versions::SkipReason;
use mailbox::{Event, Mailbox};
use process::Processor;

/// Time to leave the group, beside the session's time-out in which a last commit may still succeed.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the loop works with and reports to.
#[derive(Debug)]
pub struct Service {
    pub processor: Processor,
    pub metrics: Metrics,
    pub health: Health,
    /// Told of every settled record. Never waited for: a receiver that is too slow learns how many it missed
    /// ([`broadcast::error::RecvError::Lagged`]).
    pub observer: Option<broadcast::Sender<Settled>>,
    /// Makes spans of the records' ways; `None` makes none.
    pub tracer: Option<Tracer>,
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
    /// Not published: a newer record of its article is known.
    Skipped(SkipReason),
}

/// Why the loop ended before it was told to. Nothing is lost by any of these: what was not settled is not committed.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error("the Kafka client cannot be built: {0}")]
    Client(String),
    #[error("the consumer failed: {0}")]
    Source(String),
    #[error("the producer failed: {0}")]
    Sink(String),
    #[error("the dead letter of {position} cannot be delivered, {refusal}")]
    DeadLetterRefused { position: Position, refusal: Refusal },
    #[error("{position} was read after a later record: the topic was made anew or lost its end")]
    OffsetsWentBack { position: Position },
    #[error("a defect in copydesk: the work on offset {offset} of partition {partition} was lost")]
    Abandoned { partition: i32, offset: i64 },
    #[error("a defect in copydesk: the loop panicked")]
    Panicked,
    #[error("the loop cannot start: {0}")]
    Thread(#[from] io::Error),
    #[error("the loop did not end in time")]
    Stuck,
}

/// Runs until `shutdown` is cancelled and what is in flight has been drained, or until the first fault that cannot be
/// waited out.
///
/// # Errors
/// See [`PipelineError`].
pub async fn run(
    config: &Config,
    service: Service,
    shutdown: CancellationToken,
) -> Result<(), PipelineError> {
    let mailbox = Mailbox::default();
    let (ended, mut end) = oneshot::channel();
    let thread = {
        let (config, mailbox, runtime) = (config.clone(), mailbox.clone(), Handle::current());
        move || {
            let stream = || stream::run(config, service, mailbox, runtime);
            let result =
                catch_unwind(AssertUnwindSafe(stream)).unwrap_or(Err(PipelineError::Panicked));
            // Nobody waits when the caller has gone.
            drop(ended.send(result));
        }
    };
    std::thread::Builder::new().name("stream".to_owned()).spawn(thread)?;
    tokio::select! {
        result = &mut end => return result.unwrap_or(Err(PipelineError::Panicked)),
        () = shutdown.cancelled() => mailbox.post(Event::ShutdownRequested),
    }
    let time_to_end = config.pipeline.drain_timeout + config.kafka.session_timeout + LEAVE_TIMEOUT;
    match tokio::time::timeout(time_to_end, end).await {
        Ok(result) => result.unwrap_or(Err(PipelineError::Panicked)),
        Err(_elapsed) => Err(PipelineError::Stuck),
    }
}
