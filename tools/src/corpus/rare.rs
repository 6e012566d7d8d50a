//! Words beyond the vocabulary that a model completes though its network knows them as `<unk>` alone: `rare_words.tsv`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use lm_wasm::text::{Casing, Token, tokens};

use super::count::Counts;
use super::lists::{read_frequencies, read_spellings};
use super::offer::Offer;
use super::sources::Sources;
use super::vocabulary::WordTable;

/// The table of a corpus that has rare words.
const FILE: &str = "rare_words.tsv";
const HEADER: &str = "word\tprobability\tspelling";
/// Shorter words save nothing behind what must be typed of them.
const LEAST_LETTERS: usize = 4;
const MOST_BYTES: usize = 100;
/// Where there is no spelling list, what was seen less often may be a slip.
pub const LEAST_COUNT: f64 = 2.0;

/// A word beyond the vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct RareWord {
    /// The normalized word.
    pub word: String,
    /// P(word | `<unk>`).
    pub probability: f64,
    /// How it is usually written; not in mixed casing.
    pub spelling: String,
}

/// Rare words in ascending order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RareWords {
    pub entries: Vec<RareWord>,
}

impl RareWords {
    /// Words that the vocabulary lacks, the most frequent first, with their frequency among unknown words, which were counted so many
    /// times.
    ///
    /// Where there is a frequency list a word's occurrences are the mean of those counted and those that the list lets expect:
    /// what was seen once says little. They are taken from the spelling lists, written as there; where there are none, from the
    /// frequency list; where there is none either, they have been seen twice. Words that begin as an offensive one does are left
    /// out, for they are mostly its inflections, and so are those of mixed casing.
    pub fn candidates(
        counts: &Counts,
        table: &WordTable,
        unknown: f64,
        offer: &Offer,
        sources: &Sources,
        root: &Path,
    ) -> Result<Vec<RareWord>> {
        let vocabulary: HashSet<&str> = table.entries.iter().map(|entry| entry.token.as_str()).collect();
        let list = sources.offer_if_listed.as_ref();
        let frequencies = list.map(|list| read_frequencies(list, root)).transpose()?;
        let mut estimates = estimates(counts, frequencies.as_ref());
        estimates
            .retain(|word, _| is_wanted(word) && !vocabulary.contains(word.as_str()) && !offer.is_like_offensive(word));
        let listed = read_spellings(&sources.spelling, root, |word| estimates.contains_key(word))?;
        let is_trusted = |word: &str, estimate: f64| match &frequencies {
            _ if !sources.spelling.is_empty() => listed.contains_key(word),
            Some(frequencies) => frequencies.contains_key(word),
            None => estimate >= LEAST_COUNT,
        };
        let spelling = |word: &str| listed.get(word).cloned().or_else(|| counts.spelling(word));
        let candidates = estimates.into_iter().filter(|(word, estimate)| is_trusted(word, *estimate));
        let candidates = candidates.filter_map(|(word, estimate)| {
            let spelling = spelling(&word).unwrap_or_else(|| word.clone());
            (Casing::of(&spelling) != Casing::Mixed).then_some(RareWord { word, probability: estimate, spelling })
        });
        let mut entries: Vec<RareWord> = candidates.collect();
        entries.sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.word.cmp(&b.word)));
        let sum: f64 = entries.iter().map(|entry| entry.probability).sum();
        let unknown = unknown.max(sum);
        entries.iter_mut().for_each(|entry| entry.probability /= unknown);
        Ok(entries)
    }

    /// So many of the candidates, the first ones; those that are kept in any case do not count.
    pub fn most_frequent(candidates: Vec<RareWord>, count: usize, kept: &HashSet<String>) -> RareWords {
        let (kept, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|entry| kept.contains(&entry.word));
        let mut entries: Vec<RareWord> = kept.into_iter().chain(others.into_iter().take(count)).collect();
        entries.sort_by(|a, b| a.word.cmp(&b.word));
        RareWords { entries }
    }

    /// These and others. A word is as frequent among unknown ones as both have it on average.
    pub fn merged(self, other: RareWords) -> RareWords {
        let mut words: HashMap<String, RareWord> = HashMap::new();
        for entry in self.entries.into_iter().chain(other.entries) {
            let half = entry.probability / 2.0;
            let merged = words.entry(entry.word.clone()).or_insert(RareWord { probability: 0.0, ..entry });
            merged.probability += half;
        }
        let mut entries: Vec<RareWord> = words.into_values().collect();
        entries.sort_by(|a, b| a.word.cmp(&b.word));
        RareWords { entries }
    }

    /// Writes the table of a corpus as tab-separated values.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let mut text = format!("{HEADER}\n");
        for RareWord { word, probability, spelling } in &self.entries {
            text += &format!("{word}\t{probability}\t{spelling}\n");
        }
        let path = folder.join(FILE);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads the table of a corpus; none if it has none, or none in it.
    pub fn read(folder: &Path) -> Result<Option<RareWords>> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            bail!("{}: not a table of rare words (its first line must be {HEADER:?})", path.display());
        }
        let entries = lines
            .enumerate()
            .map(|(number, line)| parse(line).with_context(|| format!("{}: line {}", path.display(), number + 2)));
        let entries: Vec<RareWord> = entries.collect::<Result<_>>()?;
        Ok(Some(RareWords { entries }).filter(|words| !words.entries.is_empty()))
    }

    /// Removes the table of a corpus, if there is one.
    pub fn remove(folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        fs::remove_file(&path)
            .or_else(super::ignore_missing)
            .with_context(|| format!("cannot remove {}", path.display()))
    }
}

