//! What a bag of a review says of itself: its README, the script that verifies it, and `bag-info.txt`.

use askama::Template;

use super::format::time;
use crate::{
    evidence::{NAMESPACE, PRINCIPAL, SIGNATURE, review::SHEET_NAMESPACE},
    model::{audit::Audit, framework::Framework, trigger::Trigger},
    words,
};

/// What the README says of files that not every bag has.
const ROSTER: &str = "  data/roster.json     who works for the company, as read; only the columns that were mapped";
const REVIEWED: &str = "  data/reviewed.json.gz
                       what people had decided about accounts in reviews that were open or not carried out (gzip)";

/// The texts beside the payload.
pub(in crate::run) fn beside(audit: &Audit, is_signed: bool) -> Result<[(&'static str, String); 2], askama::Error> {
    // Templates end without the end of their last line.
    let readme = readme(audit, is_signed).render()? + "\n";
    Ok([("README.txt", readme), ("verify.sh", script()?)])
}

/// The script that verifies a bag.
pub(in crate::run) fn script() -> Result<String, askama::Error> {
    let script = Script { signature: SIGNATURE, principal: PRINCIPAL, namespace: NAMESPACE, sheets: SHEET_NAMESPACE };
    Ok(script.render()? + "\n")
}

#[derive(Template)]
#[template(path = "evidence/README.txt")]
struct Readme {
    workspace: String,
    company: String,
    version: &'static str,
    id: String,
    job: String,
    due: String,
    judged: String,
    source: String,
    reader: String,
    population: String,
    complete: String,
    signed: bool,
    compared: bool,
    past: bool,
    more: Vec<&'static str>,
    criteria: String,
    signature: &'static str,
    principal: &'static str,
    namespace: &'static str,
}

#[derive(Template)]
#[template(path = "evidence/verify.sh", escape = "none")]
struct Script {
    signature: &'static str,
    principal: &'static str,
    namespace: &'static str,
    sheets: &'static str,
}

fn readme(audit: &Audit, is_signed: bool) -> Readme {
    let directory = &audit.directory;
    let (reading, reader) = (&directory.reading, &directory.current_user);
    let by_status = directory.users.by_status();
    let by_status: Vec<String> = by_status.iter().map(|(status, count)| format!("{count} {}", status.word())).collect();
    let problems: Vec<&str> = reading.problems().map(|(_, why)| why).collect();
    Readme {
        workspace: audit.workspace.clone(),
        company: directory.organization.company_name.clone().unwrap_or_default(),
        version: audit.version,
        id: audit.id.to_string(),
        job: audit.job.clone().unwrap_or_else(|| "none: on demand".to_owned()),
        due: audit.trigger.as_ref().map_or_else(|| "on demand".to_owned(), Trigger::sentence),
        judged: time(audit.judged_at),
        source: format!(
            "{}, connector {}, {}organization {}",
            directory.source.api_url,
            directory.source.connector,
            directory.source.data_center.as_ref().map(|center| format!("data center {center}, ")).unwrap_or_default(),
            directory.organization.id.as_deref().unwrap_or("unknown")
        ),
        reader: format!("user {} ({})", reader.id.as_str(), reader.email.as_deref().unwrap_or("address unknown")),
        population: format!(
            "{} users on {}, up to {} on one: {}",
            reading.users,
            words::count(reading.pages, "page"),
            reading.per_page,
            by_status.join(" + ")
        ),
        complete: if problems.is_empty() { "yes".to_owned() } else { format!("NO: {}", problems.join("; ")) },
        signed: is_signed,
        compared: audit.drift.previous.is_some(),
        past: !audit.past.is_empty(),
        more: [audit.roster.as_ref().map(|_| ROSTER), audit.reviewed.as_ref().map(|_| REVIEWED)]
            .into_iter()
            .flatten()
            .collect(),
        criteria: Framework::scopes(&audit.policy.frameworks),
        signature: SIGNATURE,
        principal: PRINCIPAL,
        namespace: NAMESPACE,
    }
}

/// The field with the name and digest of the policy.
pub(in crate::run) const POLICY: &str = "Rolecall-Policy";

/// The fields of `bag-info.txt`.
pub(in crate::run) fn info(audit: &Audit, agent: &str, ledger: &str) -> Vec<(&'static str, String)> {
    let organization = &audit.directory.organization;
    let mut info = vec![
        ("Source-Organization", organization.company_name.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("External-Identifier", audit.id.to_string()),
        ("External-Description", format!("Access review of the workspace {}", audit.workspace)),
        ("Bagging-Date", audit.judged_at.format("%Y-%m-%d").to_string()),
        ("Bag-Software-Agent", agent.to_owned()),
        ("Rolecall-Workspace", audit.workspace.clone()),
        ("Rolecall-Judged-At", time(audit.judged_at)),
        ("Rolecall-Complete", audit.directory.reading.is_complete().to_string()),
        // Signed with the rest: this bag is a checkpoint of everything before it.
        ("Rolecall-Ledger", ledger.to_owned()),
    ];
    info.push((POLICY, format!("{} sha256:{}", audit.policy.name, audit.policy.sha256())));
    if let Some(job) = &audit.job {
        info.push(("Rolecall-Job", job.clone()));
    }
    if let Some(trigger) = &audit.trigger {
        info.push(("Rolecall-Due-At", time(trigger.fire_at)));
    }
    info
}
