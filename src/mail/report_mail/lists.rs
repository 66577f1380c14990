//! Bounded lists: a mail stays small, however large the workspace is, and says what it leaves out.

use std::borrow::Borrow;

use crate::words::number;

/// The longest name of anything, in characters.
pub(super) const MAX_NAME: usize = 80;

/// How much of each list a mail shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) changes: usize,
    pub(super) actions: usize,
    pub(super) administrators: usize,
    /// Checks of the read that disagree, incidents, and rules that could not be evaluated.
    pub(super) notes: usize,
}

impl Limits {
    /// What a mail shows if it fits.
    pub(super) const FULL: Self = Self { changes: 12, actions: 10, administrators: 15, notes: 8 };
    /// Only counts.
    pub(super) const NONE: Self = Self { changes: 0, actions: 0, administrators: 0, notes: 0 };

    /// Half of each.
    pub(super) fn halved(self) -> Self {
        Self {
            changes: self.changes / 2,
            actions: self.actions / 2,
            administrators: self.administrators / 2,
            notes: self.notes / 2,
        }
    }
}

/// The beginning of a list, and how much more there is.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    pub(super) shown: Vec<T>,
    /// How many are not shown.
    pub(super) more: usize,
}

impl<T> Bounded<T> {
    /// The first `limit` items as `show` makes them.
    pub(super) fn new<S>(all: &[S], limit: usize, show: impl FnMut(&S) -> T) -> Self {
        Self::of(all, all.len(), limit, show)
    }

    /// The same, where `named` are only the first of `all` items.
    pub(super) fn of<S>(named: &[S], all: usize, limit: usize, show: impl FnMut(&S) -> T) -> Self {
        let shown: Vec<T> = named.iter().take(limit).map(show).collect();
        Self { more: all.saturating_sub(shown.len()), shown }
    }

    /// `and 3 more`.
    pub(super) fn and_more(&self) -> String {
        and_more(self.more)
    }

    /// Whether there is nothing, shown or not.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.more == 0
    }
}

/// `and 3 more`.
pub(super) fn and_more(more: impl Borrow<usize>) -> String {
    format!("and {} more", number(*more.borrow()))
}
