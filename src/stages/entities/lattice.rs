//! The best cut of a sentence into names and other words.
//!
//! In: candidates with a score for each kind (a semi-Markov conditional random field: a word outside names scores 0).
//! Out: the best path, and the probability of a candidate having a kind over all paths. Linear in words and candidates.

use std::ops::Range;

use crate::knowledge::NameType;

/// Kinds of names, in the order of scores.
pub const KINDS: [NameType; 9] = [
    NameType::Person,
    NameType::Org,
    NameType::Gpe,
    NameType::Loc,
    NameType::Fac,
    NameType::Norp,
    NameType::Event,
    NameType::Product,
    NameType::Work,
];

/// A score for each kind.
pub type Scores = [f32; KINDS.len()];

/// How much features and the reader's tags count, beside each other: both are log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blend {
    pub of_features: f32,
    pub of_tags: Scores,
    pub bias: Scores,
}

impl Blend {
    /// In a file: the numbers in order, little-endian.
    pub const BYTES: usize = 4 * (1 + 2 * KINDS.len());
    /// Features alone.
    pub const FEATURES: Self =
        Self { of_features: 1.0, of_tags: [0.0; KINDS.len()], bias: [0.0; KINDS.len()] };

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (values, _) = bytes.get(..Self::BYTES)?.as_chunks::<4>();
        let value = |at: usize| values.get(at).map_or(0.0, |bytes| f32::from_le_bytes(*bytes));
        Some(Self {
            of_features: value(0),
            of_tags: std::array::from_fn(|kind| value(1 + kind)),
            bias: std::array::from_fn(|kind| value(1 + KINDS.len() + kind)),
        })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let values = [self.of_features].into_iter().chain(self.of_tags).chain(self.bias);
        values.flat_map(f32::to_le_bytes).collect()
    }

    pub fn scores(&self, of_features: &Scores, of_tags: &Scores) -> Scores {
        std::array::from_fn(|kind| {
            self.of_features * of_features[kind]
                + self.of_tags[kind] * of_tags[kind]
                + self.bias[kind]
        })
    }
}

/// A candidate in a sentence: positions are from the sentence's first word.
#[derive(Debug, Clone, PartialEq)]
pub struct Arc {
    pub start: usize,
    pub end: usize,
    pub scores: Scores,
}

/// Indices of the arcs on the best path with their kind, in text order.
pub fn best_path(n_words: usize, arcs: &[Arc]) -> Vec<(usize, usize)> {
    let mut best: Vec<(f32, Option<(usize, usize)>)> = vec![(f32::NEG_INFINITY, None); n_words + 1];
    best[0].0 = 0.0;
    let mut next_arc = 0;
    for at in 0..n_words {
        let score = best[at].0;
        if score >= best[at + 1].0 {
            best[at + 1] = (score, None);
        }
        while let Some(arc) = arcs.get(next_arc).filter(|arc| arc.start == at) {
            let (kind, gain) = argmax(&arc.scores);
            if score + gain > best[arc.end].0 {
                best[arc.end] = (score + gain, Some((next_arc, kind)));
            }
            next_arc += 1;
        }
    }
    let mut path = Vec::new();
    let mut at = n_words;
    while at > 0 {
        match best[at].1 {
            Some((arc, kind)) => {
                path.push((arc, kind));
                at = arcs[arc].start;
            }
            None => at -= 1,
        }
    }
    path.reverse();
    path
}

/// For every arc, the probability of each kind; and the logarithm of the sum over all paths.
pub fn marginals(n_words: usize, arcs: &[Arc], outside: &[bool]) -> (Vec<Scores>, f32) {
    let (forward, backward) = sums(n_words, arcs, outside);
    let total = forward[n_words];
    let probability = |arc: &Arc, score: f32| {
        if score == f32::NEG_INFINITY {
            0.0
        } else {
            (forward[arc.start] + score + backward[arc.end] - total).exp()
        }
    };
    let marginals =
        arcs.iter().map(|arc| arc.scores.map(|score| probability(arc, score))).collect();
    (marginals, total)
}

