//! Entries that tests write into a ledger.

use chrono::DateTime;

use crate::{
    evidence::{
        ledger::{self, Tail},
        storage::Storage,
    },
    ledger::{Fact, Head},
};

/// Appends facts at the epoch. Returns the end of the ledger before them, and its new head.
pub(in crate::evidence) fn append(storage: &dyn Storage, facts: Vec<Fact>) -> (Tail, Head) {
    let tail = ledger::tail(storage).unwrap();
    let mut head = tail.head.clone();
    let link = |fact| {
        let line = head.link(DateTime::UNIX_EPOCH, fact).unwrap();
        head = line.head.clone();
        line
    };
    let lines: Vec<_> = facts.into_iter().map(link).collect();
    assert!(ledger::append(storage, &tail, &lines).unwrap());
    (tail, head)
}
