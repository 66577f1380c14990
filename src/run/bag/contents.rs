//! What a bag has of an audit beside the answers and the reports. What follows from the answers is a [`Content`], which is
//! recomputed with the audit; what does not are the previous audit's snapshot and
//! the numbers of the past audits.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    answers::{Tally, is_gzip},
    format::pretty,
};
use crate::{
    evidence::draft::{Draft, DraftError},
    model::{
        audit::Audit,
        change::Past,
        directory::Directory,
        finding::{RuleOutcome, RuleResult, Severity},
        id::PersonId,
        policy::RuleSetting,
        users::User,
    },
    store::Kept,
    words::count,
};

/// The file of the previous audit's snapshot, below `data/`: JSON lines, compressed by Zstandard.
pub(in crate::run) const PREVIOUS: &str = "previous.jsonl.zst";

/// The file of the past audits' numbers, below `data/`.
pub(in crate::run) const PAST: &str = "past.json";

/// A user as parsed from the record; what the API did not give is null.
#[derive(Serialize)]
struct UserLine<'a> {
    id: &'a str,
    zuid: Option<&'a str>,
    full_name: Option<&'a str>,
    email: Option<&'a str>,
    status: &'a str,
    confirmed: Option<bool>,
    role: Option<StatedLine<'a>>,
    profile: Option<StatedLine<'a>>,
    created: Option<DateTime<Utc>>,
    modified: Option<DateTime<Utc>>,
}

/// A role or profile as a user record states it.
#[derive(Serialize)]
struct StatedLine<'a> {
    id: &'a str,
    name: Option<&'a str>,
}

impl<'a> From<User<'a>> for UserLine<'a> {
    fn from(user: User<'a>) -> Self {
        Self {
            id: user.id(),
            zuid: user.zuid(),
            full_name: user.full_name(),
            email: user.email(),
            status: user.status().word(),
            confirmed: user.confirmed(),
            role: user.role().map(|role| StatedLine { id: role.id.as_str(), name: role.name.as_deref() }),
            profile: user.profile().map(|held| StatedLine { id: held.id.as_str(), name: held.name.as_deref() }),
            created: user.created(),
            modified: user.modified(),
        }
    }
}

/// A file that follows from the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Content {
    /// The system that was read.
    Source,
    /// The organization, as parsed.
    Organization,
    /// The account that read.
    CurrentUser,
    /// The master list of roles.
    Roles,
    /// The master list of profiles.
    Profiles,
    /// Every user, one a line.
    Users,
    /// Which rules ran, which did not, and why.
    Rules,
    /// The policy as applied, with its digest. Bags of an older rolecall do not have it.
    Policy,
    /// How complete the read was, with the sums that must match.
    Completeness,
    /// Who works for the company: the mapped columns only.
    Roster,
    /// What people decided in reviews, as far as the audit looked at it.
    Reviewed,
}

impl Content {
    /// All.
    pub(in crate::run) const ALL: [Self; 11] = [
        Self::Source,
        Self::Organization,
        Self::CurrentUser,
        Self::Roles,
        Self::Profiles,
        Self::Users,
        Self::Rules,
        Self::Policy,
        Self::Completeness,
        Self::Roster,
        Self::Reviewed,
    ];

    /// Whether the bag of an audit has it.
    pub(in crate::run) fn is_of(self, audit: &Audit) -> bool {
        match self {
            Self::Roster => audit.roster.is_some(),
            Self::Reviewed => audit.reviewed.is_some(),
            _ => true,
        }
    }

    /// Its file, below `data/`; compressed with gzip if its name says so.
    pub(in crate::run) fn path(self) -> &'static str {
        match self {
            Self::Source => "directory/source.json",
            Self::Organization => "directory/organization.json",
            Self::CurrentUser => "directory/current-user.json",
            Self::Roles => "directory/roles.json",
            Self::Profiles => "directory/profiles.json",
            Self::Users => "directory/users.jsonl.gz",
            Self::Rules => "rules.json",
            Self::Policy => "policy.json",
            Self::Completeness => "completeness.json",
            Self::Roster => "roster.json",
            Self::Reviewed => "reviewed.json.gz",
        }
    }

    /// Writes it, uncompressed.
    pub(in crate::run) fn write(self, audit: &Audit, tally: Tally, out: &mut dyn Write) -> io::Result<()> {
        let directory = &audit.directory;
        match self {
            Self::Source => pretty(out, &directory.source),
            Self::Organization => pretty(out, &directory.organization),
            Self::CurrentUser => pretty(out, &directory.current_user),
            Self::Roles => pretty(out, &directory.roles),
            Self::Profiles => pretty(out, &directory.profiles),
            Self::Users => {
                // A whole line per write: serde writes many small pieces.
                let mut line = Vec::new();
                directory.users.iter().try_for_each(|user| {
                    line.clear();
                    serde_json::to_writer(&mut line, &UserLine::from(user))?;
                    line.push(b'\n');
                    out.write_all(&line)
                })
            }
            Self::Rules => pretty(out, &rules(audit)),
            Self::Policy => pretty(out, &audit.policy.document()),
            Self::Completeness => pretty(out, &completeness(directory, tally)),
            Self::Roster => pretty(out, &audit.roster),
            Self::Reviewed => pretty(out, &audit.reviewed),
        }
    }

    /// Adds it to a bag.
    pub(in crate::run) fn add(self, draft: &Draft, audit: &Audit, tally: Tally) -> Result<(), DraftError> {
        draft.add(self.path(), |writer| {
            if !is_gzip(self.path()) {
                return self.write(audit, tally, writer);
            }
            // The header has neither a name nor a time, as with the answers.
            let mut gzip = io::BufWriter::with_capacity(1 << 16, GzBuilder::new().write(writer, Compression::fast()));
            self.write(audit, tally, &mut gzip)?;
            gzip.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(|_| ())
        })
    }
}

