//! A review recomputed from its bag: the recorded answers go through the same reading, correlating and judging, and the
//! result is compared with what was reported.

mod compare;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{self, BufRead as _, BufReader},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use flate2::read::GzDecoder;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

pub use self::compare::Compared;
use super::{
    ReadWorkspace, RunError, RunRequest,
    bag::{
        answers::{INDEX, Line, Tally, is_gzip},
        contents::{Content, PAST, PREVIOUS},
        describe, failure, trigger,
    },
    judge,
};
use crate::{
    access::matrix::AccessMatrix,
    audit::Lacking,
    connector::{Connector, Exchange, Needed, ReadRequest, Recorder},
    evidence::{
        LARGEST_ANSWER, SIGNATURE,
        storage::{self, Storage, bounded, join},
    },
    model::{
        audit::Audit, change::Past, clock_skew::ClockSkew, directory::Directory, policy::Policy, reading::CheckKind,
        reviewed::Reviewed, roster::Roster,
    },
    replay::{Recorded, Replay},
    report::{self, ReportFile, ReportInput},
    store::{AuditRecord, Kept, StoreError, snapshot},
};

/// The reports that have every row and no times.
const TABLES: [ReportFile; 3] = [ReportFile::AccessMatrixCsv, ReportFile::FindingsCsv, ReportFile::ChangesCsv];
/// Longer than any replayed read takes.
const DEADLINE: Duration = Duration::from_hours(1);

/// The most bytes that all answers of a bag may have, decompressed.
const LARGEST: u64 = 4 << 30;
/// The most bytes that the decisions of a review may have: far more than those of every account that can be read.
const LARGEST_REVIEWED: u64 = 512 << 20;

