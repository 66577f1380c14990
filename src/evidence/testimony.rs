//! A ledger as it is found, and how much of it somebody whom one trusts has signed.
//!
//! Whoever can write the file can add entries that follow from the others. They prove nothing until they are signed: only
//! what is [believed](Testimony::believed) excuses a bag that is not there, or answers for a review.

use std::{fmt, io, path::Path};

use super::{
    files::read_plain,
    ledger::{Checkpoint, LEDGER, checkpoints, read_checkpoint},
    signers::Allowed,
};
use crate::ledger::{
    Entry, Fact, Head,
    chain::{self, Found as Chain},
};

/// Who signed for a ledger, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// The fingerprint of the key.
    pub signer: String,
    /// The number of the last entry that is signed.
    pub upto: u64,
    /// Whether one trusts the key; if not, only the ledger itself names it.
    pub is_trusted: bool,
}

impl fmt::Display for Vouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signer, upto, is_trusted } = self;
        write!(f, "signed up to entry {upto} by {signer}")?;
        if *is_trusted { Ok(()) } else { write!(f, ", which only the ledger itself names") }
    }
}

/// A ledger, and who vouches for it.
#[derive(Debug)]
pub struct Testimony {
    /// All that is written there.
    pub chain: Chain,
    /// Who signed; none where nobody whom one trusts did.
    pub vouched: Option<Vouched>,
    /// The last checkpoint that holds: signed, where one trusts somebody.
    pub checkpoint: Option<Checkpoint>,
    /// Whom one trusts, with the keys that the believed entries name.
    pub allowed: Allowed,
    /// What is wrong with the ledger and its checkpoints.
    pub problems: Vec<String>,
    /// The last entry that is believed.
    upto: u64,
}

