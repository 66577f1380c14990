//! One message about all runs of a fire time: what each run leaves for it, and how it is written once all have ended.
//!
//! Everything that the message needs is in the store, so that any process can write it, whatever has become of the others.

use std::io::{Read as _, Write as _};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    across::{self, End},
    attachments::{self, Capped},
    deliver::{DeliverError, Recipients, wanted},
    files::FileError,
};
use crate::{
    clock::Clock,
    ledger::fact::{BagName, NoMailReason},
    mail::{
        message::{self, Addressing, Attachment, Content, MessageError, assemble},
        notice::Notice,
        report_mail::LeftOut,
        together::{Section, Together},
    },
    model::{
        mail::When,
        notification::Notification,
        run::{Run, RunState},
    },
    notify::email,
    people::People,
    report::{
        self, ReportFile, ReportInput,
        people::{PeopleFile, PeopleInput},
    },
    store::{
        Database, StoreError,
        together::{Combination, Combined},
    },
};

/// How long the message waits for the last run, after the first one has ended: longer than all attempts of a run take.
pub const PATIENCE: Duration = Duration::hours(3);
/// The most bytes of a share that are decompressed.
const LARGEST: u64 = 1 << 26;
/// Zstandard's fastest ordinary level.
const LEVEL: i32 = 1;

/// A message about several runs could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TogetherError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The message cannot be made.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}

/// Who is mailed about a fire time, and when: those of its first run that ends.
#[derive(Debug, Serialize, Deserialize)]
struct Terms {
    from: String,
    to: Vec<String>,
    when: When,
    /// The attached files with the view over the workspaces, by name.
    attach: Vec<String>,
}

/// What a run leaves, before the bytes of its files.
#[derive(Serialize, Deserialize)]
struct Header {
    section: Section,
    files: Vec<Packed>,
    /// Names and sizes of files that are too large for any mail.
    left_out: Vec<(String, usize)>,
}

#[derive(Serialize, Deserialize)]
struct Packed {
    file_name: String,
    content_type: String,
    bytes: usize,
}

/// What a run adds to the message of its fire time.
#[derive(Debug)]
pub(super) struct OwnShare {
    pub(super) terms: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) messages: Vec<String>,
}

/// Whether a run is reported together with the others of its fire time.
///
/// # Errors
/// [`StoreError`]
pub async fn is_together(store: &dyn Database, recipients: &Recipients, run: &Run) -> Result<bool, StoreError> {
    Ok(recipients.combine && store.siblings(&run.job, run.fire_at).await?.len() > 1)
}

/// The terms of these recipients, as they are kept.
///
/// # Errors
/// [`StoreError::Pack`]
pub fn terms(recipients: &Recipients) -> Result<Vec<u8>, StoreError> {
    let is_attached = |file: &PeopleFile| {
        recipients.attach.iter().any(|attached| match attached {
            ReportFile::Html => *file == PeopleFile::Html,
            ReportFile::Json => *file == PeopleFile::Json,
            _ => *file == PeopleFile::Csv,
        })
    };
    let attach = PeopleFile::ALL.iter().filter(|file| is_attached(file)).map(ToString::to_string).collect();
    let Recipients { from, to, when, .. } = recipients;
    pack(&Terms { from: from.clone(), to: to.clone(), when: *when, attach })
}

/// What a run leaves.
///
/// # Errors
/// [`DeliverError`] if it cannot be written.
pub(super) fn share(
    input: &ReportInput<'_>,
    recipients: &Recipients,
    run: &Run,
    bag: Option<BagName>,
) -> Result<OwnShare, DeliverError> {
    let audit = input.audit();
    let (files, left_out) = attachments::attachments(input, &recipients.attach, &[], attachments::LIMIT)?;
    let header = Header {
        section: Section::new(audit, input.brief(), bag, wanted(recipients.when, audit)),
        files: (files.iter())
            .map(|file| Packed {
                file_name: format!("{}-{}", audit.workspace, file.file_name),
                content_type: file.content_type.clone(),
                bytes: file.bytes.len(),
            })
            .collect(),
        left_out: (left_out.iter())
            .map(|file| (format!("{}-{}", audit.workspace, file.file_name), file.bytes))
            .collect(),
    };
    let packed = (|| {
        let mut out = zstd::stream::Encoder::new(Vec::new(), LEVEL)?;
        serde_json::to_writer(&mut out, &header)?;
        out.write_all(b"\n")?;
        for file in &files {
            out.write_all(&file.bytes)?;
        }
        out.finish()
    })();
    let failed = |source| FileError::Write { path: "the share of a message".into(), source };
    let id = identity(&run.job, run.fire_at);
    let message_id = |to: &String| message::message_id(&recipients.from, to, &id, Together::KIND);
    Ok(OwnShare {
        terms: terms(recipients).map_err(|error| failed(std::io::Error::other(error)))?,
        body: packed.map_err(failed)?,
        messages: recipients.to.iter().map(message_id).collect::<Result<_, MessageError>>()?,
    })
}

