//! The article: what every stage reads.
//!
//! In: what `decode` recognised. Out: canonical text with identity, and [`Span`]s into it.
//! A `Span` always lies on character boundaries of the text it was made for; this is the only file that slices text.

use std::fmt;

use jiff::civil;
use jiff::fmt::rfc2822;
use sha2::{Digest, Sha256};

use crate::text::offsets::OffsetMap;

/// Longest id that is accepted, in bytes: a URI is rarely over 200; the id becomes a Kafka key and a log field.
pub const ARTICLE_ID_BYTES_MAX: usize = 1024;

/// One decoded article.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    pub id: ArticleId,
    pub version: Option<Version>,
    pub headline: Option<String>,
    /// The canonical text: paragraphs are separated by `\n`, offsets refer to it.
    pub text: String,
    /// The language that the input declares, as written there (BCP 47).
    pub declared_language: Option<String>,
    /// As written in the input; kept because the data desk asks "this week?".
    pub published: Option<String>,
    pub updated: Option<String>,
    pub embargoed_until: Option<String>,
    pub format: Format,
    /// From positions in `text` to positions in the input's fields; `None` when they are not known.
    pub source_map: Option<SourceMap>,
    /// Input fields that no format defines: ignored, and counted.
    pub n_unknown_fields: usize,
    pub warnings: Vec<DecodeWarning>,
}

impl Article {
    /// The text of a field; empty for a missing headline.
    pub fn field(&self, field: Field) -> &str {
        match field {
            Field::Headline => self.headline.as_deref().unwrap_or_default(),
            Field::Text => &self.text,
        }
    }
}

/// The moment that a date says: RFC 3339, ISO 8601 or RFC 2822; without a time zone UTC, without a time midnight.
pub fn parse_date(date: &str) -> Option<jiff::Timestamp> {
    let date = date.trim();
    let utc = |local: civil::DateTime| jiff::tz::Offset::UTC.to_timestamp(local).ok();
    date.parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| date.parse::<civil::DateTime>().ok().and_then(utc))
        .or_else(|| date.parse::<civil::Date>().ok().and_then(|day| utc(day.at(0, 0, 0, 0))))
        .or_else(|| rfc2822::parse(date).ok().map(|zoned| zoned.timestamp()))
}

/// Where `text` came from, for users who highlight in their own HTML. An ANS story has one part an element, other
/// formats have one in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceMap {
    parts: Vec<SourcePart>,
}

/// The stretch of `text` from `start` to the next part's, made from one input field.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SourcePart {
    start: usize,
    field: String,
    offsets: OffsetMap,
}

/// UTF-8 bytes `start..end` of the string in an input field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRange<'a> {
    /// Path of the field, e.g. `body_xhtml` or `content_elements[3].content`.
    pub field: &'a str,
    pub start: usize,
    pub end: usize,
}

impl SourceMap {
    /// Says that the text from `start` on was made from `field`, as `offsets` (in positions of the whole text) tell.
    /// Parts come in text order.
    pub fn push(&mut self, start: usize, field: impl Into<String>, offsets: OffsetMap) {
        debug_assert!(self.parts.last().is_none_or(|last| last.start <= start));
        self.parts.push(SourcePart { start, field: field.into(), offsets });
    }

    /// Where the characters under `span` stand in the input; `None` for a span over two fields.
    pub fn range(&self, span: Span) -> Option<SourceRange<'_>> {
        let after = self.parts.partition_point(|part| part.start <= span.start);
        let part = &self.parts[after.checked_sub(1)?];
        if self.parts.get(after).is_some_and(|next| next.start < span.end) {
            return None;
        }
        let (start, end) = part.offsets.source_range(span.start, span.end)?;
        Some(SourceRange { field: &part.field, start, end })
    }
}

/// The two texts of an article that spans can lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    Headline,
    Text,
}

/// How the input record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Plain,
    Ninjs,
    SchemaOrg,
    Ans,
    RawText,
}

