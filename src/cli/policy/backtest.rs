//! `rolecall policy backtest`: what a policy, or one rule of it, would have found in the audits that are kept.

use std::{collections::BTreeSet, path::Path};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::{
    app,
    audit::RuleSet,
    cli::{
        again::{Again, Change, Difference, Judge, SHOWN, differences, totals},
        args::{BacktestArgs, RuleFormat},
        check,
        output::{self, Failure, plain},
    },
    config::settings::Settings,
    evidence::{inventory, storage::Storage},
    run::kept::Before,
    store::{AuditRecord, Database},
    words::count,
};

/// Audits that one look into the store returns.
const AT_ONCE: u32 = 50;

#[derive(Serialize)]
struct Answer<'a> {
    since: NaiveDate,
    until: Option<NaiveDate>,
    /// The rule; null for all rules of the policy.
    rule: Option<&'a str>,
    audits: Vec<Row>,
}

/// One audit of the period.
#[derive(Serialize)]
struct Row {
    audit_id: String,
    job: Option<String>,
    workspace: String,
    finished_at: DateTime<Utc>,
    /// What it is judged by; null if it could not be judged.
    judged: Option<Judged>,
    /// Why it could not be judged; null if it was.
    problem: Option<String>,
}

#[derive(Serialize)]
struct Judged {
    /// `bag`, or `snapshot`: what the store keeps to compare the next audit with.
    from: &'static str,
    policy_then: String,
    policy: String,
    sha256: String,
    /// What the policy finds, and what was found then.
    findings: Vec<Difference>,
    not_evaluated: Vec<Unevaluated>,
}

#[derive(Serialize)]
struct Unevaluated {
    rule: String,
    reason: String,
}

/// An audit, and the one it was compared with.
struct Past {
    record: AuditRecord,
    before: Option<AuditRecord>,
}

pub(super) async fn run(named: Option<&Path>, args: &BacktestArgs) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let judge = Judge { settings: &settings, policy: args.policy.as_deref() };
    let series = series(&settings, args)?;
    known_rule(&judge, &series, args)?;
    let nothing = || Failure::failed(format!("there is no store at {}", app::store_place(&settings)));
    let store = app::existing_store(&settings).await.map_err(failed)?.ok_or_else(nothing)?;
    let mut all = Vec::new();
    for (job, workspace) in series {
        all.extend(past(&*store, job, workspace, args).await?);
    }
    all.sort_by_key(|past| (past.record.finished_at, past.record.id));
    let mut answer = Answer {
        since: args.since,
        until: args.until,
        rule: args.rule.as_deref(),
        audits: Vec::with_capacity(all.len()),
    };
    let bags = settings.evidence.as_ref().map(app::evidence_storage).transpose().map_err(failed)?;
    let mut failures = 0;
    for past in &all {
        let judged = judged(&judge, &*store, bags.as_deref(), past).await;
        failures += usize::from(judged.is_err());
        answer.audits.push(row(past, judged, args.rule.as_deref()));
    }
    match args.format {
        RuleFormat::Json => output::line(&serde_json::to_string_pretty(&answer).map_err(failed)?),
        RuleFormat::Table => print(&answer),
    }
    match failures {
        0 => Ok(()),
        failures => Err(Failure::failed(format!("{} could not be judged", count(failures, "audit")))),
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}

