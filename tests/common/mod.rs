//! Small random models, made in memory.

#![allow(dead_code, reason = "no test file uses everything")]

use half::f16;
use lm_wasm::format::{
    Bias, CellKind, CorrectionParts, InputKind, InputParts, LayerParts, Lsh, Metadata, ModelParts, NarrowParts,
    OutputKind, RareParts, Shape, Tensor, Values,
};
use lm_wasm::nn::{Activations, Context, Matrix};
use lm_wasm::predict::{Blend, Personal};
use lm_wasm::simd::{Native, Scalar};
use lm_wasm::text::{Casing, LINE_END, RareFlags, WordFlags, WordList};
use lm_wasm::{Model, Session, Suggestion};

/// The words of the random models, in ascending order.
pub const WORDS: [&str; 16] = [
    "a",
    "and",
    "go",
    "going",
    "gone",
    "good",
    "i",
    "i'm",
    "iphone",
    "london",
    "straße",
    "the",
    "then",
    "they",
    "zażółć",
    "źle",
];

const SPECIALS: &str = "<unk>\n</s>\n<num>\n.\n,\n!";

/// A generator of reproducible numbers (xorshift64*, Vigna 2016).
pub struct Random(u64);

impl Random {
    /// Another sequence for every seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Any number of 32 bits.
    pub fn bits(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.bits() as usize % end
    }

    /// A number between -1 and 1.
    pub fn float(&mut self) -> f32 {
        self.bits() as f32 / u32::MAX as f32 * 2.0 - 1.0
    }

    /// An integer from `min` to `max`.
    pub fn integer(&mut self, min: i8, max: i8) -> i8 {
        (i32::from(min) + self.below((i32::from(max) - i32::from(min) + 1) as usize) as i32) as i8
    }
}

/// How the elements of a random tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    F32,
    Ternary,
    Signed4,
    Signed8,
}

pub const ENCODINGS: [Encoding; 4] = [Encoding::F32, Encoding::Ternary, Encoding::Signed4, Encoding::Signed8];

/// A tensor of random elements of about the size 1.
pub fn tensor(random: &mut Random, encoding: Encoding, rows: usize, cols: usize) -> Tensor {
    let mut integers = |max: i8| (0..rows * cols).map(|_| random.integer(-max, max)).collect();
    let values = match encoding {
        Encoding::F32 => Values::F32((0..rows * cols).map(|_| random.float()).collect()),
        Encoding::Ternary => Values::Ternary(integers(1)),
        Encoding::Signed4 => Values::Signed4(integers(7)),
        Encoding::Signed8 => Values::Signed8(integers(127)),
    };
    let size = match encoding {
        Encoding::F32 => 0.0,
        Encoding::Ternary => 1.0,
        Encoding::Signed4 => 0.1,
        Encoding::Signed8 => 0.01,
    };
    let count = if encoding == Encoding::F32 { 0 } else { [0, 1, rows][random.below(3)] };
    let scales = (0..count).map(|_| f16::from_f32(size * (1.5 + random.float()))).collect();
    Tensor { rows, cols, values, scales }
}

fn bias(random: &mut Random, len: usize) -> Bias {
    if random.below(2) == 0 {
        return Bias::F32((0..len).map(|_| random.float()).collect());
    }
    Bias::U8 { min: -1.0, step: 1.0 / 128.0, values: (0..len).map(|_| random.bits() as u8).collect() }
}

/// What distinguishes one random model from another besides its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub cell: CellKind,
    pub input: InputKind,
    pub output: OutputKind,
    pub layers: usize,
    pub embedding: usize,
    pub hidden: usize,
    pub output_width: usize,
    pub table: Encoding,
    pub weights: Encoding,
    pub narrow_width: Option<usize>,
}

/// The kind of model that ships: ternary LSTM, 4-bit rows, tied.
pub const SHIPPED: Recipe = Recipe {
    cell: CellKind::Lstm,
    input: InputKind::Embedding,
    output: OutputKind::Tied,
    layers: 1,
    embedding: 9,
    hidden: 13,
    output_width: 9,
    table: Encoding::Signed4,
    weights: Encoding::Ternary,
    narrow_width: None,
};

