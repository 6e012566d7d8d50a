//! Corrections of logits by the last one or two tokens: what the network tells badly of frequent n-grams, in a list.
//!
//! They are weights of a maximum-entropy n-gram model, added to the network's logits (Mikolov 2011, "Strategies for training
//! large scale neural network language models", section 3), of which a file holds those that are worth their bytes. In
//! memory they stay much as they are in the file, which `docs/format.md` describes.

use std::collections::HashMap;

use crate::format::CorrectionParts;

/// Bytes of contexts and steps between two places that are kept, so that a context is found without reading all.
const STRIDE: usize = 128;
/// The byte that stands for nothing to add.
const ZERO: f32 = 128.0;
/// Steps of what is added in one unit of a logit.
pub const STEPS: f32 = 2.0;
/// Bits of a number in one byte; the highest tells that more follow.
const BITS: u32 = 7;

/// Corrections for contexts of one and two tokens.
#[derive(Debug, Clone)]
pub struct Corrections {
    parts: CorrectionParts,
    tokens: Tokens,
    /// Where contexts are, in ascending order, one every [`STRIDE`] bytes.
    index: Vec<Place>,
}

/// The rows of the tokens that occur. Elsewhere they go by their places here.
#[derive(Debug, Clone, Default)]
struct Tokens {
    rows: Vec<u32>,
    /// Where ascending rows end and others begin.
    ends: Vec<usize>,
}

/// A context: its last token, and one more than the token before that, or 0 if that does not count. Contexts are in ascending order.
type Key = (u32, u32);

/// Where a context is.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The last token, as long as contexts of two that end with it are left; otherwise the least that it may be.
    last: u32,
    /// How many of these are left.
    left: u32,
    /// The least that the token before may be in these.
    before: u32,
    context: usize,
    word: usize,
    step: usize,
}

impl Place {
    /// The least that the context may be.
    fn least(&self) -> Key {
        if self.left > 0 { (self.last, self.before + 1) } else { (self.last, 0) }
    }
}

impl Corrections {
    /// Takes over what a file has for a network of so many rows; nothing if that is not valid.
    pub fn from_parts(parts: CorrectionParts, rows: usize) -> Option<Corrections> {
        let tokens = Tokens::read(&parts.tokens, rows)?;
        let index = Vec::with_capacity((parts.contexts.len() + parts.steps.len()) / STRIDE + 1);
        let mut corrections = Corrections { parts: CorrectionParts { tokens: Vec::new(), ..parts }, tokens, index };
        let (mut place, mut next) = (Place::default(), 0);
        while place.context < corrections.parts.contexts.len() {
            if place.context + place.step >= next {
                next = place.context + place.step + STRIDE;
                corrections.index.push(place);
            }
            corrections.read(&mut place, &mut |_, _, _| {})?;
        }
        let CorrectionParts { words, steps, .. } = &corrections.parts;
        ((place.left, place.word, place.step) == (0, words.len(), steps.len())).then_some(corrections)
    }

    /// Tells what is to be added to logits behind a context that ends with the rows `before` and `last`: rows and amounts, what
    /// the last token alone asks for first. One row may be told twice.
    pub fn find(&self, [before, last]: [u32; 2], mut tell: impl FnMut(u32, f32)) {
        let Some(last) = self.tokens.place_of(last) else { return };
        self.find_one((last, 0), &mut tell);
        if let Some(before) = self.tokens.place_of(before) {
            self.find_one((last, before + 1), &mut tell);
        }
    }

    #[inline(never)]
    fn find_one(&self, wanted: Key, tell: &mut dyn FnMut(u32, f32)) {
        let behind = self.index.partition_point(|place| place.least() <= wanted);
        let Some(&(mut place)) = self.index.get(behind.wrapping_sub(1)) else { return };
        let mut tell_wanted = |key: Key, row: u32, amount: f32| {
            if key == wanted {
                tell(row, amount);
            }
        };
        while place.least() <= wanted && place.context < self.parts.contexts.len() {
            // It was read before: it cannot fail.
            let _ = self.read(&mut place, &mut tell_wanted);
        }
    }

    /// Reads a context: tells it, and what is added to a row.
    #[inline(never)]
    fn read(&self, place: &mut Place, tell: &mut dyn FnMut(Key, u32, f32)) -> Option<()> {
        let CorrectionParts { contexts, words, steps, .. } = &self.parts;
        let known = |token: u32| ((token as usize) < self.tokens.rows.len()).then_some(token);
        let (key, left) = if place.left > 0 {
            let before = known(place.before + number(contexts, &mut place.context)?)?;
            place.before = before + 1;
            ((place.last, before + 1), place.left - 1)
        } else {
            let last = known(place.last + number(contexts, &mut place.context)?)?;
            (place.last, place.before) = (last, 0);
            ((last, 0), number(contexts, &mut place.context)?)
        };
        place.left = left;
        place.last += u32::from(left == 0);
        let mut least = 0;
        for _ in 0..number(contexts, &mut place.context)? {
            let word = known(least + number(words, &mut place.word)?)?;
            let step = f32::from(*steps.get(place.step)?);
            (least, place.step) = (word + 1, place.step + 1);
            tell(key, self.tokens.rows[word as usize], (step - ZERO) / STEPS);
        }
        Some(())
    }
}

