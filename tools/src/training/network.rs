//! The network: embedding, recurrent layers, projection, output rows; its parameters and what it computes with.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::adam::{Gradient, Parameter};
use super::batches::Batch;
use super::config::{Cell, Config, ModelConfig, Normalization, Weights};
use super::layer::{LayerWeights, NormGradients, Sequence, State};
use super::lsh::{LshPlaces, LshTape};
use super::norm::{Method, Norm};
use super::rows::{Rows, indices};
use super::slices::{self, give};
use super::softmax;
use super::weights::{Computed, Inputs, Matrix, Ngrams, Spec, Tail, Transform};
use crate::corpus::WordTable;
use crate::distillation::{Soft, largest};

/// Half width of the uniform distribution that embeddings and output rows start from.
const TABLE_INIT: f32 = 0.05;
/// How much of a running average of statistics stays at each step.
const STATISTICS_KEPT: f32 = 0.99;

/// A network and its parameters.
pub struct Network {
    pub(super) config: ModelConfig,
    /// The checksum of the vocabulary.
    pub(super) vocabulary: u64,
    /// The checksum of which rows are narrow, if some are.
    pub(super) narrow: Option<u64>,
    pub parameters: Vec<Parameter>,
    pub(super) places: Places,
    /// Whether to run over slices, the CPU's way.
    pub fused: bool,
    pub(super) device: Device,
}

/// Where each component stands among the parameters.
pub struct Places {
    pub input: InputPlaces,
    pub layers: Vec<LayerPlaces>,
    pub projection: Option<Matrix>,
    /// None where the output rows are the embedding's.
    pub output: Option<Matrix>,
    pub bias: usize,
    /// What makes a teacher's hints of the output vectors, `[output width, hint]`: not part of the model.
    pub hint: Option<usize>,
}

/// What makes a vector of a token.
pub enum InputPlaces {
    Embedding(Matrix),
    Lsh(LshPlaces),
}

/// What the input's backward pass needs.
pub(super) enum InputTape {
    Embedding(Box<Computed>),
    Lsh(Box<LshTape>),
}

impl InputPlaces {
    /// The vectors of some rows.
    pub(super) fn forward(
        &self,
        parameters: &[Parameter],
        rows: &Rows,
        quantized: bool,
        random: Option<&mut StdRng>,
    ) -> (Tensor<2>, InputTape) {
        match self {
            InputPlaces::Embedding(matrix) => {
                let computed = matrix.compute(parameters, rows, quantized, random);
                (computed.weights.clone(), InputTape::Embedding(Box::new(computed)))
            }
            InputPlaces::Lsh(lsh) => {
                let (vectors, tape) = lsh.forward(parameters, rows, quantized, random);
                (vectors, InputTape::Lsh(Box::new(tape)))
            }
        }
    }

    /// The gradients of the parameters, by their places, from that of the vectors of `rows`.
    pub(super) fn backward(&self, tape: InputTape, d: Tensor<2>, rows: &Rows) -> Vec<(usize, Tensor<2>, Rows)> {
        match (self, tape) {
            (InputPlaces::Embedding(matrix), InputTape::Embedding(computed)) => matrix.backward(*computed, d, rows),
            (InputPlaces::Lsh(lsh), InputTape::Lsh(tape)) => lsh.backward(*tape, d),
            _ => unreachable!("a tape is of the input that made it"),
        }
    }

    /// The weights that are trained.
    fn matrix(&self) -> &Matrix {
        match self {
            InputPlaces::Embedding(matrix) | InputPlaces::Lsh(LshPlaces { weights: matrix, .. }) => matrix,
        }
    }
}

/// A recurrent layer's.
pub struct LayerPlaces {
    pub input: Matrix,
    pub recurrent: Matrix,
    pub bias: usize,
    /// Of the input and the recurrent product.
    pub norms: Option<[NormPlaces; 2]>,
}

