//! What the reader's tags say of a run of words.
//!
//! In: a field's reading. Out: for a run of tokens and each kind, the log-odds of "a name of this kind from the first to
//! the last token" against "no name here"; and the names that the tags alone would give.

use std::ops::Range;

use super::lattice::{KINDS, Scores};
use super::tokens::{FieldTokens, Token};
use crate::knowledge::NameType;
use crate::model::Reading;
use crate::model::labels::{EntityLabel, Tag};

/// A single word says no more than this: beyond it the reader is sure, and more would drown the other evidence.
const LOG_ODDS_MAX: f32 = 8.0;
/// Longer names are not taken from tags alone.
const NAME_TOKENS_MAX: usize = 16;

/// Log-odds of a field's tokens, so that those of a run are one subtraction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TagEvidence {
    /// Of a name of the kind beginning at the token.
    begins: Vec<Scores>,
    /// Of a name of the kind going on at the token, summed over all tokens before: one more entry than tokens.
    insides: Vec<Scores>,
    /// What the tags alone take for names, in order.
    names: Vec<Range<usize>>,
}

impl TagEvidence {
    /// Without a reading nothing speaks for or against any name.
    pub(super) fn none(field: &FieldTokens<'_>) -> Self {
        let n = field.tokens.len();
        let zero = [0.0; KINDS.len()];
        Self { begins: vec![zero; n], insides: vec![zero; n + 1], names: Vec::new() }
    }

    /// Tokens of words that were not read have no evidence.
    pub(super) fn of(field: &FieldTokens<'_>, reading: &Reading) -> Self {
        let mut evidence = Self::none(field);
        let mut sum = [0.0; KINDS.len()];
        for (at, token) in field.tokens.iter().enumerate() {
            if token.word < reading.n_words() && reading.is_read(token.word) {
                let (begin, inside) = log_odds(reading.entity(token.word));
                // A part of a compound may be a name whatever precedes it, and goes on in its own word freely.
                let is_later_part = at > 0 && field.tokens[at - 1].word == token.word;
                let is_part = field.is_part(at);
                for kind in 0..KINDS.len() {
                    evidence.begins[at][kind] =
                        if is_part { begin[kind].max(inside[kind]) } else { begin[kind] };
                    sum[kind] += if is_later_part { 0.0 } else { inside[kind] };
                }
            }
            evidence.insides[at + 1] = sum;
        }
        evidence.names = names(field, reading);
        evidence
    }

    pub(super) fn scores(&self, words: &Range<usize>) -> Scores {
        let (first, last) = (&self.insides[words.start + 1], &self.insides[words.end]);
        std::array::from_fn(|kind| self.begins[words.start][kind] + last[kind] - first[kind])
    }

    /// The tags' own names that lie in a sentence.
    pub(super) fn names_in(&self, sentence: &Range<usize>) -> &[Range<usize>] {
        let first = self.names.partition_point(|name| name.start < sentence.start);
        let end = self.names.partition_point(|name| name.start < sentence.end);
        &self.names[first..end]
    }
}

/// Of a name of each kind beginning at a word and going on there, against no name of any published kind.
fn log_odds(row: &[f32]) -> (Scores, Scores) {
    let columns = KINDS.map(|kind| {
        let label = label(kind)?;
        Some((Tag::Begin(label).index(), Tag::Inside(label).index()))
    });
    let of_names =
        columns.iter().flatten().map(|&(begin, inside)| row[begin].exp() + row[inside].exp());
    let outside = (1.0 - of_names.sum::<f32>()).max(1e-6).ln();
    let odds = |column: Option<usize>| {
        let log_probability = column.map_or(f32::NEG_INFINITY, |column| row[column]);
        (log_probability - outside).clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)
    };
    (
        columns.map(|column| odds(column.map(|(begin, _)| begin))),
        columns.map(|column| odds(column.map(|(_, inside)| inside))),
    )
}

/// The reader's label of a kind.
fn label(kind: NameType) -> Option<EntityLabel> {
    Some(match kind {
        NameType::Person => EntityLabel::Person,
        NameType::Org => EntityLabel::Org,
        NameType::Gpe => EntityLabel::Gpe,
        NameType::Loc => EntityLabel::Loc,
        NameType::Fac => EntityLabel::Fac,
        NameType::Norp => EntityLabel::Norp,
        NameType::Event => EntityLabel::Event,
        NameType::Product => EntityLabel::Product,
        NameType::Work => EntityLabel::Work,
        NameType::Other => return None,
    })
}

/// The spans of the best tags, as runs of tokens within a sentence.
fn names(field: &FieldTokens<'_>, reading: &Reading) -> Vec<Range<usize>> {
    let token_of = |word: usize| field.tokens.partition_point(|token| token.word < word);
    let sentence_of = |at: usize| field.sentences.partition_point(|s| s.tokens.end <= at);
    let mut names = Vec::new();
    for span in reading.entities() {
        if matches!(span.label, EntityLabel::Misc | EntityLabel::Award) {
            continue;
        }
        let run = token_of(span.words.start)..token_of(span.words.end);
        if is_name_like(field, &run) && sentence_of(run.start) == sentence_of(run.end - 1) {
            names.push(run);
        }
    }
    names
}

fn is_name_like(field: &FieldTokens<'_>, run: &Range<usize>) -> bool {
    let tokens = &field.tokens[run.clone()];
    let is_word = |at: Option<&Token<'_>>| at.is_some_and(|token| !token.folded.is_empty());
    tokens.len() <= NAME_TOKENS_MAX
        && is_word(tokens.first())
        && is_word(tokens.last())
        && tokens.iter().any(|token| token.shape.is_name_like())
}
