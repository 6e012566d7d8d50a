//! Tables with narrow rows.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{Random, Recipe, SHIPPED, many_words, parts_of, recipes, widened};
use lm_wasm::format::CellKind;
use lm_wasm::nn::Input;
use lm_wasm::{Model, Session};

/// The logits of a range of rows after some tokens.
fn logits(model: &Model, tokens: &[u32], rows: std::ops::Range<usize>) -> Vec<f32> {
    let network = model.network();
    let (mut state, mut scratch) = (vec![0.0; network.state_len()], network.scratch());
    for &token in tokens {
        let input = Input { row: token, spelling: &model.vocabulary().name(token) };
        network.step(input, &mut state, &mut scratch);
    }
    network.query(&state, &mut scratch);
    let mut out = vec![f32::NAN; rows.len()];
    network.logits(rows, &scratch, &mut out);
    out
}

#[test]
fn narrow_rows_are_rows_with_zeros() {
    let random = &mut Random::new(5);
    for recipe in recipes().into_iter().filter(|recipe| recipe.table == common::Encoding::F32) {
        let parts = parts_of(3, Recipe { narrow_width: Some(4), ..recipe }, &many_words());
        let rows = parts.shape.vocabulary;
        let [narrow, wide] = [parts.clone(), widened(&parts)].map(|parts| Model::from_parts(parts).unwrap());
        for _ in 0..100 {
            let tokens: Vec<u32> = (0..4).map(|_| random.below(rows) as u32).collect();
            let start = random.below(rows);
            let range = start..start + 1 + random.below(rows - start);
            let [narrow, wide] = [&narrow, &wide].map(|model| logits(model, &tokens, range.clone()));
            for (row, (a, b)) in range.zip(narrow.into_iter().zip(wide)) {
                assert!((a - b).abs() < 1e-4, "row {row}: {a} is not {b}");
            }
        }
    }
}

#[test]
fn parts_of_a_range_are_those_of_the_whole() {
    let random = &mut Random::new(6);
    for cell in [CellKind::Lstm, CellKind::Gru] {
        let parts = parts_of(4, Recipe { cell, narrow_width: Some(5), ..SHIPPED }, &many_words());
        let rows = parts.shape.vocabulary;
        let model = Model::from_parts(parts).unwrap();
        let all = logits(&model, &[8, 700, 3], 0..rows);
        for _ in 0..200 {
            let start = random.below(rows);
            let range = start..start + 1 + random.below((rows - start).min(300));
            assert_eq!(logits(&model, &[8, 700, 3], range.clone()), all[range]);
        }
        let mut session = Session::new(&model);
        assert!(session.suggest(&model, "aaa zz", 5).items.iter().all(|item| item.text.starts_with("zz")));
    }
}
