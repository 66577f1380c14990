//! The ledger as a log beside the bags, one entry a line, and the signed checkpoint of its last entry.

use std::io;

use super::{
    key::SigningKey,
    storage::{Kind, Storage, has, objects::is_unreachable, read},
};
use crate::{
    digest::sha256,
    ledger::{Head, Line},
};

/// The file of entries.
pub const LEDGER: &str = "ledger.jsonl";
/// The beginning of a checkpoint's name; the entry's number and [`CHECKPOINT_END`] follow.
const CHECKPOINT: &str = "checkpoint-";
const CHECKPOINT_END: &str = ".json";
/// How often checkpoints are listed while other processes replace them.
const LOOKS: usize = 10;
/// The suffix of a signature's file name.
const SIGNED: &str = ".sig";

/// The ledger cannot be extended.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file cannot be read or written.
    #[error("cannot write the ledger {place}: {source}. Its entries are unchanged, and the store keeps the rest")]
    File {
        /// The file.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// The file does not end with what was written there.
    #[error(
        "the ledger {place} does not end with an entry of this store: it was changed, another store wrote it, or this store was restored from an older state. Nothing was added. `rolecall evidence verify` shows where they differ; restore the right file, or use another evidence directory"
    )]
    Differs {
        /// The file.
        place: String,
    },
    /// The file has more than the store.
    #[error(
        "the ledger {place} ends with entry {file}, but the store ends with entry {store}: the store was restored from an older state. Nothing was added. Restore the newer store, or use another evidence directory"
    )]
    StoreBehind {
        /// The file.
        place: String,
        /// The number of its last entry.
        file: u64,
        /// The number of the store's last entry.
        store: u64,
    },
    /// The store's own chain is broken.
    #[error(
        "the store's ledger is broken at entry {entry}: it was changed or removed in the database. Nothing was added to {place}. Restore the store from a backup; `rolecall evidence verify` checks all of it"
    )]
    StoreBroken {
        /// The file.
        place: String,
        /// The number of the entry.
        entry: u64,
    },
    /// The checkpoint cannot be signed.
    #[error("cannot sign the checkpoint of the ledger: {0}")]
    Sign(String),
}

impl LedgerError {
    /// Whether the storage cannot be used at present. The entries are added later, after the bags that wait for it.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::File { source, .. } if is_unreachable(source))
    }

    /// What was wrong with a file.
    pub fn of(storage: &dyn Storage, key: &str, source: io::Error) -> Self {
        Self::File { place: storage.place(key), source }
    }
}

/// How a ledger ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// Its last complete line.
    pub head: Head,
    /// Its length in bytes.
    length: u64,
    /// What follows the last whole line: a line that a dead process did not finish.
    torn: Vec<u8>,
}

/// How the ledger ends; at its beginning if there is none.
///
/// # Errors
/// [`LedgerError`]
pub fn tail(storage: &dyn Storage) -> Result<Tail, LedgerError> {
    let failed = |source| LedgerError::of(storage, LEDGER, source);
    let (length, end) = storage.end(LEDGER).map_err(failed)?;
    if length == 0 {
        return Ok(Tail { head: Head::default(), length, torn: Vec::new() });
    }
    if let Some(tail) = tail_of(&end, length - end.len() as u64) {
        return Ok(tail);
    }
    // The last line is longer than a line usually is.
    let mut bytes = storage.read_from(LEDGER, 0).map_err(failed)?;
    bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    if let Some(tail) = tail_of(&bytes, 0) {
        return Ok(tail);
    }
    Err(LedgerError::Differs { place: storage.place(LEDGER) })
}

/// The tail, if the bytes from a position on have a whole last line.
fn tail_of(bytes: &[u8], from: u64) -> Option<Tail> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let begin = bytes[..whole.saturating_sub(1)].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
    if begin.is_none() && from > 0 {
        return None;
    }
    let begin = begin.unwrap_or(0);
    let line = &bytes[begin..whole.saturating_sub(1).max(begin)];
    let number = if line.is_empty() {
        0
    } else {
        // A line that is not an entry was not written by rolecall: no store has an entry of this number.
        let entry = serde_json::from_slice::<serde_json::Value>(line).ok();
        entry.and_then(|entry| entry.get("number")?.as_u64()).unwrap_or(u64::MAX)
    };
    let head = if number == 0 { Head::default() } else { Head { number, sha256: sha256(line) } };
    Some(Tail { head, length: from + bytes.len() as u64, torn: bytes[whole..].to_vec() })
}

