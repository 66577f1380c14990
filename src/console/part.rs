//! What a person may see and do in a review. The review itself checks every decision again; this is for what a page offers.

use super::viewer::Viewer;
use crate::review::{
    item::{Item, ItemId},
    state::{Course, Review, Stage},
};

/// A person in a review.
#[derive(Clone, Copy)]
pub(in crate::console) struct Part<'a> {
    pub(in crate::console) review: &'a Review,
    pub(in crate::console) viewer: &'a Viewer,
}

impl<'a> Part<'a> {
    /// The part of a person in a review. `None` if the person may not see it.
    pub(in crate::console) fn of(review: &'a Review, viewer: &'a Viewer) -> Option<Self> {
        let part = Self { review, viewer };
        let has_item = || review.items().any(|(item, course)| part.sees(item, course));
        (part.sees_all() || has_item()).then_some(part)
    }

    /// Whether the review is the person's own.
    pub(in crate::console) fn is_owner(self) -> bool {
        self.review.opening().owner == self.viewer.address
    }

    /// Whether the person sees every account of the review.
    pub(in crate::console) fn sees_all(self) -> bool {
        self.viewer.may_read() || self.is_owner()
    }

    /// Whether the person is to decide about an account.
    pub(in crate::console) fn is_mine(self, course: &Course) -> bool {
        *course.reviewer() == self.viewer.address
    }

    /// Whether the person sees an account: reviewers see those that they decide or decided about.
    pub(in crate::console) fn sees(self, _: &Item, course: &Course) -> bool {
        let decided = || course.decisions().iter().any(|made| made.by == self.viewer.address);
        self.sees_all() || self.is_mine(course) || decided()
    }

    /// Whether the review is under way.
    pub(in crate::console) fn is_open(self) -> bool {
        *self.review.stage() == Stage::Open
    }

    /// Whether the person may give an account to another reviewer.
    pub(in crate::console) fn may_assign(self) -> bool {
        self.is_open() && self.viewer.may_manage(self.review.id())
    }

    /// Why the person cannot decide about an account. `None` if nothing is known to be against it.
    pub(in crate::console) fn objection(self, item: &Item, course: &Course) -> Option<String> {
        if !self.is_open() {
            let state = self.review.state().word();
            Some(format!("The review is {state}; decisions stand. A correction needs a new review."))
        } else if self.review.is_own(item, &self.viewer.address) {
            Some("This is your own account. Nobody decides about their own.".to_owned())
        } else if !self.is_mine(course) && !self.is_owner() {
            Some(format!("{} decides about this account.", course.reviewer()))
        } else if !self.viewer.may_decide(self.review.id()) {
            Some("You may read this review. An auditor changes nothing.".to_owned())
        } else {
            None
        }
    }

    /// Whether an account may be kept together with others: the conditions of the review.
    pub(in crate::console) fn may_keep_together(self, item: &Item, course: &Course) -> bool {
        course.decided().is_none()
            && item.special().is_none()
            && !item.changed
            && self.objection(item, course).is_none()
    }

    /// The next account after `after` that waits for this person; from the start again at the end. `None` if none waits.
    pub(in crate::console) fn next(self, after: Option<ItemId>) -> Option<ItemId> {
        // Nobody is the reviewer of their own account.
        let waits = |(_, course): &(&Item, &Course)| self.is_mine(course) && course.decided().is_none();
        let waiting = || self.review.items().filter(waits).map(|(item, _)| item.item);
        let after = after.unwrap_or(ItemId(0));
        waiting().find(|item| *item > after).or_else(|| waiting().find(|item| *item != after))
    }
}
