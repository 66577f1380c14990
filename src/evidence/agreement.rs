//! A folder of evidence as it is found: its bags, its ledger, its checkpoint, and whether they say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

use super::{
    draft::one_line,
    files::{Problem, read_plain},
    inventory,
    ledger::LEDGER,
    mail,
    period::{PERIOD, Period, due},
    seal::{self, SUMS},
    signers::Allowed,
    testimony::Testimony,
    verify,
};
use crate::ledger::{
    Entry, Fact, Head,
    fact::{BagName, Recorded},
    timeline,
};

/// A bag, and what the ledger says of it.
#[derive(Debug)]
pub struct Bag {
    /// Where it is.
    pub path: PathBuf,
    /// What its own manifests and signature say.
    pub found: verify::Found,
    /// Where the ledger disagrees.
    pub problems: Vec<String>,
    /// What there is to know of it that is no problem.
    pub note: Option<String>,
    /// When its review was due; none where no entry names it.
    pub due: Option<DateTime<Utc>>,
}

impl Bag {
    /// Whether it is as it was sealed, and counts as what the ledger says.
    pub fn is_sound(&self) -> bool {
        self.found.problems.is_empty() && self.problems.is_empty()
    }
}

/// A bag that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The name of its folder.
    pub folder: String,
    /// When its review was due; none where it does not count.
    pub due: Option<DateTime<Utc>>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = &self.folder;
        write!(f, "the bag {folder} is in the ledger and is not there: it was taken away or has another name")
    }
}

/// What was found of a folder.
#[derive(Debug)]
pub struct Found {
    /// The bags, by their names.
    pub bags: Vec<Bag>,
    /// The bags that should be there.
    pub missing: Vec<Missing>,
    /// The ledger, and who vouches for it.
    pub testimony: Testimony,
    /// What seals an export; none for a directory that is in use.
    pub seal: Option<seal::Found>,
    /// What is wrong with the ledger, or with what is beside it.
    pub problems: Vec<String>,
    /// What there is to know of the ledger that is no problem of it.
    pub remarks: Vec<String>,
}

impl Found {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
            && self.missing.is_empty()
            && self.seal.as_ref().is_none_or(|seal| seal.problems.is_empty())
            && self.bags.iter().all(Bag::is_sound)
    }
}

/// Checks a folder of evidence: an export where it is sealed as one, otherwise a directory that is in use. `witnesses` are
/// entries that somebody else wrote down, from a mail say.
///
/// # Errors
/// Where the folder cannot be read.
pub fn folder(folder: &Path, allowed: Allowed, witnesses: &[Head]) -> io::Result<Found> {
    if !folder.join(SUMS).exists() {
        return directory(folder, allowed, witnesses);
    }
    let seal = seal::check(folder, &allowed);
    // Anybody can write a period that leaves a bag out.
    let period = read_plain(&folder.join(PERIOD)).ok().filter(|_| seal.problems.is_empty());
    let period = period.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut found = look(folder, allowed, witnesses, period)?;
    found.problems.extend(
        found
            .testimony
            .rest()
            .map(|rest| format!("{LEDGER}: {rest}: whoever had this export in hand may have added to it")),
    );
    found.seal = Some(seal);
    Ok(found)
}

/// Checks a directory that is in use: all bags are to be there, and entries may wait to be signed.
///
/// # Errors
/// Where the directory cannot be read.
pub fn directory(folder: &Path, allowed: Allowed, witnesses: &[Head]) -> io::Result<Found> {
    let mut found = look(folder, allowed, witnesses, None)?;
    for stray in inventory::of(folder)?.strays {
        found.problems.push(match stray.as_str() {
            PERIOD => format!("{PERIOD} is there without {SUMS}: an export whose seal was taken away, or one of an older rolecall; ask for a new one"),
            stray => format!("{stray} is there and is no part of the evidence"),
        });
    }
    Ok(found)
}

