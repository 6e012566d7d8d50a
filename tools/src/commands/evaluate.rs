//! `lm-tools evaluate`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use lm_wasm::Model;
use lm_wasm::format::ModelParts;
use lm_wasm::predict::Blend;

use crate::corpus::Lines;
use crate::corpus::sources::Tokenization;
use crate::evaluation::{
    Comparison, Difference, Differences, Joined, Line, Measures, Options, Predictor, Report, Span, Typing,
    TypingDifferences, evaluate, evaluate_personal, percent, with_float_weights,
};
use crate::model_file::identity;
use crate::ngram::{NgramFile, NgramPredictor, is_ngram_file};

/// Measure a model on held-out text: perplexity, next-word hits, keystroke savings
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools evaluate models/en.lm dev.tsv
  lm-tools evaluate models/en.lm mail.txt --suggestions 5 --json > measures.json
  lm-tools evaluate models/en.lm dev.tsv --against models/en-small.lm
  lm-tools evaluate ptb.lm test.txt --tokenization spaces --stream --no-typist
  lm-tools evaluate models/en.lm letters.txt --join 1024 --no-typist
  lm-tools evaluate models/en.lm letters-of-one-person.txt --personal

A .tsv file has source<TAB>text lines; its sources are told apart. The model runs in the same code as in a page.

PPL      perplexity: e to the mean negative log-likelihood of a token. Unknown words count as one token, which is easily told:
         compare models of the same words alone, and others by KSR
OOV      share of the words that are not in the vocabulary
top-1/k  share of the words that stand among the first or the first k suggestions before they are begun
KSR      keystrokes saved, of those without suggestions: a word is typed letter by letter until it is among k suggestions, then
         taken by one key, which also types the space; in brackets the 95 % interval of a bootstrap over lines
ceiling  KSR if each word that the model knows were offered as soon as one key can take it

