//! Interpolated modified Kneser-Ney probabilities.

use lm_wasm::text::LINE_END;

use super::count::Counts;
use super::{Counted, Level, Trie};

/// What is taken off counts of 1, 2, and 3 or more (Chen & Goodman 1998, equation 17).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Discounts([f64; 3]);

impl Discounts {
    fn new(counts: impl Iterator<Item = u32>) -> Discounts {
        let mut of = [0.0f64; 5];
        counts.filter(|&count| (1..=4).contains(&count)).for_each(|count| of[count as usize] += 1.0);
        let y = of[1] / (of[1] + 2.0 * of[2]).max(1.0);
        let discount = |count: usize| {
            // A text too small for that estimate gets the one discount of Kneser & Ney 1995.
            if of[count] == 0.0 || of[count + 1] == 0.0 {
                return y;
            }
            (count as f64 - (count + 1) as f64 * y * of[count + 1] / of[count]).clamp(0.0, count as f64)
        };
        Discounts([discount(1), discount(2), discount(3)])
    }

    fn of(&self, count: u32) -> f64 {
        match count {
            0 => 0.0,
            1..=3 => self.0[count as usize - 1],
            _ => self.0[2],
        }
    }
}

/// Makes probabilities of counts; there are `rows` tokens.
pub fn estimate(counts: &Counts, rows: usize) -> Counted {
    let continuations = continuations(counts);
    let unigrams = unigrams(&continuations, rows);

    // Lower orders are of continuation counts: of how many different words an n-gram was met behind.
    let discounts = Discounts::new(continuations.iter().map(|&(_, count)| count));
    let contexts = continuations.chunk_by(|a, b| a.0[0] == b.0[0]);
    let mut bigrams = Builder::new(rows);
    for context in contexts {
        let lower = |word: u32| f64::from(unigrams[word as usize]).exp();
        bigrams.add(
            context[0].0[0] as usize,
            context.iter().map(|&([_, word], count)| (word, count)),
            &discounts,
            lower,
        );
    }
    let (bigrams, unigram_backoffs) = bigrams.finish();

    let discounts = Discounts::new(counts.trigrams.iter().map(|&(_, count)| count));
    let mut trigrams = Builder::new(bigrams.len());
    for context in counts.trigrams.chunk_by(|a, b| a.0[..2] == b.0[..2]) {
        let [first, second, _] = context[0].0;
        let lower = |word: u32| {
            let bigram = bigrams.find(second as usize, word).expect("the end of a trigram is a bigram");
            f64::from(bigrams.probabilities[bigram]).exp()
        };
        let place = bigrams.find(first as usize, second).expect("the beginning of a trigram is a bigram");
        trigrams.add(place, context.iter().map(|&([.., word], count)| (word, count)), &discounts, lower);
    }
    let (trigrams, bigram_backoffs) = trigrams.finish();
    Counted {
        trie: Trie { unigrams, unigram_backoffs, bigrams, bigram_backoffs, trigrams },
        bigram_counts: counts.bigrams.iter().map(|&(_, count)| count).collect(),
        trigram_counts: counts.trigrams.iter().map(|&(_, count)| count).collect(),
    }
}

/// Of each bigram the number of different words it was met behind; at the beginning of a line, where nothing stands
/// before, how often it was met.
fn continuations(counts: &Counts) -> Vec<([u32; 2], u32)> {
    let mut ends: Vec<[u32; 2]> = counts.trigrams.iter().map(|&([_, a, b], _)| [a, b]).collect();
    ends.sort_unstable();
    let mut runs = ends.chunk_by(|a, b| a == b).peekable();
    let behind = |&(bigram, count): &([u32; 2], u32)| {
        let run = runs.next_if(|run| run[0] == bigram).map_or(0, |run| run.len() as u32);
        (bigram, if bigram[0] == LINE_END { count } else { run.max(1) })
    };
    counts.bigrams.iter().map(behind).collect()
}

/// Of the number of different words that a token was met behind, interpolated with the uniform distribution.
fn unigrams(bigrams: &[([u32; 2], u32)], rows: usize) -> Vec<f32> {
    let mut behind = vec![0u32; rows];
    bigrams.iter().for_each(|&([_, word], _)| behind[word as usize] += 1);
    let discounts = Discounts::new(behind.iter().copied());
    let total: f64 = behind.iter().map(|&count| f64::from(count)).sum();
    let taken: f64 = behind.iter().map(|&count| discounts.of(count)).sum();
    // Where nothing could be taken off, what was never met still needs a probability.
    let added = if taken > 0.0 { 0.0 } else { 1.0 };
    let uniform = (taken + added) / rows as f64;
    let probability = |&count: &u32| (f64::from(count) - discounts.of(count) + uniform) / (total + added);
    behind.iter().map(|count| probability(count).ln() as f32).collect()
}

