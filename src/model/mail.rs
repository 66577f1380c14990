//! What a job and the configuration say about mail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a report is mailed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// After every audit.
    #[default]
    Always,
    /// If a finding is open, or the read was incomplete.
    Findings,
    /// If something changed, after the first audit, or if the read was incomplete.
    Changes,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Plain at first, then STARTTLS, without which nothing is sent. Port 587.
    #[default]
    StartTls,
    /// Encrypted from the first byte. Port 465.
    Tls,
    /// Not at all: for a server on this machine only.
    None,
}
