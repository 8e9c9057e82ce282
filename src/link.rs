//! The three stages' findings joined: speakers to entities, tone to entities and voices.
//!
//! In: a segmented article and its [`Annotations`]. Out: [`Linked`], in which each quote's speaker is an entity of the
//! article or says why not, and tone is told apart by who speaks. Pure, and cannot fail: doubt is data.

mod speakers;
mod tone;

use crate::article::{Field, Span};
use crate::stages::{Annotations, Entity, Quote};
use crate::text::Segmented;

pub use tone::{ArticleTone, SentenceScore, TargetTone, Tone};

/// What is published of an article, still in byte offsets.
#[derive(Debug)]
pub struct Linked {
    pub entities: Vec<LinkedEntity>,
    pub quotes: Vec<LinkedQuote>,
    pub tone: ArticleTone,
}

#[derive(Debug)]
pub struct LinkedEntity {
    pub entity: Entity,
    /// What the article says about it.
    pub tone: Tone,
    /// The sentences that carry a tone that is not neutral.
    pub evidence: Vec<(Field, Span)>,
}

#[derive(Debug)]
pub struct LinkedQuote {
    pub quote: Quote,
    pub speaker: Speaker,
}

/// Who speaks, as far as the article says.
#[derive(Debug, Clone, PartialEq)]
pub enum Speaker {
    /// Index into [`Linked::entities`], and the mention as written (`None` when the quote goes on without one).
    Entity { entity: usize, mention: Option<Span>, confidence: f32 },
    /// The mention as written names nobody.
    Unattributed { mention: Option<Span>, reason: Unattributed },
}

/// Why nobody is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unattributed {
    /// Nothing says who speaks.
    NoSource,
    /// "officials", "a spokesman", "critics": somebody whom the article does not name.
    Anonymous,
    /// More than one entity could be meant.
    Ambiguous,
    /// The entities stage has no result to resolve to.
    EntitiesMissing,
}

impl Unattributed {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSource => "no_source",
            Self::Anonymous => "anonymous",
            Self::Ambiguous => "ambiguous",
            Self::EntitiesMissing => "entities_missing",
        }
    }
}

/// Joins the findings of the three stages.
pub fn link(article: &Segmented, annotations: Annotations) -> Linked {
    let Annotations { entities, quotes, sentiment } = annotations;
    let speakers = speakers::resolve(article, &entities, &quotes.value);
    let quotes: Vec<LinkedQuote> = quotes
        .value
        .into_iter()
        .zip(speakers)
        .map(|(quote, speaker)| LinkedQuote { quote, speaker })
        .collect();
    let tone = tone::aggregate(article, &sentiment.value, &quotes);
    let tones = tone::of_entities(article, &sentiment.value, &entities.value, &quotes);
    let entities = entities
        .value
        .into_iter()
        .zip(tones)
        .map(|(entity, TargetTone { tone, evidence })| LinkedEntity { entity, tone, evidence })
        .collect();
    Linked { entities, quotes, tone }
}
