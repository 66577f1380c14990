//! Who holds two rights that one person must not hold together: in one workspace, or across the workspaces of a job.

use super::matrix::{JoinedProfile, JoinedRole, MatrixRow};
use crate::{
    model::{
        directory::{Permission, Permissions, Profile, Role},
        pattern::Pattern,
        separation::{Right, Separation},
    },
    words::list,
};

/// Permissions that a sentence names.
const NAMED: usize = 3;

/// What one account gives.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The role; `None` if there is none.
    pub role: Option<JoinedRole<'a>>,
    /// The profile; `None` if there is none.
    pub profile: Option<JoinedProfile<'a>>,
}

impl<'a> From<MatrixRow<'a>> for Access<'a> {
    fn from(row: MatrixRow<'a>) -> Self {
        Self { role: row.role, profile: row.profile }
    }
}

/// A separation, ready to be compared with what people hold.
#[derive(Debug)]
pub struct Sides<'p> {
    /// The separation.
    pub separation: &'p Separation,
    first: Side,
    second: Side,
}

/// One side of a separation.
#[derive(Debug)]
struct Side {
    kind: Kind,
    /// `None` if it cannot be read; then it matches nothing.
    pattern: Option<Pattern>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Permission,
    Profile,
    Role,
}

/// What one access of a person says of one side.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holding {
    /// It has the right, in words.
    Yes(String),
    No,
    /// The API does not say; why.
    Unknown(String),
}

/// What several accesses of one person say of a separation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// At most one of the two rights.
    Apart,
    /// Both.
    Together {
        /// The accesses that have the first right, by their place, and what it is.
        first: Vec<(usize, String)>,
        /// The same of the second.
        second: Vec<(usize, String)>,
    },
    /// It depends on something that the API does not say.
    NotKnown(String),
}

impl Held {
    /// Whether two different accesses have one right each, whatever else they have.
    pub fn is_across(&self) -> bool {
        let Self::Together { first, second } = self else { return false };
        first.iter().any(|(one, _)| second.iter().any(|(other, _)| one != other))
    }
}

impl<'p> Sides<'p> {
    /// The two sides of a separation.
    pub fn new(separation: &'p Separation) -> Self {
        Self { separation, first: Side::new(&separation.first), second: Side::new(&separation.second) }
    }

    /// What the accesses of one person say: one in each workspace.
    pub fn held(&self, accesses: &[Access<'_>]) -> Held {
        let (first, second) = (self.first.of(accesses), self.second.of(accesses));
        match (first, second) {
            (Ok(first), Ok(second)) if !first.is_empty() && !second.is_empty() => Held::Together { first, second },
            (Err(why), Err(_)) => Held::NotKnown(why),
            (Err(why), Ok(known)) | (Ok(known), Err(why)) if !known.is_empty() => Held::NotKnown(why),
            _ => Held::Apart,
        }
    }

    /// The sides that match nothing in these lists, in words. What is not known may match.
    pub fn unmatched(&self, profiles: &[Profile], roles: &[Role]) -> Vec<String> {
        let sides = [("first", &self.first, &self.separation.first), ("second", &self.second, &self.separation.second)];
        let unmatched = sides.into_iter().filter(|(_, side, _)| !side.matches_any(profiles, roles));
        unmatched.map(|(which, _, right)| format!("{which} ({} “{}”)", right.kind(), right.pattern())).collect()
    }
}

impl Side {
    fn new(right: &Right) -> Self {
        let kind = match right {
            Right::Permission(_) => Kind::Permission,
            Right::Profile(_) => Kind::Profile,
            Right::Role(_) => Kind::Role,
        };
        Self { kind, pattern: Pattern::parse(right.pattern()).ok() }
    }

    fn matches(&self, text: &str) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.matches_ignoring_case(text))
    }

    /// The accesses that have the right. An error if none is known to have it and one may.
    fn of(&self, accesses: &[Access<'_>]) -> Result<Vec<(usize, String)>, String> {
        let mut held = Vec::new();
        let mut unknown = None;
        for (place, access) in accesses.iter().enumerate() {
            match self.holding(access) {
                Holding::Yes(what) => held.push((place, what)),
                Holding::No => {}
                Holding::Unknown(why) => unknown = unknown.or(Some(why)),
            }
        }
        match unknown {
            Some(why) if held.is_empty() => Err(why),
            _ => Ok(held),
        }
    }

    fn holding(&self, row: &Access<'_>) -> Holding {
        match self.kind {
            Kind::Permission => self.permission(row),
            Kind::Profile => {
                let Some(profile) = row.profile else { return Holding::No };
                let name = profile.master.map(|master| master.name.as_str()).or(profile.stated.name.as_deref());
                self.named("profile", profile.stated.id.as_str(), name, profile.master.is_some())
            }
            Kind::Role => {
                let Some(role) = row.role else { return Holding::No };
                let name = role.master.map(|master| master.name.as_str()).or(role.stated.name.as_deref());
                self.named("role", role.stated.id.as_str(), name, role.master.is_some())
            }
        }
    }

    /// Whether a role or profile is meant, by its id or name. The name of one that is not in the list is not certain.
    fn named(&self, kind: &str, id: &str, name: Option<&str>, is_listed: bool) -> Holding {
        let shown = name.unwrap_or(id);
        if self.matches(id) || name.is_some_and(|name| self.matches(name)) {
            Holding::Yes(format!("the {kind} “{shown}”"))
        } else if is_listed {
            Holding::No
        } else {
            Holding::Unknown(format!("the {kind} {shown} is not in the {kind} list"))
        }
    }

    fn permission(&self, row: &Access<'_>) -> Holding {
        let Some(profile) = row.profile else { return Holding::No };
        let id = profile.stated.id.as_str();
        let Some(master) = profile.master else {
            return Holding::Unknown(format!("the profile {id} is not in the profile list"));
        };
        let Some(enabled) = master.permissions.enabled() else {
            return Holding::Unknown(format!("the API does not report what the profile “{}” permits", master.name));
        };
        let mut found: Vec<String> = enabled.filter(|one| self.is_meant(one)).map(shown).collect();
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            return Holding::No;
        }
        let named: Vec<&String> = found.iter().take(NAMED).collect();
        Holding::Yes(format!("{} by the profile “{}”", list(&named, found.len()), master.name))
    }

    fn is_meant(&self, permission: &Permission) -> bool {
        self.matches(&permission.name) || permission.label.as_deref().is_some_and(|label| self.matches(label))
    }

    fn matches_any(&self, profiles: &[Profile], roles: &[Role]) -> bool {
        match self.kind {
            Kind::Permission => profiles.iter().any(|profile| match &profile.permissions {
                Permissions::Known(all) => all.iter().any(|one| self.is_meant(one)),
                Permissions::Unknown(_) => true,
            }),
            Kind::Profile => {
                profiles.iter().any(|profile| self.matches(profile.id.as_str()) || self.matches(&profile.name))
            }
            Kind::Role => roles.iter().any(|role| self.matches(role.id.as_str()) || self.matches(&role.name)),
        }
    }
}

/// A permission in the product's words.
fn shown(permission: &Permission) -> String {
    let name = permission.label.as_deref().unwrap_or(&permission.name);
    permission.module.as_deref().map_or_else(|| format!("“{name}”"), |module| format!("“{name}” ({module})"))
}
