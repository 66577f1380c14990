//! `list_reviews`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reviews::ReviewRow;
use crate::agent::{
    Agent, Person, Problem,
    definition::{Effect, Operation},
};

/// The reviews of an answer.
const MOST: u32 = 50;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Reviews in the answer.
    #[schemars(range(min = 1, max = 50))]
    limit: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Answer {
    /// The reviews, the newest first.
    reviews: Vec<ReviewRow>,
}

pub(super) struct ListReviews;

impl Operation for ListReviews {
    const NAME: &'static str = "list_reviews";
    const TITLE: &'static str = "List reviews by people";
    const DESCRIPTION: &'static str = "Lists the access reviews in which named people decide about accounts (keep, change or \
        remove), the newest first: their state, how many items are not decided, when the decisions are due, and how many \
        decisions are not carried out yet. explain_review shows the items of one. An audit is something else: see \
        run_access_audit.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;
    type Answer = Answer;

    async fn run(agent: &Agent, arguments: Arguments, _: &dyn Person) -> Result<Answer, Problem> {
        let limit = arguments.limit.unwrap_or(MOST).clamp(1, MOST);
        let reviews = agent.setup.store.reviews(limit).await?;
        Ok(Answer { reviews: reviews.into_iter().map(ReviewRow::from).collect() })
    }
}
