//! Upper and lower case: what a word usually has, and what the typist wants now.

/// How a word is usually written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Casing {
    /// `word`
    Lower,
    /// `London`, `I'm`
    Title,
    /// `USA`
    Upper,
    /// `iPhone`: the vocabulary keeps the spelling itself.
    Mixed,
}

impl Casing {
    /// The casing of a word as it stands in a text.
    pub fn of(word: &str) -> Casing {
        let mut letters = word.chars().filter(|c| c.is_alphabetic());
        let Some(first) = letters.next() else { return Casing::Lower };
        let (mut upper, mut lower) = (0, 0);
        for c in letters {
            if c.is_uppercase() {
                upper += 1;
            } else {
                lower += 1;
            }
        }
        match (first.is_uppercase(), upper, lower) {
            (false, 0, _) => Casing::Lower,
            (true, 0, _) => Casing::Title,
            (true, _, 0) => Casing::Upper,
            _ => Casing::Mixed,
        }
    }

    /// The two bits that stand for it in a file.
    pub(super) fn to_bits(self) -> u8 {
        match self {
            Casing::Lower => 0,
            Casing::Title => 1,
            Casing::Upper => 2,
            Casing::Mixed => 3,
        }
    }

    /// What the lowest two bits of a byte stand for.
    pub(super) fn from_bits(byte: u8) -> Casing {
        match byte & 3 {
            0 => Casing::Lower,
            1 => Casing::Title,
            2 => Casing::Upper,
            _ => Casing::Mixed,
        }
    }

    /// Writes a normalized (lower-case) word in this casing; a [`Casing::Mixed`] one is returned as it is.
    pub fn apply(self, word: &str) -> String {
        match self {
            Casing::Lower | Casing::Mixed => word.to_owned(),
            Casing::Title => capitalize(word),
            Casing::Upper => word.to_uppercase(),
        }
    }
}

fn capitalize(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Writes `word` (in its usual casing) as the typist is writing: all capitals behind two or more capitals, a capital
/// first behind one or at the start of a sentence, else as usual.
pub fn match_case(typed_prefix: &str, sentence_start: bool, word: &str) -> String {
    let mut letters = typed_prefix.chars().filter(|c| c.is_alphabetic());
    let Some(first) = letters.next() else {
        return if sentence_start { capitalize(word) } else { word.to_owned() };
    };
    let mut rest = letters.peekable();
    let shouting = first.is_uppercase() && rest.peek().is_some() && rest.all(char::is_uppercase);
    match (shouting, first.is_uppercase()) {
        (true, _) => word.to_uppercase(),
        (false, true) => capitalize(word),
        (false, false) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casing_of_words() {
        assert_eq!(Casing::of("word"), Casing::Lower);
        assert_eq!(Casing::of("I"), Casing::Title);
        assert_eq!(Casing::of("I'm"), Casing::Title);
        assert_eq!(Casing::of("USA"), Casing::Upper);
        assert_eq!(Casing::of("iPhone"), Casing::Mixed);
        assert_eq!(Casing::of("McDonald"), Casing::Mixed);
        assert_eq!(Casing::of("'"), Casing::Lower);
    }

    #[test]
    fn the_typed_prefix_decides() {
        assert_eq!(match_case("", false, "the"), "the");
        assert_eq!(match_case("", true, "the"), "The");
        assert_eq!(match_case("t", true, "the"), "the");
        assert_eq!(match_case("T", false, "the"), "The");
        assert_eq!(match_case("TH", false, "the"), "THE");
        assert_eq!(match_case("lon", false, "London"), "London");
        assert_eq!(match_case("Ż", false, "żółw"), "Żółw");
        assert_eq!(match_case("ip", false, "iPhone"), "iPhone");
    }
}
