//! Joins addresses with the people of a roster. Addresses decide; a name is only ever a suggestion.
//!
//! Two addresses are the same if they are the same without ASCII case, invisible characters, blanks and `mailto:`, with
//! the domain that a domain alias stands for, and without the `+tag` on a domain of the company. Rows are about the same
//! person if they share an address and the name or the employee number, or both of the latter. Two people who share an
//! address are never one.

mod address;
mod few;
mod names;
mod standing;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    hash::Hash,
    sync::OnceLock,
};

use chrono::{DateTime, NaiveDate, Utc};

pub use self::{address::Addresses, standing::Standing};
use self::{
    few::Few,
    names::{letters, name_key},
    standing::standing,
};
use crate::model::{
    policy::Policy,
    roster::{Record, Roster, Source},
};

/// The people of a roster on a day.
#[derive(Debug)]
pub struct People<'a> {
    addresses: Addresses<'a>,
    members: Vec<Member<'a>>,
    by_address: HashMap<Cow<'a, str>, Few<usize>>,
    by_letters: OnceLock<HashMap<u64, Few<usize>>>,
}

/// One person of a roster, with every row about this person.
#[derive(Debug)]
pub struct Member<'a> {
    /// The rows, the decisive one first.
    records: Few<&'a Record>,
    /// Whether the person works here.
    pub standing: Standing,
}

/// Whom an address belongs to.
#[derive(Debug)]
pub enum Match<'a> {
    /// To nobody in the roster.
    Nobody,
    /// To one person.
    One(&'a Member<'a>),
    /// To several people: whose account it is cannot be decided.
    Several(Vec<&'a Member<'a>>),
}

impl<'a> Match<'a> {
    /// The person, if there is exactly one.
    pub fn one(&self) -> Option<&'a Member<'a>> {
        if let Self::One(member) = self { Some(member) } else { None }
    }

    /// Everyone whom the address belongs to.
    pub fn all(&self) -> Vec<&'a Member<'a>> {
        match self {
            Self::Nobody => Vec::new(),
            Self::One(member) => vec![member],
            Self::Several(members) => members.clone(),
        }
    }
}

impl<'a> Member<'a> {
    /// The row that decides.
    pub fn record(&self) -> &'a Record {
        self.records[0]
    }

    /// Every row about the person, the decisive one first.
    pub fn records(&self) -> &[&'a Record] {
        &self.records
    }

    /// The name; the first address, or a phrase, if the roster has none.
    pub fn label(&self) -> &'a str {
        let record = self.record();
        let address = record.addresses.first().map_or("a person without name and address", String::as_str);
        if record.name.is_empty() { address } else { &record.name }
    }

    /// The first text of a field in the rows, the decisive one first. Empty if there is none.
    fn text(&self, field: impl Fn(&'a Record) -> &'a str) -> &'a str {
        self.records.iter().map(|record| field(record)).find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// The manager: an address where the source says it, else as written. Empty if there is none.
    pub fn manager(&self) -> &'a str {
        self.text(|record| &record.manager)
    }

    /// The departments of the rows that say that the person works here; those of the decisive row if none does.
    pub fn departments(&self) -> BTreeSet<&'a str> {
        self.positions(|record| &record.department)
    }

    /// The job titles, likewise.
    pub fn titles(&self) -> BTreeSet<&'a str> {
        self.positions(|record| &record.title)
    }

    fn positions(&self, field: impl Fn(&'a Record) -> &'a str) -> BTreeSet<&'a str> {
        let decisive = self.record().meaning;
        let same = self.records.iter().filter(|record| record.meaning == decisive);
        same.map(|record| field(record)).filter(|text| !text.is_empty()).collect()
    }

    /// The first day after which the person works here without a break; `None` if the roster does not say it.
    pub fn start(&self) -> Option<NaiveDate> {
        self.record().start
    }
}

impl<'a> People<'a> {
    /// The people of a roster at a time, by the addresses of a policy.
    pub fn new(roster: &'a Roster, policy: &'a Policy, now: DateTime<Utc>) -> Self {
        let addresses = Addresses::of(policy);
        let records = &roster.records;
        let mut same = Same::new(records.len());
        let mut by_address: HashMap<Cow<'a, str>, Few<usize>> = HashMap::with_capacity(records.len());
        let mut by_id: HashMap<&str, Few<usize>> = HashMap::new();
        for (place, record) in records.iter().enumerate() {
            for key in record.addresses.iter().filter_map(|address| addresses.key(address)) {
                add(&mut by_address, key, place);
            }
            if !record.id.is_empty() {
                add(&mut by_id, record.id.as_str(), place);
            }
        }
        by_id
            .values()
            .filter(|places| places.len() > 1)
            .for_each(|places| join_same_number(records, places, &mut same));
        drop(by_id);
        let shared = by_address.values().filter(|places| places.len() > 1);
        shared.for_each(|places| join_same_people(records, places, &mut same));
        let (members, member_of) = members(roster, &same, now);
        for places in by_address.values_mut() {
            *places = match &*places {
                Few::One([place]) => Few::one(member_of[*place]),
                Few::Several(places) => {
                    let people: BTreeSet<usize> = places.iter().map(|place| member_of[*place]).collect();
                    match people.first() {
                        Some(only) if people.len() == 1 => Few::one(*only),
                        _ => Few::Several(people.into_iter().collect()),
                    }
                }
            };
        }
        Self { addresses, members, by_address, by_letters: OnceLock::new() }
    }

