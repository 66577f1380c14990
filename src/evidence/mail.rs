//! Mails as they were sent, beside the bags: each a file that is named by its digest, which the ledger entry of its delivery
//! also contains.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use uuid::Uuid;

use super::{
    attestation::Attestation,
    period::Period,
    storage::{Item, Kind, Storage, each},
};
use crate::{
    digest::{sha256, sha256_of},
    ledger::{Entry, Fact, fact::Delivery},
};

/// The folder of mails, beside the bags.
pub const FOLDER: &str = "mail";
const ENDING: &str = ".eml";

/// The key of the mail with a digest.
pub fn key(sha256: &str) -> String {
    format!("{FOLDER}/{sha256}{ENDING}")
}

/// Keeps a mail, unless it is kept already. It is durable when this returns.
///
/// # Errors
/// If it cannot be written; then there is no such file.
pub fn keep(storage: &dyn Storage, bytes: &[u8]) -> io::Result<()> {
    match storage.put_new(&key(&sha256(bytes)), bytes) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        put => put,
    }
}

/// Removes a mail, if it is there.
///
/// # Errors
/// If it cannot be removed.
pub fn remove(storage: &dyn Storage, sha256: &str) -> io::Result<()> {
    storage.remove(&key(sha256))
}

/// The mails that a ledger says are kept, by their digests, each with the number of its entry: those of a period, or all.
/// A mail belongs to the period of its audit and is removed with its bag; the mail of a run without an audit belongs to the
/// period in which it was sent, and so does one about a review by people until that review's bag is removed.
pub fn named<'a>(entries: impl IntoIterator<Item = &'a Entry>, period: Option<Period>) -> BTreeMap<&'a str, u64> {
    let (mut mails, mut reviews, mut removed) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    let mut by_people = BTreeMap::new();
    for entry in entries {
        match &entry.fact {
            Fact::Delivery(delivery) if delivery.kept => mails.push((entry, delivery)),
            Fact::Recorded(recorded) => {
                reviews.insert(recorded.run, recorded);
            }
            Fact::ReviewSealed(sealed) => {
                by_people.insert(sealed.review, sealed.bag.folder.as_str());
            }
            Fact::BagRemoved { bag, .. } => {
                removed.insert(bag.folder.as_str());
            }
            _ => {}
        }
    }
    let is_kept = |review: Option<Uuid>| {
        review.and_then(|review| by_people.get(&review)).is_none_or(|bag| !removed.contains(bag))
    };
    let is_meant = |entry: &Entry, delivery: &Delivery| match delivery.run.and_then(|run| reviews.get(&run)) {
        Some(review) => {
            let is_removed = review.bag.as_ref().is_some_and(|bag| removed.contains(bag.folder.as_str()));
            !is_removed && period.is_none_or(|period| period.holds(review))
        }
        None => is_kept(delivery.review) && period.is_none_or(|period| period.contains(entry.at)),
    };
    let meant = mails.into_iter().filter(|(entry, delivery)| is_meant(entry, delivery));
    meant.map(|(entry, delivery)| (delivery.sha256.as_str(), entry.number)).collect()
}

