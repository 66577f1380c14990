//! Which bags were found to be as they were sealed, so that an unchanged one need not be read again.
//!
//! What is remembered of a bag is its seal and how its files looked before they were read: size, inode, and the times of the
//! last change of content and of metadata. The second one cannot be set by whoever changes a file, except by the administrator of
//! the machine or with its clock; such a change is found when everything is read. The note is signed by the key of the evidence,
//! so that nobody without that key can write one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{
    key::{KeyError, SigningKey},
    signers::Allowed,
    storage::{Look, Storage},
    verify::{self, VerifyReport},
};

/// The first line of a note. No other signed text of the evidence begins like this.
const TITLE: &str = "rolecall: bags that were verified";

/// A file that was changed so shortly before it was read may be changed again with the same times.
const SETTLED: Duration = Duration::from_secs(2);

/// What is remembered of a bag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The SHA-256 of its seal.
    sealed: String,
    /// How its files looked.
    look: String,
}

/// A note as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// The evidence.
    place: String,
    /// The version that verified: a later one may find more.
    version: String,
    bags: BTreeMap<String, Seen>,
}

/// The bags that were verified before, and those that are now.
#[derive(Debug)]
pub struct Verified {
    place: String,
    began: SystemTime,
    known: BTreeMap<String, Seen>,
    now: Mutex<BTreeMap<String, Seen>>,
    taken: Mutex<BTreeSet<String>>,
}

