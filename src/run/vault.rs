//! Where bags are kept, and what all of them have in common.

use std::sync::Arc;

use crate::{
    evidence::{key::SigningKey, storage::Storage},
    timestamp::authorities::Authorities,
};

/// Where bags are kept, and what every one of them says.
#[derive(Debug)]
pub struct Vault {
    /// Keeps the bags, the mails and the ledger.
    pub storage: Arc<dyn Storage>,
    /// Signs them; `None` if they stay unsigned.
    pub key: Option<SigningKey>,
    /// Confirm when bags and the ledger existed; `None` if only this machine's clock says so.
    pub timestamps: Option<Authorities>,
    /// How long they are kept, in days; `None` if they are never removed.
    pub keep_days: Option<u64>,
    /// The text of the configuration. It names secrets and holds none.
    pub configuration: String,
    /// The version, and the digest of the binary.
    pub agent: String,
}
