//! From text files to a prepared corpus: a vocabulary and streams of token rows.
//!
//! A prepared corpus is a folder with `corpus.json` (what it was made of), `vocabulary.tsv`, `train.tokens` and, where
//! asked for, `rare_words.tsv` and `valid.tokens` (with its text, `valid.txt`): rows as little-endian u32, each line closed by the row of `</s>`. Text is read twice, as
//! a stream: once to count words, once to write rows. Blocks of lines are then shuffled on disk, so that memory holds
//! word types and block positions only, never the text.

mod count;
mod lines;
mod lists;
mod misspelling;
mod offer;
mod overlap;
mod rare;
mod shuffle;
pub mod sources;
mod tokens;
mod vocabulary;
mod words_of;

use std::collections::HashSet;
use std::fs::{self, File};
use std::hash::Hasher;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use lm_wasm::text::{UNKNOWN, Vocabulary};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

pub use count::Counts;
pub use lines::Lines;
pub use lists::read_words;
use offer::Offer;
pub use rare::{RareWord, RareWords};
use shuffle::Blocks;
use sources::{Source, Sources, Tokenization};
pub use tokens::{TokenReader, line_rows};
pub use vocabulary::{Entry, VocabularyParts, WordTable};
pub use words_of::WordsOf;

use crate::files::replace;
use crate::progress::Progress;

/// The held-out text, for who wants to type it.
const VALID_TEXT: &str = "valid.txt";

/// What a prepared corpus was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// BCP 47 tag.
    pub language: String,
    pub tokenization: Tokenization,
    /// Rows of the network: special tokens and words.
    pub rows: usize,
    pub train_tokens: u64,
    pub valid_tokens: u64,
    /// XXH64 of the training tokens, as they stand in the file; 0 in a manifest from before it was kept.
    #[serde(default)]
    pub checksum: u64,
    /// That of the vocabulary ([`WordTable::checksum`]).
    #[serde(default)]
    pub vocabulary: u64,
    /// Share of the training tokens that are `<unk>`.
    pub unknown_share: f64,
    /// Who made the lists that rare words are taken from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    pub sources: Vec<SourceSummary>,
    /// Sources of the corpora before, whose words this one took over: a model may have been trained on their text, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<SourceSummary>,
}

/// One source in a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceSummary {
    pub path: String,
    pub weight: f64,
    pub lines: u64,
    /// Tokens of the source, before its weight is applied.
    pub tokens: u64,
    #[serde(default)]
    pub attribution: String,
}

impl SourceSummary {
    /// Text that a model file was trained on, of which its attribution is known alone.
    pub fn of_model(name: &str, attribution: String) -> SourceSummary {
        SourceSummary { path: name.to_owned(), weight: 1.0, lines: 0, tokens: 0, attribution }
    }
}

impl Manifest {
    /// Whom a model of this text names, some of them more than once.
    pub fn attributions(&self) -> impl Iterator<Item = &String> {
        self.sources.iter().chain(&self.before).map(|source| &source.attribution).chain(&self.lists)
    }

    /// Text that was trained on before this one, of which attributions are known, where nothing here tells of it already.
    pub fn add_before(&mut self, attributions: &[String]) {
        let told: HashSet<&String> = self.attributions().collect();
        let new = attributions.iter().filter(|attribution| !told.contains(attribution));
        let new: Vec<SourceSummary> =
            new.map(|attribution| SourceSummary::of_model("(before)", attribution.clone())).collect();
        self.before.extend(new);
    }
}

/// Reads the manifest of a prepared corpus.
pub fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join("corpus.json");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} is no prepared corpus (make one with `lm-tools corpus`)", folder.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is damaged; prepare the corpus again", path.display()))
}

/// Reads what a prepared corpus was made of, and its words.
pub fn read_corpus(folder: &Path) -> Result<(Manifest, WordTable)> {
    let manifest = read_manifest(folder)?;
    let path = folder.join("vocabulary.tsv");
    let table = WordTable::read(&path)?;
    ensure!(
        table.entries.len() == manifest.rows && [0, table.checksum()].contains(&manifest.vocabulary),
        "{}: its words are not those that the text was prepared with any more (how they are written and whether they are \
         offered may be edited there, words may not): prepare the corpus again",
        path.display()
    );
    Ok((manifest, table))
}

/// Prepares a corpus in the folder `out`, with the words of another prepared corpus or of a model file where one is named. A folder
/// that was made for one that fails is removed.
pub fn prepare(sources: &Sources, root: &Path, out: &Path, words_of: Option<WordsOf>) -> Result<Manifest> {
    let new = !out.exists();
    prepare_in(sources, root, out, words_of).inspect_err(|_| {
        if new {
            // What failed is told; that this did, too, would help nobody.
            let _ = fs::remove_dir_all(out);
        }
    })
}

