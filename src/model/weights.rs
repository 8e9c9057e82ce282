//! The weights file: what it must hold, and where its tensors lie.
//!
//! In: bytes of unknown origin. Out: a file whose hash, architecture, labels and tensors are what this build reads, or
//! the reason why it is refused. Every size is bounded before anything is allocated by it. Format: training's
//! `FORMAT.md`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::casing::N_CLASSES;
use super::labels::{EntityLabel, N_ENTITY_TAGS, N_QUOTE_TAGS, QuoteLabel, tag_names};
use super::ops::HEAD_WIDTH;

const MAGIC: &[u8; 8] = b"CDREADER";
const FORMAT_VERSION: u32 = 1;
/// Magic, format version, hash.
const HASHED_FROM: usize = 8 + 4 + 32;

/// Six times the shipped file: larger ones are no small encoders.
pub const FILE_BYTES_MAX: usize = 64 << 20;
const LAYERS_MAX: usize = 12;
pub(super) const WIDTH_MAX: usize = 1024;
const INNER_MAX: usize = 4096;
const POSITIONS_MAX: usize = 512;
/// Piece ids are 16 bits.
const PIECES_MAX: usize = 1 << 16;

/// Why a weights file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    #[error("not a reader's weights: the file does not start with the magic bytes")]
    NotWeights,
    #[error("weights have format version {found}, this build reads {FORMAT_VERSION}")]
    WrongVersion { found: u32 },
    #[error("weights are larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    #[error("weights file is truncated")]
    Truncated,
    #[error("weights are damaged: their hash does not match")]
    Checksum,
    #[error("weights have a header that cannot be read: {detail}")]
    Header { detail: String },
    #[error("weights have {what} {found}, this build reads {expected}")]
    Architecture { what: &'static str, found: usize, expected: String },
    #[error("weights have other {head} tags than this build")]
    Tags { head: &'static str },
    #[error("weights have no tensor {name}")]
    MissingTensor { name: String },
    #[error("weights have a tensor {name} of another type or shape than their architecture says")]
    Tensor { name: String },
    #[error("weights have a number in {name} that is not finite")]
    NotFinite { name: String },
    #[error("weights have a vocabulary that cannot be read: {detail}")]
    Vocabulary { detail: &'static str },
    #[error("weights have a tone layer that was trained on another encoder")]
    ForeignTone,
}

#[derive(Debug, Clone, Deserialize)]
struct Header {
    name: String,
    architecture: Architecture,
    entity_tags: Vec<String>,
    quote_tags: Vec<String>,
    #[serde(default)]
    tone: Option<ToneHeader>,
    tensors: BTreeMap<String, Tensor>,
}

/// The sizes of the tone layer, and what it stands on.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ToneHeader {
    pub(super) heads: usize,
    pub(super) inner: usize,
    /// SHA-256 of the encoder's layers, by [`Weights::encoder_digest`].
    pub(super) encoder: String,
    /// The tone of each row of the heads.
    pub(super) tones: Vec<i8>,
}

/// Negative, neutral, positive.
const TONES: [i8; 3] = [-1, 0, 1];

/// The sizes that shapes follow from.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Architecture {
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) layers: usize,
    pub(super) inner: usize,
    pub(super) positions: usize,
    pub(super) window_words: usize,
    pub(super) pieces: usize,
    pub(super) pieces_per_word_max: usize,
    pub(super) casing_classes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Tensor {
    #[serde(rename = "type")]
    kind: Kind,
    shape: Vec<usize>,
    offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Kind {
    #[serde(rename = "i8")]
    Int8,
    #[serde(rename = "u8")]
    Bytes,
    #[serde(rename = "f32")]
    Float,
}

impl Kind {
    fn size_bytes(self) -> usize {
        match self {
            Self::Int8 | Self::Bytes => 1,
            Self::Float => 4,
        }
    }
}

/// A file that has been checked.
#[derive(Debug)]
pub(super) struct Weights {
    file: Cow<'static, [u8]>,
    header: Header,
    /// Where tensors are counted from.
    blob: usize,
    digest: String,
}

impl Weights {
    pub(super) fn parse(file: Cow<'static, [u8]>) -> Result<Self, LoadError> {
        if !file.starts_with(MAGIC) {
            return Err(LoadError::NotWeights);
        }
        if file.len() > FILE_BYTES_MAX {
            return Err(LoadError::TooLarge);
        }
        let found = u32_at(&file, MAGIC.len())?;
        if found != FORMAT_VERSION {
            return Err(LoadError::WrongVersion { found });
        }
        let body = file.get(HASHED_FROM..).ok_or(LoadError::Truncated)?;
        let digest = Sha256::digest(body);
        if digest.as_slice() != &file[HASHED_FROM - digest.len()..HASHED_FROM] {
            return Err(LoadError::Checksum);
        }
        let length = u32_at(body, 0)? as usize;
        let header =
            body.get(4..).and_then(|rest| rest.get(..length)).ok_or(LoadError::Truncated)?;
        let header: Header = serde_json::from_slice(header)
            .map_err(|error| LoadError::Header { detail: error.to_string() })?;
        let blob = HASHED_FROM + 4 + length;
        let weights = Self { file, header, blob, digest: hex::encode(digest) };
        weights.check()?;
        Ok(weights)
    }

    /// `reader-1@sha256:…`: the name and the hash that the file carries.
    pub(super) fn version(&self) -> String {
        format!("{}@sha256:{}", self.header.name, self.digest)
    }

    pub(super) fn architecture(&self) -> Architecture {
        self.header.architecture
    }

    pub(super) fn tone(&self) -> Option<&ToneHeader> {
        self.header.tone.as_ref()
    }

    /// Of the bytes of all tensors of the encoder's layers, in the order of their names.
    fn encoder_digest(&self) -> Result<String, LoadError> {
        let mut hasher = Sha256::new();
        for name in self.header.tensors.keys().filter(|name| name.starts_with("layer.")) {
            hasher.update(self.bytes(name)?);
        }
        Ok(hex::encode(hasher.finalize()))
    }

    pub(super) fn file(&self) -> &Cow<'static, [u8]> {
        &self.file
    }

    /// Where a tensor starts in the file.
    pub(super) fn start(&self, name: &str) -> Result<usize, LoadError> {
        Ok(self.blob + self.tensor(name)?.offset)
    }

    pub(super) fn bytes(&self, name: &str) -> Result<&[u8], LoadError> {
        let tensor = self.tensor(name)?;
        let wrong = || LoadError::Tensor { name: name.to_owned() };
        let n_values = tensor.shape.iter().try_fold(1_usize, |n, &side| n.checked_mul(side));
        let n_bytes = n_values.and_then(|n| n.checked_mul(tensor.kind.size_bytes()));
        let start = self.blob.checked_add(tensor.offset).ok_or_else(wrong)?;
        let end = start.checked_add(n_bytes.ok_or_else(wrong)?).ok_or_else(wrong)?;
        self.file.get(start..end).ok_or(LoadError::Truncated)
    }

    pub(super) fn floats(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let (values, _) = self.bytes(name)?.as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        if !values.iter().all(|value| value.is_finite()) {
            return Err(LoadError::NotFinite { name: name.to_owned() });
        }
        Ok(values)
    }

    fn tensor(&self, name: &str) -> Result<&Tensor, LoadError> {
        let missing = || LoadError::MissingTensor { name: name.to_owned() };
        self.header.tensors.get(name).ok_or_else(missing)
    }

    fn check(&self) -> Result<(), LoadError> {
        self.header.architecture.check()?;
        if !tag_names::<EntityLabel>().eq(self.header.entity_tags.iter().cloned()) {
            return Err(LoadError::Tags { head: "entity" });
        }
        if !tag_names::<QuoteLabel>().eq(self.header.quote_tags.iter().cloned()) {
            return Err(LoadError::Tags { head: "quote" });
        }
        let mut tensors = self.header.architecture.tensors();
        if let Some(tone) = &self.header.tone {
            tone.check()?;
            tensors.extend(self.header.architecture.tone_tensors(tone));
        }
        for (name, kind, shape) in tensors {
            let tensor = self.tensor(&name)?;
            let is_text = name == VOCABULARY && tensor.shape.len() == 1;
            if tensor.kind != kind || (tensor.shape != shape && !is_text) {
                return Err(LoadError::Tensor { name });
            }
            self.bytes(&name)?;
        }
        let is_foreign = |tone: &ToneHeader| Ok(tone.encoder != self.encoder_digest()?);
        if self.header.tone.as_ref().map_or(Ok(false), is_foreign)? {
            return Err(LoadError::ForeignTone);
        }
        Ok(())
    }
}

