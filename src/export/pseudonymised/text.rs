//! The texts of files that can be searched for names, and the addresses in them.

use std::sync::LazyLock;

use regex::Regex;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// JSON.
    Json,
    /// CSV.
    Csv,
}

impl Kind {
    /// By the ending of a name; `None` if it cannot be searched.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// The addresses in a text.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = &str> {
    // The pattern is valid: tests use it.
    static ADDRESS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"[\p{L}\p{N}._%+'\-]+@[\p{L}\p{N}](?:[\p{L}\p{N}.\-]*[\p{L}\p{N}])?").ok());
    let found = ADDRESS.as_ref().filter(|_| text.contains('@')).map(|address| address.find_iter(text));
    found.into_iter().flatten().map(|found| found.as_str().trim_matches(['\'', '.', '-']))
}
