//! Beginning with the weights of another run, whose methods may differ and which may be smaller, or have a wider embedding.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor};
use safetensors::tensor::SafeTensors;

use super::checkpoint::{Checkpoint, JOINT_TEACHER, read, read_any};
use super::config::{Config, ModelConfig, Weights};
use super::low_rank::directions;
use super::network::Network;
use super::norm::Method;
use super::wider::widened;

/// How the network's shape is related to the other run's.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Same,
    /// A tied embedding of fewer columns.
    Narrower,
    /// More units, or an embedding of more columns.
    Wider,
}

impl Change {
    fn of(from: &ModelConfig, to: &ModelConfig) -> Change {
        if from.tied && to.embedding < from.embedding {
            Change::Narrower
        } else if to.units > from.units || to.embedding > from.embedding {
            Change::Wider
        } else {
            Change::Same
        }
    }
}

impl Checkpoint {
    /// Puts the weights into a network whose methods may differ: what only those have, keeps its start. A tied embedding may become
    /// narrower; or the network may have more units or a wider embedding.
    pub fn restore_common(&self, network: &mut Network, config: &Config, device: &Device) -> Result<()> {
        self.check_vocabulary(network)?;
        self.check_config(config)?;
        let file = SafeTensors::deserialize(&self.bytes)?;
        check_places(&file, network)?;
        let change = Change::of(&self.config.model, &config.model);
        if change == Change::Wider {
            check_larger(&self.config.model, config)?;
        }
        let mut factors = if change == Change::Narrower { self.low_rank(config, device)? } else { HashMap::new() };
        let keeps_levels = change == Change::Same && same_methods(&self.config.weights, &config.weights);
        for parameter in &mut network.parameters {
            let (name, start) = (&parameter.name, &parameter.value);
            let keeps_start = parameter.of_method && file.tensor(name).is_err()
                || is_levels(name) && !keeps_levels
                || name == "hint" && change == Change::Wider;
            if let Some(value) = factors.remove(name.as_str()) {
                parameter.value = value;
            } else if change == Change::Wider && !keeps_start {
                parameter.value = widened(name, read_any(&file, name, device)?, start, self.config.model.units)?;
            } else if !keeps_start {
                parameter.value = read(&file, name, start, device)?;
                parameter.taken_over = true;
            }
        }
        Ok(())
    }

    /// Refuses a config whose network would compute something else from these weights.
    fn check_config(&self, config: &Config) -> Result<()> {
        let alike = |model: &ModelConfig| (model.cell, model.layers, model.tied, model.lsh);
        ensure!(
            alike(&self.config.model) == alike(&config.model),
            "a network takes over one of the same cell, layers, tied and lsh alone"
        );
        let shared = |config: &Config| config.training.ngrams;
        ensure!(
            shared(&self.config).is_none() || shared(&self.config) == shared(config),
            "the other run's rows share n-grams: give this one the same training.ngrams"
        );
        let opens = |config: &Config| config.normalization.is_some_and(|normalization| normalization.open != 1.0);
        ensure!(
            !(opens(config) && opens(&self.config) && self.position.step > self.config.first_frozen()),
            "the other run's output gates are opened already: leave normalization.open out, or set it to 1"
        );
        Ok(())
    }

    /// The embedding by its first `rank` singular vectors, and the matrices beside it that take the vectors in.
    fn low_rank(&self, config: &Config, device: &Device) -> Result<HashMap<&'static str, Tensor<2>>> {
        let rank = config.model.embedding;
        let learns_norms = |config: &Config| config.normalization.is_some_and(|norm| norm.method == Method::Weight);
        ensure!(
            config.model.has_projection(),
            "model.embedding = {rank}: rows as wide as the layer leave no projection that could take the singular vectors in"
        );
        ensure!(
            self.config.training.ngrams.is_none(),
            "the other run's rows share n-grams (training.ngrams): they cannot be factorized"
        );
        ensure!(
            self.config.model.tail.is_none(),
            "the other run has narrow rows (model.tail): they cannot be factorized"
        );
        ensure!(
            !learns_norms(config) && !learns_norms(&self.config),
            "normalization.method = \"weight\": its norms are not those of the narrower input weights"
        );
        let file = SafeTensors::deserialize(&self.bytes)?;
        let tensor = |name: &str| read_any(&file, name, device);
        let embedding = tensor("embedding")?;
        let directions = directions(&embedding, rank);
        let projection = match self.config.model.has_projection() {
            true => tensor("projection")?.matmul(directions.clone()),
            // The output of the layer is compared with the rows directly.
            false => directions.clone(),
        };
        let input = directions.clone().transpose().matmul(tensor("layers.0.input")?);
        let embedding = embedding.matmul(directions);
        Ok(HashMap::from([("embedding", embedding), ("projection", projection), ("layers.0.input", input)]))
    }
}

/// Refuses a checkpoint of what this network has no place for, as a normalization: it would compute something else without.
fn check_places(file: &SafeTensors, network: &Network) -> Result<()> {
    let of_training = |name: &str| {
        ["adam.", "state.", JOINT_TEACHER].iter().any(|start| name.starts_with(start))
            || is_levels(name)
            || name == "hint"
    };
    let mut lost: Vec<&str> = file
        .names()
        .into_iter()
        .filter(|name| !of_training(name) && network.parameters.iter().all(|parameter| parameter.name != *name))
        .collect();
    lost.sort_unstable();
    ensure!(
        lost.is_empty(),
        "the other run has {}, which this config has no place for: give it the same [model] and [normalization]",
        lost.join(", ")
    );
    Ok(())
}

/// Refuses a larger network that cannot take this one over.
fn check_larger(from: &ModelConfig, config: &Config) -> Result<()> {
    let to = &config.model;
    ensure!(
        from.has_projection() && to.has_projection(),
        "rows as wide as the layer cannot be taken over by a larger network: model.embedding (or model.output) must be less than model.units in both"
    );
    let layers = [true, false].into_iter().flat_map(|input| config.weights.of_layer(input, to.cell));
    ensure!(
        layers.chain([config.weights.projection]).all(|transform| transform.has_zero()),
        "a larger network begins with zeros, which binary weights (one bit) have not: they would listen to what is random"
    );
    Ok(())
}

/// Whether a parameter is the levels of a method.
fn is_levels(name: &str) -> bool {
    name.contains(".levels")
}

/// Whether levels of the one are levels of the other, which begins quantized.
fn same_methods(from: &Weights, to: &Weights) -> bool {
    to.start == 0.0 && Weights { start: to.start, init: to.init, ..from.clone() } == *to
}
