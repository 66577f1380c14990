//! How much power a user has, however it is held. This is the one place that decides it; reports, rules, look-ups and
//! drift ask here.
//!
//! Full power comes with an administrator profile, with a profile that permits everything that one of those permits, and
//! with a role that the API calls administrative.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    directory::{Permission, Profile, Role},
    id::{ProfileId, RoleId},
    unread::{Field, Fields},
};

/// How much power a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// Full power, by an administrator profile of the policy.
    Administrator,
    /// The same power in another way: by a profile that permits everything that Administrator permits, or by an
    /// administrative role.
    Equivalent,
    /// A permission that the policy calls dangerous.
    Dangerous,
    /// None of these.
    Ordinary,
    /// The API does not say.
    Unknown,
}

impl Power {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Administrator, Self::Equivalent, Self::Dangerous, Self::Ordinary, Self::Unknown];

    /// As written in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Equivalent => "equivalent",
            Self::Dangerous => "dangerous",
            Self::Ordinary => "ordinary",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it is full power.
    pub fn is_full(self) -> bool {
        matches!(self, Self::Administrator | Self::Equivalent)
    }

    /// The power of a user whose profile gives `self`, and whose role gives `role`.
    #[must_use]
    pub fn with_role(self, role: Self) -> Self {
        match (self, role) {
            (Self::Administrator, _) | (_, Self::Administrator) => Self::Administrator,
            (Self::Equivalent, _) | (_, Self::Equivalent) => Self::Equivalent,
            // What is known of the profile stands, whatever the role adds.
            (Self::Dangerous, _) | (_, Self::Dangerous) => Self::Dangerous,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Ordinary, Self::Ordinary) => Self::Ordinary,
        }
    }
}

/// What decides about power: the profiles and roles of a workspace under a policy.
#[derive(Debug)]
pub struct Yardstick<'a> {
    administrator_profiles: Vec<ProfileId>,
    /// What each administrator profile permits, as far as it is known.
    measures: Vec<(&'a Profile, BTreeSet<Key<'a>>)>,
    profiles: HashMap<&'a ProfileId, Power>,
    roles: HashMap<&'a RoleId, Power>,
    /// What a role gives that is not in the role list.
    unlisted_role: Power,
}

impl<'a> Yardstick<'a> {
    /// Measures the profiles and roles of a workspace. The ids are those of the administrator profiles.
    pub fn new(
        profiles: &'a [Profile],
        roles: &'a [Role],
        administrator_profiles: &[ProfileId],
        dangerous_permissions: &[String],
    ) -> Self {
        let administrators = profiles.iter().filter(|profile| administrator_profiles.contains(&profile.id));
        // A profile without enabled permissions is no measure: every other profile includes it.
        let measures: Vec<_> = administrators
            .filter_map(|profile| Some((profile, keys(profile)?)))
            .filter(|(_, keys)| !keys.is_empty())
            .collect();
        let mut yardstick = Self {
            administrator_profiles: administrator_profiles.to_vec(),
            measures,
            profiles: HashMap::new(),
            roles: HashMap::new(),
            unlisted_role: Power::Ordinary,
        };
        yardstick.profiles =
            profiles.iter().map(|profile| (&profile.id, yardstick.measure(profile, dangerous_permissions))).collect();
        // Many workspaces mark no role at all; then a role without the mark says nothing that a profile does not.
        let marks_roles = roles.iter().any(|role| role.admin_user.is_some());
        let unmarked = if marks_roles { Power::Unknown } else { Power::Ordinary };
        yardstick.unlisted_role = unmarked;
        let role_power = |role: &Role| match role.admin_user {
            Some(true) => Power::Equivalent,
            Some(false) => Power::Ordinary,
            None => unmarked,
        };
        yardstick.roles = roles.iter().map(|role| (&role.id, role_power(role))).collect();
        yardstick
    }

