//! The `.lm` model file: a header, a table of sections, the sections. `docs/format.md` describes every byte of it.
//!
//! [`ModelParts`] is a model as plain data; [`ModelParts::to_bytes`] and [`ModelParts::from_bytes`] write and read it without
//! loss, and [`inspect`] lists the sections. A file is hostile until checked: each count is held against its limit
//! before memory is taken for it, and what is read has consistent shapes, finite floats and no byte unaccounted for.

mod bytes;
mod coding;
mod container;
mod contents;
mod context_coding;
mod inspect;
mod lsh;
mod metadata;
mod parts;
mod row_coding;
mod shape;
mod stored;
mod tensor;
pub mod trits;

pub use container::{SectionKind, VERSION, reseal};
pub use inspect::{SectionInfo, inspect};
pub use lsh::Lsh;
pub use metadata::Metadata;
pub(crate) use parts::CheckedMatrix;
pub use parts::{CorrectionParts, InputParts, LayerParts, ModelParts, NarrowParts, RareParts};
pub(crate) use shape::NOTHING_TO_TIE;
pub use shape::{CellKind, InputKind, OutputKind, Shape};
pub(crate) use stored::Source;
pub use tensor::{Bias, Tensor, Values};
pub(crate) use tensor::{Encoding, TensorReader};

/// The limits of the format. They bound the memory and the time that a file can cost.
pub mod limits {
    /// Bytes of a file, and of all its sections together once they are expanded.
    pub const FILE: usize = 64 << 20;
    /// Sections of a file.
    pub const SECTIONS: usize = 64;
    /// Rows of the vocabulary.
    pub const VOCABULARY: usize = 1 << 20;
    /// Units of a layer, and columns of any matrix.
    pub const UNITS: usize = 8192;
    /// Bytes of the word list.
    pub const WORDS: usize = 16 << 20;
    /// Recurrent layers.
    pub const LAYERS: usize = 4;
    /// Elements of one tensor.
    pub const ELEMENTS: usize = 1 << 26;
    /// Magnitude of any float. With it no sum that the network forms can overflow.
    pub const MAGNITUDE: f32 = 1_048_576.0;
    /// Characters of the n-grams that a code is made of.
    pub const NGRAM: usize = 8;
    /// Characters of the shortest of them.
    pub const SHORTEST_NGRAM: u8 = 3;
    /// Bytes of the metadata.
    pub const METADATA: usize = 1 << 16;
}
