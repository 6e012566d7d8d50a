//! From a network to a model file.

use anyhow::{Result, anyhow};
use burn::tensor::Tensor as BurnTensor;
use half::f16;
use lm_wasm::format::{
    Bias, CellKind, InputKind, InputParts, LayerParts, Metadata, ModelParts, NarrowParts, OutputKind, RareParts, Shape,
    Tensor, Values,
};
use lm_wasm::text::{Casing, RareFlags, WordList};

use crate::corpus::{RareWord, RareWords, WordTable};
use crate::training::config::{Cell, Config};
use crate::training::lsh::LshPlaces;
use crate::training::network::{InputPlaces, LayerPlaces, Network, NormPlaces};
use crate::training::norm::inverse_deviation;
use crate::training::weights::{Inputs, Matrix, Quantized};

/// Steps of a bias that is kept in bytes. 255, all that a byte has room for, cost a quarter of a byte a word more, and tell no word better
/// (docs/decisions.md).
const BIAS_STEPS: f32 = 63.0;

/// The parts of a model file.
pub fn model_parts(config: &Config, network: &Network, table: &WordTable, metadata: Metadata) -> Result<ModelParts> {
    let vocabulary = table.parts()?;
    let places = network.places();
    let mut input = match &places.input {
        InputPlaces::Embedding(matrix) => InputParts::Embedding(tensor(network, matrix, None)?),
        InputPlaces::Lsh(LshPlaces { weights, bias, lsh, .. }) => InputParts::Lsh {
            lsh: *lsh,
            weights: tensor(network, weights, None)?,
            bias: Bias::F32(values(network.parameters[*bias].value.clone())?),
        },
    };
    let layers = places.layers.iter().map(|layer| layer_parts(config.model.cell, network, layer));
    let projection = places.projection.as_ref().map(|matrix| tensor(network, matrix, None)).transpose()?;
    let mut output = places.output.as_ref().map(|matrix| tensor(network, matrix, None)).transpose()?;
    let bias = values(network.parameters[places.bias].value.clone())?;
    let rows_are_float = matches!(output.as_ref().unwrap_or(input.matrix_mut()).values, Values::F32(_));
    let narrow = config.model.tail.and_then(|tail| {
        let rows = tail.narrow_rows(&table.counts())?;
        let split = |table: &mut Tensor| {
            let (wide, narrow) = split_rows(table, &rows, tail.width);
            *table = wide;
            narrow
        };
        let embedding = match &mut input {
            InputParts::Embedding(table) => Some(split(table)),
            InputParts::Lsh { .. } => None,
        };
        let output = output.as_mut().map(split);
        Some(NarrowParts { rows, embedding, output })
    });
    Ok(ModelParts {
        metadata,
        shape: shape(config, table.entries.len(), narrow.is_some()),
        specials: vocabulary.specials,
        words: vocabulary.words,
        word_flags: vocabulary.flags,
        casing: vocabulary.mixed,
        rare: None,
        input,
        layers: layers.collect::<Result<_>>()?,
        projection,
        output,
        output_bias: if rows_are_float { Bias::F32(bias) } else { bias_in_bytes(&bias) },
        narrow,
        corrections: None,
    })
}

/// Multiplies the recurrent weights. What normalization leaves of them when it is folded away may be so large that a state beyond the
/// usual ones grows from step to step.
pub fn damp(parts: &mut ModelParts, factor: f32) {
    for Tensor { values, scales, .. } in parts.layers.iter_mut().map(|layer| &mut layer.recurrent) {
        match values {
            Values::F32(values) => values.iter_mut().for_each(|value| *value *= factor),
            _ if scales.is_empty() => *scales = vec![f16::from_f32(factor)],
            _ => scales.iter_mut().for_each(|scale| *scale = f16::from_f32(scale.to_f32() * factor)),
        }
    }
}

/// Words beyond the vocabulary. Their probabilities are rounded to halves of halves of the largest, then scaled to what they were
/// in all.
pub fn rare_parts(rare: &RareWords) -> Result<RareParts> {
    let words =
        WordList::new(rare.entries.iter().map(|entry| entry.word.as_str())).map_err(|reason| anyhow!(reason))?;
    let most = rare.entries.iter().map(|entry| entry.probability).fold(0.0, f64::max);
    let level = |entry: &RareWord| ((most / entry.probability).log2().round() as u8).min(RareFlags::LAST_LEVEL);
    let flags = rare
        .entries
        .iter()
        .map(|entry| RareFlags { casing: Casing::of(&entry.spelling), level: level(entry) }.to_byte());
    let sum: f64 = rare.entries.iter().map(|entry| entry.probability).sum();
    let rounded: f64 = rare.entries.iter().map(|entry| (-f64::from(level(entry))).exp2()).sum();
    let log_share = (sum / rounded).ln().min(0.0) as f32;
    Ok(RareParts { words: words.encode(), log_share, flags: flags.collect() })
}

