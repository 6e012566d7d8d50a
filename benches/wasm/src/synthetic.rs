//! Random models of any size. Speed does not depend on what the weights are, except where rows are skipped.

use half::f16;
use lm_wasm::format::{
    Bias, CellKind, InputKind, InputParts, LayerParts, Metadata, ModelParts, NarrowParts, OutputKind, Shape, Tensor,
    Values,
};
use lm_wasm::text::WordList;

const SPECIALS: &str = "<unk>\n</s>\n<num>\n.\n,";

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

/// An untied LSTM model whose words are numbers in base 26, with `units` columns of embedding and of output rows.
pub fn model(words: usize, units: usize, rows: &str) -> ModelParts {
    let random = &mut Random(0x9e37_79b9_7f4a_7c15);
    let vocabulary = words + SPECIALS.lines().count();
    let input = tensor(random, "4-bit", vocabulary, units);
    let layer = layer(random, units, units);
    let output = tensor(random, rows, vocabulary, units);
    ModelParts { output: Some(output), ..common(random, words, OutputKind::Untied, units, input, layer) }
}

/// A model as those that ship: tied rows of 4 bits, of `width` columns for `wide` of the words and of `narrow` for the others.
pub fn tied_model(words: usize, units: usize, width: usize, wide: usize, narrow: usize) -> ModelParts {
    let random = &mut Random(0x9e37_79b9_7f4a_7c15);
    let vocabulary = words + SPECIALS.lines().count();
    // Which words are frequent does not depend on how they begin.
    let rows: Vec<bool> = (0..vocabulary).map(|_| random.bits() as usize % words >= wide).collect();
    let count = rows.iter().filter(|&&is_narrow| is_narrow).count();
    let input = tensor(random, "4-bit", vocabulary - count, width);
    let embedding = Some(tensor(random, "4-bit", count, narrow));
    let layer = layer(random, width, units);
    let projection = Some(tensor(random, "ternary", width, units));
    let mut parts = common(random, words, OutputKind::Tied, units, input, layer);
    parts.shape.narrow_width = (count > 0).then_some(narrow);
    ModelParts { projection, narrow: (count > 0).then_some(NarrowParts { rows, embedding, output: None }), ..parts }
}

fn layer(random: &mut Random, inputs: usize, units: usize) -> LayerParts {
    LayerParts {
        input: tensor(random, "ternary", 4 * units, inputs),
        recurrent: tensor(random, "ternary", 4 * units, units),
        bias: Bias::F32((0..4 * units).map(|_| random.float()).collect()),
    }
}

/// What all models have.
fn common(
    random: &mut Random,
    words: usize,
    output: OutputKind,
    units: usize,
    input: Tensor,
    layer: LayerParts,
) -> ModelParts {
    let vocabulary = words + SPECIALS.lines().count();
    ModelParts {
        metadata: Metadata::new(),
        shape: Shape {
            cell: CellKind::Lstm,
            input: InputKind::Embedding,
            output,
            layers: 1,
            vocabulary,
            embedding: input.cols,
            hidden: units,
            output_width: input.cols,
            narrow_width: None,
        },
        specials: SPECIALS.into(),
        words: word_list(words).encode(),
        word_flags: vec![0; words],
        casing: String::new(),
        input: InputParts::Embedding(input),
        layers: vec![layer],
        projection: None,
        output: None,
        // Zipf's law: without a context, the probability of the word of rank n goes with 1 / n.
        output_bias: Bias::F32(
            (0..vocabulary).map(|_| -(1.0 + (random.bits() as usize % words) as f32).ln()).collect(),
        ),
        narrow: None,
        corrections: None,
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
