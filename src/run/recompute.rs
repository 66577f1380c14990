//! A review made once more from its bag: the recorded answers go through the same reading, correlating and judging, and
//! what comes out is compared with what was reported.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{ReadWorkspace, RunError, RunRequest, contents::PREVIOUS, judge};
use crate::{
    access::matrix::AccessMatrix,
    connector::{Connector, ReadRequest},
    model::policy::Policy,
    replay::Recorded,
    report::{self, ReportFile, ReportInput, RuleTexts},
    store::{AuditRecord, Kept, StoreError, snapshot},
};

/// The reports that are compared: every row and nothing that the vendor's clock or ours says.
const COMPARED: [ReportFile; 3] = [ReportFile::AccessMatrixCsv, ReportFile::FindingsCsv, ReportFile::ChangesCsv];
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
    /// The previous audit's snapshot cannot be read.
    #[error(transparent)]
    Previous(#[from] StoreError),
    /// The answers do not make a directory.
    #[error("the recorded answers cannot be read as they were: {0}")]
    Run(#[from] RunError),
    /// A report cannot be written.
    #[error("{file} cannot be made: {source}")]
    Report {
        /// The report.
        file: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// What a bag says of its review, as far as it is needed to make it once more.
#[derive(Debug)]
pub struct Recording {
    bag: PathBuf,
    id: Uuid,
    /// The workspace's name in the configuration.
    pub workspace: String,
    job: Option<String>,
    /// When it was judged.
    pub judged_at: DateTime<Utc>,
    /// The program that made it.
    pub agent: String,
}

/// A line of the index of answers.
#[derive(Deserialize)]
struct Line {
    file: String,
    request: String,
    status: u16,
}

/// A report, and where it is not what was reported.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared {
    /// The report.
    pub file: &'static str,
    /// The first line that differs; none where it is the same, byte for byte.
    pub differs_at: Option<u64>,
    /// The lines that were compared.
    pub lines: u64,
}

impl Recording {
    /// Reads what a bag says of itself.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub fn of(bag: &Path) -> Result<Self, RecomputeError> {
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
        })
    }

    /// The configuration as it was applied.
    pub fn configuration(&self) -> PathBuf {
        self.bag.join("data/configuration.toml")
    }

    /// The recorded answers, by request: path and query.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub fn answers(&self) -> Result<BTreeMap<String, VecDeque<Recorded>>, RecomputeError> {
        let path = self.bag.join("data/answers.jsonl");
        let failed = |source| RecomputeError::File { path: path.clone(), source };
        let mut answers: BTreeMap<String, VecDeque<Recorded>> = BTreeMap::new();
        for line in BufReader::new(File::open(&path).map_err(failed)?).lines() {
            let line: Line = serde_json::from_str(&line.map_err(failed)?).map_err(|error| failed(error.into()))?;
            let address = line.request.split_once("://").map_or(line.request.as_str(), |(_, address)| address);
            let asked = address.find('/').map_or("/", |at| &address[at..]).to_owned();
            let recorded = Recorded { status: line.status, file: self.bag.join(line.file) };
            answers.entry(asked).or_default().push_back(recorded);
        }
        Ok(answers)
    }

    /// Makes the review once more, and compares.
    ///
    /// # Errors
    /// [`RecomputeError`]
    pub async fn compare(
        &self,
        connector: &dyn Connector,
        policy: &Policy,
        texts: &RuleTexts,
    ) -> Result<Vec<Compared>, RecomputeError> {
        let read = ReadRequest {
            administrator_profiles: policy.administrator_profiles.clone(),
            deadline: DEADLINE,
            recorder: None,
        };
        let directory = connector.read(&read, &()).await;
        let directory = directory.map_err(|source| RunError::Read { workspace: self.workspace.clone(), source })?;
        let request = RunRequest {
            id: self.id,
            occasion: None,
            job: self.job.as_deref(),
            workspace: &self.workspace,
            policy,
            deadline: DEADLINE,
        };
        let audit = judge(&request, ReadWorkspace { directory, previous: self.previous()? }, self.judged_at)?;
        let matrix = AccessMatrix::new(&audit.directory, &audit.administrator_profiles);
        let input = ReportInput::new(&audit, &matrix, texts);
        COMPARED.into_iter().map(|file| self.compare_file(file, &input)).collect()
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
            unmailed: None,
        };
        Ok(Some(Kept { record, parts: snapshot::split(file)? }))
    }

    fn compare_file(&self, file: ReportFile, input: &ReportInput<'_>) -> Result<Compared, RecomputeError> {
        let name = file.file_name();
        let path = self.bag.join("data/reports").join(name);
        let reported = File::open(&path).map_err(|source| RecomputeError::File { path, source })?;
        let mut comparing = Comparing { reported: BufReader::new(reported), line: 1, differs_at: None };
        report::write(file, input, &mut comparing)
            .and_then(|()| comparing.end())
            .map_err(|source| RecomputeError::Report { file: name, source })?;
        Ok(Compared { file: name, differs_at: comparing.differs_at, lines: comparing.line - 1 })
    }
}

/// Compares what is written with what was.
struct Comparing {
    reported: BufReader<File>,
    line: u64,
    differs_at: Option<u64>,
}

impl Comparing {
    /// Nothing more is written: nothing more should have been.
    fn end(&mut self) -> io::Result<()> {
        if self.differs_at.is_none() && !self.reported.fill_buf()?.is_empty() {
            self.differs_at = Some(self.line);
        }
        Ok(())
    }
}

impl Write for Comparing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.differs_at.is_none() {
            let mut reported = Vec::with_capacity(bytes.len());
            self.reported.by_ref().take(bytes.len() as u64).read_to_end(&mut reported)?;
            let same = bytes.iter().zip(&reported).take_while(|(new, old)| new == old).count();
            self.line += memchr::memchr_iter(b'\n', &bytes[..same]).count() as u64;
            if same < bytes.len() {
                self.differs_at = Some(self.line);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
