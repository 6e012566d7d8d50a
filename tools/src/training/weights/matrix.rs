//! A weight matrix of the network: its shadow weights among the parameters, and what the network computes with.

use burn::tensor::Tensor;
use rand::rngs::StdRng;

use super::ngrams::Touched;
use super::{Gradients, Group, Inputs, Ngrams, Quantized, SMALLEST, Tail, Tape, Transform};
use crate::training::adam::Parameter;
use crate::training::rows::Rows;

/// What a matrix is to be.
pub struct Spec<'a> {
    pub name: &'a str,
    pub inputs: Inputs,
    /// One transform for the whole, or one for each gate.
    pub transforms: Vec<Transform>,
    /// Whether each output has a learned norm.
    pub weight_norm: bool,
    /// The narrow rows, of a table.
    pub tail: Option<Tail>,
    /// What a table's rows share.
    pub ngrams: Option<Ngrams>,
}

impl Spec<'_> {
    /// The bound that shadow weights are kept within, and start in.
    pub fn bound(&self) -> Option<f32> {
        self.transforms.iter().filter_map(Transform::bound).reduce(f32::max)
    }
}

/// Where a matrix's numbers stand among the parameters, and how they become weights.
pub struct Matrix {
    shadow: usize,
    blocks: Vec<Block>,
    /// The learned norms of the outputs, `[1, outputs]` or `[outputs, 1]`.
    gain: Option<usize>,
    inputs: Inputs,
    tail: Option<Tail>,
    /// What the rows share, and its place.
    ngrams: Option<(Ngrams, usize)>,
}

/// Neighbouring outputs that have a transform in common.
struct Block {
    start: usize,
    width: usize,
    transform: Transform,
    extra: Option<usize>,
}

/// The weights of one step.
pub struct Computed {
    pub weights: Tensor<2>,
    tapes: Vec<Tape>,
    /// The weights before they got their norms, and what divides them.
    normed: Option<(Tensor<2>, Tensor<2>)>,
    /// The vectors of n-grams that the rows have a part of.
    ngrams: Option<Touched>,
}

impl Matrix {
    /// Adds a matrix with these first shadow weights to the parameters.
    pub fn new(spec: Spec, weights: Tensor<2>, parameters: &mut Vec<Parameter>) -> Matrix {
        let bound = spec.bound();
        let Spec { name, inputs, transforms, weight_norm, tail, ngrams } = spec;
        let outputs = weights.dims()[1 - inputs as usize];
        let width = outputs / transforms.len();
        let mut add = |parameter: Parameter| {
            parameters.push(parameter);
            parameters.len() - 1
        };
        let shadow = add(Parameter { bound, ..Parameter::new(name, weights.clone()) });
        let gain =
            weight_norm.then(|| add(Parameter::new(&format!("{name}.norm"), norms(&weights, inputs)).of_method()));
        let single = transforms.len() == 1;
        let blocks = transforms.into_iter().enumerate().map(|(index, transform)| {
            let block = weights.clone().narrow(1 - inputs as usize, index * width, width);
            let extra = transform.first_extra(&block, inputs).map(|first| {
                let suffix = if single { String::new() } else { format!(".{index}") };
                let parameter = Parameter::new(&format!("{name}.levels{suffix}"), first).of_method();
                add(if transform.learns_extra() == Some(true) { parameter } else { parameter.kept() })
            });
            Block { start: index * width, width, transform, extra }
        });
        let blocks = blocks.collect();
        let ngrams = ngrams.map(|ngrams| {
            let vectors = Tensor::zeros([ngrams.vectors(), weights.dims()[1]], &weights.device());
            (ngrams, add(Parameter::new(&format!("{name}.ngrams"), vectors).of_method()))
        });
        Matrix { shadow, blocks, gain, inputs, tail, ngrams }
    }

    /// Finds the extra numbers anew from the weights as they are, where the quantization starts; those that another run learned stay.
    pub fn start(&self, parameters: &mut [Parameter]) {
        for block in &self.blocks {
            let weights = self.outputs(&self.shadow(parameters, &Rows::All), block);
            if let (Some(extra), Some(first)) = (block.extra, block.transform.first_extra(&weights, self.inputs))
                && !parameters[extra].taken_over
            {
                parameters[extra].value = first;
            }
        }
    }

    /// The shadow weights of some rows, with what those share.
    fn shadow(&self, parameters: &[Parameter], rows: &Rows) -> Tensor<2> {
        self.shadow_and_ngrams(parameters, rows).0
    }

    fn shadow_and_ngrams(&self, parameters: &[Parameter], rows: &Rows) -> (Tensor<2>, Option<Touched>) {
        let own = rows.of(&parameters[self.shadow].value);
        let Some((ngrams, place)) = &self.ngrams else { return (self.cut(own, rows), None) };
        let touched = ngrams.touched(rows);
        (self.cut(own + touched.means(&parameters[*place].value), rows), Some(touched))
    }

    fn cut(&self, values: Tensor<2>, rows: &Rows) -> Tensor<2> {
        match &self.tail {
            Some(tail) => tail.cut(values, rows),
            None => values,
        }
    }

