//! Looks after reviews by people: opens those that are due, says by mail what is due about them, and counts them.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Daemon, Review, Setup,
    in_force::Terms,
    segments::{self, Decisions, Scheduled},
    vendor_clock::AGAIN_AFTER,
};
use crate::{
    ledger::{Fact, timeline::TOLERANCE},
    model::{actor::Actor, run::Gap, trigger::LATE},
    review::{
        open::Occasion,
        state::{State, Summary},
    },
    run::reviews::{self, ReviewError, messages},
    schedule::{Missed, Schedule, Skipped},
    store::{
        StoreError,
        queue::Cursor,
        reviews::{PlannedReview, ReviewPlan},
    },
};

/// Why a scheduled time is passed over if none was opened for it before the next one came.
const REPLACED: &str = "it could not be opened before the next scheduled time";
/// The same if the daemon did not run.
const MISSED: &str = "no daemon was able to open it in time; only the latest is opened";
/// Why a scheduled time has no review any more whose schedule was removed.
const REMOVED: &str = "its schedule was removed from the configuration";

/// What is decided about the scheduled times of a review.
struct DecidedReview {
    /// The time for which one is opened; `None` if for none.
    due: Option<DateTime<Utc>>,
    /// The times for which none is opened, the earliest first.
    passed: Vec<Skipped>,
    /// The cursor afterwards.
    to: Cursor,
}

/// The reviews of one name in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewPulse {
    /// The name in the configuration.
    pub name: String,
    /// Reviews that are not closed.
    pub open: u64,
    /// Accounts in them that are not decided.
    pub undecided: u64,
    /// Reviews that are not closed in time.
    pub overdue: u64,
    /// Accounts in those that are not decided.
    pub overdue_items: u64,
    /// Decisions to change or remove that no audit has proven.
    pub unproven: u64,
    /// Those of them that had to be carried out by now.
    pub not_carried_out: u64,
    /// When the next one is opened; `None` if only on demand.
    pub next: Option<DateTime<Utc>>,
}

impl Daemon {
    /// Decides which reviews are due, and opens them.
    pub(super) async fn open_reviews(&self) -> Result<(), StoreError> {
        let setup = self.setup();
        let now = self.now();
        if setup.reviews.is_empty() && self.state().reviews_published {
            return Ok(());
        }
        let plans = self.store.review_plans().await?;
        if !self.state().reviews_published {
            self.publish_reviews(&setup, &plans, now).await?;
            self.state().reviews_published = true;
        }
        for (name, review) in &setup.reviews {
            let Some(schedule) = &review.schedule else { continue };
            let plan = plans.iter().find(|plan| plan.name == *name);
            if self.state().reviews_again.get(name).is_some_and(|again| (*again - AGAIN_AFTER..*again).contains(&now)) {
                continue;
            }
            if !self.plan_review(&setup, name, (review, schedule), plan, now).await?
                && let Some(fire_at) = plan.and_then(|plan| plan.due)
            {
                self.open_review(&setup, review, fire_at, now).await?;
            }
        }
        Ok(())
    }

    /// Says in the ledger by which schedules reviews are opened from now on.
    async fn publish_reviews(&self, setup: &Setup, plans: &[ReviewPlan], now: DateTime<Utc>) -> Result<(), StoreError> {
        let scheduled = |name: &str| setup.reviews.get(name)?.schedule.as_ref();
        let own = setup.reviews.iter().filter_map(|(name, review)| {
            let terms = review.schedule.as_ref()?.review_terms(&review.terms.job);
            Some(Fact::ReviewSchedule { name: name.clone(), terms: Some(terms) })
        });
        let gone = plans.iter().filter(|plan| scheduled(&plan.name).is_none());
        let gone = gone.map(|plan| Fact::ReviewSchedule { name: plan.name.clone(), terms: None });
        let facts: Vec<Fact> = own.chain(gone).collect();
        self.store.append(&facts, now).await?;
        let mut since = BTreeMap::new();
        for name in setup.reviews.keys().filter(|name| scheduled(name).is_some()) {
            since.extend(self.store.last(Fact::REVIEW_SCHEDULE, name).await?.map(|entry| (name.clone(), entry.at)));
        }
        self.state().reviews_since = since;
        for plan in plans.iter().filter(|plan| scheduled(&plan.name).is_none()) {
            let Some(fire_at) = plan.due else { continue };
            let skipped = [gap(&plan.name, fire_at, fire_at, 1, REMOVED)];
            let to = plan.cursor.clone();
            let planned = PlannedReview {
                name: &plan.name,
                job: "",
                from: Some(plan),
                to: &to,
                due: None,
                skipped: &skipped,
                now,
            };
            self.store.plan_review(&planned).await?;
        }
        Ok(())
    }

