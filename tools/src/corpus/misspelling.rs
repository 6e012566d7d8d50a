//! Which words of a vocabulary are misspellings of others: they are read, but not offered.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::Result;

use super::lists::read_spellings;
use super::sources::SpellingList;
use super::vocabulary::WordTable;

/// A misspelling is so many times rarer than the word that is meant.
const RARER: f64 = 20.0;
/// Shorter words are near too many others.
const LEAST_LETTERS: usize = 5;

/// Marks as not offered what of the words to be judged is in no list, usually written in lower case (names are in few lists) and one edit away from a
/// word of a list that is 20 times as frequent: a letter left out, put in, put for another or exchanged with its neighbour
/// (Damerau 1964). An apostrophe left out is the writer's way, not an error.
pub fn mark(
    table: &mut WordTable,
    is_judged: impl Fn(&str) -> bool,
    lists: &[SpellingList],
    root: &Path,
) -> Result<()> {
    let words = &table.entries[table.specials..];
    let counts: HashMap<&str, f64> = words.iter().map(|entry| (entry.token.as_str(), entry.count)).collect();
    let listed = read_spellings(lists, root, |word| counts.contains_key(word))?;
    let letters: BTreeSet<char> = words.iter().flat_map(|entry| entry.token.chars()).collect();
    let is_misspelt = |word: &str, count: f64| {
        let meant = |edit: &String| {
            listed.contains_key(edit.as_str())
                && counts[edit.as_str()] >= RARER * count
                && edit.replace('\'', "") != word
        };
        edits(word, &letters).any(|edit| meant(&edit))
    };
    let marked: Vec<usize> = (table.specials..table.entries.len())
        .filter(|&row| {
            let entry = &table.entries[row];
            entry.offered
                && is_judged(&entry.token)
                && entry.spelling == entry.token
                && !listed.contains_key(&entry.token)
                && entry.token.chars().count() >= LEAST_LETTERS
                && entry.token.chars().all(char::is_alphabetic)
                && is_misspelt(&entry.token, entry.count)
        })
        .collect();
    for &row in &marked {
        table.entries[row].offered = false;
    }
    note!("{} misspellings are read, but not offered", marked.len());
    Ok(())
}

/// All that is one edit away from a word.
fn edits<'a>(word: &'a str, letters: &'a BTreeSet<char>) -> impl Iterator<Item = String> + 'a {
    let chars: Vec<char> = word.chars().collect();
    (0..=chars.len()).flat_map(move |at| {
        let (before, behind) = chars.split_at(at);
        let joined =
            |middle: &[char], rest: &[char]| -> String { [before, middle, rest].concat().into_iter().collect() };
        let mut edits: Vec<String> = letters.iter().map(|&letter| joined(&[letter], behind)).collect();
        if let [first, rest @ ..] = behind {
            edits.push(joined(&[], rest));
            edits.extend(letters.iter().filter(|letter| *letter != first).map(|&letter| joined(&[letter], rest)));
        }
        if let [first, second, rest @ ..] = behind {
            edits.push(joined(&[*second, *first], rest));
        }
        edits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Entry;
    use std::fs;

    #[test]
    fn edits_are_those_of_damerau() {
        let letters = BTreeSet::from(['a', 'b']);
        let all: BTreeSet<String> = edits("ab", &letters).collect();
        let wanted = ["a", "aa", "aab", "aba", "abb", "b", "ba", "bab", "bb"];
        // An insertion beside its like gives the same word from two places.
        assert_eq!(all, wanted.map(str::to_owned).into());
    }

    #[test]
    fn misspellings_are_not_offered() {
        let entry = |token: &str, spelling: &str, count: f64| Entry {
            token: token.into(),
            count,
            spelling: spelling.into(),
            offered: true,
        };
        let entries = vec![
            Entry::special("<unk>".into(), 1.0),
            entry("because", "because", 1000.0),
            entry("becuase", "becuase", 12.0), // misspelt
            entry("didn't", "didn't", 500.0),
            entry("didnt", "didnt", 9.0), // its writer's way
            entry("melon", "melon", 400.0),
            entry("emlon", "emlon", 30.0),  // too frequent for an error
            entry("melno", "Melno", 2.0),   // a name
            entry("mellon", "mellon", 2.0), // in the list
            entry("zebra", "zebra", 1.0),
        ];
        let mut table = WordTable { specials: 1, entries };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("words.txt"), "Because\ndidn't\nmelon\nmellon\nunheard\n").unwrap();
        let lists = [SpellingList { path: "words.txt".into(), attribution: String::new() }];
        let withheld = |table: &WordTable| -> Vec<String> {
            let words = table.entries[1..].iter().filter(|entry| !entry.offered);
            words.map(|entry| entry.token.clone()).collect()
        };
        mark(&mut table, |word| word != "becuase", &lists, folder.path()).unwrap();
        assert!(withheld(&table).is_empty());
        mark(&mut table, |_| true, &lists, folder.path()).unwrap();
        assert_eq!(withheld(&table), ["becuase"]);
    }
}
