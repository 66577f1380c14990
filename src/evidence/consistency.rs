//! Evidence as found: its bags, its ledger, its checkpoint, and whether they are consistent.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
};

use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

use super::{
    attestation::Attestation,
    draft::one_line,
    files::Problem,
    inventory::{self, Inventory},
    ledger::LEDGER,
    mail,
    period::{PERIOD, Period, due},
    review,
    seal::{self, SUMS},
    signers::Allowed,
    source,
    storage::{Storage, each, has, read},
    timestamps::{self, Times},
    verified::Verified,
    verify,
};
use crate::ledger::{
    Entry, Fact, Head,
    fact::{BagName, Recorded},
    timeline,
};

/// A bag, and what the ledger says about it.
#[derive(Debug)]
pub struct Bag {
    /// The name of its folder.
    pub folder: String,
    /// What its own manifests and signature say.
    pub found: verify::VerifyReport,
    /// Where the ledger contradicts it.
    pub problems: Vec<String>,
    /// A remark that is not a problem.
    pub note: Option<String>,
    /// When its review was due, its run failed, or the review by people was sealed; `None` if no entry names it.
    pub due: Option<DateTime<Utc>>,
}

impl Bag {
    /// Whether it is as it was sealed, and as the ledger names it.
    pub fn is_sound(&self) -> bool {
        self.found.problems.is_empty() && self.problems.is_empty()
    }
}

/// A bag that should be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The name of its folder.
    pub folder: String,
    /// When its review was due, or its run failed; `None` if it does not count.
    pub due: Option<DateTime<Utc>>,
    /// The version that is still in the object store; `None` if there is none.
    pub version: Option<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = &self.folder;
        write!(f, "the bag {folder} is in the ledger but missing: it was removed or renamed")?;
        match &self.version {
            Some(version) => write!(f, "; its version {version} is still in the store: restore it"),
            None => Ok(()),
        }
    }
}

/// What was found.
#[derive(Debug)]
pub struct ConsistencyReport {
    /// The bags, by their names.
    pub bags: Vec<Bag>,
    /// The bags that should be there.
    pub missing: Vec<Missing>,
    /// The ledger, and who signed it.
    pub attestation: Attestation,
    /// What third parties' timestamps prove.
    pub times: Times,
    /// The seal of an export; `None` for a directory in use.
    pub seal: Option<seal::SealReport>,
    /// What is wrong with the ledger, or with what is beside it.
    pub problems: Vec<String>,
    /// Remarks about the ledger that are not problems.
    pub remarks: Vec<String>,
}

impl ConsistencyReport {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
            && self.missing.is_empty()
            && self.seal.as_ref().is_none_or(|seal| seal.problems.is_empty())
            && self.bags.iter().all(Bag::is_sound)
    }
}

/// Checks evidence: an export if it is sealed as one, otherwise a directory in use. `anchors` are entries that were
/// recorded elsewhere, for example in a mail.
///
/// # Errors
/// If the storage cannot be read.
pub fn check(storage: &dyn Storage, allowed: Allowed, anchors: &[Head]) -> io::Result<ConsistencyReport> {
    if !has(storage, SUMS)? {
        return in_use(storage, allowed, anchors, &BTreeSet::new(), None);
    }
    let seal = seal::check(storage, &allowed);
    // Anybody can write a period that leaves a bag out.
    let period = read(storage, PERIOD).ok().filter(|_| seal.problems.is_empty());
    let period = period.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut found = look(storage, allowed, anchors, period, &BTreeSet::new(), None)?;
    let unsigned = found.attestation.rest().map(|rest| format!("{LEDGER}: {rest}: anybody may have appended to it"));
    found.problems.extend(unsigned);
    found.seal = Some(seal);
    Ok(found)
}

/// Checks a directory in use: all bags must be there, and entries may wait to be signed. `waiting` are the digests of the
/// mails that wait to be sent, as the store says: the ledger does not name them yet. Bags that `memory` knows are not read again.
///
/// # Errors
/// If the storage cannot be read.
pub fn in_use(
    storage: &dyn Storage,
    allowed: Allowed,
    anchors: &[Head],
    waiting: &BTreeSet<String>,
    memory: Option<&Verified>,
) -> io::Result<ConsistencyReport> {
    let mut found = look(storage, allowed, anchors, None, waiting, memory)?;
    let Inventory { strays, remarks, .. } = inventory::of(storage)?;
    found.remarks.extend(remarks);
    for stray in strays {
        found.problems.push(match stray.as_str() {
            PERIOD => format!(
                "there is {PERIOD} without {SUMS}: this is an export whose seal was removed, or one of an older rolecall; ask for a new one"
            ),
            stray => format!("{stray} is not part of the evidence"),
        });
    }
    Ok(found)
}

