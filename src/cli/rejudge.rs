//! `rolecall audit --from`: judges what an earlier audit read by another policy, offline, and shows what differs from what
//! was found then.

use std::{collections::BTreeMap, fs, path::Path};

use url::Url;
use uuid::Uuid;

use super::{
    args::AuditArgs,
    check,
    output::{self, Failure, plain},
};
use crate::{
    app,
    audit::RuleSet,
    brief::NotEvaluated,
    clock::Clock,
    config::{self, settings::Settings},
    evidence::{inventory, signers::Allowed, storage::folder::Folder, verify},
    lookup::findings::FindingRow,
    model::{audit::Audit, finding::Severity, policy::Policy},
    replay::Replay,
    report::json::kept::{self, Recorded, RecordedFinding},
    run::{self, ReadWorkspace, RunRequest, recompute::SealedReview},
    words::count,
};

/// Maximum length of a subject and of a message.
const SHOWN: usize = 400;
/// The report in a bag.
const REPORT: &str = "data/reports/report.json";

pub(super) async fn run(named: Option<&Path>, args: &AuditArgs, from: &Path) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let (audit, recorded) =
        if from.is_dir() { of_bag(&settings, args, from).await? } else { of_report(&settings, args, from)? };
    show(&audit, &recorded);
    let worst = audit.open_findings().map(|finding| finding.severity).max();
    match args.fail_on.zip(worst) {
        Some((limit, worst)) if worst >= limit => {
            Err(Failure::Findings(format!("there are findings of severity {worst}, and --fail-on is {limit}")))
        }
        _ => Ok(()),
    }
}

/// The policy that is asked for; without a name, the one that would judge this job and workspace today.
fn policy<'s>(
    settings: &'s Settings,
    args: &AuditArgs,
    job: Option<&str>,
    workspace: &str,
) -> Result<&'s Policy, Failure> {
    let Some(name) = &args.policy else { return Ok(settings.policy_for(job, workspace)) };
    settings.policy_named(name).map(|policy| &**policy).ok_or_else(|| {
        let known = settings.policy_names().join(", ");
        Failure::usage(format!("unknown policy `{name}`; the configured policies are: {known}"))
    })
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}

async fn of_bag(settings: &Settings, args: &AuditArgs, bag: &Path) -> Result<(Audit, Recorded), Failure> {
    let storage = Folder::open(bag).map_err(|error| failed(&format!("{}: {error}", bag.display())))?;
    if !inventory::is_bag(&storage, "") {
        return Err(Failure::usage(format!("{} is not a bag of evidence", bag.display())));
    }
    // Who signed it is for `evidence verify`.
    let found = verify::bag(&storage, "", &Allowed::default());
    if let Some(problem) = found.problems.iter().find(|problem| !matches!(problem, verify::Problem::Signature { .. })) {
        return Err(failed(&format!("{} is not as it was sealed: {problem}", bag.display())));
    }
    let review = SealedReview::of(&storage, "").map_err(|error| failed(&error))?;
    let text = review.configuration().map_err(|error| failed(&error))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let then = config::parse(&bag.join("data/configuration.toml"), &text, &rules, review.judged_at);
    let then = then.map_err(|error| failed(&error))?.settings;
    let workspace = then
        .workspaces
        .get(&review.workspace)
        .ok_or_else(|| failed(&format!("the configuration in the bag has no workspace {}", review.workspace)))?;
    let answers = review.answers().map_err(|error| failed(&error))?;
    let replay = Replay::start(answers).await.map_err(|error| failed(&format!("{}: {error}", bag.display())))?;
    let base_url = Url::parse(&replay.base_url).map_err(|error| failed(&error))?;
    let connector = app::replaying_connector(workspace, &base_url, &Clock::system()).map_err(|error| failed(&error))?;
    let policy = policy(settings, args, review.job.as_deref(), &review.workspace)?;
    let read_by = then.policy_for(review.job.as_deref(), &review.workspace);
    let audit = review.judge(&*connector, &replay, read_by, policy).await.map_err(|error| failed(&error))?;
    let report = fs::read(bag.join(REPORT)).map_err(|error| failed(&format!("{REPORT}: {error}")))?;
    let recorded = kept::recorded(&report).map_err(|error| failed(&format!("{REPORT}: {error}")))?;
    Ok((audit, recorded))
}