/// What models of spellings here hash by.
pub const LSH: Lsh = Lsh { bits: 128, shortest: 1, longest: 3, whole: 2, shape: 0, seed: 5 };

/// One recipe for each path through the network.
pub fn recipes() -> Vec<Recipe> {
    let gru = Recipe { cell: CellKind::Gru, ..SHIPPED };
    let untied = Recipe { output: OutputKind::Untied, output_width: 13, ..SHIPPED };
    let deep = Recipe { layers: 3, table: Encoding::Signed8, ..SHIPPED };
    let float = Recipe { table: Encoding::F32, weights: Encoding::F32, output: OutputKind::Untied, ..SHIPPED };
    let ternary = Recipe { table: Encoding::Ternary, weights: Encoding::Signed8, ..gru };
    let narrow = Recipe { narrow_width: Some(5), ..SHIPPED };
    let narrow_untied = Recipe { narrow_width: Some(4), ..untied };
    let narrow_float = Recipe { narrow_width: Some(4), ..float };
    let lsh = Recipe { input: InputKind::Lsh, ..untied };
    let lsh_narrow = Recipe { input: InputKind::Lsh, ..narrow_float };
    vec![SHIPPED, gru, untied, deep, float, ternary, narrow, narrow_untied, narrow_float, lsh, lsh_narrow]
}

/// A random model of a recipe, with [`WORDS`] for words.
pub fn parts(seed: u64, recipe: Recipe) -> ModelParts {
    parts_of(seed, recipe, &WORDS)
}

/// The words `aaa`, `aac`, `aae`, … to `zzy`: so many that rows are of several blocks.
pub fn many_words() -> Vec<String> {
    let letters = || (b'a'..=b'z').map(char::from);
    let pairs = letters().flat_map(|a| letters().map(move |b| [a, b]));
    pairs.flat_map(|[a, b]| letters().step_by(2).map(move |c| [a, b, c].iter().collect())).collect()
}

/// A random model of a recipe with given words, which must be sorted.
pub fn parts_of<W: AsRef<str>>(seed: u64, recipe: Recipe, words: &[W]) -> ModelParts {
    let random = &mut Random::new(seed);
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let Recipe { cell, input, output, layers, embedding, hidden, output_width, table, weights, narrow_width } = recipe;
    let vocabulary = SPECIALS.lines().count() + words.len();
    let shape = Shape { cell, input, output, layers, vocabulary, embedding, hidden, output_width, narrow_width };
    let untied = output == OutputKind::Untied;
    let is_narrow: Vec<bool> = (0..vocabulary).map(|row| narrow_width.is_some() && row % 5 % 2 == 1).collect();
    let narrow_rows = is_narrow.iter().filter(|&&is_narrow| is_narrow).count();
    let wide_rows = vocabulary - narrow_rows;
    let layer = |random: &mut Random, index| LayerParts {
        input: tensor(random, weights, cell.gates() * hidden, shape.layer_inputs(index)),
        recurrent: tensor(random, weights, cell.gates() * hidden, hidden),
        bias: bias(random, cell.biases() * hidden),
    };
    ModelParts {
        metadata: metadata(),
        shape,
        specials: SPECIALS.to_string(),
        words: WordList::new(words.iter().copied()).expect("the words are sorted").encode(),
        word_flags: words.iter().map(|word| flags(word).to_byte()).collect(),
        rare: Some(rare_words()),
        casing: if words.contains(&"iphone") { "iPhone".to_string() } else { String::new() },
        input: match input {
            InputKind::Embedding => InputParts::Embedding(tensor(random, table, wide_rows, embedding)),
            InputKind::Lsh => {
                let weights = tensor(random, weights, embedding, LSH.bits);
                InputParts::Lsh { lsh: LSH, weights, bias: bias(random, embedding) }
            }
        },
        layers: (0..layers).map(|index| layer(random, index)).collect(),
        projection: (output_width != hidden).then(|| tensor(random, weights, output_width, hidden)),
        output: untied.then(|| tensor(random, table, wide_rows, output_width)),
        output_bias: bias(random, vocabulary),
        narrow: narrow_width.map(|width| NarrowParts {
            rows: is_narrow,
            embedding: (input == InputKind::Embedding).then(|| tensor(random, table, narrow_rows, width)),
            output: untied.then(|| tensor(random, table, narrow_rows, width)),
        }),
        corrections: (cell == CellKind::Lstm).then(|| corrections(random, vocabulary as u32)),
    }
}

