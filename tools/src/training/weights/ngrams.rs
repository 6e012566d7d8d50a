//! Rows that words of like spelling share: a word's row is its own plus the mean of the vectors of its character n-grams
//! (fastText: Bojanowski 2017, equation 2 with a mean). Rare forms of a word learn from the frequent ones; a file holds the
//! sums, so that a model that runs knows nothing of it.

use std::sync::Arc;
use std::thread::{self, available_parallelism};

use burn::tensor::{Device, Int, Tensor};
use lm_wasm::text::Marked;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::training::device::scatters_at_once;
use crate::training::rows::{Rows, indices, scatter_sum};
use crate::training::slices::{give, take};

/// Which n-grams, by a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NgramsConfig {
    /// Characters of the shortest and of the longest.
    #[serde(default = "default_shortest")]
    pub shortest: usize,
    #[serde(default = "default_longest")]
    pub longest: usize,
    /// Vectors. N-grams whose hashes meet share one.
    #[serde(default = "default_vectors")]
    pub vectors: usize,
}

fn default_shortest() -> usize {
    3
}
fn default_longest() -> usize {
    5
}
fn default_vectors() -> usize {
    100_000
}

/// The n-grams of a vocabulary.
#[derive(Clone)]
pub struct Ngrams {
    config: NgramsConfig,
    /// Of each word, the vectors of its n-grams.
    words: Arc<Lists>,
}

/// The vectors that some rows are made of.
pub struct Touched {
    /// Distinct, in ascending order.
    vectors: Vec<u32>,
    /// Of each row, where its vectors stand among those.
    rows: Lists,
}

/// Lists of numbers, one behind the other.
struct Lists {
    numbers: Vec<u32>,
    /// Where each begins; and the end.
    starts: Vec<usize>,
}

impl NgramsConfig {
    /// The vectors of a token's n-grams; none if it has fewer characters than the shortest of them.
    fn vectors_of(self, token: &str) -> Vec<u32> {
        let marked = Marked::new(token);
        let vector = |ngram: &str| (XxHash64::oneshot(0, ngram.as_bytes()) % self.vectors as u64) as u32;
        (self.shortest..=self.longest).flat_map(|length| marked.ngrams(length)).map(vector).collect()
    }
}

impl Ngrams {
    /// Those of these tokens.
    pub fn new<'a>(config: NgramsConfig, tokens: impl Iterator<Item = &'a str>) -> Ngrams {
        let mut words = Lists { numbers: Vec::new(), starts: vec![0] };
        tokens.for_each(|token| words.push(config.vectors_of(token)));
        Ngrams { config, words: words.into() }
    }

    /// How many vectors there are.
    pub fn vectors(&self) -> usize {
        self.config.vectors
    }

    /// The vectors that rows are made of.
    pub fn touched(&self, rows: &Rows) -> Touched {
        let mut touched = Lists { numbers: Vec::new(), starts: vec![0] };
        for place in 0..rows.count(self.words.count()) {
            touched.push(self.words.of(rows.at(place)).iter().copied());
        }
        // A mark for each vector: sorting would take longer than the sums.
        let mut marks = vec![0; self.config.vectors];
        touched.numbers.iter().for_each(|&vector| marks[vector as usize] = 1);
        let vectors: Vec<u32> = (0..).zip(&marks).filter(|(_, mark)| **mark == 1).map(|(vector, _)| vector).collect();
        (0..).zip(&vectors).for_each(|(place, &vector)| marks[vector as usize] = place);
        touched.numbers.iter_mut().for_each(|number| *number = marks[*number as usize]);
        Touched { vectors, rows: touched }
    }
}

impl Touched {
    /// The mean of each row's vectors, taken out of `table`.
    pub fn means(&self, table: &Tensor<2>) -> Tensor<2> {
        let (width, device) = (table.dims()[1], table.device());
        if scatters_at_once(&device) {
            return self.means_at_once(table);
        }
        let vectors = take(Rows::Some(self.vectors.clone()).of(table));
        let mut means = self.rows.sums(&vectors, width);
        self.divide(&mut means, width);
        give(means, [self.rows.count(), width], &device)
    }

    /// The gradient with respect to the vectors, from that of the rows.
    pub fn backward(self, d: Tensor<2>) -> (Tensor<2>, Rows) {
        let (width, device) = (d.dims()[1], d.device());
        if scatters_at_once(&device) {
            return (self.sums_at_once(d), Rows::Some(self.vectors));
        }
        let mut d = take(d);
        self.divide(&mut d, width);
        let sums = self.rows.transposed(self.vectors.len()).sums(&d, width);
        (give(sums, [self.vectors.len(), width], &device), Rows::Some(self.vectors))
    }

    /// Divides each row by the number of its vectors.
    fn divide(&self, rows: &mut [f32], width: usize) {
        for (index, row) in rows.chunks_exact_mut(width).enumerate() {
            let share = self.share(index);
            row.iter_mut().for_each(|x| *x *= share);
        }
    }

    /// [`means`](Self::means) as operations of a device.
    fn means_at_once(&self, table: &Tensor<2>) -> Tensor<2> {
        let device = table.device();
        let vectors = table.clone().select(0, self.numbers(|number| self.vectors[number as usize], &device));
        scatter_sum(vectors, self.lists(&device), self.rows.count()) * self.shares(&device)
    }

    /// The gradient of [`backward`](Self::backward) as operations of a device.
    fn sums_at_once(&self, d: Tensor<2>) -> Tensor<2> {
        let device = d.device();
        let d = (d * self.shares(&device)).select(0, self.lists(&device));
        scatter_sum(d, self.numbers(|number| number, &device), self.vectors.len())
    }

