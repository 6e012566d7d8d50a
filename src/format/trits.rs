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

/// Unpacks the first `count` values; the inverse of [`pack`].
///
/// None if a byte is above 242, if the padding is not zeros, or if `bytes` is not exactly as long as `count` needs.
pub fn unpack(bytes: &[u8], count: usize) -> Option<Vec<i8>> {
    if bytes.len() != count.div_ceil(TRITS_PER_BYTE) {
        return None;
    }
    let mut trits = Vec::with_capacity(bytes.len() * TRITS_PER_BYTE);
    for &byte in bytes {
        if byte > 242 {
            return None;
        }
        let mut rest = byte;
        for _ in 0..TRITS_PER_BYTE {
            trits.push((rest % 3) as i8 - 1);
            rest /= 3;
        }
    }
    let padding = trits.split_off(count);
    padding.iter().all(|&trit| trit == 0).then_some(trits)
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
            prop_assert_eq!(unpack(&bytes, trits.len()), Some(trits));
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
