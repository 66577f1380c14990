//! Pure: when a job is due. From a pattern and a time zone to fire times; from a cursor and the time to what is due and
//! what was missed.

#[cfg(test)]
mod brute_force;
mod plan;
mod spread;

use std::sync::Arc;

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Offset as _, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

use crate::ledger::fact::{ReviewTerms, Terms};

pub use self::{
    plan::{GRACE, Missed, Plan, Skipped},
    spread::{Place, Places, SpreadPlan, Window},
};

/// What stands before the minutes of the splay where a schedule is one text.
const SPLAY: &str = "splay=";

/// A schedule: a cron pattern in a time zone, and the time that its fire times are spread over.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Shared by all copies: it has a byte for each year.
    cron: Arc<Cron>,
    pattern: String,
    zone: Tz,
    splay: Duration,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.zone == other.zone && self.splay == other.splay
    }
}

/// A pattern that cannot be a schedule. The messages do not repeat the pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It has another number of fields.
    #[error("it has {0} fields instead of 5")]
    Fields(usize),
    /// One of its fields is invalid.
    #[error("{value} is not a valid {field}")]
    Field {
        /// What the field is for: minute, hour and so on.
        field: &'static str,
        /// The field as written.
        value: String,
    },
    /// It is not a valid pattern.
    #[error("it is not a valid cron pattern")]
    Pattern,
    /// No date ever matches it.
    #[error("no date ever matches it")]
    NeverFires,
}

/// The fields of a pattern, seconds left out.
const FIELDS: [&str; 5] = ["minute", "hour", "day", "month", "weekday"];

/// Names that people write and the parser does not support.
const NAMES: [(&str, &str); 22] = [
    ("JANUARY", "JAN"),
    ("FEBRUARY", "FEB"),
    ("MARCH", "MAR"),
    ("APRIL", "APR"),
    ("JUNE", "JUN"),
    ("JULY", "JUL"),
    ("AUGUST", "AUG"),
    ("SEPTEMBER", "SEP"),
    ("SEPT", "SEP"),
    ("OCTOBER", "OCT"),
    ("NOVEMBER", "NOV"),
    ("DECEMBER", "DEC"),
    ("MONDAY", "MON"),
    ("TUESDAY", "TUE"),
    ("TUES", "TUE"),
    ("WEDNESDAY", "WED"),
    ("THURSDAY", "THU"),
    ("THURS", "THU"),
    ("THUR", "THU"),
    ("FRIDAY", "FRI"),
    ("SATURDAY", "SAT"),
    ("SUNDAY", "SUN"),
];

/// The second at which the next offset from UTC begins. `None` if there is none within [`HOURS_LOOKED_AT`].
fn next_offset(after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
    let offset = |at: &DateTime<Tz>| at.offset().fix();
    let is_other = |seconds: i64| offset(&(*after + Duration::seconds(seconds))) != offset(after);
    let hour = (1..=HOURS_LOOKED_AT).find(|hour| is_other(hour * 3_600))?;
    let (mut same, mut other) = ((hour - 1) * 3_600, hour * 3_600);
    while other - same > 1 {
        let middle = i64::midpoint(same, other);
        if is_other(middle) { other = middle } else { same = middle }
    }
    // Fractions of a second are left out: offsets begin at whole seconds.
    (*after + Duration::seconds(other)).with_nanosecond(0)
}

fn cron(pattern: &str) -> Option<Cron> {
    CronParser::builder().seconds(Seconds::Optional).build().parse(pattern).ok()
}

/// The pattern with full names of months and weekdays cut to three letters.
fn with_short_names(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut word = String::new();
    // A character that no word has, so that the last word ends.
    for c in pattern.chars().chain([' ']) {
        if c.is_ascii_alphabetic() {
            word.push(c);
            continue;
        }
        let short = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word)).map(|(_, short)| *short);
        text.push_str(short.unwrap_or(&word));
        word.clear();
        text.push(c);
    }
    text.pop();
    text
}

