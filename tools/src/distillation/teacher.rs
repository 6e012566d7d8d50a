//! Teachers: what gives each token of a text a distribution over the next.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use burn::tensor::Tensor;
use lm_wasm::text::LINE_END;
use twox_hash::XxHash64;

use super::Soft;
use crate::corpus::WordTable;
use crate::ngram::{NgramContext, NgramFile, Trie, after, is_ngram_file};
use crate::training::batches::Batch;
use crate::training::checkpoint::Checkpoint;
use crate::training::device::ComputeDevice;
use crate::training::layer::State;
use crate::training::network::{Evaluation, Network, Phase};
use crate::training::slices;

/// A teacher.
pub trait Teacher: Sync {
    /// So many empty texts.
    fn begin(&self, texts: usize) -> Box<dyn Stream + '_>;

    /// Elements of its hints, if it has any.
    fn hint_width(&self) -> Option<usize> {
        None
    }
}

/// Texts that a teacher reads side by side.
pub trait Stream {
    /// Reads token `t` of text `i` at `t * texts + i`, and adds `weight` times the probabilities of what follows each token to
    /// `mixture`, which has a row of the vocabulary for each.
    fn read(&mut self, tokens: &[u32], weight: f32, mixture: &mut [f32]);

    /// The `top` most probable rows of what follows each token, and their log-probabilities, where the teacher finds them on
    /// a device of its own: then the probabilities need not come from there.
    fn most_probable(&mut self, _tokens: &[u32], _top: usize) -> Option<Soft> {
        None
    }

    /// What a network compared with its output rows behind each of the tokens read last.
    fn hints(&self) -> &[f32] {
        &[]
    }
}

/// Reads the folder of a run, to compute on `device`, or an n-gram file, of the same vocabulary; with a checksum of what it
/// is made of.
pub fn read(path: &Path, table: &WordTable, device: &ComputeDevice) -> Result<(Box<dyn Teacher>, u64)> {
    if path.is_dir() {
        let checkpoint = Checkpoint::read(path)?;
        let network = checkpoint.network(table, device);
        let network =
            network.with_context(|| format!("the teacher {} was trained on another corpus", path.display()))?;
        let evaluation = network.evaluation(Phase { quantized: true, frozen: true });
        return Ok((Box::new(NetworkTeacher { network, evaluation }), checkpoint.checksum()));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read the teacher {}", path.display()))?;
    if !is_ngram_file(&bytes) {
        bail!("the teacher {} is neither the folder of a run nor an n-gram file", path.display());
    }
    let NgramFile { vocabulary, trie, .. } = NgramFile::read(&bytes).with_context(|| path.display().to_string())?;
    let same = vocabulary.len() == table.entries.len()
        && (0..).zip(&table.entries).all(|(row, entry)| vocabulary.name(row) == entry.token);
    ensure!(same, "the teacher {} has another vocabulary than the corpus", path.display());
    Ok((Box::new(trie), XxHash64::oneshot(0, &bytes)))
}

struct NetworkTeacher {
    network: Network,
    evaluation: Evaluation,
}

impl Teacher for NetworkTeacher {
    fn begin(&self, texts: usize) -> Box<dyn Stream + '_> {
        let NetworkTeacher { network, evaluation } = self;
        let mut states = network.zero_states(texts);
        // Texts begin behind a line's end.
        let start = Batch::new(texts, vec![LINE_END; texts], vec![LINE_END; texts]);
        network.outputs(&start, &mut states, evaluation);
        Box::new(NetworkStream { network, evaluation, states, hints: Vec::new() })
    }

    fn hint_width(&self) -> Option<usize> {
        Some(self.network.output_width())
    }
}

impl Teacher for Trie {
    fn begin(&self, texts: usize) -> Box<dyn Stream + '_> {
        Box::new(NgramStream { trie: self, contexts: vec![(None, LINE_END); texts] })
    }
}

struct NetworkStream<'a> {
    network: &'a Network,
    evaluation: &'a Evaluation,
    states: Vec<State>,
    hints: Vec<f32>,
}

