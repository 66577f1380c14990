//! What a bag holds of an audit beside the answers and the reports: the directory as it was understood, which rules ran,
//! how completely was read, and what the previous audit left to compare with.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    evidence::draft::{Draft, DraftError},
    model::{audit::Audit, directory::Directory, finding::RuleResult, id::PersonId, users::User},
    store::Kept,
};

/// The file of the previous audit's snapshot, below `data/`: JSON lines, compressed by Zstandard.
pub(super) const PREVIOUS: &str = "previous.jsonl.zst";

/// A user as the record was understood: what the API did not give is null.
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

/// Adds the directory, as it was understood.
pub(super) fn directory(draft: &Draft, directory: &Directory) -> Result<(), DraftError> {
    add(draft, "directory/source.json", &directory.source)?;
    add(draft, "directory/organization.json", &directory.organization)?;
    add(draft, "directory/current-user.json", &directory.current_user)?;
    add(draft, "directory/roles.json", &directory.roles)?;
    add(draft, "directory/profiles.json", &directory.profiles)?;
    draft.add("directory/users.jsonl.gz", |writer| {
        // Neither a name nor a time, as with the answers.
        let mut gzip = io::BufWriter::with_capacity(1 << 16, GzBuilder::new().write(writer, Compression::fast()));
        for user in directory.users.iter() {
            serde_json::to_writer(&mut gzip, &UserLine::from(user))?;
            gzip.write_all(b"\n")?;
        }
        gzip.into_inner().map_err(io::IntoInnerError::into_error)?.finish().map(|_| ())
    })
}

/// Adds which rules ran, which did not, and why.
pub(super) fn rules(draft: &Draft, audit: &Audit) -> Result<(), DraftError> {
    let rule = |outcome: &crate::model::finding::RuleOutcome| {
        let (result, open, excepted, not_evaluated) = match &outcome.result {
            RuleResult::Passed => ("passed", 0, 0, ""),
            RuleResult::Failed { open, excepted, not_evaluated } => {
                ("failed", *open, *excepted, not_evaluated.as_str())
            }
            RuleResult::NotEvaluated(why) => ("not evaluated", 0, 0, why.as_str()),
            RuleResult::SwitchedOff => ("switched off by the policy", 0, 0, ""),
        };
        let not_evaluated = (!not_evaluated.is_empty()).then_some(not_evaluated);
        json!({ "rule": outcome.rule, "result": result, "open": open, "excepted": excepted, "not_evaluated": not_evaluated })
    };
    let rules: Vec<Value> = audit.outcomes.iter().map(rule).collect();
    add(draft, "rules.json", &rules)
}

/// Adds how completely was read, with the sums that must agree.
pub(super) fn completeness(draft: &Draft, directory: &Directory) -> Result<(), DraftError> {
    let reading = &directory.reading;
    let by_status: serde_json::Map<String, Value> = directory
        .users
        .by_status()
        .into_iter()
        .map(|(status, users)| (status.word().to_owned(), users.into()))
        .collect();
    let listed = directory.users.len() as u64;
    let sum: u64 = by_status.values().filter_map(Value::as_u64).sum();
    let agree = |left: u64, right: u64| if left == right { "they agree" } else { "THEY DISAGREE" };
    let repeated = reading.rows.saturating_sub(reading.users);
    let sums = [
        format!(
            "{} rows on {} pages - {repeated} that came again = {} distinct users; in the matrix {listed}: {}",
            reading.rows,
            reading.pages,
            reading.users,
            agree(reading.rows - repeated, listed)
        ),
        format!(
            "{} = {sum}; in the matrix {listed}: {}",
            by_status.iter().map(|(status, users)| format!("{users} {status}")).collect::<Vec<_>>().join(" + "),
            agree(sum, listed)
        ),
    ];
    let completeness = json!({
        "complete": reading.is_complete(),
        "sums": sums,
        "users": listed,
        "users_by_status": by_status,
        "licences_bought": directory.organization.users_license_purchased,
        "primary_user": directory.organization.primary_zuid.as_ref().map(PersonId::as_str),
        "excluded": 0,
        "filters": "none: every status that the API lists is in the matrix",
        "reading": reading,
    });
    add(draft, "completeness.json", &completeness)
}

/// Adds what the previous audit left, so that the changes can be worked out again.
pub(super) fn previous(draft: &Draft, previous: &Kept) -> Result<(), DraftError> {
    // Frames of Zstandard one after another are one file of it.
    draft.add(PREVIOUS, |writer| previous.parts.iter().try_for_each(|part| writer.write_all(part)))
}

fn add(draft: &Draft, path: &str, value: &(impl Serialize + ?Sized)) -> Result<(), DraftError> {
    draft.add(path, |writer| {
        serde_json::to_writer_pretty(&mut *writer, value)?;
        writer.write_all(b"\n")
    })
}
