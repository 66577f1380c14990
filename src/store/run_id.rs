//! The ids of runs.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// The millisecond of the last id, and what counts up within it.
static LAST: Mutex<Option<(i64, ContextV7)>> = Mutex::new(None);

/// The id of a run that is planned or begun at a time. Ids of one process are in the order of making within a millisecond, and
/// in that of `now` otherwise, also after a clock that was ahead: `Uuid::now_v7` would keep the latest time it has seen.
pub(super) fn run_id(now: DateTime<Utc>) -> Uuid {
    let millis = now.timestamp_millis().max(0);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, context) = match last.take() {
        Some(same) if same.0 == millis => last.insert(same),
        _ => last.insert((millis, ContextV7::new())),
    };
    let nanoseconds = millis % 1000 * 1_000_000;
    let of = |number: i64| number.unsigned_abs();
    let subsecond = u32::try_from(nanoseconds).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(&*context, of(millis / 1000), subsecond))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_the_order_of_making_and_follow_a_clock_that_is_set_back() {
        let now: DateTime<Utc> = "2026-03-02T07:00:00.123Z".parse().unwrap();
        let ahead = now + chrono::Duration::days(3_650);
        let later = run_id(ahead);
        let ids: Vec<Uuid> = (0..10_000).map(|_| run_id(now)).collect();
        assert!(ids.is_sorted_by(|one, other| one < other));
        assert!(ids.iter().all(|id| *id < later));
        let (seconds, nanoseconds) = ids[9_999].get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanoseconds), (now.timestamp().unsigned_abs(), 123_000_000));
    }
}
