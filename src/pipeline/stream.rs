//! One turn after the other: take events, read what there is room for, send what is finished, commit what is settled.
//!
//! In: [`Event`]s and records. Out: deliveries and commits. Runs on a thread of its own; nothing here computes.

mod delivery;
mod partitions;
mod versions;
mod watchdog;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::mailbox::{Event, Finished, Mailbox, Reply};
use super::outgoing::Envelope;
use super::process::Processed;
use super::{Fate, PipelineError, Service, startup};
use crate::config::Config;
use crate::metrics::NoticeOutcome;
use crate::sink::{Destination, Outgoing};
use crate::source::kafka::restorer::Restorer;
use crate::source::kafka::{KafkaSource, PendingCommit};
use crate::source::progress::{Arrival, Progress, Ticket};
use crate::source::{PartitionEnd, RawRecord, SourceEvent};
use crate::trace::{Commit, Committing, Processing, Sending};
use crate::versions::{Book, Undo};
use partitions::Revocation;
use versions::Versions;
use watchdog::Watchdog;

pub(super) use delivery::Publisher;

/// The loop turns at least this often: a wake-up that a client misses costs no more. Idle, that is a few microseconds
/// of work fifty times a second.
const TICK: Duration = Duration::from_millis(20);

/// Records at work per compute thread: enough to keep the threads busy while results are handed over, few enough that
/// a stage's budget is spent on the stage and not in the pool's queue.
const RECORDS_PER_THREAD: usize = 2;

/// Runs the loop to its end.
pub(super) fn run(
    config: Config,
    service: Service,
    mailbox: Mailbox,
    runtime: Handle,
) -> Result<(), PipelineError> {
    let Some((source, publisher)) = startup::open(&config, &service, &mailbox, &runtime)? else {
        return Ok(());
    };
    let versions = start_versions(&config, &mailbox)?;
    let n_permits = config.pipeline.compute_threads.get() * RECORDS_PER_THREAD;
    let mut stream = Stream {
        envelope: Envelope::new(config.output.retraction),
        permits: Arc::new(Semaphore::new(n_permits)),
        progress: Progress::default(),
        waiting: None,
        revocation: None,
        committing: None,
        committed_at: Instant::now(),
        delivered: Commit::default(),
        trace_of_commit: None,
        is_reachable: true,
        is_sink_ready: false,
        watchdog: Watchdog::new(config.admin.stall_timeout),
        looked_at: Instant::now(),
        n_looks: 0,
        ends: BTreeMap::new(),
        drain_until: None,
        config,
        service,
        mailbox,
        runtime,
        source,
        publisher,
        versions,
    };
    let result = stream.turn_until_drained();
    stream.leave();
    result
}

fn start_versions(config: &Config, mailbox: &Mailbox) -> Result<Option<Versions>, PipelineError> {
    let Some(topic) = &config.state.topic else { return Ok(None) };
    let post = mailbox.clone();
    let on_restored = Box::new(move |restored| post.post(Event::Restored(Box::new(restored))));
    let restorer = Restorer::start(config, topic, on_restored)?;
    let book = Book::new(config.state.bytes_max, config.output.changes);
    Ok(Some(Versions::new(book, restorer)))
}

struct Stream {
    config: Config,
    service: Service,
    mailbox: Mailbox,
    runtime: Handle,
    envelope: Envelope,
    permits: Arc<Semaphore>,
    source: KafkaSource,
    publisher: Publisher,
    /// `None` where nothing is kept of articles.
    versions: Option<Versions>,
    progress: Progress<InDelivery>,
    /// Read already, and larger than the room there was.
    waiting: Option<RawRecord>,
    revocation: Option<Revocation>,
    /// The commit on its way.
    committing: Option<PendingCommit>,
    /// When the last commit began.
    committed_at: Instant,
    /// What was delivered since, and the commit on its way, where they are traced and no transaction has them.
    delivered: Commit,
    trace_of_commit: Option<Committing>,
    is_reachable: bool,
    /// Whether records can be handed to the sink.
    is_sink_ready: bool,
    watchdog: Watchdog,
    /// When the watchdog last looked.
    looked_at: Instant,
    n_looks: u32,
    /// Where the logs end, as far as it is known.
    ends: BTreeMap<i32, PartitionEnd>,
    /// Set once a shutdown was requested.
    drain_until: Option<Instant>,
}

