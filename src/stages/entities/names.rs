//! Names: which runs of words are names, and of what kind.
//!
//! In: the tokens of headline and text. Out: names that do not overlap, in text order. Every sentence is cut into names
//! and other words so that the sum of the candidates' scores is highest; what the first pass was sure of is evidence in
//! the second ("Pompeo" alone after "Mike Pompeo"). Work is linear: a candidate has at most [`NAME_TOKENS_MAX`] words.

use std::ops::Range;

use super::evidence::{self, Candidate};
use super::memory::Memory;
use super::tokens::{FieldTokens, SentenceTokens, Token};
use super::{lists, titles};
use crate::knowledge::{Knowledge, Name, NameKey, NameType};
use crate::text::Shape;

/// Longest name in words: "Special Rapporteur on the situation of human rights defenders" has nine.
const NAME_TOKENS_MAX: usize = 10;

/// A name at its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundName {
    /// Index into the fields.
    pub(super) field: usize,
    /// Tokens of that field.
    pub(super) words: Range<usize>,
    pub(super) kind: NameType,
    pub(super) known: Option<Name>,
    /// How far the best reading lies above the others, as a log-odds.
    pub(super) score: f32,
}

pub(super) fn find(fields: &[FieldTokens<'_>], knowledge: &Knowledge) -> Vec<FoundName> {
    let first = pass(fields, knowledge, &Memory::default());
    let memory = Memory::of(fields, &first);
    pass(fields, knowledge, &memory)
}

fn pass(fields: &[FieldTokens<'_>], knowledge: &Knowledge, memory: &Memory) -> Vec<FoundName> {
    let mut found = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        for sentence in &field.sentences {
            segment(index, field, sentence, (knowledge, memory), &mut found);
        }
    }
    found
}

/// Cuts a sentence into names and other words: the best path over all candidates (Viterbi over segments).
fn segment(
    index: usize,
    field: &FieldTokens<'_>,
    sentence: &SentenceTokens,
    evidence: (&Knowledge, &Memory),
    found: &mut Vec<FoundName>,
) {
    let (knowledge, memory) = evidence;
    let range = sentence.tokens.clone();
    let mut best: Vec<(f32, Option<FoundName>)> = vec![(f32::NEG_INFINITY, None); range.len() + 1];
    best[0].0 = 0.0;
    for start in range.clone() {
        let at = start - range.start;
        let score = best[at].0;
        if score >= best[at + 1].0 {
            best[at + 1] = (score, None);
        }
        for (words, known) in candidates(field, start, range.end, knowledge) {
            let candidate = Candidate { field, sentence, words: words.clone(), known };
            let Some((kind, gain)) = evidence::judge(&candidate, memory) else { continue };
            let end = words.end - range.start;
            if gain > 0.0 && score + gain > best[end].0 {
                let name = FoundName { field: index, words, kind, known, score: gain };
                best[end] = (score + gain, Some(name));
            }
        }
    }
    let mut at = range.len();
    let mut names = Vec::new();
    while at > 0 {
        match best[at].1.take() {
            Some(name) => {
                at = name.words.start - range.start;
                names.push(name);
            }
            None => at -= 1,
        }
    }
    found.extend(names.into_iter().rev());
}

/// The candidates that start with token `start`: a capitalised first and last word, connectors between.
fn candidates<'a>(
    field: &'a FieldTokens<'_>,
    start: usize,
    sentence_end: usize,
    knowledge: &'a Knowledge,
) -> impl Iterator<Item = (Range<usize>, Option<Name>)> + 'a {
    let tokens = &field.tokens;
    let ceiling = sentence_end.min(start + NAME_TOKENS_MAX);
    let mut key = NameKey::default();
    let starts = can_start(tokens, start);
    (start..ceiling)
        .take_while(move |&at| starts && (at == start || joins(tokens, at, ceiling)))
        .filter_map(move |at| {
            let token = &tokens[at];
            if token.shape == Shape::Possessive {
                key.push_possessive()
            } else {
                key.push(&token.folded)
            }
            let ends = token.shape.is_name_like() || token.shape == Shape::Number && at > start;
            ends.then(|| (start..at + 1, knowledge.name(key)))
        })
}

fn can_start(tokens: &[Token<'_>], at: usize) -> bool {
    let token = &tokens[at];
    match token.shape {
        Shape::Capitalized | Shape::AllCaps | Shape::Mixed => true,
        Shape::Lower => {
            lists::NAME_PARTICLES.contains(&token.text)
                && at > 0
                && tokens.get(at + 1).is_some_and(|t| t.shape.is_name_like())
        }
        Shape::Number | Shape::Possessive | Shape::Mark => false,
    }
}

/// Whether a name can go on with token `at`.
fn joins(tokens: &[Token<'_>], at: usize, ceiling: usize) -> bool {
    let token = &tokens[at];
    let attached = tokens[at - 1].span.end == token.span.start;
    match token.shape {
        Shape::Capitalized | Shape::AllCaps | Shape::Mixed => true,
        Shape::Number => !attached,
        Shape::Lower => lists::CONNECTORS.contains(&token.text) && at + 1 < ceiling,
        Shape::Possessive => at + 1 < ceiling && tokens[at + 1].shape.is_name_like(),
        Shape::Mark => match token.text {
            "&" | "-" | "–" | "." | "'" | "’" => attached || token.text == "&",
            "," => at + 1 < ceiling && tokens[at + 1].shape.is_name_like(),
            _ => false,
        },
    }
}

/// Whether the words before `start` are a title of a person.
pub(super) fn has_title(field: &FieldTokens<'_>, sentence: &SentenceTokens, start: usize) -> bool {
    titles::before(&field.tokens, start, sentence.tokens.start).is_some()
}
