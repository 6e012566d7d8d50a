//! The network: embedding, recurrent layers, projection, output rows; loss and gradients of a batch.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::adam::{Gradient, Parameter};
use super::batches::Batch;
use super::config::{Cell, Config, ModelConfig, Softmax, Weights};
use super::layer::{LayerWeights, Sequence, State, Tape};
use super::rows::{Rows, indices, scatter_sum};
use super::sampler::Sampler;
use super::softmax::{self, Candidates, Loss};
use super::transform::{Inputs, Transform};

/// Half width of the uniform distribution that embeddings and output rows start from.
const TABLE_INIT: f32 = 0.05;

/// A network and its parameters.
pub struct Network {
    config: ModelConfig,
    weights: Weights,
    /// In the order of [`Places`].
    pub parameters: Vec<Parameter>,
    places: Places,
    fused: bool,
    device: Device,
}

/// Where each component stands among the parameters.
struct Places {
    embedding: usize,
    /// The first of each layer's three: input weights, recurrent weights, bias.
    layers: Vec<usize>,
    projection: Option<usize>,
    /// Where tied, the embedding.
    output: usize,
    bias: usize,
}

/// The weights of one step, transformed.
struct Computed {
    layers: Vec<LayerWeights>,
    projection: Option<Tensor<2>>,
}

impl Computed {
    fn project(&self, hidden: Tensor<2>) -> Tensor<2> {
        match &self.projection {
            Some(projection) => hidden.matmul(projection.clone()),
            None => hidden,
        }
    }
}

/// What the backward pass needs of a forward one.
struct Pass {
    sequence: Sequence,
    /// Where among the rows touched the inputs stand.
    places: Tensor<1, Int>,
    input_mask: Option<Tensor<2>>,
    /// Of each layer, with the dropout mask of its output.
    tapes: Vec<(Tape, Option<Tensor<2>>)>,
    /// The last layer's output.
    hidden: Tensor<2>,
}

/// What a batch gives.
pub struct Step {
    /// Mean loss in nats.
    pub loss: f64,
    /// In the order of the parameters.
    pub gradients: Vec<Gradient>,
}

impl Network {
    /// A network with random weights drawn from the config's seed; the output bias starts at the log of the unigram
    /// probabilities that `counts` give. `fused` chooses the cells' path over slices (the CPU's).
    pub fn new(config: &Config, counts: &[f64], fused: bool, device: &Device) -> Network {
        let model = config.model;
        let mut random = StdRng::seed_from_u64(config.training.seed);
        let mut parameters = Vec::new();
        let mut add = |name: &str, shape: [usize; 2], width: f32| {
            let values = (0..shape[0] * shape[1]).map(|_| random.random_range(-1.0..=1.0) * width).collect();
            parameters.push(Parameter::new(name, tensor(values, shape, device)));
            parameters.len() - 1
        };
        let spread = |inputs: usize| (1.0 / inputs as f32).sqrt();
        let (units, rows) = (model.units, counts.len());
        let embedding = add("embedding", [rows, model.embedding], TABLE_INIT);
        let mut layers = Vec::new();
        for index in 0..model.layers {
            let inputs = if index == 0 { model.embedding } else { units };
            let wide = model.cell.gates() * units;
            layers.push(add(&format!("layers.{index}.input"), [inputs, wide], spread(inputs)));
            add(&format!("layers.{index}.recurrent"), [units, wide], spread(units));
            add(&format!("layers.{index}.bias"), [1, model.cell.biases() * units], 0.0);
        }
        let width = model.output_width();
        let projection = model.has_projection().then(|| add("projection", [units, width], spread(units)));
        let output = if model.tied { embedding } else { add("output", [rows, width], TABLE_INIT) };
        let bias = add("output_bias", [rows, 1], 0.0);
        let places = Places { embedding, layers, projection, output, bias };
        let mut network =
            Network { config: model, weights: config.weights, parameters, places, fused, device: device.clone() };
        network.set_biases(counts);
        network
    }

