//! The outbox: notifications that wait to be delivered, and their results.

use chrono::{DateTime, Duration, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{clean, count, lease_time::with_time, millis, write, write::Write};
use crate::{
    model::{
        notification::{Notification, Subject},
        run::MessageState,
    },
    review::messages::Said,
    store::{
        history::MessageRecord,
        queue::{LONGEST_WAIT, Outgoing, Sent},
        rows::{self, Columns as _},
    },
};

/// Takes out the notification that has waited longest ($2 is the length of the lease, $3 the longest of any wait, $4 the job
/// whose runs are meant, or NULL). One that another process is taking is passed over.
const TAKE: &str = with_time!(
    "UPDATE notification
SET attempt = attempt + 1, fence = fence + 1, lease_until = (SELECT now FROM t) + $2
WHERE id = (
    SELECT n.id FROM t CROSS JOIN notification AS n
    WHERE n.state = 'waiting' AND n.carried_by IS NULL AND n.not_before NOT BETWEEN t.now + 1 AND t.now + $3
    AND (n.lease_until IS NULL OR n.lease_until NOT BETWEEN t.now + 1 AND t.now + $3)
    AND ($4::text IS NULL OR n.job = $4)
    ORDER BY n.not_before, n.id LIMIT 1
    FOR UPDATE OF n SKIP LOCKED
)
RETURNING *"
);

/// Gives up what waits for the same channel and address, of the same kind of subject, but for the new notification
/// that replaces it.
const REPLACE: &str = "
UPDATE notification SET state = 'rejected', answer = 'replaced by a newer one', finished_at = $4, lease_until = NULL
WHERE state = 'waiting' AND subject_kind = $1 AND channel = $2 AND address = $3 AND id <> $5";

const INSERT: &str = "
INSERT INTO notification (subject_kind, subject_id, run, channel, kind, about, address, sender, message_id, body,
                          not_before, created_at, job, workspace, fire_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, (SELECT job FROM run WHERE id = $3),
        (SELECT workspace FROM run WHERE id = $3), (SELECT fire_at FROM run WHERE id = $3))
ON CONFLICT (subject_kind, subject_id, channel, kind, about, address) DO NOTHING
RETURNING id";

/// Puts notifications into the outbox. One that is there already stays as it is. Returns how many are new.
pub(super) async fn insert(
    write: &mut Write,
    notifications: &[Notification],
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let mut new = 0;
    for notification in notifications {
        let Notification { subject, channel, kind, about, address, sender, message_id, bytes } = notification;
        let inserted = sqlx::query_scalar::<_, i64>(INSERT)
            .bind(subject.kind())
            .bind(subject.id())
            .bind(subject.run().map(|run| run.as_bytes().to_vec()))
            .bind(channel)
            .bind(kind)
            .bind(clean(about))
            .bind(clean(address))
            .bind(sender)
            .bind(message_id)
            .bind(bytes.as_slice())
            .bind(millis(now))
            .fetch_optional(write.on())
            .await?;
        let Some(id) = inserted else { continue };
        new += 1;
        write.wake();
        if notification.replaces_earlier() {
            sqlx::query(REPLACE)
                .bind(subject.kind())
                .bind(channel)
                .bind(address)
                .bind(millis(now))
                .bind(id)
                .execute(write.on())
                .await?;
        }
    }
    Ok(new)
}

/// The messages about a review.
pub(super) async fn said(pool: &PgPool, review: &Subject) -> Result<Said, sqlx::Error> {
    let sql = "SELECT kind, about, address, created_at FROM notification WHERE subject_kind = $1 AND subject_id = $2";
    let rows = sqlx::query(sql).bind(review.kind()).bind(review.id()).fetch_all(pool).await?;
    let mut said = Said::default();
    for row in &rows {
        said.add(row.text("kind")?, row.text("about")?, &row.text("address")?, row.moment("created_at")?);
    }
    Ok(said)
}

pub(super) async fn take(
    pool: &PgPool,
    job: Option<&str>,
    time: Option<i64>,
    lease: Duration,
) -> Result<Option<Outgoing>, sqlx::Error> {
    // In a transaction, because the row comes before the commit, which may still fail.
    let mut transaction = pool.begin().await?;
    let row = sqlx::query(TAKE)
        .bind(time)
        .bind(lease.num_milliseconds())
        .bind(LONGEST_WAIT.num_milliseconds())
        .bind(job)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let taken = rows::outgoing(&row)?;
    write::commit(transaction).await?;
    Ok(Some(taken))
}

/// Stores the result of an attempt; false if the claim is no longer valid.
pub(super) async fn sent(
    connection: &mut PgConnection,
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
        "UPDATE notification SET state = $1, answer = $2, not_before = $3, finished_at = $4, lease_until = NULL,
                            body = CASE $1 WHEN 'accepted' THEN ''::bytea ELSE body END
         WHERE id = $5 AND fence = $6 AND state = 'waiting'",
    )
    .bind(state.word())
    .bind(clean(answer))
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
async fn follow(connection: &mut PgConnection, carrier: i64) -> Result<(), sqlx::Error> {
    let sql = "UPDATE notification AS n
               SET state = c.state, answer = c.answer, not_before = c.not_before, created_at = c.created_at,
                   finished_at = c.finished_at
               FROM notification AS c WHERE c.id = $1 AND n.carried_by = $1";
    sqlx::query(sql).bind(carrier).execute(connection).await.map(|_| ())
}

/// The runs of the notifications that one carries.
pub(super) async fn carried(connection: &mut PgConnection, carrier: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = "SELECT run FROM notification WHERE carried_by = $1 AND run IS NOT NULL";
    let runs = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(carrier).fetch_all(connection).await?;
    runs.iter().map(|run| rows::uuid(run)).collect()
}

/// Marks a run as delivered once none of its notifications waits, nor a message that its share goes into.
pub(super) async fn deliver(connection: &mut PgConnection, run: Uuid) -> Result<(), sqlx::Error> {
    let sql = "UPDATE run SET state = 'delivered' WHERE id = $1 AND state = 'recorded'
               AND NOT EXISTS (SELECT 1 FROM share WHERE share.run = $1)
               AND NOT EXISTS (SELECT 1 FROM notification WHERE run = $1 AND state = 'waiting')";
    sqlx::query(sql).bind(run.as_bytes().to_vec()).execute(connection).await.map(|_| ())
}

/// Sends the rejected messages of a run again, also those that another run's carry, if their bytes are still there; each
/// run of such a message then waits for it. Returns how many there are.
pub(super) async fn retry(connection: &mut PgConnection, run: Uuid, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let again = sqlx::query_scalar::<_, i64>(
        "UPDATE notification SET state = 'waiting', not_before = $2, created_at = $2, finished_at = NULL
         WHERE state = 'rejected' AND length(body) > 0
         AND id IN (SELECT COALESCE(carried_by, id) FROM notification WHERE run = $1 AND state = 'rejected')
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
             AND id IN (SELECT run FROM notification WHERE id = $1
                        UNION SELECT run FROM notification WHERE carried_by = $1)",
        )
        .bind(carrier)
        .execute(&mut *connection)
        .await?;
    }
    Ok(again.len() as u64)
}

