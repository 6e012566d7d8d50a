//! A model as plain data, and its order in a file.

use super::bytes::{Reader, pack_bits, unpack_bits};
use super::container::{self, Section, SectionKind as Kind};
use super::row_coding::Endings;
use super::tensor::{Bias, Tensor, TensorReader};
use super::{InputKind, Lsh, Metadata, OutputKind, Shape, Source, limits};
use crate::Error;

/// Everything a model file holds; matrices and word lists may be read to something else at once.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelParts<T = Tensor, W = Vec<u8>> {
    /// Language, name, licence, attributions, measured quality.
    pub metadata: Metadata,
    /// Kinds and sizes.
    pub shape: Shape,
    /// The names of the tokens that are not words, one a line; see [`Vocabulary`](crate::text::Vocabulary::from_parts).
    pub specials: String,
    /// The words in ascending order, as [`WordList::encode`](crate::text::WordList::encode) writes them.
    pub words: W,
    /// One byte a word, as [`WordFlags::to_byte`](crate::text::WordFlags::to_byte) writes it.
    pub word_flags: Vec<u8>,
    /// The spelling of each word of mixed casing, one a line.
    pub casing: String,
    /// What makes a vector of a token.
    pub input: InputParts<T>,
    /// Words beyond the vocabulary, if there are any.
    pub rare: Option<RareParts<W>>,
    /// The recurrent layers, the one next to the input first.
    pub layers: Vec<LayerParts<T>>,
    /// `output width x hidden`, there if the two differ.
    pub projection: Option<T>,
    /// A row a token, `vocabulary x output width`, or a wide row; the embedding serves if the output is tied to it.
    pub output: Option<T>,
    /// One element a token.
    pub output_bias: Bias,
    /// Tokens whose rows are shorter, if there are any.
    pub narrow: Option<NarrowParts<T>>,
    /// What is added to logits behind some contexts, if anything is.
    pub corrections: Option<CorrectionParts>,
}

/// What is added to logits behind contexts of one and two tokens; see [`Corrections`](crate::nn::Corrections).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CorrectionParts {
    /// The tokens that occur.
    pub tokens: Vec<u8>,
    /// The contexts, and how many words are corrected behind each.
    pub contexts: Vec<u8>,
    /// The words.
    pub words: Vec<u8>,
    /// What is added to the logit of each, in one byte.
    pub steps: Vec<u8>,
}

/// Words that are offered though the network knows them as `<unk>`; see [`RareWords`](crate::text::RareWords::from_parts).
#[derive(Clone, Debug, PartialEq)]
pub struct RareParts<W = Vec<u8>> {
    /// The words in ascending order, as [`WordList::encode`](crate::text::WordList::encode) writes them.
    pub words: W,
    /// `ln P(w | <unk>)` of the words of level 0.
    pub log_share: f32,
    /// One byte a word, as [`RareFlags::to_byte`](crate::text::RareFlags::to_byte) writes it.
    pub flags: Vec<u8>,
}

/// What makes a vector of a token.
#[derive(Clone, Debug, PartialEq)]
pub enum InputParts<T = Tensor> {
    /// A row a token, `vocabulary x embedding`; a wide row, where others are narrow.
    Embedding(T),
    /// The code of a token's spelling, and a layer over it.
    Lsh {
        /// The code.
        lsh: Lsh,
        /// `embedding x bits of a code`
        weights: T,
        /// `embedding`
        bias: Bias,
    },
}

impl<T> InputParts<T> {
    /// The embedding or the layer's weights.
    pub fn matrix_mut(&mut self) -> &mut T {
        match self {
            InputParts::Embedding(matrix) | InputParts::Lsh { weights: matrix, .. } => matrix,
        }
    }
}

/// The rows of rare tokens, which have but the first columns of the others: the rest of them are zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct NarrowParts<T = Tensor> {
    /// Of each token, whether its rows are narrow.
    pub rows: Vec<bool>,
    /// A row each, `narrow rows x narrow width`; none if no input is a row.
    pub embedding: Option<T>,
    /// The same of the output, if it is not tied.
    pub output: Option<T>,
}

