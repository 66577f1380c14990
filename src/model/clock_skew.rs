//! Compares this machine's clock with the clocks of the servers that answered it. Setting this clock back changes the date
//! of a review, but not the `Date` of the servers' answers.

use chrono::{DateTime, Duration, Utc};

use super::reading::{Check, CheckKind, CheckOutcome};

/// The largest allowed difference between this machine's clock and a server's, in seconds.
const FURTHEST: i64 = 300;

/// What the servers' answers say about this machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockSkew {
    /// Answers with a `Date`.
    dates: u64,
    /// The largest difference from a server's clock, in seconds; negative if this machine's clock was behind.
    ahead: i64,
}

impl ClockSkew {
    /// Adds the `Date` of an answer (RFC 9110 §6.6.1), which was written at some time between request and answer. An invalid
    /// date is ignored.
    pub fn note(&mut self, asked_at: DateTime<Utc>, answered_at: DateTime<Utc>, date: &str) {
        let Ok(date) = DateTime::parse_from_rfc2822(date).map(|date| date.with_timezone(&Utc)) else { return };
        // The header has whole seconds.
        let (early, late) = (asked_at - (date + Duration::seconds(1)), date - answered_at);
        let ahead = if early > Duration::zero() { early.num_seconds() } else { -late.num_seconds().max(0) };
        self.join(Self { dates: 1, ahead });
    }

    /// Adds the results of other answers.
    pub fn join(&mut self, other: Self) {
        self.dates += other.dates;
        if other.ahead.abs() > self.ahead.abs() {
            self.ahead = other.ahead;
        }
    }

    /// The result as a check of the read.
    pub fn check(self) -> Check {
        let Self { dates, ahead } = self;
        let which = if ahead < 0 { "behind" } else { "ahead of" };
        let figures = format!(
            "{dates} answers with a date, at most {} s from this machine's clock; {FURTHEST} s are allowed",
            ahead.abs()
        );
        let outcome = if dates == 0 {
            CheckOutcome::NotEvaluated { detail: "no answer named its date".to_owned() }
        } else if ahead.abs() > FURTHEST {
            let detail = format!(
                "this machine's clock is {} {which} the server's, so the times of this review cannot be trusted",
                length(ahead.abs())
            );
            CheckOutcome::Disagreed { detail }
        } else {
            CheckOutcome::Agreed
        };
        Check { kind: CheckKind::Clock, outcome, figures }
    }
}

fn length(seconds: i64) -> String {
    match (seconds / 86_400, seconds / 3_600, seconds / 60) {
        (days, ..) if days >= 2 => format!("{days} days"),
        (_, hours, _) if hours >= 2 => format!("{hours} hours"),
        (.., minutes) => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: &str, answered: &str, date: &str) -> Check {
        let mut clock = ClockSkew::default();
        clock.note(asked.parse().unwrap(), answered.parse().unwrap(), date);
        clock.check()
    }

    #[test]
    fn a_clock_that_is_minutes_away_from_the_servers_is_no_clock() {
        let date = "Wed, 25 Nov 2026 19:10:00 GMT";
        let near = check("2026-11-25T19:10:00.900Z", "2026-11-25T19:10:01.100Z", date);
        assert_eq!(near.outcome, CheckOutcome::Agreed);
        assert!(near.figures.starts_with("1 answers with a date, at most 0 s"), "{}", near.figures);
        let slow = check("2026-11-25T19:04:00Z", "2026-11-25T19:04:59Z", date);
        assert!(slow.outcome.detail().contains("5 minutes behind the server's"), "{slow:?}");
        let fast = check("2026-11-25T19:15:02Z", "2026-11-25T19:15:03Z", date);
        assert!(fast.outcome.detail().contains("5 minutes ahead of the server's"), "{fast:?}");
        let edge = check("2026-11-25T19:15:01Z", "2026-11-25T19:15:03Z", date);
        assert_eq!(edge.outcome, CheckOutcome::Agreed);
        let none = check("2026-11-25T19:10:00Z", "2026-11-25T19:10:00Z", "yesterday");
        assert_eq!(none.outcome.word(), "not evaluated");
    }
}
