//! Checkpoints: all that a run needs to go on, in one safetensors file, replaced as a whole.

use std::collections::HashMap;
use std::fs;
use std::hash::Hasher;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::config::Config;
use super::device::ComputeDevice;
use super::learner::Learner;
use super::network::Network;
use super::slices::give;
use crate::corpus::{Manifest, WordTable};
use crate::files::replace;

/// The file's name in a run's folder.
const FILE: &str = "checkpoint.safetensors";
/// The metadata's key for [`Position`] and the config.
const POSITION: &str = "position";
const CONFIG: &str = "config";
const VOCABULARY: &str = "vocabulary";
const NARROW: &str = "narrow rows";
const TENSORS: &str = "tensors";
const LINEAGE: &str = "lineage";

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Updates done.
    pub step: u64,
    /// Seconds of training, over all sessions.
    pub seconds: f64,
    /// Losses since the last line of the log, and how many.
    pub loss_sum: f64,
    pub loss_count: u64,
    /// Whose soft targets are learned from, if any.
    #[serde(default)]
    pub teacher: Option<u64>,
    /// The checksum of the training tokens, if the corpus has it.
    #[serde(default)]
    pub corpus: Option<u64>,
}

/// What a run comes of, for whoever is given what comes of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The model files that it and the runs before began with, each with its licence in brackets, the nearest first.
    pub models: Vec<String>,
    /// Whom those name, and the text of this run and of the runs before.
    pub attributions: Vec<String>,
}

impl Lineage {
    /// Adds text that is trained on.
    pub fn add(&mut self, text: &Manifest) {
        for attribution in text.attributions() {
            if !attribution.is_empty() && !self.attributions.contains(attribution) {
                self.attributions.push(attribution.clone());
            }
        }
    }
}

/// What goes before the names of the tensors of the network that a run is about.
pub const STUDENT: &str = "";
/// The same of a teacher that is trained beside it.
pub const JOINT_TEACHER: &str = "teacher.";

/// Name and tensor of all that a checkpoint has of a network under training.
fn tensors<'a>(prefix: &str, learner: &'a Learner) -> Vec<(String, &'a Tensor<2>)> {
    let Learner { network, states, .. } = learner;
    let parameters = network.parameters.iter().flat_map(|parameter| {
        let name = &parameter.name;
        let moments =
            [(format!("adam.mean.{name}"), &parameter.mean), (format!("adam.variance.{name}"), &parameter.variance)];
        [(name.clone(), &parameter.value)].into_iter().chain(moments.into_iter().filter(|_| parameter.trained))
    });
    let states = states
        .iter()
        .enumerate()
        .flat_map(|(layer, state)| [(format!("state.{layer}.h"), &state.h), (format!("state.{layer}.c"), &state.c)]);
    parameters.chain(states).map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect()
}

/// Writes a checkpoint beside the old one, then puts it in its place: a crash or a full disk leaves the old one whole.
/// The networks come with what goes before their names, the one that the run is about first.
pub fn save(folder: &Path, learners: &[(&str, &Learner)], position: Position, lineage: &Lineage) -> Result<()> {
    let (_, student) = learners[0];
    let data: Vec<(String, [usize; 2], TensorData)> = learners
        .iter()
        .flat_map(|(prefix, learner)| tensors(prefix, learner))
        .map(|(name, tensor)| (name, tensor.dims(), tensor.to_data()))
        .collect();
    let mut metadata = HashMap::from([
        (POSITION.to_owned(), serde_json::to_string(&position)?),
        (CONFIG.to_owned(), toml::to_string(student.config)?),
        (VOCABULARY.to_owned(), student.network.vocabulary.to_string()),
        (LINEAGE.to_owned(), serde_json::to_string(lineage)?),
    ]);
    let tensors = data.iter().map(|(name, _, data)| (name.as_str(), data.as_bytes()));
    metadata.insert(TENSORS.to_owned(), checksum_of(tensors).to_string());
    metadata.extend(student.network.narrow.map(|narrow| (NARROW.to_owned(), narrow.to_string())));
    let bytes = serialized(&data, Some(metadata))?;
    let path = folder.join(FILE);
    replace(&path, &bytes)
        .with_context(|| format!("cannot write {} (the checkpoint before it, if any, is whole)", path.display()))
}

