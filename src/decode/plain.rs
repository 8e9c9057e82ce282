//! The plain format: `{id, headline, text, language, published, updated, version, status}`, and raw text.

use serde::Deserialize;

use super::{DecodeError, DecodeOptions, Decoded};
use crate::article::{Article, ArticleId, Format, Version};
use crate::source::RawRecord;

#[derive(Deserialize)]
struct Plain {
    id: Option<String>,
    headline: Option<String>,
    text: Option<String>,
    language: Option<String>,
    published: Option<String>,
    updated: Option<String>,
    version: Option<String>,
}

pub(super) fn decode(
    raw: &RawRecord,
    value: &str,
    options: &DecodeOptions,
) -> Result<Decoded, DecodeError> {
    let (plain, format) = if options.format == Some(Format::RawText) {
        let text = Some(value.to_owned());
        let plain = Plain {
            id: None,
            headline: None,
            text,
            language: None,
            published: None,
            updated: None,
            version: None,
        };
        (plain, Format::RawText)
    } else {
        let plain = serde_json::from_str(value).map_err(|error: serde_json::Error| {
            DecodeError::NotJson { detail: error.to_string() }
        })?;
        (plain, Format::Plain)
    };
    let key = raw.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    let id = plain.id.as_deref().or(key).and_then(|id| ArticleId::parse(id).ok());
    Ok(Decoded::Article(Box::new(Article {
        id: id.ok_or(DecodeError::UnknownFormat)?,
        version: plain.version.map(Version::new),
        headline: plain.headline,
        text: plain.text.ok_or(DecodeError::MissingText)?,
        declared_language: plain.language,
        published: plain.published,
        updated: plain.updated,
        embargoed_until: None,
        format,
        source_map: None,
        n_unknown_fields: 0,
        warnings: Vec::new(),
    })))
}
