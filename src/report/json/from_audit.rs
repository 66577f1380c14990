//! An audit in the format of version 1. Everything borrows; the rows are joined while they are written.

use chrono::NaiveDate;

use super::{SCHEMA_VERSION, rows::Rows, v1};
use crate::{
    access::{
        accounts::{DeclaredAccount, DeclaredAccounts},
        hierarchy::{self, Top},
        reduction::reduction,
    },
    brief::{State, change_sentence},
    exceptions::{Acceptance, acceptance},
    model::{
        change::{Change, Previous},
        directory::{Organization, Permissions, Profile, Source as DirectorySource, UserRecord},
        exception::{AboutFindings as _, PlannedFix},
        finding::{Finding, FindingStatus, RuleOutcome, RuleResult, Severity},
        policy::{Account, CustomRule, Exception, Policy, RuleSetting},
        roster::{ExpectedAccess, JudgedRoster, JudgedSource, Roster, Source},
        rule::RuleInfo,
        separation::{Right, Separation},
        trigger::{Incident, Trigger},
    },
    report::{ReportInput, holders::Holders},
};

pub(super) fn report<'a>(input: &'a ReportInput<'a>) -> v1::Report<'a> {
    let audit = input.audit;
    let directory = &audit.directory;
    let drift = &audit.drift;
    v1::Report {
        schema_version: SCHEMA_VERSION,
        generator: v1::Generator { name: "rolecall", version: audit.version },
        audit_id: audit.id.to_string(),
        job: audit.job.as_deref(),
        workspace: &audit.workspace,
        trigger: audit.trigger.as_ref().map(trigger),
        judged_at: audit.judged_at,
        judged_again: input
            .judged_again
            .as_ref()
            .map(|again| v1::JudgedAgain { audit_id: again.audit.to_string(), policy: &again.policy }),
        complete: directory.reading.is_complete(),
        summary: summary(input),
        source: source(&directory.source),
        organization: organization(&directory.organization),
        read_account: read_account(&directory.current_user),
        reading: reading(input),
        not_available: ["last login", "second factor"],
        access_matrix: Rows(input),
        findings: {
            let acceptance = acceptance(audit);
            audit.findings.iter().map(|one| finding(input, &acceptance, one)).collect()
        },
        previous: drift.previous.as_ref().map(previous),
        changes: drift.changes.iter().map(change).collect(),
        roles: roles(input),
        profiles: profiles(input),
        rules: audit.outcomes.iter().map(|outcome| rule(input, outcome)).collect(),
        policy: policy(&audit.policy, input),
        roster: audit.roster.as_ref().zip(audit.judged_roster.as_ref()).map(roster),
    }
}

fn source(source: &DirectorySource) -> v1::Source<'_> {
    v1::Source {
        connector: source.connector.name(),
        api_url: &source.api_url,
        data_center: source.data_center.as_deref(),
        scopes: source.scopes.as_deref(),
    }
}

fn organization(organization: &Organization) -> v1::Organization<'_> {
    v1::Organization {
        id: organization.id.as_deref(),
        company_name: organization.company_name.as_deref(),
        zgid: organization.zgid.as_deref(),
        domain_name: organization.domain_name.as_deref(),
        primary_zuid: organization.primary_zuid.as_ref().map(AsRef::as_ref),
        primary_email: organization.primary_email.as_deref(),
        country_code: organization.country_code.as_deref(),
        time_zone: organization.time_zone.as_deref(),
        iso_code: organization.iso_code.as_deref(),
        currency_locale: organization.currency_locale.as_deref(),
        paid_type: organization.paid_type.as_deref(),
        users_license_purchased: organization.users_license_purchased,
    }
}

fn read_account(account: &UserRecord) -> v1::ReadAccount<'_> {
    v1::ReadAccount {
        user_id: account.id.as_str(),
        full_name: account.full_name.as_deref(),
        email: account.email.as_deref(),
        profile_id: account.profile.as_ref().map(AsRef::as_ref),
    }
}

fn previous(previous: &Previous) -> v1::Previous<'_> {
    v1::Previous {
        audit_id: &previous.id,
        finished_at: previous.finished_at,
        users: previous.users,
        administrators: previous.administrators,
    }
}