/// Expected occurrences of all words that were counted or are in the frequency list.
fn estimates(counts: &Counts, frequencies: Option<&HashMap<String, f64>>) -> HashMap<String, f64> {
    let mut estimates: HashMap<String, f64> = counts.words().map(|(word, count)| (word.to_owned(), count)).collect();
    let Some(frequencies) = frequencies else { return estimates };
    // In an order of their own: a sum of floats depends on it.
    let mut all: Vec<f64> = estimates.values().copied().collect();
    all.sort_by(f64::total_cmp);
    let all: f64 = all.iter().sum();
    estimates.values_mut().for_each(|count| *count /= 2.0);
    for (word, zipf) in frequencies {
        *estimates.entry(word.clone()).or_default() += all * 10_f64.powf(zipf - 9.0) / 2.0;
    }
    estimates
}

/// Whether a word is long enough, of letters alone, and one word where it is typed.
fn is_wanted(word: &str) -> bool {
    let is_letter = |c: char| c.is_alphabetic() || c == '\'';
    word.chars().count() >= LEAST_LETTERS
        && word.len() <= MOST_BYTES
        && word.chars().all(is_letter)
        && tokens(word).eq([Token::Word(word.into())])
}

fn parse(line: &str) -> Result<RareWord> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[word, probability, spelling] = fields.as_slice() else { bail!("expected 3 fields, found {}", fields.len()) };
    let number: f64 = probability.parse().with_context(|| format!("{probability:?} is not a probability"))?;
    if !(number > 0.0 && number <= 1.0) {
        bail!("{probability} is not a probability");
    }
    Ok(RareWord { word: word.into(), probability: number, spelling: spelling.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(counts: &Counts, table: &WordTable, offer: &Offer, sources: &Sources, root: &Path) -> RareWords {
        let candidates = RareWords::candidates(counts, table, table.entries[0].count, offer, sources, root).unwrap();
        RareWords::most_frequent(candidates, sources.rare_words, &HashSet::new())
    }

    /// Sources of two words with a frequency and a spelling list.
    fn sources(folder: &Path, lists: &str) -> Sources {
        fs::write(folder.join("frequency.tsv"), "walrus\t6\nnarwhal\t8\nhouse\t9\nthis\t9\n").unwrap();
        fs::write(folder.join("spelling.txt"), "walrus\nNarwhal\nhorse\nhorsefly\nhorsey\nthis\nOslo\nhorses'\n")
            .unwrap();
        fs::write(folder.join("never.txt"), "horsefl\n").unwrap();
        let text = format!("language = \"en\"\nwords = 2\nrare_words = 4\n{lists}\n[[source]]\npath = \"a.txt\"\n");
        toml::from_str(&text).unwrap()
    }

    const LISTS: &str = "never_offer = [\"never.txt\"]\nspelling = [{ path = \"spelling.txt\" }]\n\
                         offer_if_listed = { path = \"frequency.tsv\", zipf = 3.0 }";

    fn chosen(lists: &str) -> Vec<RareWord> {
        let folder = tempfile::tempdir().unwrap();
        let sources = sources(folder.path(), lists);
        let mut counts = Counts::default();
        // Twenty words, of which "the" and "this" are the vocabulary.
        counts.add_line(
            "the the the the the the the this this this this this horse horse horse in Oslo Oslo horsefly horzes",
            1.0,
        );
        let table = counts.vocabulary(2, &|_| true);
        let offer = Offer::read(&sources, folder.path()).unwrap();
        of_text(&counts, &table, &offer, &sources, folder.path()).entries
    }

    fn rare(word: &str, estimate: f64, of: f64, spelling: &str) -> RareWord {
        RareWord { word: word.into(), probability: estimate / of, spelling: spelling.into() }
    }

    #[test]
    fn the_most_frequent_words_of_the_lists() {
        let words = chosen(LISTS);
        // Zipf 8 is a tenth of all 20 words, Zipf 6 a thousandth. "horsefly" is like an offensive word, "house" in no spelling list.
        let estimates = [1.5, 1.0, 1.0, 0.01];
        let of = estimates.iter().sum::<f64>().max(8.0);
        let [horse, narwhal, oslo, walrus] = estimates;
        let wanted = [
            rare("horse", horse, of, "horse"),
            rare("narwhal", narwhal, of, "Narwhal"),
            rare("oslo", oslo, of, "Oslo"),
            rare("walrus", walrus, of, "walrus"),
        ];
        assert_eq!(words.len(), 4);
        for (word, wanted) in words.iter().zip(&wanted) {
            assert_eq!((&word.word, &word.spelling), (&wanted.word, &wanted.spelling));
            assert!((word.probability - wanted.probability).abs() < 1e-9, "{word:?} {wanted:?}");
        }
    }

    #[test]
    fn without_spellings_those_of_the_frequency_list() {
        let lists = "offer_if_listed = { path = \"frequency.tsv\", zipf = 3.0 }";
        let words: Vec<String> = chosen(lists).into_iter().map(|entry| entry.word).collect();
        assert_eq!(words, ["house", "narwhal", "walrus"]);
    }

    #[test]
    fn words_are_written_as_in_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let sources = sources(folder.path(), LISTS);
        fs::write(folder.path().join("spelling.txt"), "narwhal\nwalrus\nMcDuff\noslo\n").unwrap();
        let mut counts = Counts::default();
        counts.add_line("the the this this McDuff McDuff Oslo Walrus Narwhal", 1.0);
        let table = counts.vocabulary(2, &|_| true);
        let offer = Offer::read(&sources, folder.path()).unwrap();
        let chosen = of_text(&counts, &table, &offer, &sources, folder.path());
        let spellings: Vec<String> = chosen.entries.into_iter().map(|entry| entry.spelling).collect();
        assert_eq!(spellings, ["narwhal", "oslo", "walrus"]);
    }

    #[test]
    fn one_word_of_letters() {
        for (word, wanted) in [("vole", true), ("żółw", true), ("o'neill", true), ("vol", false), ("vole2", false)] {
            assert_eq!(is_wanted(word), wanted, "{word}");
        }
        assert!(!is_wanted("well-known") && !is_wanted("'vole") && !is_wanted(&"v".repeat(101)));
    }

    #[test]
    fn without_lists_what_was_seen_twice() {
        let words: Vec<String> = chosen("").into_iter().map(|entry| entry.word).collect();
        assert_eq!(words, ["horse", "oslo"]);
    }

    #[test]
    fn table_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RareWords::read(folder.path()).unwrap(), None);
        let table = RareWords { entries: vec![rare("horse", 1.0, 3.0, "horse"), rare("oslo", 0.1, 0.7, "Oslo")] };
        table.write(folder.path()).unwrap();
        assert_eq!(RareWords::read(folder.path()).unwrap(), Some(table));
        for (text, reason) in [("", "first line"), ("a\t1", "3 fields"), ("a\t2\ta", "not a probability")] {
            let text = if text.is_empty() { "x".into() } else { format!("{HEADER}\n{text}\n") };
            fs::write(folder.path().join(FILE), text).unwrap();
            let error = format!("{:#}", RareWords::read(folder.path()).unwrap_err());
            assert!(error.contains(reason) && error.contains(FILE), "{error}");
        }
        RareWords::default().write(folder.path()).unwrap();
        assert_eq!(RareWords::read(folder.path()).unwrap(), None, "an empty table");
        RareWords::remove(folder.path()).unwrap();
        RareWords::remove(folder.path()).unwrap();
        assert_eq!(RareWords::read(folder.path()).unwrap(), None);
    }
}
