//! Splay: the fire times of a job spread over a window, so that many workspaces are not read in the same second.
//!
//! Each workspace of a job has a place in the window that depends on their names alone: it is the same on every machine and
//! after every restart, and moves with no other workspace. A window ends at the next fire time at the latest, so that no
//! fire time of a workspace passes its next one. The spread time is the scheduled time of the workspace; no other is known
//! outside of this module.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};

use super::{
    Schedule,
    plan::{GRACE, MOST_RUNS, MOST_SKIPPED, Missed, Skipped},
};
use crate::digest::sha256;

/// Where in its windows a workspace of a job is, from the begin (0) to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

impl Place {
    /// The place of a workspace of a job. Names hold no line break.
    pub fn of(job: &str, workspace: &str) -> Self {
        let digest = sha256(format!("splay\n{job}\n{workspace}").as_bytes());
        Self(digest.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0))
    }
}

/// A fire time of a schedule, and the time over which it is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it begins: the fire time by the pattern.
    pub begins: DateTime<Utc>,
    /// In seconds; none for a schedule without splay.
    seconds: u32,
}

impl Window {
    /// The fire time of a place.
    pub fn at(&self, place: Place) -> DateTime<Utc> {
        let seconds = (u128::from(place.0) * u128::from(self.seconds)) >> 64;
        // It is less than the window.
        self.begins + Duration::seconds(i64::try_from(seconds).unwrap_or_default())
    }

    /// The last fire time of any place.
    pub fn last(&self) -> DateTime<Utc> {
        self.at(Place(u64::MAX))
    }
}

/// The workspaces of a job by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places(Vec<(Place, usize)>);

impl Places {
    /// The places of the workspaces of a job.
    pub fn new(job: &str, workspaces: &[String]) -> Self {
        let mut places: Vec<_> =
            workspaces.iter().enumerate().map(|(number, name)| (Place::of(job, name), number)).collect();
        places.sort_unstable();
        Self(places)
    }

    /// Those whose fire time in a window is after one moment and not after another, by their fire times.
    fn between(&self, window: &Window, after: DateTime<Utc>, until: DateTime<Utc>) -> &[(Place, usize)] {
        let first = self.0.partition_point(|(place, _)| window.at(*place) <= after);
        let end = self.0.partition_point(|(place, _)| window.at(*place) <= until);
        self.0.get(first..end).unwrap_or_default()
    }
}

/// What to do about the fire times of a spread job since the last plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadPlan {
    /// Fire times that become runs, oldest first, each with the numbers of its workspaces.
    pub due: Vec<(DateTime<Utc>, Vec<usize>)>,
    /// Fire times that do not; `None` if all do.
    pub skipped: Option<Skipped>,
    /// Everything up to this time is decided.
    pub cursor: DateTime<Utc>,
}

impl Schedule {
    /// The same schedule, spread over a time. Whole minutes count.
    #[must_use]
    pub fn spread_over(self, splay: Duration) -> Self {
        Self { splay: Duration::minutes(splay.num_minutes().max(0)), ..self }
    }

    /// The time that its fire times are spread over; zero if each workspace is due at the same time.
    pub fn splay(&self) -> Duration {
        self.splay
    }