fn change(change: &Change) -> v1::Change<'_> {
    v1::Change {
        kind: change.kind.word(),
        subject_type: change.subject_type,
        subject_id: &change.subject_id,
        subject: &change.subject,
        field: change.field,
        before: &change.before,
        after: &change.after,
        sentence: change_sentence(change),
    }
}

fn trigger(trigger: &Trigger) -> v1::Trigger<'_> {
    v1::Trigger {
        fire_at: trigger.fire_at,
        began_at: trigger.began_at,
        attempt: trigger.attempt,
        incidents: trigger.incidents.iter().map(incident).collect(),
    }
}

fn incident(incident: &Incident) -> v1::Incident<'_> {
    v1::Incident {
        kind: incident.kind.word(),
        job: &incident.job,
        workspace: incident.workspace.as_deref(),
        run: incident.run.map(|run| run.to_string()),
        at: incident.at,
        detail: &incident.detail,
    }
}

fn summary(input: &ReportInput<'_>) -> v1::Summary {
    let brief = &input.brief;
    let counts = &brief.counts;
    let by_status = input.audit.directory.users.by_status();
    v1::Summary {
        state: match brief.state {
            State::Incomplete => v1::State::Incomplete,
            State::Act => v1::State::Act,
            State::Review => v1::State::Review,
            State::Clear => v1::State::Clear,
        },
        verdict: brief.verdict.clone(),
        users: counts.users,
        users_by_status: by_status.iter().map(|(status, count)| (status.word().to_owned(), *count)).collect(),
        unconfirmed: counts.unconfirmed,
        administrators: counts.administrators,
        administrators_equivalent: counts.by_clone + counts.by_role,
        administrators_unknown: Some(counts.power_unknown()).filter(|unknown| *unknown > 0),
        open_findings: counts.open.iter().map(|(severity, count)| (severity.word(), *count)).collect(),
        new_findings: counts.new,
        excepted_findings: counts.accepted,
        changes: counts.changes,
        rules_not_evaluated: counts.rules_not_evaluated,
        findings_not_looked_for: Some(counts.not_looked_for).filter(|count| *count > 0),
        rules_switched_off: counts.rules_off,
    }
}

fn reading<'a>(input: &ReportInput<'a>) -> v1::Reading<'a> {
    let reading = &input.audit.directory.reading;
    v1::Reading {
        started_at: reading.started_at,
        finished_at: reading.finished_at,
        attempts: reading.attempts,
        pages: reading.pages,
        per_page: reading.per_page,
        rows: reading.rows,
        users: reading.users,
        requests: reading.requests,
        retries: reading.retries,
        bytes: reading.bytes,
        query: &reading.query,
        checks: reading
            .checks
            .iter()
            .map(|check| v1::Check {
                title: check.kind.title(),
                outcome: check.outcome.word(),
                detail: check.outcome.detail(),
            })
            .collect(),
    }
}

fn finding<'a>(input: &ReportInput<'a>, acceptance: &Acceptance<'_>, finding: &'a Finding) -> v1::Finding<'a> {
    let (subject, subject_id) = input.audit.subject_label(&finding.subject);
    let covering = match finding.status {
        FindingStatus::Open => None,
        FindingStatus::Excepted(place) => input.audit.policy.exceptions.get(place),
    };
    v1::Finding {
        severity: finding.severity.word(),
        rule: &finding.rule,
        criterion: input.rule(&finding.rule).map(RuleInfo::criteria_text),
        subject_type: finding.subject.kind(),
        subject_id,
        subject,
        message: &finding.message,
        status: finding.status.word(),
        continuing: finding.continuing,
        exception: covering.map(exception),
        planned_fix: finding
            .planned
            .and_then(|place| input.audit.policy.planned_fixes.get(place))
            .map(|fix| planned_fix(fix, input.audit.judged_at.date_naive())),
        accept_with: acceptance.lines(finding),
    }
}

fn planned_fix(fix: &PlannedFix, today: NaiveDate) -> v1::PlannedFix<'_> {
    v1::PlannedFix {
        rule: &fix.rule,
        subject: &fix.subject,
        workspace: fix.workspace.as_deref(),
        owner: &fix.owner,
        reason: &fix.reason,
        until: fix.until,
        ticket: fix.ticket.as_deref(),
        overdue: fix.is_over(today),
    }
}

fn right(right: &Right) -> v1::Right<'_> {
    v1::Right { kind: right.kind(), pattern: right.pattern() }
}

