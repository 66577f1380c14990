//! Turns fire times into runs.

use chrono::{DateTime, Utc};

use super::{Daemon, Job, Setup, in_force::Terms, vendor_clock::AGAIN_AFTER};
use crate::{
    model::{run::Gap, trigger::LATE},
    schedule::{Missed, Plan, Schedule},
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

/// A job with fire times to decide.
struct Decision {
    job: String,
    workspaces: Vec<String>,
    plan: Plan,
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

    /// What is to be decided for a job now; `None` if nothing.
    async fn look(
        &self,
        setup: &Setup,
        name: &str,
        job: &Job,
        now: DateTime<Utc>,
    ) -> Result<Option<Decision>, StoreError> {
        let terms = self.terms(name, job);
        let mut from = self.store.cursor(name).await?;
        let is_in_future = |cursor: &Cursor| cursor.at > now + LATE;
        if from.as_ref().is_some_and(is_in_future) && self.repair(setup, name, &terms, now).await? {
            from = self.store.cursor(name).await?;
        }
        let Some((plan, to)) = decide(&terms, from.as_ref(), now) else {
            let decided = from.as_ref().map_or(now, |from| from.at.max(now));
            let mut next = terms.schedule.times(decided).next().unwrap_or(DateTime::<Utc>::MAX_UTC);
            if from.as_ref().is_some_and(is_in_future) {
                next = next.min(now + AGAIN_AFTER);
            }
            self.state().checks.insert(name.to_owned(), NextCheck { at: now, next });
            return Ok(None);
        };
        let first = plan.skipped.map(|skipped| skipped.first).or(plan.due.first().copied());
        let is_late = first.is_some_and(|first| now - first > LATE);
        if is_late && self.is_ahead(setup, name, &terms, now).await {
            self.state().checks.insert(name.to_owned(), NextCheck { at: now, next: now + AGAIN_AFTER });
            return Ok(None);
        }
        self.state().ahead.remove(name);
        let gap = plan.skipped.map(|skipped| Gap {
            job: name.to_owned(),
            first: skipped.first,
            last: skipped.last,
            count: skipped.count,
            reason: reason(terms.missed).to_owned(),
        });
        Ok(Some(Decision { job: name.to_owned(), workspaces: terms.workspaces.clone(), plan, gap, from, to }))
    }

    async fn store_decisions(&self, decisions: &[Decision], now: DateTime<Utc>) -> Result<(), StoreError> {
        let decided: Vec<Decided<'_>> = decisions
            .iter()
            .map(|decision| Decided {
                job: &decision.job,
                workspaces: &decision.workspaces,
                due: &decision.plan.due,
                gap: decision.gap.as_ref(),
                from: decision.from.as_ref(),
                to: &decision.to,
                now,
            })
            .collect();
        let stored = self.store.decide(&decided).await?;
        // If another daemon was faster, its decision stands.
        for (Decision { job, plan, gap, .. }, _) in decisions.iter().zip(stored).filter(|(_, stored)| *stored) {
            for fire_at in &plan.due {
                tracing::info!(job, %fire_at, "due");
            }
            if let Some(Gap { first, last, count, .. }) = gap {
                tracing::warn!(job, %first, %last, count, "fire times were missed and are not caught up");
            }
        }
        Ok(())
    }
}

/// The fire times of a job since its cursor, and the new cursor; `None` if nothing changes.
pub(super) fn decide(terms: &Terms, from: Option<&Cursor>, now: DateTime<Utc>) -> Option<(Plan, Cursor)> {
    let schedule = format!("{} {}", terms.schedule.pattern(), terms.schedule.zone());
    let Some(from) = from else {
        // A new job begins now: no earlier fire time was published for it.
        return Some((Plan { due: Vec::new(), skipped: None, cursor: now }, Cursor { schedule, at: now }));
    };
    if from.schedule != schedule {
        // What the earlier schedule promised up to now is not lost.
        let earlier = earlier(&from.schedule, from.at).map(|earlier| earlier.plan(terms.missed, from.at, now));
        let at = from.at.max(now);
        let plan = earlier.unwrap_or(Plan { due: Vec::new(), skipped: None, cursor: at });
        let is_done = plan.cursor >= now;
        let schedule = if is_done { schedule } else { from.schedule.clone() };
        let at = plan.cursor;
        return Some((plan, Cursor { schedule, at }));
    }
    let plan = terms.schedule.plan(terms.missed, from.at, now);
    // Checking every second must not write every second.
    let nothing = plan.due.is_empty() && plan.skipped.is_none();
    let at = plan.cursor;
    (!nothing).then_some((plan, Cursor { schedule, at }))
}

/// The schedule of a cursor; `None` if it cannot be read.
fn earlier(schedule: &str, at: DateTime<Utc>) -> Option<Schedule> {
    let (pattern, zone) = schedule.rsplit_once(' ')?;
    Schedule::parse(pattern, zone.parse().ok()?, at).ok()
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
