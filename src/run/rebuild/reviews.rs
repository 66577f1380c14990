//! What reviews by people are about: as the bag of a closed one has it, and of others made again as they were opened. That the
//! result is the same is proven by its digest, which the ledger has.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::snapshots::OfEvidence;
use crate::{
    evidence::{review::POPULATION, sealed, storage::Storage},
    ledger::{Entry, Fact, Line},
    model::bag::BagName,
    review::{
        event::{Basis, Event, Opening},
        item::Population,
        open::{Occasion, Source, Terms, open},
        state::{Review, Stage},
    },
    run::reviews::roster,
    store::{rebuild::Snapshots as _, snapshot},
};

type Events = Vec<(DateTime<Utc>, Event)>;

/// The accounts of every review of which they are known.
pub(super) fn populations(
    storage: &dyn Storage,
    entries: &[(Line, Entry)],
    snapshots: &OfEvidence,
    configured: &BTreeMap<String, Terms>,
    is_sound: &dyn Fn(&str) -> bool,
) -> BTreeMap<Uuid, Population> {
    let (mut events, mut found) = (BTreeMap::<Uuid, Events>::new(), BTreeMap::new());
    let mut opened: Vec<(Uuid, DateTime<Utc>, &Opening)> = Vec::new();
    for (_, entry) in entries {
        match &entry.fact {
            Fact::Review(told) => {
                if let Event::Opened(opening) = &told.event {
                    opened.push((told.review, entry.at, opening));
                }
                events.entry(told.review).or_default().push((entry.at, told.event.clone()));
            }
            Fact::ReviewSealed(sealed) if is_sound(&sealed.bag.folder) => {
                found.extend(of_bag(storage, &sealed.bag).map(|population| (sealed.review, population)));
            }
            _ => {}
        }
    }
    for (review, at, opening) in opened {
        let Some(terms) = configured.get(&opening.name).filter(|_| !found.contains_key(&review)) else { continue };
        let before = before(&events, &found, &opening.name, at);
        let sources: Option<Vec<Source>> =
            opening.bases.iter().map(|basis| source(storage, snapshots, basis)).collect();
        let occasion = Occasion { at, fire_at: opening.fire_at, by: opening.by.clone() };
        let made = sources.and_then(|sources| open(terms, &sources, before.as_ref(), occasion).ok());
        if let Some((_, population)) = made.filter(|(_, made)| made.sha256() == opening.population_sha256) {
            found.insert(review, population);
        }
    }
    found
}

fn of_bag(storage: &dyn Storage, bag: &BagName) -> Option<Population> {
    let file = sealed::file(storage, bag, &format!("data/{POPULATION}")).ok()??;
    serde_json::from_slice(&file).ok()
}

/// The last review of a name that was closed before a moment.
fn before(
    events: &BTreeMap<Uuid, Events>,
    populations: &BTreeMap<Uuid, Population>,
    name: &str,
    at: DateTime<Utc>,
) -> Option<Review> {
    let replayed = populations.iter().filter_map(|(review, population)| {
        let until = events.get(review)?.iter().filter(|(when, _)| *when <= at);
        Review::replay(*review, population.clone(), until.map(|(when, event)| (*when, event))).ok()
    });
    let closed =
        replayed.filter(|review| review.opening().name == name && matches!(review.stage(), Stage::Closed { .. }));
    closed.max_by_key(Review::opened_at)
}

/// What was kept of the audit that a review is about.
fn source(storage: &dyn Storage, snapshots: &OfEvidence, basis: &Basis) -> Option<Source> {
    if !snapshots.has(basis.audit) {
        return None;
    }
    let parts = snapshots.parts(basis.audit).ok()?;
    let (header, users) = snapshot::read(&parts).ok()?;
    Some(Source { basis: basis.clone(), header, users, roster: roster(storage, &basis.bag).ok()? })
}
