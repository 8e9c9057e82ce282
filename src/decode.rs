//! Raw bytes to an article or a retraction.
//!
//! In: a [`RawRecord`]. Out: [`Decoded`], or the one [`DecodeError`] that says why the record was refused.
//! Nothing here panics on any input; work and memory are linear in the value's length.

mod plain;

use crate::article::{Article, Format, InvalidArticleId, Retraction};
use crate::source::RawRecord;

/// What a record turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    Article(Box<Article>),
    Retraction(Retraction),
}

/// What the decoder is allowed to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Fixes the format; by default each record is recognised.
    pub format: Option<Format>,
    /// Larger values are refused before they are parsed.
    pub article_bytes_max: usize,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self { format: None, article_bytes_max: 1024 * 1024 }
    }
}

/// Why a record was refused: one variant per dead-letter reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("value is {bytes} bytes, more than {bytes_max}")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("value has no bytes; a deletion is a null value")]
    EmptyValue,
    #[error("value is not UTF-8: invalid byte at {at}")]
    NotUtf8 { at: usize },
    #[error("JSON ends early at line {line}, column {column}")]
    TruncatedJson { line: usize, column: usize },
    #[error("value is not JSON: {detail}")]
    NotJson { detail: String },
    #[error("JSON is not an object but {found}")]
    NotAnObject { found: &'static str },
    #[error("field {field:?} nests deeper than {depth_max} levels")]
    TooDeep { field: String, depth_max: usize },
    #[error("format is not recognised")]
    UnknownFormat,
    #[error("{kind:?} is not a text article")]
    NotAnArticle { kind: String },
    #[error("field {field:?} is not {expected}")]
    InvalidField { field: String, expected: &'static str },
    #[error("field {field:?} has an unknown status: {status:?}")]
    UnknownStatus { field: String, status: String },
    #[error("{0}")]
    InvalidId(#[from] InvalidArticleId),
    #[error("null value without a key: it names no article")]
    MissingId,
    #[error("article has neither text nor headline")]
    MissingText,
    #[error("text is blank and there is no headline")]
    EmptyText,
}

/// Decodes one record.
///
/// # Errors
/// See [`DecodeError`]: each variant is a reason in the dead-letter topic.
pub fn decode(raw: &RawRecord, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let value = raw.value.as_deref().unwrap_or_default();
    if value.len() > options.article_bytes_max {
        return Err(DecodeError::TooLarge {
            bytes: value.len(),
            bytes_max: options.article_bytes_max,
        });
    }
    let text = std::str::from_utf8(value)
        .map_err(|error| DecodeError::NotUtf8 { at: error.valid_up_to() })?;
    plain::decode(raw, text, options)
}
