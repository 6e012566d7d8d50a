//! Blocks of lines, written once and shuffled on disk.

use std::path::Path;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::tokens::{TokenReader, TokenWriter};
use crate::files::Temporary;
use crate::progress::Progress;

/// A block's place among the unshuffled rows.
#[derive(Clone, Copy)]
struct Block {
    start: u64,
    len: u32,
    /// How often the block is wanted: the weight of its source.
    weight: f32,
}

/// Collects lines into blocks, then writes the blocks in random order.
pub struct Blocks {
    file: Temporary,
    writer: TokenWriter,
    blocks: Vec<Block>,
    lines_per_block: usize,
    weight: f32,
    /// Lines and start of the block that is being filled.
    lines: usize,
    start: u64,
}

impl Blocks {
    /// Starts a temporary file in `folder`.
    pub fn create(folder: &Path, lines_per_block: usize) -> Result<Blocks> {
        let file = Temporary(folder.join("unshuffled.tokens.tmp"));
        let writer = TokenWriter::create(&file.0)?;
        Ok(Blocks { file, writer, blocks: Vec::new(), lines_per_block, weight: 1.0, lines: 0, start: 0 })
    }

    /// Blocks from here on are wanted `weight` times.
    pub fn begin_source(&mut self, weight: f64) {
        self.weight = weight as f32;
    }

    /// Adds a line's rows.
    pub fn add_line(&mut self, rows: &[u32]) -> Result<()> {
        self.writer.write(rows)?;
        self.lines += 1;
        if self.lines == self.lines_per_block {
            self.end_source();
        }
        Ok(())
    }

    /// Closes the block that is being filled.
    pub fn end_source(&mut self) {
        let len = (self.writer.written() - self.start) as u32;
        if len > 0 {
            self.blocks.push(Block { start: self.start, len, weight: self.weight });
        }
        (self.start, self.lines) = (self.writer.written(), 0);
    }

    /// Writes the blocks in the random order of `seed`, each as often as its weight says, the fractional part of a
    /// weight drawn by chance; the number of rows.
    pub fn finish(self, path: &Path, seed: u64) -> Result<u64> {
        self.writer.finish()?;
        let mut random = StdRng::seed_from_u64(seed);
        let mut order: Vec<u32> = Vec::with_capacity(self.blocks.len());
        for (index, block) in self.blocks.iter().enumerate() {
            let copies = block.weight as usize + usize::from(random.random::<f32>() < block.weight.fract());
            order.extend(std::iter::repeat_n(index as u32, copies));
        }
        order.shuffle(&mut random);
        let progress = Progress::bar("shuffling", order.len() as u64);
        let reader = TokenReader::open(&self.file.0, usize::MAX)?;
        let mut writer = TokenWriter::create(path)?;
        let mut rows = Vec::new();
        for index in order {
            let block = self.blocks[index as usize];
            rows.resize(block.len as usize, 0);
            reader.read(block.start, &mut rows)?;
            writer.write(&rows)?;
            progress.add(1);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_written_as_often_as_its_weight() {
        let folder = tempfile::tempdir().unwrap();
        let mut blocks = Blocks::create(folder.path(), 2).unwrap();
        for (weight, value) in [(1.0, 7), (3.0, 8)] {
            blocks.begin_source(weight);
            for _ in 0..3 {
                blocks.add_line(&[value, 1]).unwrap();
            }
            blocks.end_source();
        }
        let path = folder.path().join("train.tokens");
        assert_eq!(blocks.finish(&path, 1).unwrap(), 6 + 3 * 6);
        let mut rows = vec![0; 24];
        TokenReader::open(&path, 9).unwrap().read(0, &mut rows).unwrap();
        assert_eq!(rows.iter().filter(|&&row| row == 7).count(), 3);
        assert_eq!(rows.iter().filter(|&&row| row == 8).count(), 9);
        // Neither this one nor one that came to no end leaves anything else.
        drop(Blocks::create(folder.path(), 2).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
