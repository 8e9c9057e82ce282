//! Where the group left off: the offsets from which assigned partitions are read, asked for on a thread of its own.
//!
//! In: partitions that were assigned. Out: [`SourceEvent::Committed`], once the group has told the offset of each; until
//! then the partitions wait, for a transaction of their former owner to end or for a coordinator.
//!
//! librdkafka would ask by itself. But its 2.12 takes "not yet" for "none" when the assignment changes while it asks
//! (`rd_kafka_assignment_apply_offsets` keeps the invalid offset), and reads the partition from its beginning again; and
//! a question that has failed is not asked again, so the partition is never read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::OnEvent;
use super::context::Context;
use crate::source::SourceEvent;

/// For one question.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// Between two log lines while partitions wait.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The thread ends when this is dropped, after the question that it is asking.
pub(super) struct Offsets {
    requests: SyncSender<Vec<i32>>,
    is_stopped: Arc<AtomicBool>,
}

impl Offsets {
    pub(super) fn start(
        consumer: Arc<BaseConsumer<Context>>,
        topic: Arc<str>,
        on_event: Arc<OnEvent>,
    ) -> io::Result<Self> {
        let (requests, queue) = mpsc::sync_channel::<Vec<i32>>(1);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let has_stopped = Arc::clone(&is_stopped);
        let work = move || {
            for partitions in queue {
                if let Some(offsets) = wait_for(&consumer, &topic, &partitions, &has_stopped) {
                    on_event(SourceEvent::Committed(offsets));
                }
            }
            drop(consumer);
        };
        std::thread::Builder::new().name("offsets".to_owned()).spawn(work)?;
        Ok(Self { requests, is_stopped })
    }

    /// Asks for the offsets of one assignment. The group gives out the next one only when this one was taken over, so
    /// there is always room.
    pub(super) fn ask(&self, partitions: Vec<i32>) {
        drop(self.requests.try_send(partitions));
    }
}

impl Drop for Offsets {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

/// Asks until all are known; `None` when it is not to go on.
fn wait_for(
    consumer: &BaseConsumer<Context>,
    topic: &str,
    partitions: &[i32],
    has_stopped: &AtomicBool,
) -> Option<Vec<(i32, Option<i64>)>> {
    let mut reported_at = Instant::now();
    while !has_stopped.load(Ordering::Relaxed) {
        match look_up(consumer, topic, partitions) {
            Ok(offsets) => return Some(offsets),
            Err(error) if reported_at.elapsed() >= REPORT_INTERVAL => {
                reported_at = Instant::now();
                tracing::warn!(?partitions, %error, "partitions wait for their committed offsets");
            }
            Err(error) => tracing::debug!(?partitions, %error, "offsets cannot be read yet"),
        }
        std::thread::park_timeout(PAUSE);
    }
    None
}

/// All offsets or none; of a partition that the group has never committed, `None`.
fn look_up(
    consumer: &BaseConsumer<Context>,
    topic: &str,
    partitions: &[i32],
) -> Result<Vec<(i32, Option<i64>)>, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for &partition in partitions {
        list.add_partition(topic, partition);
    }
    // The list must not outlive the consumer, or closing hangs: only numbers leave.
    let list = consumer.committed_offsets(list, TIMEOUT)?;
    let mut offsets = Vec::with_capacity(partitions.len());
    for element in list.elements() {
        element.error()?;
        let offset = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        offsets.push((element.partition(), offset));
    }
    Ok(offsets)
}
