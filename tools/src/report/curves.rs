//! Curves of perplexity and click ratio over a run, as SVG.

use anyhow::{Context, Result, anyhow, ensure};
use plotters::coord::{CoordTranslate, Shift};
use plotters::prelude::*;

use super::{Experiment, Validation};

const WIDTH: u32 = 900;
const HEIGHT: u32 = 420;
/// The colours of Okabe & Ito 2008, which people with any colour vision tell apart.
pub(super) const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

struct Line<'a> {
    name: &'a str,
    points: Vec<(f64, f64)>,
}

/// Draws perplexity and, where it was measured, click ratio over passes through a corpus of `tokens` tokens: the first
/// run of each experiment.
pub fn svg(experiments: &[Experiment], tokens: u64) -> Result<String> {
    let lines = |value: fn(&Validation) -> Option<f64>| -> Vec<Line> {
        let point = |at: &Validation| Some((at.trained as f64 / tokens as f64, value(at)?));
        let lines = experiments.iter().map(|Experiment { name, runs }| Line {
            name,
            points: runs[0].validations.iter().filter_map(point).collect(),
        });
        lines.filter(|line| !line.points.is_empty()).collect()
    };
    let perplexity = lines(|at| Some(at.perplexity));
    ensure!(!perplexity.is_empty(), "no run has measured held-out text yet: nothing to draw");
    let clicks = lines(|at| at.click_ratio.map(|ratio| 100.0 * ratio));
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&WHITE).map_err(drawing)?;
        if clicks.is_empty() {
            panel(&root, "perplexity of held-out text", &perplexity)?;
        } else {
            let (left, right) = root.split_horizontally(WIDTH / 2);
            panel(&left, "perplexity of held-out text", &perplexity)?;
            panel(&right, "click ratio, %", &clicks)?;
        }
        root.present().map_err(drawing)?;
    }
    Ok(text)
}

pub(super) fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

/// The values worth seeing: the first steps' are left out, which would squeeze all others together.
fn bounds(lines: &[Line]) -> Option<(f64, f64, f64)> {
    let last = lines.iter().flat_map(|line| &line.points).map(|point| point.0).reduce(f64::max)?;
    let least = lines.iter().flat_map(|line| &line.points).map(|point| point.1).reduce(f64::min)?;
    let late = |line: &Line| {
        line.points.iter().filter(|point| point.0 >= 0.15 * last).map(|point| point.1).collect::<Vec<_>>()
    };
    let most = lines.iter().flat_map(late).reduce(f64::max)?;
    let margin = 0.05 * (most - least).max(1e-3 * least);
    Some((last, least - margin, most + margin))
}

fn panel<B: DrawingBackend>(area: &DrawingArea<B, Shift>, title: &str, lines: &[Line]) -> Result<()>
where
    B::ErrorType: 'static,
{
    let (last, low, high) = bounds(lines).context("nothing to draw")?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..last, low..high)
        .map_err(drawing)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("passes through the training text")
        .x_labels(8)
        .y_labels(8)
        .draw()
        .map_err(drawing)?;
    for (index, line) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let inside = line.points.iter().copied().filter(|point| point.1 <= high);
        chart
            .draw_series(LineSeries::new(inside, colour.stroke_width(2)))
            .map_err(drawing)?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

/// Draws the names of a chart's lines.
pub(super) fn legend<'a, B: DrawingBackend + 'a, C: CoordTranslate>(
    chart: &mut ChartContext<'a, B, C>,
    position: SeriesLabelPosition,
) -> Result<()>
where
    B::ErrorType: 'static,
{
    chart
        .configure_series_labels()
        .position(position)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.2))
        .draw()
        .map_err(drawing)
}