fn separation(separation: &Separation) -> v1::Separation<'_> {
    v1::Separation {
        name: &separation.name,
        first: right(&separation.first),
        second: right(&separation.second),
        severity: separation.severity.map(Severity::word),
    }
}

fn exception(exception: &Exception) -> v1::Exception<'_> {
    v1::Exception {
        rule: &exception.rule,
        subject: &exception.subject,
        workspace: exception.workspace.as_deref(),
        approved_by: &exception.approved_by,
        reason: &exception.reason,
        until: exception.until,
        ticket: exception.ticket.as_deref(),
        owner: exception.owner.as_deref(),
    }
}

fn roles<'a>(input: &ReportInput<'a>) -> Vec<v1::Role<'a>> {
    let holders = Holders::count(input.matrix);
    let tree = hierarchy::tree(&input.audit.directory.roles);
    let role = |branch: hierarchy::Branch<'a>| v1::Role {
        id: branch.role.id.as_str(),
        name: &branch.role.name,
        depth: branch.depth,
        reporting_to: branch.role.reporting_to.as_ref().map(AsRef::as_ref),
        broken: match branch.top {
            Some(Top::MissingParent(_)) => Some("missing-parent"),
            Some(Top::Cycle(_)) => Some("cycle"),
            Some(Top::Root) | None => None,
        },
        admin_user: branch.role.admin_user,
        share_with_peers: branch.role.share_with_peers,
        description: branch.role.description.as_deref(),
        holders: holders.of_role(&branch.role.id),
    };
    tree.into_iter().map(role).collect()
}

fn profiles<'a>(input: &ReportInput<'a>) -> Vec<v1::Profile<'a>> {
    let holders = Holders::count(input.matrix);
    let permission = |permission: &'a crate::model::directory::Permission| v1::Permission {
        name: &permission.name,
        module: permission.module.as_deref(),
        label: permission.label.as_deref(),
        enabled: permission.enabled,
    };
    let fragments = &input.audit.policy.dangerous_permissions;
    let reduced = |profile: &'a Profile| reduction(input.matrix.yardstick(), profile, fragments);
    let profiles = input.audit.directory.profiles.iter();
    profiles
        .map(|profile| {
            let (permissions, because) = match &profile.permissions {
                Permissions::Known(all) => (Some(all.iter().map(permission).collect()), None),
                Permissions::Unknown(because) => (None, Some(because.as_str())),
            };
            v1::Profile {
                id: profile.id.as_str(),
                name: &profile.name,
                administrator: input.audit.administrator_profiles.contains(&profile.id),
                custom: profile.custom,
                description: profile.description.as_deref(),
                modified_time: profile.modified,
                holders: holders.of_profile(&profile.id),
                permissions,
                permissions_unknown_because: because,
                power: input.matrix.yardstick().of_profile(&profile.id).word(),
                reduction: reduced(profile).map(|found| v1::Reduction {
                    equals: input.matrix.yardstick().original(profile).map(|original| original.name.as_str()),
                    for_less_than_full_power: found.full_power.into_iter().map(permission).collect(),
                    dangerous: found.dangerous.into_iter().map(permission).collect(),
                    for_ordinary: found.both.into_iter().map(permission).collect(),
                }),
            }
        })
        .collect()
}

fn rule<'a>(input: &ReportInput<'a>, outcome: &'a RuleOutcome) -> v1::Rule<'a> {
    let info = input.rule(&outcome.rule);
    let (result, open, excepted, not_evaluated) = match &outcome.result {
        RuleResult::Passed => ("passed", 0, 0, ""),
        RuleResult::Failed { open, excepted, not_evaluated } => ("failed", *open, *excepted, not_evaluated.as_str()),
        RuleResult::NotEvaluated(why) => ("not-evaluated", 0, 0, why.as_str()),
        RuleResult::SwitchedOff => ("switched-off", 0, 0, ""),
    };
    v1::Rule {
        name: &outcome.rule,
        title: info.map(|info| &*info.title),
        criterion: info.map(RuleInfo::criteria_text),
        result,
        open,
        excepted,
        not_evaluated: (!not_evaluated.is_empty()).then_some(not_evaluated),
        off_because: matches!(outcome.result, RuleResult::SwitchedOff)
            .then(|| input.audit.policy.off_reason(&outcome.rule)),
    }
}

