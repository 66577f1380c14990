//! The checks, in order of importance.

use super::{Check, CheckResult, Facts, Question};
use crate::model::{
    id::ProfileId,
    status::{Status, StatusKind},
    survey::{Grant, GrantState, Purpose},
};

/// Seconds beyond which a wrong clock distorts the times in evidence.
const CLOCK_WARNING: u64 = 60;
/// Seconds beyond which a wrong clock makes certificates and tokens fail.
const CLOCK_FAILED: u64 = 300;
/// API calls below which an audit of a large workspace may not finish.
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
    let place = facts.data_center.as_ref().map(|center| format!(", data center {center}")).unwrap_or_default();
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
        passed("reach", format!("an audit can read everything it needs: {}", names(needed())))
    } else {
        failed("reach", problems.join("; "))
    }
}

/// Whether the credentials can do more than rolecall needs here. Unknown is a warning, because it proves nothing.
fn excess(question: &Question<'_>) -> Check {
    let name = "least privilege";
    let needless = |grant: &&Grant| match grant.purpose {
        Purpose::Audit => false,
        Purpose::Offboarding => !question.allow_offboarding,
        Purpose::Nothing => true,
    };
    let all = || question.survey.grants.iter().filter(needless);
    let more: Vec<&Grant> = all().filter(|grant| grant.state == GrantState::Granted).collect();
    let unknown: Vec<String> = all()
        .filter_map(|grant| match &grant.state {
            GrantState::Unknown(why) => Some(format!("{} ({why})", grant.name)),
            GrantState::Granted | GrantState::Lacking(_) => None,
        })
        .collect();
    let unknown = if unknown.is_empty() { None } else { Some(format!("cannot be determined: {}", unknown.join("; "))) };
    match (more.is_empty(), unknown) {
        (true, None) => passed(name, "no unneeded permission was found".to_owned()),
        (true, Some(unknown)) => warning(name, format!("whether the credentials have unneeded permissions {unknown}")),
        (false, unknown) => {
            let unknown = unknown.map(|unknown| format!("; others {unknown}")).unwrap_or_default();
            let names = names(more.into_iter());
            let remedy = "create credentials with only the permissions that rolecall needs";
            warning(name, format!("the credentials have unneeded permissions: {names}; {remedy}{unknown}"))
        }
    }
}

/// Whether the account behind the credentials is active.
fn account(question: &Question<'_>, facts: &Facts) -> Check {
    let (Some(user), Some(_)) = (&facts.user, &question.survey.current_user) else {
        return failed("account", "the API does not say whose credentials these are".to_owned());
    };
    let name = user.email.as_deref().unwrap_or(&user.user_id);
    let kind = user.status.as_deref().map(|word| Status::from(word).kind());
    let problem = match kind {
        Some(StatusKind::Active) if user.confirmed == Some(false) => Some("has not accepted the invitation"),
        Some(StatusKind::Active) => None,
        Some(_) => Some("is not active"),
        None => Some("has an unknown status"),
    };
    let role = user.role_name.as_deref().or(user.role_id.as_deref()).unwrap_or("unknown");
    let profile = user.profile_name.as_deref().or(user.profile_id.as_deref()).unwrap_or("unknown");
    match problem {
        Some(problem) => warning("account", format!("the credentials belong to {name}, who {problem}")),
        None => passed("account", format!("the credentials belong to {name}: role {role}, profile {profile}")),
    }
}

fn organization(question: &Question<'_>, facts: &Facts) -> Check {
    let Some(organization) = &facts.organization else {
        return failed("organization", "the API does not say which organization this is".to_owned());
    };
    let name = organization.name.as_deref().unwrap_or("without a name");
    let id = organization.id.as_deref().unwrap_or("unknown");
    let found = format!("{name} (id {id})");
    let known = [&organization.id, &organization.zgid, &organization.domain_name, &organization.name];
    match question.organization {
        Some(expected) if known.into_iter().flatten().any(|known| known.trim() == expected.trim()) => {
            passed("organization", format!("{found}, as configured"))
        }
        Some(expected) => failed("organization", format!("the credentials belong to {found}, not to {expected}")),
        None => passed("organization", found),
    }
}

/// Whether the policy's administrator profiles exist here. Without one, an audit finds no administrator.
fn administrator_profiles(question: &Question<'_>, found: Option<&(Vec<ProfileId>, Vec<String>)>) -> Check {
    let name = "administrator profiles";
    match found {
        None => failed(name, "the profiles cannot be read, so administrators cannot be determined".to_owned()),
        Some((found, unmatched)) if !unmatched.is_empty() => {
            let detail = format!("no profile has the name or id {}", unmatched.join(", "));
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
        0 => "in sync with the server".to_owned(),
        ahead => {
            let word = if ahead > 0 { "behind" } else { "ahead of" };
            format!("{} s {word} the server", ahead.unsigned_abs())
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
    let detail = format!("{left} API calls left today");
    Some(match left {
        left if left < CREDITS_LOW => {
            warning("credits", format!("{detail}; an audit of a large workspace may need more"))
        }
        _ => passed("credits", detail),
    })
}

fn names<'a>(grants: impl Iterator<Item = &'a Grant>) -> String {
    grants.map(|grant| grant.name.as_str()).collect::<Vec<_>>().join(", ")
}
