//! A small review for tests: accounts of people of example.com, who decide about each other.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    event::{Attested, Basis, Closed, Decided, Decision, Event, Opening, RemediationDays, Scope, Via},
    item::{Flag, Item, ItemId, Masters, Named, Population},
    person::Address,
    state::Review,
};
use crate::{
    access::power::Power,
    model::{actor::Actor, bag::BagName},
};

/// A moment of a test.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

pub(crate) fn address(name: &str) -> Address {
    Address::of(&format!("{name}@example.com"))
}

pub(crate) fn named(id: &str) -> Named {
    Named { id: id.to_owned(), name: Some(format!("name of {id}")) }
}

pub(crate) fn bag(folder: &str) -> BagName {
    BagName { folder: folder.to_owned(), sha256: format!("sha256 of {folder}") }
}

/// The account of a person, decided about by another.
pub(crate) fn item(number: u32, name: &str, reviewer: &str) -> Item {
    Item {
        item: ItemId(number),
        workspace: "acme".to_owned(),
        user_id: number.to_string(),
        full_name: None,
        email: Some(format!("{name}@example.com")),
        aliases: Vec::new(),
        status: "active".to_owned(),
        role: Some(named("role-1")),
        profile: Some(named("profile-1")),
        power: Power::Ordinary,
        has_left: false,
        findings: Vec::new(),
        access: "a".to_owned(),
        last: None,
        changed: false,
        reviewer: address(reviewer),
        alternates: Vec::new(),
    }
}

/// Items 1 to 3 are ordinary, 4 is privileged, 5 has a finding, 6 is new. Ana is the owner and decides about 1, 2, 4, 5
/// and 6; ben decides about 3, which is ana's account.
pub(crate) fn population() -> Population {
    let mut items = vec![
        item(1, "eva", "ana"),
        item(2, "finn", "ana"),
        item(3, "ana", "ben"),
        item(4, "gus", "ana"),
        item(5, "hana", "ana"),
        item(6, "ida", "ana"),
    ];
    items[3].power = Power::Administrator;
    items[4].findings = vec![Flag { rule: "no-role".to_owned(), message: "It has no role.".to_owned() }];
    items[5].changed = true;
    population_of(items)
}

pub(crate) fn population_of(items: Vec<Item>) -> Population {
    let masters = Masters {
        roles: vec![named("role-1"), named("role-2")],
        profiles: vec![named("profile-1"), named("profile-2")],
        ..Masters::default()
    };
    Population { masters: [("acme".to_owned(), masters)].into(), items }
}

pub(crate) fn opening(population: &Population) -> Opening {
    Opening {
        name: "quarterly".to_owned(),
        job: "weekly".to_owned(),
        scope: Scope::All,
        bases: vec![Basis {
            workspace: "acme".to_owned(),
            audit: Uuid::from_u128(1),
            bag: bag("audit"),
            read_at: at(-10),
        }],
        owner: address("ana"),
        due: at(14 * 86_400),
        fire_at: None,
        four_eyes: false,
        remediation_days: RemediationDays::default(),
        escalate_to: None,
        by: Actor::CommandLine { command: None },
        items: u32::try_from(population.items.len()).unwrap(),
        population_sha256: population.sha256(),
    }
}

/// A review of these accounts that is just opened.
pub(crate) fn opened_with(id: u128, population: Population) -> Review {
    Review::opened(Uuid::from_u128(id), opening(&population), population, at(0)).unwrap()
}

/// The review of [`population`] that is just opened.
pub(crate) fn opened(id: u128) -> Review {
    opened_with(id, population())
}

/// A person decides about items as they stand.
pub(crate) fn decides(review: &Review, by: &str, items: &[u32], decision: Decision) -> Event {
    let seen = items.iter().map(|number| review.seen(ItemId(*number)).unwrap()).collect();
    Event::Decided(Decided {
        items: seen,
        decision,
        reason: Some("needed for the work".to_owned()),
        by: address(by),
        via: Via::CommandLine,
        sheet: None,
    })
}

/// A person attests the decisions of these reviewers as they stand.
pub(crate) fn attests(review: &Review, by: &str, of: &[&str]) -> Event {
    let of: Vec<Address> = of.iter().map(|name| address(name)).collect();
    Event::Attested(Attested {
        by: address(by),
        via: Via::CommandLine,
        statement: "I decided about each account.".to_owned(),
        decisions_sha256: review.decisions_sha256(&of),
        of,
    })
}

/// The owner closes it with this result.
pub(crate) fn closes(no_change_needed: bool) -> Event {
    Event::Closed(Closed {
        by: address("ana"),
        via: Via::CommandLine,
        next_review: at(90 * 86_400).date_naive(),
        no_change_needed,
    })
}
