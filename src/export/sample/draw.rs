//! Who can be drawn, and the draw.
//!
//! An item is ordered by the SHA-256 of the seed, a line feed and its id; the first `n` are drawn. `draw.py`, which is in
//! every sample, does the same in ten lines.

use std::{collections::BTreeMap, fmt, io};

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{
    Wanted,
    audit::{Audits, Changed},
};
use crate::{
    coverage::{Coverage, Question, Row},
    digest::sha256,
    evidence::{consistency::ConsistencyReport, inventory, source, storage::Storage},
    export::bag::{self, CHANGES},
    words::count,
};

/// A review that is recorded later than this after its scheduled time is late.
const LATE_AFTER: Duration = Duration::hours(24);

/// From which population is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Every scheduled time of the period, missed ones included, and every audit on demand.
    Reviews,
    /// Every account that an audit of the period lists, of every status.
    Accounts,
    /// Every account that an audit of the period lists for the first time.
    Joiners,
    /// Every account that an audit of the period finds removed, or no longer active.
    Leavers,
    /// Every change of a user, role, profile, permission or the organization.
    Changes,
}

impl Of {
    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reviews => "reviews",
            Self::Accounts => "accounts",
            Self::Joiners => "joiners",
            Self::Leavers => "leavers",
            Self::Changes => "changes",
        }
    }

    /// What the population is, and where it can be worked out again.
    pub(super) fn describes(self) -> &'static str {
        match self {
            Self::Reviews => {
                "every scheduled time of the period by the schedules in the ledger, also those at which nothing happened, \
                 and every audit on demand: the rows of coverage.csv. The id is JOB/WORKSPACE/TIME."
            }
            Self::Accounts => {
                "every account that data/reports/access-matrix.csv of any audit of the period lists, whatever its status. \
                 The id is WORKSPACE/USER ID."
            }
            Self::Joiners => {
                "every row of data/reports/changes.csv of the audits of the period that says user-added or \
                 user-reactivated. The id is AUDIT/ROW; the header is row 1."
            }
            Self::Leavers => {
                "every row of data/reports/changes.csv of the audits of the period that says user-removed, or \
                 status-changed away from active. The id is AUDIT/ROW; the header is row 1."
            }
            Self::Changes => {
                "every row of data/reports/changes.csv of the audits of the period, without those about findings and the \
                 policy. The id is AUDIT/ROW; the header is row 1."
            }
        }
    }

    fn holds(self, change: &Changed) -> bool {
        let kind = change.change.as_str();
        match self {
            Self::Reviews | Self::Accounts => false,
            Self::Joiners => matches!(kind, "user-added" | "user-reactivated"),
            Self::Leavers => kind == "user-removed" || kind == "status-changed" && change.before.starts_with("active"),
            Self::Changes => !matches!(&*change.subject_type, "finding" | "policy"),
        }
    }
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Something that can be drawn.
#[derive(Debug)]
pub(super) struct Candidate {
    /// What identifies it: one line.
    pub(super) id: String,
    /// What it is, for people.
    pub(super) title: String,
    pub(super) about: About,
}

/// What a candidate is about.
#[derive(Debug)]
pub(super) enum About {
    /// A scheduled time, or an audit on demand.
    Review(Box<Row>),
    /// An account.
    Account {
        /// The user's id.
        user: String,
        /// The first and the last audit of the period that lists it, and how many do.
        first: Uuid,
        last: Uuid,
        audits: usize,
    },
    /// A row of changes.csv.
    Change {
        /// The audit that saw it.
        audit: Uuid,
        /// The row; the header is row 1.
        row: usize,
        change: Changed,
    },
}

/// Everything that can be drawn, in the order of the ids, and notes.
pub(super) fn population(
    storage: &dyn Storage,
    found: &ConsistencyReport,
    (audits, wanted): (&Audits, &Wanted),
    now: DateTime<Utc>,
) -> io::Result<(Vec<Candidate>, Vec<String>)> {
    let mut notes = Vec::new();
    let missing = audits.without_bag(wanted.period);
    if missing > 0 && wanted.of != Of::Reviews {
        notes.push(format!("{} of the period have no bag here and are not in the population", count(missing, "audit")));
    }
    let mut population = match wanted.of {
        Of::Reviews => reviews(storage, found, wanted, now)?,
        Of::Accounts => accounts(storage, audits, wanted)?,
        Of::Joiners | Of::Leavers | Of::Changes => changes(storage, audits, wanted)?,
    };
    population.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((population, notes))
}

