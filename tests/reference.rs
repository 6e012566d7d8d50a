//! The recurrent cells in floats against PyTorch's. `reference/make_vectors.py` made the vectors.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{Encoding, Recipe, SHIPPED, parts};
use lm_wasm::Model;
use lm_wasm::format::{Bias, CellKind, ModelParts, OutputKind, Tensor, Values};
use lm_wasm::nn::Input;

const TOLERANCE: f32 = 1e-5;

/// The tensors of a file, by name.
struct Vectors(Vec<(String, Tensor)>);

impl Vectors {
    fn parse(text: &str) -> Vectors {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut tensors = Vec::new();
        while let (Some(head), Some(numbers)) = (lines.next(), lines.next()) {
            let head: Vec<&str> = head.split(' ').collect();
            let [rows, cols] = [1, 2].map(|field| head[field].parse::<usize>().unwrap());
            let values: Vec<f32> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
            assert_eq!(values.len(), rows * cols);
            tensors.push((head[0].to_string(), Tensor { rows, cols, values: Values::F32(values), scales: vec![] }));
        }
        Vectors(tensors)
    }

    fn tensor(&self, name: &str) -> Tensor {
        self.0.iter().find(|tensor| tensor.0 == name).unwrap().1.clone()
    }

    fn values(&self, name: &str) -> Vec<f32> {
        match self.tensor(name).values {
            Values::F32(values) => values,
            _ => unreachable!("every tensor of these files is of floats"),
        }
    }
}

/// A model whose token `t` is step `t` of the input.
fn model(cell: CellKind, vectors: &Vectors) -> ModelParts {
    let input = vectors.tensor("input");
    let hidden = vectors.tensor("weight_hh").cols;
    let recipe = Recipe {
        cell,
        output: OutputKind::Untied,
        embedding: input.cols,
        hidden,
        output_width: hidden,
        table: Encoding::F32,
        weights: Encoding::F32,
        narrow_width: None,
        ..SHIPPED
    };
    let mut parts = parts(0, recipe);
    let mut rows = vectors.values("input");
    let embedding = parts.input.matrix_mut();
    rows.resize(embedding.rows * input.cols, 0.0);
    embedding.values = Values::F32(rows);

    let biases = [vectors.values("bias_ih"), vectors.values("bias_hh")];
    parts.layers[0].input = vectors.tensor("weight_ih");
    parts.layers[0].recurrent = vectors.tensor("weight_hh");
    parts.layers[0].bias = Bias::F32(match cell {
        CellKind::Lstm => biases[0].iter().zip(&biases[1]).map(|(input, recurrent)| input + recurrent).collect(),
        CellKind::Gru => biases.concat(),
    });
    parts
}

fn check(cell: CellKind, text: &str) {
    let vectors = Vectors::parse(text);
    let model = Model::from_parts(model(cell, &vectors)).unwrap();
    let network = model.network();
    let hidden = model.shape().hidden;
    let mut state = vec![0.0; network.state_len()];
    let mut scratch = network.scratch();
    for (step, wanted) in (0..).zip(vectors.values("output").chunks(hidden)) {
        network.step(Input { row: step, spelling: "" }, &mut state, &mut scratch);
        assert_close(&state[..hidden], wanted, step);
    }
    if cell == CellKind::Lstm {
        assert_close(&state[hidden..], &vectors.values("cell"), u32::MAX);
    }
}

fn assert_close(got: &[f32], wanted: &[f32], step: u32) {
    assert_eq!(got.len(), wanted.len());
    for (got, wanted) in got.iter().zip(wanted) {
        assert!((got - wanted).abs() <= TOLERANCE, "step {step}: {got}, not {wanted}");
    }
}

#[test]
fn lstm_equals_pytorch() {
    check(CellKind::Lstm, include_str!("reference/lstm.txt"));
}

#[test]
fn gru_equals_pytorch() {
    check(CellKind::Gru, include_str!("reference/gru.txt"));
}
