//! The times of entries. Their numbers define their order; a time that does not follow it is from a clock that had been set
//! back.

use std::fmt;

use chrono::{DateTime, Duration, Utc};

use super::Entry;

/// How far a time may lie before an earlier entry's: several processes write, and clocks are adjusted by seconds.
pub const TOLERANCE: Duration = Duration::minutes(5);

/// Entries that follow one another and are older, by their own times, than one before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBack {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// When the first was written, by its own time.
    pub at: DateTime<Utc>,
    /// The latest time of an entry before.
    pub after: DateTime<Utc>,
}

impl fmt::Display for SetBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, at, after } = self;
        let (entries, were) = if first == last {
            (format!("Entry {first}"), "was")
        } else {
            (format!("Entries {first} to {last}"), "were")
        };
        let moment = |time: &DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC").to_string();
        write!(
            f,
            "{entries} {were} written by a clock that had been set back: to {}, after an entry of {}",
            moment(at),
            moment(after)
        )
    }
}

/// Entries that a clock wrote that was ahead of the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
    /// The latest of their times.
    pub at: DateTime<Utc>,
}

impl fmt::Display for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, at } = self;
        let at = at.format("%Y-%m-%d %H:%M UTC");
        write!(f, "Between entry {first} and {last} a clock was ahead: it wrote {at}, which is in the future")
    }
}

/// Follows the times of entries as they are read in order.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    latest: Option<DateTime<Utc>>,
    /// The present; `None` if it is not known.
    until: Option<DateTime<Utc>>,
    ahead: Option<Ahead>,
    is_back: bool,
    found: Vec<SetBack>,
}

impl Timeline {
    /// The time at which an entry was written as far as the ledger bears it out: its own, or where that lies before an
    /// earlier entry's the latest one of those.
    pub fn read(&mut self, entry: &Entry) -> DateTime<Utc> {
        if let Some(until) = self.until.filter(|until| entry.at > *until + TOLERANCE) {
            let first = self.ahead.as_ref().map_or(entry.number, |ahead| ahead.first);
            let at = self.ahead.as_ref().map_or(entry.at, |ahead| ahead.at.max(entry.at));
            self.ahead = Some(Ahead { first, last: entry.number, at });
            return self.latest.unwrap_or(until);
        }
        let Some(latest) = self.latest.filter(|latest| entry.at < *latest - TOLERANCE) else {
            self.latest = self.latest.max(Some(entry.at));
            self.is_back = false;
            return entry.at;
        };
        match self.found.last_mut().filter(|_| self.is_back) {
            Some(set_back) => set_back.last = entry.number,
            None => {
                self.found.push(SetBack { first: entry.number, last: entry.number, at: entry.at, after: latest });
            }
        }
        self.is_back = true;
        latest
    }

    /// Follows entries up to the present: one that is later was written by a clock that was ahead, and does not make those
    /// after it late.
    pub fn until(now: DateTime<Utc>) -> Self {
        Self { until: Some(now), ..Self::default() }
    }

    /// The entries that a clock wrote that was ahead; `None` if there are none.
    pub fn ahead(&self) -> Option<&Ahead> {
        self.ahead.as_ref()
    }

    /// The entries that were written while it was set back.
    pub fn set_back(&self) -> &[SetBack] {
        &self.found
    }
}

/// The entries that were written by a clock that was set back.
pub fn set_back<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<SetBack> {
    let mut timeline = Timeline::default();
    for entry in entries {
        timeline.read(entry);
    }
    timeline.found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fact;

    fn entry(number: u64, minute: i64) -> Entry {
        let fact = Fact::Key { fingerprint: None, signer: None };
        Entry { number, at: DateTime::UNIX_EPOCH + Duration::minutes(minute), previous: String::new(), fact }
    }

    #[test]
    fn a_time_before_an_earlier_one_is_found_and_does_not_count() {
        let entries = [entry(1, 100), entry(2, 96), entry(3, 10), entry(4, 20), entry(5, 101), entry(6, 50)];
        let mut timeline = Timeline::default();
        let times: Vec<i64> = entries.iter().map(|entry| timeline.read(entry).timestamp() / 60).collect();
        assert_eq!(times, [100, 96, 100, 100, 101, 101], "a few minutes are no matter");
        let found: Vec<(u64, u64)> =
            timeline.set_back().iter().map(|set_back| (set_back.first, set_back.last)).collect();
        assert_eq!(found, [(3, 4), (6, 6)]);
        assert_eq!(
            set_back(&entries)[0].to_string(),
            "Entries 3 to 4 were written by a clock that had been set back: to 1970-01-01 00:10 UTC, after an entry of 1970-01-01 01:40 UTC"
        );
    }
}
