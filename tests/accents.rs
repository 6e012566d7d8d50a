//! Plain letters stand for those with diacritics, and nothing else changes.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{SHIPPED, parts, suggest};
use lm_wasm::predict::Personal;
use lm_wasm::text::may_mean;
use lm_wasm::{Model, Session};
use proptest::prelude::*;

fn model() -> Model {
    Model::from_parts(parts(1, SHIPPED)).unwrap()
}

fn texts(text: &str) -> Vec<String> {
    let mut texts: Vec<String> = suggest(&Personal::new(), text, 10).into_iter().map(|item| item.text).collect();
    texts.sort();
    texts
}

#[test]
fn plain_letters_lead_to_words_with_diacritics() {
    assert_eq!(texts("we zaz"), ["zażółć"]);
    assert_eq!(texts("we zazolc"), ["zażółć"], "as a whole, too");
    assert_eq!(texts("we z"), ["zażółć", "źle"]);
    assert_eq!(texts("we Zl"), ["Źle"]);
    assert_eq!(texts("we ZL"), ["ŹLE"]);
    assert_eq!(texts("we strasse"), ["straße"]);
}

#[test]
fn a_letter_typed_with_its_mark_is_meant() {
    assert_eq!(texts("we ź"), ["źle"]);
    assert_eq!(texts("we zażo"), ["zażółć"]);
    assert_eq!(texts("we ża"), [""; 0]);
    assert_eq!(texts("we źle"), [""; 0], "what is typed is no suggestion");
}

#[test]
fn personal_words_are_found_so_too() {
    let mut personal = Personal::new();
    for _ in 0..3 {
        personal.learn("we saw Łódź");
    }
    let texts: Vec<String> = suggest(&personal, "a lod", 3).into_iter().map(|item| item.text).collect();
    assert_eq!(texts, ["Łódź"]);
}

#[test]
fn a_blocked_word_is_not_found_so_either() {
    let mut personal = Personal::new();
    personal.block("źle");
    assert_eq!(suggest(&personal, "we zl", 3), []);
}

#[test]
fn probabilities_are_those_of_all_words_that_may_be_meant() {
    // "z" begins one word and stands for the beginning of another.
    let items = suggest(&Personal::new(), "we z", 10);
    let sum: f32 = items.iter().map(|item| item.probability).sum();
    assert!((sum - 1.0).abs() < 1e-4, "{items:?}");

    let model = model();
    let mut session = Session::new(&model);
    session.suggest(&model, "we z", 3);
    let mut probability = |word| session.log_probability(&model, model.vocabulary().exact(word).unwrap()).exp();
    let ratio = probability("źle") / probability("zażółć");
    let of = |word: &str| items.iter().find(|item| item.text == word).unwrap().probability;
    assert!((of("źle") / of("zażółć") / ratio - 1.0).abs() < 1e-3);
}

proptest! {
    #[test]
    fn the_words_are_found_that_a_look_at_every_word_finds(prefix in "[zaólcźżłgo]{1,4}") {
        let model = model();
        let vocabulary = model.vocabulary();
        let mut found: Vec<u32> = vocabulary.meant_by(&prefix).into_iter().flatten().collect();
        found.sort();
        let numbers = vocabulary.words().start..vocabulary.len() as u32 + common::RARE.len() as u32;
        let wanted: Vec<u32> = numbers.filter(|&row| may_mean(&prefix, &vocabulary.name(row))).collect();
        prop_assert_eq!(found, wanted);
    }
}
