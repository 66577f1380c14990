//! `report.html`: the whole report for people, as one file.
//!
//! It opens with the answer and ends with how the data was collected. No script, nothing loaded from elsewhere. Each
//! section has a budget of bytes ([`text::Budget`]), so that the file stays under 5 MB however many users there are
//! and whatever their names; what a section leaves out it counts, and names the file that has it. The templates under
//! `templates/report/` escape every value.

mod accounts;
mod answer;
mod changes;
mod findings;
mod map;
mod policy;
mod provenance;
mod structure;
pub(super) mod text;
mod trend;
mod users;

use std::{
    borrow::Borrow,
    io::{self, Write},
};

use askama::Template;

use super::ReportInput;
use crate::{brief::Counts, model::framework::Framework, words::number};
use accounts::Accounts;
use answer::Answer;
use changes::ChangeRow;
use findings::Section;
use map::Map;
use provenance::{CheckRow, Fact};
use structure::{ProfileRow, Roles, Rules};
pub use text::shown;
use text::{LABEL, Part, moment};
use trend::Trend;
use users::Users;

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

/// The page.
#[derive(Template)]
#[template(path = "report/report.html")]
struct Page<'a> {
    workspace: String,
    company: Option<String>,
    judged: String,
    judged_at: String,
    /// The audit that was compared with; `None` for a first audit.
    since: Option<String>,
    /// Which audit is judged again, by which policy then and now.
    again: Option<[String; 3]>,
    answer: Answer,
    counts: &'a Counts,
    sections: Vec<Section>,
    findings: Part<()>,
    changes: Part<ChangeRow>,
    users: Users,
    trend: Option<Trend>,
    map: Map,
    roles: Roles,
    profiles: Part<ProfileRow>,
    rules: Rules,
    accounts: Option<Accounts>,
    facts: Vec<Fact>,
    checks: Vec<CheckRow>,
    checks_have_details: bool,
    check_counts: String,
    policy: Vec<Fact>,
    criteria: String,
    audit_id: String,
    version: &'static str,
}

impl Page<'_> {
    /// A count as the page writes it.
    fn n(count: impl Borrow<usize>) -> String {
        number(*count.borrow())
    }
}

pub(super) fn write(input: &ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(BUFFER, out);
    page(input).write_into(&mut out)?;
    out.flush()
}

fn page<'a>(input: &'a ReportInput<'_>) -> Page<'a> {
    let audit = input.audit;
    let (sections, findings) = findings::sections(input);
    let checks = provenance::checks(input);
    Page {
        workspace: shown(&audit.workspace, LABEL),
        company: audit.directory.organization.company_name.as_deref().map(|name| shown(name, LABEL)),
        judged: moment(audit.judged_at),
        judged_at: audit.judged_at.to_rfc3339(),
        since: audit.drift.previous.as_ref().map(|previous| moment(previous.finished_at)),
        again: input
            .judged_again
            .as_ref()
            .map(|again| [again.audit.to_string(), shown(&again.policy, LABEL), shown(&audit.policy.name, LABEL)]),
        answer: answer::answer(&input.brief),
        counts: &input.brief.counts,
        sections,
        findings,
        changes: changes::changes(input),
        users: users::users(input),
        trend: trend::trend(input),
        map: map::map(input),
        roles: structure::roles(input),
        profiles: structure::profiles(input),
        rules: structure::rules(input),
        accounts: accounts::accounts(input),
        facts: provenance::facts(input),
        checks_have_details: checks.iter().any(|check| !check.detail.is_empty()),
        check_counts: provenance::check_counts(input),
        checks,
        policy: policy::policy(input),
        criteria: Framework::scopes(&audit.policy.frameworks),
        audit_id: audit.id.to_string(),
        version: audit.version,
    }
}

#[cfg(test)]
mod tests;
