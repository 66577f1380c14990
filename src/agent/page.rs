//! Long lists in pages that do not flood a model.
//!
//! A cursor holds the number of earlier rows and the digest of their keys. It needs no state here, also works in another
//! process, and reveals a change in the earlier rows: no row is skipped or returned twice.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Problem, answer};

/// The default number of rows on a page.
pub(super) const USUAL: u32 = 50;
/// The maximum number of rows on a page.
pub(super) const MOST: u32 = 200;
/// Bytes of a page's rows, after which no other row is added: about twelve thousand tokens.
const BYTES: usize = 48 << 10;

/// The requested page of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Rows on the page.
    pub(super) limit: Option<u32>,
    /// Where the page starts.
    pub(super) cursor: Option<&'a str>,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<R> {
    /// The rows.
    pub(super) rows: Vec<R>,
    /// All rows of the list.
    pub(super) total: usize,
    /// Where the next page starts; `None` at the end.
    pub(super) next_cursor: Option<String>,
}

/// The page that is asked for. `key` identifies a row of the list.
pub(super) fn page<S, R: Serialize>(
    all: impl IntoIterator<Item = S>,
    key: impl Fn(&S) -> String,
    row: impl Fn(&S) -> R,
    wanted: Wanted<'_>,
) -> Result<Page<R>, Problem> {
    let limit = wanted.limit.unwrap_or(USUAL).clamp(1, MOST) as usize;
    let (skipped, expected) = wanted.cursor.map(parse).transpose()?.unwrap_or_default();
    let mut before = Sha256::new();
    let mut page = Page { rows: Vec::new(), total: 0, next_cursor: None };
    let mut bytes = 0;
    for source in all {
        let place = page.total;
        page.total += 1;
        if place == skipped && skipped > 0 && short(&before) != expected {
            return Err(Problem::StaleCursor);
        }
        if page.next_cursor.is_some() {
            continue;
        }
        if place >= skipped {
            let made = row(&source);
            let size = answer::size(&made);
            // At least one row, so that the caller makes progress.
            if page.rows.len() == limit || (!page.rows.is_empty() && bytes + size > BYTES) {
                page.next_cursor = Some(format!("{place}.{}", short(&before)));
                continue;
            }
            bytes += size;
            page.rows.push(made);
        }
        before.update(key(&source));
        before.update([0]);
    }
    // A cursor is given only where there is more.
    if skipped > 0 && page.total <= skipped { Err(Problem::StaleCursor) } else { Ok(page) }
}

/// How many rows come before, and the digest of their keys.
fn parse(cursor: &str) -> Result<(usize, String), Problem> {
    let parts = cursor.split_once('.').and_then(|(skipped, digest)| Some((skipped.parse().ok()?, digest.to_owned())));
    parts.ok_or_else(|| {
        Problem::Arguments("`cursor`: expected the `next_cursor` of the previous page, unchanged".to_owned())
    })
}

fn short(digest: &Sha256) -> String {
    digest.clone().finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: &[&str], limit: u32, cursor: Option<&str>) -> Result<Page<String>, Problem> {
        let wanted = Wanted { limit: Some(limit), cursor };
        page(all, |text| (**text).to_owned(), |text| (**text).to_owned(), wanted)
    }

    #[test]
    fn pages_have_every_row_once() {
        let all = ["a", "b", "c", "d", "e"];
        for limit in 1..7 {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = of(&all, limit, cursor.as_deref()).unwrap();
                assert_eq!(page.total, 5);
                seen.extend(page.rows);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, all);
        }
    }

    #[test]
    fn a_list_that_changed_before_the_cursor_is_noticed_and_one_that_grew_after_it_goes_on() {
        let cursor = of(&["a", "b", "c"], 2, None).unwrap().next_cursor.unwrap();
        let go_on = |all: &[&str]| of(all, 2, Some(&cursor)).map(|page| page.rows);
        assert_eq!(go_on(&["a", "b", "c", "d"]).unwrap(), ["c", "d"]);
        for changed in [&["b", "c"][..], &["a", "x", "c"], &["a", "b"], &[]] {
            assert!(matches!(go_on(changed), Err(Problem::StaleCursor)), "{changed:?}");
        }
        for wrong in ["", "2", "x.y", "-1.00"] {
            assert!(matches!(of(&["a"], 2, Some(wrong)), Err(Problem::Arguments(_))), "{wrong}");
        }
    }

    #[test]
    fn a_page_is_of_bounded_size_whatever_is_in_its_rows() {
        // The size of a text is measured as it is sent, and a row that is too large on its own is still sent.
        let long = "x".repeat(BYTES);
        let all = [long.as_str(); 100];
        let page = of(&all, MOST, None).unwrap();
        assert!((20..25).contains(&page.rows.len()), "{}", page.rows.len());
        let row = |_: &u8| vec!["x".repeat(1_999); BYTES / 1_000];
        let wanted = Wanted { limit: None, cursor: None };
        assert_eq!(super::page([0_u8, 1], u8::to_string, row, wanted).unwrap().rows.len(), 1);
    }
}