/// Why a pattern is invalid.
fn reason(pattern: &str) -> ScheduleError {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    if pattern.trim_start().starts_with('@') {
        return ScheduleError::Pattern;
    }
    let five = match fields.len() {
        5 => &fields[..],
        6 => &fields[1..],
        other => return ScheduleError::Fields(other),
    };
    // Which field, if any alone, makes the pattern invalid.
    let alone = |place: usize| {
        let parts = (0..FIELDS.len()).map(|other| if other == place { five[place] } else { "*" });
        cron(&parts.collect::<Vec<_>>().join(" ")).is_none()
    };
    let bad = (0..FIELDS.len()).find(|place| alone(*place));
    bad.map_or(ScheduleError::Pattern, |place| ScheduleError::Field {
        field: FIELDS[place],
        value: five[place].to_owned(),
    })
}

impl Schedule {
    /// Parses a pattern of five fields, or of six with seconds first, or `@daily` and the like. Months and weekdays may be
    /// numbers or names (`MON`, `Monday`).
    ///
    /// # Errors
    /// [`ScheduleError`], also for a pattern that no date after `now` matches.
    pub fn parse(pattern: &str, zone: Tz, now: DateTime<Utc>) -> Result<Self, ScheduleError> {
        let cron = cron(&with_short_names(pattern)).ok_or_else(|| reason(&with_short_names(pattern)))?;
        let cron = Arc::new(cron);
        let schedule = Self { cron, pattern: pattern.to_owned(), zone, splay: Duration::zero() };
        if schedule.next(now, 1).is_empty() { Err(ScheduleError::NeverFires) } else { Ok(schedule) }
    }

    /// The schedule of a job as the ledger has it.
    pub fn terms(&self, workspaces: &[String], missed: Missed) -> Terms {
        Terms {
            workspaces: workspaces.to_vec(),
            pattern: self.pattern().to_owned(),
            time_zone: self.zone().to_string(),
            missed: missed.word().to_owned(),
            splay_minutes: u32::try_from(self.splay.num_minutes()).ok().filter(|minutes| *minutes > 0),
        }
    }

    /// The schedule as the ledger has it; `None` if a newer rolecall wrote it.
    pub fn of_terms(terms: &Terms, now: DateTime<Utc>) -> Option<Self> {
        let schedule = Self::parse(&terms.pattern, terms.time_zone.parse().ok()?, now).ok()?;
        Some(schedule.spread_over(Duration::minutes(terms.splay_minutes.unwrap_or(0).into())))
    }

    /// The schedule as one text, which says by which one the fire times of a job were decided.
    pub fn text(&self) -> String {
        let Self { pattern, zone, splay, .. } = self;
        match splay.num_minutes() {
            0 => format!("{pattern} {zone}"),
            minutes => format!("{pattern} {zone} {SPLAY}{minutes}"),
        }
    }

    /// The schedule of such a text; `None` if it cannot be read.
    pub fn of_text(text: &str, now: DateTime<Utc>) -> Option<Self> {
        let (rest, minutes) = match text.rsplit_once(' ') {
            Some((rest, last)) if last.starts_with(SPLAY) => (rest, last.trim_start_matches(SPLAY).parse().ok()?),
            _ => (text, 0),
        };
        let (pattern, zone) = rest.rsplit_once(' ')?;
        let schedule = Self::parse(pattern, zone.parse().ok()?, now).ok()?;
        Some(schedule.spread_over(Duration::try_minutes(minutes)?))
    }

    /// The schedule of a review by people of a job, as the ledger has it.
    pub fn review_terms(&self, job: &str) -> ReviewTerms {
        ReviewTerms { job: job.to_owned(), pattern: self.pattern().to_owned(), time_zone: self.zone().to_string() }
    }

    /// The next fire times after a moment, at most `count`.
    pub fn next(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        self.times(after).take(count).collect()
    }

    /// All fire times after a moment, computed lazily.
    pub fn times(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        let mut from = after.with_timezone(&self.zone);
        std::iter::from_fn(move || {
            from = self.following(&from)?;
            Some(from.with_timezone(&Utc))
        })
    }

