//! Where raw records come from.
//!
//! In: a Kafka topic, or files and standard input. Out: [`SourceEvent`]s, records of one partition in offset order.

pub mod kafka;
pub mod lines;
pub mod progress;

use std::sync::Arc;

use bytes::Bytes;

/// One input record as it was received: nothing is interpreted yet, everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    pub position: Position,
    /// Milliseconds since the epoch, when the source has one.
    pub timestamp_ms: Option<i64>,
    pub key: Option<Bytes>,
    /// `None` is a Kafka tombstone: the article is deleted.
    pub value: Option<Bytes>,
    /// In order, duplicates kept.
    pub headers: Vec<Header>,
}

impl RawRecord {
    /// Bytes that this record holds in memory while it is in flight.
    pub fn size_bytes(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|h| h.name.len() + h.value.as_ref().map_or(0, Bytes::len))
            .sum();
        self.key.as_ref().map_or(0, Bytes::len)
            + self.value.as_ref().map_or(0, Bytes::len)
            + headers
    }
}

/// Where a record stood in its source; for files the topic is the file's name and the offset its line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// What a Kafka source says beside its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// These partitions are this instance's, as soon as the source is told to accept them.
    Assigned(Vec<i32>),
    /// From which offsets the assigned partitions are to be read; `None` where the group has never committed one.
    Committed(Vec<(i32, Option<i64>)>),
    /// These partitions leave, as soon as the source is told to release them. When they are lost, others may be reading
    /// them already, and nothing of them may be committed.
    Revoked { partitions: Vec<i32>, is_lost: bool },
    /// Where the logs of the assigned partitions end.
    Ends(Vec<PartitionEnd>),
    /// Where these partitions' logs end, asked of the brokers apart from fetching: partition and offset.
    Probed(Vec<(i32, i64)>),
    /// Partitions that nobody in the group had just now while it was not rebalancing, or that nobody reads on.
    Unowned(Vec<i32>),
    /// Whether this instance is a member of the group, with or without partitions.
    Member(bool),
    /// Something is wrong that may pass.
    Fault(crate::kafka::Fault),
    /// The source cannot go on: the process must end, and be started again.
    Failed(String),
}

/// How far the source has read, and how far it could read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionEnd {
    pub partition: i32,
    /// One past the last record that may be read (the last stable offset).
    pub end: i64,
    /// The next offset to be fetched.
    pub fetched_below: i64,
    /// Records that were fetched and have not been taken.
    pub n_prefetched: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub name: String,
    pub value: Option<Bytes>,
}

impl Header {
    pub fn new(name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self { name: name.into(), value: Some(value.into()) }
    }
}