/// A layer with its normalization folded away: `gain * (product - mean) / deviation` is a factor of each output, which
/// goes into the matrix's scales, and a summand, which goes into the bias.
fn layer_parts(cell: Cell, network: &Network, layer: &LayerPlaces) -> Result<LayerParts> {
    let bias = network.parameters[layer.bias].value.clone();
    let Some(norms) = &layer.norms else {
        return Ok(LayerParts {
            input: tensor(network, &layer.input, None)?,
            recurrent: tensor(network, &layer.recurrent, None)?,
            bias: Bias::F32(values(bias)?),
        });
    };
    let [(input, input_shift), (recurrent, recurrent_shift)] = norms.each_ref().map(|norm| folded(network, norm));
    let bias = match cell {
        Cell::Lstm => bias + input_shift + recurrent_shift,
        // A GRU has a bias for each product.
        Cell::Gru => bias + BurnTensor::cat(vec![input_shift, recurrent_shift], 1),
    };
    Ok(LayerParts {
        input: tensor(network, &layer.input, Some(input))?,
        recurrent: tensor(network, &layer.recurrent, Some(recurrent))?,
        bias: Bias::F32(values(bias)?),
    })
}

/// Factor and summand of each output, `[1, outputs]`.
fn folded(network: &Network, norm: &NormPlaces) -> (BurnTensor<2>, BurnTensor<2>) {
    let statistics = &network.parameters[norm.statistics].value;
    let [mean, variance] = [0, 1].map(|row| statistics.clone().narrow(0, row, 1));
    let factor = network.parameters[norm.gain].value.clone() * inverse_deviation(variance);
    (factor.clone(), (mean * factor).neg())
}

fn shape(config: &Config, rows: usize, has_tail: bool) -> Shape {
    let model = config.model;
    Shape {
        cell: match model.cell {
            Cell::Lstm => CellKind::Lstm,
            Cell::Gru => CellKind::Gru,
        },
        input: if model.lsh.is_some() { InputKind::Lsh } else { InputKind::Embedding },
        output: if model.tied { OutputKind::Tied } else { OutputKind::Untied },
        layers: model.layers,
        vocabulary: rows,
        embedding: model.embedding,
        hidden: model.units,
        output_width: model.output_width(),
        narrow_width: model.tail.filter(|_| has_tail).map(|tail| tail.width),
    }
}

fn values(tensor: BurnTensor<2>) -> Result<Vec<f32>> {
    tensor.into_data().try_into_vec().map_err(|error| anyhow!("a parameter is not of floats: {error:?}"))
}

/// A weight matrix as the file has it, with a row an output, each output multiplied with its factor if there is one.
fn tensor(network: &Network, matrix: &Matrix, factor: Option<BurnTensor<2>>) -> Result<Tensor> {
    let by_rows = |tensor: BurnTensor<2>| if matrix.inputs() == Inputs::Rows { tensor.transpose() } else { tensor };
    let times_factor = |tensor: BurnTensor<2>| match &factor {
        Some(factor) => tensor * factor.clone(),
        None => tensor,
    };
    let floats = |tensor: BurnTensor<2>| -> Result<Tensor> {
        let tensor = by_rows(times_factor(tensor));
        let [rows, cols] = tensor.dims();
        Ok(Tensor { rows, cols, values: Values::F32(values(tensor)?), scales: Vec::new() })
    };
    let Some(Quantized { integers, scales }) = matrix.quantized(&network.parameters) else {
        return floats(matrix.floats(&network.parameters));
    };
    let largest: f32 = integers.clone().abs().max().into_scalar();
    if largest > 127.0 {
        // No packed form has so many levels.
        return floats(integers * scales);
    }
    let integers = by_rows(integers);
    let [rows, cols] = integers.dims();
    let integers = values(integers)?.into_iter().map(|value| value as i8).collect();
    let values_of = match largest {
        ..=1.0 => Values::Ternary,
        ..=7.0 => Values::Signed4,
        _ => Values::Signed8,
    };
    let scales = values(by_rows(times_factor(scales)))?.into_iter().map(f16::from_f32).collect();
    Ok(Tensor { rows, cols, values: values_of(integers), scales })
}