    /// One over the number of a row's vectors.
    fn share(&self, row: usize) -> f32 {
        1.0 / self.rows.of(row).len().max(1) as f32
    }

    /// The same of all rows, `[rows, 1]`.
    fn shares(&self, device: &Device) -> Tensor<2> {
        let rows = self.rows.count();
        give((0..rows).map(|row| self.share(row)).collect(), [rows, 1], device)
    }

    /// What stands in the rows' lists, one behind the other.
    fn numbers(&self, of: impl Fn(u32) -> u32, device: &Device) -> Tensor<1, Int> {
        indices(self.rows.numbers.iter().map(|&number| of(number)), device)
    }

    /// Of each of those numbers the row that it stands in.
    fn lists(&self, device: &Device) -> Tensor<1, Int> {
        let lists = self.rows.starts.windows(2).zip(0..);
        indices(lists.flat_map(|(ends, row)| (ends[0]..ends[1]).map(move |_| row)), device)
    }
}

impl Lists {
    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, list: usize) -> &[u32] {
        &self.numbers[self.starts[list]..self.starts[list + 1]]
    }

    fn push(&mut self, list: impl IntoIterator<Item = u32>) {
        self.numbers.extend(list);
        self.starts.push(self.numbers.len());
    }

    /// Of each number below `count`, the lists that have it.
    fn transposed(&self, count: usize) -> Lists {
        let mut starts = vec![0; count + 1];
        self.numbers.iter().for_each(|&number| starts[number as usize + 1] += 1);
        (0..count).for_each(|number| starts[number + 1] += starts[number]);
        let (mut ends, mut numbers) = (starts.clone(), vec![0; self.numbers.len()]);
        for list in 0..self.count() {
            for &number in self.of(list) {
                let end = &mut ends[number as usize];
                numbers[*end] = list as u32;
                *end += 1;
            }
        }
        Lists { numbers, starts }
    }

    /// The sum of the rows of `table` that each list names; on all cores.
    fn sums(&self, table: &[f32], width: usize) -> Vec<f32> {
        let mut sums = vec![0.0; self.count() * width];
        let share = self.count().div_ceil(available_parallelism().map_or(1, usize::from)).max(1);
        thread::scope(|scope| {
            for (part, sums) in sums.chunks_mut(share * width).enumerate() {
                scope.spawn(move || {
                    for (list, sum) in (part * share..).zip(sums.chunks_exact_mut(width)) {
                        for &row in self.of(list) {
                            let row = &table[row as usize * width..][..width];
                            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
                        }
                    }
                });
            }
        });
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, tensor, values};
    use super::*;

    fn ngrams() -> Ngrams {
        let config = NgramsConfig { shortest: 2, longest: 3, vectors: 1000 };
        Ngrams::new(config, ["ab", "abc", "", "abż"].into_iter())
    }

    #[test]
    fn words_alike_share_vectors() {
        let ngrams = ngrams();
        // "^ab$": ^a ab b$ ^ab ab$; "^abc$": ^a ab bc c$ ^ab abc bc$.
        assert_eq!(ngrams.words.starts, [0, 5, 12, 13, 20]);
        let of = |word| ngrams.words.of(word);
        let shared = |a, b| of(a).iter().filter(|vector| of(b).contains(vector)).count();
        assert_eq!([shared(0, 1), shared(1, 3), shared(0, 2)], [3, 3, 0]);
    }

    #[test]
    fn a_row_has_the_mean_of_its_vectors() {
        let ngrams = ngrams();
        let table: Vec<f32> = (0..2000).map(|i| (i as f32 * 0.7).sin()).collect();
        for rows in [Rows::All, Rows::Some(vec![1, 3])] {
            let touched = ngrams.touched(&rows);
            let means = values(touched.means(&tensor(&table, [1000, 2])));
            assert_close(&values(touched.means_at_once(&tensor(&table, [1000, 2]))), &means);
            let rows = match rows {
                Rows::All => vec![0, 1, 2, 3],
                Rows::Some(rows) => rows,
            };
            let want: Vec<f32> = rows
                .iter()
                .flat_map(|&row| {
                    let vectors = ngrams.words.of(row as usize);
                    [0, 1].map(|column| {
                        vectors.iter().map(|&vector| table[vector as usize * 2 + column]).sum::<f32>()
                            / vectors.len() as f32
                    })
                })
                .collect();
            assert_close(&means, &want);
        }
    }

    #[test]
    fn gradients_match_automatic_differentiation() {
        let ngrams = ngrams();
        let rows = Rows::Some(vec![0, 1, 3]);
        let upstream = tensor(&[0.3, -1.0, 0.2, 0.4, 0.7, -0.6], [3, 2]);
        let at_once = ngrams.touched(&rows).sums_at_once(upstream.clone());
        let (got, touched) = ngrams.touched(&rows).backward(upstream.clone());
        assert_close(&values(at_once), &values(got.clone()));

        let table = Tensor::<2>::from_inner(Tensor::zeros([1000, 2], &upstream.device())).require_grad();
        let means = [0_usize, 1, 3].map(|row| {
            let vectors = ngrams.words.of(row);
            let places = crate::training::rows::indices(vectors.iter().copied(), &table.device());
            table.clone().select(0, places).mean_dim(0)
        });
        let gradients = (Tensor::cat(means.to_vec(), 0) * Tensor::from_inner(upstream)).sum().backward();
        let want = touched.of(&table.grad(&gradients).unwrap());
        assert_close(&values(got), &values(want));
    }
}
