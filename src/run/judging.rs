//! Judges a workspace that was read, and compares it with its previous audit: with the policy of today, and, if the policy
//! has changed since, also with that of the previous audit. What only the other policy finds is neither new nor resolved.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound as _, Utc};

use super::{ReadWorkspace, RunError, RunRequest};
use crate::{
    access::{
        administrators::resolve_administrator_profiles,
        drift::{self, AccessDrift, Before, Current, Seen, SnapshotHeader},
        matrix::AccessMatrix,
    },
    audit::{self, JudgeInput, Judgement, Lacking, PreviousUsers, RuleSet, Tried},
    model::{
        audit::Audit,
        change::Drift,
        directory::Directory,
        policy::{CustomRule, Policy},
        reviewed::Reviewed,
        roster::Roster,
    },
    store::{Kept, StoreError, snapshot},
};

/// What is known beside the directory, when it is judged, and what is not kept.
#[derive(Clone, Copy)]
struct Today<'a> {
    roster: Option<&'a Roster>,
    reviewed: Option<&'a Reviewed>,
    judged_at: DateTime<Utc>,
    lacking: Lacking,
}

/// Makes the rules of a policy, with or without those about reviews.
pub(super) type MakeRules<'a> = &'a dyn Fn(&Policy, bool) -> RuleSet;

/// Judges a workspace that was read, and compares it with its previous audit.
///
/// # Errors
/// [`RunError`]
pub fn judge(request: &RunRequest<'_>, read: ReadWorkspace, judged_at: DateTime<Utc>) -> Result<Audit, RunError> {
    judge_by(&RuleSet::for_audit, request, read, judged_at)
}

/// Judges with the rules that `rules` makes for a policy.
pub(super) fn judge_by(
    rules: MakeRules<'_>,
    request: &RunRequest<'_>,
    read: ReadWorkspace,
    judged_at: DateTime<Utc>,
) -> Result<Audit, RunError> {
    let ReadWorkspace { directory, roster, reviewed, previous, past, lacking } = read;
    // Truncate to milliseconds, because evidence stores that: judging again from a bag must give the same.
    let judged_at = judged_at.trunc_subsecs(3);
    let store_failed = |source| RunError::Store { workspace: request.workspace.to_owned(), source };
    let header = previous.as_ref().map(snapshot::header).transpose().map_err(store_failed)?;
    // The audit after the last review resolves what the one before found about it.
    let found_before = || header.as_ref().is_some_and(audit::found_about_reviews).then(Reviewed::default);
    let reviewed = if lacking == Lacking::default() { reviewed.or_else(found_before) } else { reviewed };

    let (administrator_profiles, unmatched) =
        resolve_administrator_profiles(&request.policy.administrator_profiles, &directory.profiles);
    if administrator_profiles.is_empty() {
        return Err(no_administrator_profile(request, &directory));
    }
    let matrix = AccessMatrix::new(&directory, &administrator_profiles, &request.policy.dangerous_permissions);
    let made = rules(request.policy, reviewed.is_some());
    let seen = Seen {
        matrix: &matrix,
        administrator_profiles: &administrator_profiles,
        policy: request.policy,
        rules: made.list(),
        workspace: request.workspace,
    };
    let access = match (&previous, &header) {
        (Some(kept), Some(header)) => {
            let access = drift::compare_access(&seen, header, snapshot::users(kept)).map_err(store_failed)?;
            Some(access.with_rosters(header, roster.as_ref()))
        }
        _ => None,
    };
    let undecided = access.as_ref().map(|access| access.undecided(&matrix, request.policy)).unwrap_or_default();
    let previous_users = previous_users(&made, previous.as_ref(), header.as_ref()).map_err(store_failed)?;
    let input = JudgeInput {
        matrix: &matrix,
        administrator_profiles: &administrator_profiles,
        unmatched_administrator_profiles: &unmatched,
        policy: request.policy,
        workspace: request.workspace,
        roster: roster.as_ref(),
        reviewed: reviewed.as_ref(),
        now: judged_at,
        previous: header.as_ref(),
        previous_users: previous_users.as_ref(),
        undecided: &undecided,
        changes: access.as_ref().map(AccessDrift::changes).unwrap_or_default(),
        lacking,
    };
    let Judgement { mut findings, outcomes, roster: judged_roster } = audit::judge(&made, &input);
    drift::mark_continuing(&mut findings, &matrix, request.workspace, header.as_ref());
    let drift = match (access, &header) {
        (Some(access), Some(header)) => {
            let current = Current { seen, undecided: &undecided, findings: &findings, outcomes: &outcomes };
            let today = Today { roster: roster.as_ref(), reviewed: reviewed.as_ref(), judged_at, lacking };
            compare(rules, &current, (header, previous_users.as_ref()), access, today)
        }
        _ => Drift::default(),
    };
    Ok(Audit {
        id: request.id,
        trigger: request.trigger.cloned(),
        job: request.job.map(str::to_owned),
        workspace: request.workspace.to_owned(),
        judged_at,
        version: env!("CARGO_PKG_VERSION"),
        policy: request.policy.clone(),
        administrator_profiles,
        rules: Arc::clone(made.list()),
        findings,
        outcomes,
        drift,
        roster,
        judged_roster,
        reviewed,
        past,
        directory,
    })
}