/// A normalization's.
#[derive(Clone, Copy)]
pub struct NormPlaces {
    pub method: Method,
    pub gain: usize,
    /// Running averages of mean and variance, `[2, outputs]`.
    pub statistics: usize,
}

/// What training has already begun to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// Whether weights are transformed.
    pub quantized: bool,
    /// Whether normalization uses its running averages.
    pub frozen: bool,
}

/// The transformed weights of a layer.
pub struct ComputedLayer {
    pub input: Computed,
    pub recurrent: Computed,
}

/// Adds random parameters.
struct Builder<'a> {
    parameters: Vec<Parameter>,
    random: StdRng,
    device: &'a Device,
    weights: &'a Weights,
    cell: Cell,
    /// Of the tables.
    tail: Option<Tail>,
    ngrams: Option<Ngrams>,
}

impl Builder<'_> {
    fn add(&mut self, parameter: Parameter) -> usize {
        self.parameters.push(parameter);
        self.parameters.len() - 1
    }

    /// A parameter of this one row.
    fn row(&self, name: &str, values: Vec<f32>) -> Parameter {
        let shape = [1, values.len()];
        Parameter::new(name, give(values, shape, self.device))
    }

    /// A matrix of evenly distributed weights, within a method's bound or else within `width` of zero.
    fn matrix(&mut self, spec: Spec, shape: [usize; 2], width: f32) -> Matrix {
        let width = spec.bound().unwrap_or(width);
        self.matrix_within(spec, shape, width)
    }

    fn matrix_within(&mut self, spec: Spec, shape: [usize; 2], width: f32) -> Matrix {
        let values = (0..shape[0] * shape[1]).map(|_| self.random.random_range(-1.0..=1.0) * width).collect();
        Matrix::new(spec, give(values, shape, self.device), &mut self.parameters)
    }

    /// A table with a row a token.
    fn table(&mut self, name: &str, shape: [usize; 2], transform: Transform) -> Matrix {
        let (tail, ngrams) = (self.tail.clone(), self.ngrams.clone());
        let spec =
            Spec { name, inputs: Inputs::Columns, transforms: vec![transform], weight_norm: false, tail, ngrams };
        self.matrix(spec, shape, TABLE_INIT)
    }

    /// What makes vectors of the tokens of a vocabulary.
    fn input(&mut self, model: &ModelConfig, table: &WordTable) -> InputPlaces {
        let width = model.embedding;
        let Some(lsh) = model.lsh else {
            return InputPlaces::Embedding(self.table(
                "embedding",
                [table.entries.len(), width],
                self.weights.embedding,
            ));
        };
        let transforms = vec![self.weights.lsh];
        let spec = Spec { name: "lsh", inputs: Inputs::Rows, transforms, weight_norm: false, tail: None, ngrams: None };
        let weights = self.matrix(spec, [lsh.bits, width], spread(lsh.bits));
        let bias = self.add(self.row("lsh.bias", vec![0.0; width]));
        InputPlaces::Lsh(LshPlaces::new(weights, bias, lsh.into(), table.entries.iter().map(|entry| &*entry.token)))
    }

    fn layer(&mut self, index: usize, model: &ModelConfig, normalization: Option<Normalization>) -> LayerPlaces {
        let inputs = if index == 0 { model.embedding } else { model.units };
        let wide = model.cell.gates() * model.units;
        let weight_norm = normalization.is_some_and(|norm| norm.method == Method::Weight);
        let [input, recurrent] = [("input", inputs), ("recurrent", model.units)].map(|(kind, inputs)| {
            let name = format!("layers.{index}.{kind}");
            let transforms = self.weights.of_layer(kind == "input", self.cell);
            let spec = Spec { name: &name, inputs: Inputs::Rows, transforms, weight_norm, tail: None, ngrams: None };
            match self.weights.init {
                Some(init) => self.matrix_within(spec, [inputs, wide], init),
                None => self.matrix(spec, [inputs, wide], spread(inputs)),
            }
        });
        // An LSTM remembers at first (forget gates at 1: Jozefowicz 2015).
        let first = |j: usize| if model.cell == Cell::Lstm && j / model.units == 1 { 1.0 } else { 0.0 };
        let biases = (0..model.cell.biases() * model.units).map(first).collect();
        let bias = self.add(self.row(&format!("layers.{index}.bias"), biases));
        let norms = normalization.filter(|norm| norm.method != Method::Weight).map(|norm| {
            ["input", "recurrent"].map(|kind| {
                let name = format!("layers.{index}.{kind}");
                let gain = self.row(&format!("{name}.gain"), vec![norm.gain; wide]);
                let statistics = give([vec![0.0; wide], vec![1.0; wide]].concat(), [2, wide], self.device);
                let statistics = Parameter::new(&format!("{name}.statistics"), statistics).kept();
                NormPlaces {
                    method: norm.method,
                    gain: self.add(gain.of_method()),
                    statistics: self.add(statistics.of_method()),
                }
            })
        });
        LayerPlaces { input, recurrent, bias, norms }
    }
}

