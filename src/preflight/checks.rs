//! The checks, one after another.

use super::{Check, CheckResult, Facts, Question};
use crate::model::{
    id::ProfileId,
    status::{Status, StatusKind},
    survey::{Grant, GrantState, Purpose},
};

/// A clock that is wrong by more than this many seconds makes times in evidence wrong that an auditor compares.
const CLOCK_WARNING: u64 = 60;
/// A clock that is wrong by more than this many seconds makes certificates and tokens fail.
const CLOCK_FAILED: u64 = 300;
/// Fewer calls than this may not be enough for an audit of a large workspace.
const CREDITS_LOW: u64 = 1_000;

pub(super) fn all(
    question: &Question<'_>,
    facts: &Facts,
    administrators: Option<&(Vec<ProfileId>, Vec<String>)>,
) -> Vec<Check> {
    let mut checks = vec![
        credentials(facts),
        reach(question),
        excess(question),
        account(question, facts),
        organization(question, facts),
        administrator_profiles(question, administrators),
    ];
    checks.extend(question.allow_offboarding.then(|| offboarding(question)));
    checks.extend(question.survey.obstacles.iter().map(|obstacle| failed("obstacle", obstacle.clone())));
    checks.extend([clock(facts), credits(facts)].into_iter().flatten());
    for expectation in question.expectations {
        let (met, detail) = expectation.met(facts);
        let outcome = if met { CheckResult::Passed } else { CheckResult::Failed };
        checks.push(Check { name: format!("expect {}", expectation.name()), outcome, detail });
    }
    checks
}

fn check(name: &str, outcome: CheckResult, detail: String) -> Check {
    Check { name: name.to_owned(), outcome, detail }
}

fn passed(name: &str, detail: String) -> Check {
    check(name, CheckResult::Passed, detail)
}

fn warning(name: &str, detail: String) -> Check {
    check(name, CheckResult::Warning, detail)
}

fn failed(name: &str, detail: String) -> Check {
    check(name, CheckResult::Failed, detail)
}

fn credentials(facts: &Facts) -> Check {
    let place = facts.data_center.as_ref().map(|center| format!(", data centre {center}")).unwrap_or_default();
    passed("credentials", format!("accepted by {}{place}", facts.api_url.as_deref().unwrap_or("the API")))
}

/// Whether an audit can read what it needs.
fn reach(question: &Question<'_>) -> Check {
    let needed = || question.survey.grants.iter().filter(|grant| grant.purpose == Purpose::Audit);
    let problems: Vec<String> = needed()
        .filter_map(|grant| match &grant.state {
            GrantState::Granted => None,
            GrantState::Lacking(why) | GrantState::Unknown(why) => Some(why.clone()),
        })
        .collect();
    if problems.is_empty() {
        passed("reach", format!("an audit can read what it needs: {}", names(needed())))
    } else {
        failed("reach", problems.join("; "))
    }
}

/// Whether the credentials can do more than rolecall needs here. What cannot be told is no proof that they cannot.
fn excess(question: &Question<'_>) -> Check {
    let name = "least privilege";
    let needless = |grant: &&Grant| match grant.purpose {
        Purpose::Audit => false,
        Purpose::Offboarding => !question.allow_offboarding,
        Purpose::Nothing => true,
    };
    let all = || question.survey.grants.iter().filter(needless);
    let more: Vec<&Grant> = all().filter(|grant| grant.state == GrantState::Granted).collect();
    let untold: Vec<String> = all()
        .filter_map(|grant| match &grant.state {
            GrantState::Unknown(why) => Some(format!("{} ({why})", grant.name)),
            GrantState::Granted | GrantState::Lacking(_) => None,
        })
        .collect();
    let untold = if untold.is_empty() { None } else { Some(format!("it cannot be told of {}", untold.join("; "))) };
    match (more.is_empty(), untold) {
        (true, None) => passed(name, "nothing was found that they can do and rolecall does not need".to_owned()),
        (true, Some(untold)) => warning(name, format!("whether they can do more than rolecall needs: {untold}")),
        (false, untold) => {
            let untold = untold.map(|untold| format!("; {untold}")).unwrap_or_default();
            let names = names(more.into_iter());
            warning(
                name,
                format!("they can do more than rolecall needs: {names}. Make credentials that cannot{untold}"),
            )
        }
    }
}

