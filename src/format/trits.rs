//! Ternary digits, five to a byte: 3^5 = 243 of its 256 values, 1.6 bits a weight.

/// Digits in a byte.
pub const TRITS_PER_BYTE: usize = 5;

/// Packs values of -1, 0 or 1. The first of five is the lowest digit, `value + 1` the digit; the end is padded with zeros.
pub fn pack(trits: &[i8]) -> Vec<u8> {
    trits
        .chunks(TRITS_PER_BYTE)
        .map(|five| {
            let digit = |i: usize| (five.get(i).copied().unwrap_or(0) + 1) as u8;
            (0..TRITS_PER_BYTE).rev().fold(0, |byte, i| byte * 3 + digit(i))
        })
        .collect()
}

/// The digits of every byte that holds five, less 1.
const DIGITS: [[i8; TRITS_PER_BYTE]; 243] = {
    let mut digits = [[0; TRITS_PER_BYTE]; 243];
    let mut byte = 0;
    while byte < 243 {
        let (mut rest, mut place) = (byte, 0);
        while place < TRITS_PER_BYTE {
            digits[byte][place] = (rest % 3) as i8 - 1;
            rest /= 3;
            place += 1;
        }
        byte += 1;
    }
    digits
};

/// Whether `bytes` are what [`pack`] makes of `count` values: as many as needed, none above 242, zeros for padding.
pub fn are_valid(bytes: &[u8], count: usize) -> bool {
    let padding = bytes.len() * TRITS_PER_BYTE - count.min(bytes.len() * TRITS_PER_BYTE);
    bytes.len() == count.div_ceil(TRITS_PER_BYTE)
        && bytes.iter().all(|&byte| byte < 243)
        && bytes
            .last()
            .is_none_or(|&last| DIGITS[usize::from(last)][TRITS_PER_BYTE - padding..].iter().all(|&d| d == 0))
}

/// Unpacks as many values as `to` has room for, the first of them being number `start`, from [valid](are_valid) bytes.
pub fn unpack_from(bytes: &[u8], start: usize, to: &mut [i8]) {
    let digits = |byte: u8| DIGITS.get(usize::from(byte)).copied().unwrap_or_default();
    let (mut bytes, skipped) = (bytes[start / TRITS_PER_BYTE..].iter().copied(), start % TRITS_PER_BYTE);
    let head = if skipped == 0 { 0 } else { (TRITS_PER_BYTE - skipped).min(to.len()) };
    let (first, rest) = to.split_at_mut(head);
    if head > 0 {
        let five = bytes.next().map(digits).unwrap_or_default();
        first.copy_from_slice(&five[skipped..skipped + head]);
    }
    let mut fives = rest.chunks_exact_mut(TRITS_PER_BYTE);
    for (five, byte) in (&mut fives).zip(&mut bytes) {
        five.copy_from_slice(&digits(byte));
    }
    let tail = fives.into_remainder();
    if let Some(byte) = bytes.next().filter(|_| !tail.is_empty()) {
        tail.copy_from_slice(&digits(byte)[..tail.len()]);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpack(bytes: &[u8], count: usize) -> Option<Vec<i8>> {
        let mut trits = vec![0; count];
        are_valid(bytes, count).then(|| unpack_from(bytes, 0, &mut trits)).map(|()| trits)
    }

    proptest! {
        #[test]
        fn unpacking_reverts_packing(trits in prop::collection::vec(-1i8..=1, 0..200)) {
            let bytes = pack(&trits);
            prop_assert_eq!(bytes.len(), trits.len().div_ceil(5));
            prop_assert_eq!(unpack(&bytes, trits.len()), Some(trits));
        }

        #[test]
        fn a_part_is_that_of_the_whole(
            trits in prop::collection::vec(-1i8..=1, 0..60),
            a: prop::sample::Index,
            b: prop::sample::Index,
        ) {
            let (a, b) = (a.index(trits.len() + 1), b.index(trits.len() + 1));
            let part = a.min(b)..a.max(b);
            let mut unpacked = vec![0; part.len()];
            unpack_from(&pack(&trits), part.start, &mut unpacked);
            prop_assert_eq!(unpacked, &trits[part]);
        }

        #[test]
        fn what_unpacks_packs_to_the_same_bytes(bytes: Vec<u8>, short in 0usize..5) {
            let count = (bytes.len() * 5).saturating_sub(short);
            if let Some(trits) = unpack(&bytes, count) {
                prop_assert_eq!(pack(&trits), bytes);
            }
        }
    }

    #[test]
    fn the_first_trit_is_the_lowest_digit() {
        assert_eq!(pack(&[1, 0, -1, 0, 0]), [2 + 3 + 27 + 81]);
        assert_eq!(unpack(&[243], 5), None);
        assert_eq!(unpack(&[202], 4), None, "the fifth digit is padding and must be zero");
    }
}
