//! Binary weights.

use burn::tensor::Tensor;
use rand::rngs::StdRng;

use super::{Over, Quantized, SMALLEST, uniform};

/// -1 or 1; a zero counts as positive.
pub fn signs(weights: Tensor<2>) -> Tensor<2> {
    weights.greater_equal_elem(0.0).float() * 2.0 - 1.0
}

/// The sign, times the mean of |w|: the scale of least squared error (Rastegari 2016, equation 6).
pub fn by_mean(weights: Tensor<2>, over: Over) -> Quantized {
    let scales = over.mean(weights.clone().abs()).clamp_min(SMALLEST);
    Quantized { integers: signs(weights), scales }
}

/// +-`scale`: by the sign (Courbariaux 2015, equation 1) or, with `random`, + with the probability of a hard sigmoid,
/// `clip((w / scale + 1) / 2, 0, 1)` (equations 2 and 3).
pub fn fixed(weights: Tensor<2>, scale: f32, random: Option<&mut StdRng>) -> Quantized {
    let scales = Tensor::full([1, 1], scale, &weights.device());
    let integers = match random {
        None => signs(weights),
        Some(random) => {
            let drawn = uniform(&weights, random);
            let probability = (weights / scale + 1.0) * 0.5;
            signs(probability - drawn)
        }
    };
    Quantized { integers, scales }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{Group, Inputs, Transform};
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn sign_and_mean() {
        let transform = |per| Transform::Binary { per, scale: None, stochastic: false };
        let weights = [0.5, -1.0, 0.0, 0.1];
        assert_close(&applied(transform(Group::Matrix), &weights, [2, 2], Inputs::Rows), &[0.4, -0.4, 0.4, 0.4]);
        // Columns are the outputs.
        assert_close(&applied(transform(Group::Output), &weights, [2, 2], Inputs::Rows), &[0.25, -0.55, 0.25, 0.55]);
    }

    #[test]
    fn fixed_levels() {
        let transform = Transform::Binary { per: Group::Matrix, scale: Some(0.2), stochastic: true };
        assert_eq!(transform.bound(), Some(0.2));
        // Without chance, as in evaluation, the sign decides.
        assert_close(&applied(transform, &[0.05, -0.2, 0.0], [3, 1], Inputs::Rows), &[0.2, -0.2, 0.2]);
    }

    #[test]
    fn chance_follows_the_hard_sigmoid() {
        let transform = Transform::Binary { per: Group::Matrix, scale: Some(0.2), stochastic: true };
        let mut random = StdRng::seed_from_u64(1);
        // Probabilities of +: 1, 3/4, 1/2, 0.
        let weights: Vec<f32> = [0.2, 0.1, 0.0, -0.2].into_iter().cycle().take(8000).collect();
        let drawn = values(transform.apply(tensor(&weights, [2000, 4]), None, Inputs::Rows, Some(&mut random)).0);
        for (column, probability) in [1.0, 0.75, 0.5, 0.0].into_iter().enumerate() {
            let positive = drawn.iter().skip(column).step_by(4).filter(|&&x| x > 0.0).count() as f64 / 2000.0;
            let deviation = f64::sqrt(probability * (1.0 - probability) / 2000.0);
            assert!((positive - probability).abs() <= 5.0 * deviation, "{positive} is not {probability}");
        }
    }
}
