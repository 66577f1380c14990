//! The pages of a sample: an index with the method, and a page for each item.

use askama::Template;
use chrono::{DateTime, Duration, Utc};

use super::{Document, Of, Trace};
use crate::report::shown;

/// The characters of a value that a page shows.
const VALUE: usize = 600;
/// The characters of a quotation.
const QUOTE: usize = 4_000;

#[derive(Template)]
#[template(path = "evidence/sample/index.html")]
struct Index<'a> {
    document: &'a Document<'a>,
    describes: &'static str,
    period: String,
    made: String,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "evidence/sample/item.html")]
struct ItemPage<'a> {
    document: &'a Document<'a>,
    item: &'a Trace,
    before: Option<&'a str>,
    next: Option<&'a str>,
    period: String,
    version: &'static str,
}

/// A value as a page shows it.
fn value(text: impl AsRef<str>) -> String {
    shown(text.as_ref(), VALUE)
}

fn quote(text: impl AsRef<str>) -> String {
    // Lines stay: a quotation is indented JSON.
    text.as_ref().lines().map(|line| shown(line, VALUE)).collect::<Vec<_>>().join("\n").chars().take(QUOTE).collect()
}

fn period(document: &Document<'_>) -> String {
    let last = (document.to - Duration::nanoseconds(1)).date_naive();
    format!("{} to {last}", document.from.date_naive())
}

pub(super) fn index(document: &Document<'_>, now: DateTime<Utc>) -> Result<String, askama::Error> {
    let all = [Of::Reviews, Of::Accounts, Of::Joiners, Of::Leavers, Of::Changes];
    let describes = all.into_iter().find(|of| of.word() == document.of).map_or("", Of::describes);
    let made = now.format("%-d %B %Y").to_string();
    Index { document, describes, period: period(document), made, version: env!("CARGO_PKG_VERSION") }.render()
}

pub(super) fn item(document: &Document<'_>, item: &Trace) -> Result<String, askama::Error> {
    let page = |place: Option<usize>| document.items.get(place?).map(|item| item.page.as_str());
    let (before, next) = (page(item.number.checked_sub(2)), page(Some(item.number)));
    ItemPage { document, item, before, next, period: period(document), version: env!("CARGO_PKG_VERSION") }.render()
}
