//! A token's spelling as the network's input: a locality-sensitive hash of it, and a small layer over that (projection
//! networks: Ravi 2017; the hash: Charikar 2002). No table of words is needed, and any word has an input.

use twox_hash::XxHash64;

use super::{Activations, Matrix, load4, store4};
use crate::format::Lsh;
use crate::simd::{Native, Simd, math};
use crate::text::Marked;

/// Distinguishes the hash of a whole word from that of an n-gram of the same characters.
const WHOLE: u64 = 1 << 32;
/// Distinguishes that of a shape.
const SHAPE: u64 = 1 << 33;
/// A shape is that of so many of a word's first characters: longer words are long, whatever they are.
const SHAPE_CHARACTERS: usize = 8;
/// The increment of Steele's SplitMix (2014), 2^64 over the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// What follows in a token is not read: no word is longer, and the counters have room.
const MOST_CHARACTERS: usize = 100;
/// Bits of the counters: enough for 8 lengths of n-grams in 102 characters and a whole word and a shape that count 255 each.
const PLANES: usize = 12;

/// The layer between a token's code and the recurrent layers.
#[derive(Clone, Debug)]
pub struct LshInput {
    lsh: Lsh,
    /// `embedding x bits`
    weights: Matrix,
    /// `embedding`
    bias: Vec<f32>,
}

/// The memory that reading a token needs.
#[derive(Clone, Debug)]
pub struct LshScratch {
    code: Vec<u64>,
    signs: Activations,
    /// `embedding`
    values: Vec<f32>,
}

impl LshInput {
    pub(super) fn new(lsh: Lsh, weights: Matrix, bias: Vec<f32>) -> LshInput {
        LshInput { lsh, weights, bias }
    }

    /// How spellings become codes.
    pub fn lsh(&self) -> Lsh {
        self.lsh
    }

    /// Memory for this layer.
    pub fn scratch(&self) -> LshScratch {
        let signs = Activations::new(&self.weights);
        LshScratch { code: vec![0; self.lsh.bits / 64], signs, values: vec![0.0; self.bias.len()] }
    }

    /// Makes `x` the vector of a token: `tanh(W s + b)`, where `s` has 1 for each bit of the code that is set and -1 for each
    /// that is not.
    pub fn read(&self, token: &str, scratch: &mut LshScratch, x: &mut Activations) {
        let LshScratch { code, signs, values } = scratch;
        self.lsh.code(token, code);
        signs.set_signs(code);
        self.weights.matvec(signs, values);
        squash::<Native>(values, &self.bias);
        x.set(values);
    }
}

fn squash<S: Simd>(values: &mut [f32], bias: &[f32]) {
    for start in (0..values.len()).step_by(4) {
        let sum = S::f32_add(load4::<S>(values, start), load4::<S>(bias, start));
        store4::<S>(math::tanh::<S>(sum), values, start);
    }
}

impl Lsh {
    /// The code of a token, from the lowest bit of the first word on.
    ///
    /// Features are the n-grams of the token's characters between two marks for its ends, the whole token, and its shape. Bit
    /// `b` tells on which side of a hyperplane the vector of features lies: hyperplane `b` has 1 or -1 for each feature, as
    /// bit `b` of random numbers says that are drawn from the feature's hash (SplitMix64 from XXH64), and the bit is set where
    /// the sum is not negative. So the share of bits in which two codes differ grows with the angle between the words' vectors
    /// of features, and nothing needs to be stored.
    pub fn code(&self, token: &str, code: &mut [u64]) {
        let features = self.features(token);
        let total: u32 = features.iter().map(|&(_, weight)| u32::from(weight)).sum();
        for (word, number) in code.iter_mut().zip(1..) {
            let mut counters = [0; PLANES];
            for &(hash, weight) in &features {
                add(&mut counters, random(hash, number), weight);
            }
            *word = at_least(&counters, total.div_ceil(2));
        }
    }

    /// The hash of each feature, and how often it counts.
    fn features(&self, token: &str) -> Vec<(u64, u8)> {
        let end = token.char_indices().nth(MOST_CHARACTERS).map_or(token.len(), |(at, _)| at);
        let token = &token[..end];
        let (marked, seed) = (Marked::new(token), u64::from(self.seed));
        let mut features = Vec::new();
        for length in usize::from(self.shortest)..=usize::from(self.longest) {
            features.extend(marked.ngrams(length).map(|ngram| (hash(seed, ngram), 1)));
        }
        if self.whole > 0 {
            features.push((hash(seed | WHOLE, token), self.whole));
        }
        if self.shape > 0 {
            features.push((hash(seed | SHAPE, &shape(token)), self.shape));
        }
        features
    }
}

/// How a word looks from afar: an `a` for each letter and a `0` for each digit of its beginning, marks as they are. What is
/// not ASCII is taken for a letter: which characters are letters differs from one version of Unicode to the next.
fn shape(token: &str) -> String {
    let kind = |character: char| match character {
        '0'..='9' => '0',
        mark if mark.is_ascii() && !mark.is_ascii_alphabetic() => mark,
        _ => 'a',
    };
    token.chars().take(SHAPE_CHARACTERS).map(kind).collect()
}

