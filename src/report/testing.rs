//! Audits for the tests of briefs and reports.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use uuid::Uuid;

use crate::model::{
    self,
    audit::Audit,
    change::{Change, ChangeKind, Drift, Previous, Untold},
    directory::{Directory, Organization, Permission, Permissions, Profile, Role, UserRecord},
    finding::{Finding, FindingStatus, RuleOutcome, RuleResult, Severity, Subject},
    id::{PersonId, ProfileId, RoleId, UserId},
    policy::{Exception, Policy},
    reading::{CheckKind, Reading},
    rule::RuleList,
    trigger::{Incident, IncidentKind, Trigger},
    unread::{Field, Fields},
    users::{NewUser, UserBlock, UserIndex, Users},
};

/// The time of every test.
pub(crate) fn at(hour: u32, minute: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, hour, minute, 0).unwrap()
}

/// A user that tests change one thing of.
pub(crate) const ANA: NewUser<'static> = NewUser {
    id: "5000000000001",
    zuid: Some("700001"),
    full_name: Some("Ana Lima"),
    email: Some("ana@example.com"),
    status: "active",
    confirmed: Some(true),
    role: Some(("11", Some("CEO"))),
    profile: Some(("21", Some("Administrator"))),
    created: None,
    modified: None,
};

fn role(id: &str, name: &str, above: Option<&str>) -> Role {
    Role {
        id: RoleId::from(id),
        name: name.to_owned(),
        reporting_to: above.map(RoleId::from),
        admin_user: Some(id == "11"),
        share_with_peers: None,
        description: None,
    }
}

fn profile(id: &str, name: &str, permissions: Permissions) -> Profile {
    Profile {
        id: ProfileId::from(id),
        name: name.to_owned(),
        custom: Some(id > "22"),
        description: None,
        modified: None,
        permissions,
    }
}

fn permission(name: &str, enabled: bool) -> Permission {
    Permission { name: name.to_owned(), module: None, label: None, enabled }
}