/// A bag cannot be recomputed.
#[derive(Debug, thiserror::Error)]
pub enum RecomputeError {
    /// A file of it cannot be read.
    #[error("{place} cannot be read: {source}")]
    File {
        /// The file.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// It lacks something that every bag of rolecall has.
    #[error("{place} has no {what}: this is not a bag of rolecall, or one of another version")]
    Unsaid {
        /// The file.
        place: String,
        /// What.
        what: &'static str,
    },
    /// It holds no review.
    #[error("the run of this bag failed: it holds the answers until then, but no review to recompute")]
    Failed,
    /// The bag has no answer to a call that the read needs.
    #[error("the bag has no answer to {0}, which the read needs")]
    NoAnswer(String),
    /// The answers are not a complete directory.
    #[error("the recorded answers cannot be read again: {0}")]
    Run(#[from] RunError),
    /// A file cannot be compared.
    #[error("{file} cannot be compared: {source}")]
    Compare {
        /// The file.
        file: String,
        /// Why not.
        source: io::Error,
    },
    /// A template failed, which is a defect of rolecall.
    #[error("the texts of the bag cannot be rendered: {0}")]
    Template(#[from] askama::Error),
}

/// What a bag says about its review, as far as recomputing needs it.
#[derive(Debug)]
pub struct SealedReview<'a> {
    storage: &'a dyn Storage,
    /// The bag's folder.
    folder: &'a str,
    id: Uuid,
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// The job that it belongs to. `None` for an audit outside any job.
    pub job: Option<String>,
    /// When it was judged.
    pub judged_at: DateTime<Utc>,
    /// The program that made it.
    pub agent: String,
    /// The last entry of the ledger when it began.
    ledger: String,
    /// Whether an older rolecall made it, which did not keep everything that its reports are derived from.
    pub is_older: bool,
}

/// The part of `completeness.json` that does not follow from the answers: times, and calls without an answer.
#[derive(Deserialize)]
struct Completeness {
    reading: Costs,
}

#[derive(Deserialize)]
struct Costs {
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    token_calls: u64,
    unanswered: u64,
    retries: u64,
}

/// The part of `source.json` that does not follow from the answers: the scopes are in the answer with the token, which is
/// never kept.
#[derive(Deserialize)]
struct Source {
    api_url: String,
    scopes: Option<Vec<String>>,
}

/// Records which answers a read needs.
#[derive(Debug, Default)]
struct Needs(Mutex<Vec<(String, Needed)>>);

impl Recorder for Needs {
    fn answered(&self, exchange: &Exchange) {
        let asked = (path(&exchange.request).to_owned(), exchange.needed.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    }
}

impl Needs {
    /// The requests below a path.
    fn needed(&self, below: &str) -> BTreeSet<String> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let needed = asked.iter().filter(|(_, needed)| needed.is_confirmed());
        needed.filter_map(|(request, _)| request.strip_prefix(below).map(str::to_owned)).collect()
    }
}

/// Whether a file is named as an answer in a bag is.
fn is_answer(file: &str) -> bool {
    let name = file.strip_prefix("data/answers/").map(|name| name.strip_suffix(".gz").unwrap_or(name));
    let number = name.and_then(|name| name.strip_suffix(".json"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Path and query of a request line.
fn path(request: &str) -> &str {
    let address = request.split_once("://").map_or(request, |(_, address)| address);
    address.find('/').map_or("/", |at| &address[at..])
}

impl<'a> SealedReview<'a> {
    /// Reads what a bag says about itself.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub fn of(storage: &'a dyn Storage, folder: &'a str) -> Result<Self, RecomputeError> {
        let has = |file: &str| {
            let key = join(folder, &format!("data/{file}"));
            storage::has(storage, &key).map_err(|source| RecomputeError::File { place: storage.place(&key), source })
        };
        if has(failure::FILE)? {
            return Err(RecomputeError::Failed);
        }
        let key = join(folder, "bag-info.txt");
        let place = storage.place(&key);
        let info =
            storage::read(storage, &key).map_err(|source| RecomputeError::File { place: place.clone(), source })?;
        let info = String::from_utf8_lossy(&info).into_owned();
        let says = |name: &'static str| {
            let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.ok_or_else(|| RecomputeError::Unsaid { place: place.clone(), what: name })
        };
        let unsaid = |what| RecomputeError::Unsaid { place: place.clone(), what };
        Ok(Self {
            storage,
            folder,
            id: says("External-Identifier")?.parse().map_err(|_| unsaid("External-Identifier"))?,
            workspace: says("Rolecall-Workspace")?.to_owned(),
            job: says("Rolecall-Job").ok().map(str::to_owned),
            judged_at: says("Rolecall-Judged-At")?.parse().map_err(|_| unsaid("Rolecall-Judged-At"))?,
            agent: says("Bag-Software-Agent")?.to_owned(),
            ledger: says("Rolecall-Ledger").unwrap_or_default().to_owned(),
            is_older: !has(trigger::FILE)?,
        })
    }

    /// The configuration as it was applied.
    ///
    /// # Errors
    /// [`RecomputeError::File`]
    pub fn configuration(&self) -> Result<String, RecomputeError> {
        let bytes = self.bytes("data/configuration.toml")?;
        String::from_utf8(bytes).map_err(|error| self.failed("data/configuration.toml", io::Error::other(error)))
    }

    /// The recorded answers, by request: path and query.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub fn answers(&self) -> Result<BTreeMap<String, VecDeque<Recorded>>, RecomputeError> {
        let mut answers: BTreeMap<String, VecDeque<Recorded>> = BTreeMap::new();
        for line in self.index()? {
            let recorded = Recorded {
                status: line.status,
                body: self.bytes(&line.file)?,
                is_gzip: is_gzip(&line.file),
                length: line.bytes,
            };
            answers.entry(path(&line.request).to_owned()).or_default().push_back(recorded);
        }
        Ok(answers)
    }

    fn index(&self) -> Result<Vec<Line>, RecomputeError> {
        let file = format!("data/{INDEX}");
        let lines = BufReader::new(io::Cursor::new(self.bytes(&file)?)).lines();
        let line = |line: io::Result<String>| Ok(serde_json::from_str(&line?)?);
        let read = lines.map(|text| line(text).map_err(|source| self.failed(&file, source)));
        let lines: Vec<Line> = read.collect::<Result<_, _>>()?;
        let bytes = lines.iter().fold(0, |sum: u64, line| sum.saturating_add(line.bytes));
        let foreign = lines.iter().find(|line| !is_answer(&line.file)).map(|line| &line.file);
        let large = lines.iter().find(|line| line.bytes > LARGEST_ANSWER);
        let wrong = match (foreign, large) {
            (Some(foreign), _) => format!("{foreign:?} is not the name of an answer of this bag"),
            (None, Some(Line { file, bytes, .. })) => {
                format!("{file} has {bytes} bytes; expected at most {LARGEST_ANSWER}")
            }
            (None, None) if bytes > LARGEST => format!("the answers have {bytes} bytes; expected at most {LARGEST}"),
            (None, None) => return Ok(lines),
        };
        Err(self.failed(&file, io::Error::new(io::ErrorKind::InvalidData, wrong)))
    }

    fn bytes(&self, file: &str) -> Result<Vec<u8>, RecomputeError> {
        storage::read(self.storage, &join(self.folder, file)).map_err(|source| self.failed(file, source))
    }

    fn json<T: DeserializeOwned>(&self, file: &str) -> Result<T, RecomputeError> {
        serde_json::from_slice(&self.bytes(file)?).map_err(|error| self.failed(file, error.into()))
    }

    fn failed(&self, file: &str, source: io::Error) -> RecomputeError {
        RecomputeError::File { place: self.storage.place(&join(self.folder, file)), source }
    }

    /// Recomputes the review from the replayed answers, and compares everything that follows from them.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub async fn compare(
        &self,
        connector: &dyn Connector,
        replay: &Replay,
        policy: &Policy,
    ) -> Result<Vec<Compared>, RecomputeError> {
        let index = self.index()?;
        let audit = self.judge(connector, replay, policy, policy).await?;
        self.compare_all(&audit, &index)
    }

    /// Reads the recorded answers as `read_by` asked for them, and judges them by a policy.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub async fn judge(
        &self,
        connector: &dyn Connector,
        replay: &Replay,
        read_by: &Policy,
        policy: &Policy,
    ) -> Result<Audit, RecomputeError> {
        let needs = Arc::new(Needs::default());
        let read = ReadRequest {
            administrator_profiles: read_by.administrator_profiles.clone(),
            deadline: DEADLINE,
            recorder: Some(Arc::clone(&needs) as Arc<dyn Recorder>),
        };
        let directory = connector.read(&read, &()).await;
        let needed = needs.needed(path(&replay.base_url));
        if let Some(request) = replay.missing().into_iter().find(|request| needed.contains(request)) {
            return Err(RecomputeError::NoAnswer(request));
        }
        let mut directory = directory.map_err(|source| RunError::Read { workspace: self.workspace.clone(), source })?;
        let index = self.index()?;
        let mut trigger = None;
        if !self.is_older {
            self.complete(&mut directory, &index, &replay.base_url)?;
            let file = format!("data/{}", trigger::FILE);
            trigger = trigger::read(&self.bytes(&file)?).map_err(|error| self.failed(&file, error.into()))?;
        }
        let request = RunRequest {
            id: self.id,
            trigger: trigger.as_ref(),
            job: self.job.as_deref(),
            workspace: &self.workspace,
            policy,
            deadline: DEADLINE,
        };
        let kept = self.roster()?;
        let roster = if read_by.roster == policy.roster { kept } else { kept.and_then(|kept| kept.of(&policy.roster)) };
        let is_roster_lacking = roster.is_none() && read_by.roster != policy.roster;
        let lacking = Lacking { roster: is_roster_lacking, ..Lacking::default() };
        let (previous, past) = (self.previous()?, self.past()?);
        let read = ReadWorkspace { directory, roster, reviewed: self.reviewed()?, previous, past, lacking };
        Ok(judge(&request, read, self.judged_at)?)
    }

