//! A store in which a process can die at each write. For tests only; not part of a release.
//!
//! Every write has two points, `NAME.before` and `NAME.after`: the write is lost, or it is stored and the caller never hears
//! of it. A [`Hazard`] decides what happens at each point.

mod people;

use async_trait::async_trait;
use chrono::{DateTime, Duration, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    AuditRecord, Database, Kept, Store, StoreError,
    history::{Backlog, Done, History, MessageRecord, ReadCursor},
    ledger::Ledger,
    queue::{Cursor, Decided, Outgoing, Queue, Sent},
    replicas::{Announced, Replica, Replicas},
    together::{Combination, Combined, Share, Together},
};
use crate::{
    clock::Clock,
    ledger::{
        Entry, Fact, Head, Line,
        fact::{OffboardingBegun, Terms},
    },
    model::{
        change::Past,
        notification::Notification,
        run::{Attempt, Claim, Gap, Run, RunState},
        trigger::Incident,
    },
};

/// Decides what happens at a point.
#[async_trait]
pub trait Hazard: Send + Sync {
    /// Called before and after each write. It never returns if the process dies; an error becomes the store's answer.
    async fn at(&self, write: &str, moment: Moment) -> Result<(), StoreError>;
}

/// Before a write, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing is stored yet.
    Before,
    /// It is stored, and the caller does not know yet.
    After,
}

/// Aborts the process at one point, `NAME.before` or `NAME.after`, as `kill -9` would.
pub struct AbortAt(pub String);

#[async_trait]
impl Hazard for AbortAt {
    async fn at(&self, write: &str, moment: Moment) -> Result<(), StoreError> {
        let (name, when) = self.0.split_once('.').unwrap_or((&self.0, "before"));
        if name == write && (when == "after") == (moment == Moment::After) {
            std::process::abort();
        }
        Ok(())
    }
}

/// A store with a hazard on every write.
pub struct Hazardous<M, H> {
    /// The store.
    pub store: M,
    /// What may happen.
    pub hazard: H,
}

#[async_trait]
impl<M: Database, H: Hazard> Store for Hazardous<M, H> {
    async fn keep(&self, audit: &Kept, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.hazard.at("keep", Moment::Before).await?;
        self.store.keep(audit, now).await?;
        self.hazard.at("keep", Moment::After).await
    }

    fn look(&self) -> Result<(), StoreError> {
        self.store.look()
    }

    async fn close_connections(&self) {
        self.store.close_connections().await;
    }

    async fn probe(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.store.probe(now).await
    }

    async fn audit(&self, id: Uuid) -> Result<Option<AuditRecord>, StoreError> {
        self.store.audit(id).await
    }

    async fn kept(&self, id: Uuid) -> Result<Option<Kept>, StoreError> {
        self.store.kept(id).await
    }

    async fn prune(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.hazard.at("prune", Moment::Before).await?;
        let done = self.store.prune(before).await?;
        self.hazard.at("prune", Moment::After).await?;
        Ok(done)
    }

    async fn last_complete(&self, job: Option<&str>, workspace: &str) -> Result<Option<Kept>, StoreError> {
        self.store.last_complete(job, workspace).await
    }

    async fn completed(&self, job: Option<&str>, workspace: &str, most: u32) -> Result<Vec<AuditRecord>, StoreError> {
        self.store.completed(job, workspace, most).await
    }

    async fn past(&self, job: Option<&str>, workspace: &str, limit: u32) -> Result<Vec<Past>, StoreError> {
        self.store.past(job, workspace, limit).await
    }

    async fn complete_before(
        &self,
        job: Option<&str>,
        workspace: &str,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        self.store.complete_before(job, workspace, before, limit).await
    }
}

#[async_trait]
impl<M: Database, H: Hazard> Queue for Hazardous<M, H> {
    async fn cursor(&self, job: &str) -> Result<Option<Cursor>, StoreError> {
        self.store.cursor(job).await
    }