/// What is wrong with the mails of a folder, which were listed before the ledger was read. Each is named by an entry, or is one
/// of those that wait to be sent.
///
/// # Errors
/// If the folder cannot be read.
pub(super) fn problems(
    storage: &dyn Storage,
    items: &[Item],
    attestation: &Attestation,
    period: Option<Period>,
    waiting: &BTreeSet<String>,
) -> io::Result<Vec<String>> {
    let (mut problems, mut there) = (Vec::new(), BTreeSet::new());
    let known = attestation.chain.entries.iter().filter_map(|(entry, _)| match &entry.fact {
        Fact::Delivery(delivery) => Some(delivery.sha256.as_str()),
        _ => None,
    });
    let known: BTreeSet<&str> = known.collect();
    let names: Vec<String> = items.iter().map(|item| format!("{FOLDER}/{}", item.name)).collect();
    let digests = each(storage, &names, |name| storage.get(name).and_then(sha256_of));
    for ((item, name), found) in items.iter().zip(&names).zip(digests) {
        let is_file = matches!(item.kind, Kind::Object(_));
        let Some(digest) = item.name.strip_suffix(ENDING).filter(|_| is_file && !item.name.starts_with('.')) else {
            problems.push(format!("{name} is not a mail: it was added, or a process of an earlier version left it"));
            continue;
        };
        if found? != digest {
            problems.push(format!("{name} does not have the digest in its name: it was changed"));
            continue;
        }
        if !known.contains(digest) && !waiting.contains(digest) {
            problems.push(format!(
                "no entry of the ledger names {name}: it was added, or it waits to be sent, which only the store knows"
            ));
        }
        there.insert(digest.to_owned());
    }
    // One may have been kept since they were listed.
    let is_kept = |digest: &str| storage.get(&key(digest)).and_then(sha256_of).is_ok_and(|found| found == digest);
    let is_there = |digest: &str| there.contains(digest) || is_kept(digest);
    let missing = named(attestation.verified(), period).into_iter().filter(|(digest, _)| !is_there(digest));
    problems.extend(
        missing.map(|(digest, number)| format!("the mail {} of entry {number} is missing or was changed", key(digest))),
    );
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::evidence::storage::memory::Memory;

    fn entry(number: u64, bytes: &[u8], kept: bool) -> Entry {
        let fact = Fact::Delivery(Delivery {
            run: Some(Uuid::nil()),
            review: None,
            kind: "report".into(),
            about: String::new(),
            recipient: "a@example.com".into(),
            message_id: format!("<{number}@example.com>"),
            sha256: sha256(bytes),
            accepted: true,
            answer: "250 ok".into(),
            kept,
        });
        Entry { number, at: DateTime::UNIX_EPOCH, previous: String::new(), fact }
    }

    #[test]
    fn each_mail_that_the_ledger_names_must_be_there_as_it_was_sent() {
        let storage = Memory::new();
        let entries = [entry(1, b"kept", true), entry(2, b"older", false)];
        let waiting = BTreeSet::from([sha256(b"waits")]);
        let attestation = Attestation::testing(&entries);
        let found = || problems(&storage, &storage.list(FOLDER).unwrap(), &attestation, None, &waiting).unwrap();
        assert!(found()[0].ends_with("of entry 1 is missing or was changed") && found().len() == 1);
        for _ in 0..2 {
            keep(&storage, b"kept").unwrap();
            keep(&storage, b"waits").unwrap();
        }
        assert_eq!(found(), [""; 0], "one that waits is not in the ledger yet");
        remove(&storage, &sha256(b"kept")).unwrap();
        storage.put_new(&key(&sha256(b"kept")), b"Kept").unwrap();
        storage.put_new("mail/notes.txt", b"").unwrap();
        storage.put_new("mail/.notes", b"").unwrap();
        keep(&storage, b"forged").unwrap();
        let mut said = found();
        said.sort();
        let forged = format!("no entry of the ledger names {}: it was added", key(&sha256(b"forged")));
        assert_eq!(said.len(), 5, "{said:?}");
        for part in [
            "it was changed",
            "mail/notes.txt is not a mail",
            "mail/.notes is not a mail",
            &forged,
            "of entry 1 is missing",
        ] {
            assert!(said.iter().any(|said| said.contains(part)), "{part}: {said:?}");
        }
        // Another period asks for none.
        let day = |day| DateTime::UNIX_EPOCH + chrono::Duration::days(day);
        assert!(named(&entries, Some(Period { from: day(1), to: day(2) })).is_empty());
        assert_eq!(named(&entries, Some(Period { from: day(0), to: day(1) })).len(), 1);
        remove(&storage, &sha256(b"kept")).unwrap();
        remove(&storage, &sha256(b"kept")).unwrap();
    }
}
