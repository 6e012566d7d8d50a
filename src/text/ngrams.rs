//! The n-grams of a token's characters.

/// Stand before and behind a token, so that n-grams tell its ends from its middle.
const ENDS: [char; 2] = ['\u{2}', '\u{3}'];

/// A token between marks for its ends.
pub struct Marked {
    text: String,
    /// Where each character begins; and the end.
    starts: Vec<usize>,
}

impl Marked {
    /// Puts the marks around a token.
    pub fn new(token: &str) -> Marked {
        let mut text = String::with_capacity(token.len() + 2);
        text.push(ENDS[0]);
        text.push_str(token);
        text.push(ENDS[1]);
        let mut starts = Vec::with_capacity(text.len() + 1);
        starts.extend(text.char_indices().map(|(at, _)| at));
        starts.push(text.len());
        Marked { text, starts }
    }

    /// The runs of `length` characters, marks among them; none if it is shorter than that.
    pub fn ngrams(&self, length: usize) -> impl Iterator<Item = &str> {
        self.starts.windows(length + 1).map(move |ends| &self.text[ends[0]..ends[length]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_characters_and_marks() {
        let marked = Marked::new("żó");
        let of_length = |length| marked.ngrams(length).collect::<Vec<_>>();
        assert_eq!(of_length(1), ["\u{2}", "ż", "ó", "\u{3}"]);
        assert_eq!(of_length(3), ["\u{2}żó", "żó\u{3}"]);
        assert!(of_length(5).is_empty());
    }
}
