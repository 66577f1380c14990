//! Resolves the policy's administrator profiles, names or ids, against the profile list.

use crate::model::{directory::Profile, id::ProfileId};

/// The profiles whose id or exact name is listed, and the entries that match no profile. A name that several profiles
/// share matches all of them.
pub fn resolve_administrator_profiles(wanted: &[String], profiles: &[Profile]) -> (Vec<ProfileId>, Vec<String>) {
    let mut found = Vec::new();
    let mut unmatched = Vec::new();
    for entry in wanted {
        let before = found.len();
        found.extend(profiles.iter().filter(|p| p.id.as_str() == entry || p.name == *entry).map(|p| p.id.clone()));
        if found.len() == before {
            unmatched.push(entry.clone());
        }
    }
    found.sort();
    found.dedup();
    (found, unmatched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::Permissions;

    #[test]
    fn names_and_ids_resolve_and_entries_that_match_nothing_are_returned() {
        let profile = |id: &str, name: &str| Profile {
            id: ProfileId::from(id),
            name: name.to_owned(),
            custom: None,
            description: None,
            modified: None,
            permissions: Permissions::Known(Vec::new()),
        };
        let profiles =
            [profile("1", "Administrator"), profile("2", "Administrator "), profile("3", "Ops"), profile("4", "Ops")];
        let wanted = ["Administrator", "Ops", "3", "Boss"].map(str::to_owned);
        let (found, unmatched) = resolve_administrator_profiles(&wanted, &profiles);
        assert_eq!(found, ["1", "3", "4"].map(ProfileId::from));
        assert_eq!(unmatched, ["Boss"]);
    }
}
