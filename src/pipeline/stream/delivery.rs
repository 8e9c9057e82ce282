//! What is finished leaves: record by record, or in transactions.
//!
//! In: finished records in the order of [`crate::source::progress`], and what the sink says of them. Out: settled
//! records. A record that can never be delivered is first made smaller where it can be, then becomes a dead letter.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{InDelivery, Stream};
use crate::config::{Config, Delivery};
use crate::dead_letter::{DeadLetter, Reason};
use crate::encode;
use crate::kafka::Fault;
use crate::pipeline::mailbox::Event;
use crate::pipeline::{Fate, PipelineError, Settled, outgoing};
use crate::sink::kafka::transactions::{Batch, TransactionalSink};
use crate::sink::kafka::{KafkaSink, SendError, TopicLimits};
use crate::sink::{Destination, Outgoing, Refusal, SinkEvent};
use crate::source::progress::Ticket;
use crate::trace::{Commit, Committing, Sending};

/// How long deliveries under way may take when the loop ends early.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two transactions while partitions wait to be given up.
const LEAVING_INTERVAL: Duration = Duration::from_millis(10);

/// From an aborted transaction to the next attempt, doubled each time up to the second.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(20);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);

/// The way out, as `kafka.delivery` says.
#[derive(Debug)]
pub(in crate::pipeline) enum Publisher {
    AtLeastOnce(KafkaSink),
    ExactlyOnce(Transactions),
}

impl Publisher {
    pub(in crate::pipeline) fn connect(
        config: &Config,
        limits: TopicLimits,
        on_event: impl Fn(SinkEvent) + Clone + Send + Sync + 'static,
    ) -> Result<Self, SendError> {
        Ok(match config.kafka.delivery {
            Delivery::AtLeastOnce => {
                on_event(SinkEvent::Ready);
                Self::AtLeastOnce(KafkaSink::connect(config, limits, Box::new(on_event))?)
            }
            Delivery::ExactlyOnce => Self::ExactlyOnce(Transactions::new(
                TransactionalSink::connect(config, limits, on_event)?,
            )),
        })
    }
}

/// One transaction after the other; the next one is gathered while one is under way.
#[derive(Debug)]
pub(in crate::pipeline) struct Transactions {
    sink: TransactionalSink,
    /// Sent as far as [`crate::source::progress`] knows, and not yet part of a transaction.
    gathered: Vec<Ticket>,
    gathered_bytes: usize,
    current: Option<Current>,
    begun_at: Instant,
    /// After an abort.
    retry_at: Instant,
    pause: Duration,
}

/// The transaction under way.
#[derive(Debug)]
struct Current {
    tickets: Vec<Ticket>,
    offsets: Vec<(i32, i64)>,
    trace: Option<Committing>,
}

impl Transactions {
    fn new(sink: TransactionalSink) -> Self {
        let now = Instant::now();
        Self {
            sink,
            gathered: Vec::new(),
            gathered_bytes: 0,
            current: None,
            begun_at: now,
            retry_at: now,
            pause: RETRY_PAUSE_MIN,
        }
    }

    fn is_full(&self, config: &Config) -> bool {
        let limits = &config.pipeline;
        self.gathered.len() >= limits.transaction_records_max
            || self.gathered_bytes >= limits.transaction_bytes_max
    }
}

impl Stream {
    pub(super) fn on_sink_event(&mut self, event: SinkEvent) -> Result<(), PipelineError> {
        match event {
            SinkEvent::Delivered(ticket) => self.on_delivered(ticket),
            SinkEvent::Refused(ticket, refusal) => return self.on_refused(ticket, refusal),
            SinkEvent::Ready => {
                self.is_sink_ready = true;
                self.service.health.set_producer_usable(self.is_reachable);
            }
            SinkEvent::Committed => self.on_committed_transaction(),
            SinkEvent::Aborted(error) => self.on_aborted(&error),
            SinkEvent::Reachable(is_reachable) => self.on_reachable(is_reachable),
            SinkEvent::Failed(error) => {
                self.service.metrics.sink.delivery_failed();
                self.abandon_transaction();
                return Err(PipelineError::Sink(error));
            }
        }
        Ok(())
    }

