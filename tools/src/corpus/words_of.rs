//! The words of a model file or of another prepared corpus, and those that other text adds.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use lm_wasm::format::ModelParts;

use super::count::Counts;
use super::offer::Offer;
use super::rare::{LEAST_COUNT, RareWord, RareWords};
use super::sources::{Sources, Tokenization};
use super::vocabulary::{Entry, WordTable};
use super::{Manifest, SourceSummary, Words, count, misspelling, read_corpus};
use crate::model_file::{ATTRIBUTION, ModelFile};

/// Tokens that the counts of a model's words are of: a model keeps probabilities alone.
const TOKENS: f64 = 1e7;

/// Whose words a corpus has.
pub struct WordsOf<'a> {
    /// A model file or the folder of a prepared corpus.
    pub path: &'a Path,
    /// So many of the text that it lacks become words of the vocabulary, too; as many as the sources say, rare ones.
    pub more: usize,
    /// Whether its rare words stay.
    pub keep_rare: bool,
}

impl WordsOf<'_> {
    /// Reads them; the text itself only where it is to add some.
    pub(super) fn read(&self, sources: &Sources, root: &Path, out: &Path) -> Result<Words> {
        let path = self.path.display();
        let (mut words, language, tokenization) = if ModelFile::is_at(self.path) {
            let file = ModelFile::read(self.path)?;
            let tokenization = Tokenization::of_model(&file.parts.metadata);
            (Words::of_model(&file, self.path), file.about("language").unwrap_or_default().to_owned(), tokenization)
        } else {
            ensure!(
                self.more == 0,
                "--words adds to the words of a model file alone: the networks of a corpus ({path}) have as many rows as it has words"
            );
            Words::of_corpus(self.path, out)?
        };
        if language != sources.language {
            bail!("{path} is of the language {language}, the text {}", sources.language);
        }
        if tokenization != sources.tokenization {
            bail!("the text of {path} is tokenized otherwise (see --tokenization)");
        }
        if !self.keep_rare {
            (words.rare, words.lists) = (None, Vec::new());
        }
        if self.more > 0 || sources.rare_words > 0 {
            words.add(self.more, sources, root)?;
        }
        Ok(words)
    }
}

impl Words {
    /// Those of a model file, which was read from `path`.
    fn of_model(file: &ModelFile, path: &Path) -> Words {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let source = |attribution| SourceSummary::of_model(&name, attribution);
        Words {
            table: WordTable::of_model(file),
            rare: rare_words(file),
            lists: Vec::new(),
            before: file.all_about(ATTRIBUTION).into_iter().map(source).collect(),
        }
    }

    /// Those of a prepared corpus, with its language and tokenization.
    fn of_corpus(folder: &Path, out: &Path) -> Result<(Words, String, Tokenization)> {
        let (manifest, table) = read_corpus(folder)?;
        let Manifest { language, tokenization, lists, mut before, sources, .. } = manifest;
        if fs::canonicalize(out).is_ok_and(|out| fs::canonicalize(folder).is_ok_and(|folder| folder == out)) {
            bail!("--words-of and --out are both {}: prepare the corpus in another folder", out.display());
        }
        before.extend(sources);
        Ok((Words { table, rare: RareWords::read(folder)?, lists, before }, language, tokenization))
    }

