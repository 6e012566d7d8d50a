//! Random models of any size. Speed does not depend on what the weights are, except where rows are skipped.

use half::f16;
use lm_wasm::format::{
    Bias, CellKind, InputKind, InputParts, LayerParts, Metadata, ModelParts, OutputKind, Shape, Tensor, Values,
};
use lm_wasm::text::WordList;

/// A generator of reproducible numbers (xorshift64*, Vigna 2016).
pub struct Random(pub u64);

impl Random {
    /// Any number of 32 bits.
    pub fn bits(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// A number between -1 and 1.
    pub fn float(&mut self) -> f32 {
        self.bits() as f32 / u32::MAX as f32 * 2.0 - 1.0
    }

    fn integers(&mut self, count: usize, max: i32) -> Vec<i8> {
        (0..count).map(|_| (self.bits() % (2 * max as u32 + 1)) as i8 - max as i8).collect()
    }
}

/// A random matrix whose products with vectors of the size 1 are about of the size 1.
pub fn tensor(random: &mut Random, encoding: &str, rows: usize, cols: usize) -> Tensor {
    let count = rows * cols;
    let (values, max) = match encoding {
        "f32" => {
            let scale = (3.0 / cols as f32).sqrt();
            (Values::F32((0..count).map(|_| random.float() * scale).collect()), 0.0)
        }
        "ternary" => (Values::Ternary(random.integers(count, 1)), 1.0),
        "4-bit" => (Values::Signed4(random.integers(count, 7)), 7.0),
        _ => (Values::Signed8(random.integers(count, 127)), 127.0),
    };
    let scales = if encoding == "f32" { vec![] } else { vec![f16::from_f32((3.0 / cols as f32).sqrt() / max); rows] };
    Tensor { rows, cols, values, scales }
}

/// An untied LSTM model whose words are numbers in base 26; `width` columns of output rows, projected if fewer than `units`.
pub fn model(words: usize, embedding: usize, units: usize, width: usize, rows: &str) -> ModelParts {
    let random = &mut Random(0x9e37_79b9_7f4a_7c15);
    let specials = "<unk>\n</s>\n<num>\n.\n,";
    let vocabulary = words + specials.lines().count();
    let bias = |random: &mut Random, len: usize| Bias::F32((0..len).map(|_| random.float()).collect());
    ModelParts {
        metadata: Metadata::new(),
        shape: Shape {
            cell: CellKind::Lstm,
            input: InputKind::Embedding,
            output: OutputKind::Untied,
            layers: 1,
            vocabulary,
            embedding,
            hidden: units,
            output_width: width,
            narrow_width: None,
        },
        specials: specials.into(),
        words: word_list(words).encode(),
        word_flags: vec![0; words],
        casing: String::new(),
        input: InputParts::Embedding(tensor(random, "4-bit", vocabulary, embedding)),
        layers: vec![LayerParts {
            input: tensor(random, "ternary", 4 * units, embedding),
            recurrent: tensor(random, "ternary", 4 * units, units),
            bias: bias(random, 4 * units),
        }],
        projection: (width != units).then(|| tensor(random, "ternary", width, units)),
        output: Some(tensor(random, rows, vocabulary, width)),
        // Zipf's law: without a context, the probability of the word of rank n goes with 1 / n.
        output_bias: Bias::F32(
            (0..vocabulary).map(|_| -(1.0 + (random.bits() as usize % words) as f32).ln()).collect(),
        ),
        narrow: None,
        rare: None,
    }
}

fn word_list(words: usize) -> WordList {
    let letters = (0..).find(|&length| 26usize.pow(length) >= words).unwrap_or(0);
    let word = |mut number: usize| {
        let mut word = vec![b'a'; letters as usize];
        for letter in word.iter_mut().rev() {
            *letter += (number % 26) as u8;
            number /= 26;
        }
        String::from_utf8(word).unwrap_or_default()
    };
    // Spread over the alphabet.
    let step = 26usize.pow(letters) / words;
    let words: Vec<String> = (0..words).map(|index| word(index * step)).collect();
    WordList::new(words.iter().map(String::as_str)).unwrap_or_default()
}