/// The wide rows and the first `width` columns of the narrow ones.
fn split_rows(tensor: &Tensor, is_narrow: &[bool], width: usize) -> (Tensor, Tensor) {
    let part = |narrow: bool, cols: usize| {
        let rows: Vec<usize> = (0..tensor.rows).filter(|&row| is_narrow[row] == narrow).collect();
        let scales = match tensor.scales.len() {
            0 | 1 => tensor.scales.clone(),
            _ => rows.iter().map(|&row| tensor.scales[row]).collect(),
        };
        let values = match &tensor.values {
            Values::F32(all) => Values::F32(pick(all, tensor.cols, &rows, cols)),
            Values::Ternary(all) => Values::Ternary(pick(all, tensor.cols, &rows, cols)),
            Values::Signed4(all) => Values::Signed4(pick(all, tensor.cols, &rows, cols)),
            Values::Signed8(all) => Values::Signed8(pick(all, tensor.cols, &rows, cols)),
        };
        Tensor { rows: rows.len(), cols, values, scales }
    };
    (part(false, tensor.cols), part(true, width))
}

/// The first `width` columns of some rows of a matrix of `cols` columns.
fn pick<T: Copy>(all: &[T], cols: usize, rows: &[usize], width: usize) -> Vec<T> {
    rows.iter().flat_map(|&row| &all[row * cols..row * cols + width]).copied().collect()
}