    /// The outputs of a block.
    fn outputs(&self, weights: &Tensor<2>, block: &Block) -> Tensor<2> {
        if self.blocks.len() == 1 {
            return weights.clone();
        }
        weights.clone().narrow(1 - self.inputs as usize, block.start, block.width)
    }

    /// A block's extra numbers, of some rows where it has them by row.
    fn extra(&self, block: &Block, parameters: &[Parameter], rows: &Rows) -> Option<Tensor<2>> {
        let table = &parameters[block.extra?].value;
        Some(if self.has_rows(block) { rows.of(table) } else { table.clone() })
    }

    fn has_rows(&self, block: &Block) -> bool {
        self.inputs == Inputs::Columns && block.transform.group() == Group::Output
    }

    /// The weights to compute with: of all rows, or of some of a table's. While the quantization is not `active` they
    /// are the shadow weights.
    pub fn compute(
        &self,
        parameters: &[Parameter],
        rows: &Rows,
        active: bool,
        mut random: Option<&mut StdRng>,
    ) -> Computed {
        let (shadow, ngrams) = self.shadow_and_ngrams(parameters, rows);
        let (blocks, tapes): (Vec<_>, Vec<_>) = self
            .blocks
            .iter()
            .map(|block| {
                let transform = if active { block.transform } else { Transform::Float };
                let extra = self.extra(block, parameters, rows);
                transform.apply(self.outputs(&shadow, block), extra.as_ref(), self.inputs, random.as_deref_mut())
            })
            .unzip();
        let weights = self.joined(blocks);
        let Some(gain) = self.gain else { return Computed { weights, tapes, normed: None, ngrams } };
        let factor = parameters[gain].value.clone() / norms(&weights, self.inputs);
        Computed { weights: weights.clone() * factor.clone(), tapes, normed: Some((weights, factor)), ngrams }
    }

    fn joined(&self, mut blocks: Vec<Tensor<2>>) -> Tensor<2> {
        match blocks.len() {
            1 => blocks.remove(0),
            _ => Tensor::cat(blocks, 1 - self.inputs as usize),
        }
    }

    /// The gradients of the parameters, by their places, from that of the computed weights; the rows told are those
    /// that a gradient is of.
    pub fn backward(&self, computed: Computed, gradient: Tensor<2>, rows: &Rows) -> Vec<(usize, Tensor<2>, Rows)> {
        let mut gradients = Vec::new();
        let mut gradient = gradient;
        if let (Some(gain), Some((weights, factor))) = (self.gain, computed.normed) {
            // w = g v / |v| (Salimans & Kingma 2016, equation 3)
            let dimension = self.inputs as usize;
            let norms = norms(&weights, self.inputs);
            let direction = weights / norms.clone();
            let along = (gradient.clone() * direction.clone()).sum_dim(dimension);
            gradients.push((gain, along.clone(), rows.clone()));
            gradient = (gradient - direction * along) * factor;
        }
        let mut shadows = Vec::new();
        for (block, tape) in self.blocks.iter().zip(computed.tapes) {
            let Gradients { weights, extra } = Transform::backward(tape, self.outputs(&gradient, block));
            shadows.push(weights);
            if let (Some(place), Some(extra)) = (block.extra, extra) {
                let rows = if self.has_rows(block) { rows.clone() } else { Rows::All };
                gradients.push((place, extra, rows));
            }
        }
        let d = self.cut(self.joined(shadows), rows);
        if let (Some((_, place)), Some(touched)) = (&self.ngrams, computed.ngrams) {
            let (vectors, rows) = touched.backward(d.clone());
            gradients.push((*place, vectors, rows));
        }
        gradients.push((self.shadow, d, rows.clone()));
        gradients
    }

    /// What a file holds: integers and scales, or none where all is float. Blocks of floats among others have their
    /// weights on the 8-bit grid of each output.
    pub fn quantized(&self, parameters: &[Parameter]) -> Option<Quantized> {
        if self.blocks.iter().all(|block| block.transform == Transform::Float) {
            return None;
        }
        let shadow = self.shadow(parameters, &Rows::All);
        let outputs = shadow.dims()[1 - self.inputs as usize];
        let mut integers = Vec::new();
        let mut scales = Vec::new();
        for block in &self.blocks {
            let weights = self.outputs(&shadow, block);
            let extra = self.extra(block, parameters, &Rows::All);
            let transform = match block.transform {
                Transform::Float => Transform::linear(8),
                transform => transform,
            };
            let quantized = transform.quantize(weights, extra.as_ref(), self.inputs)?;
            integers.push(quantized.integers);
            let width = if self.blocks.len() == 1 { outputs } else { block.width };
            let shape = if self.inputs == Inputs::Rows { [1, width] } else { [width, 1] };
            scales.push(quantized.scales.expand(shape));
        }
        let (integers, mut scales) = (self.joined(integers), self.joined(scales));
        if let Some(gain) = self.gain {
            let norms = norms(&(integers.clone() * scales.clone()), self.inputs);
            scales = scales * (parameters[gain].value.clone() / norms);
        }
        Some(Quantized { integers, scales })
    }

