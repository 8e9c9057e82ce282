//! The model in training: float weights, AdaGrad steps, and the file they become.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use copydesk::article::Span;
use copydesk::stages::entities::learning::{
    Arc, KINDS, Scores, SentenceLattice, best_path, marginals,
};

const N_EPOCHS: usize = 6;
const LEARNING_RATE: f32 = 0.1;
/// Where the sums of squares start: what is seen a few times moves little.
const SQUARES_START: f32 = 3.0;
/// Shrinks weights towards zero, for each example that touches them.
const L2: f32 = 1e-5;
/// A feature that is seen on fewer candidates is noise.
const N_SEEN_MIN: u32 = 3;
/// Rows whose largest weight rounds below this many steps are left out of the file.
const STEPS_MIN: i8 = 3;
/// Most rows in the file: 13 bytes each.
const N_ROWS_MAX: usize = 200_000;
const MAGIC: &[u8; 8] = b"CDNAMES\n";
const FORMAT_VERSION: u32 = 1;

/// Numbers for features, in order of first sight.
#[derive(Debug, Default)]
pub(crate) struct FeatureIds {
    ids: HashMap<u64, u32>,
    hashes: Vec<u64>,
    n_seen: Vec<u32>,
}

impl FeatureIds {
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    fn id(&mut self, hash: u64) -> u32 {
        let next = u32::try_from(self.hashes.len()).expect("fewer than 2^32 features");
        let id = *self.ids.entry(hash).or_insert(next);
        if id == next {
            self.hashes.push(hash);
            self.n_seen.push(0);
        }
        self.n_seen[id as usize] += 1;
        id
    }
}

/// A sentence with its candidates and what the annotation allows.
#[derive(Debug)]
pub(crate) struct Example {
    n_words: usize,
    bounds: Vec<(usize, usize)>,
    spans: Vec<Span>,
    /// Feature numbers of all candidates, one after the other.
    features: Vec<u32>,
    ends: Vec<usize>,
    allowed: Vec<[bool; KINDS.len()]>,
    outside: Vec<bool>,
    weight: f32,
    /// Annotated spans, and those that are candidates.
    pub(crate) n_gold: (usize, usize),
}

impl Example {
    pub(crate) fn new(
        lattice: &SentenceLattice,
        spans: Vec<Span>,
        annotation: (Vec<[bool; KINDS.len()]>, Vec<bool>),
        weight: f32,
        n_gold: (usize, usize),
        ids: &mut FeatureIds,
    ) -> Self {
        let (mut features, mut ends) = (Vec::new(), Vec::new());
        for candidate in &lattice.candidates {
            features.extend(candidate.features.iter().map(|&hash| ids.id(hash)));
            ends.push(features.len());
        }
        Self {
            n_words: lattice.words.len(),
            bounds: lattice.candidates.iter().map(|c| (c.start, c.end)).collect(),
            spans,
            features,
            ends,
            allowed: annotation.0,
            outside: annotation.1,
            weight,
            n_gold,
        }
    }

