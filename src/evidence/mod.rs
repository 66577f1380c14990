//! Independent proof: what a run saw, decided and sent, as a folder that other tools can verify.
//!
//! [`storage`] keeps it; nothing else reads or writes files of evidence. A [`draft::Draft`] becomes a bag: BagIt 1.0 (RFC
//! 8493) with SHA-256 and SHA-512 manifests, committed whole and never changed. [`verify::bag`] finds every later change,
//! and [`verified`] remembers what it found.
//! [`attestation`] says how much of the [`ledger`] is signed by a trusted key ([`signers`]), and [`consistency`] whether
//! bags and ledger match and whether anything is there that should not be ([`inventory`]). [`timestamps`] of third parties prove
//! when a bag and the ledger existed. An [`export`] is sealed as a
//! whole ([`seal`]). `bagit.py`, `sha256sum` and `ssh-keygen` verify all of it without rolecall.

pub mod attestation;
pub mod consistency;
pub mod draft;
pub mod encrypted;
pub mod export;
mod files;
pub mod inventory;
pub mod key;
pub mod ledger;
pub mod mail;
pub mod period;
pub mod review;
pub mod seal;
pub mod sealed;
pub mod signers;
pub mod source;
pub mod storage;
pub mod timestamps;
pub mod verified;
pub mod verify;

#[cfg(test)]
mod tests;

/// The file that holds the digests of a bag's other tag files, and with the manifests those of everything in it.
pub const SEALED: &str = "tagmanifest-sha256.txt";
/// The signature of [`SEALED`], in OpenSSH's format.
pub const SIGNATURE: &str = "tagmanifest-sha256.txt.sig";
/// The namespace of signatures (`ssh-keygen -Y verify -n`): a signature for another purpose is not valid here.
pub const NAMESPACE: &str = "rolecall-evidence";

/// The principal of the keys in an `allowed_signers` file.
pub const PRINCIPAL: &str = "rolecall";

/// The most bytes that an answer in a bag can have, decompressed: a connector takes no larger one.
pub const LARGEST_ANSWER: u64 = 16 << 20;

/// The declaration of every bag (RFC 8493, 2.1.1).
const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