impl Format {
    pub const ALL: [Self; 5] =
        [Self::Plain, Self::Ninjs, Self::SchemaOrg, Self::Ans, Self::RawText];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Ninjs => "ninjs",
            Self::SchemaOrg => "schema_org",
            Self::Ans => "ans",
            Self::RawText => "text",
        }
    }
}

/// Something odd in the input that did not stop decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DecodeWarning {
    /// ninjs says "canceled"; "cancelled" was read as that.
    CancelledSpelling,
    /// A status word in a free field that is neither known as usable nor as a kill: read as usable.
    UnknownStatus,
    /// Windows-1252 read as UTF-8 or Latin-1 was put right.
    MojibakeRepaired,
    /// Half of a surrogate pair in a JSON escape became U+FFFD.
    LoneSurrogate,
    /// A field stands twice in the object: the last one counts.
    DuplicateField,
    /// A date field that is not a date was ignored; an embargo is kept as written.
    InvalidDate,
    /// There is no body: the text is the description (the caption of a picture).
    DescriptionAsText,
    /// There is no body and no description: the text is empty.
    HeadlineOnly,
    /// Nor is there a headline: an item that is valid in its format and says nothing.
    NoText,
}

impl DecodeWarning {
    pub const ALL: [Self; 9] = [
        Self::CancelledSpelling,
        Self::UnknownStatus,
        Self::MojibakeRepaired,
        Self::LoneSurrogate,
        Self::DuplicateField,
        Self::InvalidDate,
        Self::DescriptionAsText,
        Self::HeadlineOnly,
        Self::NoText,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::CancelledSpelling => "cancelled_spelling",
            Self::UnknownStatus => "unknown_status",
            Self::MojibakeRepaired => "mojibake_repaired",
            Self::LoneSurrogate => "lone_surrogate",
            Self::DuplicateField => "duplicate_field",
            Self::InvalidDate => "invalid_date",
            Self::DescriptionAsText => "description_as_text",
            Self::HeadlineOnly => "headline_only",
            Self::NoText => "no_text",
        }
    }
}

/// A newsroom's identifier of an article: not empty, bounded, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArticleId(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArticleId {
    #[error("article id is empty")]
    Empty,
    #[error("article id is longer than {ARTICLE_ID_BYTES_MAX} bytes")]
    TooLong,
    #[error("article id contains a control character")]
    ControlCharacter,
}

impl ArticleId {
    /// # Errors
    /// When `id` is empty, longer than [`ARTICLE_ID_BYTES_MAX`], or contains a control character.
    pub fn parse(id: &str) -> Result<Self, InvalidArticleId> {
        let id = id.trim();
        if id.is_empty() {
            return Err(InvalidArticleId::Empty);
        }
        if id.len() > ARTICLE_ID_BYTES_MAX {
            return Err(InvalidArticleId::TooLong);
        }
        if id.chars().any(char::is_control) {
            return Err(InvalidArticleId::ControlCharacter);
        }
        Ok(Self(id.to_owned()))
    }

    /// The id of an article that has no name of its own: `sha256:` and the digest of `bytes`.
    pub fn digest_of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(bytes))))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArticleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An article's version as the newsroom wrote it: `3`, `"3"` and `"2024-05-01T10:00:00Z"` all occur.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    pub fn new(version: impl Into<String>) -> Self {
        Self(version.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a kill, hold or withdrawal became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retraction {
    pub id: ArticleId,
    pub version: Option<Version>,
    pub reason: RetractionReason,
    /// What a kill notice names beside its own id.
    pub names: Option<Box<NamedItems>>,
    pub warnings: Vec<DecodeWarning>,
}

/// What a text names that may be other articles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedItems {
    /// Ids by their form: `urn:…` and `tag:…`.
    pub ids: Vec<String>,
    /// Words that are ids where an article has them.
    pub tokens: Vec<String>,
    /// What is quoted, or follows an order to kill.
    pub headlines: Vec<String>,
    /// Something is named by a slug line, which no article carries.
    pub has_slug: bool,
}