impl Verified {
    /// What an earlier note says about evidence. A note that this key did not sign, or that is about other evidence, says
    /// nothing.
    pub fn of(note: Option<&str>, storage: &dyn Storage, key: &SigningKey) -> Self {
        let place = storage.place("");
        let known = note
            .and_then(|note| read(note, key))
            .filter(|note| note.place == place && note.version == env!("CARGO_PKG_VERSION"));
        Self {
            place,
            began: SystemTime::now(),
            known: known.map(|note| note.bags).unwrap_or_default(),
            now: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    /// Whether there is nothing to remember: no bag is sound, or the storage cannot tell whether one has changed.
    pub fn is_empty(&self) -> bool {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// How many bags were not read again.
    pub fn taken(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Verifies a bag. Of one that is unchanged since it was verified, only the seal, the signature and what it says of itself
    /// are read.
    pub(super) fn bag(&self, storage: &dyn Storage, folder: &str, allowed: &Allowed) -> VerifyReport {
        let look = storage.look(folder).ok().flatten();
        if let Some((look, seen)) = look.as_ref().zip(self.known.get(folder))
            && look.sha256 == seen.look
            && let Some(found) = verify::unchanged(storage, folder, allowed)
            && found.name.as_ref() == Some(&seen.sealed)
        {
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
            self.remember(folder, seen.clone());
            return found;
        }
        let found = verify::bag(storage, folder, allowed);
        if found.problems.is_empty()
            && let Some((look, sealed)) = look.zip(found.name.clone())
            && self.is_settled(&look)
            && storage.look(folder).ok().flatten().is_some_and(|after| after == look)
        {
            self.remember(folder, Seen { sealed, look: look.sha256 });
        }
        found
    }

    fn is_settled(&self, look: &Look) -> bool {
        self.began.duration_since(look.changed_at).is_ok_and(|age| age > SETTLED)
    }

    fn remember(&self, folder: &str, seen: Seen) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), seen);
    }

    /// The note for the next time.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot be signed.
    pub fn note(&self, key: &SigningKey) -> Result<String, KeyError> {
        let bags = self.now.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let note = Note { place: self.place.clone(), version: env!("CARGO_PKG_VERSION").to_owned(), bags };
        // These types can always be written.
        let text = format!("{TITLE}\n{}\n", serde_json::to_string(&note).unwrap_or_default());
        let signature = key.sign(text.as_bytes())?;
        Ok(text + &signature)
    }
}

/// A note that a key signed.
fn read(note: &str, key: &SigningKey) -> Option<Note> {
    let (title, rest) = note.split_once('\n')?;
    let (json, signature) = rest.split_once('\n')?;
    let allowed = Allowed::parse(&key.signer().ok()?, chrono::DateTime::UNIX_EPOCH);
    allowed.verify(format!("{title}\n{json}\n").as_bytes(), signature.as_bytes()).ok()?;
    serde_json::from_str(json).ok().filter(|_| title == TITLE)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::evidence::{draft::Draft, storage::folder::Folder};

    fn bag(storage: &Folder, key: &SigningKey, folder: &str) {
        let draft = Draft::begin(storage, folder).unwrap();
        draft.add("answers/1.json", |writer| writer.write_all(b"{}")).unwrap();
        draft.finish(storage, &[], &[], Some(key)).unwrap();
    }

    /// Verifies both bags as of a later time; how many were taken from memory, how many are sound, and the next note.
    fn verified(storage: &Folder, key: &SigningKey, note: Option<&str>) -> (usize, usize, String) {
        let allowed = Allowed::parse(&key.signer().unwrap(), chrono::DateTime::UNIX_EPOCH);
        let mut memory = Verified::of(note, storage, key);
        memory.began += Duration::from_mins(1);
        let found = ["one", "two"].map(|folder| memory.bag(storage, folder, &allowed).problems.is_empty());
        (memory.taken(), found.into_iter().filter(|is_sound| *is_sound).count(), memory.note(key).unwrap())
    }

    fn rewrite(path: &Path, content: &[u8]) {
        use std::os::unix::fs::PermissionsExt as _;
        let before = fs::metadata(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(path, content).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        fs::set_permissions(path, before.permissions()).unwrap();
    }

    #[test]
    fn an_unchanged_bag_is_not_read_again_and_a_changed_one_is_even_with_its_old_size_and_time() {
        let folder = tempfile::tempdir().unwrap();
        let (storage, key) = (Folder::new(folder.path()), SigningKey::generate("").unwrap());
        for name in ["one", "two"] {
            bag(&storage, &key, name);
        }
        let (taken, sound, note) = verified(&storage, &key, None);
        assert_eq!((taken, sound), (0, 2));
        let (taken, sound, note) = verified(&storage, &key, Some(&note));
        assert_eq!((taken, sound), (2, 2));
        rewrite(&folder.path().join("one/data/answers/1.json"), b"[]");
        assert_eq!(verified(&storage, &key, Some(&note)).0, 1);
        assert_eq!(verified(&storage, &key, Some(&note)).1, 1);
    }

    #[test]
    fn a_note_counts_only_if_the_key_signed_it_as_it_is_for_this_evidence() {
        let folder = tempfile::tempdir().unwrap();
        let (storage, key) = (Folder::new(folder.path()), SigningKey::generate("").unwrap());
        for name in ["one", "two"] {
            bag(&storage, &key, name);
        }
        let (_, _, note) = verified(&storage, &key, None);
        let other = SigningKey::generate("").unwrap();
        assert_eq!(Verified::of(Some(&note), &storage, &other).known.len(), 0);
        assert_eq!(Verified::of(Some(&note), &Folder::new("elsewhere"), &key).known.len(), 0);
        assert_eq!(Verified::of(Some(&note.replace("\"one\"", "\"six\"")), &storage, &key).known.len(), 0);
        assert_eq!(Verified::of(Some(&note), &storage, &key).known.len(), 2);
        for broken in ["", "x", "x\ny", "x\ny\nz"] {
            assert_eq!(Verified::of(Some(broken), &storage, &key).known.len(), 0);
        }
    }

    #[test]
    fn a_bag_that_was_just_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (storage, key) = (Folder::new(folder.path()), SigningKey::generate("").unwrap());
        bag(&storage, &key, "one");
        let memory = Verified::of(None, &storage, &key);
        let allowed = Allowed::parse(&key.signer().unwrap(), chrono::DateTime::UNIX_EPOCH);
        assert!(memory.bag(&storage, "one", &allowed).problems.is_empty());
        assert!(!memory.note(&key).unwrap().contains("\"one\""));
    }
}