    /// Decides about the scheduled times of a review since the last look. Returns whether there was something to decide.
    async fn plan_review(
        &self,
        setup: &Setup,
        name: &str,
        (review, schedule): (&Review, &Schedule),
        plan: Option<&ReviewPlan>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let job = &review.terms.job;
        let workspaces = setup.jobs.get(job).map(|job| job.workspaces.clone()).unwrap_or_default();
        let terms = Terms::new(job, workspaces, schedule.clone(), Missed::Latest);
        let is_in_future = plan.is_some_and(|plan| plan.cursor.at > now + LATE);
        let decided = if is_in_future {
            self.back_from_the_future(setup, &terms, plan, now).await
        } else {
            self.decide_review(name, schedule, plan, now).await?
        };
        let Some(DecidedReview { due, passed, to }) = decided else {
            if is_in_future {
                self.again(name, now);
            }
            return Ok(is_in_future);
        };
        let first = passed.first().map(|passed| passed.first).or(due);
        let is_late = first.is_some_and(|first| now - first > LATE);
        let is_held = !self.is_in_force(name, review, schedule).await?
            || (is_late && self.is_ahead(setup, &format!("review {name}"), &terms, now).await);
        if is_held {
            self.again(name, now);
            return Ok(true);
        }
        let waiting = plan.and_then(|plan| plan.due);
        let mut skipped = Vec::new();
        if let Some(waiting) = waiting.filter(|_| due.is_some()) {
            skipped.push(gap(name, waiting, waiting, 1, REPLACED));
        }
        skipped.extend(passed.iter().map(|passed| gap(name, passed.first, passed.last, passed.count, MISSED)));
        let planned = PlannedReview { name, job, from: plan, to: &to, due: due.or(waiting), skipped: &skipped, now };
        if self.store.plan_review(&planned).await?
            && let Some(fire_at) = due
        {
            tracing::info!(review = name, %fire_at, "a review is due");
            self.wake.notify_one();
        }
        Ok(true)
    }

    /// The scheduled times of a review since its cursor, each by the schedule that was in force then; `None` if nothing
    /// changes.
    async fn decide_review(
        &self,
        name: &str,
        schedule: &Schedule,
        plan: Option<&ReviewPlan>,
        now: DateTime<Utc>,
    ) -> Result<Option<DecidedReview>, StoreError> {
        let since = self.state().reviews_since.get(name).copied();
        // A new review is due from the moment on at which its schedule was published.
        let begin = || Cursor { schedule: schedule.text(), at: since.unwrap_or(now).min(now) };
        let from = plan.map_or_else(begin, |plan| plan.cursor.clone());
        let terms = Arc::new(Terms::review(name, schedule.clone()));
        let scheduled = Scheduled { kind: Fact::REVIEW_SCHEDULE, name, terms, since };
        let segments = self.segments(&scheduled, &from, now).await?;
        let Some(Decisions { parts, to }) = segments::decide(&segments, Missed::Latest, &from, now) else {
            return Ok(plan.is_none().then_some(DecidedReview { due: None, passed: Vec::new(), to: from }));
        };
        let due = parts.iter().flat_map(|part| &part.plan.due).map(|(time, _)| *time).next_back();
        let passed = parts.iter().filter_map(|part| part.plan.skipped).collect();
        Ok(Some(DecidedReview { due, passed, to }))
    }

    /// A plan that a clock made that was ahead begins again now, if the vendor's answers say that the clock is right.
    async fn back_from_the_future(
        &self,
        setup: &Setup,
        terms: &Terms,
        plan: Option<&ReviewPlan>,
        now: DateTime<Utc>,
    ) -> Option<DecidedReview> {
        let ahead = self.vendor_ahead(setup, terms).await?;
        let schedule = plan?.cursor.schedule.clone();
        let decided = || DecidedReview { due: None, passed: Vec::new(), to: Cursor { schedule, at: now } };
        (ahead.abs() <= TOLERANCE).then(decided)
    }

    /// Whether the schedule is the last one that the ledger has: another daemon may have put another one in force.
    async fn is_in_force(&self, name: &str, review: &Review, schedule: &Schedule) -> Result<bool, StoreError> {
        let last = self.store.last(Fact::REVIEW_SCHEDULE, name).await?;
        let own = Some(schedule.review_terms(&review.terms.job));
        let is_own = matches!(last.map(|entry| entry.fact), Some(Fact::ReviewSchedule { terms, .. }) if terms == own);
        if !is_own {
            tracing::error!(
                review = name,
                "a newer configuration with another schedule is in force; reload this daemon with the same configuration, \
                 or stop one of the two"
            );
        }
        Ok(is_own)
    }

