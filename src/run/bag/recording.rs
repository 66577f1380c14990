//! Records the bag of one run: the answers of the API while the workspace is read, and what is derived from them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use uuid::Uuid;

use super::{
    answers::{self, Arranged, Tally, WrittenAnswer},
    contents::{self, Content},
    describe::{beside, info},
    trigger,
};
use crate::{
    connector::{Exchange, Recorder},
    evidence::draft::{Draft, DraftError},
    ledger::{Head, fact::BagName},
    report::{self, ReportFile, ReportInput},
    run::{
        ledger::{self, WriteError},
        receipts,
        vault::Vault,
    },
    store::{Database, Kept},
};

/// A bag that is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Where it is, for messages.
    pub place: String,
    /// Its name, as an audit and the ledger have it.
    pub bag: BagName,
}

impl Sealed {
    pub(super) fn new(vault: &Vault, folder: String, sha256: String) -> Self {
        Self { place: vault.storage.place(&folder), bag: BagName { folder, sha256 } }
    }
}

/// A bag could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It could not be written.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The ledger cannot be extended.
    #[error(transparent)]
    Ledger(#[from] WriteError),
    /// A template failed, which is a defect of rolecall.
    #[error("the evidence cannot be described: {0}")]
    Template(#[from] askama::Error),
}

/// The run that a bag is begun for.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'a> {
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// The run's id.
    pub run: Uuid,
    /// The time in the bag's name: the scheduled time, or for a run on demand when it began.
    pub at: DateTime<Utc>,
    /// Which claim of the run it is, from 1 on. It is in the bag's name: two machines with spools of their own, which do not
    /// see each other's bags, must never use one name.
    pub claim: u64,
}

/// A bag while its workspace is read.
#[derive(Debug)]
pub struct Recording {
    /// The bag's name.
    folder: String,
    /// The last entry of the ledger when it began.
    ledger: Head,
    /// `None` once it is sealed: the read did not need an answer that comes later. Answers are written concurrently.
    draft: RwLock<Option<Draft>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answers: Vec<WrittenAnswer>,
    problem: Option<DraftError>,
}

impl Recorder for Recording {
    fn answered(&self, exchange: &Exchange) {
        let draft = self.draft.read().unwrap_or_else(PoisonError::into_inner);
        let Some(draft) = draft.as_ref() else { return };
        if self.state().problem.is_some() {
            return;
        }
        let written = WrittenAnswer::new(exchange);
        let done = if exchange.body.len() > answers::LARGE {
            draft.add_gzip(written.path(), &exchange.body)
        } else {
            draft.add(written.path(), |writer| writer.write_all(&exchange.body))
        };
        match done {
            Ok(()) => self.state().answers.push(written),
            // Reported when the bag is sealed: a run without its evidence fails.
            Err(problem) => self.state().problem = Some(problem),
        }
    }
}

impl Recording {
    /// Begins the bag of a run, named after it and a time, if the ledger can be extended. A run that was interrupted
    /// after its bag was sealed gets another one, and the ledger states that the first does not count.
    ///
    /// # Errors
    /// [`EvidenceError`]
    pub async fn begin(
        store: &dyn Database,
        vault: &Vault,
        beginning: Beginning<'_>,
        now: DateTime<Utc>,
    ) -> Result<Arc<Self>, EvidenceError> {
        let Beginning { workspace, run, at, claim } = beginning;
        ledger::record_signing_key(store, vault, now).await?;
        let name = format!("{}_{workspace}_{run}", at.format("%Y-%m-%dT%H%M%SZ"));
        let mut abandoned = Vec::new();
        let mut number = 1;
        let draft = loop {
            let folder = if number == 1 { name.clone() } else { format!("{name}_{number}") };
            match Draft::begin(&*vault.storage, &folder) {
                // If the storage cannot be reached now, whoever has stored it says so.
                Err(DraftError::Exists { .. }) => {
                    abandoned.extend(receipts::abandoned(&*vault.storage, run, folder).ok());
                }
                begun if number >= claim => break begun?,
                begun => drop(begun?),
            }
            number += 1;
        };
        store.append(&abandoned, now).await.map_err(WriteError::from)?;
        receipts::settle(store, vault, now).await?;
        let ledger = ledger::head(store, vault, now).await?;
        let folder = draft.name().to_owned();
        Ok(Arc::new(Self { folder, ledger, draft: RwLock::new(Some(draft)), state: Mutex::default() }))
    }

    /// Keeps the snapshot that the audit is compared with.
    pub fn compared_with(&self, previous: Option<&Kept>) {
        let draft = self.draft.read().unwrap_or_else(PoisonError::into_inner);
        let written = draft.as_ref().zip(previous).map(|(draft, previous)| contents::previous(draft, previous));
        if let Some(Err(problem)) = written {
            self.state().problem.get_or_insert(problem);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the draft with the answers in it; answers that come later are ignored. `None` if it was taken before.
    pub(super) fn close(&self) -> Result<Option<(Draft, Vec<WrittenAnswer>)>, DraftError> {
        let draft = self.draft.write().unwrap_or_else(PoisonError::into_inner).take();
        let State { answers, problem } = std::mem::take(&mut *self.state());
        match problem {
            Some(problem) => Err(problem),
            None => Ok(draft.map(|draft| (draft, answers))),
        }
    }

    /// The bag's name.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// The last entry of the ledger when it began.
    pub(super) fn ledger(&self) -> &Head {
        &self.ledger
    }

    /// Adds what was made of the answers, seals the bag and commits it.
    ///
    /// # Errors
    /// [`EvidenceError`], also if an answer could not be kept; then there is no bag.
    pub fn seal(&self, vault: &Vault, input: &ReportInput<'_>) -> Result<Sealed, EvidenceError> {
        let Some((draft, answers)) = self.close()? else {
            return Err(DraftError::Exists { place: vault.storage.place(&self.folder) }.into());
        };
        let Arranged { index, moves, unneeded } = answers::arrange(answers);
        unneeded.iter().try_for_each(|path| draft.take_out(path))?;
        draft.rename(&moves)?;
        answers::add_index(&draft, &index)?;
        let audit = input.audit();
        // In parallel: otherwise one file would wait for the digests of another.
        let report = |file: ReportFile| {
            let path = format!("reports/{}", file.file_name());
            draft.add(&path, |mut writer| report::write(file, input, &mut writer))
        };
        let tally = Tally::of(&index);
        let (reports, others) = rayon::join(
            || ReportFile::ALL.into_par_iter().try_for_each(report),
            || {
                let of_audit = Content::ALL.into_iter().filter(|content| content.is_of(audit));
                of_audit.into_iter().try_for_each(|content| content.add(&draft, audit, tally))
            },
        );
        reports.and(others)?;
        trigger::add(&draft, audit)?;
        if !audit.past.is_empty() {
            contents::past(&draft, &audit.past)?;
        }
        draft.add("configuration.toml", |writer| {
            writer.write_all(vault.configuration.of(&audit.workspace).as_bytes())
        })?;
        // Templates end without the end of their last line.
        let tags = beside(audit, vault.key.is_some())?;
        let info = info(audit, &vault.agent, &self.ledger.to_string());
        let sha256 = draft.finish(&*vault.storage, &info, &tags, vault.key.as_ref())?;
        Ok(Sealed::new(vault, self.folder.clone(), sha256))
    }
}