    /// The first fire time after a moment. A zone that moves across the date line leaves out a whole day (Samoa, 30 December
    /// 2011); croner ends there, and the search goes on behind it.
    fn following(&self, after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
        let found = self.cron.find_next_occurrence(after, false).ok();
        found.or_else(|| {
            let behind = std::iter::successors(next_offset(after), next_offset).take(OFFSETS);
            behind.into_iter().find_map(|from| self.cron.find_next_occurrence(&from, true).ok())
        })
    }

    /// The pattern as written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The zone in which the pattern is evaluated.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first day of the next two years on which the clocks change and the schedule therefore fires more or less often
    /// than a week before and after. Schedules that fire more than a few times a day are exempt.
    pub fn surprise(&self, now: DateTime<Utc>) -> Option<Surprise> {
        let today = now.with_timezone(&self.zone).date_naive();
        today.iter_days().take(DAYS_LOOKED_AT).filter(|day| self.changes_clock(*day)).find_map(|day| {
            let (before, after) = (day.checked_sub_days(WEEK)?, day.checked_add_days(WEEK)?);
            let (otherwise, fires) = (self.fires_on(before), self.fires_on(day));
            let surprises = otherwise == self.fires_on(after) && fires != otherwise && otherwise <= FEW;
            surprises.then_some(Surprise { day, fires, otherwise })
        })
    }

    fn fires_on(&self, day: NaiveDate) -> usize {
        let (Some(start), Some(end)) = (self.start_of(day), day.succ_opt().and_then(|next| self.start_of(next))) else {
            return 0;
        };
        // One second earlier, because a fire time at midnight itself is of this day.
        let times = self.next(start - Duration::seconds(1), FEW + 3);
        times.into_iter().filter(|time| *time < end).count()
    }

    fn changes_clock(&self, day: NaiveDate) -> bool {
        let (Some(start), Some(end)) = (self.start_of(day), day.succ_opt().and_then(|next| self.start_of(next))) else {
            return false;
        };
        end - start != Duration::days(1)
    }

    /// The first moment of a day; where midnight is skipped, the moment after the gap.
    fn start_of(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let half_hours = (0..8).map(|half| day.and_time(NaiveTime::MIN) + Duration::minutes(30 * half));
        let first = half_hours.into_iter().find_map(|time| self.zone.from_local_datetime(&time).earliest());
        first.map(|time| time.with_timezone(&Utc))
    }
}

/// How far ahead clock changes are looked for.
const DAYS_LOOKED_AT: usize = 731;
/// How far the next change of the clocks is looked for, in hours.
const HOURS_LOOKED_AT: i64 = 400 * 24;
/// How many changes of the clocks may be before the gap.
const OFFSETS: usize = 4;
/// The distance to the days that a day is compared with.
const WEEK: Days = Days::new(7);
/// Schedules with more fire times a day than this get no warning about clock changes.
const FEW: usize = 6;