/// One recurrent layer. Gates are in PyTorch's order: `i, f, g, o` of an LSTM, `r, z, n` of a GRU.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerParts<T = Tensor> {
    /// `gates * hidden x inputs` (PyTorch's `weight_ih`).
    pub input: T,
    /// `gates * hidden x hidden` (PyTorch's `weight_hh`).
    pub recurrent: T,
    /// LSTM: `4 hidden`, the sum of PyTorch's two. GRU: `3 hidden` of the input, then `3 hidden` of the recurrence.
    pub bias: Bias,
}

const NOT_A_BIT_EACH: &str = "there is not one bit for each token";

impl ModelParts {
    /// The bytes of a model file.
    ///
    /// # Errors
    ///
    /// If the parts contradict each other or exceed a [limit](limits).
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        check(self)?;
        check_list(self.words.len())?;
        let mut sections = vec![
            (Kind::Metadata, 0, self.metadata.to_string().into_bytes()),
            (Kind::Shape, 0, self.shape.write()),
            (Kind::Specials, 0, self.specials.clone().into_bytes()),
            (Kind::Words, 0, self.words.clone()),
            (Kind::WordFlags, 0, self.word_flags.clone()),
            (Kind::Casing, 0, self.casing.clone().into_bytes()),
            (Kind::OutputBias, 0, self.output_bias.write()),
        ];
        match &self.input {
            InputParts::Embedding(rows) => sections.push((Kind::Embedding, 0, rows.write())),
            InputParts::Lsh { lsh, weights, bias } => {
                sections.push((Kind::Lsh, 0, lsh.write()));
                sections.push((Kind::LshWeights, 0, weights.write()));
                sections.push((Kind::LshBias, 0, bias.write()));
            }
        }
        for (layer, index) in self.layers.iter().zip(0..) {
            sections.push((Kind::LayerInput, index, layer.input.write()));
            sections.push((Kind::LayerRecurrent, index, layer.recurrent.write()));
            sections.push((Kind::LayerBias, index, layer.bias.write()));
        }
        sections.extend(self.projection.iter().map(|tensor| (Kind::Projection, 0, tensor.write())));
        sections.extend(self.output.iter().map(|tensor| (Kind::Output, 0, tensor.write())));
        if let Some(narrow) = &self.narrow {
            sections.push((Kind::NarrowRows, 0, pack_bits(&narrow.rows)));
            sections.extend(narrow.embedding.iter().map(|tensor| (Kind::NarrowEmbedding, 0, tensor.write())));
            sections.extend(narrow.output.iter().map(|tensor| (Kind::NarrowOutput, 0, tensor.write())));
        }
        if let Some(rare) = &self.rare {
            check_list(rare.words.len())?;
            sections.push((Kind::RareWords, 0, rare.words.clone()));
            sections.push((Kind::RareWordFlags, 0, [&rare.log_share.to_le_bytes()[..], &rare.flags].concat()));
        }
        if let Some(CorrectionParts { tokens, contexts, words, steps }) = &self.corrections {
            let parts = [tokens, contexts, words, steps].into_iter().zip(0..);
            sections.extend(parts.map(|(part, index)| (Kind::Corrections, index, part.clone())));
        }
        sections.sort_by_key(|&(kind, index, _)| (kind, index));
        let narrow = self.narrow.as_ref().map(|narrow| &narrow.rows[..]);
        container::write(&sections, &Endings::new(&self.words, self.shape.vocabulary, narrow))
    }

    /// The parts of a model file, with consistent shapes and finite floats. The vocabulary is not looked into.
    ///
    /// # Errors
    ///
    /// Of every [kind](crate::ErrorKind), if `file` is anything else than a model file.
    pub fn from_bytes(file: &[u8]) -> Result<ModelParts, Error> {
        ModelParts::read(&file, |reader| reader.into_tensor(), |words| Ok(words.to_vec()))
    }
}

