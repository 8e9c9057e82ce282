//! Products of float matrices: self-attention within windows, and the heads.
//!
//! In: rows of a batch. Out: rows that depend on their own window alone.

use std::slice::ChunksExactMut;

use super::ops::{HEAD_WIDTH, exp, ln_of};
use super::simd::{LANES, Operation, Simd};
use super::weights::WIDTH_MAX;

/// Query, key and value of one head at one position.
pub(super) const PROJECTED_WIDTH: usize = 3 * HEAD_WIDTH;
type Projected = [f32; PROJECTED_WIDTH];

/// Rows that follow the last window's, so that whole blocks can be read. What is in them does no harm: nothing that
/// comes of them is kept.
pub(super) const PADDING_ROWS: usize = LANES;

/// Stands for the greatest of nothing, and for the logit of no tag.
pub(super) const LEAST: f32 = -1e30;

/// One head's self-attention in every window of a batch.
pub(super) struct Attention<'a> {
    /// Positions of each window.
    pub(super) windows: &'a [usize],
    /// Rows of [`PROJECTED_WIDTH`], and [`PADDING_ROWS`] more.
    pub(super) projected: &'a [f32],
    /// Rows of all heads; this one's columns start at `column`.
    pub(super) out: &'a mut [f32],
    pub(super) width: usize,
    pub(super) column: usize,
    pub(super) scores: &'a mut Vec<[f32; LANES]>,
}

impl<S: Simd> Operation<S> for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let (mut projected, _) = self.projected.as_chunks::<PROJECTED_WIDTH>();
        let mut out = self.out;
        for &n_positions in self.windows {
            let (of_window, rest) = out.split_at_mut(n_positions * self.width);
            let rows = of_window.chunks_exact_mut(self.width);
            if S::HAS_MANY_REGISTERS {
                attend::<S, 8>(simd, projected, rows, self.column, self.scores);
            } else {
                attend::<S, 4>(simd, projected, rows, self.column, self.scores);
            }
            projected = &projected[n_positions..];
            out = rest;
        }
    }
}

/// One window, 16 queries at a time: a lane is a query, so that the softmax needs no sums across lanes.
#[inline(always)]
fn attend<S: Simd, const N: usize>(
    simd: S,
    projected: &[Projected],
    mut out: ChunksExactMut<'_, f32>,
    column: usize,
    scores: &mut Vec<[f32; LANES]>,
) {
    let n_positions = out.len();
    scores.resize(n_positions.next_multiple_of(N), [0.0; LANES]);
    for queries in projected.chunks(LANES).take(n_positions.div_ceil(LANES)) {
        let queries = transposed(simd, queries.first_chunk().expect("padded by whole blocks"));
        for (scores, keys) in scores.as_chunks_mut::<N>().0.iter_mut().zip(projected.chunks(N)) {
            let keys: &[Projected; N] = keys.first_chunk().expect("padded by whole blocks");
            let of_keys = multiply(simd, keys, HEAD_WIDTH, &queries);
            for (scores, of_key) in scores.iter_mut().zip(of_keys) {
                simd.store(of_key, scores);
            }
        }
        let weights = &mut scores[..n_positions];
        let inverses = soften(simd, weights);
        for (block, inverses) in inverses.as_chunks::<N>().0.iter().enumerate() {
            let rows = out.by_ref().take(N);
            let mixed = mix::<S, N>(simd, weights, block, projected);
            for ((row, mixed), inverse) in rows.zip(mixed).zip(inverses) {
                let (vectors, _) = row[column..].as_chunks_mut::<LANES>();
                for (mixed, vector) in mixed.into_iter().zip(vectors) {
                    simd.store(simd.mul(mixed, simd.splat(*inverse)), vector);
                }
            }
        }
    }
}

/// A dimension a row, a query a lane; scaled, so that scores are.
#[inline(always)]
fn transposed<S: Simd>(simd: S, rows: &[Projected; LANES]) -> [[f32; LANES]; HEAD_WIDTH] {
    let scale = simd.splat(1.0 / (HEAD_WIDTH as f32).sqrt());
    let mut columns = [[0.0; LANES]; HEAD_WIDTH];
    for (half, columns) in columns.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let mut vectors = [simd.splat(0.0); LANES];
        for (vector, row) in vectors.iter_mut().zip(rows) {
            *vector = simd.mul(simd.load(&row.as_chunks().0[half]), scale);
        }
        simd.transpose(vectors, columns);
    }
    columns
}

/// Sums over `k` of `rows[r][first + k] · matrix[k]`.
#[inline(always)]
fn multiply<S: Simd, const N: usize, const WIDTH: usize>(
    simd: S,
    rows: &[[f32; WIDTH]; N],
    first: usize,
    matrix: &[[f32; LANES]],
) -> [S::Floats; N] {
    let mut sums = [simd.splat(0.0); N];
    for (k, columns) in (first..WIDTH).zip(matrix) {
        let columns = simd.load(columns);
        for row in 0..N {
            sums[row] = simd.mul_add(simd.splat(rows[row][k]), columns, sums[row]);
        }
    }
    sums
}