/// Appends lines if the ledger still ends as it was found; returns `false` if another process has appended meanwhile.
/// The lines are durable when this returns.
///
/// # Errors
/// [`LedgerError`]
pub fn append(storage: &dyn Storage, found: &Tail, lines: &[Line]) -> Result<bool, LedgerError> {
    let text = lines.iter().fold(String::new(), |text, line| text + &line.text + "\n");
    // A line that a dead process did not finish is completed, and no other.
    let Some(rest) = text.as_bytes().strip_prefix(found.torn.as_slice()) else {
        let is_unchanged = tail(storage)? == *found;
        return if is_unchanged { Err(LedgerError::Differs { place: storage.place(LEDGER) }) } else { Ok(false) };
    };
    storage.append(LEDGER, found.length, rest).map_err(|source| LedgerError::of(storage, LEDGER, source))
}

/// States by whose key the ledger was signed up to an entry, in place of the checkpoint of an earlier one. A signed
/// checkpoint is never removed for an unsigned one. Others that a dead process left are removed by [`tidy`].
///
/// # Errors
/// [`LedgerError`]
pub fn checkpoint(
    storage: &dyn Storage,
    head: &Head,
    earlier: &Head,
    key: Option<&SigningKey>,
) -> Result<(), LedgerError> {
    let failed = |name: &str| {
        let place = storage.place(name);
        move |source| LedgerError::File { place, source }
    };
    let name = checkpoint_name(head.number);
    if !has(storage, &name).map_err(failed(&name))? {
        let text = checkpoint_text(head);
        // The signature first: a checkpoint that is there has its signature.
        if let Some(key) = key {
            let signature = key.sign(text.as_bytes()).map_err(|error| LedgerError::Sign(error.to_string()))?;
            let signed = format!("{name}{SIGNED}");
            put_signature(storage, &signed, signature.as_bytes()).map_err(failed(&signed))?;
        }
        match storage.put_new(&name, text.as_bytes()) {
            // Another process wrote the same.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            put => put.map_err(failed(&name))?,
        }
        // Somebody who has a later one may have replaced this one since it was signed: the signature is gone, so it goes too.
        let signed = format!("{name}{SIGNED}");
        if key.is_some() && !has(storage, &signed).map_err(failed(&signed))? {
            return storage.remove(&name).map_err(failed(&name));
        }
    }
    // After unsigned ones, the last signed one is still there too.
    let signed = format!("{}{SIGNED}", checkpoint_name(earlier.number));
    let signs_again = key.is_some() && earlier.number > 0 && !has(storage, &signed).map_err(failed(&signed))?;
    replace(storage, earlier.number, head, key)?;
    if signs_again { tidy(storage, head, key) } else { Ok(()) }
}

/// Removes a checkpoint that a later one replaces.
fn replace(storage: &dyn Storage, earlier: u64, head: &Head, key: Option<&SigningKey>) -> Result<(), LedgerError> {
    if earlier == 0 || earlier >= head.number {
        return Ok(());
    }
    let name = checkpoint_name(earlier);
    let signed = format!("{name}{SIGNED}");
    if key.is_some() || !has(storage, &signed).map_err(|source| LedgerError::of(storage, &signed, source))? {
        // An old checkpoint that stays with its signature does no harm: it is still true. Another process that writes the same
        // one may put it back after its first removal, and finds no signature after its second.
        let _ = storage.remove(&name).and_then(|()| storage.remove(&signed)).and_then(|()| storage.remove(&name));
    }
    Ok(())
}

/// Removes every checkpoint that the one of this entry replaces. It lists the whole storage, so it is not for every write.
///
/// # Errors
/// [`LedgerError`]
pub fn tidy(storage: &dyn Storage, head: &Head, key: Option<&SigningKey>) -> Result<(), LedgerError> {
    if !has_checkpoint(storage, head)? {
        return Ok(());
    }
    for (number, _) in checkpoints(storage).map_err(|source| LedgerError::of(storage, "", source))? {
        replace(storage, number, head, key)?;
    }
    Ok(())
}

/// Puts the signature of a checkpoint that is not there yet, in place of one that a dead process left.
fn put_signature(storage: &dyn Storage, name: &str, signature: &[u8]) -> io::Result<()> {
    match storage.put_new(name, signature) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if read(storage, name)? == signature {
                return Ok(());
            }
            storage.remove(name)?;
            storage.put_new(name, signature)
        }
        put => put,
    }
}

