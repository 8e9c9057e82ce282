//! Outputs and input offsets, committed together or not at all.
//!
//! In: one [`Batch`] at a time. Out: [`SinkEvent::Ready`] once; for each batch [`SinkEvent::Committed`], or the
//! [`SinkEvent::Refused`] of its records that can never be delivered and [`SinkEvent::Aborted`]; or
//! [`SinkEvent::Failed`], after which nothing more follows.
//!
//! The calls of a transaction wait for brokers, so a thread of its own makes them. What a killed run has left open is
//! ended by the next one with the same transactional id, or by the broker after [`TRANSACTION_TIMEOUT_MS`]; until then
//! the offsets of its partitions are not given out, so nobody can begin before or behind it.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{Producer as _, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::{Context, OnEvent, SendError, TopicLimits, Topics};
use crate::config::{Config, KafkaConfig};
use crate::kafka;
use crate::sink::{Outgoing, SinkEvent};
use crate::source::kafka::Membership;
use crate::source::progress::Ticket;

/// How long a transaction may stay open. The partitions of an instance that dies in the middle of one, and does not come
/// back, wait this long; an outage that is longer than this while one is open ends the process.
const TRANSACTION_TIMEOUT_MS: &str = "20000";

const TRANSACTION_TIMEOUT: &str = "transaction.timeout.ms";

/// One call to the brokers; it is repeated while it may still succeed.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// For an abort, beyond the time for the transaction.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two looks at whether all is acknowledged. Leaving that to librdkafka costs 100 ms a transaction.
const POLL_PAUSE: Duration = Duration::from_millis(1);

/// For an idle client to close its connections.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Between two attempts.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// What one transaction is made of.
#[derive(Debug)]
pub struct Batch {
    /// In the order in which they are to be published.
    pub records: Vec<(Ticket, Outgoing)>,
    /// Of each of their partitions, the next offset to read.
    pub offsets: Vec<(i32, i64)>,
    /// Taken while all these partitions were this member's: the broker refuses the offsets of a member that is not.
    pub membership: Membership,
}

/// A transactional producer for the output topic and the dead-letter topic.
#[derive(Debug)]
pub struct TransactionalSink {
    batches: Option<SyncSender<Batch>>,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    transaction_timeout: Duration,
}

impl TransactionalSink {
    /// Builds the client, and begins to end what an earlier run has left open.
    ///
    /// # Errors
    /// When a property is not valid, or the operating system refuses a thread.
    pub fn connect(
        config: &Config,
        limits: TopicLimits,
        on_event: impl Fn(SinkEvent) + Clone + Send + Sync + 'static,
    ) -> Result<Self, SendError> {
        let failed = |error: KafkaError| SendError::Failed(kafka::describe(&error));
        let defaults = [(TRANSACTION_TIMEOUT, TRANSACTION_TIMEOUT_MS)];
        let mut properties = super::properties(config, limits, &defaults);
        let timeout_ms = properties.get(TRANSACTION_TIMEOUT).and_then(|text| text.parse().ok());
        let transaction_timeout = Duration::from_millis(timeout_ms.unwrap_or_default());
        let transactional_id = transactional_id(&config.kafka);
        properties.set("transactional.id", &transactional_id);
        tracing::info!(transactional_id, "producer is transactional");
        let has_failed = Arc::new(AtomicBool::new(false));
        let connect = {
            let (on_event, has_failed) = (on_event.clone(), Arc::clone(&has_failed));
            move || {
                let context = Context {
                    on_event: Box::new(on_event.clone()),
                    in_transaction: Some(Arc::clone(&has_failed)),
                };
                ThreadedProducer::from_config_and_context(&properties, context)
            }
        };
        let is_stopped = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            producer: connect().map_err(failed)?,
            connect: Box::new(connect),
            topics: Topics::new(config),
            input_topic: config.input.topic.clone(),
            transaction_timeout,
            on_event: Box::new(on_event),
            has_failed,
            is_stopped: Arc::clone(&is_stopped),
        };
        let (batches, queue) = mpsc::sync_channel(1);
        let thread = start(worker, queue).map_err(|error| SendError::Failed(error.to_string()))?;
        Ok(Self { batches: Some(batches), is_stopped, thread: Some(thread), transaction_timeout })
    }

    /// A transaction without an end after this time will have none: librdkafka can hang in a call that has a time-out.
    pub fn patience(&self) -> Duration {
        self.transaction_timeout + 2 * ABORT_TIMEOUT
    }

    /// Begins a transaction: the one before must have ended.
    ///
    /// # Errors
    /// When the thread has ended; it has said why.
    pub fn begin(&self, batch: Batch) -> Result<(), SendError> {
        let batches = self.batches.as_ref().expect("the sender is there until the sink is dropped");
        batches.try_send(batch).map_err(|error| SendError::Failed(error.to_string()))
    }
}

