//! The encoder and its heads, packed for one kernel.
//!
//! In: a [`Batch`] of windows, their positions back to back without padding. Out: log-probabilities of tags, and logits
//! of tone, for each position, the same whatever else is in the batch.

use std::borrow::Cow;

use super::attention::{
    Attention, HEADS_WIDTH, LEAST, LogSoften, Logits, PADDING_ROWS, PROJECTED_WIDTH, QUOTE_COLUMN,
};
use super::casing::NONE;
use super::linear::{Activation, Linear, Product};
use super::ops::{Blend, HEAD_WIDTH, Normalize, Quantize, Quantized, add, normalize, quantize};
use super::simd::{LANES, Operation, Simd};
use super::tone::{TONE_WIDTH, Tone};
use super::weights::{LoadError, Weights};

/// Windows of one article.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Pieces of all positions.
    pub(super) pieces: Vec<u16>,
    /// Where each position's pieces end.
    pub(super) piece_ends: Vec<usize>,
    /// Rows of the casing table.
    pub(super) casing: Vec<u8>,
    /// Positions of each window, `[CLS]` and `[SEP]` included.
    pub(super) windows: Vec<usize>,
}

impl Batch {
    pub(super) fn n_positions(&self) -> usize {
        self.piece_ends.len()
    }

    /// A position with one piece and no casing: `[CLS]` or `[SEP]`.
    pub(super) fn push_mark(&mut self, piece: u16) {
        self.pieces.push(piece);
        self.piece_ends.push(self.pieces.len());
        self.casing.push(NONE);
    }

    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.piece_ends.clear();
        self.casing.clear();
        self.windows.clear();
    }
}

/// Room for a forward pass; grows to the largest batch.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    rows: Vec<f32>,
    quantized: Quantized,
    projected: Vec<f32>,
    mixed: Vec<f32>,
    inner: Vec<f32>,
    inner_quantized: Quantized,
    scores: Vec<[f32; LANES]>,
    log_probabilities: Vec<f32>,
    /// What the tone layer takes of the states below the last.
    blended: Vec<f32>,
    tones: Vec<f32>,
}

/// What is known of each position.
#[derive(Debug)]
pub(super) struct Outputs<'s> {
    /// [`HEADS_WIDTH`] a position.
    pub(super) log_probabilities: &'s [f32],
    /// [`TONE_WIDTH`] a position; nothing without a tone layer.
    pub(super) tones: &'s [f32],
}

#[derive(Debug)]
pub(super) struct Encoder<S: Simd> {
    simd: S,
    embedding: Embedding,
    layers: Vec<Layer<S>>,
    heads: Head,
    tone: Option<Tone<S>>,
}

/// Weights and biases as [`Logits`] takes them.
#[derive(Debug)]
pub(super) struct Head {
    weights: Vec<[f32; LANES]>,
    bias: Vec<f32>,
}

#[derive(Debug)]
struct Embedding {
    file: Cow<'static, [u8]>,
    /// Of the pieces' table in `file`.
    start: usize,
    scales: Vec<f32>,
    position: Vec<f32>,
    casing: Vec<f32>,
    norm: Norm,
}

#[derive(Debug)]
pub(super) struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Debug)]
pub(super) struct Layer<S: Simd> {
    /// Head by head: query, key and value.
    projections: Linear<S>,
    out: Linear<S>,
    up: Linear<S>,
    down: Linear<S>,
    attention_norm: Norm,
    output_norm: Norm,
}

impl Norm {
    pub(super) fn read(weights: &Weights, name: &str) -> Result<Self, LoadError> {
        let weight = weights.floats(&format!("{name}.weight"))?;
        Ok(Self { weight, bias: weights.floats(&format!("{name}.bias"))? })
    }
}

impl<S: Simd> Layer<S> {
    /// The layer of that name; `attention_width` is that of all its attention heads together.
    pub(super) fn pack(
        weights: &Weights,
        name: &str,
        attention_width: usize,
    ) -> Result<Self, LoadError> {
        let linear = |part: &str| -> Result<Linear<S>, LoadError> {
            let scales = weights.floats(&format!("{name}.{part}.scale"))?;
            let bias = weights.floats(&format!("{name}.{part}.bias"))?;
            Ok(Linear::pack(weights.bytes(&format!("{name}.{part}.q"))?, scales, bias))
        };
        Ok(Self {
            projections: projections(weights, name, attention_width)?,
            out: linear("out")?,
            up: linear("up")?,
            down: linear("down")?,
            attention_norm: Norm::read(weights, &format!("{name}.norm1"))?,
            output_norm: Norm::read(weights, &format!("{name}.norm2"))?,
        })
    }
}

impl Head {
    /// No output has any weight, and each the given bias, before rows are put in.
    pub(super) fn empty(width: usize, n_outputs: usize, bias: f32) -> Self {
        let weights = vec![[0.0; LANES]; width * n_outputs / LANES];
        Self { weights, bias: vec![bias; n_outputs] }
    }

