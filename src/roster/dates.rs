//! Dates, as exports write them.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};

/// A way to write dates in which nothing says whether the day or the month comes first.
const NUMBERS: [&str; 2] = ["%d/%m/%Y", "%m/%d/%Y"];
/// Ways that explain themselves.
const CLEAR: [&str; 7] = ["%Y/%m/%d", "%d/%B/%Y", "%d %B %Y", "%B %d %Y", "%d %B, %Y", "%a %d %B %Y", "%Y%m%d"];
/// Texts that mean: no date.
const NONE: [&str; 9] = ["", "-", "--", "n/a", "na", "none", "null", "never", "never logged in"];

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// No date.
    Nothing,
    /// A date.
    Day(NaiveDate),
    /// No date that can be read.
    Illegible,
}

/// Whether the day or the month comes first where both are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Every date says the same in both ways, or there is none.
    Any,
    /// The way in which every date can be read.
    Only(&'static str),
    /// Every date can be read in both ways, and the ways disagree.
    Ambiguous,
    /// No way reads every date.
    Disagreeing,
}

/// Finds the order from all dates of a roster.
pub(super) fn order<'a>(cells: impl Iterator<Item = &'a str>) -> Order {
    let mut possible: BTreeSet<&'static str> = NUMBERS.into();
    let mut disagree = false;
    for cell in cells.filter(|cell| clear(cell) == Said::Illegible) {
        let cell = numbers(cell);
        let [day_first, month_first] = NUMBERS.map(|format| parsed(&cell, format));
        // What neither reads is reported where it is.
        if day_first.is_none() && month_first.is_none() {
            continue;
        }
        disagree |= day_first != month_first;
        possible.retain(|format| parsed(&cell, format).is_some());
    }
    match possible.len() {
        0 => Order::Disagreeing,
        1 => possible.first().map_or(Order::Any, |format| Order::Only(format)),
        _ if disagree => Order::Ambiguous,
        _ => Order::Any,
    }
}

/// Reads a cell by the format of the configuration, or by the order of the roster.
pub(super) fn read(cell: &str, format: Option<&str>, order: Order) -> Said {
    if let Some(format) = format
        && let Some(day) = formatted(cell.trim(), format)
    {
        return Said::Day(day);
    }
    match (clear(cell), format, order) {
        (Said::Illegible, None, Order::Only(format)) => {
            parsed(&numbers(cell), format).map_or(Said::Illegible, Said::Day)
        }
        (Said::Illegible, None, Order::Any) => parsed(&numbers(cell), NUMBERS[0]).map_or(Said::Illegible, Said::Day),
        (said, ..) => said,
    }
}

/// Whether a cell can be read in both orders, and says something else in each.
pub(super) fn is_ambiguous(cell: &str) -> bool {
    let cell_numbers = numbers(cell);
    let [day_first, month_first] = NUMBERS.map(|format| parsed(&cell_numbers, format));
    clear(cell) == Said::Illegible && day_first.is_some() && month_first.is_some() && day_first != month_first
}

/// A date that can be read in one way only: ISO 8601, with or without a time, one with the name of the month, or the
/// number of a day as spreadsheets count.
pub(super) fn clear(cell: &str) -> Said {
    let cell = cell.trim();
    if let Some(day) = iso(cell) {
        return Said::Day(day);
    }
    if NONE.contains(&cell.to_lowercase().as_str()) || is_zeros(cell) {
        return Said::Nothing;
    }
    let date = cell.split(['T', ' ']).next().unwrap_or_default();
    if let Some(day) = iso(date) {
        return Said::Day(day);
    }
    if let Some(day) = serial(cell) {
        return Said::Day(day);
    }
    let (slashed, spaced) = (numbers(cell), cell.replace(['-', '.', ','], " "));
    let spaced = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    let read = CLEAR.iter().find_map(|format| parsed(&slashed, format).or_else(|| parsed(&spaced, format)));
    read.map_or(Said::Illegible, Said::Day)
}

/// `2026-01-31`, which most exports have.
fn iso(date: &str) -> Option<NaiveDate> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?).filter(|day| is_sane(*day))
}

/// `0000-00-00`, `00/00/0000`, `0`.
fn is_zeros(cell: &str) -> bool {
    let date = cell.split(['T', ' ']).next().unwrap_or_default();
    date.contains('0') && date.chars().all(|c| matches!(c, '0' | '-' | '/' | '.'))
}

/// The number of a day as spreadsheets count: 45000 is 2023-03-15.
fn serial(cell: &str) -> Option<NaiveDate> {
    let days = cell.split_once('.').map_or(cell, |(days, _)| days);
    let is_number = days.len() == 5 && cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let days: i64 = days.parse().ok().filter(|_| is_number && cell.matches('.').count() < 2)?;
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_signed(TimeDelta::days(days))
}

/// A date with `/` between its parts, without a time.
fn numbers(cell: &str) -> String {
    let cell = cell.trim();
    let date = cell.split_whitespace().next().unwrap_or_default();
    date.replace(['.', '-'], "/")
}

/// By the format of the configuration; a time behind the date does not matter.
fn formatted(cell: &str, format: &str) -> Option<NaiveDate> {
    let whole = parsed(cell, format);
    whole.or_else(|| {
        NaiveDate::parse_and_remainder(cell, format)
            .ok()
            .filter(|(_, rest)| is_time(rest))
            .map(|(day, _)| day)
            .filter(|day| is_sane(*day))
    })
}

fn is_time(rest: &str) -> bool {
    rest.starts_with([' ', 'T']) && rest.trim_start_matches([' ', 'T']).starts_with(|c: char| c.is_ascii_digit())
}

fn parsed(text: &str, format: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, format).ok().filter(|day| is_sane(*day))
}

/// A year of three digits, or of five, is a misspelt one, or one of two digits.
fn is_sane(day: NaiveDate) -> bool {
    use chrono::Datelike as _;
    (1000..=9999).contains(&day.year())
}
