//! What to train: the TOML file of a run.

mod check;
mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;

use lm_wasm::format::Lsh;
use serde::{Deserialize, Serialize};

use super::norm::Method;
use super::weights::{NgramsConfig, TailConfig, Transform};

/// A training run. In a file, `base = "other.toml"` takes over all that the file does not say itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the model, for its metadata.
    pub name: String,
    /// Prepared corpus (a folder that `lm-tools corpus` wrote); `--corpus` overrides it.
    #[serde(default)]
    pub corpus: Option<PathBuf>,
    pub model: ModelConfig,
    #[serde(default)]
    pub weights: Weights,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalization: Option<Normalization>,
    pub training: Training,
}

/// The recurrent cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// Hochreiter & Schmidhuber 1997, with forget gates (Gers 2000); gates in the order i, f, g, o.
    Lstm,
    /// Cho 2014, the reset gate behind the recurrent product as in PyTorch; gates in the order r, z, n.
    Gru,
}

impl Cell {
    /// Gates: columns of the weights a unit.
    pub fn gates(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }

    /// Names of the gates, in their order.
    pub fn gate_names(self) -> &'static [&'static str] {
        match self {
            Cell::Lstm => &["input", "forget", "cell", "output"],
            Cell::Gru => &["reset", "update", "new"],
        }
    }

    /// Bias elements a unit.
    pub fn biases(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru => 6,
        }
    }
}

/// The network's shape.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    pub cell: Cell,
    /// Recurrent layers.
    pub layers: usize,
    /// Hidden units of a layer.
    pub units: usize,
    /// Width of the embedding.
    pub embedding: usize,
    /// Whether the output rows are the embedding's (Press & Wolf 2017; Inan 2017).
    #[serde(default)]
    pub tied: bool,
    /// Width of the output rows of an untied model, `units` if absent. Where it differs from `units`, a projection
    /// stands between the last layer and the rows.
    #[serde(default)]
    pub output: Option<usize>,
    /// The spelling of a token as input instead of an embedding row (Ravi 2017).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lsh: Option<LshConfig>,
    /// Narrow rows for rare words, in the embedding and in output rows of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<TailConfig>,
}

/// How spellings become codes: see [`Lsh`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LshConfig {
    /// Bits of a code, a multiple of 64.
    pub bits: usize,
    /// Characters of the shortest n-grams, a word's two ends counted.
    #[serde(default = "default_shortest")]
    pub shortest: u8,
    /// Characters of the longest n-grams.
    #[serde(default = "default_longest")]
    pub longest: u8,
    /// How many n-grams the whole word counts as.
    #[serde(default = "default_whole")]
    pub whole: u8,
    /// How many n-grams the word's shape counts as: letters, digits and marks, one `a`, `0` or mark each.
    #[serde(default)]
    pub shape: u8,
    #[serde(default)]
    pub seed: u32,
}

impl From<LshConfig> for Lsh {
    fn from(LshConfig { bits, shortest, longest, whole, shape, seed }: LshConfig) -> Lsh {
        Lsh { bits, shortest, longest, whole, shape, seed }
    }
}

impl ModelConfig {
    /// Width of the output rows.
    pub fn output_width(&self) -> usize {
        if self.tied { self.embedding } else { self.output.unwrap_or(self.units) }
    }

    /// Whether a projection stands between the last layer and the output rows.
    pub fn has_projection(&self) -> bool {
        self.output_width() != self.units
    }
}

/// How each component's weights are represented; float if not named.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Embedding table (and output rows, where tied).
    pub embedding: Transform,
    /// The layer over the codes of spellings.
    pub lsh: Transform,
    /// Input weights of the recurrent layers.
    pub input: Transform,
    /// Recurrent weights.
    pub recurrent: Transform,
    pub projection: Transform,
    /// Output rows of an untied model.
    pub output: Transform,
    /// Half width of the uniform distribution that the layers' weights start from; if not told, the inverse of the square root of
    /// the inputs, or a method's bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<f32>,
    /// Share of the training after which the weights are transformed; before, the network is trained as float.
    pub start: f64,
    /// Other transforms of single gates, by their names: input, forget, cell, output; reset, update, new.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<String, GateWeights>,
}

/// Transforms of one gate; where not named, those of the whole matrix.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateWeights {
    pub input: Option<Transform>,
    pub recurrent: Option<Transform>,
}

/// Normalization in the recurrent layers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    pub method: Method,
    /// What the learned gains of batch and layer normalization start at (Cooijmans 2017, section 4: small).
    #[serde(default = "default_gain")]
    pub gain: f32,
    /// Share of the training after which batch and layer normalization use their running averages.
    #[serde(default = "default_freeze")]
    pub freeze: f64,
    /// How many times as large an LSTM's hidden states become there, by output gates that are opened (see `open.rs`).
    #[serde(default = "default_open")]
    pub open: f32,
}