/// The jobs and workspaces that are asked for; `None` stands for audits on demand without a job.
fn series<'s>(settings: &'s Settings, args: &BacktestArgs) -> Result<Vec<(Option<&'s str>, &'s str)>, Failure> {
    let unknown = |what: &str, name: &str, known: Vec<&String>| {
        let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
        Failure::usage(format!("unknown {what} `{name}`; the configured {what}s are: {}", known.join(", ")))
    };
    if let Some(name) = args.workspace.as_ref().filter(|name| !settings.workspaces.contains_key(*name)) {
        return Err(unknown("workspace", name, settings.workspaces.keys().collect()));
    }
    if let Some(name) = args.job.as_ref().filter(|name| !settings.jobs.contains_key(*name)) {
        return Err(unknown("job", name, settings.jobs.keys().collect()));
    }
    let of_jobs = settings.jobs.iter().filter(|(name, _)| args.job.as_ref().is_none_or(|job| job == *name));
    let of_jobs = of_jobs.flat_map(|(name, job)| job.workspaces.iter().map(move |one| (Some(&**name), one.as_str())));
    let on_demand = settings.workspaces.keys().filter(|_| args.job.is_none()).map(|name| (None, name.as_str()));
    let is_wanted = |workspace: &str| args.workspace.as_ref().is_none_or(|name| name == workspace);
    Ok(of_jobs.chain(on_demand).filter(|(_, workspace)| is_wanted(workspace)).collect())
}

/// Refuses a name that no rule has: no finding of it would be taken for an answer.
fn known_rule(judge: &Judge<'_>, series: &[(Option<&str>, &str)], args: &BacktestArgs) -> Result<(), Failure> {
    let Some(rule) = &args.rule else { return judge.policy(None, "").map(|_| ()) };
    for (job, workspace) in series {
        if RuleSet::for_policy(judge.policy(*job, workspace)?).list().get(rule).is_some() {
            return Ok(());
        }
    }
    let hint = match RuleSet::built_in().list().get(rule) {
        Some(_) => "the policy has nothing that this rule needs, such as a roster",
        None => "`rolecall rules` lists the rules",
    };
    Err(Failure::usage(format!("the policy has no rule `{rule}`; {hint}")))
}

/// The complete audits of the period, the latest first, each with the one before.
async fn past(
    store: &dyn Database,
    job: Option<&str>,
    workspace: &str,
    args: &BacktestArgs,
) -> Result<Vec<Past>, Failure> {
    let is_before = |record: &AuditRecord| record.finished_at.date_naive() < args.since;
    let is_after = |record: &AuditRecord| args.until.is_some_and(|until| record.finished_at.date_naive() > until);
    let mut records: Vec<AuditRecord> = Vec::new();
    loop {
        let last = records.last().map(|record| record.id);
        let more = store.complete_before(job, workspace, last, AT_ONCE).await.map_err(failed)?;
        let is_end = more.len() < AT_ONCE as usize;
        records.extend(more);
        if is_end || records.last().is_some_and(is_before) {
            break;
        }
    }
    let mut past = Vec::new();
    let mut records = records.into_iter().peekable();
    while let Some(record) = records.next() {
        if !is_before(&record) && !is_after(&record) {
            past.push(Past { record, before: records.peek().cloned() });
        }
    }
    Ok(past)
}

/// Judges one audit, from its bag if there is one, else from what the store keeps. `None` if neither is kept.
async fn judged(
    judge: &Judge<'_>,
    store: &dyn Database,
    bags: Option<&dyn Storage>,
    past: &Past,
) -> Result<Option<(&'static str, Again)>, Failure> {
    let bag = past.record.bag.as_ref();
    if let Some((bag, storage)) = bag.zip(bags).filter(|(bag, storage)| inventory::is_bag(*storage, &bag.folder)) {
        return Ok(Some(("bag", judge.bag(storage, &bag.folder, &bag.folder).await?)));
    }
    let Some(kept) = store.kept(past.record.id).await.map_err(failed)? else { return Ok(None) };
    let before = match &past.before {
        None => Before::None,
        Some(before) => match store.kept(before.id).await.map_err(failed)? {
            Some(kept) => Before::Kept(Box::new(kept)),
            None => Before::Deleted,
        },
    };
    Ok(Some(("snapshot", judge.kept(&kept, before)?)))
}

