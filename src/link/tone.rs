//! Tone told apart: document, narrator, quoted voices, headline, and each entity.
//!
//! In: the sentiment stage's tones, the entities, and the quotes with their speakers. Out: scores in [-1, 1] with
//! their labels.
//!
//! - A sentence's tone is that of its words, by lexicon and reader (`stages::sentiment`), its valences by the square root
//!   of its length; a document's is the mean of its sentences', so that each sentence counts alike.
//! - A voice's is the same over its own words: the narrator has what lies outside quotes, the quoted voices what lies
//!   inside them; a sentence shared by both counts for each by its share of the words. The headline's is the mean of its
//!   own sentences'.
//! - An entity's is the sum of what each sentence that names it says of it (its own quoted words left out: who speaks
//!   is not spoken of), by the square root of the article's sentences: once in a brief weighs as much as often in a
//!   long report. The sentences that say most of it are its evidence.

mod targets;
mod voices;

use crate::article::{Field, Span};
use crate::link::LinkedQuote;
use crate::stages::Tones;
use crate::text::Segmented;

pub use targets::TargetTone;
pub(super) use targets::of_entities;

/// Scores within this distance of zero are neutral: in news that is the common case. Chosen on the training data
/// (`training/sentiment/README.md`).
const NEUTRAL_SCORE_MAX: f32 = 0.25;

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

pub(super) fn aggregate(article: &Segmented, tones: &Tones, quotes: &[LinkedQuote]) -> ArticleTone {
    let voices = voices::of_text(article, tones, quotes);
    let headline = voices::of_headline(article, tones);
    let body = tones.sentences.iter().filter(|sentence| sentence.field == Field::Text);
    let sentences =
        body.map(|s| SentenceScore { span: s.span, tone: Tone { score: s.score } }).collect();
    ArticleTone {
        // An article that is only a headline has its tone.
        document: voices.document.or(headline).unwrap_or_default(),
        narrator: voices.narrator,
        quoted: voices.quoted,
        headline,
        sentences,
    }
}
