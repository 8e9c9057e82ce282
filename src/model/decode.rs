//! From log-probabilities to the best tags and spans.
//!
//! In: a word's log-probabilities, window by window. Out: the most probable sequence in which an inside tag follows a tag
//! of its own label; there are no other transition scores.

use std::ops::Range;

use super::labels::{Label, Tag};
use super::ops::exp_of;

/// A labelled run of words.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled<L> {
    pub label: L,
    /// Indices of words.
    pub words: Range<usize>,
    /// The least probability of the chosen tags.
    pub confidence: f32,
}

/// Appends the best tags of one window's words (Viterbi).
pub(super) fn best_tags<L: Label, const N: usize>(words: &[[f32; N]], tags: &mut Vec<Tag<L>>) {
    let Some((first, rest)) = words.split_first() else { return };
    let mut totals = *first;
    for inside in totals.iter_mut().skip(2).step_by(2) {
        *inside = f32::NEG_INFINITY;
    }
    let mut origins: Vec<[u8; N]> = Vec::with_capacity(rest.len());
    for word in rest {
        let best = greatest(&totals);
        let mut origin = [best; N];
        let mut next = [totals[usize::from(best)]; N];
        for inside in (2..=u8::MAX).step_by(2).take(N / 2) {
            let begin = inside - 1;
            let is_inside = totals[usize::from(inside)] > totals[usize::from(begin)];
            let from = if is_inside { inside } else { begin };
            origin[usize::from(inside)] = from;
            next[usize::from(inside)] = totals[usize::from(from)];
        }
        for (total, log_probability) in next.iter_mut().zip(word) {
            *total += log_probability;
        }
        totals = next;
        origins.push(origin);
    }
    let start = tags.len();
    let mut at = greatest(&totals);
    tags.push(Tag::of_index(usize::from(at)));
    for origin in origins.iter().rev() {
        at = origin[usize::from(at)];
        tags.push(Tag::of_index(usize::from(at)));
    }
    tags[start..].reverse();
}

/// The index of the greatest value, the first of equals.
fn greatest<const N: usize>(values: &[f32; N]) -> u8 {
    let mut best = 0;
    for (index, value) in (0_u8..).zip(values) {
        if *value > values[usize::from(best)] {
            best = index;
        }
    }
    best
}

/// The spans of tags in text order.
pub(super) fn spans<L: Label, const N: usize>(
    tags: &[Tag<L>],
    log_probabilities: &[[f32; N]],
) -> Vec<Labelled<L>> {
    let mut found: Vec<Labelled<L>> = Vec::new();
    for (word, (&tag, of_word)) in tags.iter().zip(log_probabilities).enumerate() {
        let confidence = exp_of(of_word[tag.index()]);
        match tag {
            Tag::Outside => {}
            Tag::Begin(label) => {
                found.push(Labelled { label, words: word..word + 1, confidence });
            }
            Tag::Inside(_) => {
                if let Some(span) = found.last_mut() {
                    span.words.end = word + 1;
                    span.confidence = span.confidence.min(confidence);
                }
            }
        }
    }
    found
}
