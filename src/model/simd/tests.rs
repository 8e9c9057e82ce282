//! Kernels against the portable one, bit by bit, over shapes and numbers that the model does not have.

use proptest::prelude::*;

use super::*;
use crate::model::attention::{Attention, PADDING_ROWS, PROJECTED_WIDTH};
use crate::model::linear::{Activation, Linear};
use crate::model::ops::{HEAD_WIDTH, Normalize, Quantize, Quantized};

/// Words that look random, the same for one seed.
fn words(seed: u64) -> impl Iterator<Item = [u8; 2]> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [high, low, ..] = state.to_be_bytes();
        [high, low]
    })
}

fn numbers(n: usize, seed: u64, scale: f32) -> Vec<f32> {
    let number = |word| (f32::from(u16::from_be_bytes(word)) / 32_768.0 - 1.0) * scale;
    words(seed).map(number).take(n).collect()
}

/// Bytes of numbers within ±127.
fn weights(n: usize, seed: u64) -> Vec<u8> {
    words(seed).map(|[high, _]| high).filter(|&byte| byte != 0x80).take(n).collect()
}

#[derive(Debug, Clone)]
struct Shape {
    n_rows: usize,
    n_inputs: usize,
    n_outputs: usize,
    activation: Activation,
    seed: u64,
    scale: f32,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let activation = prop_oneof![Just(Activation::None), Just(Activation::Gelu)];
    let scale = prop_oneof![Just(0.0), Just(1e-20), Just(1.0), Just(1e6)];
    (1..40_usize, 1..9_usize, 1..7_usize, activation, any::<u64>(), scale).prop_map(
        |(n_rows, inputs, outputs, activation, seed, scale)| Shape {
            n_rows,
            n_inputs: 32 * inputs,
            n_outputs: 32 * outputs,
            activation,
            seed,
            scale,
        },
    )
}

fn product<S: Simd>(simd: S, shape: &Shape) -> Vec<f32> {
    let Shape { n_rows, n_inputs, n_outputs, activation, seed, scale } = *shape;
    let rows = numbers(n_rows * n_inputs, seed, scale);
    let mut quantized = Quantized::default();
    simd.run(Quantize { rows: &rows, width: n_inputs, quantized: &mut quantized });
    let weights = weights(n_outputs * n_inputs, seed);
    let layer =
        Linear::<S>::pack(&weights, numbers(n_outputs, 3, 0.01), numbers(n_outputs, 5, 1.0));
    let mut out = vec![0.0; n_rows * n_outputs];
    simd.run(Product {
        input: &quantized,
        layer: &layer,
        columns: (0, n_outputs),
        activation,
        out: &mut out,
        stride: n_outputs,
    });
    out
}

/// Normalised rows, with the scales and the values of their int8 words.
fn normalized<S: Simd>(simd: S, shape: &Shape) -> (Vec<f32>, Vec<f32>) {
    let Shape { n_rows, n_inputs, seed, scale, .. } = *shape;
    let mut rows = numbers(n_rows * n_inputs, seed, scale);
    let mut quantized = Quantized::default();
    simd.run(Normalize {
        rows: &mut rows,
        residual: &numbers(n_rows * n_inputs, !seed, scale),
        weight: &numbers(n_inputs, 7, 1.0),
        bias: &numbers(n_inputs, 11, 1.0),
        quantized: &mut quantized,
    });
    (rows, quantized.scales[..n_rows].to_vec())
}

fn attended<S: Simd>(simd: S, windows: &[usize], seed: u64, scale: f32) -> Vec<f32> {
    let n_positions: usize = windows.iter().sum();
    let mut out = vec![0.0; n_positions * 2 * HEAD_WIDTH];
    simd.run(Attention {
        windows,
        projected: &numbers((n_positions + PADDING_ROWS) * PROJECTED_WIDTH, seed, scale),
        out: &mut out,
        width: 2 * HEAD_WIDTH,
        column: HEAD_WIDTH,
        scores: &mut Vec::new(),
    });
    out
}

/// What every kernel of this processor makes of it.
macro_rules! on_each_kernel {
    ($simd:ident => $result:expr) => {{
        let mut results = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            results.extend(Avx512::detect().map(|$simd| $result));
            results.extend(Avx2::detect().map(|$simd| $result));
        }
        let $simd = Portable;
        results.push($result);
        results
    }};
}

fn are_equal<T: PartialEq>(results: &[T]) -> bool {
    results.windows(2).all(|pair| pair[0] == pair[1])
}

proptest! {
    #[test]
    fn products_are_equal(shape in shapes()) {
        prop_assert!(are_equal(&on_each_kernel!(simd => product(simd, &shape))));
    }

    #[test]
    fn normalized_rows_are_equal(shape in shapes()) {
        prop_assert!(are_equal(&on_each_kernel!(simd => normalized(simd, &shape))));
    }

    #[test]
    fn attention_is_equal(
        windows in prop::collection::vec(1..70_usize, 1..4),
        seed: u64,
        scale in prop_oneof![Just(0.0_f32), Just(1.0), Just(100.0)],
    ) {
        let results = on_each_kernel!(simd => attended(simd, &windows, seed, scale));
        prop_assert!(are_equal(&results));
    }
}

#[test]
fn the_product_is_that_of_the_definition() {
    let shape = Shape {
        n_rows: 5,
        n_inputs: 64,
        n_outputs: 32,
        activation: Activation::None,
        seed: 1,
        scale: 2.0,
    };
    let rows = numbers(5 * 64, 1, 2.0);
    let weights = weights(32 * 64, 1);
    let (scales, bias) = (numbers(32, 3, 0.01), numbers(32, 5, 1.0));
    let found = product(Portable, &shape);
    for (row, x) in rows.chunks(64).enumerate() {
        let scale = x.iter().fold(0.0, |a: f32, b| a.max(b.abs())) / 127.0;
        for (column, w) in weights.chunks(64).enumerate() {
            let sum: f32 = x
                .iter()
                .zip(w)
                .map(|(x, w)| (x / scale).round_ties_even() * f32::from(w.cast_signed()))
                .sum();
            let expected = sum * scale * scales[column] + bias[column];
            let error = (found[row * 32 + column] - expected).abs();
            assert!(error < 1e-4 * (1.0 + expected.abs()), "{row} {column}: {expected}");
        }
    }
}

#[test]
fn columns_become_rows() {
    let numbers = numbers(LANES * LANES, 13, 1.0);
    let (rows, _) = numbers.as_chunks::<LANES>();
    struct Transpose<'a>(&'a [[f32; LANES]]);
    impl<S: Simd> Operation<S> for Transpose<'_> {
        type Output = [[f32; LANES]; LANES];

        #[inline(always)]
        fn run(self, simd: S) -> Self::Output {
            let mut vectors = [simd.splat(0.0); LANES];
            for (vector, row) in vectors.iter_mut().zip(self.0) {
                *vector = simd.load(row);
            }
            let mut out = [[0.0; LANES]; LANES];
            simd.transpose(vectors, &mut out);
            out
        }
    }
    for out in on_each_kernel!(simd => simd.run(Transpose(rows))) {
        for row in 0..LANES {
            for column in 0..LANES {
                assert_eq!(out[column][row], rows[row][column]);
            }
        }
    }
}
