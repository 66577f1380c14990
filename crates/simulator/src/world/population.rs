//! Who is in a generated workspace: mostly ordinary colleagues, and a cast of the cases that an
//! access review exists to find.
//!
//! A person is computed from the number in the list and the seed, so a million of them take no
//! memory. In a small workspace the cast comes first; in a large one it is spread over all pages.

use super::{
    names,
    seeds::{
        ADMINISTRATOR, CEO, DATA_STEWARD, MANAGER, OPERATIONS, OPERATIONS_LEAD, ProfileSeed, RoleSeed, SALES, STANDARD,
        SUPPORT, SUPPORT_DESK, VANISHED,
    },
};

/// Why a person is in the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Owns the workspace; the token belongs to this user.
    Primary,
    Administrator,
    /// Cannot sign in, but would be Administrator again at once.
    DisabledAdministrator,
    /// Invited, never accepted.
    Unconfirmed,
    /// Deleted, with a null last name; keeps role and profile, as in the real API.
    Deleted,
    SharedMailbox,
    /// Outside the company's domain, with a profile that can export everything.
    Contractor,
    /// Holds a clone of the Administrator profile.
    CloneHolder,
    /// Refers to a role that is in no list.
    DanglingRole,
    /// Role and profile were renamed since; the user record has the old names.
    StaleNames,
    /// The name is a spreadsheet formula.
    Formula,
    /// The `Administrator` again, from another domain.
    SecondAccount,
    NonAscii,
    UnconfirmedAdministrator,
    OtherScript,
    Disabled,
    NoRole,
    /// One of the many.
    Colleague,
}

/// The cast, the most instructive first: a workspace of twelve has the first twelve.
const CAST: [Part; 19] = [
    Part::Primary,
    Part::Administrator,
    Part::DisabledAdministrator,
    Part::Unconfirmed,
    Part::Deleted,
    Part::SharedMailbox,
    Part::Contractor,
    Part::CloneHolder,
    Part::DanglingRole,
    Part::StaleNames,
    Part::Formula,
    Part::SecondAccount,
    Part::NonAscii,
    Part::UnconfirmedAdministrator,
    Part::OtherScript,
    Part::Disabled,
    Part::NoRole,
    Part::Administrator,
    Part::Administrator,
];

/// The id of the first generated user; the others follow.
pub(super) const FIRST_USER_ID: u64 = 5_820_190_000_000_627_001;
/// The account number of the first generated user; the others follow.
pub(super) const FIRST_ZUID: u64 = 700_100_001;

/// How many people are generated, and from what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Population {
    pub(super) users: u32,
    pub(super) seed: u64,
}

/// What decides about access: enough for the API's filters, without the cost of a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) index: u32,
    pub(super) part: Part,
    pub(super) status: &'static str,
    pub(super) confirmed: bool,
    pub(super) role: Option<&'static RoleSeed>,
    pub(super) profile: &'static ProfileSeed,
    /// Random bits for the rest of the record.
    pub(super) noise: u64,
}

/// How a member is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) email: String,
}

