//! `lm-tools ngram`

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::corpus::{TokenReader, read_corpus};
use crate::files::replace;
use crate::ngram::{Counted, Trie, write};
use crate::threshold::largest_within;

/// Steps of the search for a size; each halves the interval of thresholds.
const SEARCH: u64 = 16;
/// The first interval: least gains in nats over all the text, as natural logarithms.
const THRESHOLDS: (f64, f64) = (-3.0, 16.0);

/// Make an n-gram model (interpolated modified Kneser-Ney) of a given size, to compare networks with
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools ngram runs/en/corpus --bytes 1500000 --out runs/en/ngram-1500.kn
  lm-tools evaluate runs/en/ngram-1500.kn dev.tsv

N-grams are pruned (those that change the likelihood of the text least go first) until the packed file is as small as asked for.")]
pub struct Arguments {
    /// The prepared corpus
    corpus: PathBuf,
    /// Largest size of the file in bytes [default: no limit]
    #[arg(long)]
    bytes: Option<usize>,
    /// File to write
    #[arg(long)]
    out: PathBuf,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let (manifest, table) = read_corpus(&self.corpus)?;
        let rows = table.entries.len();
        let counted = Counted::read(&TokenReader::open(&self.corpus.join("train.tokens"), rows)?, rows)?;
        let [bigrams, trigrams] = counted.trie.sizes();
        note!("{bigrams} bigrams, {trigrams} trigrams");
        let (trie, file) = match self.bytes {
            None => {
                let file = write(&counted.trie, &table, manifest.tokenization)?;
                (counted.trie, file)
            }
            Some(bytes) => within(&counted, &|trie| write(trie, &table, manifest.tokenization), bytes)?,
        };
        replace(&self.out, &file).with_context(|| format!("cannot write {}", self.out.display()))?;
        let [bigrams, trigrams] = trie.sizes();
        say!("{}: {} bytes, {bigrams} bigrams, {trigrams} trigrams", self.out.display(), file.len())
    }
}

/// The largest model that fits into so many bytes.
fn within(counted: &Counted, write: &dyn Fn(&Trie) -> Result<Vec<u8>>, bytes: usize) -> Result<(Trie, Vec<u8>)> {
    let make = |threshold: f32| -> Result<(Vec<u8>, Trie)> {
        let trie = counted.pruned(threshold);
        Ok((write(&trie)?, trie))
    };
    let least = make(f32::INFINITY)?;
    ensure!(least.0.len() <= bytes, "the vocabulary alone takes {} bytes: ask for more", least.0.len());
    let largest =
        largest_within("pruning", SEARCH, THRESHOLDS, bytes, |threshold| make((threshold as f32).exp()).map(Some));
    let (file, trie) = largest?.unwrap_or(least);
    Ok((trie, file))
}
