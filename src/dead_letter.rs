//! Refused records: they leave here, never silently.
//!
//! In: a raw record and why it was refused. Out: a [`DeadLetter`] whose value, key and headers are the input's, byte
//! for byte, with the `copydesk-error-*` headers added.

use crate::decode::DecodeError;
use crate::source::{Header, Position, RawRecord};

/// What all of a dead letter's own headers begin with.
const PREFIX: &str = "copydesk-error-";

const REASON: &str = "copydesk-error-reason";
const DETAIL: &str = "copydesk-error-detail";
const SOURCE: &str = "copydesk-error-source";
const ATTEMPTS: &str = "copydesk-error-attempts";
const BUILD: &str = "copydesk-error-build";

/// A record that could not be decoded, encoded or delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub reason: Reason,
    /// For people: what exactly was wrong.
    pub detail: String,
    pub record: RawRecord,
}

/// One reason per way of failing; a metric label and a header value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    TooLarge,
    EmptyValue,
    NotUtf8,
    TruncatedJson,
    NotJson,
    NotAnObject,
    TooDeep,
    UnknownFormat,
    NotAnArticle,
    InvalidField,
    UnknownStatus,
    InvalidId,
    MissingId,
    MissingText,
    EmptyText,
    /// The enriched record is larger than the producer, the broker or the output topic allows.
    OutputTooLarge,
    /// The broker refused the enriched record, and would refuse it again.
    OutputRefused,
    /// A defect of ours: decode, link or encode panicked on this record.
    Panicked,
}

impl Reason {
    pub const ALL: [Self; 18] = [
        Self::TooLarge,
        Self::EmptyValue,
        Self::NotUtf8,
        Self::TruncatedJson,
        Self::NotJson,
        Self::NotAnObject,
        Self::TooDeep,
        Self::UnknownFormat,
        Self::NotAnArticle,
        Self::InvalidField,
        Self::UnknownStatus,
        Self::InvalidId,
        Self::MissingId,
        Self::MissingText,
        Self::EmptyText,
        Self::OutputTooLarge,
        Self::OutputRefused,
        Self::Panicked,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::EmptyValue => "empty_value",
            Self::NotUtf8 => "not_utf8",
            Self::TruncatedJson => "truncated_json",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::TooDeep => "too_deep",
            Self::UnknownFormat => "unknown_format",
            Self::NotAnArticle => "not_an_article",
            Self::InvalidField => "invalid_field",
            Self::UnknownStatus => "unknown_status",
            Self::InvalidId => "invalid_id",
            Self::MissingId => "missing_id",
            Self::MissingText => "missing_text",
            Self::EmptyText => "empty_text",
            Self::OutputTooLarge => "output_too_large",
            Self::OutputRefused => "output_refused",
            Self::Panicked => "panicked",
        }
    }
}

impl From<&DecodeError> for Reason {
    fn from(error: &DecodeError) -> Self {
        match error {
            DecodeError::TooLarge { .. } => Self::TooLarge,
            DecodeError::EmptyValue => Self::EmptyValue,
            DecodeError::NotUtf8 { .. } => Self::NotUtf8,
            DecodeError::TruncatedJson { .. } => Self::TruncatedJson,
            DecodeError::NotJson { .. } => Self::NotJson,
            DecodeError::NotAnObject { .. } => Self::NotAnObject,
            DecodeError::TooDeep { .. } => Self::TooDeep,
            DecodeError::UnknownFormat => Self::UnknownFormat,
            DecodeError::NotAnArticle { .. } => Self::NotAnArticle,
            DecodeError::InvalidField { .. } => Self::InvalidField,
            DecodeError::UnknownStatus { .. } => Self::UnknownStatus,
            DecodeError::InvalidId(_) => Self::InvalidId,
            DecodeError::MissingId => Self::MissingId,
            DecodeError::MissingText => Self::MissingText,
            DecodeError::EmptyText => Self::EmptyText,
        }
    }
}