    /// The windows in which a place may have a fire time after a moment, computed lazily.
    pub fn windows(&self, after: DateTime<Utc>) -> impl Iterator<Item = Window> + '_ {
        let from = after.checked_sub_signed(self.splay).unwrap_or(after);
        let mut times = self.times(from).peekable();
        std::iter::from_fn(move || {
            let begins = times.next()?;
            let length = match times.peek().filter(|_| !self.splay.is_zero()) {
                Some(next) => self.splay.min(*next - begins),
                None => self.splay,
            };
            Some(Window { begins, seconds: u32::try_from(length.num_seconds()).unwrap_or(u32::MAX) })
        })
        .skip_while(move |window| window.last() <= after)
    }

    /// The fire times of a place after a moment, computed lazily.
    pub fn times_at(&self, place: Place, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        self.windows(after).map(move |window| window.at(place)).filter(move |time| *time > after)
    }

    /// The first fire time of any of the places after a moment; `None` if there is none.
    pub fn first_of(&self, places: &Places, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let first = |window: Window| {
            let (place, _) = places.between(&window, after, window.last()).first()?;
            Some(window.at(*place))
        };
        // Of two windows that follow one another, the second has every place after the moment.
        self.windows(after).take(2).find_map(first)
    }

    /// Decides about the fire times after `cursor` up to `now`, as [`plan`](Self::plan) does, of each workspace by itself.
    pub fn plan_spread(
        &self,
        places: &Places,
        missed: Missed,
        cursor: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> SpreadPlan {
        let most = if missed == Missed::All { MOST_RUNS } else { MOST_SKIPPED };
        let mut windows: Vec<Window> =
            self.windows(cursor).take_while(|window| window.begins <= now).take(most + 2).collect();
        let goes_on = windows.len() > most + 1;
        // Two windows that have begun are left: each place has a later fire time than those that are decided.
        let left = windows.split_off(if goes_on { most } else { windows.len() });
        let until = left.first().map_or(now.max(cursor), |next| next.begins - Duration::milliseconds(1));
        let mut times: Vec<(DateTime<Utc>, usize)> = Vec::new();
        for window in &windows {
            let between = places.between(window, cursor, until.min(now));
            times.extend(between.iter().map(|(place, number)| (window.at(*place), *number)));
        }
        let mut decided = Decided::default();
        // The latest fire time of a workspace comes last.
        let mut seen = BTreeSet::new();
        for (time, number) in times.into_iter().rev() {
            let is_latest = seen.insert(number) && !goes_on;
            let is_due = match missed {
                Missed::All => true,
                Missed::Latest => is_latest,
                Missed::Skip => is_latest && now - time < GRACE,
            };
            if is_due { decided.due(time, number) } else { decided.skip(time) }
        }
        decided.due.reverse();
        SpreadPlan { due: decided.due, skipped: decided.skipped, cursor: until }
    }
}

/// Decisions, the latest first.
#[derive(Default)]
struct Decided {
    due: Vec<(DateTime<Utc>, Vec<usize>)>,
    skipped: Option<Skipped>,
}

impl Decided {
    fn due(&mut self, time: DateTime<Utc>, number: usize) {
        match self.due.last_mut().filter(|(last, _)| *last == time) {
            Some((_, numbers)) => numbers.push(number),
            None => self.due.push((time, vec![number])),
        }
    }

