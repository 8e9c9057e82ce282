//! WordPiece: what an uncased encoder makes of a word.
//!
//! In: one word. Out: 1 to 16 ids of pieces: the word without case and accents, cut at marks, each token as the longest
//! pieces that the vocabulary has (training's `FORMAT.md`, §3; the same as the `tokenizers` library on single words).
//! Work and memory are bounded for a word of any length.

use std::collections::HashMap;

use unicode_general_category::{GeneralCategory as Category, get_general_category};
use unicode_normalization::UnicodeNormalization as _;

use super::weights::LoadError;

/// A longer token is unknown.
const TOKEN_CHARS_MAX: usize = 100;
/// What is read of a word: 16 pieces are found long before, unless hardly any character counts.
const WORD_CHARS_MAX: usize = 4096;
/// A lower-cased word up to here is looked up whole before it is taken apart.
const SHORT_WORD_BYTES_MAX: usize = 24;

const CONTINUES: &str = "##";

#[derive(Debug)]
pub(super) struct Vocabulary {
    /// Pieces that start a token.
    starts: HashMap<Box<str>, u16>,
    /// Pieces that continue one, without their `##`.
    continuations: HashMap<Box<str>, u16>,
    /// Of the longest piece.
    piece_bytes_max: usize,
    pieces_per_word_max: usize,
    unknown: u16,
    pub(super) cls: u16,
    pub(super) sep: u16,
}

impl Vocabulary {
    /// `text` is the pieces, one a line; the line's number is the id.
    pub(super) fn parse(
        text: &[u8],
        n_pieces: usize,
        pieces_per_word_max: usize,
    ) -> Result<Self, LoadError> {
        let refuse = |detail| LoadError::Vocabulary { detail };
        let text = std::str::from_utf8(text).map_err(|_| refuse("it is not UTF-8"))?;
        if text.split('\n').count() != n_pieces {
            return Err(refuse("it has another number of pieces than the architecture"));
        }
        let (mut starts, mut continuations) = (HashMap::new(), HashMap::new());
        let mut piece_bytes_max = 0;
        for (id, line) in (0..=u16::MAX).zip(text.split('\n')) {
            let (table, piece) = match line.strip_prefix(CONTINUES) {
                Some(piece) if !piece.is_empty() => (&mut continuations, piece),
                _ => (&mut starts, line),
            };
            if table.insert(Box::from(piece), id).is_some() {
                return Err(refuse("a piece stands in it twice"));
            }
            piece_bytes_max = piece_bytes_max.max(piece.len());
        }
        let special = |name| starts.get(name).copied().ok_or(refuse("it lacks a special piece"));
        let (unknown, cls, sep) = (special("[UNK]")?, special("[CLS]")?, special("[SEP]")?);
        Ok(Self { starts, continuations, piece_bytes_max, pieces_per_word_max, unknown, cls, sep })
    }

    /// Appends the pieces of a word, at least one.
    pub(super) fn split(&self, word: &str, pieces: &mut Vec<u16>) {
        if let Some(piece) = self.whole(word) {
            pieces.push(piece);
            return;
        }
        let first = pieces.len();
        let end = first + self.pieces_per_word_max;
        let mut token = Token::default();
        let folded = word.chars().take(WORD_CHARS_MAX).flat_map(char::to_lowercase).nfd();
        for c in folded {
            match kind_of(c) {
                Kind::Dropped => {}
                Kind::Letter => token.push(c),
                kind => {
                    self.split_token(&token, pieces);
                    token.clear();
                    if kind == Kind::Alone {
                        token.push(c);
                        self.split_token(&token, pieces);
                        token.clear();
                    }
                }
            }
            if pieces.len() >= end {
                break;
            }
        }
        self.split_token(&token, pieces);
        pieces.truncate(end);
        if pieces.len() == first {
            pieces.push(self.unknown);
        }
    }

    /// The id of a short word of ASCII letters and digits that is one piece: most words are.
    fn whole(&self, word: &str) -> Option<u16> {
        let mut lower = [0; SHORT_WORD_BYTES_MAX];
        let lower = lower.get_mut(..word.len())?;
        for (lower, byte) in lower.iter_mut().zip(word.bytes()) {
            if !byte.is_ascii_alphanumeric() {
                return None;
            }
            *lower = byte.to_ascii_lowercase();
        }
        self.starts.get(std::str::from_utf8(lower).ok()?).copied()
    }

