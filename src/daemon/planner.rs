//! Turns fire times into runs.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Daemon, Job, Setup,
    in_force::Terms,
    segments::{self, Decisions, Part, Scheduled},
    vendor_clock::AGAIN_AFTER,
};
use crate::{
    ledger::Fact,
    model::{run::Gap, trigger::LATE},
    schedule::Missed,
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
            let begins =
                |(name, job): (&String, &Job)| (name.clone(), Cursor { schedule: job.schedule.text(), at: now });
            let (own, begins): (Vec<_>, Vec<_>) =
                (setup.jobs.iter().map(own).collect(), setup.jobs.iter().map(begins).collect());
            self.store.publish_schedules(&own, &begins, now).await?;
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
        let Some(from) = from else {
            // It gets its cursor when it is published.
            self.state().is_published = false;
            return Ok(Vec::new());
        };
        let since = self.state().in_force_since.get(name).copied();
        let scheduled = Scheduled { kind: Fact::SCHEDULE, name, terms: Arc::clone(&terms), since };
        let segments = self.segments(&scheduled, &from, now).await?;
        let Some(decided) = segments::decide(&segments, terms.missed, &from, now) else {
            let mut next = terms.next_after(from.at.max(now)).unwrap_or(DateTime::<Utc>::MAX_UTC);
            let is_pending = segments.last().is_some_and(|last| last.since > now);
            if is_in_future(&from) || is_pending {
                next = next.min(now + AGAIN_AFTER);
            }
            self.state().checks.insert(name.to_owned(), NextCheck { at: now, next });
            return Ok(Vec::new());
        };
        let is_late = decided.first().is_some_and(|first| now - first > LATE);
        if is_late && self.is_ahead(setup, name, &terms, now).await {
            self.state().checks.insert(name.to_owned(), NextCheck { at: now, next: now + AGAIN_AFTER });
            return Ok(Vec::new());
        }
        self.state().ahead.remove(name);
        Ok(decisions(name, &terms, decided, from))
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

/// Workspaces, their due fire times, a gap, and the cursor afterwards.
type Step = (Vec<String>, Vec<DateTime<Utc>>, Option<Gap>, Cursor);

/// Decisions that follow one another: each begins at the cursor where the one before ends. Fire times of the same workspaces
/// by the same schedule are one decision.
fn decisions(name: &str, in_force: &Terms, decided: Decisions, from: Cursor) -> Vec<Decision> {
    let Decisions { parts, to } = decided;
    let mut steps: Vec<Step> = Vec::new();
    for Part { terms, plan } in parts {
        let mut gap = plan.skipped.map(|skipped| Gap {
            job: name.to_owned(),
            first: skipped.first,
            last: skipped.last,
            count: skipped.count,
            reason: reason(in_force.missed).to_owned(),
        });
        let cursor = |at| Cursor { schedule: terms.schedule.text(), at };
        for group in plan.due.chunk_by(|(_, one), (_, other)| one == other) {
            let due: Vec<DateTime<Utc>> = group.iter().map(|(time, _)| *time).collect();
            let at = due.last().copied().unwrap_or(plan.cursor);
            let numbers = group.first().map(|(_, numbers)| numbers.as_slice()).unwrap_or_default();
            let workspaces = numbers.iter().filter_map(|number| terms.workspaces.get(*number).cloned()).collect();
            steps.push((workspaces, due, gap.take(), cursor(at)));
        }
        if gap.is_some() {
            steps.push((Vec::new(), Vec::new(), gap, cursor(plan.cursor)));
        }
    }
    match steps.last_mut() {
        Some((.., end)) => *end = to,
        None => steps.push((Vec::new(), Vec::new(), None, to)),
    }
    let mut from = Some(from);
    let decision = |(workspaces, due, gap, to): Step| Decision {
        job: name.to_owned(),
        workspaces,
        due,
        gap,
        from: from.replace(to.clone()),
        to,
    };
    steps.into_iter().map(decision).collect()
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
