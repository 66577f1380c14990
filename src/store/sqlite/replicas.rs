//! The processes on one file are on one machine: they have one clock, and look often.

use chrono::TimeDelta;

use super::SqliteStore;
use crate::{
    clock::Clock,
    store::{
        StoreError,
        replicas::{Announced, Replica, Replicas},
    },
};

#[async_trait::async_trait]
impl Replicas for SqliteStore {
    async fn skew(&self, _clock: &Clock) -> Result<Option<TimeDelta>, StoreError> {
        Ok(None)
    }

    async fn announce(&self, _replica: &Replica) -> Result<Vec<Replica>, StoreError> {
        Ok(Vec::new())
    }

    async fn replace(&self, _replica: &Replica) -> Result<(), StoreError> {
        Ok(())
    }

    async fn replicas(&self) -> Result<Option<Vec<Announced>>, StoreError> {
        Ok(None)
    }

    async fn leave(&self, _replica: &Replica) -> Result<(), StoreError> {
        Ok(())
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }
}
