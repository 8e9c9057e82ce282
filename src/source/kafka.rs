//! A Kafka topic as a source: the only place that names rdkafka's consumer.
//!
//! In: the input topic, as a member of a consumer group. Out: records through [`KafkaSource::next_record`], each
//! partition's in offset order, and [`SourceEvent`]s. A partition is taken over, and given up, only when the caller
//! says so; until then the group waits. Nothing is committed but what the caller commits.
//!
//! Each assigned partition has a queue of its own, and a record is taken only when the caller has room for it: that
//! is the backpressure. Pausing instead would throw the fetched records away each time. All methods belong to one
//! thread, which must call [`KafkaSource::serve`] often, with or without room for records.

mod committer;
mod context;
mod offsets;
mod ownership;
mod prober;
pub mod reader;
pub mod restorer;
mod unmoved;

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext as _};
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use crate::config::{Config, GroupProtocol};
use crate::kafka::{self, Fault, TopicFault};
use crate::source::{Header, Position, RawRecord, SourceEvent};
use committer::Committer;
use context::{Context, Rebalance};
use offsets::Offsets;
use prober::Prober;

pub use committer::{CommitError, PendingCommit};
pub use ownership::Ownership;

/// Called with each event, on the thread that serves the source.
pub type OnEvent = Box<dyn Fn(SourceEvent) + Send + Sync>;

/// Called from librdkafka's threads when there is something to serve or to take.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// The name that a header gets whose own name is not UTF-8: Kafka's protocol forbids that, brokers do not check it, and
/// the client cannot represent it.
const UNREADABLE_HEADER: &str = "copydesk-unreadable-header-name";

/// May be overridden by the user's properties.
const DEFAULTS: &[(&str, &str)] = &[
    // A group that starts reads the whole topic: skipping what came before would lose it.
    ("auto.offset.reset", "earliest"),
    // How long fetching rests when enough has been fetched ahead; the default of 1 s would starve a fast consumer.
    ("fetch.queue.backoff.ms", "50"),
];

/// A member of the consumer group.
pub struct KafkaSource {
    /// Dropped before the consumer, which they are made of.
    queues: Vec<(i32, PartitionQueue<Context>)>,
    /// Whose turn it is, so that a full partition does not starve the others.
    turn: usize,
    /// No records of these are taken now.
    held: BTreeSet<i32>,
    /// Records that were fetched before their partition had its own queue.
    early: VecDeque<RawRecord>,
    topic: Arc<str>,
    group: Arc<str>,
    on_event: Arc<OnEvent>,
    wake: Wake,
    consumer: Arc<BaseConsumer<Context>>,
    committer: Option<Committer>,
    prober: Option<Prober>,
    offsets: Option<Offsets>,
    /// Of a partition that the group has never committed.
    first_offset: Offset,
}

/// Who this member of the group is, at one time: with it, a broker can tell whether its offsets still count.
pub struct Membership(ConsumerGroupMetadata);

impl Membership {
    pub(crate) fn metadata(&self) -> &ConsumerGroupMetadata {
        &self.0
    }
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Membership").finish_non_exhaustive()
    }
}

/// The client refused what was asked of it.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {detail}")]
pub struct SourceError {
    action: &'static str,
    detail: String,
}

