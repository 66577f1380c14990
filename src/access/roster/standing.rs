//! Whether a person works here on a day.

use chrono::NaiveDate;

use crate::model::roster::{Meaning, Record};

/// Whether a person works here. Of several rows about one person the greatest decides: who works here by one of them
/// works here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Does not work here yet; the first day, if it is known.
    Joining(Option<NaiveDate>),
    /// Does not work here any more; the last day, if it is known.
    Left(Option<NaiveDate>),
    /// The roster has a status that nobody has explained.
    Unknown,
    /// Works here, also while on leave; the last day, if it is known.
    Current(Option<NaiveDate>),
}

/// What a row says on a day. A last day that is over outweighs the status, and so does one that is still to come: until
/// the end of that day the person works here. A first day after the last one is that of a later employment.
pub(super) fn standing(record: &Record, today: NaiveDate) -> Standing {
    let returned = record.start.zip(record.end).filter(|(start, end)| start > end);
    let starts_later = record.start.is_some_and(|start| start > today);
    match (record.end, returned) {
        (Some(end), None) if end < today => return Standing::Left(Some(end)),
        (Some(end), Some(_)) if end < today && starts_later => return Standing::Left(Some(end)),
        // The earlier employment has not ended yet.
        (Some(end), Some(_)) if end >= today => return Standing::Current(Some(end)),
        _ => {}
    }
    if starts_later {
        return Standing::Joining(record.start);
    }
    let end = record.end.filter(|_| returned.is_none());
    match record.meaning {
        Meaning::Unsaid | Meaning::Current => Standing::Current(end),
        Meaning::Joining if record.start.is_some() => Standing::Current(end),
        Meaning::Joining => Standing::Joining(None),
        Meaning::Left if end.is_some() => Standing::Current(end),
        Meaning::Left => Standing::Left(record.end),
        Meaning::Unknown => Standing::Unknown,
    }
}
