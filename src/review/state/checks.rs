//! What is not allowed, and why.

use chrono::{DateTime, Utc};

use super::{Review, Stage};
use crate::{
    review::{
        event::{Closed, Decided, Decision, SeenItem, Target},
        item::{Item, ItemId},
        person::Address,
        refusal::{Refusal, Refused, Why},
    },
    words::count,
};

/// The items that a sentence about missing decisions names.
const NAMED: usize = 10;

impl Review {
    pub(super) fn is_open(&self) -> Result<(), Why> {
        if self.stage == Stage::Open { Ok(()) } else { Err(Why::Ended { state: self.state().word() }) }
    }

    /// Why a person may not decide so about an item. `None` if the person may.
    pub(super) fn objection(&self, seen: &SeenItem, decided: &Decided) -> Option<Why> {
        let by = &decided.by;
        let (Some(item), Some(course)) = (self.item(seen.item), self.course(seen.item)) else {
            return Some(Why::NoItem);
        };
        if self.is_own(item, by) {
            return Some(Why::OwnAccount(by.clone()));
        }
        if course.reviewer() != by && self.opening.owner != *by {
            return Some(Why::NotYours { reviewer: course.reviewer().clone(), by: by.clone() });
        }
        if let Some(why) = self.each_other(item, by) {
            return Some(why);
        }
        if seen.version != course.version() {
            return Some(Why::Stale { seen: seen.version, now: course.version() });
        }
        let expected = self.bag_of(&item.workspace).unwrap_or_default();
        if seen.bag != expected {
            return Some(Why::OtherBag { expected: expected.to_owned(), seen: seen.bag.clone() });
        }
        if decided.items.len() > 1 {
            let unchanged = if item.changed { Some("it is new or was changed since the review before") } else { None };
            let work = if decided.decision.is_work() { Some("only `keep` can be decided at once") } else { None };
            if let Some(because) = work.or(item.special()).or(unchanged) {
                return Some(Why::NotTogether(because));
            }
        }
        let because = if decided.decision.is_work() { Some("access is taken away or changed") } else { item.special() };
        if let Some(because) = because
            && let Err(why) = given(decided.reason.as_deref().unwrap_or_default(), because)
        {
            return Some(why);
        }
        self.fits(item, &decided.decision).err()
    }

    /// Whether the person whose account it is decided about the account of `by`, and somebody else can decide.
    pub(super) fn each_other(&self, item: &Item, by: &Address) -> Option<Why> {
        let deciders = self.accounts.of_person(&self.population, by);
        let deciders = deciders.filter_map(|own| self.course(own)?.decided()).map(|made| &made.by);
        let other = deciders.filter(|other| self.is_own(item, other)).min()?.clone();
        let others = item.alternates.iter().chain([&self.opening.owner]);
        let instead = others.into_iter().find(|one| *one != by && !self.is_own(item, one))?.clone();
        Some(Why::EachOther { other, by: by.clone(), instead })
    }

    /// Whether a decision is possible for an account.
    pub(super) fn fits(&self, item: &Item, decision: &Decision) -> Result<(), Why> {
        let Decision::Change { to } = decision else { return Ok(()) };
        let masters = self.population.masters.get(&item.workspace);
        let (known, current) = match to {
            Target::Role(named) => (masters.is_some_and(|masters| masters.roles.contains(named)), &item.role),
            Target::Profile(named) => (masters.is_some_and(|masters| masters.profiles.contains(named)), &item.profile),
        };
        if !known {
            return Err(Why::NoTarget { workspace: item.workspace.clone(), target: to.to_string() });
        }
        if current.as_ref().is_some_and(|current| current.id == to.id()) {
            return Err(Why::SameTarget(to.to_string()));
        }
        Ok(())
    }

    pub(super) fn may_close(&self, closed: &Closed, at: DateTime<Utc>) -> Result<(), Refused> {
        self.is_open()?;
        if closed.by != self.opening.owner {
            return Err(Why::NotTheOwner { owner: self.opening.owner.clone(), by: closed.by.clone() }.into());
        }
        let mut missing: Vec<Why> = self
            .undecided_sentence(self.population.items.iter().map(|item| item.item))
            .map(Why::Missing)
            .into_iter()
            .collect();
        missing
            .extend(self.unattested().into_iter().map(|reviewer| Why::Missing(format!("{reviewer} has not attested"))));
        if closed.next_review <= at.date_naive() {
            missing.push(Why::NextReview(closed.next_review));
        }
        if missing.is_empty() && closed.no_change_needed != self.needs_no_change() {
            missing.push(Why::Result("“no change needed” means that every decision is `keep`, and nothing else"));
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refused(missing.into_iter().map(|why| Refusal { item: None, why }).collect()))
    }

    /// Which items of these are not decided, as a sentence. `None` if all are.
    pub(super) fn undecided_sentence(&self, of: impl IntoIterator<Item = ItemId>) -> Option<String> {
        let courses = of.into_iter().filter_map(|id| Some((id, self.course(id)?)));
        let open = courses.filter(|(_, course)| course.decisions().is_empty());
        let open: Vec<String> = open.map(|(id, course)| format!("{id} ({})", course.reviewer())).collect();
        if open.is_empty() {
            return None;
        }
        let more = open.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (all, named) = (count(open.len(), "item"), open[..open.len().min(NAMED)].join(", "));
        let is = if open.len() == 1 { "is" } else { "are" };
        Some(format!("{all} {is} not decided: {named}{more}"))
    }
}

/// Whether a required text is there.
pub(super) fn given(reason: &str, because: &'static str) -> Result<(), Why> {
    if reason.trim().is_empty() { Err(Why::NoReason(because)) } else { Ok(()) }
}
