//! The words of a field with what can be seen of each alone.
//!
//! In: a field's segments. Out: one [`Token`] a word, and per sentence whether its capitals mean anything.

use std::ops::Range;

use super::compounds;
use super::lists::Classes;
use crate::article::{Field, Span};
use crate::knowledge::{Knowledge, Name, NameKey, WordEvidence, fold};
use crate::text::{Segments, Shape, Word};

/// A title-case headline capitalises common words too: from this share on, capitals are no evidence.
const TITLE_CASE_SHARE: f32 = 0.7;
/// Fewer such words do not tell a headline from a name.
const TITLE_CASE_WORDS_MIN: usize = 2;

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
    /// Index of the field's word that it is, or is a part of.
    pub(super) word: usize,
    /// Empty for marks.
    pub(super) folded: String,
    pub(super) evidence: WordEvidence,
    pub(super) classes: Classes,
    /// What the knowledge base knows under this word alone.
    pub(super) known: Option<Name>,
    pub(super) hashes: Hashes,
    /// Its capital may be the sentence's: first in it, or after an opening mark or a colon.
    pub(super) is_initial: bool,
}

/// Hashes of a word's parts, for features.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hashes {
    pub(super) word: u32,
    /// The first three and last three letters; shorter words whole.
    pub(super) prefix: u32,
    pub(super) suffix: u32,
    /// The pattern of letters and digits: `Aa`, `AA`, `A.`, `a-Aa`, `00`.
    pub(super) pattern: u32,
}

#[derive(Debug)]
pub(super) struct SentenceTokens {
    pub(super) tokens: Range<usize>,
    /// Common words are capitalised, or all letters are: a headline, a slug.
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
        let mut sentences = Vec::with_capacity(segments.sentences.len());
        for sentence in &segments.sentences {
            let first_token = tokens.len();
            for word in sentence.words.clone() {
                let Word { span, shape, .. } = segments.words[word];
                let parts = compounds::parts(span.of(text), span, shape, knowledge);
                if parts.is_empty() {
                    push(&mut tokens, first_token, Token::new(text, span, shape, word, knowledge));
                }
                for part in parts {
                    let shape =
                        if part.of(text) == "-" { Shape::Mark } else { Shape::of(part.of(text)) };
                    push(&mut tokens, first_token, Token::new(text, part, shape, word, knowledge));
                }
            }
            let is_title_case = is_title_case(&tokens[first_token..]);
            sentences.push(SentenceTokens { tokens: first_token..tokens.len(), is_title_case });
        }
        Self { field, text, tokens, sentences }
    }

    pub(super) fn span(&self, words: &Range<usize>) -> Span {
        self.tokens[words.start].span.cover(self.tokens[words.end - 1].span)
    }

    /// Whether the token is a part of a word that was parted.
    pub(super) fn is_part(&self, at: usize) -> bool {
        let word = self.tokens[at].word;
        let is_of_word = |at: Option<usize>| {
            at.and_then(|at| self.tokens.get(at)).is_some_and(|token| token.word == word)
        };
        is_of_word(at.checked_sub(1)) || is_of_word(at.checked_add(1))
    }

    /// The surface of a run of words, white space as written.
    pub(super) fn surface(&self, words: &Range<usize>) -> &'a str {
        self.span(words).of(self.text)
    }
}

/// Appends a token of the sentence that starts at `first_token`.
fn push<'a>(tokens: &mut Vec<Token<'a>>, first_token: usize, mut token: Token<'a>) {
    token.is_initial = match tokens.get(first_token..).and_then(<[_]>::last) {
        Some(previous) => opens_a_clause(previous, token.span),
        None => true,
    };
    tokens.push(token);
}

impl<'a> Token<'a> {
    fn new(field: &'a str, span: Span, shape: Shape, word: usize, knowledge: &Knowledge) -> Self {
        let text = span.of(field);
        let mut token = Self {
            text,
            span,
            shape,
            word,
            folded: String::new(),
            evidence: WordEvidence::default(),
            classes: Classes::default(),
            known: None,
            hashes: Hashes { word: hash(text), pattern: hash(text), ..Hashes::default() },
            is_initial: false,
        };
        if shape != Shape::Mark {
            let folded = fold(text);
            let mut key = NameKey::default();
            key.push(&folded);
            token.evidence = knowledge.word(&folded);
            token.classes = Classes::of(&folded);
            token.known = shape.is_name_like().then(|| knowledge.name(key)).flatten();
            token.hashes = Hashes::of(text, &folded);
            token.folded = folded;
        }
        token
    }
}

/// Letters of a prefix or suffix.
const AFFIX_CHARS: usize = 3;

impl Hashes {
    fn of(text: &str, folded: &str) -> Self {
        let prefix_end = folded.char_indices().nth(AFFIX_CHARS).map_or(folded.len(), |(at, _)| at);
        let suffix_start = folded.char_indices().rev().nth(AFFIX_CHARS - 1).map_or(0, |(at, _)| at);
        Self {
            word: hash(folded),
            prefix: folded.get(..prefix_end).map_or(0, hash),
            suffix: folded.get(suffix_start..).map_or(0, hash),
            pattern: pattern(text),
        }
    }
}

/// FNV-1a, 32 bits.
pub(super) fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The hash of a word's pattern: runs of one class count once, and at most eight changes count.
fn pattern(text: &str) -> u32 {
    let mut pattern = String::new();
    for c in text.chars() {
        let class = match c {
            _ if c.is_uppercase() => 'A',
            _ if c.is_alphabetic() => 'a',
            _ if c.is_numeric() => '0',
            '’' => '\'',
            _ => c,
        };
        if !pattern.ends_with(class) || class == 'A' && !pattern.ends_with("AA") {
            pattern.push(class);
        }
        if pattern.len() >= 8 {
            break;
        }
    }
    hash(&pattern)
}

fn opens_a_clause(previous: &Token<'_>, next: Span) -> bool {
    match previous.text {
        "“" | "„" | "«" | "(" | "[" | "•" | "*" | ":" | "—" | "–" => true,
        "\"" | "'" | "‘" => previous.span.end == next.start,
        _ => previous.is_initial && previous.shape == Shape::Mark,
    }
}

fn is_title_case(tokens: &[Token<'_>]) -> bool {
    let mut words = tokens.iter().filter(|token| !token.folded.is_empty()).peekable();
    if words.peek().is_some() && words.clone().all(|token| token.shape == Shape::AllCaps) {
        return words.count() >= TITLE_CASE_WORDS_MIN;
    }
    let is_common = |token: &&Token<'_>| {
        token.folded.len() > 3 && token.evidence.lower_share().is_some_and(|share| share >= 0.5)
    };
    let common = words.skip(1).filter(is_common);
    let (n_common, n_upper) = common.fold((0usize, 0usize), |(common, upper), token| {
        (common + 1, upper + usize::from(token.shape.is_name_like()))
    });
    #[expect(clippy::cast_precision_loss, reason = "a sentence has a few hundred words at most")]
    let share = n_upper as f32 / n_common.max(1) as f32;
    n_common >= TITLE_CASE_WORDS_MIN && share >= TITLE_CASE_SHARE
}
