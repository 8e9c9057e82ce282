//! A linear layer in int8.
//!
//! In: quantised rows. Out: `y = (Σ xq · wq) · sx · sw + bias` in float; the sum is exact, so all kernels agree.

use super::ops::{Quantized, gelu};
use super::simd::{LANES, Operation, Simd};

/// A weight matrix packed for a kernel: panels of columns (outputs), each contiguous in the order of the product.
#[derive(Debug)]
pub(super) struct Linear<S: Simd> {
    n_inputs: usize,
    weights: Vec<S::Weights>,
    starts: Vec<i32>,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl<S: Simd> Linear<S> {
    /// `rows` are the outputs' weights, `n_inputs` bytes each, row-major. The number of inputs is a multiple of 16, that
    /// of outputs a multiple of 32.
    pub(super) fn pack(rows: &[u8], scales: Vec<f32>, bias: Vec<f32>) -> Self {
        let n_inputs = rows.len() / scales.len();
        let column_sum =
            |row: &[u8]| row.iter().map(|&weight| i32::from(weight.cast_signed())).sum::<i32>();
        let starts = rows.chunks_exact(n_inputs).map(|row| S::sum_start(column_sum(row))).collect();
        let mut weights = Vec::with_capacity(rows.len() / LANES / S::STEP);
        for panel in rows.chunks_exact(n_inputs * LANES * S::TILE_VECTORS) {
            for at in (0..n_inputs).step_by(S::STEP) {
                for vector in panel.chunks_exact(n_inputs * LANES) {
                    let mut columns = [[0; 4]; LANES];
                    for (column, row) in columns.iter_mut().zip(vector.chunks_exact(n_inputs)) {
                        for (weight, byte) in column.iter_mut().zip(&row[at..at + S::STEP]) {
                            *weight = byte.cast_signed();
                        }
                    }
                    weights.push(S::pack_weights(&columns));
                }
            }
        }
        Self { n_inputs, weights, starts, scales, bias }
    }

    pub(super) fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    pub(super) fn n_outputs(&self) -> usize {
        self.bias.len()
    }
}

/// What is done to the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    None,
    Gelu,
}

/// Multiplies rows with some of a layer's columns.
pub(super) struct Product<'a, S: Simd> {
    pub(super) input: &'a Quantized,
    pub(super) layer: &'a Linear<S>,
    /// First column, and number of columns: multiples of 32.
    pub(super) columns: (usize, usize),
    pub(super) activation: Activation,
    /// Row `r` starts at `r · stride`.
    pub(super) out: &'a mut [f32],
    pub(super) stride: usize,
}

impl<S: Simd> Product<'_, S> {
    /// Called by each kernel with the size of its tile.
    #[inline(always)]
    pub(super) fn tiled<const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        let n_words = self.layer.n_inputs / S::STEP;
        let width = VECTORS * LANES;
        let (first, n_columns) = self.columns;
        for column in (first..first + n_columns).step_by(width) {
            let panel = column / width * n_words * VECTORS;
            let weights = &self.layer.weights[panel..panel + n_words * VECTORS];
            let starts = &self.layer.starts[column..column + width];
            let mut scales = [simd.splat(0.0); VECTORS];
            let mut bias = [simd.splat(0.0); VECTORS];
            for vector in 0..VECTORS {
                let from = column + vector * LANES;
                scales[vector] = simd.load(vector_at(&self.layer.scales, from));
                bias[vector] = simd.load(vector_at(&self.layer.bias, from));
            }
            for (block, words) in self.input.words.chunks_exact(n_words * ROWS).enumerate() {
                let first_row = block * ROWS;
                let sums = tile::<S, ROWS, VECTORS>(simd, words, weights, starts);
                let rows = self.out[first_row * self.stride..].chunks_mut(self.stride);
                let row_scales = &self.input.scales[first_row..first_row + ROWS];
                for ((out, sums), scale) in rows.zip(sums).zip(row_scales) {
                    let (out, _) = out[column - first..].as_chunks_mut::<LANES>();
                    let scale = simd.splat(*scale);
                    for ((vector, sums), out) in sums.into_iter().enumerate().zip(out) {
                        let scaled = simd.mul(simd.to_floats(sums), scale);
                        let mut y = simd.mul_add(scaled, scales[vector], bias[vector]);
                        if self.activation == Activation::Gelu {
                            y = gelu(simd, y);
                        }
                        simd.store(y, out);
                    }
                }
            }
        }
    }
}

impl<S: Simd> Operation<S> for Product<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        simd.multiply(self);
    }
}

/// The tile of a product: sums of `ROWS` rows × `VECTORS` · 16 columns, which stay in registers.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    words: &[i32],
    weights: &[S::Weights],
    starts: &[i32],
) -> [[S::Sums; VECTORS]; ROWS] {
    let (starts, _) = starts.as_chunks::<LANES>();
    let mut row = [simd.load_sums(&[0; LANES]); VECTORS];
    for (sum, start) in row.iter_mut().zip(starts) {
        *sum = simd.load_sums(start);
    }
    let mut sums = [row; ROWS];
    let (words, _) = words.as_chunks::<ROWS>();
    let (weights, _) = weights.as_chunks::<VECTORS>();
    for (words, weights) in words.iter().zip(weights) {
        for row in 0..ROWS {
            for vector in 0..VECTORS {
                sums[row][vector] = simd.dot(sums[row][vector], words[row], &weights[vector]);
            }
        }
    }
    sums
}

#[inline(always)]
fn vector_at(values: &[f32], at: usize) -> &[f32; LANES] {
    values[at..].first_chunk().expect("rows are whole vectors")
}
