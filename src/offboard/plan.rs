//! Pure: who would be removed from what, and why not.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::refusal::Refusal;
use crate::{
    access::{
        administrators::resolve_administrator_profiles,
        matrix::{AccessMatrix, MatrixRow},
    },
    ledger::fact::{Leaver, OffboardingPlanned},
    lookup::{
        people::{self, UserRow},
        roles,
    },
    model::{directory::Directory, email::comparable, policy::Policy},
};

/// How long a plan may be carried out: long enough to read it, too short for the workspace to be another one.
pub const VALID_FOR: TimeDelta = TimeDelta::minutes(10);
/// People who report to a leaver that a plan names; the rest is a number.
const REPORTING_NAMED: usize = 20;

/// What is to be done, and nothing of it done yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Plan {
    /// Its id.
    pub plan_id: Uuid,
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// The organization's id; none where the API gave none.
    pub organization_id: Option<String>,
    /// The company's name.
    pub organization_name: Option<String>,
    /// The id of the user in whose name it would be done.
    pub acting_user_id: String,
    /// That user's address.
    pub acting_user_email: Option<String>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it is worth nothing any more.
    pub valid_until: DateTime<Utc>,
    /// Who would be removed, in the order in which it would be done.
    pub removals: Vec<PlannedRemoval>,
    /// What somebody has to type for it to be carried out: the leaver's address, or for several how many and where.
    pub confirmation: String,
}

/// A user who would be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedRemoval {
    /// Who it is, with role and profile.
    #[serde(flatten)]
    pub user: UserRow,
    /// Whether there is nothing left to do.
    pub already_removed: bool,
    /// The exact request that would be made; none where there is nothing left to do.
    pub request: Option<String>,
    /// Active users whose role reports to the leaver's, directly or through others: they may need another superior.
    pub reporting: Vec<UserRow>,
    /// How many those are in all.
    pub reporting_total: usize,
    /// Other active holders of the same role, who go on seeing what those below it own.
    pub peers: usize,
}

impl PlannedRemoval {
    /// How messages name the leaver.
    pub fn label(&self) -> String {
        self.user.email.clone().unwrap_or_else(|| format!("user {}", self.user.user_id))
    }

    /// The leaver as the ledger names him or her.
    pub fn leaver(&self) -> Leaver {
        Leaver {
            user: self.user.user_id.clone(),
            email: self.user.email.clone(),
            role: self.user.role_id.clone(),
            profile: self.user.profile_id.clone(),
        }
    }
}

impl Plan {
    /// The plan as the ledger has it.
    pub fn planned(&self) -> OffboardingPlanned {
        OffboardingPlanned {
            plan: self.plan_id,
            workspace: self.workspace.clone(),
            organization: self.organization_id.clone(),
            users: self.removals.iter().map(PlannedRemoval::leaver).collect(),
            valid_until: self.valid_until,
        }
    }

    /// The plan, for whoever typed what it asks for.
    ///
    /// # Errors
    /// [`Refusal::NotConfirmed`]
    pub fn confirm(&self, typed: &str) -> Result<Confirmed<'_>, Refusal> {
        if typed.trim().to_lowercase() == self.confirmation.to_lowercase() {
            Ok(Confirmed(self))
        } else {
            Err(Refusal::NotConfirmed { asked: self.confirmation.clone() })
        }
    }

    /// Whether there is nothing left to do.
    pub fn is_empty(&self) -> bool {
        self.removals.iter().all(|removal| removal.already_removed)
    }
}

/// A plan that somebody confirmed: the only kind that can be carried out.
#[derive(Debug, Clone, Copy)]
pub struct Confirmed<'a>(&'a Plan);

impl<'a> Confirmed<'a> {
    /// The plan.
    pub fn plan(self) -> &'a Plan {
        self.0
    }
}

/// What a plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// The workspace as it is now.
    pub directory: &'a Directory,
    /// Who is an administrator.
    pub policy: &'a Policy,
    /// The organization that it must be; none where any will do.
    pub organization: Option<&'a str>,
    /// Whom to remove: ids or addresses.
    pub wanted: &'a [String],
    /// The plan's id.
    pub plan_id: Uuid,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Makes a plan. The requests are not in it yet: only a connector knows them.