/// Corrections behind many tokens, alone and with another before them.
fn corrections(random: &mut Random, rows: u32) -> CorrectionParts {
    let mut contexts = Vec::new();
    for last in (0..rows).filter(|row| row % 3 < 2) {
        for before in [None, Some(LINE_END), Some((last * 7 + 5) % rows)] {
            let mut words: Vec<u32> = (0..4).map(|_| random.below(rows as usize) as u32).collect();
            words.sort_unstable();
            words.dedup();
            let corrections = words.into_iter().map(|row| (row, random.float() * 8.0)).collect();
            contexts.push(Context { last, before, corrections });
        }
    }
    contexts.dedup_by_key(|context| (context.last, context.before));
    CorrectionParts::new(&contexts)
}

/// Words beyond the vocabulary, and how often they are halved.
pub const RARE: [(&str, u8); 4] = [("vacuole", 3), ("vole", 1), ("vowel", 1), ("vółka", 0)];

fn rare_words() -> RareParts {
    let flags = |level| RareFlags { casing: Casing::Lower, level }.to_byte();
    RareParts {
        words: WordList::new(RARE.map(|(word, _)| word)).expect("the words are sorted").encode(),
        log_share: -1.5,
        flags: RARE.map(|(_, level)| flags(level)).to_vec(),
    }
}

/// The same model with zeros for what narrow rows do not have.
pub fn widened(parts: &ModelParts) -> ModelParts {
    let Some(NarrowParts { rows, embedding, output }) = &parts.narrow else { return parts.clone() };
    let widen = |wide: &Tensor, narrow: &Tensor| {
        let (mut next_wide, mut next_narrow) = (0.., 0..);
        let mut values = Vec::new();
        for &is_narrow in rows {
            let (tensor, row) =
                if is_narrow { (narrow, next_narrow.next().unwrap()) } else { (wide, next_wide.next().unwrap()) };
            values.extend((0..tensor.cols).map(|col| element(tensor, row, col) as f32));
            values.extend((tensor.cols..wide.cols).map(|_| 0.0));
        }
        Tensor { rows: parts.shape.vocabulary, cols: wide.cols, values: Values::F32(values), scales: vec![] }
    };
    ModelParts {
        shape: Shape { narrow_width: None, ..parts.shape },
        input: match (&parts.input, embedding) {
            (InputParts::Embedding(wide), Some(narrow)) => InputParts::Embedding(widen(wide, narrow)),
            (input, _) => input.clone(),
        },
        output: parts.output.as_ref().zip(output.as_ref()).map(|(wide, narrow)| widen(wide, narrow)),
        narrow: None,
        ..parts.clone()
    }
}

fn metadata() -> Metadata {
    let mut metadata = Metadata::new();
    for (key, value) in [("language", "en"), ("name", "random"), ("licence", "CC0-1.0"), ("attribution", "")] {
        metadata.push(key, value).expect("the entries are short");
    }
    metadata
}

fn flags(word: &str) -> WordFlags {
    use lm_wasm::text::Casing;
    let casing = match word {
        "i" | "i'm" | "london" => Casing::Title,
        "iphone" => Casing::Mixed,
        _ => Casing::Lower,
    };
    WordFlags { casing, offered: word != "gone" }
}