fn row(past: &Past, judged: Result<Option<(&'static str, Again)>, Failure>, rule: Option<&str>) -> Row {
    let record = &past.record;
    let (judged, problem) = match judged {
        Ok(Some((from, again))) => (Some(of(from, &again, rule)), None),
        Ok(None) => (None, Some("neither its bag nor its snapshot is kept".to_owned())),
        Err(Failure::Failed(reason) | Failure::Usage(reason) | Failure::Findings(reason)) => (None, Some(reason)),
    };
    Row {
        audit_id: record.id.to_string(),
        job: record.job.clone(),
        workspace: record.workspace.clone(),
        finished_at: record.finished_at,
        judged,
        problem,
    }
}

fn of(from: &'static str, again: &Again, rule: Option<&str>) -> Judged {
    let audit = &again.audit;
    let is_wanted = |name: &str| rule.is_none_or(|rule| rule == name);
    let mut findings = differences(&again.recorded, audit);
    findings.retain(|difference| is_wanted(&difference.rule));
    let unevaluated = audit.outcomes.iter().filter(|outcome| is_wanted(&outcome.rule)).filter_map(|outcome| {
        let reason = outcome.result.not_evaluated()?;
        Some(Unevaluated { rule: outcome.rule.to_string(), reason: reason.to_owned() })
    });
    Judged {
        from,
        policy_then: again.policy_then.clone(),
        policy: audit.policy.name.clone(),
        sha256: audit.policy.sha256(),
        findings,
        not_evaluated: unevaluated.collect(),
    }
}

fn print(answer: &Answer<'_>) {
    if answer.audits.is_empty() {
        output::line(&format!("No complete audit since {} is in the store.", answer.since));
        return;
    }
    for row in &answer.audits {
        let job = row.job.as_deref().unwrap_or("on demand");
        let at = row.finished_at.format("%Y-%m-%d %H:%M UTC");
        let workspace = plain(&row.workspace, SHOWN);
        match (&row.judged, &row.problem) {
            (Some(judged), _) => {
                let from = if judged.from == "bag" { "its bag" } else { "its snapshot in the store" };
                output::line(&format!("{at}  {workspace} ({job}), by the policy `{}`, from {from}", judged.policy));
                print_judged(judged, answer.rule.is_some());
            }
            (None, problem) => {
                let problem = plain(problem.as_deref().unwrap_or_default(), SHOWN);
                output::line(&format!("{at}  {workspace} ({job}): not judged: {problem}"));
            }
        }
        output::line("");
    }
    output::line(&conclusion(answer));
}

/// Of one rule, everything that it finds; of a whole policy, what differs.
fn print_judged(judged: &Judged, is_one_rule: bool) {
    for difference in judged.findings.iter().filter(|one| is_one_rule || one.change != Change::Same) {
        output::line(&format!("  {}", difference.line()));
    }
    for Unevaluated { rule, reason } in &judged.not_evaluated {
        output::line(&format!("  not evaluated: {rule}: {}", plain(reason, SHOWN)));
    }
    output::line(&format!("  {}", totals(&judged.findings)));
}

fn conclusion(answer: &Answer<'_>) -> String {
    let judged = || answer.audits.iter().filter_map(|row| row.judged.as_ref());
    let audits = match (judged().count(), answer.audits.len()) {
        (judged, all) if judged == all => count(all, "audit"),
        (judged, all) => format!("{judged} of {}", count(all, "audit")),
    };
    let Some(rule) = answer.rule else { return format!("Judged again: {audits}.") };
    let found = |judged: &&Judged| judged.findings.iter().any(Difference::is_found);
    let times = judged().filter(found).count();
    let about: BTreeSet<_> = answer
        .audits
        .iter()
        .filter_map(|row| Some((&row.workspace, row.judged.as_ref()?)))
        .flat_map(|(workspace, judged)| {
            let found = judged.findings.iter().filter(|one| one.is_found());
            found.map(move |one| (workspace, one.about()))
        })
        .collect();
    format!("Judged again: {audits}. {rule} finds something in {times}, about {}.", count(about.len(), "subject"))
}
