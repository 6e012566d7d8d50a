//! From a checkpoint to a model file.

use anyhow::{Result, anyhow, bail};
use burn::tensor::Tensor as BurnTensor;
use half::f16;
use lm_wasm::format::{Bias, CellKind, InputKind, LayerParts, Metadata, ModelParts, OutputKind, Shape, Tensor, Values};

use crate::corpus::WordTable;
use crate::training::adam::Parameter;
use crate::training::config::{Cell, Config};
use crate::training::network::Network;
use crate::training::transform::{Inputs, Quantized, Transform};

/// Steps of a bias that is kept in bytes.
const BIAS_STEPS: f32 = 255.0;

/// The parts of a model file.
pub fn model_parts(config: &Config, network: &Network, table: &WordTable, metadata: Metadata) -> Result<ModelParts> {
    let vocabulary = table.parts()?;
    let model = config.model;
    let mut tensors = (0..network.parameters.len()).map(|place| &network.parameters[place]).enumerate();
    let mut next = || tensors.next().ok_or_else(|| anyhow!("the network lacks a parameter"));
    let matrix = |(place, parameter): (usize, &Parameter)| match network.transform_of(place) {
        Some((transform, inputs)) => tensor(&parameter.value, transform, inputs),
        None => bail!("{} is no matrix", parameter.name),
    };
    let embedding = matrix(next()?)?;
    let mut layers = Vec::new();
    for _ in 0..model.layers {
        let (input, recurrent) = (matrix(next()?)?, matrix(next()?)?);
        layers.push(LayerParts { input, recurrent, bias: Bias::F32(values(next()?.1.value.clone())?) });
    }
    let projection = if model.has_projection() { Some(matrix(next()?)?) } else { None };
    let output = if model.tied { None } else { Some(matrix(next()?)?) };
    let bias = values(next()?.1.value.clone())?;
    let rows_are_float = matches!(output.as_ref().unwrap_or(&embedding).values, Values::F32(_));
    Ok(ModelParts {
        metadata,
        shape: shape(config, table.entries.len()),
        specials: vocabulary.specials,
        words: vocabulary.words,
        word_flags: vocabulary.flags,
        casing: vocabulary.mixed,
        embedding,
        layers,
        projection,
        output,
        output_bias: if rows_are_float { Bias::F32(bias) } else { bias_in_bytes(&bias) },
    })
}

fn shape(config: &Config, rows: usize) -> Shape {
    let model = config.model;
    Shape {
        cell: match model.cell {
            Cell::Lstm => CellKind::Lstm,
            Cell::Gru => CellKind::Gru,
        },
        input: InputKind::Embedding,
        output: if model.tied { OutputKind::Tied } else { OutputKind::Untied },
        layers: model.layers,
        vocabulary: rows,
        embedding: model.embedding,
        hidden: model.units,
        output_width: model.output_width(),
    }
}

fn values(tensor: BurnTensor<2>) -> Result<Vec<f32>> {
    tensor.into_data().try_into_vec().map_err(|error| anyhow!("a parameter is not of floats: {error:?}"))
}

/// A weight matrix as the file has it, with a row an output.
fn tensor(weights: &BurnTensor<2>, transform: Transform, inputs: Inputs) -> Result<Tensor> {
    let by_rows = |tensor: BurnTensor<2>| if inputs == Inputs::Rows { tensor.transpose() } else { tensor };
    let [rows, cols] = by_rows(weights.clone()).dims();
    let Some(Quantized { integers, scales }) = transform.quantize(weights.clone(), inputs) else {
        return Ok(Tensor { rows, cols, values: Values::F32(values(by_rows(weights.clone()))?), scales: Vec::new() });
    };
    let integers = values(by_rows(integers))?.into_iter().map(|value| value as i8).collect();
    let values_of = match transform {
        Transform::Ternary { .. } => Values::Ternary,
        Transform::Linear { bits: ..=4 } => Values::Signed4,
        Transform::Linear { .. } => Values::Signed8,
        Transform::Float => bail!("floats have no integers"),
    };
    let scales = values(by_rows(scales))?.into_iter().map(f16::from_f32).collect();
    Ok(Tensor { rows, cols, values: values_of(integers), scales })
}

fn bias_in_bytes(bias: &[f32]) -> Bias {
    let (min, max) = bias.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), &x| (min.min(x), max.max(x)));
    let step = ((max - min) / BIAS_STEPS).max(f32::MIN_POSITIVE);
    Bias::U8 { min, step, values: bias.iter().map(|x| ((x - min) / step).round() as u8).collect() }
}
