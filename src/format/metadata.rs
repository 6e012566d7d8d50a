//! What a model file says about itself: lines of `key = value`.

use std::fmt;

use super::limits;
use crate::Error;

const SECTION: &str = "metadata";

/// Ordered pairs of key and value, e.g. `language = en`, `licence = CC BY-SA 4.0`; a key may recur (`attribution`).
///
/// Keys are of lower-case ASCII letters, digits, `_`, `-` and `.`; values are of one line without spaces at the ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    entries: Vec<(String, String)>,
}

impl Metadata {
    /// No entries.
    pub fn new() -> Metadata {
        Metadata::default()
    }

    /// Adds an entry at the end. Line breaks and other control characters of the value become spaces.
    ///
    /// # Errors
    ///
    /// If the key has a character that keys must not have, or the whole gets too long.
    pub fn push(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let value = value.replace(char::is_control, " ");
        let entry = parse_entry(key, value.trim())?;
        self.entries.push(entry);
        Self::check_length(self.to_string().len())
    }

    /// The value of the first entry with this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|entry| entry.0 == key).map(|entry| entry.1)
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(super) fn check_length(length: usize) -> Result<(), Error> {
        Error::check_limit("metadata length", length, limits::METADATA)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub(super) fn parse(text: &str) -> Result<Metadata, Error> {
        let mut metadata = Metadata::new();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(Error::corrupt(SECTION, "a line has no end"));
        }
        for line in text.split_terminator('\n') {
            let pair = line.split_once(' ').and_then(|(key, rest)| Some((key, rest.strip_prefix("= ")?)));
            let (key, value) = pair.ok_or(Error::corrupt(SECTION, "a line is not `key = value`"))?;
            metadata.entries.push(parse_entry(key, value)?);
        }
        Ok(metadata)
    }
}

/// One line a pair, `key = value`.
impl fmt::Display for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in self.iter() {
            for part in [key, " = ", value, "\n"] {
                f.write_str(part)?;
            }
        }
        Ok(())
    }
}

fn parse_entry(key: &str, value: &str) -> Result<(String, String), Error> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    if key.is_empty() || !key.bytes().all(allowed) {
        return Err(Error::corrupt(SECTION, "a key has other characters than a-z, 0-9, `_`, `-` and `.`"));
    }
    if value.trim() != value || value.contains(char::is_control) {
        return Err(Error::corrupt(SECTION, "a value has spaces at its ends or a control character"));
    }
    Ok((key.to_string(), value.to_string()))
}
