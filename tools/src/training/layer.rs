//! A recurrent layer over a whole sequence, with its own backward pass (back-propagation through time, Werbos 1990).
//!
//! Plain automatic differentiation keeps and walks some thirty small operations a step; here a step is two products and
//! one fused function, and the products with the input and all weight gradients are single large ones.

use burn::tensor::Tensor;

use super::cell::Saved;
use super::config::Cell;
use super::norm::{Norm, NormTape};
use super::weights::{Inputs, norms};

/// The state between sequences: hidden state and, of an LSTM, cell state, both `[batch, units]`.
#[derive(Clone)]
pub struct State {
    pub h: Tensor<2>,
    pub c: Tensor<2>,
}

impl State {
    /// That of some neighbouring sequences.
    pub fn rows(&self, first: usize, count: usize) -> State {
        State { h: self.h.clone().narrow(0, first, count), c: self.c.clone().narrow(0, first, count) }
    }
}

/// The weights that a layer computes with.
#[derive(Clone)]
pub struct LayerWeights {
    /// `[inputs, gates * units]`
    pub input: Tensor<2>,
    /// `[units, gates * units]`
    pub recurrent: Tensor<2>,
    /// `[1, biases * units]`: an LSTM's one bias; a GRU's input bias, then its recurrent bias.
    pub bias: Tensor<2>,
    /// Normalization of the input and of the recurrent product.
    pub norms: Option<[Norm; 2]>,
}

/// Gradients of the weights, and of the layer's input.
pub struct LayerGradients {
    pub input: Tensor<2>,
    pub recurrent: Tensor<2>,
    pub bias: Tensor<2>,
    /// Where products are normalized: the gains' gradients and the statistics met, of the input and of the recurrent
    /// product.
    pub norms: Option<[NormGradients; 2]>,
    /// `[steps * batch, inputs]`
    pub x: Tensor<2>,
}

impl LayerGradients {
    /// The sums of the weights' gradients, and of the statistics met, of two batches.
    pub fn plus(self, other: LayerGradients) -> LayerGradients {
        let norms = self.norms.zip(other.norms).map(|([a, b], [c, d])| [a.plus(c), b.plus(d)]);
        LayerGradients {
            input: self.input + other.input,
            recurrent: self.recurrent + other.recurrent,
            bias: self.bias + other.bias,
            norms,
            x: self.x,
        }
    }
}

/// What a normalization gives in one pass over a sequence.
#[derive(Clone)]
pub struct NormGradients {
    /// `[1, outputs]`
    pub gain: Tensor<2>,
    /// Mean and variance met, `[2, outputs]`.
    pub statistics: Tensor<2>,
}

impl NormGradients {
    fn plus(self, other: NormGradients) -> NormGradients {
        NormGradients { gain: self.gain + other.gain, statistics: self.statistics + other.statistics }
    }
}

/// What the backward pass needs of the normalizations.
struct NormTapes {
    input: NormTape,
    /// Of each step's recurrent product.
    steps: Vec<NormTape>,
    /// Met by the input and, on average, by the recurrent products.
    statistics: [Tensor<2>; 2],
}

