//! Which fire times have passed since the last plan, and which of them become runs.

use chrono::{DateTime, Duration, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Schedule;

/// What happens to scheduled times that were missed while no daemon ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Run once, for the latest; the earlier ones are skipped.
    #[default]
    Latest,
    /// Run once for each.
    All,
    /// Skip all.
    Skip,
}

impl Missed {
    /// The policy of a word; `None` for another word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Latest, Self::All, Self::Skip].into_iter().find(|missed| missed.word() == word)
    }

    /// As in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::All => "all",
            Self::Skip => "skip",
        }
    }
}

/// With [`Missed::Skip`], a fire time that passed less than this ago is on time: a restart takes a while.
pub const GRACE: Duration = Duration::minutes(5);

/// The most fire times that one plan covers; with [`Missed::All`], the most runs it creates. The next plans cover the rest.
pub(super) const MOST_SKIPPED: usize = 2_000;
pub(super) const MOST_RUNS: usize = 100;

/// What to do about the fire times since the last plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Fire times that become runs, oldest first.
    pub due: Vec<DateTime<Utc>>,
    /// Fire times that do not; `None` if all do.
    pub skipped: Option<Skipped>,
    /// Everything up to this time is decided.
    pub cursor: DateTime<Utc>,
}

/// Consecutive fire times that are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// The first.
    pub first: DateTime<Utc>,
    /// The last.
    pub last: DateTime<Utc>,
    /// How many, these two included.
    pub count: u64,
}

