//! Reviews by people beside the audits: every scheduled time of one, and the review that answers it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{Question, State, moment};
use crate::{
    ledger::{
        Fact,
        fact::{BagName, ReviewTerms},
    },
    report::{
        csv::{builder, quoted},
        guarded,
    },
    review::{
        event::{Event, Opening},
        item::ItemId,
    },
    schedule::Schedule,
    words::count,
};

/// The most scheduled times of one review that are computed for a period.
const MOST: usize = 10_000;

/// One scheduled time of a review by people, or a review on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRow {
    /// Its name in the configuration.
    pub name: String,
    /// The job whose audits it is about.
    pub job: String,
    /// The scheduled time; of a review on demand, when it was opened.
    pub fire_at: DateTime<Utc>,
    /// The time zone of the schedule.
    pub zone: Tz,
    /// Its state: in time means closed by its due time.
    pub state: State,
    /// Why it is not in time, and other remarks.
    pub reason: String,
    /// The review; `None` if none was opened.
    pub course: Option<Course>,
}

/// What the ledger says of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Its id.
    pub id: Uuid,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When every decision was due.
    pub due: DateTime<Utc>,
    /// When it was closed; `None` if it is not.
    pub closed_at: Option<DateTime<Utc>>,
    /// How many accounts.
    pub items: u32,
    /// How many are not decided.
    pub undecided: u32,
    /// How many decisions to change or remove no audit has proven.
    pub unproven: u32,
    /// Its evidence; `None` if it is not sealed.
    pub bag: Option<BagName>,
}

/// A schedule and since when it is in force; `None` for no schedule.
type Since<'a> = (DateTime<Utc>, Option<&'a ReviewTerms>);

/// A review while the ledger is read.
struct Told<'a> {
    opened_at: DateTime<Utc>,
    opening: &'a Opening,
    /// The decided items, and whether something has to be done.
    decided: BTreeMap<ItemId, bool>,
    proven: BTreeSet<ItemId>,
    closed_at: Option<DateTime<Utc>>,
    cancelled: Option<&'a str>,
    bag: Option<&'a BagName>,
}

/// What the ledger says about reviews by people.
#[derive(Default)]
pub(super) struct ByPeople<'a> {
    schedules: BTreeMap<&'a str, Vec<Since<'a>>>,
    reviews: BTreeMap<Uuid, Told<'a>>,
    not_opened: BTreeMap<(&'a str, DateTime<Utc>), &'a str>,
    skipped: Vec<(&'a str, DateTime<Utc>, DateTime<Utc>, &'a str)>,
}

impl<'a> ByPeople<'a> {
    /// Takes in a fact. Others than those about reviews by people say nothing here.
    pub(super) fn learn(&mut self, fact: &'a Fact, at: DateTime<Utc>) {
        match fact {
            Fact::ReviewSchedule { name, terms } => self.schedules.entry(name).or_default().push((at, terms.as_ref())),
            Fact::ReviewNotOpened { name, fire_at, reason } => {
                self.not_opened.insert((name, *fire_at), reason);
            }
            Fact::ReviewSkipped { name, first, last, reason, .. } => self.skipped.push((name, *first, *last, reason)),
            Fact::ReviewSealed(sealed) => {
                if let Some(told) = self.reviews.get_mut(&sealed.review) {
                    told.bag = Some(&sealed.bag);
                }
            }
            Fact::Review(event) => self.happens(event.review, &event.event, at),
            _ => {}
        }
    }

    fn happens(&mut self, review: Uuid, event: &'a Event, at: DateTime<Utc>) {
        if let Event::Opened(opening) = event {
            let told = Told {
                opened_at: at,
                opening,
                decided: BTreeMap::new(),
                proven: BTreeSet::new(),
                closed_at: None,
                cancelled: None,
                bag: None,
            };
            self.reviews.insert(review, told);
            return;
        }
        let Some(told) = self.reviews.get_mut(&review) else { return };
        match event {
            Event::Decided(decided) => {
                for seen in &decided.items {
                    told.decided.insert(seen.item, decided.decision.is_work());
                    told.proven.remove(&seen.item);
                }
            }
            Event::Proven(proven) => {
                told.proven.insert(proven.item);
            }
            Event::Closed(_) => told.closed_at = Some(at),
            Event::Cancelled { reason, .. } => told.cancelled = Some(reason),
            _ => {}
        }
    }

