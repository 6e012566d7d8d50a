//! A recurrent layer over a whole sequence, with its own backward pass (back-propagation through time, Werbos 1990).
//!
//! Plain automatic differentiation keeps and walks some thirty small operations a step; here a step is two products and
//! one fused function, and the products with the input and all weight gradients are single large ones.

use burn::tensor::Tensor;

use super::cell::Saved;
use super::config::Cell;

/// The state between sequences: hidden state and, of an LSTM, cell state, both `[batch, units]`.
#[derive(Clone)]
pub struct State {
    pub h: Tensor<2>,
    pub c: Tensor<2>,
}

/// The weights that a layer computes with.
pub struct LayerWeights {
    /// `[inputs, gates * units]`
    pub input: Tensor<2>,
    /// `[units, gates * units]`
    pub recurrent: Tensor<2>,
    /// `[1, biases * units]`: an LSTM's one bias; a GRU's input bias, then its recurrent bias.
    pub bias: Tensor<2>,
}

/// Gradients of the weights, and of the layer's input.
pub struct LayerGradients {
    pub input: Tensor<2>,
    pub recurrent: Tensor<2>,
    pub bias: Tensor<2>,
    /// `[steps * batch, inputs]`
    pub x: Tensor<2>,
}

/// What the backward pass needs of a forward one.
pub struct Tape {
    x: Tensor<2>,
    /// The hidden states before each step, `[steps * batch, units]`.
    previous: Tensor<2>,
    steps: Vec<Saved>,
    /// For each step the mask that was laid on the state before it.
    masks: Vec<Option<Tensor<2>>>,
}

/// Shape of the computation.
#[derive(Clone, Copy)]
pub struct Sequence {
    pub cell: Cell,
    pub batch: usize,
    pub units: usize,
    /// Whether the cell runs fused over slices: right on the CPU.
    pub fused: bool,
}

