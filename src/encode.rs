//! A linked article to the bytes that are published.
//!
//! In: what `link` joined. Out: key, headers and body. The body is a pure function of input, build, model and
//! configuration. Every span is checked in every unit in which it is published; one that fails is withheld and counted.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::article::{Article, Field, Retraction, Span};
use crate::enriched::{
    EnrichedRecord, EntityRecord, LanguageRecord, MentionRecord, OutcomeRecord, Provenance,
    QuoteRecord, RangeRecord, RetractionRecord, SCHEMA, SentenceRecord, SentimentRecord,
    SpanRecord, SpeakerRecord, StagesRecord, ToneRecord,
};
use crate::link::{ArticleTone, Linked, LinkedEntity, LinkedQuote, Speaker, Tone};
use crate::source::RawRecord;
use crate::stages::StageOutcome;
use crate::text::language::Language;
use crate::text::offsets::UnitIndex;

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
    let quotes = linked
        .quotes
        .iter()
        .enumerate()
        .filter_map(|(i, quote)| spans.quote(i, quote, linked))
        .collect();
    let sentiment = spans.sentiment(&linked.tone);
    let [entities_outcome, quotes_outcome, sentiment_outcome] =
        outcomes.map(|outcome| OutcomeRecord { outcome: outcome.as_str() });
    let record = EnrichedRecord {
        schema: SCHEMA,
        id: article.id.as_str(),
        version: article.version.as_ref().map(crate::article::Version::as_str),
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
    Body { bytes: to_bytes(&record), n_spans_withheld: spans.n_withheld }
}

/// Encodes a retraction.
pub fn retraction(retraction: &Retraction) -> Body {
    let record = RetractionRecord {
        schema: SCHEMA,
        id: retraction.id.as_str(),
        version: retraction.version.as_ref().map(crate::article::Version::as_str),
        status: "retracted",
        reason: retraction.reason.as_str(),
    };
    Body { bytes: to_bytes(&record), n_spans_withheld: 0 }
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

/// Turns byte spans into published ones, and checks each.
struct Spans<'a> {
    article: &'a Article,
    units: OffsetUnits,
    headline: UnitIndex<'a>,
    text: UnitIndex<'a>,
    n_withheld: usize,
    /// Published ids by index in `Linked::entities`: a quote must not name an entity that was withheld.
    published_entities: Vec<bool>,
}

impl<'a> Spans<'a> {
    fn new(article: &'a Article, units: OffsetUnits) -> Self {
        Self {
            article,
            units,
            headline: UnitIndex::new(article.field(Field::Headline)),
            text: UnitIndex::new(article.field(Field::Text)),
            n_withheld: 0,
            published_entities: Vec::new(),
        }
    }

    fn entity(&mut self, index: usize, linked: &'a LinkedEntity) -> Option<EntityRecord<'a>> {
        let entity = &linked.entity;
        let mentions: Vec<MentionRecord<'a>> = entity
            .mentions
            .iter()
            .filter_map(|mention| {
                let span = self.span(mention.field, mention.span)?;
                Some(MentionRecord { span, confidence: unit_interval(mention.confidence) })
            })
            .collect();
        self.published_entities.push(!mentions.is_empty());
        (!mentions.is_empty()).then(|| EntityRecord {
            id: entity_id(index),
            kind: entity.kind.as_str(),
            name: &entity.name,
            salience: unit_interval(entity.salience),
            wikidata: entity.wikidata.clone(),
            sentiment: tone(linked.tone),
            mentions,
        })
    }

    fn quote(
        &mut self,
        index: usize,
        linked: &LinkedQuote,
        all: &Linked,
    ) -> Option<QuoteRecord<'a>> {
        let quote = &linked.quote;
        let span = self.span(Field::Text, quote.span())?;
        let segments = if quote.segments.len() > 1 {
            quote
                .segments
                .iter()
                .map(|&segment| self.span(Field::Text, segment))
                .collect::<Option<Vec<_>>>()?
        } else {
            Vec::new()
        };
        let cue = quote.cue.and_then(|cue| self.span(Field::Text, cue));
        let (speaker, unattributed, certainty) = match linked.speaker {
            Speaker::Entity { entity, mention, confidence } => {
                debug_assert!(entity < all.entities.len());
                let published = self.published_entities.get(entity).copied().unwrap_or_default();
                let mention = mention.and_then(|mention| self.span(Field::Text, mention));
                let id = published.then(|| entity_id(entity));
                (Some(SpeakerRecord { mention, entity: id }), None, confidence)
            }
            Speaker::Unattributed { mention, reason } => {
                let mention = mention.and_then(|mention| self.span(Field::Text, mention));
                let speaker =
                    mention.map(|mention| SpeakerRecord { mention: Some(mention), entity: None });
                (speaker, Some(reason.as_str()), 1.0)
            }
        };
        Some(QuoteRecord {
            id: format!("q{}", index + 1),
            kind: quote.kind.as_str(),
            span,
            segments,
            cue,
            speaker,
            unattributed,
            confidence: unit_interval(quote.confidence * certainty),
        })
    }

    fn sentiment(&mut self, article: &ArticleTone) -> SentimentRecord {
        let sentences = article
            .sentences
            .iter()
            .filter_map(|sentence| {
                let span = self.span(Field::Text, sentence.span)?;
                let ToneRecord { label, score } = tone(sentence.tone);
                Some(SentenceRecord {
                    start: span.start,
                    end: span.end,
                    utf8: span.utf8,
                    utf16: span.utf16,
                    source: span.source,
                    label,
                    score,
                })
            })
            .collect();
        SentimentRecord {
            document: tone(article.document),
            narrator: article.narrator.map(tone),
            quoted: article.quoted.map(tone),
            headline: article.headline.map(tone),
            sentences,
        }
    }

    /// The published span, or `None` (counted) when it is not what it says in some unit.
    fn span(&mut self, field: Field, span: Span) -> Option<SpanRecord<'a>> {
        let record = self.checked_span(field, span);
        self.n_withheld += usize::from(record.is_none());
        record
    }

    fn checked_span(&self, field: Field, span: Span) -> Option<SpanRecord<'a>> {
        let article = self.article;
        let whole = article.field(field);
        let text = whole.get(span.start..span.end).filter(|text| !text.is_empty())?;
        let index = match field {
            Field::Headline => &self.headline,
            Field::Text => &self.text,
        };
        let (start, end) = (index.code_point(span.start), index.code_point(span.end));
        // Counted again from the covered text: a wrong index must not pass its own check.
        if end - start != text.chars().count() {
            return None;
        }
        let utf16 = RangeRecord { start: index.utf16(span.start), end: index.utf16(span.end) };
        if utf16.end - utf16.start != text.encode_utf16().count() {
            return None;
        }
        Some(SpanRecord {
            field: (field == Field::Headline).then_some("headline"),
            start,
            end,
            text,
            utf8: self.units.utf8.then_some(RangeRecord { start: span.start, end: span.end }),
            utf16: self.units.utf16.then_some(utf16),
            source: self.source(field, span),
        })
    }

    fn source(&self, field: Field, span: Span) -> Option<RangeRecord> {
        if !self.units.source || field != Field::Text {
            return None;
        }
        match &self.article.source_map {
            Some(map) => map
                .offsets
                .source_range(span.start, span.end)
                .map(|(start, end)| RangeRecord { start, end }),
            None => Some(RangeRecord { start: span.start, end: span.end }),
        }
    }
}

fn entity_id(index: usize) -> String {
    format!("e{}", index + 1)
}