/// What an entry says about a ledger's file that was removed or cut.
fn cut(entry: &Entry) -> Option<String> {
    let Fact::LedgerFileCut { had, found } = entry.fact else { return None };
    let (number, at) = (entry.number, entry.at.format("%Y-%m-%d %H:%M UTC"));
    let what = if found == 0 { "removed".to_owned() } else { format!("cut after entry {found}") };
    Some(format!(
        "entry {number}: by {at} the file {LEDGER} was {what}; it had {had} entries, and was written again from the store"
    ))
}

fn look(
    storage: &dyn Storage,
    allowed: Allowed,
    anchors: &[Head],
    period: Option<Period>,
    waiting: &BTreeSet<String>,
    memory: Option<&Verified>,
) -> io::Result<ConsistencyReport> {
    // Before the ledger: other processes may write, and it then has every entry that one of these names.
    let mut folders = inventory::of(storage)?.folders;
    let (mails, stamps) = (storage.list(mail::FOLDER)?, storage.list(timestamps::FOLDER)?);
    let attestation = Attestation::of(storage, allowed)?;
    let mut problems = attestation.problems.clone();
    problems.extend(anchors.iter().filter_map(|anchor| attestation.contradiction(anchor, "the witness")));
    let named = Named::of(&attestation);
    problems.extend(named.twice());
    problems.extend(mail::problems(storage, &mails, &attestation, period, waiting)?);
    // One that was removed since it was listed.
    let is_gone = |folder: &str| storage.list(folder).is_ok_and(|items| items.is_empty());
    folders.retain(|folder| !named.removed.contains(&**folder) || !is_gone(folder));
    folders.extend(named.later(storage, &folders));
    folders.sort();
    let found = each(storage, &folders, |folder| {
        let is_meant = inventory::is_bag(storage, folder) || named.knows(folder);
        is_meant.then(|| named.bag(storage, folder.to_owned(), memory)).ok_or_else(|| folder.to_owned())
    });
    let mut bags = Vec::new();
    for found in found {
        match found {
            Ok(bag) => bags.push(bag),
            Err(folder) => problems.push(format!("the folder {folder} is not a bag and not part of the evidence")),
        }
    }
    let missing = named.missing(storage, &bags, period);
    let there: BTreeSet<&str> = bags.iter().map(|bag| bag.folder.as_str()).collect();
    let times = timestamps::check(storage, &stamps, &attestation, &there, period);
    problems.extend(times.problems.iter().cloned());
    let set_back = timeline::set_back(attestation.verified());
    let cuts = attestation.verified().filter_map(cut);
    let remarks = set_back.iter().map(ToString::to_string).chain(cuts).chain(times.remarks.iter().cloned()).collect();
    Ok(ConsistencyReport { bags, missing, attestation, times, seal: None, problems, remarks })
}

/// A bag as an entry names it.
#[derive(Debug, Clone, Copy)]
struct Name<'a> {
    bag: &'a BagName,
    entry: &'a Entry,
    /// The review; `None` if the bag does not count.
    recorded: Option<&'a Recorded>,
}

impl<'a> Name<'a> {
    fn of(entry: &'a Entry) -> Option<Self> {
        match &entry.fact {
            Fact::Recorded(recorded) => recorded.bag.as_ref().map(|bag| Self { bag, entry, recorded: Some(recorded) }),
            Fact::BagAbandoned { bag, .. } | Fact::BagOfFailure { bag, .. } => {
                Some(Self { bag, entry, recorded: None })
            }
            Fact::ReviewSealed(sealed) => Some(Self { bag: &sealed.bag, entry, recorded: None }),
            _ => None,
        }
    }
}

/// The bags that a ledger names.
struct Named<'a> {
    attestation: &'a Attestation,
    /// By verified entries.
    kept: BTreeMap<&'a str, Name<'a>>,
    /// By others.
    claimed: BTreeMap<&'a str, Name<'a>>,
    removed: BTreeSet<&'a str>,
    /// The versions of bags in an object store, by verified entries, with their numbers.
    versions: BTreeMap<&'a str, (&'a str, u64)>,
    /// Runs whose review is recorded.
    recorded: BTreeSet<Uuid>,
}

