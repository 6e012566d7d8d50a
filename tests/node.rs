//! The kernels of the wasm build in Node, whose engine is another than the browsers' of the day.

#![cfg(target_arch = "wasm32")]

mod common;

use common::{ENCODINGS, Random, check_matrix, tensor};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn matrices_multiply_as_they_are_written() {
    let random = &mut Random::new(3);
    for _ in 0..200 {
        let (rows, cols) = (1 + random.below(150), 1 + random.below(200));
        for encoding in ENCODINGS {
            let tensor = tensor(random, encoding, rows, cols);
            check_matrix(random, &tensor);
        }
    }
}

#[wasm_bindgen_test]
fn logits_are_those_of_every_platform() {
    common::check_logits();
}
