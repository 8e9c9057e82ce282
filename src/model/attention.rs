//! Products of float matrices: self-attention within windows, and the heads.
//!
//! In: rows of a batch. Out: rows that depend on their own window alone.

use super::linear::{vector_at, vector_at_mut};
use super::ops::{HEAD_WIDTH, exp, ln_of};
use super::simd::{LANES, Operation, Simd};

/// Queries that are worked on together: as many sums as registers hold on every kernel.
const ROWS: usize = 6;

/// Added to the scores of keys that are not there.
const ABSENT: f32 = -1e30;

/// Room for [`Attention`], reused from window to window.
#[derive(Debug, Default)]
pub(super) struct AttentionScratch {
    /// Columns are keys: [`HEAD_WIDTH`] × the window's positions, padded to whole vectors.
    keys: Vec<f32>,
    /// [`ROWS`] × the window's positions, padded.
    scores: Vec<f32>,
}

/// One head's self-attention in every window of a batch.
pub(super) struct Attention<'a> {
    /// Positions of each window.
    pub(super) windows: &'a [usize],
    /// Rows of query, key and value, [`HEAD_WIDTH`] each.
    pub(super) projected: &'a [f32],
    /// Rows of all heads; this one's columns start at `column`.
    pub(super) out: &'a mut [f32],
    pub(super) width: usize,
    pub(super) column: usize,
    pub(super) scratch: &'a mut AttentionScratch,
}

impl<S: Simd> Operation<S> for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let mut first = 0;
        for &n_positions in self.windows {
            let rows = first..first + n_positions;
            let projected = &self.projected[rows.start * 3 * HEAD_WIDTH..rows.end * 3 * HEAD_WIDTH];
            let out = &mut self.out[rows.start * self.width..rows.end * self.width];
            attend(simd, projected, out, (self.width, self.column), self.scratch);
            first = rows.end;
        }
    }
}

#[inline(always)]
fn attend<S: Simd>(
    simd: S,
    projected: &[f32],
    out: &mut [f32],
    (width, column): (usize, usize),
    scratch: &mut AttentionScratch,
) {
    const STRIDE: usize = 3 * HEAD_WIDTH;
    let n_positions = projected.len() / STRIDE;
    let padded = n_positions.next_multiple_of(LANES);
    scratch.keys.resize(HEAD_WIDTH * padded, 0.0);
    scratch.scores.resize(ROWS * padded, 0.0);
    transpose_keys(simd, projected, padded, &mut scratch.keys);
    let values = &projected[2 * HEAD_WIDTH..];
    for first in (0..n_positions).step_by(ROWS) {
        // The last block repeats the last query, and drops what comes of it.
        let at = |row: usize| (first + row).min(n_positions - 1);
        let queries: [&[f32]; ROWS] =
            std::array::from_fn(|row| &projected[at(row) * STRIDE..][..HEAD_WIDTH]);
        for from in (0..padded).step_by(LANES) {
            let scores = multiply(simd, queries, &scratch.keys, padded, from);
            for (row, scores) in scores.into_iter().enumerate() {
                simd.store(scores, vector_at_mut(&mut scratch.scores, row * padded + from));
            }
        }
        let mut inverses = [0.0; ROWS];
        for (row, inverse) in scratch.scores.chunks_exact_mut(padded).zip(&mut inverses) {
            *inverse = 1.0 / soften(simd, row, n_positions);
        }
        let weights: [&[f32]; ROWS] =
            std::array::from_fn(|row| &scratch.scores[row * padded..][..n_positions]);
        for from in (0..HEAD_WIDTH).step_by(LANES) {
            let mixed = multiply(simd, weights, values, STRIDE, from);
            for (row, mixed) in mixed.into_iter().enumerate().take(n_positions - first) {
                let mixed = simd.mul(mixed, simd.splat(inverses[row]));
                let at = (first + row) * width + column + from;
                simd.store(mixed, vector_at_mut(out, at));
            }
        }
    }
}

