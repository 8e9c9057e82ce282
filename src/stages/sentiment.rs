//! In which tone: valenced words, what the reader says of each word, and the score of each sentence.
//!
//! In: a segmented article and its reading. Out: [`Tones`]. Which words are the narrator's and which an entity is the
//! target of, `link` decides, by [`Tones::of_part`] and [`Tones::of_target`].
//!
//! Lexicon and reader are weighed together (`blend`); where a sentence was not read, the lexicon alone decides. In the
//! lexicon a word has two kinds of weight, both learnt (`training/sentiment`). Its *valence* is how a text reads that has it:
//! "killed" is bad news. Its *stance* is what it says of a name it stands near: "killed" says little about the
//! person, "corrupt" and "praised" say much. Events are facts; only stance is held against or for somebody.

mod blend;
mod lexicon;
mod modifiers;
mod stance;
mod stem;

use std::ops::Range;

use crate::article::{Field, Span};
use crate::model::{ArticleReading, ToneEvidence};
use crate::text::{Segmented, Segments, Word};
use blend::Read;
use lexicon::Lexicon;

pub use stance::{Stance, Target};

/// Slope of a single sentence's score: the neutral band that was learnt on sentences (0.13 either side) becomes that
/// of `link`'s labels (0.25).
const SLOPE: f32 = 1.96;