/// Logarithms of the sums over all paths from the start to each word, and from each word to the end. A path may leave
/// word `i` outside names where `outside[i]`; an empty slice allows it everywhere.
fn sums(n_words: usize, arcs: &[Arc], outside: &[bool]) -> (Vec<f32>, Vec<f32>) {
    let may_skip = |at: usize| outside.get(at).copied().unwrap_or(true);
    let inner: Vec<f32> = arcs.iter().map(|arc| log_sum(&arc.scores)).collect();
    let mut forward = vec![f32::NEG_INFINITY; n_words + 1];
    forward[0] = 0.0;
    let starts = starts(n_words, arcs);
    for at in 0..n_words {
        let here = forward[at];
        if may_skip(at) {
            forward[at + 1] = log_add(forward[at + 1], here);
        }
        for arc in starts[at].clone() {
            let end = arcs[arc].end;
            forward[end] = log_add(forward[end], here + inner[arc]);
        }
    }
    let mut backward = vec![f32::NEG_INFINITY; n_words + 1];
    backward[n_words] = 0.0;
    for at in (0..n_words).rev() {
        let mut sum = if may_skip(at) { backward[at + 1] } else { f32::NEG_INFINITY };
        for arc in starts[at].clone() {
            sum = log_add(sum, inner[arc] + backward[arcs[arc].end]);
        }
        backward[at] = sum;
    }
    (forward, backward)
}

/// The arcs that start at each word; arcs come in order of their start.
fn starts(n_words: usize, arcs: &[Arc]) -> Vec<Range<usize>> {
    let mut next = 0;
    (0..n_words)
        .map(|at| {
            let first = next;
            while arcs.get(next).is_some_and(|arc| arc.start == at) {
                next += 1;
            }
            first..next
        })
        .collect()
}

fn argmax(scores: &Scores) -> (usize, f32) {
    let mut best = (0, scores[0]);
    for (kind, &score) in scores.iter().enumerate().skip(1) {
        if score > best.1 {
            best = (kind, score);
        }
    }
    best
}

fn log_sum(scores: &Scores) -> f32 {
    let (_, max) = argmax(scores);
    if max == f32::NEG_INFINITY {
        return max;
    }
    max + scores.iter().map(|score| (score - max).exp()).sum::<f32>().ln()
}

fn log_add(a: f32, b: f32) -> f32 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arc(start: usize, end: usize, kind: usize, score: f32) -> Arc {
        let mut scores = [-2.0; KINDS.len()];
        scores[kind] = score;
        Arc { start, end, scores }
    }

    #[test]
    fn the_best_path_takes_one_long_name_or_two_short_ones() {
        let arcs = [arc(0, 1, 2, 1.0), arc(0, 2, 1, 1.5), arc(1, 2, 0, 1.0), arc(2, 3, 0, -1.0)];
        assert_eq!(best_path(3, &arcs), [(0, 2), (2, 0)]);
        let arcs = [arc(0, 1, 2, 1.0), arc(0, 2, 1, 2.5), arc(1, 2, 0, 1.0)];
        assert_eq!(best_path(2, &arcs), [(1, 1)]);
        assert_eq!(best_path(2, &[]), []);
    }

    #[test]
    fn marginals_agree_with_counting_paths() {
        let arcs = [arc(0, 1, 2, 0.5), arc(0, 2, 1, 1.0), arc(1, 2, 0, -0.5)];
        let weight = |arc: &Arc| arc.scores.iter().map(|score| score.exp()).sum::<f32>();
        let [a, b, c] = [&arcs[0], &arcs[1], &arcs[2]].map(weight);
        let total = 1.0 + a + b + c + a * c;
        let (found, log_total) = marginals(2, &arcs, &[]);
        assert!((log_total - total.ln()).abs() < 1e-5);
        let expected = 0.5f32.exp() * (1.0 + c) / total;
        assert!((found[0][2] - expected).abs() < 1e-5);
        assert!((found[1][1] - 1.0f32.exp() / total).abs() < 1e-5);
    }
}
