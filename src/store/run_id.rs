//! The ids of runs.

use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use uuid::{Timestamp, Uuid};

/// The bits of an id that count (RFC 9562, section 6.2, method 1). The 32 bits after them are random in each id.
const COUNTER_BITS: u8 = 42;

/// What counts up over all ids of the process. It begins at a random number below half of its range, so that ids of two processes
/// in one millisecond differ, and 2^41 ids fit before it would overflow.
static COUNTER: LazyLock<AtomicU64> =
    LazyLock::new(|| AtomicU64::new(rand::random::<u64>() >> (64 - COUNTER_BITS + 1)));

/// The id of a run that is planned or begun at a time. Ids are in the order of `now`, also after a clock that was ahead:
/// `Uuid::now_v7` would keep the latest time it has seen. Ids of one process within a millisecond are in the order in which
/// they were made.
pub(super) fn run_id(now: DateTime<Utc>) -> Uuid {
    let millis = now.timestamp_millis().max(0).unsigned_abs();
    let subsecond = u32::try_from(millis % 1000 * 1_000_000).unwrap_or_default();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    Uuid::new_v7(Timestamp::from_unix_time(millis / 1000, subsecond, count.into(), COUNTER_BITS))
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

    #[test]
    fn an_id_of_another_time_between_two_of_a_millisecond_leaves_their_order() {
        let now: DateTime<Utc> = "2026-03-02T07:00:00.123Z".parse().unwrap();
        let other = now + chrono::Duration::seconds(1);
        let ids: Vec<(Uuid, Uuid)> = (0..1_000).map(|_| (run_id(now), run_id(other))).collect();
        assert!(ids.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1));
        assert!(ids.iter().all(|(early, late)| early < late && early.get_version_num() == 7));
    }
}
