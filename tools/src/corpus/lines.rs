//! Lines of text from plain, `.xz` and `.tsv` files, one at a time.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Reads a file's lines, whatever its size.
pub struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    /// Whether a line is `source<TAB>text`.
    tabbed: bool,
    number: usize,
    buffer: Vec<u8>,
}

impl Lines {
    /// Opens a text file; `.xz` is decompressed, of a `.tsv` only the text behind the first tab is read.
    pub fn open(path: &Path) -> Result<Lines> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let name = path.to_string_lossy();
        let reader: Box<dyn BufRead> = if name.ends_with(".xz") {
            Box::new(BufReader::with_capacity(1 << 16, liblzma::read::XzDecoder::new_multi_decoder(file)))
        } else {
            Box::new(BufReader::with_capacity(1 << 16, file))
        };
        let tabbed = name.trim_end_matches(".xz").ends_with(".tsv");
        Ok(Lines { path: path.to_owned(), reader, tabbed, number: 0, buffer: Vec::new() })
    }

    /// The next line without its end, in normalization form C, and the label before its tab (empty without one).
    /// Blank lines are passed over.
    pub fn next_line(&mut self) -> Result<Option<(String, String)>> {
        loop {
            self.buffer.clear();
            let read = self.reader.read_until(b'\n', &mut self.buffer);
            let read =
                read.with_context(|| format!("cannot read {} behind line {}", self.path.display(), self.number))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let Ok(line) = std::str::from_utf8(&self.buffer) else {
                bail!(
                    "{}: line {} is not UTF-8; convert the file first (iconv -f ENCODING -t UTF-8)",
                    self.path.display(),
                    self.number
                );
            };
            // A byte order mark is no part of the text.
            let line = line.trim_start_matches('\u{feff}');
            let (label, text) = match line.split_once('\t') {
                Some((label, text)) if self.tabbed => (label, text),
                None if self.tabbed && !line.trim().is_empty() => {
                    bail!("{}: line {} has no tab between source and text", self.path.display(), self.number)
                }
                _ => ("", line),
            };
            let text = text.trim();
            if !text.is_empty() {
                let text = if is_nfc(text) { text.to_owned() } else { text.nfc().collect() };
                return Ok(Some((label.to_owned(), text)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, bytes: &[u8]) -> Result<Vec<(String, String)>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(name);
        std::fs::write(&path, bytes)?;
        let mut lines = Lines::open(&path)?;
        std::iter::from_fn(|| lines.next_line().transpose()).collect()
    }

    fn texts(name: &str, bytes: &[u8]) -> Vec<String> {
        lines(name, bytes).unwrap().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn plain_xz_and_tsv() {
        let text = "Ala ma kota\r\n\n  e\u{301}t\u{e9}\nlast";
        assert_eq!(texts("a.txt", text.as_bytes()), ["Ala ma kota", "été", "last"]);
        let packed = liblzma::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(texts("a.txt.xz", &packed), ["Ala ma kota", "été", "last"]);
        // Files that were put behind each other (the first ends within a line), and one that begins with a byte order mark.
        assert_eq!(texts("a.txt.xz", &packed.repeat(2))[3..], ["été", "last"]);
        assert_eq!(texts("a.txt", "\u{feff}Ala\n".as_bytes()), ["Ala"]);
        assert_eq!(lines("a.tsv", b"chat\thi there\n").unwrap(), [("chat".into(), "hi there".into())]);
    }

    #[test]
    fn bad_files_are_named() {
        let message = |result: Result<Vec<(String, String)>>| format!("{:#}", result.unwrap_err());
        assert!(message(lines("a.txt", b"fine\n\xff\xfe\n")).contains("a.txt: line 2 is not UTF-8"));
        assert!(message(lines("a.tsv", b"no tab\n")).contains("line 1 has no tab"));
        assert!(message(lines("a.txt.xz", b"not xz at all")).contains("a.txt.xz"));
        assert!(format!("{:#}", Lines::open(Path::new("missing.txt")).err().unwrap()).contains("missing.txt"));
    }
}
