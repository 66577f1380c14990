//! Pure: when a job is due. A pattern and a time zone in, fire times out; a cursor and the time in, what is due and
//! what was missed.

#[cfg(test)]
mod brute_force;
mod plan;

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

pub use self::plan::{GRACE, Missed, Plan, Skipped};

/// A schedule: a cron pattern in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    pattern: String,
    zone: Tz,
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.zone == other.zone
    }
}

/// A pattern that cannot be a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It is no cron pattern.
    #[error("no cron pattern: {0}")]
    Pattern(String),
    /// No date ever matches it.
    #[error("no date ever matches this pattern")]
    NeverFires,
}

impl Schedule {
    /// A pattern of five fields, or of six with seconds first, or `@daily` and the like.
    ///
    /// # Errors
    /// [`ScheduleError`], also for a pattern that no date after `now` matches.
    pub fn parse(pattern: &str, zone: Tz, now: DateTime<Utc>) -> Result<Self, ScheduleError> {
        let cron = CronParser::builder()
            .seconds(Seconds::Optional)
            .build()
            .parse(pattern)
            .map_err(|error| ScheduleError::Pattern(error.to_string()))?;
        let schedule = Self { cron, pattern: pattern.to_owned(), zone };
        if schedule.next(now, 1).is_empty() { Err(ScheduleError::NeverFires) } else { Ok(schedule) }
    }

    /// The next fire times after a moment, at most `count`.
    pub fn next(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        self.times(after).take(count).collect()
    }

    /// All fire times after a moment, each worked out when it is asked for.
    pub fn times(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        let mut from = after.with_timezone(&self.zone);
        std::iter::from_fn(move || {
            from = self.cron.find_next_occurrence(&from, false).ok()?;
            Some(from.with_timezone(&Utc))
        })
    }

    /// The pattern as written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The time zone.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first day of the next two years on which the clock changes and the schedule therefore fires another
    /// number of times than a week before and after. Schedules that fire more than a few times a day follow the
    /// world's clock and surprise nobody.
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
        // One moment earlier, because a fire time at midnight itself counts.
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
/// The distance to the days that a day is compared with.
const WEEK: Days = Days::new(7);
/// Fire times a day beyond which a schedule follows the world's clock.
const FEW: usize = 6;

/// A day on which a schedule fires otherwise than on its neighbours, because the clock changes.
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
    fn what_fires_otherwise_when_the_clock_changes_is_told() {
        assert_eq!(schedule("0 8 * * MON", "Europe/Berlin").surprise(now()), None);
        assert_eq!(schedule("30 2 * * *", "Europe/Berlin").surprise(now()), None);
        assert_eq!(schedule("*/10 * * * *", "Europe/Berlin").surprise(now()), None);
        let gap = schedule("15,45 2 * * *", "Europe/Berlin").surprise(now()).unwrap();
        assert_eq!((gap.day.to_string().as_str(), gap.fires, gap.otherwise), ("2026-03-29", 0, 2));
        assert_eq!(schedule("15,45 2 * * *", "Asia/Tokyo").surprise(now()), None);
    }

    #[test]
    fn five_fields_six_fields_and_names_are_taken() {
        for pattern in ["0 8 * * 1", "30 0 8 * * MON", "@daily", "0 9 1 JAN *"] {
            assert!(!schedule(pattern, "UTC").next(now(), 1).is_empty(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_never_fires_and_one_that_is_none_are_errors() {
        assert_eq!(Schedule::parse("0 0 30 2 *", Tz::UTC, now()), Err(ScheduleError::NeverFires));
        assert!(matches!(Schedule::parse("61 * * * *", Tz::UTC, now()), Err(ScheduleError::Pattern(_))));
        assert!(matches!(Schedule::parse("@reboot", Tz::UTC, now()), Err(ScheduleError::Pattern(_))));
    }
}
