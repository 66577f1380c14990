//! Reviews by people, and their sessions, in a store in which a process can die at each write.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Hazard, Hazardous, Moment};
use crate::{
    model::{actor::Actor, notification::Notification},
    review::{
        event::{Event, Opening, Sheet},
        messages::Said,
        person::Address,
        state::{Review, Summary},
    },
    store::{
        Database, StoreError,
        history::MessageRecord,
        reviews::{KeptSheet, PlannedReview, ReviewPlan, Reviews},
        sessions::{Link, SecretDigest, Session, Sessions, SignedIn},
    },
};

#[async_trait]
impl<M: Database, H: Hazard> Reviews for Hazardous<M, H> {
    async fn open_review(&self, review: &Review) -> Result<(), StoreError> {
        self.hazard.at("open_review", Moment::Before).await?;
        self.store.open_review(review).await?;
        self.hazard.at("open_review", Moment::After).await
    }

    async fn change_review(&self, after: &Review, events: &[Event], at: DateTime<Utc>) -> Result<(), StoreError> {
        self.hazard.at("change_review", Moment::Before).await?;
        self.store.change_review(after, events, at).await?;
        self.hazard.at("change_review", Moment::After).await
    }

    async fn keep_sheet(&self, review: Uuid, sheet: &KeptSheet) -> Result<(), StoreError> {
        self.hazard.at("keep_sheet", Moment::Before).await?;
        self.store.keep_sheet(review, sheet).await?;
        self.hazard.at("keep_sheet", Moment::After).await
    }

    async fn sheet(&self, review: Uuid, sheet: &Sheet) -> Result<Option<KeptSheet>, StoreError> {
        self.store.sheet(review, sheet).await
    }

    async fn review(&self, id: Uuid) -> Result<Option<Review>, StoreError> {
        self.store.review(id).await
    }

    async fn review_opening(&self, id: Uuid) -> Result<Option<Opening>, StoreError> {
        self.store.review_opening(id).await
    }

    async fn review_events(&self, id: Uuid) -> Result<Vec<(DateTime<Utc>, Event)>, StoreError> {
        self.store.review_events(id).await
    }

    async fn reviews(&self, most: u32) -> Result<Vec<Summary>, StoreError> {
        self.store.reviews(most).await
    }

    async fn unfinished_reviews(&self) -> Result<Vec<Summary>, StoreError> {
        self.store.unfinished_reviews().await
    }

    async fn last_closed_review(&self, name: &str) -> Result<Option<Uuid>, StoreError> {
        self.store.last_closed_review(name).await
    }

    async fn review_plans(&self) -> Result<Vec<ReviewPlan>, StoreError> {
        self.store.review_plans().await
    }

    async fn plan_review(&self, planned: &PlannedReview<'_>) -> Result<bool, StoreError> {
        self.hazard.at("plan_review", Moment::Before).await?;
        let stored = self.store.plan_review(planned).await?;
        self.hazard.at("plan_review", Moment::After).await?;
        Ok(stored)
    }

    async fn review_not_opened(
        &self,
        name: &str,
        fire_at: DateTime<Utc>,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("review_not_opened", Moment::Before).await?;
        self.store.review_not_opened(name, fire_at, reason, now).await?;
        self.hazard.at("review_not_opened", Moment::After).await
    }

    async fn reviews_to_tell(&self, now: DateTime<Utc>) -> Result<Vec<Uuid>, StoreError> {
        self.store.reviews_to_tell(now).await
    }

    async fn said(&self, id: Uuid) -> Result<Said, StoreError> {
        self.store.said(id).await
    }

    async fn review_messages(&self, id: Uuid) -> Result<Vec<MessageRecord>, StoreError> {
        self.store.review_messages(id).await
    }

    async fn tell(
        &self,
        review: &Review,
        messages: &[Notification],
        next: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        self.hazard.at("tell", Moment::Before).await?;
        let new = self.store.tell(review, messages, next, now).await?;
        self.hazard.at("tell", Moment::After).await?;
        Ok(new)
    }
}

#[async_trait]
impl<M: Database, H: Hazard> Sessions for Hazardous<M, H> {
    async fn keep_link(&self, id: SecretDigest, link: &Link, by: &Actor, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.hazard.at("keep_link", Moment::Before).await?;
        self.store.keep_link(id, link, by, now).await?;
        self.hazard.at("keep_link", Moment::After).await
    }

    async fn link(&self, id: SecretDigest) -> Result<Option<Link>, StoreError> {
        self.store.link(id).await
    }

    async fn begin_session(
        &self,
        id: SecretDigest,
        who: &SignedIn,
        replaces: Option<SecretDigest>,
        link: Option<SecretDigest>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.hazard.at("begin_session", Moment::Before).await?;
        self.store.begin_session(id, who, replaces, link, now).await?;
        self.hazard.at("begin_session", Moment::After).await
    }

    async fn session(&self, id: SecretDigest, now: DateTime<Utc>) -> Result<Option<Session>, StoreError> {
        self.store.session(id, now).await
    }

    async fn sessions_of(
        &self,
        address: &Address,
        now: DateTime<Utc>,
    ) -> Result<Vec<(SecretDigest, Session)>, StoreError> {
        self.store.sessions_of(address, now).await
    }

    async fn use_session(&self, id: SecretDigest, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.hazard.at("use_session", Moment::Before).await?;
        self.store.use_session(id, now).await?;
        self.hazard.at("use_session", Moment::After).await
    }

    async fn end_session(&self, id: SecretDigest) -> Result<(), StoreError> {
        self.hazard.at("end_session", Moment::Before).await?;
        self.store.end_session(id).await?;
        self.hazard.at("end_session", Moment::After).await
    }

    async fn end_sessions_of(&self, address: &Address) -> Result<u64, StoreError> {
        self.hazard.at("end_sessions_of", Moment::Before).await?;
        let ended = self.store.end_sessions_of(address).await?;
        self.hazard.at("end_sessions_of", Moment::After).await?;
        Ok(ended)
    }
}
