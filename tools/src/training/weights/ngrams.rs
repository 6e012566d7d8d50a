//! Rows that words of like spelling share: a word's row is its own plus the mean of the vectors of its character n-grams
//! (fastText: Bojanowski 2017, equation 2 with a mean). Rare forms of a word learn from the frequent ones; a file holds the
//! sums, so that a model that runs knows nothing of it.

use std::sync::Arc;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::training::rows::Rows;
use crate::training::slices::{give, take};

/// Stand before and behind a word, so that n-grams tell its ends from its middle.
const ENDS: [char; 2] = ['\u{2}', '\u{3}'];

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
    /// Vectors of all words, one word after the other.
    vectors: Arc<[u32]>,
    /// Where each word's begin; and the end.
    starts: Arc<[usize]>,
}

/// The vectors that some rows are made of.
pub struct Touched {
    /// Distinct.
    rows: Rows,
    /// Of each row in turn, where its vectors stand among those, and how many they are.
    places: Vec<u32>,
    counts: Vec<usize>,
}

impl NgramsConfig {
    /// The vectors of a token's n-grams; none if it has fewer characters than the shortest of them.
    fn vectors_of(self, token: &str) -> Vec<u32> {
        let [first, last] = ENDS;
        let marked: String = [first].into_iter().chain(token.chars()).chain([last]).collect();
        let ends: Vec<usize> = marked.char_indices().map(|(at, _)| at).chain([marked.len()]).collect();
        let vector = |ngram: &str| (XxHash64::oneshot(0, ngram.as_bytes()) % self.vectors as u64) as u32;
        let of_length = |length: usize| ends.windows(length + 1).map(move |ends| ends[0]..ends[length]);
        (self.shortest..=self.longest).flat_map(of_length).map(|range| vector(&marked[range])).collect()
    }
}

impl Ngrams {
    /// Those of these tokens.
    pub fn new<'a>(config: NgramsConfig, tokens: impl Iterator<Item = &'a str>) -> Ngrams {
        let (mut vectors, mut starts) = (Vec::new(), vec![0]);
        for token in tokens {
            vectors.extend(config.vectors_of(token));
            starts.push(vectors.len());
        }
        Ngrams { config, vectors: vectors.into(), starts: starts.into() }
    }

    /// How many vectors there are.
    pub fn vectors(&self) -> usize {
        self.config.vectors
    }

    /// The vectors that rows are made of.
    pub fn touched(&self, rows: &Rows) -> Touched {
        let of = |row: usize| &self.vectors[self.starts[row]..self.starts[row + 1]];
        let rows: Vec<usize> = match rows {
            Rows::All => (0..self.starts.len() - 1).collect(),
            Rows::Some(rows) => rows.iter().map(|&row| row as usize).collect(),
        };
        let all: Vec<u32> = rows.iter().flat_map(|&row| of(row)).copied().collect();
        let distinct = Rows::distinct(all.clone());
        Touched {
            places: distinct.positions(&all),
            rows: distinct,
            counts: rows.iter().map(|&row| of(row).len()).collect(),
        }
    }
}

impl Touched {
    /// The mean of each row's vectors, taken out of `table`.
    pub fn means(&self, table: &Tensor<2>) -> Tensor<2> {
        let (width, device) = (table.dims()[1], table.device());
        let vectors = take(self.rows.of(table));
        let mut means = vec![0.0; self.counts.len() * width];
        self.each(&mut means, width, |mean, place, share| {
            let vector = &vectors[place * width..][..width];
            mean.iter_mut().zip(vector).for_each(|(mean, x)| *mean += x * share);
        });
        give(means, [self.counts.len(), width], &device)
    }

    /// The gradient with respect to the vectors, from that of the rows.
    pub fn backward(self, d: Tensor<2>) -> (Tensor<2>, Rows) {
        let (width, device) = (d.dims()[1], d.device());
        let Rows::Some(rows) = &self.rows else { unreachable!("vectors are told one by one") };
        let mut vectors = vec![0.0; rows.len() * width];
        self.each(&mut take(d), width, |d, place, share| {
            let vector = &mut vectors[place * width..][..width];
            vector.iter_mut().zip(d).for_each(|(x, d)| *x += *d * share);
        });
        (give(vectors, [rows.len(), width], &device), self.rows)
    }

    /// Goes over the vectors of each row, which are told by their place and their share in the mean.
    fn each(&self, rows: &mut [f32], width: usize, mut visit: impl FnMut(&mut [f32], usize, f32)) {
        let mut places = self.places.iter();
        for (row, &count) in rows.chunks_exact_mut(width).zip(&self.counts) {
            places.by_ref().take(count).for_each(|&place| visit(row, place as usize, 1.0 / count as f32));
        }
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
        assert_eq!(ngrams.starts[..], [0, 5, 12, 13, 20]);
        let of = |word: usize| ngrams.vectors[ngrams.starts[word]..ngrams.starts[word + 1]].to_vec();
        let shared = |a: usize, b: usize| of(a).iter().filter(|vector| of(b).contains(vector)).count();
        assert_eq!([shared(0, 1), shared(1, 3), shared(0, 2)], [3, 3, 0]);
    }

    #[test]
    fn a_row_has_the_mean_of_its_vectors() {
        let ngrams = ngrams();
        let table: Vec<f32> = (0..2000).map(|i| (i as f32 * 0.7).sin()).collect();
        for rows in [Rows::All, Rows::Some(vec![1, 3])] {
            let means = values(ngrams.touched(&rows).means(&tensor(&table, [1000, 2])));
            let rows = match rows {
                Rows::All => vec![0, 1, 2, 3],
                Rows::Some(rows) => rows,
            };
            let want: Vec<f32> = rows
                .iter()
                .flat_map(|&row| {
                    let vectors = &ngrams.vectors[ngrams.starts[row as usize]..ngrams.starts[row as usize + 1]];
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
        let (got, touched) = ngrams.touched(&rows).backward(upstream.clone());

        let table = Tensor::<2>::from_inner(Tensor::zeros([1000, 2], &upstream.device())).require_grad();
        let means = [0_usize, 1, 3].map(|row| {
            let vectors = &ngrams.vectors[ngrams.starts[row]..ngrams.starts[row + 1]];
            let places = crate::training::rows::indices(vectors.iter().copied(), &table.device());
            table.clone().select(0, places).mean_dim(0)
        });
        let gradients = (Tensor::cat(means.to_vec(), 0) * Tensor::from_inner(upstream)).sum().backward();
        let want = touched.of(&table.grad(&gradients).unwrap());
        assert_close(&values(got), &values(want));
    }
}
