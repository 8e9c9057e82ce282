//! Sixteen numbers at a time, on whatever the processor has.
//!
//! In: an [`Operation`] written once over [`Simd`]. Out: the same bits on every kernel: each implementation rounds each
//! step alike (products are fused where [`Simd::mul_add`] is written, nowhere else) and sums lanes in one fixed order,
//! so that [`Portable`], plain loops, is the oracle of the others, and a record does not depend on the machine.
//!
//! The two files below are the only ones with `unsafe` code. A kernel is a value that exists only where its
//! instructions do: `detect` is its one constructor.

mod portable;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use std::fmt::Debug;

use super::linear::Product;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(super) use avx512::Avx512;
pub(super) use portable::Portable;

pub(super) const LANES: usize = 16;

/// A piece of work over vectors.
pub(super) trait Operation<S: Simd> {
    type Output;

    /// Implementations are `#[inline(always)]`: only so do they become instructions of the kernel.
    fn run(self, simd: S) -> Self::Output;
}

/// A kernel: vectors of 16 lanes, and the tile of the int8 product that its registers hold.
pub(super) trait Simd: Copy + Debug + Send + Sync + 'static {
    /// 16 × f32.
    type Floats: Copy;
    /// 16 × i32.
    type Sums: Copy;
    /// The weights that one step of the product takes: 16 columns × [`Self::STEP`] rows.
    type Weights: Copy + Debug + Send + Sync;

    /// Rows of activations in a tile, which are stored interleaved.
    const TILE_ROWS: usize;
    /// Vectors of 16 columns in a tile.
    const TILE_VECTORS: usize;
    /// Activations in one 32-bit word.
    const STEP: usize;
    /// Whether eight vectors of sums fit beside their inputs.
    const HAS_MANY_REGISTERS: bool;

    /// Runs `operation` compiled for this kernel.
    fn run<O: Operation<Self>>(self, operation: O) -> O::Output;

    fn splat(self, value: f32) -> Self::Floats;
    fn load(self, values: &[f32; LANES]) -> Self::Floats;
    fn store(self, values: Self::Floats, out: &mut [f32; LANES]);
    /// Signed bytes, widened.
    fn load_bytes(self, bytes: &[u8; LANES]) -> Self::Floats;

    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn sub(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn div(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a * b + c`, rounded once.
    fn mul_add(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    /// The lesser; `b` where either is not a number.
    fn min(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// The greater; `b` where either is not a number.
    fn max(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn abs(self, a: Self::Floats) -> Self::Floats;
    /// To the nearest integer, ties to even.
    fn round(self, a: Self::Floats) -> Self::Floats;
    /// `a · 2^n` for integers `n` in [-126, 127].
    fn scale_by_power(self, a: Self::Floats, n: Self::Floats) -> Self::Floats;
    /// Lanes i and i + 8, then i and i + 4, i + 2, i + 1.
    fn sum(self, a: Self::Floats) -> f32;
    fn greatest(self, a: Self::Floats) -> f32;
    /// 16 rows of 16 become columns: `out[c][r] = rows[r][c]`.
    fn transpose(self, rows: [Self::Floats; LANES], out: &mut [[f32; LANES]; LANES]);

    fn load_sums(self, values: &[i32; LANES]) -> Self::Sums;
    fn to_floats(self, sums: Self::Sums) -> Self::Floats;
    /// To the nearest integers, ties to even.
    fn to_sums(self, a: Self::Floats) -> Self::Sums;
    /// Writes 16 integers within ±127 as activation words, [`Self::TILE_ROWS`] words apart.
    fn pack_activations(self, values: Self::Sums, words: &mut [i32]);
    /// 16 columns × [`Self::STEP`] rows of a weight matrix.
    fn pack_weights(columns: &[[i8; 4]; LANES]) -> Self::Weights;
    /// What sums start from, so that they end as the product; `column_sum` is the sum of the column's weights.
    fn sum_start(column_sum: i32) -> i32;
    /// Adds the products of one word of activations with the weights.
    fn dot(self, sums: Self::Sums, word: i32, weights: &Self::Weights) -> Self::Sums;
    /// [`Product::tiled`] with this kernel's tile.
    fn multiply(self, product: Product<'_, Self>);
}

#[cfg(test)]
mod tests;
