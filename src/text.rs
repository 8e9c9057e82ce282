//! Text split into paragraphs, sentences and words: shared by all stages.
//!
//! In: an [`Article`]. Out: a [`Segmented`] article. Sentences do not overlap, cover every word, and never cross a
//! paragraph; words are in text order.

mod abbreviations;
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
    /// The article as it was sent, where `article` is the same with other capitals.
    sent: Option<Box<Article>>,
    pub headline: Segments,
    pub text: Segments,
}

impl Segmented {
    pub fn new(article: Article) -> Self {
        let headline = Segments::of(article.field(Field::Headline));
        let text = Segments::of(article.field(Field::Text));
        Self { article, sent: None, headline, text }
    }

    /// For an article without capitals: `cased` is what the stages see, with the same length of each character.
    pub fn with_capitals(sent: Article, cased: Article) -> Self {
        Self { sent: Some(Box::new(sent)), ..Self::new(cased) }
    }

    /// The article to publish; spans are valid in it.
    pub fn sent(&self) -> &Article {
        self.sent.as_deref().unwrap_or(&self.article)
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

/// A word, number or mark. The possessive `'s` is a word of its own; `Jong-un`, `U.S.`, `Mr.`, `don't`, `’90s`, URLs,
/// e-mail addresses, `@handles` and `#hashtags` are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub span: Span,
    pub shape: Shape,
    pub sentence: usize,
}

/// The casing of a word: the evidence that names stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `word`, words of scripts without case, and addresses (`https://…`, `@Handle`), whose casing says nothing.
    Lower,
    /// `Word`, `Jong-un`, `A`.
    Capitalized,
    /// `NATO`, `U.S.`: at least two upper-case letters and no lower-case one.
    AllCaps,
    /// `McDonald`, `iPhone`, `eBay`.
    Mixed,
    /// Starts with a digit: `12`, `1,000`, `3.5`, `28-year-old`, `9am`.
    Number,
    /// `'s`, `’s` or a lone `'` after a plural (where no single quotation mark is open).
    Possessive,
    /// Punctuation and symbols, one character each; runs of stops (`...`) or hyphens (`--`) and an emoji with its
    /// parts are one.
    Mark,
}

impl Shape {
    /// The casing of a word that is neither a mark nor a possessive.
    pub fn of(word: &str) -> Self {
        words::shape_of(word)
    }

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
    text.split_inclusive(is_line_break)
        .scan(0, |start, line| {
            let span = Span::new(*start, *start + line.len());
            *start = span.end;
            Some(span)
        })
        .map(move |line| line.trim(text))
        .filter(|line| !line.is_empty())
}

/// The mandatory breaks of Unicode line breaking (UAX 14).
fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
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
    fn unicode_line_breaks_end_paragraphs() {
        let text = "One.\u{2028}two\u{2029}three\rfour\u{a0}five";
        let segments = Segments::of(text);
        let paragraphs: Vec<&str> = segments.paragraphs.iter().map(|p| p.span.of(text)).collect();
        assert_eq!(paragraphs, ["One.", "two", "three", "four\u{a0}five"]);
    }

    #[test]
    fn empty_text_has_no_segments() {
        assert_eq!(Segments::of(" \n\t\n"), Segments::default());
    }

    #[track_caller]
    fn check_invariants(text: &str) {
        let segments = Segments::of(text);
        let mut end = 0;
        for word in &segments.words {
            assert!(Span::checked(text, word.span.start, word.span.end).is_some());
            assert!(end <= word.span.start && !word.span.is_empty(), "{word:?} after {end}");
            assert!(!word.span.of(text).starts_with(char::is_whitespace), "{word:?}");
            end = word.span.end;
            assert!(segments.sentences[word.sentence].span.contains(word.span));
        }
        let (mut n_words, mut end) = (0, 0);
        for sentence in &segments.sentences {
            assert_eq!(sentence.words.start, n_words, "sentences cover every word");
            assert!(!sentence.words.is_empty() && end <= sentence.span.start);
            assert!(segments.paragraphs[sentence.paragraph].span.contains(sentence.span));
            (n_words, end) = (sentence.words.end, sentence.span.end);
        }
        assert_eq!(n_words, segments.words.len());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_segmented(text: String) {
            check_invariants(&text);
        }

        /// Built of what rules look at, so that they meet in every order.
        #[test]
        fn marks_in_any_order_are_segmented(pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                " ", "\n", "\u{2028}", "\u{a0}", ".", "...", "!", "?", "“", "”", "\"", "'", "’", "‘", ",", "-", "--",
                "—", "s", "S", "a", "He", "U", "Mr", "No", "1", "90s", "em", "@", "#", "&", "/", ":", "www.", "https://",
                "\u{ad}", "\u{200b}", "\u{301}", "\u{fe0f}", "👩", "\u{200d}", "🇫", "。", "ש", "•", "said", "(", ")",
            ]), 0..40,
        )) {
            check_invariants(&pieces.concat());
        }
    }

    #[test]
    fn monstrous_texts_are_segmented() {
        const N_CHARS: usize = 1_000_000;
        let texts = [
            "a",
            "\"",
            "“",
            "'",
            "’",
            "!",
            "?.",
            ".",
            ". ",
            "s'",
            "'s",
            "-",
            "a-",
            "a.",
            "A.",
            "1.",
            "@",
            "a@",
            "a+",
            "#",
            "www.",
            "(",
            "\u{200b}",
            "a\u{200b}",
            "\u{301}",
            "👩\u{200d}",
            "• ",
            "I. ",
            "Mr. ",
            "?” A ",
            "/a.co",
        ];
        for piece in texts {
            let text = piece.repeat(N_CHARS / piece.len());
            check_invariants(&text);
        }
        assert_eq!(Segments::of(&"a".repeat(N_CHARS)).words.len(), 1);
    }
}
