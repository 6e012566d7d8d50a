//! From text to tokens.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// What the network sees of one piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'t> {
    /// A word, normalized by [`normalize`].
    Word(Cow<'t, str>),
    /// Anything that begins with a digit: all numbers are one token.
    Number,
    /// A run of one punctuation mark or symbol (`!`, `!!!`).
    Punctuation(char),
    /// One or more line breaks.
    LineEnd,
}

/// A token and the text it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'t> {
    /// The text as it was typed.
    pub text: &'t str,
    /// What the network sees.
    pub token: Token<'t>,
}

/// Splits `text` into segments, leaving out spaces within a line.
pub fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> {
    let mut pieces = text.split_word_bound_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, piece) = pieces.next()?;
            let Some(token) = token(piece) else { continue };
            let mut end = start + piece.len();
            // Only what follows without a gap of visible text belongs to a run of marks or line breaks.
            while matches!(token, Token::Punctuation(_) | Token::LineEnd)
                && let Some((at, next)) = pieces.next_if(|(_, next)| continues(&token, next))
            {
                end = at + next.len();
            }
            return Some(Segment { text: &text[start..end], token });
        }
    })
}

/// The tokens of `text`.
pub fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    segments(text).map(|segment| segment.token)
}

/// The token of one UAX 29 piece; none for spaces.
fn token(piece: &str) -> Option<Token<'_>> {
    let first = piece.chars().next()?;
    if first.is_whitespace() {
        return piece.contains(is_line_break).then_some(Token::LineEnd);
    }
    if first.is_numeric() {
        return Some(Token::Number);
    }
    if piece.contains(char::is_alphanumeric) {
        return Some(Token::Word(normalize(piece)));
    }
    Some(Token::Punctuation(unify(first)))
}

fn continues(token: &Token, next: &str) -> bool {
    match token {
        Token::Punctuation(mark) => next.chars().all(|c| unify(c) == *mark),
        _ => next.chars().all(char::is_whitespace) && next.contains(is_line_break),
    }
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The ASCII mark that a typographic one stands for.
fn unify(c: char) -> char {
    match c {
        '\u{2019}' | '\u{2018}' | '\u{02BC}' => '\'',
        '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{00AB}' | '\u{00BB}' => '"',
        '\u{2013}' | '\u{2014}' | '\u{2010}' | '\u{2011}' => '-',
        '\u{2026}' => '.',
        other => other,
    }
}

/// The form of a word that the vocabulary holds: lower case, with the ASCII apostrophe.
pub fn normalize(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(word);
    }
    let lower = word.to_lowercase();
    if lower.contains(is_apostrophe) {
        return Cow::Owned(lower.chars().map(unify).collect());
    }
    if lower == word { Cow::Borrowed(word) } else { Cow::Owned(lower) }
}

fn is_apostrophe(c: char) -> bool {
    unify(c) == '\''
}

/// Splits the text before the caret into what is finished and the word that is being typed (as typed; empty behind a
/// space or a mark). An apostrophe at the end of a word still belongs to it, for `don'` becomes `don't`.
pub fn split_prefix(text: &str) -> (&str, &str) {
    let mut pieces = text.split_word_bound_indices().rev();
    let Some((mut start, mut piece)) = pieces.next() else { return (text, "") };
    if piece.chars().all(is_apostrophe) && piece.chars().count() == 1 {
        match pieces.next() {
            Some(before) => (start, piece) = before,
            None => return (text, ""),
        }
    }
    if piece.contains(char::is_alphanumeric) { text.split_at(start) } else { (text, "") }
}

/// Whether a sentence begins behind `finished` (a text that ends at a word boundary): at the start of the text or of a
/// line, and behind `.`, `!` or `?`, closing quotes and brackets skipped.
pub fn ends_sentence(finished: &str) -> bool {
    let closing = |c: char| matches!(unify(c), '"' | '\'' | ')' | ']');
    let mut rest = finished.chars().rev().peekable();
    while let Some(c) = rest.next_if(|c| c.is_whitespace()) {
        if is_line_break(c) {
            return true;
        }
    }
    let last = rest.find(|&c| !closing(c));
    last.is_none_or(|c| matches!(unify(c), '.' | '!' | '?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text)
            .map(|token| match token {
                Token::Word(word) => word.into_owned(),
                Token::Number => "<num>".into(),
                Token::Punctuation(mark) => mark.into(),
                Token::LineEnd => "</s>".into(),
            })
            .collect()
    }

    #[test]
    fn words_numbers_and_marks() {
        assert_eq!(words("I don’t know, 3.14 is Ok!!! "), ["i", "don't", "know", ",", "<num>", "is", "ok", "!"]);
        assert_eq!(words("Zażółć gęślą jaźń…"), ["zażółć", "gęślą", "jaźń", "."]);
        assert_eq!(words("one\n\r\n two"), ["one", "</s>", "two"]);
        assert_eq!(words("well-known"), ["well", "-", "known"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn segments_keep_the_typed_text() {
        let typed: Vec<&str> = segments("Wait... Don’t").map(|segment| segment.text).collect();
        assert_eq!(typed, ["Wait", "...", "Don’t"]);
    }

    #[test]
    fn prefix_is_the_word_at_the_caret() {
        assert_eq!(split_prefix("I would like to g"), ("I would like to ", "g"));
        assert_eq!(split_prefix("I would "), ("I would ", ""));
        assert_eq!(split_prefix("I don’"), ("I ", "don’"));
        assert_eq!(split_prefix("he said '"), ("he said '", ""));
        assert_eq!(split_prefix("'"), ("'", ""));
        assert_eq!(split_prefix("(wo"), ("(", "wo"));
        assert_eq!(split_prefix(""), ("", ""));
        assert_eq!(split_prefix("😀"), ("😀", ""));
    }

    #[test]
    fn sentences() {
        for starts in ["", "  ", "Hello. ", "He said \"yes.\" ", "line\n", "Really?! "] {
            assert!(ends_sentence(starts), "{starts:?}");
        }
        for inside in ["Hello, ", "one ", "(", "a \"word\" "] {
            assert!(!ends_sentence(inside), "{inside:?}");
        }
    }
}
