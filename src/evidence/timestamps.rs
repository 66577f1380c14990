//! Timestamps of bags and of the ledger, beside them: each is an authority's answer as it came, in a file that is named by
//! its digest, which the ledger entry about it also contains. A bag cannot change once it is sealed, so they are not in it.
//!
//! The folder also has the certificates that the answers lead to, and the checkpoints that they are of: a checkpoint in use
//! is replaced by the next one.

mod check;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

pub use self::check::{Proven, Times, check};
use super::{
    SEALED, SIGNATURE,
    ledger::{checkpoint_name, read_checkpoint},
    period::Period,
    storage::{Storage, join, read},
};
use crate::{
    digest::sha256,
    ledger::{
        Entry, Fact, Head,
        fact::{BagName, Covers, Timestamped},
    },
    timestamp::authorities::Stamp,
};

/// The folder of timestamps, beside the bags.
pub const FOLDER: &str = "timestamps";
/// The ending of an authority's answer.
const ANSWER: &str = ".tsr";
/// The ending of a certificate.
const ROOT: &str = ".pem";

/// The key of an authority's answer, by its digest.
pub fn key(token: &str) -> String {
    format!("{FOLDER}/{token}{ANSWER}")
}

/// The key of a trusted certificate, by its digest.
fn root_key(root: &str) -> String {
    format!("{FOLDER}/{root}{ROOT}")
}

/// The keys of a checkpoint that a timestamp is of, and of its signature.
fn checkpoint_keys(number: u64) -> (String, String) {
    let checkpoint = format!("{FOLDER}/{}", checkpoint_name(number));
    let signature = format!("{checkpoint}.sig");
    (checkpoint, signature)
}

/// Something that a timestamp is asked for.
#[derive(Debug, Clone)]
pub struct Covered {
    /// What it is.
    pub covers: Covers,
    /// The bytes that the timestamp is of.
    pub data: Vec<u8>,
    /// What is kept beside the timestamp, by key.
    beside: Vec<(String, Vec<u8>)>,
}

/// A bag, to be timestamped.
///
/// # Errors
/// If it cannot be read, or is not the bag of that name.
pub fn bag(storage: &dyn Storage, bag: &BagName) -> io::Result<Covered> {
    let seal = read(storage, &join(&bag.folder, SEALED))?;
    if sha256(&seal) != bag.sha256 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is not as it was sealed", bag.folder)));
    }
    let data = match read(storage, &join(&bag.folder, SIGNATURE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => seal,
        signature => signature?,
    };
    Ok(Covered { covers: Covers::Bag(bag.clone()), data, beside: Vec::new() })
}

/// The ledger up to its last entry, to be timestamped; `None` if that entry has no checkpoint any more.
///
/// # Errors
/// If the checkpoint cannot be read.
pub fn ledger(storage: &dyn Storage, head: &Head) -> io::Result<Option<Covered>> {
    let name = checkpoint_name(head.number);
    let checkpoint = read_checkpoint(storage, &name).map_err(io::Error::other)?;
    let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.head == *head) else { return Ok(None) };
    let (text_key, signature_key) = checkpoint_keys(head.number);
    let data = checkpoint.signature.clone().unwrap_or_else(|| checkpoint.text.clone());
    let mut beside = vec![(text_key, checkpoint.text)];
    beside.extend(checkpoint.signature.map(|signature| (signature_key, signature)));
    Ok(Some(Covered { covers: Covers::Ledger(head.clone()), data, beside }))
}

/// Keeps a timestamp. It is durable when this returns, and counts once the ledger has the fact.
///
/// # Errors
/// If it cannot be written.
pub fn keep(storage: &dyn Storage, covered: &Covered, stamp: &Stamp) -> io::Result<Timestamped> {
    let (root, token) = (stamp.root.sha256(), sha256(&stamp.answer));
    let pem = stamp.root.pem().map_err(io::Error::other)?;
    let objects = covered.beside.iter().map(|(key, content)| (key.clone(), content.as_slice()));
    let objects = objects.chain([(root_key(&root), pem.as_bytes()), (key(&token), stamp.answer.as_slice())]);
    for (key, content) in objects {
        put(storage, &key, content)?;
    }
    Ok(Timestamped {
        covers: covered.covers.clone(),
        token,
        time: stamp.token.at,
        authority: stamp.authority.to_string(),
        root,
    })
}

/// Puts an object unless the same is there already.
fn put(storage: &dyn Storage, key: &str, content: &[u8]) -> io::Result<()> {
    match storage.put_new(key, content) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if read(storage, key)? == content {
                return Ok(());
            }
            let place = storage.place(key);
            Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{place} exists with another content")))
        }
        put => put,
    }
}

/// Removes the timestamp of a bag that is removed.
///
/// # Errors
/// If it cannot be removed.
pub fn remove(storage: &dyn Storage, token: &str) -> io::Result<()> {
    storage.remove(&key(token))
}

/// The timestamps that belong to some bags and a period, or to all time, each with the number of its entry: those of the
/// bags, and those of the ledger from the beginning of the period up to the first one after it.
pub fn named<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    bags: &BTreeSet<&str>,
    period: Option<Period>,
) -> Vec<(&'a Entry, &'a Timestamped)> {
    let mut named = Vec::new();
    let mut is_over = false;
    for entry in entries {
        let Fact::Timestamped(timestamped) = &entry.fact else { continue };
        let is_meant = match (&timestamped.covers, period) {
            (Covers::Bag(bag), _) => bags.contains(bag.folder.as_str()),
            (Covers::Ledger(_), None) => true,
            (Covers::Ledger(_), Some(period)) => {
                let is_first_after = timestamped.time >= period.to && !is_over;
                is_over |= timestamped.time >= period.to;
                period.contains(timestamped.time) || is_first_after
            }
        };
        if is_meant {
            named.push((entry, timestamped));
        }
    }
    named
}

/// The keys of everything that belongs to some timestamps.
///
/// # Errors
/// If the storage cannot be read.
pub fn keys(storage: &dyn Storage, named: &[(&Entry, &Timestamped)]) -> io::Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for (_, timestamped) in named {
        keys.extend([key(&timestamped.token), root_key(&timestamped.root)]);
        if let Covers::Ledger(head) = &timestamped.covers {
            let (checkpoint, signature) = checkpoint_keys(head.number);
            if super::storage::has(storage, &signature)? {
                keys.insert(signature);
            }
            keys.insert(checkpoint);
        }
    }
    Ok(keys)
}

/// The timestamp of each bag, by folder, among entries.
pub fn of_bags<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeMap<&'a str, &'a Timestamped> {
    let of_bag = |entry: &'a Entry| match &entry.fact {
        Fact::Timestamped(timestamped) => match &timestamped.covers {
            Covers::Bag(bag) => Some((bag.folder.as_str(), timestamped)),
            Covers::Ledger(_) => None,
        },
        _ => None,
    };
    entries.into_iter().filter_map(of_bag).collect()
}