/// What the backward pass needs of a forward one.
pub struct Tape {
    x: Tensor<2>,
    /// The hidden states before each step, `[steps * batch, units]`.
    previous: Tensor<2>,
    steps: Vec<Saved>,
    norms: Option<NormTapes>,
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
    /// Largest norm of what flows back in a sequence from a step to the one before, in means of what comes from the outputs.
    pub clip: Option<f32>,
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
        let mut normalizer = Normalizer::new(weights);
        let products = normalizer.input(x.clone().matmul(weights.input.clone())) + input_bias;
        let (mut outputs, mut previous, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for (product, mask) in products.split(self.batch, 0).into_iter().zip(masks) {
            if let Some(mask) = mask {
                state.h = state.h.clone() * mask.clone();
                state.c = state.c.clone() * mask.clone();
            }
            previous.push(state.h.clone());
            let recurrent = normalizer.recurrent(state.h.clone().matmul(weights.recurrent.clone()));
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
        let norms = normalizer.finish();
        let tape = Tape { x, previous: Tensor::cat(previous, 0), steps, norms, masks: masks.to_vec() };
        (Tensor::cat(outputs, 0), tape)
    }

    /// Gradients from those of the hidden states, `[steps * batch, units]`.
    pub fn backward(self, tape: Tape, weights: &LayerWeights, gradient: Tensor<2>) -> LayerGradients {
        let transposed = weights.recurrent.clone().transpose();
        let zeros = Tensor::zeros([self.batch, self.units], &gradient.device());
        let (mut dh, mut carry) = (zeros.clone(), zeros);
        let (mut input_products, mut recurrent_products) = (Vec::new(), Vec::new());
        let mut denormalizer = Denormalizer::new(weights, tape.norms);
        let mut recurrent_bias = None;
        let limit = self.clip.map(|clip| norms(&gradient, Inputs::Columns).mean_dim(0) * clip);
        let upstream = gradient.split(self.batch, 0);
        for ((saved, mask), upstream) in tape.steps.into_iter().zip(tape.masks).zip(upstream).rev() {
            let step = self.cell.backward(saved, dh + upstream, carry, self.fused);
            if self.cell == Cell::Gru {
                recurrent_bias = Some(added(recurrent_bias, step.h.clone().sum_dim(0)));
            }
            let d_recurrent = denormalizer.recurrent(step.h);
            dh = d_recurrent.clone().matmul(transposed.clone());
            if let Some(limit) = &limit {
                dh = within(dh, limit);
            }
            carry = step.carry;
            if let Some(mask) = mask {
                dh = dh * mask.clone();
                carry = carry * mask;
            }
            input_products.push(step.x);
            if self.cell == Cell::Gru || weights.norms.is_some() {
                recurrent_products.push(d_recurrent);
            }
        }
        let in_order = |mut products: Vec<Tensor<2>>| {
            products.reverse();
            Tensor::cat(products, 0)
        };
        let dx = in_order(input_products);
        let bias = match recurrent_bias {
            None => dx.clone().sum_dim(0),
            Some(recurrent) => Tensor::cat(vec![dx.clone().sum_dim(0), recurrent], 1),
        };
        // Without a normalization an LSTM's two products are summands of the same: they have the same gradient.
        let d_recurrent = if recurrent_products.is_empty() { dx.clone() } else { in_order(recurrent_products) };
        let (dx, norms) = denormalizer.finish(dx);
        LayerGradients {
            input: tape.x.transpose().matmul(dx.clone()),
            recurrent: tape.previous.transpose().matmul(d_recurrent),
            bias,
            norms,
            x: dx.matmul(weights.input.clone().transpose()),
        }
    }
}

/// The rows, those of a norm beyond `limit`, `[1, 1]`, made shorter.
fn within(rows: Tensor<2>, limit: &Tensor<2>) -> Tensor<2> {
    let share = (limit.clone() / norms(&rows, Inputs::Columns)).clamp_max(1.0);
    rows * share
}

fn added(sum: Option<Tensor<2>>, summand: Tensor<2>) -> Tensor<2> {
    match sum {
        Some(sum) => sum + summand,
        None => summand,
    }
}

/// Normalizes the products of a pass over a sequence, if they are to be.
struct Normalizer<'a> {
    norms: Option<&'a [Norm; 2]>,
    input: Option<(NormTape, Tensor<2>)>,
    steps: Vec<NormTape>,
    statistics: Option<Tensor<2>>,
}

impl<'a> Normalizer<'a> {
    fn new(weights: &'a LayerWeights) -> Normalizer<'a> {
        Normalizer { norms: weights.norms.as_ref(), input: None, steps: Vec::new(), statistics: None }
    }

    fn input(&mut self, product: Tensor<2>) -> Tensor<2> {
        let Some([norm, _]) = self.norms else { return product };
        let normalized = norm.forward(product);
        self.input = Some((normalized.tape, normalized.statistics));
        normalized.values
    }

    fn recurrent(&mut self, product: Tensor<2>) -> Tensor<2> {
        let Some([_, norm]) = self.norms else { return product };
        let normalized = norm.forward(product);
        self.steps.push(normalized.tape);
        self.statistics = Some(added(self.statistics.take(), normalized.statistics));
        normalized.values
    }

    fn finish(self) -> Option<NormTapes> {
        let (input, statistics) = self.input?;
        let count = self.steps.len() as f32;
        Some(NormTapes { input, steps: self.steps, statistics: [statistics, self.statistics? / count] })
    }
}

/// The same, backward.
struct Denormalizer<'a> {
    norms: Option<&'a [Norm; 2]>,
    tapes: Option<NormTapes>,
    gain: Option<Tensor<2>>,
}

