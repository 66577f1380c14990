//! One thing, and seldom several: one needs no memory of its own.

use std::ops::Deref;

#[derive(Debug, Clone)]
pub(super) enum Few<T> {
    One([T; 1]),
    Several(Vec<T>),
}

impl<T: Copy + PartialEq> Few<T> {
    pub(super) fn one(first: T) -> Self {
        Self::One([first])
    }

    /// Adds one that was not added last.
    pub(super) fn add(&mut self, next: T) {
        match self {
            Self::One([first]) if *first == next => {}
            Self::One([first]) => *self = Self::Several(vec![*first, next]),
            Self::Several(all) if all.last() == Some(&next) => {}
            Self::Several(all) => all.push(next),
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(one) => one,
            Self::Several(all) => all,
        }
    }
}
