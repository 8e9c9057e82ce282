//! The tone layer: one more layer on the encoder's states, and what it says of each word.
//!
//! In: the weights of the layer, where the file has one. Out: the layer packed for a kernel; [`ToneEvidence`] of words,
//! and the tone of runs of words, which is read off without another pass: the heads are linear, so that the logits of a
//! mean of states are the mean of the words' logits.

use super::encoder::{Head, Layer, Norm};
use super::ops::{HEAD_WIDTH, exp_of};
use super::simd::{LANES, Simd};
use super::weights::{LoadError, Weights};

/// Columns of the tone heads' output.
pub(super) const TONE_WIDTH: usize = LANES;
const N_TONES: usize = 3;

/// Logits of the tones negative, neutral and positive.
type Logits = [f32; N_TONES];

/// What one word contributes to the tone of runs of words.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ToneEvidence {
    /// To that of a sentence it stands in.
    sentence: Logits,
    /// To what is said of a target it belongs to.
    target: Logits,
    /// To what is said of a target in its sentence.
    around: Logits,
}

/// The probabilities of the tones; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToneProbabilities {
    pub negative: f32,
    pub neutral: f32,
    pub positive: f32,
}

impl ToneEvidence {
    /// Of a row of the heads' output.
    pub(super) fn of_row(row: &[f32; TONE_WIDTH]) -> Self {
        let at = |first: usize| [row[first], row[first + 1], row[first + 2]];
        Self { sentence: at(0), target: at(N_TONES), around: at(2 * N_TONES) }
    }

    /// The logits of a sentence, or of the part of it that `words` are; `None` of no words.
    pub fn of_sentence<'e>(words: impl IntoIterator<Item = &'e Self>) -> Option<ToneLogits> {
        mean(words.into_iter().map(|word| &word.sentence)).map(ToneLogits)
    }

    /// The logits of what `sentence` says of a target whose words are `target`; `None` where either has no words.
    pub fn of_target<'e>(
        target: impl IntoIterator<Item = &'e Self>,
        sentence: impl IntoIterator<Item = &'e Self>,
    ) -> Option<ToneLogits> {
        let target = mean(target.into_iter().map(|word| &word.target))?;
        let around = mean(sentence.into_iter().map(|word| &word.around))?;
        Some(ToneLogits(std::array::from_fn(|tone| target[tone] + around[tone])))
    }
}

/// Logits of the three tones: negative, neutral, positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToneLogits(pub [f32; N_TONES]);

impl ToneLogits {
    /// Probabilities; the same bits on every machine.
    pub fn probabilities(self) -> ToneProbabilities {
        let greatest = self.0.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let [negative, neutral, positive] = self.0.map(|logit| exp_of(logit - greatest));
        let sum = negative + neutral + positive;
        ToneProbabilities {
            negative: negative / sum,
            neutral: neutral / sum,
            positive: positive / sum,
        }
    }
}

fn mean<'l>(words: impl Iterator<Item = &'l Logits>) -> Option<Logits> {
    let mut sums = [0.0; N_TONES];
    let mut n_words = 0_u16;
    for word in words {
        n_words = n_words.saturating_add(1);
        for (sum, logit) in sums.iter_mut().zip(word) {
            *sum += logit;
        }
    }
    (n_words > 0).then(|| sums.map(|sum| sum / f32::from(n_words)))
}

#[derive(Debug)]
pub(super) struct Tone<S: Simd> {
    /// How much of each encoder layer's states but the last is added to the last's.
    pub(super) shares: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) layer: Layer<S>,
    pub(super) head: Head,
}

impl<S: Simd> Tone<S> {
    /// `None` where the file has no tone layer.
    pub(super) fn pack(weights: &Weights) -> Result<Option<Self>, LoadError> {
        let Some(tone) = weights.tone() else { return Ok(None) };
        let width = weights.architecture().width;
        let mut head = Head::empty(width, TONE_WIDTH, 0.0);
        let sentence = weights.floats("tone.sentence.weight")?;
        head.put(0, sentence.chunks_exact(width));
        head.put_bias(0, &weights.floats("tone.sentence.bias")?);
        // A row of the target's head is its weights for the target's own words, then for the sentence's.
        let target = weights.floats("tone.target.weight")?;
        let halves = |half: usize| target.chunks_exact(width).skip(half).step_by(2);
        head.put(N_TONES, halves(0));
        head.put_bias(N_TONES, &weights.floats("tone.target.bias")?);
        head.put(2 * N_TONES, halves(1));
        Ok(Some(Self {
            shares: weights.floats("tone.shares")?,
            norm: Norm::read(weights, "tone.input")?,
            layer: Layer::pack(weights, "tone.layer", tone.heads * HEAD_WIDTH)?,
            head,
        }))
    }
}
