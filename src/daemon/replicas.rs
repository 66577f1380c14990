//! Other daemons on the same store: what has to agree between them, and what is said if it does not.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use uuid::Uuid;

use super::Daemon;
use crate::store::{
    StoreError,
    replicas::{MOST_SKEW, Replica},
};

/// How often a daemon announces itself and looks at its clock.
const EVERY: Duration = Duration::from_secs(10);

/// What tells a replica from others.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its configuration, without secrets.
    pub configuration: String,
}

/// A daemon may not join the others.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clocks differ.
    #[error(
        "the clock of this machine differs from that of the store by {seconds:+.1} seconds, and may differ by {most}: runs would begin at the wrong time. Let NTP set both clocks, and start again"
    )]
    Clock {
        /// How far this machine's clock is ahead.
        seconds: f64,
        /// How far it may be.
        most: i64,
    },
    /// The evidence would be signed by two keys in turn.
    #[error(
        "the replica {name}, which runs on the same store, signs evidence with {theirs}, and this one with {ours}. Give all replicas the same `[evidence] signing_key`; to change it, stop all of them first"
    )]
    Key {
        /// The other replica.
        name: String,
        /// Its key.
        theirs: String,
        /// This one's.
        ours: String,
    },
}

/// What a daemon knows of the others.
#[derive(Default)]
pub(super) struct Others {
    looked_at: Option<Instant>,
    /// Why nothing is begun; `None` if the clock is right.
    pub(super) skewed: Option<String>,
    /// What does not agree, in sentences.
    pub(super) warnings: Vec<String>,
    /// How far this machine's clock is ahead of the store's; `None` if the store has none.
    ahead: Option<TimeDelta>,
    /// How many others there are; `None` if that is not known.
    count: Option<usize>,
}

/// What a daemon says of itself among the others on its store.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Its name.
    pub name: String,
    /// How many daemons announce themselves on its store, this one included; `None` if the store does not keep them.
    pub replicas: Option<usize>,
    /// How far its clock is ahead of the store's; `None` if the store has none.
    pub ahead: Option<TimeDelta>,
    /// The runs that it works on.
    pub holds: usize,
}

impl Daemon {
    /// Announces this daemon on its store.
    ///
    /// # Errors
    /// [`JoinError`]; then it must not run.
    pub async fn join(&self) -> Result<(), JoinError> {
        let skew = self.look_at_clock().await?;
        if skew.abs() > MOST_SKEW {
            return Err(JoinError::Clock { seconds: seconds(skew), most: MOST_SKEW.num_seconds() });
        }
        let own = self.replica();
        let others = self.store.announce(&own).await?;
        if let Some(other) = others.iter().find(|other| other.signing_key != own.signing_key) {
            self.store.leave(&own).await?;
            let name_of = |key: &Option<String>| key.clone().unwrap_or_else(|| "no key".to_owned());
            return Err(JoinError::Key {
                name: other.name.clone(),
                theirs: name_of(&other.signing_key),
                ours: name_of(&own.signing_key),
            });
        }
        self.compare(&own, &others);
        Ok(())
    }

    /// Ends the announcement. If that fails, the others notice after a while.
    pub(super) async fn leave(&self) {
        if let Err(error) = self.store.leave(&self.replica()).await {
            tracing::debug!(%error, "the end of this replica could not be announced");
        }
    }

    /// Looks at the clock and at the other replicas from time to time. Returns whether anything may be begun: not while the
    /// clock is wrong.
    pub(super) async fn look_around(&self) -> Result<bool, StoreError> {
        let is_due = {
            let mut state = self.state();
            let is_due = state.others.looked_at.is_none_or(|looked| looked.elapsed() >= EVERY);
            if is_due {
                state.others.looked_at = Some(Instant::now());
            }
            is_due
        };
        if is_due {
            let skew = self.look_at_clock().await?;
            let skewed = (skew.abs() > MOST_SKEW).then(|| {
                format!(
                    "the clock of this machine differs from that of the store by {:+.1} seconds: it begins nothing until NTP has set it",
                    seconds(skew)
                )
            });
            let before = std::mem::replace(&mut self.state().others.skewed, skewed.clone());
            match (before, skewed) {
                (None, Some(skewed)) => tracing::error!("{skewed}"),
                (Some(_), None) => tracing::info!("the clock of this machine is right again"),
                _ => {}
            }
            let own = self.replica();
            let others = self.store.announce(&own).await?;
            self.compare(&own, &others);
        }
        Ok(self.state().others.skewed.is_none())
    }

    /// How far this machine's clock is ahead of the store's.
    async fn look_at_clock(&self) -> Result<TimeDelta, StoreError> {
        let ahead = self.store.skew(&self.clock).await?;
        self.state().others.ahead = ahead;
        Ok(ahead.unwrap_or_default())
    }

    /// This daemon among the others.
    pub fn membership(&self) -> Membership {
        let state = self.state();
        let others = &state.others;
        Membership {
            name: self.setup().identity.name.clone(),
            // A store with a clock is one that replicas share.
            replicas: others.count.filter(|_| others.ahead.is_some()).map(|others| others + 1),
            ahead: others.ahead,
            holds: state.held.len(),
        }
    }

    fn compare(&self, own: &Replica, others: &[Replica]) {
        let mut warnings = Vec::new();
        for other in others {
            let name = &other.name;
            if other.name == own.name {
                warnings.push(format!("another daemon on the same store is named {name}, too"));
            }
            if other.signing_key != own.signing_key {
                warnings.push(format!("the replica {name} signs evidence with another key"));
            }
            if other.version != own.version {
                warnings
                    .push(format!("the replica {name} is rolecall {}, and this one {}", other.version, own.version));
            } else if other.configuration != own.configuration {
                warnings.push(format!("the replica {name} has another configuration"));
            }
        }
        self.setup().commons.share_with(others.len() + 1);
        let mut state = self.state();
        for warning in warnings.iter().filter(|warning| !state.others.warnings.contains(warning)) {
            tracing::warn!("{warning}");
        }
        state.others.warnings = warnings;
        state.others.count = Some(others.len());
    }

    fn replica(&self) -> Replica {
        let setup = self.setup();
        let (ahead, holds) = {
            let state = self.state();
            (state.others.ahead.unwrap_or_default(), state.held.keys().copied().collect())
        };
        let key = setup.vault.as_ref().and_then(|vault| vault.key.as_ref());
        Replica {
            name: setup.identity.name.clone(),
            process: self.process,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            signing_key: key.map(crate::evidence::key::SigningKey::fingerprint),
            configuration: setup.identity.configuration.clone(),
            ahead,
            holds,
        }
    }
}

/// A new name for a process.
pub(super) fn process() -> Uuid {
    Uuid::new_v4()
}

fn seconds(skew: TimeDelta) -> f64 {
    skew.num_milliseconds() as f64 / 1000.0
}
