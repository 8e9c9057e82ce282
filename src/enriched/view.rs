//! The published record as a reader of the topic sees it: what the JSON says, in owned types.
//!
//! In: a record's bytes. Out: [`Published`]. What is shown to people is read back from here, so that it is what was
//! published. Fields that a later schema adds are ignored.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A record of the output topic.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Published {
    Enriched(Box<Enriched>),
    Retracted(Retracted),
}

impl Published {
    /// # Errors
    /// When `bytes` are not a record of this schema.
    pub fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Retracted {
    pub id: String,
    pub version: Option<String>,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Enriched {
    pub id: String,
    pub version: Option<String>,
    pub language: Language,
    pub published: Option<String>,
    pub updated: Option<String>,
    pub embargoed_until: Option<String>,
    pub headline: Option<String>,
    pub text: String,
    pub entities: Vec<Entity>,
    pub quotes: Vec<Quote>,
    pub sentiment: Sentiment,
    pub stages: Stages,
    pub provenance: Provenance,
}

impl Enriched {
    /// Who speaks, quote by quote: the entity's name, or `None` when nobody is named.
    pub fn speakers(&self) -> Vec<Option<&str>> {
        let names: BTreeMap<&str, &str> =
            self.entities.iter().map(|entity| (entity.id.as_str(), entity.name.as_str())).collect();
        let name = |quote: &Quote| names.get(quote.speaker.as_ref()?.entity.as_deref()?).copied();
        self.quotes.iter().map(name).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Language {
    pub code: String,
    pub confidence: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entity {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub salience: f64,
    pub wikidata: Option<String>,
    pub sentiment: Tone,
    pub mentions: Vec<Span>,
}

/// Code points of its field, half-open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Span {
    pub field: Option<String>,
    pub start: usize,
    pub end: usize,
    pub text: String,
}

impl Span {
    pub fn is_in_headline(&self) -> bool {
        self.field.as_deref() == Some("headline")
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Quote {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub start: usize,
    pub end: usize,
    pub text: String,
    /// One a paragraph; empty when the quote lies in one.
    #[serde(default)]
    pub segments: Vec<Span>,
    pub cue: Option<Span>,
    pub speaker: Option<Speaker>,
    pub unattributed: Option<String>,
    pub confidence: f64,
}

impl Quote {
    /// First and last code point of each part.
    pub fn parts(&self) -> Vec<(usize, usize)> {
        if self.segments.is_empty() {
            return vec![(self.start, self.end)];
        }
        self.segments.iter().map(|segment| (segment.start, segment.end)).collect()
    }
}

/// The mention as written, and the entity that it resolves to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Speaker {
    pub start: Option<usize>,
    pub end: Option<usize>,
    pub text: Option<String>,
    pub entity: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Tone {
    pub label: String,
    pub score: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sentiment {
    pub document: Tone,
    pub narrator: Option<Tone>,
    pub quoted: Option<Tone>,
    pub headline: Option<Tone>,
    pub sentences: Vec<SentenceTone>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SentenceTone {
    pub start: usize,
    pub end: usize,
    pub label: String,
    pub score: f64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stages {
    pub entities: Outcome,
    pub quotes: Outcome,
    pub sentiment: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Outcome {
    pub outcome: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Provenance {
    pub build: String,
    pub model: String,
    pub knowledge: String,
}