/// Whether they belong to somebody who will be there next week.
fn account(question: &Question<'_>, facts: &Facts) -> Check {
    let (Some(user), Some(_)) = (&facts.user, &question.survey.current_user) else {
        return failed("account", "the API does not tell whose credentials they are".to_owned());
    };
    let name = user.email.as_deref().unwrap_or(&user.user_id);
    let kind = user.status.as_deref().map(|word| Status::from(word).kind());
    let problem = match kind {
        Some(StatusKind::Active) if user.confirmed == Some(false) => Some("did not accept the invitation"),
        Some(StatusKind::Active) => None,
        Some(_) => Some("is not active"),
        None => Some("has a status that the API does not tell"),
    };
    let role = user.role_name.as_deref().or(user.role_id.as_deref()).unwrap_or("unknown");
    let profile = user.profile_name.as_deref().or(user.profile_id.as_deref()).unwrap_or("unknown");
    match problem {
        Some(problem) => warning("account", format!("they belong to {name}, who {problem}")),
        None => passed("account", format!("they belong to {name}: role {role}, profile {profile}")),
    }
}

fn organization(question: &Question<'_>, facts: &Facts) -> Check {
    let Some(organization) = &facts.organization else {
        return failed("organization", "the API does not tell which organization it is".to_owned());
    };
    let name = organization.name.as_deref().unwrap_or("without a name");
    let id = organization.id.as_deref().unwrap_or("unknown");
    let found = format!("{name} (id {id})");
    let known = [&organization.id, &organization.zgid, &organization.domain_name, &organization.name];
    match question.organization {
        Some(expected) if known.into_iter().flatten().any(|known| known.trim() == expected.trim()) => {
            passed("organization", format!("{found}, as configured"))
        }
        Some(expected) => failed("organization", format!("the credentials belong to {found}, and not to {expected}")),
        None => passed("organization", found),
    }
}

/// Whether the policy's administrator profiles are profiles here: without one, no audit finds an administrator.
fn administrator_profiles(question: &Question<'_>, found: Option<&(Vec<ProfileId>, Vec<String>)>) -> Check {
    let name = "administrator profiles";
    match found {
        None => failed(name, "the profiles cannot be read, so that no administrator can be told".to_owned()),
        Some((found, unmatched)) if !unmatched.is_empty() => {
            let detail = format!("no profile here has the name or the id {}", unmatched.join(", "));
            if found.is_empty() { failed(name, detail) } else { warning(name, detail) }
        }
        Some(_) => passed(name, question.policy.administrator_profiles.join(", ")),
    }
}

/// Whether users can be removed, where the configuration allows it.
fn offboarding(question: &Question<'_>) -> Check {
    let lacking = question.survey.grants.iter().filter(|grant| grant.purpose == Purpose::Offboarding);
    let problems: Vec<String> = lacking
        .filter_map(|grant| match &grant.state {
            GrantState::Granted => None,
            GrantState::Lacking(why) | GrantState::Unknown(why) => Some(why.clone()),
        })
        .collect();
    if problems.is_empty() {
        passed("offboarding", "the credentials can remove users".to_owned())
    } else {
        warning("offboarding", problems.join("; "))
    }
}

fn clock(facts: &Facts) -> Option<Check> {
    let ahead = facts.clock_ahead_seconds?;
    let detail = match ahead {
        0 => "as the server's, to the second".to_owned(),
        ahead => {
            let word = if ahead > 0 { "behind" } else { "ahead of" };
            format!("{} s {word} the server's", ahead.unsigned_abs())
        }
    };
    Some(match ahead.unsigned_abs() {
        off if off > CLOCK_FAILED => failed("clock", format!("{detail}; set this machine's clock")),
        off if off > CLOCK_WARNING => warning("clock", format!("{detail}; set this machine's clock")),
        _ => passed("clock", detail),
    })
}

fn credits(facts: &Facts) -> Option<Check> {
    let left = facts.credits_left?;
    let detail = format!("{left} API calls are left today");
    Some(match left {
        left if left < CREDITS_LOW => warning("credits", format!("{detail}; an audit of a large workspace needs more")),
        _ => passed("credits", detail),
    })
}

fn names<'a>(grants: impl Iterator<Item = &'a Grant>) -> String {
    grants.map(|grant| grant.name.as_str()).collect::<Vec<_>>().join(", ")
}