--against tells KSR and top-k less those of the other model, in points, and PPL by its PPL, if both know the same words. The 95 %
intervals are of a bootstrap that draws lines anew for both together, so a difference can be sure where the two intervals of KSR
overlap: it is, if its own does not hold 0 (of PPL 1).")]
pub struct Arguments {
    /// Model file (.lm), or an n-gram model that `lm-tools ngram` made
    model: PathBuf,
    /// Held-out text (plain, .xz or .tsv)
    #[arg(required = true)]
    texts: Vec<PathBuf>,
    /// Suggestions offered at a time
    #[arg(long, short = 'k', default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    suggestions: u8,
    /// Another model file, or n-gram model, to compare with on the same text
    #[arg(long, value_name = "MODEL", conflicts_with = "personal")]
    against: Option<PathBuf>,
    /// Read only the first lines of each text
    #[arg(long)]
    limit: Option<usize>,
    /// Keep the state from line to line, as benchmarks tell perplexity; else each line is a text by itself
    #[arg(long)]
    stream: bool,
    /// Join lines of a source to texts of up to so many bytes, and keep the state within each, as in a page, which reads the
    /// last 1024 of a text; tells the perplexity of the worst, too
    #[arg(long, value_name = "BYTES", conflicts_with = "stream")]
    join: Option<usize>,
    /// How lines become tokens [default: as in the text that the model was made of]
    #[arg(long)]
    tokenization: Option<Tokenization>,
    /// Measure perplexity alone
    #[arg(long)]
    no_typist: bool,
    /// Type the text from its beginning to its end, with and without what was learned from it so far, and compare
    #[arg(long, conflicts_with_all = ["stream", "join", "no_typist", "tokenization", "threads"])]
    personal: bool,
    /// Weights of the personal words: largest share, uses at half of it, uses that single words are worth
    #[arg(long, value_names = ["LARGEST", "KAPPA", "MU"], num_args = 3, requires = "personal")]
    blend: Option<Vec<f64>>,
    /// Round activations to so many bits (8: 7 where weights are ternary), or not at all [default: as a page does, up to 7
    /// bits where weights are ternary, 8 where they are other integers]
    #[arg(long, value_parser = ["5", "6", "7", "8", "float"])]
    activations: Option<String>,
    /// Threads [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Print the measures as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        if self.personal {
            let bytes = read_file(&self.model)?;
            ensure!(!is_ngram_file(&bytes), "--personal works with the model files of networks");
            let model = self.read_model(&bytes).with_context(|| self.model.display().to_string())?;
            return self.print_personal(&model, &self.lines()?);
        }
        let model = self.open(&self.model)?;
        let other = self.against.as_ref().map(|path| self.open(path)).transpose()?;
        if let (Some(path), Some(other), None) = (&self.against, &other, self.tokenization) {
            ensure!(
                other.trained == model.trained,
                "{} had other tokens in its text than {}: choose with --tokenization",
                path.display(),
                self.model.display()
            );
        }
        self.print_report(&model, other.as_ref())
    }

    fn open(&self, path: &Path) -> Result<Opened> {
        let bytes = read_file(path)?;
        let name = || path.display().to_string();
        let (predictor, trained): (Box<dyn Predictor>, _) = if is_ngram_file(&bytes) {
            ensure!(self.activations.is_none(), "--activations works with the model files of networks");
            let file = NgramFile::read(&bytes).with_context(name)?;
            let trained = file.tokenization;
            (Box::new(NgramPredictor(file)), trained)
        } else {
            let model = self.read_model(&bytes).with_context(name)?;
            let trained = Tokenization::of_model(model.metadata());
            (Box::new(model), trained)
        };
        Ok(Opened { predictor, identity: identity(&bytes)?, trained })
    }

    fn print_report(&self, model: &Opened, other: Option<&Opened>) -> Result<()> {
        let mut lines = self.lines()?;
        if self.join.is_some() {
            // Those of a source need not follow each other in the file.
            lines.sort_by(|a, b| a.source.cmp(&b.source));
        }
        let options = Options {
            suggestions: self.suggestions.into(),
            tokenization: self.tokenization.unwrap_or(model.trained),
            span: self.span(),
            typist: !self.no_typist,
            threads: self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get())),
        };
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let texts = self.texts.iter().map(name).collect();
        let other = other.map(|other| (&*other.predictor, other.identity.clone()));
        let report = evaluate(&*model.predictor, other, texts, &lines, options);
        let report = Report { model: model.identity.clone(), ..report };
        if self.json { say!("{}", serde_json::to_string_pretty(&report)?) } else { print(&report) }
    }

    fn span(&self) -> Span {
        match self.join {
            Some(bytes) => Span::Bytes(bytes),
            None if self.stream => Span::Stream,
            None => Span::Line,
        }
    }

    fn print_personal(&self, model: &Model, lines: &[Line]) -> Result<()> {
        let blend = match self.blend.as_deref() {
            Some(&[largest, kappa, mu]) => {
                ensure!((0.0..1.0).contains(&largest), "--blend: LARGEST = {largest} must be a share, less than 1");
                ensure!(kappa > 0.0 && mu > 0.0, "--blend: KAPPA = {kappa} and MU = {mu} must be greater than 0");
                Blend { largest, kappa, mu }
            }
            _ => Blend::default(),
        };
        let texts = lines.iter().map(|line| line.text.as_str());
        let report = evaluate_personal(model, blend, texts, self.suggestions.into());
        if self.json {
            return say!("{}", serde_json::to_string_pretty(&report)?);
        }
        say!("{:>16} {:>10} {:>12} {:>10}", "words up to", "KSR alone", "with own", "gain")?;
        let parts = report.parts.iter().map(|(end, part)| (end.to_string(), part));
        for (name, part) in parts.chain([("all".to_owned(), &report.all)]) {
            let (alone, personal) = part.ksr();
            let (alone, personal) = (100.0 * alone, 100.0 * personal);
            say!("{name:>16} {alone:>8.2} % {personal:>10.2} % {:>+10.2}", personal - alone)?;
        }
        Ok(())
    }

    fn read_model(&self, bytes: &[u8]) -> Result<Model> {
        let parts = ModelParts::from_bytes(bytes)?;
        let Some(activations) = &self.activations else { return Ok(Model::from_parts(parts)?) };
        let Ok(bits) = activations.parse() else { return Ok(Model::from_parts(with_float_weights(parts))?) };
        let mut model = Model::from_parts(parts)?;
        model.set_activation_bits(bits);
        Ok(model)
    }

    fn lines(&self) -> Result<Vec<Line>> {
        let name_of = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut lines = Vec::new();
        for (index, path) in self.texts.iter().enumerate() {
            ensure!(!self.texts[..index].contains(path), "{} is named twice", path.display());
            let mut reader = Lines::open(path)?;
            let shared = self.texts.iter().filter(|other| name_of(other) == name_of(path)).count() > 1;
            let file = if shared { path.display().to_string() } else { name_of(path) };
            let mut count = 0;
            while let Some((label, text)) = reader.next_line()? {
                if self.limit.is_some_and(|limit| count == limit) {
                    break;
                }
                lines.push(Line { source: if label.is_empty() { file.clone() } else { label }, text });
                count += 1;
            }
        }
        ensure!(!lines.is_empty(), "there is no text in the file(s) given");
        Ok(lines)
    }
}

