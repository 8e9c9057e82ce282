//! Where finished records go.
//!
//! In: [`Outgoing`] records, in the order in which they are to be published. Out: [`SinkEvent`]s: each record that was
//! taken is reported exactly once, delivered or refused, unless the sink has failed.

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
}

/// What a sink says about the records it was given, and about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkEvent {
    /// All replicas that must have it have it.
    Delivered(Ticket),
    /// The record can never be delivered as it is; others can.
    Refused(Ticket, Refusal),
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
