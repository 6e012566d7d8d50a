//! One matrix times one vector.

use lm_wasm::nn::{Activations, Matrix};
use wasm_bindgen::prelude::*;

use crate::synthetic::{Random, tensor};

/// A random matrix and a random vector, which is quantized anew for each product.
#[wasm_bindgen]
pub struct Kernel {
    matrix: Matrix,
    values: Vec<f32>,
    x: Activations,
    out: Vec<f32>,
}

#[wasm_bindgen]
impl Kernel {
    /// `encoding`: f32, ternary, 4-bit or 8-bit; `bits`: of the activations, those of models if none.
    #[wasm_bindgen(constructor)]
    pub fn new(encoding: &str, bits: Option<u32>, rows: usize, cols: usize) -> Result<Kernel, JsError> {
        let random = &mut Random(1);
        let matrix = Matrix::new(&tensor(random, encoding, rows, cols))?;
        let x = Activations::with_bits(&matrix, bits);
        let values = (0..cols).map(|_| random.float()).collect();
        Ok(Kernel { matrix, values, x, out: vec![0.0; rows] })
    }

    /// Multiplies so many times.
    pub fn run(&mut self, times: u32) -> f32 {
        for _ in 0..times {
            self.x.set(&self.values);
            self.matrix.matvec(&self.x, &mut self.out);
            // The next vector depends on this product, so none can be left out.
            self.values[0] = self.out[0].clamp(-1.0, 1.0);
        }
        self.out[0]
    }
}

/// So many operations, each of which waits for the one before and takes a cycle: what the clock is found by.
#[wasm_bindgen]
pub fn spin(operations: u32) -> u32 {
    let mut x = operations;
    for i in 0..operations / 16 {
        for rotation in [5, 7, 9, 11, 3, 13, 6, 17] {
            x = x.rotate_left(rotation) ^ i;
        }
    }
    x
}

/// Memory that is read from one end to the other, as large weights are.
#[wasm_bindgen]
pub struct Stream {
    data: Vec<u32>,
}

#[wasm_bindgen]
impl Stream {
    /// So many bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: usize) -> Stream {
        Stream { data: (0..bytes as u32 / 4).collect() }
    }

    /// Reads all of it so many times, with nothing to do but a sum.
    pub fn run(&mut self, times: u32) -> u32 {
        for _ in 0..times {
            // The next sum depends on this one, so none can be left out.
            self.data[0] = self.data.iter().fold(0, |sum: u32, &word| sum.wrapping_add(word));
        }
        self.data[0]
    }
}
