//! Which words of the vocabulary a model offers; the others it reads only.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;

use super::lists::{read_frequencies, read_words};
use super::sources::Sources;

/// Letters of the shortest beginning that tells a word.
const LEAST_STEM: usize = 4;

/// What makes other forms of an English word. With others there would be words like "title" and "butter" among them.
const ENDINGS: [&str; 5] = ["s", "'s", "es", "ed", "ing"];

/// The lists that decide.
pub struct Offer {
    never: HashSet<String>,
    /// What inflections of these begin with.
    stems: Vec<String>,
    /// If there is a frequency list, the words of it that are frequent enough.
    listed: Option<HashSet<String>>,
}

impl Offer {
    /// Reads the lists that a source list names.
    pub fn read(sources: &Sources, root: &Path) -> Result<Offer> {
        let never = read_words(sources.never_offer.iter().map(|file| root.join(file)))?;
        let stems = never.iter().filter_map(|word| stem(word)).collect();
        let Some(list) = &sources.offer_if_listed else { return Ok(Offer { never, stems, listed: None }) };
        let frequencies = read_frequencies(list, root)?.into_iter();
        let listed = frequencies.filter(|&(_, zipf)| zipf >= list.zipf).map(|(word, _)| word).collect();
        Ok(Offer { never, stems, listed: Some(listed) })
    }

    /// Whether a word is, or may be an inflection of, one that is never offered: it begins as that does without its last letter, or,
    /// if that has no more than 4, with all of it.
    pub fn is_like_offensive(&self, word: &str) -> bool {
        self.stems.iter().any(|stem| word.starts_with(stem))
    }

    /// Whether a normalized word may be offered: neither one that never is, nor such a one with a regular English ending. A list
    /// that splits words at their apostrophes (`ma'am`) need not have a word with one.
    pub fn allows(&self, word: &str) -> bool {
        let listed = self.listed.as_ref().is_none_or(|listed| listed.contains(word) || word.contains('\''));
        let mut stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
        listed && !self.never.contains(word) && !stems.any(|stem| self.never.contains(stem))
    }
}

/// What inflections of a word begin with; none if it is too short to tell them.
fn stem(word: &str) -> Option<String> {
    let letters: Vec<char> = word.chars().collect();
    let length = if letters.len() > LEAST_STEM { letters.len() - 1 } else { letters.len() };
    (length >= LEAST_STEM).then(|| letters[..length].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_begin_as_their_word() {
        let never: HashSet<String> = ["damn", "bastard", "ass"].map(str::to_owned).into();
        let stems = never.iter().filter_map(|word| stem(word)).collect();
        let offer = Offer { never, stems, listed: None };
        for (word, is_like) in
            [("damned", true), ("dame", false), ("bastarda", true), ("bastar", true), ("assess", false)]
        {
            assert_eq!(offer.is_like_offensive(word), is_like, "{word}");
        }
        assert!(offer.allows("assess") && !offer.allows("ass"));
        assert!(offer.allows("damnation") && !offer.allows("damned") && !offer.allows("bastard's"));
    }
}
