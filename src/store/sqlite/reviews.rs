//! Reviews by people: a row for each, and its events.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{SqliteStore, count, ledger, millis, outbox};
use crate::{
    model::notification::{Notification, Subject},
    review::{
        event::{Event, Opening, Sheet},
        messages::Said,
        state::{Review, Summary},
    },
    store::{
        StoreError, facts,
        history::MessageRecord,
        known::followed,
        reviews::{KeptSheet, PlannedReview, ReviewPlan, Reviews, compress, pack, unpack, unpack_sheet},
        rows,
    },
};

#[async_trait::async_trait]
impl Reviews for SqliteStore {
    async fn open_review(&self, review: &Review) -> Result<(), StoreError> {
        let failed = self.explain("keep a review");
        let (summary, population) = (review.summary(), pack(review.population())?);
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let inserted = sqlx::query(
            "INSERT INTO review (id, name, job, state, opened_at, due_at, fire_at, items, undecided, unproven, events, population)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING",
        )
        .bind(summary.id.as_bytes().as_slice())
        .bind(&summary.name)
        .bind(&summary.job)
        .bind(summary.state.word())
        .bind(millis(summary.opened_at))
        .bind(millis(summary.due))
        .bind(summary.fire_at.map(millis))
        .bind(summary.items)
        .bind(summary.undecided)
        .bind(summary.unproven)
        .bind(population)
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if inserted.rows_affected() == 0 {
            return Err(StoreError::Busy { what: format!("the review {}", summary.name) });
        }
        let events = [Event::Opened(review.opening().clone())];
        append(&mut transaction, review, &events, summary.opened_at).await.map_err(&failed)?;
        sqlx::query("UPDATE review_plan SET due_at = NULL, reason = NULL WHERE name = ? AND due_at <= ?")
            .bind(&summary.name)
            .bind(millis(summary.opened_at))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn change_review(&self, after: &Review, events: &[Event], at: DateTime<Utc>) -> Result<(), StoreError> {
        let failed = self.explain("keep a review");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        if !append(&mut transaction, after, events, at).await.map_err(&failed)? {
            return Err(StoreError::Lost { what: format!("the review {}", after.opening().name) });
        }
        transaction.commit().await.map_err(&failed)
    }

    async fn keep_sheet(&self, review: Uuid, kept: &KeptSheet) -> Result<(), StoreError> {
        let failed = self.explain("keep a spreadsheet");
        let content = compress(&kept.content)?;
        let signature = kept.signature.as_ref();
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        sqlx::query(
            "INSERT INTO review_sheet (review, sha256, signed_by, content, signature, signer) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(review.as_bytes().as_slice())
        .bind(&kept.sheet.sha256)
        .bind(kept.sheet.signed_by.as_deref().unwrap_or_default())
        .bind(content)
        .bind(signature.map_or("", |signature| &*signature.pem))
        .bind(signature.map_or("", |signature| &*signature.signer))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn sheet(&self, review: Uuid, sheet: &Sheet) -> Result<Option<KeptSheet>, StoreError> {
        let failed = self.explain("read a spreadsheet");
        let sql =
            "SELECT content, signature, signer FROM review_sheet WHERE review = ? AND sha256 = ? AND signed_by = ?";
        let found = sqlx::query_as::<_, (Vec<u8>, String, String)>(sql)
            .bind(review.as_bytes().as_slice())
            .bind(&sheet.sha256)
            .bind(sheet.signed_by.as_deref().unwrap_or_default())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        found.map(|row| unpack_sheet(review, sheet, row)).transpose()
    }

    async fn review(&self, id: Uuid) -> Result<Option<Review>, StoreError> {
        let failed = self.explain("read a review");
        let query = sqlx::query_scalar::<_, i64>("SELECT events FROM review WHERE id = ?");
        let found = query.bind(id.as_bytes().as_slice()).fetch_optional(&self.pool).await.map_err(&failed)?;
        let Some(events) = found else { return Ok(None) };
        if let Some(known) = self.known.get(id, u64::try_from(events).unwrap_or_default())
            && let Some(review) = followed(&known, &self.events_after(id, known.events()).await?)
        {
            return Ok(Some(self.known.put(review)));
        }
        let query = sqlx::query_scalar::<_, Vec<u8>>("SELECT population FROM review WHERE id = ?");
        let found = query.bind(id.as_bytes().as_slice()).fetch_optional(&self.pool).await.map_err(&failed)?;
        let Some(population) = found else { return Ok(None) };
        let review = unpack(id, &population, &self.review_events(id).await?)?;
        Ok(Some(self.known.put(review)))
    }

    async fn review_opening(&self, id: Uuid) -> Result<Option<Opening>, StoreError> {
        let failed = self.explain("read a review");
        let query = sqlx::query("SELECT at, body FROM review_event WHERE review = ? AND number = 1");
        let row = query.bind(id.as_bytes().as_slice()).fetch_optional(&self.pool).await.map_err(&failed)?;
        match row.as_ref().map(rows::event).transpose().map_err(failed)? {
            Some((_, Event::Opened(opening))) => Ok(Some(opening)),
            _ => Ok(None),
        }
    }

    async fn review_events(&self, id: Uuid) -> Result<Vec<(DateTime<Utc>, Event)>, StoreError> {
        self.events_after(id, 0).await
    }

    async fn reviews(&self, most: u32) -> Result<Vec<Summary>, StoreError> {
        let failed = self.explain("read the reviews");
        let sql = "SELECT id, name, job, state, opened_at, due_at, fire_at, items, undecided, unproven, work_due, events FROM review
                   ORDER BY opened_at DESC, id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::summary).collect::<Result<_, _>>().map_err(failed)
    }

    async fn unfinished_reviews(&self) -> Result<Vec<Summary>, StoreError> {
        let failed = self.explain("read the reviews");
        let sql = "SELECT id, name, job, state, opened_at, due_at, fire_at, items, undecided, unproven, work_due, events FROM review
                   WHERE state IN ('open', 'decided') OR unproven > 0 ORDER BY opened_at";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::summary).collect::<Result<_, _>>().map_err(failed)
    }

    async fn last_closed_review(&self, name: &str) -> Result<Option<Uuid>, StoreError> {
        let failed = self.explain("read the reviews");
        let sql = "SELECT id FROM review WHERE name = ? AND state = 'closed' ORDER BY opened_at DESC LIMIT 1";
        let found = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(name).fetch_optional(&self.pool).await;
        found.and_then(|id| id.as_deref().map(rows::uuid).transpose()).map_err(failed)
    }

    async fn review_plans(&self) -> Result<Vec<ReviewPlan>, StoreError> {
        let failed = self.explain("read the schedules of reviews");
        let sql = "SELECT name, schedule, at, due_at, reason FROM review_plan ORDER BY name";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::plan).collect::<Result<_, _>>().map_err(failed)
    }

    async fn plan_review(&self, planned: &PlannedReview<'_>) -> Result<bool, StoreError> {
        let failed = self.explain("store what is due");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let sql = "SELECT name, schedule, at, due_at, reason FROM review_plan WHERE name = ?";
        let known = sqlx::query(sql).bind(planned.name).fetch_optional(&mut *transaction).await.map_err(&failed)?;
        let known = known.as_ref().map(rows::plan).transpose().map_err(&failed)?;
        if known.as_ref() != planned.from {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO review_plan (name, job, schedule, at, due_at)
             SELECT ?1, ?2, ?3, ?4, CASE WHEN EXISTS (SELECT 1 FROM review WHERE name = ?1 AND fire_at = ?5) THEN NULL ELSE ?5 END
             WHERE true
             ON CONFLICT (name) DO UPDATE SET job = excluded.job, schedule = excluded.schedule, at = excluded.at,
                reason = CASE WHEN due_at IS excluded.due_at THEN reason END, due_at = excluded.due_at",
        )
        .bind(planned.name)
        .bind(planned.job)
        .bind(&planned.to.schedule)
        .bind(millis(planned.to.at))
        .bind(planned.due.map(millis))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        ledger::append(&mut transaction, facts::plan_review(planned), planned.now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }

    async fn review_not_opened(
        &self,
        name: &str,
        fire_at: DateTime<Utc>,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("store why a review is not opened");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let sql = "UPDATE review_plan SET reason = ?1 WHERE name = ?2 AND due_at = ?3 AND reason IS NOT ?1";
        let query = sqlx::query(sql).bind(reason).bind(name).bind(millis(fire_at));
        if query.execute(&mut *transaction).await.map_err(&failed)?.rows_affected() > 0 {
            let facts = facts::review_not_opened(name, fire_at, reason);
            ledger::append(&mut transaction, facts, now).await.map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)
    }

    async fn reviews_to_tell(&self, now: DateTime<Utc>) -> Result<Vec<Uuid>, StoreError> {
        let failed = self.explain("read the reviews");
        let sql = "SELECT id FROM review INDEXED BY review_untold WHERE told_events < events
                   UNION SELECT id FROM review INDEXED BY review_next_message
                   WHERE next_message IS NOT NULL AND next_message <= ?";
        let found = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(millis(now)).fetch_all(&self.pool).await;
        found.and_then(|ids| ids.iter().map(|id| rows::uuid(id)).collect()).map_err(failed)
    }

    async fn said(&self, id: Uuid) -> Result<Said, StoreError> {
        let failed = self.explain("read the outbox");
        let subject = Subject::Review(id);
        outbox::said(&self.pool, &subject).await.map_err(failed)
    }

    async fn review_messages(&self, id: Uuid) -> Result<Vec<MessageRecord>, StoreError> {
        outbox::about(&self.pool, &Subject::Review(id)).await.map_err(self.explain("read the outbox"))
    }

    async fn tell(
        &self,
        review: &Review,
        messages: &[Notification],
        next: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let failed = self.explain("write to the outbox");
        let summary = review.summary();
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let new = outbox::insert(&mut transaction, messages, now).await.map_err(&failed)?;
        sqlx::query(
            "UPDATE review SET told_events = ?1, next_message = ?2, work_due = ?3 WHERE id = ?4 AND events = ?1",
        )
        .bind(count(summary.events))
        .bind(next.map(millis))
        .bind(summary.work_due.map(millis))
        .bind(summary.id.as_bytes().as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(new)
    }
}

impl SqliteStore {
    /// The events of a review after one with this number, and when they happened.
    async fn events_after(&self, id: Uuid, number: u64) -> Result<Vec<(DateTime<Utc>, Event)>, StoreError> {
        let failed = self.explain("read a review");
        let query = sqlx::query("SELECT at, body FROM review_event WHERE review = ? AND number > ? ORDER BY number");
        let query = query.bind(id.as_bytes().as_slice()).bind(count(number));
        let rows = query.fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::event).collect::<Result<_, _>>().map_err(failed)
    }
}

/// Appends events in the caller's transaction, and their ledger entries. Returns whether the review was as the caller read
/// it; if not, nothing was changed.
async fn append(
    connection: &mut SqliteConnection,
    after: &Review,
    events: &[Event],
    at: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let summary = after.summary();
    let before = summary.events.saturating_sub(events.len() as u64);
    let updated =
        sqlx::query("UPDATE review SET state = ?, undecided = ?, unproven = ?, work_due = ?, events = ? WHERE id = ? AND events = ?")
            .bind(summary.state.word())
            .bind(summary.undecided)
            .bind(summary.unproven)
            .bind(summary.work_due.map(millis))
            .bind(count(summary.events))
            .bind(summary.id.as_bytes().as_slice())
            .bind(count(before))
            .execute(&mut *connection)
            .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    for (number, event) in (before + 1..).zip(events) {
        let body = rows::json(event)?;
        sqlx::query("INSERT INTO review_event (review, number, at, body) VALUES (?, ?, ?, ?)")
            .bind(summary.id.as_bytes().as_slice())
            .bind(count(number))
            .bind(millis(at))
            .bind(body)
            .execute(&mut *connection)
            .await?;
    }
    ledger::append(connection, facts::review(summary.id, events), at).await?;
    Ok(true)
}
