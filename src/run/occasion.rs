//! The occasion of an audit in its bag: when it was due, and what went wrong before. It follows from no answer, so that it
//! stands by itself, and whoever makes the audit once more takes it from there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::Error as _};
use uuid::Uuid;

use super::contents::pretty;
use crate::{
    evidence::draft::{Draft, DraftError},
    model::{
        audit::Audit,
        occasion::{Lapse, LapseKind, Occasion},
    },
};

/// Its file, below `data/`.
pub(super) const FILE: &str = "occasion.json";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct OccasionFile {
    /// None where somebody asked for it, and nobody was to be told.
    occasion: Option<OccasionRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OccasionRecord {
    due_at: DateTime<Utc>,
    began_at: DateTime<Utc>,
    attempt: u32,
    by_hand: bool,
    lapses: Vec<LapseRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LapseRecord {
    kind: String,
    job: String,
    workspace: Option<String>,
    run: Option<Uuid>,
    at: DateTime<Utc>,
    detail: String,
}

/// Adds the occasion.
pub(super) fn add(draft: &Draft, audit: &Audit) -> Result<(), DraftError> {
    let lapse = |lapse: &Lapse| LapseRecord {
        kind: lapse.kind.word().to_owned(),
        job: lapse.job.clone(),
        workspace: lapse.workspace.clone(),
        run: lapse.run,
        at: lapse.at,
        detail: lapse.detail.clone(),
    };
    let occasion = audit.occasion.as_ref().map(|occasion| OccasionRecord {
        due_at: occasion.fire_at,
        began_at: occasion.began_at,
        attempt: occasion.attempt,
        by_hand: occasion.by_hand,
        lapses: occasion.lapses.iter().map(lapse).collect(),
    });
    draft.add(FILE, |writer| pretty(writer, &OccasionFile { occasion }))
}

/// The occasion, as a bag has it.
///
/// # Errors
/// Where it was not written by [`add`].
pub(super) fn read(text: &[u8]) -> serde_json::Result<Option<Occasion>> {
    let file: OccasionFile = serde_json::from_slice(text)?;
    let lapse = |lapse: LapseRecord| {
        let kind = LapseKind::ALL.into_iter().find(|kind| kind.word() == lapse.kind);
        let kind = kind.ok_or_else(|| serde_json::Error::custom(format!("{} is no lapse", lapse.kind)))?;
        let LapseRecord { job, workspace, run, at, detail, .. } = lapse;
        Ok(Lapse { kind, job, workspace, run, at, detail })
    };
    let occasion = |record: OccasionRecord| {
        let lapses = record.lapses.into_iter().map(lapse).collect::<serde_json::Result<_>>()?;
        let OccasionRecord { due_at: fire_at, began_at, attempt, by_hand, .. } = record;
        Ok(Occasion { fire_at, began_at, attempt, by_hand, lapses })
    };
    file.occasion.map(occasion).transpose()
}
