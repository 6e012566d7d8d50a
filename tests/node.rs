//! The kernels of the wasm build in Node, whose engine is another than the browsers' of the day.

#![cfg(target_arch = "wasm32")]

mod common;

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn matrices_multiply_as_they_are_written() {
    common::check_matrices(3);
}

#[wasm_bindgen_test]
fn logits_are_those_of_every_platform() {
    common::check_logits();
}
