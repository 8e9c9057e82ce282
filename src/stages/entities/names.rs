//! Names: which runs of words are names, and of what kind.
//!
//! In: the tokens of headline and text. Out: names that do not overlap, in text order. Every sentence is cut so that
//! the scores of its names add up highest; what the first pass found in the whole article is evidence in the second
//! ("Pompeo" alone after "Mike Pompeo").

use std::ops::Range;

use super::candidates::{self, Candidate};
use super::features::{self, Context};
use super::lattice::{self, Arc, KINDS, Scores};
use super::memory::Memory;
use super::tokens::{FieldTokens, SentenceTokens};
use super::weights::{self, Weights};
use crate::knowledge::{Knowledge, Name, NameType};

/// A name at its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundName {
    /// Index into the fields.
    pub(super) field: usize,
    /// Tokens of that field.
    pub(super) words: Range<usize>,
    pub(super) kind: NameType,
    pub(super) known: Option<Name>,
    /// The probability of this name with this kind.
    pub(super) confidence: f32,
}

/// The candidates of a sentence with what their own features weigh.
struct Scored {
    field: usize,
    sentence: usize,
    candidates: Vec<Candidate>,
    steps: Vec<[i32; KINDS.len()]>,
}

pub(super) fn find(fields: &[FieldTokens<'_>], knowledge: &Knowledge) -> Vec<FoundName> {
    let weights = weights::embedded();
    let mut scored = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        for (number, sentence) in field.sentences.iter().enumerate() {
            let candidates = candidates::of(field, &sentence.tokens, knowledge);
            if !candidates.is_empty() {
                let steps = own_steps(field, sentence, &candidates, weights);
                scored.push(Scored { field: index, sentence: number, candidates, steps });
            }
        }
    }
    let casing = Memory::of(fields);
    let mut memory = Memory::of(fields);
    for sentence in &scored {
        let field = &fields[sentence.field];
        let arcs = arcs(field, sentence, &casing, weights);
        let n_words = field.sentences[sentence.sentence].tokens.len();
        let (probabilities, _) = lattice::marginals(n_words, &arcs, &[]);
        for (candidate, probabilities) in sentence.candidates.iter().zip(&probabilities) {
            memory.add(field, &candidate.words, probabilities);
        }
    }
    let mut found = Vec::new();
    for sentence in &scored {
        cut(&fields[sentence.field], sentence, (&memory, weights), &mut found);
    }
    found
}

fn own_steps(
    field: &FieldTokens<'_>,
    sentence: &SentenceTokens,
    candidates: &[Candidate],
    weights: &Weights,
) -> Vec<[i32; KINDS.len()]> {
    let context = Context::new(field, sentence, candidates);
    candidates
        .iter()
        .map(|candidate| {
            let mut steps = [0; KINDS.len()];
            features::of(&context, candidate, &mut |feature| weights.add(feature, &mut steps));
            steps
        })
        .collect()
}

/// The arcs of a sentence, with what the memory's features weigh added.
fn arcs(
    field: &FieldTokens<'_>,
    sentence: &Scored,
    memory: &Memory,
    weights: &Weights,
) -> Vec<Arc> {
    let first_word = field.sentences[sentence.sentence].tokens.start;
    let scores = |candidate: &Candidate, own: &[i32; KINDS.len()]| -> Scores {
        let mut steps = *own;
        features::of_memory(field, candidate, memory, &mut |feature| {
            weights.add(feature, &mut steps);
        });
        weights.scores(&steps)
    };
    sentence
        .candidates
        .iter()
        .zip(&sentence.steps)
        .map(|(candidate, own)| Arc {
            start: candidate.words.start - first_word,
            end: candidate.words.end - first_word,
            scores: scores(candidate, own),
        })
        .collect()
}

/// Appends the names on the best path through a sentence.
fn cut(
    field: &FieldTokens<'_>,
    sentence: &Scored,
    evidence: (&Memory, &Weights),
    found: &mut Vec<FoundName>,
) {
    let (memory, weights) = evidence;
    let arcs = arcs(field, sentence, memory, weights);
    let n_words = field.sentences[sentence.sentence].tokens.len();
    let (probabilities, _) = lattice::marginals(n_words, &arcs, &[]);
    for (arc, kind) in lattice::best_path(n_words, &arcs) {
        let candidate = &sentence.candidates[arc];
        found.push(FoundName {
            field: sentence.field,
            words: candidate.words.clone(),
            kind: KINDS[kind],
            known: candidate.known,
            confidence: probabilities[arc][kind],
        });
    }
}
