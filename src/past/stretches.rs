//! How far back and how far on the access of a day reaches.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::look::{Accounts, Look, Read};

/// Where a stretch of the same access ends: the change lies between the two reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The last read, in the direction of the walk, that saw this access.
    pub seen: Read,
    /// The read after it that saw another access, or no account. `None` if there is no such read.
    pub beyond: Option<Read>,
}

/// A walk from one look in one direction, for some accounts.
#[derive(Debug)]
pub struct Stretches {
    start: Arc<Accounts>,
    current: Look,
    pending: BTreeSet<String>,
    edges: BTreeMap<String, Edge>,
}

impl Stretches {
    /// Begins a walk.
    pub fn new<'i>(look: &Look, ids: impl IntoIterator<Item = &'i str>) -> Self {
        Self {
            start: Arc::clone(&look.accounts),
            current: look.clone(),
            pending: ids.into_iter().map(str::to_owned).collect(),
            edges: BTreeMap::new(),
        }
    }

    /// The read that the walk has come to.
    pub fn at(&self) -> &Read {
        &self.current.read
    }

    /// Whether the walk may end: every account is known to have changed.
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// Goes on to the next look.
    pub fn step(&mut self, look: Look) {
        if !Arc::ptr_eq(&look.accounts, &self.current.accounts) {
            let has_changed = |id: &str| match (self.start.get(id), look.accounts.get(id)) {
                (Some(then), Some(now)) => !then.is_same_access(now),
                (None, None) => false,
                _ => true,
            };
            for id in self.pending.iter().filter(|id| has_changed(id)) {
                let edge = Edge { seen: self.current.read.clone(), beyond: Some(look.read.clone()) };
                self.edges.insert(id.clone(), edge);
            }
            self.pending.retain(|id| !self.edges.contains_key(id));
        }
        self.current = look;
    }

    /// Ends the walk: where each account's stretch ends.
    pub fn end(mut self) -> BTreeMap<String, Edge> {
        for id in self.pending {
            self.edges.insert(id, Edge { seen: self.current.read.clone(), beyond: None });
        }
        self.edges
    }
}
