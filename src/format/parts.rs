//! A model as plain data, and its order in a file.

use super::bytes::Reader;
use super::container::{self, Section, SectionKind as Kind};
use super::tensor::{Bias, Tensor, TensorView};
use super::{Metadata, limits};
use crate::Error;

/// Everything a model file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelParts<T = Tensor> {
    /// Language, name, licence, attributions, measured quality.
    pub metadata: Metadata,
    /// Kinds and sizes.
    pub shape: Shape,
    /// The names of the tokens that are not words, one a line; see [`Vocabulary`](crate::text::Vocabulary::from_parts).
    pub specials: String,
    /// The words in ascending order, as [`WordList::encode`](crate::text::WordList::encode) writes them.
    pub words: Vec<u8>,
    /// One byte a word, as [`WordFlags::to_byte`](crate::text::WordFlags::to_byte) writes it.
    pub word_flags: Vec<u8>,
    /// The spelling of each word of mixed casing, one a line.
    pub casing: String,
    /// A row a token, `vocabulary x embedding`.
    pub embedding: T,
    /// The recurrent layers, the one next to the input first.
    pub layers: Vec<LayerParts<T>>,
    /// `output width x hidden`, there if the two differ.
    pub projection: Option<T>,
    /// A row a token, `vocabulary x output width`; the embedding serves if the output is tied to it.
    pub output: Option<T>,
    /// One element a token.
    pub output_bias: Bias,
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

/// Kinds and sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The recurrent cell.
    pub cell: CellKind,
    /// How a token becomes an input vector.
    pub input: InputKind,
    /// Where the output rows come from.
    pub output: OutputKind,
    /// Recurrent layers.
    pub layers: usize,
    /// Tokens, special ones and words.
    pub vocabulary: usize,
    /// Columns of the embedding.
    pub embedding: usize,
    /// Units of a recurrent layer.
    pub hidden: usize,
    /// Columns of the output rows.
    pub output_width: usize,
}

/// The recurrent cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum CellKind {
    Lstm,
    Gru,
}

/// How a token becomes an input vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A table with a row a token.
    Embedding,
}

/// Where the output rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// They are the embedding's (Press & Wolf 2017, Inan 2017).
    Tied,
    /// They are a table of their own.
    Untied,
}

impl CellKind {
    /// Gates of the cell: rows of its matrices a hidden unit.
    pub fn gates(self) -> usize {
        match self {
            CellKind::Lstm => 4,
            CellKind::Gru => 3,
        }
    }

    /// Elements of the bias a hidden unit.
    pub fn biases(self) -> usize {
        match self {
            CellKind::Lstm => 4,
            CellKind::Gru => 6,
        }
    }
}

/// Bytes at the end of the shape section that must be zero.
const SHAPE_RESERVED: usize = 32;

impl Shape {
    /// Columns of the input weights of layer `index`.
    pub fn layer_inputs(&self, index: usize) -> usize {
        if index == 0 { self.embedding } else { self.hidden }
    }