impl<'a> Named<'a> {
    fn of(attestation: &'a Attestation) -> Self {
        let names = |entry: &'a Entry| Name::of(entry).map(|name| (name.bag.folder.as_str(), name));
        let removed = attestation.verified().filter_map(|entry| match &entry.fact {
            Fact::BagRemoved { bag, .. } => Some(bag.folder.as_str()),
            _ => None,
        });
        let versions = attestation.verified().filter_map(|entry| match &entry.fact {
            Fact::BagStored { folder, version, .. } => Some((folder.as_str(), (version.as_str(), entry.number))),
            _ => None,
        });
        let recorded = attestation.chain.entries.iter().filter_map(|(entry, _)| match &entry.fact {
            Fact::Recorded(recorded) => Some(recorded.run),
            _ => None,
        });
        Self {
            attestation,
            kept: attestation.verified().filter_map(names).collect(),
            claimed: attestation.unsigned().filter_map(names).collect(),
            removed: removed.collect(),
            versions: versions.collect(),
            recorded: recorded.collect(),
        }
    }

    fn knows(&self, folder: &str) -> bool {
        self.kept.contains_key(folder) || self.claimed.contains_key(folder)
    }

    /// The bags that were added since these were listed.
    fn later(&self, storage: &dyn Storage, listed: &[String]) -> Vec<String> {
        let listed: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
        let names: BTreeSet<&str> = self.kept.keys().chain(self.claimed.keys()).copied().collect();
        let unlisted = names.into_iter().filter(|name| !listed.contains(name) && !self.removed.contains(name));
        let unlisted: Vec<String> = unlisted.map(str::to_owned).collect();
        let are_there = each(storage, &unlisted, |folder| inventory::is_bag(storage, folder));
        unlisted.into_iter().zip(are_there).filter_map(|(folder, is_there)| is_there.then_some(folder)).collect()
    }

    /// Reviews that name the bag of another.
    fn twice(&self) -> Vec<String> {
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        let mut problems = Vec::new();
        for (entry, _) in &self.attestation.chain.entries {
            let Fact::Recorded(Recorded { bag: Some(bag), .. }) = &entry.fact else { continue };
            if let Some(first) = seen.insert(&bag.sha256, entry.number) {
                problems.push(format!(
                    "entries {first} and {} of the ledger name the same bag, sha256 {}: it was used twice",
                    entry.number, bag.sha256
                ));
            }
        }
        problems
    }

    /// The bags that are missing. An unsigned entry does not excuse one.
    fn missing(&self, storage: &dyn Storage, there: &[Bag], period: Option<Period>) -> Vec<Missing> {
        let there: BTreeSet<_> = there.iter().map(|bag| bag.folder.as_str()).collect();
        // The bag of an interrupted run does not count and is not exported.
        let is_meant = |name: &Name<'_>| period.is_none_or(|period| name.due().is_some_and(|due| period.contains(due)));
        let names =
            self.kept.values().chain(self.claimed.values().filter(|name| !self.kept.contains_key(&*name.bag.folder)));
        let missing = names.filter(|name| {
            let folder = name.bag.folder.as_str();
            !there.contains(folder) && !self.removed.contains(folder) && is_meant(name)
        });
        let missing = missing.map(|name| {
            let folder = name.bag.folder.clone();
            let version = self
                .version(&folder)
                .filter(|version| storage.at_version(&folder, version).is_ok_and(|found| found.is_some()));
            Missing { version: version.map(str::to_owned), folder, due: name.due() }
        });
        missing.collect()
    }

    /// The version of a bag that the ledger names.
    fn version(&self, folder: &str) -> Option<&str> {
        self.versions.get(folder).map(|(version, _)| *version)
    }

    /// What is wrong if the object of a bag is not the version that the ledger names.
    fn replaced(&self, storage: &dyn Storage, folder: &str) -> Option<String> {
        let (named, number) = *self.versions.get(folder)?;
        let place = storage.place(folder);
        let current = match storage.version(folder) {
            // A copy of the evidence has no versions.
            Ok(None) => return None,
            Ok(Some(current)) if current == named => return None,
            Ok(Some(current)) => current,
            Err(error) => return Some(format!("the version of {place} cannot be read: {error}")),
        };
        let what = match storage.at_version(folder, named) {
            Ok(Some(bag)) => {
                let found = verify::bag(&*bag, "", &self.attestation.allowed);
                match found.problems.first() {
                    None => "that version is as it was sealed: restore it".to_owned(),
                    Some(problem) => format!("of that version, {problem}"),
                }
            }
            Ok(None) => "that version is not there any more".to_owned(),
            Err(error) => format!("that version cannot be read: {error}"),
        };
        Some(format!("{place} is now {current}, another version than {named}, which entry {number} names; {what}"))
    }