    /// The rows of a period, by name and time.
    pub(super) fn rows(&self, removed: &BTreeSet<&str>, question: &Question<'_>) -> Vec<ReviewRow> {
        let mut rows = Vec::new();
        let mut answering = BTreeSet::new();
        let wanted = |job: &str| question.job.is_none_or(|wanted| wanted == job);
        for (name, schedules) in &self.schedules {
            let due = scheduled(schedules, question);
            for (at, (fire_at, terms, zone)) in due.iter().enumerate().filter(|(_, (_, terms, _))| wanted(&terms.job)) {
                let next = due.get(at + 1).map_or(DateTime::<Utc>::MAX_UTC, |(next, ..)| *next);
                let own = self
                    .reviews
                    .iter()
                    .find(|(_, told)| told.opening.name == *name && told.opening.fire_at == Some(*fire_at));
                let instead = || {
                    self.reviews.iter().find(|(_, told)| {
                        told.opening.name == *name
                            && told.opening.fire_at.is_none()
                            && (*fire_at..next).contains(&told.opened_at)
                    })
                };
                let found = own.or_else(instead);
                let (state, reason) = match found {
                    Some((id, told)) => {
                        answering.insert(*id);
                        told.state(*fire_at, removed, question)
                    }
                    None => self.not_made(name, *fire_at, question),
                };
                let is_instead = own.is_none() && state == State::OnTime;
                rows.push(ReviewRow {
                    name: (*name).to_owned(),
                    job: terms.job.clone(),
                    fire_at: *fire_at,
                    zone: *zone,
                    state: if is_instead { State::MadeUp } else { state },
                    reason,
                    course: found.map(|(id, told)| told.course(*id)),
                });
            }
        }
        let period = question.from..question.to;
        let others = self.reviews.iter().filter(|(id, told)| {
            !answering.contains(id) && period.contains(&told.opened_at) && wanted(&told.opening.job)
        });
        for (id, told) in others {
            let (state, reason) = told.state(told.opened_at, removed, question);
            let is_extra = state == State::OnTime || told.cancelled.is_some();
            rows.push(ReviewRow {
                name: told.opening.name.clone(),
                job: told.opening.job.clone(),
                fire_at: told.opened_at,
                zone: Tz::UTC,
                state: if is_extra { State::ByHand } else { state },
                reason: if reason.is_empty() {
                    "opened on demand".to_owned()
                } else {
                    format!("opened on demand; {reason}")
                },
                course: Some(told.course(*id)),
            });
        }
        rows.sort_by(|a, b| (&a.name, a.fire_at).cmp(&(&b.name, b.fire_at)));
        rows
    }

    /// A scheduled time without a review.
    fn not_made(&self, name: &str, fire_at: DateTime<Utc>, question: &Question<'_>) -> (State, String) {
        let skipped =
            self.skipped.iter().find(|(of, first, last, _)| *of == name && (*first..=*last).contains(&fire_at));
        let tried = self.not_opened.get(&(name, fire_at)).map(|reason| format!("not opened: {reason}"));
        let reason = tried.or_else(|| skipped.map(|(.., reason)| format!("skipped: {reason}")));
        if skipped.is_none() && question.now - fire_at <= question.late_after {
            return (State::Pending, reason.unwrap_or_else(|| "due now and not opened yet".to_owned()));
        }
        (State::Missing, reason.unwrap_or_else(|| "no record of a review".to_owned()))
    }
}

impl Told<'_> {
    fn course(&self, id: Uuid) -> Course {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let unproven = self.decided.iter().filter(|(item, is_work)| **is_work && !self.proven.contains(item)).count();
        Course {
            id,
            opened_at: self.opened_at,
            due: self.opening.due,
            closed_at: self.closed_at,
            items: self.opening.items,
            undecided: self.opening.items.saturating_sub(number(self.decided.len())),
            unproven: if self.cancelled.is_some() { 0 } else { number(unproven) },
            bag: self.bag.cloned(),
        }
    }

    /// Whether it was opened and closed in time, and remarks.
    fn state(&self, fire_at: DateTime<Utc>, removed: &BTreeSet<&str>, question: &Question<'_>) -> (State, String) {
        if let Some(reason) = self.cancelled {
            return (State::Missing, format!("cancelled: {reason}"));
        }
        let (due, course) = (self.opening.due, self.course(Uuid::nil()));
        let Some(closed_at) = self.closed_at else {
            let open = format!("{} of {} not decided", course.undecided, count(course.items, "account"));
            return if question.now <= due {
                (State::Pending, format!("under way, due {}: {open}", moment(due)))
            } else {
                (State::Incomplete, format!("overdue since {}: {open}", moment(due)))
            };
        };
        let Some(bag) = self.bag else { return (State::Unproven, "its evidence is not sealed".to_owned()) };
        if let Some(bags) = question.bags.filter(|_| !removed.contains(bag.folder.as_str())) {
            match bags.get(&bag.folder) {
                None => return (State::Unproven, format!("its bag {} is missing", bag.folder)),
                Some(sha256) if *sha256 != bag.sha256 => {
                    return (State::Unproven, format!("its bag {} was replaced by another", bag.folder));
                }
                Some(_) => {}
            }
        }
        let mut notes = Vec::new();
        if self.opened_at - fire_at > question.late_after {
            notes.push(format!("opened late, {}", moment(self.opened_at)));
        }
        if closed_at > due {
            notes.push(format!("closed {}, after it was due {}", moment(closed_at), moment(due)));
        }
        let state = if notes.is_empty() { State::OnTime } else { State::Late };
        if course.unproven > 0 {
            notes.push(format!("{} not proven yet", count(course.unproven, "decision")));
        }
        (state, notes.join("; "))
    }
}

