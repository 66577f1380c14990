//! Pure: whether a workspace is ready, judged from what its credentials can reach and from the user's expectations.

mod checks;
pub mod expectation;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::expectation::{Expectation, ExpectationError};
use crate::{
    access::administrators::resolve_administrator_profiles,
    model::{
        directory::{Organization, UserRecord},
        policy::Policy,
        survey::{GrantState, Purpose, Survey},
    },
};

/// What is checked, and against what.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// What the credentials can reach.
    pub survey: &'a Survey,
    /// Decides who is an administrator.
    pub policy: &'a Policy,
    /// Whether the configuration allows removing users.
    pub allow_offboarding: bool,
    /// The organization expected by the configuration; `None` accepts any.
    pub organization: Option<&'a str>,
    /// What must hold besides.
    pub expectations: &'a [Expectation],
}

/// What a pre-flight check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Preflight {
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// Whether no check failed. Warnings are allowed.
    pub ready: bool,
    /// What the workspace is.
    #[serde(flatten)]
    pub facts: Facts,
    /// What the credentials may do.
    pub grants: Vec<GrantFact>,
    /// The checks, in order of importance.
    pub checks: Vec<Check>,
}

/// What a workspace is. A value that the API does not return is null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Facts {
    /// The connector, by its word in the configuration.
    pub connector: Option<String>,
    /// Where the API is.
    pub api_url: Option<String>,
    /// The data center.
    pub data_center: Option<String>,
    /// The organization.
    pub organization: Option<OrganizationFacts>,
    /// The account the credentials belong to.
    pub user: Option<AccountFacts>,
    /// Whether that account's profile is an administrator profile of the policy, decided by profile id.
    pub administrator: Option<bool>,
    /// Seconds that the server's clock is ahead of this machine's.
    pub clock_ahead_seconds: Option<i64>,
    /// API calls left today.
    pub credits_left: Option<u64>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrganizationFacts {
    /// The company's name.
    pub name: Option<String>,
    /// The organization's id.
    pub id: Option<String>,
    /// The organization's id across the vendor's products.
    pub zgid: Option<String>,
    /// The workspace's domain name.
    pub domain_name: Option<String>,
    /// The country's code.
    pub country: Option<String>,
    /// The currency's code.
    pub currency: Option<String>,
    /// The locale.
    pub locale: Option<String>,
    /// The time zone.
    pub time_zone: Option<String>,
    /// The license.
    pub licence: Option<String>,
    /// Number of licensed seats.
    pub licensed_users: Option<u64>,
}

impl From<&Organization> for OrganizationFacts {
    fn from(organization: &Organization) -> Self {
        Self {
            name: organization.company_name.clone(),
            id: organization.id.clone(),
            zgid: organization.zgid.clone(),
            domain_name: organization.domain_name.clone(),
            country: organization.country_code.clone(),
            currency: organization.iso_code.clone(),
            locale: organization.currency_locale.clone(),
            time_zone: organization.time_zone.clone(),
            licence: organization.paid_type.clone(),
            licensed_users: organization.users_license_purchased,
        }
    }
}

/// The account the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccountFacts {
    /// The user's id.
    pub user_id: String,
    /// The display name.
    pub full_name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The vendor's status: active, disabled or inactive, deleted.
    pub status: Option<String>,
    /// Whether the invitation was accepted.
    pub confirmed: Option<bool>,
    /// The role's id. The role decides which records the user sees.
    pub role_id: Option<String>,
    /// The role's name in the list of roles.
    pub role_name: Option<String>,
    /// The profile's id. The profile decides which features the user may use.
    pub profile_id: Option<String>,
    /// The profile's name in the list of profiles.
    pub profile_name: Option<String>,
}