impl Tokens {
    /// At most as many as there are rows. A number is how far a row is behind the one before; at a 0 they begin anew, before the
    /// first.
    fn read(bytes: &[u8], most: usize) -> Option<Tokens> {
        // With room for all: what grows takes twice as much, for good in a page.
        let numbers = bytes.iter().filter(|&&byte| byte < 128).count();
        let mut tokens = Tokens { rows: Vec::with_capacity(numbers.min(most)), ends: Vec::new() };
        let (mut end, mut at) = (0, 0);
        while at < bytes.len() {
            let distance = number(bytes, &mut at)?;
            if distance == 0 {
                tokens.end_run();
                end = 0;
                continue;
            }
            end += distance;
            if end as usize > most || tokens.rows.len() == most {
                return None;
            }
            tokens.rows.push(end - 1);
        }
        tokens.end_run();
        Some(tokens)
    }

    fn end_run(&mut self) {
        if self.ends.last().copied().unwrap_or_default() < self.rows.len() {
            self.ends.push(self.rows.len());
        }
    }

    #[inline(never)]
    fn place_of(&self, row: u32) -> Option<u32> {
        let mut start = 0;
        for &end in &self.ends {
            if let Ok(at) = self.rows[start..end].binary_search(&row) {
                return Some((start + at) as u32);
            }
            start = end;
        }
        None
    }
}

/// The number at a place, which is moved behind it; nothing if it ends too early or is too large for any row.
#[inline(never)]
fn number(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let mut number = 0;
    for place in 0..3 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u32::from(byte & 127) << (place * BITS);
        if byte < 128 {
            return Some(number);
        }
    }
    None
}

/// A context, and what is added behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The row of its last token.
    pub last: u32,
    /// That of the token before, if it counts.
    pub before: Option<u32>,
    /// Rows, each once, and what is added to the logit of each.
    pub corrections: Vec<(u32, f32)>,
}

impl CorrectionParts {
    /// What a file has of some contexts, each of which is told once. What is added is rounded to halves, from -64 to 63.5.
    pub fn new(contexts: &[Context]) -> CorrectionParts {
        let (tokens, places) = places(contexts);
        let mut parts = CorrectionParts { tokens, ..CorrectionParts::default() };
        let place = |row: u32| places[&row];
        let mut contexts: Vec<_> =
            contexts.iter().map(|c| (place(c.last), c.before.map(place), &c.corrections)).collect();
        contexts.sort_by_key(|&(last, before, _)| (last, before));
        let mut least = 0;
        for of_last in contexts.chunk_by(|a, b| a.0 == b.0) {
            let last = of_last[0].0;
            push(&mut parts.contexts, last - least);
            least = last + 1;
            let of_two = of_last.iter().filter(|context| context.1.is_some());
            push(&mut parts.contexts, of_two.count() as u32);
            if of_last[0].1.is_some() {
                push(&mut parts.contexts, 0);
            }
            let mut least_before = 0;
            for &(_, before, corrections) in of_last {
                if let Some(before) = before {
                    push(&mut parts.contexts, before - least_before);
                    least_before = before + 1;
                }
                let mut words: Vec<(u32, f32)> =
                    corrections.iter().map(|&(row, amount)| (place(row), amount)).collect();
                words.sort_by_key(|&(word, _)| word);
                parts.push_words(&words);
            }
        }
        parts
    }

    fn push_words(&mut self, words: &[(u32, f32)]) {
        push(&mut self.contexts, words.len() as u32);
        let mut least = 0;
        for &(word, amount) in words {
            push(&mut self.words, word - least);
            self.steps.push((amount * STEPS + ZERO).round() as u8);
            least = word + 1;
        }
    }
}