    /// Longest match first; a token in which no piece fits at some point is unknown as a whole.
    fn split_token(&self, token: &Token, pieces: &mut Vec<u16>) {
        if token.n_chars == 0 {
            return;
        }
        let first = pieces.len();
        let mut rest = token.text.as_str();
        let mut table = &self.starts;
        while !rest.is_empty() && token.n_chars <= TOKEN_CHARS_MAX {
            let longest = (1..=rest.len().min(self.piece_bytes_max)).rev().find_map(|end| {
                let (piece, after) = rest.split_at_checked(end)?;
                Some((*table.get(piece)?, after))
            });
            let Some((piece, after)) = longest else { break };
            pieces.push(piece);
            rest = after;
            table = &self.continuations;
        }
        if !rest.is_empty() {
            pieces.truncate(first);
            pieces.push(self.unknown);
        }
    }
}

/// Letters between marks, as far as they can matter.
#[derive(Debug, Default)]
struct Token {
    text: String,
    n_chars: usize,
}

impl Token {
    fn push(&mut self, c: char) {
        self.n_chars += 1;
        if self.n_chars <= TOKEN_CHARS_MAX + 1 {
            self.text.push(c);
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.n_chars = 0;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    /// A token of its own.
    Alone,
    Space,
    /// Accents, and what cannot be seen.
    Dropped,
}

fn kind_of(c: char) -> Kind {
    if c.is_ascii() {
        return match c {
            _ if c.is_ascii_alphanumeric() => Kind::Letter,
            _ if c.is_ascii_graphic() => Kind::Alone,
            ' ' => Kind::Space,
            _ => Kind::Dropped,
        };
    }
    match c {
        '\u{4e00}'..='\u{9fff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{20000}'..='\u{2ceaf}'
        | '\u{f900}'..='\u{faff}'
        | '\u{2f800}'..='\u{2fa1f}' => return Kind::Alone,
        _ => {}
    }
    match get_general_category(c) {
        Category::NonspacingMark
        | Category::Control
        | Category::Format
        | Category::Unassigned
        | Category::PrivateUse => Kind::Dropped,
        Category::ConnectorPunctuation
        | Category::DashPunctuation
        | Category::OpenPunctuation
        | Category::ClosePunctuation
        | Category::InitialPunctuation
        | Category::FinalPunctuation
        | Category::OtherPunctuation => Kind::Alone,
        _ if c.is_whitespace() => Kind::Space,
        _ => Kind::Letter,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const PIECES_PER_WORD_MAX: usize = 16;

    fn parse(text: &str) -> Result<Vocabulary, LoadError> {
        Vocabulary::parse(text.as_bytes(), text.split('\n').count(), PIECES_PER_WORD_MAX)
    }

    /// Made by `training/reader/wordpiece_reference.py`.
    #[test]
    fn pieces_are_those_of_an_independent_tokenizer() {
        let reference: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/wordpiece.json")).unwrap();
        let lines: Vec<&str> =
            reference["vocabulary"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
        let vocabulary = parse(&lines.join("\n")).unwrap();
        let cases = reference["words"].as_array().unwrap();
        assert!(cases.len() > 150);
        let mut faults = Vec::new();
        for case in cases {
            let word = case[0].as_str().unwrap();
            let ids = |ids: &[u64]| -> Vec<String> {
                ids.iter().map(|&id| lines[usize::try_from(id).unwrap()].to_owned()).collect()
            };
            let expected: Vec<u64> =
                case[1].as_array().unwrap().iter().flat_map(Value::as_u64).collect();
            let mut pieces = Vec::new();
            vocabulary.split(word, &mut pieces);
            let found: Vec<u64> = pieces.iter().map(|&piece| piece.into()).collect();
            if found != expected {
                faults.push(format!("{word:?}: {:?}, expected {:?}", ids(&found), ids(&expected)));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn vocabularies_that_cannot_be_used_are_refused() {
        let refuse = |text: &str| match parse(text) {
            Err(LoadError::Vocabulary { detail }) => detail,
            other => panic!("{text:?}: {other:?}"),
        };
        assert_eq!(refuse("[UNK]\n[CLS]\na"), "it lacks a special piece");
        assert_eq!(refuse("[UNK]\n[CLS]\n[SEP]\na\na"), "a piece stands in it twice");
        assert!(Vocabulary::parse(b"\xff", 1, PIECES_PER_WORD_MAX).is_err());
        assert!(Vocabulary::parse(b"[UNK]\n[CLS]\n[SEP]", 2, PIECES_PER_WORD_MAX).is_err());
        assert!(parse("[UNK]\n[CLS]\n[SEP]\n##").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_word_has_1_to_16_pieces(word: String) {
            let vocabulary = parse("[UNK]\n[CLS]\n[SEP]\na\n##a\nb\n漢").unwrap();
            let mut pieces = Vec::new();
            vocabulary.split(&word, &mut pieces);
            proptest::prop_assert!((1..=PIECES_PER_WORD_MAX).contains(&pieces.len()));
        }
    }
}
