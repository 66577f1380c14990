//! A ledger as found, and how much of it is signed by a trusted key.
//!
//! Anybody who can write the file can append entries with a correct chain. They prove nothing until they are signed: only
//! [verified](Attestation::verified) entries explain a missing bag or cover a review.

use std::{fmt, io};

use super::{
    ledger::{Checkpoint, LEDGER, Read, read_checkpoints},
    signers::Allowed,
    storage::Storage,
};
use crate::ledger::{
    Entry, Fact, Head,
    chain::{self, Chain},
};

/// The largest ledger that is read, in bytes: millions of entries.
const LARGEST: u64 = 2 << 30;

/// Who signed a ledger, and up to which entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The fingerprint of the key.
    pub signer: String,
    /// The number of the last entry that is signed.
    pub upto: u64,
    /// Whether the key is trusted; if not, only the ledger itself names it.
    pub is_trusted: bool,
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signer, upto, is_trusted } = self;
        write!(f, "signed up to entry {upto} by {signer}")?;
        if *is_trusted { Ok(()) } else { write!(f, ", a key that only the ledger itself names") }
    }
}

/// A ledger, and who signed it.
#[derive(Debug)]
pub struct Attestation {
    /// All that is written there.
    pub chain: Chain,
    /// Who signed; `None` if no trusted key did.
    pub signed: Option<Signed>,
    /// The last valid checkpoint: signed, if there are trusted keys.
    pub checkpoint: Option<Checkpoint>,
    /// The trusted keys, with those that verified entries name.
    pub allowed: Allowed,
    /// What is wrong with the ledger and its checkpoints.
    pub problems: Vec<String>,
    /// The number of the last verified entry.
    upto: u64,
}

