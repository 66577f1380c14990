//! A bag as it is found: everything that was changed, added, removed or signed by another.

use std::path::Path;

use super::{
    DECLARATION, SEALED, SIGNATURE,
    files::{Algorithm, Files},
    signers::Allowed,
};
use crate::digest::sha256;

pub use super::files::Problem;

/// What says that a bag has its tag files.
const STANDARD: &str = "every bag has it";
/// What names the files beside the payload, by their digests of the other kind.
const SEALED_TOO: &str = "tagmanifest-sha512.txt";

/// What was found of a bag.
#[derive(Debug)]
pub struct Found {
    /// What is wrong; empty where it is as it was sealed.
    pub problems: Vec<Problem>,
    /// Who signed it; none where it is unsigned or the signature does not hold.
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
    /// What it says under a name.
    pub fn says(&self, name: &str) -> Option<&str> {
        self.0.split('\n').find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Checks a bag against its own manifests and its signature against those whom one trusts. Where one trusts somebody, a
/// bag that nobody signed is a problem; without anybody, a signature is one: it then proves nothing.
pub fn bag(folder: &Path, allowed: &Allowed) -> Found {
    let mut files = Files::of(folder);
    if files.read("bagit.txt", STANDARD).is_some_and(|text| text != DECLARATION.as_bytes()) {
        files.malformed("bagit.txt", "it declares no BagIt 1.0 in UTF-8");
    }
    for algorithm in Algorithm::ALL {
        let name = |kind: &str| format!("{kind}-{}.txt", algorithm.word());
        files.check(&name("manifest"), algorithm, STANDARD, |file| file.starts_with("data/"));
        // What seals the others cannot be listed by itself.
        let is_tag = |file: &str| !file.starts_with("data/") && ![SEALED, SIGNATURE, SEALED_TOO].contains(&file);
        files.check(&name("tagmanifest"), algorithm, STANDARD, is_tag);
    }
    let info = files.read("bag-info.txt", STANDARD).and_then(|bytes| String::from_utf8(bytes).ok());
    let info = Info(info.unwrap_or_default());
    oxum(&mut files, &info);
    let sealed = files.read(SEALED, STANDARD);
    let signer = sealed.as_deref().and_then(|sealed| signer(&mut files, sealed, SIGNATURE, allowed));
    Found { problems: files.into_problems(), signer, name: sealed.map(|sealed| sha256(&sealed)), info }
}

/// The payload's size and number of files, as `bag-info.txt` says them.
fn oxum(files: &mut Files<'_>, info: &Info) {
    let payload = || files.lengths.iter().filter(|(file, _)| file.starts_with("data/"));
    let found = format!("{}.{}", payload().map(|(_, length)| length).sum::<u64>(), payload().count());
    match info.says("Payload-Oxum") {
        Some(said) if said == found => {}
        Some(said) => files.malformed("bag-info.txt", format!("it says Payload-Oxum {said}, and there is {found}")),
        None => files.malformed("bag-info.txt", "it has no Payload-Oxum"),
    }
}

/// Who signed a file, whose signature is another one beside it.
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
