//! The oracle: the same by plain loops; also what runs where no other kernel does.

use super::{LANES, Operation, Simd};
use crate::model::linear::Product;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn map(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|lane| f(a[lane], b[lane]))
}

impl Simd for Portable {
    type Floats = [f32; LANES];
    type Sums = [i32; LANES];
    type Weights = [[i8; 4]; LANES];

    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 1;
    const STEP: usize = 4;
    const HAS_MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn run<O: Operation<Self>>(self, operation: O) -> O::Output {
        operation.run(self)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; LANES] {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, values: &[f32; LANES]) -> [f32; LANES] {
        *values
    }

    #[inline(always)]
    fn store(self, values: [f32; LANES], out: &mut [f32; LANES]) {
        *out = values;
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; LANES]) -> [f32; LANES] {
        bytes.map(|byte| f32::from(byte.cast_signed()))
    }

    #[inline(always)]
    fn add(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| a / b)
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; LANES], b: [f32; LANES], c: [f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }

    #[inline(always)]
    fn min(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        map(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn abs(self, a: [f32; LANES]) -> [f32; LANES] {
        a.map(f32::abs)
    }

    #[inline(always)]
    fn round(self, a: [f32; LANES]) -> [f32; LANES] {
        a.map(f32::round_ties_even)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "an integer in [-126, 127]")]
    fn scale_by_power(self, a: [f32; LANES], n: [f32; LANES]) -> [f32; LANES] {
        map(a, n, |a, n| {
            let exponent = (n as i32).wrapping_add(127).wrapping_shl(23);
            a * f32::from_bits(exponent.cast_unsigned())
        })
    }

    #[inline(always)]
    fn sum(self, mut a: [f32; LANES]) -> f32 {
        let mut half = LANES / 2;
        while half > 0 {
            for lane in 0..half {
                a[lane] += a[lane + half];
            }
            half /= 2;
        }
        a[0]
    }

    #[inline(always)]
    fn greatest(self, a: [f32; LANES]) -> f32 {
        a.into_iter().fold(f32::NEG_INFINITY, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn transpose(self, rows: [[f32; LANES]; LANES], out: &mut [[f32; LANES]; LANES]) {
        for (column, out) in out.iter_mut().enumerate() {
            *out = rows.map(|row| row[column]);
        }
    }

    #[inline(always)]
    fn load_sums(self, values: &[i32; LANES]) -> [i32; LANES] {
        *values
    }

    #[inline(always)]
    fn to_floats(self, sums: [i32; LANES]) -> [f32; LANES] {
        sums.map(|sum| sum as f32)
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "within ±127, and saturating if not")]
    fn to_sums(self, a: [f32; LANES]) -> [i32; LANES] {
        a.map(|value| value.round_ties_even() as i32)
    }

    #[inline(always)]
    fn pack_activations(self, values: [i32; LANES], words: &mut [i32]) {
        let (groups, _) = values.as_chunks::<4>();
        for (group, word) in groups.iter().zip(words.iter_mut().step_by(Self::TILE_ROWS)) {
            *word = i32::from_le_bytes(group.map(|value| value.to_le_bytes()[0]));
        }
    }

    #[inline(always)]
    fn pack_weights(columns: &[[i8; 4]; LANES]) -> [[i8; 4]; LANES] {
        *columns
    }

    #[inline(always)]
    fn sum_start(_column_sum: i32) -> i32 {
        0
    }

    #[inline(always)]
    fn dot(self, sums: [i32; LANES], word: i32, weights: &[[i8; 4]; LANES]) -> [i32; LANES] {
        let activations = word.to_le_bytes().map(|byte| i32::from(byte.cast_signed()));
        std::array::from_fn(|lane| {
            let weights = weights[lane].map(i32::from);
            let product = |at: usize| activations[at] * weights[at];
            sums[lane] + (product(0) + product(1)) + (product(2) + product(3))
        })
    }
    #[inline(always)]
    fn multiply(self, product: Product<'_, Self>) {
        product.tiled::<{ Self::TILE_ROWS }, { Self::TILE_VECTORS }>(self);
    }
}
