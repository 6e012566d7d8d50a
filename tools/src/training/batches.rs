//! Batches of token sequences.

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use lm_wasm::text::LINE_END;
use rand::Rng;
use rand::rngs::StdRng;

use crate::corpus::TokenReader;
use crate::distillation::{Soft, SoftReader};

/// Steps of a batch of held-out text.
const STEPS: usize = 35;
/// So many tokens of held-out text are one batch.
pub const LEAST_HELD_OUT: u64 = STEPS as u64 + 1;

/// Parallel sequences of inputs and the tokens that follow them; step `t` of sequence `b` is at `t * size + b`.
pub struct Batch {
    /// Sequences.
    pub size: usize,
    pub inputs: Vec<u32>,
    pub targets: Vec<u32>,
    /// What a teacher says of the targets.
    pub soft: Option<Soft>,
    /// For each step the sequences whose state is reset before it.
    resets: Vec<Vec<usize>>,
}

impl Batch {
    /// A batch that resets no state.
    pub fn new(size: usize, inputs: Vec<u32>, targets: Vec<u32>) -> Batch {
        let resets = vec![Vec::new(); inputs.len() / size];
        Batch { size, inputs, targets, soft: None, resets }
    }

    /// What to multiply to the state before each step.
    pub fn masks(&self, device: &Device) -> Vec<Option<Tensor<2>>> {
        let mask = |resets: &Vec<usize>| {
            (!resets.is_empty()).then(|| {
                let mut mask = vec![1.0_f32; self.size];
                resets.iter().for_each(|&sequence| mask[sequence] = 0.0);
                Tensor::from_data(TensorData::new(mask, [self.size, 1]), device)
            })
        };
        self.resets.iter().map(mask).collect()
    }

    /// The sequences in `shards` equal parts.
    pub fn split(&self, shards: usize) -> Vec<Batch> {
        let size = self.size / shards;
        let part = |tokens: &[u32], first: usize| {
            tokens.chunks_exact(self.size).flat_map(|step| &step[first..first + size]).copied().collect()
        };
        let steps = self.resets.len();
        let places = |first: usize| {
            (0..steps).flat_map(move |step| (0..size).map(move |sequence| step * self.size + first + sequence))
        };
        let shard = |first: usize| Batch {
            size,
            soft: self.soft.as_ref().map(|soft| soft.select(self.inputs.len(), places(first))),
            inputs: part(&self.inputs, first),
            targets: part(&self.targets, first),
            resets: self
                .resets
                .iter()
                .map(|reset| reset.iter().filter_map(|at| at.checked_sub(first).filter(|&at| at < size)).collect())
                .collect(),
        };
        (0..shards).map(|index| shard(index * size)).collect()
    }

    /// Resets the state at a share of the line ends, as if a new text began there.
    pub fn reset_at_line_ends(&mut self, share: f64, random: &mut StdRng) {
        if share == 0.0 {
            return;
        }
        for (index, &input) in self.inputs.iter().enumerate() {
            if input == LINE_END && random.random::<f64>() < share {
                self.resets[index / self.size].push(index % self.size);
            }
        }
    }
}

/// Cuts a stream of tokens into `size` equal parts that are read side by side, `steps` tokens at a time.
pub struct Batches<'a> {
    reader: &'a TokenReader,
    soft: Option<&'a SoftReader>,
    size: usize,
    steps: usize,
    /// Tokens of a part.
    part: u64,
}

