//! Lists of words from elsewhere: plain ones, with frequencies, and of right spellings.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};
use lm_wasm::text::normalize;

use super::lines::Lines;
use super::sources::{FrequencyList, SpellingList};

/// The normalized words of files, one a line.
pub fn read_words(files: impl IntoIterator<Item: AsRef<Path>>) -> Result<HashSet<String>> {
    let mut words = HashSet::new();
    for file in files {
        let mut lines = Lines::open(file.as_ref())?;
        while let Some((_, word)) = lines.next_line()? {
            words.insert(normalize(&word).into_owned());
        }
    }
    Ok(words)
}

/// The normalized words of a frequency list, each with its Zipf frequency.
pub fn read_frequencies(list: &FrequencyList, root: &Path) -> Result<HashMap<String, f64>> {
    let mut words = HashMap::new();
    let mut lines = Lines::open(&root.join(&list.path))?;
    while let Some((word, zipf)) = lines.next_line()? {
        let zipf: f64 = zipf.parse().with_context(|| {
            format!(
                "{}: {zipf:?} is not a frequency: a list is a .tsv file (or .tsv.xz) of words, tabs and numbers",
                list.path
            )
        })?;
        words.insert(normalize(&word).into_owned(), zipf);
    }
    Ok(words)
}

/// The normalized words of spelling lists that are wanted, each as the lists write it, in lower case if one of them does: a list
/// may have millions, and few are wanted.
pub fn read_spellings(
    lists: &[SpellingList],
    root: &Path,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<HashMap<String, String>> {
    let mut listed: HashMap<String, String> = HashMap::new();
    for list in lists {
        let mut lines = Lines::open(&root.join(&list.path))?;
        while let Some((_, spelling)) = lines.next_line()? {
            let word = normalize(&spelling);
            if is_wanted(&word) && (*word == *spelling || !listed.contains_key(&*word)) {
                listed.insert(word.into_owned(), spelling);
            }
        }
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lower_case_goes_before() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "Polish\nOslo\nunwanted\n").unwrap();
        fs::write(folder.path().join("b.txt"), "polish\nOSLO\n").unwrap();
        let lists = ["a.txt", "b.txt"].map(|path| SpellingList { path: path.to_owned(), attribution: String::new() });
        let listed = read_spellings(&lists, folder.path(), |word| word != "unwanted").unwrap();
        let wanted =
            [("polish", "polish"), ("oslo", "Oslo")].map(|(word, as_written)| (word.into(), as_written.into()));
        assert_eq!(listed, HashMap::from(wanted));
    }
}
