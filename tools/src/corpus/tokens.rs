//! Streams of rows on disk.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lm_wasm::text::{LINE_END, Token, UNKNOWN, Vocabulary, tokens};

use super::sources::Tokenization;

/// Bytes of a row.
const BYTES: u64 = 4;

/// The rows of a line and the row of its end.
pub fn line_rows(line: &str, tokenization: Tokenization, vocabulary: &Vocabulary) -> Vec<u32> {
    let mut rows: Vec<u32> = match tokenization {
        Tokenization::Words => {
            tokens(line).filter(|token| *token != Token::LineEnd).map(|token| vocabulary.id(&token)).collect()
        }
        Tokenization::Spaces => line.split_whitespace().map(|word| vocabulary.exact(word).unwrap_or(UNKNOWN)).collect(),
    };
    rows.push(LINE_END);
    rows
}

/// Writes rows to a file.
pub struct TokenWriter {
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
}

impl TokenWriter {
    /// Creates the file.
    pub fn create(path: &Path) -> Result<TokenWriter> {
        let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(TokenWriter { path: path.to_owned(), file: BufWriter::with_capacity(1 << 16, file), written: 0 })
    }

    /// Appends rows.
    pub fn write(&mut self, rows: &[u32]) -> Result<()> {
        for row in rows {
            self.file.write_all(&row.to_le_bytes()).with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        self.written += rows.len() as u64;
        Ok(())
    }

    /// Number of rows written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Flushes; the number of rows.
    pub fn finish(mut self) -> Result<u64> {
        self.file.flush().with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(self.written)
    }
}

/// Reads rows at any place of a file, without holding the file.
pub struct TokenReader {
    path: PathBuf,
    file: File,
    len: u64,
    rows: usize,
}

impl TokenReader {
    /// Opens the token stream of a vocabulary of `rows` rows.
    pub fn open(path: &Path, rows: usize) -> Result<TokenReader> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let bytes = file.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
        if bytes % BYTES != 0 {
            bail!("{} is truncated; prepare the corpus again", path.display());
        }
        Ok(TokenReader { path: path.to_owned(), file, len: bytes / BYTES, rows })
    }

    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The rows from `start` on that fill `rows`.
    pub fn read(&self, start: u64, rows: &mut [u32]) -> Result<()> {
        let mut bytes = vec![0; rows.len() * BYTES as usize];
        self.file
            .read_exact_at(&mut bytes, start * BYTES)
            .with_context(|| format!("cannot read {} at row {start}", self.path.display()))?;
        for (row, bytes) in rows.iter_mut().zip(bytes.chunks_exact(BYTES as usize)) {
            *row = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        if let Some(row) = rows.iter().find(|&&row| row as usize >= self.rows) {
            bail!(
                "{} holds row {row} of a vocabulary of {} rows; prepare the corpus again",
                self.path.display(),
                self.rows
            );
        }
        Ok(())
    }
}
