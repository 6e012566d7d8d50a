//! Kinds and sizes of a network, as a section of the file.

use super::SectionKind as Kind;
use super::bytes::Reader;
use super::limits;
use crate::Error;

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
    /// Columns of narrow rows, if there are any.
    pub narrow_width: Option<usize>,
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
    /// The code of its spelling and a layer over that (Ravi 2017).
    Lsh,
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

pub(crate) const NOTHING_TO_TIE: &str = "there is no embedding that the output could be tied to";

/// Bytes at the end of the shape section that must be zero.
const RESERVED: usize = 28;

impl Shape {
    /// Columns of the input weights of layer `index`.
    pub fn layer_inputs(&self, index: usize) -> usize {
        if index == 0 { self.embedding } else { self.hidden }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let cell = match self.cell {
            CellKind::Lstm => 1,
            CellKind::Gru => 2,
        };
        let input = match self.input {
            InputKind::Embedding => 1,
            InputKind::Lsh => 2,
        };
        let output = match self.output {
            OutputKind::Tied => 1,
            OutputKind::Untied => 2,
        };
        let narrow = self.narrow_width.unwrap_or(0);
        let sizes = [self.layers, self.vocabulary, self.embedding, self.hidden, self.output_width, narrow];
        let fields = [cell, input, output].into_iter().chain(sizes.map(|size| size as u32));
        let mut bytes: Vec<u8> = fields.flat_map(u32::to_le_bytes).collect();
        bytes.extend([0; RESERVED]);
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Shape, Error> {
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
                2 => InputKind::Lsh,
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
            narrow_width: Some(from.u32()? as usize).filter(|&width| width > 0),
        };
        if from.array::<RESERVED>()? != [0; RESERVED] {
            return Err(unsupported("a field that is reserved"));
        }
        from.finish()?;
        shape.check()?;
        Ok(shape)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
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
        let narrowest = match self.input {
            InputKind::Embedding => self.embedding.min(self.output_width),
            InputKind::Lsh => self.output_width,
        };
        if self.narrow_width.is_some_and(|width| width == 0 || width > narrowest) {
            return Err(Error::corrupt(Kind::Shape.name(), "narrow rows are not wider than the others"));
        }
        if self.input == InputKind::Lsh && self.output == OutputKind::Tied {
            return Err(Error::corrupt(Kind::Shape.name(), NOTHING_TO_TIE));
        }
        if self.output == OutputKind::Tied && self.output_width != self.embedding {
            return Err(Error::corrupt(Kind::Shape.name(), "tied output rows have the embedding's size"));
        }
        Ok(())
    }

    pub(super) fn has_projection(&self) -> bool {
        self.output_width != self.hidden
    }
}