impl Drop for TransactionalSink {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.batches = None;
        let until = Instant::now() + STOP_TIMEOUT;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
            && Instant::now() < until
        {
            std::thread::park_timeout(POLL_PAUSE);
        }
        // A thread that waits for a broker is left behind: its transaction ends by the next run or by time.
        if let Some(thread) = self.thread.take_if(|thread| thread.is_finished()) {
            drop(thread.join());
        }
    }
}

/// Unique to this instance, and stable over its restarts where it has a name. Names need be unique within a group only,
/// transactional ids within the cluster.
fn transactional_id(config: &KafkaConfig) -> String {
    let instance = config.instance.clone().unwrap_or_else(|| {
        // Random as this hasher's keys are: no other process has the same.
        format!("{:016x}", RandomState::new().hash_one(std::process::id()))
    });
    format!("{}-{instance}", config.group)
}

fn start(mut worker: Worker, batches: Receiver<Batch>) -> io::Result<JoinHandle<()>> {
    let work = move || {
        let mut result = worker.init();
        if result.is_ok() {
            (worker.on_event)(SinkEvent::Ready);
            result = batches.into_iter().try_for_each(|batch| worker.pass(&batch));
        }
        if let Err(Fatal(error)) = result {
            (worker.on_event)(SinkEvent::Failed(error));
        }
    };
    std::thread::Builder::new().name("transactions".to_owned()).spawn(work)
}

struct Worker {
    producer: ThreadedProducer<Context>,
    connect: Box<dyn Fn() -> KafkaResult<ThreadedProducer<Context>> + Send>,
    topics: Topics,
    input_topic: String,
    transaction_timeout: Duration,
    on_event: OnEvent,
    /// A record of this transaction was not delivered: those behind it never will be, and it can only be aborted.
    has_failed: Arc<AtomicBool>,
    is_stopped: Arc<AtomicBool>,
}

/// The producer cannot be used any more.
struct Fatal(String);

/// Why a transaction is not committed.
enum Failure {
    Abort(String),
    Fatal(String),
}

impl Worker {
    /// Ends what an earlier run of this instance has left open, and fences it, for as long as it takes.
    fn init(&self) -> Result<(), Fatal> {
        loop {
            let result = self.producer.init_transactions(CALL_TIMEOUT);
            let Err(error) = result else { return Ok(()) };
            if !is_retriable(&error) || self.is_stopped.load(Ordering::Relaxed) {
                return Err(Fatal(error.to_string()));
            }
            tracing::warn!(%error, "transactions cannot begin yet");
            std::thread::park_timeout(RETRY_PAUSE);
        }
    }

    fn pass(&mut self, batch: &Batch) -> Result<(), Fatal> {
        let error = match self.commit(batch) {
            Ok(()) => {
                (self.on_event)(SinkEvent::Committed);
                return Ok(());
            }
            Err(Failure::Fatal(error)) => {
                self.start_anew(&error)?;
                error
            }
            Err(Failure::Abort(error)) => {
                self.abort(&error)?;
                error
            }
        };
        (self.on_event)(SinkEvent::Aborted(error));
        Ok(())
    }

    fn abort(&mut self, error: &str) -> Result<(), Fatal> {
        let until = Instant::now() + ABORT_TIMEOUT;
        match self.repeat("abort", until, || self.producer.abort_transaction(CALL_TIMEOUT)) {
            Ok(()) => {
                // What was purged is reported before the transaction: a report must not fall into the next one.
                self.await_reports();
                Ok(())
            }
            Err(Failure::Abort(abort_error) | Failure::Fatal(abort_error)) => self.start_anew(
                &format!("a transaction failed ({error}) and cannot be aborted ({abort_error})"),
            ),
        }
    }