/// Which rules ran, which did not, and why; the severity of their findings, and the limits that they use.
fn rules(audit: &Audit) -> Value {
    let policy = &audit.policy;
    json!({
        "limits": {
            "max_administrators": policy.max_administrators,
            "max_administrator_percent": policy.max_administrator_percent,
            "unconfirmed_days": policy.unconfirmed_days,
            "max_exception_days": policy.max_exception_days,
        },
        "rules": audit.outcomes.iter().map(|outcome| rule(audit, outcome)).collect::<Vec<_>>(),
    })
}

fn rule(audit: &Audit, outcome: &RuleOutcome) -> Value {
    let (result, open, excepted, not_evaluated) = match &outcome.result {
        RuleResult::Passed => ("passed", 0, 0, ""),
        RuleResult::Failed { open, excepted, not_evaluated } => ("failed", *open, *excepted, not_evaluated.as_str()),
        RuleResult::NotEvaluated(why) => ("not evaluated", 0, 0, why.as_str()),
        RuleResult::SwitchedOff => ("switched off by the policy", 0, 0, ""),
    };
    let own = audit.rules.get(&outcome.rule).map(|rule| rule.severity);
    let severity = match audit.policy.rules.get(outcome.rule.as_str()) {
        Some(RuleSetting::Severity(severity)) => Some(*severity),
        _ => own,
    };
    json!({
        "rule": outcome.rule,
        "severity": severity.map(Severity::word),
        "severity_unless_the_policy_says_otherwise": own.map(Severity::word),
        "result": result,
        "open": open,
        "excepted": excepted,
        "off_because": matches!(outcome.result, RuleResult::SwitchedOff).then(|| audit.policy.off_reason(&outcome.rule)),
        "not_evaluated": (!not_evaluated.is_empty()).then_some(not_evaluated),
    })
}

fn completeness(directory: &Directory, tally: Tally) -> Value {
    let reading = &directory.reading;
    let by_status: serde_json::Map<String, Value> = directory
        .users
        .by_status()
        .into_iter()
        .map(|(status, users)| (status.word().to_owned(), users.into()))
        .collect();
    json!({
        "complete": reading.is_complete(),
        "sums": sums(directory, &by_status, tally),
        "users": directory.users.len(),
        "users_by_status": by_status,
        "licences_bought": directory.organization.users_license_purchased,
        "primary_user": directory.organization.primary_zuid.as_ref().map(PersonId::as_str),
        "excluded": 0,
        "filters": "none: every status that the API lists is in the matrix",
        "reading": reading,
    })
}

/// The sums that must match: each side was counted independently.
fn sums(directory: &Directory, by_status: &serde_json::Map<String, Value>, tally: Tally) -> [String; 5] {
    let reading = &directory.reading;
    let listed = directory.users.len() as u64;
    let agree = |left: u64, right: u64| if left == right { "they agree" } else { "THEY DISAGREE" };
    let on_pages: u64 = reading.rows_per_page.iter().map(|rows| u64::from(*rows)).sum();
    let statuses: u64 = by_status.values().filter_map(Value::as_u64).sum();
    let kept = tally.answers + reading.token_calls + reading.unanswered;
    [
        format!(
            "{} on {}: {} = {on_pages}: {}",
            count(reading.rows, "row"),
            count(reading.pages, "page"),
            runs(&reading.rows_per_page),
            agree(reading.rows, on_pages)
        ),
        format!(
            "{} - {} with a repeated id = {} distinct users; in the matrix {listed}: {}",
            count(reading.rows, "row"),
            reading.repeated,
            reading.rows.saturating_sub(reading.repeated),
            agree(reading.rows.saturating_sub(reading.repeated), listed)
        ),
        format!(
            "{} = {statuses}; in the matrix {listed}: {}",
            by_status.iter().map(|(status, users)| format!("{users} {status}")).collect::<Vec<_>>().join(" + "),
            agree(statuses, listed)
        ),
        format!(
            "{} calls = {} answers kept + {} for a token, not kept + {} without an answer = {kept}: {}",
            reading.requests,
            tally.answers,
            reading.token_calls,
            reading.unanswered,
            agree(reading.requests, kept)
        ),
        format!(
            "{} bytes received; in the answers kept {}: {}",
            reading.bytes,
            tally.bytes,
            agree(reading.bytes, tally.bytes)
        ),
    ]
}

/// Numbers, with equal neighbours combined: `2 × 200 + 50`.
fn runs(numbers: &[u32]) -> String {
    let run = |run: &[u32]| match run {
        [one] => one.to_string(),
        _ => format!("{} × {}", run.len(), run[0]),
    };
    numbers.chunk_by(|a, b| a == b).map(run).collect::<Vec<_>>().join(" + ")
}

/// Adds the numbers of the past audits, which the report draws.
pub(in crate::run) fn past(draft: &Draft, past: &[Past]) -> Result<(), DraftError> {
    draft.add(PAST, |writer| pretty(writer, past))
}

/// Adds the previous audit's snapshot, so that the changes can be recomputed.
pub(in crate::run) fn previous(draft: &Draft, previous: &Kept) -> Result<(), DraftError> {
    // Frames of Zstandard one after another are one file of it.
    draft.add(PREVIOUS, |writer| previous.parts.iter().try_for_each(|part| writer.write_all(part)))
}
