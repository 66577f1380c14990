//! Turns fire times into runs.

use chrono::{DateTime, Utc};

use super::{Daemon, Job};
use crate::{
    model::run::Gap,
    schedule::{Missed, Plan},
    store::{
        StoreError,
        queue::{Cursor, Decided},
    },
};

/// When a job is next checked: at its next fire time, or earlier if the clock was set back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
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
        if !self.state().enacted {
            let terms = |job: &Job| job.schedule.terms(&job.workspaces, job.missed);
            let schedules: Vec<_> = setup.jobs.iter().map(|(name, job)| (name.clone(), terms(job))).collect();
            self.store.publish_schedules(&schedules, now).await?;
            self.state().enacted = true;
        }
        let mut decisions = Vec::new();
        for (name, job) in &setup.jobs {
            if self.state().looks.get(name).is_some_and(|look| (look.at..look.next).contains(&now)) {
                continue;
            }
            let from = self.store.cursor(name).await?;
            let Some((plan, to)) = decide(job, from.as_ref(), now) else {
                let decided = from.map_or(now, |from| from.at.max(now));
                let next = job.schedule.times(decided).next().unwrap_or(DateTime::<Utc>::MAX_UTC);
                self.state().looks.insert(name.clone(), Look { at: now, next });
                continue;
            };
            let gap = plan.skipped.map(|skipped| Gap {
                job: name.clone(),
                first: skipped.first,
                last: skipped.last,
                count: skipped.count,
                reason: reason(job.missed).to_owned(),
            });
            decisions.push(Decision { job: name.clone(), workspaces: job.workspaces.clone(), plan, gap, from, to });
        }
        if decisions.is_empty() { Ok(()) } else { self.store_decisions(&decisions, now).await }
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
fn decide(job: &Job, from: Option<&Cursor>, now: DateTime<Utc>) -> Option<(Plan, Cursor)> {
    let schedule = format!("{} {}", job.schedule.pattern(), job.schedule.zone());
    // A new job, or one whose schedule changed, begins now: no earlier fire time was published for it.
    let Some(from) = from.filter(|from| from.schedule == schedule) else {
        let at = from.map_or(now, |from| from.at.max(now));
        return Some((Plan { due: Vec::new(), skipped: None, cursor: at }, Cursor { schedule, at }));
    };
    let plan = job.schedule.plan(job.missed, from.at, now);
    // Checking every second must not write every second.
    let nothing = plan.due.is_empty() && plan.skipped.is_none();
    let at = plan.cursor;
    (!nothing).then_some((plan, Cursor { schedule, at }))
}

fn reason(missed: Missed) -> &'static str {
    match missed {
        Missed::Latest => {
            "no daemon could decide in time: none was running, its store failed, or the clock was set forward; `missed = \"latest\"` makes up for the latest one only"
        }
        Missed::Skip => {
            "no daemon could decide in time: none was running, its store failed, or the clock was set forward; `missed = \"skip\"` makes up for none"
        }
        Missed::All => "no daemon could decide in time",
    }
}
