//! Pure: who would be removed from what, and why not.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::{decision::Decision, refusal::Refusal};
use crate::{
    access::{
        administrators::resolve_administrator_profiles,
        matrix::{AccessMatrix, MatrixRow},
        power::Power,
    },
    digest::sha256,
    ledger::fact::{Leaver, OffboardingPlanned},
    lookup::{
        LookupError,
        people::{self, UserRow},
        roles,
    },
    model::{actor::Actor, directory::Directory, email::comparable, plain::plain, policy::Policy, users::User},
};

/// How long a plan is valid: long enough to read it, too short for the workspace to change much.
pub const VALID_FOR: TimeDelta = TimeDelta::minutes(10);
/// How far apart the clocks of two machines that share a store may be.
pub(super) const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);
/// The longest confirmation text, in characters: a person has to read and type it.
const CONFIRMATION: usize = 120;
/// The longest name of a company in it, in characters.
const COMPANY: usize = 80;
/// The characters of the code in it.
const CODE: usize = 8;
/// Shown as the status of a user whom the API no longer lists.
const NOT_LISTED: &str = "not listed";
/// How many reports of a leaver a plan names; the rest are only counted.
const REPORTING_NAMED: usize = 20;

/// A planned removal of users. Making a plan changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Plan {
    /// Its id.
    pub plan_id: Uuid,
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// The organization's id; `None` if the API gave none.
    pub organization_id: Option<String>,
    /// The company's name.
    pub organization_name: Option<String>,
    /// The id of the account rolecall signs in with.
    pub acting_user_id: String,
    /// That user's address.
    pub acting_user_email: Option<String>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// When it expires.
    pub valid_until: DateTime<Utc>,
    /// Who would be removed, in the order in which it would be done.
    pub removals: Vec<PlannedRemoval>,
    /// What a person has to type to confirm it: the leaver's address; for several users, their number, the
    /// organization, and a code for exactly these users.
    // As it can be shown, and never blank.
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
    /// The exact request that would be made; `None` if there is nothing left to do.
    pub request: Option<String>,
    /// Active users whose role reports to the leaver's, directly or through others: they may need another manager.
    pub reporting: Vec<UserRow>,
    /// How many those are in all.
    pub reporting_total: usize,
    /// Other active holders of the same role, who still see the records of those below it.
    pub peers: usize,
    /// The decisions of reviews to remove this user that are not carried out yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

impl PlannedRemoval {
    /// How messages name the leaver.
    pub fn label(&self) -> String {
        self.address().map_or_else(|| format!("user {}", self.user.user_id), str::to_owned)
    }

    /// The address; `None` if it is blank.
    fn address(&self) -> Option<&str> {
        self.user.email.as_deref().filter(|email| !email.trim().is_empty())
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
    pub fn planned(&self, by: Actor) -> OffboardingPlanned {
        OffboardingPlanned {
            plan: self.plan_id,
            workspace: self.workspace.clone(),
            organization: self.organization_id.clone(),
            users: self.removals.iter().map(PlannedRemoval::leaver).collect(),
            valid_until: self.valid_until,
            by: Some(by),
        }
    }

    /// The confirmed plan, if the typed text is what the plan asks for.
    ///
    /// # Errors
    /// [`Refusal::NotConfirmed`], also if nothing was typed.
    pub fn confirm(&self, typed: &str) -> Result<Confirmed<'_>, Refusal> {
        let typed = plain(typed.trim(), CONFIRMATION);
        if !typed.is_empty() && comparable(&typed) == comparable(&self.confirmation) {
            Ok(Confirmed(self))
        } else {
            Err(Refusal::NotConfirmed { asked: self.confirmation.clone() })
        }
    }

    /// The plan, if nothing is left to do and so nothing has to be confirmed.
    pub fn unneeded(&self) -> Option<Confirmed<'_>> {
        self.is_empty().then_some(Confirmed(self))
    }

    /// Whether there is nothing left to do.
    pub fn is_empty(&self) -> bool {
        self.removals.iter().all(|removal| removal.already_removed)
    }
}

/// A plan that a person confirmed: the only kind that can be carried out.
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
    /// The required organization; `None` if any is accepted.
    pub organization: Option<&'a str>,
    /// Whom to remove: ids or addresses.
    pub wanted: &'a [String],
    /// The users whose removal began here before, each once: the vendor may no longer list them.
    pub earlier: &'a [Leaver],
    /// The ids of those whose removal has an unknown outcome: they may disappear at any moment.
    pub uncertain: &'a [&'a str],
    /// The plan's id.
    pub plan_id: Uuid,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Makes a plan. The requests are not in it yet: only a connector knows them.
