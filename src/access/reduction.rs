//! The smallest set of permissions to take away from a profile so that it is no longer as strong as Administrator, or no
//! longer dangerous. Exact, and the same whatever the order of profiles and permissions.

use std::collections::{BTreeMap, BTreeSet};

use super::power::{Key, Yardstick, danger};
use crate::model::directory::{Permission, Profile};

/// Administrator profiles of different strength that one profile may equal at once; beyond that, the search is too large.
const MAX_MEASURES: usize = 12;

/// What to take away from a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reduction<'a> {
    /// The smallest set without which it no longer permits everything that an administrator profile permits. Empty if it
    /// does not permit that.
    pub full_power: Vec<&'a Permission>,
    /// The dangerous permissions: without all of them, it is no longer dangerous.
    pub dangerous: Vec<&'a Permission>,
    /// The smallest set without which it is neither.
    pub both: Vec<&'a Permission>,
}

/// What to take away from a profile. `None` if what it permits is not known, if it is itself an administrator profile, if
/// there is nothing to take away, or if it equals too many administrator profiles.
pub fn reduction<'a>(
    yardstick: &Yardstick<'_>,
    profile: &'a Profile,
    dangerous_permissions: &[String],
) -> Option<Reduction<'a>> {
    if yardstick.is_administrator(&profile.id) {
        return None;
    }
    let choices = Choices::of(profile, dangerous_permissions)?;
    let measures: BTreeSet<&BTreeSet<Key<'_>>> = yardstick.measures_within(profile).collect();
    let measures: Vec<&BTreeSet<Key<'_>>> = measures.into_iter().collect();
    if measures.len() > MAX_MEASURES {
        return None;
    }
    let full_power = choices.smallest(&measures);
    let dangerous: Vec<usize> = (0..choices.0.len()).filter(|place| choices.0[*place].danger.is_some()).collect();
    // All dangerous ones have to go; the rest hits what they do not.
    let is_left =
        |measure: &&&BTreeSet<Key<'_>>| !dangerous.iter().any(|place| measure.contains(&choices.0[*place].key));
    let left: Vec<&BTreeSet<Key<'_>>> = measures.iter().filter(is_left).copied().collect();
    let both: Vec<usize> = dangerous.iter().copied().chain(choices.smallest(&left)).collect();
    let named = |places: &[usize]| places.iter().map(|place| choices.0[*place].permission).collect();
    let reduction = Reduction { full_power: named(&full_power), dangerous: named(&dangerous), both: named(&both) };
    (!reduction.both.is_empty()).then_some(reduction)
}

/// A permission that a profile grants.
struct Choice<'a> {
    key: Key<'a>,
    permission: &'a Permission,
    /// How dangerous it is: the place of the policy's fragment. `None` if the policy does not call it dangerous.
    danger: Option<usize>,
}

/// What a profile grants: the most dangerous first, then by name.
struct Choices<'a>(Vec<Choice<'a>>);

impl<'a> Choices<'a> {
    fn of(profile: &'a Profile, dangerous_permissions: &[String]) -> Option<Self> {
        let mut known: BTreeMap<Key<'a>, Choice<'a>> = BTreeMap::new();
        for permission in profile.permissions.enabled()? {
            let key = (permission.name.as_str(), permission.module.as_deref());
            let new = Choice { key, permission, danger: danger(permission, dangerous_permissions) };
            let choice = known.entry(key).or_insert_with(|| Choice { key, permission, danger: new.danger });
            // One permission under several labels.
            let rank =
                |choice: &Choice<'a>| (choice.danger.is_none(), choice.danger, choice.permission.label.as_deref());
            if rank(&new) < rank(choice) {
                *choice = new;
            }
        }
        let mut choices: Vec<Choice<'a>> = known.into_values().collect();
        choices.sort_by_key(|choice| (choice.danger.is_none(), choice.danger, choice.key));
        Some(Self(choices))
    }