fn look(folder: &Path, allowed: Allowed, witnesses: &[Head], period: Option<Period>) -> io::Result<Found> {
    let testimony = Testimony::of(folder, allowed)?;
    let mut problems = testimony.problems.clone();
    problems.extend(witnesses.iter().filter_map(|witness| testimony.disagreement(witness, "the witness")));
    let named = Named::of(&testimony);
    problems.extend(named.twice());
    problems.extend(mail::problems(folder, testimony.believed(), period)?);
    let mut bags = Vec::new();
    for path in inventory::of(folder)?.folders {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if inventory::is_bag(&path) || named.knows(&name) {
            bags.push(named.bag(path, &name));
        } else {
            problems.push(format!("the folder {name} is there and is no bag: it is no part of the evidence"));
        }
    }
    let missing = named.missing(&bags, period);
    let remarks = timeline::set_back(testimony.believed()).iter().map(ToString::to_string).collect();
    Ok(Found { bags, missing, testimony, seal: None, problems, remarks })
}

/// A bag as an entry names it.
#[derive(Clone, Copy)]
struct Name<'a> {
    bag: &'a BagName,
    entry: &'a Entry,
    /// The review; none where the bag does not count.
    recorded: Option<&'a Recorded>,
}

impl<'a> Name<'a> {
    fn of(entry: &'a Entry) -> Option<Self> {
        match &entry.fact {
            Fact::Recorded(recorded) => recorded.bag.as_ref().map(|bag| Self { bag, entry, recorded: Some(recorded) }),
            Fact::BagAbandoned { bag, .. } | Fact::BagOfFailure { bag, .. } => {
                Some(Self { bag, entry, recorded: None })
            }
            _ => None,
        }
    }
}

/// The bags that a ledger names.
struct Named<'a> {
    testimony: &'a Testimony,
    /// By entries that one can believe.
    kept: BTreeMap<&'a str, Name<'a>>,
    /// By others.
    claimed: BTreeMap<&'a str, Name<'a>>,
    removed: BTreeSet<&'a str>,
    /// Runs whose review is recorded.
    recorded: BTreeSet<Uuid>,
}

impl<'a> Named<'a> {
    fn of(testimony: &'a Testimony) -> Self {
        let names = |entry: &'a Entry| Name::of(entry).map(|name| (name.bag.folder.as_str(), name));
        let removed = testimony.believed().filter_map(|entry| match &entry.fact {
            Fact::BagRemoved { bag, .. } => Some(bag.folder.as_str()),
            _ => None,
        });
        let recorded = testimony.chain.entries.iter().filter_map(|(entry, _)| match &entry.fact {
            Fact::Recorded(recorded) => Some(recorded.run),
            _ => None,
        });
        Self {
            testimony,
            kept: testimony.believed().filter_map(names).collect(),
            claimed: testimony.unsigned().filter_map(names).collect(),
            removed: removed.collect(),
            recorded: recorded.collect(),
        }
    }

    fn knows(&self, folder: &str) -> bool {
        self.kept.contains_key(folder) || self.claimed.contains_key(folder)
    }

    /// Reviews that show the bag of another.
    fn twice(&self) -> Vec<String> {
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        let mut problems = Vec::new();
        for (entry, _) in &self.testimony.chain.entries {
            let Fact::Recorded(Recorded { bag: Some(bag), .. }) = &entry.fact else { continue };
            if let Some(first) = seen.insert(&bag.sha256, entry.number) {
                problems.push(format!(
                    "entries {first} and {} of the ledger name the same bag, sha256 {}: it was shown twice",
                    entry.number, bag.sha256
                ));
            }
        }
        problems
    }

