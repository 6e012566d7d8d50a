//! Parameters and their optimizer.

use burn::tensor::Tensor;

use super::rows::Rows;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// A parameter and the moments of its gradient.
pub struct Parameter {
    /// Name in checkpoints.
    pub name: String,
    pub value: Tensor<2>,
    /// First moment.
    pub mean: Tensor<2>,
    /// Second moment.
    pub variance: Tensor<2>,
}

/// A parameter's gradient: of all of it, or of some rows.
pub struct Gradient {
    pub value: Tensor<2>,
    pub rows: Rows,
}

impl Gradient {
    /// A gradient of the whole parameter.
    pub fn dense(value: Tensor<2>) -> Gradient {
        Gradient { value, rows: Rows::All }
    }

    /// The sum of the squares.
    pub fn square(&self) -> f64 {
        f64::from(self.value.clone().powi_scalar(2).sum().into_scalar::<f32>())
    }
}

/// What one update needs besides the gradient.
#[derive(Clone, Copy)]
pub struct Update {
    pub learning_rate: f64,
    /// What the gradient is multiplied with, to clip its norm.
    pub scale: f64,
    /// Number of the update, from 1 on.
    pub step: u64,
}

impl Parameter {
    /// A parameter that was never updated.
    pub fn new(name: &str, value: Tensor<2>) -> Parameter {
        // Not `zeros_like` of one tensor cloned: the moments must not share memory, or every update would copy it.
        let zeros = || Tensor::zeros(value.dims(), &value.device());
        Parameter { name: name.to_owned(), mean: zeros(), variance: zeros(), value }
    }

    /// Adam (Kingma & Ba 2015, algorithm 1). Rows without a gradient keep value and moments ("lazy" Adam).
    pub fn update(&mut self, gradient: Gradient, update: Update) {
        let Gradient { value: gradient, rows } = gradient;
        let gradient = gradient * update.scale as f32;
        let (mean, variance) = (rows.of(&self.mean), rows.of(&self.variance));
        let mean_change = (gradient.clone() - mean.clone()) * (1.0 - BETA_1);
        let variance_change = (gradient.clone() * gradient - variance.clone()) * (1.0 - BETA_2);
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(update.step as f64);
        let rate = (update.learning_rate / correction(BETA_1)) as f32;
        let deviation = ((variance + variance_change.clone()) / correction(BETA_2) as f32).sqrt() + EPSILON;
        let change = (mean + mean_change.clone()) * -rate / deviation;
        let add = |table: &mut Tensor<2>, change: Tensor<2>| {
            let taken = std::mem::replace(table, Tensor::empty([1, 1], &change.device()));
            *table = rows.add_to(taken, change);
        };
        add(&mut self.mean, mean_change);
        add(&mut self.variance, variance_change);
        add(&mut self.value, change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn values(tensor: &Tensor<2>) -> Vec<f32> {
        tensor.clone().into_data().try_into_vec().unwrap()
    }

    #[test]
    fn two_updates_by_hand() {
        let device = Device::flex();
        let mut parameter = Parameter::new("w", Tensor::from_floats([[1.0, 1.0]], &device));
        for step in 1..=2 {
            let gradient = Gradient::dense(Tensor::from_floats([[4.0, -0.2]], &device));
            parameter.update(gradient, Update { learning_rate: 0.1, scale: 0.5, step });
        }
        // With a constant gradient both corrected moments are exact: each update is the rate times the sign.
        for (got, want) in values(&parameter.value).iter().zip([0.8, 1.2]) {
            assert!((got - want).abs() < 1e-5, "{got} {want}");
        }
        assert!((values(&parameter.mean)[0] - 0.38).abs() < 1e-6);
    }

    #[test]
    fn untouched_rows_stay() {
        let device = Device::flex();
        let mut parameter = Parameter::new("w", Tensor::ones([3, 1], &device));
        let gradient = Gradient { value: Tensor::from_floats([[2.0]], &device), rows: Rows::Some(vec![1]) };
        parameter.update(gradient, Update { learning_rate: 0.1, scale: 1.0, step: 1 });
        let (mean, value) = (values(&parameter.mean), values(&parameter.value));
        assert_eq!([mean[0], mean[2], value[0], value[2]], [0.0, 0.0, 1.0, 1.0]);
        assert!((mean[1] - 0.2).abs() < 1e-6 && (value[1] - 0.9).abs() < 1e-5);
    }
}
