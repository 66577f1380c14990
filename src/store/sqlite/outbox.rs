//! Messages that wait to be sent, whole, and what became of them.

use chrono::{DateTime, Duration, Utc};
use sqlx::{Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use uuid::Uuid;

use super::{count, millis, moment};
use crate::{
    model::run::MessageState,
    store::{
        history::MessageRecord,
        queue::{LONGEST_WAIT, NewMessage, Outgoing, Sent},
    },
};

/// Takes out the message that waits longest (?1 is now, ?2 the end of the lease, ?3 the furthest any wait reaches,
/// ?4 the job whose messages are meant, or nothing).
const TAKE: &str = "
UPDATE message
SET attempt = attempt + 1, fence = fence + 1, lease_until = ?2
WHERE id = (
    SELECT id FROM message
    WHERE state = 'waiting' AND not_before NOT BETWEEN ?1 + 1 AND ?3
    AND (lease_until IS NULL OR lease_until NOT BETWEEN ?1 + 1 AND ?3)
    AND (?4 IS NULL OR run IN (SELECT id FROM run WHERE job = ?4))
    ORDER BY not_before, id LIMIT 1
)
RETURNING *";

/// Puts messages into the outbox, inside a transaction of the caller's. One that is there already stays as it is.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    run: Uuid,
    messages: &[NewMessage],
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    for message in messages {
        sqlx::query(
            "INSERT INTO message (run, kind, about, recipient, sender, message_id, body, not_before, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, kind, about, recipient) DO NOTHING",
        )
        .bind(run.as_bytes().to_vec())
        .bind(&message.kind)
        .bind(&message.about)
        .bind(&message.recipient)
        .bind(&message.sender)
        .bind(&message.message_id)
        .bind(message.bytes.as_slice())
        .bind(millis(now))
        .bind(millis(now))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn take(
    pool: &SqlitePool,
    job: Option<&str>,
    now: DateTime<Utc>,
    lease: Duration,
) -> Result<Option<Outgoing>, sqlx::Error> {
    // A transaction, because a row that `RETURNING` gives is there before the write is: where the disk is full, the
    // message would be sent, never be marked as taken, and be sent again at once.
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let row = sqlx::query(TAKE)
        .bind(millis(now))
        .bind(millis(now + lease))
        .bind(millis(now + LONGEST_WAIT))
        .bind(job)
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let taken = outgoing(&row)?;
    transaction.commit().await?;
    Ok(Some(taken))
}

/// Stores what came of sending a message; false where the claim is no longer valid.
pub(super) async fn sent(
    connection: &mut SqliteConnection,
    message: &Outgoing,
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
    // What a server has accepted is its to keep; what nobody accepted can still be sent by hand.
    let updated = sqlx::query(
        "UPDATE message SET state = ?1, answer = ?2, not_before = ?3, finished_at = ?4, lease_until = NULL,
                            body = CASE ?1 WHEN 'accepted' THEN x'' ELSE body END
         WHERE id = ?5 AND fence = ?6 AND state = 'waiting'",
    )
    .bind(state.word())
    .bind(answer)
    .bind(millis(not_before))
    .bind(finished)
    .bind(message.id)
    .bind(count(message.fence))
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// A run none of whose messages waits any more is delivered.
pub(super) async fn deliver(connection: &mut SqliteConnection, run: Uuid) -> Result<(), sqlx::Error> {
    let sql = "UPDATE run SET state = 'delivered' WHERE id = ?1 AND state = 'recorded'
               AND NOT EXISTS (SELECT 1 FROM message WHERE run = ?1 AND state = 'waiting')";
    sqlx::query(sql).bind(run.as_bytes().to_vec()).execute(connection).await.map(|_| ())
}

/// Has the messages of a run that were given up sent again, where they are still there; the run waits for them.
/// Returns how many.
pub(super) async fn retry(
    connection: &mut SqliteConnection,
    run: Uuid,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let again = sqlx::query(
        "UPDATE message SET state = 'waiting', not_before = ?2, created_at = ?2, finished_at = NULL
         WHERE run = ?1 AND state = 'rejected' AND length(body) > 0",
    )
    .bind(run.as_bytes().to_vec())
    .bind(millis(now))
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if again > 0 {
        sqlx::query(
            "UPDATE run SET state = 'recorded', finished_at = NULL WHERE id = ? AND state IN ('delivered', 'closed')",
        )
        .bind(run.as_bytes().to_vec())
        .execute(connection)
        .await?;
    }
    Ok(again)
}

pub(super) async fn messages(pool: &SqlitePool, run: Uuid) -> Result<Vec<MessageRecord>, sqlx::Error> {
    let query = sqlx::query("SELECT * FROM message WHERE run = ? ORDER BY id").bind(run.as_bytes().to_vec());
    let record = |row: &SqliteRow| -> Result<MessageRecord, sqlx::Error> {
        let state: String = row.try_get("state")?;
        Ok(MessageRecord {
            kind: row.try_get("kind")?,
            recipient: row.try_get("recipient")?,
            message_id: row.try_get("message_id")?,
            state: MessageState::of_word(&state)
                .ok_or_else(|| sqlx::Error::Decode(format!("no state: {state}").into()))?,
            attempt: u32::try_from(row.try_get::<i64, _>("attempt")?).unwrap_or(u32::MAX),
            answer: row.try_get("answer")?,
            finished_at: row.try_get::<Option<i64>, _>("finished_at")?.map(moment),
        })
    };
    query.fetch_all(pool).await?.iter().map(record).collect()
}

fn outgoing(row: &SqliteRow) -> Result<Outgoing, sqlx::Error> {
    let run: Vec<u8> = row.try_get("run")?;
    Ok(Outgoing {
        message: NewMessage {
            kind: row.try_get("kind")?,
            about: row.try_get("about")?,
            recipient: row.try_get("recipient")?,
            sender: row.try_get("sender")?,
            message_id: row.try_get("message_id")?,
            bytes: row.try_get("body")?,
        },
        id: row.try_get("id")?,
        run: Uuid::from_slice(&run).map_err(|error| sqlx::Error::Decode(error.into()))?,
        attempt: u32::try_from(row.try_get::<i64, _>("attempt")?).unwrap_or(u32::MAX),
        created_at: moment(row.try_get("created_at")?),
        fence: row.try_get::<i64, _>("fence")?.unsigned_abs(),
        kept: false,
    })
}