fn accounts<'a>(input: &ReportInput<'a>) -> Vec<v1::Account<'a>> {
    let audit = input.audit;
    let today = audit.judged_at.date_naive();
    let declared = DeclaredAccounts::of(input.matrix, &audit.policy, &audit.workspace, today);
    let users = |account: &Account| {
        let of = declared.users().filter(|(_, one)| std::ptr::eq(*one, account));
        of.map(|(user, _)| audit.directory.users.get(user).id()).collect()
    };
    let account = |entry: &DeclaredAccount<'a>| v1::Account {
        subject: &entry.account.subject,
        kind: entry.account.kind.word(),
        owner: &entry.account.owner,
        reason: &entry.account.reason,
        until: entry.account.until,
        expired: entry.is_over,
        user_ids: users(entry.account),
    };
    declared.entries().iter().map(account).collect()
}

fn policy<'a>(policy: &'a Policy, input: &ReportInput<'a>) -> v1::Policy<'a> {
    let setting = |setting: &RuleSetting| match setting {
        RuleSetting::Off => "off",
        RuleSetting::Severity(severity) => severity.word(),
    };
    v1::Policy {
        name: &policy.name,
        sha256: policy.sha256(),
        frameworks: policy.frameworks.iter().map(|framework| framework.word()).collect(),
        administrator_profiles: &policy.administrator_profiles,
        administrator_profile_ids: input.audit.administrator_profiles.iter().map(AsRef::as_ref).collect(),
        approved_administrators: policy
            .approved_administrators
            .as_ref()
            .map(|addresses| addresses.iter().map(String::as_str).collect()),
        company_domains: &policy.company_domains,
        max_administrators: policy.max_administrators,
        max_administrator_percent: policy.max_administrator_percent,
        unconfirmed_days: policy.unconfirmed_days,
        max_exception_days: policy.max_exception_days,
        shared_mailboxes: policy.shared_mailboxes.iter().map(String::as_str).collect(),
        dangerous_permissions: &policy.dangerous_permissions,
        rules: policy.rules.iter().map(|(rule, of)| (rule.as_str(), setting(of))).collect(),
        off_reasons: policy.off_reasons.iter().map(|(rule, reason)| (rule.as_str(), reason.as_str())).collect(),
        accounts: accounts(input),
        exceptions: policy.exceptions.iter().map(exception).collect(),
        may_except: policy.may_except.iter().map(String::as_str).collect(),
        planned_fixes: policy
            .planned_fixes
            .iter()
            .map(|fix| planned_fix(fix, input.audit.judged_at.date_naive()))
            .collect(),
        separations: policy.separations.iter().map(separation).collect(),
        custom_rules: policy.custom_rules.iter().map(custom_rule).collect(),
        roster: &policy.roster,
        domain_aliases: &policy.domain_aliases,
        expected_access: policy.expected_access.iter().map(expected_access).collect(),
    }
}

fn custom_rule(rule: &CustomRule) -> v1::CustomRule<'_> {
    v1::CustomRule {
        name: &rule.name,
        title: &rule.title,
        severity: rule.severity.word(),
        criteria: &rule.criteria,
        for_each: rule.for_each.word(),
        when: &rule.when,
        message: &rule.message,
        fix: &rule.fix,
    }
}

fn expected_access(expected: &ExpectedAccess) -> v1::ExpectedAccess<'_> {
    v1::ExpectedAccess {
        department: expected.department.as_deref(),
        title: expected.title.as_deref(),
        profiles: expected.profiles.as_deref(),
        roles: expected.roles.as_deref(),
    }
}

fn roster<'a>((roster, judged): (&'a Roster, &'a JudgedRoster)) -> v1::Roster<'a> {
    let source = |(source, counts): (&'a Source, &'a JudgedSource)| v1::RosterSource {
        name: &source.name,
        read_at: source.read_at,
        as_of: source.as_of,
        sha256: source.sha256.as_deref(),
        problem: source.problem.as_deref(),
        people: counts.people,
        work_here: counts.current,
        left: counts.left,
    };
    v1::Roster {
        relied_on: judged.unreliable.is_empty(),
        problems: &judged.unreliable,
        users: judged.users,
        matched: judged.matched,
        sources: roster.sources.iter().zip(&judged.sources).map(source).collect(),
    }
}
