//! The trigger of an audit in its bag: when it was due, and the incidents before it. It does not follow from the answers; a
//! recomputed audit takes it from here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::Error as _};
use uuid::Uuid;

use super::format::pretty;
use crate::{
    evidence::draft::{Draft, DraftError},
    model::{
        audit::Audit,
        trigger::{Incident, IncidentKind, Trigger},
    },
};

/// Its file, below `data/`.
pub(in crate::run) const FILE: &str = "occasion.json";

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct TriggerFile {
    /// `None` for an audit on demand that is not mailed.
    #[serde(rename = "occasion")]
    trigger: Option<TriggerRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct TriggerRecord {
    due_at: DateTime<Utc>,
    began_at: DateTime<Utc>,
    attempt: u32,
    by_hand: bool,
    #[serde(rename = "lapses")]
    incidents: Vec<IncidentRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct IncidentRecord {
    kind: String,
    job: String,
    workspace: Option<String>,
    run: Option<Uuid>,
    at: DateTime<Utc>,
    detail: String,
}

/// Adds the trigger.
pub(in crate::run) fn add(draft: &Draft, audit: &Audit) -> Result<(), DraftError> {
    let incident = |incident: &Incident| IncidentRecord {
        kind: incident.kind.word().to_owned(),
        job: incident.job.clone(),
        workspace: incident.workspace.clone(),
        run: incident.run,
        at: incident.at,
        detail: incident.detail.clone(),
    };
    let trigger = audit.trigger.as_ref().map(|trigger| TriggerRecord {
        due_at: trigger.fire_at,
        began_at: trigger.began_at,
        attempt: trigger.attempt,
        by_hand: trigger.by_hand,
        incidents: trigger.incidents.iter().map(incident).collect(),
    });
    draft.add(FILE, |writer| pretty(writer, &TriggerFile { trigger }))
}

/// The trigger, as a bag has it.
///
/// # Errors
/// If it was not written by [`add`].
pub(in crate::run) fn read(text: &[u8]) -> serde_json::Result<Option<Trigger>> {
    let file: TriggerFile = serde_json::from_slice(text)?;
    let incident = |incident: IncidentRecord| {
        let kind = IncidentKind::ALL.into_iter().find(|kind| kind.word() == incident.kind);
        let kind =
            kind.ok_or_else(|| serde_json::Error::custom(format!("invalid kind of incident `{}`", incident.kind)))?;
        let IncidentRecord { job, workspace, run, at, detail, .. } = incident;
        Ok(Incident { kind, job, workspace, run, at, detail })
    };
    let trigger = |record: TriggerRecord| {
        let incidents = record.incidents.into_iter().map(incident).collect::<serde_json::Result<_>>()?;
        let TriggerRecord { due_at: fire_at, began_at, attempt, by_hand, .. } = record;
        Ok(Trigger { fire_at, began_at, attempt, by_hand, incidents })
    };
    file.trigger.map(trigger).transpose()
}