    fn bag(&self, storage: &dyn Storage, folder: String, memory: Option<&Verified>) -> Bag {
        let allowed = &self.attestation.allowed;
        let mut found = match memory {
            Some(memory) => memory.bag(storage, &folder, allowed),
            None => verify::bag(storage, &folder, allowed),
        };
        let (mut problems, mut note) = (Vec::from_iter(self.replaced(storage, &folder)), None);
        let run = found.info.says("External-Identifier").and_then(|id| id.parse::<Uuid>().ok());
        let name = self.kept.get(folder.as_str()).or_else(|| self.claimed.get(folder.as_str()));
        if self.attestation.chain.entries.is_empty() {
            // That there is no ledger is reported once.
        } else if let Some(name) = name {
            problems.extend(name.differences(&found));
            if let Fact::ReviewSealed(sealed) = &name.entry.fact {
                let entries = self.attestation.chain.entries.iter().map(|(entry, _)| entry);
                problems.extend(review::differences(storage, &folder, sealed.review, entries));
            }
            note = self.note(name);
            if problems.is_empty() && self.is_proven(name, &found) {
                found.problems.retain(|problem| !matches!(problem, Problem::Unsigned { .. }));
                note.get_or_insert(format!(
                    "no key was in use then; entry {} of the ledger has its digest",
                    name.entry.number
                ));
            }
        } else if run.is_some_and(|run| folder.contains(&run.to_string()) && !self.recorded.contains(&run)) {
            note = Some(
                "does not count: its run is not recorded; it failed, was interrupted or is still running".to_owned(),
            );
        } else {
            problems.push("no entry of the ledger names this bag: it was added or copied".to_owned());
        }
        if let Some(head) = begun(&found)
            && head.number > 0
            && !self.attestation.chain.entries.is_empty()
        {
            problems.extend(self.attestation.contradiction(&head, "this bag"));
        }
        let source = source::foreign(storage, &folder);
        let source = source.map(|address| format!("read from {address}, which is not a host of the vendor"));
        let note = note.into_iter().chain(source).reduce(|note, source| format!("{note}; {source}"));
        let due = name.and_then(Name::due);
        Bag { folder, found, problems, note, due }
    }

    fn note(&self, name: &Name<'_>) -> Option<String> {
        let number = name.entry.number;
        if !self.kept.contains_key(name.bag.folder.as_str()) {
            return Some(format!("does not count yet: entry {number}, which names it, is not signed"));
        }
        match &name.entry.fact {
            Fact::BagAbandoned { .. } => {
                Some(format!("does not count: its run was interrupted and repeated (entry {number})"))
            }
            Fact::BagOfFailure { .. } => {
                Some(format!("not a review: the answers before its run failed (entry {number})"))
            }
            _ => None,
        }
    }

    /// Whether an unsigned bag is still proven: a verified entry names its digest, and no key was in use when it
    /// was started.
    fn is_proven(&self, name: &Name<'_>, found: &verify::VerifyReport) -> bool {
        let since = begun(found).map_or(name.entry.number, |head| head.number);
        self.kept.contains_key(name.bag.folder.as_str()) && self.attestation.key_at(since).is_none()
    }
}

/// The last entry when a bag was started.
fn begun(bag: &verify::VerifyReport) -> Option<Head> {
    bag.info.says("Rolecall-Ledger").and_then(|head| head.parse().ok())
}

impl Name<'_> {
    /// When its review was due, or when its run failed; `None` if it does not count.
    fn due(&self) -> Option<DateTime<Utc>> {
        match &self.entry.fact {
            Fact::Recorded(recorded) => Some(due(recorded)),
            Fact::BagOfFailure { .. } | Fact::ReviewSealed(_) => Some(self.entry.at),
            _ => None,
        }
    }

    /// How a bag differs from the one that the entry names.
    fn differences(&self, found: &verify::VerifyReport) -> Vec<String> {
        let Self { bag, entry, recorded } = self;
        if found.name.as_ref() != Some(&bag.sha256) {
            return vec![format!(
                "entry {} of the ledger names another bag of this name, sha256 {}: this one was substituted",
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
                format!("entry {} of the ledger names it for the {what} {named}, but it is of {bag}", entry.number)
            })
            .collect()
    }
}
