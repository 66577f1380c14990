//! Fields of records that the API gave in a form that could not be read. Their values are unknown, which is not the same as
//! not given: a rule that needs one of them is not evaluated for its record.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::id::{ProfileId, RoleId};

/// A field that a record may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The status of a user.
    Status,
    /// The role of a user.
    Role,
    /// The profile of a user.
    Profile,
    /// Whether a user accepted the invitation.
    Confirmed,
    /// When a user record was created.
    Created,
    /// When a record last changed.
    Modified,
    /// The address of a user.
    Email,
    /// The person's id across the vendor's products.
    Zuid,
    /// The display name of a user.
    FullName,
    /// The name of a role or profile.
    Name,
    /// The role above a role.
    ReportingTo,
    /// Whether a role carries administrative power.
    AdminUser,
    /// Whether the customer made a profile.
    Custom,
    /// A field that no rule needs.
    Other,
}

impl Field {
    /// All fields.
    const ALL: [Self; 14] = [
        Self::Status,
        Self::Role,
        Self::Profile,
        Self::Confirmed,
        Self::Created,
        Self::Modified,
        Self::Email,
        Self::Zuid,
        Self::FullName,
        Self::Name,
        Self::ReportingTo,
        Self::AdminUser,
        Self::Custom,
        Self::Other,
    ];

    /// Its name in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Role => "role",
            Self::Profile => "profile",
            Self::Confirmed => "confirmed",
            Self::Created => "created_time",
            Self::Modified => "modified_time",
            Self::Email => "email",
            Self::Zuid => "zuid",
            Self::FullName => "full_name",
            Self::Name => "name",
            Self::ReportingTo => "reporting_to",
            Self::AdminUser => "admin_user",
            Self::Custom => "custom",
            Self::Other => "description",
        }
    }
}

/// A set of fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fields(u16);

impl Fields {
    /// These fields.
    pub const fn of(fields: &[Field]) -> Self {
        let (mut set, mut place) = (0, 0);
        while place < fields.len() {
            set |= 1 << fields[place] as u16;
            place += 1;
        }
        Self(set)
    }

    /// Adds a field.
    pub fn add(&mut self, field: Field) {
        self.0 |= Self::of(&[field]).0;
    }

    /// Whether it has this field.
    pub fn has(self, field: Field) -> bool {
        !self.both(Self::of(&[field])).is_empty()
    }

    /// The fields of either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The fields of both sets.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Its fields, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(move |field| self.has(*field))
    }

    /// Their names.
    pub fn words(self) -> String {
        let words: Vec<&str> = self.iter().map(Field::word).collect();
        words.join(", ")
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Field::word))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        let known = Field::ALL.into_iter().filter(|field| words.iter().any(|word| word == field.word()));
        Ok(Self::of(&known.collect::<Vec<_>>()))
    }
}

/// The fields of roles and profiles that could not be read. Those of users are in their rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// By role.
    pub roles: BTreeMap<RoleId, Fields>,
    /// By profile.
    pub profiles: BTreeMap<ProfileId, Fields>,
}

impl Unread {
    /// Whether everything could be read.
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.profiles.is_empty()
    }

    /// The fields of a role.
    pub fn role(&self, id: &RoleId) -> Fields {
        self.roles.get(id).copied().unwrap_or_default()
    }

    /// The fields of a profile.
    pub fn profile(&self, id: &ProfileId) -> Fields {
        self.profiles.get(id).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_kept_by_the_names_of_its_fields() {
        let fields = Fields::of(&[Field::Zuid, Field::Status]);
        assert_eq!(serde_json::to_string(&fields).unwrap(), r#"["status","zuid"]"#);
        assert_eq!(serde_json::from_str::<Fields>(r#"["zuid","status","later"]"#).unwrap(), fields);
        assert!(Fields::of(&Field::ALL).iter().eq(Field::ALL));
        assert!(fields.has(Field::Zuid) && !fields.has(Field::Email));
    }
}
