//! How much of a text is read.

use twox_hash::XxHash64;

/// A longer text is read from a point that lies at most so many bytes before its end.
pub const WINDOW_MAX: usize = 1024;

/// A longer text is read from a point that lies at least so many bytes before its end.
pub const WINDOW_MIN: usize = 512;

/// Bytes on either side of a word boundary that decide how good an anchor it is.
const NEIGHBOURHOOD: usize = 8;

/// The end of `text` that predictions are made from: all of it up to [`WINDOW_MAX`] bytes, else from an anchor between
/// [`WINDOW_MAX`] and [`WINDOW_MIN`] bytes before the end.
///
/// The anchor is a word boundary whose neighbourhood has the least hash (winnowing, Schleimer 2003), line beginnings
/// before others. So it depends on the last [`WINDOW_MAX`] bytes alone, and it stays at its place in the text while
/// words are added at the end, until it leaves the zone or a better one enters it: the states computed from it survive typing. Where
/// nothing in the zone is separated by spaces, the window is the last [`WINDOW_MIN`] bytes.
pub fn window(text: &str) -> &str {
    if text.len() <= WINDOW_MAX {
        return text;
    }
    let bytes = text.as_bytes();
    let zone = text.len() - WINDOW_MAX + NEIGHBOURHOOD..=text.len() - WINDOW_MIN;
    let anchor = zone
        .filter(|&at| bytes[at - 1].is_ascii_whitespace() && !bytes[at].is_ascii_whitespace())
        .min_by_key(|&at| {
            let hash = XxHash64::oneshot(0, &bytes[at - NEIGHBOURHOOD..at + NEIGHBOURHOOD]);
            (bytes[at - 1] != b'\n', hash)
        })
        .unwrap_or(text.ceil_char_boundary(text.len() - WINDOW_MIN));
    &text[anchor..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> String {
        (0..count).map(|i: usize| format!("w{} ", i.wrapping_mul(0x9e37_79b9) >> 7 & 0xfff)).collect()
    }

    #[test]
    fn a_short_text_is_read_whole() {
        let text = "x".repeat(WINDOW_MAX);
        assert_eq!(window(&text), text);
        assert_eq!(window(""), "");
    }

    #[test]
    fn the_window_is_bounded_and_depends_on_the_end_alone() {
        let text = words(2000);
        for end in (WINDOW_MAX + 1..text.len()).step_by(7) {
            let text = &text[..end];
            let window_of_text = window(text);
            assert!((WINDOW_MIN..=WINDOW_MAX).contains(&window_of_text.len()));
            assert!(text[..text.len() - window_of_text.len()].ends_with(' '), "the anchor is a word boundary");
            assert_eq!(window(&format!("another beginning {}", &text[end - WINDOW_MAX..])), window_of_text);
        }
    }

    #[test]
    fn the_anchor_survives_typing() {
        let text = words(4000);
        let anchors: Vec<usize> = (5000..text.len()).map(|end| end - window(&text[..end]).len()).collect();
        let moves = anchors.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let words_typed = text[5000..].split(' ').count();
        assert!(anchors.is_sorted());
        assert!(moves * 20 < words_typed, "{moves} moves of the anchor in {words_typed} words");
    }

    #[test]
    fn text_without_spaces_is_cut_at_a_character() {
        let text = "語".repeat(1000);
        assert!(window(&text).len() <= WINDOW_MIN);
        assert!(text.ends_with(window(&text)));
    }
}