    async fn decide(&self, decisions: &[Decided<'_>]) -> Result<Vec<bool>, StoreError> {
        self.hazard.at("decide", Moment::Before).await?;
        let done = self.store.decide(decisions).await?;
        self.hazard.at("decide", Moment::After).await?;
        Ok(done)
    }

    async fn take_back(
        &self,
        job: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.hazard.at("take_back", Moment::Before).await?;
        let done = self.store.take_back(job, reason, now).await?;
        self.hazard.at("take_back", Moment::After).await?;
        Ok(done)
    }

    async fn begin_all(
        &self,
        job: &str,
        workspaces: &[&str],
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        self.hazard.at("begin", Moment::Before).await?;
        let done = self.store.begin_all(job, workspaces, now, lease).await?;
        self.hazard.at("begin", Moment::After).await?;
        Ok(done)
    }

    async fn claim(&self, now: DateTime<Utc>, lease: Duration) -> Result<Option<Claim>, StoreError> {
        self.hazard.at("claim", Moment::Before).await?;
        let done = self.store.claim(now, lease).await?;
        self.hazard.at("claim", Moment::After).await?;
        Ok(done)
    }

    async fn prolong(&self, claim: &Claim, now: DateTime<Utc>, lease: Duration) -> Result<(), StoreError> {
        self.hazard.at("prolong", Moment::Before).await?;
        self.store.prolong(claim, now, lease).await?;
        self.hazard.at("prolong", Moment::After).await
    }

    async fn advance(&self, claim: &Claim, state: RunState) -> Result<(), StoreError> {
        self.hazard.at(state.word(), Moment::Before).await?;
        self.store.advance(claim, state).await?;
        self.hazard.at(state.word(), Moment::After).await
    }

    async fn record(
        &self,
        claim: &Claim,
        audit: &Kept,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("record", Moment::Before).await?;
        self.store.record(claim, audit, notifications, now).await?;
        self.hazard.at("record", Moment::After).await
    }

    async fn release(
        &self,
        claim: &Claim,
        error: Option<&str>,
        not_before: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("release", Moment::Before).await?;
        self.store.release(claim, error, not_before, now).await?;
        self.hazard.at("release", Moment::After).await
    }

    async fn give_up(
        &self,
        claim: &Claim,
        error: &str,
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("give_up", Moment::Before).await?;
        self.store.give_up(claim, error, notifications, now).await?;
        self.hazard.at("give_up", Moment::After).await
    }

    async fn take_message(
        &self,
        job: Option<&str>,
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Option<Outgoing>, StoreError> {
        self.hazard.at("take_message", Moment::Before).await?;
        let done = self.store.take_message(job, now, lease).await?;
        self.hazard.at("take_message", Moment::After).await?;
        Ok(done)
    }

    async fn sent(
        &self,
        outgoing: &Outgoing,
        outcome: &Sent,
        answer: &str,
        notices: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("sent", Moment::Before).await?;
        self.store.sent(outgoing, outcome, answer, notices, now).await?;
        self.hazard.at("sent", Moment::After).await
    }

    async fn delivered(&self) -> Result<Vec<Run>, StoreError> {
        self.store.delivered().await
    }

    async fn close(&self, run: Uuid, notifications: &[Notification], now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.hazard.at("close", Moment::Before).await?;
        let done = self.store.close(run, notifications, now).await?;
        self.hazard.at("close", Moment::After).await?;
        Ok(done)
    }

    async fn retry(&self, run: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.hazard.at("retry", Moment::Before).await?;
        let done = self.store.retry(run, now).await?;
        self.hazard.at("retry", Moment::After).await?;
        Ok(done)
    }
}

#[async_trait]
impl<M: Database, H: Hazard> Together for Hazardous<M, H> {
    async fn record_share(
        &self,
        claim: &Claim,
        audit: &Kept,
        share: &Share<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.hazard.at("record", Moment::Before).await?;
        let done = self.store.record_share(claim, audit, share, now).await?;
        self.hazard.at("record", Moment::After).await?;
        Ok(done)
    }

    async fn give_up_share(
        &self,
        claim: &Claim,
        error: &str,
        terms: &[u8],
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.hazard.at("give_up", Moment::Before).await?;
        let done = self.store.give_up_share(claim, error, terms, notifications, now).await?;
        self.hazard.at("give_up", Moment::After).await?;
        Ok(done)
    }

    async fn combinations(&self) -> Result<Vec<Combination>, StoreError> {
        self.store.combinations().await
    }

    async fn shares(&self, job: &str, fire_at: DateTime<Utc>) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
        self.store.shares(job, fire_at).await
    }

    async fn combine(&self, combined: &Combined<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.hazard.at("combine", Moment::Before).await?;
        let done = self.store.combine(combined, now).await?;
        self.hazard.at("combine", Moment::After).await?;
        Ok(done)
    }
}

#[async_trait]
impl<M: Database, H: Hazard> History for Hazardous<M, H> {
    async fn run(&self, id: Uuid) -> Result<Option<Run>, StoreError> {
        self.store.run(id).await
    }

    async fn runs(&self, most: u32) -> Result<Vec<Run>, StoreError> {
        self.store.runs(most).await
    }

    async fn unfinished_before(&self, run: &Run) -> Result<Option<Uuid>, StoreError> {
        self.store.unfinished_before(run).await
    }