    /// Completes a directory with what does not follow from the answers: times, and calls without an answer. Calls and
    /// clock are recomputed from the index.
    fn complete(&self, directory: &mut Directory, index: &[Line], replayed: &str) -> Result<(), RecomputeError> {
        let Completeness { reading: costs } = self.json("data/completeness.json")?;
        let Source { api_url, scopes } = self.json("data/directory/source.json")?;
        let is_asked = |line: &Line| {
            let address = line.request.split_once(' ').map_or("", |(_, address)| address);
            address.strip_prefix(api_url.as_str()).is_some_and(|path| path.starts_with('/'))
        };
        let tally = Tally::of(index);
        let mut clock = ClockSkew::default();
        for line in index {
            let times = line.asked_at.parse().ok().zip(line.answered_at.parse().ok());
            if let Some(((asked_at, answered_at), date)) = times.zip(line.headers.get("date")) {
                clock.note(asked_at, answered_at, date);
            }
        }
        let Directory { source, reading, .. } = directory;
        source.scopes = scopes;
        if index.iter().all(is_asked) {
            reading.query = reading.query.replace(replayed, &api_url);
            source.api_url = api_url;
        }
        (reading.started_at, reading.finished_at) = (costs.started_at, costs.finished_at);
        (reading.token_calls, reading.unanswered, reading.retries) =
            (costs.token_calls, costs.unanswered, costs.retries);
        (reading.answers, reading.bytes) = (tally.answers, tally.bytes);
        reading.requests = tally.answers + costs.token_calls + costs.unanswered;
        for check in reading.checks.iter_mut().filter(|check| check.kind == CheckKind::Clock) {
            *check = clock.check();
        }
        Ok(())
    }