impl Stream for NetworkStream<'_> {
    fn read(&mut self, tokens: &[u32], weight: f32, mixture: &mut [f32]) {
        let outputs = self.outputs(tokens);
        let mut logits = slices::take(self.network.logits(outputs, self.evaluation));
        let rows = logits.len() / tokens.len();
        for (mixed, logits) in mixture.chunks_exact_mut(rows).zip(logits.chunks_exact_mut(rows)) {
            slices::exp_minus(logits, slices::max(logits));
            let factor = weight / slices::sum(logits, |x| x);
            mixed.iter_mut().zip(logits).for_each(|(mixed, x)| *mixed += factor * *x);
        }
    }

    fn most_probable(&mut self, tokens: &[u32], top: usize) -> Option<Soft> {
        if self.network.fused {
            return None;
        }
        let outputs = self.outputs(tokens);
        Some(Soft { hints: self.hints.clone(), ..self.network.most_probable(outputs, self.evaluation, top) })
    }

    fn hints(&self) -> &[f32] {
        &self.hints
    }
}

impl NetworkStream<'_> {
    /// What is compared with the output rows behind each of the tokens; kept as hints.
    fn outputs(&mut self, tokens: &[u32]) -> Tensor<2> {
        let texts = self.states[0].h.dims()[0];
        let batch = Batch::new(texts, tokens.to_vec(), vec![LINE_END; tokens.len()]);
        let outputs = self.network.outputs(&batch, &mut self.states, self.evaluation);
        self.hints = slices::take(outputs.clone());
        outputs
    }
}

struct NgramStream<'a> {
    trie: &'a Trie,
    contexts: Vec<NgramContext>,
}

impl Stream for NgramStream<'_> {
    fn read(&mut self, tokens: &[u32], weight: f32, mixture: &mut [f32]) {
        let texts = self.contexts.len();
        let mut probabilities = Vec::new();
        let rows = mixture.len() / tokens.len();
        for ((place, &token), mixed) in tokens.iter().enumerate().zip(mixture.chunks_exact_mut(rows)) {
            let context = &mut self.contexts[place % texts];
            *context = after(*context, token);
            self.trie.log_probabilities(*context, &mut probabilities);
            slices::exp_minus(&mut probabilities, 0.0);
            mixed.iter_mut().zip(&probabilities).for_each(|(mixed, x)| *mixed += weight * x);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::file::most_probable;
    use super::*;
    use crate::corpus::Entry;
    use crate::training::config::tests::GOOD;

    #[test]
    fn a_device_finds_the_most_probable_words_as_the_cpu_does() {
        let entry = |count: usize| Entry::special(format!("token {count}"), count as f64);
        let table = WordTable { specials: 40, entries: (1..=40).map(entry).collect() };
        let config = toml::from_str(GOOD).unwrap();
        let teacher = |fused| {
            let network = Network::new(&config, &table, fused, &Device::flex());
            let evaluation = network.evaluation(Phase { quantized: true, frozen: true });
            NetworkTeacher { network, evaluation }
        };
        let (cpu, device) = (teacher(true), teacher(false));
        let (mut cpu, mut device) = (cpu.begin(2), device.begin(2));
        for tokens in [[3, 11, 7, 30], [8, 8, 39, 1]] {
            assert_eq!(cpu.most_probable(&tokens, 5), None, "the CPU's probabilities are mixed with others");
            let mut mixture = vec![0.0; 4 * 40];
            cpu.read(&tokens, 1.0, &mut mixture);
            let wanted: Vec<(u32, f32)> = mixture.chunks(40).flat_map(|row| most_probable(row, 5)).collect();
            let got = device.most_probable(&tokens, 5).unwrap();
            assert_eq!(got.rows, wanted.iter().map(|word| word.0).collect::<Vec<_>>());
            for (got, (_, wanted)) in got.log_probabilities.iter().zip(wanted) {
                assert!((got - wanted).abs() < 1e-4, "{got} {wanted}");
            }
            assert_eq!(device.hints().len(), cpu.hints().len());
            for (got, wanted) in device.hints().iter().zip(cpu.hints()) {
                assert!((got - wanted).abs() < 1e-4, "{got} {wanted}");
            }
        }
    }
}
