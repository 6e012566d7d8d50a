//! Gated recurrent units (Cho 2014), the variant whose reset gate acts on the recurrent product, as in PyTorch.

use super::{Activations, Matrix, load4, store4};
use crate::simd::{Native, Simd, math};

/// The weights of a GRU layer of `H` units and `I` inputs. Gates in the order `r, z, n`.
#[derive(Clone, Debug)]
pub struct Gru {
    /// `3H x I`
    pub input: Matrix,
    /// `3H x H`
    pub recurrent: Matrix,
    /// `6H`: the bias of the input, then that of the recurrence.
    pub bias: Vec<f32>,
}

impl Gru {
    /// One step: from input `x` (`I`) and the last output `h` (`H`) to the new output `h_out` (`H`).
    /// `scratch` holds `6H` floats.
    ///
    /// ```text
    /// r, z = sigmoid(W x + b + U h + d)
    /// n = tanh(W x + b + r (U h + d))
    /// h' = (1 - z) n + z h
    /// ```
    pub fn step(&self, x: &Activations, h: &Activations, h_out: &mut [f32], scratch: &mut [f32]) {
        let (from_input, from_state) = scratch[..self.bias.len()].split_at_mut(self.bias.len() / 2);
        self.input.matvec(x, from_input);
        self.recurrent.matvec(h, from_state);
        gates::<Native>(from_input, from_state, &self.bias, h.values(), h_out);
    }
}

/// The elementwise part of the step.
fn gates<S: Simd>(from_input: &[f32], from_state: &[f32], bias: &[f32], h: &[f32], h_out: &mut [f32]) {
    let units = h.len();
    let (input_bias, state_bias) = bias.split_at(3 * units);
    for start in (0..units).step_by(4) {
        let sum = |product: &[f32], bias: &[f32], number: usize| {
            let load = |values: &[f32]| load4::<S>(&values[number * units..(number + 1) * units], start);
            S::f32_add(load(product), load(bias))
        };
        let input = |number| sum(from_input, input_bias, number);
        let state = |number| sum(from_state, state_bias, number);
        let reset = math::sigmoid::<S>(S::f32_add(input(0), state(0)));
        let update = math::sigmoid::<S>(S::f32_add(input(1), state(1)));
        let new = math::tanh::<S>(S::f32_add(input(2), S::f32_mul(reset, state(2))));
        let kept = S::f32_mul(update, load4::<S>(h, start));
        let taken = S::f32_mul(S::f32_sub(S::f32_splat(1.0), update), new);
        store4::<S>(S::f32_add(taken, kept), h_out, start);
    }
}
