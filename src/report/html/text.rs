//! Texts for the page: cut to a length, with nothing invisible in them, and paid from a budget of bytes.

use chrono::{DateTime, Utc};

pub use crate::model::plain::shown;

/// The characters of a name, an address or an id that the page shows.
pub(in crate::report) const LABEL: usize = 120;
/// The characters of a sentence that the page shows.
pub(in crate::report) const PROSE: usize = 600;
/// The bytes of markup around a row, generously.
const MARKUP: usize = 700;

/// A text with its first letter in upper case.
pub(in crate::report) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A piece of the advice of a rule, which marks names of settings and files with backticks.
pub(in crate::report) struct Span {
    pub(super) code: bool,
    pub(super) text: String,
}

/// The pieces of an advice.
pub(in crate::report) fn spans(advice: &str) -> Vec<Span> {
    let pieces = advice.split('`').enumerate();
    pieces
        .filter(|(_, text)| !text.is_empty())
        .map(|(place, text)| Span { code: place % 2 == 1, text: text.to_owned() })
        .collect()
}

/// A day for people: `2 March 2026`.
pub(in crate::report) fn date(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y").to_string()
}

/// A moment for people, in UTC: `2 March 2026, 08:01 UTC`.
pub(in crate::report) fn moment(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// A moment to the second, in UTC: `2 March 2026, 08:01:30 UTC`.
pub(in crate::report) fn precise(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M:%S UTC").to_string()
}

/// The bytes that a section may still take.
pub(in crate::report) struct Budget(usize);

impl Budget {
    pub(in crate::report) fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes what a row with these texts costs; false, and takes nothing, if it does not fit.
    pub(in crate::report) fn take(&mut self, texts: &[&str]) -> bool {
        self.take_with(MARKUP, texts)
    }

    /// The same for something with so many bytes of markup.
    pub(in crate::report) fn take_with(&mut self, markup: usize, texts: &[&str]) -> bool {
        let cost = markup + texts.iter().map(|text| escaped_length(text)).sum::<usize>();
        let fits = cost <= self.0;
        if fits {
            self.0 -= cost;
        }
        fits
    }
}

/// The bytes of a text after escaping: a mark of HTML becomes five bytes.
fn escaped_length(text: &str) -> usize {
    text.len() + 4 * text.bytes().filter(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')).count()
}

/// Rows of which the page shows a part.
pub(in crate::report) struct Part<Row> {
    /// The rows that it shows.
    pub(super) rows: Vec<Row>,
    /// How many there are in all.
    pub(super) all: usize,
    /// How many it does not show.
    pub(super) hidden: usize,
}

impl<Row> Part<Row> {
    /// The first rows that a limit and a budget allow. A row comes with its texts.
    pub(in crate::report) fn of<'t, Item>(
        items: impl ExactSizeIterator<Item = Item>,
        limit: usize,
        mut budget: Budget,
        row: impl Fn(Item) -> Row,
        texts: impl Fn(&Row) -> Vec<&str> + 't,
    ) -> Self {
        let all = items.len();
        let mut rows = Vec::new();
        for item in items.take(limit) {
            let row = row(item);
            if !budget.take(&texts(&row)) {
                break;
            }
            rows.push(row);
        }
        let hidden = all - rows.len();
        Self { rows, all, hidden }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_counts_escaped_bytes_and_refuses_what_does_not_fit() {
        let mut budget = Budget::new(MARKUP + 10);
        assert!(!budget.take(&["<<<"]));
        assert!(budget.take(&["<<"]));
        assert!(!budget.take(&[]));
    }
}
