//! One training step: loss and gradients of a batch.
//!
//! The weights are transformed once; then the batch's sequences go through the network in shards, side by side on the
//! cores; the shards' gradients are summed and passed back through the transforms. The number of shards is a setting of
//! the run, not of the machine, so that a run gives the same numbers everywhere.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use burn::tensor::{Distribution, Int, Tensor};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::adam::Gradient;
use super::augmented;
use super::batches::Batch;
use super::config::{Augmented, Config, Distillation, Dropout, Softmax};
use super::distillation::{HintLoss, hint_loss, soft_cross_entropy};
use super::layer::{LayerGradients, LayerWeights, NormGradients, Sequence, State, Tape};
use super::network::{ByParameter, ComputedLayer, InputTape, LayerPlaces, Network, Phase};
use super::rows::{Rows, scatter_sum};
use super::sampler::Sampler;
use super::slices::give;
use super::softmax::{self, Candidates, Loss};
use super::weights::Computed;

/// How to compute a step.
pub struct StepOptions<'a> {
    pub dropout: Dropout,
    /// Where the softmax is sampled: what draws, and how many.
    pub sampler: Option<(&'a Sampler, usize)>,
    /// Parts of the batch that are computed side by side.
    pub shards: usize,
    /// What of a teacher is learned, where the batches have soft targets.
    pub distillation: Option<Distillation>,
    pub augmented: Option<Augmented>,
    /// See [`Sequence::clip`].
    pub clip_state: Option<f32>,
}

impl<'a> StepOptions<'a> {
    /// The options of a config.
    pub fn new(config: &Config, sampler: &'a Sampler) -> StepOptions<'a> {
        let training = &config.training;
        let sampler = match training.softmax {
            Softmax::Full => None,
            Softmax::Sampled { negatives } => Some((sampler, negatives)),
        };
        StepOptions {
            dropout: training.dropout,
            sampler,
            shards: training.shards,
            distillation: training.distillation,
            augmented: training.augmented,
            clip_state: training.clip_state,
        }
    }

    fn draw(&self, random: &mut StdRng) -> Option<Vec<u32>> {
        self.sampler.map(|(sampler, draws)| sampler.draw_distinct(draws, random))
    }
}

/// What a batch gives.
pub struct Step {
    /// Mean loss in nats, `[1]`; left on the device.
    pub loss: Tensor<1>,
    pub gradients: ByParameter,
    /// Of each layer, where products are normalized: the statistics met.
    pub norms: Vec<Option<[NormGradients; 2]>>,
}

/// What all shards of a step compute with.
struct Shared<'a> {
    network: &'a Network,
    options: &'a StepOptions<'a>,
    layers: Vec<LayerWeights>,
    projection: Option<Tensor<2>>,
    embedding: Tensor<2>,
    /// None where the output rows are the embedding's.
    output: Option<Tensor<2>>,
    touched: Touched,
    drawn: Option<Vec<u32>>,
    /// 1 over the positions of the whole batch.
    share: f32,
}

/// The rows that a batch touches.
struct Touched {
    input: Rows,
    /// None where the output rows are the embedding's.
    output: Option<Rows>,
}

impl Touched {
    fn output(&self) -> &Rows {
        self.output.as_ref().unwrap_or(&self.input)
    }
}

/// Gradients of the weights computed with.
struct ShardGradients {
    loss: Tensor<2>,
    embedding: Tensor<2>,
    layers: Vec<LayerGradients>,
    projection: Option<Tensor<2>>,
    /// Of the output rows and their bias.
    rows: Tensor<2>,
    bias: Tensor<2>,
    /// Of what makes hints.
    hint: Option<Tensor<2>>,
}

/// What the backward pass needs of a forward one.
struct Pass {
    /// Where among the rows touched the inputs stand.
    places: Tensor<1, Int>,
    input_mask: Option<Tensor<2>>,
    /// Of each layer, with the dropout mask of its output.
    tapes: Vec<(Tape, Option<Tensor<2>>)>,
    /// The last layer's output.
    hidden: Tensor<2>,
}

