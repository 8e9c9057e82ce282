//! AVX-512 with VNNI: one register a vector, 64 multiplications an instruction.
#![expect(
    unsafe_code,
    reason = "processor instructions; the file's one constructor proves that they exist"
)]

use std::arch::x86_64::*;

use super::{LANES, Operation, Simd};
use crate::model::linear::Product;

/// Exists only where the processor has the instructions below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        has_all.then_some(Self(()))
    }
}

/// 64 bytes on a cache line of their own.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Weights([i8; 64]);

/// Activations are offset by this to be unsigned, as the instruction wants them.
const OFFSET: i32 = 128;

impl Simd for Avx512 {
    type Floats = __m512;
    type Sums = __m512i;
    type Weights = Weights;

    // 24 of 32 registers hold sums, two hold weights.
    const TILE_ROWS: usize = 12;
    const TILE_VECTORS: usize = 2;
    const STEP: usize = 4;
    const HAS_MANY_REGISTERS: bool = true;

    #[inline(always)]
    fn run<O: Operation<Self>>(self, operation: O) -> O::Output {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
        fn compiled<O: Operation<Avx512>>(simd: Avx512, operation: O) -> O::Output {
            operation.run(simd)
        }
        // SAFETY: a value of `Avx512` exists, so `detect` has found these features.
        unsafe { compiled(self, operation) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, values: &[f32; LANES]) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F; the array is 64 readable bytes.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, values: __m512, out: &mut [f32; LANES]) {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F; the array is 64 writable bytes.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), values) }
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; LANES]) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F; the array is 16 readable bytes.
        unsafe {
            let bytes = _mm_loadu_si128(bytes.as_ptr().cast());
            _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))
        }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_mul_ps(a, b) }
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_div_ps(a, b) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_min_ps(a, b) }
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_max_ps(a, b) }
    }

    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_abs_ps(a) }
    }

    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    #[inline(always)]
    fn scale_by_power(self, a: __m512, n: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_scalef_ps(a, n) }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F and AVX-512DQ.
        unsafe {
            let halves = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps::<1>(a));
            let quarters =
                _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves));
            let pairs = _mm_add_ps(quarters, _mm_movehl_ps(quarters, quarters));
            _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
        }
    }

    #[inline(always)]
    fn greatest(self, a: __m512) -> f32 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_reduce_max_ps(a) }
    }

    #[inline(always)]
    fn transpose(self, rows: [__m512; LANES], out: &mut [[f32; LANES]; LANES]) {
        let mut a = rows;
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe {
            // Each round exchanges blocks of twice the size: lanes, pairs, then quarters of a register.
            for at in (0..LANES).step_by(2) {
                let (x, y) = (a[at], a[at + 1]);
                a[at] = _mm512_unpacklo_ps(x, y);
                a[at + 1] = _mm512_unpackhi_ps(x, y);
            }
            for at in (0..LANES).step_by(4) {
                let pairs = [
                    _mm512_castps_pd(a[at]),
                    _mm512_castps_pd(a[at + 1]),
                    _mm512_castps_pd(a[at + 2]),
                    _mm512_castps_pd(a[at + 3]),
                ];
                a[at] = _mm512_castpd_ps(_mm512_unpacklo_pd(pairs[0], pairs[2]));
                a[at + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(pairs[0], pairs[2]));
                a[at + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(pairs[1], pairs[3]));
                a[at + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(pairs[1], pairs[3]));
            }
            for at in 0..4 {
                let low = _mm512_shuffle_f32x4::<0x88>(a[at], a[at + 4]);
                let high = _mm512_shuffle_f32x4::<0xDD>(a[at], a[at + 4]);
                let low2 = _mm512_shuffle_f32x4::<0x88>(a[at + 8], a[at + 12]);
                let high2 = _mm512_shuffle_f32x4::<0xDD>(a[at + 8], a[at + 12]);
                a[at] = _mm512_shuffle_f32x4::<0x88>(low, low2);
                a[at + 8] = _mm512_shuffle_f32x4::<0xDD>(low, low2);
                a[at + 4] = _mm512_shuffle_f32x4::<0x88>(high, high2);
                a[at + 12] = _mm512_shuffle_f32x4::<0xDD>(high, high2);
            }
        }
        for (values, out) in a.into_iter().zip(out) {
            self.store(values, out);
        }
    }

    #[inline(always)]
    fn load_sums(self, values: &[i32; LANES]) -> __m512i {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F; the array is 64 readable bytes.
        unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
    }

    #[inline(always)]
    fn to_floats(self, sums: __m512i) -> __m512 {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_cvtepi32_ps(sums) }
    }

    #[inline(always)]
    fn to_sums(self, a: __m512) -> __m512i {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F.
        unsafe { _mm512_cvtps_epi32(a) }
    }

    #[inline(always)]
    fn pack_activations(self, values: __m512i, words: &mut [i32]) {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512F and SSE4.1.
        let packed: [i32; 4] = unsafe {
            let bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(values, _mm512_set1_epi32(OFFSET)));
            [
                _mm_extract_epi32::<0>(bytes),
                _mm_extract_epi32::<1>(bytes),
                _mm_extract_epi32::<2>(bytes),
                _mm_extract_epi32::<3>(bytes),
            ]
        };
        for (word, packed) in words.iter_mut().step_by(Self::TILE_ROWS).zip(packed) {
            *word = packed;
        }
    }

    #[inline(always)]
    fn pack_weights(columns: &[[i8; 4]; LANES]) -> Weights {
        let mut weights = Weights([0; 64]);
        weights.0.copy_from_slice(columns.as_flattened());
        weights
    }

    #[inline(always)]
    fn sum_start(column_sum: i32) -> i32 {
        -OFFSET * column_sum
    }

    #[inline(always)]
    fn dot(self, sums: __m512i, word: i32, weights: &Weights) -> __m512i {
        // SAFETY: a value of `Avx512` exists, so the processor has AVX-512 VNNI; the weights are 64 aligned bytes.
        unsafe {
            let weights = _mm512_load_si512(weights.0.as_ptr().cast());
            _mm512_dpbusd_epi32(sums, _mm512_set1_epi32(word), weights)
        }
    }
    #[inline(always)]
    fn multiply(self, product: Product<'_, Self>) {
        product.tiled::<{ Self::TILE_ROWS }, { Self::TILE_VECTORS }>(self);
    }
}
