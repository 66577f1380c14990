//! The one list of tools, one file each. A name is a promise: agents and their instructions rely on it.
//!
//! To add a tool: write its file with an [`Operation`](super::definition::Operation), add it to [`tools`] where it belongs,
//! and accept the snapshot of the list.

mod access_as_of;
mod arguments;
mod compare_audits;
mod compare_with_last_audit;
mod delete_user;
mod explain_finding;
mod explain_review;
mod findings;
mod get_user;
mod list_profiles;
mod list_reviews;
mod list_roles;
mod list_users;
mod me;
mod offboarding_plan;
mod organization;
mod preflight;
mod propose_decision;
mod reviews;
mod run_access_audit;
mod user_history;
mod who_can;

use std::sync::LazyLock;

use super::{Problem, Tool};

/// First the seven that the integration platform's catalog has for Bigin, then rolecall's own.
static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    vec![
        Tool::of::<list_users::ListUsers>(),
        Tool::of::<get_user::GetUser>(),
        Tool::of::<delete_user::DeleteUser>(),
        Tool::of::<list_roles::ListRoles>(),
        Tool::of::<list_profiles::ListProfiles>(),
        Tool::of::<organization::CurrentOrganization>(),
        Tool::of::<me::Me>(),
        Tool::of::<preflight::RunPreflight>(),
        Tool::of::<run_access_audit::RunAccessAudit>(),
        Tool::of::<explain_finding::ExplainFinding>(),
        Tool::of::<who_can::WhoCan>(),
        Tool::of::<compare_with_last_audit::CompareWithLastAudit>(),
        Tool::of::<access_as_of::AccessAsOf>(),
        Tool::of::<user_history::UserHistory>(),
        Tool::of::<compare_audits::CompareAudits>(),
        Tool::of::<offboarding_plan::OffboardingPlan>(),
        Tool::of::<list_reviews::ListReviews>(),
        Tool::of::<explain_review::ExplainReview>(),
        Tool::of::<propose_decision::ProposeDecision>(),
    ]
});

/// All tools, always in the same order.
pub fn tools() -> &'static [Tool] {
    &TOOLS
}

/// The tool of a name. The vendor publishes its names in two forms, with and without an underscore; both are accepted.
///
/// # Errors
/// [`Problem::NoTool`]
pub fn tool(name: &str) -> Result<&'static Tool, Problem> {
    let meant = name.replace("zohobigin", "zoho_bigin");
    tools().iter().find(|tool| tool.definition.name == meant).ok_or_else(|| Problem::NoTool {
        name: name.to_owned(),
        known: tools().iter().map(|tool| tool.definition.name).collect::<Vec<_>>().join(", "),
    })
}
