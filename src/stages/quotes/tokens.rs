//! The narrator's sentences: each quotation is one token in the sentence that reports it.
//!
//! In: a segmented text and its quotations. Out: [`Line`]s of tokens. A sentence that ends inside a quotation goes on
//! after it; one that ends with the quotation ends there, unless the cue follows ("“Why?” Smith asked").

use std::ops::Range;

use super::lexicon::{self, Cue, Tags};
use super::marks::Quotation;
use crate::article::Span;
use crate::text::{Segments, Shape};

/// How far after a question or exclamation the cue may stand, in tokens: a name with a title and a long apposition.
const CUE_DISTANCE_MAX: usize = 12;

/// Longest dateline in words: "RIO DE JANEIRO, Brazil (Reuters) —".
const DATELINE_WORDS_MAX: usize = 10;

/// Longest line in tokens: rules look back and forth within a line, so its length bounds their work.
const LINE_TOKENS_MAX: usize = 600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) span: Span,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    pub(super) tags: Tags,
    pub(super) cue: Option<Cue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// Index into the quotations.
    Quote(usize),
    Comma,
    Colon,
    Semicolon,
    Dash,
    /// A full stop, question or exclamation mark.
    Stop,
    /// Any other mark.
    Mark,
}

impl Token {
    pub(super) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }

    pub(super) fn is_quote(&self) -> bool {
        matches!(self.kind, Kind::Quote(_))
    }

    pub(super) fn has(&self, tags: Tags) -> bool {
        self.tags.has(tags)
    }

    pub(super) fn is_name(&self) -> bool {
        self.is_word() && self.shape.is_name_like()
    }
}

/// A sentence of the narrator, as a range of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) tokens: Range<usize>,
    pub(super) paragraph: usize,
}

/// Tokens and lines of a text.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) tokens: Vec<Token>,
    pub(super) lines: Vec<Line>,
}

impl Lines {
    pub(super) fn of(text: &str, segments: &Segments, quotations: &[Quotation]) -> Self {
        let mut lines = Self::default();
        for (index, paragraph) in segments.paragraphs.iter().enumerate() {
            let sentences = &segments.sentences[paragraph.sentences.clone()];
            let (Some(first), Some(last)) = (sentences.first(), sentences.last()) else { continue };
            let words = first.words.start..last.words.end;
            lines.add_paragraph(text, segments, quotations, (index, words));
        }
        lines
    }

    fn add_paragraph(
        &mut self,
        text: &str,
        segments: &Segments,
        quotations: &[Quotation],
        (paragraph, words): (usize, Range<usize>),
    ) {
        let mut next = quotations.partition_point(|q| q.paragraph < paragraph);
        let mut start = self.tokens.len();
        let mut sentence = segments.words[words.start].sentence;
        let mut at = words.start;
        while at < words.end {
            let word = segments.words[at];
            let quotation = quotations.get(next).filter(|q| q.span.start < word.span.end);
            let is_next = word.sentence != sentence;
            if is_next && self.breaks(text, segments, quotations, at, start)
                || self.tokens.len() - start >= LINE_TOKENS_MAX
                || at - words.start < DATELINE_WORDS_MAX && is_dateline(&self.tokens[start..])
            {
                self.push_line(start, paragraph);
                start = self.tokens.len();
            }
            sentence = word.sentence;
            if let Some(quotation) = quotation {
                let inside = segments.words_in(quotation.span);
                self.tokens.push(Token {
                    span: quotation.span,
                    kind: Kind::Quote(next),
                    shape: Shape::Mark,
                    tags: Tags::NONE,
                    cue: None,
                });
                next += 1;
                at = inside.end.max(at + 1);
                sentence = segments.words[at - 1].sentence;
            } else {
                self.tokens.push(token(text, word));
                at += 1;
            }
        }
        self.push_line(start, paragraph);
    }

    fn push_line(&mut self, start: usize, paragraph: usize) {
        if start < self.tokens.len() {
            self.lines.push(Line { tokens: start..self.tokens.len(), paragraph });
        }
    }

    /// Whether the sentence that begins with word `at` begins a line. After "“Why?”" a name and a cue do not; after a
    /// full stop, only a name and a cue that are all of it.
    fn breaks(
        &self,
        text: &str,
        segments: &Segments,
        quotations: &[Quotation],
        at: usize,
        start: usize,
    ) -> bool {
        let Some(Token { kind: Kind::Quote(last), .. }) = self.tokens[start..].last() else {
            return true;
        };
        let inner = quotations[*last].inner.of(text).trim_end();
        if !inner.ends_with(['?', '!', '…', '—', '-', '.']) {
            return true;
        }
        let has_stop = inner.ends_with('.');
        let mut words = segments.words[at..].iter().take(CUE_DISTANCE_MAX);
        let cue = words.position(|word| {
            let (tags, cue) = lexicon::look_up(word.span.of(text));
            cue.is_some_and(|cue| !cue.is_nounlike) || tags.has(Tags::AUXILIARY | Tags::PAST)
        });
        let Some(cue) = cue else { return true };
        let is_cue = lexicon::look_up(segments.words[at + cue].span.of(text)).1.is_some();
        let after = segments.words.get(at + cue + 1).map_or("", |word| word.span.of(text));
        let ends = matches!(after, "." | "");
        let goes_on = matches!(after, "," | ":" | "in" | "on" | "at");
        !(is_cue && cue > 0 && (ends || goes_on && !has_stop))
    }
}

/// "SEOUL —", "PARIS, Texas (AP) –": where the report comes from is no part of its first sentence.
fn is_dateline(tokens: &[Token]) -> bool {
    let [first, middle @ .., last] = tokens else { return false };
    first.shape == Shape::AllCaps
        && last.kind == Kind::Dash
        && middle.iter().all(|token| {
            token.is_name()
                || matches!(token.kind, Kind::Comma | Kind::Mark)
                || token.has(Tags::TIME)
                || token.shape == Shape::Number
        })
}

fn token(text: &str, word: crate::text::Word) -> Token {
    let written = word.span.of(text);
    let kind = match written {
        "," => Kind::Comma,
        ":" => Kind::Colon,
        ";" => Kind::Semicolon,
        "—" | "–" | "-" => Kind::Dash,
        "." | "!" | "?" | "…" => Kind::Stop,
        _ if word.shape == Shape::Mark => Kind::Mark,
        _ => Kind::Word,
    };
    let (tags, cue) = match kind {
        Kind::Word => lexicon::look_up(written),
        _ => (Tags::NONE, None),
    };
    Token { span: word.span, kind, shape: word.shape, tags, cue }
}
