//! A table of experiments in Markdown.

use anyhow::{Context, Result};

use crate::evaluation::{Measures, Report, Typing};

use super::{Experiment, Run, row};

const HEAD: [&str; 12] = [
    "experiment",
    "seeds",
    "minutes",
    "parameters",
    "bits / layer weight",
    "layer bytes",
    "model bytes",
    "PPL valid",
    "PPL test",
    "OOV test",
    "KSR test",
    "top-k test",
];

/// The table; `ratios_to` names the experiment whose perplexity the others are compared with.
///
/// # Errors
///
/// If there is no such experiment, or it has no perplexity on test text.
pub fn markdown(experiments: &[Experiment], ratios_to: Option<&str>) -> Result<String> {
    let base = ratios_to.map(|name| test_measures_of(experiments, name)).transpose()?;
    let mut head: Vec<String> = HEAD.map(str::to_owned).to_vec();
    head.extend(ratios_to.map(|name| format!("PPL test / {name}")));
    let mut lines = vec![row(&head), row(&head.iter().enumerate().map(|(i, _)| align(i)).collect::<Vec<_>>())];
    for experiment in experiments {
        let mut cells = cells(experiment);
        if let Some((base, unknown)) = base {
            // An unknown word is easily told: what knows fewer words has less perplexity.
            let comparable = Spread::of(&experiment.runs, test_unknown).is_some_and(|share| share.mean == unknown);
            let perplexity = Spread::of(&experiment.runs, test_perplexity).filter(|_| comparable);
            cells.push(perplexity.map_or("-".into(), |perplexity| format!("{:.3}", perplexity.mean / base)));
        }
        lines.push(row(&cells));
    }
    Ok(lines.join("\n"))
}

/// Perplexity and the share of unknown words.
fn test_measures_of(experiments: &[Experiment], name: &str) -> Result<(f64, f64)> {
    let experiment = experiments.iter().find(|experiment| experiment.name == name).with_context(|| {
        let names: Vec<&str> = experiments.iter().map(|experiment| &*experiment.name).collect();
        format!("--ratios-to {name}: there is no such experiment (there are {})", names.join(", "))
    })?;
    let mean = |figure: &dyn Fn(&Run) -> Option<f64>| Some(Spread::of(&experiment.runs, figure)?.mean);
    mean(&test_perplexity).zip(mean(&test_unknown)).with_context(|| {
        format!("--ratios-to {name}: its runs have no test.json: evaluate them on the test text first")
    })
}

fn align(column: usize) -> String {
    if column == 0 { "---" } else { "---:" }.to_owned()
}

fn cells(Experiment { name, runs }: &Experiment) -> Vec<String> {
    let first = &runs[0];
    let bytes = |bytes: Option<u64>| bytes.map_or("-".into(), |bytes| bytes.to_string());
    let percent = |spread: Option<Spread>| spread.map_or("-".into(), |spread| spread.text(100.0, 2, " %"));
    let perplexity = |spread: Option<Spread>| spread.map_or("-".into(), |spread| spread.text(1.0, 2, ""));
    vec![
        name.clone(),
        runs.len().to_string(),
        Spread::of(runs, |run| run.seconds).map_or("-".into(), |spread| format!("{:.0}", spread.mean / 60.0)),
        first.parameters.to_string(),
        format!("{:.2}", first.layer_bits),
        bytes(first.layer_bytes.map(|bytes| bytes as u64)),
        bytes(first.bytes),
        perplexity(Spread::of(runs, valid_perplexity)),
        perplexity(Spread::of(runs, test_perplexity)),
        percent(Spread::of(runs, test_unknown)),
        percent(Spread::of(runs, |run| Some(typing(run)?.ksr))),
        percent(Spread::of(runs, |run| Some(typing(run)?.top_k))),
    ]
}

fn all(report: &Option<Report>) -> Option<&Measures> {
    report.as_ref().map(|report| &report.all)
}

fn typing(run: &Run) -> Option<&Typing> {
    all(&run.test)?.typing.as_ref()
}

fn test_perplexity(run: &Run) -> Option<f64> {
    Some(all(&run.test)?.perplexity)
}

fn test_unknown(run: &Run) -> Option<f64> {
    Some(all(&run.test)?.out_of_vocabulary)
}

/// Of the exported model, or else what the run told last.
fn valid_perplexity(run: &Run) -> Option<f64> {
    let measured = all(&run.valid).map(|measures| measures.perplexity);
    measured.or_else(|| Some(run.validations.last()?.perplexity))
}

/// A figure over seeds.
struct Spread {
    mean: f64,
    least: f64,
    most: f64,
    count: usize,
}

impl Spread {
    fn of(runs: &[Run], figure: impl Fn(&Run) -> Option<f64>) -> Option<Spread> {
        let values: Vec<f64> = runs.iter().map(figure).collect::<Option<_>>()?;
        let (least, most) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), &x| (l.min(x), m.max(x)));
        Some(Spread { mean: values.iter().sum::<f64>() / values.len() as f64, least, most, count: values.len() })
    }

    fn text(&self, factor: f64, digits: usize, unit: &str) -> String {
        let [mean, least, most] = [self.mean, self.least, self.most].map(|x| format!("{:.digits$}", x * factor));
        if self.count == 1 { format!("{mean}{unit}") } else { format!("{mean}{unit} ({least}-{most})") }
    }
}