impl Attestation {
    /// Reads the ledger of a storage. Keys that it names are trusted as far as a trusted key signed the ledger, so that
    /// bags outlive the key that signed them. Without any trusted key all of it counts as verified, and its keys too.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub fn of(storage: &dyn Storage, allowed: Allowed) -> io::Result<Self> {
        let mut problems = Vec::new();
        // Before the ledger: other processes may write, and it only grows. So it has every entry that these know.
        let checkpoints = read_checkpoints(storage)?;
        let chain = read(storage, &mut problems);
        problems.extend(chain.faults.iter().map(|fault| format!("{LEDGER}: {fault}")));
        let is_trusted = !allowed.is_empty();
        let mut found = Self { upto: chain.head().number, chain, signed: None, checkpoint: None, allowed, problems };
        if !is_trusted {
            found.adopt(found.upto);
        }
        found.check_checkpoints(checkpoints, is_trusted);
        if is_trusted {
            found.upto = found.signed.as_ref().map_or(0, |signed| signed.upto);
            found.adopt(found.upto);
        }
        Ok(found)
    }

    /// Checks the checkpoints: who signed up to which entry.
    fn check_checkpoints(&mut self, checkpoints: Vec<(String, Read)>, is_trusted: bool) {
        if checkpoints.is_empty() && !self.chain.entries.is_empty() {
            self.problems.push("there is no checkpoint: it was removed, perhaps to truncate the ledger".to_owned());
        }
        let is_whole = self.problems.is_empty();
        for (name, read) in checkpoints {
            let (checkpoint, signer) = match read.and_then(|read| self.checked(read, is_trusted)) {
                Ok(checked) => checked,
                Err(why) => {
                    self.problems.push(format!("{name}: {why}"));
                    continue;
                }
            };
            if let Some(wrong) = self.contradiction(&checkpoint.head, &name) {
                self.problems.push(wrong);
            } else if is_whole {
                let upto = checkpoint.head.number;
                if signer.is_some() || !is_trusted {
                    self.checkpoint = Some(checkpoint);
                }
                self.signed = signer.map(|signer| Signed { signer, upto, is_trusted }).or(self.signed.take());
            }
        }
        if is_trusted && self.signed.is_none() && !self.chain.entries.is_empty() && self.problems.is_empty() {
            self.problems.push(format!("{LEDGER}: no trusted key has signed it yet"));
        }
    }

    /// A checkpoint with the fingerprint of its key if it is signed. An error says why it is not valid.
    fn checked(&self, checkpoint: Checkpoint, is_trusted: bool) -> Result<(Checkpoint, Option<String>), String> {
        let signer = match &checkpoint.signature {
            Some(signature) => self.allowed.verify(&checkpoint.text, signature).map(Some),
            // No key was in use.
            None if !is_trusted || self.key_at(checkpoint.head.number).is_none() => Ok(None),
            None => Err("it is not signed".to_owned()),
        };
        match signer {
            Ok(signer) => Ok((checkpoint, signer)),
            Err(why) => Err(format!("the signature is not valid: {why}")),
        }
    }

    /// Trusts the keys that the ledger names up to an entry.
    fn adopt(&mut self, upto: u64) {
        for (entry, _) in self.chain.entries.iter().filter(|(entry, _)| entry.number <= upto) {
            if let Fact::Key { signer: Some(signer), .. } = &entry.fact {
                self.allowed.also(signer);
            }
        }
    }

    /// A ledger with these entries, all of them verified.
    #[cfg(test)]
    pub(super) fn testing(entries: &[Entry]) -> Self {
        let chain =
            Chain { entries: entries.iter().map(|entry| (entry.clone(), String::new())).collect(), faults: vec![] };
        let (upto, allowed) = (chain.head().number, Allowed::default());
        Self { chain, signed: None, checkpoint: None, allowed, problems: Vec::new(), upto }
    }

    /// The entries up to the last one that is signed by a trusted key.
    pub fn verified(&self) -> impl Iterator<Item = &Entry> {
        self.chain.entries.iter().map(|(entry, _)| entry).filter(|entry| entry.number <= self.upto)
    }

    /// The entries after them: anybody may have appended those.
    pub fn unsigned(&self) -> impl Iterator<Item = &Entry> {
        self.chain.entries.iter().map(|(entry, _)| entry).filter(|entry| entry.number > self.upto)
    }

    /// The last verified entry.
    pub fn head(&self) -> Head {
        match self.chain.sha256(self.upto) {
            Some(sha256) => Head { number: self.upto, sha256: sha256.to_owned() },
            None => Head::default(),
        }
    }

    /// Which entries are not signed, in words; `None` if all are.
    pub fn rest(&self) -> Option<String> {
        let (first, last) = (self.unsigned().next()?.number, self.chain.head().number);
        Some(if first == last {
            format!("entry {last} is not signed yet")
        } else {
            format!("entries {first} to {last} are not signed yet")
        })
    }

    /// Whether any entry names a key, by its fingerprint.
    pub fn names(&self, key: &str) -> bool {
        let is_named = |fact: &Fact| matches!(fact, Fact::Key { fingerprint: Some(named), .. } if named == key);
        self.chain.entries.iter().any(|(entry, _)| is_named(&entry.fact))
    }

    /// The line of the key that signed when an entry was written; `None` if no key was in use.
    pub fn key_at(&self, number: u64) -> Option<&str> {
        let keys = self.chain.entries.iter().take_while(|(entry, _)| entry.number <= number);
        let keys = keys.filter_map(|(entry, _)| match &entry.fact {
            Fact::Key { signer, .. } => Some(signer.as_deref()),
            _ => None,
        });
        keys.last().flatten()
    }

    /// How the ledger contradicts an entry that was recorded elsewhere; `None` if it does not.
    pub fn contradiction(&self, head: &Head, who: &str) -> Option<String> {
        let last = self.chain.head().number;
        match self.chain.sha256(head.number) {
            Some(sha256) if sha256 == head.sha256 => None,
            Some(_) => {
                Some(format!("{LEDGER}: entry {} differs from the one that {who} knows: it was rewritten", head.number))
            }
            None if head.number > last => Some(format!(
                "{LEDGER} ends with entry {last}, but {who} knows entry {}: it was truncated, or an older state was restored",
                head.number
            )),
            None => Some(format!("{LEDGER} has no entry {}, which {who} knows", head.number)),
        }
    }
}

/// The bytes of the ledger.
fn whole(storage: &dyn Storage) -> io::Result<Vec<u8>> {
    if storage.length(LEDGER)? > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {LARGEST} bytes")));
    }
    storage.read_from(LEDGER, 0)
}

