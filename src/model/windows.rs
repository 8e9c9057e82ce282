//! Windows: runs of whole sentences that the encoder sees at once.
//!
//! In: the sentences of one text. Out: parts of sentences, window by window, in text order; every word is in one part.

use std::ops::Range;

use crate::text::Sentence;

/// A sentence, or what a window holds of one that is too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) words: Range<usize>,
    /// It starts with the first word of a paragraph.
    pub(super) opens_paragraph: bool,
}

/// Sizes of windows, in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A window takes sentences up to here. Attention costs the square, and more is not more accurate.
    pub(super) filled: usize,
    /// A longer sentence is cut.
    pub(super) sentence: usize,
}

/// Calls `window` with the parts of each window.
pub(super) fn each(sentences: &[Sentence], limits: Limits, mut window: impl FnMut(&[Part])) {
    let mut parts: Vec<Part> = Vec::new();
    let mut n_words = 0;
    let mut paragraph = None;
    for sentence in sentences {
        let mut words = sentence.words.clone();
        let mut opens_paragraph = paragraph.replace(sentence.paragraph) != Some(sentence.paragraph);
        if !parts.is_empty() && n_words + words.len() > limits.filled {
            window(&parts);
            parts.clear();
            n_words = 0;
        }
        while words.len() > limits.sentence {
            let cut = words.start + limits.sentence;
            window(&[Part { words: words.start..cut, opens_paragraph }]);
            words.start = cut;
            opens_paragraph = false;
        }
        n_words += words.len();
        parts.push(Part { words, opens_paragraph });
    }
    if !parts.is_empty() {
        window(&parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Segments;

    #[track_caller]
    fn check(text: &str, expected: &[&[(Range<usize>, bool)]]) {
        let segments = Segments::of(text);
        let mut found: Vec<Vec<(Range<usize>, bool)>> = Vec::new();
        each(&segments.sentences, Limits { filled: 6, sentence: 8 }, |parts| {
            found.push(parts.iter().map(|p| (p.words.clone(), p.opens_paragraph)).collect());
        });
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn whole_sentences_fill_windows() {
        check(
            "It rained. It rained. So it did.",
            &[&[(0..3, true), (3..6, false)], &[(6..10, false)]],
        );
        check("It rained.\nSo did we.", &[&[(0..3, true)], &[(3..7, true)]]);
        check("", &[]);
    }

    #[test]
    fn a_sentence_longer_than_a_window_stands_alone_or_is_cut() {
        check("It rained all day. It rained.", &[&[(0..5, true)], &[(5..8, false)]]);
        check(
            "No. It rained all day and night.\nYes.",
            &[&[(0..2, true)], &[(2..9, false)], &[(9..11, true)]],
        );
        check(
            "a b c d e f g h i j k l m n o p q r.",
            &[&[(0..8, true)], &[(8..16, false)], &[(16..19, false)]],
        );
    }
}