impl Network {
    /// Loss and gradients of a batch; moves `states` on.
    pub fn step(
        &self,
        batch: &Batch,
        states: &mut Vec<State>,
        phase: Phase,
        options: &StepOptions,
        random: &mut StdRng,
    ) -> Step {
        let computed = self.compute_layers(phase, Some(random));
        let masks = self.recurrent_masks(&computed, options.dropout, random);
        let drawn = options.draw(random);
        let touched = self.touched(batch, drawn.as_deref());
        let places = &self.places;
        let parameters = &self.parameters;
        let (embedding, input) = places.input.forward(parameters, &touched.input, phase.quantized, Some(random));
        let output = places.output.as_ref();
        let output = output.map(|output| output.compute(parameters, touched.output(), phase.quantized, Some(random)));
        let projection = places.projection.as_ref();
        let projection = projection.map(|matrix| matrix.compute(parameters, &Rows::All, phase.quantized, Some(random)));
        let layers = (0..).zip(&computed).zip(&masks).map(|((index, layer), mask)| {
            let weights = self.layer_weights(index, layer, phase.frozen);
            LayerWeights { recurrent: masked(weights.recurrent, mask), ..weights }
        });
        let shared = Shared {
            network: self,
            options,
            layers: layers.collect(),
            projection: projection.as_ref().map(|projection| projection.weights.clone()),
            embedding,
            output: output.as_ref().map(|output| output.weights.clone()),
            touched,
            drawn,
            share: 1.0 / batch.targets.len() as f32,
        };
        let mut sum = shared.run(batch, states, random);
        for (layer, mask) in sum.layers.iter_mut().zip(&masks) {
            layer.recurrent = masked(layer.recurrent.clone(), mask);
        }
        let norms = sum.layers.iter().map(|layer| layer.norms.clone()).collect();
        let loss = sum.loss.clone().reshape([1]);
        let weights = StepWeights { input, layers: computed, projection, output };
        Step { loss, gradients: self.parameter_gradients(weights, sum, &shared.touched), norms }
    }

    /// Passes gradients back through the transforms.
    fn parameter_gradients(&self, weights: StepWeights, sum: ShardGradients, touched: &Touched) -> ByParameter {
        let places = &self.places;
        let mut gradients: ByParameter = self.parameters.iter().map(|_| None).collect();
        let mut put = |found: Vec<(usize, Tensor<2>, Rows)>| {
            for (place, value, rows) in found {
                gradients[place] = Some(Gradient { value, rows });
            }
        };
        let of_rows = touched.output();
        let d_embedding = match (&places.output, weights.output) {
            (Some(output), Some(computed)) => {
                put(output.backward(computed, sum.rows, of_rows));
                sum.embedding
            }
            _ => sum.embedding + sum.rows,
        };
        put(places.input.backward(weights.input, d_embedding, &touched.input));
        if let (Some(matrix), Some(computed), Some(d)) = (&places.projection, weights.projection, sum.projection) {
            put(matrix.backward(computed, d, &Rows::All));
        }
        for ((places, computed), d) in places.layers.iter().zip(weights.layers).zip(sum.layers) {
            let LayerPlaces { input, recurrent, bias, norms } = places;
            put(input.backward(computed.input, d.input, &Rows::All));
            put(recurrent.backward(computed.recurrent, d.recurrent, &Rows::All));
            put(vec![(*bias, d.bias, Rows::All)]);
            for (norm, d) in norms.iter().flatten().zip(d.norms.into_iter().flatten()) {
                put(vec![(norm.gain, d.gain, Rows::All)]);
            }
        }
        put(vec![(places.bias, sum.bias, of_rows.clone())]);
        put(places.hint.zip(sum.hint).map(|(place, d)| (place, d, Rows::All)).into_iter().collect());
        gradients
    }

    /// Masks of recurrent weights that are left out in this step (DropConnect on the recurrent matrix: Merity 2018).
    fn recurrent_masks(
        &self,
        computed: &[ComputedLayer],
        dropout: Dropout,
        random: &mut StdRng,
    ) -> Vec<Option<Tensor<2>>> {
        computed.iter().map(|layer| self.mask(dropout.recurrent, layer.recurrent.weights.dims(), 1, random)).collect()
    }

    /// A mask that zeroes a share of the elements and scales the others up, repeated `times` below itself; none where
    /// the share is 0.
    pub(super) fn mask(&self, share: f64, shape: [usize; 2], times: usize, random: &mut StdRng) -> Option<Tensor<2>> {
        if share == 0.0 {
            return None;
        }
        if !self.fused {
            // Millions of numbers a step: drawn where they are used, from a seed that a resumed run draws, too. A device has one
            // generator, whatever shard asks.
            static DRAWING: Mutex<()> = Mutex::new(());
            let _drawing = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
            self.device.seed(random.random());
            let mask = Tensor::random(shape, Distribution::Bernoulli(1.0 - share), &self.device);
            return Some(mask.repeat_dim(0, times) * (1.0 / (1.0 - share)));
        }
        let (share, kept) = (share as f32, 1.0 / (1.0 - share as f32));
        let mask: Vec<f32> =
            (0..shape[0] * shape[1]).map(|_| if random.random::<f32>() < share { 0.0 } else { kept }).collect();
        Some(give(mask.repeat(times), [shape[0] * times, shape[1]], &self.device))
    }

