//! Mails as they were handed over, beside the bags: each a file that is named by its digest, which the ledger's entry of its
//! delivery names too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::period::Period;
use crate::{
    digest::sha256,
    ledger::{Entry, Fact},
};

/// The folder of mails, beside the bags.
pub const FOLDER: &str = "mail";
const ENDING: &str = ".eml";

/// Where the mail of a digest is, in a folder of evidence.
pub fn path(folder: &Path, sha256: &str) -> PathBuf {
    folder.join(FOLDER).join(format!("{sha256}{ENDING}"))
}

/// Keeps a mail, where it is not kept yet. It is on the disk when this returns.
///
/// # Errors
/// Where it cannot be written; then there is no such file.
pub fn keep(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let sha256 = sha256(bytes);
    let target = path(folder, &sha256);
    if target.exists() {
        return Ok(());
    }
    let mails = folder.join(FOLDER);
    fs::create_dir_all(&mails)?;
    fs::set_permissions(&mails, fs::Permissions::from_mode(0o700))?;
    let draft = mails.join(format!(".{sha256}"));
    // One that a dead process left is read-only.
    let _ = fs::remove_file(&draft);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, &target)?;
        fs::File::open(&mails)?.sync_all()
    });
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Removes a mail, if it is there.
///
/// # Errors
/// Where it cannot be removed.
pub fn remove(folder: &Path, sha256: &str) -> io::Result<()> {
    match fs::remove_file(path(folder, sha256)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The mails that a ledger says are kept, by their digests, each with the number of its entry: those of a period, or all.
/// A mail belongs to where its review does, and is removed with its bag; that of a run without a review belongs to when it
/// was sent.
pub fn named<'a>(entries: impl IntoIterator<Item = &'a Entry>, period: Option<Period>) -> BTreeMap<&'a str, u64> {
    let (mut mails, mut reviews, mut removed) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    for entry in entries {
        match &entry.fact {
            Fact::Delivery(delivery) if delivery.kept => mails.push((entry, delivery)),
            Fact::Recorded(recorded) => {
                reviews.insert(recorded.run, recorded);
            }
            Fact::BagRemoved { bag, .. } => {
                removed.insert(bag.folder.as_str());
            }
            _ => {}
        }
    }
    let is_meant = |entry: &Entry, run: Uuid| match reviews.get(&run) {
        Some(review) => {
            let is_removed = review.bag.as_ref().is_some_and(|bag| removed.contains(bag.folder.as_str()));
            !is_removed && period.is_none_or(|period| period.holds(review))
        }
        None => period.is_none_or(|period| (period.from..period.to).contains(&entry.at)),
    };
    let meant = mails.into_iter().filter(|(entry, delivery)| is_meant(entry, delivery.run));
    meant.map(|(entry, delivery)| (delivery.sha256.as_str(), entry.number)).collect()
}

/// What is wrong with the mails of a folder. One that the ledger does not name may still wait to be sent.
///
/// # Errors
/// Where the folder cannot be read.
pub(super) fn problems<'a>(
    folder: &Path,
    entries: impl IntoIterator<Item = &'a Entry>,
    period: Option<Period>,
) -> io::Result<Vec<String>> {
    let (mut problems, mut there) = (Vec::new(), BTreeSet::new());
    let mails = match fs::read_dir(folder.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        mails => Some(mails?),
    };
    for mail in mails.into_iter().flatten() {
        let mail = mail?;
        let name = mail.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            // Half a mail, that a dead process left.
            continue;
        }
        let is_file = mail.file_type()?.is_file();
        match name.strip_suffix(ENDING).filter(|_| is_file) {
            Some(digest) if digest == sha256(&fs::read(mail.path())?) => {
                there.insert(digest.to_owned());
            }
            Some(_) => problems.push(format!("{FOLDER}/{name} is not the mail that its name says: it was changed")),
            None => problems.push(format!("{FOLDER}/{name} is no mail: it was put there")),
        }
    }
    let missing = named(entries, period).into_iter().filter(|(digest, _)| !there.contains(*digest));
    problems.extend(missing.map(|(digest, number)| {
        format!("the mail {FOLDER}/{digest}{ENDING} of entry {number} is not there as it was sent")
    }));
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::ledger::fact::Delivery;

    fn entry(number: u64, bytes: &[u8], kept: bool) -> Entry {
        let fact = Fact::Delivery(Delivery {
            run: Uuid::nil(),
            kind: "report".into(),
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
        let folder = tempfile::tempdir().unwrap();
        let entries = [entry(1, b"kept", true), entry(2, b"older", false)];
        let found = || problems(folder.path(), &entries, None).unwrap();
        assert!(found()[0].ends_with("of entry 1 is not there as it was sent") && found().len() == 1);
        for _ in 0..2 {
            keep(folder.path(), b"kept").unwrap();
            keep(folder.path(), b"waits").unwrap();
        }
        assert_eq!(found(), [""; 0], "one that waits is none of the ledger's yet");
        let kept = path(folder.path(), &sha256(b"kept"));
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o400);
        fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&kept, "Kept").unwrap();
        fs::write(folder.path().join("mail/notes.txt"), "").unwrap();
        let mut said = found();
        said.sort();
        assert!(
            said[0].ends_with("it was changed") && said[1] == "mail/notes.txt is no mail: it was put there",
            "{said:?}"
        );
        assert!(said[2].ends_with("of entry 1 is not there as it was sent"), "{said:?}");
        // Another period asks for none.
        let day = |day| DateTime::UNIX_EPOCH + chrono::Duration::days(day);
        assert!(named(&entries, Some(Period { from: day(1), to: day(2) })).is_empty());
        assert_eq!(named(&entries, Some(Period { from: day(0), to: day(1) })).len(), 1);
        remove(folder.path(), &sha256(b"kept")).unwrap();
        remove(folder.path(), &sha256(b"kept")).unwrap();
    }
}
