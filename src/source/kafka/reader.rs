//! A topic from here to its end, once: for commands, which look and do not take part.
//!
//! In: a topic, and from which time on. Out: its committed records, each partition's in order, up to where the partition
//! ended when it was reached. No group is joined, nothing is committed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::{SourceError, failed, raw_record};
use crate::config::Config;
use crate::kafka;
use crate::source::RawRecord;

/// One question to the brokers, and the longest silence while reading.
const TIMEOUT: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(200);

/// May be overridden by the user's properties.
const DEFAULTS: &[(&str, &str)] = &[("fetch.wait.max.ms", "50")];

/// What the client says itself; errors come out of the poll too.
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, detail: &str) {
        kafka::log("reader", level, facility, detail);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "reader reports");
    }
}

impl ConsumerContext for Quiet {}

/// Reads one topic.
pub struct TopicReader {
    consumer: BaseConsumer<Quiet>,
    topic: std::sync::Arc<str>,
    /// Partitions that were not read to their end.
    open: BTreeSet<i32>,
}

impl TopicReader {
    /// Begins with the first record of each partition that is not older than `since_ms` (milliseconds since the epoch);
    /// without it with the first there is.
    ///
    /// # Errors
    /// When the topic does not exist, or no broker answers.
    pub fn open(config: &Config, topic: &str, since_ms: Option<i64>) -> Result<Self, SourceError> {
        let mut properties = kafka::client_config(&config.kafka, DEFAULTS);
        properties
            // Never joined, but librdkafka wants to know.
            .set("group.id", &config.kafka.group)
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("allow.auto.create.topics", "false")
            .set_log_level(RDKafkaLogLevel::Error);
        let consumer = BaseConsumer::from_config_and_context(&properties, Quiet)
            .map_err(failed("cannot build the consumer"))?;
        kafka::look_up(consumer.client(), topic).map_err(|error| SourceError {
            action: "cannot read the topic",
            detail: format!("{topic}: {error}"),
        })?;
        let metadata = consumer
            .fetch_metadata(Some(topic), TIMEOUT)
            .map_err(failed("cannot look at the topic"))?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        let partitions: BTreeSet<i32> = partitions.map(|partition| partition.id()).collect();
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for &partition in &partitions {
            let from = since_ms.map_or(Offset::Beginning, Offset::Offset);
            list.add_partition_offset(topic, partition, from)
                .map_err(failed("cannot name an offset"))?;
        }
        if since_ms.is_some() {
            list = consumer
                .offsets_for_times(list, TIMEOUT)
                .map_err(failed("cannot look up the time"))?;
        }
        consumer.assign(&list).map_err(failed("cannot take the partitions"))?;
        Ok(Self { consumer, topic: topic.into(), open: partitions })
    }

    /// The next record; `None` at the end of all partitions.
    ///
    /// # Errors
    /// When nothing came for long.
    pub fn next_record(&mut self) -> Result<Option<RawRecord>, SourceError> {
        let until = Instant::now() + TIMEOUT;
        while !self.open.is_empty() {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => return Ok(Some(raw_record(&self.topic, &message))),
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.open.remove(&partition);
                }
                Some(Err(error)) if Instant::now() >= until => {
                    return Err(failed("cannot read the topic")(error));
                }
                None if Instant::now() >= until => {
                    return Err(SourceError {
                        action: "cannot read the topic",
                        detail: format!("nothing came for {} s", TIMEOUT.as_secs()),
                    });
                }
                // The client goes on by itself.
                Some(Err(_)) | None => {}
            }
        }
        Ok(None)
    }
}

impl std::fmt::Debug for TopicReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicReader").field("topic", &self.topic).finish_non_exhaustive()
    }
}
