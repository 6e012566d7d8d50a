//! Parameters and their optimizer.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, available_parallelism};

use burn::tensor::Tensor;

use super::rows::Rows;
use super::slices::{give, take};

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
    /// What the values are kept within.
    pub bound: Option<f32>,
    /// Whether it is trained; a kept one has no moments.
    pub trained: bool,
    /// Whether it belongs to a method, and a network without that lacks it.
    pub of_method: bool,
    /// Whether it comes from another run, not from a start of its own.
    pub taken_over: bool,
}

/// A parameter's gradient: of all of it, or of some rows.
pub struct Gradient {
    pub value: Tensor<2>,
    pub rows: Rows,
}

impl Gradient {
    /// The sum of the squares, `[1]`.
    pub fn square(&self) -> Tensor<1> {
        (self.value.clone() * self.value.clone()).sum()
    }
}

/// What one update needs besides the gradient.
#[derive(Clone, Copy)]
pub struct Update {
    pub learning_rate: f64,
    /// What the gradient is multiplied with, to clip its norm.
    pub scale: f64,
    /// Share of a weight that each update takes away, by the learning rate (decoupled: Loshchilov & Hutter 2019).
    pub decay: f64,
    /// Number of the update, from 1 on.
    pub step: u64,
    /// Whether to run over slices: the CPU's way.
    pub fused: bool,
}

/// The numbers of an update that are the same for every element.
struct Factors {
    scale: f32,
    /// Learning rate, corrected for the first moment's start at 0.
    rate: f32,
    /// 1 over the second moment's correction.
    correction: f32,
    /// What is left of a weight.
    kept: f32,
}

impl Update {
    fn factors(&self) -> Factors {
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(self.step as f64);
        Factors {
            scale: self.scale as f32,
            rate: (self.learning_rate / correction(BETA_1)) as f32,
            correction: (1.0 / correction(BETA_2)) as f32,
            kept: (1.0 - self.learning_rate * self.decay) as f32,
        }
    }
}

impl Parameter {
    /// A parameter that was never updated.
    pub fn new(name: &str, value: Tensor<2>) -> Parameter {
        // Not `zeros_like` of one tensor cloned: the moments must not share memory, or every update would copy it.
        let zeros = || Tensor::zeros(value.dims(), &value.device());
        Parameter {
            name: name.to_owned(),
            mean: zeros(),
            variance: zeros(),
            value,
            bound: None,
            trained: true,
            of_method: false,
            taken_over: false,
        }
    }

    /// One that belongs to a method: a network without that lacks it.
    pub fn of_method(self) -> Parameter {
        Parameter { of_method: true, ..self }
    }

    /// One that is kept with the network, but not trained.
    pub fn kept(self) -> Parameter {
        Parameter { trained: false, ..self }
    }

    /// Adam (Kingma & Ba 2015, algorithm 1). Rows without a gradient keep value and moments ("lazy" Adam).
    pub fn update(&mut self, gradient: Gradient, update: Update) {
        if update.fused {
            self.update_fused(gradient, &update.factors());
        } else {
            self.update_tensors(gradient, &update.factors());
        }
        if let Some(bound) = self.bound {
            self.value = taken(&mut self.value).clamp(-bound, bound);
        }
    }

    fn update_tensors(&mut self, gradient: Gradient, factors: &Factors) {
        let Gradient { value: gradient, rows } = gradient;
        let gradient = gradient * factors.scale;
        let [mean, variance, value] = [&self.mean, &self.variance, &self.value].map(|table| rows.of(table));
        let mean_change = (gradient.clone() - mean.clone()) * (1.0 - BETA_1);
        let variance_change = (gradient.clone() * gradient - variance.clone()) * (1.0 - BETA_2);
        let deviation = ((variance + variance_change.clone()) * factors.correction).sqrt() + EPSILON;
        let change = (mean + mean_change.clone()) * -factors.rate / deviation + value * (factors.kept - 1.0);
        for (table, change) in
            [(&mut self.mean, mean_change), (&mut self.variance, variance_change), (&mut self.value, change)]
        {
            *table = rows.add_to(taken(table), change);
        }
    }

    fn update_fused(&mut self, gradient: Gradient, factors: &Factors) {
        let (shape, device) = (self.value.dims(), self.value.device());
        let [mut mean, mut variance, mut value] =
            [&mut self.mean, &mut self.variance, &mut self.value].map(|table| take(taken(table)));
        let width = shape[1];
        let gradients = take(gradient.value);
        let mut row = |at: usize, gradient: &[f32]| {
            let range = at..at + gradient.len();
            factors.apply(gradient, &mut mean[range.clone()], &mut variance[range.clone()], &mut value[range]);
        };
        match &gradient.rows {
            Rows::All => row(0, &gradients),
            Rows::Some(rows) => {
                gradients.chunks_exact(width).zip(rows).for_each(|(gradient, at)| row(*at as usize * width, gradient));
            }
        }
        self.mean = give(mean, shape, &device);
        self.variance = give(variance, shape, &device);
        self.value = give(value, shape, &device);
    }
}

