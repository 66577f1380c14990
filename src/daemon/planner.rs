//! Turns fire times into runs.

use chrono::{DateTime, Utc};

use super::{Daemon, Job, Setup, in_force::Terms, vendor_clock::AGAIN_AFTER};
use crate::{
    ledger::Fact,
    model::{run::Gap, trigger::LATE},
    schedule::{Missed, Schedule, SpreadPlan},
    store::{
        StoreError,
        queue::{Cursor, Decided},
    },
};

/// When a job is next checked: at its next fire time, or earlier if the clock was set back.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextCheck {
    at: DateTime<Utc>,
    next: DateTime<Utc>,
}

/// Fire times of a job to decide, which are those of the same workspaces.
struct Decision {
    job: String,
    workspaces: Vec<String>,
    due: Vec<DateTime<Utc>>,
    gap: Option<Gap>,
    from: Option<Cursor>,
    to: Cursor,
}

impl Daemon {
    /// Decides all fire times that have passed.
    pub(super) async fn plan(&self) -> Result<(), StoreError> {
        let setup = self.setup();
        let now = self.now();
        // Publish at the moment from which new jobs are decided, so that no published fire time is left undecided.
        if !self.state().is_published {
            let own = |(name, job): (&String, &Job)| (name.clone(), Self::own_terms(job));
            self.settle_changed(&setup, now).await?;
            self.store.publish_schedules(&setup.jobs.iter().map(own).collect::<Vec<_>>(), now).await?;
            self.state().is_published = true;
        }
        self.learn_terms(&setup, now).await?;
        let mut decisions = Vec::new();
        for (name, job) in &setup.jobs {
            if self.state().checks.get(name).is_some_and(|check| (check.at..check.next).contains(&now)) {
                continue;
            }
            decisions.extend(self.look(&setup, name, job, now).await?);
        }
        if decisions.is_empty() { Ok(()) } else { self.store_decisions(&decisions, now).await }
    }

    /// Decides what the schedules that are in force still promise, before others are published: a workspace that is new in a
    /// spread job is not due for the part of a window that has passed.
    async fn settle_changed(&self, setup: &Setup, now: DateTime<Utc>) -> Result<(), StoreError> {
        for (name, job) in &setup.jobs {
            let kind = Fact::Schedule { job: name.clone(), terms: None };
            let last = self.store.last(kind.kind(), name).await?.map(|entry| entry.fact);
            let Some(Fact::Schedule { terms: Some(before), .. }) = last else { continue };
            let own = Self::own_terms(job);
            if before == own || before.splay_minutes.or(own.splay_minutes).is_none() {
                continue;
            }
            let Some(before) = Terms::parse(name, &before, now) else { continue };
            let from = self.store.cursor(name).await?;
            let Some(at) = from.as_ref().map(|from| from.at).filter(|at| *at < now) else { continue };
            let (plan, to) = decide(&before, from.as_ref(), now).unwrap_or_else(|| {
                let plan = SpreadPlan { due: Vec::new(), skipped: None, cursor: now };
                (plan, Cursor { schedule: before.schedule.text(), at })
            });
            let first = first_of(&plan);
            if plan.cursor < now || first.is_some_and(|first| now - first > LATE) {
                // What is late is decided by the new schedule, once the vendor's answers confirm the clock.
                continue;
            }
            let to = Cursor { at: now, schedule: to.schedule };
            self.store_decisions(&decisions(name, &before, &plan, from, to), now).await?;
        }
        Ok(())
    }

    /// What is to be decided for a job now.
    async fn look(
        &self,
        setup: &Setup,
        name: &str,
        job: &Job,
        now: DateTime<Utc>,
    ) -> Result<Vec<Decision>, StoreError> {
        let terms = self.terms(name, job);
        let mut from = self.store.cursor(name).await?;
        let is_in_future = |cursor: &Cursor| cursor.at > now + LATE;
        if from.as_ref().is_some_and(is_in_future) && self.repair(setup, name, &terms, now).await? {
            from = self.store.cursor(name).await?;
        }
        let Some((plan, to)) = decide(&terms, from.as_ref(), now) else {
            let decided = from.as_ref().map_or(now, |from| from.at.max(now));
            let mut next = terms.next_after(decided).unwrap_or(DateTime::<Utc>::MAX_UTC);
            if from.as_ref().is_some_and(is_in_future) {
                next = next.min(now + AGAIN_AFTER);
            }
            self.state().checks.insert(name.to_owned(), NextCheck { at: now, next });
            return Ok(Vec::new());
        };
        let is_late = first_of(&plan).is_some_and(|first| now - first > LATE);
        if is_late && self.is_ahead(setup, name, &terms, now).await {
            self.state().checks.insert(name.to_owned(), NextCheck { at: now, next: now + AGAIN_AFTER });
            return Ok(Vec::new());
        }
        self.state().ahead.remove(name);
        Ok(decisions(name, &terms, &plan, from, to))
    }