    /// Adds the most frequent words of the text that are missing: so many to the vocabulary, then as many rare ones as the sources
    /// ask for.
    fn add(&mut self, more: usize, sources: &Sources, root: &Path) -> Result<()> {
        let (counts, offer) = (count(sources, root)?, Offer::read(sources, root)?);
        let before: HashSet<String> = self.table.entries.iter().map(|entry| entry.token.clone()).collect();
        let added = self.table.add(&counts, more, &|word| offer.allows(word));
        if added > 0 && !sources.spelling.is_empty() {
            misspelling::mark(&mut self.table, |word| !before.contains(word), &sources.spelling, root)?;
        }
        let known: HashSet<&str> = self.table.entries.iter().map(|entry| entry.token.as_str()).collect();
        if more > 0 {
            note!("{added} words of the text come to the vocabulary");
            self.rare.iter_mut().for_each(|rare| rare.entries.retain(|entry| !known.contains(entry.word.as_str())));
        }
        if sources.rare_words > 0 {
            let lists = sources.attributions_of_lists().into_iter();
            let lists: Vec<String> = lists.filter(|list| !self.lists.contains(list)).collect();
            self.lists.extend(lists);
            let unknown = counts.words().filter(|(word, _)| !known.contains(word));
            let mut unknown: Vec<f64> = unknown.map(|(_, count)| count).collect();
            // In an order of their own: a sum of floats depends on it.
            unknown.sort_by(f64::total_cmp);
            let candidates = RareWords::candidates(&counts, &self.table, unknown.iter().sum(), &offer, sources, root)?;
            let of_model = self.rare.take().unwrap_or_default();
            let kept = of_model.entries.iter().map(|entry| entry.word.clone()).collect();
            let of_text = RareWords::most_frequent(candidates, sources.rare_words, &kept);
            self.rare = Some(if of_model.entries.is_empty() { of_text } else { of_model.merged(of_text) });
        }
        Ok(())
    }
}

impl WordTable {
    /// The rows of a model file, with counts that its output bias lets expect.
    pub fn of_model(ModelFile { parts, vocabulary }: &ModelFile) -> WordTable {
        let specials = vocabulary.words().start as usize;
        let entries = counts(parts).into_iter().zip(0..).map(|(count, row)| {
            let offered = vocabulary.is_offered(row);
            Entry { token: vocabulary.name(row), count, spelling: vocabulary.cased(row), offered }
        });
        WordTable { specials, entries: entries.collect() }
    }

    /// Adds the most frequent words of a text that the table lacks, and tells how many: as often as they are in the text, in one of
    /// the table's length.
    fn add(&mut self, counts: &Counts, most: usize, offered: &dyn Fn(&str) -> bool) -> usize {
        let tokens: f64 = self.entries.iter().map(|entry| entry.count).sum();
        let (specials, words) = self.entries.split_at(self.specials);
        let known: HashSet<&str> = words.iter().map(|entry| entry.token.as_str()).collect();
        let own = counts.vocabulary(counts.types(), offered);
        let of_text: f64 = own.counts().iter().sum();
        let mut new: Vec<Entry> = own.entries.into_iter().skip(own.specials).collect();
        new.retain(|entry| entry.count >= LEAST_COUNT && !known.contains(entry.token.as_str()));
        new.sort_by(|a, b| b.count.total_cmp(&a.count).then_with(|| a.token.cmp(&b.token)));
        new.truncate(most);
        new.iter_mut().for_each(|entry| entry.count *= tokens / of_text);
        let added = new.len();
        let mut words: Vec<Entry> = words.iter().cloned().chain(new).collect();
        words.sort_by(|a, b| a.token.cmp(&b.token));
        self.entries = specials.iter().cloned().chain(words).collect();
        added
    }
}

/// Narrow rows are rarer than all others, as when they were chosen.
fn counts(parts: &ModelParts) -> Vec<f64> {
    let bias = parts.output_bias.to_f32();
    let largest = bias.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut counts: Vec<f64> = bias.iter().map(|bias| f64::from(bias - largest).exp()).collect();
    let sum: f64 = counts.iter().sum();
    counts.iter_mut().for_each(|count| *count *= TOKENS / sum);
    if let Some(narrow) = &parts.narrow {
        let of_wide = counts.iter().zip(&narrow.rows).filter(|(_, is_narrow)| !**is_narrow).map(|(count, _)| *count);
        let most = 0.999 * of_wide.fold(f64::INFINITY, f64::min);
        for (count, _) in counts.iter_mut().zip(&narrow.rows).filter(|(_, is_narrow)| **is_narrow) {
            *count = count.min(most);
        }
    }
    counts
}

fn rare_words(ModelFile { vocabulary, .. }: &ModelFile) -> Option<RareWords> {
    let rare = vocabulary.rare();
    let entries = (0..rare.words().len()).map(|index| RareWord {
        word: rare.words().get(index),
        probability: f64::from(rare.log_share(index)).exp(),
        spelling: rare.cased(index),
    });
    Some(RareWords { entries: entries.collect() }).filter(|rare| !rare.entries.is_empty())
}