/// A day on which a schedule fires more or less often than usual, because the clocks change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surprise {
    /// The day, in the schedule's zone.
    pub day: NaiveDate,
    /// How often it fires on it.
    pub fires: usize,
    /// How often it fires on the days before and after.
    pub otherwise: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times on a wall clock after a local time, as `day hour:minute`.
    fn local(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
        let after: chrono::NaiveDateTime = after.parse().unwrap();
        let after = schedule.zone().from_local_datetime(&after).unwrap().with_timezone(&Utc);
        let shown = |time: DateTime<Utc>| time.with_timezone(&schedule.zone()).format("%d %H:%M").to_string();
        schedule.next(after, count).into_iter().map(shown).collect()
    }

    #[test]
    fn a_day_that_a_zone_leaves_out_is_passed_over() {
        // Samoa had no 30 December 2011.
        let daily = schedule("0 8 * * *", "Pacific/Apia");
        assert_eq!(local(&daily, "2011-12-28T09:00:00", 3), ["29 08:00", "31 08:00", "01 08:00"]);
        let midnight = schedule("0 0 * * *", "Pacific/Apia");
        assert_eq!(local(&midnight, "2011-12-28T09:00:00", 3), ["29 00:00", "31 00:00", "01 00:00"]);
        let often = schedule("*/20 * * * *", "Pacific/Apia");
        assert_eq!(local(&often, "2011-12-29T23:30:01", 3), ["29 23:40", "31 00:00", "31 00:20"]);
    }

    fn schedule(pattern: &str, zone: &str) -> Schedule {
        Schedule::parse(pattern, zone.parse().unwrap(), now()).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-03-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_weekly_review_keeps_its_local_hour_over_a_clock_change() {
        let times = schedule("0 8 * * MON", "Europe/Berlin").next("2026-03-22T00:00:00Z".parse().unwrap(), 2);
        let times: Vec<String> = times.iter().map(DateTime::to_rfc3339).collect();
        assert_eq!(times, ["2026-03-23T07:00:00+00:00", "2026-03-30T06:00:00+00:00"]);
    }

    #[test]
    fn a_clock_change_that_skips_or_repeats_a_fire_time_is_found() {
        assert_eq!(schedule("0 8 * * MON", "Europe/Berlin").surprise(now()), None);
        assert_eq!(schedule("30 2 * * *", "Europe/Berlin").surprise(now()), None);
        assert_eq!(schedule("*/10 * * * *", "Europe/Berlin").surprise(now()), None);
        let gap = schedule("15,45 2 * * *", "Europe/Berlin").surprise(now()).unwrap();
        assert_eq!((gap.day.to_string().as_str(), gap.fires, gap.otherwise), ("2026-03-29", 0, 2));
        assert_eq!(schedule("15,45 2 * * *", "Asia/Tokyo").surprise(now()), None);
    }

    #[test]
    fn a_schedule_is_read_back_from_its_text() {
        for minutes in [0, 90] {
            let schedule = schedule("0 8 * * MON", "Europe/Berlin").spread_over(Duration::minutes(minutes));
            assert_eq!(Schedule::of_text(&schedule.text(), now()), Some(schedule.clone()));
            let terms = schedule.terms(&["acme".to_owned()], Missed::Latest);
            assert_eq!(Schedule::of_terms(&terms, now()), Some(schedule));
        }
        assert_eq!(Schedule::of_text("0 8 * * MON Europe/Berlin splay=x", now()), None);
    }

    #[test]
    fn five_fields_six_fields_and_names_are_taken() {
        for pattern in ["0 8 * * 1", "30 0 8 * * MON", "@daily", "0 9 1 JAN *"] {
            assert!(!schedule(pattern, "UTC").next(now(), 1).is_empty(), "{pattern}");
        }
        for (full, short) in [
            ("0 8 * * MONDAY", "0 8 * * MON"),
            ("0 8 * * Monday-friday", "0 8 * * MON-FRI"),
            ("0 8 1 january,September *", "0 8 1 JAN,SEP *"),
        ] {
            assert_eq!(schedule(full, "UTC").next(now(), 3), schedule(short, "UTC").next(now(), 3), "{full}");
            assert_eq!(schedule(full, "UTC").pattern(), full);
        }
    }

    #[test]
    fn an_invalid_pattern_is_refused_with_the_field_that_is_wrong() {
        for (pattern, reason) in [
            ("0 0 30 2 *", "no date ever matches it"),
            ("61 * * * *", "61 is not a valid minute"),
            ("0 8 * * MOO", "MOO is not a valid weekday"),
            ("0 0 8 * MRZ *", "MRZ is not a valid month"),
            ("0 8 * *", "it has 4 fields instead of 5"),
            ("", "it has 0 fields instead of 5"),
            ("@reboot", "it is not a valid cron pattern"),
        ] {
            let error = Schedule::parse(pattern, Tz::UTC, now()).unwrap_err();
            assert_eq!(error.to_string(), reason, "{pattern}");
        }
    }
}