    /// An LSTM remembers at first (forget gates at 1: Jozefowicz 2015), and words begin as frequent as they are.
    fn set_biases(&mut self, counts: &[f64]) {
        let units = self.config.units;
        if self.config.cell == Cell::Lstm {
            let bias: Vec<f32> = (0..4 * units).map(|j| if j / units == 1 { 1.0 } else { 0.0 }).collect();
            for &layer in &self.places.layers {
                self.parameters[layer + 2].value = tensor(bias.clone(), [1, 4 * units], &self.device);
            }
        }
        let total: f64 = counts.iter().map(|count| count.max(1.0)).sum();
        let logs = counts.iter().map(|count| (count.max(1.0) / total).ln() as f32).collect();
        self.parameters[self.places.bias].value = tensor(logs, [counts.len(), 1], &self.device);
    }

    /// The state before any text.
    pub fn zero_states(&self, batch: usize) -> Vec<State> {
        let zeros = || Tensor::zeros([batch, self.config.units], &self.device);
        (0..self.config.layers).map(|_| State { h: zeros(), c: zeros() }).collect()
    }

    fn value(&self, place: usize) -> &Tensor<2> {
        &self.parameters[place].value
    }

    /// Transform and layout of a parameter's weights; none for biases.
    pub fn transform_of(&self, place: usize) -> Option<(Transform, Inputs)> {
        let Places { embedding, layers, projection, output, bias } = &self.places;
        if place == *embedding {
            return Some((self.weights.embedding, Inputs::Columns));
        }
        if let Some(first) = layers.iter().find(|&&first| (first..first + 3).contains(&place)) {
            let weights = [self.weights.input, self.weights.recurrent];
            return weights.get(place - first).map(|&transform| (transform, Inputs::Rows));
        }
        match place {
            _ if Some(place) == *projection => Some((self.weights.projection, Inputs::Rows)),
            _ if place == *output => Some((self.weights.output, Inputs::Columns)),
            _ => {
                debug_assert_eq!(place, *bias);
                None
            }
        }
    }

    fn transformed(&self, place: usize) -> Tensor<2> {
        match self.transform_of(place) {
            Some((transform, inputs)) => transform.apply(self.value(place).clone(), inputs),
            None => self.value(place).clone(),
        }
    }

    fn compute_weights(&self) -> Computed {
        let layers = self.places.layers.iter().map(|&first| LayerWeights {
            input: self.transformed(first),
            recurrent: self.transformed(first + 1),
            bias: self.value(first + 2).clone(),
        });
        Computed { layers: layers.collect(), projection: self.places.projection.map(|place| self.transformed(place)) }
    }

    fn sequence(&self, batch: usize) -> Sequence {
        Sequence { cell: self.config.cell, batch, units: self.config.units, fused: self.fused }
    }

    /// Loss and gradients of a batch; moves `states` on.
    pub fn step(&self, batch: &Batch, states: &mut [State], training: &StepOptions, random: &mut StdRng) -> Step {
        let computed = self.compute_weights();
        let drawn = training.draw(random);
        let touched = self.touched(batch, drawn.as_deref());
        let embedding = self.table(self.places.embedding, &touched.input);
        let (pass, outputs) = self.forward(batch, states, &computed, &touched.input, &embedding, training, random);
        let loss = match &touched.output {
            None => self.loss(&outputs, &embedding, &touched.input, batch, drawn.as_deref(), training),
            Some(rows) => {
                self.loss(&outputs, &self.table(self.places.output, rows), rows, batch, drawn.as_deref(), training)
            }
        };
        let (d_embedding, inner) = self.backward(pass, &computed, loss.outputs, embedding.dims()[0]);
        let mut gradients = Vec::new();
        match touched.output {
            None => {
                gradients.push(Gradient { value: d_embedding + loss.rows, rows: touched.input.clone() });
                gradients.extend(inner);
                gradients.push(Gradient { value: loss.bias, rows: touched.input });
            }
            Some(rows) => {
                gradients.push(Gradient { value: d_embedding, rows: touched.input });
                gradients.extend(inner);
                gradients.push(Gradient { value: loss.rows, rows: rows.clone() });
                gradients.push(Gradient { value: loss.bias, rows });
            }
        }
        Step { loss: f64::from(loss.mean.into_scalar::<f32>()), gradients }
    }

