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

impl Daemon {
    /// Decides about all fire times that have come.
    pub(super) async fn plan(&self) -> Result<(), StoreError> {
        let setup = self.setup();
        for (name, job) in &setup.jobs {
            let from = self.store.cursor(name).await?;
            let now = self.now();
            let Some((plan, to)) = decide(job, from.as_ref(), now) else { continue };
            let gap = plan.skipped.map(|skipped| Gap {
                job: name.clone(),
                first: skipped.first,
                last: skipped.last,
                count: skipped.count,
                reason: reason(job.missed).to_owned(),
            });
            let decided = Decided {
                job: name,
                workspaces: &job.workspaces,
                due: &plan.due,
                gap: gap.as_ref(),
                from: from.as_ref(),
                to: &to,
                now,
            };
            // Another daemon may have been faster; then the decision is its.
            if self.store.decide(&decided).await? {
                for fire_at in &plan.due {
                    tracing::info!(job = name, %fire_at, "due");
                }
                if let Some(Gap { first, last, count, .. }) = &gap {
                    tracing::warn!(job = name, %first, %last, count, "fire times were missed and are not made up for");
                }
            }
        }
        Ok(())
    }
}

/// What has come for a job since its cursor, and the cursor after that; none where nothing changes.
fn decide(job: &Job, from: Option<&Cursor>, now: DateTime<Utc>) -> Option<(Plan, Cursor)> {
    let schedule = format!("{} {}", job.schedule.pattern(), job.schedule.zone());
    // A new job, and one whose schedule is another now, begin here: nobody had promised the past to it.
    let Some(from) = from.filter(|from| from.schedule == schedule) else {
        let at = from.map_or(now, |from| from.at.max(now));
        return Some((Plan { due: Vec::new(), skipped: None, cursor: at }, Cursor { schedule, at }));
    };
    let plan = job.schedule.plan(job.missed, from.at, now);
    // Looking every second need not write every second.
    let nothing = plan.due.is_empty() && plan.skipped.is_none();
    let at = plan.cursor;
    (!nothing).then_some((plan, Cursor { schedule, at }))
}

fn reason(missed: Missed) -> &'static str {
    match missed {
        Missed::Latest => "no daemon was running; `missed = \"latest\"` makes up for the latest one only",
        Missed::Skip => "no daemon was running, and `missed = \"skip\"` makes up for none",
        Missed::All => "no daemon was running",
    }
}
