//! From the bytes of a model file to a model that can be run.

use std::mem::take;

use crate::Error;
use crate::format::{Metadata, ModelParts, RareParts, Shape, Source};
use crate::nn::{Corrections, Matrix, Network};
use crate::text::{RareWords, Vocabulary, WordList};

/// A checked model. Nothing that is done with it can fail.
#[derive(Clone, Debug)]
pub struct Model {
    metadata: Metadata,
    vocabulary: Vocabulary,
    network: Network,
    corrections: Corrections,
}

impl Model {
    /// Reads a `.lm` file.
    ///
    /// # Errors
    ///
    /// If `file` is not a model file in all its parts; see [`ErrorKind`](crate::ErrorKind).
    pub fn from_bytes(file: &[u8]) -> Result<Model, Error> {
        Model::read(&file)
    }

    /// [`from_bytes`](Model::from_bytes) of bytes that are elsewhere.
    pub(crate) fn read(source: &dyn Source) -> Result<Model, Error> {
        // Word lists are read at once, so that the memory of one's bytes serves the next: a page's never shrinks.
        let mut parts = ModelParts::read(source, Matrix::read, WordList::decode)?;
        let corrupt = |reason| Error::corrupt("vocabulary", reason);
        let (words, flags) = (take(&mut parts.words), take(&mut parts.word_flags));
        let vocabulary = Vocabulary::from_parts(&parts.specials, words, flags, &parts.casing);
        let mut vocabulary = vocabulary.map_err(corrupt)?;
        if vocabulary.len() != parts.shape.vocabulary {
            return Err(corrupt("it has not as many tokens as the network has rows"));
        }
        if let Some(RareParts { words, flags, log_share }) = parts.rare.take() {
            let rare = RareWords::from_parts(words, flags, log_share).map_err(corrupt)?;
            vocabulary = vocabulary.with_rare_words(rare).map_err(corrupt)?;
        }
        let corrections = Corrections::from_parts(parts.corrections.take().unwrap_or_default(), vocabulary.len());
        let corrections = corrections.ok_or(Error::corrupt("corrections", "they are not those of this vocabulary"))?;
        Ok(Model { metadata: parts.metadata.clone(), vocabulary, network: Network::new(parts)?, corrections })
    }

    /// Takes over the parts of a model that was never a file.
    ///
    /// # Errors
    ///
    /// If the parts contradict each other or exceed a [limit](crate::format::limits).
    pub fn from_parts(parts: ModelParts) -> Result<Model, Error> {
        Model::from_bytes(&parts.to_bytes()?)
    }

    /// What the file says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tokens and their rows.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The network, for those who keep states themselves; others use a [`Session`](crate::Session).
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What is added to the network's logits behind some words.
    pub fn corrections(&self) -> &Corrections {
        &self.corrections
    }

    /// Rounds activations to so many bits, see [`Network::set_activation_bits`].
    pub fn set_activation_bits(&mut self, bits: u32) {
        self.network.set_activation_bits(bits);
    }

    /// Kinds and sizes of the network.
    pub fn shape(&self) -> &Shape {
        self.network.shape()
    }
}