    /// Some rows of a table, transformed.
    fn table(&self, place: usize, rows: &Rows) -> Tensor<2> {
        let transform = if place == self.places.embedding { self.weights.embedding } else { self.weights.output };
        transform.apply(rows.of(self.value(place)), Inputs::Columns)
    }

    /// From a batch to the vectors that are compared with the output rows, and what the backward pass needs.
    #[expect(clippy::too_many_arguments, reason = "all that one step has computed so far")]
    fn forward(
        &self,
        batch: &Batch,
        states: &mut [State],
        computed: &Computed,
        rows: &Rows,
        embedding: &Tensor<2>,
        training: &StepOptions,
        random: &mut StdRng,
    ) -> (Pass, Tensor<2>) {
        let places = rows.places(&batch.inputs, &self.device);
        let x = embedding.clone().select(0, places.clone());
        let input_mask = self.dropout(training.input_dropout, x.dims(), random);
        let mut x = masked(x, &input_mask);
        let mut tapes = Vec::new();
        let (sequence, masks) = (self.sequence(batch.size), batch.masks(&self.device));
        for (weights, state) in computed.layers.iter().zip(states) {
            let (h, tape) = sequence.forward(x, weights, state, &masks);
            let mask = self.dropout(training.output_dropout, h.dims(), random);
            x = masked(h, &mask);
            tapes.push((tape, mask));
        }
        let outputs = computed.project(x.clone());
        (Pass { sequence, places, input_mask, tapes, hidden: x }, outputs)
    }

    /// Gradients of the embedding rows that a batch touches (`rows` of them), and of the parameters between embedding
    /// and output rows in their order.
    fn backward(&self, pass: Pass, computed: &Computed, d: Tensor<2>, rows: usize) -> (Tensor<2>, Vec<Gradient>) {
        let mut d = d;
        let mut gradients = Vec::new();
        if let Some(projection) = &computed.projection {
            gradients.push(pass.hidden.transpose().matmul(d.clone()));
            d = d.matmul(projection.clone().transpose());
        }
        for ((tape, mask), weights) in pass.tapes.into_iter().zip(&computed.layers).rev() {
            let layer = pass.sequence.backward(tape, weights, masked(d, &mask));
            d = layer.x;
            gradients.extend([layer.bias, layer.recurrent, layer.input]);
        }
        let d_embedding = scatter_sum(masked(d, &pass.input_mask), pass.places, rows);
        (d_embedding, gradients.into_iter().rev().map(Gradient::dense).collect())
    }

    /// The rows of the embedding and, where it is a table of its own, of the output that a batch touches.
    fn touched(&self, batch: &Batch, drawn: Option<&[u32]>) -> Touched {
        let output = drawn.map(|drawn| [&batch.targets, drawn].concat());
        match (self.config.tied, output) {
            (true, Some(output)) => {
                Touched { input: Rows::distinct([batch.inputs.as_slice(), &output].concat()), output: None }
            }
            (true, None) => Touched { input: Rows::All, output: None },
            (false, output) => Touched {
                input: Rows::distinct(batch.inputs.clone()),
                output: Some(output.map_or(Rows::All, Rows::distinct)),
            },
        }
    }

