//! The times at which reviews were due, and the state of each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{
    Coverage, Question, Review, Row, State, moment,
    past::{Key, Made, Past, Since},
};
use crate::{
    ledger::{fact::NoMailReason, timeline::TOLERANCE},
    schedule::{Place, Schedule},
    words::{count, form},
};

/// Addresses that are not the vendor's and are named.
const MOST_ADDRESSES: usize = 5;
/// The most scheduled times of one job that are computed for a period: one a minute for a year.
const MOST: usize = 530_000;
/// A review that was started on demand, or by another scheduler than the daemon, up to this long after a scheduled time
/// is on time; a later one caught up on it.
const PUNCTUAL: Duration = Duration::minutes(15);

/// A scheduled time, and the next one of its job and workspace.
#[derive(Clone, Copy)]
struct Due {
    fire_at: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
}

/// The state of a scheduled time.
struct Outcome {
    state: State,
    reason: String,
    run: Option<Uuid>,
    review: Option<Review>,
}

/// Derives the state of every scheduled time of a period.
pub(super) fn answer(past: &Past<'_>, question: &Question<'_>) -> Coverage {
    let mut remarks = remarks(past, question);
    let wanted = |job: Option<&str>| question.job.is_none() || question.job == job;
    let mut due = BTreeMap::new();
    for (job, schedules) in past.schedules.iter().filter(|(job, _)| wanted(Some(job))) {
        promised(job, schedules, question, &mut due, &mut remarks);
    }
    let period = question.from..question.to;
    // Runs without a schedule in the ledger: an older rolecall did not record schedules.
    for (job, workspace, fire_at) in past.runs.keys() {
        if period.contains(fire_at) && wanted(Some(job)) {
            due.entry((*job, *workspace, *fire_at)).or_insert(Tz::UTC);
        }
    }
    let keys: Vec<(&Key<'_>, &Tz)> = due.iter().collect();
    let mut rows: Vec<Row> = Vec::with_capacity(keys.len());
    for (at, (key, zone)) in keys.iter().enumerate() {
        let next = keys.get(at + 1).filter(|(next, _)| (next.0, next.1) == (key.0, key.1)).map(|(next, _)| next.2);
        rows.push(row(past, key, **zone, next, question));
    }
    // One that covers a scheduled time is there already.
    let named: BTreeSet<Option<Uuid>> = rows.iter().map(|row| row.run).collect();
    let by_hand = past.all_by_hand().map(|made| unplanned(past, made, question));
    rows.extend(
        by_hand.filter(|row| period.contains(&row.fire_at) && wanted(row.job.as_deref()) && !named.contains(&row.run)),
    );
    rows.sort_by(|a, b| (&a.job, &a.workspace, a.fire_at).cmp(&(&b.job, &b.workspace, b.fire_at)));
    remarks.extend(sources(&rows, question));
    let reviews = past.by_people.rows(&past.removed, question);
    Coverage { rows, reviews, remarks }
}

/// How many reviews were not read from the vendor, and from where.
fn sources(rows: &[Row], question: &Question<'_>) -> Option<String> {
    let reviews = || rows.iter().filter_map(|row| row.review.as_ref());
    let addresses = reviews().filter_map(|review| question.foreign.get(&review.bag.as_ref()?.folder));
    let addresses: Vec<&str> = addresses.map(String::as_str).collect();
    let distinct: BTreeSet<&str> = addresses.iter().copied().collect();
    let shown: Vec<&str> = distinct.iter().copied().take(MOST_ADDRESSES).collect();
    (!addresses.is_empty()).then(|| {
        let reviews = reviews().count();
        let which = match (addresses.len() == reviews, reviews) {
            (true, 1) => "The only review was not read".to_owned(),
            (true, _) => format!("None of the {reviews} reviews was read"),
            (false, _) => {
                format!("{} of {reviews} reviews {} not read", addresses.len(), form(addresses.len(), "was", "were"))
            }
        };
        format!(
            "{which} from the vendor's own host, but from {}{}: a gateway of the company, a simulation, or a forgery.",
            shown.join(", "),
            if distinct.len() > shown.len() { " and others" } else { "" },
        )
    })
}

/// The limits of the coverage.
fn remarks(past: &Past<'_>, question: &Question<'_>) -> Vec<String> {
    let mut remarks = Vec::new();
    match past.begun {
        None => remarks.push("The ledger is empty: nothing is known about this period.".to_owned()),
        Some(begun) if begun > question.from => {
            remarks.push(format!("The ledger begins {}; nothing is known about the time before.", moment(begun)));
        }
        Some(_) => {}
    }
    if question.now < question.to {
        remarks.push(format!(
            "The period is not over: reviews that were due up to {} are included.",
            moment(question.now)
        ));
    }
    remarks
        .extend(past.set_back.iter().map(|set_back| format!("{set_back}. They count as written at that later time.")));
    remarks.extend(
        past.ahead.iter().map(|ahead| format!("{ahead}. They count as written at the time of the entry before.")),
    );
    if question.bags.is_none() {
        remarks.push("The bags were not checked.".to_owned());
    }
    remarks.push(past.proven.remark());
    remarks
}

/// The scheduled times of a job, by the schedules that were in force.
fn promised<'a>(
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
            .and_then(|zone| Schedule::parse(&terms.pattern, zone, *since).map_err(|error| error.to_string()))
            .map(|schedule| schedule.spread_over(Duration::minutes(terms.splay_minutes.unwrap_or(0).into())));
        let schedule = match schedule {
            Ok(schedule) => schedule,
            Err(error) => {
                remarks.push(format!("The schedule “{}” of {job} cannot be read: {error}", terms.pattern));
                continue;
            }
        };
        // A schedule takes effect after the time at which it was published.
        let after = (*since).max(question.from - Duration::nanoseconds(1));
        let is_in = |time: DateTime<Utc>| after < time && time <= until && time < question.to;
        let places: Vec<(&str, Place)> =
            terms.workspaces.iter().map(|name| (name.as_str(), Place::of(job, name))).collect();
        let windows =
            schedule.windows(after).take_while(|window| window.begins <= until && window.begins < question.to);
        let mut found = 0;
        for window in windows.take(MOST) {
            found += 1;
            for (workspace, place) in &places {
                let time = window.at(*place);
                if is_in(time) {
                    due.insert((job, workspace, time), schedule.zone());
                }
            }
        }
        if found == MOST {
            remarks.push(format!(
                "{job} is due too often for this period: only its first {MOST} scheduled times are included."
            ));
        }
    }
}