impl<T, W> ModelParts<T, W> {
    /// [`from_bytes`](ModelParts::from_bytes) with matrices and word lists of any kind; if `list` refuses one it tells the reason.
    pub(crate) fn read(
        source: &dyn Source,
        matrix: impl Fn(TensorReader) -> Result<T, Error>,
        list: impl Fn(&[u8]) -> Result<W, &'static str>,
    ) -> Result<ModelParts<T, W>, Error>
    where
        T: CheckedMatrix,
    {
        let mut sections = Sections { left: container::read(source)?, endings: Endings::default() };
        let metadata = Metadata::parse(&sections.text(Kind::Metadata)?)?;
        let shape = Shape::read(&sections.bytes(Kind::Shape)?)?;
        let untied = shape.output == OutputKind::Untied;
        let narrow = shape.narrow_width.map(|_| sections.narrow_rows(shape.vocabulary)).transpose()?;
        // Word lists first: what they took on the way serves the others.
        let words = sections.words(&shape, narrow.as_deref(), &list)?;
        let rare = sections.has(Kind::RareWords).then(|| sections.rare(&list)).transpose()?;
        let mut layers = Vec::with_capacity(shape.layers);
        for index in 0..shape.layers as u32 {
            layers.push(LayerParts {
                input: sections.matrix(Kind::LayerInput, index, &matrix)?,
                recurrent: sections.matrix(Kind::LayerRecurrent, index, &matrix)?,
                bias: sections.bias(Kind::LayerBias, index)?,
            });
        }
        let projection = shape.has_projection().then(|| sections.matrix(Kind::Projection, 0, &matrix)).transpose()?;
        // The rows of words behind the layers: what they take on the way serves what is smaller, and a session.
        let has_rows = shape.input == InputKind::Embedding;
        let embedding = has_rows.then(|| sections.matrix(Kind::Embedding, 0, &matrix)).transpose()?;
        let output = untied.then(|| sections.matrix(Kind::Output, 0, &matrix)).transpose()?;
        let input = match embedding {
            Some(rows) => InputParts::Embedding(rows),
            None => InputParts::Lsh {
                lsh: Lsh::read(&sections.bytes(Kind::Lsh)?)?,
                weights: sections.matrix(Kind::LshWeights, 0, &matrix)?,
                bias: sections.bias(Kind::LshBias, 0)?,
            },
        };
        let narrow = narrow.map(|rows| -> Result<_, Error> {
            Ok(NarrowParts {
                rows,
                embedding: has_rows.then(|| sections.matrix(Kind::NarrowEmbedding, 0, &matrix)).transpose()?,
                output: untied.then(|| sections.matrix(Kind::NarrowOutput, 0, &matrix)).transpose()?,
            })
        });
        let narrow = narrow.transpose()?;
        // Given back before the smaller parts are read.
        sections.endings = Endings::default();
        let specials = sections.text(Kind::Specials)?;
        let word_flags = sections.bytes(Kind::WordFlags)?;
        let casing = sections.text(Kind::Casing)?;
        let corrections = sections.has(Kind::Corrections).then(|| sections.corrections()).transpose()?;
        let output_bias = sections.bias(Kind::OutputBias, 0)?;
        let parts = ModelParts {
            metadata,
            shape,
            specials,
            words,
            word_flags,
            casing,
            rare,
            corrections,
            input,
            layers,
            projection,
            output,
            output_bias,
            narrow,
        };
        sections.finish()?;
        check(&parts)?;
        Ok(parts)
    }
}

