//! Counting n-grams.

use anyhow::Result;
use lm_wasm::text::LINE_END;

use super::NgramContext;
use crate::corpus::TokenReader;
use crate::progress::Progress;

/// Tokens read at a time.
const CHUNK: usize = 1 << 16;

/// N-grams, sorted, with their counts. None of them goes across the end of a line but at its first token.
#[derive(Debug, Default, PartialEq)]
pub struct Counts {
    pub bigrams: Vec<([u32; 2], u32)>,
    pub trigrams: Vec<([u32; 3], u32)>,
}

/// Counts those of a token stream.
pub fn count(tokens: &TokenReader) -> Result<Counts> {
    let length = tokens.len() as usize;
    let progress = Progress::bar("counting", tokens.len());
    let (mut bigrams, mut trigrams) = (Vec::with_capacity(length), Vec::with_capacity(length));
    let mut context = (None, LINE_END);
    let mut chunk = vec![0; CHUNK];
    for start in (0..length).step_by(CHUNK) {
        let chunk = &mut chunk[..CHUNK.min(length - start)];
        tokens.read(start as u64, chunk)?;
        for &token in chunk.iter() {
            bigrams.push([context.1, token]);
            trigrams.extend(context.0.map(|before| [before, context.1, token]));
            context = after(context, token);
        }
        progress.add(chunk.len() as u64);
    }
    Ok(Counts { bigrams: sorted(bigrams), trigrams: sorted(trigrams) })
}

/// The context behind one more token.
pub fn after(context: NgramContext, token: u32) -> NgramContext {
    if token == LINE_END { (None, LINE_END) } else { (Some(context.1), token) }
}

fn sorted<const N: usize>(mut all: Vec<[u32; N]>) -> Vec<([u32; N], u32)> {
    all.sort_unstable();
    let runs = all.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() as u32)).collect()
}
