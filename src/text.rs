//! Text split into paragraphs, sentences and words: shared by all stages.
//!
//! In: an [`Article`]. Out: a [`Segmented`] article. Sentences do not overlap, cover every word, and never cross a
//! paragraph; words are in text order.

pub mod language;
pub mod normalize;
pub mod offsets;
mod sentences;
mod words;

use std::ops::Range;

use crate::article::{Article, Field, Span};

/// An article with its segments: what each stage receives.
#[derive(Debug)]
pub struct Segmented {
    pub article: Article,
    pub headline: Segments,
    pub text: Segments,
}

impl Segmented {
    pub fn new(article: Article) -> Self {
        let headline = Segments::of(article.field(Field::Headline));
        let text = Segments::of(article.field(Field::Text));
        Self { article, headline, text }
    }

    pub fn segments(&self, field: Field) -> &Segments {
        match field {
            Field::Headline => &self.headline,
            Field::Text => &self.text,
        }
    }
}

/// Paragraphs, sentences and words of one text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Segments {
    pub paragraphs: Vec<Paragraph>,
    pub sentences: Vec<Sentence>,
    pub words: Vec<Word>,
}

/// One line of the canonical text that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    pub span: Span,
    pub sentences: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Without white space at either end; closing quotation marks belong to the sentence they close.
    pub span: Span,
    pub words: Range<usize>,
    pub paragraph: usize,
}

/// A word, number or mark. The possessive `'s` is a word of its own; `Jong-un`, `U.S.`, `Mr.`, `don't` are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub span: Span,
    pub shape: Shape,
    pub sentence: usize,
}

/// The casing of a word: the evidence that names stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `word`, and words of scripts without case.
    Lower,
    /// `Word`, `Jong-un`, `A`.
    Capitalized,
    /// `NATO`, `U.S.`: at least two upper-case letters and no lower-case one.
    AllCaps,
    /// `McDonald`, `iPhone`, `eBay`.
    Mixed,
    /// Starts with a digit: `12`, `1,000`, `3.5`, `28-year-old`, `9am`.
    Number,
    /// `'s`, `’s` or a lone `'` after a plural.
    Possessive,
    /// Punctuation and symbols, one character each.
    Mark,
}

impl Shape {
    /// Whether a name can be written this way.
    pub fn is_name_like(self) -> bool {
        matches!(self, Self::Capitalized | Self::AllCaps | Self::Mixed)
    }
}

impl Segments {
    pub fn of(text: &str) -> Self {
        let mut segments = Self::default();
        for paragraph in paragraph_spans(text) {
            let first_word = segments.words.len();
            words::split(text, paragraph, &mut segments.words);
            let first_sentence = segments.sentences.len();
            sentences::split(text, first_word, segments.paragraphs.len(), &mut segments);
            segments.paragraphs.push(Paragraph {
                span: paragraph,
                sentences: first_sentence..segments.sentences.len(),
            });
        }
        segments
    }

    pub fn words_of(&self, sentence: &Sentence) -> &[Word] {
        &self.words[sentence.words.clone()]
    }

    /// Index of the first word that ends after `position`.
    pub fn word_at(&self, position: usize) -> usize {
        self.words.partition_point(|word| word.span.end <= position)
    }

    /// Index of the last sentence that starts at or before `position`; 0 when there is none.
    pub fn sentence_at(&self, position: usize) -> usize {
        self.sentences.partition_point(|sentence| sentence.span.start <= position).saturating_sub(1)
    }

    /// Indices of the words that lie inside `span`.
    pub fn words_in(&self, span: Span) -> Range<usize> {
        let first = self.words.partition_point(|word| word.span.start < span.start);
        let end = self.words.partition_point(|word| word.span.end <= span.end);
        first..end.max(first)
    }
}

/// The lines of `text` that are not blank, without white space at either end.
fn paragraph_spans(text: &str) -> impl Iterator<Item = Span> {
    text.split_inclusive('\n')
        .scan(0, |start, line| {
            let span = Span::new(*start, *start + line.len());
            *start = span.end;
            Some(span)
        })
        .map(move |line| line.trim(text))
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_sentences_and_words_nest() {
        let text = " One two.  Three!\r\n\n\tFour\n";
        let segments = Segments::of(text);
        let paragraphs: Vec<&str> = segments.paragraphs.iter().map(|p| p.span.of(text)).collect();
        assert_eq!(paragraphs, ["One two.  Three!", "Four"]);
        let sentences: Vec<&str> = segments.sentences.iter().map(|s| s.span.of(text)).collect();
        assert_eq!(sentences, ["One two.", "Three!", "Four"]);
        assert_eq!(segments.paragraphs[1].sentences, 2..3);
        assert_eq!(segments.words_of(&segments.sentences[0]).len(), 3);
        assert_eq!(segments.sentence_at(12), 1);
    }

    #[test]
    fn empty_text_has_no_segments() {
        assert_eq!(Segments::of(" \n\t\n"), Segments::default());
    }
}