/// Empties the rejected messages of runs that were due before a time, and deletes old results that belong to no run, nor to a
/// review that is under way.
pub(super) async fn prune(connection: &mut PgConnection, before: DateTime<Utc>) -> Result<(), sqlx::Error> {
    let sql = "UPDATE notification SET body = ''::bytea WHERE state = 'rejected' AND length(body) > 0 AND fire_at < $1";
    sqlx::query(sql).bind(millis(before)).execute(&mut *connection).await?;
    let sql = "DELETE FROM combination WHERE mailed_at IS NOT NULL AND fire_at < $1";
    sqlx::query(sql).bind(millis(before)).execute(&mut *connection).await?;
    let sql = "DELETE FROM notification WHERE run IS NULL AND finished_at < $1
               AND (subject_kind <> 'review'
                    OR subject_id NOT IN (SELECT encode(id, 'hex') FROM review WHERE state IN ('open', 'decided')))";
    sqlx::query(sql).bind(millis(before)).execute(connection).await.map(|_| ())
}

/// The messages about a subject that is no run, in the order in which they were written.
pub(super) async fn about(pool: &PgPool, subject: &Subject) -> Result<Vec<MessageRecord>, sqlx::Error> {
    let sql = "SELECT * FROM notification WHERE subject_kind = $1 AND subject_id = $2 ORDER BY id";
    let query = sqlx::query(sql).bind(subject.kind()).bind(subject.id());
    query.fetch_all(pool).await?.iter().map(rows::message).collect()
}

pub(super) async fn messages(pool: &PgPool, run: Uuid) -> Result<Vec<MessageRecord>, sqlx::Error> {
    let query = sqlx::query("SELECT * FROM notification WHERE run = $1 ORDER BY id").bind(run.as_bytes().to_vec());
    query.fetch_all(pool).await?.iter().map(rows::message).collect()
}