    fn again(&self, name: &str, now: DateTime<Utc>) {
        self.state().reviews_again.insert(name.to_owned(), now + AGAIN_AFTER);
    }

    /// Opens a review that is due. If it cannot be opened, that is stored with the reason and tried again.
    async fn open_review(
        &self,
        setup: &Setup,
        review: &Review,
        fire_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let name = &review.terms.name;
        let (Some(vault), Some(job)) = (&setup.vault, setup.jobs.get(&review.terms.job)) else {
            // The configuration was checked.
            return Ok(());
        };
        let occasion = Occasion { at: now, fire_at: Some(fire_at), by: Actor::Daemon };
        let opened = reviews::open(&*self.store, vault, &review.terms, &job.workspaces, occasion).await;
        let reason = match opened {
            Ok(opened) => {
                tracing::info!(review = %opened.id(), name, %fire_at, items = opened.opening().items, "opened a review");
                return Ok(());
            }
            Err(ReviewError::Store(StoreError::Busy { .. })) => {
                "the review before is still under way; close or cancel it".to_owned()
            }
            Err(ReviewError::Store(error)) => return Err(error),
            Err(error) => error.to_string(),
        };
        tracing::error!(name, %fire_at, reason, "a review could not be opened; it will be tried again");
        self.again(name, now);
        self.store.review_not_opened(name, fire_at, &reason, now).await
    }

    /// Puts into the outbox what is due about reviews.
    pub(super) async fn tell_of_reviews(&self) -> Result<(), StoreError> {
        let setup = self.setup();
        let Some(sender) = &setup.sender else { return Ok(()) };
        let now = self.now();
        for id in self.store.reviews_to_tell(now).await? {
            let Some(review) = self.store.review(id).await? else { continue };
            match messages::tell(&*self.store, &review, sender, now).await {
                Ok(0) => {}
                Ok(messages) => tracing::info!(review = %id, messages, "wrote messages about a review"),
                Err(ReviewError::Store(error)) => return Err(error),
                Err(error) => tracing::error!(review = %id, %error, "messages about a review could not be written"),
            }
        }
        Ok(())
    }

    /// The reviews in numbers: of each name that is configured or under way.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn reviews(&self) -> Result<Vec<ReviewPulse>, StoreError> {
        let setup: Arc<Setup> = self.setup();
        let now = self.now();
        let unfinished = self.store.unfinished_reviews().await?;
        let mut names: Vec<&str> = setup.reviews.keys().map(String::as_str).collect();
        names.extend(unfinished.iter().map(|summary| summary.name.as_str()));
        names.sort_unstable();
        names.dedup();
        let mut pulses = Vec::new();
        for name in names {
            let schedule = setup.reviews.get(name).and_then(|review| review.schedule.as_ref());
            let mut pulse = ReviewPulse {
                name: name.to_owned(),
                next: schedule.and_then(|schedule| schedule.times(now).next()),
                ..ReviewPulse::default()
            };
            for summary in unfinished.iter().filter(|summary| summary.name == name) {
                pulse.add(summary, now);
                if summary.work_due.is_some_and(|due| due < now) {
                    let late = self.unproven(summary).await?;
                    pulse.not_carried_out += late.iter().filter(|due| **due < now).count() as u64;
                }
            }
            pulses.push(pulse);
        }
        let ids: Vec<Uuid> = unfinished.iter().map(|summary| summary.id).collect();
        self.state().unproven.retain(|id, _| ids.contains(id));
        Ok(pulses)
    }

    /// Until when each decision of a review has to be carried out that is not proven. A review is read again only if
    /// something has happened to it.
    async fn unproven(&self, summary: &Summary) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let known = self.state().unproven.get(&summary.id).filter(|(events, _)| *events == summary.events).cloned();
        if let Some((_, due)) = known {
            return Ok(due);
        }
        let review = self.store.review(summary.id).await?;
        let due: Vec<DateTime<Utc>> = review.iter().flat_map(crate::review::state::Review::unproven_due).collect();
        let events = review.map_or(summary.events, |review| review.events());
        self.state().unproven.insert(summary.id, (events, due.clone()));
        Ok(due)
    }
}

impl ReviewPulse {
    fn add(&mut self, summary: &Summary, now: DateTime<Utc>) {
        self.unproven += u64::from(summary.unproven);
        if !matches!(summary.state, State::Open | State::Decided) {
            return;
        }
        self.open += 1;
        self.undecided += u64::from(summary.undecided);
        if summary.due < now {
            self.overdue += 1;
            self.overdue_items += u64::from(summary.undecided);
        }
    }
}

fn gap(name: &str, first: DateTime<Utc>, last: DateTime<Utc>, count: u64, reason: &str) -> Gap {
    Gap { job: name.to_owned(), first, last, count, reason: reason.to_owned() }
}