    fn write(&self) -> Vec<u8> {
        let cell = match self.cell {
            CellKind::Lstm => 1,
            CellKind::Gru => 2,
        };
        let input = match self.input {
            InputKind::Embedding => 1,
        };
        let output = match self.output {
            OutputKind::Tied => 1,
            OutputKind::Untied => 2,
        };
        let sizes = [self.layers, self.vocabulary, self.embedding, self.hidden, self.output_width];
        let fields = [cell, input, output].into_iter().chain(sizes.map(|size| size as u32));
        let mut bytes: Vec<u8> = fields.flat_map(u32::to_le_bytes).collect();
        bytes.extend([0; SHAPE_RESERVED]);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Shape, Error> {
        let section = Kind::Shape.name();
        let unsupported = |what| Error::Unsupported { section, what };
        let mut from = Reader::new(bytes, section);
        let shape = Shape {
            cell: match from.u32()? {
                1 => CellKind::Lstm,
                2 => CellKind::Gru,
                _ => return Err(unsupported("an unknown recurrent cell")),
            },
            input: match from.u32()? {
                1 => InputKind::Embedding,
                _ => return Err(unsupported("an unknown kind of input")),
            },
            output: match from.u32()? {
                1 => OutputKind::Tied,
                2 => OutputKind::Untied,
                _ => return Err(unsupported("an unknown kind of output")),
            },
            layers: from.u32()? as usize,
            vocabulary: from.u32()? as usize,
            embedding: from.u32()? as usize,
            hidden: from.u32()? as usize,
            output_width: from.u32()? as usize,
        };
        if from.array::<SHAPE_RESERVED>()? != [0; SHAPE_RESERVED] {
            return Err(unsupported("a field that is reserved"));
        }
        from.finish()?;
        shape.check()?;
        Ok(shape)
    }

    fn check(&self) -> Result<(), Error> {
        let sizes = [
            ("number of layers", self.layers, limits::LAYERS),
            ("vocabulary size", self.vocabulary, limits::VOCABULARY),
            ("embedding size", self.embedding, limits::UNITS),
            ("hidden size", self.hidden, limits::UNITS),
            ("output width", self.output_width, limits::UNITS),
        ];
        for (what, size, limit) in sizes {
            if size == 0 {
                return Err(Error::corrupt(Kind::Shape.name(), "a size is zero"));
            }
            Error::check_limit(what, size, limit)?;
        }
        if self.output == OutputKind::Tied && self.output_width != self.embedding {
            return Err(Error::corrupt(Kind::Shape.name(), "tied output rows have the embedding's size"));
        }
        Ok(())
    }

    fn has_projection(&self) -> bool {
        self.output_width != self.hidden
    }
}

impl ModelParts {
    /// The bytes of a model file.
    ///
    /// # Errors
    ///
    /// If the parts contradict each other or exceed a [limit](limits).
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        check(self)?;
        let mut sections = vec![
            (Kind::Metadata, 0, self.metadata.to_string().into_bytes()),
            (Kind::Shape, 0, self.shape.write()),
            (Kind::Specials, 0, self.specials.clone().into_bytes()),
            (Kind::Words, 0, self.words.clone()),
            (Kind::WordFlags, 0, self.word_flags.clone()),
            (Kind::Casing, 0, self.casing.clone().into_bytes()),
            (Kind::Embedding, 0, self.embedding.write()),
            (Kind::OutputBias, 0, self.output_bias.write()),
        ];
        for (layer, index) in self.layers.iter().zip(0..) {
            sections.push((Kind::LayerInput, index, layer.input.write()));
            sections.push((Kind::LayerRecurrent, index, layer.recurrent.write()));
            sections.push((Kind::LayerBias, index, layer.bias.write()));
        }
        sections.extend(self.projection.iter().map(|tensor| (Kind::Projection, 0, tensor.write())));
        sections.extend(self.output.iter().map(|tensor| (Kind::Output, 0, tensor.write())));
        sections.sort_by_key(|&(kind, index, _)| (kind, index));
        container::write(&sections)
    }

    /// The parts of a model file, with consistent shapes and finite floats. The vocabulary is not looked into.
    ///
    /// # Errors
    ///
    /// Of every [kind](crate::ErrorKind), if `file` is anything else than a model file.
    pub fn from_bytes(file: &[u8]) -> Result<ModelParts, Error> {
        Ok(ModelParts::view(file)?.map(TensorView::to_tensor))
    }
}

