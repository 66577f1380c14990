//! Reviews by people in the store: what is reviewed, and every event. A write and its ledger entries are stored together or
//! not at all.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{StoreError, history::MessageRecord, queue::Cursor};
use crate::{
    model::{notification::Notification, reviewed::Reviewed, run::Gap},
    review::{
        event::{Event, Opening, Sheet},
        item::Population,
        messages::Said,
        state::{Review, Summary},
    },
};

/// Up to when the scheduled times of a review are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewPlan {
    /// The review's name in the configuration.
    pub name: String,
    /// The schedule and up to when it is decided.
    pub cursor: Cursor,
    /// The last scheduled time that is due and has no review yet. `None` if there is none.
    pub due: Option<DateTime<Utc>>,
    /// Why it could not be opened so far. `None` if nobody has tried.
    pub reason: Option<String>,
}

/// Decisions about the scheduled times of one review, stored together.
#[derive(Debug, Clone, Copy)]
pub struct PlannedReview<'a> {
    /// The review's name in the configuration.
    pub name: &'a str,
    /// The job whose audits it is about.
    pub job: &'a str,
    /// The plan that the decisions start from; `None` for a new review.
    pub from: Option<&'a ReviewPlan>,
    /// The cursor after these decisions.
    pub to: &'a Cursor,
    /// The last scheduled time that is due and has no review yet. `None` if there is none.
    pub due: Option<DateTime<Utc>>,
    /// Scheduled times for which no review is opened.
    pub skipped: &'a [Gap],
    /// When the decisions were made.
    pub now: DateTime<Utc>,
}

/// A spreadsheet that somebody decided with, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSheet {
    /// Its digest, and who signed it.
    pub sheet: Sheet,
    /// The file.
    pub content: Vec<u8>,
    /// The signature and who made it; `None` if it was not signed.
    pub signature: Option<SheetSignature>,
}

/// The signature of a spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetSignature {
    /// As `ssh-keygen` writes it.
    pub pem: String,
    /// The person and the key, as a line of an `allowed_signers` file.
    pub signer: String,
}

/// Keeps reviews.
#[async_trait::async_trait]
pub trait Reviews: Send + Sync {
    /// Keeps a review that was just opened. No earlier scheduled time of its name is due any more.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if a review of this name is under way or was opened for the same scheduled time, or any other
    /// error; then nothing was kept.
    async fn open_review(&self, review: &Review) -> Result<(), StoreError>;

    /// Keeps events that happened at one time: `after` is the review with them applied.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if something else happened to the review since it was read, or any other error; then nothing was
    /// kept.
    async fn change_review(&self, after: &Review, events: &[Event], at: DateTime<Utc>) -> Result<(), StoreError>;

    /// Keeps a spreadsheet before its decisions are kept. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`]; then it was not kept.
    async fn keep_sheet(&self, review: Uuid, sheet: &KeptSheet) -> Result<(), StoreError>;

    /// The spreadsheet that was kept for an event that names it. `None` if none was.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn sheet(&self, review: Uuid, sheet: &Sheet) -> Result<Option<KeptSheet>, StoreError>;

    /// A review with everything that happened to it. `None` if there is no such review.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn review(&self, id: Uuid) -> Result<Option<Review>, StoreError>;

    /// How a review was opened. `None` if there is no such review.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn review_opening(&self, id: Uuid) -> Result<Option<Opening>, StoreError>;

    /// The events of a review, and when they happened.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn review_events(&self, id: Uuid) -> Result<Vec<(DateTime<Utc>, Event)>, StoreError>;

    /// The reviews, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn reviews(&self, most: u32) -> Result<Vec<Summary>, StoreError>;

    /// The reviews that are under way, and those with decisions that no audit has proven, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn unfinished_reviews(&self) -> Result<Vec<Summary>, StoreError>;

    /// The last closed review of a name. `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last_closed_review(&self, name: &str) -> Result<Option<Uuid>, StoreError>;

    /// The plans of all reviews that have or had a schedule.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn review_plans(&self) -> Result<Vec<ReviewPlan>, StoreError>;

