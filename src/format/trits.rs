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

/// The five values of a byte; none if it holds no five digits.
pub fn unpack(byte: u8) -> Option<[i8; TRITS_PER_BYTE]> {
    DIGITS.get(usize::from(byte)).copied()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unpacking_reverts_packing(trits in prop::collection::vec(-1i8..=1, 0..200)) {
            let bytes = pack(&trits);
            prop_assert_eq!(bytes.len(), trits.len().div_ceil(5));
            let unpacked: Vec<i8> = bytes.iter().filter_map(|&byte| unpack(byte)).flatten().collect();
            prop_assert_eq!(&unpacked[..trits.len()], &*trits);
            prop_assert!(unpacked[trits.len()..].iter().all(|&padding| padding == 0));
        }

        #[test]
        fn what_unpacks_packs_to_the_same_byte(byte: u8) {
            prop_assert_eq!(unpack(byte).map(|five| pack(&five)), (byte < 243).then_some(vec![byte]));
        }
    }

    #[test]
    fn the_first_trit_is_the_lowest_digit() {
        assert_eq!(pack(&[1, 0, -1, 0, 0]), [2 + 3 + 27 + 81]);
        assert_eq!(unpack(113), Some([1, 0, -1, 0, 0]));
    }
}
