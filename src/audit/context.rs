//! The input of every rule.

use std::sync::OnceLock;

use chrono::NaiveDate;

use super::{
    facts::Facts,
    input::JudgeInput,
    not_evaluated::NotEvaluated,
    population::Population,
    roster::{Employment, Identity},
};
use crate::{
    access::{
        accounts::DeclaredAccounts,
        drift::SnapshotHeader,
        matrix::MatrixRow,
        roster::{Member, People},
    },
    model::{directory::Directory, policy::Policy, rule::RuleList, status::StatusKind, users::UserIndex},
};

const NO_PREVIOUS: &str = "there is no previous audit to compare with";
const STATED_NAMES_NOT_KEPT: &str = "the names in the records of users are not kept with this audit";
const PREVIOUS_NOT_KEPT: &str = "the previous audit is not kept with this one";

/// The input of every rule. Rules skip deleted users by iterating over [`Context::present`].
pub(super) struct Context<'a> {
    /// What is judged, against what, and when.
    pub(super) input: JudgeInput<'a>,
    /// All rules of this audit.
    pub(super) rules: &'a RuleList,
    /// What was read.
    pub(super) directory: &'a Directory,
    /// Who there is and what they hold, counted once for all rules.
    pub(super) population: Population,
    /// The accounts that are not people.
    pub(super) accounts: DeclaredAccounts<'a>,
    /// Who works for the company.
    pub(super) employment: Employment<'a>,
    /// Whether the read was complete.
    pub(super) complete: bool,
    /// What custom rules read of roles and profiles.
    facts: OnceLock<Facts<'a>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(input: &JudgeInput<'a>, rules: &'a RuleList, employment: Employment<'a>) -> Self {
        let directory = input.matrix.directory();
        let accounts = DeclaredAccounts::of(input.matrix, input.policy, input.workspace, input.now.date_naive());
        let population = Population::of(input.matrix, &accounts);
        let complete = directory.reading.is_complete();
        let facts = OnceLock::new();
        Self { input: *input, rules, directory, population, accounts, employment, complete, facts }
    }

    /// The previous audit.
    pub(super) fn previous(&self) -> Result<&'a SnapshotHeader, NotEvaluated> {
        let because = if self.input.lacking.previous { PREVIOUS_NOT_KEPT } else { NO_PREVIOUS };
        self.input.previous.ok_or_else(|| NotEvaluated::because(because))
    }

    /// Fails if the names of roles and profiles in the records of users are not kept.
    pub(super) fn stated_names(&self) -> Result<(), NotEvaluated> {
        let is_kept = !self.input.lacking.stated_names;
        is_kept.then_some(()).ok_or_else(|| NotEvaluated::because(STATED_NAMES_NOT_KEPT))
    }

    /// What custom rules read of roles and profiles, worked out when the first rule asks.
    pub(super) fn facts(&self) -> &Facts<'a> {
        self.facts.get_or_init(|| Facts::of(self.input.matrix, &self.population))
    }

    /// The day in the time zone of a roster.
    pub(super) fn today(&self, roster: &str) -> NaiveDate {
        let sources = self.input.roster.iter().flat_map(|roster| &roster.sources);
        let zone = sources.filter(|source| source.name == roster).map(|source| source.bounds.time_zone).next();
        self.input.now.with_timezone(&zone.unwrap_or_default()).date_naive()
    }

    /// The policy.
    pub(super) fn policy(&self) -> &'a Policy {
        self.input.policy
    }

    /// The rows of all users that are not deleted.
    pub(super) fn present(&self) -> impl Iterator<Item = MatrixRow<'a>> + '_ {
        self.input.matrix.rows().filter(|row| !row.user.status().is_deleted())
    }

    /// The rows of all users with full power that are not deleted, however they hold it.
    pub(super) fn administrators(&self) -> impl Iterator<Item = MatrixRow<'a>> + '_ {
        self.population.administrators.iter().map(|index| self.input.matrix.row(*index))
    }

    /// Whether a user is a person as far as the policy says, and not a declared account. Rules about people pass over
    /// accounts; rules about power do not.
    pub(super) fn is_person(&self, user: UserIndex) -> bool {
        self.accounts.get(user).is_none()
    }

    /// What to say of a user with full power who is a declared account. Empty for a person.
    pub(super) fn declared(&self, user: UserIndex) -> String {
        self.accounts
            .get(user)
            .map(|account| format!(" It is declared as a {} account of {}.", account.kind, account.owner))
            .unwrap_or_default()
    }

    /// Whether it is known which profiles make an administrator.
    pub(super) fn knows_administrators(&self) -> Result<(), NotEvaluated> {
        if self.input.administrator_profiles.is_empty() {
            return Err(NotEvaluated::because("none of the policy's administrator profiles is in the profile list"));
        }
        Ok(())
    }

    /// The rows of all users that can sign in, or whose status does not say that they cannot.
    pub(super) fn usable(&self) -> impl Iterator<Item = MatrixRow<'a>> + '_ {
        self.present().filter(|row| row.user.status().kind() != StatusKind::Inactive)
    }

    /// The only person of the roster that a user is.
    pub(super) fn member<'p>(&self, people: &'p People<'a>, row: &MatrixRow<'_>) -> Option<&'p Member<'p>> {
        match self.employment.identity(row.user.index()) {
            Identity::One(place) => people.members().get(place),
            _ => None,
        }
    }
}