    /// Puts rows of weights, as wide as a position, at the outputs from `first`.
    pub(super) fn put<'r>(&mut self, first: usize, rows: impl Iterator<Item = &'r [f32]>) {
        let width = self.weights.len() * LANES / self.bias.len();
        for (column, row) in (first..).zip(rows) {
            for (input, &weight) in row.iter().enumerate() {
                self.weights[column / LANES * width + input][column % LANES] = weight;
            }
        }
    }

    pub(super) fn put_bias(&mut self, first: usize, bias: &[f32]) {
        self.bias[first..first + bias.len()].copy_from_slice(bias);
    }
}

impl<S: Simd> Encoder<S> {
    pub(super) fn pack(weights: &Weights, simd: S) -> Result<Self, LoadError> {
        let embedding = Embedding {
            start: weights.start("piece.q")?,
            file: weights.file().clone(),
            scales: weights.floats("piece.scale")?,
            position: weights.floats("position")?,
            casing: weights.floats("casing")?,
            norm: Norm::read(weights, "norm")?,
        };
        let architecture = weights.architecture();
        let layer = |index| Layer::pack(weights, &format!("layer.{index}"), architecture.width);
        let layers = (0..architecture.layers).map(layer).collect::<Result<_, _>>()?;
        Ok(Self { simd, embedding, layers, heads: tag_heads(weights)?, tone: Tone::pack(weights)? })
    }

    pub(super) fn forward<'s>(&self, batch: &Batch, scratch: &'s mut Scratch) -> Outputs<'s> {
        let width = self.embedding.norm.weight.len();
        let n_positions = batch.n_positions();
        scratch.rows.resize(n_positions * width, 0.0);
        scratch.projected.resize((n_positions + PADDING_ROWS) * PROJECTED_WIDTH, 0.0);
        scratch.log_probabilities.resize(n_positions * HEADS_WIDTH, 0.0);
        self.simd.run(Embed {
            batch,
            embedding: &self.embedding,
            rows: &mut scratch.rows,
            quantized: &mut scratch.quantized,
        });
        scratch.blended.clear();
        scratch.blended.resize(n_positions * width, 0.0);
        for (index, layer) in self.layers.iter().enumerate() {
            self.attend(layer, batch, scratch);
            self.feed(layer, scratch);
            if let Some(share) = self.tone.as_ref().and_then(|tone| tone.shares.get(index)) {
                let (rows, out) = (&scratch.rows, &mut scratch.blended);
                self.simd.run(Blend { rows, share: *share, out });
            }
        }
        self.multiply_floats(&scratch.rows, &self.heads, &mut scratch.log_probabilities);
        self.simd.run(LogSoften { rows: &mut scratch.log_probabilities });
        scratch.tones.clear();
        if let Some(tone) = &self.tone {
            self.hear(tone, batch, scratch);
        }
        Outputs { log_probabilities: &scratch.log_probabilities, tones: &scratch.tones }
    }

    /// The tone layer, on the states of all layers.
    fn hear(&self, tone: &Tone<S>, batch: &Batch, scratch: &mut Scratch) {
        std::mem::swap(&mut scratch.mixed, &mut scratch.blended);
        self.normalize(&tone.norm, scratch);
        std::mem::swap(&mut scratch.mixed, &mut scratch.blended);
        self.attend(&tone.layer, batch, scratch);
        self.feed(&tone.layer, scratch);
        scratch.tones.resize(batch.n_positions() * TONE_WIDTH, 0.0);
        self.multiply_floats(&scratch.rows, &tone.head, &mut scratch.tones);
    }

    fn multiply_floats(&self, rows: &[f32], head: &Head, out: &mut [f32]) {
        self.simd.run(Logits { rows, weights: &head.weights, bias: &head.bias, out });
    }

    /// The attention half of a layer, a head at a time, so that its projections stay in the nearest cache.
    fn attend(&self, layer: &Layer<S>, batch: &Batch, scratch: &mut Scratch) {
        let width = layer.out.n_inputs();
        let n_positions = batch.n_positions();
        scratch.mixed.resize(n_positions * width, 0.0);
        for column in (0..width).step_by(HEAD_WIDTH) {
            self.simd.run(Product {
                input: &scratch.quantized,
                layer: &layer.projections,
                columns: (3 * column, PROJECTED_WIDTH),
                activation: Activation::None,
                out: &mut scratch.projected[..n_positions * PROJECTED_WIDTH],
                stride: PROJECTED_WIDTH,
            });
            self.simd.run(Attention {
                windows: &batch.windows,
                projected: &scratch.projected,
                out: &mut scratch.mixed,
                width,
                column,
                scores: &mut scratch.scores,
            });
        }
        let quantized = &mut scratch.quantized;
        self.simd.run(Quantize { rows: &scratch.mixed, width, quantized });
        scratch.mixed.resize(n_positions * layer.out.n_outputs(), 0.0);
        self.multiply(&scratch.quantized, &layer.out, Activation::None, &mut scratch.mixed);
        self.normalize(&layer.attention_norm, scratch);
    }

    /// The feed-forward half of a layer.
    fn feed(&self, layer: &Layer<S>, scratch: &mut Scratch) {
        let width = layer.up.n_outputs();
        let n_positions = scratch.rows.len() / self.embedding.norm.weight.len();
        scratch.inner.resize(n_positions * width, 0.0);
        self.multiply(&scratch.quantized, &layer.up, Activation::Gelu, &mut scratch.inner);
        let quantized = &mut scratch.inner_quantized;
        self.simd.run(Quantize { rows: &scratch.inner, width, quantized });
        self.multiply(&scratch.inner_quantized, &layer.down, Activation::None, &mut scratch.mixed);
        self.normalize(&layer.output_norm, scratch);
    }

    fn multiply(
        &self,
        input: &Quantized,
        layer: &Linear<S>,
        activation: Activation,
        out: &mut [f32],
    ) {
        let columns = (0, layer.n_outputs());
        self.simd.run(Product { input, layer, columns, activation, out, stride: columns.1 });
    }

    fn normalize(&self, norm: &Norm, scratch: &mut Scratch) {
        self.simd.run(Normalize {
            rows: &mut scratch.rows,
            residual: &scratch.mixed,
            weight: &norm.weight,
            bias: &norm.bias,
            quantized: &mut scratch.quantized,
        });
    }
}

