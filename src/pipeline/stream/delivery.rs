//! What is finished leaves: record by record, or in transactions.
//!
//! In: finished records in the order of [`crate::source::progress`], and what the sink says of them. Out: settled
//! records. A record that can never be delivered is first made smaller where it can be, then becomes a dead letter.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{InDelivery, Judged, Stream};
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
    AtLeastOnce(OneByOne),
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
                let sink = KafkaSink::connect(config, limits, Box::new(on_event))?;
                Self::AtLeastOnce(OneByOne { sink, unsent: VecDeque::new() })
            }
            Delivery::ExactlyOnce => Self::ExactlyOnce(Transactions::new(
                TransactionalSink::connect(config, limits, on_event)?,
            )),
        })
    }
}

/// Record by record.
#[derive(Debug)]
pub(in crate::pipeline) struct OneByOne {
    sink: KafkaSink,
    /// Sent as far as [`crate::source::progress`] knows, and not taken by the producer, whose queue is full.
    unsent: VecDeque<(Ticket, Outgoing)>,
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
        loop {
            let Publisher::AtLeastOnce(OneByOne { sink, unsent }) = &mut self.publisher else {
                return Ok(());
            };
            if let Some((ticket, outgoing)) = unsent.front() {
                let ticket = *ticket;
                if self.progress.item(ticket).is_none() {
                    // Its partition has left.
                    unsent.pop_front();
                    continue;
                }
                match sink.send(ticket, outgoing) {
                    Err(SendError::Full) => return Ok(()),
                    Err(SendError::Failed(error)) => return Err(PipelineError::Sink(error)),
                    Ok(()) => drop(unsent.pop_front()),
                    Err(SendError::Refused(refusal)) => {
                        unsent.pop_front();
                        self.on_refused(ticket, refusal)?;
                    }
                }
                continue;
            }
            let Some((ticket, item)) = self.next_judged() else { return Ok(()) };
            let outgoing = item.judged.as_ref().map(|judged| judged.outgoing.clone());
            let outgoing = outgoing.unwrap_or_default();
            item.n_outstanding += outgoing.len();
            let is_settled = item.n_outstanding == 0;
            self.progress.sent(ticket);
            if is_settled {
                self.settle(ticket);
            } else if let Publisher::AtLeastOnce(OneByOne { unsent, .. }) = &mut self.publisher {
                unsent.extend(outgoing.into_iter().map(|outgoing| (ticket, outgoing)));
            }
        }
    }

    fn begin_transaction_when_due(&mut self) -> Result<(), PipelineError> {
        let is_leaving = self.drain_until.is_some() || self.revocation.is_some();
        self.gather();
        let Publisher::ExactlyOnce(transactions) = &mut self.publisher else { return Ok(()) };
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
                let outgoing = item.judged.iter().flat_map(|judged| &judged.outgoing);
                records.extend(outgoing.map(|outgoing| (ticket, outgoing.clone())));
                tickets.push(ticket);
                commit.add(item.trace.as_ref());
            }
        }
        // Skipped records are settled by their offsets alone.
        if tickets.is_empty() {
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

    /// Takes what is finished for the next transaction, as far as there is room in it.
    fn gather(&mut self) {
        loop {
            let Publisher::ExactlyOnce(transactions) = &self.publisher else { return };
            if transactions.is_full(&self.config) {
                return;
            }
            let Some((ticket, item)) = self.next_judged() else { return };
            let n_bytes: usize =
                item.judged.iter().flat_map(|judged| &judged.outgoing).map(size_bytes).sum();
            self.progress.sent(ticket);
            if let Publisher::ExactlyOnce(transactions) = &mut self.publisher {
                transactions.gathered_bytes += n_bytes;
                transactions.gathered.push(ticket);
            }
        }
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
            self.settle(ticket);
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

    /// One part of what was sent for a record is acknowledged.
    fn on_delivered(&mut self, ticket: Ticket) {
        let Some(item) = self.progress.item(ticket) else { return };
        item.n_outstanding = item.n_outstanding.saturating_sub(1);
        if item.n_outstanding == 0 {
            self.settle(ticket);
        }
    }

    fn settle(&mut self, ticket: Ticket) {
        let Some(settled) = self.progress.settle(ticket) else { return };
        let InDelivery { judged, record, received_at, trace, .. } = settled;
        let Some(Judged { outgoing, fate, .. }) = judged else { return };
        if let Some(published) = outgoing.iter().find(|outgoing| is_for_readers(outgoing)) {
            self.trace_delivery(trace.as_ref(), published.value.is_none());
        }
        let (elapsed, metrics) = (received_at.elapsed(), &self.service.metrics);
        match fate {
            Fate::Enriched => metrics.sink.published(),
            Fate::Retracted(reason) => metrics.sink.retracted(reason),
            Fate::DeadLettered(reason) => metrics.sink.dead_lettered(reason),
            Fate::Skipped(reason) => metrics.state.skipped(reason),
        }
        metrics.pipeline.settled(elapsed, record.timestamp_ms.map(age));
        metrics.source.partitions.progressed(&record.position.topic, ticket.partition);
        self.service.health.progressed();
        self.watchdog.progressed(ticket.partition, Instant::now());
        if let Some(observer) = &self.service.observer {
            let published = outgoing.into_iter().find(is_for_readers);
            let (key, output) = published.map_or((record.key, None), |it| (it.key, it.value));
            let (position, input) = (record.position, record.value);
            let settled = Settled { position, key, fate, input, output, elapsed };
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
        let is_one_by_one = matches!(self.publisher, Publisher::AtLeastOnce(_));
        let Some(item) = self.progress.item(ticket) else { return Ok(()) };
        let Some(refused) = item.judged.take() else { return Ok(()) };
        let (record, received_at) = (item.record.clone(), item.received_at);
        let n_outstanding = item.n_outstanding.saturating_sub(1);
        let mut trace = item.trace.clone();
        let position = record.position.clone();
        if let Fate::DeadLettered(_) = refused.fate {
            return Err(PipelineError::DeadLetterRefused { position, refusal });
        }
        let Judged { mut outgoing, fate, undo, notice } = refused;
        let Some(published) = outgoing.iter().position(is_for_readers) else { return Ok(()) };
        let published = outgoing.remove(published);
        if is_one_by_one {
            // What is known of the article has been sent.
            outgoing.clear();
        }
        let reason = match refusal {
            Refusal::TooLarge(_) => Reason::OutputTooLarge,
            Refusal::Invalid(_) => Reason::OutputRefused,
        };
        let smaller = match (&refusal, &published.value) {
            (Refusal::TooLarge(_), Some(value)) => encode::smaller(value),
            _ => None,
        };
        if reason == Reason::OutputTooLarge {
            self.service.metrics.source.fault(Fault::RecordTooLarge);
        }
        let judged = if let Some((value, omitted)) = smaller {
            tracing::warn!(%position, %refusal, omitted, "record is made smaller");
            outgoing.insert(0, Outgoing { value: Some(value), ..published });
            Judged { outgoing, fate, undo, notice }
        } else {
            tracing::warn!(%position, %refusal, "record cannot be published");
            let letter = DeadLetter { reason, detail: refusal.to_string(), record: record.clone() };
            let dead = (outgoing::dead(letter), Fate::DeadLettered(reason));
            let mut judged = Judged::new(dead);
            judged.outgoing.extend(outgoing);
            judged.outgoing.extend(self.take_back(&record, undo));
            trace = trace.and_then(|trace| self.trace_refusal(trace, reason));
            judged
        };
        let judged = Some(judged);
        let item =
            InDelivery { processed: None, judged, record, received_at, trace, n_outstanding };
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
            Publisher::AtLeastOnce(OneByOne { sink, .. }) => {
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

/// Whether it is the record itself, not what is known of its article.
fn is_for_readers(outgoing: &Outgoing) -> bool {
    match outgoing.destination {
        Destination::Enriched | Destination::DeadLetters => true,
        Destination::State { .. } => false,
    }
}

fn size_bytes(outgoing: &Outgoing) -> usize {
    outgoing.key.as_ref().map_or(0, bytes::Bytes::len)
        + outgoing.value.as_ref().map_or(0, bytes::Bytes::len)
}

/// Since a time in milliseconds since the epoch.
fn age(written_ms: i64) -> Duration {
    let age_ms = Timestamp::now().as_millisecond().saturating_sub(written_ms);
    Duration::from_millis(u64::try_from(age_ms).unwrap_or_default())
}