/// How to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Sequences trained on side by side.
    pub batch: usize,
    /// Steps of truncated back-propagation through time.
    pub bptt: usize,
    /// Training length in tokens, which may exceed the corpus (several passes).
    pub tokens: u64,
    /// Adam's peak learning rate (Kingma & Ba 2015; beta 0.9 and 0.999, epsilon 1e-8).
    pub learning_rate: f64,
    /// Steps in which the learning rate rises linearly to its peak.
    #[serde(default = "default_warmup")]
    pub warmup: u64,
    /// Share of the training after which the learning rate falls linearly.
    #[serde(default = "default_decay_start")]
    pub decay_start: f64,
    /// Learning rate at the end, as a share of the peak.
    #[serde(default = "default_final_rate")]
    pub final_rate: f64,
    /// Share of a weight that an update takes away, by the learning rate (AdamW: Loshchilov & Hutter 2019).
    #[serde(default)]
    pub weight_decay: f64,
    /// Largest global norm of the gradient (Pascanu 2013).
    #[serde(default = "default_clip")]
    pub clip: f64,
    /// Largest norm of the gradient that a sequence's hidden state hands to the step before, in means of the norms that come from the
    /// outputs (of the same shard): what explodes in one sequence (Pascanu 2013) does not drown the others, and is learned from. What a
    /// GRU hands on past its gates is not limited, for it cannot explode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_state: Option<f32>,
    /// A step whose gradient has a larger norm than this changes nothing, and all sequences begin anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<f64>,
    #[serde(default)]
    pub dropout: Dropout,
    /// Share of line ends at which a sequence's state is reset to zero: a text field starts empty.
    #[serde(default)]
    pub reset: f64,
    #[serde(default)]
    pub softmax: Softmax,
    /// A loss that takes words like the target for half right; of a tied model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmented: Option<Augmented>,
    /// Vectors of n-grams that the rows of words of like spelling share while they are trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ngrams: Option<NgramsConfig>,
    /// What of a teacher is learned, beside the text; [the run](super::run::Run) has where its soft targets are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distillation: Option<Distillation>,
    /// A teacher that is trained beside, for `distillation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint: Option<Box<Joint>>,
    /// Parts of a batch that are computed side by side on the cores. Their number, not the machine's cores, decides how
    /// sums are rounded.
    #[serde(default = "default_shards")]
    pub shards: usize,
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Minutes between checkpoints.
    #[serde(default = "default_checkpoint_minutes")]
    pub checkpoint_minutes: f64,
    /// Held-out tokens read for the perplexity told while training.
    #[serde(default = "default_valid_tokens")]
    pub valid_tokens: u64,
    /// How often that is done in the course of a run.
    #[serde(default = "default_valid_runs")]
    pub valid_runs: u64,
    /// Held-out lines that a typist enters each time, for the click ratio.
    #[serde(default)]
    pub typist_lines: usize,
}

/// Dropout: shares of elements set to zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dropout {
    /// Of the embedding.
    pub input: f64,
    /// Of each layer's output.
    pub output: f64,
    /// Of the recurrent weights (DropConnect: Merity 2018).
    pub recurrent: f64,
    /// Whether a sequence's elements are dropped in all its steps (Gal 2016), not anew in each (Zaremba 2014).
    pub variational: bool,
}

/// The augmented loss (Inan 2017), see [`augmented`](super::augmented).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmented {
    /// Weight beside the loss of the text.
    pub weight: f32,
    /// Divides the logits and the likeness of words.
    pub temperature: f32,
}

/// Learning from a teacher (Hinton 2015): `L = H(y, P_S) + lambda H(P_T, P_S)`, see [`distillation`](super::distillation).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distillation {
    /// Weight of the teacher's part.
    pub lambda: f32,
    /// Divides the logits of both.
    #[serde(default = "default_temperature")]
    pub temperature: f32,
    /// Hints, too (FitNets: Romero 2015).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<HintConfig>,
}

/// A teacher that learns beside its student, from the same batches (Ravi 2017, section 3); see [`joint`](super::joint).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joint {
    /// The teacher's config; in a file, its path. Batches and the length of the training are the student's.
    pub teacher: Config,
    /// Words that the student is told behind each token.
    #[serde(default = "default_top")]
    pub top: usize,
}

/// What a student compares with its output rows becomes the teacher's by a matrix that is learned and left behind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintConfig {
    /// Weight of the mean squared error.
    pub weight: f32,
    /// Elements of the teacher's vector.
    pub width: usize,
}

/// The training loss.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum Softmax {
    /// Cross-entropy over the whole vocabulary.
    #[default]
    Full,
    /// Cross-entropy over the target and words drawn for the whole batch, logits corrected by the log of the
    /// probability to be drawn (Bengio & Senecal 2008; Jean 2015).
    Sampled {
        /// Draws a step; a word that is drawn again counts once.
        negatives: usize,
    },
}