/// Half width of the uniform distribution that the weights of so many inputs start from.
pub(super) fn spread(inputs: usize) -> f32 {
    (1.0 / inputs as f32).sqrt()
}

impl Network {
    /// A network with random weights drawn from the config's seed; the output bias starts at the log of the unigram
    /// probabilities that the vocabulary's counts give. `fused` chooses the way over slices (the CPU's).
    pub fn new(config: &Config, table: &WordTable, fused: bool, device: &Device) -> Network {
        let counts = &table.counts();
        let (model, weights) = (config.model, &config.weights);
        let random = StdRng::seed_from_u64(config.training.seed);
        let tail = model.tail.and_then(|tail| Tail::new(tail, counts));
        let tokens = table.entries.iter().map(|entry| &*entry.token);
        let ngrams = config.training.ngrams.map(|ngrams| Ngrams::new(ngrams, tokens));
        let narrow = tail.as_ref().map(Tail::checksum);
        let mut builder = Builder { parameters: Vec::new(), random, device, weights, cell: model.cell, tail, ngrams };
        let (rows, width) = (counts.len(), model.output_width());
        let input = builder.input(&model, table);
        let layers = (0..model.layers).map(|index| builder.layer(index, &model, config.normalization)).collect();
        let projection = model.has_projection().then(|| {
            let transforms = vec![weights.projection];
            let spec = Spec {
                name: "projection",
                inputs: Inputs::Rows,
                transforms,
                weight_norm: false,
                tail: None,
                ngrams: None,
            };
            builder.matrix(spec, [model.units, width], spread(model.units))
        });
        let output = (!model.tied).then(|| builder.table("output", [rows, width], weights.output));
        let total: f64 = counts.iter().map(|count| count.max(1.0)).sum();
        let logs = counts.iter().map(|count| (count.max(1.0) / total).ln() as f32).collect();
        let bias = builder.add(Parameter::new("output_bias", give(logs, [rows, 1], device)));
        let hint = config.training.distillation.and_then(|distillation| distillation.hint).map(|hint| {
            let values = (0..width * hint.width).map(|_| builder.random.random_range(-1.0..=1.0) * spread(width));
            let matrix = give(values.collect(), [width, hint.width], device);
            builder.add(Parameter::new("hint", matrix).of_method())
        });
        let places = Places { input, layers, projection, output, bias, hint };
        Network {
            config: model,
            vocabulary: table.checksum(),
            narrow,
            parameters: builder.parameters,
            places,
            fused,
            device: device.clone(),
        }
    }

    /// Where each component stands among the parameters.
    pub fn places(&self) -> &Places {
        &self.places
    }

    fn matrices(&self) -> impl Iterator<Item = &Matrix> {
        let Places { input, layers, projection, output, .. } = &self.places;
        let layers = layers.iter().flat_map(|layer| [&layer.input, &layer.recurrent]);
        [input.matrix()].into_iter().chain(layers).chain(projection).chain(output)
    }