    /// The rows of the embedding and, where it is a table of its own, of the output that a batch touches.
    fn touched(&self, batch: &Batch, drawn: Option<&[u32]>) -> Touched {
        let soft = batch.soft.as_ref().map_or(&[][..], |soft| &soft.rows);
        let output = drawn.map(|drawn| [&batch.targets, drawn, soft].concat());
        match (self.config.tied, output) {
            (true, Some(output)) => {
                Touched { input: Rows::distinct(&[batch.inputs.as_slice(), &output].concat()), output: None }
            }
            (true, None) => Touched { input: Rows::All, output: None },
            (false, output) => Touched {
                input: Rows::distinct(&batch.inputs),
                output: Some(output.map_or(Rows::All, |output| Rows::distinct(&output))),
            },
        }
    }
}

/// The transformed weights of a step.
struct StepWeights {
    input: InputTape,
    layers: Vec<ComputedLayer>,
    projection: Option<Computed>,
    output: Option<Computed>,
}

impl Shared<'_> {
    /// Runs the shards and sums their gradients.
    fn run(&self, batch: &Batch, states: &mut Vec<State>, random: &mut StdRng) -> ShardGradients {
        let shards = batch.split(self.options.shards);
        let mut parts: Vec<(Batch, Vec<State>, StdRng)> = Vec::new();
        for (index, shard) in shards.into_iter().enumerate() {
            let states = states.iter().map(|state| state.rows(index * shard.size, shard.size)).collect();
            parts.push((shard, states, StdRng::seed_from_u64(random.random())));
        }
        let sum = thread::scope(|scope| {
            let (first, others) = parts.split_first_mut().expect("a batch has at least one shard");
            let others: Vec<_> = others.iter_mut().map(|part| scope.spawn(|| self.shard(part))).collect();
            let first = self.shard(first);
            let joined = others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.fold(first, ShardGradients::plus)
        });
        let joined = |layer: usize, of: fn(&State) -> &Tensor<2>| {
            Tensor::cat(parts.iter().map(|(_, states, _)| of(&states[layer]).clone()).collect(), 0)
        };
        *states = (0..states.len())
            .map(|layer| State { h: joined(layer, |state| &state.h), c: joined(layer, |state| &state.c) })
            .collect();
        sum
    }

    fn shard(&self, (batch, states, random): &mut (Batch, Vec<State>, StdRng)) -> ShardGradients {
        let (pass, outputs) = self.forward(batch, states, random);
        let mut loss = self.loss(&outputs, batch);
        let hint = self.hint(&outputs, batch).map(|hint| {
            loss.mean = loss.mean.clone() + hint.mean;
            loss.outputs = loss.outputs.clone() + hint.outputs;
            hint.matrix
        });
        let (embedding, layers, projection) = self.backward(batch, pass, loss.outputs);
        ShardGradients { loss: loss.mean, embedding, layers, projection, rows: loss.rows, bias: loss.bias, hint }
    }

    /// From a batch to the vectors that are compared with the output rows, and what the backward pass needs.
    fn forward(&self, batch: &Batch, states: &mut [State], random: &mut StdRng) -> (Pass, Tensor<2>) {
        let network = self.network;
        let places = self.touched.input.places(&batch.inputs, &network.device);
        let x = self.embedding.clone().select(0, places.clone());
        let input_mask = self.dropout(self.options.dropout.input, x.dims(), batch.size, random);
        let mut x = masked(x, &input_mask);
        let mut tapes = Vec::new();
        let (sequence, masks) = (network.sequence(batch.size), batch.masks(&network.device));
        for (weights, state) in self.layers.iter().zip(states) {
            let (h, tape) = sequence.forward(x, weights, state, &masks);
            let mask = self.dropout(self.options.dropout.output, h.dims(), batch.size, random);
            x = masked(h, &mask);
            tapes.push((tape, mask));
        }
        let outputs = match &self.projection {
            Some(projection) => x.clone().matmul(projection.clone()),
            None => x.clone(),
        };
        (Pass { places, input_mask, tapes, hidden: x }, outputs)
    }

    /// A mask for all steps of a batch: a new one each (Zaremba 2014), or the same (variational: Gal 2016).
    fn dropout(&self, share: f64, [rows, width]: [usize; 2], size: usize, random: &mut StdRng) -> Option<Tensor<2>> {
        if self.options.dropout.variational {
            self.network.mask(share, [size, width], rows / size, random)
        } else {
            self.network.mask(share, [rows, width], 1, random)
        }
    }

    /// Gradients of the embedding rows touched, of the layers and of the projection.
    fn backward(
        &self,
        batch: &Batch,
        pass: Pass,
        mut d: Tensor<2>,
    ) -> (Tensor<2>, Vec<LayerGradients>, Option<Tensor<2>>) {
        let mut d_projection = None;
        if let Some(projection) = &self.projection {
            d_projection = Some(pass.hidden.transpose().matmul(d.clone()));
            d = d.matmul(projection.clone().transpose());
        }
        let sequence = Sequence { clip: self.options.clip_state, ..self.network.sequence(batch.size) };
        let mut layers = Vec::new();
        for ((tape, mask), weights) in pass.tapes.into_iter().zip(&self.layers).rev() {
            let layer = sequence.backward(tape, weights, masked(d, &mask));
            d = layer.x.clone();
            layers.push(layer);
        }
        layers.reverse();
        let rows = self.embedding.dims()[0];
        (scatter_sum(masked(d, &pass.input_mask), pass.places, rows), layers, d_projection)
    }

    /// The loss of a teacher's hints, where there are any.
    fn hint(&self, outputs: &Tensor<2>, batch: &Batch) -> Option<HintLoss> {
        let (soft, options) = (batch.soft.as_ref()?, self.options.distillation?.hint?);
        let matrix = self.network.value(self.network.places.hint?);
        Some(hint_loss(outputs, matrix, &soft.hints, options, self.share))
    }

    /// The loss of the text, and of what else there is to learn from.
    fn loss(&self, outputs: &Tensor<2>, batch: &Batch) -> Loss {
        let (options, rows, share, fused) = (self.options, self.touched.output(), self.share, self.network.fused);
        let bias = rows.of(self.network.value(self.network.places.bias));
        let table = [self.output.as_ref().unwrap_or(&self.embedding), &bias];
        let targets = rows.positions(&batch.targets);
        let candidates = self.candidates(batch);
        let of_text = match &candidates {
            Some(drawn) => softmax::sampled(outputs, table, &targets, drawn, share, fused),
            None => softmax::full(outputs, table, &targets, share, fused),
        };
        let augmented = options.augmented.map(|options| match &candidates {
            Some(drawn) => augmented::sampled(outputs, table, &targets, drawn, options, share),
            None => augmented::full(outputs, table, &targets, options, share),
        });
        let soft = batch.soft.as_ref().zip(options.distillation).map(|(soft, options)| {
            soft_cross_entropy(outputs, table, soft, &rows.positions(&soft.rows), options, share)
        });
        soft.into_iter().chain(augmented).fold(of_text, Loss::plus)
    }

    /// What was drawn, for the positions of a batch; none where the softmax is full.
    fn candidates(&self, batch: &Batch) -> Option<Candidates> {
        let (drawn, (sampler, draws)) = (self.drawn.as_ref()?, self.options.sampler?);
        let log_drawn = |row: &u32| sampler.log_drawn(*row, draws);
        Some(Candidates {
            places: self.touched.output().positions(drawn),
            log_drawn: drawn.iter().map(log_drawn).collect(),
            target_log_drawn: batch.targets.iter().map(log_drawn).collect(),
        })
    }
}

impl ShardGradients {
    fn plus(self, other: ShardGradients) -> ShardGradients {
        let layers = self.layers.into_iter().zip(other.layers).map(|(a, b)| a.plus(b));
        ShardGradients {
            loss: self.loss + other.loss,
            embedding: self.embedding + other.embedding,
            layers: layers.collect(),
            projection: self.projection.zip(other.projection).map(|(a, b)| a + b),
            rows: self.rows + other.rows,
            bias: self.bias + other.bias,
            hint: self.hint.zip(other.hint).map(|(a, b)| a + b),
        }
    }
}

fn masked(x: Tensor<2>, mask: &Option<Tensor<2>>) -> Tensor<2> {
    match mask {
        Some(mask) => x * mask.clone(),
        None => x,
    }
}