impl Testimony {
    /// Reads the ledger of a folder. Keys that it names are trusted as far as somebody who is trusted signed for it: so bags
    /// outlive the key that signed them. Where nobody is known, all of it is believed, and its keys with it.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn of(folder: &Path, allowed: Allowed) -> io::Result<Self> {
        let mut problems = Vec::new();
        let chain = read(folder, &mut problems);
        problems.extend(chain.faults.iter().map(|fault| format!("{LEDGER}: {fault}")));
        let is_trusted = !allowed.is_empty();
        let mut found = Self { upto: chain.head().number, chain, vouched: None, checkpoint: None, allowed, problems };
        if !is_trusted {
            found.adopt(found.upto);
        }
        found.weigh(folder, is_trusted)?;
        if is_trusted {
            found.upto = found.vouched.as_ref().map_or(0, |vouched| vouched.upto);
            found.adopt(found.upto);
        }
        Ok(found)
    }

    /// Weighs the checkpoints: who signed for which entry.
    fn weigh(&mut self, folder: &Path, is_trusted: bool) -> io::Result<()> {
        let checkpoints = checkpoints(folder)?;
        if checkpoints.is_empty() && !self.chain.entries.is_empty() {
            self.problems
                .push("there is no checkpoint: whoever cut entries off the end of the ledger took it away".to_owned());
        }
        let is_whole = self.problems.is_empty();
        for (_, path) in checkpoints {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let checkpoint = match read_checkpoint(&path) {
                Ok(checkpoint) => checkpoint,
                Err(why) => {
                    self.problems.push(format!("{name}: {why}"));
                    continue;
                }
            };
            let signer = match &checkpoint.signature {
                Some(signature) => self.allowed.verify(&checkpoint.text, signature).map(Some),
                // Nobody was to sign.
                None if !is_trusted || self.key_at(checkpoint.head.number).is_none() => Ok(None),
                None => Err("nobody signed".to_owned()),
            };
            let signer = match signer {
                Ok(signer) => signer,
                Err(why) => {
                    self.problems.push(format!("{name}: the signature does not hold: {why}"));
                    continue;
                }
            };
            if let Some(wrong) = self.disagreement(&checkpoint.head, &name) {
                self.problems.push(wrong);
            } else if is_whole {
                let upto = checkpoint.head.number;
                if signer.is_some() || !is_trusted {
                    self.checkpoint = Some(checkpoint);
                }
                self.vouched = signer.map(|signer| Vouched { signer, upto, is_trusted }).or(self.vouched.take());
            }
        }
        if is_trusted && self.vouched.is_none() && !self.chain.entries.is_empty() && self.problems.is_empty() {
            self.problems.push(format!("{LEDGER}: nobody whom you trust has signed for it yet"));
        }
        Ok(())
    }

    /// Trusts the keys that the ledger names up to an entry.
    fn adopt(&mut self, upto: u64) {
        for (entry, _) in self.chain.entries.iter().filter(|(entry, _)| entry.number <= upto) {
            if let Fact::Key { signer: Some(signer), .. } = &entry.fact {
                self.allowed.also(signer);
            }
        }
    }

    /// The entries that one can believe.
    pub fn believed(&self) -> impl Iterator<Item = &Entry> {
        self.chain.entries.iter().map(|(entry, _)| entry).filter(|entry| entry.number <= self.upto)
    }

    /// The entries after them: anybody may have added those.
    pub fn unsigned(&self) -> impl Iterator<Item = &Entry> {
        self.chain.entries.iter().map(|(entry, _)| entry).filter(|entry| entry.number > self.upto)
    }

    /// The last entry that one can believe.
    pub fn head(&self) -> Head {
        match self.chain.sha256(self.upto) {
            Some(sha256) => Head { number: self.upto, sha256: sha256.to_owned() },
            None => Head::default(),
        }
    }

    /// Which entries are not signed, in words; none where all are.
    pub fn rest(&self) -> Option<String> {
        let (first, last) = (self.unsigned().next()?.number, self.chain.head().number);
        Some(if first == last {
            format!("entry {last} is not signed yet and proves nothing")
        } else {
            format!("entries {first} to {last} are not signed yet and prove nothing")
        })
    }

    /// Whether any entry names a key, by its fingerprint.
    pub fn names(&self, key: &str) -> bool {
        let is_named = |fact: &Fact| matches!(fact, Fact::Key { fingerprint: Some(named), .. } if named == key);
        self.chain.entries.iter().any(|(entry, _)| is_named(&entry.fact))
    }

    /// The line of the key that signed when an entry was written; none where nobody did.
    pub fn key_at(&self, number: u64) -> Option<&str> {
        let keys = self.chain.entries.iter().take_while(|(entry, _)| entry.number <= number);
        let keys = keys.filter_map(|(entry, _)| match &entry.fact {
            Fact::Key { signer, .. } => Some(signer.as_deref()),
            _ => None,
        });
        keys.last().flatten()
    }

    /// Where an entry that somebody wrote down is not what the ledger has.
    pub fn disagreement(&self, head: &Head, who: &str) -> Option<String> {
        let last = self.chain.head().number;
        match self.chain.sha256(head.number) {
            Some(sha256) if sha256 == head.sha256 => None,
            Some(_) => {
                Some(format!("{LEDGER}: entry {} is not the one that {who} knows: it was rewritten", head.number))
            }
            None if head.number > last => Some(format!(
                "{LEDGER} ends with entry {last}, and {who} knows entry {}: the end was cut off, or an old state put back",
                head.number
            )),
            None => Some(format!("{LEDGER} has no entry {}, which {who} knows", head.number)),
        }
    }
}

