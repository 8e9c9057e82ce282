//! Refused records: they leave here, never silently.
//!
//! In: a raw record and why it was refused. Out: a [`DeadLetter`] whose value, key and headers are the input's, byte
//! for byte, with the `copydesk-error-*` headers added.

use crate::decode::DecodeError;
use crate::source::{Header, RawRecord};

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
        headers.retain(|header| !header.name.starts_with("copydesk-error-"));
        headers.extend([
            Header::new("copydesk-error-reason", self.reason.as_str()),
            Header::new("copydesk-error-detail", self.detail.clone()),
            Header::new("copydesk-error-source", self.record.position.to_string()),
            Header::new("copydesk-error-attempts", attempts.to_string()),
            Header::new("copydesk-error-build", build.to_owned()),
        ]);
        headers
    }

    /// Attempts that an earlier round through the dead-letter topic has counted.
    fn previous_attempts(&self) -> u32 {
        let header = self
            .record
            .headers
            .iter()
            .rev()
            .find(|header| header.name == "copydesk-error-attempts");
        let value = header.and_then(|header| header.value.as_deref());
        value.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok()).unwrap_or_default()
    }
}
