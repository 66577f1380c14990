//! A folder of evidence as it is found: its bags, its ledger, its checkpoint, and whether they say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    key::Allowed,
    ledger::{LEDGER, checkpoints},
    mail, verify,
};
use crate::ledger::{
    Entry, Fact, Head,
    chain::{self, Found as Chain},
    clock,
    fact::{BagName, Recorded},
};

/// What an export says of itself: only the bags of a period are in it.
pub const PERIOD: &str = "period.json";

/// The period of an export: bags of reviews that were due from `from` up to `to` are in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first moment.
    pub from: chrono::DateTime<chrono::Utc>,
    /// The first moment after it.
    pub to: chrono::DateTime<chrono::Utc>,
}

impl Period {
    /// Whether a review belongs to it: by its fire time, or where it has none by when it was read.
    pub fn holds(&self, recorded: &Recorded) -> bool {
        (self.from..self.to).contains(&recorded.fire_at.unwrap_or(recorded.read_from))
    }
}

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
}

impl Bag {
    /// Whether it is as it was sealed, and counts as what the ledger says.
    pub fn is_sound(&self) -> bool {
        self.found.problems.is_empty() && self.problems.is_empty()
    }
}

/// What was found of a folder.
#[derive(Debug)]
pub struct Found {
    /// The bags, by their names.
    pub bags: Vec<Bag>,
    /// The last entry of the ledger.
    pub head: Head,
    /// Who signed for the ledger, up to which entry; none where nobody whom one trusts did.
    pub signed: Option<(String, u64)>,
    /// What is wrong with the ledger, or missing beside it.
    pub problems: Vec<String>,
    /// What there is to know of the ledger that is no problem of it.
    pub remarks: Vec<String>,
}

impl Found {
    /// Whether everything is as it was written.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.bags.iter().all(Bag::is_sound)
    }
}

/// Checks a folder of evidence. Keys that the ledger names are trusted as far as somebody who is trusted signed for it:
/// so bags outlive the key that signed them. `witnesses` are entries that somebody else wrote down, from a mail say.
///
/// # Errors
/// Where the folder cannot be read.
pub fn folder(folder: &Path, mut allowed: Allowed, witnesses: &[Head]) -> io::Result<Found> {
    let mut problems = Vec::new();
    let text = match fs::read(folder.join(LEDGER)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            problems.push(format!("there is no {LEDGER}: nothing says which reviews there should be"));
            String::new()
        }
        Err(error) => return Err(error),
    };
    let chain = chain::read(&text);
    problems.extend(chain.faults.iter().map(|fault| format!("{LEDGER}: {fault}")));
    for witness in witnesses {
        problems.extend(disagreement(&chain, witness, "the witness"));
    }
    let mut vouched = None;
    let checkpoints = checkpoints(folder)?;
    if checkpoints.is_empty() && !chain.entries.is_empty() {
        problems.push("there is no checkpoint: whoever cut entries off the end of the ledger took it away".to_owned());
    }
    for (_, path) in checkpoints {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match checkpoint(&path, &allowed) {
            Ok((head, signer)) => {
                let wrong = disagreement(&chain, &head, &name);
                if wrong.is_none() && chain.faults.is_empty() {
                    vouched = signer.map(|signer| (signer, head.number)).or(vouched);
                }
                problems.extend(wrong);
            }
            Err(why) => problems.push(format!("{name}: {why}")),
        }
    }
    if let Some((_, upto)) = &vouched {
        for (entry, _) in chain.entries.iter().filter(|(entry, _)| entry.number <= *upto) {
            if let Fact::Key { signer, .. } = &entry.fact {
                allowed.also(signer);
            }
        }
    }
    let named = Named::of(&chain);
    let period = fs::read(folder.join(PERIOD)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    problems.extend(mail::problems(folder, chain.entries.iter().map(|(entry, _)| entry), period)?);
    let there = bags(folder)?;
    problems.extend(
        named.missing(&there, period).map(|bag| {
            format!("the bag {bag} is in the ledger and is not there: it was taken away or has another name")
        }),
    );
    let bags = there.into_iter().map(|path| bag(path, &allowed, &chain, &named)).collect();
    let set_back = clock::set_back(chain.entries.iter().map(|(entry, _)| entry));
    let remarks = set_back.iter().map(ToString::to_string).collect();
    Ok(Found { bags, head: chain.head(), signed: vouched, problems, remarks })
}

/// The bags of a folder, the oldest first by their names.
///
/// # Errors
/// Where the folder cannot be read.
pub fn bags(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut bags = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.join("bagit.txt").is_file() && !is_hidden {
            bags.push(path);
        }
    }
    bags.sort();
    Ok(bags)
}