    fn measure(&self, profile: &Profile, dangerous_permissions: &[String]) -> Power {
        if self.administrator_profiles.contains(&profile.id) {
            return Power::Administrator;
        }
        let Some(permits) = keys(profile) else { return Power::Unknown };
        if self.original_of(&permits).is_some() {
            return Power::Equivalent;
        }
        let mut enabled = profile.permissions.enabled().into_iter().flatten();
        if enabled.any(|permission| is_dangerous(permission, dangerous_permissions)) {
            return Power::Dangerous;
        }
        // What nothing is compared with may be equal.
        if self.is_known() { Power::Ordinary } else { Power::Unknown }
    }

    fn original_of(&self, permits: &BTreeSet<Key<'_>>) -> Option<&'a Profile> {
        let is_included =
            |(_, measure): &&(&Profile, BTreeSet<Key<'a>>)| measure.iter().all(|key| permits.contains(key));
        self.measures.iter().find(is_included).map(|(profile, _)| *profile)
    }

    /// Whether it is known what an administrator profile permits.
    pub fn is_known(&self) -> bool {
        !self.measures.is_empty()
    }

    /// Whether what a profile and a role give may be full power, which the API does not tell. What is dangerous may be full
    /// power, too, if nothing is known to compare it with.
    pub fn may_be_full(&self, profile: Power, role: Power) -> bool {
        let is_compared = self.is_known() || profile != Power::Dangerous;
        profile == Power::Unknown || role == Power::Unknown || !is_compared
    }

    /// Whether a profile is an administrator profile, by id.
    pub(super) fn is_administrator(&self, id: &ProfileId) -> bool {
        self.administrator_profiles.contains(id)
    }

    /// What those administrator profiles permit of which a profile permits everything.
    pub(super) fn measures_within<'s>(&'s self, profile: &'s Profile) -> impl Iterator<Item = &'s BTreeSet<Key<'a>>> {
        let permits = keys(profile);
        let measures = self.measures.iter().map(|(_, measure)| measure);
        measures.filter(move |measure| {
            permits.as_ref().is_some_and(|permits| measure.iter().all(|key| permits.contains(key)))
        })
    }

    /// The administrator profile that a profile permits everything of. `None` if there is none.
    pub fn original(&self, profile: &Profile) -> Option<&'a Profile> {
        keys(profile).and_then(|permits| self.original_of(&permits))
    }

    /// What a profile gives, whether it is in the profile list or not.
    pub fn of_profile(&self, id: &ProfileId) -> Power {
        let unlisted = || {
            if self.administrator_profiles.contains(id) { Power::Administrator } else { Power::Unknown }
        };
        self.profiles.get(id).copied().unwrap_or_else(unlisted)
    }

    /// What a role gives that is not in the role list, or is not known.
    pub fn of_unlisted_role(&self) -> Power {
        self.unlisted_role
    }

    /// What a user has with this profile and role. A field that could not be read may have any value.
    pub fn of_user(&self, profile: Option<&str>, role: Option<&str>, unread: Fields) -> Power {
        let profile = match profile {
            Some(id) => self.of_profile(&ProfileId::from(id)),
            None if unread.has(Field::Profile) => Power::Unknown,
            None => Power::Ordinary,
        };
        let role = match role {
            Some(id) => self.of_role(&RoleId::from(id)),
            None if unread.has(Field::Role) => self.unlisted_role,
            None => Power::Ordinary,
        };
        profile.with_role(role)
    }

    /// What a role gives, whether it is in the role list or not.
    pub fn of_role(&self, id: &RoleId) -> Power {
        self.roles.get(id).copied().unwrap_or(self.unlisted_role)
    }
}

/// Whether the policy calls a permission dangerous, by a fragment of its name or label.
pub fn is_dangerous(permission: &Permission, fragments: &[String]) -> bool {
    danger(permission, fragments).is_some()
}

/// The place of the first fragment that a permission's name or label has.
pub(super) fn danger(permission: &Permission, fragments: &[String]) -> Option<usize> {
    let names = [Some(permission.name.to_lowercase()), permission.label.as_ref().map(|label| label.to_lowercase())];
    fragments.iter().position(|fragment| names.iter().flatten().any(|name| name.contains(fragment.as_str())))
}