/// The scheduled times in a period, with the schedule that was in force.
fn scheduled<'a>(schedules: &[Since<'a>], question: &Question<'_>) -> Vec<(DateTime<Utc>, &'a ReviewTerms, Tz)> {
    let mut all = Vec::new();
    for (at, (since, terms)) in schedules.iter().enumerate() {
        let Some(terms) = terms else { continue };
        let until = schedules.get(at + 1).map_or(question.now, |(next, _)| *next).min(question.now);
        // One that cannot be read was written by another version; then only the reviews themselves are shown.
        let Some(zone) = terms.time_zone.parse::<Tz>().ok() else { continue };
        let Ok(schedule) = Schedule::parse(&terms.pattern, zone, *since) else { continue };
        let after = (*since).max(question.from - chrono::Duration::nanoseconds(1));
        let times = schedule.times(after).take_while(|time| *time <= until && *time < question.to).take(MOST);
        all.extend(times.map(|time| (time, *terms, zone)));
    }
    all
}

const COLUMNS: [&str; 16] = [
    "review",
    "job",
    "fire_at",
    "fire_at_local",
    "time_zone",
    "state",
    "gap",
    "reason",
    "id",
    "opened_at",
    "due",
    "closed_at",
    "items",
    "undecided",
    "unproven",
    "bag",
];