impl Factors {
    fn apply(&self, gradient: &[f32], mean: &mut [f32], variance: &mut [f32], value: &mut [f32]) {
        for (((g, m), v), w) in gradient.iter().zip(mean).zip(variance).zip(value) {
            let g = g * self.scale;
            *m += (g - *m) * (1.0 - BETA_1);
            *v += (g * g - *v) * (1.0 - BETA_2);
            *w = *w * self.kept - *m * self.rate / ((*v * self.correction).sqrt() + EPSILON);
        }
    }
}

/// Updates all parameters that have a gradient, where the numbers are the CPU's several at a time.
pub fn update_all(parameters: &mut [Parameter], gradients: Vec<Option<Gradient>>, update: Update) {
    let pairs = parameters.iter_mut().zip(gradients).filter_map(|(parameter, gradient)| Some((parameter, gradient?)));
    if !update.fused {
        pairs.for_each(|(parameter, gradient)| parameter.update(gradient, update));
        return;
    }
    let queue = Mutex::new(pairs);
    let work = || {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        while let Some((parameter, gradient)) = next() {
            parameter.update(gradient, update);
        }
    };
    thread::scope(|scope| (0..available_parallelism().map_or(1, usize::from)).for_each(|_| drop(scope.spawn(work))));
}

/// Takes a table's place, so that its memory has one owner and is changed without a copy.
fn taken(table: &mut Tensor<2>) -> Tensor<2> {
    let device = table.device();
    std::mem::replace(table, Tensor::empty([1, 1], &device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn values(tensor: &Tensor<2>) -> Vec<f32> {
        tensor.clone().into_data().try_into_vec().unwrap()
    }

    fn dense(value: Tensor<2>) -> Gradient {
        Gradient { value, rows: Rows::All }
    }

    fn update(learning_rate: f64, scale: f64, step: u64, fused: bool) -> Update {
        Update { learning_rate, scale, decay: 0.0, step, fused }
    }

    #[test]
    fn two_updates_by_hand() {
        let device = Device::flex();
        for fused in [false, true] {
            let mut parameter = Parameter::new("w", Tensor::from_floats([[1.0, 1.0]], &device));
            for step in 1..=2 {
                let gradient = dense(Tensor::from_floats([[4.0, -0.2]], &device));
                parameter.update(gradient, update(0.1, 0.5, step, fused));
            }
            // With a constant gradient both corrected moments are exact: each update is the rate times the sign.
            for (got, want) in values(&parameter.value).iter().zip([0.8, 1.2]) {
                assert!((got - want).abs() < 1e-5, "{got} {want}");
            }
            assert!((values(&parameter.mean)[0] - 0.38).abs() < 1e-6);
        }
    }

    #[test]
    fn decay_shrinks_weights_without_a_gradient() {
        let device = Device::flex();
        for fused in [false, true] {
            let mut parameter = Parameter::new("w", Tensor::from_floats([[2.0, -1.0]], &device));
            let gradient = dense(Tensor::zeros([1, 2], &device));
            parameter.update(gradient, Update { decay: 0.5, ..update(0.1, 1.0, 1, fused) });
            for (got, want) in values(&parameter.value).iter().zip([1.9, -0.95]) {
                assert!((got - want).abs() < 1e-6, "{got} {want}");
            }
        }
    }

    #[test]
    fn values_stay_within_their_bound() {
        let device = Device::flex();
        let value = Tensor::from_floats([[0.19, -0.19]], &device);
        let mut parameter = Parameter { bound: Some(0.2), ..Parameter::new("w", value) };
        let gradient = dense(Tensor::from_floats([[-1.0, -1.0]], &device));
        parameter.update(gradient, update(0.1, 1.0, 1, true));
        for (got, want) in values(&parameter.value).iter().zip([0.2, -0.09]) {
            assert!((got - want).abs() < 1e-5, "{got} {want}");
        }
    }

    #[test]
    fn untouched_rows_stay() {
        let device = Device::flex();
        for fused in [false, true] {
            let mut parameter = Parameter::new("w", Tensor::ones([3, 1], &device));
            let gradient = Gradient { value: Tensor::from_floats([[2.0]], &device), rows: Rows::Some(vec![1]) };
            parameter.update(gradient, update(0.1, 1.0, 1, fused));
            let (mean, value) = (values(&parameter.mean), values(&parameter.value));
            assert_eq!([mean[0], mean[2], value[0], value[2]], [0.0, 0.0, 1.0, 1.0]);
            assert!((mean[1] - 0.2).abs() < 1e-6 && (value[1] - 0.9).abs() < 1e-5);
        }
    }
}