impl KafkaSource {
    /// Builds the client; it joins the group with [`KafkaSource::subscribe`].
    ///
    /// # Errors
    /// When a property is not valid, or the operating system refuses a thread.
    pub fn connect(config: &Config, on_event: OnEvent, wake: Wake) -> Result<Self, SourceError> {
        let on_event = Arc::new(on_event);
        let context = Context::new(Arc::clone(&on_event));
        let properties = properties(config);
        let mut consumer = BaseConsumer::from_config_and_context(&properties, context)
            .map_err(failed("cannot build the consumer"))?;
        let wake_main = Arc::clone(&wake);
        consumer.set_nonempty_callback(move || wake_main());
        let consumer = Arc::new(consumer);
        let committer = Committer::start(Arc::clone(&consumer), Arc::clone(&wake))
            .map_err(|error| SourceError { action: "cannot commit", detail: error.to_string() })?;
        let topic: Arc<str> = config.input.topic.as_str().into();
        let group: Arc<str> = config.kafka.group.as_str().into();
        // Brokers describe groups of the consumer protocol in another way, which this client does not know.
        let described = (config.kafka.group_protocol == GroupProtocol::Classic).then_some(&group);
        let prober = Prober::start(
            Arc::clone(&consumer),
            Arc::clone(&topic),
            described.cloned(),
            Arc::clone(&on_event),
        )
        .map_err(|error| SourceError { action: "cannot probe", detail: error.to_string() })?;
        let offsets =
            Offsets::start(Arc::clone(&consumer), Arc::clone(&topic), Arc::clone(&on_event))
                .map_err(|error| SourceError {
                    action: "cannot ask for offsets",
                    detail: error.to_string(),
                })?;
        Ok(Self {
            queues: Vec::new(),
            turn: 0,
            held: BTreeSet::new(),
            early: VecDeque::new(),
            topic,
            group,
            on_event,
            wake,
            consumer,
            committer: Some(committer),
            prober: Some(prober),
            offsets: Some(offsets),
            first_offset: first_offset(&properties),
        })
    }

    /// How many partitions a topic has, not necessarily the source's own.
    ///
    /// # Errors
    /// See [`TopicFault`].
    pub fn look_up(&self, topic: &str) -> Result<usize, TopicFault> {
        kafka::look_up(self.consumer.client(), topic)
    }

    /// Who has what in the group of the classic protocol, before this member joins it; `None` while it rebalances, has no
    /// members, or cannot be looked up.
    pub fn ownership(&self) -> Option<Ownership> {
        let looked_up = ownership::look_up(&self.consumer, &self.group, &self.topic);
        looked_up
            .inspect_err(|error| tracing::debug!(%error, "group cannot be looked up"))
            .ok()
            .flatten()
    }

