//! Words beyond the vocabulary: `<unk>` in a text, but offered like any other word.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{RARE, SHIPPED, parts, suggest};
use lm_wasm::predict::{Blend, Personal, known_words};
use lm_wasm::text::{UNKNOWN, may_mean};
use lm_wasm::{Model, Session};
use proptest::prelude::*;

fn model() -> Model {
    Model::from_parts(parts(1, SHIPPED)).unwrap()
}

#[test]
fn what_the_unknown_word_gets_is_shared_out() {
    let model = model();
    let mut session = Session::new(&model);
    session.set_context(&model, &[5, 6]);
    let unknown = session.log_probability(&model, UNKNOWN);
    for (word, level) in RARE {
        let number = model.vocabulary().find(word).unwrap();
        let share = session.log_probability(&model, number) - unknown;
        let wanted = -1.5 - f32::from(level) * std::f32::consts::LN_2;
        assert!((share - wanted).abs() < 1e-5, "{word}: {share}");
    }
}

#[test]
fn they_are_offered_by_what_is_typed() {
    let texts =
        |text: &str| -> Vec<String> { suggest(&Personal::new(), text, 4).into_iter().map(|item| item.text).collect() };
    assert_eq!(texts("we v"), ["vółka", "vole", "vowel", "vacuole"]);
    assert_eq!(texts("we VOW"), ["VOWEL"]);
    assert_eq!(texts("Vol"), ["Vółka", "Vole"], "a plain letter stands for one with a diacritic");
    assert_eq!(texts("we vole"), [""; 0], "what is typed is no suggestion");
    assert!(texts("we ").iter().all(|text| !RARE.iter().any(|(word, _)| text == word)), "nothing is typed of them");
}

#[test]
fn one_that_is_learned_is_counted_once() {
    let mut personal = Personal::new();
    for _ in 0..30 {
        personal.learn("we saw vacuole");
    }
    let items = suggest(&personal, "we saw v", 4);
    assert_eq!(items[0].text, "vacuole");
    let sum: f32 = items.iter().map(|item| item.probability).sum();
    assert!(items.len() == 4 && (sum - 1.0).abs() < 1e-4, "{items:?}");
    personal.block("vacuole");
    assert!(suggest(&personal, "we saw v", 4).iter().all(|item| item.text != "vacuole"));
}

#[test]
fn one_that_is_learned_is_written_as_its_writer_does() {
    let mut personal = Personal::new();
    for _ in 0..3 {
        personal.learn("we saw McVole");
        personal.learn("we saw VaCuole");
    }
    // The model has "vacuole" in lower case alone.
    let texts: Vec<String> = suggest(&personal, "we saw vac", 3).into_iter().map(|item| item.text).collect();
    assert_eq!(texts, ["VaCuole"]);
}

#[test]
fn a_model_knows_their_language() {
    assert!(known_words(&model(), "vole vowel ") > known_words(&model(), "vole zzz "));
}

proptest! {
    #[test]
    fn the_best_are_those_of_a_plain_search(
        tokens in prop::collection::vec(0u32..22, 0..5),
        prefix in "[voówlłz]{0,3}",
        k in 0usize..9,
        exclude in 0u32..40,
    ) {
        let model = model();
        let vocabulary = model.vocabulary();
        let mut session = Session::new(&model);
        session.set_context(&model, &tokens);
        let numbers = 0..(vocabulary.len() + RARE.len()) as u32;
        let words = vocabulary.meant_by(&prefix);
        let is_meant = |number: u32| match prefix.as_str() {
            "" => number < vocabulary.len() as u32,
            _ => number >= vocabulary.words().start && may_mean(&prefix, &vocabulary.name(number)),
        };
        let mut all: Vec<(u32, f64)> = numbers
            .filter(|&number| is_meant(number))
            .map(|number| (number, f64::from(session.log_probability(&model, number)).exp()))
            .collect();
        let mass: f64 = all.iter().map(|(_, probability)| probability).sum();
        all.retain(|&(number, _)| number != exclude && vocabulary.is_offered(number));
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(k);
        let best = session.top_k(&model, &words, k, Some(exclude));
        prop_assert_eq!(best.len(), all.len());
        for ((_, probability), (number, wanted)) in best.into_iter().zip(all) {
            prop_assert!((f64::from(probability) - wanted / mass).abs() < 1e-5, "{}", vocabulary.name(number));
        }
    }
}

#[test]
fn a_blend_without_personal_words_is_the_session() {
    let model = model();
    let plain = Session::new(&model).suggest(&model, "we v", 3);
    let blended = Blend::default().suggest(&mut Session::new(&model), &model, &Personal::new(), "we v", 3);
    assert_eq!(plain, blended);
}