    /// The places of people by the letters of their names. Few audits ask for it.
    fn by_letters(&self) -> &HashMap<u64, Few<usize>> {
        self.by_letters.get_or_init(|| {
            let mut by_letters = HashMap::with_capacity(self.members.len());
            for (place, member) in self.members.iter().enumerate() {
                member.records.iter().for_each(|record| add(&mut by_letters, letters(&record.name), place));
            }
            by_letters
        })
    }

    /// Everyone, each person once.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Whom an address belongs to.
    pub fn find(&self, address: &str) -> Match<'_> {
        match self.places(address) {
            [] => Match::Nobody,
            [one] => Match::One(&self.members[*one]),
            several => Match::Several(several.iter().map(|place| &self.members[*place]).collect()),
        }
    }

    /// The places among [`members`](Self::members) of everyone whom an address belongs to.
    pub fn places(&self, address: &str) -> &[usize] {
        let places = self.addresses.key(address).and_then(|key| self.by_address.get(&*key));
        places.map_or(&[], |places| &**places)
    }

    /// The only person of a name of two words or more, in whatever order: a suggestion, never a match.
    pub fn suggest(&self, name: &str) -> Option<&Member<'a>> {
        let key = Some(name_key(name)).filter(|key| key.contains(' '))?;
        let same_letters = self.by_letters().get(&letters(name))?.iter().map(|place| &self.members[*place]);
        let mut same = same_letters.filter(|member| member.records.iter().any(|one| name_key(&one.name) == key));
        same.next().filter(|_| same.next().is_none())
    }

    /// How many people of a roster work here.
    pub fn current(&self, roster: &str) -> u64 {
        let is_of = |member: &&Member<'_>| {
            matches!(member.standing, Standing::Current(_)) && member.records.iter().any(|one| one.roster == *roster)
        };
        self.members.iter().filter(is_of).count() as u64
    }
}

fn add<K: Eq + Hash>(places: &mut HashMap<K, Few<usize>>, key: K, place: usize) {
    match places.entry(key) {
        Entry::Occupied(known) => known.into_mut().add(place),
        Entry::Vacant(vacant) => _ = vacant.insert(Few::one(place)),
    }
}

/// Joins the rows of one employee number that are about the same person: in one roster and with one name.
fn join_same_number(records: &[Record], places: &[usize], same: &mut Same) {
    let mut first: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for place in places {
        let record = &records[*place];
        same.join(*first.entry((&record.roster, name_key(&record.name))).or_insert(*place), *place);
    }
}

/// Joins the rows of one address that are about the same person. A row without name and number is about the only person
/// there, if there is only one.
fn join_same_people(records: &[Record], places: &[usize], same: &mut Same) {
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_id: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut unnamed = Vec::new();
    for place in places {
        let record = &records[*place];
        let name = name_key(&record.name);
        if name.is_empty() && record.id.is_empty() {
            unnamed.push(*place);
            continue;
        }
        if !name.is_empty() {
            same.join(*by_name.entry(name).or_insert(*place), *place);
        }
        if !record.id.is_empty() {
            same.join(*by_id.entry((&record.roster, &record.id)).or_insert(*place), *place);
        }
    }
    let people: BTreeSet<usize> =
        places.iter().filter(|place| !unnamed.contains(place)).map(|place| same.root(*place)).collect();
    let anchor = people.first().copied().filter(|_| people.len() == 1).or_else(|| unnamed.first().copied());
    if let Some(anchor) = anchor {
        for place in unnamed {
            same.join(anchor, place);
        }
    }
}

/// The people, and the place among them for each row.
fn members<'a>(roster: &'a Roster, same: &Same, now: DateTime<Utc>) -> (Vec<Member<'a>>, Vec<usize>) {
    let records = &roster.records;
    let of_source = |source: &Source| now.with_timezone(&source.bounds.time_zone).date_naive();
    let today: Vec<(&str, NaiveDate)> =
        roster.sources.iter().map(|source| (source.name.as_str(), of_source(source))).collect();
    let day = |record: &Record| {
        let found = today.iter().find(|(name, _)| record.roster == **name);
        found.map_or_else(|| now.date_naive(), |(_, day)| *day)
    };
    let mut by_root: Vec<(usize, usize)> = (0..records.len()).map(|place| (same.root(place), place)).collect();
    by_root.sort_unstable();
    let mut member_of = vec![0; records.len()];
    let mut members = Vec::with_capacity(records.len());
    for group in by_root.chunk_by(|one, other| one.0 == other.0) {
        for (_, place) in group {
            member_of[*place] = members.len();
        }
        members.push(match group {
            [(_, place)] => {
                let record = &records[*place];
                Member { records: Few::One([record]), standing: standing(record, day(record)) }
            }
            _ => member(group.iter().map(|(_, place)| &records[*place]).collect(), day),
        });
    }
    (members, member_of)
}

fn member(rows: Vec<&Record>, today: impl Fn(&Record) -> NaiveDate) -> Member<'_> {
    let mut rows: Vec<(Standing, &Record)> = rows.into_iter().map(|one| (standing(one, today(one)), one)).collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.1.start.cmp(&a.1.start)).then_with(|| a.1.cmp(b.1)));
    let standing = rows[0].0;
    Member { records: Few::Several(rows.into_iter().map(|(_, record)| record).collect()), standing }
}

/// Which places belong together.
struct Same(Vec<usize>);

impl Same {
    fn new(length: usize) -> Self {
        Self((0..length).collect())
    }

    fn root(&self, mut place: usize) -> usize {
        while self.0[place] != place {
            place = self.0[place];
        }
        place
    }

    /// The smaller root stays, so that the result does not depend on the order.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}
