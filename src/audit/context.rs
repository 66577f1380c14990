//! What every rule may look at.

use super::{JudgeInput, population::Population, sink::Sink};
use crate::{
    access::matrix::MatrixRow,
    model::{directory::Directory, policy::Policy},
};

/// What every rule may look at. Rules pass over deleted users by going through [`Context::present`].
pub(super) struct Context<'a> {
    /// What is judged, against what, and when.
    pub(super) input: JudgeInput<'a>,
    /// What was read.
    pub(super) directory: &'a Directory,
    /// Who there is and what they hold, counted once for all rules.
    pub(super) population: Population,
    /// Whether every check of the read agreed.
    pub(super) complete: bool,
}

impl<'a> Context<'a> {
    /// The policy.
    pub(super) fn policy(&self) -> &'a Policy {
        self.input.policy
    }

    /// The rows of all users that are not deleted.
    pub(super) fn present(&self) -> impl Iterator<Item = MatrixRow<'a>> + '_ {
        self.input.matrix.rows().filter(|row| !row.user.status().is_deleted())
    }

    /// The rows of all users with an administrator profile that are not deleted.
    pub(super) fn administrators(&self) -> impl Iterator<Item = MatrixRow<'a>> + '_ {
        self.population.administrators.iter().map(|index| self.input.matrix.row(*index))
    }

    /// Whether it is known which profiles make an administrator; says so to the sink where it is not.
    pub(super) fn knows_administrators(&self, sink: &mut Sink<'_>) -> bool {
        let known = !self.input.administrator_profiles.is_empty();
        if !known {
            sink.not_evaluated("no administrator profile of the policy is on the master list");
        }
        known
    }
}
