//! The words of a field with what the knowledge base says about each.
//!
//! In: a field's segments. Out: one [`Token`] a word, and per sentence whether its capitals mean anything.

use std::ops::Range;

use crate::article::{Field, Span};
use crate::knowledge::{Knowledge, WordEvidence, fold};
use crate::text::{Segments, Shape};

/// A title-case headline capitalises nearly every word: from this share on, capitals are no evidence.
const TITLE_CASE_SHARE: f32 = 0.7;
/// Below this many words a sentence is too short to tell title case from a name.
const TITLE_CASE_WORDS_MIN: usize = 4;

#[derive(Debug)]
pub(super) struct FieldTokens<'a> {
    pub(super) field: Field,
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) sentences: Vec<SentenceTokens>,
}

#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
    pub(super) shape: Shape,
    pub(super) folded: String,
    pub(super) evidence: WordEvidence,
    /// Its capital may be the sentence's: first in it, or after an opening mark or a colon.
    pub(super) is_initial: bool,
}

#[derive(Debug)]
pub(super) struct SentenceTokens {
    pub(super) tokens: Range<usize>,
    /// Nearly every word is capitalised, or all letters are: a headline, a slug.
    pub(super) is_title_case: bool,
}

impl<'a> FieldTokens<'a> {
    pub(super) fn new(
        field: Field,
        text: &'a str,
        segments: &Segments,
        knowledge: &Knowledge,
    ) -> Self {
        let mut tokens: Vec<Token<'a>> = Vec::with_capacity(segments.words.len());
        for (i, word) in segments.words.iter().enumerate() {
            let starts_sentence = i == 0 || segments.words[i - 1].sentence != word.sentence;
            let is_initial = starts_sentence
                || tokens.last().is_some_and(|previous| opens_a_clause(previous, word.span));
            let surface = word.span.of(text);
            let folded = if word.shape == Shape::Mark { String::new() } else { fold(surface) };
            let evidence = knowledge.word(&folded);
            tokens.push(Token {
                text: surface,
                span: word.span,
                shape: word.shape,
                folded,
                evidence,
                is_initial,
            });
        }
        let sentences = segments
            .sentences
            .iter()
            .map(|sentence| SentenceTokens {
                tokens: sentence.words.clone(),
                is_title_case: is_title_case(&tokens[sentence.words.clone()]),
            })
            .collect();
        Self { field, text, tokens, sentences }
    }

    pub(super) fn span(&self, words: &Range<usize>) -> Span {
        self.tokens[words.start].span.cover(self.tokens[words.end - 1].span)
    }

    /// The surface of a run of words, white space as written.
    pub(super) fn surface(&self, words: &Range<usize>) -> &'a str {
        self.span(words).of(self.text)
    }
}

fn opens_a_clause(previous: &Token<'_>, next: Span) -> bool {
    match previous.text {
        "“" | "„" | "«" | "(" | "[" | "•" | "*" | ":" | "—" | "–" => true,
        "\"" | "'" | "‘" => previous.span.end == next.start,
        _ => previous.is_initial && previous.shape == Shape::Mark,
    }
}

fn is_title_case(tokens: &[Token<'_>]) -> bool {
    let words = tokens.iter().filter(|token| token.folded.len() > 3);
    let (n_words, n_upper) = words.fold((0usize, 0usize), |(words, upper), token| {
        (words + 1, upper + usize::from(token.shape.is_name_like()))
    });
    #[expect(clippy::cast_precision_loss, reason = "a sentence has a few hundred words at most")]
    let share = n_upper as f32 / n_words.max(1) as f32;
    n_words >= TITLE_CASE_WORDS_MIN && share >= TITLE_CASE_SHARE
}
