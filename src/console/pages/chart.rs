//! Numbers over time as a drawing that needs no styles of its own, with the same in words.

use chrono::{DateTime, Utc};

use super::text::day;
use crate::words::number;

/// The width of a drawing, in its own units.
const WIDTH: f64 = 400.0;
/// Its height.
const HEIGHT: f64 = 90.0;
/// The room around the line.
const MARGIN: f64 = 6.0;

/// One line over time.
pub(in crate::console) struct Chart {
    /// Its id, which is unique on a page.
    pub(in crate::console) id: String,
    /// What it shows.
    pub(in crate::console) what: &'static str,
    /// The first, last, lowest and highest number.
    pub(in crate::console) said: String,
    /// From when to when.
    pub(in crate::console) period: String,
    /// The corners, as SVG writes them.
    pub(in crate::console) corners: String,
    /// Each corner: its two places, and what it shows.
    pub(in crate::console) points: Vec<(String, String, String)>,
    /// The last number.
    pub(in crate::console) last: String,
}

impl Chart {
    /// A line through these numbers, the oldest first. `None` if there are fewer than two.
    pub(in crate::console) fn of(id: String, what: &'static str, values: &[(DateTime<Utc>, u64)]) -> Option<Self> {
        let ((first_at, first), (last_at, last)) = (*values.first()?, *values.last()?);
        if values.len() < 2 {
            return None;
        }
        let lowest = values.iter().map(|(_, value)| *value).min().unwrap_or(0);
        let highest = values.iter().map(|(_, value)| *value).max().unwrap_or(0);
        let span = (last_at - first_at).num_seconds().max(1) as f64;
        let place = |(at, value): &(DateTime<Utc>, u64)| {
            let x = MARGIN + (*at - first_at).num_seconds() as f64 / span * (WIDTH - 2.0 * MARGIN);
            // From zero, as in the report: a change is as large as it looks.
            let height = if highest == 0 { 0.0 } else { *value as f64 / highest as f64 };
            let y = HEIGHT - MARGIN - height * (HEIGHT - 2.0 * MARGIN);
            (format!("{x:.1}"), format!("{y:.1}"), format!("{}: {}", day(*at), number(*value)))
        };
        let points: Vec<_> = values.iter().map(place).collect();
        let corners: Vec<String> = points.iter().map(|(x, y, _)| format!("{x},{y}")).collect();
        let said = if lowest == highest {
            format!("unchanged at {}", number(last))
        } else {
            format!("{} → {}; lowest {}, highest {}", number(first), number(last), number(lowest), number(highest))
        };
        let period = format!("{} to {}", day(first_at), day(last_at));
        Some(Self { id, what, said, period, corners: corners.join(" "), points, last: number(last) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::testing::at;

    #[test]
    fn a_line_goes_from_corner_to_corner_and_is_said_in_words() {
        let chart = Chart::of("c".to_owned(), "Administrators", &[(at(0), 2), (at(50), 4), (at(100), 3)]).unwrap();
        assert_eq!(chart.corners, "6.0,45.0 200.0,6.0 394.0,25.5");
        assert_eq!(chart.said, "2 → 3; lowest 2, highest 4");
        let flat = |value| Chart::of("c".to_owned(), "x", &[(at(0), value), (at(9), value)]).unwrap().corners;
        assert_eq!((flat(0), flat(7)), ("6.0,84.0 394.0,84.0".to_owned(), "6.0,6.0 394.0,6.0".to_owned()));
    }

    #[test]
    fn one_audit_is_no_line_and_audits_at_one_moment_are() {
        assert!(Chart::of("c".to_owned(), "x", &[(at(0), 1)]).is_none());
        let chart = Chart::of("c".to_owned(), "x", &[(at(0), 0), (at(0), 1)]).unwrap();
        assert_eq!(chart.corners, "6.0,84.0 6.0,6.0");
    }
}
