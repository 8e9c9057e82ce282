//! Candidates: the runs of words of a sentence that may be names.
//!
//! In: the tokens of a sentence, and the names that the reader's tags give. Out: candidates in order of their start, then their end: a capitalised first word
//! (or a number before one), connectors and marks between, and at most [`NAME_TOKENS_MAX`] words, so that their number
//! is linear in the sentence.

use std::ops::Range;

use super::lists::Classes;
use super::tokens::{FieldTokens, Token};
use crate::knowledge::{Knowledge, Name, NameKey};
use crate::text::Shape;

/// Longest name in words: "International Committee on the Taxonomy of Viruses" has seven, treaties up to ten.
const NAME_TOKENS_MAX: usize = 10;

/// A run of words that may be a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) words: Range<usize>,
    pub(super) known: Option<Name>,
}

pub(super) fn of(
    field: &FieldTokens<'_>,
    sentence: &Range<usize>,
    tagged: &[Range<usize>],
    knowledge: &Knowledge,
) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    let tokens = &field.tokens;
    for start in sentence.clone().filter(|&at| can_start(tokens, at, sentence.end)) {
        let ceiling = sentence.end.min(start + NAME_TOKENS_MAX);
        let mut key = NameKey::default();
        for at in start..ceiling {
            if at > start && !can_go_on(tokens, at, sentence.end) {
                break;
            }
            if tokens[at].shape == Shape::Possessive {
                key.push_possessive();
            } else {
                key.push(&tokens[at].folded);
            }
            if can_end(tokens, start, at) {
                candidates.push(Candidate { words: start..at + 1, known: knowledge.name(key) });
            }
        }
    }
    add_tagged(field, tagged, knowledge, &mut candidates);
    candidates
}

/// Adds the names of the reader's tags that the rules did not propose.
fn add_tagged(
    field: &FieldTokens<'_>,
    tagged: &[Range<usize>],
    knowledge: &Knowledge,
    candidates: &mut Vec<Candidate>,
) {
    let order = |words: &Range<usize>| (words.start, words.end);
    for words in tagged {
        if let Err(place) =
            candidates.binary_search_by_key(&order(words), |candidate| order(&candidate.words))
        {
            let mut key = NameKey::default();
            for token in &field.tokens[words.clone()] {
                if token.shape == Shape::Possessive {
                    key.push_possessive();
                } else {
                    key.push(&token.folded);
                }
            }
            candidates
                .insert(place, Candidate { words: words.clone(), known: knowledge.name(key) });
        }
    }
}

fn can_start(tokens: &[Token<'_>], at: usize, end: usize) -> bool {
    let token = &tokens[at];
    match token.shape {
        Shape::Capitalized | Shape::AllCaps | Shape::Mixed => true,
        // "bin Laden", "2008 Summer Olympics".
        Shape::Lower => {
            token.classes.any(Classes::PARTICLE)
                && at + 1 < end
                && tokens[at + 1].shape.is_name_like()
        }
        Shape::Number => {
            at + 1 < end && tokens[at + 1].shape.is_name_like() || token.text.contains('/')
        }
        Shape::Possessive | Shape::Mark => false,
    }
}

fn can_go_on(tokens: &[Token<'_>], at: usize, end: usize) -> bool {
    let token = &tokens[at];
    let attached = tokens[at - 1].span.end == token.span.start;
    let next_is_name = || at + 1 < end && tokens[at + 1].shape.is_name_like();
    match token.shape {
        Shape::Capitalized | Shape::AllCaps | Shape::Mixed | Shape::Number => true,
        Shape::Lower => token.classes.any(Classes::CONNECTOR) || is_lower_head(token),
        Shape::Possessive => next_is_name() || at + 1 < end && is_lower_head(&tokens[at + 1]),
        Shape::Mark => match token.text {
            "&" => true,
            "-" | "–" | "." | "'" | "’" | "/" => attached,
            "," | ":" => next_is_name(),
            _ => false,
        },
    }
}

/// Heads that news also writes small: "Waterloo station", "2016 presidential election", "Thai Raksa Chart party".
fn is_lower_head(token: &Token<'_>) -> bool {
    token.classes.any(Classes::HEAD) || token.folded == "presidential"
}

fn can_end(tokens: &[Token<'_>], start: usize, at: usize) -> bool {
    let token = &tokens[at];
    match token.shape {
        Shape::Capitalized | Shape::AllCaps | Shape::Mixed => true,
        Shape::Number => at > start || token.text.contains('/'),
        Shape::Lower => at > start && token.classes.any(Classes::HEAD),
        Shape::Possessive => false,
        Shape::Mark => false,
    }
}
