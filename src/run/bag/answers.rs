//! The answers in a bag, and their index. They are written as they arrive; when the bag is sealed they are numbered by their
//! requests, so that the same answers give the same bag.

use std::{cmp::Ordering, collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::format::time;
use crate::{
    connector::{Exchange, Needed},
    evidence::draft::{Draft, DraftError},
};

/// The index, below `data/`: one line of JSON for each answer.
pub(in crate::run) const INDEX: &str = "answers.jsonl";
/// An answer that is larger than this is compressed.
pub(in crate::run) const LARGE: usize = 8 << 10;

/// A line of the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::run) struct Line {
    /// Its number, by request and then by time.
    pub(in crate::run) number: u64,
    /// The file of the body, inside the bag.
    pub(in crate::run) file: String,
    pub(in crate::run) request: String,
    pub(in crate::run) asked_at: String,
    pub(in crate::run) answered_at: String,
    pub(in crate::run) status: u16,
    pub(in crate::run) headers: BTreeMap<String, String>,
    /// Bytes of the body before compression.
    pub(in crate::run) bytes: u64,
    /// Whether the token stood in the body and was masked.
    pub(in crate::run) masked: bool,
}

/// An answer that was written.
#[derive(Debug)]
pub(in crate::run) struct WrittenAnswer {
    line: Line,
    needed: Needed,
}

impl WrittenAnswer {
    /// The answer of an exchange, before it is numbered.
    pub(in crate::run) fn new(exchange: &Exchange) -> Self {
        let line = Line {
            number: exchange.number,
            file: format!("answers/came-{:05}.json{}", exchange.number, ending(exchange.body.len())),
            request: exchange.request.clone(),
            asked_at: time(exchange.asked_at),
            answered_at: time(exchange.answered_at),
            status: exchange.status,
            headers: exchange.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            bytes: exchange.body.len() as u64,
            masked: exchange.masked,
        };
        Self { line, needed: exchange.needed.clone() }
    }

    /// Where it is written, below `data/`.
    pub(in crate::run) fn path(&self) -> &str {
        &self.line.file
    }
}

/// Numbered answers.
#[derive(Debug, Default)]
pub(in crate::run) struct Arranged {
    /// The index.
    pub(in crate::run) index: Vec<Line>,
    /// Files that get another name: from and to, below `data/`.
    pub(in crate::run) moves: Vec<(String, String)>,
    /// Files of answers that the read did not need: it requests pages ahead, and how many arrive is chance.
    pub(in crate::run) unneeded: Vec<String>,
}

/// How many answers there are, and how many bytes their bodies have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) struct Tally {
    pub(in crate::run) answers: u64,
    pub(in crate::run) bytes: u64,
}

impl Tally {
    /// Counts an index.
    pub(in crate::run) fn of(index: &[Line]) -> Self {
        Self { answers: index.len() as u64, bytes: index.iter().map(|line| line.bytes).sum() }
    }
}

/// Numbers every answer, whether it was needed or not.
pub(in crate::run) fn arrange_all(written: Vec<WrittenAnswer>) -> Arranged {
    for one in &written {
        one.needed.confirm();
    }
    arrange(written)
}

/// Adds the index to a bag.
pub(in crate::run) fn add_index(draft: &Draft, index: &[Line]) -> Result<(), DraftError> {
    draft.add(INDEX, |writer| {
        index.iter().try_for_each(|line| {
            serde_json::to_writer(&mut *writer, line)?;
            writer.write_all(b"\n")
        })
    })
}

/// Numbers the answers that were needed.
pub(in crate::run) fn arrange(written: Vec<WrittenAnswer>) -> Arranged {
    let (mut needed, unneeded): (Vec<_>, Vec<_>) =
        written.into_iter().partition(|written| written.needed.is_confirmed());
    needed.sort_by(|a, b| in_order(&a.line, &b.line));
    let mut arranged =
        Arranged { unneeded: unneeded.into_iter().map(|written| written.line.file).collect(), ..Arranged::default() };
    for (number, WrittenAnswer { mut line, .. }) in (1..).zip(needed) {
        let place = format!("answers/{number:05}.json{}", if is_gzip(&line.file) { ".gz" } else { "" });
        let came = std::mem::replace(&mut line.file, format!("data/{place}"));
        line.number = number;
        arranged.moves.push((came, place));
        arranged.index.push(line);
    }
    arranged
}