    /// The bags that should be there and are not. What is not signed takes none away.
    fn missing(&self, there: &[Bag], period: Option<Period>) -> Vec<Missing> {
        let there: BTreeSet<_> = there.iter().filter_map(|bag| bag.path.file_name()?.to_str()).collect();
        let is_meant = |name: &Name<'_>| match (period, name.recorded) {
            (None, _) => true,
            (Some(period), Some(recorded)) => period.holds(recorded),
            (Some(_), None) => false,
        };
        let names =
            self.kept.values().chain(self.claimed.values().filter(|name| !self.kept.contains_key(&*name.bag.folder)));
        let missing = names.filter(|name| {
            let folder = name.bag.folder.as_str();
            !there.contains(folder) && !self.removed.contains(folder) && is_meant(name)
        });
        missing.map(|name| Missing { folder: name.bag.folder.clone(), due: name.recorded.map(due) }).collect()
    }

    fn bag(&self, path: PathBuf, folder: &str) -> Bag {
        let mut found = verify::bag(&path, &self.testimony.allowed);
        let (mut problems, mut note) = (Vec::new(), None);
        let run = found.info.says("External-Identifier").and_then(|id| id.parse::<Uuid>().ok());
        let name = self.kept.get(folder).or_else(|| self.claimed.get(folder));
        if self.testimony.chain.entries.is_empty() {
            // That there is no ledger is said once.
        } else if let Some(name) = name {
            problems.extend(name.differences(&found));
            note = self.note(name);
            if problems.is_empty() && self.vouches(name, &found) {
                found.problems.retain(|problem| !matches!(problem, Problem::Unsigned { .. }));
                note.get_or_insert(format!("no key was in use then; entry {} vouches for it", name.entry.number));
            }
        } else if run.is_some_and(|run| folder.contains(&run.to_string()) && !self.recorded.contains(&run)) {
            note = Some("does not count: its run is not recorded; it failed, was cut off or still goes on".to_owned());
        } else {
            problems.push("no entry of the ledger names this bag: it was put there, or copied".to_owned());
        }
        if let Some(head) = begun(&found)
            && head.number > 0
            && !self.testimony.chain.entries.is_empty()
        {
            problems.extend(self.testimony.disagreement(&head, "this bag"));
        }
        let due = name.and_then(|name| name.recorded).map(due);
        Bag { path, found, problems, note, due }
    }

    fn note(&self, name: &Name<'_>) -> Option<String> {
        let number = name.entry.number;
        if !self.kept.contains_key(name.bag.folder.as_str()) {
            return Some(format!("does not count yet: entry {number}, which names it, is not signed"));
        }
        match &name.entry.fact {
            Fact::BagAbandoned { .. } => {
                Some(format!("does not count: its run was cut off and made again (entry {number})"))
            }
            Fact::BagOfFailure { .. } => {
                Some(format!("no review: what was answered before its run failed (entry {number})"))
            }
            _ => None,
        }
    }

    /// Whether a bag that nobody signed is proven all the same: an entry that one can believe names its digest, and when it
    /// was begun there was no key.
    fn vouches(&self, name: &Name<'_>, found: &verify::Found) -> bool {
        let since = begun(found).map_or(name.entry.number, |head| head.number);
        self.kept.contains_key(name.bag.folder.as_str()) && self.testimony.key_at(since).is_none()
    }
}

/// The entry that was the last one when a bag was begun.
fn begun(bag: &verify::Found) -> Option<Head> {
    bag.info.says("Rolecall-Ledger").and_then(|head| head.parse().ok())
}

impl Name<'_> {
    /// Where a bag is not the one that the entry means.
    fn differences(&self, found: &verify::Found) -> Vec<String> {
        let Self { bag, entry, recorded } = self;
        if found.name.as_ref() != Some(&bag.sha256) {
            return vec![format!(
                "entry {} of the ledger names another bag of this name, sha256 {}: this one was put in its place",
                entry.number, bag.sha256
            )];
        }
        let Some(recorded) = recorded else { return Vec::new() };
        let due = found.info.says("Rolecall-Due-At").and_then(|time| time.parse::<DateTime<Utc>>().ok());
        let said = |name| found.info.says(name).map(str::to_owned);
        let facts = [
            ("run", said("External-Identifier"), Some(recorded.run.to_string())),
            ("workspace", said("Rolecall-Workspace"), Some(one_line(&recorded.workspace))),
            ("job", said("Rolecall-Job"), recorded.job.as_deref().map(one_line)),
            (
                "fire time",
                due.map(|due| due.to_string()),
                recorded.fire_at.map(|time| time.trunc_subsecs(3).to_string()),
            ),
        ];
        let differ = facts.into_iter().filter(|(_, bag, entry)| bag != entry);
        let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
        differ
            .map(|(what, bag, named)| {
                let (bag, named) = (shown(bag), shown(named));
                format!("entry {} of the ledger names it for the {what} {named}, and it is of {bag}", entry.number)
            })
            .collect()
    }
}
