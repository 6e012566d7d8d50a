//! The float twin of a quantized model: the same weights, multiplied with activations that are not rounded.

use lm_wasm::format::{ModelParts, Tensor, Values};

/// Writes all integers of a model out as the floats they stand for.
pub fn with_float_weights(mut parts: ModelParts) -> ModelParts {
    let layers = parts.layers.iter_mut().flat_map(|layer| [&mut layer.input, &mut layer.recurrent]);
    let tables = [Some(parts.input.matrix_mut()), parts.projection.as_mut(), parts.output.as_mut()];
    let narrow = parts.narrow.iter_mut().flat_map(|narrow| [narrow.embedding.as_mut(), narrow.output.as_mut()]);
    for tensor in layers.chain(tables.into_iter().chain(narrow).flatten()) {
        if let Values::Ternary(values) | Values::Signed4(values) | Values::Signed8(values) = &tensor.values {
            let scale = |row: usize| match tensor.scales.as_slice() {
                [] => 1.0,
                [scale] => scale.to_f32(),
                scales => scales[row].to_f32(),
            };
            let values = values.iter().enumerate().map(|(at, &value)| f32::from(value) * scale(at / tensor.cols));
            *tensor = Tensor { values: Values::F32(values.collect()), scales: Vec::new(), ..*tensor };
        }
    }
    parts
}
