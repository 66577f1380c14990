//! Checks lines that should be a ledger, and finds where they are not.

use std::fmt;

use super::{Entry, GENESIS, Head};
use crate::digest::sha256;

/// A fault in a ledger. Lines are numbered from 1; entry N should be line N.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The line is not an entry.
    NoEntry {
        /// The line.
        line: u64,
        /// Why not.
        why: String,
    },
    /// The line is an entry, but not in canonical JSON.
    NotCanonical {
        /// The line.
        line: u64,
    },
    /// The line has the wrong number: entries were removed, inserted or moved.
    Misplaced {
        /// The line.
        line: u64,
        /// The number that it has.
        number: u64,
    },
    /// The entry does not follow the one before it: that one was changed, or this one is of another ledger.
    Broken {
        /// The line.
        line: u64,
    },
    /// The last line is incomplete.
    CutOff {
        /// The line.
        line: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEntry { line, why } => write!(f, "line {line} is not an entry: {why}"),
            Self::NotCanonical { line } => {
                write!(f, "line {line} was not written by rolecall: it is not canonical JSON")
            }
            Self::Misplaced { line, number } => {
                write!(f, "line {line} is entry {number}: entries were removed, inserted or moved here")
            }
            Self::Broken { line: 1 } => {
                write!(f, "line 1 is not the first entry of a ledger: earlier entries are missing")
            }
            Self::Broken { line } => {
                write!(f, "line {line} does not follow line {}: one of them was changed, inserted or moved", line - 1)
            }
            Self::CutOff { line } => write!(f, "line {line} is incomplete: it was cut off"),
        }
    }
}

/// What was found of a ledger.
#[derive(Debug, Default)]
pub struct Chain {
    /// The entries that could be read, with their digests.
    pub entries: Vec<(Entry, String)>,
    /// The faults, in the order of the lines.
    pub faults: Vec<Fault>,
}

impl Chain {
    /// The digest of an entry; `None` if there is no such entry.
    pub fn sha256(&self, number: u64) -> Option<&str> {
        let at = self.entries.partition_point(|(entry, _)| entry.number < number);
        self.entries.get(at).filter(|(entry, _)| entry.number == number).map(|(_, digest)| digest.as_str())
    }

    /// The last entry.
    pub fn head(&self) -> Head {
        let last = self.entries.last();
        last.map_or_else(Head::default, |(entry, sha256)| Head { number: entry.number, sha256: sha256.clone() })
    }
}

/// Reads the text of a ledger. After a fault the rest is read as if there were none, so that each fault is reported once
/// and at its line.
pub fn read(text: &str) -> Chain {
    let mut found = Chain::default();
    let mut previous = Some(GENESIS.to_owned());
    let is_whole = text.is_empty() || text.ends_with('\n');
    let mut lines = 0;
    for (line, text) in (1..).zip(text.split_terminator('\n')) {
        lines = line;
        let (value, entry) = match parse(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                found.faults.push(Fault::NoEntry { line, why: error.to_string() });
                previous = None;
                continue;
            }
        };
        if serde_json_canonicalizer::to_string(&value).ok().as_deref() != Some(text) {
            found.faults.push(Fault::NotCanonical { line });
        }
        if entry.number != line {
            found.faults.push(Fault::Misplaced { line, number: entry.number });
        }
        // What follows a line that is not an entry cannot be compared with anything.
        if previous.is_some_and(|previous| previous != entry.previous) {
            found.faults.push(Fault::Broken { line });
        }
        let digest = sha256(text.as_bytes());
        previous = Some(digest.clone());
        found.entries.push((entry, digest));
    }
    if !is_whole {
        found.faults.push(Fault::CutOff { line: lines });
    }
    found
}

fn parse(text: &str) -> serde_json::Result<(serde_json::Value, Entry)> {
    // The value too, because an entry leaves out what a later rolecall may have added.
    Ok((serde_json::from_str(text)?, serde_json::from_str(text)?))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Duration};
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Fact;

    fn ledger(entries: u64) -> Vec<String> {
        let mut head = Head::default();
        (1..=entries)
            .map(|number| {
                let fact = Fact::Skipped {
                    job: format!("job {number} \"é\u{2028}"),
                    first: DateTime::UNIX_EPOCH,
                    last: DateTime::UNIX_EPOCH,
                    count: number,
                    reason: "none".into(),
                };
                let at = DateTime::UNIX_EPOCH + Duration::microseconds(1_234_567);
                let line = head.link(at, fact).unwrap();
                head = line.head;
                line.text
            })
            .collect()
    }

    fn text(lines: &[String]) -> String {
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    #[test]
    fn what_was_written_is_found_whole() {
        let lines = ledger(5);
        let found = read(&text(&lines));
        assert_eq!(found.faults, []);
        assert_eq!(found.head().number, 5);
        assert_eq!(found.head().to_string().parse(), Ok(found.head()));
        assert_eq!(found.sha256(2), Some(found.entries[2].0.previous.as_str()));
        assert!(read("").faults.is_empty());
        assert_eq!(
            lines[0],
            r#"{"at":"1970-01-01T00:00:01.234Z","count":1,"fact":"skipped","first":"1970-01-01T00:00:00Z","job":"job 1 \"é LS","last":"1970-01-01T00:00:00Z","number":1,"previous":"0000000000000000000000000000000000000000000000000000000000000000","reason":"none"}"#
                .replace(" LS", "\u{2028}")
        );
    }

    #[test]
    fn each_fault_is_named_where_it_is() {
        let lines = ledger(6);
        let faults = |lines: &[String]| read(&text(lines)).faults;
        let mut changed = lines.clone();
        changed[2] = changed[2].replace("none", "nine");
        assert_eq!(faults(&changed), [Fault::Broken { line: 4 }]);
        let mut removed = lines.clone();
        removed.remove(2);
        assert_eq!(faults(&removed)[..2], [Fault::Misplaced { line: 3, number: 4 }, Fault::Broken { line: 3 }]);
        let mut swapped = lines.clone();
        swapped.swap(1, 2);
        assert_eq!(faults(&swapped)[0], Fault::Misplaced { line: 2, number: 3 });
        let mut inserted = lines.clone();
        inserted.insert(3, lines[1].clone());
        assert_eq!(faults(&inserted)[0], Fault::Misplaced { line: 4, number: 2 });
        let mut spaced = lines.clone();
        spaced[5] = spaced[5].replace(',', ", ");
        assert_eq!(faults(&spaced), [Fault::NotCanonical { line: 6 }]);
        assert_eq!(faults(&lines[1..])[..2], [Fault::Misplaced { line: 1, number: 2 }, Fault::Broken { line: 1 }]);
        let whole = text(&lines);
        assert_eq!(read(whole.trim_end()).faults, [Fault::CutOff { line: 6 }]);
        assert!(matches!(
            read(&whole[..whole.len() - 9]).faults[..],
            [Fault::NoEntry { line: 6, .. }, Fault::CutOff { line: 6 }]
        ));
    }

    proptest! {
        #[test]
        fn no_byte_can_be_changed_unnoticed_but_in_the_last_line(at in 0_usize..900, to in any::<u8>()) {
            let lines = ledger(5);
            let mut bytes = text(&lines).into_bytes();
            let end = bytes.len() - lines[4].len() - 1;
            prop_assume!(at < end && bytes[at] != to);
            bytes[at] = to;
            prop_assert!(!read(&String::from_utf8_lossy(&bytes)).faults.is_empty());
        }
    }
}
