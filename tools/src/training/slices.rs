//! The CPU's way to a tensor's numbers: a tensor of the CPU device gives its memory away and takes it back without a
//! copy, and a loop over slices does in one pass what tensor operations do in ten.

use burn::tensor::{Device, Tensor, TensorData};
use lm_wasm::simd::{Native, Simd, math};

/// Takes the numbers out of a tensor.
pub fn take(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("float tensors hold f32")
}

/// Builds a tensor of numbers.
pub fn give(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Applies the logistic function to every element.
pub fn sigmoid(values: &mut [f32]) {
    map(values, math::sigmoid::<Native>);
}

/// Applies the hyperbolic tangent to every element.
pub fn tanh(values: &mut [f32]) {
    map(values, math::tanh::<Native>);
}

/// Replaces every `x` by `exp(x - offset)`.
pub fn exp_minus(values: &mut [f32], offset: f32) {
    map(values, |x| math::exp::<Native>(Native::f32_sub(x, Native::f32_splat(offset))));
}

#[inline(always)]
fn map(values: &mut [f32], function: impl Fn(<Native as Simd>::F32x4) -> <Native as Simd>::F32x4) {
    let apply = |lanes: &mut [f32; 4]| Native::f32_store(function(Native::f32_load(lanes)), lanes);
    let (quads, rest) = values.as_chunks_mut::<4>();
    quads.iter_mut().for_each(apply);
    if !rest.is_empty() {
        let mut lanes = [0.0; 4];
        lanes[..rest.len()].copy_from_slice(rest);
        apply(&mut lanes);
        rest.copy_from_slice(&lanes[..rest.len()]);
    }
}

/// Sum in eight lanes, which a compiler makes vectors of.
pub fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (octets, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0_f32; 8];
    for octet in octets {
        for (lane, x) in lanes.iter_mut().zip(octet) {
            *lane += term(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&x| term(x)).sum::<f32>()
}

/// The largest element; minus infinity if there is none.
pub fn max(values: &[f32]) -> f32 {
    let (octets, rest) = values.as_chunks::<8>();
    let mut lanes = [f32::NEG_INFINITY; 8];
    for octet in octets {
        for (lane, &x) in lanes.iter_mut().zip(octet) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &x| max.max(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reductions() {
        let values: Vec<f32> = (0..37).map(|i| (i * 7 % 37) as f32 - 20.0).collect();
        assert_eq!(max(&values), 16.0);
        assert_eq!(sum(&values, |x| x * x), values.iter().map(|x| x * x).sum::<f32>());
        assert_eq!(max(&[]), f32::NEG_INFINITY);
    }

    #[test]
    fn functions_reach_every_element() {
        let values: Vec<f32> = (0..7).map(|i| i as f32 * 0.5 - 1.0).collect();
        let check = |apply: fn(&mut [f32]), exact: fn(f32) -> f32| {
            let mut got = values.clone();
            apply(&mut got);
            for (got, &x) in got.iter().zip(&values) {
                assert!((got - exact(x)).abs() < 1e-6, "{x}");
            }
        };
        check(sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
        check(tanh, f32::tanh);
        check(|values| exp_minus(values, 0.5), |x| (x - 0.5).exp());
    }
}