fn of_report(settings: &Settings, args: &AuditArgs, path: &Path) -> Result<(Audit, Recorded), Failure> {
    let unusable = |error: &dyn std::fmt::Display| failed(&format!("{}: {error}", path.display()));
    let text = fs::read(path).map_err(|error| unusable(&error))?;
    let report = kept::read(&text).map_err(|error| unusable(&error))?;
    let request = RunRequest {
        id: Uuid::now_v7(),
        trigger: None,
        job: report.job.as_deref(),
        workspace: &report.workspace,
        policy: policy(settings, args, report.job.as_deref(), &report.workspace)?,
        deadline: std::time::Duration::ZERO,
    };
    let read = ReadWorkspace::alone(report.directory);
    let audit = run::judge(&request, read, report.judged_at).map_err(|error| unusable(&error))?;
    output::note("rolecall: report.json has no earlier audit, so rules that compare with one are not evaluated");
    Ok((audit, report.recorded))
}

/// A finding on both sides, or on one.
struct Difference<'f> {
    before: Option<&'f RecordedFinding>,
    now: Option<&'f RecordedFinding>,
}

/// The findings on both sides side by side: those of one rule about one subject belong together, first by their sentence.
fn side_by_side<'f>(before: &'f [RecordedFinding], now: &'f [RecordedFinding]) -> Vec<Difference<'f>> {
    type Key<'f> = (&'f str, &'f str, &'f str);
    fn grouped(findings: &[RecordedFinding]) -> BTreeMap<Key<'_>, Vec<&RecordedFinding>> {
        let mut groups: BTreeMap<Key<'_>, Vec<&RecordedFinding>> = BTreeMap::new();
        for finding in findings {
            groups.entry((&finding.rule, &finding.subject_type, &finding.subject_id)).or_default().push(finding);
        }
        groups
    }
    let (mut was, is) = (grouped(before), grouped(now));
    let mut all = Vec::new();
    for (key, findings) in is {
        let mut others = was.remove(&key).unwrap_or_default();
        let mut unpaired = Vec::new();
        for finding in findings {
            match others.iter().position(|other| other.message == finding.message) {
                Some(place) => all.push(Difference { before: Some(others.remove(place)), now: Some(finding) }),
                None => unpaired.push(finding),
            }
        }
        let mut others = others.into_iter();
        all.extend(unpaired.into_iter().map(|now| Difference { before: others.next(), now: Some(now) }));
        all.extend(others.map(|before| Difference { before: Some(before), now: None }));
    }
    let left = was.into_values().flatten();
    all.extend(left.map(|before| Difference { before: Some(before), now: None }));
    all
}

fn findings(audit: &Audit) -> Vec<RecordedFinding> {
    let of = |row: FindingRow| RecordedFinding {
        rule: row.rule,
        severity: row.severity.to_owned(),
        subject_type: row.subject_type.to_owned(),
        subject_id: row.subject_id,
        subject: row.subject,
        message: row.message,
        status: row.status.to_owned(),
    };
    audit.findings.iter().map(|finding| of(FindingRow::of(audit, finding))).collect()
}

