//! What the tools about reviews by people share.

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    agent::{Agent, Problem},
    review::{
        event::{Decision, Target},
        item::{Item, ItemId, Named},
        state::{Course, Review, Summary},
    },
    run::reviews::ReviewError,
};

/// A review in a list.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReviewRow {
    /// Its id.
    review: Uuid,
    /// Its name in the configuration.
    name: String,
    /// `open`, `decided` (every item is decided, and it is not closed yet), `closed` or `cancelled`.
    state: &'static str,
    /// When it was opened.
    opened_at: String,
    /// When every decision is due.
    due: String,
    /// How many items it has.
    items: u32,
    /// How many are not decided.
    undecided: u32,
    /// How many decisions have to be carried out and are not proven by an audit.
    not_carried_out: u32,
}

impl From<Summary> for ReviewRow {
    fn from(summary: Summary) -> Self {
        Self {
            review: summary.id,
            name: summary.name,
            state: summary.state.word(),
            opened_at: summary.opened_at.to_rfc3339(),
            due: summary.due.to_rfc3339(),
            items: summary.items,
            undecided: summary.undecided,
            not_carried_out: summary.unproven,
        }
    }
}

/// An item of a review: one account, as it was when the review was opened.
#[derive(Serialize, JsonSchema)]
pub(super) struct ItemRow {
    /// Its number.
    item: u32,
    /// The workspace.
    workspace: String,
    /// The user's id.
    user_id: String,
    /// The display name.
    full_name: Option<String>,
    /// The address.
    email: Option<String>,
    /// The role: whose records the user sees.
    role: Option<String>,
    /// The profile: what the user may do.
    profile: Option<String>,
    /// Whether the account has full power, or may have it.
    privileged: bool,
    /// Whether the person has left, according to the roster.
    has_left: bool,
    /// Whether it is new, or can do something else than at the review before.
    changed: bool,
    /// The open findings about it, in sentences.
    findings: Vec<String>,
    /// What was decided at the review before; null if it was not reviewed.
    last_decision: Option<String>,
    /// Who is to decide.
    reviewer: String,
    /// The decision that stands; null if there is none yet.
    decision: Option<DecisionRow>,
    /// What programs proposed. A proposal decides nothing.
    proposals: Vec<DecisionRow>,
}

/// A decision or a proposal.
#[derive(Serialize, JsonSchema)]
pub(super) struct DecisionRow {
    /// `keep`, `change` or `remove`.
    decision: &'static str,
    /// The role or profile to change to.
    change_to: Option<String>,
    /// Why.
    reason: Option<String>,
    /// Who decided or proposed.
    by: String,
    /// When.
    at: String,
}

impl DecisionRow {
    fn new(decision: &Decision, reason: Option<&str>, by: &impl ToString, at: chrono::DateTime<chrono::Utc>) -> Self {
        let change_to = match decision {
            Decision::Change { to: Target::Role(named) | Target::Profile(named) } => Some(named.to_string()),
            Decision::Keep | Decision::Remove => None,
        };
        let (by, at) = (by.to_string(), at.to_rfc3339());
        Self { decision: decision.word(), change_to, reason: reason.map(str::to_owned), by, at }
    }
}

impl ItemRow {
    pub(super) fn of(item: &Item, course: &Course) -> Self {
        let name = |named: &Option<Named>| named.as_ref().map(ToString::to_string);
        let decided = |made: &crate::review::state::Made| {
            DecisionRow::new(&made.decision, made.reason.as_deref(), &made.by, made.at)
        };
        let proposed =
            |one: &crate::review::state::Proposal| DecisionRow::new(&one.decision, Some(&one.reason), &one.by, one.at);
        Self {
            item: item.item.0,
            workspace: item.workspace.clone(),
            user_id: item.user_id.clone(),
            full_name: item.full_name.clone(),
            email: item.email.clone(),
            role: name(&item.role),
            profile: name(&item.profile),
            privileged: item.is_privileged(),
            has_left: item.has_left,
            changed: item.changed,
            findings: item.findings.iter().map(|flag| format!("{}: {}", flag.rule, flag.message)).collect(),
            last_decision: item.last.as_ref().map(|last| format!("{} by {}", last.decision, last.by)),
            reviewer: course.reviewer().to_string(),
            decision: course.decided().map(decided),
            proposals: course.proposals().iter().map(proposed).collect(),
        }
    }
}

/// A review by its id.
///
/// # Errors
/// [`Problem::Review`]
pub(super) async fn review(agent: &Agent, id: &str) -> Result<Review, Problem> {
    let id = review_id(id)?;
    let found = agent.setup.store.review(id).await?;
    Ok(found.ok_or(ReviewError::Unknown(id))?)
}

/// The id of a review.
///
/// # Errors
/// [`Problem::Arguments`]
pub(super) fn review_id(id: &str) -> Result<Uuid, Problem> {
    let wrong = |_| Problem::Arguments("`review`: expected the id of a review as list_reviews gives it".to_owned());
    id.trim().parse().map_err(wrong)
}

/// Whether a tool may show an item: the server is for its workspace.
pub(super) fn is_served(agent: &Agent, item: &Item) -> bool {
    agent.setup.workspaces.contains_key(&item.workspace)
}

/// An item with what became of it, if the server is for its workspace.
///
/// # Errors
/// [`Problem::Review`]
pub(super) fn item<'a>(agent: &Agent, review: &'a Review, number: u32) -> Result<(&'a Item, &'a Course), Problem> {
    use crate::review::refusal::{Refusal, Refused, Why};

    let id = ItemId(number);
    let found = review.item(id).zip(review.course(id)).filter(|(item, _)| is_served(agent, item));
    found.ok_or_else(|| {
        let refused = Refused(vec![Refusal { item: Some(id), why: Why::NoItem }]);
        Problem::Review(ReviewError::Refused(refused))
    })
}