    /// A client that has failed for good takes nothing with it: a new one with the same id ends what it left open. Only
    /// one that was fenced must end, since another instance has its id. (After an outage, librdkafka 2.12 may try to
    /// end a transaction that the broker never saw begin, and takes the answer for fatal.)
    fn start_anew(&mut self, error: &str) -> Result<(), Fatal> {
        let fatal = self.producer.client().fatal_error();
        if fatal.is_none_or(|(code, _)| is_final(code)) || self.is_stopped.load(Ordering::Relaxed) {
            return Err(Fatal(error.to_owned()));
        }
        tracing::warn!(error, "producer has failed, starting a new one");
        self.producer = (self.connect)().map_err(|error| Fatal(kafka::describe(&error)))?;
        self.init()
    }

    fn commit(&self, batch: &Batch) -> Result<(), Failure> {
        self.has_failed.store(false, Ordering::Relaxed);
        self.producer.begin_transaction().map_err(|error| failure(&error))?;
        let until = Instant::now() + self.transaction_timeout;
        for (ticket, outgoing) in &batch.records {
            self.send(*ticket, outgoing, until)?;
        }
        let offsets = self.offsets(batch).map_err(|error| failure(&error))?;
        let membership = batch.membership.metadata();
        // Not repeated, whatever fails: called again while the transaction fails for another reason, librdkafka 2.12
        // waits for ever. Aborting costs no more than repeating would.
        self.producer
            .send_offsets_to_transaction(&offsets, membership, CALL_TIMEOUT)
            .map_err(|error| failure(&error))?;
        while self.producer.in_flight_count() > 0 && Instant::now() < until {
            if self.has_failed.load(Ordering::Relaxed) {
                return Err(Failure::Abort("a record was not delivered".to_owned()));
            }
            std::thread::park_timeout(POLL_PAUSE);
        }
        self.repeat("commit", until, || self.producer.commit_transaction(CALL_TIMEOUT))
    }

    fn send(&self, ticket: Ticket, outgoing: &Outgoing, until: Instant) -> Result<(), Failure> {
        loop {
            match super::send(&self.producer, &self.topics, ticket, outgoing) {
                Ok(()) => return Ok(()),
                Err(SendError::Full) if Instant::now() < until => {
                    std::thread::park_timeout(POLL_PAUSE);
                }
                Err(SendError::Refused(refusal)) => {
                    let reason = refusal.to_string();
                    (self.on_event)(SinkEvent::Refused(ticket, refusal));
                    return Err(Failure::Abort(reason));
                }
                Err(error @ (SendError::Full | SendError::Failed(_))) => {
                    return Err(Failure::Abort(error.to_string()));
                }
            }
        }
    }

    fn offsets(&self, batch: &Batch) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::with_capacity(batch.offsets.len());
        for &(partition, offset) in &batch.offsets {
            list.add_partition_offset(&self.input_topic, partition, Offset::Offset(offset))?;
        }
        Ok(list)
    }

    fn await_reports(&self) {
        let until = Instant::now() + CALL_TIMEOUT;
        while self.producer.in_flight_count() > 0 && Instant::now() < until {
            std::thread::park_timeout(POLL_PAUSE);
        }
    }

    /// Makes a call again while that may help: librdkafka goes on where it stood.
    fn repeat(
        &self,
        step: &'static str,
        until: Instant,
        call: impl Fn() -> KafkaResult<()>,
    ) -> Result<(), Failure> {
        let mut is_told = false;
        loop {
            let Err(error) = call() else { return Ok(()) };
            let is_over = Instant::now() >= until || self.is_stopped.load(Ordering::Relaxed);
            if !is_retriable(&error) || is_over {
                return Err(failure(&error));
            }
            if !std::mem::replace(&mut is_told, true) {
                tracing::warn!(%error, step, "transaction is held up");
            }
            std::thread::park_timeout(RETRY_PAUSE);
        }
    }
}

/// Whether a new client would fail for the same reason, or drive out a newer one.
fn is_final(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced
            | RDKafkaErrorCode::ProducerFenced
            | RDKafkaErrorCode::InvalidProducerEpoch
            | RDKafkaErrorCode::FencedInstanceId
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::UnsupportedFeature
    )
}

/// Whether the same call may succeed later.
fn is_retriable(error: &KafkaError) -> bool {
    match error {
        KafkaError::Transaction(error) => {
            error.is_retriable() && !error.txn_requires_abort() && !error.is_fatal()
        }
        _ => false,
    }
}

fn failure(error: &KafkaError) -> Failure {
    match error {
        KafkaError::Transaction(cause) if cause.is_fatal() => Failure::Fatal(error.to_string()),
        _ => Failure::Abort(error.to_string()),
    }
}
