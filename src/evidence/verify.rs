//! Verifies a bag: finds everything that was changed, added, removed or signed by another key.

use super::{
    DECLARATION, SEALED, SIGNATURE,
    files::{Algorithm, Files},
    signers::Allowed,
    storage::Storage,
};
use crate::digest::sha256;

pub use super::files::Problem;

/// What says that a bag has its tag files.
const STANDARD: &str = "every bag has it";
/// What names the files beside the payload, by their digests of the other kind.
const SEALED_TOO: &str = "tagmanifest-sha512.txt";

/// What was found of a bag.
#[derive(Debug)]
pub struct VerifyReport {
    /// The problems; empty if it is as it was sealed.
    pub problems: Vec<Problem>,
    /// The fingerprint of the key that signed it; `None` if it is unsigned or the signature is not valid.
    pub signer: Option<String>,
    /// The SHA-256 of [`SEALED`].
    pub name: Option<String>,
    /// What it says of itself.
    pub info: Info,
}

/// The lines of `bag-info.txt`.
#[derive(Debug, Default)]
pub struct Info(String);

impl Info {
    /// The value of a field.
    pub fn says(&self, name: &str) -> Option<&str> {
        self.0.split('\n').find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Checks a bag against its own manifests, and its signature against the trusted keys. With trusted keys an unsigned bag is
/// a problem; without any, a signature is one, because it proves nothing then.
pub fn bag(storage: &dyn Storage, folder: &str, allowed: &Allowed) -> VerifyReport {
    let mut files = Files::of(storage, folder);
    if files.read("bagit.txt", STANDARD).is_some_and(|text| text != DECLARATION.as_bytes()) {
        files.malformed("bagit.txt", "it does not declare BagIt 1.0 in UTF-8");
    }
    for algorithm in Algorithm::ALL {
        let name = |kind: &str| format!("{kind}-{}.txt", algorithm.word());
        files.check(&name("manifest"), algorithm, STANDARD, |file| file.starts_with("data/"));
        // What seals the others cannot list itself.
        let is_tag = |file: &str| !file.starts_with("data/") && ![SEALED, SIGNATURE, SEALED_TOO].contains(&file);
        files.check(&name("tagmanifest"), algorithm, STANDARD, is_tag);
    }
    let info = files.read("bag-info.txt", STANDARD).and_then(|bytes| String::from_utf8(bytes).ok());
    let info = Info(info.unwrap_or_default());
    oxum(&mut files, &info);
    let sealed = files.read(SEALED, STANDARD);
    let signer = sealed.as_deref().and_then(|sealed| signer(&mut files, sealed, SIGNATURE, allowed));
    VerifyReport { problems: files.into_problems(), signer, name: sealed.map(|sealed| sha256(&sealed)), info }
}

/// The report of a bag that was as it was sealed, and whose files look as they did then: only its seal, the signature and what it
/// says of itself are read. `None` if one of these is not as it was sealed.
pub(super) fn unchanged(storage: &dyn Storage, folder: &str, allowed: &Allowed) -> Option<VerifyReport> {
    let mut files = Files::of(storage, folder);
    let sealed = files.read(SEALED, STANDARD)?;
    let info = files.read("bag-info.txt", STANDARD)?;
    let line = format!("{}  bag-info.txt", sha256(&info));
    if !sealed.split(|byte| *byte == b'\n').any(|sealed| sealed == line.as_bytes()) {
        return None;
    }
    let signer = signer(&mut files, &sealed, SIGNATURE, allowed);
    let info = Info(String::from_utf8(info).ok()?);
    let report = VerifyReport { problems: files.into_problems(), signer, name: Some(sha256(&sealed)), info };
    report.problems.is_empty().then_some(report)
}

/// The payload's size and number of files, as `bag-info.txt` says them.
fn oxum(files: &mut Files<'_>, info: &Info) {
    let payload = || files.lengths.iter().filter(|(file, _)| file.starts_with("data/"));
    let found = format!("{}.{}", payload().map(|(_, length)| length).sum::<u64>(), payload().count());
    match info.says("Payload-Oxum") {
        Some(said) if said == found => {}
        Some(said) => {
            files.malformed("bag-info.txt", format!("it states Payload-Oxum {said}, but the payload has {found}"));
        }
        None => files.malformed("bag-info.txt", "it has no Payload-Oxum"),
    }
}

/// The key that signed a file whose signature is beside it.
pub(super) fn signer(files: &mut Files<'_>, signed: &[u8], signature: &str, allowed: &Allowed) -> Option<String> {
    if !files.lengths.contains_key(signature) {
        if !allowed.is_empty() {
            files.problems.push(Problem::Unsigned { file: signature.to_owned() });
        }
        return None;
    }
    let pem = files.read(signature, STANDARD)?;
    allowed.verify(signed, &pem).map_err(|why| files.problems.push(Problem::Signature { why })).ok()
}
