//! A quota: a number of calls in a window, stated in every answer; further calls are refused.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Shared;
use crate::faults::Fault;

/// Calls in a window.
const CALLS: u64 = 3;
/// The window.
const WINDOW: Duration = Duration::from_secs(1);

/// What is left of the window that runs.
#[derive(Debug, Default)]
pub(in crate::http) struct Quota(Mutex<Option<(Instant, u64)>>);

/// What a call did to the quota.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// No call was left.
    pub(super) is_refused: bool,
    /// The headers that state the quota; empty if quotas are off.
    pub(super) headers: Vec<(&'static str, String)>,
}

/// Counts a call.
pub(super) fn spend(shared: &Shared) -> Spent {
    if !shared.faults.is_on(Fault::TrutoQuota) {
        return Spent::default();
    }
    let mut window = shared.truto.quota.0.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let (ends, left) = window.filter(|(ends, _)| now < *ends).unwrap_or((now + WINDOW, CALLS));
    *window = Some((ends, left.saturating_sub(1)));
    // Whole seconds, never too few.
    let reset = ends.saturating_duration_since(now).as_millis().div_ceil(1000);
    let headers = vec![
        ("ratelimit-limit", format!("{CALLS};w={}", WINDOW.as_secs())),
        ("ratelimit-remaining", left.saturating_sub(1).to_string()),
        ("ratelimit-reset", reset.to_string()),
    ];
    Spent { is_refused: left == 0, headers }
}
