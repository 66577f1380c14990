//! The bag of a run that failed: the answers of the API until then, if there were any, and no review. It is the evidence for a
//! gap.

use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{
    answers::{self, Arranged},
    describe::script,
    format::{pretty, time},
    recording::{EvidenceError, Recording, Sealed},
};
use crate::{
    evidence::SIGNATURE,
    ledger::Fact,
    run::{ledger::WriteError, vault::Vault},
    store::Database,
};

/// Its file, below `data/`.
pub(in crate::run) const FILE: &str = "failure.json";

/// A run that failed.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The run.
    pub run: Uuid,
    /// The job; `None` for a run on demand without one.
    pub job: Option<&'a str>,
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// When it was due; `None` for a run on demand that is not mailed.
    pub due_at: Option<DateTime<Utc>>,
    /// When it failed.
    pub at: DateTime<Utc>,
    /// Why.
    pub error: &'a str,
}

#[derive(Template)]
#[template(path = "evidence/failure/README.txt", escape = "none")]
struct Readme<'a> {
    workspace: &'a str,
    version: &'static str,
    id: String,
    job: &'a str,
    due: String,
    failed: String,
    error: &'a str,
    answers: usize,
    signature: &'static str,
    signed: bool,
}

/// Keeps the answers before a run failed, and records that in the ledger. If this fails too, it is an error in the log, so
/// that the cause of the run's failure is not lost.
pub async fn keep(store: &dyn Database, vault: &Vault, recording: &Recording, failure: &Failure<'_>) {
    let run = failure.run;
    let kept = async {
        let Some(sealed) = recording.seal_failure(vault, failure)? else { return Ok(()) };
        let fact = Fact::BagOfFailure { run, bag: sealed.bag };
        store.append(&[fact], failure.at).await.map_err(WriteError::from)?;
        tracing::info!(%run, bag = sealed.place, "the evidence of the failed run is sealed");
        Ok::<_, EvidenceError>(())
    };
    if let Err(error) = kept.await {
        tracing::error!(%run, %error, "the evidence of the failed run could not be kept");
    }
}

impl Recording {
    /// Seals the answers before the run failed, however few; `None` if they are sealed already.
    fn seal_failure(&self, vault: &Vault, failure: &Failure<'_>) -> Result<Option<Sealed>, EvidenceError> {
        let Some((draft, written)) = self.close()? else { return Ok(None) };
        // It is not known which of them the read would have needed.
        let Arranged { index, moves, .. } = answers::arrange_all(written);
        draft.rename(&moves)?;
        answers::add_index(&draft, &index)?;
        let Failure { run, job, workspace, due_at, at, error } = *failure;
        draft.add(FILE, |writer| {
            let due_at = due_at.map(time);
            let value = json!({ "run": run, "job": job, "workspace": workspace, "due_at": due_at, "failed_at": time(at), "error": error });
            pretty(writer, &value)
        })?;
        draft.add("configuration.toml", |writer| writer.write_all(vault.configuration.of(workspace).as_bytes()))?;
        let readme = Readme {
            workspace,
            version: env!("CARGO_PKG_VERSION"),
            id: run.to_string(),
            job: job.unwrap_or("none: on demand"),
            due: due_at.map_or_else(|| "on demand".to_owned(), time),
            failed: time(at),
            error,
            answers: index.len(),
            signature: SIGNATURE,
            signed: vault.key.is_some(),
        };
        let mut info = vec![
            ("External-Identifier", run.to_string()),
            ("External-Description", format!("Evidence of an access review of the workspace {workspace} that failed")),
            ("Bagging-Date", at.format("%Y-%m-%d").to_string()),
            ("Bag-Software-Agent", vault.agent.clone()),
            ("Rolecall-Workspace", workspace.to_owned()),
            ("Rolecall-Failed", error.to_owned()),
            ("Rolecall-Ledger", self.ledger().to_string()),
        ];
        info.extend(job.map(|job| ("Rolecall-Job", job.to_owned())));
        info.extend(due_at.map(|due_at| ("Rolecall-Due-At", time(due_at))));
        let tags = [("README.txt", readme.render()? + "\n"), ("verify.sh", script()?)];
        let sha256 = draft.finish(&*vault.storage, &info, &tags, vault.key.as_ref())?;
        Ok(Some(Sealed::new(vault, self.folder().to_owned(), sha256)))
    }
}
