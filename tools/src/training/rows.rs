//! The rows of a table that one training step touches.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

/// Some rows of a table, in ascending order, or all of them.
#[derive(Clone)]
pub enum Rows {
    /// Every row.
    All,
    /// These rows.
    Some(Vec<u32>),
}

/// Indices as a tensor.
pub fn indices(values: impl IntoIterator<Item = u32>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = values.into_iter().map(|value| value as i32).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

impl Rows {
    /// The distinct ones of `rows`.
    pub fn distinct(rows: &[u32]) -> Rows {
        // A mark for each row up to the last: sorting takes longer.
        let mut marks = vec![false; rows.iter().max().map_or(0, |&last| last as usize + 1)];
        rows.iter().for_each(|&row| marks[row as usize] = true);
        Rows::Some((0..).zip(marks).filter_map(|(row, marked)| marked.then_some(row)).collect())
    }

    /// How many they are, of a table of `all`.
    pub fn count(&self, all: usize) -> usize {
        match self {
            Rows::All => all,
            Rows::Some(rows) => rows.len(),
        }
    }

    /// The row at a place among them.
    pub fn at(&self, place: usize) -> usize {
        match self {
            Rows::All => place,
            Rows::Some(rows) => rows[place] as usize,
        }
    }

    /// Takes the rows out of a table.
    pub fn of(&self, table: &Tensor<2>) -> Tensor<2> {
        match self {
            Rows::All => table.clone(),
            Rows::Some(rows) => table.clone().select(0, indices(rows.iter().copied(), &table.device())),
        }
    }

    /// Where among the rows taken out those of `wanted`, which must be among them, stand.
    pub fn positions(&self, wanted: &[u32]) -> Vec<u32> {
        match self {
            Rows::All => wanted.to_vec(),
            Rows::Some(rows) => {
                let mut places = vec![0; rows.last().map_or(0, |&last| last as usize + 1)];
                (0..).zip(rows).for_each(|(place, &row)| places[row as usize] = place);
                wanted.iter().map(|&row| places[row as usize]).collect()
            }
        }
    }

    /// The same as a tensor.
    pub fn places(&self, wanted: &[u32], device: &Device) -> Tensor<1, Int> {
        indices(self.positions(wanted), device)
    }

    /// Adds `change` to these rows of a table.
    pub fn add_to(&self, table: Tensor<2>, change: Tensor<2>) -> Tensor<2> {
        match self {
            Rows::All => table + change,
            Rows::Some(rows) => {
                let places = indices(rows.iter().copied(), &table.device());
                table.select_assign(0, places, change, IndexingUpdateOp::Add)
            }
        }
    }
}

/// Sums rows of `values` into a table of `rows` rows, row `i` into row `places[i]`.
pub fn scatter_sum(values: Tensor<2>, places: Tensor<1, Int>, rows: usize) -> Tensor<2> {
    let columns = values.dims()[1];
    Tensor::zeros([rows, columns], &values.device()).select_assign(0, places, values, IndexingUpdateOp::Add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn take_and_put_back() {
        let device = Device::flex();
        let table = Tensor::<2>::from_floats([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5], [3.0, 3.5]], &device);
        let rows = Rows::distinct(&[3, 1, 3]);
        assert_eq!(rows.of(&table).into_data().try_into_vec::<f32>().unwrap(), [1.0, 1.5, 3.0, 3.5]);
        assert_eq!(rows.positions(&[3, 1]), [1, 0]);
        assert_eq!((rows.count(4), rows.at(1)), (2, 3));
        assert_eq!((Rows::All.count(4), Rows::All.at(1)), (4, 1));
        let none = Rows::distinct(&[]);
        assert_eq!((none.count(4), none.positions(&[])), (0, vec![]));
        let changed = rows.add_to(table, Tensor::ones([2, 2], &device));
        assert_eq!(changed.into_data().try_into_vec::<f32>().unwrap(), [0.0, 0.5, 2.0, 2.5, 2.0, 2.5, 4.0, 4.5]);
    }

    #[test]
    fn duplicates_are_summed() {
        let device = Device::flex();
        let values = Tensor::<2>::from_floats([[1.0], [2.0], [4.0]], &device);
        let sums = scatter_sum(values, indices([1, 0, 1], &device), 3);
        assert_eq!(sums.into_data().try_into_vec::<f32>().unwrap(), [2.0, 5.0, 0.0]);
    }
}
