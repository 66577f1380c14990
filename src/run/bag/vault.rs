//! Where bags are kept, and what all of them have in common.

use std::path::PathBuf;

use crate::evidence::key::SigningKey;

/// Where bags are kept, and what every one of them says.
#[derive(Debug)]
pub struct Vault {
    /// The folder of bags.
    pub bags: PathBuf,
    /// Signs them; `None` if they stay unsigned.
    pub key: Option<SigningKey>,
    /// How long they are kept, in days; `None` if they are never removed.
    pub keep_days: Option<u64>,
    /// The text of the configuration. It names secrets and holds none.
    pub configuration: String,
    /// The version, and the digest of the binary.
    pub agent: String,
}
