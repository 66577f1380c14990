//! What people decided about an account in reviews, and what proves that it was carried out.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};

use super::step::{Place, Step, entry};
use crate::{
    evidence::{
        consistency::ConsistencyReport,
        review::{EVENTS, POPULATION},
        sealed::SealedBag,
        storage::Storage,
    },
    ledger::{Entry, Fact, fact::BagName},
    review::{
        event::{Decision, Event},
        item::{Item, ItemId},
        state::{Course, Review, Stage},
    },
    words::count,
};

/// A closed review whose bag is here.
pub(super) struct ByPeople {
    pub(super) review: Review,
    bag: BagName,
    /// The events with the numbers of their entries, in their order.
    events: Vec<(u64, Event)>,
    /// The digests of the two files of the bag.
    population_sha256: Option<String>,
    events_sha256: Option<String>,
}

impl ByPeople {
    /// The closed reviews whose bags are here, with everything that the ledger says of them.
    pub(super) fn all(storage: &dyn Storage, found: &ConsistencyReport, entries: &[&Entry]) -> io::Result<Vec<Self>> {
        let mut all = Vec::new();
        for sealed in entries.iter().filter_map(|entry| match &entry.fact {
            Fact::ReviewSealed(sealed) => Some(sealed),
            _ => None,
        }) {
            if !found.bags.iter().any(|there| there.folder == sealed.bag.folder) {
                continue;
            }
            let bag = SealedBag::open(storage, &sealed.bag)?;
            let (population, events) = (format!("data/{POPULATION}"), format!("data/{EVENTS}"));
            let accounts = serde_json::from_slice(&bag.read(&population)?.unwrap_or_default())?;
            let told: Vec<(u64, DateTime<Utc>, &Event)> = entries
                .iter()
                .filter_map(|entry| match &entry.fact {
                    Fact::Review(told) if told.review == sealed.review => Some((entry.number, entry.at, &told.event)),
                    _ => None,
                })
                .collect();
            let review = Review::replay(sealed.review, accounts, told.iter().map(|(_, at, event)| (*at, *event)));
            all.push(Self {
                review: review.map_err(io::Error::other)?,
                population_sha256: bag.sha256(&population).map(str::to_owned),
                events_sha256: bag.sha256(&events).map(str::to_owned),
                bag: sealed.bag.clone(),
                events: told.into_iter().map(|(number, _, event)| (number, event.clone())).collect(),
            });
        }
        Ok(all)
    }

    /// The item of an account.
    fn item(&self, workspace: &str, user: &str) -> Option<(&Item, &Course)> {
        self.review.items().find(|(item, _)| item.workspace == workspace && item.user_id == user)
    }

    fn place(&self, file: &str, at: String, sha256: Option<&String>) -> Place {
        let file = format!("data/{file}");
        Place { audit: None, bag: Some(self.bag.clone()), file, at, sha256: sha256.cloned() }
    }

    /// The entry of the last event that satisfies a condition, and the line of the bag's file of events that has it.
    fn last(&self, is_it: impl Fn(&Event) -> bool) -> Option<(u64, usize)> {
        let numbered = self.events.iter().enumerate();
        numbered.filter(|(_, (_, event))| is_it(event)).last().map(|(place, (number, _))| (*number, place + 1))
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The decisions about an account, and their proofs: a step for each review, then one for each proof.
pub(super) fn steps(reviews: &[ByPeople], workspace: &str, user: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut proofs = Vec::new();
    for by_people in reviews {
        let Some((item, course)) = by_people.item(workspace, user) else { continue };
        steps.push(decision(by_people, item, course));
        proofs.extend(proof(by_people, item, course));
    }
    if steps.is_empty() {
        let says = match reviews.len() {
            0 => "No closed review by people is in this evidence.".to_owned(),
            all => format!("The account is in none of the {} whose evidence is here.", count(all, "closed review")),
        };
        steps.push(Step::new("Decision by people", says));
    }
    if proofs.is_empty() {
        proofs.push(Step::new("Proof of carrying out", "There is no decision to carry out."));
    }
    steps.extend(proofs);
    steps
}

fn decision(by_people: &ByPeople, item: &Item, course: &Course) -> Step {
    let opening = by_people.review.opening();
    let number = item.item;
    let population = by_people.place(
        POPULATION,
        format!("JSON pointer /items/{}", number.0.saturating_sub(1)),
        by_people.population_sha256.as_ref(),
    );
    let step = match course.decided() {
        None => Step::new("Decision by people", "Nobody decided about the account."),
        Some(made) => Step::new(
            "Decision by people",
            match &made.decision {
                Decision::Change { to } => format!("{} decided to change it to {to}.", made.by),
                decision => format!("{} decided to {} it.", made.by, decision.word()),
            },
        )
        .fact("Decided", time(made.at))
        .some_fact("Reason", made.reason.as_ref())
        .fact("Said through", made.via.word())
        .fact("Decided together with", count(made.together.saturating_sub(1), "other account")),
    };
    let mut step = step
        .fact("Review", format!("{} ({})", opening.name, by_people.review.id()))
        .fact("Item", number)
        .fact("Reviewer", course.reviewer())
        .at(population);
    let has = |seen: &[crate::review::event::SeenItem], id: ItemId| seen.iter().any(|one| one.item == id);
    let decided = by_people.last(|event| matches!(event, Event::Decided(made) if has(&made.items, number)));
    if let Some((at, line)) = decided {
        let events = by_people.place(EVENTS, format!("line {line}"), by_people.events_sha256.as_ref());
        step = step.at(events).at(entry(at));
    }
    let attested = |event: &Event| matches!(event, Event::Attested(one) if one.of.contains(course.reviewer()));
    if let Some((at, _)) = by_people.last(attested) {
        step = step.fact("Attested", format!("entry {at} of the ledger")).at(entry(at));
    }
    if let Stage::Closed { at, closed } = by_people.review.stage() {
        step = step.fact("Closed", format!("{} by {}", time(*at), closed.by));
    }
    step
}

fn proof(by_people: &ByPeople, item: &Item, course: &Course) -> Option<Step> {
    course.work()?;
    let Some((noticed, proven)) = course.proof() else {
        return Some(Step::new("Proof of carrying out", "No audit shows yet that the decision was carried out."));
    };
    let step = Step::new(
        "Proof of carrying out",
        format!("The audit {} shows the account as {}.", proven.audit, proven.shown.word()),
    )
    .fact("Read", time(proven.read_at))
    .fact("Noticed", time(*noticed));
    let step = match &proven.bag {
        Some(bag) => step.at(Place {
            audit: Some(proven.audit),
            bag: Some(bag.clone()),
            file: "data/reports/access-matrix.csv".to_owned(),
            at: format!("the row of user {}, or that there is none", item.user_id),
            sha256: None,
        }),
        None => step,
    };
    let event = by_people.last(|event| matches!(event, Event::Proven(one) if one.item == item.item));
    Some(match event {
        Some((at, _)) => step.at(entry(at)),
        None => step,
    })
}