/// A finished record until its delivery is acknowledged.
#[derive(Debug)]
struct InDelivery {
    /// Until it is judged.
    processed: Option<Processed>,
    /// From then on.
    judged: Option<Judged>,
    /// For the dead letter, should the broker refuse what was made of it.
    record: RawRecord,
    received_at: Instant,
    trace: Option<Sending>,
    /// What was sent for it one by one and is not acknowledged.
    n_outstanding: usize,
}

/// What becomes of a record.
#[derive(Debug)]
struct Judged {
    /// What is published, unless it is skipped, and then what is known of its article.
    outgoing: Vec<Outgoing>,
    fate: Fate,
    /// Should it become a dead letter after all.
    undo: Option<Undo>,
    /// Of a kill notice.
    notice: Option<NoticeOutcome>,
}

impl Judged {
    fn new((outgoing, fate): (Outgoing, Fate)) -> Self {
        Self { outgoing: vec![outgoing], fate, undo: None, notice: None }
    }
}

impl Stream {
    fn turn_until_drained(&mut self) -> Result<(), PipelineError> {
        loop {
            self.source.serve();
            while let Some(event) = self.mailbox.take() {
                self.on_event(event)?;
            }
            self.admit()?;
            self.publish()?;
            self.commit_when_due();
            self.give_up_when_drained()?;
            self.watch_when_due();
            let n_inflight = self.progress.n_records();
            self.service.health.turned(n_inflight);
            self.service.metrics.pipeline.set_inflight(n_inflight, self.progress.n_bytes());
            if self.is_drained() {
                return Ok(());
            }
            self.mailbox.wait(TICK);
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), PipelineError> {
        match event {
            Event::Source(SourceEvent::Assigned(partitions)) => self.on_assigned(partitions),
            Event::Source(SourceEvent::Committed(offsets)) => self.take_over(&offsets),
            Event::Source(SourceEvent::Revoked { partitions, is_lost }) => {
                self.on_revoked(partitions, is_lost)
            }
            Event::Source(SourceEvent::Ends(ends)) => {
                self.on_ends(&ends);
                Ok(())
            }
            Event::Source(SourceEvent::Probed(ends)) => {
                self.on_probed(&ends);
                Ok(())
            }
            Event::Source(SourceEvent::Unowned(partitions)) => self.on_unowned(&partitions),
            Event::Source(SourceEvent::Member(is_member)) => {
                self.service.health.set_member(is_member);
                Ok(())
            }
            Event::Source(SourceEvent::Fault(fault)) => {
                self.service.metrics.source.fault(fault);
                Ok(())
            }
            Event::Source(SourceEvent::Failed(error)) => Err(PipelineError::Source(error)),
            Event::Finished(finished) => {
                self.on_finished(*finished);
                Ok(())
            }
            Event::Sink(event) => self.on_sink_event(event),
            Event::Restored(restored) => {
                self.on_restored(*restored);
                Ok(())
            }
            Event::Abandoned(Ticket { partition, offset, .. }) => {
                Err(PipelineError::Abandoned { partition, offset })
            }
            Event::ShutdownRequested => {
                self.on_shutdown();
                Ok(())
            }
        }
    }

    fn on_finished(&mut self, finished: Finished) {
        let Finished { ticket, record, received_at, processed, trace } = finished;
        self.count(&processed);
        let trace = trace.and_then(|trace| self.trace(trace, &record, &processed));
        let (processed, judged) = (Some(processed), None);
        let item = InDelivery { processed, judged, record, received_at, trace, n_outstanding: 0 };
        // A stale ticket's record is another member's by now.
        self.progress.finish(ticket, item);
    }

    /// The spans of what was done; what remains is to send it.
    fn trace(
        &self,
        trace: Processing,
        record: &RawRecord,
        processed: &Processed,
    ) -> Option<Sending> {
        let (stages, error, destination) = match processed {
            Processed::Enriched { facts, .. } => (&facts.stages[..], None, Destination::Enriched),
            Processed::Retracted { .. } => (&[][..], None, Destination::Enriched),
            Processed::Refused(letter) => {
                (&[][..], Some(letter.reason.as_str()), Destination::DeadLetters)
            }
        };
        let tracer = self.service.tracer.as_ref()?;
        Some(tracer.processed(trace, record, stages, error, destination))
    }

    fn on_shutdown(&mut self) {
        self.service.health.draining();
        self.waiting = None;
        self.drain_until = Some(Instant::now() + self.config.pipeline.drain_timeout);
        tracing::info!(n_inflight = self.progress.n_records(), "polling stopped, draining");
    }

    /// Reads while there is room. A record that is larger than all the room there is passes alone.
    fn admit(&mut self) -> Result<(), PipelineError> {
        let limits = &self.config.pipeline;
        let (n_records_max, n_bytes_max) = (limits.inflight_records_max, limits.inflight_bytes_max);
        while self.drain_until.is_none() && self.progress.n_records() < n_records_max {
            let record = self.waiting.take().or_else(|| self.source.next_record());
            let Some(record) = record else { break };
            let n_bytes = self.progress.n_bytes() + record.size_bytes();
            if n_bytes > n_bytes_max && self.progress.n_records() > 0 {
                self.waiting = Some(record);
                break;
            }
            self.begin(record)?;
        }
        Ok(())
    }

    fn begin(&mut self, record: RawRecord) -> Result<(), PipelineError> {
        let partition = record.position.partition;
        let arrival = Arrival {
            offset: record.position.offset,
            n_bytes: record.size_bytes(),
            timestamp_ms: record.timestamp_ms,
        };
        let Ok(ticket) = self.progress.begin(partition, arrival) else {
            if self.progress.standing(partition).is_none() {
                // Fetched before the partition left; whoever has it now reads it again.
                return Ok(());
            }
            return Err(PipelineError::OffsetsWentBack { position: record.position });
        };
        self.service.metrics.source.consumed(arrival.n_bytes);
        let reply = Reply::new(self.mailbox.clone(), ticket);
        let (processor, permits) = (self.service.processor.clone(), Arc::clone(&self.permits));
        let received_at = Instant::now();
        let span = tracing::info_span!("record", position = %record.position);
        let trace = self.service.tracer.as_ref().and_then(|tracer| tracer.begin(&record));
        let work = async move {
            let _permit = permits.acquire_owned().await;
            let processed = processor.process(record.clone()).await;
            reply.finished(Finished { ticket, record, received_at, processed, trace });
        };
        self.runtime.spawn(work.instrument(span));
        Ok(())
    }

    fn is_drained(&self) -> bool {
        let Some(drain_until) = self.drain_until else { return false };
        let mut partitions = self.progress.partitions();
        if !self.is_in_transaction() && partitions.all(|partition| self.progress.is_done(partition))
        {
            tracing::info!("all in flight is settled and committed");
            return true;
        }
        let is_over = Instant::now() >= drain_until;
        if is_over {
            let n_inflight = self.progress.n_records();
            tracing::warn!(n_inflight, "drain time is over, the rest is left to be read again");
        }
        is_over
    }

    /// Counts what was found in a record, whether or not it is still ours to publish.
    fn count(&self, processed: &Processed) {
        let metrics = &self.service.metrics;
        let (body, facts) = match processed {
            Processed::Enriched { body, facts, .. } => (body, facts),
            Processed::Retracted { retraction, .. } => {
                return metrics.decode.warned(&retraction.warnings);
            }
            Processed::Refused(_) => return,
        };
        metrics.decode.decoded(facts.format, facts.n_unknown_fields, &facts.warnings);
        for run in &facts.stages {
            metrics.stages.ended(run.stage, run.outcome, run.elapsed);
        }
        for &(kind, is_attributed) in &facts.quotes {
            metrics.stages.quote(kind, is_attributed);
        }
        metrics.pipeline.spans_withheld(body.n_spans_withheld);
    }
}
