//! What the ledger tells of the past, arranged by what is asked of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{Coverage, Question, Review, Row, State};
use crate::{
    ledger::{
        Entry, Fact,
        fact::{Recorded, Terms},
    },
    schedule::Schedule,
};

/// The most fire times of one job that are worked out for a period: one a minute for a year.
const MOST: usize = 530_000;

type Key<'a> = (&'a str, &'a str, DateTime<Utc>);
/// Since when which schedule is in force; none where none is.
type Since<'a> = (DateTime<Utc>, Option<&'a Terms>);

/// The facts.
#[derive(Default)]
pub(super) struct Past<'a> {
    begun: Option<DateTime<Utc>>,
    /// By job: since when which schedule.
    schedules: BTreeMap<&'a str, Vec<Since<'a>>>,
    /// Runs, by job, workspace and fire time, and whether somebody asked for them by hand.
    runs: BTreeMap<Key<'a>, (Uuid, bool)>,
    recorded: BTreeMap<Uuid, (&'a Entry, &'a Recorded)>,
    failed: BTreeMap<Uuid, &'a str>,
    skipped: Vec<(&'a str, DateTime<Utc>, DateTime<Utc>, &'a str)>,
    /// By `Message-ID`: recipient, whether it was accepted, and the answer.
    deliveries: BTreeMap<&'a str, (&'a str, bool, &'a str)>,
    /// Reviews that somebody asked for, by job and workspace.
    by_hand: BTreeMap<(&'a str, &'a str), Vec<(&'a Entry, &'a Recorded)>>,
    /// Bags that were removed because of their age.
    removed: BTreeSet<&'a str>,
}

impl<'a> Past<'a> {
    pub(super) fn of(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut past = Self::default();
        for entry in entries {
            past.begun.get_or_insert(entry.at);
            match &entry.fact {
                Fact::Schedule { job, terms } => {
                    past.schedules.entry(job).or_default().push((entry.at, terms.as_ref()));
                }
                Fact::Due { job, fire_at, by_hand, runs } => {
                    for run in runs {
                        past.runs.insert((job, &run.workspace, *fire_at), (run.run, *by_hand));
                    }
                }
                Fact::Skipped { job, first, last, reason, .. } => past.skipped.push((job, *first, *last, reason)),
                Fact::Recorded(recorded) => {
                    past.recorded.insert(recorded.run, (entry, recorded));
                    let job = recorded.job.as_deref().unwrap_or_default();
                    let is_planned = recorded.fire_at.is_some_and(|fire_at| {
                        past.runs.get(&(job, recorded.workspace.as_str(), fire_at)).is_some_and(|(_, by_hand)| !by_hand)
                    });
                    if !is_planned {
                        past.by_hand.entry((job, &recorded.workspace)).or_default().push((entry, recorded));
                    }
                }
                Fact::Failed { run, error } => {
                    past.failed.insert(run.run, error);
                }
                Fact::Delivery(delivery) => {
                    let outcome = (delivery.recipient.as_str(), delivery.accepted, delivery.answer.as_str());
                    past.deliveries.insert(&delivery.message_id, outcome);
                }
                Fact::BagRemoved { bag, .. } => {
                    past.removed.insert(&bag.folder);
                }
                Fact::Begun { .. }
                | Fact::Retried { .. }
                | Fact::BagAbandoned { .. }
                | Fact::Key { .. }
                | Fact::OffboardingPlanned(_)
                | Fact::OffboardingDeclined(_)
                | Fact::OffboardingBegun(_)
                | Fact::OffboardingEnded(_) => {}
            }
        }
        past
    }