/// Positions become the rows of the first layer.
struct Embed<'a> {
    batch: &'a Batch,
    embedding: &'a Embedding,
    rows: &'a mut [f32],
    quantized: &'a mut Quantized,
}

impl<S: Simd> Operation<S> for Embed<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let embedding = self.embedding;
        let width = embedding.norm.weight.len();
        self.quantized.resize::<S>(self.batch.n_positions(), width);
        let mut first = 0;
        for &n_positions in &self.batch.windows {
            for place in 0..n_positions {
                let index = first + place;
                let row = &mut self.rows[index * width..][..width];
                mean_of_pieces(simd, embedding, pieces_of(self.batch, index), row);
                let casing = usize::from(self.batch.casing[index]);
                add(simd, row, &embedding.position[place * width..][..width]);
                let sum = add(simd, row, &embedding.casing[casing * width..][..width]);
                let Norm { weight, bias } = &embedding.norm;
                let greatest = normalize(simd, row, sum, (weight, bias));
                quantize(simd, row, index, greatest, self.quantized);
            }
            first += n_positions;
        }
    }
}

fn pieces_of(batch: &Batch, index: usize) -> &[u16] {
    let start = index.checked_sub(1).map_or(0, |before| batch.piece_ends[before]);
    &batch.pieces[start..batch.piece_ends[index]]
}

#[inline(always)]
fn mean_of_pieces<S: Simd>(simd: S, embedding: &Embedding, pieces: &[u16], row: &mut [f32]) {
    row.fill(0.0);
    let share = 1.0 / pieces.len() as f32;
    for &piece in pieces {
        let piece = usize::from(piece);
        let bytes = &embedding.file[embedding.start + piece * row.len()..][..row.len()];
        let scale = simd.splat(embedding.scales[piece] * share);
        for (x, bytes) in row.as_chunks_mut().0.iter_mut().zip(bytes.as_chunks::<LANES>().0) {
            simd.store(simd.mul_add(simd.load_bytes(bytes), scale, simd.load(x)), x);
        }
    }
}

/// The file has all queries, then all keys, then all values; here each head has its own three together.
fn projections<S: Simd>(
    weights: &Weights,
    name: &str,
    width: usize,
) -> Result<Linear<S>, LoadError> {
    let bytes = weights.bytes(&format!("{name}.qkv.q"))?;
    let scales = weights.floats(&format!("{name}.qkv.scale"))?;
    let bias = weights.floats(&format!("{name}.qkv.bias"))?;
    let n_inputs = weights.architecture().width;
    let order = || {
        (0..width)
            .step_by(HEAD_WIDTH)
            .flat_map(move |head| [head, width + head, 2 * width + head])
            .flat_map(|first| first..first + HEAD_WIDTH)
    };
    let rows: Vec<u8> =
        order().flat_map(|row| bytes[row * n_inputs..][..n_inputs].iter().copied()).collect();
    let scales = order().map(|row| scales[row]).collect();
    Ok(Linear::pack(&rows, scales, order().map(|row| bias[row]).collect()))
}

/// Both tag heads, side by side.
fn tag_heads(weights: &Weights) -> Result<Head, LoadError> {
    let width = weights.architecture().width;
    let mut heads = Head::empty(width, HEADS_WIDTH, LEAST);
    for (name, first) in [("entity", 0), ("quote", QUOTE_COLUMN)] {
        let rows = weights.floats(&format!("{name}.weight"))?;
        heads.put(first, rows.chunks_exact(width));
        heads.put_bias(first, &weights.floats(&format!("{name}.bias"))?);
    }
    Ok(heads)
}
