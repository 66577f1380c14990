//! Reviews by people: opening one from the store, changing one, and proving decisions by a later audit. [`bag`] keeps a
//! closed one as evidence, [`messages`] says by mail what is due.

pub mod bag;
pub mod messages;

use std::io;

use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

use super::{bag::contents::Content, vault::Vault};
use crate::{
    evidence::{sealed, storage::Storage},
    model::{bag::BagName, roster::Roster},
    review::{
        carrying_out::ShownAudit,
        event::{Basis, Event},
        open::{NotOpened, Occasion, Source, Terms, open as population_of},
        refusal::Refused,
        sheet::Problem,
        state::Review,
    },
    store::{Database, Kept, StoreError, reviews::is_about, snapshot},
};

/// How often a change is tried again if somebody else was faster.
const TRIES: usize = 20;

/// A review cannot be opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is no complete audit yet.
    #[error("workspace {workspace}: the job {job} has no complete audit yet; run `rolecall audit --job {job}` first")]
    NoAudit {
        /// The workspace.
        workspace: String,
        /// The job.
        job: String,
    },
    /// The audit has no evidence.
    #[error(
        "workspace {workspace}: the latest complete audit of the job {job} has no evidence; run `rolecall audit --job {job}` again"
    )]
    NoEvidence {
        /// The workspace.
        workspace: String,
        /// The job.
        job: String,
    },
    /// The bag of the audit is not there, or is another one.
    #[error(
        "workspace {workspace}: the bag {folder} of the latest complete audit is missing or was changed: {reason}. `rolecall evidence verify` says more"
    )]
    Bag {
        /// The workspace.
        workspace: String,
        /// The bag.
        folder: String,
        /// What is wrong.
        reason: String,
    },
    /// Accounts have no reviewer, or the roster does not say what is needed.
    #[error(transparent)]
    NotOpened(#[from] NotOpened),
    /// Lines of a spreadsheet are refused.
    #[error("{}", lines(.0))]
    Lines(Vec<Problem>),
    /// There is no such review.
    #[error("no review has the id {0}; `rolecall review list` lists the reviews")]
    Unknown(Uuid),
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Others change it all the time.
    #[error("the review is being changed by others; try again")]
    Contended,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn lines(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Opens a review of the latest complete audits of a job's workspaces. Who is whose manager and who has left is what the
/// roster said when these audits read it.
///
/// # Errors
/// [`ReviewError`]; then none was opened.
pub async fn open(
    store: &dyn Database,
    vault: &Vault,
    terms: &Terms,
    workspaces: &[String],
    occasion: Occasion,
) -> Result<Review, ReviewError> {
    let mut sources = Vec::new();
    for workspace in workspaces {
        sources.push(source(store, vault, &terms.job, workspace).await?);
    }
    let before = match store.last_closed_review(&terms.name).await? {
        Some(id) => store.review(id).await?,
        None => None,
    };
    let at = occasion.at.trunc_subsecs(3);
    let (opening, population) = population_of(terms, &sources, before.as_ref(), occasion)?;
    // The digest in the opening was just made of this population.
    let review = Review::kept(Uuid::now_v7(), population, [(at, &Event::Opened(opening))])?;
    store.open_review(&review).await?;
    Ok(review)
}

/// The latest complete audit of a workspace, if its bag is where it was sealed.
async fn source(store: &dyn Database, vault: &Vault, job: &str, workspace: &str) -> Result<Source, ReviewError> {
    let (job_name, name) = (job.to_owned(), workspace.to_owned());
    let Some(kept) = store.last_complete(Some(job), workspace).await? else {
        return Err(ReviewError::NoAudit { workspace: name, job: job_name });
    };
    let Some(bag) = kept.record.bag.clone() else {
        return Err(ReviewError::NoEvidence { workspace: name, job: job_name });
    };
    let roster = match roster(&*vault.storage, &bag) {
        Ok(roster) => roster,
        Err(reason) => {
            return Err(ReviewError::Bag { workspace: name, folder: bag.folder, reason: reason.to_string() });
        }
    };
    let (header, users) = (snapshot::header(&kept)?, snapshot::users(&kept).collect::<Result<_, _>>()?);
    let basis = Basis { workspace: name, audit: kept.record.id, bag, read_at: kept.record.finished_at };
    Ok(Source { basis, header, users, roster })
}

/// The roster that an audit was judged by, from its bag; `None` if it had none. Whether the rest of the bag is as it was
/// sealed is for verification.
pub(in crate::run) fn roster(storage: &dyn Storage, bag: &BagName) -> io::Result<Option<Roster>> {
    let file = sealed::file(storage, bag, &format!("data/{}", Content::Roster.path()))?;
    file.map(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::from)).transpose()
}

/// Changes a review. `events` says what happens, as of the review that it is given; it is asked again if somebody else
/// changed the review meanwhile.
///
/// # Errors
/// [`ReviewError`]; then nothing was changed.
pub async fn change<E: From<ReviewError>>(
    store: &dyn Database,
    id: Uuid,
    now: DateTime<Utc>,
    events: &(dyn Fn(&Review) -> Result<Vec<Event>, E> + Send + Sync),
) -> Result<Review, E> {
    let failed = |error: StoreError| E::from(ReviewError::Store(error));
    for _ in 0..TRIES {
        let review = store.review(id).await.map_err(failed)?;
        let review = review.ok_or_else(|| E::from(ReviewError::Unknown(id)))?;
        if let Some(changed) = keep(store, happens(review, now, events)?, now).await? {
            return Ok(changed);
        }
    }
    Err(ReviewError::Contended.into())
}

/// The same for a review that the caller has read already: reading takes long if it has many accounts. If something else has
/// happened to it since, or what is to happen is refused, it is read again first.
///
/// # Errors
/// [`ReviewError`]; then nothing was changed.
pub async fn change_read<E: From<ReviewError>>(
    store: &dyn Database,
    read: Review,
    now: DateTime<Utc>,
    events: &(dyn Fn(&Review) -> Result<Vec<Event>, E> + Send + Sync),
) -> Result<Review, E> {
    let id = read.id();
    if let Ok(happened) = happens(read, now, events)
        && let Some(changed) = keep(store, happened, now).await?
    {
        return Ok(changed);
    }
    change(store, id, now, events).await
}

/// A review with what happens to it now, and that.
fn happens<E: From<ReviewError>>(
    mut review: Review,
    now: DateTime<Utc>,
    events: &(dyn Fn(&Review) -> Result<Vec<Event>, E> + Send + Sync),
) -> Result<(Review, Vec<Event>), E> {
    let events = events(&review)?;
    let refused = |refused| E::from(ReviewError::Refused(refused));
    if events.iter().any(|event| matches!(event, Event::Closed(_))) {
        review.has_its_population().map_err(refused)?;
    }
    for event in &events {
        review.apply(event, now.trunc_subsecs(3)).map_err(refused)?;
    }
    Ok((review, events))
}

/// Keeps what happened to a review. `None` if something else has happened to it since it was read.
async fn keep(
    store: &dyn Database,
    (review, events): (Review, Vec<Event>),
    now: DateTime<Utc>,
) -> Result<Option<Review>, ReviewError> {
    if events.is_empty() {
        return Ok(Some(review));
    }
    match store.change_review(&review, &events, now.trunc_subsecs(3)).await {
        Ok(()) => Ok(Some(review)),
        Err(StoreError::Lost { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Records what an audit that is kept proves about decisions of reviews.
///
/// # Errors
/// [`ReviewError`]; a later audit proves what is missing.
pub async fn prove(store: &dyn Database, kept: &Kept, now: DateTime<Utc>) -> Result<(), ReviewError> {
    if !kept.record.complete {
        return Ok(());
    }
    let mut users = None;
    for summary in store.unfinished_reviews().await?.into_iter().filter(|summary| summary.unproven > 0) {
        if !is_about(store, summary.id, &kept.record.workspace).await? {
            continue;
        }
        if users.is_none() {
            users = Some(snapshot::users(kept).collect::<Result<Vec<_>, _>>()?);
        }
        let shown = ShownAudit {
            workspace: &kept.record.workspace,
            audit: kept.record.id,
            bag: kept.record.bag.clone(),
            read_at: kept.record.started_at,
            users: users.as_deref().unwrap_or_default(),
        };
        let events = |review: &Review| {
            Ok::<_, ReviewError>(review.proven_by(&shown).into_iter().map(Event::Proven).collect::<Vec<_>>())
        };
        change(store, summary.id, now, &events).await?;
    }
    Ok(())
}
