//! Asks the brokers where partitions end, and which have no owner, on a thread of its own.
//!
//! In: partitions, one list at a time. Out: [`SourceEvent::Probed`] and [`SourceEvent::Unowned`]. What a consumer knows of a log's end it knows from
//! fetching, so one whose fetching has stopped believes that there is nothing to fetch. This does not rely on it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::OnEvent;
use super::context::Context;
use super::ownership;
use super::unmoved::Unmoved;
use crate::source::SourceEvent;

/// For the end of one partition.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The thread ends when this is dropped, after the partitions that it is asking for.
pub(super) struct Prober {
    requests: SyncSender<Vec<i32>>,
}

impl Prober {
    /// `group` is a group of the classic protocol, whose members can be looked up.
    pub(super) fn start(
        consumer: Arc<BaseConsumer<Context>>,
        topic: Arc<str>,
        group: Option<Arc<str>>,
        on_event: Arc<OnEvent>,
    ) -> io::Result<Self> {
        let (requests, queue) = mpsc::sync_channel::<Vec<i32>>(1);
        let work = move || {
            let mut unmoved = Unmoved::default();
            for partitions in queue {
                let end = |&partition: &i32| {
                    let (_, end) = consumer.fetch_watermarks(&topic, partition, TIMEOUT).ok()?;
                    Some((partition, end))
                };
                let ends: Vec<_> = partitions.iter().filter_map(end).collect();
                on_event(SourceEvent::Probed(ends));
                let unowned = match &group {
                    Some(group) => ownership::look_up(&consumer, group, &topic)
                        .map(|found| found.map(|ownership| ownership.unowned)),
                    None => unmoved.look_up(&consumer, &topic, &partitions).map(Some),
                };
                match unowned {
                    Ok(Some(partitions)) => on_event(SourceEvent::Unowned(partitions)),
                    Ok(None) => {}
                    Err(error) => tracing::debug!(%error, "owners cannot be looked up"),
                }
            }
            drop(consumer);
        };
        std::thread::Builder::new().name("probe".to_owned()).spawn(work)?;
        Ok(Self { requests })
    }

    /// Asks, unless it is still asking.
    pub(super) fn ask(&self, partitions: Vec<i32>) {
        drop(self.requests.try_send(partitions));
    }
}
