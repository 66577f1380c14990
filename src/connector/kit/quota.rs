//! What a vendor limits for one credential, shared by all workspaces that use it: the pace of calls, and the calls in flight.
//!
//! Each replica takes its part of both, as many parts as there are replicas. A workspace is read by one replica at a time, so
//! that a credential of few workspaces is divided among few: one that a single workspace has is not divided at all.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

use super::pace::Pace;
use crate::connector::commons::{Commons, Replicas};

/// The pace of a credential, and its calls in flight.
#[derive(Debug)]
pub(in crate::connector) struct Quota {
    pub(super) pace: Pace,
    pub(super) permits: Arc<Semaphore>,
    size: Mutex<Size>,
    replicas: Replicas,
}

#[derive(Debug, Default)]
struct Size {
    /// How many calls the credential may have in flight, over all replicas.
    whole: usize,
    /// How many permits there are.
    permits: usize,
}

impl Quota {
    /// The quota of a credential. As many calls may be in flight as the workspace with the highest `concurrency` may make.
    pub(in crate::connector) fn of(
        commons: &Commons,
        credential: &str,
        concurrency: usize,
        pace: impl FnOnce() -> Pace,
    ) -> Arc<Self> {
        let new = || Self {
            pace: pace(),
            permits: Arc::new(Semaphore::new(0)),
            size: Mutex::default(),
            replicas: commons.replicas(),
        };
        let Ok(quota) = commons.shared(credential, || Ok::<_, Infallible>(new()));
        {
            let mut size = quota.size.lock().unwrap_or_else(PoisonError::into_inner);
            size.whole = concurrency.max(size.whole);
        }
        quota.divide();
        quota
    }

    /// Takes this replica's part, before a call: replicas come and go.
    pub(super) fn divide(self: &Arc<Self>) {
        // Each workspace that uses the quota holds it once.
        let parts = self.replicas.count().min(Arc::strong_count(self)).max(1);
        self.pace.divide(parts);
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let part = size.whole.div_ceil(parts);
        if part > size.permits {
            self.permits.add_permits(part - size.permits);
            size.permits = part;
        } else {
            // Those in use are taken away at a later call.
            size.permits -= self.permits.forget_permits(size.permits - part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_divide_what_several_workspaces_share() {
        let commons = Commons::default();
        let of = |name: &str| Quota::of(&commons, name, 5, Pace::default);
        let (alone, mut several) = (of("alone"), vec![of("shared"), of("shared"), of("shared"), of("shared")]);
        let free = |quota: &Arc<Quota>| {
            quota.divide();
            quota.permits.available_permits()
        };
        assert_eq!((free(&alone), free(&several[0])), (5, 5));
        commons.share_with(3);
        assert_eq!((free(&alone), free(&several[0])), (5, 2));
        // There are two workspaces left, and one replica has no part of them.
        several.truncate(2);
        assert_eq!(free(&several[0]), 3);
        // A call in flight keeps its permit until it ends.
        let call = Arc::clone(&several[0].permits).try_acquire_many_owned(3).unwrap();
        several.push(of("shared"));
        assert_eq!(free(&several[0]), 0);
        drop(call);
        assert_eq!(free(&several[0]), 2);
        commons.share_with(1);
        assert_eq!(free(&several[0]), 5);
    }
}
