//! What to train: the TOML file of a run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::transform::Transform;

/// A training run.
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
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Embedding table (and output rows, where tied).
    pub embedding: Transform,
    /// Input weights of the recurrent layers.
    pub input: Transform,
    /// Recurrent weights.
    pub recurrent: Transform,
    pub projection: Transform,
    /// Output rows of an untied model.
    pub output: Transform,
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
    /// Largest global norm of the gradient (Pascanu 2013).
    #[serde(default = "default_clip")]
    pub clip: f64,
    #[serde(default)]
    pub dropout: Dropout,
    /// Share of line ends at which a sequence's state is reset to zero: a text field starts empty.
    #[serde(default)]
    pub reset: f64,
    #[serde(default)]
    pub softmax: Softmax,
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
}

/// Dropout of non-recurrent connections (Zaremba 2014): shares of elements set to zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dropout {
    /// Of the embedding.
    pub input: f64,
    /// Of each layer's output.
    pub output: f64,
}

/// The training loss.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum Softmax {
    /// Cross-entropy over the whole vocabulary.
    #[default]
    Full,
    /// Cross-entropy over the target and words drawn for the whole batch, logits corrected by the log of the expected
    /// count (Bengio & Senecal 2008; Jean 2015).
    Sampled {
        /// Words drawn a step.
        negatives: usize,
    },
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

impl Config {
    /// Reads and checks a config.
    pub fn read(path: &Path) -> Result<Config> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let config: Config =
            toml::from_str(&text).with_context(|| format!("{} is not a valid config", path.display()))?;
        config.check().with_context(|| format!("{} is not a valid config", path.display()))?;
        Ok(config)
    }

    /// Refuses what cannot be trained, by name.
    pub fn check(&self) -> Result<()> {
        let ModelConfig { layers, units, embedding, tied, output, .. } = self.model;
        in_range("model.layers", layers, 1, 4)?;
        in_range("model.units", units, 1, 8192)?;
        in_range("model.embedding", embedding, 1, 8192)?;
        if let Some(output) = output {
            in_range("model.output", output, 1, 8192)?;
            ensure!(!tied, "model.output contradicts model.tied: tied rows are as wide as the embedding");
        }
        self.weights.check(&self.model)?;
        let training = &self.training;
        in_range("training.batch", training.batch, 1, 4096)?;
        in_range("training.bptt", training.bptt, 1, 1024)?;
        ensure!(training.tokens > 0, "training.tokens = 0: nothing to train");
        let positive = |name: &str, value: f64| -> Result<()> {
            ensure!(value > 0.0 && value.is_finite(), "training.{name} = {value} must be greater than 0");
            Ok(())
        };
        positive("learning_rate", training.learning_rate)?;
        positive("clip", training.clip)?;
        positive("checkpoint_minutes", training.checkpoint_minutes)?;
        let shares = [
            ("decay_start", training.decay_start),
            ("final_rate", training.final_rate),
            ("reset", training.reset),
            ("dropout.input", training.dropout.input),
            ("dropout.output", training.dropout.output),
        ];
        for (name, share) in shares {
            let below_one = if name.starts_with("dropout") { share < 1.0 } else { share <= 1.0 };
            ensure!(share >= 0.0 && below_one, "training.{name} = {share} must be a share of 1");
        }
        if let Softmax::Sampled { negatives } = training.softmax {
            in_range("training.softmax.negatives", negatives, 1, 1 << 20)?;
        }
        Ok(())
    }

    /// Steps of the run.
    pub fn steps(&self) -> u64 {
        self.training.tokens.div_ceil((self.training.batch * self.training.bptt) as u64)
    }
}

impl Weights {
    fn check(&self, model: &ModelConfig) -> Result<()> {
        for (name, transform) in [
            ("embedding", self.embedding),
            ("input", self.input),
            ("recurrent", self.recurrent),
            ("projection", self.projection),
            ("output", self.output),
        ] {
            transform.check().with_context(|| format!("weights.{name}"))?;
        }
        ensure!(
            model.has_projection() || self.projection == Transform::Float,
            "weights.projection is set, but this model has no projection"
        );
        ensure!(
            !model.tied || self.output == Transform::Float,
            "weights.output is set, but the output rows are tied to the embedding: set weights.embedding"
        );
        Ok(())
    }
}

fn in_range(name: &str, value: usize, low: usize, high: usize) -> Result<()> {
    if !(low..=high).contains(&value) {
        bail!("{name} = {value} is not in {low} to {high}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
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

    fn error_of(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        error_of_text(&GOOD.replace(from, to))
    }

    fn error_of_text(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        format!("{:#}", Config::read(&path).unwrap_err())
    }

    #[test]
    fn a_good_config() {
        let config: Config = toml::from_str(GOOD).unwrap();
        config.check().unwrap();
        assert_eq!(config.steps(), 32);
        assert!(config.model.has_projection());
        assert_eq!(toml::from_str::<Config>(&toml::to_string(&config).unwrap()).unwrap(), config);
    }

    #[test]
    fn bad_configs_are_refused_by_name() {
        assert!(error_of("tied = true", "tied = true\noutput = 8").contains("model.output contradicts model.tied"));
        assert!(error_of("units = 32", "units = 0").contains("model.units = 0"));
        assert!(error_of("units = 32", "unit = 32").contains("unknown field `unit`"));
        assert!(error_of("bits = 4", "bits = 40").contains("weights.embedding"));
        assert!(error_of("batch = 4", "batch = 0").contains("training.batch = 0"));
        let ternary = |component: &str| format!("{component} = {{ method = \"ternary\" }}\n[training]");
        assert!(error_of("[training]", &ternary("output")).contains("weights.output is set"));
        let square = GOOD.replace("units = 32", "units = 16");
        assert!(error_of_text(&square.replace("[training]", &ternary("projection"))).contains("has no projection"));
        assert!(error_of("\"ternary\"", "\"quaternary\"").contains("quaternary"));
        assert!(error_of("tokens = 1000", "tokens = 1000\ndropout = { input = 1.0 }").contains("dropout.input"));
    }
}
