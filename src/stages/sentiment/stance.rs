//! What a sentence says of a target that it names: a small linear model over the words around it.
//!
//! In: the valenced words of the target's sentence and where the target stands. Out: a score in [-1, 1]: the
//! probability of a positive stance less that of a negative one, by the probability that there is any.

use super::lexicon::{Entry, Lexicon, Logits};
use super::{WordTone, per_length};
use crate::text::{Segments, Shape, Word};

/// Words this near to the target count more, by the inverse square root of their distance.
const NEAR_WORDS: usize = 6;
/// Weight of a word anywhere in the sentence.
const ANYWHERE: f32 = 0.6;
/// "Not corrupt" takes back half of "corrupt".
const NEGATED: f32 = -0.5;

/// Beyond it a probability is 0 or 1 in three decimals; a sentence of one strong word repeated must not overflow.
const LOGIT_MAX: f32 = 30.0;

/// A word's evidence about a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stance {
    anywhere: Logits,
    before: Logits,
    after: Logits,
    /// 1, or [`NEGATED`].
    sign: f32,
}

impl Stance {
    pub(super) fn new(entry: &Entry, is_negated: bool) -> Self {
        let Entry { anywhere, before, after, .. } = *entry;
        Self { anywhere, before, after, sign: if is_negated { NEGATED } else { 1.0 } }
    }
}

/// A target within its sentence: indices into `Segments::words`.
#[derive(Debug, Clone)]
pub struct Target {
    pub sentence: std::ops::Range<usize>,
    pub words: std::ops::Range<usize>,
}

/// What the sentence says of `target`. `tones` are the sentence's; words for which `is_heard` is false are passed
/// over.
pub(super) fn of_target(
    text: &str,
    segments: &Segments,
    tones: &[WordTone],
    target: &Target,
    is_heard: impl Fn(&Word) -> bool,
) -> f32 {
    let bias = Lexicon::embedded().bias;
    let weights = |word: usize| {
        let distance = if word < target.words.start {
            target.words.start - word
        } else {
            word + 1 - target.words.end
        };
        #[expect(clippy::cast_precision_loss, reason = "at most six")]
        if distance <= NEAR_WORDS { 1.0 / (distance as f32).sqrt() } else { 0.0 }
    };
    let is_around = |index: usize, word: &Word| !target.words.contains(&index) && is_heard(word);
    let mut squares = 0.0_f32;
    let mut n_words = 0;
    for index in target.sentence.clone() {
        let word = &segments.words[index];
        n_words += usize::from(is_heard(word));
        if is_around(index, word) && is_content(text, word) {
            squares += ANYWHERE.powi(2) + weights(index).powi(2);
        }
    }
    let norm = if squares > 0.0 { squares.sqrt() } else { 1.0 };
    let mut logits = bias.constant;
    let (mut positive, mut negative, mut before, mut after) = (0.0, 0.0, 0.0, 0.0);
    for tone in tones.iter().filter(|tone| is_around(tone.word, &segments.words[tone.word])) {
        let Stance { sign, .. } = tone.stance;
        let near = weights(tone.word);
        logits.add(tone.stance.anywhere, sign * ANYWHERE / norm);
        positive += tone.valence.max(0.0);
        negative += tone.valence.min(0.0);
        if near == 0.0 {
            continue;
        }
        if tone.word < target.words.start {
            logits.add(tone.stance.before, sign * near / norm);
            before += tone.valence;
        } else {
            logits.add(tone.stance.after, sign * near / norm);
            after += tone.valence;
        }
    }
    logits.add(bias.positive, per_length(positive, n_words));
    logits.add(bias.negative, per_length(negative, n_words));
    logits.add(bias.before, per_length(before, NEAR_WORDS));
    logits.add(bias.after, per_length(after, NEAR_WORDS));
    let odds = |logit: f32| logit.clamp(-LOGIT_MAX, LOGIT_MAX).exp();
    let (negative, positive) = (odds(logits.negative), odds(logits.positive));
    let total = 1.0 + negative + positive;
    (positive - negative) / total * ((positive + negative) / total)
}

/// Whether a word can carry tone at all: letters first; no mark, number or possessive.
pub(super) fn is_content(text: &str, word: &Word) -> bool {
    !matches!(word.shape, Shape::Mark | Shape::Number | Shape::Possessive)
        && word.span.of(text).starts_with(char::is_alphabetic)
}
