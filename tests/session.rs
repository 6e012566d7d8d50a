//! Sessions: the answer depends on the text alone, never on the way to it.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{SHIPPED, parts, parts_of, recipes};
use std::slice::from_ref;

use lm_wasm::format::{InputKind, ModelParts};
use lm_wasm::predict::{MAX_SUGGESTIONS, WINDOW_MAX, window};
use lm_wasm::text::{LINE_END, Token, UNKNOWN};
use lm_wasm::{Model, Session, Suggestions};
use proptest::prelude::*;

fn model(seed: u64) -> Model {
    Model::from_parts(parts(seed, SHIPPED)).unwrap()
}

fn fresh(model: &Model, text: &str, k: usize) -> Suggestions {
    Session::new(model).suggest(model, text, k)
}

/// Texts of known and unknown words, and of what else a field may hold.
fn text() -> impl Strategy<Value = String> {
    let pieces = common::WORDS.iter().map(|word| word.to_string()).chain(
        [" ", " ", " ", ", ", ". ", "\n", "!!", "7", "’", "GO", "xyz", "\u{301}", "👩‍👩‍👧", "שלום", "\0", "語"]
            .map(String::from),
    );
    prop::collection::vec(prop::sample::select(pieces.collect::<Vec<_>>()), 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_sequence_of_edits_gives_what_a_fresh_session_gives(seed in 0..recipes().len() as u64, texts in prop::collection::vec(text(), 1..6)) {
        let model = Model::from_parts(parts(seed, recipes()[seed as usize])).unwrap();
        let mut session = Session::new(&model);
        for text in &texts {
            // Typed a character at a time, and the last ones deleted again.
            for (end, _) in text.char_indices() {
                prop_assert_eq!(session.suggest(&model, &text[..end], 3), fresh(&model, &text[..end], 3));
            }
            prop_assert_eq!(session.suggest(&model, text, 3), fresh(&model, text, 3));
            for (end, _) in text.char_indices().rev().take(5) {
                prop_assert_eq!(session.suggest(&model, &text[..end], 3), fresh(&model, &text[..end], 3));
            }
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), k: usize) {
        let model = model(1);
        let suggestions = fresh(&model, &text, k);
        prop_assert!(window(&text).ends_with(&suggestions.prefix));
        prop_assert!(suggestions.items.len() <= k.min(MAX_SUGGESTIONS));
    }

    #[test]
    fn only_the_window_is_read(text in text(), times in 1usize..20) {
        let model = model(2);
        let long = text.repeat(times);
        let answer = fresh(&model, &long, 3);
        prop_assert_eq!(&fresh(&model, window(&long), 3).items, &answer.items);
        if long.len() > WINDOW_MAX {
            prop_assert_eq!(fresh(&model, &format!("The beginning.\n{long}"), 3), answer);
        }
    }

    #[test]
    fn probabilities_are_those_of_the_logits(tokens in prop::collection::vec(0u32..22, 0..10)) {
        let model = model(3);
        let mut session = Session::new(&model);
        session.set_context(&model, &tokens);
        let total: f32 = (0..22).map(|row| session.log_probability(&model, row).exp()).sum();
        prop_assert!((total - 1.0).abs() < 1e-4);

        // Within a range they are conditional, and in order.
        let range = model.vocabulary().with_prefix("g")[0].clone();
        let mass: f32 = range.clone().map(|row| session.log_probability(&model, row).exp()).sum();
        let top = session.top_k(&model, from_ref(&range), 10, None);
        prop_assert!(top.is_sorted_by(|a, b| a.1 >= b.1));
        prop_assert_eq!(top.len(), range.filter(|&row| model.vocabulary().is_offered(row)).count());
        for (row, probability) in top {
            prop_assert!((session.log_probability(&model, row).exp() / mass - probability).abs() < 1e-4);
        }
    }

    #[test]
    fn the_best_are_those_of_a_plain_search(
        seed in 0..recipes().len() as u64,
        questions in prop::collection::vec((0u32..9000, 0u32..9000, 0usize..12, 0u32..9000), 1..8),
    ) {
        let words = common::many_words();
        let model = Model::from_parts(parts_of(seed, recipes()[seed as usize], &words)).unwrap();
        let mut plain = Session::new(&model);
        let mut session = Session::new(&model);
        for (a, b, k, exclude) in questions {
            let range = a.min(b)..a.max(b);
            for session in [&mut plain, &mut session] {
                session.push(&model, a);
            }
            // What the session computes of its own accord, and all the logits searched one by one.
            let best = session.best(&model, from_ref(&range), k, Some(exclude));
            let logits = plain.logits(&model);
            // Behind the rows, rare words have their share of what the unknown word has.
            let rare = model.vocabulary().rare();
            let rare = (0..rare.words().len()).map(|index| logits[UNKNOWN as usize] + rare.log_share(index));
            let mut wanted: Vec<(u32, f32)> = (0..).zip(logits.iter().copied().chain(rare)).collect();
            wanted.retain(|&(row, _)| range.contains(&row) && row != exclude && model.vocabulary().is_offered(row));
            wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
            wanted.truncate(k);
            prop_assert_eq!(best, wanted);
            // In any order of questions the probabilities have the same bits.
            let first = session.top_k(&model, from_ref(&range), k, Some(exclude));
            prop_assert_eq!(plain.top_k(&model, from_ref(&range), k, Some(exclude)), first);
            prop_assert_eq!(plain.log_probability(&model, b), session.log_probability(&model, b));
        }
    }

    #[test]
    fn pushing_and_setting_are_the_same(tokens in prop::collection::vec(0u32..30, 0..10), base in 0usize..5) {
        let model = model(4);
        let mut pushed = Session::new(&model);
        let mut rebased = Session::new(&model);
        for (at, &token) in tokens.iter().enumerate() {
            pushed.push(&model, token);
            rebased.push(&model, token);
            if at == base {
                rebased.rebase(&model);
            }
        }
        let mut set = Session::new(&model);
        set.set_context(&model, &tokens);
        prop_assert_eq!(pushed.logits(&model), set.logits(&model));
        prop_assert_eq!(rebased.logits(&model), set.logits(&model));
    }
}

#[test]
fn suggestions_fit_what_is_typed() {
    let model = model(5);
    let texts = |text: &str| -> Vec<String> {
        let mut texts: Vec<String> = fresh(&model, text, 10).items.into_iter().map(|item| item.text).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts("we go"), ["going", "good"], "neither the word typed nor one never offered");
    assert_eq!(texts("we Go"), ["Going", "Good"]);
    assert_eq!(texts("we GOO"), ["GOOD"]);
    assert_eq!(texts("we i"), ["I", "I'm", "iPhone"], "`i` is typed, `I` is meant");
    assert_eq!(texts("we I"), ["I'm", "IPhone"]);
    assert_eq!(texts("we I’"), ["I'm"]);
    assert_eq!(texts("we i’m"), ["I'm"]);
    assert_eq!(texts("we lon"), ["London"]);
    assert_eq!(texts("we ŹL"), ["ŹLE"]);
    assert_eq!(texts("we xyz"), [""; 0]);
    assert_eq!(texts("12"), [""; 0]);
    assert!(
        fresh(&model, "", 3).items.iter().all(|item| item.text.starts_with(char::is_uppercase) || item.text == "Źle")
    );
}

#[test]
fn unknown_words_differ_where_spellings_are_read() {
    let lsh = recipes().into_iter().find(|recipe| recipe.input == InputKind::Lsh).unwrap();
    for (recipe, differ) in [(lsh, true), (SHIPPED, false)] {
        let model = Model::from_parts(parts(7, recipe)).unwrap();
        assert_eq!(fresh(&model, "we zebra ", 3) != fresh(&model, "we gnu ", 3), differ);
        // A session has seen others before, and went back and forth.
        let mut session = Session::new(&model);
        let text = |number: usize| format!("we zebra{number} ");
        for number in 0..1500 {
            session.suggest(&model, &text(number), 1);
        }
        for number in [7, 1499, 7] {
            assert_eq!(session.suggest(&model, &text(number), 3), fresh(&model, &text(number), 3));
        }
        // Numbers of unknown words are no one else's.
        session.set_context(&model, &[]);
        let zebra = session.token(&model, &Token::Word("zebra".into()));
        assert_eq!(session.log_probability(&model, zebra) == f32::NEG_INFINITY, differ);
        assert_eq!(zebra >= model.vocabulary().end(), differ);
        // What is no token is an unknown word that has no spelling.
        session.set_context(&model, &[]);
        let logits = [0, 99].map(|token| {
            session.set_context(&model, &[token]);
            session.logits(&model).to_vec()
        });
        assert_eq!(logits[0], logits[1]);
    }
}

#[test]
fn equal_logits_come_in_the_order_of_rows() {
    use lm_wasm::format::Bias;
    let mut parts = parts(6, SHIPPED);
    parts.input.matrix_mut().scales = vec![half::f16::ZERO];
    parts.output_bias = Bias::F32(vec![0.0; parts.shape.vocabulary]);
    parts.corrections = None;
    let model = Model::from_parts(parts).unwrap();
    let mut session = Session::new(&model);
    let words = model.vocabulary().words();
    let rows: Vec<u32> =
        session.top_k(&model, from_ref(&words), 3, Some(words.start)).iter().map(|top| top.0).collect();
    assert_eq!(rows, [words.start + 1, words.start + 2, words.start + 3]);
}

#[test]
fn logits_are_those_of_every_platform() {
    common::check_logits();
}

#[test]
fn a_long_text_is_the_same_typed_or_pasted() {
    let model = model(7);
    let mut session = Session::new(&model);
    let random = &mut common::Random::new(7);
    let mut text = String::new();
    while text.len() < 3 * WINDOW_MAX {
        text.push_str(common::WORDS[random.below(common::WORDS.len())]);
        text.push_str([" ", " ", ". ", ".\n"][random.below(4)]);
        assert_eq!(session.suggest(&model, &text, 3), fresh(&model, &text, 3));
    }
}

#[test]
fn words_that_are_known_tell_the_language() {
    use lm_wasm::predict::known_words;
    let model = model(8);
    let known = |text: &str| known_words(&model, text);
    assert_eq!(known(""), 0.0);
    assert_eq!(known("the"), 0.0, "it may go on");
    assert_eq!(known("the "), 1.0);
    assert_eq!(known("The, 5 "), 1.0);
    assert_eq!(known("xyz "), 0.0);
    assert!(known("xyz the ") > known("the xyz "), "the last ones count more");
    assert!(known(&"the ".repeat(200)) <= 5.0);
}

#[test]
fn an_edit_costs_the_steps_it_must() {
    let model = model(8);
    let mut session = Session::new(&model);
    let mut steps = |text: &str| {
        let before = session.steps();
        session.suggest(&model, text, 3);
        session.steps() - before
    };
    let typed = "going to London, they go ";
    let mut of_typing = 0;
    for (end, _) in typed.char_indices() {
        of_typing += steps(&typed[..end]);
        assert_eq!(steps(&typed[..end]), 0, "asking again");
    }
    of_typing += steps(typed);
    assert_eq!(of_typing, 6, "one for each word and each mark");

    assert_eq!(steps("going to London, they g"), 0, "deleting");
    assert_eq!(steps("going "), 0, "the caret in front of what follows");
    assert_eq!(steps(typed), 5, "and behind it again");
    assert_eq!(steps("going to Paris, they go "), 4, "a word changed in the middle");
    assert_eq!(steps("going to Paris, then they go "), 3, "a word inserted");

    let pasted = "they go ".repeat(10_000);
    let words_read = window(&pasted).split_whitespace().count() as u64;
    assert_eq!(steps(&pasted), words_read, "pasting");
    assert!(words_read <= WINDOW_MAX as u64 / 4);
    assert_eq!(steps(&pasted[..pasted.len() - 3]), 0, "deleting in a long text whose window stays");
}

#[test]
fn corrections_are_added_behind_their_contexts() {
    let words = common::many_words();
    let corrected = parts_of(6, SHIPPED, &words);
    let alone = ModelParts { corrections: None, ..corrected.clone() };
    let [corrected, alone] = [corrected, alone].map(|parts| Model::from_parts(parts).unwrap());
    let [mut with, mut without] = [&corrected, &alone].map(Session::new);
    let random = &mut common::Random::new(7);
    let rows = corrected.shape().vocabulary;
    let (mut before, mut changed) = ([LINE_END; 2], 0);
    for step in 0..300 {
        let mut wanted = without.logits(&alone).to_vec();
        corrected.corrections().find(before, |row, amount| {
            wanted[row as usize] += amount;
            changed += 1;
        });
        for (row, (wanted, &got)) in wanted.iter().zip(with.logits(&corrected)).enumerate() {
            assert!((wanted - got).abs() < 1e-4, "step {step}, row {row}: {got} is not {wanted}");
        }
        // The best of a range, before all rows are known, and their sum.
        let mut fresh = with.clone();
        fresh.set_context(&corrected, &[]);
        fresh.set_context(&corrected, with.tokens());
        let range = 100..300;
        let of_range = fresh.best(&corrected, from_ref(&range), 3, None);
        assert_eq!(of_range, with.best(&corrected, from_ref(&range), 3, None));
        let log_sum = wanted.iter().map(|&logit| f64::from(logit).exp()).sum::<f64>().ln();
        assert!((f64::from(with.log_probability(&corrected, 9)) - (f64::from(wanted[9]) - log_sum)).abs() < 1e-4);
        if step % 50 == 49 {
            with.rebase(&corrected);
            without.rebase(&alone);
        } else {
            // Often a token that is corrected behind the last one.
            let next = if step % 3 == 0 { LINE_END } else { random.below(rows) as u32 };
            with.push(&corrected, next);
            without.push(&alone, next);
            before = [before[1], next];
        }
    }
    assert!(changed > 500, "{changed}");
}
