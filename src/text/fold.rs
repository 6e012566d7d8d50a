//! Letters without their diacritics, as people type them who are in a hurry or have no such keys: `zolw` for `żółw`.

/// The plain letters that stand for a lower-case letter; none if it is plain already, or of a script where the mark
/// makes another letter.
pub(super) fn plain_letters(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'ạ' | 'ả' | 'ấ' | 'ầ' | 'ẩ' | 'ẫ' | 'ậ' | 'ắ' | 'ằ' | 'ẳ' | 'ẵ' | 'ặ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ẹ' | 'ẻ' | 'ẽ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ỉ' | 'ị' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' => "o",
        'ọ' | 'ỏ' | 'ố' | 'ồ' | 'ổ' | 'ỗ' | 'ộ' | 'ớ' | 'ờ' | 'ở' | 'ỡ' | 'ợ' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' => "u",
        'ụ' | 'ủ' | 'ứ' | 'ừ' | 'ử' | 'ữ' | 'ự' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'ά' => "α",
        'έ' => "ε",
        'ή' => "η",
        'ί' | 'ϊ' | 'ΐ' => "ι",
        'ό' => "ο",
        'ύ' | 'ϋ' | 'ΰ' => "υ",
        'ώ' => "ω",
        'ё' => "е",
        _ => return None,
    })
}

/// Whether a word may be meant by what is typed of it: a plain letter may stand for one with a diacritic, but one that was
/// typed with it is meant.
pub fn may_mean(typed: &str, word: &str) -> bool {
    let mut typed = typed.chars().peekable();
    for letter in word.chars() {
        match typed.peek() {
            None => return true,
            Some(&c) if c == letter => {
                typed.next();
            }
            Some(_) => {
                let mut plain = plain_letters(letter).unwrap_or_default().chars().peekable();
                if plain.peek() != typed.peek() {
                    return false;
                }
                for c in plain {
                    // The beginning of several letters for one is a beginning, too.
                    if typed.peek().is_some() && typed.next() != Some(c) {
                        return false;
                    }
                }
            }
        }
    }
    typed.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_meant() {
        for typed in ["", "z", "zo", "zol", "zolw", "żo", "żół", "zól", "żółw"] {
            assert!(may_mean(typed, "żółw"), "{typed}");
        }
        for typed in ["ź", "źo", "zolwx", "zw", "zola"] {
            assert!(!may_mean(typed, "żółw"), "{typed}");
        }
        for typed in ["stras", "strass", "strasse", "straß"] {
            assert!(may_mean(typed, "straße"), "{typed}");
        }
        assert!(!may_mean("strasx", "straße"));
        assert!(!may_mean("ż", "zebra"), "typed with its mark, it is meant");
        assert!(may_mean("the", "thế") && may_mean("еж", "ёж"));
        assert!(!may_mean("денъ", "день") && !may_mean("и", "йод"), "й and its like are letters of their own");
    }
}
