//! The tone of the document and of its voices: the narrator outside quotes, the quoted inside.
//!
//! In: valenced words and quotes, both in text order. Out: a tone for each voice that speaks.

use std::ops::Range;

use super::Tone;
use crate::article::{Field, Span};
use crate::link::LinkedQuote;
use crate::stages::Tones;
use crate::stages::sentiment::{WordTone, per_length, score_of};
use crate::text::{Segmented, Sentence};

pub(super) struct Voices {
    pub(super) document: Option<Tone>,
    pub(super) narrator: Option<Tone>,
    pub(super) quoted: Option<Tone>,
}

pub(super) fn of_text(article: &Segmented, tones: &Tones, quotes: &[LinkedQuote]) -> Voices {
    let mut spans: Vec<Span> =
        quotes.iter().flat_map(|linked| linked.quote.segments.iter().copied()).collect();
    spans.sort_unstable();
    let is_quoted = |word: Span| is_inside(&spans, word);
    let segments = &article.text;
    let [mut document, mut narrator, mut quoted] = [Mean::default(); 3];
    for sentence in &segments.sentences {
        let all = segments.words_of(sentence);
        let n_quoted = all.iter().filter(|word| is_quoted(word.span)).count();
        let n_narrated = all.len() - n_quoted;
        let (mut of_quoted, mut of_narrated) = (0.0, 0.0);
        for word in words_of(tones, Field::Text, sentence) {
            *(if is_quoted(word.span) { &mut of_quoted } else { &mut of_narrated }) += word.valence;
        }
        document.add(of_quoted + of_narrated, all.len(), all.len());
        narrator.add(of_narrated, n_narrated, all.len());
        quoted.add(of_quoted, n_quoted, all.len());
    }
    Voices { document: document.tone(), narrator: narrator.tone(), quoted: quoted.tone() }
}

pub(super) fn of_headline(article: &Segmented, tones: &Tones) -> Option<Tone> {
    let mut mean = Mean::default();
    for sentence in &article.headline.sentences {
        let words = words_of(tones, Field::Headline, sentence);
        let n_words = sentence.words.len();
        mean.add(words.iter().map(|word| word.valence).sum(), n_words, n_words);
    }
    mean.tone()
}

/// The valenced words of a sentence.
pub(super) fn words_of<'t>(tones: &'t Tones, field: Field, sentence: &Sentence) -> &'t [WordTone] {
    let Range { start, end } = sentence.words;
    let before = |bound: usize| move |word: &WordTone| (word.field, word.word) < (field, bound);
    let first = tones.words.partition_point(before(start));
    let last = tones.words.partition_point(before(end));
    &tones.words[first..last]
}

/// Whether `word` lies in one of `spans`, which are sorted and do not overlap.
pub(super) fn is_inside(spans: &[Span], word: Span) -> bool {
    let at = spans.partition_point(|span| span.end <= word.start);
    spans.get(at).is_some_and(|span| span.contains(word))
}

/// A mean of length-normalised valences, each weighted by its share of a sentence.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f32,
    weight: f32,
}

impl Mean {
    fn add(&mut self, valence: f32, n_words: usize, n_words_of_sentence: usize) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a sentence has at most a few hundred words"
        )]
        let weight = n_words as f32 / n_words_of_sentence.max(1) as f32;
        self.sum += weight * per_length(valence, n_words);
        self.weight += weight;
    }

    fn tone(self) -> Option<Tone> {
        (self.weight > 0.0).then(|| Tone { score: score_of(self.sum / self.weight, self.weight) })
    }
}
