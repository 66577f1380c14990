//! Where bags are kept, and what all of them have in common.

use std::{collections::BTreeMap, sync::Arc};

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
    /// The configuration. It names secrets and holds none.
    pub configuration: Configuration,
    /// The version, and the digest of the binary.
    pub agent: String,
}

/// The text of the configuration, as bags keep it.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    common: String,
    /// The tables of the workspaces that have a file of their own.
    of_workspaces: BTreeMap<String, String>,
}

impl Configuration {
    /// A configuration: what all workspaces have in common, and the tables of those that have a file of their own.
    pub fn new(common: String, of_workspaces: BTreeMap<String, String>) -> Self {
        Self { common, of_workspaces }
    }

    /// What all workspaces have in common.
    pub fn common(&self) -> &str {
        &self.common
    }

    /// What applies to one workspace. The files of others are not in it: thousands of bags would repeat them.
    pub fn of(&self, workspace: &str) -> String {
        let own = self.of_workspaces.get(workspace);
        own.map_or_else(|| self.common.clone(), |own| format!("{}\n{own}", self.common))
    }
}