impl Name {
    pub(super) fn full(&self) -> String {
        match (&self.first, &self.last) {
            (Some(first), Some(last)) => format!("{first} {last}"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => String::new(),
        }
    }
}

impl Population {
    /// The member at a place in the list.
    pub(super) fn member(self, index: u32) -> Member {
        let part = self.part(index);
        let noise = scramble(self.seed ^ u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let percent = noise % 100;
        let everyday = match percent {
            0..60 => (&SALES, &STANDARD),
            60..80 => (&SUPPORT, &SUPPORT_DESK),
            80..90 => (&OPERATIONS, &STANDARD),
            _ => (&MANAGER, &STANDARD),
        };
        let (status, confirmed) = match (part, noise >> 8 & 0xFF) {
            (Part::Deleted, _) | (Part::Colleague, 0..8) => ("deleted", true),
            (Part::Disabled | Part::DisabledAdministrator, _) | (Part::Colleague, 8..18) => ("disabled", true),
            (Part::Unconfirmed | Part::UnconfirmedAdministrator, _) | (Part::Colleague, 18..24) => ("active", false),
            _ => ("active", true),
        };
        let (role, profile) = match part {
            Part::Primary => (Some(&CEO), &ADMINISTRATOR),
            Part::Administrator | Part::DisabledAdministrator => (Some(&MANAGER), &ADMINISTRATOR),
            Part::UnconfirmedAdministrator => (Some(&OPERATIONS), &ADMINISTRATOR),
            Part::Unconfirmed | Part::Deleted | Part::Formula | Part::StaleNames => (Some(&SALES), &STANDARD),
            Part::SharedMailbox => (Some(&SUPPORT), &SUPPORT_DESK),
            Part::Contractor => (Some(&OPERATIONS), &DATA_STEWARD),
            Part::CloneHolder => (Some(&OPERATIONS), &OPERATIONS_LEAD),
            Part::DanglingRole => (Some(&VANISHED), &STANDARD),
            Part::NoRole => (None, &STANDARD),
            _ => (Some(everyday.0), everyday.1),
        };
        Member { index, part, status, confirmed, role, profile, noise }
    }

    /// The name of a member.
    pub(super) fn name(self, member: Member) -> Name {
        let (first, last) = names::name(member.index, self.seed);
        let local = names::local_part(first, &last);
        let named = |first: &str, last: &str, email: String| Name {
            first: Some(first.to_owned()),
            last: Some(last.to_owned()),
            email,
        };
        match member.part {
            Part::Deleted => Name { first: Some(first.to_owned()), last: None, email: format!("{local}@example.com") },
            Part::SharedMailbox => named("Info", "Desk", "info@example.com".to_owned()),
            Part::Contractor => named(first, &last, format!("{local}@example.org")),
            Part::Formula => {
                named("=HYPERLINK(\"https://example.org/\",\"pay slip\")", &last, format!("{local}@example.com"))
            }
            Part::SecondAccount => {
                let (first, last) = names::name(self.index_of(Part::Administrator), self.seed);
                named(first, &last, format!("{}@example.net", names::local_part(first, &last)))
            }
            Part::NonAscii => named("Žofie", "Öländer-Ñandú", "zofie.olander@example.com".to_owned()),
            Part::OtherScript => named("示例", "用户", "shili.yonghu@example.com".to_owned()),
            _ => named(first, &last, format!("{local}@example.com")),
        }
    }

    fn part(self, index: u32) -> Part {
        let stride = self.stride();
        if !index.is_multiple_of(stride) {
            return Part::Colleague;
        }
        let place = usize::try_from(index / stride).unwrap_or(usize::MAX);
        CAST.get(place).copied().unwrap_or(Part::Colleague)
    }

    fn index_of(self, part: Part) -> u32 {
        let place = CAST.iter().position(|candidate| *candidate == part).unwrap_or_default();
        u32::try_from(place).unwrap_or_default() * self.stride()
    }

    /// The distance in the list between two members of the cast.
    fn stride(self) -> u32 {
        (self.users / u32::try_from(CAST.len()).unwrap_or(1)).max(1)
    }
}

/// `SplitMix64`'s finisher: the same number always gives the same well mixed bits.
fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_stay_a_handful_in_a_large_workspace() {
        let population = Population { users: 100_000, seed: 3 };
        let administrators =
            (0..population.users).filter(|index| population.member(*index).profile.id == ADMINISTRATOR.id).count();
        assert_eq!(administrators, 6);
    }

    #[test]
    fn twelve_users_are_the_first_twelve_of_the_cast() {
        let population = Population { users: 12, seed: 3 };
        let parts: Vec<_> = (0..12).map(|index| population.member(index).part).collect();
        assert_eq!(parts, CAST[..12]);
    }

    #[test]
    fn the_second_account_has_the_name_of_an_administrator() {
        let population = Population { users: 500, seed: 3 };
        let name_of = |part| population.name(population.member(population.index_of(part)));
        let (once, again) = (name_of(Part::Administrator), name_of(Part::SecondAccount));
        assert_eq!(once.full(), again.full());
        assert_ne!(once.email, again.email);
    }
}
