//! The outer side of a topic: write messages, read everything back, as a newsroom's own clients would.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
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

    /// Partition and offset of the input, by the header that says so.
    pub(crate) fn source(&self) -> (i32, i64) {
        let mut parts = self.header("copydesk-source").rsplit('/');
        let offset = parts.next().unwrap().parse().unwrap();
        (parts.next().unwrap().parse().unwrap(), offset)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.value.as_deref().unwrap()).unwrap()
    }
}

/// Writes the messages in order and waits until the broker has them.
pub(crate) fn write(brokers: &str, topic: &str, messages: &[Message]) {
    let producer: BaseProducer = client(brokers).set("linger.ms", "1").create().unwrap();
    for message in messages {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &message.headers {
            headers = headers.insert(Header { key, value: value.as_deref() });
        }
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(message.partition);
        record.key = message.key.as_deref();
        record.payload = message.value.as_deref();
        record.timestamp = message.timestamp_ms;
        record.headers = Some(headers);
        producer.send(record).map_err(|(error, _)| error).unwrap();
        producer.poll(Duration::ZERO);
    }
    producer.flush(TIMEOUT).unwrap();
}

/// All messages of a topic, by partition and offset.
pub(crate) fn read_all(brokers: &str, topic: &str) -> Vec<Message> {
    let consumer: BaseConsumer = client(brokers)
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).unwrap();
    let mut messages = Vec::new();
    for partition in metadata.topics()[0].partitions() {
        let (low, high) = consumer.fetch_watermarks(topic, partition.id(), TIMEOUT).unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition.id(), Offset::Offset(low)).unwrap();
        consumer.assign(&list).unwrap();
        let mut next = low;
        let until = Instant::now() + TIMEOUT;
        while next < high {
            assert!(Instant::now() < until, "{topic} was not read to its end");
            let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message.unwrap();
            next = message.offset() + 1;
            messages.push(Message {
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
            });
        }
    }
    messages
}

/// How many messages a topic has, over all partitions, as far as its offsets tell; `None` while it has no leader.
pub(crate) fn count(brokers: &str, topic: &str) -> Option<i64> {
    let consumer: BaseConsumer = client(brokers).create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).ok()?;
    let partitions = metadata.topics()[0].partitions();
    let n_messages = |partition| {
        let (low, high) = consumer.fetch_watermarks(topic, partition, TIMEOUT).ok()?;
        Some(high - low)
    };
    partitions.iter().map(|partition| n_messages(partition.id())).sum()
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
