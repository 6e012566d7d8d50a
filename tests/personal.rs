//! Personal words: what is learned is suggested, fades, stays within its bounds, and comes back as it was.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{SHIPPED, parts, suggest};
use lm_wasm::predict::{HALF_LIFE, MAX_BLOCKED, MAX_PAIRS, MAX_WORDS, Personal};
use lm_wasm::{Error, Model, Session};
use proptest::prelude::*;

fn model() -> Model {
    Model::from_parts(parts(1, SHIPPED)).unwrap()
}

fn texts(personal: &Personal, text: &str, k: usize) -> Vec<String> {
    suggest(personal, text, k).into_iter().map(|item| item.text).collect()
}

/// Learns each word of a text in turn, as it is typed.
fn learn(personal: &mut Personal, text: &str) {
    for (end, _) in text.match_indices(' ').chain([(text.len(), "")]) {
        personal.learn(&text[..end]);
    }
}

fn learned(times: usize, text: &str) -> Personal {
    let mut personal = Personal::new();
    (0..times).for_each(|_| learn(&mut personal, text));
    personal
}

#[test]
fn nothing_learned_changes_nothing() {
    let model = model();
    for text in ["", "we go", "we xyz", "12"] {
        let expected = Session::new(&model).suggest(&model, text, 3).items;
        assert_eq!(suggest(&Personal::new(), text, 3), expected);
    }
}

#[test]
fn a_word_that_the_model_does_not_know_is_suggested_from_its_second_use() {
    let mut personal = learned(1, "we see Quokkas");
    assert_eq!(texts(&personal, "a quo", 3), [""; 0], "once may be a slip");
    learn(&mut personal, "we see Quokkas");
    assert_eq!(texts(&personal, "a quo", 3), ["Quokkas"]);
    assert_eq!(texts(&personal, "a QUO", 3), ["QUOKKAS"]);
    assert!(texts(&personal, "we see ", 20).contains(&"Quokkas".to_string()));
    assert_eq!(texts(&personal, "a Quokkas", 3), [""; 0], "what is typed is no suggestion");
}

#[test]
fn a_pair_that_is_used_rises() {
    let place = |texts: &[String], word: &str| texts.iter().position(|text| text == word).unwrap();
    let before = texts(&Personal::new(), "the ", 20);
    let last = before.last().unwrap().clone();
    let personal = learned(40, &format!("and the {last}"));
    let after = texts(&personal, "the ", 20);
    assert!(place(&after, &last) < place(&before, &last), "{last}: {before:?} {after:?}");
}

#[test]
fn spelling_is_that_of_the_last_use_and_not_of_a_sentence_start() {
    let mut personal = learned(2, "we saw bob");
    assert_eq!(texts(&personal, "a bo", 1), ["bob"]);
    learn(&mut personal, "we saw Bob");
    assert_eq!(texts(&personal, "a bo", 1), ["Bob"]);
    let personal = learned(2, "Quokkas");
    assert_eq!(texts(&personal, "a quo", 1), ["quokkas"]);
    assert!(texts(&personal, "", 20).contains(&"Quokkas".to_string()));
}

#[test]
fn numbers_codes_and_long_runs_are_not_learned() {
    let mut personal = Personal::new();
    for text in ["", "we ", "4111111111111111", "a1b2c3", "…", &"x".repeat(60), "we 7"] {
        assert_eq!(personal.learn(text), None, "{text:?}");
    }
    assert!(personal.is_empty());
}

#[test]
fn what_is_given_back_teaches_the_same() {
    let texts = ["Long before, we saw", "Yes. Indeed", "one, two", "the dogs'", "3 apples", "don’t"];
    let mut personal = Personal::new();
    let given: Vec<String> = texts.iter().map(|text| personal.learn(text).unwrap()).collect();
    let mut again = Personal::new();
    for text in &given {
        assert_eq!(again.learn(text).as_ref(), Some(text));
    }
    assert_eq!(again, personal);
    assert_eq!(given, ["we saw", "Indeed", ", two", "the dogs", ", apples", "don’t"]);
}

#[test]
fn forgotten_and_blocked_words_are_gone() {
    let mut personal = learned(3, "we see quokkas go");
    personal.forget("QUOKKAS");
    assert_eq!(texts(&personal, "a quo", 3), [""; 0]);
    assert!(!personal.export().contains("quokkas"), "its pairs are gone too");

    assert!(texts(&personal, "we go", 3).contains(&"going".to_string()));
    personal.block("Going");
    assert_eq!(texts(&personal, "we go", 3), ["good"], "the place is given to the next one");
    assert_eq!(texts(&personal, "we Go", 3), ["Good"]);
    personal.unblock("going");
    assert!(texts(&personal, "we go", 3).contains(&"going".to_string()));
}

#[test]
fn words_that_are_never_offered_are_not_offered_for_being_used() {
    let personal = learned(9, "we are gone");
    assert!(!texts(&personal, "we are go", 5).contains(&"gone".to_string()));
}

#[test]
fn what_is_not_used_fades() {
    let mut personal = learned(2, "we see quokkas");
    learn(&mut personal, "and ".repeat(HALF_LIFE).trim_end());
    assert_eq!(texts(&personal, "a quo", 3), [""; 0], "two uses weigh one by now");
    learn(&mut personal, "we see quokkas");
    assert_eq!(texts(&personal, "a quo", 3), ["quokkas"]);
}