/// Why a story is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetractionReason {
    Canceled,
    Withheld,
    Deleted,
    KillNotice,
}

impl RetractionReason {
    pub const ALL: [Self; 4] = [Self::Canceled, Self::Withheld, Self::Deleted, Self::KillNotice];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Withheld => "withheld",
            Self::Deleted => "deleted",
            Self::KillNotice => "kill_notice",
        }
    }
}

/// A half-open range of UTF-8 bytes, on character boundaries of the text it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// `start` and `end` come from a scan of the text, so they lie on its boundaries.
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "span ends before it starts: {start}..{end}");
        Self { start, end }
    }

    /// The span when both ends lie inside `text` and on its character boundaries.
    pub fn checked(text: &str, start: usize, end: usize) -> Option<Self> {
        text.get(start..end).map(|_| Self { start, end })
    }

    /// The characters under the span.
    ///
    /// # Panics
    /// When the span was made for another text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).expect("a span is used with the text it was made for")
    }

    pub fn len(self) -> usize {
        self.end - self.start
    }

    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The smallest span over both.
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Without white space at either end.
    pub fn trim(self, text: &str) -> Self {
        let inner = self.of(text);
        let start = self.end - inner.trim_start().len();
        Self { start, end: start + inner.trim().len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked_at_the_border() {
        assert_eq!(ArticleId::parse(" urn:x:1 ").unwrap().as_str(), "urn:x:1");
        assert_eq!(ArticleId::parse("  "), Err(InvalidArticleId::Empty));
        assert_eq!(ArticleId::parse("a\nb"), Err(InvalidArticleId::ControlCharacter));
        assert_eq!(ArticleId::parse(&"x".repeat(1025)), Err(InvalidArticleId::TooLong));
    }

    #[test]
    fn spans_lie_on_character_boundaries() {
        assert_eq!(Span::checked("é", 0, 1), None);
        assert_eq!(Span::checked("é", 0, 3), None);
        assert_eq!(Span::checked("é", 0, 2), Some(Span::new(0, 2)));
        assert_eq!(Span::new(0, 5).trim("  é  "), Span::new(2, 4));
        assert_eq!(Span::new(0, 2).trim("  é"), Span::new(2, 2));
    }

    #[track_caller]
    fn check_date(date: &str, expected: Option<&str>) {
        assert_eq!(parse_date(date).map(|moment| moment.to_string()).as_deref(), expected);
    }

    #[test]
    fn dates_are_read_as_newsrooms_write_them() {
        check_date("2024-05-14T21:40:00+02:00", Some("2024-05-14T19:40:00Z"));
        check_date(" 2015-06-24T09:50:50.52Z ", Some("2015-06-24T09:50:50.52Z"));
        check_date("2024-05-14T21:40:00+0200", Some("2024-05-14T19:40:00Z"));
        check_date("2024-05-14T21:40:00", Some("2024-05-14T21:40:00Z"));
        check_date("2024-05-14 21:40", Some("2024-05-14T21:40:00Z"));
        check_date("2024-05-14", Some("2024-05-14T00:00:00Z"));
        check_date("Tue, 14 May 2024 21:40:00 +0200", Some("2024-05-14T19:40:00Z"));
        check_date("yesterday", None);
        check_date("2024-13-45T00:00:00Z", None);
        check_date("", None);
    }

    #[test]
    fn a_span_over_two_fields_has_no_single_source() {
        let mut map = SourceMap::default();
        let copied = |target, len| {
            let mut offsets = OffsetMap::default();
            offsets.push(target, len, 0, len);
            offsets
        };
        map.push(0, "a", copied(0, 5));
        map.push(6, "b", copied(6, 5));
        let range = |field, start, end| Some(SourceRange { field, start, end });
        assert_eq!(map.range(Span::new(1, 3)), range("a", 1, 3));
        assert_eq!(map.range(Span::new(6, 8)), range("b", 0, 2));
        assert_eq!(map.range(Span::new(3, 8)), None);
        assert_eq!(SourceMap::default().range(Span::new(0, 1)), None);
    }
}
