//! `propose_decision`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::reviews::{ItemRow, item, review, review_id};
use crate::{
    agent::{
        Agent, Person, Problem,
        definition::{Effect, Operation},
    },
    model::plain::plain,
    review::{
        event::{Decision, Event},
        item::ItemId,
        refusal::{Refusal, Refused},
        sheet::target,
        state::Review,
    },
    run::reviews::{self, ReviewError},
};

/// Characters of a reason.
const REASON: usize = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The review's id, as `list_reviews` gives it.
    review: String,
    /// The number of the item, as `explain_review` gives it.
    #[schemars(range(min = 1))]
    item: u32,
    /// What is proposed: `keep`, `change` or `remove`.
    #[schemars(extend("enum" = ["keep", "change", "remove"]))]
    decision: String,
    /// For `change`: the role or profile that the account is to get, by id or exact name.
    change_to: Option<String>,
    /// Why, in a sentence or two that the reviewer can check.
    #[schemars(length(min = 1))]
    reason: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Answer {
    /// The review's id.
    review: Uuid,
    /// The item with this proposal. It is as undecided as before.
    item: ItemRow,
}

pub(super) struct ProposeDecision;

impl Operation for ProposeDecision {
    const NAME: &'static str = "propose_decision";
    const TITLE: &'static str = "Propose a decision to a reviewer";
    const DESCRIPTION: &'static str = "Proposes a decision about one item of an open access review: keep, change (to a role or \
        profile) or remove, with the reason. It decides nothing and changes nothing in the workspace: the proposal is \
        recorded with the name of this client, and shown to the reviewer beside the item. Only a person decides. Propose only \
        what the data of explain_review and of the workspace show, and say in the reason what that is.";
    const EFFECT: Effect = Effect::Records;
    type Arguments = Arguments;
    type Answer = Answer;

    async fn run(agent: &Agent, arguments: Arguments, person: &dyn Person) -> Result<Answer, Problem> {
        let seen = review(agent, &arguments.review).await?;
        // The server may be for other workspaces than the review.
        item(agent, &seen, arguments.item)?;
        let proposed = Event::Proposed {
            item: ItemId(arguments.item),
            decision: decision(&seen, &arguments)?,
            reason: plain(&arguments.reason, REASON),
            by: person.actor(),
        };
        let events = |_: &Review| Ok::<_, ReviewError>(vec![proposed.clone()]);
        let store = &*agent.setup.store;
        let changed = reviews::change(store, review_id(&arguments.review)?, agent.now(), &events).await?;
        agent.write_out().await?;
        let (item, course) = item(agent, &changed, arguments.item)?;
        Ok(Answer { review: changed.id(), item: ItemRow::of(item, course) })
    }
}

fn decision(review: &Review, arguments: &Arguments) -> Result<Decision, Problem> {
    let id = ItemId(arguments.item);
    let wrong = |what: &str| Problem::Arguments(what.to_owned());
    match (arguments.decision.as_str(), arguments.change_to.as_deref().map(str::trim)) {
        ("keep", None) => Ok(Decision::Keep),
        ("remove", None) => Ok(Decision::Remove),
        ("change", Some(to)) => {
            let refused = |why| ReviewError::Refused(Refused(vec![Refusal { item: Some(id), why }]));
            let item = review.item(id).ok_or_else(|| refused(crate::review::refusal::Why::NoItem))?;
            Ok(Decision::Change { to: target(review, item, to).map_err(refused)? })
        }
        ("change", None) => Err(wrong("`change_to`: expected the role or profile to change to")),
        ("keep" | "remove", Some(_)) => Err(wrong("`change_to`: only `change` takes it")),
        _ => Err(wrong("`decision`: expected keep, change or remove")),
    }
}
