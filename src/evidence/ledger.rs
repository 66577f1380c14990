//! The ledger as a file beside the bags, one entry a line, and the signed checkpoint of its last entry.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{files::read_plain, key::SigningKey};
use crate::{
    digest::sha256,
    ledger::{Head, Line},
};

/// The file of entries.
pub const LEDGER: &str = "ledger.jsonl";
/// The beginning of a checkpoint's name; the entry's number and [`CHECKPOINT_END`] follow.
const CHECKPOINT: &str = "checkpoint-";
const CHECKPOINT_END: &str = ".json";
/// What the name of a signature has more than that of what is signed.
const SIGNED: &str = ".sig";

/// The ledger's file cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file cannot be read or written.
    #[error("the ledger {path} cannot be written: {source}. What it has is untouched, and the store keeps the rest")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file does not end with what was written there.
    #[error(
        "the ledger {path} does not end with an entry of this store: it was changed, another store wrote it, or this one went on from an older state. `rolecall evidence verify` says where. Nothing is added to it; put the right file back, or begin another evidence directory"
    )]
    Differs {
        /// The file.
        path: PathBuf,
    },
    /// The file has more than the store.
    #[error(
        "the ledger {path} ends with entry {file}, and the store with entry {store}: the store is behind, an older state of it was put back. Nothing is added to the file; put the newer store back, or begin another evidence directory"
    )]
    StoreBehind {
        /// The file.
        path: PathBuf,
        /// The number of its last entry.
        file: u64,
        /// The number of the store's last entry.
        store: u64,
    },
    /// The checkpoint cannot be signed.
    #[error("the checkpoint of the ledger cannot be signed: {0}")]
    Sign(String),
}

/// How a ledger's file ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// Its last whole line, as far as it says what it is.
    pub head: Head,
    /// Bytes of whole lines.
    length: u64,
    /// What follows them: a line that a dead process did not finish.
    torn: Vec<u8>,
}

/// How the ledger in a folder ends: at its beginning where there is none.
///
/// # Errors
/// [`LedgerError`]
pub fn tail(folder: &Path) -> Result<Tail, LedgerError> {
    let path = folder.join(LEDGER);
    match File::open(&path) {
        Ok(mut file) => tail_of(&mut file, &path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Tail { head: Head::default(), length: 0, torn: Vec::new() })
        }
        Err(source) => Err(LedgerError::File { path, source }),
    }
}

/// The ledger of a folder, for nobody else until it is closed. It is made where there is none.
fn locked(folder: &Path) -> Result<File, LedgerError> {
    let path = folder.join(LEDGER);
    let open = || {
        fs::create_dir_all(folder)?;
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path)?;
        file.lock().map(|()| file)
    };
    open().map_err(|source| LedgerError::File { path: path.clone(), source })
}

fn tail_of(file: &mut File, path: &Path) -> Result<Tail, LedgerError> {
    let failed = |source| LedgerError::File { path: path.to_owned(), source };
    let size = file.metadata().map_err(failed)?.len();
    // Far longer than a line is; where it is not enough, everything is read.
    for window in [1 << 16, u64::MAX] {
        let from = size.saturating_sub(window);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let begin = bytes[..whole.saturating_sub(1)].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        if begin.is_none() && from > 0 {
            continue;
        }
        let line = &bytes[begin.unwrap_or(0)..whole.saturating_sub(1).max(begin.unwrap_or(0))];
        let number = if line.is_empty() {
            0
        } else {
            // A line that is no entry is none of ours: no store has an entry of this number.
            let entry = serde_json::from_slice::<serde_json::Value>(line).ok();
            entry.and_then(|entry| entry.get("number")?.as_u64()).unwrap_or(u64::MAX)
        };
        let head = if number == 0 { Head::default() } else { Head { number, sha256: sha256(line) } };
        return Ok(Tail { head, length: from + whole as u64, torn: bytes[whole..].to_vec() });
    }
    Err(LedgerError::Differs { path: path.to_owned() })
}