/// A level under construction, with the back-off weights of its contexts.
struct Builder {
    level: Level,
    backoffs: Vec<f32>,
    contexts: usize,
}

impl Builder {
    fn new(contexts: usize) -> Builder {
        Builder { level: Level::default(), backoffs: Vec::with_capacity(contexts), contexts }
    }

    /// Adds the words of a context; contexts come in order.
    fn add(
        &mut self,
        context: usize,
        words: impl Iterator<Item = (u32, u32)> + Clone,
        discounts: &Discounts,
        lower: impl Fn(u32) -> f64,
    ) {
        self.skip_to(context);
        let total: f64 = words.clone().map(|(_, count)| f64::from(count)).sum();
        let taken: f64 = words.clone().map(|(_, count)| discounts.of(count)).sum();
        let backoff = taken / total;
        for (word, count) in words {
            let probability = (f64::from(count) - discounts.of(count)) / total + backoff * lower(word);
            self.level.words.push(word);
            self.level.probabilities.push(probability.ln() as f32);
        }
        self.backoffs.push(backoff.max(f64::MIN_POSITIVE).ln() as f32);
        self.level.starts.push(self.level.words.len() as u32);
    }

    /// Contexts up to this one have no words.
    fn skip_to(&mut self, context: usize) {
        if self.level.starts.is_empty() {
            self.level.starts.push(0);
        }
        self.backoffs.resize(context, 0.0);
        self.level.starts.resize(context + 1, self.level.words.len() as u32);
    }

    fn finish(mut self) -> (Level, Vec<f32>) {
        self.skip_to(self.contexts);
        (self.level, self.backoffs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discounts_are_those_of_the_equation() {
        // n1 = 4, n2 = 2, n3 = 1, n4 = 1: Y = 4 / 8.
        let counts = [1, 1, 1, 1, 2, 2, 3, 4, 9];
        let Discounts(discounts) = Discounts::new(counts.into_iter());
        assert_eq!(discounts, [1.0 - 2.0 * 0.5 * 0.5, 2.0 - 3.0 * 0.5 * 0.5, 3.0 - 4.0 * 0.5]);
    }

    /// Lines of letters; `e` (row 1) ends a line.
    fn counts(lines: &[&[u32]]) -> Counts {
        let mut counts = Counts::default();
        for line in lines {
            let mut context = (None, LINE_END);
            for &token in line.iter().chain(&[LINE_END]) {
                counts.bigrams.push(([context.1, token], 1));
                counts.trigrams.extend(context.0.map(|before| ([before, context.1, token], 1)));
                context = super::super::count::after(context, token);
            }
        }
        fn merge<const N: usize>(all: &mut Vec<([u32; N], u32)>) {
            all.sort_unstable();
            *all = all.chunk_by(|a, b| a.0 == b.0).map(|run| (run[0].0, run.len() as u32)).collect();
        }
        merge(&mut counts.bigrams);
        merge(&mut counts.trigrams);
        counts
    }

    #[test]
    fn probabilities_sum_to_one_in_every_context() {
        let counts = counts(&[&[3, 4, 5], &[3, 4, 6], &[7, 4, 5, 5], &[3, 4, 5], &[6], &[6, 7, 3, 4, 5]]);
        let trie = estimate(&counts, 9).trie;
        for before in (0..9).map(Some).chain([None]) {
            for last in 0..9 {
                let sum: f32 = (0..9).map(|word| trie.log_probability(before, last, word).exp()).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{before:?} {last}: {sum}");
            }
        }
        // What was met often behind the same words is more probable than what was met once.
        assert!(trie.log_probability(Some(3), 4, 5) > trie.log_probability(Some(3), 4, 6));
        assert!(trie.log_probability(Some(3), 4, 6) > trie.log_probability(Some(3), 4, 8));
    }

    #[test]
    fn lower_orders_count_contexts() {
        // 5 is met three times behind one word, 6 twice behind two: as a continuation 6 counts more.
        let counts = counts(&[&[3, 5], &[3, 5], &[3, 5], &[3, 6], &[4, 6]]);
        let trie = estimate(&counts, 8).trie;
        assert!(trie.unigrams[6] > trie.unigrams[5]);
    }
}
