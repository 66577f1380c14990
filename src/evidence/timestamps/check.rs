//! Whether timestamps are as they came, are of what the ledger says, and are valid.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use chrono::{DateTime, Utc};

use super::{ANSWER, FOLDER, ROOT, checkpoint_keys, key, named, root_key};
use crate::{
    digest::sha256,
    evidence::{
        SEALED, SIGNATURE,
        attestation::Attestation,
        ledger::{checkpoint_text, is_checkpoint},
        period::Period,
        storage::{Item, Kind, Storage, join, read},
    },
    ledger::{
        Entry, Fact, Head,
        fact::{Covers, Timestamped},
        timeline::TOLERANCE,
    },
    timestamp::{Roots, Token},
};

/// What timestamps prove.
#[derive(Debug, Default)]
pub struct Times {
    /// How many are good.
    pub good: usize,
    /// Up to which entry the ledger existed at a proven time; `None` if no timestamp proves it.
    pub proven: Option<Proven>,
    /// The certificates that the good ones lead to, by their digests.
    pub roots: BTreeSet<String>,
    /// The entries after the proven ones that name a bag without a timestamp of its own.
    pub unproven: usize,
    /// What is wrong with them.
    pub problems: Vec<String>,
    /// Remarks that are not problems.
    pub remarks: Vec<String>,
}

/// What the last timestamp of the ledger proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The number of the last entry that existed then.
    pub entry: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who says so.
    pub authority: String,
}

/// Checks the timestamps that the verified entries of a ledger name, for these bags and a period, or for all time. `listed` is
/// what was in their folder before the ledger was read.
pub fn check(
    storage: &dyn Storage,
    listed: &[Item],
    attestation: &Attestation,
    bags: &BTreeSet<&str>,
    period: Option<Period>,
) -> Times {
    let mut times = Times::default();
    let checking = Checking { storage, attestation };
    let mut roots = BTreeMap::new();
    for (entry, timestamped) in named(attestation.verified(), bags, period) {
        match checking.one(entry, timestamped, &mut roots) {
            Ok(()) => {
                times.good += 1;
                times.roots.insert(timestamped.root.clone());
                if let Covers::Ledger(head) = &timestamped.covers
                    && times.proven.as_ref().is_none_or(|proven| proven.entry < head.number)
                {
                    let (at, authority) = (timestamped.time, timestamped.authority.clone());
                    times.proven = Some(Proven { entry: head.number, at, authority });
                }
            }
            Err(why) => {
                let key = key(&timestamped.token);
                times.problems.push(format!("the timestamp {key} of entry {}: {why}", entry.number));
            }
        }
    }
    let proven = times.proven.as_ref().map_or(0, |proven| proven.entry);
    let own = super::of_bags(attestation.verified());
    times.unproven = attestation
        .verified()
        .filter(|entry| entry.number > proven)
        .filter_map(bag_of)
        .filter(|folder| bags.contains(folder) && !own.contains_key(folder))
        .count();
    checking.others(listed, &mut times);
    times
}

/// The bag that an entry names.
fn bag_of(entry: &Entry) -> Option<&str> {
    match &entry.fact {
        Fact::Recorded(recorded) => recorded.bag.as_ref().map(|bag| bag.folder.as_str()),
        Fact::BagOfFailure { bag, .. } => Some(&bag.folder),
        Fact::ReviewSealed(sealed) => Some(&sealed.bag.folder),
        _ => None,
    }
}

struct Checking<'a> {
    storage: &'a dyn Storage,
    attestation: &'a Attestation,
}