    /// Stores decisions about scheduled times, unless the plan is another one than [`PlannedReview::from`]. A scheduled time
    /// that has its review already is not due. Returns whether they were stored.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was stored.
    async fn plan_review(&self, planned: &PlannedReview<'_>) -> Result<bool, StoreError>;

    /// Stores why a review that is due cannot be opened; the ledger gets each reason once.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was stored.
    async fn review_not_opened(
        &self,
        name: &str,
        fire_at: DateTime<Utc>,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;

    /// The reviews about which there may be something to say: something has happened since the last [`Reviews::tell`], or the
    /// time has come that it named.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn reviews_to_tell(&self, now: DateTime<Utc>) -> Result<Vec<Uuid>, StoreError>;

    /// The messages about a review that are on record, also those that wait.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn said(&self, id: Uuid) -> Result<Said, StoreError>;

    /// The messages about a review with their state, in the order in which they were written.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn review_messages(&self, id: Uuid) -> Result<Vec<MessageRecord>, StoreError>;

    /// Puts messages about a review into the outbox; one that is there already stays as it is. Remembers that everything is
    /// said about the events that the review has, and when there may be more, unless something else has happened to it.
    /// Returns how many are new.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was stored.
    async fn tell(
        &self,
        review: &Review,
        messages: &[Notification],
        next: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError>;
}

/// What an audit or a removal in a workspace has to know of reviews.
///
/// # Errors
/// [`StoreError`]
pub async fn reviewed<S: Reviews + ?Sized>(store: &S, workspace: &str) -> Result<Reviewed, StoreError> {
    let mut reviews = Vec::new();
    for summary in store.unfinished_reviews().await? {
        if is_about(store, summary.id, workspace).await?
            && let Some(review) = store.review(summary.id).await?
        {
            reviews.extend(review.looked_at(workspace));
        }
    }
    Ok(Reviewed { reviews })
}

/// Whether a review is about a workspace. Reads only how it was opened.
///
/// # Errors
/// [`StoreError`]
pub async fn is_about<S: Reviews + ?Sized>(store: &S, review: Uuid, workspace: &str) -> Result<bool, StoreError> {
    let opening = store.review_opening(review).await?;
    Ok(opening.is_some_and(|opening| opening.bases.iter().any(|basis| basis.workspace == workspace)))
}

/// What is reviewed, as a store keeps it: JSON, compressed by Zstandard.
///
/// # Errors
/// [`StoreError::Pack`]
pub fn pack(population: &Population) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(population).map_err(|error| StoreError::Pack { reason: error.to_string() })?;
    compress(&json)
}

/// A file, as a store keeps it: compressed by Zstandard.
///
/// # Errors
/// [`StoreError::Pack`]
pub fn compress(content: &[u8]) -> Result<Vec<u8>, StoreError> {
    /// Zstandard's fastest ordinary level.
    const LEVEL: i32 = 1;
    zstd::bulk::compress(content, LEVEL).map_err(|error| StoreError::Pack { reason: error.to_string() })
}

/// A spreadsheet as it was kept: its file, its signature and the signer, which are empty if it was not signed.
///
/// # Errors
/// [`StoreError::Review`] if it cannot be read back.
pub fn unpack_sheet(
    review: Uuid,
    sheet: &Sheet,
    (content, pem, signer): (Vec<u8>, String, String),
) -> Result<KeptSheet, StoreError> {
    let content = zstd::stream::decode_all(&*content);
    let content = content.map_err(|error| StoreError::Review { id: review, reason: error.to_string() })?;
    let signature = (!pem.is_empty()).then_some(SheetSignature { pem, signer });
    Ok(KeptSheet { sheet: sheet.clone(), content, signature })
}

/// A review as it was kept.
///
/// # Errors
/// [`StoreError::Review`] if it cannot be read back.
pub fn unpack(id: Uuid, population: &[u8], events: &[(DateTime<Utc>, Event)]) -> Result<Review, StoreError> {
    let failed = |reason: String| StoreError::Review { id, reason };
    let json = zstd::stream::decode_all(population).map_err(|error| failed(error.to_string()))?;
    let population = serde_json::from_slice(&json).map_err(|error| failed(error.to_string()))?;
    let events = events.iter().map(|(at, event)| (*at, event));
    Review::kept(id, population, events).map_err(|refused| failed(refused.to_string()))
}