    async fn siblings(&self, job: &str, fire_at: DateTime<Utc>) -> Result<Vec<Run>, StoreError> {
        self.store.siblings(job, fire_at).await
    }

    async fn last_done(&self, job: &str, workspace: &str, until: DateTime<Utc>) -> Result<Option<Done>, StoreError> {
        self.store.last_done(job, workspace, until).await
    }

    async fn last_read(&self, workspace: &str, before: ReadCursor) -> Result<Option<AuditRecord>, StoreError> {
        self.store.last_read(workspace, before).await
    }

    async fn next_read(&self, workspace: &str, after: ReadCursor) -> Result<Option<AuditRecord>, StoreError> {
        self.store.next_read(workspace, after).await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.store.backlog().await
    }

    async fn waiting(&self) -> Result<u64, StoreError> {
        self.store.waiting().await
    }

    async fn attempts(&self, run: Uuid) -> Result<Vec<Attempt>, StoreError> {
        self.store.attempts(run).await
    }

    async fn messages(&self, run: Uuid) -> Result<Vec<MessageRecord>, StoreError> {
        self.store.messages(run).await
    }

    async fn waiting_mails(&self) -> Result<Vec<String>, StoreError> {
        self.store.waiting_mails().await
    }

    async fn gaps(&self, most: u32) -> Result<Vec<Gap>, StoreError> {
        self.store.gaps(most).await
    }

    async fn incidents(&self, now: DateTime<Utc>) -> Result<Vec<Incident>, StoreError> {
        self.store.incidents(now).await
    }

    async fn incidents_before(
        &self,
        job: &str,
        workspace: &str,
        fire_at: DateTime<Utc>,
    ) -> Result<Vec<Incident>, StoreError> {
        self.store.incidents_before(job, workspace, fire_at).await
    }
}

#[async_trait]
impl<M: Database, H: Hazard> Ledger for Hazardous<M, H> {
    async fn append(&self, facts: &[Fact], now: DateTime<Utc>) -> Result<(), StoreError> {
        self.hazard.at("append", Moment::Before).await?;
        self.store.append(facts, now).await?;
        self.hazard.at("append", Moment::After).await
    }

    async fn begin_offboarding(
        &self,
        begun: &OffboardingBegun,
        since: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("begin_offboarding", Moment::Before).await?;
        self.store.begin_offboarding(begun, since, now).await?;
        self.hazard.at("begin_offboarding", Moment::After).await
    }

    async fn offboardings(&self) -> Result<Vec<Entry>, StoreError> {
        self.store.offboardings().await
    }

    async fn publish_schedules(
        &self,
        schedules: &[(String, Terms)],
        begins: &[(String, Cursor)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("publish_schedules", Moment::Before).await?;
        self.store.publish_schedules(schedules, begins, now).await?;
        self.hazard.at("publish_schedules", Moment::After).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.store.head().await
    }

    async fn newest(&self, kind: &str, subject: &str, most: u32) -> Result<Vec<Entry>, StoreError> {
        self.store.newest(kind, subject, most).await
    }

    async fn entries(&self, after: u64, most: u32) -> Result<Vec<Line>, StoreError> {
        self.store.entries(after, most).await
    }

    async fn file_end(&self, place: &str) -> Result<Option<u64>, StoreError> {
        self.store.file_end(place).await
    }

    async fn file_grew(&self, place: &str, number: u64) -> Result<(), StoreError> {
        self.hazard.at("file_grew", Moment::Before).await?;
        self.store.file_grew(place, number).await?;
        self.hazard.at("file_grew", Moment::After).await
    }

    async fn file_was_cut(&self, place: &str, had: u64, found: u64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        self.hazard.at("file_was_cut", Moment::Before).await?;
        let done = self.store.file_was_cut(place, had, found, now).await?;
        self.hazard.at("file_was_cut", Moment::After).await?;
        Ok(done)
    }
}

#[async_trait]
impl<M: Database, H: Hazard> Replicas for Hazardous<M, H> {
    async fn skew(&self, clock: &Clock) -> Result<Option<TimeDelta>, StoreError> {
        self.store.skew(clock).await
    }

    async fn announce(&self, replica: &Replica) -> Result<Vec<Replica>, StoreError> {
        self.store.announce(replica).await
    }

    async fn replace(&self, replica: &Replica) -> Result<(), StoreError> {
        self.store.replace(replica).await
    }

    async fn replicas(&self) -> Result<Option<Vec<Announced>>, StoreError> {
        self.store.replicas().await
    }

    async fn leave(&self, replica: &Replica) -> Result<(), StoreError> {
        self.store.leave(replica).await
    }

    async fn changed(&self) {
        self.store.changed().await;
    }
}