    /// Joins the group.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn subscribe(&self) -> Result<(), SourceError> {
        self.consumer.subscribe(&[&*self.topic]).map_err(failed("cannot subscribe"))
    }

    /// Leaves the group and joins it again, which makes the group share out anew: for a member without partitions.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn rejoin(&self) -> Result<(), SourceError> {
        self.consumer.unsubscribe();
        self.subscribe()
    }

    /// Serves what is not a record: rebalances, statistics, errors. Never waits.
    pub fn serve(&mut self) {
        while let Some(result) = self.consumer.poll(Duration::ZERO) {
            match result {
                Ok(message) => {
                    let record = raw_record(&self.topic, &message);
                    self.early.push_back(record);
                }
                Err(error) => report(&error, &self.on_event),
            }
        }
    }

    /// The next record of any accepted partition. Never waits.
    pub fn next_record(&mut self) -> Option<RawRecord> {
        let is_free = |record: &RawRecord| !self.held.contains(&record.position.partition);
        if let Some(index) = self.early.iter().position(is_free) {
            return self.early.remove(index);
        }
        for _ in 0..self.queues.len() {
            self.turn = (self.turn + 1) % self.queues.len();
            let (partition, queue) = &self.queues[self.turn];
            if self.held.contains(partition) {
                continue;
            }
            match queue.poll(Duration::ZERO) {
                Some(Ok(message)) => return Some(raw_record(&self.topic, &message)),
                Some(Err(error)) => report(&error, &self.on_event),
                None => {}
            }
        }
        None
    }

    /// Asks the group where partitions are to be read from that were [`SourceEvent::Assigned`];
    /// [`SourceEvent::Committed`] answers.
    pub fn look_up_offsets(&self, partitions: Vec<i32>) {
        if let Some(offsets) = &self.offsets {
            offsets.ask(partitions);
        }
    }

    /// Takes over partitions that were [`SourceEvent::Assigned`], from the offsets that the group has committed.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn accept(&mut self, offsets: &[(i32, Option<i64>)]) -> Result<(), SourceError> {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for &(partition, offset) in offsets {
            let offset = offset.map_or(self.first_offset, Offset::Offset);
            list.add_partition_offset(&self.topic, partition, offset)
                .map_err(failed("cannot name an offset"))?;
        }
        self.consumer.context().answered();
        self.consumer.incremental_assign(&list).map_err(failed("cannot take over partitions"))?;
        // Pausing waits until nothing of these partitions is on its way and drops what has come, so no record can sit
        // in the common queue while later ones arrive in the partition's own.
        self.consumer.pause(&list).map_err(failed("cannot pause partitions"))?;
        for &(partition, _) in offsets {
            let mut queue = self
                .consumer
                .split_partition_queue(&self.topic, partition)
                .ok_or_else(|| KafkaError::Subscription("the partition is not known".to_owned()))
                .map_err(failed("cannot split off a partition's queue"))?;
            let wake = Arc::clone(&self.wake);
            queue.set_nonempty_callback(move || wake());
            self.queues.push((partition, queue));
        }
        self.consumer.resume(&list).map_err(failed("cannot resume partitions"))
    }

    /// Takes no records of this partition until it is let go; what is fetched of it stays.
    pub fn hold(&mut self, partition: i32) {
        self.held.insert(partition);
    }

    /// Takes its records again.
    pub fn let_go(&mut self, partition: i32) {
        self.held.remove(&partition);
    }

    /// Takes no more records of these partitions; they stay this member's until [`KafkaSource::release`].
    pub fn stop_reading(&mut self, partitions: &[i32]) {
        self.queues.retain(|(partition, _)| !partitions.contains(partition));
        self.held.retain(|partition| !partitions.contains(partition));
        self.early.retain(|record| !partitions.contains(&record.position.partition));
    }

    /// Gives up partitions that were [`SourceEvent::Revoked`]: from here on the group may give them to others.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn release(&mut self, partitions: &[i32]) -> Result<(), SourceError> {
        self.stop_reading(partitions);
        let list = self.list(partitions);
        self.consumer.context().answered();
        self.consumer.incremental_unassign(&list).map_err(failed("cannot give up partitions"))
    }

    /// Asks the brokers where these partitions end, and which have no owner; [`SourceEvent::Probed`] and
    /// [`SourceEvent::Unowned`] answer.
    pub fn probe(&self, partitions: Vec<i32>) {
        if let Some(prober) = &self.prober {
            prober.ask(partitions);
        }
    }

    /// Who this member is now. It holds all accepted partitions, whatever the group has decided meanwhile: the client
    /// does not join anew before what was revoked is released.
    pub fn membership(&self) -> Option<Membership> {
        self.consumer.group_metadata().map(Membership)
    }

    /// Begins a commit: of each partition, the next offset to read. Wakes the caller when it has ended. One that is not
    /// answered holds up the next, so wait for its end first.
    ///
    /// # Errors
    /// When the client refuses.
    pub fn begin_commit(&self, offsets: Vec<(i32, i64)>) -> Result<PendingCommit, SourceError> {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for &(partition, offset) in &offsets {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))
                .map_err(failed("cannot name an offset"))?;
        }
        let committer =
            self.committer.as_ref().expect("the committer runs until the source is dropped");
        Ok(committer.begin(list, offsets))
    }

    /// Leaves the group, or with a stable instance name its connection: the group then keeps this member's partitions
    /// for the session's time-out, so that a restart moves none of them. Dropping does the same.
    pub fn close(self) {
        drop(self);
    }

    fn answer(&self, partitions: &[i32], is_assignment: bool) {
        let list = self.list(partitions);
        let result = if is_assignment {
            self.consumer.incremental_assign(&list)
        } else {
            self.consumer.incremental_unassign(&list)
        };
        if let Err(error) = result {
            tracing::warn!(%error, "rebalance while closing failed");
        }
    }

    fn list(&self, partitions: &[i32]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for &partition in partitions {
            list.add_partition(&self.topic, partition);
        }
        list
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.queues.clear();
        self.prober = None;
        self.offsets = None;
        // Closing waits until every rebalance has been answered.
        match self.consumer.context().close() {
            Some(Rebalance::Assigned(partitions)) => self.answer(&partitions, true),
            Some(Rebalance::Revoked(partitions)) => self.answer(&partitions, false),
            None => {}
        }
        if self.committer.take().is_some_and(|committer| !committer.stop()) {
            tracing::warn!("consumer group is not left, since a commit is not answered");
        }
    }
}

