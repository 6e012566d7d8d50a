//! Models of different sizes: a table in Markdown, and keystroke savings over the size of the file as SVG.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::curves::{COLOURS, drawing, legend};
use super::{read_report, row};
use crate::evaluation::{Report, Typing, percent};
use crate::ngram::is_ngram_file;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 420;
const MEGABYTE: f64 = 1e6;

/// A model and what was measured of it.
pub struct Measured {
    name: String,
    kind: Kind,
    bytes: u64,
    report: Report,
    typing: Typing,
}

/// What predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Network,
    Ngrams,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Network => "network",
            Kind::Ngrams => "n-grams",
        }
    }
}

impl Measured {
    /// Reads a model's size and, from the file of the same name that ends in `.json`, its measures.
    fn read(path: &Path) -> Result<Measured> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let measured = path.with_extension("json");
        let report =
            read_report(&measured, Some(&bytes)).with_context(|| path.display().to_string())?.with_context(|| {
                let (model, measured) = (path.display(), measured.display());
                format!("{measured} is missing: lm-tools evaluate {model} TEXT --json > {measured}")
            })?;
        let typing = report.all.typing.clone();
        Ok(Measured {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            kind: if is_ngram_file(&bytes) { Kind::Ngrams } else { Kind::Network },
            bytes: bytes.len() as u64,
            typing: typing.with_context(|| format!("{} has no keystroke savings", measured.display()))?,
            report,
        })
    }

    /// Reads models, the smallest first.
    pub fn read_all(paths: &[PathBuf]) -> Result<Vec<Measured>> {
        let mut models = paths.iter().map(|path| Measured::read(path)).collect::<Result<Vec<_>>>()?;
        models.sort_by_key(|model| model.bytes);
        for model in &models {
            ensure!(
                model.report.conditions() == models[0].report.conditions(),
                "{} and {} were measured on different texts or in different ways: evaluate both alike",
                models[0].name,
                model.name
            );
        }
        Ok(models)
    }

    fn megabytes(&self) -> f64 {
        self.bytes as f64 / MEGABYTE
    }
}

/// The table.
pub fn markdown(models: &[Measured]) -> String {
    // All have the same, see `read_all`.
    let top_k = models.first().map_or("top-k".to_owned(), |model| format!("top-{}", model.report.suggestions));
    let head = ["model", "kind", "bytes", "perplexity", "unknown words", "top-1", &top_k, "KSR (95 % interval)"];
    let mut lines = vec![row(&head.map(str::to_owned)), "|---|---|---:|---:|---:|---:|---:|---:|".to_owned()];
    for Measured { name, kind, bytes, report: Report { all: measures, .. }, typing } in models {
        lines.push(row(&[
            name.clone(),
            kind.name().to_owned(),
            bytes.to_string(),
            format!("{:.1}", measures.perplexity),
            percent(measures.out_of_vocabulary),
            percent(typing.top_1),
            percent(typing.top_k),
            typing.savings(),
        ]));
    }
    lines.join("\n")
}

/// Keystroke savings over megabytes, each kind of model a line, with intervals.
pub fn svg(models: &[Measured]) -> Result<String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&WHITE).map_err(drawing)?;
        draw(&root, models)?;
        root.present().map_err(drawing)?;
    }
    Ok(text)
}

fn draw<B: DrawingBackend>(area: &DrawingArea<B, Shift>, models: &[Measured]) -> Result<()>
where
    B::ErrorType: 'static,
{
    let (sizes, savings) = bounds(models);
    let ticks = (-6..8).map(|power| 2_f64.powi(power)).collect::<Vec<_>>();
    let mut chart = ChartBuilder::on(area)
        .caption("keystroke savings, %", ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(sizes.log_scale().with_key_points(ticks), savings)
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("file, MB")
        .x_label_formatter(&|size| size.to_string())
        .y_label_formatter(&|share| format!("{share:.1}"))
        .draw()
        .map_err(drawing)?;
    for (kind, colour) in [Kind::Network, Kind::Ngrams].into_iter().zip(COLOURS) {
        let of_kind = || models.iter().filter(move |model| model.kind == kind);
        let points = of_kind().map(|model| (model.megabytes(), 100.0 * model.typing.ksr));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))
            .map_err(drawing)?
            .label(kind.name())
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
        let bar = |model: &Measured| {
            let Typing { ksr, ksr_interval: interval, .. } = &model.typing;
            let [low, middle, high] = [interval.low, *ksr, interval.high].map(|share| 100.0 * share);
            ErrorBar::new_vertical(model.megabytes(), low, middle, high, colour.filled(), 8)
        };
        chart.draw_series(of_kind().map(bar)).map_err(drawing)?;
    }
    legend(&mut chart, SeriesLabelPosition::LowerRight)
}

/// The sizes in megabytes and the savings in percent that a chart shows.
fn bounds(models: &[Measured]) -> (Range<f64>, Range<f64>) {
    let range = |low: fn(&Measured) -> f64, high: fn(&Measured) -> f64| {
        let (lows, highs) = (models.iter().map(low), models.iter().map(high));
        (lows.fold(f64::INFINITY, f64::min), highs.fold(f64::NEG_INFINITY, f64::max))
    };
    let (smallest, largest) = range(Measured::megabytes, Measured::megabytes);
    let (least, most) = range(|model| model.typing.ksr_interval.low, |model| model.typing.ksr_interval.high);
    let margin = 0.06 * (most - least).max(0.01);
    (0.85 * smallest..1.2 * largest, 100.0 * (least - margin)..100.0 * (most + margin))
}
