//! Who is not listed any more.

use std::collections::HashSet;

use chrono::Duration;

use super::Seen;
use crate::model::{change::Departed, email};

/// Those who departed now or earlier and have not come back: the latest first, within the limits of [`Departed`].
pub(super) fn departed(seen: &Seen<'_>, earlier: &[Departed], now: Vec<Departed>) -> Vec<Departed> {
    if earlier.is_empty() && now.is_empty() {
        return Vec::new();
    }
    let directory = seen.matrix.directory();
    let mut known: HashSet<String> =
        directory.users.iter().filter_map(|user| user.email().map(email::comparable)).collect();
    let read_at = directory.reading.finished_at;
    let is_recent = |one: &Departed| read_at - one.missed_at <= Duration::days(Departed::DAYS);
    let all = now.into_iter().chain(earlier.iter().filter(|one| is_recent(one)).cloned());
    // An address that departed twice is remembered once, at the later time.
    all.filter(|one| known.insert(email::comparable(&one.email))).take(Departed::KEPT).collect()
}