fn read(folder: &Path, problems: &mut Vec<String>) -> Chain {
    let bytes = read_plain(&folder.join(LEDGER)).unwrap_or_else(|error| {
        problems.push(match error.kind() {
            io::ErrorKind::NotFound => format!("there is no {LEDGER}: nothing says which reviews there should be"),
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
    use std::fs;

    use chrono::{DateTime, Utc};
    use tempfile::TempDir;

    use super::*;
    use crate::{
        evidence::{
            key::SigningKey,
            ledger::{append, checkpoint, tail},
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

    /// Writes facts into the ledger of a folder.
    fn write(folder: &Path, facts: Vec<Fact>) -> Head {
        let tail = tail(folder).unwrap();
        let mut head = tail.head.clone();
        let link = |fact| {
            let line = head.link(DateTime::UNIX_EPOCH, fact).unwrap();
            head = line.head.clone();
            line
        };
        let lines: Vec<_> = facts.into_iter().map(link).collect();
        assert!(append(folder, &tail, &lines).unwrap());
        head
    }

    fn signed(facts: Vec<Fact>) -> (TempDir, SigningKey, Allowed) {
        let (folder, signer) = (tempfile::tempdir().unwrap(), SigningKey::generate("test").unwrap());
        let head = write(folder.path(), [vec![key(Some(&signer))], facts].concat());
        checkpoint(folder.path(), &head, Some(&signer)).unwrap();
        let allowed = Allowed::parse(&signer.signer().unwrap(), Utc::now());
        (folder, signer, allowed)
    }

    #[test]
    fn only_what_is_signed_is_believed_and_of_its_keys_only_those() {
        let (folder, signer, allowed) = signed(vec![failed("a")]);
        let forger = SigningKey::generate("forger").unwrap();
        let head = write(folder.path(), vec![key(Some(&forger)), failed("b")]);
        let found = Testimony::of(folder.path(), allowed.clone()).unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
        assert_eq!(found.vouched, Some(Vouched { signer: signer.fingerprint(), upto: 2, is_trusted: true }));
        assert_eq!((found.believed().count(), found.head().number), (2, 2));
        assert_eq!(found.rest().as_deref(), Some("entries 3 to 4 are not signed yet and prove nothing"));
        let message = forger.sign(b"x").unwrap();
        assert!(found.allowed.verify(b"x", message.as_bytes()).is_err());
        // Nor does his signature make anything of it.
        checkpoint(folder.path(), &head, Some(&forger)).unwrap();
        let found = Testimony::of(folder.path(), allowed).unwrap();
        assert!(found.believed().count() == 0 && found.problems[0].contains("not among the allowed"), "{found:?}");
        // Who knows nobody sees that it is consistent, and whose word that is.
        let found = Testimony::of(folder.path(), Allowed::default()).unwrap();
        assert!(found.problems.is_empty() && !found.vouched.unwrap().is_trusted);
    }

    #[test]
    fn a_checkpoint_that_nobody_signs_is_right_where_there_is_no_key() {
        let (folder, _, allowed) = signed(vec![]);
        let head = write(folder.path(), vec![key(None), failed("a")]);
        checkpoint(folder.path(), &head, None).unwrap();
        let found = Testimony::of(folder.path(), allowed.clone()).unwrap();
        assert_eq!((found.problems.len(), found.believed().count()), (0, 1), "{found:?}");
        assert_eq!((found.key_at(1).is_some(), found.key_at(2), found.key_at(3)), (true, None, None));
        let (folder, _, allowed) = signed(vec![]);
        let head = write(folder.path(), vec![failed("a")]);
        checkpoint(folder.path(), &head, None).unwrap();
        let found = Testimony::of(folder.path(), allowed).unwrap();
        assert!(found.problems[0].contains("nobody signed"), "{found:?}");
    }

    #[test]
    fn a_ledger_of_the_first_format_is_still_believed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/first-ledger");
        let allowed = Allowed::parse(&fs::read_to_string(folder.join("allowed_signers")).unwrap(), Utc::now());
        let found = Testimony::of(&folder, allowed).unwrap();
        assert_eq!((found.problems.as_slice(), found.believed().count(), found.rest()), (&[] as &[String], 9, None));
        assert!(found.key_at(3).is_none() && found.key_at(4).unwrap().ends_with(" rolecall demo"));
    }

    #[test]
    fn bytes_that_are_no_text_are_not_taken_for_the_sign_that_stands_for_such() {
        let (folder, _, allowed) = signed(vec![failed("a \u{fffd}"), failed("b")]);
        assert_eq!(Testimony::of(folder.path(), allowed.clone()).unwrap().problems, Vec::<String>::new());
        let path = folder.path().join(LEDGER);
        let bytes = fs::read(&path).unwrap();
        let at = bytes.windows(3).position(|bytes| bytes == "\u{fffd}".as_bytes()).unwrap();
        fs::write(path, [&bytes[..at], b"\xff", &bytes[at + 3..]].concat()).unwrap();
        let found = Testimony::of(folder.path(), allowed).unwrap();
        assert!(found.problems[0].contains("line 2 is not UTF-8") && found.vouched.is_none(), "{found:?}");
    }
}
