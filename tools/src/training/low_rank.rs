//! Low-rank factorization of a trained embedding (Acharya 2019): `E ~ (E V) V^T` by singular value decomposition, `V` being the
//! right singular vectors of the largest singular values. The narrow table `E V` takes the embedding's place; `V` goes into the
//! matrices beside it, so that no product is added where the table is read.

use burn::tensor::Tensor;
use nalgebra::{DMatrix, SymmetricEigen};

use super::slices::{give, take};

/// The right singular vectors of the `rank` largest singular values, `[columns, rank]`, the largest first.
///
/// They are the eigenvectors of `E^T E`, which has the size of a row squared, however many rows there are.
pub fn directions(table: &Tensor<2>, rank: usize) -> Tensor<2> {
    let columns = table.dims()[1];
    let squares = take(table.clone().transpose().matmul(table.clone()));
    let eigen = SymmetricEigen::new(DMatrix::from_iterator(columns, columns, squares.into_iter().map(f64::from)));
    let mut order: Vec<usize> = (0..columns).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let element = |row: usize, rank: usize| eigen.eigenvectors[(row, order[rank])] as f32;
    let values = (0..columns).flat_map(|row| (0..rank).map(move |rank| (row, rank)));
    give(values.map(|(row, rank)| element(row, rank)).collect(), [columns, rank], &table.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn a_table_of_low_rank_is_kept() {
        let device = Device::flex();
        device.seed(5);
        let random = |shape: [usize; 2]| Tensor::<2>::random(shape, Distribution::Uniform(-1.0, 1.0), &device);
        let table = random([50, 4]).matmul(random([4, 12]));
        let within = |rank: usize| {
            let v = directions(&table, rank);
            let difference: f32 =
                (table.clone().matmul(v.clone()).matmul(v.transpose()) - table.clone()).abs().max().into_scalar();
            difference
        };
        assert!(within(4) < 1e-4, "{}", within(4));
        assert!(within(3) > 0.1);
        // Orthonormal, so that what is projected keeps its length.
        let v = directions(&table, 4);
        let unit: f32 = (v.clone().transpose().matmul(v) - Tensor::eye(4, &device)).abs().max().into_scalar();
        assert!(unit < 1e-5, "{unit}");
    }
}
