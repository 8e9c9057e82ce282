//! AVX2 with FMA: two registers a vector; bytes are multiplied as 16-bit numbers, which cannot overflow.
#![expect(
    unsafe_code,
    reason = "processor instructions; the file's one constructor proves that they exist"
)]

use std::arch::x86_64::*;

use super::{LANES, Operation, Simd};
use crate::model::linear::Product;

/// Exists only where the processor has the instructions below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        has_all.then_some(Self(()))
    }
}

/// 16 columns × 2 rows, widened when they are packed: that costs memory and saves an instruction in three.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Weights([i16; 32]);

/// Both halves of a vector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<T>(T, T);

impl Simd for Avx2 {
    type Floats = Pair<__m256>;
    type Sums = Pair<__m256i>;
    type Weights = Weights;

    // 12 of 16 registers hold sums, two hold weights.
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;
    const STEP: usize = 2;
    const HAS_MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn run<O: Operation<Self>>(self, operation: O) -> O::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<O: Operation<Avx2>>(simd: Avx2, operation: O) -> O::Output {
            operation.run(simd)
        }
        // SAFETY: a value of `Avx2` exists, so `detect` has found these features.
        unsafe { compiled(self, operation) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        let half = unsafe { _mm256_set1_ps(value) };
        Pair(half, half)
    }

    #[inline(always)]
    fn load(self, values: &[f32; LANES]) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2; the array is 16 readable numbers.
        unsafe { Pair(_mm256_loadu_ps(values.as_ptr()), _mm256_loadu_ps(values.as_ptr().add(8))) }
    }

    #[inline(always)]
    fn store(self, values: Pair<__m256>, out: &mut [f32; LANES]) {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2; the array is 16 writable numbers.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr(), values.0);
            _mm256_storeu_ps(out.as_mut_ptr().add(8), values.1);
        }
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; LANES]) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2; the array is 16 readable bytes.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            let high = _mm_unpackhi_epi64(bytes, bytes);
            Pair(
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high)),
            )
        }
    }

    #[inline(always)]
    fn add(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn sub(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn div(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_div_ps(a.0, b.0), _mm256_div_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn mul_add(self, a: Pair<__m256>, b: Pair<__m256>, c: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has FMA.
        unsafe { Pair(_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)) }
    }

    #[inline(always)]
    fn min(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_min_ps(a.0, b.0), _mm256_min_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn max(self, a: Pair<__m256>, b: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_max_ps(a.0, b.0), _mm256_max_ps(a.1, b.1)) }
    }

    #[inline(always)]
    fn abs(self, a: Pair<__m256>) -> Pair<__m256> {
        let sign = self.splat(-0.0);
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_andnot_ps(sign.0, a.0), _mm256_andnot_ps(sign.1, a.1)) }
    }

    #[inline(always)]
    fn round(self, a: Pair<__m256>) -> Pair<__m256> {
        const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_round_ps::<NEAREST>(a.0), _mm256_round_ps::<NEAREST>(a.1)) }
    }

    #[inline(always)]
    fn scale_by_power(self, a: Pair<__m256>, n: Pair<__m256>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe {
            let bias = _mm256_set1_epi32(127);
            let low = _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n.0), bias));
            let high = _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n.1), bias));
            Pair(
                _mm256_mul_ps(a.0, _mm256_castsi256_ps(low)),
                _mm256_mul_ps(a.1, _mm256_castsi256_ps(high)),
            )
        }
    }

    #[inline(always)]
    fn sum(self, a: Pair<__m256>) -> f32 {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe {
            let halves = _mm256_add_ps(a.0, a.1);
            let quarters =
                _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves));
            let pairs = _mm_add_ps(quarters, _mm_movehl_ps(quarters, quarters));
            _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
        }
    }

    #[inline(always)]
    fn greatest(self, a: Pair<__m256>) -> f32 {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe {
            let halves = _mm256_max_ps(a.0, a.1);
            let quarters =
                _mm_max_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves));
            let pairs = _mm_max_ps(quarters, _mm_movehl_ps(quarters, quarters));
            _mm_cvtss_f32(_mm_max_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
        }
    }

    #[inline(always)]
    fn transpose(self, rows: [Pair<__m256>; LANES], out: &mut [[f32; LANES]; LANES]) {
        for (row, values) in rows.into_iter().enumerate() {
            let mut lanes = [0.0; LANES];
            self.store(values, &mut lanes);
            for (column, lane) in out.iter_mut().zip(lanes) {
                column[row] = lane;
            }
        }
    }

    #[inline(always)]
    fn load_sums(self, values: &[i32; LANES]) -> Pair<__m256i> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2; the array is 16 readable numbers.
        unsafe {
            Pair(
                _mm256_loadu_si256(values.as_ptr().cast()),
                _mm256_loadu_si256(values.as_ptr().add(8).cast()),
            )
        }
    }

    #[inline(always)]
    fn to_floats(self, sums: Pair<__m256i>) -> Pair<__m256> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_cvtepi32_ps(sums.0), _mm256_cvtepi32_ps(sums.1)) }
    }

    #[inline(always)]
    fn to_sums(self, a: Pair<__m256>) -> Pair<__m256i> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2.
        unsafe { Pair(_mm256_cvtps_epi32(a.0), _mm256_cvtps_epi32(a.1)) }
    }

    #[inline(always)]
    fn pack_activations(self, values: Pair<__m256i>, words: &mut [i32]) {
        let mut packed = [0; 8];
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2; the array is 8 writable numbers.
        unsafe {
            // Packing works within each half, so the middle quarters are exchanged after it.
            let mixed = _mm256_packs_epi32(values.0, values.1);
            let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(mixed);
            _mm256_storeu_si256(packed.as_mut_ptr().cast(), ordered);
        }
        for (word, packed) in words.iter_mut().step_by(Self::TILE_ROWS).zip(packed) {
            *word = packed;
        }
    }

    #[inline(always)]
    fn pack_weights(columns: &[[i8; 4]; LANES]) -> Weights {
        let mut weights = Weights([0; 32]);
        for (pair, column) in weights.0.as_chunks_mut::<2>().0.iter_mut().zip(columns) {
            *pair = [i16::from(column[0]), i16::from(column[1])];
        }
        weights
    }

    #[inline(always)]
    fn sum_start(_column_sum: i32) -> i32 {
        0
    }

    #[inline(always)]
    fn dot(self, sums: Pair<__m256i>, word: i32, weights: &Weights) -> Pair<__m256i> {
        // SAFETY: a value of `Avx2` exists, so the processor has AVX2; the weights are 64 aligned bytes.
        unsafe {
            let low = _mm256_load_si256(weights.0.as_ptr().cast());
            let high = _mm256_load_si256(weights.0.as_ptr().add(16).cast());
            let word = _mm256_set1_epi32(word);
            Pair(
                _mm256_add_epi32(sums.0, _mm256_madd_epi16(word, low)),
                _mm256_add_epi32(sums.1, _mm256_madd_epi16(word, high)),
            )
        }
    }
    #[inline(always)]
    fn multiply(self, product: Product<'_, Self>) {
        product.tiled::<{ Self::TILE_ROWS }, { Self::TILE_VECTORS }>(self);
    }
}