/// The one tensor whose length is its own.
pub(super) const VOCABULARY: &str = "vocabulary";

fn refuse<T>(what: &'static str, found: usize, expected: String) -> Result<T, LoadError> {
    Err(LoadError::Architecture { what, found, expected })
}

fn within(what: &'static str, found: usize, max: usize) -> Result<(), LoadError> {
    if (1..=max).contains(&found) { Ok(()) } else { refuse(what, found, format!("1 to {max}")) }
}

impl ToneHeader {
    fn check(&self) -> Result<(), LoadError> {
        within("tone heads", self.heads, WIDTH_MAX / HEAD_WIDTH)?;
        within("tone inner width", self.inner, INNER_MAX)?;
        if !self.inner.is_multiple_of(HEAD_WIDTH) {
            return refuse("tone inner width", self.inner, format!("multiples of {HEAD_WIDTH}"));
        }
        if self.tones == TONES { Ok(()) } else { Err(LoadError::Tags { head: "tone" }) }
    }
}

impl Architecture {
    fn check(&self) -> Result<(), LoadError> {
        within("layers", self.layers, LAYERS_MAX)?;
        within("width", self.width, WIDTH_MAX)?;
        within("inner width", self.inner, INNER_MAX)?;
        within("pieces", self.pieces, PIECES_MAX)?;
        within("positions", self.positions, POSITIONS_MAX)?;
        within("pieces per word", self.pieces_per_word_max, POSITIONS_MAX)?;
        for (what, found) in [("width", self.width), ("inner width", self.inner)] {
            if found % HEAD_WIDTH != 0 {
                return refuse(what, found, format!("multiples of {HEAD_WIDTH}"));
            }
        }
        if self.heads * HEAD_WIDTH != self.width {
            return refuse("heads", self.heads, format!("one for {HEAD_WIDTH} of width"));
        }
        if self.casing_classes != N_CLASSES {
            return refuse("casing classes", self.casing_classes, N_CLASSES.to_string());
        }
        // [CLS] and [SEP] have a position each.
        within("words per window", self.window_words, self.positions.saturating_sub(2))
    }