impl AccountFacts {
    /// Takes the names of role and profile from the lists, if they could be read.
    pub fn new(user: &UserRecord, survey: &Survey) -> Self {
        let role = |id: &crate::model::id::RoleId| {
            survey.roles.iter().flatten().find(|role| role.id == *id).map(|role| role.name.clone())
        };
        let profile = |id: &crate::model::id::ProfileId| {
            survey.profiles.iter().flatten().find(|profile| profile.id == *id).map(|profile| profile.name.clone())
        };
        Self {
            user_id: user.id.to_string(),
            full_name: user.full_name.clone(),
            email: user.email.clone(),
            status: user.status.clone(),
            confirmed: user.confirmed,
            role_id: user.role.as_ref().map(ToString::to_string),
            role_name: user.role.as_ref().and_then(role),
            profile_id: user.profile.as_ref().map(ToString::to_string),
            profile_name: user.profile.as_ref().and_then(profile),
        }
    }
}

/// The account the credentials belong to, and whether it is an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Me {
    /// The account.
    #[serde(flatten)]
    pub account: AccountFacts,
    /// Whether the profile is an administrator profile; null if the profiles cannot be read.
    pub administrator: Option<bool>,
}

impl Me {
    /// `None` if the API does not say whose credentials these are.
    pub fn of(survey: &Survey, policy: &Policy) -> Option<Self> {
        let user = survey.current_user.as_ref()?;
        let administrator = survey.profiles.as_ref().zip(user.profile.as_ref()).map(|(profiles, held)| {
            resolve_administrator_profiles(&policy.administrator_profiles, profiles).0.contains(held)
        });
        Some(Self { account: AccountFacts::new(user, survey), administrator })
    }
}

/// A permission of the credentials, granted or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GrantFact {
    /// Its name: a scope, or a resource and a method.
    pub name: String,
    /// What rolecall needs it for: `audit`, `offboarding` or `nothing`.
    pub needed_for: String,
    /// `granted`, `lacking` or `unknown`.
    pub state: String,
    /// Why it is lacking or unknown.
    pub detail: Option<String>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The result.
    pub outcome: CheckResult,
    /// Why, in a sentence.
    pub detail: String,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// Nothing is wrong.
    Passed,
    /// Worth knowing, but no obstacle.
    Warning,
    /// An obstacle.
    Failed,
}

/// Checks a workspace.
pub fn judge(question: &Question<'_>) -> Preflight {
    let survey = question.survey;
    let me = Me::of(survey, question.policy);
    let administrators = survey
        .profiles
        .as_ref()
        .map(|profiles| resolve_administrator_profiles(&question.policy.administrator_profiles, profiles));
    let facts = Facts {
        connector: Some(survey.source.connector.to_string()),
        api_url: Some(survey.source.api_url.clone()),
        data_center: survey.source.data_center.clone(),
        organization: survey.organization.as_ref().map(OrganizationFacts::from),
        administrator: me.as_ref().and_then(|me| me.administrator),
        user: me.map(|me| me.account),
        clock_ahead_seconds: survey.clock_ahead.map(|ahead| ahead.num_seconds()),
        credits_left: survey.credits_left,
    };
    let checks = checks::all(question, &facts, administrators.as_ref());
    Preflight {
        workspace: question.workspace.to_owned(),
        ready: checks.iter().all(|check| check.outcome != CheckResult::Failed),
        facts,
        grants: survey.grants.iter().map(grant).collect(),
        checks,
    }
}

/// The result for a workspace whose credentials are refused or whose API cannot be reached.
pub fn refused(workspace: &str, why: String) -> Preflight {
    let check = Check { name: "credentials".to_owned(), outcome: CheckResult::Failed, detail: why };
    Preflight {
        workspace: workspace.to_owned(),
        ready: false,
        facts: Facts::default(),
        grants: Vec::new(),
        checks: vec![check],
    }
}

fn grant(grant: &crate::model::survey::Grant) -> GrantFact {
    let (state, detail) = match &grant.state {
        GrantState::Granted => ("granted", None),
        GrantState::Lacking(why) => ("lacking", Some(why.clone())),
        GrantState::Unknown(why) => ("unknown", Some(why.clone())),
    };
    let needed_for = match grant.purpose {
        Purpose::Audit => "audit",
        Purpose::Offboarding => "offboarding",
        Purpose::Nothing => "nothing",
    };
    GrantFact { name: grant.name.clone(), needed_for: needed_for.to_owned(), state: state.to_owned(), detail }
}