/// A model and what it was trained on.
struct Opened {
    predictor: Box<dyn Predictor>,
    identity: String,
    trained: Tokenization,
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    ensure!(!path.is_dir(), "{} is a folder: of a run, export the model first", path.display());
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn print(report: &Report) -> Result<()> {
    say!(
        "{:<16} {:>8} {:>9} {:>7} {:>7} {:>7} {:>17} {:>8}",
        "source",
        "words",
        "PPL",
        "OOV",
        "top-1",
        "top-k",
        "KSR (95 %)",
        "ceiling"
    )?;
    for (source, measures) in &report.by_source {
        print_row(source, measures)?;
    }
    print_row("all", &report.all)?;
    if let Some(Joined { texts, median, worst, .. }) = report.joined {
        say!("perplexity of {texts} texts: median {median:.1}, worst {worst:.1}")?;
    }
    if let Some(comparison) = &report.against {
        print_comparison(comparison)?;
    }
    say!("k = {}, {}", report.suggestions, report.span())
}

fn print_comparison(Comparison { all, by_source, .. }: &Comparison) -> Result<()> {
    let typing = all.typing.map_or(String::new(), |_| format!(" {:>23} {:>23}", "top-k (95 %)", "KSR (95 %)"));
    say!("\n{:<16} {:>23}{typing}", "less the other", "PPL, quotient (95 %)")?;
    let sources = by_source.iter().map(|(source, differences)| (source.as_str(), differences));
    for (source, Differences { perplexity, typing }) in sources.chain([("all", all)]) {
        let quotient = |Difference { value, interval }: Difference| {
            format!("{value:.3} ({:.3}-{:.3})", interval.low, interval.high)
        };
        let points = |Difference { value, interval }: Difference| {
            let [value, low, high] = [value, interval.low, interval.high].map(|share| 100.0 * share);
            format!("{value:+.2} ({low:+.2} to {high:+.2})")
        };
        let perplexity = perplexity.map_or("-".to_owned(), quotient);
        let typing = typing.map_or(String::new(), |TypingDifferences { top_k, ksr }| {
            format!(" {:>23} {:>23}", points(top_k), points(ksr))
        });
        say!("{source:<16} {perplexity:>23}{typing}")?;
    }
    say!("")
}

fn print_row(source: &str, measures: &Measures) -> Result<()> {
    let typing = if let Some(Typing { top_1, top_k, ksr, ksr_interval, ceiling, .. }) = &measures.typing {
        let ksr = format!("{:.2} ({:.1}-{:.1})", 100.0 * ksr, 100.0 * ksr_interval.low, 100.0 * ksr_interval.high);
        format!(" {:>7} {:>7} {ksr:>17} {:>8}", percent(*top_1), percent(*top_k), percent(*ceiling))
    } else {
        String::new()
    };
    say!(
        "{source:<16} {:>8} {:>9.2} {:>7}{typing}",
        measures.words,
        measures.perplexity,
        percent(measures.out_of_vocabulary)
    )
}