/// An output bias with a byte for each row, which an entropy coder makes less of.
pub fn bias_in_bytes(bias: &[f32]) -> Bias {
    let (min, max) = bias.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), &x| (min.min(x), max.max(x)));
    let step = ((max - min) / BIAS_STEPS).max(f32::MIN_POSITIVE);
    Bias::U8 { min, step, values: bias.iter().map(|x| ((x - min) / step).round() as u8).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Entry;
    use crate::training::batches::Batch;
    use crate::training::network::Phase;
    use burn::tensor::Device;
    use lm_wasm::{Model, Session};

    const ROWS: usize = 13;

    #[test]
    fn recurrent_weights_are_damped_however_they_are_kept() {
        let config = config("lstm", "tied = true");
        let network = Network::new(&config, &table(), false, &Device::flex());
        let undamped = model_parts(&config, &network, &table(), Metadata::new()).unwrap();
        let tensor = |values, scales: &[f32]| {
            let scales = scales.iter().map(|&scale| f16::from_f32(scale)).collect();
            Tensor { rows: 2, cols: 2, values, scales }
        };
        for (before, after) in [
            (tensor(Values::F32(vec![1.0, -2.0, 0.0, 4.0]), &[]), tensor(Values::F32(vec![0.5, -1.0, 0.0, 2.0]), &[])),
            (tensor(Values::Ternary(vec![1, -1, 0, 1]), &[]), tensor(Values::Ternary(vec![1, -1, 0, 1]), &[0.5])),
            (tensor(Values::Ternary(vec![1; 4]), &[2.0, 3.0]), tensor(Values::Ternary(vec![1; 4]), &[1.0, 1.5])),
        ] {
            let mut parts = undamped.clone();
            parts.layers[1].recurrent = before;
            damp(&mut parts, 0.5);
            assert_eq!(parts.layers[1].recurrent, after);
            assert_eq!(parts.layers[1].input, undamped.layers[1].input);
        }
    }

    fn table() -> WordTable {
        let specials = ["<unk>", "</s>", "<num>"].map(|name| Entry::special(name.to_owned(), 5.0));
        let word = |index: usize| Entry {
            token: format!("w{index:02}"),
            count: (index + 1) as f64,
            spelling: format!("w{index:02}"),
            offered: true,
        };
        WordTable { specials: 3, entries: specials.into_iter().chain((0..ROWS - 3).map(word)).collect() }
    }

    fn config(cell: &str, more: &str) -> Config {
        let text = format!(
            "name = \"test\"\n[model]\ncell = \"{cell}\"\nlayers = 2\nunits = 20\nembedding = 12\n{more}\n\
             [training]\nbatch = 1\nshards = 1\nbptt = 8\ntokens = 1000\nlearning_rate = 0.01\n"
        );
        let config: Config = toml::from_str(&text).unwrap();
        config.check().unwrap();
        config
    }

    /// Mean negative log-likelihoods of a text by the trainer and by the core on the exported file.
    fn losses(config: &Config) -> (f64, f64) {
        let table = table();
        let mut network = Network::new(config, &table, true, &Device::flex());
        // Larger weights than a network begins with, and statistics that are not those of a standard normal variable.
        for parameter in network.parameters.iter_mut().filter(|parameter| parameter.trained) {
            parameter.value = parameter.value.clone() * 2.0;
        }
        for parameter in network.parameters.iter_mut().filter(|parameter| parameter.name.ends_with("statistics")) {
            let shift = BurnTensor::from_floats([[0.1], [-0.4]], &Device::flex());
            parameter.value = parameter.value.clone() + shift;
        }
        let tokens: Vec<u32> = (0..60).map(|i| (i * i + 3 * i) as u32 % ROWS as u32).collect();
        let batch = Batch::new(1, tokens[..59].to_vec(), tokens[1..].to_vec());
        let evaluation = network.evaluation(Phase { quantized: true, frozen: true });
        let mut states = network.zero_states(1);
        let by_trainer = network.negative_log_likelihood(&batch, &mut states, &evaluation) / 59.0;

        let bytes = model_parts(config, &network, &table, Metadata::new()).unwrap().to_bytes().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let mut session = Session::new(&model);
        session.set_context(&model, &[]);
        let mut by_core = 0.0;
        // A session begins behind a line's end, the trainer's states before any text: the first token puts that right.
        for pair in tokens.windows(2) {
            session.push(&model, pair[0]);
            by_core -= f64::from(session.log_probability(&model, pair[1]));
        }
        (by_trainer, by_core / 59.0)
    }

    #[test]
    fn a_file_computes_what_the_trainer_evaluates() {
        let ternary = "input = { method = \"ternary\", per = \"output\" }\nrecurrent = { method = \"binary\" }";
        let methods = [
            String::new(),
            format!("[weights]\nembedding = {{ method = \"linear\", bits = 8 }}\n{ternary}"),
            "[weights]\ninput = { method = \"logarithmic\", bits = 4 }\nrecurrent = { method = \"codebook\", bits = 4 }"
                .to_owned(),
            "[weights]\nrecurrent = { method = \"fixed-ternary\", threshold = 0.5, scale = 0.2, stochastic = true }\n\
             input = { method = \"optimal-ternary\" }"
                .to_owned(),
            "[weights]\ninput = { method = \"trained-ternary\", per = \"output\" }\nprojection = { method = \"linear\", bits = 12 }"
                .to_owned(),
        ];
        let lsh = "tied = false\noutput = 10\nlsh = { bits = 128 }";
        for (tables, quantized) in [
            ("tied = true", "embedding = { method = \"linear\", bits = 3 }"),
            ("tied = false\noutput = 10", "embedding = { method = \"linear\", bits = 3 }"),
            (lsh, "output = { method = \"linear\", bits = 3 }\nlsh = { method = \"ternary\", per = \"output\" }"),
        ] {
            // With the second tail all rows of this vocabulary are wide.
            for (weights, after) in [("", 6), (quantized, 6), (quantized, 1000)] {
                let tables = format!("{tables}\ntail = {{ after = {after}, width = 5 }}\n[weights]\n{weights}");
                let (trainer, core) = losses(&config("lstm", &tables));
                assert!((trainer - core).abs() < 0.02, "{tables}: {trainer} is not {core}");
            }
        }
        for (cell, gate) in [("lstm", "forget"), ("gru", "update")] {
            for method in &methods {
                for norm in ["", "batch", "layer", "weight"] {
                    let norm = if norm.is_empty() {
                        String::new()
                    } else {
                        format!("[normalization]\nmethod = \"{norm}\"\ngain = 0.6")
                    };
                    let config = config(cell, &format!("tied = true\n{method}\n{norm}"));
                    let (trainer, core) = losses(&config);
                    assert!((trainer - core).abs() < 0.02, "{cell} {method} {norm}: {trainer} is not {core}");
                }
            }
            let gates = format!("tied = true\n[weights.gates.{gate}]\ninput = {{ method = \"binary\" }}");
            let (trainer, core) = losses(&config(cell, &gates));
            assert!((trainer - core).abs() < 0.02, "{cell} {gates}: {trainer} is not {core}");
        }
    }
}
