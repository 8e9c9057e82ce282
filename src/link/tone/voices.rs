//! The tone of the document and of its voices: the narrator outside quotes, the quoted inside.
//!
//! In: the stage's tones, and quotes in text order. Out: a tone for each voice that speaks.

use super::Tone;
use crate::article::{Field, Span};
use crate::link::LinkedQuote;
use crate::stages::Tones;
use crate::stages::sentiment::score_of;
use crate::text::Segmented;

pub(super) struct Voices {
    pub(super) document: Option<Tone>,
    pub(super) narrator: Option<Tone>,
    pub(super) quoted: Option<Tone>,
}

pub(super) fn of_text(article: &Segmented, tones: &Tones, quotes: &[LinkedQuote]) -> Voices {
    let mut spans: Vec<Span> =
        quotes.iter().flat_map(|linked| linked.quote.segments.iter().copied()).collect();
    spans.sort_unstable();
    let segments = &article.text;
    let [mut document, mut narrator, mut quoted] = [Mean::default(); 3];
    for sentence in &segments.sentences {
        let all = sentence.words.clone();
        let is_quoted = |word: usize| is_inside(&spans, segments.words[word].span);
        let n_quoted = all.clone().filter(|&word| is_quoted(word)).count();
        let n_narrated = all.len() - n_quoted;
        let part =
            |is_part: &dyn Fn(usize) -> bool| tones.of_part(Field::Text, all.clone(), is_part);
        document.add(part(&|_| true), all.len(), all.len());
        narrator.add(part(&|word| !is_quoted(word)), n_narrated, all.len());
        quoted.add(part(&is_quoted), n_quoted, all.len());
    }
    Voices { document: document.tone(), narrator: narrator.tone(), quoted: quoted.tone() }
}

pub(super) fn of_headline(article: &Segmented, tones: &Tones) -> Option<Tone> {
    let mut mean = Mean::default();
    for sentence in &article.headline.sentences {
        let n_words = sentence.words.len();
        mean.add(
            tones.of_part(Field::Headline, sentence.words.clone(), |_| true),
            n_words,
            n_words,
        );
    }
    mean.tone()
}

/// Whether `word` lies in one of `spans`, which are sorted and do not overlap.
pub(super) fn is_inside(spans: &[Span], word: Span) -> bool {
    let at = spans.partition_point(|span| span.end <= word.start);
    spans.get(at).is_some_and(|span| span.contains(word))
}

/// A mean of length-normalised tones, each weighted by its share of a sentence.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f32,
    weight: f32,
}

impl Mean {
    fn add(&mut self, tone: f32, n_words: usize, n_words_of_sentence: usize) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a sentence has at most a few hundred words"
        )]
        let weight = n_words as f32 / n_words_of_sentence.max(1) as f32;
        self.sum += weight * tone;
        self.weight += weight;
    }

    fn tone(self) -> Option<Tone> {
        (self.weight > 0.0).then(|| Tone { score: score_of(self.sum / self.weight, self.weight) })
    }
}
