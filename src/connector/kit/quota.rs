//! What a vendor limits for one credential, shared by all workspaces of this process that use it: the pace of calls, and the
//! calls in flight.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

use super::pace::Pace;
use crate::connector::commons::Commons;

/// The pace of a credential, and its calls in flight.
#[derive(Debug)]
pub(in crate::connector) struct Quota {
    pub(super) pace: Pace,
    pub(super) permits: Arc<Semaphore>,
    /// How many permits there are.
    size: Mutex<usize>,
}

impl Quota {
    /// The quota of a credential. As many calls may be in flight as the workspace with the highest `concurrency` may make.
    pub(in crate::connector) fn of(
        commons: &Commons,
        credential: &str,
        concurrency: usize,
        pace: impl FnOnce() -> Pace,
    ) -> Arc<Self> {
        let new = || Self { pace: pace(), permits: Arc::new(Semaphore::new(0)), size: Mutex::new(0) };
        let Ok(quota) = commons.shared(credential, || Ok::<_, Infallible>(new()));
        quota.widen(concurrency);
        quota
    }

    fn widen(&self, concurrency: usize) {
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        self.permits.add_permits(concurrency.saturating_sub(*size));
        *size = concurrency.max(*size);
    }
}
