//! Raw bytes to an article or a retraction.
//!
//! In: a [`RawRecord`]. Out: [`Decoded`], or the one [`DecodeError`] that says why the record was refused.
//! Nothing here panics on any input; work and memory are linear in the value's length.

mod draft;
mod json;
mod html;
mod plain;
mod ninjs;
mod schema_org;
mod ans;
mod status;
mod kill_notice;

use std::borrow::Cow;

use crate::article::{
    Article, DecodeWarning, Format, InvalidArticleId, Retraction, RetractionReason,
};
use crate::decode::draft::Draft;
use crate::decode::json::Members;
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

/// Decodes one record. A null value is a deletion of the article that the key names.
///
/// # Errors
/// See [`DecodeError`]: each variant is a reason in the dead-letter topic.
pub fn decode(raw: &RawRecord, options: &DecodeOptions) -> Result<Decoded, DecodeError> {
    let Some(value) = raw.value.as_deref() else {
        let id = draft::identify(None, raw)?;
        let (version, reason) = (None, RetractionReason::Deleted);
        let warnings = Vec::new();
        return Ok(Decoded::Retraction(Retraction { id, version, reason, names: None, warnings }));
    };
    let bytes_max = options.article_bytes_max;
    if value.len() > bytes_max {
        return Err(DecodeError::TooLarge { bytes: value.len(), bytes_max });
    }
    if value.is_empty() {
        return Err(DecodeError::EmptyValue);
    }
    let value = std::str::from_utf8(value)
        .map_err(|error| DecodeError::NotUtf8 { at: error.valid_up_to() })?;
    let draft = if options.format == Some(Format::RawText) {
        plain::read_raw_text(value)
    } else {
        read_json(value, options.format)?
    };
    draft.finish(raw)
}

fn read_json(value: &str, format: Option<Format>) -> Result<Draft, DecodeError> {
    let value = value.strip_prefix(html::BYTE_ORDER_MARK).unwrap_or(value);
    let whole = json::replace_lone_surrogates(value);
    let members = Members::parse(&whole)?;
    let mut draft = match format.or_else(|| recognise(&members)) {
        Some(Format::Plain) => plain::read(&members),
        Some(Format::Ninjs) => ninjs::read(&members),
        Some(Format::SchemaOrg) => schema_org::read(&members),
        Some(Format::Ans) => ans::read(&members),
        Some(Format::RawText) | None => Err(DecodeError::UnknownFormat),
    }?;
    if matches!(whole, Cow::Owned(_)) {
        draft.warnings.push(DecodeWarning::LoneSurrogate);
    }
    Ok(draft)
}