    /// The places of the fewest permissions of which every measure has at least one; among several such sets, the one
    /// whose permissions come first.
    fn smallest(&self, measures: &[&BTreeSet<Key<'_>>]) -> Vec<usize> {
        // Permissions that the same measures have are alike: the first stands for all.
        let mut by_measures: BTreeMap<usize, usize> = BTreeMap::new();
        for (place, choice) in self.0.iter().enumerate() {
            let hit = (0..measures.len()).filter(|number| measures[*number].contains(&choice.key));
            let hit = hit.fold(0, |hit, number| hit | (1 << number));
            if hit != 0 {
                by_measures.entry(hit).or_insert(place);
            }
        }
        // The best set for each combination of measures, from smaller to larger combinations.
        let all = (1_usize << measures.len()) - 1;
        let mut best: Vec<Option<Vec<usize>>> = vec![None; all + 1];
        best[0] = Some(Vec::new());
        for done in 0..all {
            let Some(set) = best[done].clone() else { continue };
            for (hit, place) in &by_measures {
                let next = done | hit;
                if next == done {
                    continue;
                }
                let mut with = set.clone();
                with.push(*place);
                with.sort_unstable();
                let is_better = best[next].as_ref().is_none_or(|known| (with.len(), &with) < (known.len(), known));
                if is_better {
                    best[next] = Some(with);
                }
            }
        }
        best.pop().flatten().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        access::power::Power,
        model::{directory::Permissions, id::ProfileId},
    };

    fn permission(name: &str) -> Permission {
        Permission { name: name.into(), module: None, label: None, enabled: true }
    }

    fn profile(id: &str, names: &[&str]) -> Profile {
        let permissions = Permissions::Known(names.iter().map(|name| permission(name)).collect());
        Profile { id: id.into(), name: id.into(), custom: Some(true), description: None, modified: None, permissions }
    }

    fn dangerous() -> Vec<String> {
        ["manage users", "export"].map(str::to_owned).into()
    }

    fn power(profiles: &[Profile], administrators: &[ProfileId], id: &str) -> Power {
        Yardstick::new(profiles, &[], administrators, &dangerous()).of_profile(&id.into())
    }

    /// What to take away from the last profile: for each of the three sets.
    fn taken(profiles: &[Profile], administrators: &[&str]) -> Option<[Vec<String>; 3]> {
        let ids: Vec<ProfileId> = administrators.iter().map(|id| ProfileId::from(*id)).collect();
        let yardstick = Yardstick::new(profiles, &[], &ids, &dangerous());
        let reduction = reduction(&yardstick, profiles.last().unwrap(), &dangerous())?;
        let names = |set: &[&Permission]| set.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        Some([names(&reduction.full_power), names(&reduction.dangerous), names(&reduction.both)])
    }

    #[test]
    fn one_permission_is_enough_against_one_administrator_profile_and_the_most_dangerous_is_named() {
        let administrator = profile("1", &["view", "export all", "manage users"]);
        let clone = profile("2", &["view", "export all", "manage users", "more"]);
        let expected = [vec!["manage users"], vec!["manage users", "export all"], vec!["manage users", "export all"]];
        assert_eq!(taken(&[administrator.clone(), clone], &["1"]).unwrap(), expected);
        let dangerous = profile("2", &["view", "export all"]);
        let expected = [vec![], vec!["export all"], vec!["export all"]];
        assert_eq!(taken(&[administrator.clone(), dangerous], &["1"]).unwrap(), expected);
        assert_eq!(taken(&[administrator.clone(), profile("2", &["view"])], &["1"]), None);
        assert_eq!(taken(&[administrator], &["1"]), None, "an administrator profile is what it should be");
    }

    #[test]
    fn two_administrator_profiles_without_a_common_permission_take_two() {
        let profiles = [profile("1", &["a", "b"]), profile("2", &["c", "d"]), profile("3", &["a", "b", "c", "d", "e"])];
        assert_eq!(taken(&profiles, &["1", "2"]).unwrap()[0], ["a", "c"]);
        let profiles = [profile("1", &["a", "b"]), profile("2", &["b", "c"]), profile("3", &["a", "b", "c"])];
        assert_eq!(taken(&profiles, &["1", "2"]).unwrap()[0], ["b"]);
    }

    #[test]
    fn what_is_not_known_has_no_reduction() {
        let unknown = Profile { permissions: Permissions::Unknown("403".into()), ..profile("2", &[]) };
        assert_eq!(taken(&[profile("1", &["a"]), unknown], &["1"]), None);
    }

    const NAMES: [&str; 7] = ["a", "b", "c", "export x", "export y", "manage users", "d"];

    fn some() -> impl Strategy<Value = Vec<&'static str>> {
        proptest::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle()
    }

    proptest! {
        #[test]
        fn taking_the_set_away_changes_the_verdict_and_no_smaller_set_does(
            measures in proptest::collection::vec(some(), 1..4),
            held in some(),
        ) {
            let ids: Vec<ProfileId> = (0..measures.len()).map(|id| ProfileId::from(id.to_string().as_str())).collect();
            let with = |held: &[&str]| {
                let mut profiles: Vec<Profile> =
                    measures.iter().enumerate().map(|(id, names)| profile(&id.to_string(), names)).collect();
                profiles.push(profile("custom", held));
                profiles
            };
            let verdict = |held: &[&str]| power(&with(held), &ids, "custom");
            let found = taken(&with(&held), &ids.iter().map(ProfileId::as_str).collect::<Vec<_>>());
            let [full, _, both] = found.unwrap_or_default();
            // By brute force: the size of the smallest subset whose absence satisfies.
            let smallest = |satisfied: &dyn Fn(Power) -> bool| {
                let sizes = (0_usize..1 << held.len()).filter(|taken| {
                    let rest: Vec<&str> = (0..held.len()).filter(|at| taken & (1 << at) == 0).map(|at| held[at]).collect();
                    satisfied(verdict(&rest))
                });
                sizes.map(usize::count_ones).min()
            };
            let without = |set: &[String]| {
                let rest: Vec<&str> = held.iter().filter(|name| !set.iter().any(|one| one == *name)).copied().collect();
                verdict(&rest)
            };
            prop_assert_ne!(without(&full), Power::Equivalent);
            prop_assert_eq!(smallest(&|power| power != Power::Equivalent), u32::try_from(full.len()).ok());
            let is_harmless = |power: Power| !matches!(power, Power::Equivalent | Power::Dangerous);
            prop_assert!(is_harmless(without(&both)));
            prop_assert_eq!(smallest(&is_harmless), u32::try_from(both.len()).ok());
        }

        #[test]
        fn the_order_of_profiles_and_permissions_does_not_matter(measures in proptest::collection::vec(some(), 1..4)) {
            let all: Vec<Profile> = measures.iter().enumerate().map(|(id, names)| profile(&id.to_string(), names)).collect();
            let ids: Vec<String> = (0..measures.len()).map(|id| id.to_string()).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let mut names = NAMES.to_vec();
            let forwards: Vec<Profile> = all.iter().cloned().chain([profile("custom", &names)]).collect();
            names.reverse();
            let backwards: Vec<Profile> = all.iter().rev().cloned().chain([profile("custom", &names)]).collect();
            prop_assert_eq!(taken(&forwards, &ids), taken(&backwards, &ids));
        }
    }
}
