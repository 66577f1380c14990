//! The lines of administrators and open findings over the past audits, as drawings of SVG.

use crate::{
    brief::{self, TrendPoint},
    report::ReportInput,
    words::number,
};

/// The width of a drawing, in its own units.
const WIDTH: f64 = 400.0;
/// Its height.
const HEIGHT: f64 = 56.0;
/// The room around the line, for its points.
const MARGIN: f64 = 4.0;

/// The lines, and their numbers.
pub(super) struct Trend {
    pub(super) lines: [Line; 2],
    /// From when to when, in words.
    pub(super) period: String,
    /// The numbers, the newest first.
    pub(super) rows: Vec<Row>,
}

/// One line.
pub(super) struct Line {
    pub(super) id: &'static str,
    pub(super) what: &'static str,
    /// Its first, last, lowest and highest number.
    pub(super) said: String,
    /// The corners, as SVG writes them.
    pub(super) corners: String,
    /// The corners, each as its two places.
    pub(super) points: Vec<(String, String)>,
}

/// The numbers of one audit.
pub(super) struct Row {
    pub(super) day: String,
    pub(super) administrators: String,
    pub(super) findings: String,
}

/// The trend; `None` if there is no past audit.
pub(super) fn trend(input: &ReportInput<'_>) -> Option<Trend> {
    let trend = input.brief.trend.as_ref()?;
    let line = |id, what, said, value: fn(&TrendPoint) -> u64| line(id, what, said, trend, value);
    Some(Trend {
        lines: [
            line("line-administrators", "Administrators", trend.administrators(), |point| point.administrators),
            line("line-findings", "Open findings", trend.findings(), |point| point.findings),
        ],
        period: trend.period(),
        rows: trend.points.iter().rev().map(row).collect(),
    })
}

fn row(point: &TrendPoint) -> Row {
    Row {
        day: point.at.format("%-d %B %Y, %H:%M UTC").to_string(),
        administrators: number(point.administrators),
        findings: number(point.findings),
    }
}

fn line(
    id: &'static str,
    what: &'static str,
    said: String,
    trend: &brief::Trend,
    value: fn(&TrendPoint) -> u64,
) -> Line {
    let highest = trend.points.iter().map(value).max().unwrap_or(0).max(1);
    let up = |value: u64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * value as f64 / highest as f64;
    let across = places(&trend.points);
    let points: Vec<(String, String)> = across
        .iter()
        .zip(&trend.points)
        .map(|(x, point)| (format!("{x:.1}"), format!("{:.1}", up(value(point)))))
        .collect();
    let corners: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
    Line { id, what, said, corners: corners.join(" "), points }
}

/// Where each audit is on the line: by its time, or one after the other if the times do not rise.
fn places(points: &[TrendPoint]) -> Vec<f64> {
    let wide = WIDTH - 2.0 * MARGIN;
    let since =
        |point: &TrendPoint| points.first().map_or(0.0, |first| (point.at - first.at).num_milliseconds() as f64);
    let all = points.last().map_or(0.0, since);
    let rises = all > 0.0 && points.windows(2).all(|pair| pair[0].at < pair[1].at);
    let steps = points.len().saturating_sub(1).max(1) as f64;
    let share = |(step, point): (usize, &TrendPoint)| if rises { since(point) / all } else { step as f64 / steps };
    points.iter().enumerate().map(|at| MARGIN + wide * share(at)).collect()
}