/// The order of the index: by request, with digits as numbers, then by arrival.
pub(in crate::run) fn in_order(a: &Line, b: &Line) -> Ordering {
    natural(&a.request, &b.request).then(a.number.cmp(&b.number))
}

/// Whether a file is compressed by gzip, as its name says.
pub(in crate::run) fn is_gzip(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "gz")
}

fn ending(bytes: usize) -> &'static str {
    if bytes > LARGE { ".gz" } else { "" }
}

/// Compares texts with the numbers in them as numbers: page 2 comes before page 10.
fn natural(mut a: &str, mut b: &str) -> Ordering {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let words = |text: &str| text.bytes().take_while(|byte| !byte.is_ascii_digit()).count();
    while !a.is_empty() && !b.is_empty() {
        let ((left, a_rest), (right, b_rest)) = (a.split_at(words(a)), b.split_at(words(b)));
        let ((m, a_after), (n, b_after)) = (a_rest.split_at(digits(a_rest)), b_rest.split_at(digits(b_rest)));
        let (value, other) = (m.trim_start_matches('0'), n.trim_start_matches('0'));
        let order =
            left.cmp(right).then(value.len().cmp(&other.len())).then(value.cmp(other)).then(m.len().cmp(&n.len()));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (a_after, b_after);
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_answer_is_recorded_that_is_too_large_to_be_read_from_a_bag() {
        let limits = crate::connector::Limits::default();
        assert_eq!(limits.max_body as u64, crate::evidence::LARGEST_ANSWER);
    }

    fn written(number: u64, request: &str, body: usize, used: bool) -> WrittenAnswer {
        let needed = Needed::default();
        let exchange = Exchange {
            number,
            request: request.to_owned(),
            asked_at: DateTime::UNIX_EPOCH,
            answered_at: DateTime::UNIX_EPOCH,
            status: 200,
            headers: Vec::new(),
            body: vec![0; body].into(),
            masked: false,
            needed: needed.clone(),
        };
        let written = WrittenAnswer::new(&exchange);
        // Only afterwards, as when a page was asked for ahead.
        if used {
            needed.confirm();
        }
        written
    }

    #[test]
    fn answers_stand_in_the_order_of_their_requests_however_they_came() {
        let page = |number, page| written(number, &format!("GET /users?page={page}"), 9_000, true);
        let (org, vain) = (written(1, "GET /org", 5, true), written(6, "GET /users?page=11", 5, false));
        let arranged = arrange(vec![page(4, 10), page(5, 1), vain, page(2, 1), page(3, 2), org]);
        let found: Vec<(u64, &str)> = arranged.index.iter().map(|line| (line.number, line.request.as_str())).collect();
        let page = "GET /users?page=";
        let pages: Vec<String> = [1, 1, 2, 10].iter().map(|number| format!("{page}{number}")).collect();
        assert_eq!(found, [(1, "GET /org"), (2, &*pages[0]), (3, &*pages[1]), (4, &*pages[2]), (5, &*pages[3])]);
        assert_eq!(arranged.unneeded, ["answers/came-00006.json"]);
        assert_eq!(arranged.moves[0], ("answers/came-00001.json".into(), "answers/00001.json".into()));
        assert_eq!(arranged.moves[1], ("answers/came-00002.json.gz".into(), "answers/00002.json.gz".into()));
        assert_eq!(arranged.index[1].file, "data/answers/00002.json.gz");
        assert_eq!(Tally::of(&arranged.index), Tally { answers: 5, bytes: 36_005 });
    }

    proptest! {
        #[test]
        fn the_order_is_one(texts in prop::collection::vec("[a0-2]{0,4}", 3)) {
            let [a, b, c] = [&texts[0], &texts[1], &texts[2]];
            prop_assert_eq!(natural(a, b), natural(b, a).reverse());
            prop_assert_eq!(natural(a, b) == Ordering::Equal, a == b);
            if natural(a, b).is_le() && natural(b, c).is_le() {
                prop_assert!(natural(a, c).is_le());
            }
        }
    }
}