/// The tokens that occur, as the file has them, and the place of each row: those that occur more often come first, so that
/// distances are short. Where they occur as often but for a factor of two, they are in ascending order.
fn places(contexts: &[Context]) -> (Vec<u8>, HashMap<u32, u32>) {
    let mut uses: HashMap<u32, u32> = HashMap::new();
    for context in contexts {
        let rows = context.corrections.iter().map(|&(row, _)| row);
        rows.chain(context.before).chain([context.last]).for_each(|row| *uses.entry(row).or_default() += 1);
    }
    let mut rows: Vec<(u32, u32)> = uses.into_iter().map(|(row, uses)| (uses.leading_zeros(), row)).collect();
    rows.sort_unstable();
    let mut bytes = Vec::new();
    for class in rows.chunk_by(|a, b| a.0 == b.0) {
        if !bytes.is_empty() {
            push(&mut bytes, 0);
        }
        let mut least = 0;
        for &(_, row) in class {
            push(&mut bytes, row + 1 - least);
            least = row + 1;
        }
    }
    (bytes, rows.into_iter().zip(0..).map(|((_, row), place)| (row, place)).collect())
}

fn push(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 1 << BITS {
        bytes.push(number as u8 | 128);
        number >>= BITS;
    }
    bytes.push(number as u8);
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const ROWS: u32 = 700;

    /// Corrections of some contexts by their tokens, the last one first.
    type Map = BTreeMap<(u32, Option<u32>), BTreeMap<u32, i8>>;

    fn map() -> impl Strategy<Value = Map> {
        // Few frequent tokens and many rare ones.
        let token = || prop_oneof![0..6u32, 0..ROWS];
        let corrections = prop::collection::btree_map(token(), any::<i8>(), 1..12);
        prop::collection::btree_map((token(), prop::option::of(token())), corrections, 0..80)
    }

    fn parts(map: &Map) -> CorrectionParts {
        let amounts =
            |words: &BTreeMap<u32, i8>| words.iter().map(|(&row, &step)| (row, f32::from(step) / STEPS)).collect();
        let contexts = map.iter().map(|(&(last, before), words)| Context { last, before, corrections: amounts(words) });
        CorrectionParts::new(&contexts.collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn what_was_written_is_found(map in map(), others in prop::collection::vec((0..ROWS + 9, 0..ROWS + 9), 9)) {
            let corrections = Corrections::from_parts(parts(&map), ROWS as usize).unwrap();
            let own = map.keys().map(|&(last, before)| (last, before.unwrap_or(ROWS)));
            for (last, before) in own.chain(others) {
                let both = [(last, None), (last, Some(before))].into_iter().filter_map(|context| map.get(&context));
                let mut wanted: Vec<(u32, f32)> =
                    both.flatten().map(|(&row, &step)| (row, f32::from(step) / STEPS)).collect();
                let mut found = Vec::new();
                corrections.find([before, last], |row, amount| found.push((row, amount)));
                for all in [&mut wanted, &mut found] {
                    all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
                }
                prop_assert_eq!(found, wanted);
            }
        }

        #[test]
        fn parts_that_are_cut_or_made_up_are_refused(map in map(), part in 0..4usize, cut in any::<prop::sample::Index>(), row in 0..ROWS) {
            let whole = parts(&map);
            let mut cut_parts = whole.clone();
            let CorrectionParts { tokens, contexts, words, steps } = &mut cut_parts;
            let part = [tokens, contexts, words, steps].into_iter().nth(part).unwrap();
            if part.is_empty() {
                part.push(200);
            } else {
                part.truncate(cut.index(part.len()));
            }
            prop_assert!(Corrections::from_parts(cut_parts, ROWS as usize).is_none());
            // A vocabulary that ends before one of the tokens.
            let largest = map.iter().flat_map(|(&(last, before), words)| words.keys().copied().chain([last]).chain(before)).max();
            let fits = largest.is_none_or(|largest| row > largest);
            prop_assert_eq!(Corrections::from_parts(whole, row as usize).is_some(), fits);
        }

        #[test]
        fn any_bytes_are_taken_or_refused(parts in prop::collection::vec(prop::collection::vec(0..9u8, 0..30), 4)) {
            let [tokens, contexts, words, steps] = <[Vec<u8>; 4]>::try_from(parts).unwrap();
            if let Some(corrections) = Corrections::from_parts(CorrectionParts { tokens, contexts, words, steps }, 20) {
                (0..25).for_each(|last| corrections.find([3, last], |row, _| assert!(row < 20)));
            }
        }
    }

    #[test]
    fn frequent_tokens_come_first() {
        let corrections = vec![(600, 1.0), (650, -0.5)];
        let of_two = |last| Context { last, before: Some(600), corrections: corrections.clone() };
        let contexts: Vec<Context> = (100..120).map(of_two).collect();
        let CorrectionParts { tokens, contexts, words, steps } = CorrectionParts::new(&contexts);
        // 600 is used 40 times, 650 20 times; 600 is 601 behind nothing.
        assert_eq!(tokens[..7], [0xd9, 4, 0, 0x8b, 5, 0, 101]);
        assert_eq!(contexts[..5], [2, 1, 0, 0, 2]);
        assert_eq!((&words[..2], &steps[..2]), (&[0, 0][..], &[130, 127][..]));
    }
}
