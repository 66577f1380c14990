//! What a user may do that nobody else in the role may: a fact, and no accusation.

use std::collections::BTreeMap;

use super::{
    matrix::{AccessMatrix, MatrixRow},
    power::{Key, keys},
};
use crate::model::directory::{Permission, Profile};

/// What a user may do that no other active user of the same role may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outliers<'a> {
    /// These permissions, by name. Empty if there are none.
    Known(Vec<&'a Permission>),
    /// There is nobody to compare with: the user has no role, or is its only active user.
    Alone,
    /// It depends on something that the API does not say; why.
    Unknown(String),
}

/// What a user may do that no other active user of the same role may.
pub fn outliers<'a>(matrix: &AccessMatrix<'a>, row: &MatrixRow<'a>) -> Outliers<'a> {
    let Some(role) = row.role else { return Outliers::Alone };
    let is_other = |other: &MatrixRow<'_>| {
        other.user.id() != row.user.id()
            && other.user.status().is_active()
            && other.role.is_some_and(|held| held.stated.id == role.stated.id)
    };
    let mut others = matrix.rows().filter(is_other).peekable();
    if others.peek().is_none() {
        return Outliers::Alone;
    }
    let Some(held) = row.profile else { return Outliers::Known(Vec::new()) };
    let Some(profile) = held.master.filter(|profile| profile.permissions.enabled().is_some()) else {
        return Outliers::Unknown(format!("what the profile {} permits is not known", named(row)));
    };
    let mut only: BTreeMap<Key<'a>, &'a Permission> = BTreeMap::new();
    for permission in profile.permissions.enabled().into_iter().flatten() {
        only.entry((permission.name.as_str(), permission.module.as_deref())).or_insert(permission);
    }
    let mut unknown = None;
    for other in others {
        match (other.profile, other.profile.and_then(|held| held.master).and_then(keys)) {
            (None, _) => {}
            (Some(_), Some(permitted)) => only.retain(|key, _| !permitted.contains(key)),
            (Some(_), None) => unknown = unknown.or_else(|| Some(named(&other))),
        }
    }
    match unknown {
        Some(profile) if !only.is_empty() => {
            Outliers::Unknown(format!("what the profile {profile} of another user in the role permits is not known"))
        }
        _ => Outliers::Known(only.into_values().collect()),
    }
}

/// The profile of a user, by its name or id.
fn named(row: &MatrixRow<'_>) -> String {
    let id = || row.profile.map_or("", |profile| profile.stated.id.as_str());
    format!("“{}”", row.profile.and_then(|held| held.master).map_or_else(id, |profile: &Profile| &profile.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::testing::{STANDARD, World, profile, quiet, role},
        model::directory::Permissions,
    };

    /// Users 3, 4 and 5 are alone in a role of their own; user 3 has another profile.
    fn world() -> World {
        let mut world = quiet();
        world.roles.push(role("22", "Sales"));
        world.profiles.push(profile("31", "More", true, &["view", "export", "print"]));
        for id in 3..=5 {
            world.person(id).role = Some(("22".into(), None));
        }
        world.person(3).profile = Some(("31".into(), None));
        world
    }

    /// What is only this user's, in words.
    fn only(world: &World, id: &str) -> String {
        let directory = world.directory();
        let administrators = world.administrator_profiles();
        let matrix = AccessMatrix::new(&directory, &administrators, &[]);
        let row = matrix.rows().find(|row| row.user.id() == id).unwrap();
        match outliers(&matrix, &row) {
            Outliers::Known(all) => all.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "),
            Outliers::Alone => "alone".into(),
            Outliers::Unknown(why) => why,
        }
    }

    #[test]
    fn what_nobody_else_in_the_role_may_do_is_named() {
        let mut world = world();
        assert_eq!(["3", "4"].map(|id| only(&world, id)), ["export, print", ""]);
        // A second user with the same profile.
        world.person(4).profile = Some(("31".into(), None));
        assert_eq!(only(&world, "3"), "");
        // Who is not active may do nothing.
        world.person(4).status = "disabled".into();
        assert_eq!(only(&world, "3"), "export, print");
        world.person(5).status = "deleted".into();
        assert_eq!(only(&world, "3"), "alone");
        world.person(3).role = None;
        assert_eq!(only(&world, "3"), "alone");
    }

    #[test]
    fn what_is_not_known_is_said_where_it_matters() {
        let mut world = world();
        world.profiles.push(profile("32", "Hidden", true, &[]));
        world.profiles.last_mut().unwrap().permissions = Permissions::Unknown("403".into());
        world.person(4).profile = Some(("32".into(), None));
        assert_eq!(only(&world, "3"), "what the profile “Hidden” of another user in the role permits is not known");
        assert_eq!(only(&world, "4"), "what the profile “Hidden” permits is not known");
        // Nothing is left to be unknown.
        assert_eq!(only(&world, "5"), "");
        world.person(4).profile = Some(("99".into(), None));
        assert!(only(&world, "3").starts_with("what the profile “99” of another user"));
        world.person(4).profile = Some((STANDARD.into(), None));
        world.person(3).profile = None;
        assert_eq!(only(&world, "3"), "");
    }
}
