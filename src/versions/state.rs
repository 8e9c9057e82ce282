//! The value of a state record: what the topic keeps of one article.
//!
//! In: [`State`]. Out: compact JSON with a format number, and back. Names are short, since there is one of these for
//! every article of the last weeks; nobody but copydesk reads them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::order::Stamp;
use super::summary::Summary;

/// A value with another number is not read: its articles count as unknown.
const FORMAT: u8 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    #[serde(rename = "f")]
    format: u8,
    /// Kills leave nothing behind but the fact, the version and the digest of the headline.
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_retracted: bool,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(super) updated: Option<String>,
    /// Of the record that this was made from, in the input partition.
    #[serde(rename = "o")]
    pub(super) offset: i64,
    /// The record's key in hexadecimal, where it is not the article's id.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(super) headline: Option<u64>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(super) maker: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<Summary>,
    /// As they were published: a record that comes again is published with the same.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<Box<RawValue>>,
}

/// Why a value says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the value is not a state of an article: {0}")]
    NotState(String),
    #[error("the value has format {0}, which this build does not know")]
    OtherFormat(u8),
    #[error("the key is not the id of an article")]
    NotAnId,
}

impl State {
    /// Of an article about which nothing is known but where it stood.
    pub(super) fn new(offset: i64) -> Self {
        Self {
            format: FORMAT,
            is_retracted: false,
            version: None,
            updated: None,
            offset,
            key: None,
            headline: None,
            maker: None,
            summary: None,
            changes: None,
        }
    }

    pub(super) fn parse(value: &[u8]) -> Result<Self, Unreadable> {
        let state: Self = serde_json::from_slice(value)
            .map_err(|error| Unreadable::NotState(error.to_string()))?;
        if state.format == FORMAT { Ok(state) } else { Err(Unreadable::OtherFormat(state.format)) }
    }

    pub(super) fn to_bytes(&self) -> Bytes {
        let value = serde_json::to_vec(self).expect("a state has string keys and no floats");
        // Without what the vector has beyond its end: it is kept for long, and counted.
        value.into_boxed_slice().into()
    }

    pub(super) fn stamp(&self) -> Stamp<'_> {
        Stamp { version: self.version.as_deref(), updated: self.updated.as_deref() }
    }

    /// `None` when it is the id.
    pub(super) fn key(&self) -> Option<Bytes> {
        Some(hex::decode(self.key.as_deref()?).ok()?.into())
    }

    pub(super) fn set_key(&mut self, key: Option<&[u8]>, id: &str) {
        self.key = key.filter(|key| *key != id.as_bytes()).map(hex::encode);
    }
}