/// An audit of these users: two roles, three profiles, nothing found, nothing changed.
pub(crate) fn audit(users: &[NewUser<'_>]) -> Audit {
    Audit {
        id: Uuid::from_u128(0x0195_5555_5555_7555_8555_5555_5555_5555),
        job: Some("weekly-access-review".to_owned()),
        workspace: "acme".to_owned(),
        trigger: None,
        judged_at: at(8, 1),
        version: "0.1.0",
        policy: Policy::default(),
        directory: directory(users),
        administrator_profiles: vec![ProfileId::from("21")],
        rules: rules(),
        findings: Vec::new(),
        outcomes: vec![RuleOutcome { rule: "unapproved-administrator".into(), result: RuleResult::Passed }],
        drift: Drift::default(),
        past: Vec::new(),
        roster: None,
        judged_roster: None,
        reviewed: None,
    }
}

/// The two roles and three profiles, and these users.
fn directory(users: &[NewUser<'_>]) -> Directory {
    let mut directory = model::testing::directory(users, at(8, 1));
    directory.source.scopes = Some(vec!["ZohoBigin.users.READ".to_owned(), "ZohoBigin.settings.READ".to_owned()]);
    directory.organization = Organization {
        id: Some("900".to_owned()),
        company_name: Some("Example Ltd".to_owned()),
        primary_zuid: Some(PersonId::from("700001")),
        time_zone: Some("Europe/Berlin".to_owned()),
        ..Organization::default()
    };
    directory.current_user = UserRecord {
        id: UserId::from("5000000000001"),
        full_name: Some("Ana Lima".to_owned()),
        email: Some("ana@example.com".to_owned()),
        profile: Some(ProfileId::from("21")),
        ..directory.current_user
    };
    directory.roles = vec![role("11", "CEO", None), role("12", "Sales", Some("11"))];
    let administrator = Permissions::Known(vec![permission("export_data", true), permission("manage_users", true)]);
    directory.profiles = vec![
        profile("21", "Administrator", administrator),
        profile("22", "Standard", Permissions::Known(vec![permission("export_data", false)])),
        profile("23", "Clerk", Permissions::Unknown("the API gave no details".to_owned())),
    ];
    let checks = [CheckKind::DistinctUsers, CheckKind::MoreRecords, CheckKind::Administrators];
    directory.reading = Reading {
        started_at: at(8, 0),
        answers: 9,
        requests: 9,
        bytes: 12_345,
        query: "type=AllUsers&per_page=200".to_owned(),
        checks: checks.map(model::testing::agreed).to_vec(),
        ..directory.reading
    };
    directory
}

/// One administrator and nothing to say.
pub(crate) fn quiet() -> Audit {
    audit(&[ANA])
}

/// One administrator, and one user whose profile could not be read.
pub(crate) fn with_unknown_power() -> Audit {
    let mut audit = audit(&[ANA]);
    let mut block = UserBlock::default();
    block.push(&ANA).unwrap();
    let other = NewUser { id: "5000000000002", full_name: Some("Bo"), zuid: None, profile: None, ..ANA };
    let other = NewUser { role: Some(("12", Some("Sales"))), ..other };
    block.push_partly(&other, Fields::of(&[Field::Profile])).unwrap();
    audit.directory.users = Users::from_blocks(vec![block]).0;
    audit
}

/// A finding about the user at a place.
pub(crate) fn finding(rule: &str, severity: Severity, user: u32) -> Finding {
    Finding {
        rule: rule.into(),
        severity,
        subject: Subject::User(UserIndex(user)),
        message: "has what nobody approved".into(),
        status: FindingStatus::Open,
        continuing: None,
        planned: None,
    }
}

/// Names that try to break out of a report.
pub(crate) fn hostile() -> Audit {
    let long = "Maximiliane-".repeat(40);
    let users = [
        NewUser { created: Some(at(1, 2)), modified: Some(at(3, 4)), ..ANA },
        NewUser {
            id: "5000000000002",
            full_name: Some("<script>alert(1)</script>"),
            email: Some("\"x\"@example.com"),
            profile: Some(("22", Some("Old name"))),
            ..ANA
        },
        NewUser {
            id: "5000000000003",
            full_name: Some("=cmd|' /C calc'!A0"),
            email: Some("+plus@example.com"),
            status: "disabled",
            ..ANA
        },
        NewUser {
            id: "5000000000004",
            full_name: Some("two\r\nlines, \"quoted\""),
            email: None,
            confirmed: None,
            role: None,
            profile: None,
            zuid: None,
            ..ANA
        },
        NewUser {
            id: "5000000000005",
            full_name: Some("מרים \u{202e}evil 🦀"),
            role: Some(("99", None)),
            profile: Some(("98", Some("@SUM(A1)"))),
            ..ANA
        },
        NewUser { id: "5000000000006", full_name: Some(&long), status: "deleted", ..ANA },
        NewUser {
            id: "5000000000007",
            full_name: Some(""),
            email: Some("invited@example.com"),
            confirmed: Some(false),
            zuid: None,
            ..ANA
        },
        NewUser { id: "900", full_name: Some("\t-tab & <b>bold</b>"), status: "=paused", ..ANA },
    ];
    let mut audit = audit(&users);
    audit.directory.roles.push(role("13", "<i>Loop</i>", Some("13")));
    audit.directory.roles.push(role("14", "Lost", Some("404")));
    audit.policy.exceptions.push(Exception {
        rule: "administrator".to_owned(),
        subject: "ana@example.com".to_owned(),
        workspace: None,
        approved_by: "=Board <board@example.com>".to_owned(),
        reason: "break-glass, \"sealed\"".to_owned(),
        until: NaiveDate::from_ymd_opt(2026, 6, 30).unwrap(),
        ..Exception::default()
    });
    let with = |finding: Finding, continuing, status| Finding { status, continuing, ..finding };
    audit.findings = vec![
        with(finding("unapproved-administrator", Severity::Critical, 7), Some(false), FindingStatus::Open),
        Finding {
            rule: "role-cycle".into(),
            severity: Severity::High,
            subject: Subject::Role(RoleId::from("13")),
            message: "<i>Loop</i> reports to itself".into(),
            status: FindingStatus::Open,
            continuing: Some(true),
            planned: None,
        },
        finding("role-unknown", Severity::Medium, 5),
        finding("profile-unknown", Severity::Medium, 5),
        with(finding("administrator", Severity::Info, 1), Some(true), FindingStatus::Excepted(0)),
        with(finding("administrator", Severity::Info, 7), Some(false), FindingStatus::Open),
    ];
    let not_evaluated = "the API gave no permissions for <Clerk>".to_owned();
    audit.outcomes.extend([
        RuleOutcome {
            rule: "role-cycle".into(),
            result: RuleResult::Failed { open: 1, excepted: 0, not_evaluated: String::new() },
        },
        RuleOutcome { rule: "dangerous-profile".into(), result: RuleResult::NotEvaluated(not_evaluated) },
        RuleOutcome { rule: "outside-domain".into(), result: RuleResult::SwitchedOff },
    ]);
    audit.drift = hostile_drift();
    audit.trigger = Some(hostile_trigger());
    audit
}

/// A review that is late, after one that failed and another whose report did not arrive.
fn hostile_trigger() -> Trigger {
    let incident = |kind, workspace: &str, detail: &str| Incident {
        kind,
        job: "weekly".to_owned(),
        workspace: Some(workspace.to_owned()),
        run: Some(Uuid::from_u128(7)),
        at: at(0, 0),
        detail: detail.to_owned(),
    };
    Trigger {
        fire_at: at(0, 0),
        began_at: at(5, 0),
        attempt: 2,
        by_hand: false,
        incidents: vec![
            incident(IncidentKind::Failed, "acme", "<b>HTTP 500</b>"),
            incident(IncidentKind::Overdue, "beta & sons", ""),
            incident(IncidentKind::Undelivered, "acme", "report to gone@example.com: 550 no such user"),
        ],
    }
}

fn hostile_drift() -> Drift {
    Drift {
        newly_known: 0,
        untold: Untold::default(),
        undecided: Vec::new(),
        departed: Vec::new(),
        unknown: Vec::new(),
        previous: Some(Previous {
            id: "01950000-0000-7000-8000-000000000000".to_owned(),
            finished_at: at(0, 0),
            users: 7,
            administrators: 1,
        }),
        changes: vec![
            Change {
                kind: ChangeKind::AdministratorGranted,
                subject_type: "user",
                subject_id: "5000000000007".to_owned(),
                subject: "invited@example.com".to_owned(),
                field: "profile",
                before: "=Standard".to_owned(),
                after: "Administrator".to_owned(),
            },
            Change {
                kind: ChangeKind::UserRemoved,
                subject_type: "user",
                subject_id: "5000000000009".to_owned(),
                subject: "<img src=x onerror=alert(1)>".to_owned(),
                field: "",
                before: "active".to_owned(),
                after: String::new(),
            },
        ],
    }
}

/// The rules that the test audits name.
fn rules() -> Arc<RuleList> {
    model::testing::rules(&[
        ("administrator", "Administrator", "Check that each still needs it."),
        (
            "unapproved-administrator",
            "Administrator that nobody approved",
            "Take the profile away, or add the person to `approved_administrators`.",
        ),
        ("role-cycle", "Roles that report to each other", "Give one of them a role above that is outside the circle."),
    ])
}
