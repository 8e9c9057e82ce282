//! The steps of the forward pass, written once for every kernel.
//!
//! In and out: rows of activations, one a position. A row's result depends on that row alone (in [`Attention`] on its
//! window), in a fixed order of operations: never on what else is in the batch.

use super::simd::{LANES, Operation, Simd};

/// Width of one attention head: two vectors.
pub(super) const HEAD_WIDTH: usize = 32;

/// Activations as int8 words for [`super::linear::Product`], each row with its scale. Rows lie interleaved in blocks of
/// [`Simd::TILE_ROWS`].
#[derive(Debug, Default)]
pub(super) struct Quantized {
    pub(super) words: Vec<i32>,
    pub(super) scales: Vec<f32>,
}

impl Quantized {
    pub(super) fn resize<S: Simd>(&mut self, n_rows: usize, width: usize) {
        let n_rows = n_rows.next_multiple_of(S::TILE_ROWS);
        self.words.resize(n_rows * width / S::STEP, 0);
        self.scales.resize(n_rows, 0.0);
    }
}

/// `x` becomes the normalised `x + residual`, and its int8 words.
pub(super) struct Normalize<'a> {
    pub(super) rows: &'a mut [f32],
    pub(super) residual: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) quantized: &'a mut Quantized,
}

impl<S: Simd> Operation<S> for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let width = self.weight.len();
        self.quantized.resize::<S>(self.rows.len() / width, width);
        let rows = self.rows.chunks_exact_mut(width).zip(self.residual.chunks_exact(width));
        for (index, (row, residual)) in rows.enumerate() {
            add(simd, row, residual);
            normalize(simd, row, self.weight, self.bias);
            quantize(simd, row, index, self.quantized);
        }
    }
}

/// Rows become int8 words.
pub(super) struct Quantize<'a> {
    pub(super) rows: &'a [f32],
    pub(super) width: usize,
    pub(super) quantized: &'a mut Quantized,
}

impl<S: Simd> Operation<S> for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        self.quantized.resize::<S>(self.rows.len() / self.width, self.width);
        for (index, row) in self.rows.chunks_exact(self.width).enumerate() {
            quantize(simd, row, index, self.quantized);
        }
    }
}

#[inline(always)]
fn add<S: Simd>(simd: S, row: &mut [f32], other: &[f32]) {
    for (x, y) in row.as_chunks_mut().0.iter_mut().zip(other.as_chunks().0) {
        simd.store(simd.add(simd.load(x), simd.load(y)), x);
    }
}

/// BERT's.
const NORM_EPSILON: f32 = 1e-12;

#[inline(always)]
pub(super) fn normalize<S: Simd>(simd: S, row: &mut [f32], weight: &[f32], bias: &[f32]) {
    let width = row.len() as f32;
    let (chunks, _) = row.as_chunks_mut::<LANES>();
    let mut sum = simd.splat(0.0);
    for x in chunks.iter() {
        sum = simd.add(sum, simd.load(x));
    }
    let mean = simd.splat(simd.sum(sum) / width);
    let mut squares = simd.splat(0.0);
    for x in chunks.iter() {
        let centred = simd.sub(simd.load(x), mean);
        squares = simd.mul_add(centred, centred, squares);
    }
    let deviation = (simd.sum(squares) / width + NORM_EPSILON).sqrt();
    let inverse = simd.splat(1.0 / deviation);
    let parameters = weight.as_chunks().0.iter().zip(bias.as_chunks().0);
    for (x, (weight, bias)) in chunks.iter_mut().zip(parameters) {
        let scaled = simd.mul(simd.sub(simd.load(x), mean), inverse);
        simd.store(simd.mul_add(scaled, simd.load(weight), simd.load(bias)), x);
    }
}

/// Least magnitude that a row is scaled by, so that a row of zeros has a scale.
const MAGNITUDE_MIN: f32 = 1e-12;
/// Int8 without -128: symmetric, and its products cannot overflow.
const INT8_MAX: f32 = 127.0;