impl Sequence {
    /// Runs `x`, `[steps * batch, inputs]` with the steps outermost, through the layer. `masks[t]`, `[batch, 1]`, is
    /// multiplied to the state before step `t`: zero where a new text begins. Returns the hidden states
    /// `[steps * batch, units]`, moves `state` on, and tells what the backward pass needs.
    pub fn forward(
        self,
        x: Tensor<2>,
        weights: &LayerWeights,
        state: &mut State,
        masks: &[Option<Tensor<2>>],
    ) -> (Tensor<2>, Tape) {
        let wide = self.cell.gates() * self.units;
        let input_bias = weights.bias.clone().narrow(1, 0, wide);
        let recurrent_bias = (self.cell == Cell::Gru).then(|| weights.bias.clone().narrow(1, wide, wide));
        let products = x.clone().matmul(weights.input.clone()) + input_bias;
        let (mut outputs, mut previous, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (product, mask) in products.split(self.batch, 0).into_iter().zip(masks) {
            if let Some(mask) = mask {
                state.h = state.h.clone() * mask.clone();
                state.c = state.c.clone() * mask.clone();
            }
            previous.push(state.h.clone());
            let recurrent = state.h.clone().matmul(weights.recurrent.clone());
            let recurrent = match &recurrent_bias {
                Some(bias) => recurrent + bias.clone(),
                None => recurrent,
            };
            let carried = match self.cell {
                Cell::Lstm => state.c.clone(),
                Cell::Gru => state.h.clone(),
            };
            let step = self.cell.forward(product, recurrent, carried, self.fused);
            outputs.push(step.h.clone());
            steps.push(step.saved);
            *state = State { h: step.h, c: step.c };
        }
        let tape = Tape { x, previous: Tensor::cat(previous, 0), steps, masks: masks.to_vec() };
        (Tensor::cat(outputs, 0), tape)
    }

    /// Gradients from those of the hidden states, `[steps * batch, units]`.
    pub fn backward(self, tape: Tape, weights: &LayerWeights, gradient: Tensor<2>) -> LayerGradients {
        let transposed = weights.recurrent.clone().transpose();
        let zeros = Tensor::zeros([self.batch, self.units], &gradient.device());
        let (mut dh, mut carry) = (zeros.clone(), zeros);
        let (mut input_products, mut recurrent_products) = (Vec::new(), Vec::new());
        let upstream = gradient.split(self.batch, 0);
        for ((saved, mask), upstream) in tape.steps.into_iter().zip(tape.masks).zip(upstream).rev() {
            let step = self.cell.backward(saved, dh + upstream, carry, self.fused);
            dh = step.h.clone().matmul(transposed.clone());
            carry = step.carry;
            if let Some(mask) = mask {
                dh = dh * mask.clone();
                carry = carry * mask;
            }
            input_products.push(step.x);
            if self.cell == Cell::Gru {
                recurrent_products.push(step.h);
            }
        }
        let in_order = |mut products: Vec<Tensor<2>>| {
            products.reverse();
            Tensor::cat(products, 0)
        };
        let dx = in_order(input_products);
        let (dh, bias) = match self.cell {
            Cell::Lstm => (dx.clone(), dx.clone().sum_dim(0)),
            Cell::Gru => {
                let dh = in_order(recurrent_products);
                (dh.clone(), Tensor::cat(vec![dx.clone().sum_dim(0), dh.sum_dim(0)], 1))
            }
        };
        LayerGradients {
            input: tape.x.transpose().matmul(dx.clone()),
            recurrent: tape.previous.transpose().matmul(dh),
            bias,
            x: dx.matmul(weights.input.clone().transpose()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, activation::sigmoid};

    const BATCH: usize = 3;
    const UNITS: usize = 5;
    const INPUTS: usize = 4;
    const STEPS: usize = 6;

    struct Case {
        x: Tensor<2>,
        weights: LayerWeights,
        state: State,
        masks: Vec<Option<Tensor<2>>>,
        target: Tensor<2>,
    }

    fn case(cell: Cell) -> Case {
        let device = Device::flex();
        device.seed(7);
        let random = |shape: [usize; 2]| Tensor::<2>::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
        let mut masks = vec![None; STEPS];
        masks[2] = Some(Tensor::from_floats([[1.0], [0.0], [1.0]], &device));
        masks[5] = Some(Tensor::from_floats([[0.0], [1.0], [1.0]], &device));
        Case {
            x: random([STEPS * BATCH, INPUTS]),
            weights: LayerWeights {
                input: random([INPUTS, cell.gates() * UNITS]),
                recurrent: random([UNITS, cell.gates() * UNITS]),
                bias: random([1, cell.biases() * UNITS]),
            },
            state: State { h: random([BATCH, UNITS]), c: random([BATCH, UNITS]) },
            masks,
            target: random([STEPS * BATCH, UNITS]),
        }
    }

    /// The textbook equations, step by step, for automatic differentiation.
    fn plain(cell: Cell, x: Tensor<2>, weights: &LayerWeights, state: State, masks: &[Option<Tensor<2>>]) -> Tensor<2> {
        let State { mut h, mut c } = state;
        let mut outputs = Vec::new();
        let gate = |tensor: &Tensor<2>, index: usize| tensor.clone().narrow(1, index * UNITS, UNITS);
        for (x, mask) in x.split(BATCH, 0).into_iter().zip(masks) {
            if let Some(mask) = mask {
                (h, c) = (h * mask.clone(), c * mask.clone());
            }
            match cell {
                Cell::Lstm => {
                    let sum =
                        x.matmul(weights.input.clone()) + h.matmul(weights.recurrent.clone()) + weights.bias.clone();
                    let [i, f, o] = [0, 1, 3].map(|index| sigmoid(gate(&sum, index)));
                    c = f * c + i * gate(&sum, 2).tanh();
                    h = o * c.clone().tanh();
                }
                Cell::Gru => {
                    let wide = 3 * UNITS;
                    let from_x = x.matmul(weights.input.clone()) + weights.bias.clone().narrow(1, 0, wide);
                    let from_h =
                        h.clone().matmul(weights.recurrent.clone()) + weights.bias.clone().narrow(1, wide, wide);
                    let [r, z] = [0, 1].map(|index| sigmoid(gate(&from_x, index) + gate(&from_h, index)));
                    let n = (gate(&from_x, 2) + r * gate(&from_h, 2)).tanh();
                    h = (z.clone().neg() + 1.0) * n + z * h;
                }
            }
            outputs.push(h.clone());
        }
        Tensor::cat(outputs, 0)
    }

    fn assert_close(name: &str, got: Tensor<2>, want: Tensor<2>) {
        assert_eq!(got.dims(), want.dims(), "{name}");
        let difference: f32 = (got - want).abs().max().into_scalar();
        assert!(difference < 2e-5, "{name} differs by {difference}");
    }

    fn matches_autodiff(cell: Cell, fused: bool) {
        let sequence = Sequence { cell, batch: BATCH, units: UNITS, fused };
        let Case { x, weights, state, masks, target } = case(cell);
        let mut moved = state.clone();
        let (outputs, tape) = sequence.forward(x.clone(), &weights, &mut moved, &masks);
        // The loss is sum(outputs * target), so the gradient of the outputs is the target.
        let got = sequence.backward(tape, &weights, target.clone());

        let track = |tensor: &Tensor<2>| Tensor::<2>::from_inner(tensor.clone()).require_grad();
        let constant = |tensor: &Tensor<2>| Tensor::<2>::from_inner(tensor.clone());
        let tracked = LayerWeights {
            input: track(&weights.input),
            recurrent: track(&weights.recurrent),
            bias: track(&weights.bias),
        };
        let x = track(&x);
        let state = State { h: constant(&state.h), c: constant(&state.c) };
        let masks: Vec<_> = masks.iter().map(|mask| mask.as_ref().map(constant)).collect();
        let want = plain(cell, x.clone(), &tracked, state, &masks);
        let gradients = (want.clone() * constant(&target)).sum().backward();
        assert_close("outputs", outputs, want.inner());
        assert_close("input weights", got.input, tracked.input.grad(&gradients).unwrap());
        assert_close("recurrent weights", got.recurrent, tracked.recurrent.grad(&gradients).unwrap());
        assert_close("bias", got.bias, tracked.bias.grad(&gradients).unwrap());
        assert_close("input", got.x, x.grad(&gradients).unwrap());
    }

    #[test]
    fn lstm_gradients_match_automatic_differentiation() {
        matches_autodiff(Cell::Lstm, false);
        matches_autodiff(Cell::Lstm, true);
    }

    #[test]
    fn gru_gradients_match_automatic_differentiation() {
        matches_autodiff(Cell::Gru, false);
        matches_autodiff(Cell::Gru, true);
    }
}
