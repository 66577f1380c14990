//! What an earlier audit read, from its bag, its report or the store, judged by a policy of today.

use url::Url;

use crate::{
    app,
    audit::{Lacking, RuleSet},
    cli::output::Failure,
    clock::Clock,
    config::{self, settings::Settings},
    evidence::{
        inventory,
        signers::Allowed,
        storage::{self, Storage, join},
        verify,
    },
    model::{audit::Audit, policy::Policy},
    replay::Replay,
    report::json::kept::{self, KeptReport, RecordedFinding},
    run::{self, ReadWorkspace, RunRequest, recompute::SealedReview},
    store::Kept,
};

/// The report in a bag.
const REPORT: &str = "data/reports/report.json";

/// An earlier audit judged again, with its id, and what it found then.
#[derive(Debug)]
pub(in crate::cli) struct Again {
    pub(in crate::cli) audit: Audit,
    pub(in crate::cli) recorded: Vec<RecordedFinding>,
    /// The policy by which it was judged then.
    pub(in crate::cli) policy_then: String,
}

/// The policy to judge by: the named one, or the one that would judge a job and workspace today.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Judge<'s> {
    pub(in crate::cli) settings: &'s Settings,
    pub(in crate::cli) policy: Option<&'s str>,
}

impl<'s> Judge<'s> {
    pub(in crate::cli) fn policy(&self, job: Option<&str>, workspace: &str) -> Result<&'s Policy, Failure> {
        let Some(name) = self.policy else { return Ok(self.settings.policy_for(job, workspace)) };
        self.settings.policy_named(name).map(|policy| &**policy).ok_or_else(|| {
            let known = self.settings.policy_names().join(", ");
            Failure::usage(format!("unknown policy `{name}`; the configured policies are: {known}"))
        })
    }

    /// Judges the bag in a folder of a storage; `shown` names it in errors.
    pub(in crate::cli) async fn bag(&self, storage: &dyn Storage, folder: &str, shown: &str) -> Result<Again, Failure> {
        if !inventory::is_bag(storage, folder) {
            return Err(Failure::usage(format!("{shown} is not a bag of evidence")));
        }
        // Who signed it is for `evidence verify`.
        let found = verify::bag(storage, folder, &Allowed::default());
        let problem = found.problems.iter().find(|problem| !matches!(problem, verify::Problem::Signature { .. }));
        if let Some(problem) = problem {
            return Err(Failure::failed(format!("{shown} is not as it was sealed: {problem}")));
        }
        let review = SealedReview::of(storage, folder).map_err(failed)?;
        let text = review.configuration().map_err(failed)?;
        let rules = RuleSet::built_in();
        let rules: Vec<&str> = rules.list().names().collect();
        let configuration = format!("{shown}/data/configuration.toml");
        let then =
            config::parse_applied(configuration.as_ref(), &text, &rules, review.judged_at).map_err(failed)?.settings;
        let workspace = then.workspaces.get(&review.workspace).ok_or_else(|| {
            Failure::failed(format!("the configuration in the bag has no workspace {}", review.workspace))
        })?;
        let answers = review.answers().map_err(failed)?;
        let replay = Replay::start(answers).await.map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
        let base_url = Url::parse(&replay.base_url).map_err(failed)?;
        let connector = app::replaying_connector(workspace, &base_url, &Clock::system()).map_err(failed)?;
        let policy = self.policy(review.job.as_deref(), &review.workspace)?;
        let read_by = then.policy_for(review.job.as_deref(), &review.workspace);
        let audit = review.judge(&*connector, &replay, read_by, policy).await.map_err(failed)?;
        let unusable = |error: &dyn std::fmt::Display| Failure::failed(format!("{shown}/{REPORT}: {error}"));
        let report = storage::read(storage, &join(folder, REPORT)).map_err(|error| unusable(&error))?;
        let recorded = kept::recorded(&report).map_err(|error| unusable(&error))?;
        Ok(Again { audit, policy_then: recorded.policy().to_owned(), recorded: recorded.findings })
    }

    /// Judges a report.json.
    pub(in crate::cli) fn report(&self, report: KeptReport) -> Result<Again, Failure> {
        let KeptReport { id, workspace, job, judged_at, directory, recorded, .. } = report;
        let request = RunRequest {
            id,
            trigger: None,
            job: job.as_deref(),
            workspace: &workspace,
            policy: self.policy(job.as_deref(), &workspace)?,
            deadline: std::time::Duration::ZERO,
        };
        let read = ReadWorkspace::kept(directory, None, OF_REPORT);
        let audit = run::judge(&request, read, judged_at).map_err(failed)?;
        Ok(Again { audit, policy_then: recorded.policy().to_owned(), recorded: recorded.findings })
    }

    /// Judges an audit of the store.
    pub(in crate::cli) fn kept(&self, kept: &Kept, before: run::kept::Before) -> Result<Again, Failure> {
        let record = &kept.record;
        let workspace =
            self.settings.workspaces.get(&record.workspace).ok_or_else(|| {
                Failure::failed(format!("the workspace {} is no longer configured", record.workspace))
            })?;
        let (read, header) = run::kept::read(kept, workspace.kind, before).map_err(failed)?;
        let request = RunRequest {
            id: record.id,
            trigger: None,
            job: record.job.as_deref(),
            workspace: &record.workspace,
            policy: self.policy(record.job.as_deref(), &record.workspace)?,
            deadline: std::time::Duration::ZERO,
        };
        let audit = run::judge(&request, read, record.finished_at).map_err(failed)?;
        let recorded = header.findings.iter().map(|known| RecordedFinding {
            rule: known.rule.to_string(),
            severity: None,
            subject_type: known.subject_type.to_string(),
            subject_id: known.subject_id.to_string(),
            subject: known.subject.to_string(),
            message: known.message.to_string(),
            status: if known.open { "open" } else { "excepted" }.to_owned(),
        });
        let policy_then = header.policy.as_ref().map_or("base", |policy| &policy.name).to_owned();
        Ok(Again { audit, recorded: recorded.collect(), policy_then })
    }
}

/// What a report.json does not have.
pub(in crate::cli) const OF_REPORT: Lacking = Lacking { previous: true, roster: true, stated_names: false };

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}