/// Adds lines to the ledger of a folder, if it still ends as it was found; false where somebody else has added some
/// meanwhile. The lines are on the disk when this returns.
///
/// # Errors
/// [`LedgerError`]
pub fn append(folder: &Path, found: &Tail, lines: &[Line]) -> Result<bool, LedgerError> {
    let path = folder.join(LEDGER);
    let mut file = locked(folder)?;
    if tail_of(&mut file, &path)? != *found {
        return Ok(false);
    }
    let text = lines.iter().fold(String::new(), |text, line| text + &line.text + "\n");
    if !text.as_bytes().starts_with(&found.torn) {
        return Err(LedgerError::Differs { path });
    }
    let written = file.write_all(&text.as_bytes()[found.torn.len()..]).and_then(|()| file.sync_data());
    if let Err(source) = written {
        // Half a line, where the disk is full, is completed when there is room again, or taken back now.
        let _ = file.set_len(found.length + found.torn.len() as u64);
        return Err(LedgerError::File { path, source });
    }
    Ok(true)
}

/// Says by whose key the ledger went up to an entry, in place of what was said before. What somebody signed is never
/// given up for what nobody signs.
///
/// # Errors
/// [`LedgerError`]
pub fn checkpoint(folder: &Path, head: &Head, key: Option<&SigningKey>) -> Result<(), LedgerError> {
    let _alone = locked(folder)?;
    if has_checkpoint(folder, head) {
        return Ok(());
    }
    let text = checkpoint_text(head);
    let name = checkpoint_name(head);
    let signature =
        key.map(|key| key.sign(text.as_bytes())).transpose().map_err(|error| LedgerError::Sign(error.to_string()))?;
    // The signature first: a checkpoint that is there has its signature.
    let files = [(format!("{name}{SIGNED}"), signature), (name.clone(), Some(text))];
    for (name, text) in files.iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
        let (path, draft) = (folder.join(name), folder.join(format!(".{name}")));
        let written =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_data()?;
                fs::rename(&draft, &path)
            });
        written.map_err(|source| LedgerError::File { path, source })?;
    }
    for (number, path) in checkpoints(folder).map_err(|source| LedgerError::File { path: folder.to_owned(), source })? {
        let signature = path.with_added_extension(&SIGNED[1..]);
        if number < head.number && (key.is_some() || !signature.exists()) {
            // One that stays does no harm: it is true.
            let _ = fs::remove_file(&path).and_then(|()| fs::remove_file(signature));
        }
    }
    Ok(())
}

fn checkpoint_name(head: &Head) -> String {
    format!("{CHECKPOINT}{:08}{CHECKPOINT_END}", head.number)
}

fn checkpoint_text(head: &Head) -> String {
    format!("{{\"number\":{},\"sha256\":\"{}\"}}\n", head.number, head.sha256)
}

/// Whether the last entry has its checkpoint.
pub fn has_checkpoint(folder: &Path, head: &Head) -> bool {
    folder.join(checkpoint_name(head)).exists()
}

/// The entry that a checkpoint's name is about; none where it is the name of something else.
fn checkpoint_number(name: &str) -> Option<u64> {
    name.strip_prefix(CHECKPOINT)?.strip_suffix(CHECKPOINT_END)?.parse().ok()
}

/// Whether this is the name of a checkpoint or of its signature.
pub(super) fn is_checkpoint(name: &str) -> bool {
    checkpoint_number(name.strip_suffix(SIGNED).unwrap_or(name)).is_some()
}

/// The checkpoints of a folder, by the number of their entry. There are several for a moment only, or where the last one
/// is not signed: then the last that is stays too.
///
/// # Errors
/// Where the folder cannot be read.
pub fn checkpoints(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let number = entry.file_name().to_str().and_then(checkpoint_number);
        found.extend(number.map(|number| (number, entry.path())));
    }
    found.sort();
    Ok(found)
}

/// A checkpoint as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The entry.
    pub head: Head,
    /// The file's name.
    pub name: String,
    /// What is in the file.
    pub text: Vec<u8>,
    /// What is in the file with its signature; none where there is none.
    pub signature: Option<Vec<u8>>,
}