/// Checks that all parts agree with the shape and are within the limits.
fn check<T: CheckedMatrix, W>(parts: &ModelParts<T, W>) -> Result<(), Error> {
    let shape = &parts.shape;
    shape.check()?;
    if parts.word_flags.len() > shape.vocabulary {
        return Err(Error::corrupt(Kind::WordFlags.name(), "there are more of them than tokens"));
    }
    if let Some(rare) = &parts.rare {
        check_rare(rare)?;
    }
    let wide = shape.vocabulary - check_narrow(parts)?;
    match (&parts.input, shape.input) {
        (InputParts::Embedding(rows), InputKind::Embedding) => {
            check_tensor(Kind::Embedding, rows, wide, shape.embedding)?;
        }
        (InputParts::Lsh { lsh, weights, bias }, InputKind::Lsh) => {
            lsh.check()?;
            check_tensor(Kind::LshWeights, weights, shape.embedding, lsh.bits)?;
            check_bias(Kind::LshBias, bias, shape.embedding)?;
        }
        _ => return Err(Error::corrupt(Kind::Shape.name(), "it states another kind of input")),
    }
    if parts.layers.len() != shape.layers {
        return Err(Error::corrupt(Kind::Shape.name(), "it states another number of layers"));
    }
    for (index, layer) in parts.layers.iter().enumerate() {
        let rows = shape.cell.gates() * shape.hidden;
        check_tensor(Kind::LayerInput, &layer.input, rows, shape.layer_inputs(index))?;
        check_tensor(Kind::LayerRecurrent, &layer.recurrent, rows, shape.hidden)?;
        check_bias(Kind::LayerBias, &layer.bias, shape.cell.biases() * shape.hidden)?;
    }
    check_presence(Kind::Projection, parts.projection.is_some(), shape.has_projection())?;
    if let Some(projection) = &parts.projection {
        check_tensor(Kind::Projection, projection, shape.output_width, shape.hidden)?;
    }
    check_presence(Kind::Output, parts.output.is_some(), shape.output == OutputKind::Untied)?;
    if let Some(output) = &parts.output {
        check_tensor(Kind::Output, output, wide, shape.output_width)?;
    }
    check_bias(Kind::OutputBias, &parts.output_bias, shape.vocabulary)
}

fn check_rare<W>(rare: &RareParts<W>) -> Result<(), Error> {
    Error::check_limit("number of rare words", rare.flags.len(), limits::VOCABULARY)?;
    if rare.log_share.is_finite() && rare.log_share <= 0.0 && rare.log_share >= -limits::MAGNITUDE {
        return Ok(());
    }
    Err(Error::corrupt(Kind::RareWordFlags.name(), "its first number is not the logarithm of a probability"))
}

fn check_list(length: usize) -> Result<(), Error> {
    Error::check_limit("length of a word list", length, limits::WORDS)
}

fn decode_list<W>(kind: Kind, words: &[u8], list: impl Fn(&[u8]) -> Result<W, &'static str>) -> Result<W, Error> {
    list(words).map_err(|reason| Error::corrupt(kind.name(), reason))
}

/// Checks narrow rows and returns their number.
fn check_narrow<T: CheckedMatrix, W>(parts: &ModelParts<T, W>) -> Result<usize, Error> {
    let shape = &parts.shape;
    check_presence(Kind::NarrowRows, parts.narrow.is_some(), shape.narrow_width.is_some())?;
    let (Some(narrow), Some(width)) = (&parts.narrow, shape.narrow_width) else { return Ok(0) };
    if narrow.rows.len() != shape.vocabulary {
        return Err(Error::corrupt(Kind::NarrowRows.name(), NOT_A_BIT_EACH));
    }
    let count = narrow.rows.iter().filter(|&&is_narrow| is_narrow).count();
    if count == 0 || count == shape.vocabulary {
        return Err(Error::corrupt(Kind::NarrowRows.name(), "all rows are of one width"));
    }
    check_presence(Kind::NarrowEmbedding, narrow.embedding.is_some(), shape.input == InputKind::Embedding)?;
    if let Some(embedding) = &narrow.embedding {
        check_tensor(Kind::NarrowEmbedding, embedding, count, width)?;
    }
    check_presence(Kind::NarrowOutput, narrow.output.is_some(), shape.output == OutputKind::Untied)?;
    if let Some(output) = &narrow.output {
        check_tensor(Kind::NarrowOutput, output, count, width)?;
    }
    Ok(count)
}

/// A matrix whose elements can be checked.
pub(crate) trait CheckedMatrix {
    /// Rows and columns.
    fn shape(&self) -> (usize, usize);
    fn check(&self, section: &'static str) -> Result<(), Error>;
}

impl CheckedMatrix for Tensor {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    fn check(&self, section: &'static str) -> Result<(), Error> {
        Tensor::check(self, section)
    }
}

fn check_tensor(kind: Kind, tensor: &impl CheckedMatrix, rows: usize, cols: usize) -> Result<(), Error> {
    if tensor.shape() != (rows, cols) {
        return Err(Error::corrupt(kind.name(), "its rows and columns are not those of the shape section"));
    }
    tensor.check(kind.name())
}

fn check_bias(kind: Kind, bias: &Bias, length: usize) -> Result<(), Error> {
    if bias.len() != length {
        return Err(Error::corrupt(kind.name(), "its length is not that of the shape section"));
    }
    bias.check(kind.name())
}

fn check_presence(kind: Kind, is_there: bool, wanted: bool) -> Result<(), Error> {
    if is_there == wanted {
        return Ok(());
    }
    Err(Error::corrupt(kind.name(), "the shape section says the opposite of its being there"))
}

/// The sections not yet taken.
struct Sections<'a> {
    left: Vec<Section<'a>>,
    /// Of the words, where rows are coded by them.
    endings: Endings,
}

