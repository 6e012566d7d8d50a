//! Biases are added as the file has them: as floats they would take four times the memory.

use std::ops::Range;

use crate::format::Bias;
use crate::simd::{Native, dense, unset};

/// Elements that are made floats at a time.
const BLOCK: usize = 64;

/// Adds the elements of a range to as many sums and returns the largest of those, minus infinity if there is none.
pub fn add_and_max(bias: &Bias, range: Range<usize>, sums: &mut [f32]) -> f32 {
    match bias {
        Bias::F32(values) => dense::add_and_max::<Native>(sums, &values[range]),
        Bias::U8 { min, step, values } => {
            let mut max = f32::NEG_INFINITY;
            for (sums, values) in sums.chunks_mut(BLOCK).zip(values[range].chunks(BLOCK)) {
                let mut floats = unset::<_, BLOCK>();
                floats.iter_mut().zip(values).for_each(|(float, &value)| *float = min + step * f32::from(value));
                let more = dense::add_and_max::<Native>(sums, &floats[..sums.len()]);
                max = if more > max { more } else { max };
            }
            max
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn biases_are_added_and_the_largest_sum_is_told() {
        let values: Vec<u8> = (0..200).map(|at| (at * 37 % 251) as u8).collect();
        let eight_bits = Bias::U8 { min: -3.0, step: 0.125, values };
        for bias in [Bias::F32(eight_bits.to_f32()), eight_bits] {
            for range in [0..200, 3..70, 64..130, 199..200, 5..5] {
                let before: Vec<f32> = range.clone().map(|at| (at * 29 % 17) as f32).collect();
                let floats = bias.to_f32();
                let wanted: Vec<f32> = before.iter().zip(&floats[range.clone()]).map(|(x, y)| x + y).collect();
                let mut sums = before.clone();
                let max = add_and_max(&bias, range, &mut sums);
                assert_eq!(sums, wanted);
                assert_eq!(max, wanted.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            }
        }
    }
}