    fn skip(&mut self, time: DateTime<Utc>) {
        let skipped = self.skipped.get_or_insert(Skipped { first: time, last: time, count: 0 });
        (skipped.first, skipped.count) = (time, skipped.count + 1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn schedule(pattern: &str, zone: &str, minutes: i64) -> Schedule {
        let schedule = Schedule::parse(pattern, zone.parse().unwrap(), time("2026-01-01T00:00:00Z")).unwrap();
        schedule.spread_over(Duration::minutes(minutes))
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("tenant-{number:05}")).collect()
    }

    #[test]
    fn a_place_is_a_promise() {
        // A change of these numbers would move every audit of every fleet.
        assert_eq!(Place::of("nightly", "acme"), Place(PROMISED.0));
        assert_eq!(Place::of("nightly", "umbrella"), Place(PROMISED.1));
        let nightly = schedule("0 1 * * *", "Europe/Berlin", 120);
        let at = nightly.times_at(Place::of("nightly", "acme"), time("2026-11-01T12:00:00Z")).next();
        assert_eq!(at, Some(time(PROMISED.2)));
    }

    const PROMISED: (u64, u64, &str) = (4_904_180_151_579_956_080, 5_714_527_961_278_493_601, "2026-11-02T00:31:54Z");

    #[test]
    fn ten_thousand_workspaces_are_spread_evenly() {
        let nightly = schedule("0 1 * * *", "UTC", 100);
        let window = nightly.windows(time("2026-11-01T12:00:00Z")).next().unwrap();
        let mut of_minute: BTreeMap<i64, usize> = BTreeMap::new();
        for name in names(10_000) {
            let after = window.at(Place::of("nightly", &name)) - window.begins;
            *of_minute.entry(after.num_minutes()).or_default() += 1;
        }
        // 100 a minute on average, so that five times the deviation of chance is 50.
        assert_eq!(of_minute.len(), 100);
        assert!(of_minute.values().all(|count| (50..=150).contains(count)), "{of_minute:?}");
    }

    #[test]
    fn without_splay_each_place_is_at_the_fire_time() {
        let plain = schedule("0 8 * * MON", "Europe/Berlin", 0);
        let from = time("2026-03-20T00:00:00Z");
        let spread: Vec<_> = plain.times_at(Place::of("weekly", "acme"), from).take(3).collect();
        assert_eq!(spread, plain.next(from, 3));
    }

    #[test]
    fn each_workspace_of_a_late_daemon_is_caught_up_at_its_own_time() {
        let (nightly, names) = (schedule("0 1 * * *", "UTC", 60), names(200));
        let places = Places::new("nightly", &names);
        let (from, now) = (time("2026-11-01T12:00:00Z"), time("2026-11-04T01:30:00Z"));
        let plan = nightly.plan_spread(&places, Missed::Latest, from, now);
        let mut of: BTreeMap<usize, DateTime<Utc>> = BTreeMap::new();
        for (time, numbers) in &plan.due {
            of.extend(numbers.iter().map(|number| (*number, *time)));
        }
        assert_eq!(of.len(), 200);
        for (number, name) in names.iter().enumerate() {
            let all: Vec<_> =
                nightly.times_at(Place::of("nightly", name), from).take_while(|time| *time <= now).collect();
            assert_eq!(Some(&of[&number]), all.last(), "{name}");
        }
        let skipped = plan.skipped.unwrap();
        assert!((400..=600).contains(&(skipped.count + 200)), "{skipped:?}");
        assert!(plan.due.iter().all(|(time, _)| *time > skipped.last), "what is skipped lies before what is due");
        let none = nightly.plan_spread(&places, Missed::Latest, plan.cursor, now);
        assert_eq!((none.due.len(), none.skipped), (0, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever the schedule, also over changes of the clocks: each fire time of the pattern has one time of each
        /// workspace, and it lies in its window.
        #[test]
        fn no_fire_time_passes_the_next_one(
            pattern in prop::sample::select(vec!["0 8 * * MON", "30 2 * * *", "*/17 * * * *", "@hourly", "0 0 1,2 * *", "*/7 * * * * *"]),
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
            minutes in prop::sample::select(vec![1_i64, 30, 120, 1_440]),
            hours in 0_i64..8_000,
            workspace in "[a-z]{1,12}",
        ) {
            let spread = schedule(pattern, zone, minutes);
            let from = time("2026-01-01T00:00:00Z") + Duration::hours(hours);
            let place = Place::of("nightly", &workspace);
            let windows: Vec<Window> = spread.windows(from).take(30).collect();
            for pair in windows.windows(2) {
                let at = pair[0].at(place);
                prop_assert!(pair[0].begins <= at && at < pair[1].begins);
                prop_assert!(at - pair[0].begins < Duration::minutes(minutes));
            }
            let nominal: Vec<_> = spread.times(windows[0].begins - Duration::seconds(1)).take(30).collect();
            prop_assert_eq!(windows.iter().map(|window| window.begins).collect::<Vec<_>>(), nominal);
            let after: Vec<_> = spread.times_at(place, from).take(10).collect();
            prop_assert!(after.iter().all(|time| *time > from) && after.windows(2).all(|pair| pair[0] < pair[1]));
            let places = Places::new("nightly", std::slice::from_ref(&workspace));
            prop_assert_eq!(spread.first_of(&places, from), after.first().copied());
        }

        #[test]
        fn every_spread_time_is_decided_once_however_often_somebody_looks(
            looks in prop::collection::vec(1_i64..100_000, 1..12),
            missed in prop::sample::select(vec![Missed::Latest, Missed::All, Missed::Skip]),
            pattern in prop::sample::select(vec!["*/17 * * * *", "0 8 * * MON", "30 2 * * *", "@hourly"]),
            minutes in prop::sample::select(vec![0_i64, 5, 45, 300]),
        ) {
            let start = time("2026-03-20T00:00:00Z");
            let (spread, names) = (schedule(pattern, "Europe/Berlin", minutes), names(7));
            let places = Places::new("nightly", &names);
            let (mut cursor, mut now, mut due, mut skipped) = (start, start, Vec::new(), 0);
            for seconds in looks {
                now += Duration::seconds(seconds);
                while cursor < now {
                    let plan = spread.plan_spread(&places, missed, cursor, now);
                    prop_assert!(plan.cursor > cursor, "a plan gets on");
                    due.extend(plan.due.into_iter().flat_map(|(time, numbers)| numbers.into_iter().map(move |number| (time, number))));
                    skipped += plan.skipped.map_or(0, |skipped| skipped.count);
                    cursor = plan.cursor;
                }
            }
            let all: Vec<(DateTime<Utc>, usize)> = names.iter().enumerate().flat_map(|(number, name)| {
                let times = spread.times_at(Place::of("nightly", name), start).take_while(|time| *time <= now);
                times.map(|time| (time, number)).collect::<Vec<_>>()
            }).collect();
            prop_assert_eq!(due.len() as u64 + skipped, all.len() as u64);
            prop_assert!(due.iter().all(|decided| all.contains(decided)));
            due.sort_unstable();
            prop_assert!(due.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
