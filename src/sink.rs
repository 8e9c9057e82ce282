//! Where finished records go.
//!
//! In: [`Outgoing`] records, in the order in which they are to be published. Out: [`SinkEvent`]s: each record, or the
//! transaction that it is part of, is reported exactly once, unless the sink has failed.

pub mod kafka;
pub mod lines;

use bytes::Bytes;

use crate::source::Header;
use crate::source::progress::Ticket;

/// One record to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub destination: Destination,
    pub key: Option<Bytes>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    /// In order, duplicates kept.
    pub headers: Vec<Header>,
    /// Milliseconds since the epoch; `None` is the time of publishing.
    pub timestamp_ms: Option<i64>,
}

/// The topics that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    Enriched,
    DeadLetters,
    /// What is known of an article, in the partition of its input.
    State {
        partition: i32,
    },
}

/// What a sink says about the records it was given, and about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkEvent {
    /// All replicas that must have it have it.
    Delivered(Ticket),
    /// The record can never be delivered as it is; others can.
    Refused(Ticket, Refusal),
    /// Transactions can begin: those that an earlier run of this instance left open have been ended.
    Ready,
    /// The transaction is committed: its records are published, and its offsets are the group's.
    Committed,
    /// Nothing of the transaction will be seen, for this reason; its records can be sent again.
    Aborted(String),
    /// Whether any broker can be reached.
    Reachable(bool),
    /// The sink cannot go on: the process must end, and be started again.
    Failed(String),
}

/// Why a record can never be delivered as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("larger than the client, the broker or the topic allows: {0}")]
    TooLarge(String),
    #[error("refused by the broker: {0}")]
    Invalid(String),
}
