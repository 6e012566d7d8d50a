//! The projection input (Ravi 2017): a small layer over the codes of the tokens' spellings stands in for the embedding.
//!
//! A token's vector is `tanh(s W + b)`, `s` being 1 for each bit of its code that is set and -1 for each other. The codes are
//! those of the core ([`Lsh::code`]) and are not trained.

use burn::tensor::{Device, Tensor};
use lm_wasm::format::Lsh;
use rand::rngs::StdRng;

use super::adam::Parameter;
use super::rows::Rows;
use super::slices::give;
use super::weights::{Computed, Matrix};

/// Tokens whose signs are written out at once where all vectors are computed.
const CHUNK: usize = 4096;

/// Where the layer stands among the parameters, and what it reads.
pub struct LshPlaces {
    /// `[bits, embedding]`
    pub weights: Matrix,
    /// `[1, embedding]`
    pub bias: usize,
    pub lsh: Lsh,
    /// The codes of all rows, one after the other.
    codes: Vec<u64>,
}

/// What the backward pass needs.
pub struct LshTape {
    computed: Computed,
    signs: Tensor<2>,
    vectors: Tensor<2>,
}

impl LshPlaces {
    /// The layer of these parameters for a vocabulary of these tokens.
    pub fn new<'a>(weights: Matrix, bias: usize, lsh: Lsh, tokens: impl Iterator<Item = &'a str>) -> LshPlaces {
        let words = lsh.bits / 64;
        let mut codes = Vec::new();
        for token in tokens {
            let end = codes.len() + words;
            codes.resize(end, 0);
            lsh.code(token, &mut codes[end - words..]);
        }
        LshPlaces { weights, bias, lsh, codes }
    }

    /// The signs of some rows, `[rows, bits]`.
    fn signs(&self, rows: impl ExactSizeIterator<Item = usize>, device: &Device) -> Tensor<2> {
        let (count, words) = (rows.len(), self.lsh.bits / 64);
        let mut signs = Vec::with_capacity(count * self.lsh.bits);
        for code in rows.flat_map(|row| &self.codes[row * words..(row + 1) * words]) {
            signs.extend((0..64).map(|bit| if code >> bit & 1 == 1 { 1.0 } else { -1.0 }));
        }
        give(signs, [count, self.lsh.bits], device)
    }

    /// The vectors of some rows, and what the backward pass needs.
    pub fn forward(
        &self,
        parameters: &[Parameter],
        rows: &Rows,
        quantized: bool,
        random: Option<&mut StdRng>,
    ) -> (Tensor<2>, LshTape) {
        let computed = self.weights.compute(parameters, &Rows::All, quantized, random);
        let bias = &parameters[self.bias].value;
        let rows = (0..rows.count(self.rows())).map(|place| rows.at(place));
        let signs = self.signs(rows, &bias.device());
        let vectors = vectors(&signs, &computed.weights, bias);
        (vectors.clone(), LshTape { computed, signs, vectors })
    }

    /// The gradients of the parameters, by their places, from that of the vectors.
    pub fn backward(&self, tape: LshTape, d: Tensor<2>) -> Vec<(usize, Tensor<2>, Rows)> {
        let LshTape { computed, signs, vectors } = tape;
        let d = d * (vectors.clone() * vectors).neg().add_scalar(1.0);
        let mut gradients = self.weights.backward(computed, signs.transpose().matmul(d.clone()), &Rows::All);
        gradients.push((self.bias, d.sum_dim(0), Rows::All));
        gradients
    }

    /// The vectors of all rows.
    pub fn all(&self, parameters: &[Parameter], quantized: bool) -> Tensor<2> {
        let weights = self.weights.compute(parameters, &Rows::All, quantized, None).weights;
        let bias = &parameters[self.bias].value;
        let rows = self.rows();
        let chunk = |start: usize| vectors(&self.signs(start..rows.min(start + CHUNK), &bias.device()), &weights, bias);
        Tensor::cat((0..rows).step_by(CHUNK).map(chunk).collect(), 0)
    }

    /// Tokens of the vocabulary.
    fn rows(&self) -> usize {
        self.codes.len() * 64 / self.lsh.bits
    }
}

fn vectors(signs: &Tensor<2>, weights: &Tensor<2>, bias: &Tensor<2>) -> Tensor<2> {
    (signs.clone().matmul(weights.clone()) + bias.clone()).tanh()
}
