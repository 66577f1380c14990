//! A user's status, in the API's own word.

/// What a status word means for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusKind {
    /// `active`. With `confirm` false it is an invitation that nobody accepted yet.
    Active,
    /// `disabled` or `inactive`: cannot sign in, can be switched on again.
    Inactive,
    /// `deleted`: the vendor keeps listing them.
    Deleted,
    /// A word that rolecall does not know; kept and reported.
    Other,
}

/// A status word and what it means.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status {
    kind: StatusKind,
    word: Box<str>,
}

impl Status {
    /// The API's word.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// What it means.
    pub fn kind(&self) -> StatusKind {
        self.kind
    }

    /// Whether rules about access pass this user over.
    pub fn is_deleted(&self) -> bool {
        self.kind == StatusKind::Deleted
    }

    /// Whether the user may sign in as far as the status goes.
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
