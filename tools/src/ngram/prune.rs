//! Pruning by weighted difference (Seymore & Rosenfeld 1996): an n-gram is worth how often it was met, times by how much its
//! probability exceeds what backing off gives.

use super::{Counted, Level, Trie};

pub fn prune(counted: &Counted, threshold: f32) -> Trie {
    let trie = &counted.trie;
    let mut kept_trigrams = vec![false; trie.trigrams.len()];
    for (context, &last) in trie.bigrams.words.iter().enumerate() {
        for place in trie.trigrams.of(context) {
            let lower = trie.bigram_backoffs[context] + trie.log_probability(None, last, trie.trigrams.words[place]);
            let gain = trie.trigrams.probabilities[place] - lower;
            kept_trigrams[place] = counted.trigram_counts[place] as f32 * gain > threshold;
        }
    }
    let mut kept_bigrams = vec![false; trie.bigrams.len()];
    for context in 0..trie.unigrams.len() {
        for place in trie.bigrams.of(context) {
            let word = trie.bigrams.words[place] as usize;
            let gain = trie.bigrams.probabilities[place] - trie.unigram_backoffs[context] - trie.unigrams[word];
            let has_trigrams = trie.trigrams.of(place).any(|trigram| kept_trigrams[trigram]);
            kept_bigrams[place] = has_trigrams || counted.bigram_counts[place] as f32 * gain > threshold;
        }
    }
    let trigrams = trie.trigrams.kept(&kept_trigrams);
    Trie {
        unigrams: trie.unigrams.clone(),
        unigram_backoffs: Vec::new(),
        bigrams: trie.bigrams.kept(&kept_bigrams),
        bigram_backoffs: Vec::new(),
        // Bigrams that are gone have no trigrams.
        trigrams: Level { starts: contexts(&trigrams.starts, &kept_bigrams), ..trigrams },
    }
}

impl Level {
    fn kept(&self, kept: &[bool]) -> Level {
        let mut before = vec![0u32];
        for &kept in kept {
            before.push(before[before.len() - 1] + u32::from(kept));
        }
        let filter = |place: &usize| kept[*place];
        Level {
            starts: self.starts.iter().map(|&start| before[start as usize]).collect(),
            words: (0..self.len()).filter(filter).map(|place| self.words[place]).collect(),
            probabilities: (0..self.len()).filter(filter).map(|place| self.probabilities[place]).collect(),
        }
    }
}

/// The starts of those contexts that are kept.
fn contexts(starts: &[u32], kept: &[bool]) -> Vec<u32> {
    let of_kept = starts.iter().zip(kept).filter(|&(_, &kept)| kept).map(|(&start, _)| start);
    of_kept.chain(starts.last().copied()).collect()
}

/// Computes the back-off weights that make the probabilities of every context sum to 1.
pub fn with_backoffs(mut trie: Trie) -> Trie {
    let sum = |terms: &mut dyn Iterator<Item = f32>| terms.map(|x| f64::from(x).exp()).sum::<f64>();
    let weight = |kept: f64, lower: f64| ((1.0 - kept).max(1e-9) / (1.0 - lower).max(1e-9)).ln() as f32;
    trie.unigram_backoffs = (0..trie.unigrams.len())
        .map(|context| {
            let range = trie.bigrams.of(context);
            let lower = trie.bigrams.words[range.clone()].iter().map(|&word| trie.unigrams[word as usize]);
            weight(sum(&mut trie.bigrams.probabilities[range].iter().copied()), sum(&mut lower.into_iter()))
        })
        .collect();
    trie.bigram_backoffs = trie
        .bigrams
        .words
        .iter()
        .enumerate()
        .map(|(context, &last)| {
            let range = trie.trigrams.of(context);
            let words = trie.trigrams.words[range.clone()].iter();
            let lower = words.map(|&word| trie.log_probability(None, last, word));
            weight(sum(&mut trie.trigrams.probabilities[range].iter().copied()), sum(&mut lower.into_iter()))
        })
        .collect();
    trie
}