/// Multiplies `tensor` with a random vector, by the scalar and the native kernels and by hand, in a random range of rows.
pub fn check_matrix(random: &mut Random, tensor: &Tensor) {
    let matrix = Matrix::new(tensor).expect("random tensors are valid");
    let bits = 5 + random.below(4) as u32;
    let mut x = Activations::with_bits(&matrix, Some(bits));
    let values: Vec<f32> = (0..tensor.cols).map(|_| random.float()).collect();
    x.set(&values);

    let start = random.below(tensor.rows);
    let range = start..start + 1 + random.below(tensor.rows - start);
    let mut native = vec![f32::NAN; range.len()];
    let mut scalar = native.clone();
    matrix.matvec_rows_with::<Native>(range.clone(), &x, &mut native);
    matrix.matvec_rows_with::<Scalar>(range.clone(), &x, &mut scalar);
    assert_eq!(
        native.iter().map(|y| y.to_bits()).collect::<Vec<_>>(),
        scalar.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
    );

    let half_step = |bits: u32| 0.5 / f64::from((1 << (bits - 1)) - 1);
    for (row, y) in range.zip(native) {
        let wanted: f64 = (0..tensor.cols).map(|col| element(tensor, row, col) * f64::from(values[col])).sum();
        let magnitude: f64 = (0..tensor.cols).map(|col| element(tensor, row, col).abs()).sum();
        // The activations' quantization, and rounding.
        let tolerance = match tensor.values {
            Values::F32(_) => 1e-5,
            Values::Ternary(_) => half_step(bits.min(7)),
            Values::Signed4(_) | Values::Signed8(_) => half_step(bits),
        };
        assert!((f64::from(y) - wanted).abs() <= magnitude * tolerance + 1e-5, "row {row}: {y}, not {wanted}");
    }
}

/// An element of a tensor, scaled.
pub fn element(tensor: &Tensor, row: usize, col: usize) -> f64 {
    let at = row * tensor.cols + col;
    let value = match &tensor.values {
        Values::F32(values) => f64::from(values[at]),
        Values::Ternary(values) | Values::Signed4(values) | Values::Signed8(values) => f64::from(values[at]),
    };
    let scale = match tensor.scales.as_slice() {
        [] => 1.0,
        [scale] => scale.to_f64(),
        scales => scales[row].to_f64(),
    };
    value * scale
}

/// [`logits_hash`] of a model of each recipe.
const LOGITS_HASHES: [u64; 11] = [
    0x5444_a882_3e26_9da7,
    0x8974_ebd1_c9a7_92b4,
    0x13d8_db61_b8d5_fed4,
    0x0f9e_e32d_e8b4_c76a,
    0x2357_cfa1_b91a_f61e,
    0x5d38_fedf_69b4_a537,
    0x49b1_faf0_5958_0093,
    0xc5be_5f2e_70ee_197a,
    0x2a20_9740_df56_16c6,
    0x3093_e717_4ffd_0b1f,
    0x9d87_3982_3b6e_7962,
];

/// Multiplies random matrices of every encoding and many shapes.
pub fn check_matrices(seed: u64) {
    let random = &mut Random::new(seed);
    for _ in 0..200 {
        let (rows, cols) = (1 + random.below(150), 1 + random.below(200));
        for encoding in ENCODINGS {
            let tensor = tensor(random, encoding, rows, cols);
            check_matrix(random, &tensor);
        }
    }
}

/// What a new session on the model of seed 1 suggests to somebody with these personal words.
pub fn suggest(personal: &Personal, text: &str, k: usize) -> Vec<Suggestion> {
    let model = Model::from_parts(parts(1, SHIPPED)).unwrap();
    Blend::default().suggest(&mut Session::new(&model), &model, personal, text, k).items
}

/// Checks that the logits of random models have the bits they have on every other platform.
pub fn check_logits() {
    let model = |(seed, recipe)| Model::from_parts(parts(seed, recipe)).expect("random models are valid");
    let hashes: Vec<u64> = (0..).zip(recipes()).map(model).map(|model| logits_hash(&model)).collect();
    assert_eq!(hashes, LOGITS_HASHES, "{hashes:#x?}");
}

/// FNV-1a of the bits of all logits after some tokens.
fn logits_hash(model: &Model) -> u64 {
    let mut session = Session::new(model);
    session.set_context(model, &[6, 9, 3, 1, 21, 0, 14, 2]);
    let bytes = session.logits(model).iter().flat_map(|logit| logit.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
