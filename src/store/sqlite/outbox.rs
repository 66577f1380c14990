//! The outbox: notifications that wait to be delivered, and their results.

use chrono::{DateTime, Duration, Utc};
use sqlx::{Row as _, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{count, millis};
use crate::{
    model::{
        notification::{Notification, Subject},
        run::MessageState,
    },
    review::messages::Said,
    store::{
        history::MessageRecord,
        queue::{LONGEST_WAIT, Outgoing, Sent},
        rows,
    },
};

/// Takes out the notification that has waited longest (?1 is now, ?2 the end of the lease, ?3 the furthest any wait
/// reaches, ?4 the job whose runs are meant, or NULL).
const TAKE: &str = "
UPDATE notification
SET attempt = attempt + 1, fence = fence + 1, lease_until = ?2
WHERE id = (
    SELECT id FROM notification INDEXED BY notification_waiting
    WHERE state = 'waiting' AND carried_by IS NULL AND not_before NOT BETWEEN ?1 + 1 AND ?3
    AND (lease_until IS NULL OR lease_until NOT BETWEEN ?1 + 1 AND ?3)
    AND (?4 IS NULL OR job = ?4)
    ORDER BY not_before, id LIMIT 1
)
RETURNING *";

/// Gives up what waits for the same channel and address, of the same kind of subject, but for the new notification
/// that replaces it.
const REPLACE: &str = "
UPDATE notification INDEXED BY notification_waiting SET state = 'rejected', answer = 'replaced by a newer one', finished_at = ?4, lease_until = NULL
WHERE state = 'waiting' AND subject_kind = ?1 AND channel = ?2 AND address = ?3 AND id <> ?5";

const INSERT: &str = "
INSERT INTO notification (subject_kind, subject_id, run, channel, kind, about, address, sender, message_id, body,
                          not_before, created_at, job, workspace, fire_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, (SELECT job FROM run WHERE id = ?3),
        (SELECT workspace FROM run WHERE id = ?3), (SELECT fire_at FROM run WHERE id = ?3))
ON CONFLICT (subject_kind, subject_id, channel, kind, about, address) DO NOTHING";

/// Puts notifications into the outbox, in the caller's transaction. One that is there already stays as it is. Returns how
/// many are new.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    notifications: &[Notification],
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let mut new = 0;
    for notification in notifications {
        let Notification { subject, channel, kind, about, address, sender, message_id, bytes } = notification;
        let inserted = sqlx::query(INSERT)
            .bind(subject.kind())
            .bind(subject.id())
            .bind(subject.run().map(|run| run.as_bytes().to_vec()))
            .bind(channel)
            .bind(kind)
            .bind(about)
            .bind(address)
            .bind(sender)
            .bind(message_id)
            .bind(bytes.as_slice())
            .bind(millis(now))
            .execute(&mut *connection)
            .await?;
        new += inserted.rows_affected();
        if inserted.rows_affected() == 1 && notification.replaces_earlier() {
            sqlx::query(REPLACE)
                .bind(subject.kind())
                .bind(channel)
                .bind(address)
                .bind(millis(now))
                .bind(inserted.last_insert_rowid())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(new)
}

/// The messages about a review.
pub(super) async fn said(pool: &SqlitePool, review: &Subject) -> Result<Said, sqlx::Error> {
    let sql = "SELECT kind, about, address, created_at FROM notification WHERE subject_kind = ? AND subject_id = ?";
    let rows = sqlx::query(sql).bind(review.kind()).bind(review.id()).fetch_all(pool).await?;
    let mut said = Said::default();
    for row in &rows {
        let address: String = row.try_get("address")?;
        said.add(row.try_get("kind")?, row.try_get("about")?, &address, rows::moment(row.try_get("created_at")?));
    }
    Ok(said)
}

pub(super) async fn take(
    pool: &SqlitePool,
    job: Option<&str>,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<Option<Outgoing>, sqlx::Error> {
    // In a transaction, because `RETURNING` gives the row before it is written: with a full disk the notification would be
    // sent, never be marked as taken, and be sent again at once.
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query(TAKE)
        .bind(millis(now))
        .bind(millis(now + lease))
        .bind(millis(now + LONGEST_WAIT))
        .bind(job)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let taken = rows::outgoing(&row)?;
    transaction.commit().await?;
    Ok(Some(taken))
}

/// Stores the result of an attempt; false if the claim is no longer valid.
pub(super) async fn sent(
    connection: &mut SqliteConnection,
    outgoing: &Outgoing,
    outcome: &Sent,
    answer: &str,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let (state, not_before) = match outcome {
        Sent::Accepted => (MessageState::Accepted, now),
        Sent::Again(not_before) => (MessageState::Waiting, *not_before),
        Sent::GivenUp => (MessageState::Rejected, now),
    };
    let finished = (state != MessageState::Waiting).then(|| millis(now));
    // An accepted message is the server's to keep. A rejected one can still be sent again by `runs retry`.
    let updated = sqlx::query(
        "UPDATE notification SET state = ?1, answer = ?2, not_before = ?3, finished_at = ?4, lease_until = NULL,
                            body = CASE ?1 WHEN 'accepted' THEN x'' ELSE body END
         WHERE id = ?5 AND fence = ?6 AND state = 'waiting'",
    )
    .bind(state.word())
    .bind(answer)
    .bind(millis(not_before))
    .bind(finished)
    .bind(outgoing.id)
    .bind(count(outgoing.fence))
    .execute(&mut *connection)
    .await?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    follow(connection, outgoing.id).await?;
    Ok(true)
}

/// Gives the notifications that one carries its state.
async fn follow(connection: &mut SqliteConnection, carrier: i64) -> Result<(), sqlx::Error> {
    let sql = "UPDATE notification AS n INDEXED BY notification_carried
               SET (state, answer, not_before, created_at, finished_at)
                   = (SELECT c.state, c.answer, c.not_before, c.created_at, c.finished_at FROM notification AS c WHERE c.id = ?1)
               WHERE n.carried_by = ?1";
    sqlx::query(sql).bind(carrier).execute(connection).await.map(|_| ())
}

/// The runs of the notifications that one carries.
pub(super) async fn carried(connection: &mut SqliteConnection, carrier: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = "SELECT run FROM notification INDEXED BY notification_carried WHERE carried_by = ? AND run IS NOT NULL";
    let runs = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(carrier).fetch_all(connection).await?;
    runs.iter().map(|run| rows::uuid(run)).collect()
}

/// Marks a run as delivered once none of its notifications waits, nor a message that its share goes into.
pub(super) async fn deliver(connection: &mut SqliteConnection, run: Uuid) -> Result<(), sqlx::Error> {
    let sql = "UPDATE run SET state = 'delivered' WHERE id = ?1 AND state = 'recorded'
               AND NOT EXISTS (SELECT 1 FROM share WHERE share.run = ?1)
               AND NOT EXISTS (SELECT 1 FROM notification WHERE run = ?1 AND state = 'waiting')";
    sqlx::query(sql).bind(run.as_bytes().to_vec()).execute(connection).await.map(|_| ())
}

/// Sends the rejected messages of a run again, also those that another run's carry, if their bytes are still there; each
/// run of such a message then waits for it. Returns how many there are.
pub(super) async fn retry(
    connection: &mut SqliteConnection,
    run: Uuid,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let again = sqlx::query_scalar::<_, i64>(
        "UPDATE notification SET state = 'waiting', not_before = ?2, created_at = ?2, finished_at = NULL
         WHERE state = 'rejected' AND length(body) > 0
         AND id IN (SELECT COALESCE(carried_by, id) FROM notification WHERE run = ?1 AND state = 'rejected')
         RETURNING id",
    )
    .bind(run.as_bytes().to_vec())
    .bind(millis(now))
    .fetch_all(&mut *connection)
    .await?;
    for carrier in &again {
        follow(connection, *carrier).await?;
        sqlx::query(
            "UPDATE run SET state = 'recorded', finished_at = NULL WHERE state IN ('delivered', 'closed')
             AND id IN (SELECT run FROM notification WHERE id = ?1
                        UNION SELECT run FROM notification INDEXED BY notification_carried WHERE carried_by = ?1)",
        )
        .bind(carrier)
        .execute(&mut *connection)
        .await?;
    }
    Ok(again.len() as u64)
}

/// Empties the rejected messages of runs that were due before a time, and deletes old results that belong to no run, nor to a
/// review that is under way.
pub(super) async fn prune(connection: &mut SqliteConnection, before: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE notification INDEXED BY notification_kept SET body = x'' WHERE state = 'rejected' AND length(body) > 0
         AND fire_at < ?",
    )
    .bind(millis(before))
    .execute(&mut *connection)
    .await?;
    let sql = "DELETE FROM combination INDEXED BY combination_mailed WHERE mailed_at IS NOT NULL AND fire_at < ?";
    sqlx::query(sql).bind(millis(before)).execute(&mut *connection).await?;
    let sql = "DELETE FROM notification INDEXED BY notification_finished
               WHERE run IS NULL AND finished_at < ?
               AND (subject_kind <> 'review'
                    OR subject_id NOT IN (SELECT lower(hex(id)) FROM review WHERE state IN ('open', 'decided')))";
    sqlx::query(sql).bind(millis(before)).execute(connection).await.map(|_| ())
}

/// The messages about a subject that is no run, in the order in which they were written.
pub(super) async fn about(pool: &SqlitePool, subject: &Subject) -> Result<Vec<MessageRecord>, sqlx::Error> {
    let sql = "SELECT * FROM notification WHERE subject_kind = ? AND subject_id = ? ORDER BY id";
    let query = sqlx::query(sql).bind(subject.kind()).bind(subject.id());
    query.fetch_all(pool).await?.iter().map(rows::message).collect()
}

pub(super) async fn messages(pool: &SqlitePool, run: Uuid) -> Result<Vec<MessageRecord>, sqlx::Error> {
    let query = sqlx::query("SELECT * FROM notification WHERE run = ? ORDER BY id").bind(run.as_bytes().to_vec());
    query.fetch_all(pool).await?.iter().map(rows::message).collect()
}