    fn features(&self, candidate: usize) -> &[u32] {
        let start = candidate.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.features[start..self.ends[candidate]]
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    weights: Vec<Scores>,
}

impl Model {
    pub(crate) fn train(examples: &[&Example], n_features: usize) -> Self {
        let mut model = Self { weights: vec![[0.0; KINDS.len()]; n_features] };
        let mut squares: Vec<Scores> = vec![[SQUARES_START; KINDS.len()]; n_features];
        let mut sum: Vec<Scores> = vec![[0.0; KINDS.len()]; n_features];
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut random = 0x2545_F491_4F6C_DD1Du64;
        for epoch in 0..N_EPOCHS {
            shuffle(&mut order, &mut random);
            for &at in &order {
                model.step(examples[at], &mut squares);
            }
            // The mean over the last half of the epochs is steadier than the last.
            if 2 * epoch >= N_EPOCHS {
                for (sum, weights) in sum.iter_mut().zip(&model.weights) {
                    sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a few epochs")]
        let n_summed = (N_EPOCHS - N_EPOCHS.div_ceil(2)) as f32;
        model.weights = sum.into_iter().map(|row| row.map(|weight| weight / n_summed)).collect();
        model
    }

    pub(crate) fn probabilities(&self, example: &Example) -> Vec<Scores> {
        marginals(example.n_words, &self.arcs(example), &[]).0
    }

    pub(crate) fn best(&self, example: &Example) -> Vec<(Span, usize)> {
        let path = best_path(example.n_words, &self.arcs(example));
        path.into_iter().map(|(arc, kind)| (example.spans[arc], kind)).collect()
    }

    fn arcs(&self, example: &Example) -> Vec<Arc> {
        let score = |candidate: usize| {
            let mut scores = [0.0; KINDS.len()];
            for &feature in example.features(candidate) {
                // A feature that only a measured article has is unknown to the model.
                let Some(row) = self.weights.get(feature as usize) else { continue };
                scores.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
            }
            scores
        };
        let bounds = example.bounds.iter().enumerate();
        bounds.map(|(i, &(start, end))| Arc { start, end, scores: score(i) }).collect()
    }

    fn step(&mut self, example: &Example, squares: &mut [Scores]) {
        let arcs = self.arcs(example);
        let (model, _) = marginals(example.n_words, &arcs, &[]);
        let mut constrained = arcs;
        for (arc, allowed) in constrained.iter_mut().zip(&example.allowed) {
            for (score, allowed) in arc.scores.iter_mut().zip(allowed) {
                if !allowed {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
        let (truth, _) = marginals(example.n_words, &constrained, &example.outside);
        for (candidate, (model, truth)) in model.iter().zip(&truth).enumerate() {
            let gradient: Scores =
                std::array::from_fn(|kind| example.weight * (model[kind] - truth[kind]));
            if gradient.iter().all(|g| g.abs() < 1e-4) {
                continue;
            }
            for &feature in example.features(candidate) {
                let (row, square) =
                    (&mut self.weights[feature as usize], &mut squares[feature as usize]);
                for kind in 0..KINDS.len() {
                    let g = gradient[kind] + L2 * row[kind];
                    square[kind] += g * g;
                    row[kind] -= LEARNING_RATE * g / square[kind].sqrt();
                }
            }
        }
    }

    /// The weights file; its layout is described in `src/stages/entities/weights.rs`.
    pub(crate) fn to_bytes(&self, ids: &FeatureIds) -> Vec<u8> {
        let seen = (0..ids.len()).filter(|&id| ids.n_seen[id] >= N_SEEN_MIN);
        let kept: Vec<usize> = seen.collect();
        let largest =
            kept.iter().flat_map(|&id| self.weights[id]).fold(0.0f32, |a, w| a.max(w.abs()));
        let scale = largest / 127.0;
        let mut rows: Vec<(u64, [i8; KINDS.len()])> = kept
            .iter()
            .map(|&id| {
                #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i8")]
                let row = self.weights[id].map(|w| (w / scale).round().clamp(-127.0, 127.0) as i8);
                (ids.hashes[id], row)
            })
            .filter(|(_, row)| row.iter().any(|step| step.abs() >= STEPS_MIN))
            .collect();
        if rows.len() > N_ROWS_MAX {
            let size = |row: &[i8; KINDS.len()]| row.iter().map(|step| step.unsigned_abs()).max();
            rows.sort_by_key(|(hash, row)| (std::cmp::Reverse(size(row)), *hash));
            rows.truncate(N_ROWS_MAX);
        }
        rows.sort_unstable_by_key(|(hash, _)| *hash);
        let mut rest = scale.to_bits().to_le_bytes().to_vec();
        rest.extend(u32::try_from(rows.len()).expect("fewer than 2^32 rows").to_le_bytes());
        for bucket in 0..=(1u64 << 16) {
            let start = rows.partition_point(|(hash, _)| hash >> 48 < bucket);
            rest.extend(u32::try_from(start).expect("fewer than 2^32 rows").to_le_bytes());
        }
        rows.iter().for_each(|(hash, _)| {
            rest.extend((hash >> 16 & 0xFFFF_FFFF).to_le_bytes()[..4].iter())
        });
        rows.iter().for_each(|(_, row)| rest.extend(row.iter().map(|step| step.cast_unsigned())));
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT_VERSION.to_le_bytes());
        bytes.extend(Sha256::digest(&rest));
        bytes.extend(rest);
        bytes
    }
}

/// Fisher-Yates with xorshift: the same order in every run.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for i in (1..order.len()).rev() {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let j = usize::try_from(*random % (i as u64 + 1)).expect("smaller than i");
        order.swap(i, j);
    }
}