fn show(audit: &Audit, recorded: &Recorded) {
    output::line(&format!(
        "{}, judged at {} by the policy `{}`; below by the policy `{}` (SHA-256 {})\n",
        plain(&audit.workspace, SHOWN),
        audit.judged_at.format("%Y-%m-%d %H:%M UTC"),
        plain(recorded.policy(), SHOWN),
        audit.policy.name,
        audit.policy.sha256()
    ));
    let now = findings(audit);
    let mut all = side_by_side(&recorded.findings, &now);
    let severity = |difference: &Difference<'_>| {
        let finding = difference.now.or(difference.before);
        finding.and_then(|finding| finding.severity.parse::<Severity>().ok())
    };
    all.sort_by_key(|difference| std::cmp::Reverse(severity(difference)));
    let (mut only_now, mut only_before, mut other, mut same) = (0, 0, 0, 0);
    for Difference { before, now } in &all {
        let (count, mark, finding, how) = match (before, now) {
            (Some(before), Some(now)) => match how(before, now) {
                None => {
                    same += 1;
                    continue;
                }
                Some(how) => (&mut other, "~", *now, how),
            },
            (None, Some(now)) => (&mut only_now, "+", *now, stated(now)),
            (Some(before), None) => (&mut only_before, "-", *before, stated(before)),
            (None, None) => continue,
        };
        *count += 1;
        output::line(&format!(
            "{mark} {how}  {}  {}: {}",
            plain(&finding.rule, SHOWN),
            plain(&finding.subject, SHOWN),
            plain(&finding.message, SHOWN)
        ));
    }
    output::line(&format!(
        "\n{} by this policy only (+), {only_before} no longer found (-), {other} with another severity or status (~), {same} \
         the same",
        count(only_now, "finding")
    ));
    not_evaluated(audit);
}

fn not_evaluated(audit: &Audit) {
    let not_evaluated = NotEvaluated::of(audit);
    for (check, detail) in &not_evaluated.problems {
        output::line(&format!("incomplete: {check}: {}", plain(detail, SHOWN)));
    }
    for rule in &not_evaluated.rules {
        output::line(&format!("not evaluated: {}: {}", plain(&rule.title, SHOWN), plain(&rule.reason, SHOWN)));
    }
    for (rule, reason) in audit.policy.rules_off() {
        output::line(&format!("off: {rule}: {}", plain(reason, SHOWN)));
    }
}

/// Severity and status of a finding.
fn stated(finding: &RecordedFinding) -> String {
    let severity = plain(&finding.severity, SHOWN);
    if finding.status == "open" { severity } else { format!("{severity} (accepted)") }
}

/// How the two differ; `None` if they do not, apart from the sentence.
fn how(before: &RecordedFinding, now: &RecordedFinding) -> Option<String> {
    let (was, is) = (stated(before), stated(now));
    (was != is).then(|| format!("{was} -> {is}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str, severity: &str, message: &str, status: &str) -> RecordedFinding {
        RecordedFinding {
            rule: rule.into(),
            severity: severity.into(),
            subject_type: "workspace".into(),
            subject_id: "acme".into(),
            subject: "acme".into(),
            message: message.into(),
            status: status.into(),
        }
    }

    #[test]
    fn findings_of_one_subject_are_paired_by_their_sentence_first() {
        let before = [finding("a", "low", "one", "open"), finding("a", "low", "two", "open")];
        let now = [finding("a", "high", "two", "open"), finding("b", "info", "new", "open")];
        let mut shown: Vec<String> = side_by_side(&before, &now)
            .iter()
            .map(|one| match (one.before, one.now) {
                (Some(before), Some(now)) => format!("~ {} {}", how(before, now).unwrap_or_default(), now.message),
                (None, Some(now)) => format!("+ {}", now.message),
                (Some(before), None) => format!("- {}", before.message),
                (None, None) => String::new(),
            })
            .collect();
        shown.sort();
        assert_eq!(shown, ["+ new", "- one", "~ low -> high two"]);
    }

    #[test]
    fn an_accepted_finding_differs_from_an_open_one_and_another_sentence_does_not() {
        let open = finding("a", "low", "one", "open");
        assert_eq!(how(&open, &finding("a", "low", "one", "excepted")).as_deref(), Some("low -> low (accepted)"));
        assert_eq!(how(&open, &finding("a", "low", "other words", "open")), None);
    }
}