///
/// # Errors
/// The first [`Refusal`]: if one of several users may not be removed, nobody is.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, Refusal> {
    let directory = input.directory;
    let organization = &directory.organization;
    check_read(input)?;
    let (profiles, _) = resolve_administrator_profiles(&input.policy.administrator_profiles, &directory.profiles);
    if profiles.is_empty() {
        return Err(Refusal::NoAdministratorProfile(input.policy.administrator_profiles.join(", ")));
    }
    let matrix = AccessMatrix::new(directory, &profiles, &input.policy.dangerous_permissions);
    let leavers = leavers(&matrix, input)?;
    let goes = |row: &MatrixRow<'_>| leavers.iter().any(|leaver| leaver.id() == row.user.id());
    check_administrator_stays(&matrix, input, &goes)?;
    let removals: Vec<PlannedRemoval> = leavers
        .iter()
        .map(|leaver| match leaver {
            Leaving::Listed(row) => removal(&matrix, row, &goes),
            Leaving::Unlisted(leaver) => unlisted(leaver),
        })
        .collect();
    Ok(Plan {
        plan_id: input.plan_id,
        workspace: input.workspace.to_owned(),
        organization_id: organization.id.clone(),
        organization_name: organization.company_name.clone(),
        acting_user_id: directory.current_user.id.to_string(),
        acting_user_email: directory.current_user.email.clone(),
        made_at: input.now,
        valid_until: input.now + VALID_FOR,
        confirmation: confirmation(&removals, input),
        removals,
    })
}