#[test]
fn the_bounds_hold_and_what_is_used_most_stays() {
    let mut personal = Personal::new();
    let name = |mut n: usize| {
        let mut name = String::from("q");
        while n > 0 {
            name.push((b'a' + (n % 26) as u8) as char);
            n /= 26;
        }
        name
    };
    for n in 0..3 * MAX_PAIRS {
        personal.learn(&format!("{} {}", name(n % 1000), name(n)));
        if n % 1000 == 0 {
            learn(&mut personal, "my favourite");
        }
    }
    assert!(personal.word_count() <= MAX_WORDS && personal.word_count() > MAX_WORDS / 2);
    assert!(personal.pair_count() <= MAX_PAIRS && personal.pair_count() > MAX_PAIRS / 2);
    assert_eq!(texts(&personal, "my fav", 1), ["favourite"]);
}

#[test]
fn text_that_is_none_of_ours_is_refused_with_its_line() {
    let mut personal = learned(2, "we see quokkas");
    let before = personal.clone();
    let header = "lm-wasm personal words 1";
    for (text, line) in [
        ("".to_string(), 1),
        ("<!doctype html>".to_string(), 1),
        (format!("{header}\nword\t1000"), 2),
        (format!("{header}\nblock\tx\nword\tmany\tcat"), 3),
        (format!("{header}\nword\t-1\tcat"), 2),
        (format!("{header}\nword\t1\t{}", "x".repeat(200)), 2),
        (format!("{header}\nword\t0\tcat"), 2),
        (format!("{header}\npair\t1\tcat\t12"), 2),
        (format!("{header}\nblock\t"), 2),
        (
            format!("{header}{}", "\nblock\tcat".repeat(MAX_WORDS + MAX_PAIRS + MAX_BLOCKED + 1)),
            MAX_WORDS + MAX_PAIRS + MAX_BLOCKED + 2,
        ),
        (format!("{header}\n\n"), 2),
    ] {
        match personal.import(&text) {
            Err(Error::PersonalWords { line: found, .. }) => assert_eq!(found, line, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
        assert_eq!(personal, before);
    }
}

#[test]
fn codes_are_neither_learned_nor_in_the_way_of_an_import() {
    let mut personal = learned(2, "my mp3 player");
    personal.block("PS4");
    let text = personal.export();
    assert!(!text.contains("mp3"), "{text}");
    // As an earlier version wrote it.
    let text = format!("{text}pair\t1000\tmp3\tplayer\n");
    let mut again = Personal::new();
    again.import(&text).unwrap();
    assert_eq!(again.export(), personal.export());
    assert!(again.is_blocked("ps4"));
}

#[test]
fn a_word_typed_with_a_typographic_apostrophe_is_no_suggestion() {
    let personal = learned(3, "we don't go");
    assert_eq!(texts(&personal, "we don\u{2019}", 1), ["don't"]);
    assert_eq!(texts(&personal, "we don\u{2019}t", 3), [""; 0]);
}

#[test]
fn many_words_of_one_weight_are_cut_and_summed_up() {
    let words = |count: usize| (0..count).map(|at| format!("word\t2000\t{}\n", letters(at))).collect::<String>();
    let mut personal = Personal::new();
    personal.import(&format!("lm-wasm personal words 1\n{}", words(2 * MAX_WORDS))).unwrap();
    assert_eq!(personal.word_count(), MAX_WORDS);
    let before = suggest(&personal, "we aaaa", 100);
    assert_eq!(before.len(), 10);
    // It sums up anew what is there.
    personal.forget("nothing");
    assert_eq!(suggest(&personal, "we aaaa", 100), before);
}

/// A word of the letters `a` to `j`.
fn letters(number: usize) -> String {
    format!("{number:05}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

proptest! {
    #[test]
    fn export_and_import_keep_what_is_suggested(sentences in prop::collection::vec("[a-cA-C1]{1,3}( [a-cA-C1]{1,3}){0,5}", 1..30)) {
        let mut personal = Personal::new();
        for sentence in &sentences {
            learn(&mut personal, sentence);
        }
        personal.block("abba");
        let text = personal.export();
        let mut again = Personal::new();
        again.import(&text).unwrap();
        prop_assert_eq!(again.export(), text);
        for prefix in ["", "we a", "b", "aa "] {
            // Weights are rounded to thousandths, so words that are all but equal may change places.
            let found = suggest(&again, prefix, 100);
            let expected = suggest(&personal, prefix, 100);
            prop_assert_eq!(found.len(), expected.len());
            for item in &found {
                let twin = expected.iter().find(|twin| twin.text == item.text).unwrap();
                prop_assert!((twin.probability - item.probability).abs() < 1e-3, "{:?} {:?}", twin, item);
            }
        }
    }

    #[test]
    fn no_text_panics(texts in prop::collection::vec(any::<String>(), 0..8), typed in any::<String>(), import in any::<String>()) {
        let mut personal = Personal::new();
        for text in &texts {
            personal.learn(text);
            personal.learn(text);
            personal.block(text);
            personal.unblock(text);
        }
        let items = suggest(&personal, &typed, 3);
        prop_assert!(items.len() <= 3);
        prop_assert!(items.iter().all(|item| (0.0..=1.0).contains(&item.probability)));
        let _ = personal.import(&import);
        let _ = personal.import(&format!("lm-wasm personal words 1\n{import}"));
        for text in &texts {
            personal.forget(text);
        }
    }

    #[test]
    fn probabilities_of_words_that_begin_alike_sum_to_one(times in 1usize..30) {
        let personal = learned(times, "we go going good goose the");
        let sum: f32 = suggest(&personal, "we g", 100).iter().map(|item| item.probability).sum();
        // All but `gone`, which is never offered, and `goose` while it may be a slip.
        prop_assert!(sum <= 1.0 + 1e-4, "{}", sum);
        prop_assert!(sum > 0.4);
    }
}