    async fn store_decisions(&self, decisions: &[Decision], now: DateTime<Utc>) -> Result<(), StoreError> {
        let decided: Vec<Decided<'_>> = decisions
            .iter()
            .map(|decision| Decided {
                job: &decision.job,
                workspaces: &decision.workspaces,
                due: &decision.due,
                gap: decision.gap.as_ref(),
                from: decision.from.as_ref(),
                to: &decision.to,
                now,
            })
            .collect();
        let stored = self.store.decide(&decided).await?;
        // If another daemon was faster, its decision stands.
        for (Decision { job, due, gap, .. }, _) in decisions.iter().zip(stored).filter(|(_, stored)| *stored) {
            for fire_at in due {
                tracing::info!(job, %fire_at, "due");
            }
            if let Some(Gap { first, last, count, .. }) = gap {
                tracing::warn!(job, %first, %last, count, "fire times were missed and are not caught up");
            }
        }
        Ok(())
    }
}

/// The first fire time that a plan decides.
fn first_of(plan: &SpreadPlan) -> Option<DateTime<Utc>> {
    plan.skipped.map(|skipped| skipped.first).or(plan.due.first().map(|(time, _)| *time))
}

/// A plan as decisions that follow one another: each begins at the cursor where the one before ends. Fire times of the same
/// workspaces are one decision.
fn decisions(name: &str, terms: &Terms, plan: &SpreadPlan, from: Option<Cursor>, to: Cursor) -> Vec<Decision> {
    let mut gap = plan.skipped.as_ref().map(|skipped| Gap {
        job: name.to_owned(),
        first: skipped.first,
        last: skipped.last,
        count: skipped.count,
        reason: reason(terms.missed).to_owned(),
    });
    let decision =
        |workspaces: Vec<String>, due, gap, from, to| Decision { job: name.to_owned(), workspaces, due, gap, from, to };
    if plan.due.is_empty() {
        return vec![decision(Vec::new(), Vec::new(), gap, from, to)];
    }
    let groups: Vec<_> = plan.due.chunk_by(|(_, one), (_, other)| one == other).collect();
    let (mut decisions, mut from) = (Vec::with_capacity(groups.len()), from);
    for (number, group) in groups.iter().enumerate() {
        let due: Vec<DateTime<Utc>> = group.iter().map(|(time, _)| *time).collect();
        let is_last = number + 1 == groups.len();
        let at = due.last().copied().filter(|_| !is_last).unwrap_or(to.at);
        let to = Cursor { schedule: to.schedule.clone(), at };
        let numbers = group.first().map(|(_, numbers)| numbers.as_slice()).unwrap_or_default();
        let workspaces = numbers.iter().filter_map(|number| terms.workspaces.get(*number).cloned()).collect();
        decisions.push(decision(workspaces, due, gap.take(), from.replace(to.clone()), to));
    }
    decisions
}

/// The fire times of a job since its cursor, and the new cursor; `None` if nothing changes.
pub(super) fn decide(terms: &Terms, from: Option<&Cursor>, now: DateTime<Utc>) -> Option<(SpreadPlan, Cursor)> {
    let schedule = terms.schedule.text();
    let Some(from) = from else {
        // A new job begins now: no earlier fire time was published for it.
        return Some((SpreadPlan { due: Vec::new(), skipped: None, cursor: now }, Cursor { schedule, at: now }));
    };
    if from.schedule != schedule {
        // What the earlier schedule promised up to now is not lost.
        let earlier = Schedule::of_text(&from.schedule, from.at).map(|earlier| terms.plan(&earlier, from.at, now));
        let at = from.at.max(now);
        let plan = earlier.unwrap_or(SpreadPlan { due: Vec::new(), skipped: None, cursor: at });
        let is_done = plan.cursor >= now;
        let schedule = if is_done { schedule } else { from.schedule.clone() };
        let at = plan.cursor;
        return Some((plan, Cursor { schedule, at }));
    }
    let plan = terms.plan(&terms.schedule, from.at, now);
    // Checking every second must not write every second.
    let nothing = plan.due.is_empty() && plan.skipped.is_none();
    let at = plan.cursor;
    (!nothing).then_some((plan, Cursor { schedule, at }))
}

fn reason(missed: Missed) -> &'static str {
    match missed {
        Missed::Latest => {
            "no daemon was able to run it in time: none was running, its store failed, or the clock was set forward; `missed = \"latest\"` catches up only the latest one"
        }
        Missed::Skip => {
            "no daemon was able to run it in time: none was running, its store failed, or the clock was set forward; `missed = \"skip\"` catches up none"
        }
        Missed::All => "no daemon was able to run it in time",
    }
}
