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
            let sum = add(simd, row, residual);
            let greatest = normalize(simd, row, sum, (self.weight, self.bias));
            quantize(simd, row, index, greatest, self.quantized);
        }
    }
}

/// Adds a share of rows to others.
pub(super) struct Blend<'a> {
    pub(super) rows: &'a [f32],
    pub(super) share: f32,
    pub(super) out: &'a mut [f32],
}

impl<S: Simd> Operation<S> for Blend<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, simd: S) {
        let share = simd.splat(self.share);
        let (rows, _) = self.rows.as_chunks::<LANES>();
        for (out, row) in self.out.as_chunks_mut::<LANES>().0.iter_mut().zip(rows) {
            simd.store(simd.mul_add(simd.load(row), share, simd.load(out)), out);
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
            let mut greatest = [simd.splat(0.0); 2];
            for [x, y] in pairs(row) {
                greatest[0] = simd.max(simd.abs(simd.load(x)), greatest[0]);
                greatest[1] = simd.max(simd.abs(simd.load(y)), greatest[1]);
            }
            let greatest = simd.greatest(simd.max(greatest[0], greatest[1]));
            quantize(simd, row, index, greatest, self.quantized);
        }
    }
}

/// Two vectors: sums run over both side by side, since each waits for its last step.
type Pair = [[f32; LANES]; 2];

/// A row as pairs of vectors; every width is a multiple of 32.
#[inline(always)]
fn pairs(row: &[f32]) -> &[Pair] {
    row.as_chunks().0.as_chunks().0
}

#[inline(always)]
fn pairs_mut(row: &mut [f32]) -> &mut [Pair] {
    row.as_chunks_mut().0.as_chunks_mut().0
}

/// Adds to a row; returns the sum of the row.
#[inline(always)]
pub(super) fn add<S: Simd>(simd: S, row: &mut [f32], other: &[f32]) -> f32 {
    let mut sums = [simd.splat(0.0); 2];
    for (row, other) in pairs_mut(row).iter_mut().zip(pairs(other)) {
        for half in 0..2 {
            let x = simd.add(simd.load(&row[half]), simd.load(&other[half]));
            simd.store(x, &mut row[half]);
            sums[half] = simd.add(sums[half], x);
        }
    }
    simd.sum(simd.add(sums[0], sums[1]))
}

/// BERT's.
const NORM_EPSILON: f32 = 1e-12;

/// Normalises a row whose numbers add up to `sum`, by the layer's weight and bias; returns its greatest magnitude.
#[inline(always)]
pub(super) fn normalize<S: Simd>(
    simd: S,
    row: &mut [f32],
    sum: f32,
    (weight, bias): (&[f32], &[f32]),
) -> f32 {
    let width = row.len() as f32;
    let mean = simd.splat(sum / width);
    let mut squares = [simd.splat(0.0); 2];
    for row in pairs(row) {
        for half in 0..2 {
            let centred = simd.sub(simd.load(&row[half]), mean);
            squares[half] = simd.mul_add(centred, centred, squares[half]);
        }
    }
    let squares = simd.sum(simd.add(squares[0], squares[1]));
    let inverse = simd.splat(1.0 / (squares / width + NORM_EPSILON).sqrt());
    let mut greatest = [simd.splat(0.0); 2];
    let parameters = pairs(weight).iter().zip(pairs(bias));
    for (row, (weight, bias)) in pairs_mut(row).iter_mut().zip(parameters) {
        for half in 0..2 {
            let scaled = simd.mul(simd.sub(simd.load(&row[half]), mean), inverse);
            let x = simd.mul_add(scaled, simd.load(&weight[half]), simd.load(&bias[half]));
            simd.store(x, &mut row[half]);
            greatest[half] = simd.max(simd.abs(x), greatest[half]);
        }
    }
    simd.greatest(simd.max(greatest[0], greatest[1]))
}

/// Least magnitude that a row is scaled by, so that a row of zeros has a scale.
const MAGNITUDE_MIN: f32 = 1e-12;
/// Int8 without -128: symmetric, and its products cannot overflow.
const INT8_MAX: f32 = 127.0;

/// Writes a row, whose greatest magnitude is given, as int8 words.
#[inline(always)]
pub(super) fn quantize<S: Simd>(
    simd: S,
    row: &[f32],
    index: usize,
    greatest: f32,
    quantized: &mut Quantized,
) {
    let greatest = if greatest > MAGNITUDE_MIN { greatest } else { MAGNITUDE_MIN };
    quantized.scales[index] = greatest / INT8_MAX;
    let inverse = simd.splat(INT8_MAX / greatest);
    let n_words = row.len() / S::STEP;
    let block = index / S::TILE_ROWS * S::TILE_ROWS * n_words;
    let words = &mut quantized.words[block..block + S::TILE_ROWS * n_words];
    let of_vector = words.chunks_exact_mut(LANES / S::STEP * S::TILE_ROWS);
    for (x, words) in row.as_chunks().0.iter().zip(of_vector) {
        let values = simd.to_sums(simd.mul(simd.load(x), inverse));
        simd.pack_activations(values, &mut words[index % S::TILE_ROWS..]);
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

#[cfg(test)]
mod tests {
    use super::super::simd::Portable;
    use super::*;

    /// The greatest difference between a vector function and its definition, over evenly spread numbers.
    fn greatest_error(
        range: std::ops::RangeInclusive<f32>,
        found: impl Fn([f32; LANES]) -> [f32; LANES],
        error: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        const N: u16 = 20_000;
        let step = (range.end() - range.start()) / f32::from(N);
        (0..N)
            .map(|at| range.start() + step * f32::from(at))
            .map(|x| error(f64::from(x), f64::from(found([x; LANES])[0])))
            .fold(0.0, f64::max)
    }

    /// Of the standard normal distribution, by Simpson's rule from 0.
    fn normal(x: f64) -> f64 {
        const N: u32 = 200;
        let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let step = x / f64::from(2 * N);
        let inner: f64 =
            (1..2 * N).map(|at| f64::from(2 + 2 * (at % 2)) * density(step * f64::from(at))).sum();
        0.5 + (density(0.0) + inner + density(x)) * step / 3.0
    }

    #[test]
    fn gelu_is_within_its_tolerance() {
        let found = |x| gelu(Portable, x);
        let error = |x: f64, y: f64| (y - x * normal(x)).abs();
        assert!(greatest_error(-8.0..=8.0, found, error) < 4.5e-6);
        let relative = |x: f64, y: f64| (y - x.max(0.0)).abs() / x.abs();
        assert!(greatest_error(8.0..=1000.0, found, relative) < 1e-6);
        assert!(greatest_error(-1000.0..=-8.0, found, relative) < 1e-6);
    }

    #[test]
    fn exp_is_within_its_tolerance() {
        let found = |x| exp(Portable, x);
        let relative = |x: f64, y: f64| (y / x.exp() - 1.0).abs();
        assert!(greatest_error(-80.0..=80.0, found, relative) < 3.0 * f64::from(f32::EPSILON));
        assert_eq!(found([-1e30; LANES]), found([EXPONENT_MIN; LANES]));
    }
}