    /// Name, type and shape of each tensor.
    fn tensors(&self) -> Vec<(String, Kind, Vec<usize>)> {
        let Self { width, inner, pieces, positions, .. } = *self;
        let mut all = vec![
            (VOCABULARY.to_owned(), Kind::Bytes, Vec::new()),
            ("piece.q".to_owned(), Kind::Int8, vec![pieces, width]),
            ("piece.scale".to_owned(), Kind::Float, vec![pieces]),
            ("position".to_owned(), Kind::Float, vec![positions, width]),
            ("casing".to_owned(), Kind::Float, vec![2 * N_CLASSES, width]),
        ];
        let float = |name: String, shape: Vec<usize>| (name, Kind::Float, shape);
        for (head, n_tags) in [("entity", N_ENTITY_TAGS), ("quote", N_QUOTE_TAGS)] {
            all.push(float(format!("{head}.weight"), vec![n_tags, width]));
            all.push(float(format!("{head}.bias"), vec![n_tags]));
        }
        all.extend(norm_tensors("norm", width));
        for layer in 0..self.layers {
            all.extend(layer_tensors(&format!("layer.{layer}"), width, width, inner));
        }
        all
    }

    /// Those of a tone layer.
    fn tone_tensors(&self, tone: &ToneHeader) -> Vec<(String, Kind, Vec<usize>)> {
        let Self { width, layers, .. } = *self;
        let float = |name: &str, shape: Vec<usize>| (format!("tone.{name}"), Kind::Float, shape);
        let mut all = vec![
            float("shares", vec![layers - 1]),
            float("sentence.weight", vec![TONES.len(), width]),
            float("sentence.bias", vec![TONES.len()]),
            float("target.weight", vec![TONES.len(), 2 * width]),
            float("target.bias", vec![TONES.len()]),
        ];
        all.extend(norm_tensors("tone.input", width));
        all.extend(layer_tensors("tone.layer", width, tone.heads * HEAD_WIDTH, tone.inner));
        all
    }
}

fn norm_tensors(name: &str, width: usize) -> impl Iterator<Item = (String, Kind, Vec<usize>)> {
    ["weight", "bias"].map(|part| (format!("{name}.{part}"), Kind::Float, vec![width])).into_iter()
}

/// `attention` is the width of all attention heads together.
fn layer_tensors(
    layer: &str,
    width: usize,
    attention: usize,
    inner: usize,
) -> Vec<(String, Kind, Vec<usize>)> {
    let mut all = Vec::new();
    for (name, outputs, inputs) in [
        ("qkv", 3 * attention, width),
        ("out", width, attention),
        ("up", inner, width),
        ("down", width, inner),
    ] {
        let name = format!("{layer}.{name}");
        all.push((format!("{name}.q"), Kind::Int8, vec![outputs, inputs]));
        for part in ["scale", "bias"] {
            all.push((format!("{name}.{part}"), Kind::Float, vec![outputs]));
        }
    }
    all.extend(norm_tensors(&format!("{layer}.norm1"), width));
    all.extend(norm_tensors(&format!("{layer}.norm2"), width));
    all
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, LoadError> {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(LoadError::Truncated)?;
    Ok(u32::from_le_bytes(*bytes))
}