/// What identifies the message of a fire time.
fn identity(job: &str, fire_at: DateTime<Utc>) -> String {
    format!("{} {job}", fire_at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn pack(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Pack { reason: error.to_string() })
}

/// Writes the messages of fire times whose runs have all ended, or of which one takes longer than [`PATIENCE`]; with a job,
/// only of that. Returns how many messages went into the outbox.
///
/// # Errors
/// [`TogetherError`]; the messages that were written before are in the outbox.
pub async fn combine(store: &dyn Database, job: Option<&str>, clock: &Clock) -> Result<usize, TogetherError> {
    let mut written = 0;
    for combination in store.combinations().await? {
        if job.is_some_and(|job| job != combination.job) {
            continue;
        }
        let runs = store.siblings(&combination.job, combination.fire_at).await?;
        let is_waiting = (clock.now() - combination.since).abs() < PATIENCE;
        if is_waiting && runs.iter().any(|run| !has_ended(run)) {
            continue;
        }
        written += combine_one(store, &combination, &runs, clock).await?;
    }
    Ok(written)
}

/// What a run left, read back.
struct Returned {
    section: Section,
    files: Vec<Attachment>,
    left_out: Vec<LeftOut>,
}

async fn combine_one(
    store: &dyn Database,
    combination: &Combination,
    runs: &[Run],
    clock: &Clock,
) -> Result<usize, TogetherError> {
    let Combination { job, fire_at, .. } = combination;
    let shares = store.shares(job, *fire_at).await?;
    let (mut left, mut missing) = (Vec::new(), Vec::new());
    let workspace = |run: &Uuid| runs.iter().find(|one| one.id == *run).map_or("", |run| run.workspace.as_str());
    for (run, body) in &shares {
        match unpack(body) {
            Ok(share) => left.push(share),
            Err(error) => missing.push((workspace(run).to_owned(), format!("its result cannot be read back: {error}"))),
        }
    }
    left.sort_by(|one, other| one.section.order().cmp(&other.section.order()));
    missing.extend(runs.iter().filter_map(|run| Some((run.workspace.clone(), reason(run)?))));
    let ends: Vec<End> = runs
        .iter()
        .map(|run| End { workspace: run.workspace.clone(), audit: reason(run).map_or(Ok(run.id), Err) })
        .collect();
    let people = across::people(store, &ends).await?;
    let terms: Terms = serde_json::from_slice(&combination.terms)
        .map_err(|error| StoreError::Snapshot { reason: error.to_string() })?;
    let included: Vec<Uuid> = shares.iter().map(|(run, _)| *run).collect();
    let Some(carrier) = included.first().copied().or_else(|| runs.first().map(|run| run.id)) else { return Ok(0) };
    let is_wanted = !missing.is_empty()
        || (terms.when == When::Findings && people.open_conflicts().next().is_some())
        || left.iter().any(|left| left.section.wanted);
    let letter = Letter { combination, terms: &terms, missing, left, people: &people };
    let notifications = if is_wanted { notifications(store, letter, carrier, clock).await? } else { Vec::new() };
    let combined = Combined {
        job,
        fire_at: *fire_at,
        carrier,
        runs: &included,
        notifications: &notifications,
        no_mail_reason: notifications.is_empty().then_some(NoMailReason::NothingToTell),
    };
    Ok(if store.combine(&combined, clock.now()).await? { notifications.len() } else { 0 })
}

/// What a message is made of.
struct Letter<'a> {
    combination: &'a Combination,
    terms: &'a Terms,
    missing: Vec<(String, String)>,
    left: Vec<Returned>,
    people: &'a People,
}

