//! A user's status, as the API writes it, and what it means for access.

/// What a status means for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusKind {
    /// `active`. If the user has not confirmed, this is a pending invitation.
    Active,
    /// `disabled` or `inactive`: cannot sign in but can be enabled again.
    Inactive,
    /// `deleted`. The API keeps listing these users.
    Deleted,
    /// A status that rolecall does not recognise. It is kept and reported.
    Other,
}

/// A status and what it means.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status {
    kind: StatusKind,
    word: Box<str>,
}

impl Status {
    /// As the API wrote it.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// What it means.
    pub fn kind(&self) -> StatusKind {
        self.kind
    }

    /// Whether rules about access skip this user.
    pub fn is_deleted(&self) -> bool {
        self.kind == StatusKind::Deleted
    }

    /// Whether the status allows the user to sign in.
    pub fn is_active(&self) -> bool {
        self.kind == StatusKind::Active
    }
}

impl From<&str> for Status {
    fn from(word: &str) -> Self {
        let kind = match word.to_ascii_lowercase().as_str() {
            "active" => StatusKind::Active,
            "disabled" | "inactive" => StatusKind::Inactive,
            "deleted" => StatusKind::Deleted,
            _ => StatusKind::Other,
        };
        Self { kind, word: word.into() }
    }
}
