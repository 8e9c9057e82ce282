//! Which partitions of a topic nobody in the group reads on, as their committed offsets tell.
//!
//! In: a group of the consumer protocol (KIP-848), whose members brokers do not tell to this client. Out: partitions of
//! others with records behind a committed offset that has not moved since the look before. An owner that stands still
//! looks the same as none.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::context::Context;
use crate::kafka::LOOKUP_TIMEOUT;

/// For the end of one partition.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Partitions whose ends are asked for in one look; the rest have their turn when these move.
const N_ENDS_MAX: usize = 32;

/// Offsets behind the last record that may be no records: the marker of a transaction.
const N_MARKERS: i64 = 1;

/// The offsets of the look before.
#[derive(Debug, Default)]
pub(super) struct Unmoved {
    committed: BTreeMap<i32, i64>,
}

impl Unmoved {
    /// `own` are the partitions of this member, which its watchdog sees better.
    pub(super) fn look_up(
        &mut self,
        consumer: &BaseConsumer<Context>,
        topic: &str,
        own: &[i32],
    ) -> Result<Vec<i32>, KafkaError> {
        let metadata = consumer.fetch_metadata(Some(topic), LOOKUP_TIMEOUT)?;
        let mut list = TopicPartitionList::new();
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            list.add_partition(topic, partition.id());
        }
        let list = consumer.committed_offsets(list, LOOKUP_TIMEOUT)?;
        let before = std::mem::take(&mut self.committed);
        for element in list.elements() {
            element.error()?;
            let Offset::Offset(offset) = element.offset() else { continue };
            self.committed.insert(element.partition(), offset);
        }
        let is_unmoved = |(partition, offset): &(&i32, &i64)| {
            !own.contains(partition) && before.get(partition) == Some(offset)
        };
        let is_behind = |(&partition, &offset): (&i32, &i64)| {
            let (_, end) = consumer.fetch_watermarks(topic, partition, END_TIMEOUT).ok()?;
            (end > offset + N_MARKERS).then_some(partition)
        };
        let unmoved = self.committed.iter().filter(is_unmoved).take(N_ENDS_MAX);
        Ok(unmoved.filter_map(is_behind).collect())
    }
}
