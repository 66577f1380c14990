//! Joins addresses with the people of a roster. Addresses decide; a name is only ever a suggestion.
//!
//! Two addresses are the same if they are the same without ASCII case, invisible characters, blanks and `mailto:`, with
//! the domain that a domain alias stands for, and without the `+tag` on a domain of the company. Rows are about the same
//! person if they share an address and the name or the employee number, or both of the latter. Two people who share an
//! address are never one.

mod address;
mod standing;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::OnceLock,
};

use chrono::{DateTime, NaiveDate, Utc};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use self::standing::standing;
pub use self::{address::Addresses, standing::Standing};
use crate::model::{
    policy::Policy,
    roster::{Record, Roster},
};

/// The people of a roster on a day.
#[derive(Debug)]
pub struct People<'a> {
    addresses: Addresses<'a>,
    members: Vec<Member<'a>>,
    by_address: HashMap<String, Vec<usize>>,
    by_name: OnceLock<HashMap<String, Vec<usize>>>,
}

/// What a row is compared by.
struct Keys {
    /// Its addresses, each once.
    addresses: Vec<String>,
    /// Its name.
    name: String,
}

impl Keys {
    fn of(record: &Record, addresses: &Addresses<'_>) -> Self {
        let mut keys: Vec<String> = record.addresses.iter().filter_map(|one| addresses.key(one)).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { addresses: keys, name: name_key(&record.name) }
    }
}

/// One person of a roster, with every row about this person.
#[derive(Debug)]
pub struct Member<'a> {
    /// The rows, the decisive one first.
    records: Vec<&'a Record>,
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
        let records: Vec<&Record> = roster.records.iter().collect();
        let keys: Vec<Keys> = records.par_iter().map(|record| Keys::of(record, &addresses)).collect();
        let mut same = Same::new(records.len());
        let mut by_key: HashMap<&str, Vec<usize>> = HashMap::with_capacity(records.len());
        let mut by_id: HashMap<(&str, &str, &str), usize> = HashMap::new();
        for (place, (record, keys)) in records.iter().zip(&keys).enumerate() {
            for key in &keys.addresses {
                by_key.entry(key).or_default().push(place);
            }
            if !record.id.is_empty() {
                let first = *by_id.entry((&record.roster, &record.id, &keys.name)).or_insert(place);
                same.join(first, place);
            }
        }
        for places in by_key.values().filter(|places| places.len() > 1) {
            join_same_people(&records, &keys, places, &mut same);
        }
        let today: HashMap<&str, NaiveDate> = roster
            .sources
            .iter()
            .map(|one| (one.name.as_str(), now.with_timezone(&one.bounds.time_zone).date_naive()))
            .collect();
        let day = |record: &Record| today.get(record.roster.as_str()).copied().unwrap_or_else(|| now.date_naive());
        let mut by_root: Vec<(usize, usize)> = (0..records.len()).map(|place| (same.root(place), place)).collect();
        by_root.sort_unstable();
        let mut member_of = vec![0; records.len()];
        let mut members = Vec::with_capacity(records.len());
        for group in by_root.chunk_by(|one, other| one.0 == other.0) {
            for (_, place) in group {
                member_of[*place] = members.len();
            }
            members.push(member(group.iter().map(|(_, place)| records[*place]).collect(), day));
        }
        let places_of = |places: Vec<usize>| {
            let mut places: Vec<usize> = places.into_iter().map(|place| member_of[place]).collect();
            places.sort_unstable();
            places.dedup();
            places
        };
        let by_address = by_key.into_iter().map(|(key, places)| (key.to_owned(), places_of(places))).collect();
        Self { addresses, members, by_address, by_name: OnceLock::new() }
    }

    /// The places of the people who have a name of two words or more. Few audits ask for it.
    fn by_name(&self) -> &HashMap<String, Vec<usize>> {
        self.by_name.get_or_init(|| {
            let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
            for (place, member) in self.members.iter().enumerate() {
                let names: BTreeSet<String> = member.records.iter().map(|record| name_key(&record.name)).collect();
                names
                    .into_iter()
                    .filter(|name| name.contains(' '))
                    .for_each(|name| by_name.entry(name).or_default().push(place));
            }
            by_name
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
        let places = self.addresses.key(address).and_then(|key| self.by_address.get(&key));
        places.map_or(&[], Vec::as_slice)
    }

    /// The only person of a name of two words or more, in whatever order: a suggestion, never a match.
    pub fn suggest(&self, name: &str) -> Option<&Member<'a>> {
        match self.by_name().get(&name_key(name)).map(Vec::as_slice) {
            Some([one]) => Some(&self.members[*one]),
            _ => None,
        }
    }

    /// How many people of a roster work here.
    pub fn current(&self, roster: &str) -> u64 {
        let is_of = |member: &&Member<'_>| {
            matches!(member.standing, Standing::Current(_)) && member.records.iter().any(|one| one.roster == roster)
        };
        self.members.iter().filter(is_of).count() as u64
    }
}

/// Joins the rows of one address that are about the same person. A row without name and number is about the only person
/// there, if there is only one.
fn join_same_people(records: &[&Record], keys: &[Keys], places: &[usize], same: &mut Same) {
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    let mut by_id: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut unnamed = Vec::new();
    for place in places {
        let record = records[*place];
        let name = keys[*place].name.as_str();
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

fn member(rows: Vec<&Record>, today: impl Fn(&Record) -> NaiveDate) -> Member<'_> {
    let mut rows: Vec<(Standing, &Record)> = rows.into_iter().map(|one| (standing(one, today(one)), one)).collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.1.start.cmp(&a.1.start)).then_with(|| a.1.cmp(b.1)));
    let standing = rows[0].0;
    Member { records: rows.into_iter().map(|(_, record)| record).collect(), standing }
}

/// The words of a name, whatever their order, case and punctuation: `Example, Ana` and `Ana Example`.
fn name_key(name: &str) -> String {
    let lower = address::composed(name).to_lowercase();
    let mut words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
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
