//! A review made once more from its bag: the recorded answers go through the same reading, correlating and judging, and
//! what comes out is compared with what was reported.

mod compare;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs::{self, File},
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

pub use self::compare::Compared;
use super::{
    ReadWorkspace, RunError, RunRequest,
    bag::{
        answers::{INDEX, Line, Tally},
        contents::{Content, PREVIOUS},
        describe, failure, trigger,
    },
    judge,
};
use crate::{
    access::matrix::AccessMatrix,
    connector::{Connector, Exchange, Needed, ReadRequest, Recorder},
    evidence::SIGNATURE,
    model::{audit::Audit, clock_skew::ClockSkew, directory::Directory, policy::Policy, reading::CheckKind},
    replay::{Recorded, Replay},
    report::{self, ReportFile, ReportInput},
    store::{AuditRecord, Kept, StoreError, snapshot},
};

/// The reports that have every row, and nothing that the vendor's clock or ours says.
const TABLES: [ReportFile; 3] = [ReportFile::AccessMatrixCsv, ReportFile::FindingsCsv, ReportFile::ChangesCsv];
/// Longer than any read from this machine takes.
const DEADLINE: Duration = Duration::from_hours(1);

/// A bag cannot be worked out again.
#[derive(Debug, thiserror::Error)]
pub enum RecomputeError {
    /// A file of it cannot be read.
    #[error("{path} cannot be read: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It does not say something that every bag of rolecall says.
    #[error("{path} does not say {what}: this is no bag of rolecall, or one of another version")]
    Unsaid {
        /// The file.
        path: PathBuf,
        /// What.
        what: &'static str,
    },
    /// It holds no review.
    #[error("the run of this bag failed: it holds what was answered until then, and no review to make again")]
    Failed,
    /// The bag has no answer to a call without which the read would have been another one.
    #[error("the bag has no answer to {0}, without which it cannot be read")]
    NoAnswer(String),
    /// The previous audit's snapshot cannot be read.
    #[error(transparent)]
    Previous(#[from] StoreError),
    /// The answers do not make a directory.
    #[error("the recorded answers cannot be read as they were: {0}")]
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
    #[error("the evidence cannot be described: {0}")]
    Template(#[from] askama::Error),
}

/// What a bag says of its review, as far as it is needed to make it once more.
#[derive(Debug)]
pub struct Recording {
    bag: PathBuf,
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
    /// Whether an older rolecall made it, which did not keep everything that its reports were made of.
    pub is_older: bool,
}

/// What a bag says of how it was read that does not follow from the answers: times, and what calls cost that left none.
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

/// What a bag says of where it was read. The scopes stood in the answer with the token, which is kept nowhere.
#[derive(Deserialize)]
struct Source {
    api_url: String,
    scopes: Option<Vec<String>>,
}

/// Which requests a read needs the answers to.
#[derive(Debug, Default)]
struct Needs(Mutex<Vec<(String, Needed)>>);

impl Recorder for Needs {
    fn answered(&self, exchange: &Exchange) {
        let asked = (path(&exchange.request).to_owned(), exchange.needed.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    }
}

impl Needs {
    fn needed(&self) -> BTreeSet<String> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|(_, needed)| needed.is_confirmed()).map(|(request, _)| request.clone()).collect()
    }
}

/// Path and query of a request line.
fn path(request: &str) -> &str {
    let address = request.split_once("://").map_or(request, |(_, address)| address);
    address.find('/').map_or("/", |at| &address[at..])
}

impl Recording {
    /// Reads what a bag says of itself.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub fn of(bag: &Path) -> Result<Self, RecomputeError> {
        if bag.join("data").join(failure::FILE).exists() {
            return Err(RecomputeError::Failed);
        }
        let path = bag.join("bag-info.txt");
        let info = fs::read_to_string(&path).map_err(|source| RecomputeError::File { path: path.clone(), source })?;
        let says = |name: &'static str| {
            let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.ok_or_else(|| RecomputeError::Unsaid { path: path.clone(), what: name })
        };
        let unsaid = |what| RecomputeError::Unsaid { path: path.clone(), what };
        Ok(Self {
            bag: bag.to_owned(),
            id: says("External-Identifier")?.parse().map_err(|_| unsaid("External-Identifier"))?,
            workspace: says("Rolecall-Workspace")?.to_owned(),
            job: says("Rolecall-Job").ok().map(str::to_owned),
            judged_at: says("Rolecall-Judged-At")?.parse().map_err(|_| unsaid("Rolecall-Judged-At"))?,
            agent: says("Bag-Software-Agent")?.to_owned(),
            ledger: says("Rolecall-Ledger").unwrap_or_default().to_owned(),
            is_older: !bag.join("data").join(trigger::FILE).exists(),
        })
    }

    /// The configuration as it was applied.
    pub fn configuration(&self) -> PathBuf {
        self.bag.join("data/configuration.toml")
    }

    /// Whether this version of rolecall made it.
    pub fn is_of_this_version(&self) -> bool {
        self.agent.starts_with(concat!("rolecall ", env!("CARGO_PKG_VERSION"), " "))
    }

    /// The recorded answers, by request: path and query.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub fn answers(&self) -> Result<BTreeMap<String, VecDeque<Recorded>>, RecomputeError> {
        let mut answers: BTreeMap<String, VecDeque<Recorded>> = BTreeMap::new();
        for line in self.index()? {
            let recorded = Recorded { status: line.status, file: self.bag.join(line.file) };
            answers.entry(path(&line.request).to_owned()).or_default().push_back(recorded);
        }
        Ok(answers)
    }

    fn index(&self) -> Result<Vec<Line>, RecomputeError> {
        let path = self.bag.join("data").join(INDEX);
        let failed = |source| RecomputeError::File { path: path.clone(), source };
        let lines = BufReader::new(File::open(&path).map_err(failed)?).lines();
        let line = |line: io::Result<String>| Ok(serde_json::from_str(&line?)?);
        lines.map(|text| line(text).map_err(failed)).collect()
    }

    fn bytes(&self, file: &str) -> Result<Vec<u8>, RecomputeError> {
        let path = self.bag.join(file);
        fs::read(&path).map_err(|source| RecomputeError::File { path, source })
    }

    fn json<T: DeserializeOwned>(&self, file: &str) -> Result<T, RecomputeError> {
        let failed =
            |error: serde_json::Error| RecomputeError::File { path: self.bag.join(file), source: error.into() };
        serde_json::from_slice(&self.bytes(file)?).map_err(failed)
    }

    /// Makes the review once more, from answers that are given once more, and compares everything that follows from them.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub async fn compare(
        &self,
        connector: &dyn Connector,
        replay: &Replay,
        policy: &Policy,
    ) -> Result<Vec<Compared>, RecomputeError> {
        let needs = Arc::new(Needs::default());
        let read = ReadRequest {
            administrator_profiles: policy.administrator_profiles.clone(),
            deadline: DEADLINE,
            recorder: Some(Arc::clone(&needs) as Arc<dyn Recorder>),
        };
        let directory = connector.read(&read, &()).await;
        let needed = needs.needed();
        if let Some(request) = replay.missing().into_iter().find(|request| needed.contains(request)) {
            return Err(RecomputeError::NoAnswer(request));
        }
        let mut directory = directory.map_err(|source| RunError::Read { workspace: self.workspace.clone(), source })?;
        let index = self.index()?;
        let mut trigger = None;
        if !self.is_older {
            self.complete(&mut directory, &index, &replay.base_url)?;
            let file = format!("data/{}", trigger::FILE);
            let failed =
                |error: serde_json::Error| RecomputeError::File { path: self.bag.join(&file), source: error.into() };
            trigger = trigger::read(&self.bytes(&file)?).map_err(failed)?;
        }
        let request = RunRequest {
            id: self.id,
            trigger: trigger.as_ref(),
            job: self.job.as_deref(),
            workspace: &self.workspace,
            policy,
            deadline: DEADLINE,
        };
        let audit = judge(&request, ReadWorkspace { directory, previous: self.previous()? }, self.judged_at)?;
        self.compare_all(&audit, &index)
    }

    /// Completes a directory by what follows from no answer: times, and calls that left none. What the index tells of
    /// calls and clocks is worked out from it.
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
        let matrix = AccessMatrix::new(&audit.directory, &audit.administrator_profiles);
        let input = ReportInput::new(audit, &matrix);
        let failed = |file: &str| {
            let file = file.to_owned();
            move |source| RecomputeError::Compare { file, source }
        };
        let report = |file: ReportFile| {
            let name = format!("data/reports/{}", file.file_name());
            let is_wording = !TABLES.contains(&file);
            compare::file(&self.bag, &name, is_wording, |mut out| report::write(file, &input, &mut out))
                .map_err(failed(&name))
        };
        if self.is_older {
            return TABLES.into_iter().map(report).collect();
        }
        let tally = Tally::of(index);
        let mut compared =
            vec![compare::index(&self.bag, index, &audit.directory.reading).map_err(failed("data/answers.jsonl"))?];
        for content in Content::ALL {
            let name = format!("data/{}", content.path());
            let is_wording = matches!(content, Content::Rules | Content::Completeness);
            let write = |out: &mut dyn io::Write| content.write(audit, tally, out);
            compared.push(compare::file(&self.bag, &name, is_wording, write).map_err(failed(&name))?);
        }
        for file in ReportFile::ALL {
            compared.push(report(file)?);
        }
        for (name, text) in describe::beside(audit, self.bag.join(SIGNATURE).exists())? {
            let write = |out: &mut dyn io::Write| out.write_all(text.as_bytes());
            compared.push(compare::file(&self.bag, name, true, write).map_err(failed(name))?);
        }
        let info = String::from_utf8_lossy(&self.bytes("bag-info.txt")?).into_owned();
        compared.push(compare::info(&info, &describe::info(audit, &self.agent, &self.ledger)));
        Ok(compared)
    }

    fn previous(&self) -> Result<Option<Kept>, RecomputeError> {
        let path = self.bag.join("data").join(PREVIOUS);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(RecomputeError::File { path, source }),
        };
        // Of the record only the parts are compared with.
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
        };
        Ok(Some(Kept { record, parts: snapshot::split(file)? }))
    }
}