    fn compare_all(&self, audit: &Audit, index: &[Line]) -> Result<Vec<Compared>, RecomputeError> {
        let matrix = AccessMatrix::of(audit);
        let input = ReportInput::new(audit, &matrix);
        let bag = &compare::Bag { storage: self.storage, folder: self.folder };
        let failed = |file: &str| {
            let file = file.to_owned();
            move |source| RecomputeError::Compare { file, source }
        };
        let report = |file: ReportFile| {
            let name = format!("data/reports/{}", file.file_name());
            let write = |file, out: &mut dyn io::Write| report::write(file, &input, &mut &mut *out);
            let is_wording = !TABLES.contains(&file);
            let mut compared = compare::file(bag, &name, is_wording, |out| write(file, out)).map_err(failed(&name))?;
            if compared.difference.is_some() && file == ReportFile::FindingsCsv {
                let mut recomputed = Vec::new();
                write(file, &mut recomputed).map_err(failed(&name))?;
                compared.is_wording =
                    compare::is_reworded(bag, &name, "message", &recomputed).map_err(failed(&name))?;
            }
            Ok::<_, RecomputeError>(compared)
        };
        if self.is_older {
            return TABLES.into_iter().map(report).collect();
        }
        let tally = Tally::of(index);
        let is_signed = storage::has(self.storage, &join(self.folder, SIGNATURE)).map_err(failed(SIGNATURE))?;
        let mut compared =
            vec![compare::index(bag, index, &audit.directory.reading).map_err(failed("data/answers.jsonl"))?];
        for content in Content::ALL.into_iter().filter(|content| content.is_of(audit)) {
            let name = format!("data/{}", content.path());
            // A bag of an older rolecall; in a newer one, the digests say that it is missing.
            let has = || storage::has(self.storage, &join(self.folder, &name));
            if content == Content::Policy && !has().map_err(failed(&name))? {
                continue;
            }
            let is_wording = matches!(content, Content::Rules | Content::Completeness);
            let write = |out: &mut dyn io::Write| content.write(audit, tally, out);
            compared.push(compare::file(bag, &name, is_wording, write).map_err(failed(&name))?);
        }
        for file in ReportFile::ALL {
            compared.push(report(file)?);
        }
        for (name, text) in describe::beside(audit, is_signed)? {
            let write = |out: &mut dyn io::Write| out.write_all(text.as_bytes());
            compared.push(compare::file(bag, name, true, write).map_err(failed(name))?);
        }
        let info = String::from_utf8_lossy(&self.bytes("bag-info.txt")?).into_owned();
        let mut expected = describe::info(audit, &self.agent, &self.ledger);
        // Bags of an older rolecall do not name the policy.
        expected.retain(|(name, _)| *name != describe::POLICY || info.contains(describe::POLICY));
        compared.push(compare::info(&info, &expected));
        Ok(compared)
    }

    /// The numbers of the past audits; none in a bag of an older version.
    fn past(&self) -> Result<Vec<Past>, RecomputeError> {
        let file = format!("data/{PAST}");
        let key = join(self.folder, &file);
        if storage::has(self.storage, &key).map_err(|source| self.failed(&file, source))? {
            self.json(&file)
        } else {
            Ok(Vec::new())
        }
    }

    /// The roster that the review was judged by; `None` if there was none.
    fn roster(&self) -> Result<Option<Roster>, RecomputeError> {
        let file = format!("data/{}", Content::Roster.path());
        let key = join(self.folder, &file);
        if storage::has(self.storage, &key).map_err(|source| self.failed(&file, source))? {
            self.json(&file)
        } else {
            Ok(None)
        }
    }

    /// What people had decided in reviews; `None` if there was no review to look at.
    fn reviewed(&self) -> Result<Option<Reviewed>, RecomputeError> {
        let file = format!("data/{}", Content::Reviewed.path());
        let failed = |source: io::Error| self.failed(&file, source);
        let compressed = match self.storage.get(&join(self.folder, &file)) {
            Ok(compressed) => compressed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let text = bounded(GzDecoder::new(compressed), LARGEST_REVIEWED).map_err(failed)?;
        serde_json::from_slice(&text).map(Some).map_err(|error| failed(error.into()))
    }

    fn previous(&self) -> Result<Option<Kept>, RecomputeError> {
        let file = format!("data/{PREVIOUS}");
        let previous = match self.storage.get(&join(self.folder, &file)) {
            Ok(previous) => previous,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.failed(&file, source)),
        };
        // Only the parts of the record are compared.
        let record = AuditRecord {
            id: Uuid::nil(),
            job: self.job.clone(),
            workspace: self.workspace.clone(),
            started_at: self.judged_at,
            finished_at: self.judged_at,
            complete: true,
            users: 0,
            administrators: 0,
            open_findings: 0,
            by_severity: None,
            bag: None,
            no_mail_reason: None,
            policy_changes: Vec::new(),
        };
        let parts = snapshot::split(previous).map_err(|error| {
            let reason = if let StoreError::Snapshot { reason } = error { reason } else { error.to_string() };
            self.failed(&file, io::Error::new(io::ErrorKind::InvalidData, reason))
        })?;
        Ok(Some(Kept { record, parts }))
    }
}