fn row(
    past: &Past<'_>,
    (job, workspace, fire_at): &Key<'_>,
    zone: Tz,
    next: Option<DateTime<Utc>>,
    question: &Question<'_>,
) -> Row {
    let due = Due { fire_at: *fire_at, next };
    let run = past.runs.get(&(*job, *workspace, *fire_at)).copied();
    let outcome = match run.and_then(|run| past.made(run)) {
        Some(made) => {
            let review = past.review(made);
            let (state, reason) = judged(past, &review, due, question);
            Outcome { state, reason, run, review: Some(review) }
        }
        None => not_made(past, job, workspace, due, run, question),
    };
    let failures = past.failures(run);
    let notes = [attempts(&outcome, past.failed_attempts(run)), foreign(outcome.review.as_ref(), question)];
    Row {
        job: Some((*job).to_owned()),
        workspace: (*workspace).to_owned(),
        fire_at: *fire_at,
        zone,
        state: outcome.state,
        reason: joined(outcome.reason, notes),
        run: outcome.run,
        failures,
        review: outcome.review,
    }
}

/// A reason with notes after it.
fn joined(reason: String, notes: [Option<String>; 2]) -> String {
    let parts = std::iter::once(reason).chain(notes.into_iter().flatten()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("; ")
}

/// The attempts of a run that failed before a review was made.
fn attempts(outcome: &Outcome, failed: usize) -> Option<String> {
    // Without a review the reason says what happened; only further attempts are news.
    let more = if outcome.review.is_some() { failed } else { failed.saturating_sub(1) };
    let earlier = if outcome.review.is_some() { "failed attempt" } else { "earlier failed attempt" };
    (more > 0).then(|| format!("after {}", count(more, earlier)))
}

/// The address that a review was read from, if it is not one of the vendor's.
fn foreign(review: Option<&Review>, question: &Question<'_>) -> Option<String> {
    let address = question.foreign.get(&review?.bag.as_ref()?.folder)?;
    Some(format!("read from {address}, which is not a host of the vendor"))
}

/// A scheduled time whose run made no review. A review on demand may have caught up on it before the next one.
fn not_made(
    past: &Past<'_>,
    job: &str,
    workspace: &str,
    due: Due,
    run: Option<Uuid>,
    question: &Question<'_>,
) -> Outcome {
    let failed = run.and_then(|run| past.failed.get(&run));
    let skipped = past.skipped(job, due.fire_at);
    let why = match (failed, skipped, run) {
        (Some(error), ..) => format!("the run failed: {error}"),
        (None, Some(skipped), _) => format!("skipped: {}", skipped.reason),
        (None, None, Some(_)) => "the run did not finish".to_owned(),
        (None, None, None) => "no record of a run".to_owned(),
    };
    let until = due.next.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let in_turn = |made: &Made<'_>| (due.fire_at..until).contains(&made.at);
    // The best one covers it.
    let answers = past.by_hand(job, workspace).filter(in_turn).map(|made| {
        let review = past.review(made);
        let (state, more) = judged(past, &review, due, question);
        (state, more, made, review)
    });
    if let Some((state, more, made, review)) = answers.min_by_key(|(state, ..)| *state) {
        let is_extra = run.is_some() || skipped.is_some();
        let is_punctual = !is_extra && made.at - due.fire_at <= PUNCTUAL;
        let state = if state == State::OnTime && !is_punctual { State::MadeUp } else { state };
        let because = if is_extra { format!("{why}; ") } else { String::new() };
        let more = if more.is_empty() { more } else { format!("; {more}") };
        let reason = format!("{because}made on demand {}{more}", moment(made.entry.at));
        return Outcome { state, reason, run: Some(made.recorded.run), review: Some(review) };
    }
    let is_young = failed.is_none() && skipped.is_none() && question.now - due.fire_at <= question.late_after;
    if is_young {
        let reason = "due now and not made yet".to_owned();
        return Outcome { state: State::Pending, reason, run, review: None };
    }
    Outcome { state: State::Missing, reason: why, run, review: None }
}

/// A review that was made: whether it covers its scheduled time, and remarks.
fn judged(past: &Past<'_>, review: &Review, due: Due, question: &Question<'_>) -> (State, String) {
    if !review.complete {
        return (State::Incomplete, "not everything could be read, or a check failed".to_owned());
    }
    let Some(bag) = &review.bag else { return (State::Unproven, "no evidence was kept".to_owned()) };
    let is_removed = past.removed.contains(bag.folder.as_str());
    if let Some(bags) = question.bags.filter(|_| !is_removed) {
        match bags.get(&bag.folder) {
            None => return (State::Unproven, format!("its bag {} is missing", bag.folder)),
            Some(sha256) if *sha256 != bag.sha256 => {
                return (State::Unproven, format!("its bag {} was replaced by another", bag.folder));
            }
            Some(_) => {}
        }
    }
    if let Some(undelivered) = undelivered(review, due, question) {
        return undelivered;
    }
    let (known_at, done) = match review.delivered_at() {
        Some(delivered_at) if delivered_at > review.known_at => (delivered_at, "delivered"),
        _ => (review.known_at, "recorded"),
    };
    let mut notes = Vec::new();
    let late = known_at - due.fire_at;
    let is_late = late > question.late_after || due.next.is_some_and(|next| known_at > next);
    if is_late {
        notes.push(format!("{done} {} after it was due", length(late)));
    }
    if review.recorded_at < review.known_at - TOLERANCE {
        notes.push(set_back(review));
    }
    match review.no_mail_reason {
        Some(NoMailReason::NoRecipients) => notes.push("the configuration names no recipients".to_owned()),
        Some(NoMailReason::NothingToTell) => notes.push("not mailed: the job's `when` did not apply".to_owned()),
        Some(NoMailReason::NotAsked) | None => {}
    }
    if is_removed {
        notes.push("its bag was removed after the retention period".to_owned());
    }
    (if is_late { State::Late } else { State::OnTime }, notes.join("; "))
}

/// Who does not have the report; `None` if everybody has it.
fn undelivered(review: &Review, due: Due, question: &Question<'_>) -> Option<(State, String)> {
    if review.no_mail_reason == Some(NoMailReason::NotAsked) {
        return Some((State::Undelivered, "not mailed: it was started without --send".to_owned()));
    }
    if review.mail_is_unknown {
        let reason = "not mailed, and the ledger does not record why";
        return Some((State::Undelivered, reason.to_owned()));
    }
    let waiting = review.waiting.iter().map(|message| format!("the recipient of {message} (not accepted yet)"));
    let refused = review.undelivered.iter().map(|(to, why)| format!("{to} ({why})"));
    let who: Vec<String> = refused.chain(waiting).collect();
    if who.is_empty() {
        return None;
    }
    let is_young = review.undelivered.is_empty() && question.now - due.fire_at <= question.late_after;
    let state = if is_young { State::Pending } else { State::Undelivered };
    Some((state, format!("not delivered to {}", who.join(", "))))
}

/// A review that was not scheduled.
fn unplanned(past: &Past<'_>, made: Made<'_>, question: &Question<'_>) -> Row {
    let recorded = made.recorded;
    let review = past.review(made);
    let mut reason = "on demand; not scheduled".to_owned();
    if review.recorded_at < review.known_at - TOLERANCE {
        reason = format!("{reason}; {}", set_back(&review));
    }
    let job = recorded.job.as_deref();
    // The zone that its job was in last, if any.
    let terms = job.and_then(|job| past.schedules.get(job)?.iter().rev().find_map(|(_, terms)| *terms));
    Row {
        job: recorded.job.clone(),
        workspace: recorded.workspace.clone(),
        fire_at: recorded.fire_at.unwrap_or(recorded.read_from),
        zone: terms.and_then(|terms| terms.time_zone.parse().ok()).unwrap_or(Tz::UTC),
        state: State::ByHand,
        reason: joined(reason, [None, foreign(Some(&review), question)]),
        run: Some(recorded.run),
        failures: past.failures(Some(recorded.run)),
        review: Some(review),
    }
}

fn set_back(review: &Review) -> String {
    format!("the clock had been set back: the ledger already had an entry of {}", moment(review.known_at))
}

fn length(time: Duration) -> String {
    match (time.num_days(), time.num_hours(), time.num_minutes()) {
        (days, ..) if days >= 2 => format!("{days} days"),
        (_, hours, _) if hours >= 2 => format!("{hours} hours"),
        (.., minutes) if minutes >= 2 => format!("{minutes} minutes"),
        _ => format!("{} seconds", time.num_seconds()),
    }
}