    fn loss(
        &self,
        outputs: &Tensor<2>,
        table: &Tensor<2>,
        rows: &Rows,
        batch: &Batch,
        drawn: Option<&[u32]>,
        training: &StepOptions,
    ) -> Loss {
        let bias = rows.of(self.value(self.places.bias));
        match (drawn, training.sampler) {
            (Some(drawn), Some((sampler, _))) => {
                let log_expected = |row: &u32| sampler.log_expected(*row, drawn.len());
                let candidates = Candidates {
                    places: rows.positions(drawn),
                    log_expected: drawn.iter().map(log_expected).collect(),
                    target_log_expected: batch.targets.iter().map(log_expected).collect(),
                };
                softmax::sampled(outputs, table, &bias, &rows.positions(&batch.targets), &candidates)
            }
            _ => softmax::full(outputs, table, &bias, &indices(batch.targets.iter().copied(), &self.device)),
        }
    }

    /// A mask that zeroes a share of the elements and scales the others up; none where the share is 0.
    fn dropout(&self, share: f64, shape: [usize; 2], random: &mut StdRng) -> Option<Tensor<2>> {
        if share == 0.0 {
            return None;
        }
        let (share, kept) = (share as f32, 1.0 / (1.0 - share as f32));
        let mask = (0..shape[0] * shape[1]).map(|_| if random.random::<f32>() < share { 0.0 } else { kept }).collect();
        Some(tensor(mask, shape, &self.device))
    }

    /// Sum of the negative log-likelihoods of a batch's targets; moves `states` on.
    pub fn negative_log_likelihood(&self, batch: &Batch, states: &mut [State], evaluation: &Evaluation) -> f64 {
        let mut x = evaluation.embedding.clone().select(0, indices(batch.inputs.iter().copied(), &self.device));
        let sequence = self.sequence(batch.size);
        let masks = batch.masks(&self.device);
        for (weights, state) in evaluation.computed.layers.iter().zip(states) {
            x = sequence.forward(x, weights, state, &masks).0;
        }
        let x = evaluation.computed.project(x);
        let targets: Tensor<1, Int> = indices(batch.targets.iter().copied(), &self.device);
        softmax::negative_log_likelihood(x, &evaluation.output, self.value(self.places.bias), &targets)
    }

    /// All transformed weights, to evaluate many batches with.
    pub fn evaluation(&self) -> Evaluation {
        let embedding = self.transformed(self.places.embedding);
        let output = if self.config.tied { embedding.clone() } else { self.transformed(self.places.output) };
        Evaluation { computed: self.compute_weights(), embedding, output }
    }

    /// Number of parameters.
    pub fn size(&self) -> usize {
        self.parameters.iter().map(|parameter| parameter.value.shape().num_elements()).sum()
    }
}

/// Weights transformed once, for evaluation.
pub struct Evaluation {
    computed: Computed,
    embedding: Tensor<2>,
    output: Tensor<2>,
}

struct Touched {
    input: Rows,
    /// None where the output rows are the embedding's.
    output: Option<Rows>,
}

/// How a training step differs from evaluation.
pub struct StepOptions<'a> {
    pub input_dropout: f64,
    pub output_dropout: f64,
    /// Where the softmax is sampled: what draws, and how many.
    pub sampler: Option<(&'a Sampler, usize)>,
}

impl<'a> StepOptions<'a> {
    /// The options of a config.
    pub fn new(config: &Config, sampler: &'a Sampler) -> StepOptions<'a> {
        let training = &config.training;
        let sampler = match training.softmax {
            Softmax::Full => None,
            Softmax::Sampled { negatives } => Some((sampler, negatives)),
        };
        StepOptions { input_dropout: training.dropout.input, output_dropout: training.dropout.output, sampler }
    }

    fn draw(&self, random: &mut StdRng) -> Option<Vec<u32>> {
        self.sampler.map(|(sampler, count)| (0..count).map(|_| sampler.draw(random)).collect())
    }
}

fn masked(x: Tensor<2>, mask: &Option<Tensor<2>>) -> Tensor<2> {
    match mask {
        Some(mask) => x * mask.clone(),
        None => x,
    }
}

fn tensor(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