fn no_administrator_profile(request: &RunRequest<'_>, directory: &Directory) -> RunError {
    let known = directory.profiles.iter().map(|profile| format!("{} ({})", profile.name, profile.id));
    RunError::NoAdministratorProfile {
        workspace: request.workspace.to_owned(),
        wanted: request.policy.administrator_profiles.join(", "),
        known: known.collect::<Vec<_>>().join(", "),
    }
}

/// What a rule of the company's own says of every subject of an audit for which its condition is true or cannot be evaluated,
/// with the values that it names.
///
/// # Errors
/// `TryError`
pub fn try_rule(
    custom: &CustomRule,
    audit: &Audit,
    previous: Option<&Kept>,
    lacking: Lacking,
) -> Result<Vec<Tried>, TryError> {
    let header = previous.map(snapshot::header).transpose()?;
    let users = previous.map(all_users).transpose()?;
    let matrix = AccessMatrix::of(audit);
    let input = JudgeInput {
        matrix: &matrix,
        administrator_profiles: &audit.administrator_profiles,
        unmatched_administrator_profiles: &[],
        policy: &audit.policy,
        workspace: &audit.workspace,
        roster: audit.roster.as_ref(),
        reviewed: audit.reviewed.as_ref(),
        now: audit.judged_at,
        previous: header.as_ref(),
        previous_users: users.as_ref(),
        undecided: &audit.drift.undecided,
        changes: &audit.drift.changes,
        lacking,
    };
    audit::try_custom_rule(custom, &input).map_err(TryError::Rule)
}

/// A rule cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// The previous audit cannot be read back.
    #[error(transparent)]
    Previous(#[from] StoreError),
    /// The rule is not accepted, or would need too many steps.
    #[error("{0}")]
    Rule(String),
}

fn all_users(kept: &Kept) -> Result<PreviousUsers, StoreError> {
    snapshot::users(kept).map(|user| user.map(|user| (user.id.clone().into_owned(), user))).collect()
}

/// What changed between an audit and another one that a store kept.
///
/// # Errors
/// [`StoreError`] if the kept audit cannot be read back.
pub fn since(audit: &Audit, matrix: &AccessMatrix<'_>, kept: &Kept) -> Result<Drift, StoreError> {
    let header = snapshot::header(kept)?;
    let current = snapshot::current(audit, matrix);
    let access = drift::compare_access(&current.seen, &header, snapshot::users(kept))?;
    let access = access.with_rosters(&header, audit.roster.as_ref());
    let rules: MakeRules<'_> = &RuleSet::for_audit;
    let made = rules(&audit.policy, audit.reviewed.is_some());
    let users = previous_users(&made, Some(kept), Some(&header))?;
    let today = Today {
        roster: audit.roster.as_ref(),
        reviewed: audit.reviewed.as_ref(),
        judged_at: audit.judged_at,
        lacking: Lacking::default(),
    };
    Ok(compare(rules, &current, (&header, users.as_ref()), access, today))
}

/// The users of the previous audit, if a rule of its policy or of this one reads them.
fn previous_users(
    made: &RuleSet,
    previous: Option<&Kept>,
    header: Option<&SnapshotHeader>,
) -> Result<Option<PreviousUsers>, StoreError> {
    let Some(kept) = previous else { return Ok(None) };
    // A rule that says the word may read them. To be certain, it would have to be compiled.
    let may_read = |rule: &CustomRule| [&rule.when, &rule.message].iter().any(|text| text.contains("previous"));
    let read_before = || {
        let policy = header.and_then(|header| header.policy.as_ref());
        policy.is_some_and(|policy| policy.custom_rules.iter().any(may_read))
    };
    if !made.reads_previous_users() && !read_before() {
        return Ok(None);
    }
    all_users(kept).map(Some)
}

fn compare(
    rules: MakeRules<'_>,
    current: &Current<'_>,
    (previous, previous_users): (&SnapshotHeader, Option<&PreviousUsers>),
    access: AccessDrift,
    today: Today<'_>,
) -> Drift {
    let changed = previous.policy.as_ref().filter(|policy| *policy != current.seen.policy);
    let judged = changed.map(|policy| under(policy, rules, current, (previous, previous_users), &access, today));
    let before = judged.as_ref().map(|Judgement { findings, outcomes, .. }| Before { findings, outcomes });
    drift::compare_findings(current, previous, before, access)
}

/// What the rules find in this audit's directory under the policy of the previous one.
fn under(
    policy: &Policy,
    rules: MakeRules<'_>,
    current: &Current<'_>,
    (previous, previous_users): (&SnapshotHeader, Option<&PreviousUsers>),
    access: &AccessDrift,
    today: Today<'_>,
) -> Judgement {
    let Today { roster, reviewed, judged_at, lacking } = today;
    let directory = current.seen.matrix.directory();
    let (administrator_profiles, unmatched) =
        resolve_administrator_profiles(&policy.administrator_profiles, &directory.profiles);
    let matrix = AccessMatrix::new(directory, &administrator_profiles, &policy.dangerous_permissions);
    let undecided = access.undecided(&matrix, policy);
    let input = JudgeInput {
        matrix: &matrix,
        administrator_profiles: &administrator_profiles,
        unmatched_administrator_profiles: &unmatched,
        policy,
        workspace: current.seen.workspace,
        // The roster of another policy was not read.
        roster: roster.filter(|_| policy.roster == current.seen.policy.roster),
        reviewed,
        now: judged_at,
        previous: Some(previous),
        previous_users,
        undecided: &undecided,
        changes: access.changes(),
        lacking,
    };
    audit::judge(&rules(policy, reviewed.is_some()), &input)
}
