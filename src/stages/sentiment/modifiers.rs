//! What the words around a word do to its tone: negation, intensifiers, diminishers, "but".
//!
//! In: the words of a sentence. Out: a [`Modifier`] for each. `training/sentiment/features.py` does the same, so that
//! the learnt weights are those of words under these rules.

use crate::text::{Shape, Word};

/// Words that negate what follows, up to the clause's end and no more than [`NEGATION_WORDS`].
const NEGATORS: &[&str] = &[
    "barely", "cannot", "hardly", "neither", "never", "no", "nobody", "none", "nor", "not",
    "nothing", "scarcely", "without",
];
/// In English the negated word is nearly always among the next five ("not seen as a particularly good idea").
const NEGATION_WORDS: usize = 5;
const CLAUSE_ENDS: &[&str] = &["!", "(", ")", ",", "--", ".", "...", ":", ";", "?", "–", "—", "…"];
const INTENSIFIERS: &[&str] = &[
    "absolutely",
    "completely",
    "deeply",
    "especially",
    "extremely",
    "highly",
    "hugely",
    "incredibly",
    "particularly",
    "really",
    "severely",
    "so",
    "strongly",
    "totally",
    "utterly",
    "very",
];
const DIMINISHERS: &[&str] =
    &["fairly", "less", "mildly", "partly", "rather", "relatively", "slightly", "somewhat"];
const INTENSIFIED: f32 = 1.4;
const DIMINISHED: f32 = 0.6;
/// "Not good" is bad, but less so than "bad".
const NEGATED: f32 = -0.7;
/// In "good but slow" the second half is the point.
const BEFORE_BUT: f32 = 0.7;
const AFTER_BUT: f32 = 1.2;

/// What its context makes of a word's valence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Modifier {
    pub(super) factor: f32,
    pub(super) is_negated: bool,
}

pub(super) fn of(text: &str, words: &[Word]) -> Vec<Modifier> {
    let lower: Vec<String> = words.iter().map(|word| lower(text, word)).collect();
    let next_is = |at: usize, word: &str| lower.get(at + 1).is_some_and(|next| next == word);
    let mut modifiers = Vec::with_capacity(words.len());
    let (mut n_negated_left, mut weight) = (0_usize, 1.0);
    for (at, word) in words.iter().enumerate() {
        let is_negated = n_negated_left > 0;
        let factor = if is_negated { weight * NEGATED } else { weight };
        modifiers.push(Modifier { factor, is_negated });
        let word_lower = lower[at].as_str();
        weight = 1.0;
        if word_lower == "but" || CLAUSE_ENDS.binary_search(&word_lower).is_ok() {
            n_negated_left = 0;
        } else if !matches!(word.shape, Shape::Mark | Shape::Possessive) {
            n_negated_left = n_negated_left.saturating_sub(1);
            let negates =
                NEGATORS.binary_search(&word_lower).is_ok() || word_lower.ends_with("n't");
            if negates && !next_is(at, "only") {
                n_negated_left = NEGATION_WORDS;
            }
            if INTENSIFIERS.binary_search(&word_lower).is_ok() {
                weight = INTENSIFIED;
            } else if DIMINISHERS.binary_search(&word_lower).is_ok() {
                weight = DIMINISHED;
            }
        }
    }
    let last_but = (1..words.len()).rev().find(|&at| lower[at] == "but" && !next_is(at, "also"));
    if let Some(but) = last_but {
        for (at, modifier) in modifiers.iter_mut().enumerate() {
            modifier.factor *= if at < but { BEFORE_BUT } else { AFTER_BUT };
        }
    }
    modifiers
}

/// The word lower-cased with a straight apostrophe; empty for words too long to be in a list.
fn lower(text: &str, word: &Word) -> String {
    const WORD_BYTES_MAX: usize = 24;
    if word.span.len() > WORD_BYTES_MAX {
        return String::new();
    }
    word.span.of(text).to_lowercase().replace('’', "'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Segments;

    /// Words under negation, in order.
    #[track_caller]
    fn check_negated(text: &str, expected: &[&str]) {
        let words = Segments::of(text).words;
        let modifiers = of(text, &words);
        let negated: Vec<&str> = words
            .iter()
            .zip(&modifiers)
            .filter(|(word, modifier)| modifier.is_negated && word.shape != Shape::Mark)
            .map(|(word, _)| word.span.of(text))
            .collect();
        assert_eq!(negated, expected);
    }

    #[test]
    fn lists_are_sorted() {
        assert!(
            [NEGATORS, CLAUSE_ENDS, INTENSIFIERS, DIMINISHERS].iter().all(|list| list.is_sorted())
        );
    }

    #[test]
    fn negation_ends_with_its_clause() {
        check_negated("He did not win, which hurt.", &["win"]);
        check_negated("She didn’t like it; she stayed", &["like", "it"]);
        check_negated("No one two three four five six", &["one", "two", "three", "four", "five"]);
        check_negated("Not only good", &[]);
    }

    #[test]
    fn degrees_weigh_the_next_word() {
        let text = "a very bad day";
        let factors: Vec<f32> =
            of(text, &Segments::of(text).words).iter().map(|modifier| modifier.factor).collect();
        assert_eq!(factors, [1.0, 1.0, INTENSIFIED, 1.0]);
    }
}
