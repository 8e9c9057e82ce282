//! The outer side of a topic: write messages, read everything back, as a newsroom's own clients would.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const TIMEOUT: Duration = Duration::from_secs(30);

/// One Kafka message, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) partition: i32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(crate) timestamp_ms: Option<i64>,
}

impl Message {
    /// A plain article without headers.
    pub(crate) fn article(partition: i32, id: &str, text: &str) -> Self {
        let value = serde_json::json!({ "id": id, "text": text });
        Self {
            partition,
            key: Some(id.into()),
            value: Some(value.to_string().into_bytes()),
            ..Self::default()
        }
    }

    /// The last header of this name, as text.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().rev().find(|(found, _)| found == name);
        let (_, value) = header.unwrap_or_else(|| panic!("no header {name} in {self:?}"));
        std::str::from_utf8(value.as_deref().unwrap()).unwrap()
    }

    /// Partition and offset of the input, by the header that says so: of dead letters it is another one.
    pub(crate) fn source(&self) -> (i32, i64) {
        let is_dead = self.headers.iter().any(|(name, _)| name == "copydesk-error-source");
        let name = if is_dead { "copydesk-error-source" } else { "copydesk-source" };
        let mut parts = self.header(name).rsplit('/');
        let offset = parts.next().unwrap().parse().unwrap();
        (parts.next().unwrap().parse().unwrap(), offset)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.value.as_deref().unwrap()).unwrap()
    }
}

/// Writes the messages in order and waits until the broker has them.
pub(crate) fn write(brokers: &str, topic: &str, messages: &[Message]) {
    let writer = Writer::start(brokers, topic);
    for message in messages {
        writer.send(message);
        writer.poll();
    }
    writer.flush();
}

/// Writes to a topic, each record once.
pub(crate) struct Writer {
    producer: BaseProducer,
    topic: String,
}

impl Writer {
    pub(crate) fn start(brokers: &str, topic: &str) -> Self {
        let producer = client(brokers)
            .set("linger.ms", "1")
            .set("enable.idempotence", "true")
            .set_log_level(rdkafka::config::RDKafkaLogLevel::Critical)
            .create()
            .unwrap();
        Self { producer, topic: topic.to_owned() }
    }

    /// Takes a message for writing. Never waits.
    pub(crate) fn send(&self, message: &Message) {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &message.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic).partition(message.partition);
        record.key = message.key.as_deref();
        record.payload = message.value.as_deref();
        record.timestamp = message.timestamp_ms;
        record.headers = Some(headers);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    pub(crate) fn poll(&self) {
        self.producer.poll(Duration::ZERO);
    }

    /// Waits until the broker has all of it.
    pub(crate) fn flush(&self) {
        self.flush_within(TIMEOUT);
    }

    pub(crate) fn flush_within(&self, timeout: Duration) {
        self.producer.flush(timeout).unwrap();
    }
}

/// All committed messages of a topic as it is now, each partition's in order.
pub(crate) fn read_all(brokers: &str, topic: &str) -> Vec<Message> {
    Reader::start(brokers, topic).read_to_end()
}

/// Reads a topic from its beginning, as `read_committed` readers see it.
pub(crate) struct Reader {
    consumer: BaseConsumer,
    topic: String,
    n_partitions: usize,
    /// Partitions that were read to the end that they had then.
    ended: BTreeSet<i32>,
}

impl Reader {
    pub(crate) fn start(brokers: &str, topic: &str) -> Self {
        let consumer: BaseConsumer = client(brokers)
            .set("group.id", "reader")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "50")
            .set_log_level(rdkafka::config::RDKafkaLogLevel::Critical)
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        let until = Instant::now() + TIMEOUT;
        // A broker that was asked too early does not know a new topic yet.
        while list.count() == 0 {
            assert!(Instant::now() < until, "{topic} has no partitions");
            let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).unwrap();
            for partition in metadata.topics()[0].partitions() {
                list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
            }
        }
        consumer.assign(&list).unwrap();
        let n_partitions = list.count();
        Self { consumer, topic: topic.to_owned(), n_partitions, ended: BTreeSet::new() }
    }

    /// The next message of any partition; connections may fail meanwhile.
    pub(crate) fn poll(&mut self, timeout: Duration) -> Option<Message> {
        match self.consumer.poll(timeout)? {
            Ok(message) => {
                self.ended.remove(&message.partition());
                Some(owned(&message))
            }
            Err(KafkaError::PartitionEOF(partition)) => {
                self.ended.insert(partition);
                None
            }
            Err(_) => None,
        }
    }

    /// Whether some partition was not read to its end, as far as that is known.
    pub(crate) fn has_more(&self) -> bool {
        self.ended.len() < self.n_partitions
    }

    fn read_to_end(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        let until = Instant::now() + TIMEOUT;
        while self.has_more() {
            assert!(Instant::now() < until, "{} was not read to its end", self.topic);
            messages.extend(self.poll(Duration::from_millis(100)));
        }
        messages.sort_by_key(|message| message.partition);
        messages
    }
}

fn owned(message: &BorrowedMessage<'_>) -> Message {
    Message {
        partition: message.partition(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map_or_else(Vec::new, |headers| {
            let owned = |header: Header<'_, &[u8]>| {
                (header.key.to_owned(), header.value.map(<[u8]>::to_vec))
            };
            headers.iter().map(owned).collect()
        }),
        timestamp_ms: message.timestamp().to_millis(),
    }
}

/// The offsets that a group has committed, of the partitions that have any; `None` while it has no coordinator.
pub(crate) fn committed(brokers: &str, group: &str, topic: &str) -> Option<Vec<(i32, i64)>> {
    let consumer: BaseConsumer = client(brokers).set("group.id", group).create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).ok()?;
    let mut list = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        list.add_partition(topic, partition.id());
    }
    let committed = consumer.committed_offsets(list, TIMEOUT).ok()?;
    let offset = |partition, offset| match offset {
        Offset::Offset(offset) => Some((partition, offset)),
        _ => None,
    };
    // A list that outlives its consumer would hang it.
    Some(committed.elements().iter().filter_map(|e| offset(e.partition(), e.offset())).collect())
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}