impl std::fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let partitions: Vec<_> = self.queues.iter().map(|(partition, _)| partition).collect();
        f.debug_struct("KafkaSource")
            .field("topic", &self.topic)
            .field("partitions", &partitions)
            .finish()
    }
}

fn properties(config: &Config) -> ClientConfig {
    let kafka = &config.kafka;
    let mut properties = kafka::client_config(kafka, DEFAULTS);
    properties
        .set("group.id", &kafka.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("queued.max.messages.kbytes", (kafka.prefetch_bytes_max / 1024).max(1).to_string());
    match kafka.group_protocol {
        GroupProtocol::Classic => {
            let session_ms = kafka.session_timeout.as_millis();
            properties
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("session.timeout.ms", session_ms.to_string())
                // Two may be lost in a row.
                .set("heartbeat.interval.ms", (session_ms / 3).max(1).to_string());
            if let Some(instance) = &kafka.instance {
                properties.set("group.instance.id", instance);
            }
        }
        GroupProtocol::Consumer => {
            properties.set("group.protocol", "consumer");
        }
    }
    properties
}

/// Where `auto.offset.reset` begins, for a partition without a committed offset.
fn first_offset(properties: &ClientConfig) -> Offset {
    match properties.get("auto.offset.reset") {
        Some("latest" | "largest" | "end") => Offset::End,
        // The client says then that there is none.
        Some("error") => Offset::Stored,
        _ => Offset::Beginning,
    }
}

fn failed(action: &'static str) -> impl Fn(KafkaError) -> SourceError {
    move |error| SourceError { action, detail: kafka::describe(&error) }
}

/// The client recovers from all errors but fatal ones by itself.
fn report(error: &KafkaError, on_event: &OnEvent) {
    match error {
        KafkaError::MessageConsumptionFatal(code) => {
            on_event(SourceEvent::Failed(code.to_string()))
        }
        KafkaError::MessageConsumption(code) => match Fault::of(*code) {
            Some(fault @ Fault::TopicMissing) => {
                tracing::warn!("input topic does not exist");
                on_event(SourceEvent::Fault(fault));
            }
            Some(fault @ Fault::AccessRefused) => {
                tracing::error!(%error, "brokers refuse access");
                on_event(SourceEvent::Fault(fault));
            }
            _ => match code {
                // What happens to connections is in the client's own log lines already.
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve => tracing::debug!(%error, "consumer reports"),
                _ => tracing::warn!(%error, "consumer reports"),
            },
        },
        other => tracing::warn!(error = %other, "consumer reports"),
    }
}

fn raw_record(topic: &Arc<str>, message: &BorrowedMessage<'_>) -> RawRecord {
    RawRecord {
        position: Position {
            topic: Arc::clone(topic),
            partition: message.partition(),
            offset: message.offset(),
        },
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(Bytes::copy_from_slice),
        value: message.payload().map(Bytes::copy_from_slice),
        headers: headers(message),
    }
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<Header> {
    let Some(headers) = message.headers() else { return Vec::new() };
    let header = |index| {
        let header = headers.get(index);
        Header { name: header.key.to_owned(), value: header.value.map(Bytes::copy_from_slice) }
    };
    // rdkafka panics on a name that is not UTF-8; its value can then not be reached either.
    let readable = |index| catch_unwind(AssertUnwindSafe(|| header(index))).ok();
    (0..headers.count())
        .map(|index| {
            readable(index)
                .unwrap_or_else(|| Header { name: UNREADABLE_HEADER.to_owned(), value: None })
        })
        .collect()
}
