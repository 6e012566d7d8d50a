//! A network that takes over a smaller one and computes the same to begin with: more units, or a wider embedding.
//!
//! As in Net2Net (Chen 2016) training goes on from a function that is kept. Units are not doubled, as there, but new: drawn at random,
//! as large as those that were trained, while what reads them starts at zero. (Weights of few levels take their steps from all weights of
//! an output, so there the function is kept roughly.)

use anyhow::{Result, ensure};
use burn::tensor::Tensor;

use super::slices::{give, take};

/// Puts a parameter of a smaller network, `[rows, columns]`, into its place in the `start` that a larger network drew.
///
/// Columns of `layers.*` are as many blocks as they are times the smaller network's `units`, one for each gate. What is new in a block is
/// `start` times what makes it as large as the rest on average; biases, gains and statistics are the mean of the rest.
pub fn widened(name: &str, small: Tensor<2>, start: &Tensor<2>, units: usize) -> Result<Tensor<2>> {
    let ([rows, columns], shape, kind) = (small.dims(), start.dims(), Kind::of(name));
    let has_gates = matches!(kind, Kind::Weights | Kind::OfUnits) && columns % units == 0;
    let blocks = if has_gates { columns / units } else { 1 };
    ensure!(
        rows <= shape[0]
            && columns <= shape[1]
            && shape[1].is_multiple_of(blocks)
            && (rows == shape[0] || kind.reads_units()),
        "the other run's {name} is {:?}, this model's {shape:?}: it can be taken over by a larger one alone",
        [rows, columns]
    );
    let (width, wide) = (columns / blocks, shape[1] / blocks);
    let small = take(small);
    let mut values = take(start.clone());
    let spread = mean(values.iter().map(|x| x.abs()));
    for block in 0..blocks {
        let old = |row: usize| &small[row * columns + block * width..][..width];
        let size = mean((0..rows).flat_map(|row| old(row).iter().map(|x| x.abs())));
        let share = if spread > 0.0 { size / spread } else { 0.0 };
        for row in 0..shape[0] {
            let (known, new) = values[row * shape[1] + block * wide..][..wide].split_at_mut(width);
            match kind {
                Kind::OfUnits => new.fill(mean(old(row).iter().copied())),
                Kind::Projection => new.fill(0.0),
                Kind::Weights | Kind::Rows => new.iter_mut().for_each(|x| *x *= share),
            }
            if row < rows {
                known.copy_from_slice(old(row));
            } else {
                known.fill(0.0);
            }
        }
    }
    Ok(give(values, shape, &start.device()))
}

/// What a parameter is of a network.
#[derive(Clone, Copy)]
enum Kind {
    /// Weights of a layer: a row each for what is read.
    Weights,
    /// A number or two for each of a layer's units: biases, gains, statistics.
    OfUnits,
    /// What makes a vector of the embedding's width of a layer's output. New columns are zero, those of the rows are random.
    Projection,
    /// Of the tokens, or of what makes vectors of them.
    Rows,
}

impl Kind {
    fn of(name: &str) -> Kind {
        match name.strip_prefix("layers.") {
            Some(name) if name.ends_with(".input") || name.ends_with(".recurrent") => Kind::Weights,
            Some(_) => Kind::OfUnits,
            None if name == "projection" => Kind::Projection,
            None => Kind::Rows,
        }
    }

    /// Whether more units, or a wider embedding, have more rows.
    fn reads_units(self) -> bool {
        matches!(self, Kind::Weights | Kind::Projection)
    }
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0_f64, 0), |(sum, count), x| (sum + f64::from(x), count + 1));
    (sum / f64::from(count.max(1))) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn wide(name: &str, small: &[f32], shape: [usize; 2], to: [usize; 2], units: usize) -> Result<Vec<f32>> {
        let device = Device::flex();
        let start = give(vec![9.0; to[0] * to[1]], to, &device);
        widened(name, give(small.to_vec(), shape, &device), &start, units).map(take)
    }

    #[test]
    fn gates_are_blocks_of_columns() {
        // One unit of two gates becomes two units; the second input is new.
        let weights = wide("layers.0.input", &[1.0, 2.0], [1, 2], [2, 4], 1).unwrap();
        assert_eq!(weights, [1.0, 1.0, 2.0, 2.0, 0.0, 1.0, 0.0, 2.0]);
        // Two units of two gates become three.
        let bias = wide("layers.0.bias", &[1.0, 3.0, -2.0, -4.0], [1, 4], [1, 6], 2).unwrap();
        assert_eq!(bias, [1.0, 3.0, 2.0, -2.0, -4.0, -3.0]);
    }

    #[test]
    fn rows_keep_their_start_and_a_projection_has_none() {
        assert_eq!(wide("embedding", &[1.0, 2.0], [2, 1], [2, 2], 1).unwrap(), [1.0, 1.5, 2.0, 1.5]);
        assert_eq!(wide("projection", &[1.0], [1, 1], [2, 2], 1).unwrap(), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn only_a_larger_network_takes_one_over() {
        let error = wide("embedding", &[1.0, 2.0], [1, 2], [1, 1], 1).unwrap_err().to_string();
        assert!(error.contains("embedding is [1, 2]"), "{error}");
    }
}