impl Checking<'_> {
    /// Checks one timestamp; an error says what is wrong.
    fn one(&self, entry: &Entry, timestamped: &Timestamped, roots: &mut BTreeMap<String, Roots>) -> Result<(), String> {
        let answer = self.read(&key(&timestamped.token))?;
        if sha256(&answer) != timestamped.token {
            return Err("it does not have the digest in its name: it was changed".to_owned());
        }
        let token = Token::read(&answer).map_err(|error| error.to_string())?;
        token.covers(&self.data(&timestamped.covers)?).map_err(|error| error.to_string())?;
        if token.at != timestamped.time {
            return Err(format!("it says {}, but the entry says {}", token.at, timestamped.time));
        }
        if token.at > entry.at + TOLERANCE {
            return Err(format!("it says {}, which is later than its entry, {}", token.at, entry.at));
        }
        let root = if let Some(known) = roots.get(&timestamped.root) {
            known.clone()
        } else {
            let key = root_key(&timestamped.root);
            let read = Roots::from_pem(&self.read(&key)?).map_err(|why| format!("{key}: {why}"))?;
            roots.insert(timestamped.root.clone(), read.clone());
            read
        };
        let found = token.root(&root).map_err(|error| error.to_string())?;
        if found.sha256() == timestamped.root {
            return Ok(());
        }
        Err(format!("{} is another certificate than the entry names: it was changed", root_key(&timestamped.root)))
    }

    /// The bytes that a timestamp must be of.
    fn data(&self, covers: &Covers) -> Result<Vec<u8>, String> {
        match covers {
            Covers::Bag(bag) => {
                let seal = self.read(&join(&bag.folder, SEALED))?;
                if sha256(&seal) != bag.sha256 {
                    return Err(format!("it is of the bag {} with another content than is there", bag.folder));
                }
                Ok(self.found(&join(&bag.folder, SIGNATURE))?.unwrap_or(seal))
            }
            Covers::Ledger(head) => self.checkpoint(head),
        }
    }

    fn checkpoint(&self, head: &Head) -> Result<Vec<u8>, String> {
        if let Some(wrong) = self.attestation.contradiction(head, "this timestamp") {
            return Err(wrong);
        }
        let (checkpoint, signature) = checkpoint_keys(head.number);
        let text = self.read(&checkpoint)?;
        if text != checkpoint_text(head).as_bytes() {
            return Err(format!("{checkpoint} is not the checkpoint of entry {}: it was changed", head.number));
        }
        match self.found(&signature)? {
            Some(signed) => {
                let verified = self.attestation.allowed.verify(&text, &signed);
                verified.map_err(|why| format!("{signature} is not valid: {why}"))?;
                Ok(signed)
            }
            None if self.attestation.key_at(head.number).is_none() => Ok(text),
            None => Err(format!("{signature} is missing, although a key was in use")),
        }
    }

    fn read(&self, key: &str) -> Result<Vec<u8>, String> {
        self.found(key)?.ok_or_else(|| format!("{key} is missing"))
    }

    fn found(&self, key: &str) -> Result<Option<Vec<u8>>, String> {
        match read(self.storage, key) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{key} cannot be read: {error}")),
        }
    }

    /// What is there beside the timestamps that entries name. A process that died before it wrote the entry left it, and it
    /// proves nothing; anything else was added.
    fn others(&self, listed: &[Item], times: &mut Times) {
        let mut known = BTreeSet::new();
        for (entry, _) in &self.attestation.chain.entries {
            let Fact::Timestamped(Timestamped { covers, token, root, .. }) = &entry.fact else { continue };
            known.extend([key(token), root_key(root)]);
            if let Covers::Ledger(head) = covers {
                let (checkpoint, signature) = checkpoint_keys(head.number);
                known.extend([checkpoint, signature]);
            }
        }
        for item in listed {
            let key = join(FOLDER, &item.name);
            if known.contains(&key) {
                continue;
            }
            if matches!(item.kind, Kind::Object(_)) && self.is_left_over(&key, &item.name) {
                let why = "is named by no entry of the ledger: a process died before it wrote one. It proves nothing";
                times.remarks.push(format!("{key} {why}"));
            } else {
                times.problems.push(format!("{key} is not part of the evidence"));
            }
        }
    }

    fn is_left_over(&self, key: &str, name: &str) -> bool {
        let Ok(bytes) = read(self.storage, key) else { return false };
        if let Some(digest) = name.strip_suffix(ANSWER) {
            return sha256(&bytes) == digest;
        }
        if let Some(digest) = name.strip_suffix(ROOT) {
            return Roots::from_pem(&bytes).is_ok_and(|roots| roots.has(digest));
        }
        let text = serde_json::from_slice::<Head>(&bytes).ok();
        let is_text = text.is_some_and(|head| {
            checkpoint_keys(head.number).0 == key && self.attestation.contradiction(&head, "it").is_none()
        });
        is_text || name.strip_suffix(".sig").is_some_and(is_checkpoint)
    }
}