async fn notifications(
    store: &dyn Database,
    letter: Letter<'_>,
    carrier: Uuid,
    clock: &Clock,
) -> Result<Vec<Notification>, TogetherError> {
    let ledger = store.head().await?;
    let now = clock.now();
    let Letter { combination: Combination { job, fire_at, .. }, terms, missing, left, people } = letter;
    // A message that reports no review counts as a notice that the review failed.
    let kind = if left.is_empty() { Notice::FAILURE } else { Together::KIND };
    let (attachments, left_out) = attached(job, terms, people, &left, now)?;
    let sections = left.into_iter().map(|left| left.section).collect();
    let together = Together {
        job,
        fire_at: *fire_at,
        sections,
        missing,
        people,
        attachments,
        left_out: &left_out,
        ledger: &ledger,
    };
    let content: Content = together.content().map_err(DeliverError::from)?;
    let id = identity(job, *fire_at);
    let write = |to: &String| -> Result<Notification, DeliverError> {
        let thread = Some((job.as_str(), Together::THREAD));
        let mail = assemble(&content, &Addressing { from: &terms.from, to, date: now, id: &id, kind, thread })?;
        Ok(email::notification(carrier, kind, "", mail))
    };
    Ok(terms.to.iter().map(write).collect::<Result<_, _>>()?)
}

/// The attached files: the view over the workspaces, then the files of each workspace, the most urgent first, as long as
/// they fit.
fn attached(
    job: &str,
    terms: &Terms,
    people: &People,
    left: &[Returned],
    now: DateTime<Utc>,
) -> Result<(Vec<Attachment>, Vec<LeftOut>), DeliverError> {
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    let mut room = attachments::LIMIT;
    let input = PeopleInput { people, job: Some(job), at: now };
    for file in PeopleFile::ALL.iter().filter(|file| terms.attach.iter().any(|name| *name == file.file_name())) {
        let mut capped = Capped::new(room);
        report::people::write(*file, &input, &mut capped)
            .map_err(|source| FileError::Write { path: file.file_name().into(), source })?;
        let file_name = file.file_name().to_owned();
        match capped.bytes() {
            Ok(bytes) => {
                room -= bytes.len();
                files.push(Attachment { file_name, content_type: file.media_type().to_owned(), bytes });
            }
            Err(bytes) => left_out.push(LeftOut { file_name, bytes, path: None }),
        }
    }
    for left in left {
        for file in &left.files {
            if file.bytes.len() > room {
                let (file_name, bytes) = (file.file_name.clone(), file.bytes.len());
                left_out.push(LeftOut { file_name, bytes, path: None });
                continue;
            }
            room -= file.bytes.len();
            files.push(file.clone());
        }
        left_out.extend(left.left_out.iter().cloned());
    }
    Ok((files, left_out))
}

fn unpack(body: &[u8]) -> std::io::Result<Returned> {
    let mut bytes = Vec::new();
    zstd::stream::Decoder::new(body)?.take(LARGEST).read_to_end(&mut bytes)?;
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(cut)?;
    let Header { section, files, left_out } = serde_json::from_slice(&bytes[..end])?;
    let mut rest = &bytes[end + 1..];
    let mut attachments = Vec::with_capacity(files.len());
    for Packed { file_name, content_type, bytes } in files {
        let (file, after) = rest.split_at_checked(bytes).ok_or_else(cut)?;
        attachments.push(Attachment { file_name, content_type, bytes: file.to_vec() });
        rest = after;
    }
    let left_out = left_out.into_iter().map(|(file_name, bytes)| LeftOut { file_name, bytes, path: None }).collect();
    Ok(Returned { section, files: attachments, left_out })
}

fn has_ended(run: &Run) -> bool {
    matches!(run.state, RunState::Recorded | RunState::Delivered | RunState::Closed | RunState::Failed)
}

/// Why a run has no review; `None` if it has one.
fn reason(run: &Run) -> Option<String> {
    let error = run.error.as_deref();
    let prefix = format!("workspace {}: ", run.workspace);
    let error = error.map(|error| error.strip_prefix(&prefix).unwrap_or(error));
    match run.state {
        RunState::Recorded | RunState::Delivered | RunState::Closed => None,
        RunState::Failed => Some(error.unwrap_or("its review failed").to_owned()),
        _ => Some(match error {
            Some(error) => format!("its review has not finished; the last attempt failed: {error}"),
            None => "its review has not finished".to_owned(),
        }),
    }
}