#[inline(always)]
pub(super) fn quantize<S: Simd>(simd: S, row: &[f32], index: usize, quantized: &mut Quantized) {
    let (chunks, _) = row.as_chunks::<LANES>();
    let mut greatest = simd.splat(MAGNITUDE_MIN);
    for x in chunks {
        greatest = simd.max(simd.abs(simd.load(x)), greatest);
    }
    let greatest = simd.greatest(greatest);
    quantized.scales[index] = greatest / INT8_MAX;
    let inverse = simd.splat(INT8_MAX / greatest);
    let block = index / S::TILE_ROWS * S::TILE_ROWS * row.len() / S::STEP;
    let mut word = block + index % S::TILE_ROWS;
    for x in chunks {
        let values = simd.to_sums(simd.mul(simd.load(x), inverse));
        simd.pack_activations(values, &mut quantized.words[word..]);
        word += LANES / S::STEP * S::TILE_ROWS;
    }
}

/// Below this `exp` is taken as of this: 2 · 10⁻³⁵, nothing beside a sum of at least 1.
const EXPONENT_MIN: f32 = -80.0;

/// `e^x` for `x` in [-80, 80], within 3 units in the last place. The range is reduced to ±ln 2 / 2 (Cody and Waite: ln 2
/// in two parts), where a polynomial of degree 6 (Taylor's) suffices.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::Floats) -> S::Floats {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = simd.max(x, simd.splat(EXPONENT_MIN));
    let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    let rest = simd.mul_add(n, simd.splat(-LN_2_HIGH), x);
    let rest = simd.mul_add(n, simd.splat(-LN_2_LOW), rest);
    let mut power = simd.splat(1.0 / 720.0);
    for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        power = simd.mul_add(power, rest, simd.splat(coefficient));
    }
    simd.scale_by_power(power, n)
}

/// `e^x` of one number, in double precision, so that every mathematical library rounds to the same float.
#[expect(clippy::cast_possible_truncation, reason = "to the nearest float")]
pub(super) fn exp_of(x: f32) -> f32 {
    f64::from(x).exp() as f32
}

/// The natural logarithm of one number, as [`exp_of`].
#[expect(clippy::cast_possible_truncation, reason = "to the nearest float")]
pub(super) fn ln_of(x: f32) -> f32 {
    f64::from(x).ln() as f32
}

/// From here on the normal distribution is taken as complete.
const GELU_LIMIT: f32 = 4.75;

/// `x · Φ(x)`, within 4 · 10⁻⁶ for `|x|` up to 8 and `|x|` · 10⁻⁶ beyond. `erf(x / √2) / x` is a polynomial in `t`, which
/// runs from -1 to 1 as `x²` does from 0 to the limit's square: fitted for the least greatest error of the whole.
#[inline(always)]
pub(super) fn gelu<S: Simd>(simd: S, x: S::Floats) -> S::Floats {
    const COEFFICIENTS: [f32; 10] = [
        -0.007_542_093_3,
        0.010_031_922,
        -0.014_337_593,
        0.026_811_273,
        -0.043_299_14,
        0.060_805_704,
        -0.081_136_45,
        0.106_470_52,
        -0.147_335_1,
        0.297_496_6,
    ];
    let limited = simd.min(simd.max(x, simd.splat(-GELU_LIMIT)), simd.splat(GELU_LIMIT));
    let square = simd.mul(limited, limited);
    let t = simd.mul_add(square, simd.splat(2.0 / (GELU_LIMIT * GELU_LIMIT)), simd.splat(-1.0));
    let mut ratio = simd.splat(0.002_560_541);
    for coefficient in COEFFICIENTS {
        ratio = simd.mul_add(ratio, t, simd.splat(coefficient));
    }
    let half = simd.mul(x, simd.splat(0.5));
    simd.mul_add(half, simd.mul(ratio, limited), half)
}
