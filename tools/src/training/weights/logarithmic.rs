//! Logarithmic quantization: powers of two.

use burn::tensor::Tensor;

use super::{Over, Quantized, SMALLEST};

/// Zero and `2^(bits - 1) - 1` powers of two on either side: the exponent is rounded, and what is less than half the
/// smallest power is zero. The largest power is the one nearest, by its exponent, to the largest |w|.
pub fn quantize(weights: Tensor<2>, bits: u8, over: Over) -> Quantized {
    let powers = (1_i32 << (bits - 1)) - 1;
    let log2 = |x: Tensor<2>| x.clamp_min(SMALLEST).log() * std::f32::consts::LOG2_E;
    let magnitude = weights.clone().abs();
    let smallest = log2(over.max(magnitude.clone())).round() - (powers - 1) as f32;
    let exponents = (log2(magnitude.clone()) - smallest.clone()).round().clamp(0.0, (powers - 1) as f32);
    let exp2 = |x: Tensor<2>| (x * std::f32::consts::LN_2).exp();
    let scales = exp2(smallest);
    let survives = super::above(magnitude, scales.clone() * 0.5);
    // Rounded, because exp(n ln 2) may miss the integer by its last bit.
    Quantized { integers: weights.sign() * survives * exp2(exponents).round(), scales }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{Group, Inputs, Transform};

    #[test]
    fn powers_of_two() {
        let transform = |bits| Transform::Logarithmic { bits, per: Group::Matrix };
        // Three powers: 1, 1/2, 1/4. The exponent of 0.72 is -0.47, that of 0.17 is -2.6, which is clipped to -2.
        let got = applied(transform(3), &[1.0, -0.72, 0.6, -0.17, 0.1, 0.0], [6, 1], Inputs::Rows);
        assert_close(&got, &[1.0, -1.0, 0.5, -0.25, 0.0, 0.0]);
        let got = applied(transform(2), &[0.25, -0.1, 0.2], [1, 3], Inputs::Rows);
        assert_close(&got, &[0.25, 0.0, 0.25]);
    }

    #[test]
    fn each_output_has_its_own_powers() {
        let transform = Transform::Logarithmic { bits: 2, per: Group::Output };
        assert_close(&applied(transform, &[1.0, 4.0, 0.9, -3.0], [2, 2], Inputs::Rows), &[1.0, 4.0, 1.0, -4.0]);
    }
}
