//! Identifiers. A [`RoleId`] cannot be passed for a [`ProfileId`]: the confusion that the vendor's API
//! invites (both are 19-digit strings inside the same user record) does not compile here.

use std::{cmp::Ordering, fmt};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as the API wrote it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                numeric_order(&self.0, &other.0)
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}

identifier!(
    /// The id of a user inside one workspace.
    UserId
);
identifier!(
    /// The id of a role: row-level data access by hierarchy.
    RoleId
);
identifier!(
    /// The id of a profile: feature permissions.
    ProfileId
);
identifier!(
    /// The id of a person across the vendor's products (`zuid`); an organization names its primary user by it.
    PersonId
);

/// Orders ids as numbers without a bound on their length; ids that are not decimal numbers come after
/// all that are, by their bytes. Numbers that differ only in leading zeros keep a total order.
pub fn numeric_order(a: &str, b: &str) -> Ordering {
    fn decimal(text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
    }
    match (decimal(a), decimal(b)) {
        (true, true) => {
            let (x, y) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y)).then_with(|| a.cmp(b))
        }
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_as_numbers_whatever_their_length() {
        let mut ids = ["10", "x", "9", "99999999999999999999999", "007", "7"];
        ids.sort_by(|a, b| numeric_order(a, b));
        assert_eq!(ids, ["007", "7", "9", "10", "99999999999999999999999", "x"]);
    }
}