/// XXH64 of tensors' bytes, in the order of their names.
fn checksum_of<'a>(tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> u64 {
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort();
    let mut hasher = XxHash64::with_seed(0);
    tensors.into_iter().for_each(|(_, bytes)| hasher.write(bytes));
    hasher.finish()
}

/// The bytes of a file of matrices.
fn serialized(data: &[(String, [usize; 2], TensorData)], metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>> {
    let views = data
        .iter()
        .map(|(name, shape, data)| Ok((name, TensorView::new(Dtype::F32, shape.to_vec(), data.as_bytes())?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(safetensors::serialize(views, metadata)?)
}

/// A matrix by its parameter's name, `[rows, columns]`.
pub type NamedMatrix = (String, [usize; 2], Vec<f32>);

/// A checkpoint's bytes, checked.
pub struct Checkpoint {
    pub(super) bytes: Vec<u8>,
    pub config: Config,
    pub position: Position,
    pub lineage: Lineage,
    /// The checksum of the vocabulary, if it was kept.
    vocabulary: Option<u64>,
    /// That of which rows are narrow, if some are and it was kept.
    narrow: Option<u64>,
}

impl Checkpoint {
    /// Reads the checkpoint of a run's folder.
    pub fn read(folder: &Path) -> Result<Checkpoint> {
        let path = folder.join(FILE);
        let bytes = fs::read(&path).with_context(|| format!("cannot read the checkpoint {}", path.display()))?;
        let damaged = || format!("{} is damaged", path.display());
        let (_, header) = SafeTensors::read_metadata(&bytes).with_context(damaged)?;
        let file = SafeTensors::deserialize(&bytes).with_context(damaged)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let entry =
            |key: &str| metadata.get(key).ok_or_else(|| anyhow!("{} lacks {key:?}: not a checkpoint", path.display()));
        let config = toml::from_str(entry(CONFIG)?).with_context(damaged)?;
        let position = serde_json::from_str(entry(POSITION)?).with_context(damaged)?;
        let lineage = metadata.get(LINEAGE).map(|lineage| serde_json::from_str(lineage)).transpose();
        let lineage = lineage.with_context(damaged)?.unwrap_or_default();
        let checksum = |key: &str| metadata.get(key).and_then(|checksum| checksum.parse().ok());
        if let Some(written) = checksum(TENSORS) {
            let tensors = file.iter().map(|(name, view)| (name, view.data()));
            ensure!(checksum_of(tensors) == written, "{}: its numbers are not those that were written", damaged());
        }
        let (vocabulary, narrow) = (checksum(VOCABULARY), checksum(NARROW));
        Ok(Checkpoint { bytes, config, position, lineage, vocabulary, narrow })
    }

    /// Matrices by their names, as of a run with this config.
    pub(super) fn of_matrices(matrices: Vec<NamedMatrix>, config: Config, table: &WordTable) -> Result<Checkpoint> {
        let data: Vec<_> =
            matrices.into_iter().map(|(name, shape, values)| (name, shape, TensorData::new(values, shape))).collect();
        let bytes = serialized(&data, None)?;
        let (position, vocabulary) = (Position::default(), Some(table.checksum()));
        Ok(Checkpoint { bytes, config, position, lineage: Lineage::default(), vocabulary, narrow: None })
    }

    /// The network, for the vocabulary that it was trained with.
    pub fn network(&self, table: &WordTable, device: &ComputeDevice) -> Result<Network> {
        let mut network = Network::new(&self.config, table, device.fused, &device.device);
        self.restore_weights(&mut network, &device.device)?;
        Ok(network)
    }

    /// XXH64 of the file.
    pub fn checksum(&self) -> u64 {
        XxHash64::oneshot(0, &self.bytes)
    }

    /// Refuses a network for another vocabulary.
    pub(super) fn check_vocabulary(&self, network: &Network) -> Result<()> {
        ensure!(
            self.vocabulary.is_none_or(|vocabulary| vocabulary == network.vocabulary),
            "the checkpoint was trained with another vocabulary: name the corpus that it was trained on"
        );
        Ok(())
    }

    /// Puts all that the checkpoint holds of a network, by what goes before its names, into one of the same shape.
    pub fn restore(&self, prefix: &str, learner: &mut Learner, device: &Device) -> Result<()> {
        let Learner { network, states, .. } = learner;
        self.restore_prefixed(prefix, network, device)?;
        let file = SafeTensors::deserialize(&self.bytes)?;
        for parameter in network.parameters.iter_mut().filter(|parameter| parameter.trained) {
            let name = &parameter.name;
            parameter.mean = read(&file, &format!("{prefix}adam.mean.{name}"), &parameter.mean, device)?;
            parameter.variance = read(&file, &format!("{prefix}adam.variance.{name}"), &parameter.variance, device)?;
        }
        for (layer, state) in states.iter_mut().enumerate() {
            state.h = read(&file, &format!("{prefix}state.{layer}.h"), &state.h, device)?;
            state.c = read(&file, &format!("{prefix}state.{layer}.c"), &state.c, device)?;
        }
        Ok(())
    }

    /// Puts the weights alone into a network of the same shape and methods.
    pub fn restore_weights(&self, network: &mut Network, device: &Device) -> Result<()> {
        self.restore_prefixed(STUDENT, network, device)
    }

    fn restore_prefixed(&self, prefix: &str, network: &mut Network, device: &Device) -> Result<()> {
        self.check_vocabulary(network)?;
        ensure!(
            prefix != STUDENT || self.narrow.is_none_or(|narrow| Some(narrow) == network.narrow),
            "the corpus counts its words otherwise, and other rows would be narrow: name the corpus that the run was trained on"
        );
        let file = SafeTensors::deserialize(&self.bytes)?;
        for parameter in &mut network.parameters {
            parameter.value = read(&file, &format!("{prefix}{}", parameter.name), &parameter.value, device)?;
        }
        Ok(())
    }
}

/// A tensor of a checkpoint, of the shape of `like`.
pub(super) fn read(file: &SafeTensors, name: &str, like: &Tensor<2>, device: &Device) -> Result<Tensor<2>> {
    let tensor = read_any(file, name, device)?;
    ensure!(
        tensor.dims() == like.dims(),
        "the checkpoint's {name} is {:?}, this model's {:?}: config and corpus must be those of the run, or a larger network's to begin with --init",
        tensor.dims(),
        like.dims()
    );
    Ok(tensor)
}

/// A tensor of a checkpoint.
pub(super) fn read_any(file: &SafeTensors, name: &str, device: &Device) -> Result<Tensor<2>> {
    let view = file.tensor(name).with_context(|| format!("the checkpoint lacks {name}"))?;
    let &[rows, columns] = view.shape() else { bail!("the checkpoint's {name} is {:?}, no matrix", view.shape()) };
    ensure!(view.dtype() == Dtype::F32, "the checkpoint's {name} is of {:?}, not of 32-bit floats", view.dtype());
    let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    Ok(give(values.collect(), [rows, columns], device))
}

/// Refuses a folder that holds another run, or none to go on with.
pub fn check_folder(folder: &Path, resume: bool) -> Result<()> {
    match (folder.join(FILE).exists(), resume) {
        (true, false) => bail!(
            "{} already holds a run: go on with it by --resume, or name another folder with --out",
            folder.display()
        ),
        (false, true) => bail!("{} holds no checkpoint to resume from", folder.display()),
        _ => Ok(()),
    }
}