fn reviews(
    storage: &dyn Storage,
    found: &ConsistencyReport,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> io::Result<Vec<Candidate>> {
    let (bags, foreign) = (inventory::digests(storage)?, source::all_foreign(storage)?);
    let (from, to) = (wanted.period.from, wanted.period.to);
    let question = Question { from, to, job: None, late_after: LATE_AFTER, now, bags: Some(&bags), foreign: &foreign };
    let coverage = Coverage::of(found.attestation.verified(), &question);
    let candidate = |row: Row| {
        let job = row.job.as_deref().unwrap_or("none");
        let at = row.fire_at.format("%Y-%m-%dT%H:%M:%S%.fZ");
        Candidate {
            id: line(&format!("{job}/{}/{at}", row.workspace)),
            title: format!("{job} · {}, {}: {}", row.workspace, row.fire_at.format("%Y-%m-%d %H:%M UTC"), row.state),
            about: About::Review(Box::new(row)),
        }
    };
    Ok(coverage.rows.into_iter().map(candidate).collect())
}

fn accounts(storage: &dyn Storage, audits: &Audits, wanted: &Wanted) -> io::Result<Vec<Candidate>> {
    let mut accounts: BTreeMap<String, Candidate> = BTreeMap::new();
    for audit in audits.of_period(wanted.period) {
        for account in audit.open(storage)?.report()?.access_matrix {
            let id = line(&format!("{}/{}", audit.recorded.workspace, account.user_id));
            let run = audit.recorded.run;
            let title = format!("{} in {}", account.label(), audit.recorded.workspace);
            let fresh = || About::Account { user: account.user_id.clone(), first: run, last: run, audits: 0 };
            let known =
                accounts.entry(id.clone()).or_insert_with(|| Candidate { id, title: String::new(), about: fresh() });
            known.title = title;
            if let About::Account { last, audits, .. } = &mut known.about {
                *last = run;
                *audits += 1;
            }
        }
    }
    Ok(accounts.into_values().collect())
}

fn changes(storage: &dyn Storage, audits: &Audits, wanted: &Wanted) -> io::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    for audit in audits.of_period(wanted.period) {
        let Some(table) = bag::table(&audit.open(storage)?.sealed, CHANGES)? else { continue };
        for (row, cells) in table.numbered() {
            let Some(change) = Changed::of(&table, cells).filter(|change| wanted.of.holds(change)) else { continue };
            let run = audit.recorded.run;
            let seen = audit.recorded.read_to.format("%Y-%m-%d");
            candidates.push(Candidate {
                id: format!("{run}/{row}"),
                title: format!("{}: {} in {}, seen {seen}", change.subject, change.change, audit.recorded.workspace),
                about: About::Change { audit: run, row, change },
            });
        }
    }
    Ok(candidates)
}

/// A text on one line that is no other text's: control characters and `%` are written as in a URL.
fn line(text: &str) -> String {
    use std::fmt::Write as _;
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if c == '%' || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(line, "%{byte:02X}");
            }
        } else {
            line.push(c);
        }
        line
    })
}

/// The digest that orders an item.
pub(super) fn digest(seed: &str, id: &str) -> String {
    sha256(format!("{seed}\n{id}").as_bytes())
}

/// The first `n` by their digests, each with its digest.
pub(super) fn drawn<'c>(population: &'c [Candidate], seed: &str, n: usize) -> Vec<(String, &'c Candidate)> {
    let mut drawn: Vec<(String, &Candidate)> = population.iter().map(|one| (digest(seed, &one.id), one)).collect();
    drawn.sort_by(|a, b| a.0.cmp(&b.0));
    drawn.truncate(n);
    drawn
}
