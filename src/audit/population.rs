//! Who there is and what they hold, counted in one pass for all rules.

use crate::{
    access::{accounts::DeclaredAccounts, matrix::AccessMatrix},
    model::{account::AccountKind, id::ProfileId, users::UserIndex},
};

/// How many users hold a role or profile as stated. Deleted users hold nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holders {
    /// Users that are not deleted.
    pub(super) present: usize,
    /// Active ones among them.
    pub(super) active: usize,
}

impl Holders {
    fn count(&mut self, active: bool) {
        self.present += 1;
        self.active += usize::from(active);
    }
}

/// The population in numbers.
#[derive(Debug, Default)]
pub(super) struct Population {
    /// Active users.
    pub(super) active: usize,
    /// Active users with full power.
    pub(super) active_administrators: usize,
    /// Those of them who can sign in: all but those known to be unconfirmed.
    pub(super) usable_administrators: usize,
    /// Declared service accounts among them.
    pub(super) usable_services: usize,
    /// Users with full power that are not deleted, by id.
    pub(super) administrators: Vec<UserIndex>,
    /// Users without a role that are not deleted.
    pub(super) without_role: usize,
    /// Users without a profile that are not deleted.
    pub(super) without_profile: usize,
    /// By the place of the stated role.
    pub(super) roles: Vec<Holders>,
    /// By the place of the stated profile.
    pub(super) profiles: Vec<Holders>,
}

impl Population {
    pub(super) fn of(matrix: &AccessMatrix<'_>, accounts: &DeclaredAccounts<'_>) -> Self {
        let users = &matrix.directory().users;
        let mut population = Self {
            roles: vec![Holders::default(); users.stated_roles().len()],
            profiles: vec![Holders::default(); users.stated_profiles().len()],
            ..Self::default()
        };
        for row in matrix.rows() {
            let user = row.user;
            if user.status().is_deleted() {
                continue;
            }
            let active = user.status().is_active();
            population.active += usize::from(active);
            match user.role_place() {
                Some(place) => population.roles[place].count(active),
                None => population.without_role += 1,
            }
            match user.profile_place() {
                Some(place) => population.profiles[place].count(active),
                None => population.without_profile += 1,
            }
            if row.power().is_full() {
                population.administrators.push(user.index());
                population.active_administrators += usize::from(active);
                if active && user.confirmed() != Some(false) {
                    let account = accounts.get(user.index());
                    population.usable_administrators += 1;
                    population.usable_services +=
                        usize::from(account.is_some_and(|account| account.kind == AccountKind::Service));
                }
            }
        }
        population
    }

    /// Who holds a profile, under whatever name user records give it.
    pub(super) fn holders_of_profile(&self, matrix: &AccessMatrix<'_>, id: &ProfileId) -> Holders {
        let stated = matrix.directory().users.stated_profiles().iter().zip(&self.profiles);
        stated.filter(|(stated, _)| stated.id == *id).fold(Holders::default(), |sum, (_, holders)| Holders {
            present: sum.present + holders.present,
            active: sum.active + holders.active,
        })
    }
}