/// A permission's name, and the module that it is about.
pub(super) type Key<'a> = (&'a str, Option<&'a str>);

/// What a profile permits. `None` if the API does not say.
pub(super) fn keys(profile: &Profile) -> Option<BTreeSet<Key<'_>>> {
    let enabled = profile.permissions.enabled()?;
    Some(enabled.map(|permission| (permission.name.as_str(), permission.module.as_deref())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::Permissions;

    fn profile(id: &str, enabled: &[&str]) -> Profile {
        let permission = |name: &&str| Permission { name: (*name).into(), module: None, label: None, enabled: true };
        let permissions = Permissions::Known(enabled.iter().map(permission).collect());
        Profile { id: id.into(), name: id.into(), custom: None, description: None, modified: None, permissions }
    }

    fn role(id: &str, admin_user: Option<bool>) -> Role {
        Role {
            id: id.into(),
            name: id.into(),
            reporting_to: None,
            admin_user,
            share_with_peers: None,
            description: None,
        }
    }

    fn powers(profiles: &[Profile], administrators: &[&str]) -> Vec<Power> {
        let ids: Vec<ProfileId> = administrators.iter().map(|id| ProfileId::from(*id)).collect();
        let yardstick = Yardstick::new(profiles, &[], &ids, &["export".to_owned()]);
        profiles.iter().map(|profile| yardstick.of_profile(&profile.id)).collect()
    }

    #[test]
    fn a_profile_is_measured_by_what_it_permits_and_not_by_its_name() {
        use Power::{Administrator, Dangerous, Equivalent, Ordinary, Unknown};
        let mut profiles = vec![
            profile("1", &["view", "export", "manage users"]),
            profile("2", &["view", "export", "manage users"]),
            profile("3", &["view", "export", "manage users", "more"]),
            profile("4", &["view", "export"]),
            profile("5", &["view", "manage users"]),
            profile("6", &[]),
        ];
        profiles.push(Profile { permissions: Permissions::Unknown("403".into()), ..profile("7", &[]) });
        let expected = [Administrator, Equivalent, Equivalent, Dangerous, Ordinary, Ordinary, Unknown];
        assert_eq!(powers(&profiles, &["1"]), expected);
        // By two administrator profiles, a copy of either is one.
        assert_eq!(powers(&profiles, &["1", "5"])[4], Administrator);
        // What Administrator permits is not known: only what is dangerous in itself is certain.
        profiles[0].permissions = Permissions::Unknown("403".into());
        let unknown = [Administrator, Dangerous, Dangerous, Dangerous, Unknown, Unknown, Unknown];
        assert_eq!(powers(&profiles, &["1"]), unknown);
        profiles[0].permissions = Permissions::Known(Vec::new());
        assert_eq!(powers(&profiles, &["1"])[5], Unknown, "an empty profile is no measure");
    }

    #[test]
    fn a_role_adds_to_what_a_profile_gives_and_says_nothing_if_no_role_is_marked() {
        let roles = [role("1", Some(true)), role("2", Some(false)), role("3", None)];
        let yardstick = Yardstick::new(&[], &roles, &[], &[]);
        let of = |id: &str| yardstick.of_role(&RoleId::from(id));
        assert_eq!(["1", "2", "3", "9"].map(of), [Power::Equivalent, Power::Ordinary, Power::Unknown, Power::Unknown]);
        let unmarked = [role("3", None)];
        let yardstick = Yardstick::new(&[], &unmarked, &[], &[]);
        assert_eq!(yardstick.of_role(&RoleId::from("3")), Power::Ordinary);
        assert_eq!(Power::Ordinary.with_role(Power::Equivalent), Power::Equivalent);
        assert_eq!(Power::Administrator.with_role(Power::Equivalent), Power::Administrator);
        assert_eq!(Power::Dangerous.with_role(Power::Unknown), Power::Dangerous);
        assert_eq!(Power::Ordinary.with_role(Power::Unknown), Power::Unknown);
        for power in Power::ALL {
            assert_eq!(serde_json::json!(power), power.word());
            assert_eq!(power.with_role(Power::Ordinary), power);
        }
    }
}
