//! Words beyond the vocabulary. The network knows all of them as `<unk>`, and what it gives to that is shared out among them by
//! their frequency, whatever the context: `P(w | context) = P(<unk> | context) P(w | <unk>)`.

use std::f32::consts::LN_2;
use std::ops::Range;

use super::{Casing, WordList};

/// Words whose levels are looked at, and summed up, together.
const BLOCK: usize = 64;

/// Rare words with their frequencies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RareWords {
    words: WordList,
    /// Of each word its level, then two bits of casing.
    flags: Vec<u8>,
    /// `ln P(w | <unk>)` of the words of level 0; a level is a factor of 1/2.
    log_share: f32,
    /// The sum over all words before each block, in shares of the last level: integers, so that sums of any range are exact.
    sums: Vec<u64>,
}

/// What a model says of a rare word, in one byte of the file: bits 0 and 1 the [`Casing`], which is not mixed, the others the
/// level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RareFlags {
    /// How the word is usually written.
    pub casing: Casing,
    /// How many times the frequency is half of that of level 0; at most 40.
    pub level: u8,
}

impl RareFlags {
    /// The rarest level.
    pub const LAST_LEVEL: u8 = 40;

    /// The byte that stands in the file.
    pub fn to_byte(self) -> u8 {
        self.level.min(Self::LAST_LEVEL) << 2 | self.casing.to_bits()
    }

    fn from_byte(byte: u8) -> Option<RareFlags> {
        let flags = RareFlags { casing: Casing::from_bits(byte), level: byte >> 2 };
        (flags.level <= Self::LAST_LEVEL && flags.casing != Casing::Mixed).then_some(flags)
    }

    /// The share of this level in shares of the last one.
    fn share(byte: u8) -> u64 {
        1 << (Self::LAST_LEVEL - (byte >> 2))
    }
}

impl RareWords {
    /// Takes words, a byte of [`RareFlags`] for each, and `ln P(w | <unk>)` of the words of
    /// level 0; the reason if they do not fit together.
    pub fn from_parts(words: WordList, flags: Vec<u8>, log_share: f32) -> Result<RareWords, &'static str> {
        if flags.len() != words.len() {
            return Err("there are not as many flags of rare words as rare words");
        }
        if flags.iter().any(|&byte| RareFlags::from_byte(byte).is_none()) {
            return Err("unknown flags of a rare word");
        }
        let mut sum = 0;
        let mut sums = Vec::with_capacity(flags.len().div_ceil(BLOCK));
        for block in flags.chunks(BLOCK) {
            sums.push(sum);
            sum += block.iter().map(|&byte| RareFlags::share(byte)).sum::<u64>();
        }
        Ok(RareWords { words, flags, log_share, sums })
    }

    /// The words.
    pub fn words(&self) -> &WordList {
        &self.words
    }

    /// The word at `index` as it is usually written.
    pub fn cased(&self, index: usize) -> String {
        Casing::from_bits(self.flags[index]).apply(&self.words.get(index))
    }

    /// `ln P(w | <unk>)` of the word at `index`.
    pub fn log_share(&self, index: usize) -> f32 {
        self.log_share - f32::from(self.flags[index] >> 2) * LN_2
    }

    /// The sum of `P(w | <unk>)` over a range, as a multiple of that of the words of level 0.
    pub fn share_of(&self, range: Range<usize>) -> f32 {
        const UNIT: f32 = (1_u64 << RareFlags::LAST_LEVEL) as f32;
        let sum = self.sum_before(range.end) - self.sum_before(range.start);
        sum as f32 / UNIT
    }

    /// `ln P(w | <unk>)` of the words of level 0.
    pub fn log_share_of_first_level(&self) -> f32 {
        self.log_share
    }

    fn sum_before(&self, end: usize) -> u64 {
        let block = end.saturating_sub(1) / BLOCK;
        let before = self.sums.get(block).copied().unwrap_or(0);
        before + self.flags[block * BLOCK..end].iter().map(|&byte| RareFlags::share(byte)).sum::<u64>()
    }

    /// The indices of the `k` most frequent words of a range, in falling order; of equals the one that stands first.
    pub fn most_frequent(&self, range: Range<usize>, k: usize) -> Vec<usize> {
        let mut best: Vec<usize> = Vec::with_capacity(k.min(range.len()));
        if k == 0 {
            return best;
        }
        let level = |index: usize| self.flags[index] >> 2;
        for start in range.clone().step_by(BLOCK) {
            let block = start..range.end.min(start + BLOCK);
            let least = self.flags[block.clone()].iter().fold(u8::MAX, |least, &byte| least.min(byte)) >> 2;
            if best.len() == k && least >= level(best[k - 1]) {
                continue;
            }
            for index in block {
                if best.len() < k || level(index) < level(best[k - 1]) {
                    best.truncate(k - 1);
                    let at = best.partition_point(|&other| level(other) <= level(index));
                    best.insert(at, index);
                }
            }
        }
        best
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rare(levels: &[u8], log_share: f32) -> RareWords {
        let words: Vec<String> = (0..levels.len()).map(|index| format!("{index:04}")).collect();
        let list = WordList::new(words.iter().map(String::as_str)).unwrap();
        let flags = levels.iter().map(|&level| RareFlags { casing: Casing::Title, level }.to_byte()).collect();
        RareWords::from_parts(list, flags, log_share).unwrap()
    }

    proptest! {
        #[test]
        fn ranges(
            levels in prop::collection::vec(0u8..12, 1..300),
            (a, b) in any::<(prop::sample::Index, prop::sample::Index)>(),
            k in 0usize..6,
        ) {
            let rare = rare(&levels, -3.0);
            let (a, b) = (a.index(levels.len() + 1), b.index(levels.len() + 1));
            let range = a.min(b)..a.max(b);
            let mut wanted: Vec<usize> = range.clone().collect();
            wanted.sort_by_key(|&index| levels[index]);
            wanted.truncate(k);
            prop_assert_eq!(rare.most_frequent(range.clone(), k), wanted);

            let sum: f64 = range.clone().map(|index| f64::from(rare.log_share(index)).exp()).sum();
            let share = f64::from(rare.share_of(range)) * (-3.0_f64).exp();
            prop_assert!((share - sum).abs() <= 1e-6 * sum, "{share} {sum}");
        }
    }

    #[test]
    fn parts_that_do_not_fit() {
        let words = WordList::new(["a", "b"]).unwrap();
        let of = |flags: &[u8]| RareWords::from_parts(words.clone(), flags.to_vec(), -1.0);
        assert!(of(&[0, 5]).is_ok());
        assert!(of(&[0]).is_err());
        assert!(of(&[0, 3]).is_err(), "mixed casing");
        assert!(of(&[0, 41 << 2]).is_err(), "a level that is too rare");
    }

    #[test]
    fn spellings() {
        let words = WordList::new(["nato", "oslo"]).unwrap();
        let rare = RareWords::from_parts(words, vec![2, 1], -1.0).unwrap();
        assert_eq!([0, 1].map(|index| rare.cased(index)), ["NATO", "Oslo"]);
    }
}
