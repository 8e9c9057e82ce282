//! What an article has said about its names so far: the first pass's sure findings, as evidence for the second.

use std::collections::BTreeMap;

use super::names::FoundName;
use super::tokens::FieldTokens;
use crate::knowledge::NameType;
use crate::text::Shape;

#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Whole names by surface: the sum of scores for each kind.
    names: BTreeMap<String, Vec<(NameType, f32)>>,
    /// Words of persons' full names.
    person_words: BTreeMap<String, f32>,
    /// Words that the text also writes without a capital.
    lowered: BTreeMap<String, usize>,
    /// Words that are capitalised where no sentence asks for it.
    raised: BTreeMap<String, usize>,
}

impl Memory {
    pub(super) fn of(fields: &[FieldTokens<'_>], found: &[FoundName]) -> Self {
        let mut memory = Self::default();
        for field in fields {
            for sentence in field.sentences.iter().filter(|sentence| !sentence.is_title_case) {
                for token in &field.tokens[sentence.tokens.clone()] {
                    let counts = match token.shape {
                        Shape::Lower => &mut memory.lowered,
                        _ if token.shape.is_name_like() && !token.is_initial => &mut memory.raised,
                        _ => continue,
                    };
                    *counts.entry(token.folded.clone()).or_default() += 1;
                }
            }
        }
        for name in found {
            memory.add(&fields[name.field], name);
        }
        memory
    }

    /// What the first pass says for a surface being of this kind; negative when it says another.
    pub(super) fn support(&self, surface: &str, kind: NameType) -> f32 {
        let Some(kinds) = self.names.get(surface) else { return 0.0 };
        let own = kinds.iter().find(|(k, _)| *k == kind).map_or(0.0, |(_, score)| *score);
        let rivals = kinds.iter().filter(|(k, _)| *k != kind).map(|(_, score)| *score);
        (own - rivals.fold(0.0, f32::max)).clamp(-3.0, 3.0)
    }

    /// The kind that the first pass saw most in a surface.
    pub(super) fn kind_of(&self, surface: &str) -> Option<NameType> {
        let kinds = self.names.get(surface)?;
        kinds.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(kind, _)| *kind)
    }

    pub(super) fn is_person_word(&self, folded: &str) -> bool {
        self.person_words.contains_key(folded)
    }

    pub(super) fn n_lowered(&self, folded: &str) -> usize {
        self.lowered.get(folded).copied().unwrap_or(0)
    }

    pub(super) fn n_raised(&self, folded: &str) -> usize {
        self.raised.get(folded).copied().unwrap_or(0)
    }

    fn add(&mut self, field: &FieldTokens<'_>, name: &FoundName) {
        let kinds = self.names.entry(field.surface(&name.words).to_owned()).or_default();
        match kinds.iter_mut().find(|(kind, _)| *kind == name.kind) {
            Some((_, score)) => *score += name.score,
            None => kinds.push((name.kind, name.score)),
        }
        if name.kind == NameType::Person && name.words.len() > 1 {
            for token in &field.tokens[name.words.clone()] {
                if token.shape.is_name_like() && token.folded.chars().count() > 1 {
                    *self.person_words.entry(token.folded.clone()).or_default() += name.score;
                }
            }
        }
    }
}
