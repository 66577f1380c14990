//! What a process that writes to a store needs in common with the daemons on it: the time, and the key that signs evidence.

use chrono::TimeDelta;

use super::vault::Vault;
use crate::{
    clock::Clock,
    evidence::key::SigningKey,
    store::{
        Database, StoreError,
        replicas::{GONE_AFTER, MOST_SKEW, Replica},
    },
};

/// A process may not write to a store beside those that use it.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clocks differ.
    #[error(
        "the clock of this machine differs from that of the store by {seconds:+.1} seconds, and may differ by {most}: runs would begin at the wrong time, and the record would say so. Let NTP set both clocks, and try again"
    )]
    Clock {
        /// How far this machine's clock is ahead.
        seconds: f64,
        /// How far it may be.
        most: i64,
    },
    /// The evidence would be signed by two keys in turn.
    #[error(
        "the replica {name}, which runs on the same store, signs evidence with {theirs}, and this process with {ours}. Give all of them the same `[evidence] signing_key`; to change it, stop all replicas first. One that was killed counts as running for {} seconds",
        GONE_AFTER.num_seconds()
    )]
    Key {
        /// The other replica.
        name: String,
        /// Its key.
        theirs: String,
        /// This process's.
        ours: String,
    },
}

/// Whether a process may write to a store: its clock is right, and it signs with the key of the daemons that run there.
///
/// # Errors
/// [`FleetError`]
pub async fn may_write(store: &dyn Database, vault: Option<&Vault>, clock: &Clock) -> Result<(), FleetError> {
    has_right_time(store, clock).await?;
    let announced = store.replicas().await?.unwrap_or_default();
    let running: Vec<Replica> =
        announced.into_iter().filter(|one| !one.is_gone).map(|announced| announced.replica).collect();
    signs_alike(key_of(vault).as_deref(), &running)
}

/// Whether a clock is right. Returns how far it is ahead of the store's; `None` if the store has none.
///
/// # Errors
/// [`FleetError`]
pub async fn has_right_time(store: &dyn Database, clock: &Clock) -> Result<Option<TimeDelta>, FleetError> {
    let ahead = store.skew(clock).await?;
    match ahead {
        Some(skew) if skew.abs() > MOST_SKEW => {
            Err(FleetError::Clock { seconds: seconds(skew), most: MOST_SKEW.num_seconds() })
        }
        _ => Ok(ahead),
    }
}

/// Whether a key, or none, is that of all replicas.
///
/// # Errors
/// [`FleetError::Key`]
pub fn signs_alike(own: Option<&str>, replicas: &[Replica]) -> Result<(), FleetError> {
    let Some(other) = replicas.iter().find(|other| other.signing_key.as_deref() != own) else { return Ok(()) };
    let name_of = |key: Option<&str>| key.unwrap_or("no key").to_owned();
    Err(FleetError::Key { name: other.name.clone(), theirs: name_of(other.signing_key.as_deref()), ours: name_of(own) })
}

/// The fingerprint of the key that signs evidence; `None` if none does.
pub fn key_of(vault: Option<&Vault>) -> Option<String> {
    vault.and_then(|vault| vault.key.as_ref()).map(SigningKey::fingerprint)
}

/// A length of time in seconds, to the millisecond.
pub fn seconds(length: TimeDelta) -> f64 {
    length.num_milliseconds() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::{
        postgres::{PostgresStore, testing::database},
        replicas::Replicas as _,
    };

    fn replica(key: Option<&str>) -> Replica {
        Replica {
            name: "one".to_owned(),
            process: Uuid::from_u128(1),
            version: "1".to_owned(),
            signing_key: key.map(str::to_owned),
            configuration: String::new(),
            ahead: TimeDelta::zero(),
            holds: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_process_writes_with_the_time_of_the_store_and_the_key_of_its_daemons_only() {
        let store = PostgresStore::open(&database().await).await.unwrap();
        let (right, slow) = (Clock::system(), Clock::new(|| Clock::system().now() - TimeDelta::seconds(60)));
        let error = may_write(&store, None, &slow).await.unwrap_err().to_string();
        assert!(error.contains("differs from that of the store by -60.0 seconds, and may differ by 2"), "{error}");
        may_write(&store, None, &right).await.unwrap();
        store.announce(&replica(None)).await.unwrap();
        may_write(&store, None, &right).await.unwrap();
        store.announce(&replica(Some("SHA256:a"))).await.unwrap();
        let error = may_write(&store, None, &right).await.unwrap_err().to_string();
        assert!(
            error.contains("the replica one, which runs on the same store, signs evidence with SHA256:a, and"),
            "{error}"
        );
        store.leave(&replica(None)).await.unwrap();
        may_write(&store, None, &right).await.unwrap();
    }

    #[test]
    fn one_key_or_none_is_that_of_all() {
        let (none, one, both) = (vec![], vec![replica(Some("a"))], vec![replica(Some("a")), replica(None)]);
        for (own, replicas, is_alike) in [
            (Some("a"), &none, true),
            (None, &none, true),
            (Some("a"), &one, true),
            (Some("b"), &one, false),
            (None, &one, false),
            (Some("a"), &both, false),
        ] {
            assert_eq!(signs_alike(own, replicas).is_ok(), is_alike, "{own:?} {replicas:?}");
        }
    }
}
