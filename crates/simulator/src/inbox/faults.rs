//! How the inbox can be made to fail.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// One stage of the exchange that fails on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxFault {
    /// The user name and password are refused (535), even if none were configured.
    AuthenticationRefused,
    /// The sender is refused (550).
    SenderRefused,
    /// Every recipient is permanently refused (550).
    RecipientRefused,
    /// Every recipient is temporarily refused (450).
    RecipientDeferred,
    /// All recipients but the first are refused (550).
    LaterRecipientsRefused,
    /// The message is refused after it was transmitted (554).
    DataRefused,
    /// The message is kept and never answered.
    StallAfterData,
    /// The message is kept and the connection closed without an answer.
    DropAfterData,
}

impl InboxFault {
    /// All faults, in the order of an exchange.
    pub const ALL: &[Self] = &[
        Self::AuthenticationRefused,
        Self::SenderRefused,
        Self::RecipientRefused,
        Self::RecipientDeferred,
        Self::LaterRecipientsRefused,
        Self::DataRefused,
        Self::StallAfterData,
        Self::DropAfterData,
    ];

    /// What it does, in one line.
    pub fn description(self) -> &'static str {
        match self {
            Self::AuthenticationRefused => "The inbox refuses the user name and password (535).",
            Self::SenderRefused => "The inbox refuses the sender (550).",
            Self::RecipientRefused => "The inbox refuses every recipient for good (550).",
            Self::RecipientDeferred => "The inbox refuses every recipient for now (450).",
            Self::LaterRecipientsRefused => "The inbox refuses all recipients but the first (550).",
            Self::DataRefused => "The inbox refuses the message after it was transmitted (554).",
            Self::StallAfterData => "The inbox keeps the message and never answers.",
            Self::DropAfterData => "The inbox keeps the message and closes the connection without an answer.",
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthenticationRefused => "smtp-authentication-refused",
            Self::SenderRefused => "smtp-sender-refused",
            Self::RecipientRefused => "smtp-recipient-refused",
            Self::RecipientDeferred => "smtp-recipient-deferred",
            Self::LaterRecipientsRefused => "smtp-later-recipients-refused",
            Self::DataRefused => "smtp-data-refused",
            Self::StallAfterData => "smtp-stall-after-data",
            Self::DropAfterData => "smtp-drop-after-data",
        }
    }
}

impl fmt::Display for InboxFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An unknown name of a fault of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid fault of the inbox `{0}`; `rolecall simulate --fault list` lists all")]
pub struct UnknownInboxFault(String);

impl FromStr for InboxFault {
    type Err = UnknownInboxFault;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| UnknownInboxFault(name.to_owned()))
    }
}
