//! Who is quoted: spans, cues and the source as it is written.
//!
//! In: a segmented article. Out: quotes in text order that do not overlap; quotes of the body alone (a headline
//! repeats what the body quotes). Which entity a source is, `link` decides.

mod adjuncts;
mod attribution;
mod clauses;
mod cues;
mod lexicon;
mod marks;
mod names;
mod paragraphs;
mod revision;
mod phrases;
mod sources;
mod tokens;
mod verbs;

use crate::article::{Field, Span};
use crate::model::ArticleReading;
use crate::text::Segmented;
use tokens::Lines;

/// One statement that somebody else makes in the article.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    pub kind: QuoteKind,
    /// One span a paragraph; more than one for a quotation that runs over paragraphs. Never empty.
    pub segments: Vec<Span>,
    /// The reporting word or words: "said", "according to".
    pub cue: Option<Span>,
    pub source: Source,
    /// In [0, 1]: that this is a quote with these bounds.
    pub confidence: f32,
}

impl Quote {
    /// From the first segment's start to the last one's end.
    pub fn span(&self) -> Span {
        self.segments[0].cover(self.segments[self.segments.len() - 1])
    }

    /// Whether its speaker is that of the quote before it.
    fn goes_on(&self) -> bool {
        self.source == Source::SameAsPrevious
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuoteKind {
    /// Between quotation marks.
    Direct,
    /// A reported clause without quotation marks.
    Indirect,
    /// A reported clause that contains quoted words.
    Mixed,
}

impl QuoteKind {
    pub const ALL: [Self; 3] = [Self::Direct, Self::Indirect, Self::Mixed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Indirect => "indirect",
            Self::Mixed => "mixed",
        }
    }
}

/// Who the text says is speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A noun phrase or pronoun beside the cue: "White House spokeswoman Sarah Sanders", "he".
    Written(Span),
    /// No cue of its own: it goes on with the quote before it.
    SameAsPrevious,
    /// Nothing says who speaks.
    Unstated,
}

/// Finds the quotes of an article's body: by rule, revised by what the reader says. An empty reading leaves the rules'.
pub fn find(article: &Segmented, reading: &ArticleReading) -> Vec<Quote> {
    let (text, segments) = (article.article.field(Field::Text), &article.text);
    let quotations = marks::find(text, &segments.paragraphs);
    let quotations = names::without_names(text, segments, quotations);
    let lines = Lines::of(text, segments, &quotations);
    let statements = lines
        .lines
        .iter()
        .map(|line| attribution::read(text, &lines.tokens[line.tokens.clone()], &quotations))
        .collect();
    let quotes = paragraphs::join(text, &segments.paragraphs, &lines, &quotations, statements);
    revision::revise(segments, quotes, reading.field(Field::Text))
}
