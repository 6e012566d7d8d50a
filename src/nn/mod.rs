//! The network: matrices, recurrent cells, the whole from a token to the logits of the next.
//!
//! Weights are as the model file has them, packed anew for the kernels of [`simd`](crate::simd). Where activations meet
//! ternary weights they are quantized to about 6 bits, as many as the kernel can sum up fastest, where other integers to 8, with
//! one scale a vector and step; everything else is single precision.

mod activations;
mod bias;
mod corrections;
mod gru;
mod lsh;
mod lstm;
mod matrix;
mod network;
mod table;

pub use activations::Activations;
pub use corrections::{Context, Corrections, STEPS as CORRECTION_STEPS};
pub use gru::Gru;
pub use lsh::{LshInput, LshScratch};
pub use lstm::Lstm;
pub use matrix::Matrix;
pub use network::{Input, Network, Scratch};
pub use table::{Table, TableInput};

use crate::simd::Simd;

/// Four elements of `values` from `start` on, zeros beyond its end.
#[inline(always)]
fn load4<S: Simd>(values: &[f32], start: usize) -> S::F32x4 {
    match values[start..].first_chunk() {
        Some(four) => S::f32_load(four),
        None => {
            let mut four = [0.0; 4];
            for (to, &value) in four.iter_mut().zip(&values[start..]) {
                *to = value;
            }
            S::f32_load(&four)
        }
    }
}

/// Stores four elements to `values` from `start` on, leaving out those beyond its end.
#[inline(always)]
fn store4<S: Simd>(x: S::F32x4, values: &mut [f32], start: usize) {
    match values[start..].first_chunk_mut() {
        Some(four) => S::f32_store(x, four),
        None => {
            let mut four = [0.0; 4];
            S::f32_store(x, &mut four);
            for (value, from) in values[start..].iter_mut().zip(four) {
                *value = from;
            }
        }
    }
}
