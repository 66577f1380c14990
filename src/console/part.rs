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

    /// The next account after `after`, by risk, that waits for this person; from the start again at the end. `None` if none waits.
    pub(in crate::console) fn next(self, after: Option<ItemId>) -> Option<ItemId> {
        // Nobody is the reviewer of their own account.
        let waits = |(_, course): &(&Item, &Course)| self.is_mine(course) && course.decided().is_none();
        let mut waiting = self.review.by_risk().filter(waits).map(|(item, _)| item.item);
        let Some(after) = after else { return waiting.next() };
        let behind = self.review.by_risk().skip_while(|(item, _)| item.item != after).skip(1);
        let mut behind = behind.filter(waits).map(|(item, _)| item.item);
        behind.next().or_else(|| waiting.find(|item| *item != after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::testing::{review, reviewer};

    #[test]
    fn what_waits_comes_by_risk_and_from_the_start_again_at_the_end() {
        let (review, ben) = (review(), reviewer("ben"));
        let part = Part { review: &review, viewer: &ben };
        let next = |after: Option<u32>| part.next(after.map(ItemId)).map(|item| item.0);
        assert_eq!([None, Some(4), Some(5), Some(7), Some(6)].map(next), [Some(4), Some(7), Some(7), Some(6), Some(4)]);
        assert_eq!(next(Some(99)), Some(4));
    }
}
