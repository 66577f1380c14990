//! Who looks at a page, and what they may do.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

pub use crate::model::right::Right;
use crate::review::{event::Via, person::Address, state::Review};

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The address.
    pub address: Address,
    /// The name; `None` if it is not known.
    pub name: Option<String>,
    /// What the person may do. Never empty.
    pub rights: BTreeSet<Right>,
    /// The reviews that the person is part of, of those that are not finished.
    pub reviews: BTreeMap<Uuid, Seat>,
    /// How the person signed in, which the record of each decision says.
    pub via: Via,
    /// Whether the person proved a short time ago who it is, as what ends a review or confirms decisions needs.
    pub is_fresh: bool,
}

/// What a person is in a review. Without any of it, the person is told when it is overdue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seat {
    /// Decides about some of its items.
    pub decides: bool,
    /// Assigns and closes.
    pub owns: bool,
}

impl Viewer {
    /// A person with the rights that the configuration gives, and those of the reviews. `None` if there are none.
    pub fn of(
        address: Address,
        name: Option<String>,
        given: BTreeSet<Right>,
        reviews: BTreeMap<Uuid, Seat>,
        via: Via,
    ) -> Option<Self> {
        let mut rights = given;
        if !reviews.is_empty() {
            rights.insert(Right::Reviewer);
        }
        (!rights.is_empty()).then_some(Self { address, name, rights, reviews, via, is_fresh: false })
    }

    /// Whether the person has a right.
    pub fn has(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// Whether the person reads workspaces, their people, findings and runs.
    pub fn may_read(&self) -> bool {
        [Right::Viewer, Right::Owner, Right::Auditor].into_iter().any(|right| self.has(right))
            || self.reviews.values().any(|seat| seat.owns)
    }

    /// Whether the person reads a review.
    pub fn may_read_review(&self, review: Uuid) -> bool {
        self.may_read() || self.reviews.contains_key(&review)
    }

    /// Whether the person decides about items of a review. The review says which.
    pub fn may_decide(&self, review: Uuid) -> bool {
        self.may_change() && self.reviews.get(&review).is_some_and(|seat| seat.decides || seat.owns)
    }

    /// Whether the person assigns, reminds and closes in a review.
    pub fn may_manage(&self, review: Uuid) -> bool {
        self.may_own() || (self.may_change() && self.reviews.get(&review).is_some_and(|seat| seat.owns))
    }

    /// Whether the person opens reviews, and assigns and closes in any.
    pub fn may_own(&self) -> bool {
        self.may_change() && self.has(Right::Owner)
    }

    /// Whether the person reads evidence, and the settings.
    pub fn may_read_evidence(&self) -> bool {
        self.has(Right::Auditor) || self.has(Right::Owner)
    }

    /// An auditor changes nothing, whatever other rights there are.
    fn may_change(&self) -> bool {
        !self.has(Right::Auditor)
    }
}

/// The people of a review, and what they are in it.
pub fn people(review: &Review) -> BTreeMap<Address, Seat> {
    let mut people: BTreeMap<Address, Seat> = BTreeMap::new();
    for reviewer in review.reviewers() {
        people.entry(reviewer.clone()).or_default().decides = true;
    }
    let opening = review.opening();
    people.entry(opening.owner.clone()).or_default().owns = true;
    if let Some(told) = &opening.escalate_to {
        people.entry(told.clone()).or_default();
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(given: &[Right], seat: Option<Seat>) -> Option<Viewer> {
        let reviews = seat.map(|seat| (Uuid::from_u128(7), seat)).into_iter().collect();
        Viewer::of(Address::of("ana@example.com"), None, given.iter().copied().collect(), reviews, Via::Console)
    }

    #[test]
    fn each_right_allows_what_it_is_for_and_nothing_else() {
        const DECIDES: Seat = Seat { decides: true, owns: false };
        const OWNS: Seat = Seat { decides: false, owns: true };
        const TOLD: Seat = Seat { decides: false, owns: false };
        let (own, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        // Reads, reads the own review, reads another, decides, manages the own, manages another, opens, reads evidence.
        let table: &[(&[Right], Option<Seat>, &str)] = &[
            (&[Right::Viewer], None, "yyy-----"),
            (&[Right::Owner], None, "yyy-yyyy"),
            (&[Right::Auditor], None, "yyy----y"),
            (&[], Some(DECIDES), "-y-y----"),
            (&[], Some(OWNS), "yyyyy---"),
            (&[], Some(TOLD), "-y------"),
            (&[Right::Viewer], Some(DECIDES), "yyyy----"),
            (&[Right::Owner], Some(DECIDES), "yyyyyyyy"),
            (&[Right::Auditor], Some(DECIDES), "yyy----y"),
            (&[Right::Auditor, Right::Owner], Some(OWNS), "yyy----y"),
        ];
        for (given, seat, expected) in table {
            let viewer = viewer(given, *seat).unwrap();
            let may = [
                viewer.may_read(),
                viewer.may_read_review(own),
                viewer.may_read_review(other),
                viewer.may_decide(own),
                viewer.may_manage(own),
                viewer.may_manage(other),
                viewer.may_own(),
                viewer.may_read_evidence(),
            ];
            let shown: String = may.iter().map(|may| if *may { 'y' } else { '-' }).collect();
            assert_eq!(shown, *expected, "{given:?} {seat:?}");
            assert!(!viewer.may_decide(other));
        }
        assert_eq!(viewer(&[], None), None);
    }

    #[test]
    fn a_review_gives_its_people_their_seat() {
        let review = crate::review::testing::opened(7);
        let people = people(&review);
        let owner = &people[&review.opening().owner];
        assert!(owner.owns);
        for reviewer in review.reviewers() {
            assert!(people[reviewer].decides, "{reviewer}");
        }
        assert!(!people.contains_key(&Address::of("stranger@example.com")));
    }
}