/// The format that the members' names tell: first by what only one format has, then by what a record without a text
/// still has.
fn recognise(members: &Members<'_>) -> Option<Format> {
    type Recognises = fn(&Members<'_>) -> bool;
    const MARKS: &[(Recognises, Format)] = &[
        (schema_org::recognises, Format::SchemaOrg),
        (ans::recognises, Format::Ans),
        (ninjs::recognises, Format::Ninjs),
        (plain::recognises, Format::Plain),
        (ninjs::recognises_without_text, Format::Ninjs),
        (ans::recognises_without_text, Format::Ans),
        (plain::recognises_without_text, Format::Plain),
    ];
    MARKS.iter().find(|(recognises, _)| recognises(members)).map(|&(_, format)| format)
}

#[cfg(test)]
mod testing {
    //! What the tests of all formats share: one record in, its reading in a few lines out.

    use std::fmt::Write as _;

    use bytes::Bytes;
    use expect_test::Expect;

    use super::*;
    use crate::article::Span;
    use crate::source::Position;

    pub(super) fn record(key: Option<&[u8]>, value: Option<&[u8]>) -> RawRecord {
        RawRecord {
            position: Position { topic: "articles.raw".into(), partition: 0, offset: 0 },
            timestamp_ms: None,
            key: key.map(Bytes::copy_from_slice),
            value: value.map(Bytes::copy_from_slice),
            headers: Vec::new(),
        }
    }

    #[track_caller]
    pub(super) fn check(value: &str, expected: Expect) {
        let decoded = decode(&record(None, Some(value.as_bytes())), &DecodeOptions::default());
        expected.assert_eq(&describe(decoded));
    }

    /// Where each line of the text comes from stands after it, when its place is known.
    pub(super) fn describe(decoded: Result<Decoded, DecodeError>) -> String {
        let mut lines = String::new();
        let mut line = |name: &str, value: &str| writeln!(lines, "{name}: {value}").unwrap();
        match decoded {
            Err(error) => {
                line(crate::dead_letter::Reason::from(&error).as_str(), &error.to_string())
            }
            Ok(Decoded::Retraction(retraction)) => {
                line("retraction", retraction.reason.as_str());
                line("id", retraction.id.as_str());
                retraction.version.iter().for_each(|version| line("version", version.as_str()));
                retraction.warnings.iter().for_each(|warning| line("warning", warning.as_str()));
            }
            Ok(Decoded::Article(article)) => {
                line(article.format.as_str(), article.id.as_str());
                article.version.iter().for_each(|version| line("version", version.as_str()));
                let fields = [
                    ("headline", &article.headline),
                    ("language", &article.declared_language),
                    ("published", &article.published),
                    ("updated", &article.updated),
                    ("embargoed", &article.embargoed_until),
                ];
                for (name, value) in fields {
                    value.iter().for_each(|value| line(name, value));
                }
                let map = article.source_map.as_ref().unwrap();
                let mut start = 0;
                for text in article.text.split('\n') {
                    let range = map.range(Span::new(start, start + text.len()));
                    let place = range
                        .map(|range| format!(" ({} {}..{})", range.field, range.start, range.end));
                    let text_shown = text.replace('\r', "\\r");
                    line("text", &format!("{text_shown}{}", place.unwrap_or_default()));
                    start += text.len() + 1;
                }
                if article.n_unknown_fields > 0 {
                    line("unknown fields", &article.n_unknown_fields.to_string());
                }
                article.warnings.iter().for_each(|warning| line("warning", warning.as_str()));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::testing::{check, describe, record};
    use super::*;

    #[track_caller]
    fn check_record(key: Option<&[u8]>, value: Option<&[u8]>, expected: Expect) {
        expected.assert_eq(&describe(decode(&record(key, value), &DecodeOptions::default())));
    }

    #[track_caller]
    fn check_as(format: Format, value: &str, expected: Expect) {
        let options = DecodeOptions { format: Some(format), ..DecodeOptions::default() };
        expected.assert_eq(&describe(decode(&record(None, Some(value.as_bytes())), &options)));
    }

    #[test]
    fn values_that_cannot_be_read() {
        check(
            "",
            expect![[r#"
            empty_value: value has no bytes; a deletion is a null value
        "#]],
        );
        check(
            r#"{"id": "a", "text": "cut o"#,
            expect![[r#"
            truncated_json: JSON ends early at line 1, column 26
        "#]],
        );
        check(
            r#"{"id": "a", "text": "line
            break"}"#,
            expect![[r#"
                not_json: value is not JSON: control character (\u0000-\u001F) found while parsing a string at line 1 column 25
            "#]],
        );
        check(
            "plain words",
            expect![[r#"
            not_json: value is not JSON: expected value at line 1 column 1
        "#]],
        );
        check(
            r#"[{"text": "a"}]"#,
            expect![[r#"
            not_an_object: JSON is not an object but an array
        "#]],
        );
        check(
            r#"{"foo": "bar"}"#,
            expect![[r#"
            unknown_format: format is not recognised
        "#]],
        );
        check_record(
            None,
            Some(b"{\"text\": \"\xff\"}"),
            expect![[r#"
            not_utf8: value is not UTF-8: invalid byte at 10
        "#]],
        );
        let too_large = vec![b' '; 1024 * 1024 + 1];
        check_record(
            None,
            Some(&too_large),
            expect![[r#"
            too_large: value is 1048577 bytes, more than 1048576
        "#]],
        );
    }

    #[test]
    fn null_values_are_deletions() {
        check_record(
            Some(b"urn:x:1"),
            None,
            expect![[r#"
            retraction: deleted
            id: urn:x:1
        "#]],
        );
        check_record(
            Some(b"\xff\x00"),
            None,
            expect![[r#"
            retraction: deleted
            id: sha256:ea5dbf9596d187e9500f23e9a680109475341cf4e81f7e043f7d97152c10772f
        "#]],
        );
        check_record(
            None,
            None,
            expect![[r#"
            missing_id: null value without a key: it names no article
        "#]],
        );
        check_record(
            Some(b""),
            None,
            expect![[r#"
            missing_id: null value without a key: it names no article
        "#]],
        );
    }

    #[test]
    fn ids_fall_back_to_the_key_and_to_digests() {
        let value = Some(r#"{"id": " ", "text": "It rained."}"#.as_bytes());
        check_record(
            Some(b"urn:x:1"),
            value,
            expect![[r#"
            plain: urn:x:1
            text: It rained. (text 0..10)
        "#]],
        );
        check_record(
            Some(b"\xff\x00"),
            value,
            expect![[r#"
            plain: sha256:ea5dbf9596d187e9500f23e9a680109475341cf4e81f7e043f7d97152c10772f
            text: It rained. (text 0..10)
        "#]],
        );
        check_record(
            None,
            value,
            expect![[r#"
            plain: sha256:0c4cbfe00164bf1d52e7431f9dbd6f5827e9e24d5da3dd2d1c4b3335cb4b2731
            text: It rained. (text 0..10)
        "#]],
        );
        check(
            r#"{"id": 12, "text": "It rained."}"#,
            expect![[r#"
            plain: 12
            text: It rained. (text 0..10)
        "#]],
        );
        check(
            r#"{"id": "a\u0007", "text": "It rained."}"#,
            expect![[r#"
            invalid_id: article id contains a control character
        "#]],
        );
        check(
            r#"{"id": ["a"], "text": "It rained."}"#,
            expect![[r#"
            invalid_field: field "id" is not a string or a number
        "#]],
        );
    }

    #[test]
    fn odd_json_is_read() {
        check(
            "\u{feff}{\"id\": \"bom\", \"text\": \"It rained.\"}",
            expect![[r#"
            plain: bom
            text: It rained. (text 0..10)
        "#]],
        );
        check(
            r#"{"id": "a", "id": "b", "text": "It rained.", "text": null, "text": "It snowed."}"#,
            expect![[r#"
                plain: b
                text: It snowed. (text 0..10)
                warning: duplicate_field
            "#]],
        );
        check(
            r#"{"id": "half", "headline": "Cut \ud83d", "text": "Whole \ud83d\ude00."}"#,
            expect![[r#"
                plain: half
                headline: Cut �
                text: Whole 😀. (text 0..11)
                warning: lone_surrogate
            "#]],
        );
        check(
            r#"{"id": "big", "text": "It rained.", "n": 1e999, "m": 123456789012345678901234567890}"#,
            expect![[r#"
                plain: big
                text: It rained. (text 0..10)
                unknown fields: 2
            "#]],
        );
        check(
            r#"{"id": "nan", "text": "It rained.", "n": NaN}"#,
            expect![[r#"
            not_json: value is not JSON: expected value at line 1 column 42
        "#]],
        );
    }

    #[test]
    fn formats_can_be_fixed() {
        check_as(
            Format::RawText,
            "\u{feff}It rained.\r\nIt snowed.",
            expect![[r#"
                text: sha256:b5ee37e0e886252eb0190a9d954b0756b7e73cca49ff65df12d048aba9160385
                text: It rained.\r (value 3..14)
                text: It snowed. (value 15..25)
            "#]],
        );
        check_as(
            Format::RawText,
            "{\"text\": \"It rained.\"}",
            expect![[r#"
            text: sha256:33af8232e78561abc3f213e396fc404b87dc92eb7d3e72deebff4e929aab82b1
            text: {"text": "It rained."} (value 0..22)
        "#]],
        );
        check_as(
            Format::RawText,
            " \n",
            expect![[r#"
                empty_text: text is blank and there is no headline
            "#]],
        );
        check_as(
            Format::Plain,
            r#"{"uri": "urn:x:1", "body_text": "It rained."}"#,
            expect![[r#"
            missing_text: article has neither text nor headline
        "#]],
        );
        check_as(
            Format::Ninjs,
            r#"{"body_text": "It rained."}"#,
            expect![[r#"
            ninjs: sha256:c625e121293a8d7cb098f3b16d29b65a1f25560c027de6bd6675173a9545a86e
            text: It rained. (body_text 0..10)
        "#]],
        );
    }

    #[test]
    fn damage_is_put_right_with_the_way_back() {
        check(
            r#"{"id": "moji", "headline": "ZoÃ« wins", "text": "â€œGo,â€\u009d said ZoÃ«.\rYes."}"#,
            expect![[r#"
                plain: moji
                headline: Zoë wins
                text: “Go,” said Zoë. (text 0..30)
                text: Yes. (text 31..35)
                warning: mojibake_repaired
            "#]],
        );
        check(
            r#"{"id": "c1", "text": "\u0093Go,\u0094 she said."}"#,
            expect![[r#"
            plain: c1
            text: “Go,” she said. (text 0..17)
            warning: mojibake_repaired
        "#]],
        );
    }

    #[test]
    fn what_is_no_damage_stays_as_it_was_sent() {
        let text = "a\u{a0}b so\u{ad}ft e\u{301} \u{200b}x\r\nnext \u{feff}";
        let value = serde_json::json!({"id": "kept", "text": text}).to_string();
        let decoded = decode(&record(None, Some(value.as_bytes())), &DecodeOptions::default());
        let Ok(Decoded::Article(article)) = decoded else { panic!("{decoded:?}") };
        assert_eq!(article.text, text);
    }

    #[test]
    fn dates_that_are_none_are_dropped() {
        check(
            r#"{"id": "d", "text": "It rained.", "published": "2024-05-14", "updated": "soon"}"#,
            expect![[r#"
                plain: d
                published: 2024-05-14
                text: It rained. (text 0..10)
                warning: invalid_date
            "#]],
        );
        check(
            r#"{"id": "d", "text": "It rained.", "published": 1715690400, "updated": ""}"#,
            expect![[r#"
                plain: d
                text: It rained. (text 0..10)
                warning: invalid_date
            "#]],
        );
        check(
            r#"{"id": "d", "text": "It rained.", "embargoed_until": "after lunch"}"#,
            expect![[r#"
                plain: d
                embargoed: after lunch
                text: It rained. (text 0..10)
                warning: invalid_date
            "#]],
        );
    }

    #[test]
    fn kill_notices_are_retractions() {
        check(
            r#"{"id": "k", "headline": "BULLETIN KILL", "text": "Kill the story."}"#,
            expect![[r#"
                retraction: kill_notice
                id: k
            "#]],
        );
        check(
            r#"{"id": "k", "text": "EDS: MANDATORY KILL\nThe story is wrong."}"#,
            expect![[r#"
            retraction: kill_notice
            id: k
        "#]],
        );
        check(
            r#"{"id": "k", "headline": "Kill notice: what agencies do", "text": "They withdraw."}"#,
            expect![[r#"
                plain: k
                headline: Kill notice: what agencies do
                text: They withdraw. (text 0..14)
            "#]],
        );
    }
}
