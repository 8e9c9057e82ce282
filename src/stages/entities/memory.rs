//! What an article has said about its names so far: the first pass's findings, as evidence for the second.

use std::collections::{HashMap, HashSet};

use super::lattice::{KINDS, Scores};
use super::tokens::FieldTokens;
use crate::text::Shape;

/// Names less sure than this leave no trace.
const CONFIDENCE_MIN: f32 = 0.3;

/// Looked up only, never iterated: the order of a hash map reaches no output.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By surface: how often it was a candidate, and how sure each kind was in sum.
    surfaces: HashMap<String, (usize, Scores)>,
    /// By word of longer names: the kinds of these names, and whether it is their first, inner or last word.
    parts: HashMap<String, Vec<(u32, f32)>>,
    /// By initials of longer names: the kind.
    acronyms: HashMap<String, (usize, f32)>,
    /// Names of storms: "dorian" after "Hurricane Dorian".
    storms: HashSet<String>,
    lowered: HashMap<String, usize>,
    raised: HashMap<String, usize>,
}

/// What the first pass found for a surface.
#[derive(Debug, Clone, Copy)]
pub(super) struct Votes {
    /// How often it occurs.
    pub(super) n_seen: usize,
    /// The share of occurrences that were of each kind.
    pub(super) shares: Scores,
}

impl Memory {
    /// Counts the casing of words in running text.
    pub(super) fn of(fields: &[FieldTokens<'_>]) -> Self {
        let mut memory = Self::default();
        for field in fields {
            for sentence in field.sentences.iter().filter(|sentence| !sentence.is_title_case) {
                for token in &field.tokens[sentence.tokens.clone()] {
                    let counts = match token.shape {
                        Shape::Lower => &mut memory.lowered,
                        _ if token.shape.is_name_like() && !token.is_initial => &mut memory.raised,
                        _ => continue,
                    };
                    match counts.get_mut(&token.folded) {
                        Some(count) => *count += 1,
                        None => {
                            counts.insert(token.folded.clone(), 1);
                        }
                    }
                }
            }
        }
        memory
    }

    /// Takes in one candidate with the probability of each kind.
    pub(super) fn add(
        &mut self,
        field: &FieldTokens<'_>,
        words: &std::ops::Range<usize>,
        probabilities: &Scores,
    ) {
        let surface = field.surface(words);
        if !self.surfaces.contains_key(surface) {
            self.surfaces.insert(surface.to_owned(), (0, [0.0; KINDS.len()]));
        }
        let (n_seen, sums) = self.surfaces.get_mut(surface).expect("inserted above");
        *n_seen += 1;
        sums.iter_mut().zip(probabilities).for_each(|(sum, probability)| *sum += probability);
        let names = &field.tokens[words.clone()];
        if names.len() < 2 {
            return;
        }
        let storm = matches!(
            names[names.len() - 2].folded.as_str(),
            "cyclone" | "hurricane" | "storm" | "typhoon"
        );
        if storm && probabilities.iter().sum::<f32>() >= CONFIDENCE_MIN {
            self.storms.insert(names[names.len() - 1].folded.clone());
        }
        for (kind, &probability) in probabilities.iter().enumerate() {
            if probability < CONFIDENCE_MIN {
                continue;
            }
            for (at, token) in names.iter().enumerate().filter(|(_, t)| t.shape.is_name_like()) {
                let place = if at == 0 {
                    0
                } else if at + 1 == names.len() {
                    2
                } else {
                    1
                };
                let part = u32::try_from(kind * 3 + place).unwrap_or_default();
                let known = self.parts.entry(token.folded.clone()).or_default();
                match known.iter_mut().find(|(other, _)| *other == part) {
                    Some((_, sum)) => *sum += probability,
                    None => known.push((part, probability)),
                }
            }
            let capitals = names.iter().filter(|token| token.shape.is_name_like());
            let initials: String =
                capitals.filter_map(|token| token.folded.chars().next()).collect();
            let owner = self.acronyms.entry(initials).or_insert((kind, probability));
            if probability > owner.1 {
                *owner = (kind, probability);
            }
        }
    }

    pub(super) fn votes(&self, surface: &str) -> Option<Votes> {
        let &(n_seen, sums) = self.surfaces.get(surface)?;
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^23")]
        let shares = sums.map(|sum| sum / n_seen.max(1) as f32);
        Some(Votes { n_seen, shares })
    }

    /// The kinds (times 3) and places of longer names that hold this word.
    pub(super) fn parts(&self, folded: &str) -> impl Iterator<Item = u32> {
        self.parts
            .get(folded)
            .into_iter()
            .flatten()
            .filter(|(_, sum)| *sum >= 0.5)
            .map(|(part, _)| *part)
    }

    /// The kind of a longer name with these initials.
    pub(super) fn acronym(&self, folded: &str) -> Option<usize> {
        self.acronyms.get(folded).map(|(kind, _)| *kind)
    }

    pub(super) fn is_storm(&self, folded: &str) -> bool {
        self.storms.contains(folded)
    }

    pub(super) fn n_lowered(&self, folded: &str) -> usize {
        self.lowered.get(folded).copied().unwrap_or(0)
    }

    pub(super) fn n_raised(&self, folded: &str) -> usize {
        self.raised.get(folded).copied().unwrap_or(0)
    }
}