/// The name of the checkpoint of an entry.
pub(super) fn checkpoint_name(number: u64) -> String {
    format!("{CHECKPOINT}{number:08}{CHECKPOINT_END}")
}

/// What is in a checkpoint.
pub(super) fn checkpoint_text(head: &Head) -> String {
    format!("{{\"number\":{},\"sha256\":\"{}\"}}\n", head.number, head.sha256)
}

/// Whether an entry has its checkpoint.
///
/// # Errors
/// [`LedgerError`]
pub fn has_checkpoint(storage: &dyn Storage, head: &Head) -> Result<bool, LedgerError> {
    let name = checkpoint_name(head.number);
    has(storage, &name).map_err(|source| LedgerError::of(storage, &name, source))
}

/// The number of the entry that a checkpoint's name is about; `None` if it is the name of something else.
fn checkpoint_number(name: &str) -> Option<u64> {
    name.strip_prefix(CHECKPOINT)?.strip_suffix(CHECKPOINT_END)?.parse().ok()
}

/// Whether this is the name of a checkpoint or of its signature.
pub(super) fn is_checkpoint(name: &str) -> bool {
    checkpoint_number(name.strip_suffix(SIGNED).unwrap_or(name)).is_some()
}

/// The names of the checkpoints, by the number of their entry. There are several only for a moment, or if the last one
/// is not signed: then the last signed one stays too.
///
/// # Errors
/// If the storage cannot be read.
pub fn checkpoints(storage: &dyn Storage) -> io::Result<Vec<(u64, String)>> {
    let items = storage.list("")?.into_iter().filter(|item| !matches!(item.kind, Kind::Folder | Kind::Draft));
    let mut found: Vec<_> = items.filter_map(|item| Some((checkpoint_number(&item.name)?, item.name))).collect();
    found.sort();
    Ok(found)
}

/// A checkpoint as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The entry.
    pub head: Head,
    /// The file's name.
    pub name: String,
    /// What is in the file.
    pub text: Vec<u8>,
    /// The content of its signature's file; `None` if there is none.
    pub signature: Option<Vec<u8>>,
}

impl Checkpoint {
    /// The name of the file with its signature.
    pub fn signature_name(&self) -> String {
        format!("{}{SIGNED}", self.name)
    }
}

/// A checkpoint as found; an error says why it is not one, in words.
pub(super) type Read = Result<Checkpoint, String>;

/// Reads all checkpoints; each with its name. Other processes may replace one after it was listed: then all are listed again.
///
/// # Errors
/// If the storage cannot be listed.
pub(super) fn read_checkpoints(storage: &dyn Storage) -> io::Result<Vec<(String, Read)>> {
    let mut look = 1;
    loop {
        let mut is_settled = true;
        let mut found = Vec::new();
        for (_, name) in checkpoints(storage)? {
            let read = read_checkpoint(storage, &name).and_then(|read| {
                is_settled &= read.is_some();
                read.ok_or_else(|| "it cannot be read: it is listed, but it is not there".to_owned())
            });
            found.push((name, read));
        }
        // A list that is made while one is replaced may have neither.
        if (is_settled && !found.is_empty()) || look == LOOKS {
            return Ok(found);
        }
        look += 1;
    }
}