impl<'a> Batches<'a> {
    /// Batches over the first `limit` tokens of a stream.
    pub fn new(reader: &'a TokenReader, limit: u64, size: usize, steps: usize) -> Result<Batches<'a>> {
        let tokens = reader.len().min(limit);
        let part = tokens / size as u64;
        ensure!(
            part > steps as u64,
            "{tokens} tokens are too few for {size} sequences of {steps} steps: give the corpus {} or more, or lower \
             training.batch or training.bptt in the config",
            size * (steps + 1)
        );
        Ok(Batches { reader, soft: None, size, steps, part })
    }

    /// Batches of held-out text: as many sequences as it has room for.
    pub fn for_evaluation(reader: &'a TokenReader, limit: u64) -> Result<Batches<'a>> {
        let tokens = reader.len().min(limit);
        ensure!(
            tokens >= LEAST_HELD_OUT,
            "{tokens} tokens of held-out text are too few: give the corpus {LEAST_HELD_OUT} or more (--valid, or `valid` of \
             a source list), or none"
        );
        let sequences = (tokens / (4 * STEPS as u64)).clamp(1, 16);
        Batches::new(reader, limit, sequences as usize, STEPS)
    }

    /// The same with what a teacher says of the stream.
    pub fn with_soft(self, soft: Option<&'a SoftReader>) -> Batches<'a> {
        Batches { soft, ..self }
    }

    /// Sequences read side by side.
    pub fn sequences(&self) -> usize {
        self.size
    }

    /// Tokens of a batch.
    pub fn tokens(&self) -> u64 {
        (self.size * self.steps) as u64
    }

    /// Batches in one pass.
    pub fn per_pass(&self) -> u64 {
        (self.part - 1) / self.steps as u64
    }

    /// Tokens of the stream up to the last that `steps` batches read.
    pub fn read_tokens(&self, steps: u64) -> u64 {
        (self.size as u64 - 1) * self.part + steps.min(self.per_pass()) * self.steps as u64
    }

    /// Batch number `index` of a pass; the states go on from the one before.
    pub fn read(&self, index: u64) -> Result<Batch> {
        let zeros = vec![0; self.size * self.steps];
        let mut batch = Batch::new(self.size, zeros.clone(), zeros);
        let mut tokens = vec![0; self.steps + 1];
        let start = |sequence: usize| sequence as u64 * self.part + index * self.steps as u64;
        batch.soft = self.soft.map(|soft| self.read_soft(soft, start)).transpose()?;
        for sequence in 0..self.size {
            self.reader.read(start(sequence), &mut tokens)?;
            for (step, pair) in tokens.windows(2).enumerate() {
                batch.inputs[step * self.size + sequence] = pair[0];
                batch.targets[step * self.size + sequence] = pair[1];
            }
        }
        Ok(batch)
    }

    /// Soft targets of the steps that begin at `start` of each sequence, in the order of a batch.
    fn read_soft(&self, reader: &SoftReader, start: impl Fn(usize) -> u64) -> Result<Soft> {
        let mut by_sequence = Soft { top: reader.layout().top, ..Soft::default() };
        for sequence in 0..self.size {
            reader.read(start(sequence), self.steps, &mut by_sequence)?;
        }
        let places = (0..self.steps).flat_map(|step| (0..self.size).map(move |sequence| sequence * self.steps + step));
        Ok(by_sequence.select(self.size * self.steps, places))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_hold_their_own_sequences() {
        let batch = Batch {
            size: 4,
            inputs: vec![0, 1, 2, 3, 10, 11, 12, 13],
            targets: vec![10, 11, 12, 13, 20, 21, 22, 23],
            soft: Some(Soft {
                top: 2,
                rows: (0..16).collect(),
                log_probabilities: (0..16_u8).map(f32::from).collect(),
                hints: (0..24_u8).map(f32::from).collect(),
            }),
            resets: vec![vec![], vec![1, 2]],
        };
        let shards = batch.split(2);
        assert_eq!(shards[0].inputs, [0, 1, 10, 11]);
        assert_eq!(shards[1].targets, [12, 13, 22, 23]);
        assert_eq!(shards[0].soft.as_ref().unwrap().rows, [0, 1, 2, 3, 8, 9, 10, 11]);
        assert_eq!(shards[1].soft.as_ref().unwrap().log_probabilities[3..5], [7.0, 12.0]);
        assert_eq!(shards[1].soft.as_ref().unwrap().hints[4..8], [10.0, 11.0, 18.0, 19.0]);
        assert_eq!(shards[0].resets, [vec![], vec![1]]);
        assert_eq!(shards[1].resets, [vec![], vec![0]]);
    }
}
