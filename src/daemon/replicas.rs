//! Other daemons on the same store: what has to agree between them, and what is said if it does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use uuid::Uuid;

use super::Daemon;
use crate::{
    run::fleet::{self, FleetError},
    store::{
        StoreError,
        replicas::{MOST_SKEW, Replica},
    },
};

/// How often a daemon announces itself and looks at its clock.
const EVERY: Duration = Duration::from_secs(10);

/// Replicas with different configurations are a problem only after this time: they take over what has changed in a directory of
/// workspaces within ten seconds, and announce themselves every ten, so that one that has not followed by then does not follow.
pub(super) const TRANSITION: Duration = Duration::from_secs(30);

/// What tells a replica from others.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its configuration, without secrets.
    pub configuration: String,
}

/// What a daemon knows of the others.
#[derive(Default)]
pub(super) struct Others {
    looked_at: Option<Instant>,
    /// Why nothing is begun; `None` if the clock is right.
    pub(super) skewed: Option<String>,
    /// Those with another configuration.
    differing: Differing,
    /// What does not agree, in sentences.
    pub(super) warnings: Vec<String>,
    /// How far this machine's clock is ahead of the store's; `None` if the store has none.
    ahead: Option<TimeDelta>,
    /// How many others there are; `None` if that is not known.
    count: Option<usize>,
}

impl Others {
    /// What is still true with another configuration of this daemon.
    pub(super) fn after_reload(&mut self) -> Self {
        Self { differing: std::mem::take(&mut self.differing), ..Self::default() }
    }
}

/// Other processes with another configuration than this one's: which, and since when they have had it.
#[derive(Debug, Default)]
struct Differing(BTreeMap<Uuid, (String, Instant)>);

impl Differing {
    /// Looks at the others. Returns those that have kept a configuration which differs for [`TRANSITION`].
    fn lasting(&mut self, own: &Replica, others: &[Replica], now: Instant) -> BTreeSet<Uuid> {
        let mut before = std::mem::take(&mut self.0);
        for other in others.iter().filter(|other| other.configuration != own.configuration) {
            let since = match before.remove(&other.process) {
                Some((configuration, since)) if configuration == other.configuration => since,
                _ => now,
            };
            self.0.insert(other.process, (other.configuration.clone(), since));
        }
        let lasts = |(process, (_, since)): (&Uuid, &(String, Instant))| {
            (now.duration_since(*since) >= TRANSITION).then_some(*process)
        };
        self.0.iter().filter_map(lasts).collect()
    }
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
    /// [`FleetError`]; then it must not run.
    pub async fn join(&self) -> Result<(), FleetError> {
        let ahead = fleet::has_right_time(&*self.store, &self.clock).await?;
        self.state().others.ahead = ahead;
        let own = self.replica();
        let others = self.store.announce(&own).await?;
        if let Err(refused) = fleet::signs_alike(own.signing_key.as_deref(), &others) {
            self.store.leave(&own).await?;
            return Err(refused);
        }
        // Their key was looked at first: one that runs all the same is not passed over.
        self.store.replace(&own).await?;
        let others: Vec<Replica> = others.into_iter().filter(|other| other.name != own.name).collect();
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
                    fleet::seconds(skew)
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
        let differing = self.state().others.differing.lasting(own, others, Instant::now());
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
            } else if differing.contains(&other.process) {
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
        Replica {
            name: setup.identity.name.clone(),
            process: self.process,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            signing_key: fleet::key_of(setup.vault.as_ref()),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(process: u128, configuration: &str) -> Replica {
        Replica {
            name: process.to_string(),
            process: Uuid::from_u128(process),
            version: "1".to_owned(),
            signing_key: None,
            configuration: configuration.to_owned(),
            ahead: TimeDelta::zero(),
            holds: Vec::new(),
        }
    }

    #[test]
    fn another_configuration_is_named_once_it_has_lasted() {
        let (start, mut differing) = (Instant::now(), Differing::default());
        let mut looks = |seconds, own, other| {
            let lasting =
                differing.lasting(&replica(1, own), &[replica(2, other)], start + Duration::from_secs(seconds));
            lasting.len()
        };
        assert_eq!([looks(0, "b", "a"), looks(10, "b", "b")], [0, 0], "the other follows");
        assert_eq!([looks(20, "b", "a"), looks(49, "b", "a"), looks(50, "b", "a")], [0, 0, 1], "it does not");
        assert_eq!(looks(51, "c", "a"), 1, "nor when this one goes on");
        assert_eq!(
            [looks(60, "c", "b"), looks(85, "d", "c"), looks(110, "e", "d")],
            [0, 0, 0],
            "it follows, but later"
        );
        assert_eq!(looks(140, "f", "d"), 1, "it has stopped");
        assert_eq!([looks(150, "d", "d"), looks(160, "e", "d")], [0, 0], "they agreed meanwhile");
        let gone = differing.lasting(&replica(1, "e"), &[], start + Duration::from_mins(5));
        assert_eq!((gone.len(), differing.0.len()), (0, 0));
    }
}
