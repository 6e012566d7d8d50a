//! `lm-tools corpus`

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::corpus::sources::{Source, Sources, Tokenization, default_block_lines, default_seed, default_words};
use crate::corpus::{Manifest, WordsOf, prepare};

/// Turn text files into a vocabulary and streams of tokens
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools corpus configs/en/corpus.toml --root corpora/en --out runs/en/corpus
  lm-tools corpus chat.txt mail.txt.xz=2 novels.txt.xz=0.5 --words 20000 --language en --out corpus
  lm-tools corpus train.txt --valid valid.txt --tokenization spaces --words 10000 --language en --out ptb
  lm-tools corpus mail.txt --language en --words-of models/en.lm --words 500 --out runs/mail/corpus")]
pub struct Arguments {
    /// A source list (.toml), or text files (plain or .xz), each with =WEIGHT if not 1
    #[arg(required = true)]
    sources: Vec<String>,
    /// Folder that the paths of the sources are relative to
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Folder to write the prepared corpus to
    #[arg(long)]
    out: PathBuf,
    /// Words of the vocabulary [default with text files: 20000]; with --words-of so many of this text beside those of the
    /// model file
    #[arg(long)]
    words: Option<usize>,
    /// Words beyond the vocabulary that are completed, too [default with text files: 0]; with --words-of so many of this
    /// text beside those of the model, and none at all with 0
    #[arg(long)]
    rare_words: Option<usize>,
    /// Take the words of this model file (.lm) or prepared corpus, rare ones too, so that the model can be trained on with
    /// other text (`lm-tools train --init`); what a source list says of words goes for those alone that --words and
    /// --rare-words add
    #[arg(long, value_name = "MODEL")]
    words_of: Option<PathBuf>,
    /// Language of the text, a BCP 47 tag such as en or pl (needed with text files)
    #[arg(long)]
    language: Option<String>,
    /// Held-out text whose perplexity is told while training
    #[arg(long)]
    valid: Vec<String>,
    /// File of words (one a line) that a model reads but never offers
    #[arg(long)]
    never_offer: Vec<String>,
    /// How lines become tokens
    #[arg(long)]
    tokenization: Option<Tokenization>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let words_of = self.words_of.as_deref();
        let (more, keep_rare) = (self.words.unwrap_or(0), self.rare_words != Some(0));
        let words_of = words_of.map(|path| WordsOf { path, more, keep_rare });
        let manifest = prepare(&self.source_list()?, &self.root, &self.out, words_of)?;
        if self.json { say!("{}", serde_json::to_string_pretty(&manifest)?) } else { print(&manifest) }
    }

    fn source_list(&self) -> Result<Sources> {
        let mut list = match self.sources.as_slice() {
            [only] if only.ends_with(".toml") => Sources::read(only.as_ref())?,
            files if files.iter().any(|file| file.ends_with(".toml")) => {
                bail!("give either one source list (.toml) or text files, not both")
            }
            files => Sources {
                language: self.language.clone().context("--language is needed with text files (a tag such as en)")?,
                words: default_words(),
                rare_words: 0,
                tokenization: Tokenization::Words,
                block_lines: default_block_lines(),
                seed: default_seed(),
                never_offer: Vec::new(),
                offer_if_listed: None,
                spelling: Vec::new(),
                valid: Vec::new(),
                source: files.iter().map(|file| parse_source(file)).collect::<Result<_>>()?,
            },
        };
        if self.words_of.is_some() {
            list.rare_words = 0;
            if [self.words, self.rare_words].into_iter().flatten().all(|added| added == 0) {
                ensure!(
                    self.never_offer.is_empty(),
                    "--never-offer is for what --words and --rare-words add: the words of --words-of are offered as before"
                );
                (list.never_offer, list.offer_if_listed, list.spelling) = (Vec::new(), None, Vec::new());
            }
        }
        list.words = self.words.filter(|_| self.words_of.is_none()).unwrap_or(list.words);
        list.rare_words = self.rare_words.unwrap_or(list.rare_words);
        list.language = self.language.clone().unwrap_or(list.language);
        list.valid.extend(self.valid.iter().cloned());
        list.never_offer.extend(self.never_offer.iter().cloned());
        list.tokenization = self.tokenization.unwrap_or(list.tokenization);
        Ok(list)
    }
}

fn parse_source(argument: &str) -> Result<Source> {
    let (path, weight) = match argument.rsplit_once('=') {
        Some((path, weight)) => {
            (path, weight.parse().with_context(|| format!("{argument}: {weight:?} is not a weight"))?)
        }
        None => (argument, 1.0),
    };
    Ok(Source { path: path.to_owned(), weight, attribution: String::new() })
}

fn print(manifest: &Manifest) -> Result<()> {
    for source in &manifest.sources {
        say!("{:>9} lines {:>10} tokens x {:<4} {}", source.lines, source.tokens, source.weight, source.path)?;
    }
    say!(
        "{} rows; {} training tokens, {:.2} % of them unknown; {} held out",
        manifest.rows,
        manifest.train_tokens,
        100.0 * manifest.unknown_share,
        manifest.valid_tokens
    )
}
