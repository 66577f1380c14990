//! Compares fire times with a calculation without a cron library: every minute of UTC around every clock change of many
//! zones and years, converted to the zone's time.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Offset as _, TimeZone as _, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;

use super::Schedule;

/// Zones whose clocks change at many hours, by an hour, two or half of one, at midnight, around Ramadan, or never.
const ZONES: [&str; 30] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Havana",
    "America/Los_Angeles",
    "America/Miquelon",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Auckland",
    "Pacific/Chatham",
];
const YEARS: std::ops::RangeInclusive<i32> = 2021..=2030;

/// A pattern and what it means.
struct Meaning {
    pattern: &'static str,
    /// One time of the day, which moves to the next moment if the clocks skip it; otherwise every moment that matches.
    once: Option<(u32, u32)>,
    is_day: fn(NaiveDate) -> bool,
    is_time: fn(u32, u32) -> bool,
}

const MEANINGS: [Meaning; 9] = [
    Meaning { pattern: "0 8 * * MON", once: Some((8, 0)), is_day: is_monday, is_time: never },
    Meaning { pattern: "30 2 * * *", once: Some((2, 30)), is_day: always, is_time: never },
    Meaning { pattern: "15 0 * * SUN", once: Some((0, 15)), is_day: is_sunday, is_time: never },
    Meaning { pattern: "@daily", once: Some((0, 0)), is_day: always, is_time: never },
    Meaning { pattern: "59 1 * * *", once: Some((1, 59)), is_day: always, is_time: never },
    Meaning { pattern: "0 3 28-31 * *", once: Some((3, 0)), is_day: |day| day.day() >= 28, is_time: never },
    Meaning { pattern: "*/15 * * * *", once: None, is_day: always, is_time: |_, minute| minute.is_multiple_of(15) },
    Meaning { pattern: "@hourly", once: None, is_day: always, is_time: |_, minute| minute == 0 },
    Meaning {
        pattern: "5 */2 * * *",
        once: None,
        is_day: always,
        is_time: |hour, minute| hour.is_multiple_of(2) && minute == 5,
    },
];

fn always(_: NaiveDate) -> bool {
    true
}

fn never(_: u32, _: u32) -> bool {
    false
}

fn is_monday(day: NaiveDate) -> bool {
    day.weekday() == Weekday::Mon
}

fn is_sunday(day: NaiveDate) -> bool {
    day.weekday() == Weekday::Sun
}

/// The hours in which a zone's clock changes.
fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let offset = |time: DateTime<Utc>| zone.offset_from_utc_datetime(&time.naive_utc()).fix();
    let mut time = Utc.with_ymd_and_hms(*YEARS.start(), 1, 1, 0, 0, 0).unwrap();
    let mut changes = Vec::new();
    while time.year() <= *YEARS.end() {
        // A day without a change, or its hours.
        if offset(time) == offset(time + Duration::days(1)) {
            time += Duration::days(1);
            continue;
        }
        let hours = (0..24).map(|hour| time + Duration::hours(hour));
        changes.extend(hours.filter(|hour| offset(*hour) != offset(*hour + Duration::hours(1))));
        time += Duration::days(1);
    }
    changes
}

/// What a pattern means for these minutes, the first and last day left out.
fn by_the_clock(meaning: &Meaning, zone: Tz, minutes: &[DateTime<Utc>]) -> BTreeSet<DateTime<Utc>> {
    let local = |time: &DateTime<Utc>| time.with_timezone(&zone).naive_local();
    let Some((hour, minute)) = meaning.once else {
        let fits = |time: &&DateTime<Utc>| {
            let local = local(time);
            (meaning.is_day)(local.date()) && (meaning.is_time)(local.hour(), local.minute())
        };
        return minutes.iter().filter(fits).copied().collect();
    };
    let days: BTreeSet<NaiveDate> = minutes.iter().map(|time| local(time).date()).collect();
    let days = days.into_iter().filter(|day| (meaning.is_day)(*day));
    days.filter_map(|day| {
        let wanted = day.and_hms_opt(hour, minute, 0)?;
        let exact = minutes.iter().find(|time| local(time) == wanted);
        // The clock jumps over it: the first moment behind, where that is still the same day.
        let behind = || minutes.iter().find(|time| local(time) > wanted).filter(|time| local(time).date() == day);
        exact.or_else(behind).copied()
    })
    .collect()
}

#[test]
fn fire_times_are_those_of_the_zones_own_clock() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for name in ZONES {
        let zone: Tz = name.parse().unwrap();
        for change in changes(zone) {
            let start = change - Duration::hours(40);
            let minutes: Vec<_> = (0..80 * 60).map(|minute| start + Duration::minutes(minute)).collect();
            // Whole days of the zone's clock: what lies at the edges may belong to a day that is cut.
            let inside = change - Duration::hours(14)..change + Duration::hours(14);
            for meaning in &MEANINGS {
                let schedule = Schedule::parse(meaning.pattern, zone, start).unwrap();
                let fires: BTreeSet<_> =
                    schedule.times(inside.start - Duration::seconds(1)).take_while(|time| *time < inside.end).collect();
                let expected: BTreeSet<_> =
                    by_the_clock(meaning, zone, &minutes).into_iter().filter(|time| inside.contains(time)).collect();
                compared += 1;
                if fires != expected {
                    wrong.push(format!("{name} {change} {}: {fires:?}, by the clock {expected:?}", meaning.pattern));
                }
            }
        }
    }
    assert!(compared > 3_000, "{compared}");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}
