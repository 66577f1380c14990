//! What was promised since a cursor: the schedules of a job or review that were in force one after another, as the ledger has them. A
//! daemon may have died after it published a schedule and before it decided anything, or have been stopped while a schedule
//! was changed: then several of them have fire times that nobody has decided.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};

use super::{Daemon, in_force::Terms};
use crate::{
    ledger::{Fact, timeline::TOLERANCE},
    schedule::{GRACE, Missed, Schedule, Skipped, SpreadPlan},
    store::{StoreError, queue::Cursor},
};

/// How many entries of the ledger are read first, and at most: each decision moves the cursor past the entries before it.
const FEW_ENTRIES: u32 = 4;
const MOST_ENTRIES: u32 = 1_024;

const BEFORE_ALL: DateTime<Utc> = DateTime::<Utc>::MIN_UTC;

/// The terms of a job from a moment on, until the next ones.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// They hold for fire times after this moment.
    pub(super) since: DateTime<Utc>,
    /// The terms; `None` while no configuration had the job.
    pub(super) terms: Option<Arc<Terms>>,
}

/// What is decided of one segment.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// By which terms.
    pub(super) terms: Arc<Terms>,
    /// What is due and what is not.
    pub(super) plan: SpreadPlan,
}

/// What is decided since a cursor.
#[derive(Debug, Clone)]
pub(super) struct Decisions {
    /// Of each segment with fire times, the earliest first.
    pub(super) parts: Vec<Part>,
    /// The cursor afterwards.
    pub(super) to: Cursor,
}

impl Decisions {
    /// The first fire time that is decided.
    pub(super) fn first(&self) -> Option<DateTime<Utc>> {
        self.parts.first().and_then(|part| first_of(&part.plan))
    }
}

/// The first fire time that a plan decides.
fn first_of(plan: &SpreadPlan) -> Option<DateTime<Utc>> {
    plan.skipped.map(|skipped| skipped.first).or(plan.due.first().map(|(time, _)| *time))
}

/// What is due by the schedules that the ledger has of it.
pub(super) struct Scheduled<'a> {
    /// The kind of the entries.
    pub(super) kind: &'static str,
    /// Their subject: the name of the job or review.
    pub(super) name: &'a str,
    /// The terms that are in force.
    pub(super) terms: Arc<Terms>,
    /// Since when; `None` if the ledger has none.
    pub(super) since: Option<DateTime<Utc>>,
}

impl Scheduled<'_> {
    /// The terms of an entry from its time on; `None` if it says that there are none. Terms that only a newer rolecall can
    /// read: until it came, those of this daemon were followed.
    fn terms_of(&self, fact: &Fact, at: DateTime<Utc>) -> Option<Arc<Terms>> {
        let read = match fact {
            Fact::Schedule { terms, .. } => Terms::parse(self.name, terms.as_ref()?, at),
            Fact::ReviewSchedule { terms, .. } => Terms::of_review(self.name, terms.as_ref()?, at),
            _ => None,
        };
        Some(read.map_or_else(|| Arc::clone(&self.terms), Arc::new))
    }
}

impl Daemon {
    /// The terms of a job or review since its cursor, the earliest first; the last are those that are in force.
    pub(super) async fn segments(
        &self,
        scheduled: &Scheduled<'_>,
        from: &Cursor,
        now: DateTime<Utc>,
    ) -> Result<Vec<Segment>, StoreError> {
        let Scheduled { kind, name, terms: in_force, since } = scheduled;
        let last = Segment { since: since.unwrap_or(BEFORE_ALL), terms: Some(Arc::clone(in_force)) };
        if last.since <= from.at {
            return Ok(vec![last]);
        }
        let mut most = FEW_ENTRIES;
        let entries = loop {
            let entries = self.store.newest(kind, name, most).await?;
            let reaches_back = entries.last().is_none_or(|oldest| oldest.at <= from.at);
            if reaches_back || entries.len() < most as usize || most >= MOST_ENTRIES {
                break entries;
            }
            most *= 4;
        };
        let mut segments: Vec<Segment> = Vec::with_capacity(entries.len() + 1);
        for entry in entries.into_iter().rev() {
            // A clock that was ahead does not keep a schedule from being followed, and one that was set back does not put
            // it in force before the one that it replaces.
            let at = if entry.at > now + TOLERANCE { from.at } else { entry.at };
            let since = segments.last().map_or(at, |before| before.since.max(at));
            segments.push(Segment { since, terms: scheduled.terms_of(&entry.fact, entry.at) });
        }
        match segments.last_mut() {
            Some(newest) => newest.terms = Some(Arc::clone(in_force)),
            None => segments.push(last),
        }
        // What was decided before the ledger's first entry was decided by the cursor's schedule.
        if segments.first().is_some_and(|first| from.at < first.since)
            && let Some(schedule) = Schedule::of_text(&from.schedule, from.at)
        {
            let workspaces = segments.iter().find_map(|segment| segment.terms.as_ref());
            let workspaces = workspaces.map(|terms| terms.workspaces.clone()).unwrap_or_default();
            let terms = Terms::new(name, workspaces, schedule, Missed::Latest);
            segments.insert(0, Segment { since: BEFORE_ALL, terms: Some(Arc::new(terms)) });
        }
        Ok(segments)
    }
}

