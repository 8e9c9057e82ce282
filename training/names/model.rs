//! The model in training: float weights, AdaGrad steps, and the file they become.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use copydesk::article::Span;
use copydesk::stages::entities::learning::{
    Arc, Blend, KINDS, Scores, SentenceLattice, best_path, marginals,
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
const FORMAT_VERSION: u32 = 2;

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
    /// What the reader's tags say of each candidate; empty when no reader has read the sentence.
    of_tags: Vec<Scores>,
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
        let mut of_tags = Vec::new();
        for candidate in &lattice.candidates {
            features.extend(candidate.features.iter().map(|&hash| ids.id(hash)));
            ends.push(features.len());
            of_tags.push(candidate.of_tags);
        }
        if of_tags.as_flattened().iter().all(|odds| *odds == 0.0) {
            of_tags.clear();
        }
        Self {
            n_words: lattice.words.len(),
            bounds: lattice.candidates.iter().map(|c| (c.start, c.end)).collect(),
            spans,
            features,
            ends,
            of_tags,
            allowed: annotation.0,
            outside: annotation.1,
            weight,
            n_gold,
        }
    }

    fn arcs(&self, scores: Vec<Scores>) -> Vec<Arc> {
        let bounds = self.bounds.iter().zip(scores);
        bounds.map(|(&(start, end), scores)| Arc { start, end, scores }).collect()
    }

    /// Probabilities over all cuts, and over those that agree with what is annotated.
    fn marginals(&self, scores: Vec<Scores>) -> (Vec<Scores>, Vec<Scores>) {
        let arcs = self.arcs(scores);
        let (model, _) = marginals(self.n_words, &arcs, &[]);
        let mut constrained = arcs;
        for (arc, allowed) in constrained.iter_mut().zip(&self.allowed) {
            for (score, allowed) in arc.scores.iter_mut().zip(allowed) {
                if !allowed {
                    *score = f32::NEG_INFINITY;
                }
            }
        }
        let (truth, _) = marginals(self.n_words, &constrained, &self.outside);
        (model, truth)
    }

    /// Whether a reader has read the sentence.
    pub(crate) fn is_read(&self) -> bool {
        !self.of_tags.is_empty()
    }

    fn features(&self, candidate: usize) -> &[u32] {
        let start = candidate.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.features[start..self.ends[candidate]]
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    weights: Vec<Scores>,
    /// How much the reader's tags count where a reader has read.
    pub(crate) blend: Blend,
}

/// A sentence with what the features of its candidates weigh, for [`fit`].
#[derive(Debug)]
pub(crate) struct Weighed<'e> {
    example: &'e Example,
    of_features: Vec<Scores>,
}

/// The blend under which what is annotated is likeliest, over sentences that neither the features' weights nor the
/// reader have seen: gradient descent over a few numbers, from features and tags at half each.
pub(crate) fn fit(sentences: &[Weighed<'_>]) -> Blend {
    const N_STEPS: usize = 60;
    const RATE: f32 = 0.1;
    let mut blend = Blend { of_features: 0.5, of_tags: [0.5; KINDS.len()], ..Blend::FEATURES };
    let mut squares =
        Blend { of_features: 1e-3, of_tags: [1e-3; KINDS.len()], bias: [1e-3; KINDS.len()] };
    for _ in 0..N_STEPS {
        let mut gradient =
            Blend { of_features: 0.0, of_tags: [0.0; KINDS.len()], bias: [0.0; KINDS.len()] };
        for sentence in sentences {
            sentence.add_gradient(&blend, &mut gradient);
        }
        #[expect(clippy::cast_precision_loss, reason = "tens of thousands of sentences")]
        let n = sentences.len().max(1) as f32;
        let step = |value: &mut f32, g: f32, square: &mut f32| {
            let g = g / n;
            *square += g * g;
            *value -= RATE * g / square.sqrt();
        };
        step(&mut blend.of_features, gradient.of_features, &mut squares.of_features);
        for kind in 0..KINDS.len() {
            step(&mut blend.of_tags[kind], gradient.of_tags[kind], &mut squares.of_tags[kind]);
            step(&mut blend.bias[kind], gradient.bias[kind], &mut squares.bias[kind]);
        }
    }
    blend
}

impl Weighed<'_> {
    fn add_gradient(&self, blend: &Blend, gradient: &mut Blend) {
        let example = self.example;
        let scores = self.of_features.iter().zip(&example.of_tags);
        let scores: Vec<Scores> = scores.map(|(own, tags)| blend.scores(own, tags)).collect();
        let (model, truth) = example.marginals(scores);
        for (candidate, (model, truth)) in model.iter().zip(&truth).enumerate() {
            for kind in 0..KINDS.len() {
                let g = model[kind] - truth[kind];
                gradient.of_features += g * self.of_features[candidate][kind];
                gradient.of_tags[kind] += g * example.of_tags[candidate][kind];
                gradient.bias[kind] += g;
            }
        }
    }
}

impl Model {
    pub(crate) fn train(examples: &[&Example], n_features: usize) -> Self {
        let weights = vec![[0.0; KINDS.len()]; n_features];
        let mut model = Self { weights, blend: Blend::FEATURES };
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

    pub(crate) fn weigh<'e>(&self, example: &'e Example) -> Weighed<'e> {
        Weighed { example, of_features: self.scores(example) }
    }

    pub(crate) fn probabilities(&self, example: &Example) -> Vec<Scores> {
        marginals(example.n_words, &self.blended_arcs(example), &[]).0
    }

    pub(crate) fn best(&self, example: &Example) -> Vec<(Span, usize)> {
        let path = best_path(example.n_words, &self.blended_arcs(example));
        path.into_iter().map(|(arc, kind)| (example.spans[arc], kind)).collect()
    }

    /// What features and tags say together; features alone where no reader has read.
    fn blended_arcs(&self, example: &Example) -> Vec<Arc> {
        let mut scores = self.scores(example);
        for (scores, of_tags) in scores.iter_mut().zip(&example.of_tags) {
            *scores = self.blend.scores(scores, of_tags);
        }
        example.arcs(scores)
    }

    /// What the features of each candidate weigh.
    fn scores(&self, example: &Example) -> Vec<Scores> {
        let score = |candidate: usize| {
            let mut scores = [0.0; KINDS.len()];
            for &feature in example.features(candidate) {
                // A feature that only a measured article has is unknown to the model.
                let Some(row) = self.weights.get(feature as usize) else { continue };
                scores.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
            }
            scores
        };
        (0..example.bounds.len()).map(score).collect()
    }

    fn step(&mut self, example: &Example, squares: &mut [Scores]) {
        let (model, truth) = example.marginals(self.scores(example));
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
        rest.extend(self.blend.to_bytes());
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