    /// Nothing more will be said of it: the brokers end it.
    fn abandon_transaction(&mut self) {
        if let Publisher::ExactlyOnce(transactions) = &mut self.publisher
            && let Some(current) = transactions.current.take()
        {
            self.transaction_ended(current.trace, Some("abandoned"));
        }
    }

    /// Sends what is finished, in input order per partition, as far as there is room.
    pub(super) fn publish(&mut self) -> Result<(), PipelineError> {
        match &mut self.publisher {
            Publisher::AtLeastOnce(_) => self.send_finished(),
            Publisher::ExactlyOnce(_) if !self.is_sink_ready => Ok(()),
            Publisher::ExactlyOnce(_) => self.begin_transaction_when_due(),
        }
    }

    fn send_finished(&mut self) -> Result<(), PipelineError> {
        while let Some((ticket, finished)) = self.progress.next_to_send() {
            let Publisher::AtLeastOnce(sink) = &self.publisher else { return Ok(()) };
            match sink.send(ticket, &finished.outgoing) {
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

    fn begin_transaction_when_due(&mut self) -> Result<(), PipelineError> {
        let is_leaving = self.drain_until.is_some() || self.revocation.is_some();
        let Publisher::ExactlyOnce(transactions) = &mut self.publisher else { return Ok(()) };
        while !transactions.is_full(&self.config) {
            let Some((ticket, finished)) = self.progress.next_to_send() else { break };
            transactions.gathered_bytes += size_bytes(&finished.outgoing);
            transactions.gathered.push(ticket);
            self.progress.sent(ticket);
        }
        let interval =
            if is_leaving { LEAVING_INTERVAL } else { self.config.pipeline.commit_interval };
        let is_due =
            transactions.begun_at.elapsed() >= interval || transactions.is_full(&self.config);
        if transactions.current.is_some() {
            if transactions.begun_at.elapsed() > transactions.sink.patience() {
                let error = "a transaction does not end, the client hangs".to_owned();
                self.abandon_transaction();
                return Err(PipelineError::Sink(error));
            }
            return Ok(());
        }
        if !is_due || Instant::now() < transactions.retry_at {
            return Ok(());
        }
        transactions.gathered_bytes = 0;
        let (mut tickets, mut records) = (Vec::new(), Vec::new());
        let mut commit = Commit::default();
        for ticket in transactions.gathered.drain(..) {
            // A partition that has left takes its records with it.
            if let Some(item) = self.progress.in_delivery(ticket) {
                records.push((ticket, item.outgoing.clone()));
                tickets.push(ticket);
                commit.add(item.trace.as_ref());
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        let offsets = offsets(&tickets);
        let Some(membership) = self.source.membership() else {
            return Err(PipelineError::Source("this member has no group".to_owned()));
        };
        let batch = Batch { records, offsets: offsets.clone(), membership };
        let begun = transactions.sink.begin(batch);
        begun.map_err(|error| PipelineError::Sink(error.to_string()))?;
        let trace = self.service.tracer.as_ref().and_then(|tracer| tracer.begin_commit(commit));
        transactions.current = Some(Current { tickets, offsets, trace });
        transactions.begun_at = Instant::now();
        Ok(())
    }

    /// Whether a transaction is under way. What it contains may be published until it has ended.
    pub(super) fn is_in_transaction(&self) -> bool {
        match &self.publisher {
            Publisher::AtLeastOnce(_) => false,
            Publisher::ExactlyOnce(transactions) => transactions.current.is_some(),
        }
    }

    fn on_committed_transaction(&mut self) {
        let Publisher::ExactlyOnce(transactions) = &mut self.publisher else { return };
        let Some(Current { tickets, offsets, trace }) = transactions.current.take() else { return };
        transactions.pause = RETRY_PAUSE_MIN;
        for ticket in tickets {
            self.on_delivered(ticket);
        }
        self.progress.committed(&offsets);
        self.transaction_ended(trace, None);
    }

    fn transaction_ended(&self, trace: Option<Committing>, error: Option<&'static str>) {
        self.service.metrics.pipeline.transaction_ended(error.is_none());
        if let (Some(tracer), Some(trace)) = (&self.service.tracer, trace) {
            tracer.committed(&trace, error);
        }
    }

    /// All of it is sent again, and what was gathered after it too, so that the order stays.
    fn on_aborted(&mut self, error: &str) {
        let Publisher::ExactlyOnce(transactions) = &mut self.publisher else { return };
        let Some(Current { tickets, trace, .. }) = transactions.current.take() else { return };
        for ticket in tickets.into_iter().chain(transactions.gathered.drain(..)) {
            self.progress.unsend(ticket);
        }
        transactions.gathered_bytes = 0;
        let pause = transactions.pause;
        transactions.retry_at = Instant::now() + pause;
        transactions.pause = (pause * 2).min(RETRY_PAUSE_MAX);
        self.transaction_ended(trace, Some("aborted"));
        tracing::warn!(error, retry_ms = pause.as_millis(), "transaction aborted");
    }

    fn on_delivered(&mut self, ticket: Ticket) {
        let Some(delivered) = self.progress.settle(ticket) else { return };
        let InDelivery { outgoing, fate, record, received_at, trace } = delivered;
        self.trace_delivery(trace.as_ref(), outgoing.value.is_none());
        let (elapsed, metrics) = (received_at.elapsed(), &self.service.metrics);
        match fate {
            Fate::Enriched => metrics.sink.published(),
            Fate::Retracted(reason) => metrics.sink.retracted(reason),
            Fate::DeadLettered(reason) => metrics.sink.dead_lettered(reason),
        }
        metrics.pipeline.settled(elapsed, record.timestamp_ms.map(age));
        metrics.source.partitions.progressed(&record.position.topic, ticket.partition);
        self.service.health.progressed();
        self.watchdog.progressed(ticket.partition, Instant::now());
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

    fn trace_delivery(&mut self, trace: Option<&Sending>, is_tombstone: bool) {
        let Some(tracer) = &self.service.tracer else { return };
        if let Some(trace) = trace {
            tracer.sent(trace, is_tombstone, None);
        }
        if let Publisher::AtLeastOnce(_) = &self.publisher {
            self.delivered.add(trace);
        }
    }

    fn trace_refusal(&self, trace: Sending, reason: Reason) -> Option<Sending> {
        let tracer = self.service.tracer.as_ref()?;
        tracer.sent(&trace, false, Some(reason.as_str()));
        Some(tracer.resend(trace))
    }

    /// What can never be delivered becomes smaller, or a dead letter; a dead letter that cannot be delivered ends the
    /// service, since going on would lose its record.
    fn on_refused(&mut self, ticket: Ticket, refusal: Refusal) -> Result<(), PipelineError> {
        self.service.metrics.sink.delivery_failed();
        let Some(refused) = self.progress.in_delivery(ticket) else { return Ok(()) };
        let (record, received_at) = (refused.record.clone(), refused.received_at);
        let trace = refused.trace.clone();
        let position = record.position.clone();
        if let Fate::DeadLettered(_) = refused.fate {
            return Err(PipelineError::DeadLetterRefused { position, refusal });
        }
        let reason = match refusal {
            Refusal::TooLarge(_) => Reason::OutputTooLarge,
            Refusal::Invalid(_) => Reason::OutputRefused,
        };
        let smaller = match (&refusal, &refused.outgoing.value) {
            (Refusal::TooLarge(_), Some(value)) => encode::smaller(value),
            _ => None,
        };
        if reason == Reason::OutputTooLarge {
            self.service.metrics.source.fault(Fault::RecordTooLarge);
        }
        let item = if let Some((value, omitted)) = smaller {
            tracing::warn!(%position, %refusal, omitted, "record is made smaller");
            let outgoing = Outgoing { value: Some(value), ..refused.outgoing.clone() };
            InDelivery { outgoing, fate: refused.fate, record, received_at, trace }
        } else {
            tracing::warn!(%position, %refusal, "record cannot be published");
            let letter = DeadLetter { reason, detail: refusal.to_string(), record: record.clone() };
            let (outgoing, fate) = (outgoing::dead(letter), Fate::DeadLettered(reason));
            let trace = trace.and_then(|trace| self.trace_refusal(trace, reason));
            InDelivery { outgoing, fate, record, received_at, trace }
        };
        self.progress.finish(ticket, item);
        Ok(())
    }

    fn on_reachable(&mut self, is_reachable: bool) {
        if is_reachable != self.is_reachable {
            if is_reachable {
                tracing::info!("brokers can be reached again");
            } else {
                self.service.metrics.source.fault(Fault::BrokerUnreachable);
                tracing::warn!("no broker can be reached");
            }
        }
        self.is_reachable = is_reachable;
        self.service.health.set_producer_usable(is_reachable && self.is_sink_ready);
    }

    /// The end of the sequence that [`Stream::on_shutdown`] began: flush, commit, leave. After a complete drain there is
    /// nothing left to flush and to commit.
    pub(super) fn leave(mut self) {
        match &self.publisher {
            Publisher::AtLeastOnce(sink) => {
                if let Err(error) = sink.flush(FLUSH_TIMEOUT) {
                    tracing::warn!(%error, "producer is not flushed");
                }
                self.take_deliveries();
                self.commit_and_wait();
                tracing::info!("producer flushed, offsets committed");
            }
            Publisher::ExactlyOnce(_) => self.await_transaction(),
        }
        for partition in self.progress.partitions() {
            self.service.metrics.source.partitions.revoked(&self.config.input.topic, partition);
        }
        self.service.health.set_partitions(0);
        self.source.close();
        tracing::info!("consumer group left");
    }

    fn take_deliveries(&mut self) {
        while let Some(event) = self.mailbox.take() {
            match event {
                Event::Sink(SinkEvent::Delivered(ticket)) => self.on_delivered(ticket),
                Event::Sink(SinkEvent::Committed) => self.on_committed_transaction(),
                Event::Sink(SinkEvent::Aborted(error)) => self.on_aborted(&error),
                Event::Sink(SinkEvent::Failed(error)) => {
                    tracing::warn!(error, "transaction failed");
                    self.abandon_transaction();
                }
                _ => {}
            }
        }
    }

    /// Leaving in the middle of a transaction would hold up whoever takes the partitions over.
    fn await_transaction(&mut self) {
        let until = Instant::now() + FLUSH_TIMEOUT;
        self.take_deliveries();
        while self.is_in_transaction() && Instant::now() < until {
            self.mailbox.wait(LEAVING_INTERVAL);
            self.take_deliveries();
        }
        if self.is_in_transaction() {
            tracing::warn!("a transaction is left open, the brokers will end it");
        } else {
            tracing::info!("last transaction ended");
        }
    }
}

/// Of each partition, one past its last ticket: tickets of a partition are in order.
fn offsets(tickets: &[Ticket]) -> Vec<(i32, i64)> {
    let mut offsets = std::collections::BTreeMap::new();
    for ticket in tickets {
        offsets.insert(ticket.partition, ticket.offset + 1);
    }
    offsets.into_iter().collect()
}

fn size_bytes(outgoing: &Outgoing) -> usize {
    // Where it goes makes no difference to how large it is.
    let Outgoing { destination: Destination::Enriched | Destination::DeadLetters, .. } = outgoing;
    outgoing.key.as_ref().map_or(0, bytes::Bytes::len)
        + outgoing.value.as_ref().map_or(0, bytes::Bytes::len)
}

/// Since a time in milliseconds since the epoch.
fn age(written_ms: i64) -> Duration {
    let age_ms = Timestamp::now().as_millisecond().saturating_sub(written_ms);
    Duration::from_millis(u64::try_from(age_ms).unwrap_or_default())
}