/// Scores become `e^(score - greatest)`, lane by lane; returns the inverses of their sums.
#[inline(always)]
fn soften<S: Simd>(simd: S, scores: &mut [[f32; LANES]]) -> [f32; LANES] {
    let mut greatest = simd.splat(LEAST);
    for score in scores.iter() {
        greatest = simd.max(simd.load(score), greatest);
    }
    let mut sum = simd.splat(0.0);
    for score in scores {
        let power = exp(simd, simd.sub(simd.load(score), greatest));
        simd.store(power, score);
        sum = simd.add(sum, power);
    }
    let mut inverses = [0.0; LANES];
    simd.store(simd.div(simd.splat(1.0), sum), &mut inverses);
    inverses
}

/// Values weighted by the scores of `N` queries: both vectors of the head's width for each.
#[inline(always)]
fn mix<S: Simd, const N: usize>(
    simd: S,
    weights: &[[f32; LANES]],
    block: usize,
    projected: &[Projected],
) -> [[S::Floats; 2]; N] {
    const VALUE: usize = 2 * HEAD_WIDTH / LANES;
    let mut sums = [[simd.splat(0.0); 2]; N];
    for half in 0..2 {
        // A half at a time, so that the sums stay in registers.
        let mut of_half = [simd.splat(0.0); N];
        for (weights, row) in weights.iter().zip(projected) {
            let value = simd.load(&row.as_chunks().0[VALUE + half]);
            let weights = &weights.as_chunks::<N>().0[block];
            for (sum, weight) in of_half.iter_mut().zip(weights) {
                *sum = simd.mul_add(simd.splat(*weight), value, *sum);
            }
        }
        for (sums, of_half) in sums.iter_mut().zip(of_half) {
            sums[half] = of_half;
        }
    }
    sums
}

/// Columns of the tag heads' output: entity tags in the first two vectors, quote tags in the third.
pub(super) const HEADS_WIDTH: usize = 3 * LANES;
/// Where the quote tags start.
pub(super) const QUOTE_COLUMN: usize = 2 * LANES;

/// Products of rows with the few columns of float heads.
pub(super) struct Logits<'a> {
    pub(super) rows: &'a [f32],
    /// A block for each vector of the output, of a row an input.
    pub(super) weights: &'a [[f32; LANES]],
    /// As long as an output; [`LEAST`] in the columns of no tag.
    pub(super) bias: &'a [f32],
    pub(super) out: &'a mut [f32],
}

impl<S: Simd> Operation<S> for Logits<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        const N: usize = 4;
        let n_outputs = self.bias.len();
        let width = self.weights.len() * LANES / n_outputs;
        let (bias, _) = self.bias.as_chunks::<LANES>();
        let mut rows = [[0.0; WIDTH_MAX]; N];
        let blocks = self.rows.chunks(N * width).zip(self.out.chunks_mut(N * n_outputs));
        for (block, out) in blocks {
            for (place, row) in rows.iter_mut().zip(block.chunks_exact(width)) {
                place[..width].copy_from_slice(row);
            }
            for (vector, weights) in self.weights.chunks_exact(width).enumerate() {
                let sums = multiply(simd, &rows, 0, weights);
                for (out, sum) in out.chunks_exact_mut(n_outputs).zip(sums) {
                    let logits = simd.add(sum, simd.load(&bias[vector]));
                    simd.store(logits, &mut out.as_chunks_mut().0[vector]);
                }
            }
        }
    }
}

/// Logits of both tag heads, rows of [`HEADS_WIDTH`], become log-probabilities.
pub(super) struct LogSoften<'a> {
    pub(super) rows: &'a mut [f32],
}

impl<S: Simd> Operation<S> for LogSoften<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        for row in self.rows.chunks_exact_mut(HEADS_WIDTH) {
            let (entity, quote) = row.split_at_mut(QUOTE_COLUMN);
            log_soften(simd, entity);
            log_soften(simd, quote);
        }
    }
}

/// Logits become log-probabilities.
#[inline(always)]
fn log_soften<S: Simd>(simd: S, logits: &mut [f32]) {
    let (vectors, _) = logits.as_chunks_mut::<LANES>();
    let mut greatest = simd.splat(LEAST);
    for vector in vectors.iter() {
        greatest = simd.max(simd.load(vector), greatest);
    }
    let greatest = simd.greatest(greatest);
    let mut sum = simd.splat(0.0);
    for vector in vectors.iter() {
        sum = simd.add(sum, exp(simd, simd.sub(simd.load(vector), simd.splat(greatest))));
    }
    let total = simd.splat(greatest + ln_of(simd.sum(sum)));
    for vector in vectors {
        simd.store(simd.sub(simd.load(vector), total), vector);
    }
}