impl DeadLetter {
    pub fn refused(record: RawRecord, error: &DecodeError) -> Self {
        Self { reason: Reason::from(error), detail: error.to_string(), record }
    }

    /// The input's headers, then what went wrong and where.
    pub fn headers(&self, build: &str) -> Vec<Header> {
        let mut headers = self.record.headers.clone();
        let attempts = 1 + self.previous_attempts();
        headers.retain(|header| !is_ours(&header.name));
        headers.extend([
            Header::new(REASON, self.reason.as_str()),
            Header::new(DETAIL, self.detail.clone()),
            Header::new(SOURCE, self.record.position.to_string()),
            Header::new(ATTEMPTS, attempts.to_string()),
            Header::new(BUILD, build.to_owned()),
        ]);
        headers
    }

    /// Attempts that an earlier round through the dead-letter topic has counted.
    fn previous_attempts(&self) -> u32 {
        attempts(&self.record)
    }
}

/// A dead letter as it lies in its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The letter itself: value and key are the refused record's, the headers are its own and ours.
    pub record: RawRecord,
    pub reason: String,
    pub detail: String,
    /// `topic/partition/offset` of the refused record; empty where a letter does not say.
    pub source: String,
    pub attempts: u32,
}

impl Received {
    pub fn new(record: RawRecord) -> Self {
        let text = |name| text(&record, name).unwrap_or_default().to_owned();
        let (reason, detail, source) = (text(REASON), text(DETAIL), text(SOURCE));
        Self { reason, detail, source, attempts: attempts(&record), record }
    }

    /// The refused record, to be written to where it came from: value, key and headers byte for byte, and the number of
    /// attempts in one header more. `None` when the letter does not say where that was.
    pub fn original(&self) -> Option<RawRecord> {
        let (rest, offset) = self.source.rsplit_once('/')?;
        let (topic, partition) = rest.rsplit_once('/')?;
        let position = Position {
            topic: topic.into(),
            partition: partition.parse().ok()?,
            offset: offset.parse().ok()?,
        };
        let mut headers = self.record.headers.clone();
        headers.retain(|header| !is_ours(&header.name));
        headers.push(Header::new(ATTEMPTS, self.attempts.to_string()));
        Some(RawRecord { position, headers, ..self.record.clone() })
    }
}

/// Whether a header is one of a dead letter's, and no part of the record.
pub fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

fn attempts(record: &RawRecord) -> u32 {
    text(record, ATTEMPTS).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The last header of this name.
fn text<'a>(record: &'a RawRecord, name: &str) -> Option<&'a str> {
    let header = record.headers.iter().rev().find(|header| header.name == name)?;
    std::str::from_utf8(header.value.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_letter_gives_the_record_back_and_counts_the_rounds() {
        let record = RawRecord {
            position: Position { topic: "articles.raw".into(), partition: 3, offset: 42 },
            timestamp_ms: None,
            key: Some(Bytes::from_static(b"\xff")),
            value: Some(Bytes::from_static(b"{\xfe")),
            headers: vec![Header::new("a", "1"), Header { name: "a".to_owned(), value: None }],
        };
        let mut again = record.clone();
        for round in 1..=3_u32 {
            let letter =
                DeadLetter { reason: Reason::NotUtf8, detail: "no".into(), record: again.clone() };
            let headers = letter.headers("0");
            let position =
                Position { topic: "articles.dead".into(), partition: 0, offset: round.into() };
            let received = Received::new(RawRecord { position, headers, ..again });
            assert_eq!((received.reason.as_str(), received.attempts), ("not_utf8", round));
            again = received.original().unwrap();
            assert_eq!((&again.key, &again.value), (&record.key, &record.value));
            assert_eq!(again.position, record.position);
            assert_eq!(again.headers[..2], record.headers);
            assert_eq!(again.headers[2], Header::new(ATTEMPTS, round.to_string()));
            assert_eq!(again.headers.len(), 3);
        }
        assert_eq!(Received::new(record).original(), None);
    }
}