    /// Whether a method needs weights that training has formed.
    pub fn needs_trained_weights(&self) -> bool {
        self.matrices().any(Matrix::needs_trained_weights)
    }

    /// Finds what methods take from the weights where the quantization starts.
    pub fn start_quantization(&mut self) {
        let mut parameters = std::mem::take(&mut self.parameters);
        self.matrices().for_each(|matrix| matrix.start(&mut parameters));
        self.parameters = parameters;
    }

    /// The state before any text.
    pub fn zero_states(&self, batch: usize) -> Vec<State> {
        let zeros = || Tensor::zeros([batch, self.config.units], &self.device);
        (0..self.config.layers).map(|_| State { h: zeros(), c: zeros() }).collect()
    }

    pub(super) fn value(&self, place: usize) -> &Tensor<2> {
        &self.parameters[place].value
    }

    /// The transformed weights of the layers.
    pub(super) fn compute_layers(&self, phase: Phase, mut random: Option<&mut StdRng>) -> Vec<ComputedLayer> {
        let mut compute =
            |matrix: &Matrix| matrix.compute(&self.parameters, &Rows::All, phase.quantized, random.as_deref_mut());
        let layer =
            |layer: &LayerPlaces| ComputedLayer { input: compute(&layer.input), recurrent: compute(&layer.recurrent) };
        self.places.layers.iter().map(layer).collect()
    }

    /// A layer's weights with bias and normalization; `constant` if the latter uses its running averages.
    pub(super) fn layer_weights(&self, index: usize, computed: &ComputedLayer, constant: bool) -> LayerWeights {
        let places = &self.places.layers[index];
        let norm = |norm: &NormPlaces| Norm {
            method: norm.method,
            gain: self.value(norm.gain).clone(),
            constants: constant.then(|| self.value(norm.statistics).clone()),
        };
        LayerWeights {
            input: computed.input.weights.clone(),
            recurrent: computed.recurrent.weights.clone(),
            bias: self.value(places.bias).clone(),
            norms: places.norms.as_ref().map(|norms| norms.each_ref().map(norm)),
        }
    }

    /// Moves the running averages towards the statistics that a batch met, summed over its shards.
    pub fn follow_statistics(&mut self, met: Vec<Option<[NormGradients; 2]>>, shards: usize) {
        let share = (1.0 - STATISTICS_KEPT) / shards as f32;
        for (layer, met) in self.places.layers.iter().zip(met) {
            for (norm, met) in layer.norms.iter().flatten().zip(met.into_iter().flatten()) {
                let average = &mut self.parameters[norm.statistics].value;
                *average = average.clone() * STATISTICS_KEPT + met.statistics * share;
            }
        }
    }

    pub(super) fn sequence(&self, batch: usize) -> Sequence {
        Sequence { cell: self.config.cell, batch, units: self.config.units, fused: self.fused, clip: None }
    }

    /// From a batch to the vectors that are compared with the output rows, `[positions, width]`; moves `states` on.
    pub fn outputs(&self, batch: &Batch, states: &mut [State], evaluation: &Evaluation) -> Tensor<2> {
        let inputs: Tensor<1, Int> = indices(batch.inputs.iter().copied(), &self.device);
        let mut x = evaluation.embedding.clone().select(0, inputs);
        let sequence = self.sequence(batch.size);
        let masks = batch.masks(&self.device);
        for (weights, state) in evaluation.layers.iter().zip(states) {
            x = sequence.forward(x, weights, state, &masks).0;
        }
        match &evaluation.projection {
            Some(projection) => x.matmul(projection.clone()),
            None => x,
        }
    }

    /// The logits of all rows, `[positions, rows]`, of what [`outputs`](Self::outputs) gave.
    pub fn logits(&self, outputs: Tensor<2>, evaluation: &Evaluation) -> Tensor<2> {
        outputs.matmul(evaluation.output.clone().transpose()) + self.value(self.places.bias).clone().transpose()
    }