/// Writes the table: RFC 4180, UTF-8, one row for each scheduled time of a review by people, and for each one on demand.
///
/// # Errors
/// If it cannot be written.
pub fn review_table(rows: &[ReviewRow], out: &mut dyn Write) -> io::Result<()> {
    let stamp = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut writer = builder().from_writer(out);
    writer.write_record(COLUMNS)?;
    for row in rows {
        let course = row.course.as_ref();
        let local = row.fire_at.with_timezone(&row.zone);
        let cells: [String; 16] = [
            row.name.clone(),
            row.job.clone(),
            stamp(row.fire_at),
            local.to_rfc3339_opts(SecondsFormat::Secs, false),
            row.zone.to_string(),
            row.state.value().to_owned(),
            row.state.is_gap().to_string(),
            row.reason.clone(),
            course.map(|course| course.id.to_string()).unwrap_or_default(),
            course.map(|course| stamp(course.opened_at)).unwrap_or_default(),
            course.map(|course| stamp(course.due)).unwrap_or_default(),
            course.and_then(|course| course.closed_at).map(stamp).unwrap_or_default(),
            course.map(|course| course.items.to_string()).unwrap_or_default(),
            course.map(|course| course.undecided.to_string()).unwrap_or_default(),
            course.map(|course| course.unproven.to_string()).unwrap_or_default(),
            course.and_then(|course| course.bag.as_ref()).map(|bag| bag.folder.clone()).unwrap_or_default(),
        ];
        writer.write_record(cells.iter().map(|cell| quoted(&guarded(cell)).into_owned()))?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::fact::{ReviewEvent, ReviewSealed},
        review::{
            event::Decision,
            state::Review,
            testing::{at, attests, closes, decides, opening, population},
        },
    };

    const DAY: i64 = 86_400;

    fn schedule(second: i64) -> (Fact, DateTime<Utc>) {
        let terms = ReviewTerms { job: "weekly".into(), pattern: "0 0 * * *".into(), time_zone: "UTC".into() };
        (Fact::ReviewSchedule { name: "quarterly".into(), terms: Some(terms) }, at(second))
    }

    /// The facts of a review that is opened for a time, and closed at another if there is one.
    fn review(
        id: u128,
        fire_at: Option<DateTime<Utc>>,
        opened: i64,
        closed: Option<i64>,
    ) -> Vec<(Fact, DateTime<Utc>)> {
        let population = population();
        let mut opening = opening(&population);
        (opening.fire_at, opening.due) = (fire_at, at(opened + 14 * DAY));
        let id = Uuid::from_u128(id);
        let mut events = vec![(Event::Opened(opening.clone()), opened)];
        let mut review = Review::opened(id, opening, population, at(opened)).unwrap();
        if let Some(closed) = closed {
            for item in 1..=6 {
                let by = if item == 3 { "ben" } else { "ana" };
                let decision = if item == 1 { Decision::Remove } else { Decision::Keep };
                let event = decides(&review, by, &[item], decision);
                review.apply(&event, at(closed)).unwrap();
                events.push((event, closed));
            }
            events.push((attests(&review, "ana", &["ana", "ben"]), closed));
            events.push((closes(false), closed));
        }
        let fact = |(event, second)| (Fact::Review(ReviewEvent { review: id, event }), at(second));
        let mut facts: Vec<_> = events.into_iter().map(fact).collect();
        if let Some(closed) = closed {
            let bag = BagName { folder: "bag".into(), sha256: "1".into() };
            facts.push((Fact::ReviewSealed(ReviewSealed { review: id, bag }), at(closed)));
        }
        facts
    }

    /// The states and reasons of what was due in the first days.
    fn covered(facts: &[(Fact, DateTime<Utc>)], days: i64, now: i64) -> Vec<(State, String)> {
        let mut by_people = ByPeople::default();
        for (fact, at) in facts {
            by_people.learn(fact, *at);
        }
        let question = Question {
            from: at(0),
            to: at(days * DAY),
            job: None,
            late_after: chrono::Duration::hours(24),
            now: at(now),
            bags: None,
            foreign: &super::super::NONE_FOREIGN,
        };
        let rows = by_people.rows(&BTreeSet::new(), &question);
        let mut table = Vec::new();
        review_table(&rows, &mut table).unwrap();
        assert_eq!(String::from_utf8(table).unwrap().lines().count(), rows.len() + 1);
        rows.into_iter().map(|row| (row.state, row.reason)).collect()
    }

    #[test]
    fn a_review_is_in_time_late_under_way_overdue_or_missing() {
        // The first midnight after the schedule was published.
        let due = "2026-09-22T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let first = (due - at(0)).num_seconds();
        let states = |closed: Option<i64>, now: i64| {
            let facts = [vec![schedule(0)], review(1, Some(due), first + 5, closed)].concat();
            covered(&facts, 1, now).remove(0)
        };
        let (state, reason) = states(Some(10 * DAY), 40 * DAY);
        assert_eq!((state, &*reason), (State::OnTime, "1 decision not proven yet"));
        assert_eq!(states(Some(20 * DAY), 40 * DAY).0, State::Late);
        let (state, reason) = states(None, 10 * DAY);
        assert!(state == State::Pending && reason.contains("6 of 6 accounts not decided"), "{reason}");
        let (state, reason) = states(None, 20 * DAY);
        assert!(state == State::Incomplete && reason.starts_with("overdue since"), "{reason}");
        assert_eq!(covered(&[schedule(0)], 1, 20 * DAY), [(State::Missing, "no record of a review".to_owned())]);
        assert_eq!(covered(&[schedule(0)], 1, first + 60)[0].0, State::Pending);
        let failed = Fact::ReviewNotOpened { name: "quarterly".into(), fire_at: due, reason: "no audit".into() };
        let found = covered(&[schedule(0), (failed, at(first + 9))], 1, 20 * DAY);
        assert_eq!(found, [(State::Missing, "not opened: no audit".to_owned())]);
    }

    #[test]
    fn a_review_on_demand_answers_a_scheduled_time_that_has_none_and_else_stands_for_itself() {
        let facts = [vec![schedule(0)], review(1, None, 40_000, Some(2 * DAY))].concat();
        let (state, reason) = covered(&facts, 1, 40 * DAY).remove(0);
        assert_eq!((state, &*reason), (State::MadeUp, "1 decision not proven yet"));
        let alone = covered(&review(1, None, 40_000, Some(2 * DAY)), 1, 40 * DAY);
        assert_eq!(alone, [(State::ByHand, "opened on demand; 1 decision not proven yet".to_owned())]);
        assert_eq!(covered(&review(1, None, 40_000, None), 1, 40 * DAY)[0].0, State::Incomplete);
    }
}