/// The tone of every sentence, and the words that carry it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tones {
    /// Every sentence of headline and text, in order.
    pub sentences: Vec<SentenceTone>,
    /// Words that carry tone by the lexicon, in order, after negation and intensifiers.
    pub words: Vec<WordTone>,
    /// What the reader says of the headline's words; empty where it was not read.
    pub headline_evidence: Vec<ToneEvidence>,
    /// What the reader says of the text's words, as far as it was read.
    pub text_evidence: Vec<ToneEvidence>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SentenceTone {
    pub field: Field,
    pub span: Span,
    pub n_words: usize,
    /// In [-1, 1].
    pub score: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WordTone {
    pub field: Field,
    pub span: Span,
    /// Index in the field's `Segments::words`.
    pub word: usize,
    /// Mostly in [-1, 1]; a strong word that is intensified goes beyond.
    pub valence: f32,
    pub stance: Stance,
}

/// Scores the tone of an article.
pub fn score(article: &Segmented, reading: &ArticleReading) -> Tones {
    let lexicon = Lexicon::embedded();
    let mut tones = Tones {
        headline_evidence: reading.headline.tone_evidence().to_vec(),
        text_evidence: reading.text.tone_evidence().to_vec(),
        ..Tones::default()
    };
    for field in [Field::Headline, Field::Text] {
        let text = article.article.field(field);
        let segments = article.segments(field);
        for sentence in &segments.sentences {
            let words = sentence.words.clone();
            push_words(text, segments, words.clone(), field, lexicon, &mut tones.words);
            let tone = tones.of_part(field, words, |_| true);
            let n_words = sentence.words.len();
            let score = score_of(tone, 1.0);
            tones.sentences.push(SentenceTone { field, span: sentence.span, n_words, score });
        }
    }
    tones
}

impl Tones {
    /// The length-normalised tone of those words of a sentence for which `is_part` is true, by lexicon and reader; 0 of
    /// no words. [`score_of`] makes scores of it.
    pub fn of_part(
        &self,
        field: Field,
        sentence: Range<usize>,
        is_part: impl Fn(usize) -> bool,
    ) -> f32 {
        let valenced = self.words_within(field, sentence.clone());
        let valence = valenced.iter().filter(|word| is_part(word.word)).map(|word| word.valence);
        let (n_all, n_words) =
            (sentence.len(), sentence.clone().filter(|&word| is_part(word)).count());
        let by_lexicon = per_length(valence.sum(), n_words);
        let read = self.evidence(field, sentence.clone()).and_then(|read| {
            let words = sentence.zip(read).filter(|(word, _)| is_part(*word));
            let logits = ToneEvidence::of_sentence(words.map(|(_, evidence)| evidence))?;
            Some(Read { logits, share: share(n_words, n_all) })
        });
        blend::of_sentence(by_lexicon, read)
    }

    /// What a sentence of `text` says of a target in it, in [-1, 1]. Words for which `is_heard` is false are passed
    /// over.
    pub fn of_target(
        &self,
        (field, text): (Field, &str),
        segments: &Segments,
        target: &Target,
        is_heard: impl Fn(&Word) -> bool,
    ) -> f32 {
        let Target { sentence, words } = target;
        let valenced = self.words_within(field, sentence.clone());
        let by_lexicon = stance::of_target(text, segments, valenced, target, &is_heard);
        let read = self.evidence(field, sentence.clone()).and_then(|read| {
            let own = read.get(words.start - sentence.start..words.end - sentence.start)?;
            let all = segments.words[sentence.clone()].iter().zip(read);
            let heard = || all.clone().filter(|(word, _)| is_heard(word));
            let logits = ToneEvidence::of_target(own, heard().map(|(_, evidence)| evidence))?;
            Some(Read { logits, share: share(heard().count(), sentence.len()) })
        });
        blend::of_target(by_lexicon, read)
    }

    /// The valenced words among `words`.
    fn words_within(&self, field: Field, words: Range<usize>) -> &[WordTone] {
        let before = |bound: usize| move |word: &WordTone| (word.field, word.word) < (field, bound);
        let first = self.words.partition_point(before(words.start));
        let last = self.words.partition_point(before(words.end));
        &self.words[first..last]
    }

    /// What the reader says of `words`; `None` unless it has read all of them.
    fn evidence(&self, field: Field, words: Range<usize>) -> Option<&[ToneEvidence]> {
        match field {
            Field::Headline => self.headline_evidence.get(words),
            Field::Text => self.text_evidence.get(words),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sentence has at most a few hundred words")]
fn share(n_words: usize, n_all: usize) -> f32 {
    n_words as f32 / n_all.max(1) as f32
}

/// A sum of valences against the length that it is spread over: by the square root, since a long sentence with two
/// good words says less than a short one, but not half as much.
fn per_length(valence: f32, n_words: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a sentence has at most a few hundred words")]
    let n_words = n_words.max(1) as f32;
    valence / n_words.sqrt()
}

/// A mean of the length-normalised valences of `n_sentences` as a score in [-1, 1].
///
/// Good and bad sentences cancel in a mean, so that a document's is nearer to zero than a sentence's: its neutral
/// band, learnt on documents, is 0.09.
pub fn score_of(valence: f32, n_sentences: f32) -> f32 {
    let slope = SLOPE * (1.5 - 0.5 / n_sentences.max(1.0));
    (slope * valence).tanh()
}

fn push_words(
    text: &str,
    segments: &Segments,
    words: Range<usize>,
    field: Field,
    lexicon: &Lexicon,
    found: &mut Vec<WordTone>,
) {
    let of_sentence = &segments.words[words.clone()];
    let modifiers = modifiers::of(text, of_sentence);
    for ((word, modifier), index) in of_sentence.iter().zip(modifiers).zip(words) {
        if !stance::is_content(text, word) {
            continue;
        }
        if let Some(entry) = lexicon.get(word.span.of(text)) {
            found.push(WordTone {
                field,
                span: word.span,
                word: index,
                valence: entry.valence * modifier.factor,
                stance: Stance::new(entry, modifier.is_negated),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{Article, ArticleId, Format};

    fn article(headline: Option<&str>, text: &str) -> Segmented {
        Segmented::new(Article {
            id: ArticleId::parse("urn:test").unwrap(),
            version: None,
            headline: headline.map(str::to_owned),
            text: text.to_owned(),
            declared_language: None,
            published: None,
            updated: None,
            embargoed_until: None,
            format: Format::Plain,
            source_map: None,
            n_unknown_fields: 0,
            warnings: Vec::new(),
        })
    }

    /// By the lexicon alone.
    fn scored(article: &Segmented) -> Tones {
        score(article, &ArticleReading::default())
    }

    #[track_caller]
    fn scores(text: &str) -> Vec<f32> {
        scored(&article(None, text)).sentences.iter().map(|sentence| sentence.score).collect()
    }

    /// The score of each sentence is higher than that of the next.
    #[track_caller]
    fn check_falling(text: &str) {
        let scores = scores(text);
        assert!(scores.windows(2).all(|pair| pair[0] > pair[1]), "{scores:?}");
    }

    #[test]
    fn good_reads_better_than_plain_and_plain_than_bad() {
        check_falling("The show was wonderful. The show began at noon. The show was terrible.");
        check_falling(
            "The very good plan passed. The good plan passed. The plan passed. The plan was not good.",
        );
        check_falling("It was bad but it is good. It was good but it is bad.");
        check_falling("It was not bad. It was bad. It was extremely bad.");
    }

    #[test]
    fn length_thins_tone_out() {
        check_falling(
            "A wonderful day. It was a wonderful day in the town by the river where the council had met on the second \
             Tuesday of the month to hear about the plan for the road.",
        );
    }

    #[test]
    fn plain_news_is_neutral() {
        for score in scores(
            "The council will meet on Tuesday. The company has 400 employees in three cities. She was born in 1952. \
             The report is due next week.",
        ) {
            assert!(score.abs() < 0.25, "{score}");
        }
    }

    #[test]
    fn headline_and_text_are_scored_apart() {
        let tones = scored(&article(Some("A wonderful day"), "It rained."));
        let fields: Vec<Field> = tones.sentences.iter().map(|sentence| sentence.field).collect();
        assert_eq!(fields, [Field::Headline, Field::Text]);
        assert!(tones.words.iter().any(|word| word.field == Field::Headline));
    }

    #[test]
    fn a_text_without_words_has_no_tone() {
        assert_eq!(scored(&article(None, "")), Tones::default());
        assert_eq!(scores("12 + 12 = 24."), [0.0]);
    }
}
