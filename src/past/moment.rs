//! The moments and audits that a question names.

use std::str::FromStr;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use uuid::Uuid;

/// A moment: the end of a day in UTC, or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub DateTime<Utc>);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self(day_end(day)));
        }
        let time = text.parse::<DateTime<Utc>>();
        time.map(Self)
            .map_err(|_| "expected a day such as 2026-03-14, or a time such as 2026-03-14T09:30:00Z".to_owned())
    }
}

/// The last moment of a day, in UTC.
fn day_end(day: NaiveDate) -> DateTime<Utc> {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    next.and_time(NaiveTime::MIN).and_utc() - TimeDelta::milliseconds(1)
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// An audit.
    Audit(Uuid),
    /// The last audit up to a moment.
    At(Moment),
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(audit) = text.parse() {
            return Ok(Self::Audit(audit));
        }
        let moment = text.parse().map(Self::At);
        moment.map_err(|_| "expected the id of an audit, a day such as 2026-03-14, or a time".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_before_the_next_begins() {
        let Moment(end) = "2026-03-14".parse().unwrap();
        assert_eq!(end.to_rfc3339(), "2026-03-14T23:59:59.999+00:00");
        let Moment(time) = "2026-03-14T09:30:00+02:00".parse().unwrap();
        assert_eq!(time.to_rfc3339(), "2026-03-14T07:30:00+00:00");
        for wrong in ["", "yesterday", "2026-02-30", "2026-03-14T09:30:00"] {
            assert!(wrong.parse::<Moment>().is_err() && wrong.parse::<Side>().is_err(), "{wrong}");
        }
        let id = Uuid::nil();
        assert_eq!(id.to_string().parse(), Ok(Side::Audit(id)));
    }
}