/// Where an entry that somebody wrote down is not what the ledger has.
fn disagreement(chain: &Chain, head: &Head, who: &str) -> Option<String> {
    let last = chain.head().number;
    match chain.sha256(head.number) {
        Some(sha256) if sha256 == head.sha256 => None,
        Some(_) => Some(format!("{LEDGER}: entry {} is not the one that {who} knows: it was rewritten", head.number)),
        None if head.number > last => Some(format!(
            "{LEDGER} ends with entry {last}, and {who} knows entry {}: the end was cut off, or an old state put back",
            head.number
        )),
        None => Some(format!("{LEDGER} has no entry {}, which {who} knows", head.number)),
    }
}

fn checkpoint(path: &Path, allowed: &Allowed) -> Result<(Head, Option<String>), String> {
    let bytes = fs::read(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| format!("it is no checkpoint: {error}"))?;
    if allowed.is_empty() {
        return Ok((head, None));
    }
    let signature = fs::read(path.with_added_extension("sig")).map_err(|error| format!("it is not signed: {error}"))?;
    let signer = allowed.verify(&bytes, &signature).map_err(|why| format!("the signature does not hold: {why}"))?;
    Ok((head, Some(signer)))
}

/// The bags that a ledger names.
struct Named<'a> {
    /// Those that are to be there, and their entry.
    kept: BTreeMap<&'a str, (&'a BagName, &'a Entry)>,
    /// Those that do not count.
    abandoned: BTreeSet<&'a str>,
    /// Those of runs that failed.
    failed: BTreeSet<&'a str>,
    removed: BTreeMap<&'a str, &'a Entry>,
    /// Runs whose review is recorded.
    recorded: BTreeSet<Uuid>,
}

impl<'a> Named<'a> {
    fn of(chain: &'a Chain) -> Self {
        let mut named = Self {
            kept: BTreeMap::new(),
            abandoned: BTreeSet::new(),
            failed: BTreeSet::new(),
            removed: BTreeMap::new(),
            recorded: BTreeSet::new(),
        };
        for (entry, _) in &chain.entries {
            match &entry.fact {
                Fact::Recorded(recorded) => {
                    named.recorded.insert(recorded.run);
                    if let Some(bag) = &recorded.bag {
                        named.kept.insert(&bag.folder, (bag, entry));
                    }
                }
                Fact::BagAbandoned { bag, .. } => {
                    named.abandoned.insert(&bag.folder);
                    named.kept.insert(&bag.folder, (bag, entry));
                }
                Fact::BagOfFailure { bag, .. } => {
                    named.failed.insert(&bag.folder);
                    named.kept.insert(&bag.folder, (bag, entry));
                }
                Fact::BagRemoved { bag, .. } => {
                    named.removed.insert(&bag.folder, entry);
                }
                _ => {}
            }
        }
        named
    }

    /// The bags that should be there and are not.
    fn missing(&self, there: &[PathBuf], period: Option<Period>) -> impl Iterator<Item = &'a str> {
        let there: BTreeSet<&str> = there.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        let is_meant = move |entry: &Entry| match (&entry.fact, period) {
            (_, None) => true,
            (Fact::Recorded(recorded), Some(period)) => period.holds(recorded),
            (_, Some(_)) => false,
        };
        let missing = self.kept.iter().filter(|(folder, (_, entry))| {
            !there.contains(*folder) && !self.removed.contains_key(*folder) && is_meant(entry)
        });
        missing.map(|(folder, _)| *folder).collect::<Vec<_>>().into_iter()
    }
}

fn bag(path: PathBuf, allowed: &Allowed, chain: &Chain, named: &Named<'_>) -> Bag {
    let found = verify::bag(&path, allowed);
    let (mut problems, mut note) = (Vec::new(), None);
    let folder = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let info = fs::read_to_string(path.join("bag-info.txt")).unwrap_or_default();
    let says = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let run = says("External-Identifier").and_then(|id| id.parse::<Uuid>().ok());
    if chain.entries.is_empty() {
        // That there is no ledger is said once.
    } else if let Some((known, entry)) = named.kept.get(folder.as_str()) {
        if found.name.as_ref() != Some(&known.sha256) {
            problems.push(format!(
                "entry {} of the ledger names another bag of this name, sha256 {}: this one was put in its place",
                entry.number, known.sha256
            ));
        } else if named.abandoned.contains(folder.as_str()) {
            note = Some(format!("does not count: its run was cut off and made again (entry {})", entry.number));
        } else if named.failed.contains(folder.as_str()) {
            note = Some(format!("no review: what was answered before its run failed (entry {})", entry.number));
        }
    } else if run.is_some_and(|run| folder.contains(&run.to_string()) && !named.recorded.contains(&run)) {
        note = Some("does not count: its run is not recorded; it failed, was cut off or still goes on".to_owned());
    } else {
        problems.push("no entry of the ledger names this bag: it was put there, or copied".to_owned());
    }
    if let Some(head) = says("Rolecall-Ledger").and_then(|head| head.parse::<Head>().ok())
        && head.number > 0
        && !chain.entries.is_empty()
    {
        problems.extend(disagreement(chain, &head, "this bag"));
    }
    Bag { path, found, problems, note }
}
