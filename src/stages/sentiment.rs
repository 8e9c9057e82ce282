//! In which tone: valenced words and the score of each sentence.
//!
//! In: a segmented article. Out: [`Tones`]. Which words are the narrator's and which an entity is the target of,
//! `link` decides.

use crate::article::{Field, Span};
use crate::text::Segmented;

/// The tone of every sentence, and the words that carry it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tones {
    /// Every sentence of headline and text, in order.
    pub sentences: Vec<SentenceTone>,
    /// Words that carry tone, in order, after negation and intensifiers.
    pub words: Vec<WordTone>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SentenceTone {
    pub field: Field,
    pub span: Span,
    pub n_words: usize,
    /// In [-1, 1].
    pub score: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordTone {
    pub field: Field,
    pub span: Span,
    /// In [-1, 1].
    pub valence: f32,
}

/// Scores the tone of an article.
pub fn score(_article: &Segmented) -> Tones {
    Tones::default()
}