impl<'a> Sections<'a> {
    fn take(&mut self, kind: Kind, index: u32) -> Result<Section<'a>, Error> {
        let found = self.left.iter().position(|section| (section.kind, section.index) == (kind, index));
        let position = found.ok_or(Error::corrupt(kind.name(), "it is missing"))?;
        Ok(self.left.remove(position))
    }

    fn bytes(&mut self, kind: Kind) -> Result<Vec<u8>, Error> {
        self.part(kind, 0)
    }

    // In line it would be 1.5 kB more of the wasm.
    #[inline(never)]
    fn part(&mut self, kind: Kind, index: u32) -> Result<Vec<u8>, Error> {
        let section = self.take(kind, index)?;
        // Before memory is taken.
        match kind {
            Kind::Words | Kind::RareWords => check_list(section.expanded_length())?,
            Kind::Metadata => Metadata::check_length(section.expanded_length())?,
            _ => {}
        }
        section.expand()
    }

    fn text(&mut self, kind: Kind) -> Result<String, Error> {
        let text = String::from_utf8(self.bytes(kind)?);
        text.map_err(|_| Error::corrupt(kind.name(), "it is not UTF-8"))
    }

    fn has(&self, kind: Kind) -> bool {
        self.left.iter().any(|section| section.kind == kind)
    }

    fn rare<W>(&mut self, list: impl Fn(&[u8]) -> Result<W, &'static str>) -> Result<RareParts<W>, Error> {
        let words = decode_list(Kind::RareWords, &self.bytes(Kind::RareWords)?, list)?;
        let mut flags = self.bytes(Kind::RareWordFlags)?;
        let log_share = Reader::new(&flags, Kind::RareWordFlags.name()).f32()?;
        // In place: a copy would leave a hole in a page's memory.
        flags.drain(..4);
        Ok(RareParts { words, log_share, flags })
    }

    fn corrections(&mut self) -> Result<CorrectionParts, Error> {
        let mut part = |index| self.part(Kind::Corrections, index);
        Ok(CorrectionParts { tokens: part(0)?, contexts: part(1)?, words: part(2)?, steps: part(3)? })
    }

    /// The words, and their endings if they will be needed.
    fn words<W>(
        &mut self,
        shape: &Shape,
        narrow: Option<&[bool]>,
        list: impl Fn(&[u8]) -> Result<W, &'static str>,
    ) -> Result<W, Error> {
        let words = self.bytes(Kind::Words)?;
        if self.left.iter().any(Section::needs_endings) {
            shape.check()?;
            self.endings = Endings::new(&words, shape.vocabulary, narrow);
        }
        decode_list(Kind::Words, &words, list)
    }

    fn narrow_rows(&mut self, vocabulary: usize) -> Result<Vec<bool>, Error> {
        let rows = unpack_bits(&self.bytes(Kind::NarrowRows)?, vocabulary);
        rows.ok_or(Error::corrupt(Kind::NarrowRows.name(), NOT_A_BIT_EACH))
    }

    fn matrix<T>(
        &mut self,
        kind: Kind,
        index: u32,
        with: impl FnOnce(TensorReader) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.take(kind, index)?.read(&self.endings, |section| with(TensorReader::new(section)?))
    }

    fn bias(&mut self, kind: Kind, index: u32) -> Result<Bias, Error> {
        Bias::read(&self.part(kind, index)?, kind.name())
    }

    /// Every section must have been taken.
    fn finish(self) -> Result<(), Error> {
        match self.left.first() {
            None => Ok(()),
            Some(section) => Err(Error::corrupt(section.kind.name(), "the shape section has no place for it")),
        }
    }
}
