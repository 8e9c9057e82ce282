//! One turn after the other: take events, read what there is room for, send what is finished, commit what is settled.
//!
//! In: [`Event`]s and records. Out: deliveries and commits. Runs on a thread of its own; nothing here computes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::mailbox::{Event, Finished, Mailbox, Reply};
use super::outgoing::{self, Envelope};
use super::process::Processed;
use super::{Fate, PipelineError, Service, Settled, startup};
use crate::config::Config;
use crate::dead_letter::{DeadLetter, Reason};
use crate::sink::kafka::{KafkaSink, SendError};
use crate::sink::{Outgoing, Refusal, SinkEvent};
use crate::source::kafka::KafkaSource;
use crate::source::progress::{Arrival, Progress, Ticket};
use crate::source::{PartitionEnd, RawRecord, SourceEvent};

/// The loop turns at least this often: a wake-up that a client misses costs no more. Idle, that is a few microseconds
/// of work fifty times a second.
const TICK: Duration = Duration::from_millis(20);

/// Records at work per compute thread: enough to keep the threads busy while results are handed over, few enough that
/// a stage's budget is spent on the stage and not in the pool's queue.
const RECORDS_PER_THREAD: usize = 2;

/// How long deliveries under way may take when the loop ends early.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the loop to its end.
pub(super) fn run(
    config: Config,
    service: Service,
    mailbox: Mailbox,
    runtime: Handle,
) -> Result<(), PipelineError> {
    let Some((source, sink)) = startup::open(&config, &service, &mailbox, &runtime)? else {
        return Ok(());
    };
    let n_permits = config.pipeline.compute_threads.get() * RECORDS_PER_THREAD;
    let mut stream = Stream {
        envelope: Envelope::new(config.output.retraction),
        permits: Arc::new(Semaphore::new(n_permits)),
        progress: Progress::default(),
        waiting: None,
        revocation: None,
        committed_at: Instant::now(),
        drain_until: None,
        config,
        service,
        mailbox,
        runtime,
        source,
        sink,
    };
    let result = stream.turn_until_drained();
    stream.leave();
    result
}

struct Stream {
    config: Config,
    service: Service,
    mailbox: Mailbox,
    runtime: Handle,
    envelope: Envelope,
    permits: Arc<Semaphore>,
    source: KafkaSource,
    sink: KafkaSink,
    progress: Progress<InDelivery>,
    /// Read already, and larger than the room there was.
    waiting: Option<RawRecord>,
    revocation: Option<Revocation>,
    committed_at: Instant,
    /// Set once a shutdown was requested.
    drain_until: Option<Instant>,
}

/// A finished record until its delivery is acknowledged.
#[derive(Debug)]
struct InDelivery {
    outgoing: Outgoing,
    fate: Fate,
    /// For the dead letter, should the broker refuse what was made of it.
    record: RawRecord,
    received_at: Instant,
}

