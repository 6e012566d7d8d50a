//! The bytes of a section as they are in the file, fetched piece by piece: what a page pays for good is the memory that was taken
//! at once.

use std::borrow::Cow;
use std::hash::Hasher;
use std::ops::Range;

use twox_hash::XxHash64;

use super::bytes::TOO_SHORT;
use crate::Error;

/// Bytes that are fetched at a time, a whole number of words.
const PIECE: usize = 1 << 15;

/// Where the bytes of a file are. A page's are outside of the memory of its WebAssembly, which never shrinks: there they are
/// copied when it is their turn.
pub(crate) trait Source {
    fn len(&self) -> usize;

    /// The bytes in a range that lies within the length.
    fn read(&self, range: Range<usize>) -> Cow<'_, [u8]>;
}

impl Source for &[u8] {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn read(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self[range])
    }
}

/// A range of a file's bytes that are not fetched yet.
#[derive(Clone)]
pub(super) struct Stored<'a> {
    source: &'a dyn Source,
    range: Range<usize>,
}

impl<'a> Stored<'a> {
    /// Those of a range that lies within the file.
    pub fn new(source: &'a dyn Source, range: Range<usize>) -> Stored<'a> {
        Stored { source, range }
    }

    /// All of a source.
    pub fn all(source: &'a dyn Source) -> Stored<'a> {
        Stored::new(source, 0..source.len())
    }

    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// The first `count` of them, by themselves.
    pub fn split_off(&mut self, count: usize, section: &'static str) -> Result<Stored<'a>, Error> {
        if count > self.len() {
            return Err(Error::corrupt(section, TOO_SHORT));
        }
        let middle = self.range.start + count;
        let first = Stored::new(self.source, self.range.start..middle);
        self.range.start = middle;
        Ok(first)
    }

    /// Fetches the first `count` of them.
    pub fn take(&mut self, count: usize, section: &'static str) -> Result<Cow<'a, [u8]>, Error> {
        let first = self.split_off(count, section)?;
        Ok(first.source.read(first.range))
    }

    /// Fetches the first `N` of them.
    pub fn array<const N: usize>(&mut self, section: &'static str) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(&self.take(N, section)?);
        Ok(array)
    }

    /// Fetches the next piece.
    fn piece(&mut self) -> Cow<'a, [u8]> {
        let start = self.range.start;
        self.range.start = self.range.end.min(start + PIECE);
        self.source.read(start..self.range.start)
    }

    /// Their hash.
    pub fn hash(&self, seed: u64) -> u64 {
        let (mut hasher, mut left) = (XxHash64::with_seed(seed), self.clone());
        while left.len() > 0 {
            hasher.write(&left.piece());
        }
        hasher.finish()
    }
}

/// Bytes that are taken as they are, one after the other.
pub(super) struct Bytes<'a> {
    left: Stored<'a>,
    piece: Cow<'a, [u8]>,
    /// How many of the piece's bytes have been taken.
    taken: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(stored: Stored<'a>) -> Bytes<'a> {
        Bytes { left: stored, piece: Cow::default(), taken: 0 }
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.piece.len() - self.taken + self.left.len()
    }

    /// The next ones, for as much of `to` as they can fill.
    pub fn fill(&mut self, mut to: &mut [u8]) {
        while !to.is_empty() && self.len() > 0 {
            if self.taken == self.piece.len() {
                self.piece = Cow::default();
                (self.piece, self.taken) = (self.left.piece(), 0);
            }
            let count = to.len().min(self.piece.len() - self.taken);
            let (now, later) = to.split_at_mut(count);
            now.copy_from_slice(&self.piece[self.taken..][..count]);
            (self.taken, to) = (self.taken + count, later);
        }
    }
}

/// 32-bit words that a decoder takes, one after the other.
pub(super) struct Words<'a> {
    left: Stored<'a>,
    piece: Cow<'a, [u8]>,
    /// How many of the piece's words have been taken; more than there are, if more were wanted than there are in all.
    pub taken: usize,
}

impl<'a> Words<'a> {
    /// As many as [`refill`](Self::refill) may be asked for.
    pub const MOST: usize = PIECE / 8;

    /// Those of a section, or of what is left of one; none if its length is no number of words.
    pub fn new(stored: Stored<'a>) -> Option<Words<'a>> {
        stored.len().is_multiple_of(4).then(|| Words { left: stored, piece: Cow::default(), taken: 0 })
    }

    /// Makes sure that the next `count` words, or all that are left, are at hand.
    pub fn refill(&mut self, count: usize) {
        if self.left.len() > 0 && self.at_hand().len() < self.taken + count {
            let again = self.piece.len() - 4 * self.taken;
            self.left.range.start -= again;
            // Given back before as much is taken.
            self.piece = Cow::default();
            self.piece = self.left.piece();
            self.taken = 0;
        }
    }

    /// The words of the present piece.
    pub fn at_hand(&self) -> &[[u8; 4]] {
        self.piece.as_chunks().0
    }

    /// Whether each has been taken, and none beyond.
    pub fn are_taken(&self) -> bool {
        self.left.len() == 0 && self.taken == self.at_hand().len()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Checks the decoder of one coding on more than a piece: what it says of the coded bytes, of fewer, of more, of others.
    pub fn check_long(coded: &[u8], bytes: &[u8], decode: impl Fn(&[u8]) -> Result<Vec<u8>, Error>) {
        assert!(coded.len() > PIECE);
        assert!(decode(&coded[..coded.len() - 4]).is_err());
        assert!(decode(&[coded, &[0; 4]].concat()).is_err());
        let mut damaged = coded.to_vec();
        damaged[coded.len() / 2] ^= 1;
        assert_ne!(decode(&damaged), Ok(bytes.to_vec()));
        assert_eq!(decode(coded), Ok(bytes.to_vec()));
    }

    /// So many bytes, which a decoder fills in two pieces, as sections are read. What was there before must not matter.
    pub fn in_two_pieces(first: usize, length: usize, mut fill: impl FnMut(&mut [u8])) -> Vec<u8> {
        let mut bytes = vec![0xff; length];
        let (first, rest) = bytes.split_at_mut(first.min(length));
        fill(first);
        fill(rest);
        bytes
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * at / 7) as u8).collect()
    }

    proptest! {
        #[test]
        fn words_come_in_order_whatever_is_asked_for(
            words in 0..2 * PIECE,
            counts in prop::collection::vec((1..=Words::MOST, 0.0f64..=1.0), 1..40),
        ) {
            let bytes = bytes(4 * words);
            let (wanted, _) = bytes.as_chunks::<4>();
            let source = &bytes[..];
            let mut taken = Words::new(Stored::all(&source)).unwrap();
            let mut at = 0;
            for (count, share) in counts {
                taken.refill(count);
                let at_hand = &taken.at_hand()[taken.taken..];
                prop_assert!(at_hand.len() >= count.min(wanted.len() - at));
                let used = ((count as f64 * share) as usize).min(at_hand.len());
                prop_assert_eq!(&at_hand[..used], &wanted[at..at + used]);
                (taken.taken, at) = (taken.taken + used, at + used);
            }
            prop_assert_eq!(taken.are_taken(), at == wanted.len());
        }
    }

    #[test]
    fn parts_of_a_file_are_fetched_one_after_the_other() {
        let bytes = bytes(3 * PIECE + 5);
        let source = &bytes[..];
        let mut stored = Stored::new(&source, 1..bytes.len());
        assert_eq!(stored.hash(0), XxHash64::oneshot(0, &bytes[1..]));
        assert_eq!(stored.take(4, "test").unwrap(), &bytes[1..5]);
        assert_eq!(stored.array::<6>("test").unwrap(), bytes[5..11]);
        assert_eq!(stored.split_off(bytes.len(), "test").err(), Some(Error::corrupt("test", TOO_SHORT)));
        assert!(Words::new(Stored::new(&source, 0..7)).is_none());

        let (mut rest, mut taken) = (Bytes::new(stored), Vec::new());
        for count in [1, 0, PIECE - 1, 2 * PIECE, 1000] {
            let count = count.min(rest.len());
            taken.resize(taken.len() + count, 0);
            let end = taken.len();
            rest.fill(&mut taken[end - count..]);
        }
        assert_eq!((taken, rest.len()), (bytes[11..].to_vec(), 0));
    }
}