///
/// # Errors
/// The first [`Refusal`]: of several users none is removed where one may not be.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, Refusal> {
    let directory = input.directory;
    let organization = &directory.organization;
    if let Some(check) = directory.reading.checks.iter().find(|check| check.outcome.word() == "disagrees") {
        return Err(Refusal::Incomplete { detail: check.outcome.detail().to_owned() });
    }
    let names = [&organization.id, &organization.zgid, &organization.domain_name, &organization.company_name];
    if let Some(expected) = input.organization
        && !names.into_iter().flatten().any(|name| name.trim() == expected.trim())
    {
        let company = organization.company_name.as_deref().unwrap_or("without a name");
        let found = format!("{company} (id {})", organization.id.as_deref().unwrap_or("unknown"));
        return Err(Refusal::AnotherOrganization { expected: expected.to_owned(), found });
    }
    let (profiles, _) = resolve_administrator_profiles(&input.policy.administrator_profiles, &directory.profiles);
    if profiles.is_empty() {
        return Err(Refusal::NoAdministratorProfile(input.policy.administrator_profiles.join(", ")));
    }
    let matrix = AccessMatrix::new(directory, &profiles);
    let mut leavers: Vec<MatrixRow<'_>> = Vec::with_capacity(input.wanted.len());
    for wanted in input.wanted {
        let row = people::user(&matrix, wanted)?;
        if leavers.iter().any(|leaver| leaver.user.id() == row.user.id()) {
            return Err(Refusal::Twice(people::described(&row.user)));
        }
        refuse(directory, &row)?;
        leavers.push(row);
    }
    let goes = |row: &MatrixRow<'_>| leavers.iter().any(|leaver| leaver.user.id() == row.user.id());
    let usable = |row: &MatrixRow<'_>| row.is_active_administrator() && row.user.confirmed() != Some(false);
    let last = leavers.iter().find(|row| usable(row));
    if let Some(last) = last.filter(|_| !matrix.rows().any(|row| usable(&row) && !goes(&row))) {
        return Err(Refusal::LastAdministrator(people::described(&last.user)));
    }
    let removals: Vec<PlannedRemoval> = leavers.iter().map(|leaver| removal(&matrix, leaver, &goes)).collect();
    let confirmation = match removals.as_slice() {
        [one] => one.user.email.clone().unwrap_or_else(|| one.user.user_id.clone()),
        several => {
            let place = organization.company_name.as_deref().unwrap_or(input.workspace);
            format!("remove {} users of {place}", several.len())
        }
    };
    Ok(Plan {
        plan_id: input.plan_id,
        workspace: input.workspace.to_owned(),
        organization_id: organization.id.clone(),
        organization_name: organization.company_name.clone(),
        acting_user_id: directory.current_user.id.to_string(),
        acting_user_email: directory.current_user.email.clone(),
        made_at: input.now,
        valid_until: input.now + VALID_FOR,
        removals,
        confirmation,
    })
}

/// Whoever may not be removed at all.
fn refuse(directory: &Directory, row: &MatrixRow<'_>) -> Result<(), Refusal> {
    let (user, organization, acting) = (row.user, &directory.organization, &directory.current_user);
    if user.status().is_deleted() {
        return Ok(());
    }
    let same_address = |a: Option<&str>, b: Option<&str>| matches!((a, b), (Some(a), Some(b)) if !a.trim().is_empty() && comparable(a) == comparable(b));
    if user.id() == acting.id.as_str() || same_address(user.email(), acting.email.as_deref()) {
        return Err(Refusal::Oneself(people::described(&user)));
    }
    let is_primary =
        user.zuid().is_some_and(|zuid| organization.primary_zuid.as_ref().is_some_and(|p| p.as_str() == zuid));
    if is_primary || same_address(user.email(), organization.primary_email.as_deref()) {
        return Err(Refusal::PrimaryContact(people::described(&user)));
    }
    if organization.primary_zuid.is_none() && organization.primary_email.is_none() {
        return Err(Refusal::UnknownPrimary);
    }
    Ok(())
}

fn removal(matrix: &AccessMatrix<'_>, leaver: &MatrixRow<'_>, goes: &dyn Fn(&MatrixRow<'_>) -> bool) -> PlannedRemoval {
    let stays = |row: &MatrixRow<'_>| row.user.status().is_active() && !goes(row);
    let role = leaver.role.map(|role| &role.stated.id);
    let below = role.map(|role| roles::below(&matrix.directory().roles, role)).unwrap_or_default();
    let holds = |row: &MatrixRow<'_>| row.role.is_some_and(|role| below.contains(&role.stated.id));
    let reporting: Vec<MatrixRow<'_>> =
        if below.is_empty() { Vec::new() } else { matrix.rows().filter(|row| stays(row) && holds(row)).collect() };
    let is_peer = |row: &MatrixRow<'_>| row.role.is_some_and(|held| Some(&held.stated.id) == role);
    PlannedRemoval {
        user: UserRow::from(leaver),
        already_removed: leaver.user.status().is_deleted(),
        request: None,
        reporting_total: reporting.len(),
        reporting: reporting.iter().take(REPORTING_NAMED).map(UserRow::from).collect(),
        peers: matrix.rows().filter(|row| stays(row) && is_peer(row)).count(),
    }
}