/// Reads a checkpoint, with its signature if there is one; `None` if it is not there.
///
/// # Errors
/// Why it is not one, in words.
pub(super) fn read_checkpoint(storage: &dyn Storage, name: &str) -> Result<Option<Checkpoint>, String> {
    let text = match read(storage, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| format!("it cannot be read: {error}"))?,
    };
    let head: Head = serde_json::from_slice(&text).map_err(|error| format!("it is not a checkpoint: {error}"))?;
    if checkpoint_text(&head).as_bytes() != text || checkpoint_name(head.number) != name {
        return Err("it is not written as checkpoints are: it was changed".to_owned());
    }
    let signature = match read(storage, &format!("{name}{SIGNED}")) {
        Ok(signature) => Some(signature),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A process that replaces it removes it before its signature.
            if !has(storage, name).map_err(|error| format!("it cannot be read: {error}"))? {
                return Ok(None);
            }
            None
        }
        Err(error) => return Err(format!("its signature cannot be read: {error}")),
    };
    Ok(Some(Checkpoint { head, name: name.to_owned(), text, signature }))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        evidence::storage::{Log as _, memory::Memory},
        ledger::{Fact, chain},
    };

    fn lines(count: usize) -> Vec<Line> {
        let mut head = Head::default();
        let line = |_| {
            let fact = Fact::Key { fingerprint: Some("f".repeat(40_000)), signer: None };
            let line = head.link(DateTime::UNIX_EPOCH, fact).unwrap();
            head = line.head.clone();
            line
        };
        (0..count).map(line).collect()
    }

    fn found(storage: &Memory) -> chain::Chain {
        chain::read(&String::from_utf8(read(storage, LEDGER).unwrap()).unwrap())
    }

    /// A ledger with this text.
    fn written(text: &str) -> Memory {
        let storage = Memory::new();
        assert!(storage.append(LEDGER, 0, text.as_bytes()).unwrap());
        storage
    }

    #[test]
    fn lines_are_added_once_whoever_adds_them() {
        let (storage, lines) = (Memory::new(), lines(5));
        let start = tail(&storage).unwrap();
        assert_eq!(start.head, Head::default());
        assert!(append(&storage, &start, &lines[..2]).unwrap());
        assert!(!append(&storage, &start, &lines[..2]).unwrap(), "another process was faster");
        let then = tail(&storage).unwrap();
        assert_eq!(then.head, lines[1].head);
        assert!(append(&storage, &then, &lines[2..]).unwrap());
        assert!(found(&storage).faults.is_empty());
        assert_eq!(found(&storage).head(), lines[4].head);
    }

    #[test]
    fn a_line_that_was_cut_off_is_completed_and_another_is_left_alone() {
        let lines = lines(2);
        for cut in [1, 300, lines[1].text.len()] {
            let storage = written(&format!("{}\n{}", lines[0].text, &lines[1].text[..cut]));
            let tail = tail(&storage).unwrap();
            assert_eq!(tail.head, lines[0].head);
            assert!(append(&storage, &tail, &lines[1..]).unwrap());
            assert!(found(&storage).faults.is_empty(), "{cut}");
            assert_eq!(found(&storage).head(), lines[1].head);
        }
        let strange = format!("{}\nsomething else", lines[0].text);
        let storage = written(&strange);
        let tail = tail(&storage).unwrap();
        assert!(matches!(append(&storage, &tail, &lines[1..]), Err(LedgerError::Differs { .. })));
        assert_eq!(read(&storage, LEDGER).unwrap(), strange.as_bytes());
    }

    #[test]
    fn the_last_checkpoint_is_kept_and_signed() {
        let storage = Memory::new();
        let key = SigningKey::generate("test").unwrap();
        let mut earlier = Head::default();
        for line in lines(3) {
            checkpoint(&storage, &line.head, &earlier, Some(&key)).unwrap();
            earlier = line.head;
        }
        let kept = checkpoints(&storage).unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0, 3);
        assert_eq!(storage.list("").unwrap().len(), 2, "it and its signature");
    }

    #[test]
    fn a_signature_that_a_dead_process_left_is_replaced() {
        let (storage, head) = (Memory::new(), lines(1)[0].head.clone());
        let key = SigningKey::generate("test").unwrap();
        storage.put_new("checkpoint-00000001.json.sig", b"of another key").unwrap();
        checkpoint(&storage, &head, &Head::default(), Some(&key)).unwrap();
        let signature = read_checkpoint(&storage, "checkpoint-00000001.json").unwrap().unwrap().signature;
        assert_eq!(signature, Some(key.sign(checkpoint_text(&head).as_bytes()).unwrap().into_bytes()));
    }

    #[test]
    fn what_was_signed_stays_until_something_later_is_signed() {
        let storage = Memory::new();
        let key = SigningKey::generate("test").unwrap();
        let lines = lines(4);
        let kept = |at: usize, key| {
            let earlier = at.checked_sub(1).map_or_else(Head::default, |earlier| lines[earlier].head.clone());
            checkpoint(&storage, &lines[at].head, &earlier, key).unwrap();
            checkpoints(&storage).unwrap().into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        assert_eq!(kept(0, Some(&key)), [1]);
        assert_eq!(kept(1, None), [1, 2]);
        assert_eq!(kept(2, None), [1, 3], "of those that nobody signed, the last is enough");
        assert_eq!(kept(3, Some(&key)), [4], "the unsigned one before it, and the signed one before that");
        assert_eq!(kept(0, Some(&key)), [1, 4], "as a process leaves it that died between two writes");
        tidy(&storage, &lines[3].head, Some(&key)).unwrap();
        assert_eq!(kept(3, Some(&key)), [4]);
    }
}