/// Decides about the fire times of all segments since a cursor; `None` if nothing changes. `missed` is the policy that is in
/// force: it says what happens now, whichever schedule promised it.
pub(super) fn decide(segments: &[Segment], missed: Missed, from: &Cursor, now: DateTime<Utc>) -> Option<Decisions> {
    let (mut parts, mut at, mut schedule) = (Vec::new(), from.at, from.schedule.clone());
    let mut is_complete = true;
    for (number, segment) in segments.iter().enumerate() {
        let until = segments.get(number + 1).map_or(now, |next| next.since.min(now));
        if until <= at {
            continue;
        }
        let Some(terms) = &segment.terms else {
            at = until;
            continue;
        };
        let plan = terms.plan(&terms.schedule, missed, at, until);
        at = plan.cursor;
        schedule = terms.schedule.text();
        let mut part = Part { terms: Arc::clone(terms), plan };
        if missed == Missed::Skip {
            pass_over(&mut part, |time, _| now - time >= GRACE);
        }
        if part.plan.skipped.is_some() || !part.plan.due.is_empty() {
            parts.push(part);
        }
        if at < until {
            // There are too many at once; the next look goes on from here.
            is_complete = false;
            break;
        }
    }
    if let Some(last) = segments.last().filter(|last| is_complete && last.since <= at) {
        schedule = last.terms.as_ref().map_or(schedule, |terms| terms.schedule.text());
    }
    if missed == Missed::Latest {
        keep_the_latest(&mut parts, is_complete);
    }
    // Checking every second must not write every second.
    let has_crossed = segments.last().is_some_and(|last| from.at < last.since && last.since <= at);
    let is_anything = !parts.is_empty() || has_crossed || schedule != from.schedule;
    is_anything.then_some(Decisions { parts, to: Cursor { schedule, at } })
}

/// Of several segments, a workspace runs for its latest fire time only.
fn keep_the_latest(parts: &mut [Part], is_complete: bool) {
    let mut later: BTreeSet<String> = BTreeSet::new();
    for (number, part) in parts.iter_mut().rev().enumerate() {
        let workspaces = part.terms.workspaces.clone();
        let of = |number: &usize| workspaces.get(*number);
        // A fire time of which a workspace has no later one stays due for all of them: a gap is one of the whole job.
        pass_over(part, |_, numbers| numbers.iter().filter_map(of).all(|name| later.contains(name)));
        if number == 0 && !is_complete {
            later.extend(workspaces);
        } else {
            later.extend(part.plan.due.iter().flat_map(|(_, numbers)| numbers).filter_map(of).cloned());
        }
    }
}

/// Skips due fire times of a plan.
fn pass_over(part: &mut Part, is_passed_over: impl Fn(DateTime<Utc>, &[usize]) -> bool) {
    let Part { terms, plan: SpreadPlan { due, skipped, .. } } = part;
    let is_spread = !terms.schedule.splay().is_zero();
    due.retain(|(time, numbers)| {
        let is_passed_over = is_passed_over(*time, numbers);
        if is_passed_over {
            // Spread fire times are counted by workspace, others once for all workspaces.
            let count = if is_spread { numbers.len() as u64 } else { 1 };
            let gap = skipped.get_or_insert(Skipped { first: *time, last: *time, count: 0 });
            (gap.first, gap.last, gap.count) = (gap.first.min(*time), gap.last.max(*time), gap.count + count);
        }
        !is_passed_over
    });
}
