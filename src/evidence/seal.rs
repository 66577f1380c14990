//! What seals an export: one list with the digest of every file in it, and the signature of that list.

use std::path::Path;

use super::{
    files::{Algorithm, Files, Problem},
    signers::Allowed,
    verify,
};

/// The list, as `sha256sum` reads it.
pub const SUMS: &str = "SHA256SUMS";
/// Its signature, in OpenSSH's format.
pub const SUMS_SIGNATURE: &str = "SHA256SUMS.sig";

/// What was found of a sealed folder.
#[derive(Debug)]
pub struct Found {
    /// What is wrong; empty where it is as it was sealed.
    pub problems: Vec<Problem>,
    /// Who sealed it; none where that is unsigned or the signature does not hold.
    pub signer: Option<String>,
    /// How many files are sealed.
    pub files: usize,
}

/// Checks every file of a folder against its list, and the list's signature against those whom one trusts, if one trusts
/// anybody.
pub fn check(folder: &Path, allowed: &Allowed) -> Found {
    let mut files = Files::of(folder);
    files.check(SUMS, Algorithm::Sha256, "every export has it", |file| ![SUMS, SUMS_SIGNATURE].contains(&file));
    let sums = files.read(SUMS, "every export has it");
    let signer = sums.and_then(|sums| verify::signer(&mut files, &sums, SUMS_SIGNATURE, allowed));
    let count = files.lengths.keys().filter(|file| ![SUMS, SUMS_SIGNATURE].contains(&file.as_str())).count();
    Found { problems: files.into_problems(), signer, files: count }
}
