//! Lexicon and reader weighed together.
//!
//! In: what each says. Out: one number on the lexicon's scale; the lexicon's own where there was no reading.
//!
//! The numbers below were chosen on training data (`training/reader/README.md`, Tone), none of them on `dev/`.

use crate::model::ToneLogits;

/// Of a sentence's tone, so much is the reader's.
const SENTENCE_SHARE: f32 = 0.4;
/// A sentence that the reader is sure of, on the scale of length-normalised valences.
const SENTENCE_SCALE: f32 = 0.4;
/// Of what is said of a target, so much is the reader's.
const TARGET_SHARE: f32 = 0.9;

/// What the reader says of a part of a sentence. It has read the part beside the rest, whose tone the part's states
/// carry too: so it counts by how much of the sentence the part is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Read {
    pub(super) logits: ToneLogits,
    /// Of the sentence's words, in [0, 1].
    pub(super) share: f32,
}

/// The length-normalised tone of a sentence or part of one.
pub(super) fn of_sentence(by_lexicon: f32, read: Option<Read>) -> f32 {
    let Some(Read { logits, share }) = read else { return by_lexicon };
    let by_reader = SENTENCE_SCALE * strength(logits);
    by_lexicon + SENTENCE_SHARE * share * (by_reader - by_lexicon)
}

/// What a sentence, or the part of it that is not the target's own words, says of a target, in [-1, 1].
pub(super) fn of_target(by_lexicon: f32, read: Option<Read>) -> f32 {
    let Some(Read { logits, share }) = read else { return by_lexicon };
    by_lexicon + TARGET_SHARE * share * (strength(logits) - by_lexicon)
}

/// Probabilities as one number in [-1, 1], beyond ±0.25 just where the likeliest tone is not neutral: it has the sign of
/// the likelier of the two others, and the square of how far that one is above neutral, from 0 (surely neutral) to 1.
fn strength(logits: ToneLogits) -> f32 {
    let tone = logits.probabilities();
    let (likelier, sign) =
        if tone.positive > tone.negative { (tone.positive, 1.0) } else { (tone.negative, -1.0) };
    let above_neutral = 0.5 * (1.0 + likelier - tone.neutral);
    sign * above_neutral * above_neutral
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strength_is_beyond_its_bound_where_the_likeliest_tone_is_not_neutral() {
        for (logits, expected) in [
            ([0.0, 0.0, -9.0], -0.25),
            ([-9.0, 0.0, 0.0], 0.25),
            ([-20.0, 0.0, -20.0], 0.0),
            ([20.0, 0.0, 0.0], -1.0),
        ] {
            let found = strength(ToneLogits(logits));
            assert!((found - expected).abs() < 1e-3, "{logits:?}: {found}");
        }
        assert!(strength(ToneLogits([0.0, 0.5, 1.0])) > 0.25);
        assert!(strength(ToneLogits([0.0, 1.0, 0.5])) < 0.25);
    }

    #[test]
    fn without_a_reading_the_lexicon_decides() {
        assert_eq!((of_sentence(0.3, None), of_target(-0.7, None)), (0.3, -0.7));
        let nothing = Some(Read { logits: ToneLogits([9.0, 0.0, 0.0]), share: 0.0 });
        assert_eq!((of_sentence(0.3, nothing), of_target(0.7, nothing)), (0.3, 0.7));
    }

    #[test]
    fn the_reader_counts_by_the_share_of_the_sentence() {
        let of_share =
            |share| of_target(0.0, Some(Read { logits: ToneLogits([9.0, 0.0, 0.0]), share }));
        assert!(of_share(1.0) < of_share(0.5) && of_share(0.5) < of_share(0.1));
    }
}
