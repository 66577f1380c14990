//! What seals an export: one list with the digest of every file in it, and the signature of that list.

use super::{
    files::{Algorithm, Files, Problem},
    signers::Allowed,
    storage::Storage,
    verify,
};

/// The list, as `sha256sum` reads it.
pub const SUMS: &str = "SHA256SUMS";
/// Its signature, in OpenSSH's format.
pub const SUMS_SIGNATURE: &str = "SHA256SUMS.sig";

/// What was found of a sealed folder.
#[derive(Debug)]
pub struct SealReport {
    /// The problems; empty if it is as it was sealed.
    pub problems: Vec<Problem>,
    /// The fingerprint of the key that sealed it; `None` if it is unsigned or the signature is not valid.
    pub signer: Option<String>,
    /// How many files are sealed.
    pub files: usize,
}

/// Checks every file of an export against its list, and the list's signature against the trusted keys, if there are any.
pub fn check(storage: &dyn Storage, allowed: &Allowed) -> SealReport {
    let mut files = Files::of(storage, "");
    files.check(SUMS, Algorithm::Sha256, "every export has it", |file| ![SUMS, SUMS_SIGNATURE].contains(&file));
    let sums = files.read(SUMS, "every export has it");
    let signer = sums.and_then(|sums| verify::signer(&mut files, &sums, SUMS_SIGNATURE, allowed));
    let count = files.lengths.keys().filter(|file| ![SUMS, SUMS_SIGNATURE].contains(&file.as_str())).count();
    SealReport { problems: files.into_problems(), signer, files: count }
}
