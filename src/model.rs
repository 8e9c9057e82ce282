//! The reader: one small int8 text encoder, whose reading of an article several stages use.
//!
//! In: words and sentences, as `text` splits them. Out: a [`Reading`]: for each word the log-probabilities of its tags,
//! the best tags, and what it says of tone. The same bits for the same text, whatever the processor, the number of threads, or what else is
//! read. Training's `FORMAT.md` says what is computed; `model/simd.rs` how it is made fast.

pub mod labels;
mod weights;
mod wordpiece;
mod casing;
mod windows;
mod simd;
mod ops;
mod linear;
mod attention;
mod encoder;
mod tone;
mod decode;
mod kernel;

use std::borrow::Cow;

use crate::article::Field;
use crate::text::{Segmented, Segments};
use attention::{HEADS_WIDTH, QUOTE_COLUMN};
use casing::Written;
use encoder::{Batch, Scratch};
use kernel::Engine;
use labels::{EntityLabel, N_ENTITY_TAGS, N_QUOTE_TAGS, QuoteLabel, Tag};
use tone::TONE_WIDTH;
use weights::{VOCABULARY, Weights};
use windows::{Limits, Part};
use wordpiece::Vocabulary;

pub use decode::Labelled;
pub use kernel::Kernel;
pub use tone::{ToneEvidence, ToneLogits, ToneProbabilities};
pub use weights::{FILE_BYTES_MAX, LoadError};

/// Longest window that is filled with whole sentences, in words; a single sentence may be longer. Measured: as accurate
/// as the 126 words that training allows, and attention costs less.
const WINDOW_WORDS: usize = 40;

/// Positions that are encoded together: enough to use each weight often while it is near, and few enough that their rows
/// stay in the second-level cache.
const BATCH_POSITIONS: usize = 192;

/// Words of an article that are read: longer ones are no news, and would hold a thread for many seconds.
pub const READ_WORDS_MAX: usize = 20_000;

/// What a word that was not read has for every tag but outside: no evidence of anything.
const UNREAD: f32 = -100.0;

/// A loaded model.
#[derive(Debug)]
pub struct Reader {
    vocabulary: Vocabulary,
    limits: Limits,
    engine: Engine,
    version: String,
}

/// What the reader says of one text: one entry a word, in the order of [`Segments::words`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    entity: Vec<[f32; N_ENTITY_TAGS]>,
    quote: Vec<[f32; N_QUOTE_TAGS]>,
    entity_tags: Vec<Tag<EntityLabel>>,
    quote_tags: Vec<Tag<QuoteLabel>>,
    /// Of the words that were read; empty without a tone layer.
    tone: Vec<ToneEvidence>,
}

/// The readings of an article's two texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArticleReading {
    pub headline: Reading,
    pub text: Reading,
}

impl Reader {
    /// The model inside the binary.
    pub fn embedded() -> Self {
        let bytes: &'static [u8] = include_bytes!("../models/reader.bin");
        Self::load(bytes).expect("the file inside the binary is whole: a test reads it")
    }

    /// Reads a weights file, for the fastest kernel that this processor has.
    ///
    /// # Errors
    /// When the bytes are not a whole weights file of this format version, with this build's tags.
    pub fn load(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, LoadError> {
        Self::load_for(bytes, Kernel::fastest())
    }

    /// Reads a weights file for a given kernel.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_for(
        bytes: impl Into<Cow<'static, [u8]>>,
        kernel: Kernel,
    ) -> Result<Self, LoadError> {
        let weights = Weights::parse(bytes.into())?;
        let architecture = weights.architecture();
        let vocabulary = Vocabulary::parse(
            weights.bytes(VOCABULARY)?,
            architecture.pieces,
            architecture.pieces_per_word_max,
        )?;
        let limits = Limits {
            filled: WINDOW_WORDS.min(architecture.window_words),
            sentence: architecture.window_words,
        };
        let engine = Engine::pack(&weights, kernel)?;
        Ok(Self { vocabulary, limits, engine, version: weights.version() })
    }

    /// The version that records carry as `provenance.model`: name and hash.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The instructions in use.
    pub fn kernel(&self) -> Kernel {
        self.engine.kernel()
    }

    /// Reads headline and text.
    pub fn read_article(&self, article: &Segmented) -> ArticleReading {
        let texts = [
            (article.article.headline.as_deref().unwrap_or_default(), &article.headline),
            (article.article.text.as_str(), &article.text),
        ];
        let mut headline = self.read_all(&texts);
        let text = headline.split_off(article.headline.words.len());
        ArticleReading { headline, text }
    }

    /// Reads one text; `segments` are those of `text`.
    pub fn read(&self, text: &str, segments: &Segments) -> Reading {
        self.read_all(&[(text, segments)])
    }

    /// The readings of all texts, one after the other.
    fn read_all(&self, texts: &[(&str, &Segments)]) -> Reading {
        let mut reading = Reading::default();
        let mut batch = Batch::default();
        let mut scratch = Scratch::default();
        let mut n_words = 0;
        for (text, segments) in texts {
            windows::each(&segments.sentences, self.limits, |parts| {
                let of_window: usize = parts.iter().map(|part| part.words.len()).sum();
                n_words += of_window;
                if n_words > READ_WORDS_MAX {
                    return;
                }
                if batch.n_positions() + of_window + 2 > BATCH_POSITIONS {
                    self.encode(&mut batch, &mut scratch, &mut reading);
                }
                self.push(text, segments, parts, &mut batch);
            });
        }
        self.encode(&mut batch, &mut scratch, &mut reading);
        reading.fill(texts.iter().map(|(_, segments)| segments.words.len()).sum());
        reading
    }

