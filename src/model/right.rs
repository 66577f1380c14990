//! Who may do what in the web console.

use std::collections::BTreeSet;

use super::email::comparable;

/// What someone may do. Reviews give the right of a reviewer, the configuration gives the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Reads.
    Viewer,
    /// Decides about items of a review.
    Reviewer,
    /// Opens, assigns and closes reviews, and reads.
    Owner,
    /// Reads everything, evidence too, and changes nothing.
    Auditor,
}

impl Right {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Owner => "owner",
            Self::Auditor => "auditor",
        }
    }
}

/// Who holds a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A person, by address in the form in which addresses are compared.
    Address(String),
    /// Everyone in a group of the identity provider.
    Group(String),
}

/// What comes before the name of a group.
const GROUP: &str = "group:";

impl Holder {
    /// The holder of a text: `ana@example.com` or `group:security`.
    pub fn of(text: &str) -> Self {
        match text.strip_prefix(GROUP) {
            Some(name) => Self::Group(name.trim().to_owned()),
            None => Self::Address(comparable(text)),
        }
    }

    fn is(&self, address: &str, groups: &[String]) -> bool {
        match self {
            Self::Address(own) => own == address,
            Self::Group(name) => groups.contains(name),
        }
    }
}

/// Who holds which right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(pub Vec<(Right, Holder)>);

impl Rights {
    /// The rights of a person with an address, who is in some groups.
    pub fn of(&self, address: &str, groups: &[String]) -> BTreeSet<Right> {
        let address = comparable(address);
        self.0.iter().filter(|(_, holder)| holder.is(&address, groups)).map(|(right, _)| *right).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_held_by_address_and_by_group() {
        let rights = Rights(vec![
            (Right::Owner, Holder::of("group:security")),
            (Right::Auditor, Holder::of("Auditor@Example.com")),
            (Right::Viewer, Holder::of("group:staff")),
        ]);
        let groups = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let of = |address: &str, names: &[&str]| rights.of(address, &groups(names)).into_iter().collect::<Vec<_>>();
        assert_eq!(of("auditor@EXAMPLE.com", &[]), [Right::Auditor]);
        assert_eq!(of("ana@example.com", &["security", "staff"]), [Right::Viewer, Right::Owner]);
        assert_eq!(of("ana@example.com", &["Security", "security "]), []);
        // A group is not an address, and an address is not a group.
        assert_eq!(of("security", &[]), []);
        assert_eq!(of("group:security", &[]), []);
        assert_eq!(of("ben@example.com", &["auditor@example.com"]), []);
    }
}