/// The workspace was read completely, and is the organization that it must be.
fn check_read(input: &PlanInput<'_>) -> Result<(), Refusal> {
    let Directory { organization, reading, .. } = input.directory;
    if let Some(check) = reading.checks.iter().find(|check| check.outcome.word() == "disagrees") {
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
    Ok(())
}

/// The users to remove, each once, if all of them may be removed.
fn leavers<'a>(matrix: &AccessMatrix<'a>, input: &PlanInput<'a>) -> Result<Vec<Leaving<'a>>, Refusal> {
    let mut leavers: Vec<Leaving<'_>> = Vec::with_capacity(input.wanted.len());
    for wanted in input.wanted {
        let leaver = leaving(matrix, input.earlier, wanted)?;
        if leavers.iter().any(|known| known.id() == leaver.id()) {
            return Err(Refusal::Twice(leaver.described()));
        }
        if let Leaving::Listed(row) = &leaver {
            refuse(matrix, row)?;
        }
        leavers.push(leaver);
    }
    Ok(leavers)
}

/// If an administrator goes, another who can sign in stays.
fn check_administrator_stays(
    matrix: &AccessMatrix<'_>,
    input: &PlanInput<'_>,
    goes: &dyn Fn(&MatrixRow<'_>) -> bool,
) -> Result<(), Refusal> {
    let usable = |row: &MatrixRow<'_>| row.is_active_administrator() && row.user.confirmed() != Some(false);
    let is_certain = |row: &MatrixRow<'_>| !input.uncertain.contains(&row.user.id());
    match matrix.rows().find(|row| usable(row) && goes(row)) {
        Some(last) if !matrix.rows().any(|row| usable(&row) && !goes(&row) && is_certain(&row)) => {
            Err(Refusal::LastAdministrator(people::described(&last.user)))
        }
        _ => Ok(()),
    }
}

/// What has to be typed to carry the plan out.
fn confirmation(removals: &[PlannedRemoval], input: &PlanInput<'_>) -> String {
    let text = match removals {
        [one] => one.address().unwrap_or(&one.user.user_id).to_owned(),
        several => {
            let company = input.directory.organization.company_name.as_deref().filter(|name| !name.trim().is_empty());
            let company = plain(company.unwrap_or(input.workspace).trim(), COMPANY);
            format!("remove {} users of {company} ({})", several.len(), code(several, input))
        }
    };
    plain(text.trim(), CONFIRMATION)
}

/// A short code for exactly these users of this organization: a confirmation of other users has another one.
fn code(removals: &[PlannedRemoval], input: &PlanInput<'_>) -> String {
    let mut ids: Vec<&str> = removals.iter().map(|removal| removal.user.user_id.as_str()).collect();
    ids.sort_unstable();
    let organization = input.directory.organization.id.as_deref().unwrap_or_default();
    sha256([&[input.workspace, organization], &*ids].concat().join("\n").as_bytes()).chars().take(CODE).collect()
}

/// A user to remove.
enum Leaving<'a> {
    /// The vendor lists the user.
    Listed(MatrixRow<'a>),
    /// The vendor does not list the user, whose removal began here before.
    Unlisted(&'a Leaver),
}

impl Leaving<'_> {
    fn id(&self) -> &str {
        match self {
            Self::Listed(row) => row.user.id(),
            Self::Unlisted(leaver) => &leaver.user,
        }
    }

    fn described(&self) -> String {
        match self {
            Self::Listed(row) => people::described(&row.user),
            Self::Unlisted(leaver) => format!("{} ({NOT_LISTED})", leaver.user),
        }
    }
}

/// The user with an id or address, in the list or among those whose removal began before.
fn leaving<'a>(matrix: &AccessMatrix<'a>, earlier: &'a [Leaver], wanted: &str) -> Result<Leaving<'a>, LookupError> {
    let unknown = match people::user(matrix, wanted) {
        Ok(row) => return Ok(Leaving::Listed(row)),
        Err(error @ LookupError::NoUser(_)) => error,
        Err(error) => return Err(error),
    };
    let wanted = wanted.trim();
    let is_meant = |leaver: &&Leaver| leaver.user == wanted || same_address(leaver.email.as_deref(), Some(wanted));
    let found: Vec<&Leaver> = earlier.iter().filter(is_meant).collect();
    match found.as_slice() {
        [] => Err(unknown),
        [leaver] => Ok(Leaving::Unlisted(leaver)),
        several => Err(LookupError::SeveralUsers {
            text: wanted.to_owned(),
            candidates: several.iter().map(|leaver| format!("{} ({NOT_LISTED})", leaver.user)).collect(),
        }),
    }
}

/// Whether both addresses exist and are equal.
fn same_address(a: Option<&str>, b: Option<&str>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if !a.trim().is_empty() && comparable(a) == comparable(b))
}

/// Users who may not be removed at all.
fn refuse(matrix: &AccessMatrix<'_>, row: &MatrixRow<'_>) -> Result<(), Refusal> {
    let user = row.user;
    if user.status().is_deleted() {
        return Ok(());
    }
    let acting = &matrix.directory().current_user;
    if user.id() == acting.id.as_str() || same_address(user.email(), acting.email.as_deref()) {
        return Err(Refusal::Oneself(people::described(&user)));
    }
    let organization = &matrix.directory().organization;
    let zuid = organization.primary_zuid.as_ref().map(AsRef::as_ref).filter(|zuid: &&str| !zuid.trim().is_empty());
    let is_primary = |user: &User<'_>| {
        (zuid.is_some() && user.zuid() == zuid) || same_address(user.email(), organization.primary_email.as_deref())
    };
    if is_primary(&user) {
        return Err(Refusal::PrimaryContact(people::described(&user)));
    }
    // Where both ids are known they tell two people apart; where one is not, only that the primary is somebody else does.
    let is_told_apart = zuid.is_some() && user.zuid().is_some_and(|zuid| !zuid.trim().is_empty());
    let is_elsewhere = || matrix.rows().any(|row| !row.user.status().is_deleted() && is_primary(&row.user));
    if is_told_apart || is_elsewhere() { Ok(()) } else { Err(Refusal::UnknownPrimary) }
}

/// A user whom the vendor no longer lists, as recorded in the ledger.
fn unlisted(leaver: &Leaver) -> PlannedRemoval {
    PlannedRemoval {
        user: UserRow {
            power: Power::Unknown,
            user_id: leaver.user.clone(),
            full_name: None,
            email: leaver.email.clone(),
            status: NOT_LISTED.to_owned(),
            confirmed: None,
            role_id: leaver.role.clone(),
            role_name: None,
            profile_id: leaver.profile.clone(),
            profile_name: None,
            administrator: false,
        },
        already_removed: true,
        request: None,
        reporting: Vec::new(),
        reporting_total: 0,
        peers: 0,
        decisions: Vec::new(),
    }
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
        decisions: Vec::new(),
    }
}