impl<'a> Denormalizer<'a> {
    fn new(weights: &'a LayerWeights, tapes: Option<NormTapes>) -> Denormalizer<'a> {
        Denormalizer { norms: weights.norms.as_ref(), tapes, gain: None }
    }

    /// Of the steps, the last first.
    fn recurrent(&mut self, gradient: Tensor<2>) -> Tensor<2> {
        let (Some([_, norm]), Some(tapes)) = (self.norms, &mut self.tapes) else { return gradient };
        let Some(tape) = tapes.steps.pop() else { return gradient };
        let (d, gain) = norm.backward(tape, gradient);
        self.gain = Some(added(self.gain.take(), gain));
        d
    }

    fn finish(self, gradient: Tensor<2>) -> (Tensor<2>, Option<[NormGradients; 2]>) {
        let (Some([norm, _]), Some(tapes)) = (self.norms, self.tapes) else { return (gradient, None) };
        let (d, gain) = norm.backward(tapes.input, gradient);
        let [input, recurrent] = tapes.statistics;
        let recurrent_gain = self.gain.unwrap_or_else(|| gain.zeros_like());
        let gradients =
            [NormGradients { gain, statistics: input }, NormGradients { gain: recurrent_gain, statistics: recurrent }];
        (d, Some(gradients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::norm::Method;
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

    fn case(cell: Cell, norm: Option<Method>) -> Case {
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
                norms: norm.map(|method| {
                    let norm = || Norm { method, gain: random([1, cell.gates() * UNITS]), constants: None };
                    [norm(), norm()]
                }),
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
        let normal = |index: usize, product: Tensor<2>| match &weights.norms {
            Some(norms) => plain_norm(&norms[index], product),
            None => product,
        };
        let products = normal(0, x.matmul(weights.input.clone()));
        for (x, mask) in products.split(BATCH, 0).into_iter().zip(masks) {
            if let Some(mask) = mask {
                (h, c) = (h * mask.clone(), c * mask.clone());
            }
            match cell {
                Cell::Lstm => {
                    let sum = x + normal(1, h.matmul(weights.recurrent.clone())) + weights.bias.clone();
                    let [i, f, o] = [0, 1, 3].map(|index| sigmoid(gate(&sum, index)));
                    c = f * c + i * gate(&sum, 2).tanh();
                    h = o * c.clone().tanh();
                }
                Cell::Gru => {
                    let wide = 3 * UNITS;
                    let from_x = x + weights.bias.clone().narrow(1, 0, wide);
                    let from_h = normal(1, h.clone().matmul(weights.recurrent.clone()))
                        + weights.bias.clone().narrow(1, wide, wide);
                    let [r, z] = [0, 1].map(|index| sigmoid(gate(&from_x, index) + gate(&from_h, index)));
                    let n = (gate(&from_x, 2) + r * gate(&from_h, 2)).tanh();
                    h = (z.clone().neg() + 1.0) * n + z * h;
                }
            }
            outputs.push(h.clone());
        }
        Tensor::cat(outputs, 0)
    }

    fn plain_norm(norm: &Norm, product: Tensor<2>) -> Tensor<2> {
        let dimension = if norm.method == Method::Batch { 0 } else { 1 };
        let centred = product.clone() - product.mean_dim(dimension);
        let variance = centred.clone().powi_scalar(2).mean_dim(dimension);
        centred / (variance + 1e-5).sqrt() * norm.gain.clone()
    }

    fn assert_close(name: &str, got: Tensor<2>, want: Tensor<2>) {
        assert_eq!(got.dims(), want.dims(), "{name}");
        let difference: f32 = (got - want).abs().max().into_scalar();
        assert!(difference < 4e-5, "{name} differs by {difference}");
    }

    fn matches_autodiff(cell: Cell, fused: bool, norm: Option<Method>) {
        let sequence = Sequence { cell, batch: BATCH, units: UNITS, fused, clip: None };
        let Case { x, weights, state, masks, target } = case(cell, norm);
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
            norms: weights
                .norms
                .as_ref()
                .map(|norms| norms.each_ref().map(|norm| Norm { gain: track(&norm.gain), ..norm.clone() })),
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
        for (got, tracked) in got.norms.iter().flatten().zip(tracked.norms.iter().flatten()) {
            assert_close("gain", got.gain.clone(), tracked.gain.grad(&gradients).unwrap());
        }
        assert_eq!(got.norms.is_some(), norm.is_some());
    }

    #[test]
    fn lstm_gradients_match_automatic_differentiation() {
        for norm in [None, Some(Method::Batch), Some(Method::Layer)] {
            matches_autodiff(Cell::Lstm, false, norm);
            matches_autodiff(Cell::Lstm, true, norm);
        }
    }

    #[test]
    fn gru_gradients_match_automatic_differentiation() {
        for norm in [None, Some(Method::Batch), Some(Method::Layer)] {
            matches_autodiff(Cell::Gru, false, norm);
            matches_autodiff(Cell::Gru, true, norm);
        }
    }

    #[test]
    fn what_explodes_is_clipped_sequence_by_sequence() {
        let Case { x, weights, state, target, .. } = case(Cell::Lstm, None);
        let gradient = |growth: f32, clip: Option<f32>| {
            let weights = LayerWeights { recurrent: weights.recurrent.clone() * growth, ..weights.clone() };
            let sequence = Sequence { cell: Cell::Lstm, batch: BATCH, units: UNITS, fused: true, clip };
            let (_, tape) = sequence.forward(x.clone(), &weights, &mut state.clone(), &vec![None; STEPS]);
            sequence.backward(tape, &weights, target.clone()).recurrent
        };
        let largest = |tensor: &Tensor<2>| -> f32 { tensor.clone().abs().max().into_scalar() };
        // What does not explode, stays as it is.
        let (free, loose) = (gradient(1.0, None), gradient(1.0, Some(10.0)));
        assert!(largest(&(free - loose)) < 1e-6);
        let (free, clipped) = (gradient(20.0, None), gradient(20.0, Some(1.0)));
        assert!(largest(&clipped) > 0.01 && largest(&clipped) < 0.2 * largest(&free), "{free} {clipped}");

        let device = Device::flex();
        let rows = Tensor::<2>::from_floats([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], &device);
        let wanted = Tensor::<2>::from_floats([[1.2, 1.6], [0.3, 0.4], [0.0, 0.0]], &device);
        assert_close("rows", within(rows, &Tensor::from_floats([[2.0]], &device)), wanted);
    }
}