    /// Adds a window to the batch.
    fn push(&self, text: &str, segments: &Segments, parts: &[Part], batch: &mut Batch) {
        let first = batch.n_positions();
        batch.push_mark(self.vocabulary.cls);
        let mut written = Vec::new();
        for part in parts {
            written.clear();
            for index in part.words.clone() {
                let span = segments.words[index].span;
                let before = index.checked_sub(1).map(|before| segments.words[before].span.end);
                let opens = part.opens_paragraph && index == part.words.start;
                let has_gap = opens || before.is_none_or(|end| end < span.start);
                let word = span.of(text);
                written.push(Written { text: word, has_gap });
                self.vocabulary.split(word, &mut batch.pieces);
                batch.piece_ends.push(batch.pieces.len());
            }
            casing::classify(&written, part.opens_paragraph, &mut batch.casing);
        }
        batch.push_mark(self.vocabulary.sep);
        batch.windows.push(batch.n_positions() - first);
    }

    /// Encodes what is in the batch, appends its words to the reading, and empties the batch.
    fn encode(&self, batch: &mut Batch, scratch: &mut Scratch, reading: &mut Reading) {
        if batch.windows.is_empty() {
            return;
        }
        let outputs = self.engine.forward(batch, scratch);
        let mut rest = outputs.log_probabilities;
        let mut tones = outputs.tones.as_chunks::<TONE_WIDTH>().0;
        for &n_positions in &batch.windows {
            let first = reading.entity.len();
            let (window, after) = rest.split_at(n_positions * HEADS_WIDTH);
            rest = after;
            // Without [CLS] and [SEP].
            for row in window.chunks_exact(HEADS_WIDTH).take(n_positions - 1).skip(1) {
                let (entity, quote) = row.split_at(QUOTE_COLUMN);
                reading.entity.extend(entity.first_chunk());
                reading.quote.extend(quote.first_chunk());
            }
            if let Some((window, after)) = tones.split_at_checked(n_positions) {
                tones = after;
                let words = window.iter().take(n_positions - 1).skip(1);
                reading.tone.extend(words.map(ToneEvidence::of_row));
            }
            decode::best_tags(&reading.entity[first..], &mut reading.entity_tags);
            decode::best_tags(&reading.quote[first..], &mut reading.quote_tags);
        }
        batch.clear();
    }
}

impl ArticleReading {
    pub fn field(&self, field: Field) -> &Reading {
        match field {
            Field::Headline => &self.headline,
            Field::Text => &self.text,
        }
    }
}

impl Reading {
    pub fn n_words(&self) -> usize {
        self.entity.len()
    }

    /// Whether the word was read: not so after [`READ_WORDS_MAX`] words.
    pub fn is_read(&self, word: usize) -> bool {
        self.entity[word] != unread()
    }

    /// The log-probabilities of a word's entity tags, by [`Tag::index`]; they sum to 1 as probabilities.
    pub fn entity(&self, word: usize) -> &[f32; N_ENTITY_TAGS] {
        &self.entity[word]
    }

    /// The log-probabilities of a word's quote tags, by [`Tag::index`].
    pub fn quote(&self, word: usize) -> &[f32; N_QUOTE_TAGS] {
        &self.quote[word]
    }

    /// What each word says of tone, as far as words were read; empty where the model has no tone layer.
    pub fn tone_evidence(&self) -> &[ToneEvidence] {
        &self.tone
    }

    /// The most probable sequence of entity tags in which no span starts inside.
    pub fn entity_tags(&self) -> &[Tag<EntityLabel>] {
        &self.entity_tags
    }

    /// The most probable sequence of quote tags in which no span starts inside.
    pub fn quote_tags(&self) -> &[Tag<QuoteLabel>] {
        &self.quote_tags
    }

    /// The spans of [`Self::entity_tags`], in text order.
    pub fn entities(&self) -> Vec<Labelled<EntityLabel>> {
        decode::spans(&self.entity_tags, &self.entity)
    }

    /// The spans of [`Self::quote_tags`], in text order.
    pub fn quotes(&self) -> Vec<Labelled<QuoteLabel>> {
        decode::spans(&self.quote_tags, &self.quote)
    }

    /// Says of the words after [`READ_WORDS_MAX`] that nothing is known of them.
    fn fill(&mut self, n_words: usize) {
        self.entity.resize(n_words, unread());
        self.quote.resize(n_words, unread());
        self.entity_tags.resize(n_words, Tag::Outside);
        self.quote_tags.resize(n_words, Tag::Outside);
    }

    fn split_off(&mut self, at: usize) -> Self {
        Self {
            entity: self.entity.split_off(at),
            quote: self.quote.split_off(at),
            entity_tags: self.entity_tags.split_off(at),
            quote_tags: self.quote_tags.split_off(at),
            tone: self.tone.split_off(at.min(self.tone.len())),
        }
    }
}

fn unread<const N: usize>() -> [f32; N] {
    let mut log_probabilities = [UNREAD; N];
    log_probabilities[0] = 0.0;
    log_probabilities
}

#[cfg(test)]
mod tests;