    /// All shadow weights with their norms: of a matrix that is float.
    pub fn floats(&self, parameters: &[Parameter]) -> Tensor<2> {
        self.compute(parameters, &Rows::All, false, None).weights
    }

    /// Which dimension runs over the inputs.
    pub fn inputs(&self) -> Inputs {
        self.inputs
    }

    /// The place of what the rows share: not part of the model.
    pub fn ngrams_place(&self) -> Option<usize> {
        self.ngrams.as_ref().map(|(_, place)| *place)
    }

    /// The matrix's own place among the parameters.
    pub fn place(&self) -> usize {
        self.shadow
    }

    /// Mean bits of a weight, by what the methods need.
    pub fn bits(&self) -> f64 {
        self.blocks.iter().map(|block| block.transform.bits()).sum::<f64>() / self.blocks.len() as f64
    }

    /// Whether a method needs weights that training has formed.
    pub fn needs_trained_weights(&self) -> bool {
        self.blocks.iter().any(|block| block.transform.needs_trained_weights())
    }
}

/// Euclidean norms of the outputs, none of them zero.
pub fn norms(weights: &Tensor<2>, inputs: Inputs) -> Tensor<2> {
    (weights.clone() * weights.clone()).sum_dim(inputs as usize).sqrt().clamp_min(SMALLEST)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, tensor, values};
    use super::*;

    fn matrix(transforms: Vec<Transform>, weight_norm: bool) -> (Matrix, Vec<Parameter>) {
        let mut parameters = Vec::new();
        let spec = Spec { name: "w", inputs: Inputs::Rows, transforms, weight_norm, tail: None, ngrams: None };
        let weights = tensor(&[3.0, -0.1, 0.5, 0.2, 4.0, 0.3, -0.5, -0.8], [2, 4]);
        (Matrix::new(spec, weights, &mut parameters), parameters)
    }

    #[test]
    fn gates_have_their_own_transforms() {
        let binary = Transform::Binary { per: Group::Matrix, scale: None, stochastic: false };
        let trained = Transform::TrainedTernary { threshold: 0.05, per: Group::Matrix };
        let (matrix, parameters) = matrix(vec![binary, trained], false);
        assert_eq!(parameters.len(), 2);
        let computed = matrix.compute(&parameters, &Rows::All, true, None);
        // Binary: mean of 3, 0.1, 4, 0.3; levels: 0.35 and 0.65.
        assert_close(&values(computed.weights.clone()), &[1.85, -1.85, 0.35, 0.35, 1.85, 1.85, -0.65, -0.65]);
        let gradients = matrix.backward(computed, tensor(&[1.0; 8], [2, 4]), &Rows::All);
        let places: Vec<usize> = gradients.iter().map(|(place, ..)| *place).collect();
        assert_eq!(places, [1, 0]);
        assert_close(&values(gradients[1].1.clone()), &[1.0, 1.0, 0.35, 0.35, 1.0, 1.0, 0.65, 0.65]);
        // Before the quantization starts the weights are the shadow weights.
        let computed = matrix.compute(&parameters, &Rows::All, false, None);
        assert_close(&values(computed.weights), &values(parameters[0].value.clone()));
    }

    #[test]
    fn weight_norms_are_learned() {
        let (matrix, mut parameters) = matrix(vec![Transform::Ternary { per: Group::Output }], true);
        // The first norms are those of the shadow weights.
        assert!((values(parameters[1].value.clone())[0] - 5.0).abs() < 1e-6);
        parameters[1].value = tensor(&[2.0, 1.0, 1.0, 1.0], [1, 4]);
        let computed = matrix.compute(&parameters, &Rows::All, true, None);
        let weights = values(computed.weights.clone());
        assert_close(&weights[..2], &[2.0 * 0.5_f32.sqrt(), 0.0]);
        let file = matrix.quantized(&parameters).unwrap();
        assert_close(&values(file.integers * file.scales), &weights);
    }

    #[test]
    fn weight_norm_gradients_match_automatic_differentiation() {
        let (matrix, parameters) = matrix(vec![Transform::Float], true);
        let upstream = tensor(&[0.3, -1.0, 0.2, 0.4, 0.7, -0.6, 0.1, 0.9], [2, 4]);
        let computed = matrix.compute(&parameters, &Rows::All, true, None);
        let got = matrix.backward(computed, upstream.clone(), &Rows::All);

        let [v, g] = [0, 1].map(|place| Tensor::<2>::from_inner(parameters[place].value.clone()).require_grad());
        let weights = g.clone() * v.clone() / v.clone().powi_scalar(2).sum_dim(0).sqrt();
        let gradients = (weights * Tensor::from_inner(upstream)).sum().backward();
        assert_close(&values(got[0].1.clone()), &values(g.grad(&gradients).unwrap()));
        assert_close(&values(got[1].1.clone()), &values(v.grad(&gradients).unwrap()));
    }
}