    pub(super) fn answer(&self, question: &Question<'_>) -> Coverage {
        let mut remarks = Vec::new();
        match self.begun {
            None => remarks.push("The ledger has no entry: nothing is known of this period.".to_owned()),
            Some(begun) if begun > question.from => {
                remarks.push(format!("The ledger begins {}; of the time before it nothing is known.", moment(begun)));
            }
            Some(_) => {}
        }
        if question.now < question.to {
            remarks.push(format!("The period goes on: what was due up to {} is here.", moment(question.now)));
        }
        let wanted = |job: Option<&str>| question.job.is_none() || question.job == job;
        let mut due = BTreeMap::new();
        for (job, schedules) in self.schedules.iter().filter(|(job, _)| wanted(Some(job))) {
            Self::promised(job, schedules, question, &mut due, &mut remarks);
        }
        let period = question.from..question.to;
        // What was decided and is in no schedule that the ledger knows: an older rolecall's, before there was one.
        for ((job, workspace, fire_at), (_, by_hand)) in &self.runs {
            if !by_hand && period.contains(fire_at) && wanted(Some(job)) {
                due.entry((*job, *workspace, *fire_at)).or_insert(Tz::UTC);
            }
        }
        let mut rows: Vec<Row> = Vec::with_capacity(due.len());
        let keys: Vec<(&Key<'_>, &Tz)> = due.iter().collect();
        for (at, (key, zone)) in keys.iter().enumerate() {
            let next = keys.get(at + 1).filter(|(next, _)| (next.0, next.1) == (key.0, key.1)).map(|(next, _)| next.2);
            rows.push(self.row(key, **zone, next, question));
        }
        // One that answers a fire time is there already.
        let named: BTreeSet<Option<Uuid>> = rows.iter().map(|row| row.run).collect();
        let unplanned = self.unplanned(&due, question);
        rows.extend(unplanned.into_iter().filter(|row| !named.contains(&row.run)));
        rows.sort_by(|a, b| (&a.job, &a.workspace, a.fire_at).cmp(&(&b.job, &b.workspace, b.fire_at)));
        Coverage { rows, remarks }
    }

    /// The fire times of a job by the schedules that were in force.
    fn promised(
        job: &'a str,
        schedules: &[Since<'a>],
        question: &Question<'_>,
        due: &mut BTreeMap<Key<'a>, Tz>,
        remarks: &mut Vec<String>,
    ) {
        for (at, (since, terms)) in schedules.iter().enumerate() {
            let Some(terms) = terms else { continue };
            let until = schedules.get(at + 1).map_or(question.now, |(next, _)| *next).min(question.now);
            let zone = terms.time_zone.parse::<Tz>();
            let schedule = zone
                .map_err(|error| error.to_string())
                .and_then(|zone| Schedule::parse(&terms.pattern, zone, *since).map_err(|error| error.to_string()));
            let schedule = match schedule {
                Ok(schedule) => schedule,
                Err(error) => {
                    remarks.push(format!("The schedule “{}” of {job} cannot be read: {error}", terms.pattern));
                    continue;
                }
            };
            // A fire time is after the moment from which on it was promised.
            let after = (*since).max(question.from - Duration::nanoseconds(1));
            let times = schedule.times(after).take_while(|time| *time <= until && *time < question.to);
            let mut count = 0;
            for time in times.take(MOST) {
                count += 1;
                for workspace in &terms.workspaces {
                    due.insert((job, workspace, time), schedule.zone());
                }
            }
            if count == MOST {
                remarks.push(format!(
                    "{job} is due too often for this period: only its first {MOST} fire times are here."
                ));
            }
        }
    }

    fn row(
        &self,
        (job, workspace, fire_at): &Key<'a>,
        zone: Tz,
        next: Option<DateTime<Utc>>,
        question: &Question<'_>,
    ) -> Row {
        let run = self.runs.get(&(*job, *workspace, *fire_at)).map(|(run, _)| *run);
        let review = run.and_then(|run| self.recorded.get(&run)).map(|(entry, recorded)| self.review(entry, recorded));
        let (state, reason, run, review) = match review {
            Some(review) => {
                let (state, reason) = self.judged(&review, *fire_at, next, question);
                (state, reason, run, Some(review))
            }
            None => self.not_made(job, workspace, *fire_at, run, next, question),
        };
        Row {
            job: Some((*job).to_owned()),
            workspace: (*workspace).to_owned(),
            fire_at: *fire_at,
            zone,
            state,
            reason,
            run,
            review,
        }
    }

    /// A fire time whose run came to no review.
    fn not_made(
        &self,
        job: &str,
        workspace: &str,
        fire_at: DateTime<Utc>,
        run: Option<Uuid>,
        next: Option<DateTime<Utc>>,
        question: &Question<'_>,
    ) -> (State, String, Option<Uuid>, Option<Review>) {
        let failed = run.and_then(|run| self.failed.get(&run));
        let skipped =
            self.skipped.iter().find(|(of, first, last, _)| *of == job && (*first..=*last).contains(&fire_at));
        let why = match (failed, skipped, run) {
            (Some(error), ..) => format!("the run failed: {error}"),
            (None, Some((.., reason)), _) => format!("skipped: {reason}"),
            (None, None, Some(_)) => "the run never came to an end".to_owned(),
            (None, None, None) => "nothing was recorded: no daemon ran".to_owned(),
        };
        // Somebody may have made up for it before the next was due.
        let until = next.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let by_hand = self.by_hand.get(&(job, workspace)).map_or(&[] as &[_], Vec::as_slice);
        let made_up =
            by_hand.iter().find(|(entry, recorded)| recorded.complete && (fire_at..until).contains(&entry.at));
        if let Some((entry, recorded)) = made_up {
            let review = self.review(entry, recorded);
            let (state, more) = self.judged(&review, fire_at, next, question);
            let because = if run.is_some() || skipped.is_some() { format!("{why}; ") } else { String::new() };
            let mut reason = format!("{because}made by hand {}", moment(entry.at));
            if !more.is_empty() {
                reason = format!("{reason}; {more}");
            }
            return (state, reason, Some(recorded.run), Some(review));
        }
        let is_young = failed.is_none() && skipped.is_none() && question.now - fire_at <= question.late_after;
        if is_young {
            return (State::Pending, "it was due just now, and is not yet made".to_owned(), run, None);
        }
        (State::Missing, why, run, None)
    }

    fn judged(
        &self,
        review: &Review,
        fire_at: DateTime<Utc>,
        next: Option<DateTime<Utc>>,
        question: &Question<'_>,
    ) -> (State, String) {
        if !review.complete {
            return (State::Incomplete, "not everything could be read".to_owned());
        }
        let removed = review.bag.as_ref().is_some_and(|bag| self.removed.contains(bag.folder.as_str()));
        if review.bag.is_none() {
            return (State::Unproven, "no evidence was kept".to_owned());
        }
        if !review.undelivered.is_empty() {
            let who: Vec<String> = review.undelivered.iter().map(|(to, why)| format!("{to} ({why})")).collect();
            return (State::Undelivered, format!("not delivered to {}", who.join(", ")));
        }
        let late = review.recorded_at - fire_at;
        let note = if removed { "its bag was removed when it was old enough" } else { "" };
        if late > question.late_after || next.is_some_and(|next| review.recorded_at > next) {
            let late = format!("recorded {} after it was due", length(late));
            return (State::Late, if removed { format!("{late}; {note}") } else { late });
        }
        (State::OnTime, note.to_owned())
    }

    fn review(&self, entry: &Entry, recorded: &Recorded) -> Review {
        let (mut delivered, mut undelivered) = (Vec::new(), Vec::new());
        for message in &recorded.messages {
            match self.deliveries.get(message.as_str()) {
                Some((recipient, true, _)) => delivered.push((*recipient).to_owned()),
                Some((recipient, false, answer)) => undelivered.push(((*recipient).to_owned(), (*answer).to_owned())),
                None => undelivered.push((format!("the recipient of {message}"), "not yet accepted".to_owned())),
            }
        }
        Review {
            read_from: recorded.read_from,
            recorded_at: entry.at,
            entry: entry.number,
            complete: recorded.complete,
            users: recorded.users,
            open_findings: recorded.open_findings,
            bag: recorded.bag.clone(),
            delivered,
            undelivered,
        }
    }

    /// Reviews that answer no fire time.
    fn unplanned(&self, due: &BTreeMap<Key<'a>, Tz>, question: &Question<'_>) -> Vec<Row> {
        let wanted = |job: Option<&str>| question.job.is_none() || question.job == job;
        let row = |(entry, recorded): &(&'a Entry, &'a Recorded)| {
            let fire_at = recorded.fire_at.unwrap_or(recorded.read_from);
            let job = recorded.job.as_deref();
            let is_due = job.is_some_and(|job| due.contains_key(&(job, recorded.workspace.as_str(), fire_at)));
            let is_meant = (question.from..question.to).contains(&fire_at) && wanted(job);
            (is_meant && !is_due).then(|| {
                let review = self.review(entry, recorded);
                Row {
                    job: recorded.job.clone(),
                    workspace: recorded.workspace.clone(),
                    fire_at,
                    zone: Tz::UTC,
                    state: State::ByHand,
                    reason: "asked for by hand; no fire time".to_owned(),
                    run: Some(recorded.run),
                    review: Some(review),
                }
            })
        };
        self.recorded.values().filter_map(row).collect()
    }
}

/// A moment as a sentence has it.
pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn length(time: Duration) -> String {
    match (time.num_days(), time.num_hours()) {
        (days, _) if days >= 2 => format!("{days} days"),
        (_, hours) if hours >= 2 => format!("{hours} hours"),
        _ => format!("{} minutes", time.num_minutes()),
    }
}
