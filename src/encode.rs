//! A linked article to the bytes that are published.
//!
//! In: what `link` joined. Out: key, headers and body. The body is a pure function of input, build, model and
//! configuration. Every span is checked in every unit in which it is published; one that fails is withheld and counted.

mod spans;
mod smaller;

use bytes::Bytes;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use self::spans::Spans;
use crate::article::{Article, Retraction, Version};
use crate::enriched::{
    EnrichedRecord, LanguageRecord, OutcomeRecord, Provenance, RetractionRecord, SCHEMA,
    StagesRecord, ToneRecord,
};
use crate::link::{Linked, Tone};
use crate::source::RawRecord;
use crate::stages::StageOutcome;
use crate::text::language::Language;

pub use self::smaller::{STEPS, smaller};

/// What a record says about its making; the same for every record of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunProvenance {
    pub build: String,
    pub model: String,
    pub knowledge: String,
    pub config: String,
}

/// Units in which spans are published beside code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OffsetUnits {
    pub utf8: bool,
    pub utf16: bool,
    pub source: bool,
}

/// A record's body, and how many of its spans were withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    pub bytes: Bytes,
    pub n_spans_withheld: usize,
}

/// How each stage ended, in the order entities, quotes, sentiment.
pub type Outcomes = [StageOutcome; 3];

/// Encodes an enriched article.
pub fn enriched(
    article: &Article,
    language: &Language,
    linked: &Linked,
    outcomes: Outcomes,
    raw: &RawRecord,
    options: (&RunProvenance, OffsetUnits),
) -> Body {
    let (run, units) = options;
    let mut spans = Spans::new(article, units);
    let entities = linked
        .entities
        .iter()
        .enumerate()
        .filter_map(|(i, entity)| spans.entity(i, entity))
        .collect();
    let quotes =
        linked.quotes.iter().enumerate().filter_map(|(i, quote)| spans.quote(i, quote)).collect();
    let sentiment = spans.sentiment(&linked.tone);
    let [entities_outcome, quotes_outcome, sentiment_outcome] =
        outcomes.map(|outcome| OutcomeRecord { outcome: outcome.as_str() });
    let record = EnrichedRecord {
        schema: SCHEMA,
        id: article.id.as_str(),
        version: article.version.as_ref().map(Version::as_str),
        status: "enriched",
        language: LanguageRecord { code: &language.code, confidence: round(language.confidence) },
        published: article.published.as_deref(),
        updated: article.updated.as_deref(),
        embargoed_until: article.embargoed_until.as_deref(),
        headline: article.headline.as_deref(),
        text: &article.text,
        entities,
        quotes,
        sentiment,
        stages: StagesRecord {
            entities: entities_outcome,
            quotes: quotes_outcome,
            sentiment: sentiment_outcome,
        },
        provenance: Provenance {
            build: &run.build,
            model: &run.model,
            knowledge: &run.knowledge,
            config: &run.config,
            input: digest(raw.value.as_deref().unwrap_or_default()),
        },
    };
    Body { bytes: to_bytes(&record), n_spans_withheld: spans.n_withheld() }
}

/// Encodes a retraction; `unresolved` when it is of a kill notice that names another item, and which is not certain.
pub fn retraction(retraction: &Retraction, unresolved: bool) -> Body {
    let record = RetractionRecord {
        schema: SCHEMA,
        id: retraction.id.as_str(),
        version: retraction.version.as_ref().map(Version::as_str),
        status: "retracted",
        reason: retraction.reason.as_str(),
        unresolved,
    };
    Body { bytes: to_bytes(&record), n_spans_withheld: 0 }
}

/// The body of an enriched record with what has changed since the version before, as its last field: the one part of a
/// body that the input alone does not decide.
pub fn with_changes(body: &Bytes, changes: &RawValue) -> Bytes {
    let fields = body.strip_suffix(b"}").unwrap_or(body);
    [fields, b",\"changes\":", changes.get().as_bytes(), b"}"].concat().into()
}

/// `sha256:` and the digest in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn to_bytes(record: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(record).expect("a record has string keys and finite numbers").into()
}

/// Three decimals: more would say nothing, and would tie the bytes to the order of float operations.
fn round(value: f64) -> f64 {
    let rounded = (value * 1000.0).round() / 1000.0;
    // Negative zero would print as -0.0.
    if rounded == 0.0 { 0.0 } else { rounded }
}

fn unit_interval(value: f32) -> f64 {
    round(f64::from(value).clamp(0.0, 1.0))
}

fn tone(tone: Tone) -> ToneRecord {
    ToneRecord { label: tone.label(), score: round(f64::from(tone.score).clamp(-1.0, 1.0)) }
}