impl<'a> ModelParts<TensorView<'a>> {
    /// [`from_bytes`](ModelParts::from_bytes) with the matrices where they are.
    pub(crate) fn view(file: &'a [u8]) -> Result<Self, Error> {
        let mut sections = Sections(container::read(file)?);
        let metadata = Metadata::parse(&sections.text(Kind::Metadata)?)?;
        let shape = Shape::read(sections.take(Kind::Shape, 0)?)?;
        let mut layers = Vec::with_capacity(shape.layers);
        for index in 0..shape.layers as u32 {
            layers.push(LayerParts {
                input: sections.tensor(Kind::LayerInput, index)?,
                recurrent: sections.tensor(Kind::LayerRecurrent, index)?,
                bias: sections.bias(Kind::LayerBias, index)?,
            });
        }
        let untied = shape.output == OutputKind::Untied;
        let parts = ModelParts {
            metadata,
            shape,
            specials: sections.text(Kind::Specials)?,
            words: sections.take(Kind::Words, 0)?.to_vec(),
            word_flags: sections.take(Kind::WordFlags, 0)?.to_vec(),
            casing: sections.text(Kind::Casing)?,
            embedding: sections.tensor(Kind::Embedding, 0)?,
            layers,
            projection: shape.has_projection().then(|| sections.tensor(Kind::Projection, 0)).transpose()?,
            output: untied.then(|| sections.tensor(Kind::Output, 0)).transpose()?,
            output_bias: sections.bias(Kind::OutputBias, 0)?,
        };
        sections.finish()?;
        check(&parts)?;
        Ok(parts)
    }
}

impl<T> ModelParts<T> {
    /// The same parts with other matrices.
    fn map<U>(self, mut with: impl FnMut(T) -> U) -> ModelParts<U> {
        let layer = |layer: LayerParts<T>, with: &mut dyn FnMut(T) -> U| LayerParts {
            input: with(layer.input),
            recurrent: with(layer.recurrent),
            bias: layer.bias,
        };
        ModelParts {
            metadata: self.metadata,
            shape: self.shape,
            specials: self.specials,
            words: self.words,
            word_flags: self.word_flags,
            casing: self.casing,
            embedding: with(self.embedding),
            layers: self.layers.into_iter().map(|parts| layer(parts, &mut with)).collect(),
            projection: self.projection.map(&mut with),
            output: self.output.map(&mut with),
            output_bias: self.output_bias,
        }
    }
}

/// Checks that all parts agree with the shape and are within the limits.
fn check<T: CheckedMatrix>(parts: &ModelParts<T>) -> Result<(), Error> {
    let shape = &parts.shape;
    shape.check()?;
    Error::check_limit("length of the word list", parts.words.len(), limits::WORDS)?;
    if parts.word_flags.len() > shape.vocabulary {
        return Err(Error::corrupt(Kind::WordFlags.name(), "there are more of them than tokens"));
    }
    check_tensor(Kind::Embedding, &parts.embedding, shape.vocabulary, shape.embedding)?;
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
        check_tensor(Kind::Output, output, shape.vocabulary, shape.output_width)?;
    }
    check_bias(Kind::OutputBias, &parts.output_bias, shape.vocabulary)
}

/// A matrix whose elements can be checked.
trait CheckedMatrix {
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

impl CheckedMatrix for TensorView<'_> {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Reading did it.
    fn check(&self, _: &'static str) -> Result<(), Error> {
        Ok(())
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
struct Sections<'a>(Vec<Section<'a>>);

impl<'a> Sections<'a> {
    fn take(&mut self, kind: Kind, index: u32) -> Result<&'a [u8], Error> {
        let found = self.0.iter().position(|section| (section.kind, section.index) == (kind, index));
        let position = found.ok_or(Error::corrupt(kind.name(), "it is missing"))?;
        Ok(self.0.remove(position).bytes)
    }

    fn text(&mut self, kind: Kind) -> Result<String, Error> {
        let text = std::str::from_utf8(self.take(kind, 0)?);
        Ok(text.map_err(|_| Error::corrupt(kind.name(), "it is not UTF-8"))?.to_string())
    }

    fn tensor(&mut self, kind: Kind, index: u32) -> Result<TensorView<'a>, Error> {
        TensorView::read(self.take(kind, index)?, kind.name())
    }

    fn bias(&mut self, kind: Kind, index: u32) -> Result<Bias, Error> {
        Bias::read(self.take(kind, index)?, kind.name())
    }

    /// Every section must have been taken.
    fn finish(self) -> Result<(), Error> {
        match self.0.first() {
            None => Ok(()),
            Some(section) => Err(Error::corrupt(section.kind.name(), "the shape section has no place for it")),
        }
    }
}