/// XXH64, in one place of the wasm.
#[inline(never)]
fn hash(seed: u64, characters: &str) -> u64 {
    XxHash64::oneshot(seed, characters.as_bytes())
}

/// Random number `number` of the sequence that a feature begins.
fn random(feature: u64, number: u64) -> u64 {
    let mut bits = feature.wrapping_add(number.wrapping_mul(GOLDEN));
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Adds `weight` to those of 64 counters whose bit is set: plane `p` holds bit `p` of each, so that one operation serves
/// them all.
fn add(planes: &mut [u64; PLANES], bits: u64, weight: u8) {
    for place in (0..8).filter(|place| weight >> place & 1 == 1) {
        let mut carry = bits;
        for plane in &mut planes[place..] {
            (*plane, carry) = (*plane ^ carry, *plane & carry);
            if carry == 0 {
                break;
            }
        }
    }
}

/// Which of 64 counters are at least `least`.
fn at_least(planes: &[u64; PLANES], least: u32) -> u64 {
    let (mut greater, mut equal) = (0, u64::MAX);
    for (place, plane) in planes.iter().enumerate().rev() {
        if least >> place & 1 == 1 {
            equal &= plane;
        } else {
            greater |= equal & plane;
            equal &= !plane;
        }
    }
    greater | equal
}

#[cfg(test)]
mod tests {
    use super::*;

    const LSH: Lsh = Lsh { bits: 1024, shortest: 1, longest: 4, whole: 3, shape: 0, seed: 7 };

    fn code(lsh: Lsh, token: &str) -> Vec<u64> {
        let mut code = vec![0; lsh.bits / 64];
        lsh.code(token, &mut code);
        code
    }

    fn distance(a: &str, b: &str) -> u32 {
        code(LSH, a).iter().zip(code(LSH, b)).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    #[test]
    fn bits_are_the_sides_of_hyperplanes() {
        for token in ["a", "żółw", "</s>", "incomprehensibilities", &"x".repeat(1000)] {
            let features = LSH.features(token);
            let code = code(LSH, token);
            for bit in 0..LSH.bits {
                let side = |&(hash, weight): &(u64, u8)| {
                    let sign = random(hash, bit as u64 / 64 + 1) >> (bit % 64) & 1;
                    if sign == 1 { i32::from(weight) } else { -i32::from(weight) }
                };
                let sum: i32 = features.iter().map(side).sum();
                assert_eq!(code[bit / 64] >> (bit % 64) & 1 == 1, sum >= 0, "bit {bit} of {token}");
            }
        }
    }

    #[test]
    fn n_grams_and_the_whole_word_are_features() {
        let count = |token: &str| LSH.features(token).len();
        // "^ab$": 4 of one character, 3 of two, 2 of three, 1 of four, and the word.
        assert_eq!(count("ab"), 11);
        assert_eq!(Lsh { whole: 0, shortest: 3, ..LSH }.features("ł").len(), 1);
        assert_eq!(Lsh { shape: 2, ..LSH }.features("ab").last().map(|feature| feature.1), Some(2));
        let distinct: std::collections::BTreeSet<u64> = LSH.features("żółw").iter().map(|&(hash, _)| hash).collect();
        assert_eq!(distinct.len(), count("żółw"));
    }

    #[test]
    fn words_that_look_alike_have_codes_alike() {
        let (same, alike, other) =
            (distance("walking", "walking"), distance("walking", "talking"), distance("walking", "moon"));
        assert_eq!(same, 0);
        assert!(alike < 400 && (450..574).contains(&other), "{alike} {other}");
    }

    #[test]
    fn words_of_one_shape_share_a_feature() {
        assert_eq!((&*shape("don't"), &*shape("2024"), &*shape("żółwiowatość")), ("aaa'a", "0000", "aaaaaaaa"));
        let last = |token: &str| Lsh { shape: 4, ..LSH }.features(token).pop();
        assert_eq!(last("1999"), last("2024"));
        assert_ne!(last("1999"), last("99"));
    }

    #[test]
    fn codes_are_the_same_everywhere() {
        // What files stand on. The values are those of another implementation (Python, its xxhash package).
        let small = Lsh { bits: 64, ..LSH };
        assert_eq!(code(small, "the"), [0xcf3f_94e8_f4ba_04b5]);
        assert_eq!(code(small, "żółw"), [0x4f65_70a0_d056_366b]);
        let shaped = Lsh { shape: 4, ..small };
        assert_eq!(code(shaped, "don't"), [0x2d22_35a9_f8de_cc34]);
        assert_eq!(code(shaped, "1999"), [0xc970_23a3_969e_caad]);
    }

    #[test]
    fn the_largest_counts_have_room() {
        let largest = Lsh { shortest: 1, longest: 8, whole: 255, shape: 255, ..LSH };
        let features = largest.features(&"ż".repeat(1000));
        let total: u32 = features.iter().map(|&(_, weight)| u32::from(weight)).sum();
        assert!(total < 1 << PLANES);
        let mut planes = [0; PLANES];
        features.iter().for_each(|&(_, weight)| add(&mut planes, u64::MAX, weight));
        assert_eq!((at_least(&planes, total), at_least(&planes, total + 1)), (u64::MAX, 0));
    }
}