impl Schedule {
    /// Decides about the fire times after `cursor` up to `now`. Every one of them is either due or skipped, and none
    /// is decided twice: a clock that was set back (`now` before `cursor`) decides nothing until it has caught up.
    pub fn plan(&self, missed: Missed, cursor: DateTime<Utc>, now: DateTime<Utc>) -> Plan {
        let most = if missed == Missed::All { MOST_RUNS } else { MOST_SKIPPED };
        // One more, to see whether there are others.
        let mut times: Vec<_> = self.times(cursor).take_while(|time| *time <= now).take(most + 1).collect();
        let goes_on = times.len() > most;
        times.truncate(most);
        let cursor = match times.last() {
            Some(last) if goes_on => *last,
            _ => cursor.max(now),
        };
        let keep = match missed {
            Missed::All => times.len(),
            // The latest is known only if there are no others.
            Missed::Latest => usize::from(!goes_on && !times.is_empty()),
            Missed::Skip => times.iter().rev().take_while(|time| now - **time < GRACE).take(1).count(),
        };
        let due = times.split_off(times.len() - keep);
        let skipped = match (times.first(), times.last()) {
            (Some(first), Some(last)) => Some(Skipped { first: *first, last: *last, count: times.len() as u64 }),
            _ => None,
        };
        Plan { due, skipped, cursor }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn weekly() -> Schedule {
        Schedule::parse("0 8 * * MON", "Europe/Berlin".parse().unwrap(), time("2026-01-01T00:00:00Z")).unwrap()
    }

    const WEEK_1: &str = "2026-03-02T07:00:00Z";
    const WEEK_2: &str = "2026-03-09T07:00:00Z";
    const WEEK_3: &str = "2026-03-16T07:00:00Z";

    #[test]
    fn a_fire_time_that_has_just_come_is_due_and_then_no_more() {
        for missed in [Missed::Latest, Missed::All, Missed::Skip] {
            let plan = weekly().plan(missed, time("2026-03-01T00:00:00Z"), time("2026-03-02T07:00:01Z"));
            assert_eq!((plan.due.as_slice(), plan.skipped), ([time(WEEK_1)].as_slice(), None), "{missed:?}");
            let again = weekly().plan(missed, plan.cursor, time("2026-03-02T07:00:02Z"));
            assert_eq!((again.due.len(), again.skipped), (0, None), "{missed:?}");
        }
    }

    #[test]
    fn nothing_is_due_before_its_second() {
        let plan = weekly().plan(Missed::Latest, time("2026-03-01T00:00:00Z"), time("2026-03-02T06:59:59Z"));
        assert_eq!((plan.due.len(), plan.skipped, plan.cursor), (0, None, time("2026-03-02T06:59:59Z")));
    }

    #[test]
    fn after_three_weeks_of_silence_the_policy_decides() {
        let (from, now) = (time("2026-03-01T00:00:00Z"), time("2026-03-17T12:00:00Z"));
        let plan = |missed| weekly().plan(missed, from, now);
        let skipped = |first, last, count| Some(Skipped { first: time(first), last: time(last), count });
        let latest = plan(Missed::Latest);
        assert_eq!((latest.due, latest.skipped), (vec![time(WEEK_3)], skipped(WEEK_1, WEEK_2, 2)));
        let all = plan(Missed::All);
        assert_eq!((all.due, all.skipped), ([WEEK_1, WEEK_2, WEEK_3].map(time).to_vec(), None));
        let skip = plan(Missed::Skip);
        assert_eq!((skip.due, skip.skipped), (vec![], skipped(WEEK_1, WEEK_3, 3)));
    }

    #[test]
    fn a_clock_that_was_set_back_repeats_nothing() {
        let plan = weekly().plan(Missed::All, time(WEEK_3), time(WEEK_1));
        assert_eq!((plan.due.len(), plan.skipped, plan.cursor), (0, None, time(WEEK_3)));
    }

    #[test]
    fn a_restart_of_some_minutes_misses_nothing_even_where_missed_ones_are_skipped() {
        let plan = weekly().plan(Missed::Skip, time("2026-03-02T06:59:00Z"), time("2026-03-02T07:04:59Z"));
        assert_eq!(plan.due, [time(WEEK_1)]);
    }

    /// Plans repeatedly until every past fire time is decided.
    fn work_off(
        schedule: &Schedule,
        missed: Missed,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> (Vec<DateTime<Utc>>, u64) {
        let (mut due, mut skipped, mut cursor) = (Vec::new(), 0, from);
        while cursor < now {
            let plan = schedule.plan(missed, cursor, now);
            assert!(plan.cursor > cursor, "a plan gets on");
            due.extend(plan.due);
            skipped += plan.skipped.map_or(0, |skipped| skipped.count);
            cursor = plan.cursor;
        }
        (due, skipped)
    }

    #[test]
    fn a_long_past_of_a_frequent_job_is_worked_off_in_steps() {
        let schedule = Schedule::parse("* * * * *", chrono_tz::Tz::UTC, time("2026-01-01T00:00:00Z")).unwrap();
        let (from, now) = (time("2026-01-01T00:00:00Z"), time("2026-01-04T00:00:30Z"));
        let (due, skipped) = work_off(&schedule, Missed::Latest, from, now);
        assert_eq!((due, skipped), (vec![time("2026-01-04T00:00:00Z")], 3 * 1_440 - 1));
        assert_eq!(work_off(&schedule, Missed::All, from, now).0.len(), 3 * 1_440);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_fire_time_is_decided_once_however_often_somebody_looks(
            looks in prop::collection::vec(1_i64..200_000, 1..20),
            missed in prop::sample::select(vec![Missed::Latest, Missed::All, Missed::Skip]),
            pattern in prop::sample::select(vec!["*/17 * * * *", "0 8 * * MON", "30 2 * * *", "@hourly"]),
        ) {
            let start = time("2026-02-20T00:00:00Z");
            let schedule = Schedule::parse(pattern, "Europe/Berlin".parse().unwrap(), start).unwrap();
            let (mut cursor, mut now, mut due, mut skipped) = (start, start, Vec::new(), 0);
            for seconds in looks {
                now += Duration::seconds(seconds);
                let (more, passed) = work_off(&schedule, missed, cursor, now);
                due.extend(more);
                skipped += passed;
                cursor = now;
            }
            let all: Vec<_> = schedule.times(start).take_while(|time| *time <= now).collect();
            prop_assert_eq!(due.len() as u64 + skipped, all.len() as u64);
            prop_assert!(due.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(due.iter().all(|time| all.binary_search(time).is_ok()));
            if missed == Missed::All {
                prop_assert_eq!(due, all);
            }
        }
    }
}
