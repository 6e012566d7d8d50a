//! A model file as what a training begins with: shadow weights that the methods turn into the very integers of the file.
//!
//! A file has no normalization left: it is folded into the scales of the layers. What a scale came to be is no measure for
//! an optimizer's steps, so it becomes the factor of a normalization that is held from the beginning, and the shadow weights
//! are as large as those that a layer begins with.
//!
//! The vocabulary of the run may be another. A word that the file lacks begins as what it was to the network, its unknown word.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use half::f16;
use lm_wasm::format::{CellKind, InputParts, LayerParts, Lsh, ModelParts, OutputKind, Tensor, Values};
use lm_wasm::text::UNKNOWN;

use super::checkpoint::{Checkpoint, Lineage, NamedMatrix};
use super::config::{Cell, Config, LshConfig, ModelConfig, Normalization, Training, Weights};
use super::network::spread;
use super::norm::{EPSILON, Method};
use super::weights::{Group, TailConfig, Transform};
use crate::corpus::{Entry, WordTable};
use crate::model_file::{ATTRIBUTION, BEGAN_WITH, ModelFile};

/// How a model is trained on where no config says it.
const TRAINING: &str = "
batch = 32
bptt = 16
tokens = 1
learning_rate = 0.002
warmup = 50
decay_start = 0.0
final_rate = 0.0
clip = 0.5
reset = 0.4
valid_runs = 4
dropout = { input = 0.1, output = 0.2 }
softmax = { method = \"sampled\", negatives = 2048 }
";
const GAIN: f32 = 0.3;
/// Of what stands in a row's place: the bias of a word that was not counted must not be out of all proportion.
const LEAST_SHARE: f64 = 1e-4;
/// Scales per octave that are looked for.
const MOST_SCALES: u8 = 16;

impl Config {
    /// How to train the model of a file on with this vocabulary, for so many tokens: its shape, its methods.
    pub fn of_model(path: &Path, table: &WordTable, tokens: u64) -> Result<Config> {
        let file = ModelFile::read(path)?;
        let layers = file.parts.layers.iter().flat_map(|layer| [&layer.input, &layer.recurrent]);
        let quantized = layers.into_iter().any(|tensor| !matches!(tensor.values, Values::F32(_)));
        let mut config = config_of(&file, quantized.then_some(GAIN))?;
        if let Some(tail) = &mut config.model.tail {
            tail.after += Places::new(&WordTable::of_model(&file), table).frequent_new_words(table, tail.after);
        }
        config.training.tokens = tokens;
        config.training.warmup = config.training.warmup.min(config.steps() / 10);
        Ok(config)
    }
}

impl Checkpoint {
    /// What a run with this config and vocabulary takes over of a model file.
    pub fn of_model(path: &Path, config: &Config, table: &WordTable) -> Result<Checkpoint> {
        let gain = match config.normalization {
            None => None,
            Some(Normalization { method: Method::Batch, gain, freeze: 0.0, open: 1.0 }) => Some(gain),
            Some(_) => bail!(
                "{}: the normalization of a model file is folded into its weights: let the config hold one \
                 (normalization = {{ method = \"batch\", freeze = 0.0 }}, without open), or leave it out",
                path.display()
            ),
        };
        let file = ModelFile::read(path)?;
        let from = config_of(&file, gain)?;
        let mut matrices = matrices(&file.parts, &from.weights, gain);
        let places = Places::new(&WordTable::of_model(&file), table);
        let new = places.is_new.iter().filter(|&&is_new| is_new).count();
        if new > 0 {
            note!("{new} words that {} does not know begin as its unknown word", path.display());
        }
        for (name, [rows, columns], values) in &mut matrices {
            if ["embedding", "output", "output_bias"].contains(&name.as_str()) {
                *values = places.rows.iter().flat_map(|&row| &values[row * *columns..][..*columns]).copied().collect();
                *rows = places.rows.len();
            }
            if name == "output_bias" {
                values.iter_mut().zip(&places.shares).for_each(|(bias, share)| *bias += share.ln() as f32);
            }
        }
        let mut checkpoint = Checkpoint::of_matrices(matrices, from, table)?;
        checkpoint.lineage = lineage(&file);
        Ok(checkpoint)
    }
}

/// What whoever is given a model that comes of this one must be told of it.
fn lineage(file: &ModelFile) -> Lineage {
    let about = |key: &str| file.about(key).unwrap_or("unknown");
    let own = format!("{} ({})", about("name"), about("licence"));
    let models = [own].into_iter().chain(file.all_about(BEGAN_WITH)).collect();
    Lineage { models, attributions: file.all_about(ATTRIBUTION) }
}

/// Where the rows of a vocabulary stand in a model file.
struct Places {
    rows: Vec<usize>,
    /// How probable a row is, as a share of what stands in its place: 1, or that of the unknown words that are it.
    shares: Vec<f64>,
    is_new: Vec<bool>,
}

impl Places {
    fn new(file: &WordTable, table: &WordTable) -> Places {
        let of_file = file.entries.iter().enumerate();
        let known: HashMap<(bool, &str), usize> =
            of_file.map(|(row, entry)| ((row < file.specials, entry.token.as_str()), row)).collect();
        let unknown = UNKNOWN as usize;
        let place = |(row, entry): (usize, &Entry)| known.get(&(row < table.specials, entry.token.as_str())).copied();
        let rows: Vec<Option<usize>> = table.entries.iter().enumerate().map(place).collect();
        // What was unknown is these words, or unknown still.
        let all: f64 =
            rows.iter().zip(table.counts()).map(|(row, count)| if row.is_none() { count } else { 0.0 }).sum();
        let all = all + table.entries[unknown].count;
        let share = |(row, entry): (&Option<usize>, &Entry)| match row {
            Some(row) if *row != unknown || !rows.contains(&None) => 1.0,
            _ => (entry.count / all).max(LEAST_SHARE),
        };
        Places {
            shares: rows.iter().zip(&table.entries).map(share).collect(),
            is_new: rows.iter().map(Option::is_none).collect(),
            rows: rows.into_iter().map(|row| row.unwrap_or(unknown)).collect(),
        }
    }

    /// New words that are as frequent as the `wide` most frequent of those that the file has.
    fn frequent_new_words(&self, table: &WordTable, wide: usize) -> usize {
        let counts = |new: bool| {
            let rows = self.is_new.iter().zip(&table.entries).filter(move |(is_new, _)| **is_new == new);
            rows.map(|(_, entry)| entry.count)
        };
        let mut of_known: Vec<f64> = counts(false).collect();
        of_known.sort_by(|a, b| b.total_cmp(a));
        let least = of_known.get(wide.max(1) - 1).or(of_known.last()).copied().unwrap_or(f64::INFINITY);
        counts(true).filter(|&count| count >= least).count()
    }
}

/// The config of a run that could have made the file, with a normalization of this gain.
fn config_of(file: &ModelFile, gain: Option<f32>) -> Result<Config> {
    let shape = &file.parts.shape;
    let cell = match shape.cell {
        CellKind::Lstm => Cell::Lstm,
        CellKind::Gru => Cell::Gru,
    };
    let tied = shape.output == OutputKind::Tied;
    let lsh = match &file.parts.input {
        InputParts::Embedding(_) => None,
        InputParts::Lsh { lsh, .. } => {
            let Lsh { bits, shortest, longest, whole, shape, seed } = *lsh;
            Some(LshConfig { bits, shortest, longest, whole, shape, seed })
        }
    };
    let tail = file.parts.narrow.as_ref().zip(shape.narrow_width).map(|(narrow, width)| TailConfig {
        after: narrow.rows.iter().filter(|&&is_narrow| !is_narrow).count(),
        width,
    });
    let mut training: Training = toml::from_str(TRAINING).context("the way to train a model on")?;
    training.clip_state = (cell == Cell::Lstm).then_some(2.0);
    Ok(Config {
        name: file.about("name").unwrap_or("model").to_owned(),
        corpus: None,
        model: ModelConfig {
            cell,
            layers: shape.layers,
            units: shape.hidden,
            embedding: shape.embedding,
            tied,
            output: (!tied).then_some(shape.output_width),
            lsh,
            tail,
        },
        weights: weights_of(&file.parts),
        normalization: gain.map(|gain| Normalization { method: Method::Batch, gain, freeze: 0.0, open: 1.0 }),
        training,
    })
}

/// Methods that make the integers of a file of themselves.
fn weights_of(parts: &ModelParts) -> Weights {
    let narrow = parts.narrow.as_ref();
    let mut weights = Weights::default();
    match &parts.input {
        InputParts::Embedding(rows) => {
            weights.embedding = method_of_rows(rows, narrow.and_then(|narrow| narrow.embedding.as_ref()));
        }
        InputParts::Lsh { weights: layer, .. } => weights.lsh = method(&[layer]),
    }
    let of_layers = |tensor: fn(&LayerParts) -> &Tensor| method(&parts.layers.iter().map(tensor).collect::<Vec<_>>());
    weights.input = of_layers(|layer| &layer.input);
    weights.recurrent = of_layers(|layer| &layer.recurrent);
    weights.projection = parts.projection.as_ref().map(|tensor| method(&[tensor])).unwrap_or_default();
    if let Some(rows) = &parts.output {
        weights.output = method_of_rows(rows, narrow.and_then(|narrow| narrow.output.as_ref()));
    }
    weights
}

fn method_of_rows(rows: &Tensor, narrow: Option<&Tensor>) -> Transform {
    match (narrow, integers(rows)) {
        (None, _) => method(&[rows]),
        // The zeros that narrow rows have not would count in the means of other methods.
        (Some(narrow), Some(_)) => linear(&[rows, narrow]),
        (Some(_), None) => Transform::Float,
    }
}

fn method(tensors: &[&Tensor]) -> Transform {
    let Some(all) = tensors.iter().map(|tensor| integers(tensor)).collect::<Option<Vec<_>>>() else {
        return Transform::Float;
    };
    let all = || all.iter().flat_map(|values| values.iter());
    match all().map(|value| value.unsigned_abs()).max() {
        Some(..=1) if all().all(|&value| value != 0) => {
            Transform::Binary { per: Group::Output, scale: None, stochastic: false }
        }
        Some(..=1) => Transform::Ternary { per: Group::Output },
        _ => linear(tensors),
    }
}

/// As many levels as there are.
fn linear(tensors: &[&Tensor]) -> Transform {
    let values = tensors.iter().flat_map(|tensor| integers(tensor).unwrap_or_default());
    let largest = values.map(|value| u16::from(value.unsigned_abs())).max().unwrap_or(1).clamp(1, 127);
    let levels = 2 * largest + 1;
    let bits = (levels.ilog2() + 1) as u8;
    let scales: Vec<f16> = tensors.iter().flat_map(|tensor| tensor.scales.iter().copied()).collect();
    Transform::Linear {
        bits,
        levels: Some(levels).filter(|&levels| levels < (1 << bits) - 1),
        scales_per_octave: scales_per_octave(&scales, largest),
    }
}

/// How many there are, if the largest level of each row is a power of `2^(1 / n)`.
fn scales_per_octave(scales: &[f16], largest: u16) -> Option<u8> {
    let on_grid = |scale: &f16, n: u8| {
        let place = (scale.to_f32() * f32::from(largest)).log2() * f32::from(n);
        (place - place.round()).abs() < 0.02
    };
    let used: Vec<&f16> = scales.iter().filter(|scale| scale.to_f32() > 1e-6).collect();
    (used.len() > 1).then(|| (1..=MOST_SCALES).find(|&n| used.iter().all(|scale| on_grid(scale, n)))).flatten()
}

fn integers(tensor: &Tensor) -> Option<&[i8]> {
    match &tensor.values {
        Values::F32(_) => None,
        Values::Ternary(values) | Values::Signed4(values) | Values::Signed8(values) => Some(values),
    }
}

/// All that a network of the file's kind has parameters for.
fn matrices(parts: &ModelParts, weights: &Weights, gain: Option<f32>) -> Vec<NamedMatrix> {
    let mut all = Vec::new();
    let mut add = |name: &str, shape: [usize; 2], values: Vec<f32>| all.push((name.to_owned(), shape, values));
    let narrow = parts.narrow.as_ref();
    let of_rows = |wide: &Tensor, narrow_rows: Option<&Tensor>, transform: Transform| {
        let is_narrow = narrow.map(|narrow| &*narrow.rows);
        ([parts.shape.vocabulary, wide.cols], table(wide, narrow_rows.zip(is_narrow), transform))
    };
    match &parts.input {
        InputParts::Embedding(rows) => {
            let narrow_rows = narrow.and_then(|narrow| narrow.embedding.as_ref());
            let (shape, values) = of_rows(rows, narrow_rows, weights.embedding);
            add("embedding", shape, values);
        }
        InputParts::Lsh { weights: layer, bias, .. } => {
            add("lsh", [layer.cols, layer.rows], transposed(&shadow(layer, weights.lsh), layer.cols));
            add("lsh.bias", [1, bias.len()], bias.to_f32());
        }
    }
    for (index, layer) in parts.layers.iter().enumerate() {
        for (kind, tensor, transform) in
            [("input", &layer.input, weights.input), ("recurrent", &layer.recurrent, weights.recurrent)]
        {
            let name = format!("layers.{index}.{kind}");
            let mut values = shadow(tensor, transform);
            if let Some(gain) = gain {
                let norm = take_scales(&mut values, tensor, transform, gain);
                add(&format!("{name}.gain"), [1, tensor.rows], norm.gains);
                let zeros = vec![0.0; tensor.rows];
                add(&format!("{name}.statistics"), [2, tensor.rows], [zeros, norm.variances].concat());
            }
            add(&name, [tensor.cols, tensor.rows], transposed(&values, tensor.cols));
        }
        add(&format!("layers.{index}.bias"), [1, layer.bias.len()], layer.bias.to_f32());
    }
    if let Some(tensor) = &parts.projection {
        let values = shadow(tensor, weights.projection);
        add("projection", [tensor.cols, tensor.rows], transposed(&values, tensor.cols));
    }
    if let Some(rows) = &parts.output {
        let narrow_rows = narrow.and_then(|narrow| narrow.output.as_ref());
        let (shape, values) = of_rows(rows, narrow_rows, weights.output);
        add("output", shape, values);
    }
    add("output_bias", [parts.output_bias.len(), 1], parts.output_bias.to_f32());
    all
}

/// The elements of a matrix, row by row; the largest of a row such that its method finds the row's scale again.
fn shadow(tensor: &Tensor, transform: Transform) -> Vec<f32> {
    let rows = match &tensor.values {
        Values::F32(values) => return values.clone(),
        Values::Ternary(values) | Values::Signed4(values) | Values::Signed8(values) => values.chunks(tensor.cols),
    };
    let rows = rows.enumerate().flat_map(|(row, values)| {
        let largest = values.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
        let outermost = outermost(largest, transform);
        let float = move |value: &i8| {
            if value.unsigned_abs() == largest { outermost.copysign(f32::from(*value)) } else { f32::from(*value) }
        };
        let scale = scale(tensor, row);
        values.iter().map(move |value| float(value) * scale)
    });
    rows.collect()
}

fn scale(tensor: &Tensor, row: usize) -> f32 {
    tensor.scales.get(row).or(tensor.scales.first()).map_or(1.0, |scale| scale.to_f32())
}

fn last_level(bits: u8, levels: Option<u16>) -> f32 {
    f32::from(levels.unwrap_or((1 << bits) - 1) / 2)
}

/// What a row's largest integer is as a shadow weight. Where scales are powers of a number, the power is found that is the
/// next above: neither must rounding make it the one after, nor a largest integer below the last level the one before.
fn outermost(integer: u8, transform: Transform) -> f32 {
    let integer = f32::from(integer);
    let Transform::Linear { bits, levels, scales_per_octave: Some(count) } = transform else { return integer };
    let last = last_level(bits, levels);
    let (least, most) = (1.003 * last * (-1.0 / f32::from(count)).exp2(), 0.998 * last);
    if integer == 0.0 || least > integer + 0.45 { integer } else { integer.clamp(least, most) }
}

/// Of each output, what makes its product what it was.
struct HeldNorm {
    gains: Vec<f32>,
    variances: Vec<f32>,
}

/// Makes the weights of all outputs alike in size, and tells what they lost; `values` are the [shadow] weights of the tensor.
fn take_scales(values: &mut [f32], tensor: &Tensor, transform: Transform, gain: f32) -> HeldNorm {
    let (mut norm, inputs) = (HeldNorm { gains: Vec::new(), variances: Vec::new() }, tensor.cols);
    let (last, wanted) = match transform {
        Transform::Linear { bits, levels, scales_per_octave } => {
            // A power that such a method has.
            let power = |count: u8| ((spread(inputs).log2() * f32::from(count)).round() / f32::from(count)).exp2();
            (last_level(bits, levels), scales_per_octave.map_or(spread(inputs), power))
        }
        _ => (1.0, spread(inputs)),
    };
    for (row, values) in values.chunks_mut(inputs).enumerate() {
        let size = match transform {
            Transform::Float => (values.iter().map(|weight| weight * weight).sum::<f32>() / inputs as f32).sqrt(),
            _ => last * scale(tensor, row),
        };
        let factor = if size > 0.0 { size / wanted } else { 1.0 };
        values.iter_mut().for_each(|weight| *weight /= factor);
        let variance = ((gain / factor).powi(2) - EPSILON).max(0.0);
        norm.variances.push(variance);
        norm.gains.push(factor * (variance + EPSILON).sqrt());
    }
    norm
}

/// The rows of a table, narrow ones filled up with zeros.
fn table(wide: &Tensor, narrow: Option<(&Tensor, &[bool])>, transform: Transform) -> Vec<f32> {
    let wide_values = shadow(wide, transform);
    let Some((narrow, is_narrow)) = narrow else { return wide_values };
    let narrow_values = shadow(narrow, transform);
    let (mut of_wide, mut of_narrow) = (wide_values.chunks(wide.cols), narrow_values.chunks(narrow.cols));
    let mut table = Vec::with_capacity(is_narrow.len() * wide.cols);
    for &is_narrow in is_narrow {
        table.extend(if is_narrow { of_narrow.next() } else { of_wide.next() }.unwrap_or_default());
        table.resize(table.len().next_multiple_of(wide.cols), 0.0);
    }
    table
}

/// From rows of `columns` elements to columns.
fn transposed(rows: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| rows.iter().skip(column).step_by(columns)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::model_parts;
    use crate::training::network::Network;
    use burn::tensor::Device;
    use lm_wasm::Model;
    use lm_wasm::format::Metadata;

    fn table() -> WordTable {
        let entry = |index: usize| Entry {
            token: format!("w{index:02}"),
            count: (index + 1) as f64,
            spelling: format!("w{index:02}"),
            offered: true,
        };
        let specials = ["<unk>", "</s>", "<num>"].map(|name| Entry::special(name.to_owned(), 5.0));
        WordTable { specials: 3, entries: specials.into_iter().chain((0..30).map(entry)).collect() }
    }

    fn integers_and_scales(tensor: &Tensor) -> (Vec<i8>, Vec<f32>) {
        let scales = tensor.scales.iter().map(|scale| scale.to_f32()).collect();
        (integers(tensor).map(<[i8]>::to_vec).unwrap_or_default(), scales)
    }

    /// From a network to a file, back to a network, and to a file again.
    #[test]
    fn shadow_weights_become_the_integers_of_the_file() {
        let device = Device::flex();
        let levels =
            |bits: u8, count: u8| format!("{{ method = \"linear\", bits = {bits}, scales_per_octave = {count} }}");
        for layers in [
            "{ method = \"ternary\", per = \"output\" }".to_owned(),
            "{ method = \"ternary\" }".to_owned(),
            "{ method = \"linear\", bits = 8 }".to_owned(),
            levels(3, 1),
            levels(4, 3),
        ] {
            let text = format!(
                "name = \"test\"\n[model]\ncell = \"lstm\"\nlayers = 1\nunits = 24\nembedding = 16\ntied = true\n\
                 tail = {{ after = 12, width = 7 }}\n[weights]\nembedding = {}\ninput = {layers}\nrecurrent = {layers}\n\
                 projection = {layers}\n[training]\nbatch = 2\nbptt = 4\ntokens = 100\nlearning_rate = 0.01\n\
                 softmax = {{ method = \"sampled\", negatives = 4 }}\n",
                levels(4, 8)
            );
            let config: Config = toml::from_str(&text).unwrap();
            let network = Network::new(&config, &table(), true, &device);
            let parts = model_parts(&config, &network, &table(), Metadata::new()).unwrap();
            let vocabulary = Model::from_parts(parts.clone()).unwrap().vocabulary().clone();
            let file = ModelFile { parts, vocabulary };
            for gain in [None, Some(0.3)] {
                let again = config_of(&file, gain).unwrap();
                let mut network = Network::new(&again, &WordTable::of_model(&file), true, &device);
                let matrices = matrices(&file.parts, &again.weights, gain);
                let checkpoint = Checkpoint::of_matrices(matrices, again.clone(), &WordTable::of_model(&file)).unwrap();
                checkpoint.restore_common(&mut network, &again, &device).unwrap();
                let got = model_parts(&again, &network, &WordTable::of_model(&file), Metadata::new()).unwrap();
                let tensors = |parts: &ModelParts| {
                    let (InputParts::Embedding(rows), Some(narrow)) = (&parts.input, &parts.narrow) else { panic!() };
                    let layer = &parts.layers[0];
                    [rows, narrow.embedding.as_ref().unwrap(), &layer.input, &layer.recurrent]
                        .into_iter()
                        .chain(&parts.projection)
                        .map(integers_and_scales)
                        .collect::<Vec<_>>()
                };
                assert_eq!(got.narrow.as_ref().unwrap().rows, file.parts.narrow.as_ref().unwrap().rows);
                for ((got, got_scales), (want, want_scales)) in tensors(&got).into_iter().zip(tensors(&file.parts)) {
                    assert_eq!(got, want, "{layers} {gain:?}");
                    for (row, got) in got_scales.iter().enumerate() {
                        let want = want_scales.get(row).unwrap_or(&want_scales[0]);
                        assert!((got / want - 1.0).abs() < 3e-3, "{layers} {gain:?}: {got} {want}");
                    }
                }
            }
        }
    }
}