impl Checkpoint {
    /// The name of the file with its signature.
    pub fn signature_name(&self) -> String {
        format!("{}{SIGNED}", self.name)
    }
}

/// Reads a checkpoint, with its signature where there is one.
///
/// # Errors
/// Why it is none, in words.
pub(super) fn read_checkpoint(path: &Path) -> Result<Checkpoint, String> {
    let text = read_plain(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let head: Head = serde_json::from_slice(&text).map_err(|error| format!("it is no checkpoint: {error}"))?;
    let name = checkpoint_name(&head);
    if checkpoint_text(&head).as_bytes() != text || path.file_name().is_none_or(|found| *found != *name) {
        return Err("it is not written as checkpoints are: it was changed".to_owned());
    }
    let signature = match read_plain(&path.with_added_extension(&SIGNED[1..])) {
        Ok(signature) => Some(signature),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("its signature cannot be read: {error}")),
    };
    Ok(Checkpoint { head, name, text, signature })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::ledger::{Fact, chain};

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

    fn found(folder: &Path) -> chain::Found {
        chain::read(&fs::read_to_string(folder.join(LEDGER)).unwrap())
    }

    #[test]
    fn lines_are_added_once_whoever_adds_them() {
        let folder = tempfile::tempdir().unwrap();
        let lines = lines(5);
        let start = tail(folder.path()).unwrap();
        assert_eq!(start.head, Head::default());
        assert!(append(folder.path(), &start, &lines[..2]).unwrap());
        assert!(!append(folder.path(), &start, &lines[..2]).unwrap(), "somebody was faster");
        let then = tail(folder.path()).unwrap();
        assert_eq!(then.head, lines[1].head);
        assert!(append(folder.path(), &then, &lines[2..]).unwrap());
        assert!(found(folder.path()).faults.is_empty());
        assert_eq!(found(folder.path()).head(), lines[4].head);
    }

    #[test]
    fn a_line_that_was_cut_off_is_completed_and_another_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let lines = lines(2);
        for cut in [1, 300, lines[1].text.len()] {
            let text = format!("{}\n{}", lines[0].text, &lines[1].text[..cut]);
            fs::write(folder.path().join(LEDGER), text).unwrap();
            let tail = tail(folder.path()).unwrap();
            assert_eq!(tail.head, lines[0].head);
            assert!(append(folder.path(), &tail, &lines[1..]).unwrap());
            assert!(found(folder.path()).faults.is_empty(), "{cut}");
            assert_eq!(found(folder.path()).head(), lines[1].head);
        }
        let strange = format!("{}\nsomething else", lines[0].text);
        fs::write(folder.path().join(LEDGER), &strange).unwrap();
        let tail = tail(folder.path()).unwrap();
        assert!(matches!(append(folder.path(), &tail, &lines[1..]), Err(LedgerError::Differs { .. })));
        assert_eq!(fs::read_to_string(folder.path().join(LEDGER)).unwrap(), strange);
    }

    #[test]
    fn the_last_checkpoint_is_kept_and_signed() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate("test").unwrap();
        for line in lines(3) {
            checkpoint(folder.path(), &line.head, Some(&key)).unwrap();
        }
        let kept = checkpoints(folder.path()).unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0, 3);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "it, its signature and the ledger");
    }

    #[test]
    fn what_was_signed_stays_until_something_later_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate("test").unwrap();
        let lines = lines(4);
        let kept = |line: &Line, key| {
            checkpoint(folder.path(), &line.head, key).unwrap();
            checkpoints(folder.path()).unwrap().into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        assert_eq!(kept(&lines[0], Some(&key)), [1]);
        assert_eq!(kept(&lines[1], None), [1, 2]);
        assert_eq!(kept(&lines[2], None), [1, 3], "of those that nobody signed, the last is enough");
        assert_eq!(kept(&lines[3], Some(&key)), [4]);
    }
}
