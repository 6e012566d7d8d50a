//! Held-out lines that stand in the training text, too: what is measured on them is what a model remembers.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;
use lm_wasm::text::LINE_END;

use super::TokenReader;

/// Shorter lines stand everywhere.
const LEAST_TOKENS: usize = 5;

/// Says how many held-out lines of a corpus stand in its training text, if any does.
pub fn tell(folder: &Path, rows: usize) -> Result<()> {
    let read = |name: &str| -> Result<Vec<u32>> {
        let reader = TokenReader::open(&folder.join(name), rows)?;
        let mut tokens = vec![0; reader.len() as usize];
        reader.read(0, &mut tokens)?;
        Ok(tokens)
    };
    let held_out = read("valid.tokens")?;
    let (known, all) = overlap(&held_out, &read("train.tokens")?);
    if known > 0 {
        note!("{known} of {all} held-out lines of {LEAST_TOKENS} words and more stand in the training text, too");
    }
    Ok(())
}

/// How many different lines are in both texts, and how many in the first, both without the short ones.
fn overlap(held_out: &[u32], train: &[u32]) -> (usize, usize) {
    let wanted: HashSet<&[u32]> = lines(held_out).collect();
    let found: HashSet<&[u32]> = lines(train).filter(|line| wanted.contains(line)).collect();
    (found.len(), wanted.len())
}

fn lines(tokens: &[u32]) -> impl Iterator<Item = &[u32]> {
    tokens.split(|&token| token == LINE_END).filter(|line| line.len() >= LEAST_TOKENS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_of_both_texts_are_counted_once() {
        const END: u32 = LINE_END;
        let (a, b, c, short) = ([5, 6, 7, 8, 9], [5, 6, 7, 8, 3], [9, 9, 9, 9, 9, 9], [5, 6]);
        let text = |lines: &[&[u32]]| lines.iter().flat_map(|line| [*line, &[END]].concat()).collect::<Vec<_>>();
        let train = text(&[&a, &short, &c, &a, &[5, 6, 7, 8, 9, 9]]);
        assert_eq!(overlap(&text(&[&a, &b, &short, &a]), &train), (1, 2));
        assert_eq!(overlap(&text(&[&a, &b, &c]), &train), (2, 3));
        assert_eq!(overlap(&[], &train), (0, 0));
    }
}