/// Partitions that are to be given up when they are drained.
#[derive(Debug)]
struct Revocation {
    partitions: Vec<i32>,
    is_lost: bool,
    drain_until: Instant,
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
            Event::Source(SourceEvent::Assigned(partitions)) => self.on_assigned(&partitions),
            Event::Source(SourceEvent::Revoked { partitions, is_lost }) => {
                self.on_revoked(partitions, is_lost)
            }
            Event::Source(SourceEvent::Ends(ends)) => {
                self.on_ends(&ends);
                Ok(())
            }
            Event::Source(SourceEvent::Failed(error)) => Err(PipelineError::Source(error)),
            Event::Finished(finished) => {
                self.on_finished(*finished);
                Ok(())
            }
            Event::Sink(SinkEvent::Delivered(ticket)) => {
                self.on_delivered(ticket);
                Ok(())
            }
            Event::Sink(SinkEvent::Refused(ticket, refusal)) => self.on_refused(ticket, refusal),
            Event::Sink(SinkEvent::Reachable(is_reachable)) => {
                self.service.health.set_producer_usable(is_reachable);
                Ok(())
            }
            Event::Sink(SinkEvent::Failed(error)) => {
                self.service.metrics.sink.delivery_failed();
                Err(PipelineError::Sink(error))
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

    fn on_assigned(&mut self, partitions: &[i32]) -> Result<(), PipelineError> {
        for &partition in partitions {
            self.progress.assign(partition);
            self.service.metrics.source.partitions.assigned(&self.config.input.topic, partition);
        }
        self.source.accept(partitions).map_err(|error| PipelineError::Source(error.to_string()))?;
        tracing::info!(?partitions, "partitions assigned");
        self.rebalanced();
        Ok(())
    }

    fn on_revoked(&mut self, partitions: Vec<i32>, is_lost: bool) -> Result<(), PipelineError> {
        // The group waits for an answer before it revokes more: an earlier one that is still draining has been overtaken.
        if let Some(earlier) = self.revocation.take() {
            self.give_up(&earlier)?;
        }
        tracing::info!(?partitions, is_lost, "partitions revoked");
        self.source.stop_reading(&partitions);
        self.waiting.take_if(|record| partitions.contains(&record.position.partition));
        let drain_until = Instant::now() + self.config.pipeline.drain_timeout;
        self.revocation = Some(Revocation { partitions, is_lost, drain_until });
        self.give_up_when_drained()
    }

    fn on_ends(&mut self, ends: &[PartitionEnd]) {
        for end in ends {
            let Some(standing) = self.progress.standing(end.partition) else { continue };
            let read_below = standing.read_below.unwrap_or(end.fetched_below - end.n_prefetched);
            // Offsets that are no records (transaction markers) may stand at the end for ever.
            let has_all = end.n_prefetched == 0 && end.fetched_below >= end.end;
            let n_unread = if has_all || read_below < 0 { 0 } else { end.end - read_below };
            let n_behind = u64::try_from(n_unread).unwrap_or_default() + standing.n_inflight as u64;
            let partitions = &self.service.metrics.source.partitions;
            partitions.lagging(
                &self.config.input.topic,
                end.partition,
                n_behind,
                standing.oldest_ms,
            );
        }
    }

    fn on_finished(&mut self, finished: Finished) {
        let Finished { ticket, record, received_at, processed } = finished;
        self.count(&processed);
        let (outgoing, fate) = self.envelope.seal(processed, &record, Timestamp::now());
        // A stale ticket's record is another member's by now.
        self.progress.finish(ticket, InDelivery { outgoing, fate, record, received_at });
    }

    fn on_delivered(&mut self, ticket: Ticket) {
        let Some(delivered) = self.progress.settle(ticket) else { return };
        let InDelivery { outgoing, fate, record, received_at } = delivered;
        let (elapsed, metrics) = (received_at.elapsed(), &self.service.metrics);
        match fate {
            Fate::Enriched => metrics.sink.published(),
            Fate::Retracted(reason) => metrics.sink.retracted(reason),
            Fate::DeadLettered(reason) => metrics.sink.dead_lettered(reason),
        }
        metrics.pipeline.settled(elapsed, record.timestamp_ms.map(age));
        metrics.source.partitions.progressed(&record.position.topic, ticket.partition);
        self.service.health.progressed();
        if let Some(observer) = &self.service.observer {
            let settled = Settled {
                position: record.position,
                key: outgoing.key,
                fate,
                input: record.value,
                output: outgoing.value,
                elapsed,
            };
            // Nobody may be looking.
            drop(observer.send(settled));
        }
    }

    /// What can never be delivered becomes a dead letter; a dead letter that cannot be delivered ends the service, since
    /// going on would lose its record.
    fn on_refused(&mut self, ticket: Ticket, refusal: Refusal) -> Result<(), PipelineError> {
        self.service.metrics.sink.delivery_failed();
        let Some(refused) = self.progress.in_delivery(ticket) else { return Ok(()) };
        let (record, received_at) = (refused.record.clone(), refused.received_at);
        if let Fate::DeadLettered(_) = refused.fate {
            return Err(PipelineError::DeadLetterRefused { position: record.position, refusal });
        }
        tracing::warn!(position = %record.position, %refusal, "record cannot be published");
        let reason = match refusal {
            Refusal::TooLarge(_) => Reason::OutputTooLarge,
            Refusal::Invalid(_) => Reason::OutputRefused,
        };
        let letter = DeadLetter { reason, detail: refusal.to_string(), record: record.clone() };
        let (outgoing, fate) = (outgoing::dead(letter), Fate::DeadLettered(reason));
        self.progress.finish(ticket, InDelivery { outgoing, fate, record, received_at });
        Ok(())
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
        let work = async move {
            let _permit = permits.acquire_owned().await;
            let processed = processor.process(record.clone()).await;
            reply.finished(Finished { ticket, record, received_at, processed });
        };
        self.runtime.spawn(work.instrument(span));
        Ok(())
    }

    /// Sends what is finished, in input order per partition, as far as the producer has room.
    fn publish(&mut self) -> Result<(), PipelineError> {
        let has_observer = self.service.observer.is_some();
        while let Some((ticket, finished)) = self.progress.next_to_send() {
            let result = self.sink.send(ticket, &finished.outgoing);
            if result.is_ok() && !has_observer {
                // The producer has its own copy.
                finished.outgoing.value = None;
            }
            match result {
                Ok(()) => self.progress.sent(ticket),
                Err(SendError::Full) => break,
                Err(SendError::Refused(refusal)) => {
                    self.progress.sent(ticket);
                    self.on_refused(ticket, refusal)?;
                }
                Err(SendError::Failed(error)) => return Err(PipelineError::Sink(error)),
            }
        }
        Ok(())
    }

    fn commit_when_due(&mut self) {
        if self.committed_at.elapsed() >= self.config.pipeline.commit_interval {
            self.commit(|_| true);
        }
    }

    fn give_up_when_drained(&mut self) -> Result<(), PipelineError> {
        let Some(revocation) = &self.revocation else { return Ok(()) };
        let is_empty = |&partition| {
            self.progress.standing(partition).is_none_or(|standing| standing.n_inflight == 0)
        };
        let is_drained = revocation.partitions.iter().all(is_empty);
        let is_over = revocation.is_lost || Instant::now() >= revocation.drain_until;
        match self.revocation.take_if(|_| is_drained || is_over) {
            Some(revocation) => self.give_up(&revocation),
            None => Ok(()),
        }
    }

    fn give_up(&mut self, revocation: &Revocation) -> Result<(), PipelineError> {
        let partitions = &revocation.partitions;
        if !revocation.is_lost {
            self.commit(|partition| partitions.contains(&partition));
        }
        let mut n_dropped = 0;
        for &partition in partitions {
            n_dropped += self.progress.revoke(partition);
            self.service.metrics.source.partitions.revoked(&self.config.input.topic, partition);
        }
        self.source
            .release(partitions)
            .map_err(|error| PipelineError::Source(error.to_string()))?;
        tracing::info!(?partitions, n_dropped, "partitions given up");
        self.rebalanced();
        Ok(())
    }

    fn rebalanced(&self) {
        self.service.metrics.source.rebalanced();
        self.service.health.set_partitions(self.progress.partitions().count());
    }

    /// Commits what is settled of these partitions. A commit that fails is repeated with the next.
    fn commit(&mut self, is_meant: impl Fn(i32) -> bool) {
        let mut offsets = self.progress.committable();
        offsets.retain(|&(partition, _)| is_meant(partition));
        if offsets.is_empty() {
            return;
        }
        let result = self.source.commit(&offsets);
        self.service.metrics.pipeline.committed(result.is_ok());
        self.committed_at = Instant::now();
        match result {
            Ok(()) => self.progress.committed(&offsets),
            Err(error) => tracing::warn!(%error, ?offsets, "offsets are not committed"),
        }
    }

    fn is_drained(&self) -> bool {
        let Some(drain_until) = self.drain_until else { return false };
        let n_inflight = self.progress.n_records();
        if n_inflight > 0 && Instant::now() >= drain_until {
            tracing::warn!(
                n_inflight,
                "drain time is over, records in flight are left to be read again"
            );
            return true;
        }
        n_inflight == 0
    }

    /// The end of the sequence that [`Stream::on_shutdown`] began: flush, commit, leave.
    fn leave(mut self) {
        if let Err(error) = self.sink.flush(FLUSH_TIMEOUT) {
            tracing::warn!(%error, "producer not flushed");
        } else {
            tracing::info!("producer flushed");
        }
        while let Some(event) = self.mailbox.take() {
            if let Event::Sink(SinkEvent::Delivered(ticket)) = event {
                self.on_delivered(ticket);
            }
        }
        self.commit(|_| true);
        tracing::info!("offsets committed");
        for partition in self.progress.partitions() {
            self.service.metrics.source.partitions.revoked(&self.config.input.topic, partition);
        }
        self.service.health.set_partitions(0);
        self.source.close();
        tracing::info!("consumer group left");
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
        for (stage, outcome, elapsed) in facts.stages {
            metrics.stages.ended(stage, outcome, elapsed);
        }
        for &(kind, is_attributed) in &facts.quotes {
            metrics.stages.quote(kind, is_attributed);
        }
        metrics.pipeline.spans_withheld(body.n_spans_withheld);
    }
}

/// Since a time in milliseconds since the epoch.
fn age(written_ms: i64) -> Duration {
    let age_ms = Timestamp::now().as_millisecond().saturating_sub(written_ms);
    Duration::from_millis(u64::try_from(age_ms).unwrap_or_default())
}
