//! A list of roles or profiles: each record once, and what is odd about the list.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use super::checks::Notes;
use crate::{
    model::{reading::CheckKind, unread::Fields},
    words::{count, some_of},
};

/// An entry of a list: the record, and which of its fields could not be read. `None` if it has no id.
pub(in crate::connector) type Entry<T> = Option<(T, Fields)>;

/// Records by id, each once.
#[derive(Debug)]
pub(in crate::connector) struct Listed<T, I> {
    pub(in crate::connector) records: Vec<T>,
    /// The fields that could not be read.
    pub(in crate::connector) unread: BTreeMap<I, Fields>,
    /// What they are called.
    noun: &'static str,
    unidentified: usize,
    contradictory: BTreeSet<I>,
    /// Why the list may be longer than what was read; `None` if it was read to its end.
    endless: Option<String>,
}

impl<T: PartialEq, I: Ord + Clone + Display> Listed<T, I> {
    /// Puts the entries in the order of their ids. `endless` says why there may be more.
    pub(in crate::connector) fn of(
        noun: &'static str,
        entries: Vec<Entry<T>>,
        endless: Option<String>,
        id: fn(&T) -> &I,
    ) -> Self {
        let all = entries.len();
        let mut known: Vec<(T, Fields)> = entries.into_iter().flatten().collect();
        let unidentified = all - known.len();
        known.sort_by(|(a, _), (b, _)| id(a).cmp(id(b)));
        let mut contradictory = BTreeSet::new();
        known.dedup_by(|(later, more), (kept, unread)| {
            let is_same = id(later) == id(kept);
            if is_same && (later != kept || more != unread) {
                contradictory.insert(id(kept).clone());
            }
            is_same
        });
        let unread = known.iter().filter(|(_, unread)| !unread.is_empty());
        let unread = unread.map(|(record, unread)| (id(record).clone(), *unread)).collect();
        let records = known.into_iter().map(|(record, _)| record).collect();
        Self { records, unread, noun, unidentified, contradictory, endless }
    }

    /// Notes what makes the list unreliable.
    pub(super) fn note(&self, notes: &mut Notes) {
        let noun = self.noun;
        if self.unidentified > 0 {
            let detail = format!("{} came without an id that can be read", count(self.unidentified, noun));
            notes.disagree(CheckKind::Records, detail);
        }
        if !self.contradictory.is_empty() {
            let ids: Vec<String> = self.contradictory.iter().map(ToString::to_string).collect();
            let some = some_of(ids.iter().map(String::as_str), ids.len());
            let many = count(self.contradictory.len(), noun);
            notes.disagree(CheckKind::Records, format!("{many} listed more than once with different content: {some}"));
        }
        if let Some(why) = &self.endless {
            notes.disagree(CheckKind::Lists, format!("the list of {noun}s: {why}"));
        }
    }
}