/// Sums over `k` of `rows[r][k] · matrix[k · stride + from ..]`, 16 columns of them.
#[inline(always)]
fn multiply<S: Simd, const N: usize>(
    simd: S,
    rows: [&[f32]; N],
    matrix: &[f32],
    stride: usize,
    from: usize,
) -> [S::Floats; N] {
    let mut sums = [simd.splat(0.0); N];
    let n = rows[0].len();
    let rows = rows.map(|row| &row[..n]);
    for k in 0..n {
        let columns = simd.load(vector_at(matrix, k * stride + from));
        for (sum, row) in sums.iter_mut().zip(&rows) {
            *sum = simd.mul_add(simd.splat(row[k]), columns, *sum);
        }
    }
    sums
}

#[inline(always)]
fn transpose_keys<S: Simd>(simd: S, projected: &[f32], padded: usize, keys: &mut [f32]) {
    const STRIDE: usize = 3 * HEAD_WIDTH;
    let n_positions = projected.len() / STRIDE;
    for first in (0..n_positions).step_by(LANES) {
        for dimension in (0..HEAD_WIDTH).step_by(LANES) {
            let rows: [&[f32; LANES]; LANES] = std::array::from_fn(|row| {
                let position = (first + row).min(n_positions - 1);
                vector_at(projected, position * STRIDE + HEAD_WIDTH + dimension)
            });
            let mut columns = [[0.0; LANES]; LANES];
            simd.transpose(rows, columns.each_mut());
            for (index, column) in columns.iter().enumerate() {
                *vector_at_mut(keys, (dimension + index) * padded + first) = *column;
            }
        }
    }
}

/// Scores become `e^(score - greatest)`; returns their sum.
#[inline(always)]
fn soften<S: Simd>(simd: S, scores: &mut [f32], n_positions: usize) -> f32 {
    let scale = simd.splat(1.0 / (HEAD_WIDTH as f32).sqrt());
    let n_present = (n_positions - 1) % LANES + 1;
    let mut mask = [0.0; LANES];
    mask[n_present..].fill(ABSENT);
    let (vectors, _) = scores.as_chunks_mut::<LANES>();
    if let Some(last) = vectors.last_mut() {
        let masked = simd.add(simd.load(last), simd.load(&mask));
        simd.store(masked, last);
    }
    let mut greatest = simd.splat(ABSENT);
    for vector in vectors.iter() {
        greatest = simd.max(simd.load(vector), greatest);
    }
    let greatest = simd.splat(simd.greatest(greatest));
    let mut sum = simd.splat(0.0);
    for vector in vectors {
        let power = exp(simd, simd.mul(simd.sub(simd.load(vector), greatest), scale));
        simd.store(power, vector);
        sum = simd.add(sum, power);
    }
    simd.sum(sum)
}

/// Columns of [`Heads`]' output: entity tags in the first two vectors, quote tags in the third.
pub(super) const HEADS_WIDTH: usize = 3 * LANES;
/// Where the quote tags start.
pub(super) const QUOTE_COLUMN: usize = 2 * LANES;

/// Log-probabilities of the tags of both heads.
pub(super) struct Heads<'a> {
    pub(super) rows: &'a [f32],
    /// Inputs × [`HEADS_WIDTH`].
    pub(super) weights: &'a [f32],
    /// −10³⁰ in the columns of no tag.
    pub(super) bias: &'a [f32],
    pub(super) out: &'a mut [f32],
}

/// The bias of a column that is no tag.
pub(super) const NO_TAG: f32 = ABSENT;

impl<S: Simd> Operation<S> for Heads<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let width = self.weights.len() / HEADS_WIDTH;
        let n_rows = self.rows.len() / width;
        for first in (0..n_rows).step_by(ROWS) {
            let rows: [&[f32]; ROWS] = std::array::from_fn(|row| {
                &self.rows[(first + row).min(n_rows - 1) * width..][..width]
            });
            for from in (0..HEADS_WIDTH).step_by(LANES) {
                let sums = multiply(simd, rows, self.weights, HEADS_WIDTH, from);
                let bias = simd.load(vector_at(self.bias, from));
                for (row, sum) in sums.into_iter().enumerate().take(n_rows - first) {
                    let at = (first + row) * HEADS_WIDTH + from;
                    simd.store(simd.add(sum, bias), vector_at_mut(self.out, at));
                }
            }
        }
        for row in self.out.chunks_exact_mut(HEADS_WIDTH).take(n_rows) {
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
    let mut greatest = simd.splat(ABSENT);
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
