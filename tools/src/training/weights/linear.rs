//! Linear quantization: equal steps.

use burn::tensor::Tensor;

use super::binary::signs;
use super::{Inputs, Quantized, SMALLEST};

/// Levels as `bits` or `levels` tell, symmetric around zero, of which the outermost is the largest |w| of an output; with
/// one bit two levels, the middles of the two halves. With `scales_per_octave` the outermost level is the next power of
/// `2^(1 / scales_per_octave)`, so that a file tells scales in a few bits.
pub fn quantize(
    weights: Tensor<2>,
    bits: u8,
    levels: Option<u16>,
    scales_per_octave: Option<u8>,
    inputs: Inputs,
) -> Quantized {
    let mut largest = weights.clone().abs().max_dim(inputs as usize).clamp_min(SMALLEST);
    if let Some(count) = scales_per_octave {
        let step = std::f32::consts::LN_2 / f32::from(count);
        largest = ((largest.log() / step).ceil() * step).exp();
    }
    if bits == 1 {
        return Quantized { integers: signs(weights), scales: largest * 0.5 };
    }
    let scales = largest / (super::linear_levels(bits, levels) / 2) as f32;
    Quantized { integers: (weights / scales.clone()).round(), scales }
}

#[cfg(test)]
mod tests {
    use super::super::Transform;
    use super::super::testing::*;
    use super::*;

    #[test]
    fn equal_steps() {
        let levels = |bits| applied(Transform::linear(bits), &[0.7, -0.34, 0.06, 0.0], [1, 4], Inputs::Columns);
        assert_close(&levels(4), &[0.7, -0.3, 0.1, 0.0]);
        assert_close(&levels(2), &[0.7, 0.0, 0.0, 0.0]);
        assert_close(&levels(1), &[0.35, -0.35, 0.35, 0.35]);
        let eleven = Transform::Linear { bits: 4, levels: Some(11), scales_per_octave: None };
        assert_close(&applied(eleven, &[0.5, -0.34, 0.06, 0.04], [1, 4], Inputs::Columns), &[0.5, -0.3, 0.1, 0.0]);
    }

    #[test]
    fn few_scales() {
        let half_octaves = Transform::Linear { bits: 3, levels: None, scales_per_octave: Some(2) };
        // The largest weights, 0.8 and 0.6, lie below 1 and 1 / sqrt 2.
        let got = applied(half_octaves, &[0.8, 0.2, 0.6, -0.2], [2, 2], Inputs::Columns);
        let root = 0.5_f32.sqrt();
        assert_close(&got, &[2.0 / 3.0, 1.0 / 3.0, root, -root / 3.0]);
    }

    #[test]
    fn more_bits_never_hurt_much() {
        let weights: Vec<f32> = (0..50).map(|i| (i as f32 * 1.7).sin()).collect();
        for bits in 1..=12 {
            let step = if bits == 1 { 1.0 } else { 1.0 / ((1 << (bits - 1)) - 1) as f32 };
            let got = applied(Transform::linear(bits), &weights, [50, 1], Inputs::Rows);
            for (got, want) in got.iter().zip(&weights) {
                assert!((got - want).abs() <= 0.5 * step + 1e-6, "{bits} bits: {got} for {want}");
            }
        }
    }
}
