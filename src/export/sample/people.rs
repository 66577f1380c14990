//! What people decided about an account in reviews, and what proves that it was carried out.

use std::{collections::BTreeMap, io};

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::{
    audit::Audits,
    step::{Place, Step, entry},
};
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

/// The table of decisions in the bag of a review.
const DECISIONS: &str = "decisions.csv";

/// A closed review whose bag is here.
pub(super) struct ByPeople {
    pub(super) review: Review,
    bag: BagName,
    /// The events with the numbers of their entries, in their order.
    events: Vec<(u64, Event)>,
    /// The digests of files of the bag.
    population_sha256: Option<String>,
    events_sha256: Option<String>,
    decisions_sha256: Option<String>,
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
                decisions_sha256: bag.sha256(&format!("data/{DECISIONS}")).map(str::to_owned),
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
pub(super) fn steps(
    reviews: &[ByPeople],
    (storage, audits): (&dyn Storage, &Audits),
    workspace: &str,
    user: &str,
) -> io::Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut proofs = Vec::new();
    for by_people in reviews {
        let Some((item, course)) = by_people.item(workspace, user) else { continue };
        steps.push(decision(by_people, item, course));
        proofs.extend(proof(by_people, (storage, audits), item, course)?);
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
    Ok(steps)
}

/// What people decided about the accounts of a workspace in the reviews that are about an audit, and what proves that it was
/// carried out.
pub(super) fn of_audit(reviews: &[ByPeople], audit: Uuid, workspace: &str) -> [Step; 2] {
    let about: Vec<&ByPeople> =
        reviews.iter().filter(|one| one.review.opening().bases.iter().any(|basis| basis.audit == audit)).collect();
    let says = match about.len() {
        0 => "No closed review by people is about this audit.".to_owned(),
        all => format!("{} about this audit.", count(all, "closed review by people")),
    };
    let mut decisions = Step::new("Decision by people", says);
    let mut proofs = Step::new("Proof of carrying out", "");
    let (mut work, mut proven) = (0_usize, 0_usize);
    for one in about {
        decisions = decided_in(decisions, one, workspace);
        for (item, course) in one.review.items().filter(|(item, _)| item.workspace == workspace) {
            let Some(made) = course.work() else { continue };
            work += 1;
            let account = item.email.as_deref().or(item.full_name.as_deref()).unwrap_or(&item.user_id);
            let decision = made.decision.word();
            let Some((_, shown)) = course.proof() else {
                proofs = proofs.fact(account, format!("{decision}: no audit shows it yet"));
                continue;
            };
            proven += 1;
            let (audit, state, read_at) = (shown.audit, shown.shown.word(), time(shown.read_at));
            proofs = proofs
                .fact(account, format!("{decision}: the audit {audit} shows the account as {state}, read {read_at}"));
            if let Some((at, _)) = one.last(|event| matches!(event, Event::Proven(one) if one.item == item.item)) {
                proofs = proofs.at(entry(at));
            }
        }
    }
    proofs.says = match work {
        0 => "There is no decision to carry out.".to_owned(),
        work => format!("{} to change or remove, {proven} of them proven by an audit.", count(work, "decision")),
    };
    [decisions, proofs]
}

/// Adds the decisions of a review, counted, and where they stand.
fn decided_in(step: Step, by_people: &ByPeople, workspace: &str) -> Step {
    let review = &by_people.review;
    let about = review.items().filter(|(item, _)| item.workspace == workspace);
    let made = about.map(|(_, course)| course.decided().map_or("undecided", |made| made.decision.word()));
    let mut counts = BTreeMap::new();
    for word in made {
        *counts.entry(word).or_insert(0_usize) += 1;
    }
    let all: usize = counts.values().sum();
    let counts: Vec<String> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    let step = step
        .fact(
            &review.opening().name,
            format!("{}: {}; review {}", count(all, "account"), counts.join(", "), review.id()),
        )
        .at(by_people.place(DECISIONS, "every row".to_owned(), by_people.decisions_sha256.as_ref()));
    match by_people.last(|event| matches!(event, Event::Closed(_))) {
        Some((at, _)) => step.at(entry(at)),
        None => step,
    }
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

fn proof(
    by_people: &ByPeople,
    (storage, audits): (&dyn Storage, &Audits),
    item: &Item,
    course: &Course,
) -> io::Result<Option<Step>> {
    if course.work().is_none() {
        return Ok(None);
    }
    let Some((noticed, proven)) = course.proof() else {
        return Ok(Some(Step::new("Proof of carrying out", "No audit shows yet that the decision was carried out.")));
    };
    let step = Step::new(
        "Proof of carrying out",
        format!("The audit {} shows the account as {}.", proven.audit, proven.shown.word()),
    )
    .fact("Read", time(proven.read_at))
    .fact("Noticed", time(*noticed));
    let step = match audits.run(proven.audit).filter(|audit| audit.bag.is_some()) {
        Some(audit) => step.at(audit.open(storage)?.matrix_place(&item.user_id)?),
        None => step.fact("Bag of that audit", "not here"),
    };
    let event = by_people.last(|event| matches!(event, Event::Proven(one) if one.item == item.item));
    Ok(Some(match event {
        Some((at, _)) => step.at(entry(at)),
        None => step,
    }))
}
