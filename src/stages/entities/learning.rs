//! For `training/names` alone: the candidates of an article with their features, as the stage sees them.
//!
//! In: a segmented article and, for the second pass, the first pass's probabilities. Out: one [`SentenceLattice`] for
//! every sentence that has candidates. The same code runs in the stage, so that training and use cannot drift apart.

use super::candidates;
use super::features::{self, Context};
use super::memory::Memory;
use super::tag_evidence::TagEvidence;
use super::tokens::FieldTokens;
use crate::article::{Field, Span};
use crate::knowledge::Knowledge;
use crate::model::Reader;
use crate::text::Segmented;

pub use super::lattice::{Arc, Blend, KINDS, Scores, best_path, marginals};

/// A sentence of the text with its candidates.
#[derive(Debug, Clone)]
pub struct SentenceLattice {
    /// Where each word stands in the text.
    pub words: Vec<Span>,
    /// In order of their start, then their end.
    pub candidates: Vec<CandidateFeatures>,
}

/// A candidate; positions are from the sentence's first word.
#[derive(Debug, Clone)]
pub struct CandidateFeatures {
    pub start: usize,
    pub end: usize,
    pub features: Vec<u64>,
    /// What the reader's tags say; zeros without a reader.
    pub of_tags: Scores,
}

/// The lattices of an article's text. `first_pass` holds the probabilities of every candidate of every lattice, in
/// order; without it the features of the first pass are made.
pub fn lattices(
    article: &Segmented,
    knowledge: &Knowledge,
    reader: Option<&Reader>,
    first_pass: Option<&[Vec<Scores>]>,
) -> Vec<SentenceLattice> {
    let text = article.article.field(Field::Text);
    let fields = [FieldTokens::new(Field::Text, text, &article.text, knowledge)];
    let field = &fields[0];
    let tags = match reader {
        Some(reader) => TagEvidence::of(field, &reader.read(text, &article.text)),
        None => TagEvidence::none(field),
    };
    let sentences: Vec<_> = field
        .sentences
        .iter()
        .map(|sentence| {
            let tagged = tags.names_in(&sentence.tokens);
            (sentence, candidates::of(field, &sentence.tokens, tagged, knowledge))
        })
        .filter(|(_, candidates)| !candidates.is_empty())
        .collect();
    let mut memory = Memory::of(&fields);
    for ((_, candidates), probabilities) in sentences.iter().zip(first_pass.unwrap_or_default()) {
        for (candidate, probabilities) in candidates.iter().zip(probabilities) {
            memory.add(field, &candidate.words, probabilities);
        }
    }
    sentences
        .iter()
        .map(|(sentence, candidates)| {
            let context = Context::new(field, sentence, candidates);
            let first_word = sentence.tokens.start;
            let with_features = candidates.iter().map(|candidate| {
                let mut found = Vec::new();
                features::of(&context, candidate, &mut |feature| found.push(feature));
                features::of_memory(field, candidate, &memory, &mut |feature| found.push(feature));
                CandidateFeatures {
                    start: candidate.words.start - first_word,
                    end: candidate.words.end - first_word,
                    features: found,
                    of_tags: tags.scores(&candidate.words),
                }
            });
            SentenceLattice {
                words: field.tokens[sentence.tokens.clone()]
                    .iter()
                    .map(|token| token.span)
                    .collect(),
                candidates: with_features.collect(),
            }
        })
        .collect()
}