fn read(storage: &dyn Storage, problems: &mut Vec<String>) -> Chain {
    let bytes = whole(storage).unwrap_or_else(|error| {
        problems.push(match error.kind() {
            io::ErrorKind::NotFound => format!("there is no {LEDGER}: nothing states which reviews there should be"),
            _ => format!("{LEDGER} cannot be read: {error}"),
        });
        Vec::new()
    });
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let whole = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = whole.split(|byte| *byte == b'\n').count();
        problems.push(format!("{LEDGER}: line {line} is not UTF-8: it was changed"));
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    chain::read(&text)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use chrono::{DateTime, Utc};

    use super::*;
    use crate::{
        evidence::{
            key::SigningKey,
            ledger::checkpoint,
            storage::{Log as _, folder::Folder, memory::Memory},
            tests::written,
        },
        ledger::fact::RunName,
    };

    fn key(key: Option<&SigningKey>) -> Fact {
        Fact::Key { fingerprint: key.map(SigningKey::fingerprint), signer: key.map(|key| key.signer().unwrap()) }
    }

    fn failed(error: &str) -> Fact {
        let (run, fire_at) = (uuid::Uuid::nil(), DateTime::UNIX_EPOCH);
        Fact::Failed { run: RunName { run, job: "j".into(), workspace: "w".into(), fire_at }, error: error.into() }
    }

    fn write(storage: &Memory, facts: Vec<Fact>) -> Head {
        written::append(storage, facts).1
    }

    fn signed(facts: Vec<Fact>) -> (Memory, SigningKey, Allowed) {
        let (folder, signer) = (Memory::new(), SigningKey::generate("test").unwrap());
        let head = write(&folder, [vec![key(Some(&signer))], facts].concat());
        checkpoint(&folder, &head, &Head::default(), Some(&signer)).unwrap();
        let allowed = Allowed::parse(&signer.signer().unwrap(), Utc::now());
        (folder, signer, allowed)
    }

    #[test]
    fn only_signed_entries_are_verified_and_only_their_keys_are_trusted() {
        let (folder, signer, allowed) = signed(vec![failed("a")]);
        let forger = SigningKey::generate("forger").unwrap();
        let head = write(&folder, vec![key(Some(&forger)), failed("b")]);
        let found = Attestation::of(&folder, allowed.clone()).unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
        assert_eq!(found.signed, Some(Signed { signer: signer.fingerprint(), upto: 2, is_trusted: true }));
        assert_eq!((found.verified().count(), found.head().number), (2, 2));
        assert_eq!(found.rest().as_deref(), Some("entries 3 to 4 are not signed yet"));
        let message = forger.sign(b"x").unwrap();
        assert!(found.allowed.verify(b"x", message.as_bytes()).is_err());
        // His signature does not change that.
        checkpoint(&folder, &head, &found.head(), Some(&forger)).unwrap();
        let found = Attestation::of(&folder, allowed).unwrap();
        assert!(found.verified().count() == 0 && found.problems[0].contains("not among the allowed"), "{found:?}");
        // Without trusted keys, the result says that it is consistent and which key signed.
        let found = Attestation::of(&folder, Allowed::default()).unwrap();
        assert!(found.problems.is_empty() && !found.signed.unwrap().is_trusted);
    }

    #[test]
    fn an_unsigned_checkpoint_is_valid_if_no_key_is_in_use() {
        let (folder, _, allowed) = signed(vec![]);
        let head = write(&folder, vec![key(None), failed("a")]);
        checkpoint(&folder, &head, &Head::default(), None).unwrap();
        let found = Attestation::of(&folder, allowed.clone()).unwrap();
        assert_eq!((found.problems.len(), found.verified().count()), (0, 1), "{found:?}");
        assert_eq!((found.key_at(1).is_some(), found.key_at(2), found.key_at(3)), (true, None, None));
        let (folder, _, allowed) = signed(vec![]);
        let head = write(&folder, vec![failed("a")]);
        checkpoint(&folder, &head, &Head::default(), None).unwrap();
        let found = Attestation::of(&folder, allowed).unwrap();
        assert!(found.problems[0].contains("it is not signed"), "{found:?}");
    }

    #[test]
    fn a_ledger_of_the_first_format_is_still_verified() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/first-ledger");
        let allowed = Allowed::parse(&fs::read_to_string(folder.join("allowed_signers")).unwrap(), Utc::now());
        let found = Attestation::of(&Folder::new(folder), allowed).unwrap();
        assert_eq!((found.problems.as_slice(), found.verified().count(), found.rest()), (&[] as &[String], 9, None));
        assert!(found.key_at(3).is_none() && found.key_at(4).unwrap().ends_with(" rolecall demo"));
    }

    #[test]
    fn bytes_that_are_no_text_are_not_taken_for_the_sign_that_stands_for_such() {
        let (folder, _, allowed) = signed(vec![failed("a \u{fffd}"), failed("b")]);
        assert_eq!(Attestation::of(&folder, allowed.clone()).unwrap().problems, Vec::<String>::new());
        let bytes = folder.read_from(LEDGER, 0).unwrap();
        let at = bytes.windows(3).position(|bytes| bytes == "\u{fffd}".as_bytes()).unwrap();
        let changed = Memory::new();
        changed.append(LEDGER, 0, &[&bytes[..at], b"\xff", &bytes[at + 3..]].concat()).unwrap();
        let found = Attestation::of(&changed, allowed).unwrap();
        assert!(found.problems[0].contains("line 2 is not UTF-8") && found.signed.is_none(), "{found:?}");
    }
}
