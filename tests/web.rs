//! What only a browser can prove: the SIMD kernels of the wasm build, and the boundary to JavaScript.

#![cfg(target_arch = "wasm32")]

mod common;

use common::{Random, SHIPPED, parts};
use js_sys::{Array, Uint8Array};
use lm_wasm::simd::{Native, Scalar, math};
use lm_wasm::web::Engine;
use lm_wasm::{Model, Session};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_build_has_simd() {
    assert!(cfg!(target_feature = "simd128"), "the flags of .cargo/config.toml are missing");
}

#[wasm_bindgen_test]
fn matrices_multiply_as_they_are_written() {
    common::check_matrices(1);
}

#[wasm_bindgen_test]
fn functions_equal_their_scalar_twins() {
    let random = &mut Random::new(2);
    for len in 0..300 {
        let values: Vec<f32> = (0..len).map(|_| random.float() * 50.0).collect();
        assert_eq!(math::sum_exp::<Native>(&values, 50.0), math::sum_exp::<Scalar>(&values, 50.0));
        for x in values {
            assert_eq!(math::exp_scalar::<Native>(x), math::exp_scalar::<Scalar>(x));
        }
    }
}

#[wasm_bindgen_test]
fn logits_are_those_of_every_platform() {
    common::check_logits();
}

#[wasm_bindgen_test]
fn an_engine_suggests_what_a_session_does() {
    let file = parts(1, SHIPPED).to_bytes().unwrap();
    let model = Model::from_bytes(&file).unwrap();
    let mut session = Session::new(&model);
    let mut engine = Engine::new(Uint8Array::from(&*file)).unwrap();
    for text in ["", "I'm go", "London 👩‍👩‍👧 Źl", "\0"] {
        let expected = session.suggest(&model, text, 3);
        let flat: Array = engine.suggest(text, 3);
        assert_eq!(flat.length() as usize, 1 + 2 * expected.items.len());
        assert_eq!(flat.get(0).as_f64(), Some(expected.prefix.encode_utf16().count() as f64));
        for (at, item) in (0..).zip(&expected.items) {
            assert_eq!(flat.get(1 + 2 * at).as_string().as_ref(), Some(&item.text));
            assert_eq!(flat.get(2 + 2 * at).as_f64(), Some(f64::from(item.probability)));
        }
    }
    assert_eq!(engine.vocabulary_size(), model.vocabulary().words().len());
    assert!(engine.metadata().starts_with("language = en\n"));
}

#[wasm_bindgen_test]
fn damaged_bytes_are_an_error_with_a_code() {
    let mut file = parts(1, SHIPPED).to_bytes().unwrap();
    file[700] ^= 1;
    check_error(file, "corrupt");
    check_error(b"<!doctype html>".to_vec(), "not-a-model");
    check_error(Vec::new(), "not-a-model");
}

fn check_error(bytes: Vec<u8>, code: &str) {
    let error: JsValue = Engine::new(Uint8Array::from(&*bytes)).err().unwrap();
    let text = error.as_string().unwrap();
    let (own, message) = text.split_once('\n').unwrap();
    assert_eq!(own, code);
    assert!(message.contains("model"));
}