    /// The `top` most probable rows behind each of what [`outputs`](Self::outputs) gave. Other devices than the CPU find them
    /// themselves: the logits of all rows need not come from there.
    pub fn most_probable(&self, outputs: Tensor<2>, evaluation: &Evaluation, top: usize) -> Soft {
        let logits = self.logits(outputs, evaluation);
        if !self.fused {
            let (best, rows) = log_softmax(logits, 1).topk_with_indices(top, 1);
            let rows = rows.into_data().iter::<i64>().map(|row| row as u32).collect();
            return Soft { top, rows, log_probabilities: slices::take(best), ..Soft::default() };
        }
        let rows = logits.dims()[1];
        let mut soft = Soft { top, ..Soft::default() };
        for logits in slices::take(logits).chunks_exact(rows) {
            let most = slices::max(logits);
            let mut powers = logits.to_vec();
            slices::exp_minus(&mut powers, most);
            let normalizer = most + slices::sum(&powers, |x| x).ln();
            let rows = largest(logits, top);
            soft.log_probabilities.extend(rows.iter().map(|&row| logits[row as usize] - normalizer));
            soft.rows.extend(rows);
        }
        soft
    }

    /// Sum of the negative log-likelihoods of a batch's targets; moves `states` on.
    pub fn negative_log_likelihood(&self, batch: &Batch, states: &mut [State], evaluation: &Evaluation) -> f64 {
        let outputs = self.outputs(batch, states, evaluation);
        let bias = self.value(self.places.bias);
        softmax::negative_log_likelihood(outputs, &evaluation.output, bias, &batch.targets, self.fused)
    }

    /// All transformed weights, to evaluate many batches with.
    pub fn evaluation(&self, phase: Phase) -> Evaluation {
        let compute = |matrix: &Matrix| matrix.compute(&self.parameters, &Rows::All, phase.quantized, None).weights;
        let computed = self.compute_layers(phase, None);
        let embedding = match &self.places.input {
            InputPlaces::Embedding(matrix) => compute(matrix),
            InputPlaces::Lsh(lsh) => lsh.all(&self.parameters, phase.quantized),
        };
        Evaluation {
            layers: (0..).zip(&computed).map(|(index, layer)| self.layer_weights(index, layer, true)).collect(),
            projection: self.places.projection.as_ref().map(compute),
            output: self.places.output.as_ref().map_or(embedding.clone(), compute),
            embedding,
        }
    }

    /// Columns of the output rows.
    pub fn output_width(&self) -> usize {
        self.config.output_width()
    }

    /// Number of the model's trained parameters.
    pub fn size(&self) -> usize {
        let left_behind: Vec<usize> =
            self.matrices().filter_map(Matrix::ngrams_place).chain(self.places.hint).collect();
        let trained = self.parameters.iter().enumerate();
        let trained = trained.filter(|(place, parameter)| parameter.trained && !left_behind.contains(place));
        trained.map(|(_, parameter)| parameter.value.shape().num_elements()).sum()
    }

    /// Mean bits of a weight of the recurrent layers, by what the methods need.
    pub fn layer_bits(&self) -> f64 {
        let layers = self.places.layers.iter().flat_map(|layer| [&layer.input, &layer.recurrent]);
        let sizes = layers.map(|matrix| (self.value(matrix.place()).shape().num_elements() as f64, matrix.bits()));
        let (weights, bits) =
            sizes.fold((0.0, 0.0), |(weights, sum), (size, bits)| (weights + size, sum + size * bits));
        bits / weights
    }
}

/// Weights transformed once, for evaluation.
pub struct Evaluation {
    layers: Vec<LayerWeights>,
    projection: Option<Tensor<2>>,
    embedding: Tensor<2>,
    output: Tensor<2>,
}

/// Gradients by parameter; none for what is not trained.
pub type ByParameter = Vec<Option<Gradient>>;