fn prepare_in(sources: &Sources, root: &Path, out: &Path, words_of: Option<WordsOf>) -> Result<Manifest> {
    sources.check(root)?;
    let other = words_of.map(|other| other.read(sources, root, out)).transpose()?;
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let words = other.map_or_else(|| Words::choose(sources, root), Ok)?;
    // Written last, it says that the folder is whole: the one of an earlier corpus must not say so of this one.
    let manifest_path = out.join("corpus.json");
    fs::remove_file(&manifest_path).or_else(ignore_missing)?;
    words.table.write(&out.join("vocabulary.tsv"))?;
    RareWords::remove(out)?;
    if let Some(rare) = &words.rare {
        rare.write(out)?;
        note!("{} rare words are completed, too", rare.entries.len());
    }
    let vocabulary = words.table.vocabulary()?;

    let mut blocks = Blocks::create(out, sources.block_lines)?;
    let mut summaries = Vec::new();
    let mut unknown = 0.0;
    for source in &sources.source {
        let (summary, unknown_tokens) = write_source(source, sources, root, &vocabulary, &mut blocks)?;
        unknown += source.weight * unknown_tokens as f64;
        summaries.push(summary);
    }
    let all: f64 = summaries.iter().map(|summary| summary.weight * summary.tokens as f64).sum();
    if all == 0.0 {
        bail!("the corpus is empty: no line in {} source(s)", sources.source.len());
    }
    let train = blocks.finish(&out.join("train.tokens"), sources.seed)?;
    if train == 0 {
        bail!("no text is left of {all} weighted tokens: the weights are too small for so little text");
    }
    let valid = write_valid(sources, root, &vocabulary, out)?;
    if valid > 0 {
        overlap::tell(out, vocabulary.len())?;
    }
    let manifest = Manifest {
        language: sources.language.clone(),
        tokenization: sources.tokenization,
        rows: vocabulary.len(),
        train_tokens: train,
        valid_tokens: valid,
        checksum: checksum(&out.join("train.tokens"))?,
        vocabulary: words.table.checksum(),
        unknown_share: unknown / all,
        lists: words.lists,
        sources: summaries,
        before: words.before,
    };
    replace(&manifest_path, (serde_json::to_string_pretty(&manifest)? + "\n").as_bytes())
        .with_context(|| format!("cannot write {}", manifest_path.display()))?;
    Ok(manifest)
}

/// The words of a corpus, and where they come from.
struct Words {
    table: WordTable,
    rare: Option<RareWords>,
    lists: Vec<String>,
    before: Vec<SourceSummary>,
}

impl Words {
    /// The most frequent words of the text.
    fn choose(sources: &Sources, root: &Path) -> Result<Words> {
        let counts = count(sources, root)?;
        if counts.types() == 0 {
            bail!("the corpus is empty: no word in {} source(s)", sources.source.len());
        }
        let offer = Offer::read(sources, root)?;
        let mut table = counts.vocabulary(sources.words, &|word| offer.allows(word));
        if !sources.spelling.is_empty() {
            misspelling::mark(&mut table, |_| true, &sources.spelling, root)?;
        }
        let with_rare = sources.rare_words > 0;
        let unknown = table.entries[UNKNOWN as usize].count;
        let rare =
            with_rare.then(|| RareWords::candidates(&counts, &table, unknown, &offer, sources, root)).transpose()?;
        let rare = rare.map(|candidates| RareWords::most_frequent(candidates, sources.rare_words, &HashSet::new()));
        let lists = if with_rare { sources.attributions_of_lists() } else { Vec::new() };
        Ok(Words { table, rare, lists, before: Vec::new() })
    }
}

fn checksum(path: &Path) -> Result<u64> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(cannot_read)?;
    let mut hasher = XxHash64::with_seed(0);
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk).with_context(cannot_read)? {
            0 => return Ok(hasher.finish()),
            read => hasher.write(&chunk[..read]),
        }
    }
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn count(sources: &Sources, root: &Path) -> Result<Counts> {
    let mut counts = Counts::default();
    for source in &sources.source {
        let progress = Progress::spinner(&format!("counting {}", source.path));
        let mut lines = Lines::open(&root.join(&source.path))?;
        while let Some((_, line)) = lines.next_line()? {
            match sources.tokenization {
                Tokenization::Words => counts.add_line(&line, source.weight),
                Tokenization::Spaces => counts.add_split_line(&line, source.weight),
            }
            progress.add(1);
        }
    }
    Ok(counts)
}

/// Writes the rows of a source's lines; also tells how many tokens are unknown.
fn write_source(
    source: &Source,
    sources: &Sources,
    root: &Path,
    vocabulary: &Vocabulary,
    blocks: &mut Blocks,
) -> Result<(SourceSummary, u64)> {
    let progress = Progress::spinner(&format!("reading {}", source.path));
    let mut lines = Lines::open(&root.join(&source.path))?;
    let (mut count, mut tokens, mut unknown) = (0, 0, 0);
    blocks.begin_source(source.weight);
    while let Some((_, line)) = lines.next_line()? {
        let rows = line_rows(&line, sources.tokenization, vocabulary);
        count += 1;
        tokens += rows.len() as u64;
        unknown += rows.iter().filter(|&&row| row == UNKNOWN).count() as u64;
        blocks.add_line(&rows)?;
        progress.add(1);
    }
    blocks.end_source();
    let summary = SourceSummary {
        path: source.path.clone(),
        weight: source.weight,
        lines: count,
        tokens,
        attribution: source.attribution.clone(),
    };
    Ok((summary, unknown))
}

fn write_valid(sources: &Sources, root: &Path, vocabulary: &Vocabulary, out: &Path) -> Result<u64> {
    if sources.valid.is_empty() {
        return Ok(0);
    }
    let mut writer = tokens::TokenWriter::create(&out.join("valid.tokens"))?;
    let path = out.join(VALID_TEXT);
    let cannot_write = || format!("cannot write {}", path.display());
    let mut text = BufWriter::new(File::create(&path).with_context(cannot_write)?);
    for file in &sources.valid {
        let mut lines = Lines::open(&root.join(file))?;
        while let Some((_, line)) = lines.next_line()? {
            writer.write(&line_rows(&line, sources.tokenization, vocabulary))?;
            writeln!(text, "{line}").with_context(cannot_write)?;
        }
    }
    text.flush().with_context(cannot_write)?;
    let tokens = writer.finish()?;
    ensure!(tokens > 0, "there is no line of held-out text in {}", sources.valid.join(", "));
    Ok(tokens)
}

/// The lines of a corpus's held-out text.
pub fn read_valid(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join(VALID_TEXT);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}: prepare the corpus with held-out text", path.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
