//! Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers 2000).

use super::{Activations, Matrix, load4, store4};
use crate::simd::{Native, Simd, math};

/// The weights of an LSTM layer of `H` units and `I` inputs. Gates in the order `i, f, g, o`.
#[derive(Clone, Debug)]
pub struct Lstm {
    /// `4H x I`
    pub input: Matrix,
    /// `4H x H`
    pub recurrent: Matrix,
    /// `4H`, input and recurrent bias in one.
    pub bias: Vec<f32>,
}

impl Lstm {
    /// One step: from input `x` (`I`) and the last output `h` (`H`) to the new cell state `c` and output `h_out` (`H` each).
    /// `scratch` holds `8H` floats.
    ///
    /// ```text
    /// i, f, o = sigmoid(W x + U h + b)    g = tanh(W x + U h + b)
    /// c = f c + i g                       h = o tanh(c)
    /// ```
    pub fn step(&self, x: &Activations, h: &Activations, c: &mut [f32], h_out: &mut [f32], scratch: &mut [f32]) {
        let (from_input, from_state) = scratch[..2 * self.bias.len()].split_at_mut(self.bias.len());
        self.input.matvec(x, from_input);
        self.recurrent.matvec(h, from_state);
        gates::<Native>(from_input, from_state, &self.bias, c, h_out);
    }
}

/// The elementwise part of the step.
fn gates<S: Simd>(from_input: &[f32], from_state: &[f32], bias: &[f32], c: &mut [f32], h: &mut [f32]) {
    let units = h.len();
    for start in (0..units).step_by(4) {
        let gate = |number: usize| {
            let load = |values: &[f32]| load4::<S>(&values[number * units..(number + 1) * units], start);
            S::f32_add(S::f32_add(load(from_input), load(from_state)), load(bias))
        };
        let input = math::sigmoid::<S>(gate(0));
        let forget = math::sigmoid::<S>(gate(1));
        let candidate = math::tanh::<S>(gate(2));
        let output = math::sigmoid::<S>(gate(3));
        let cell = S::f32_add(S::f32_mul(forget, load4::<S>(c, start)), S::f32_mul(input, candidate));
        store4::<S>(cell, c, start);
        store4::<S>(S::f32_mul(output, math::tanh::<S>(cell)), h, start);
    }
}
