//! Reviews by people and their schedules, as the ledger tells of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::table::{Row, bytes, count, id, moment, moment_if_any, number, text, text_if_any};
use crate::{
    ledger::{Entry, Fact, fact::ReviewTerms},
    review::{
        event::{Event, Opening},
        item::Population,
        state::{Review, State},
    },
    store::{StoreError, reviews::pack, rows},
};

/// Up to when the scheduled times of a review are decided.
#[derive(Debug)]
struct Plan {
    job: String,
    schedule: String,
    at: DateTime<Utc>,
    waiting: Option<(DateTime<Utc>, String)>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Reviews {
    events: BTreeMap<Uuid, Vec<(DateTime<Utc>, Event)>>,
    plans: BTreeMap<String, Plan>,
}

/// What there is of reviews.
#[derive(Debug, Default)]
pub(super) struct ReviewRows {
    pub(super) reviews: Vec<Row>,
    pub(super) events: Vec<Row>,
    pub(super) lost: Vec<LostReview>,
}

/// A review that cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostReview {
    /// Its id.
    pub id: Uuid,
    /// Its name in the configuration.
    pub name: String,
    /// Why not.
    pub reason: String,
}

impl Reviews {
    /// Follows an entry. `schedule` is a schedule as the store has it.
    pub(super) fn follow(&mut self, entry: &Entry, schedule: fn(&ReviewTerms) -> Option<String>) {
        let at = entry.at;
        match &entry.fact {
            Fact::Review(told) => {
                self.events.entry(told.review).or_default().push((at, told.event.clone()));
                if let Event::Opened(Opening { name, fire_at, .. }) = &told.event
                    && let Some(plan) = self.plans.get_mut(name)
                {
                    plan.at = plan.at.max(fire_at.unwrap_or(plan.at));
                    plan.waiting.take_if(|(due, _)| *due <= at);
                }
            }
            Fact::ReviewSchedule { name, terms: Some(terms) } => {
                if let Some(schedule) = schedule(terms) {
                    let before = self.plans.remove(name);
                    let decided = before.as_ref().map_or(at, |before| before.at.max(at));
                    let waiting = before.and_then(|before| before.waiting);
                    let plan = Plan { job: terms.job.clone(), schedule, at: decided, waiting };
                    self.plans.insert(name.clone(), plan);
                }
            }
            Fact::ReviewNotOpened { name, fire_at, reason } => {
                if let Some(plan) = self.plans.get_mut(name) {
                    plan.at = plan.at.max(*fire_at);
                    plan.waiting = Some((*fire_at, reason.clone()));
                }
            }
            Fact::ReviewSkipped { name, last, .. } => {
                if let Some(plan) = self.plans.get_mut(name) {
                    plan.at = plan.at.max(*last);
                    plan.waiting.take_if(|(due, _)| *due <= *last);
                }
            }
            _ => {}
        }
    }

    /// The rows of reviews and of their events, and the reviews that cannot be restored.
    ///
    /// # Errors
    /// [`StoreError::Pack`]
    pub(super) fn rows(&self, populations: &BTreeMap<Uuid, Population>) -> Result<ReviewRows, StoreError> {
        let mut found = ReviewRows::default();
        for (review_id, told) in &self.events {
            let name = match told.first() {
                Some((_, Event::Opened(opening))) => opening.name.clone(),
                _ => String::new(),
            };
            let Some(population) = populations.get(review_id) else {
                let reason = "the evidence has no bag with the accounts that it is about".to_owned();
                found.lost.push(LostReview { id: *review_id, name, reason });
                continue;
            };
            let review = Review::replay(*review_id, population.clone(), told.iter().map(|(at, event)| (*at, event)));
            let review = match review {
                Ok(review) => review,
                Err(refused) => {
                    found.lost.push(LostReview { id: *review_id, name, reason: refused.to_string() });
                    continue;
                }
            };
            found.reviews.push(row(&review, told)?);
            for (sequence, (at, event)) in (1_i64..).zip(told) {
                let body = rows::json(event).map_err(|error| StoreError::Pack { reason: error.to_string() })?;
                found.events.push(Row::from([
                    ("review", id(*review_id)),
                    ("number", number(sequence)),
                    ("at", moment(*at)),
                    ("body", text(body)),
                ]));
            }
        }
        Ok(found)
    }

    /// The rows of plans.
    pub(super) fn plans(&self) -> impl Iterator<Item = Row> + '_ {
        self.plans.iter().map(|(name, plan)| {
            Row::from([
                ("name", text(name)),
                ("job", text(&plan.job)),
                ("schedule", text(&plan.schedule)),
                ("at", moment(plan.at)),
                ("due_at", moment_if_any(plan.waiting.as_ref().map(|(due, _)| *due))),
                ("reason", text_if_any(plan.waiting.as_ref().map(|(_, reason)| reason.as_str()))),
            ])
        })
    }
}

fn row(review: &Review, told: &[(DateTime<Utc>, Event)]) -> Result<Row, StoreError> {
    let summary = review.summary();
    // Whether something is to be said about one that goes on is looked at once.
    let goes_on = matches!(summary.state, State::Open | State::Decided) || summary.unproven > 0;
    let next = told.last().map(|(at, _)| *at).filter(|_| goes_on);
    Ok(Row::from([
        ("id", id(summary.id)),
        ("name", text(&summary.name)),
        ("job", text(&summary.job)),
        ("state", text(summary.state.word())),
        ("opened_at", moment(summary.opened_at)),
        ("due_at", moment(summary.due)),
        ("fire_at", moment_if_any(summary.fire_at)),
        ("items", number(summary.items)),
        ("undecided", number(summary.undecided)),
        ("unproven", number(summary.unproven)),
        ("work_due", moment_if_any(summary.work_due)),
        ("events", count(summary.events)),
        ("told_events", count(summary.events)),
        ("next_message", moment_if_any(next)),
        ("population", bytes(pack(review.population())?)),
    ]))
}