fn default_shortest() -> u8 {
    1
}
fn default_longest() -> u8 {
    4
}
fn default_whole() -> u8 {
    8
}
fn default_top() -> usize {
    8
}
fn default_temperature() -> f32 {
    1.0
}
fn default_warmup() -> u64 {
    200
}
fn default_decay_start() -> f64 {
    0.4
}
fn default_final_rate() -> f64 {
    0.03
}
fn default_clip() -> f64 {
    1.0
}
fn default_gain() -> f32 {
    0.1
}
fn default_freeze() -> f64 {
    0.9
}
fn default_open() -> f32 {
    1.0
}
fn default_shards() -> usize {
    2
}
fn default_seed() -> u64 {
    1
}
fn default_checkpoint_minutes() -> f64 {
    5.0
}
fn default_valid_tokens() -> u64 {
    50_000
}
fn default_valid_runs() -> u64 {
    10
}

/// Widths and tokens of a quick run.
const QUICK_WIDTH: usize = 64;
const QUICK_TOKENS: u64 = 300_000;

impl Config {
    /// Makes a run of a minute or two of it: a small network on few tokens, with all methods as they are.
    pub fn shrink(&mut self) {
        if let Some(joint) = &mut self.training.joint {
            joint.teacher.shrink();
        }
        // A projection stays one: methods may be about it.
        let rows = if self.model.has_projection() { QUICK_WIDTH / 2 } else { QUICK_WIDTH };
        let ModelConfig { units, embedding, output, tail, .. } = &mut self.model;
        *units = (*units).min(QUICK_WIDTH);
        for width in [Some(embedding), output.as_mut()].into_iter().flatten() {
            *width = (*width).min(rows);
        }
        if let Some(tail) = tail {
            tail.width = tail.width.min(rows / 2);
        }
        let training = &mut self.training;
        training.tokens = training.tokens.min(QUICK_TOKENS);
        training.valid_tokens = training.valid_tokens.min(QUICK_TOKENS / 10);
        training.valid_runs = training.valid_runs.min(4);
        training.typist_lines = training.typist_lines.min(50);
        training.warmup = training.warmup.min(20);
    }

    /// Gives a teacher that is trained beside the batches, the length and the seed of this training.
    pub fn align_teacher(&mut self) {
        let Training { batch, bptt, tokens, reset, shards, seed, .. } = self.training;
        if let Some(joint) = &mut self.training.joint {
            let teacher = &mut joint.teacher.training;
            *teacher = Training { batch, bptt, tokens, reset, shards, seed, ..teacher.clone() };
        }
    }

    /// Steps of the run.
    pub fn steps(&self) -> u64 {
        self.training.tokens.div_ceil(self.tokens_a_step())
    }

    /// Tokens that a step reads.
    pub fn tokens_a_step(&self) -> u64 {
        (self.training.batch * self.training.bptt) as u64
    }

    /// The first step with transformed weights.
    pub fn first_quantized(&self) -> u64 {
        self.share_of_steps(self.weights.start)
    }

    /// The first step whose normalization uses its running averages.
    pub fn first_frozen(&self) -> u64 {
        self.share_of_steps(self.normalization.map_or(1.0, |normalization| normalization.freeze))
    }

    fn share_of_steps(&self, share: f64) -> u64 {
        (share * self.steps() as f64).round() as u64
    }
}

impl Weights {
    /// The transforms of a layer's input or recurrent matrix: one, or one for each gate.
    pub fn of_layer(&self, input: bool, cell: Cell) -> Vec<Transform> {
        let whole = if input { self.input } else { self.recurrent };
        let of_gate = |gate: &&str| {
            let gate = self.gates.get(*gate).copied().unwrap_or_default();
            if input { gate.input } else { gate.recurrent }.unwrap_or(whole)
        };
        let all: Vec<Transform> = cell.gate_names().iter().map(of_gate).collect();
        if all.iter().all(|&transform| transform == whole) { vec![whole] } else { all }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::training::weights::Group;

    /// A config that is right; other tests change it.
    pub const GOOD: &str = r#"
        name = "test"
        [model]
        cell = "lstm"
        layers = 1
        units = 32
        embedding = 16
        tied = true
        [weights]
        embedding = { method = "linear", bits = 4 }
        input = { method = "ternary" }
        [training]
        batch = 4
        bptt = 8
        tokens = 1000
        learning_rate = 0.003
        softmax = { method = "sampled", negatives = 64 }
    "#;

    #[test]
    fn a_good_config() {
        let config: Config = toml::from_str(GOOD).unwrap();
        config.check().unwrap();
        assert_eq!(config.steps(), 32);
        assert!(config.model.has_projection());
        assert_eq!(toml::from_str::<Config>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }

    #[test]
    fn gates_differ_from_their_matrix() {
        let gate = "[weights.gates.forget]\nrecurrent = { method = \"binary\" }\n[training]";
        let config: Config = toml::from_str(&GOOD.replace("[training]", gate)).unwrap();
        config.check().unwrap();
        assert_eq!(config.weights.of_layer(true, Cell::Lstm), [config.weights.input]);
        let binary = Transform::Binary { per: Group::Matrix, scale: None, stochastic: false };
        let float = Transform::Float;
        assert_eq!(config.weights.of_layer(false, Cell::Lstm), [float, binary, float, float]);
    }
}
