//! The published record: schema `copydesk/enriched/1`.
//!
//! The JSON Schema beside it ([`JSON_SCHEMA`]) is what readers rely on; every published record validates against it in
//! tests. These and the dead letter's headers are the only types that are serialized.

pub mod view;

use serde::Serialize;

/// The `schema` field of each record.
pub const SCHEMA: &str = "copydesk/enriched/1";

/// JSON Schema (draft 2020-12) of [`EnrichedRecord`] and [`RetractionRecord`].
pub const JSON_SCHEMA: &str = include_str!("enriched/schema.json");

/// One enriched article.
#[derive(Debug, Serialize)]
pub struct EnrichedRecord<'a> {
    pub schema: &'static str,
    pub id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
    pub status: &'static str,
    pub language: LanguageRecord<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embargoed_until: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<&'a str>,
    pub text: &'a str,
    pub entities: Vec<EntityRecord<'a>>,
    pub quotes: Vec<QuoteRecord<'a>>,
    pub sentiment: SentimentRecord<'a>,
    pub stages: StagesRecord,
    pub provenance: Provenance<'a>,
    // Last comes `changes`, a [`ChangesRecord`], when an earlier version is known.
}

#[derive(Debug, Serialize)]
pub struct LanguageRecord<'a> {
    pub code: &'a str,
    pub confidence: f64,
}

#[derive(Debug, Serialize)]
pub struct EntityRecord<'a> {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub name: &'a str,
    pub salience: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wikidata: Option<String>,
    pub sentiment: ToneRecord,
    /// The sentences that carry a sentiment that is not neutral, the strongest three at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<SpanRecord<'a>>,
    pub mentions: Vec<MentionRecord<'a>>,
}

#[derive(Debug, Serialize)]
pub struct MentionRecord<'a> {
    #[serde(flatten)]
    pub span: SpanRecord<'a>,
    pub confidence: f64,
}

/// A span in code points of its field, with the text it covers.
#[derive(Debug, Serialize)]
pub struct SpanRecord<'a> {
    /// `headline`; left out for `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    pub start: usize,
    pub end: usize,
    pub text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utf8: Option<RangeRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utf16: Option<RangeRecord>,
    /// Left out where the position in the input is not known, or lies in two fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceRecord<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RangeRecord {
    pub start: usize,
    pub end: usize,
}

/// UTF-8 bytes of the string in an input field, before HTML became text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SourceRecord<'a> {
    pub field: &'a str,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Serialize)]
pub struct QuoteRecord<'a> {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(flatten)]
    pub span: SpanRecord<'a>,
    /// One a paragraph, when there is more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SpanRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cue: Option<SpanRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<SpeakerRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unattributed: Option<&'static str>,
    pub confidence: f64,
}

/// The mention as written and the entity it resolves to: at least one of the two.
#[derive(Debug, Serialize)]
pub struct SpeakerRecord<'a> {
    #[serde(flatten)]
    pub mention: Option<SpanRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ToneRecord {
    pub label: &'static str,
    pub score: f64,
}

#[derive(Debug, Serialize)]
pub struct SentimentRecord<'a> {
    pub document: ToneRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrator: Option<ToneRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quoted: Option<ToneRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<ToneRecord>,
    pub sentences: Vec<SentenceRecord<'a>>,
}

#[derive(Debug, Serialize)]
pub struct SentenceRecord<'a> {
    pub start: usize,
    pub end: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utf8: Option<RangeRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utf16: Option<RangeRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceRecord<'a>>,
    pub label: &'static str,
    pub score: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct StagesRecord {
    pub entities: OutcomeRecord,
    pub quotes: OutcomeRecord,
    pub sentiment: OutcomeRecord,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct OutcomeRecord {
    pub outcome: &'static str,
}

/// What made the record: equal provenance means equal bytes.
#[derive(Debug, Serialize)]
pub struct Provenance<'a> {
    pub build: &'a str,
    pub model: &'a str,
    pub knowledge: &'a str,
    pub config: &'a str,
    /// `sha256:` of the input value.
    pub input: String,
}

/// Takes an article back.
#[derive(Debug, Serialize)]
pub struct RetractionRecord<'a> {
    pub schema: &'static str,
    pub id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'a str>,
    pub status: &'static str,
    pub reason: &'static str,
    /// A kill notice names another item, and which one is not certain.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unresolved: bool,
}

/// What has changed in meaning since the version that was published before. A list is left out where a stage of either
/// version had no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangesRecord {
    /// That version, when it had a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<EntityChangeRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotes: Option<Vec<QuoteChangeRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tone: Option<Vec<ToneChangeRecord>>,
    /// Changes beyond the bounds of the lists.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntityChangeRecord {
    /// `added` or `gone`.
    pub change: &'static str,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuoteChangeRecord {
    /// `added`, `removed`, `altered` or `reattributed`.
    pub change: &'static str,
    /// In this record; none of what was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Without its marks, cut when it is long.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The entity's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// When it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker_before: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToneChangeRecord {
    /// `document`, or an entity's name.
    pub target: String,
    pub before: String,
    pub after: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}
