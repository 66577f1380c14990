//! What tests of mails share: small audits, settings for the simulated inbox, messages read back.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use mailparse::ParsedMail;
use uuid::Uuid;

use super::smtp::{Security, SmtpSettings};
use crate::model::{
    self,
    audit::Audit,
    change::{Change, ChangeKind, Drift, Previous, Untold},
    directory::{Directory, Permissions, Profile, Role},
    finding::{Finding, FindingStatus, RuleOutcome, RuleResult, Severity, Subject},
    id::{PersonId, ProfileId, RoleId},
    policy::Policy,
    reading::{CheckKind, CheckOutcome, Reading},
    rule::RuleList,
    trigger::{Incident, IncidentKind, Trigger},
    users::{NewUser, UserIndex},
};
use rolecall_simulator::Inbox;

/// The inbox of a simulator, reached without encryption.
pub(crate) fn settings_for(inbox: &Inbox) -> SmtpSettings {
    SmtpSettings {
        host: inbox.address().ip().to_string(),
        port: inbox.address().port(),
        security: Security::None,
        helo_name: None,
        username: None,
        password: None,
        timeout: Duration::from_secs(20),
        extra_roots: None,
    }
}

/// A message read back by a parser that is not the one that wrote it.
pub(crate) struct Parsed {
    pub(crate) headers: Vec<(String, String)>,
    /// Type and decoded text of each leaf.
    pub(crate) parts: Vec<(String, String)>,
}

impl Parsed {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} stands twice");
        Some(value)
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    fn leaves(mail: &ParsedMail<'_>, parts: &mut Vec<(String, String)>) {
        if mail.subparts.is_empty() {
            parts.push((mail.ctype.mimetype.clone(), mail.get_body().unwrap()));
        }
        mail.subparts.iter().for_each(|part| leaves(part, parts));
    }
    let mail = mailparse::parse_mail(bytes).unwrap();
    let mut parts = Vec::new();
    leaves(&mail, &mut parts);
    let headers = mail.headers.iter().map(|header| (header.get_key(), header.get_value())).collect();
    Parsed { headers, parts }
}

/// The `From` and the `To`.
pub(crate) fn addressed(parsed: &Parsed) -> (String, String) {
    let of = |name| parsed.header(name).unwrap_or_default().to_owned();
    (of("From"), of("To"))
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn profile(id: &str, name: &str) -> Profile {
    Profile {
        id: ProfileId::from(id),
        name: name.to_owned(),
        custom: Some(false),
        description: None,
        modified: None,
        permissions: Permissions::Unknown("not asked".to_owned()),
    }
}

fn user(number: u32, name: &str) -> (String, String, String, bool) {
    let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
    (format!("10{number:04}"), name.to_owned(), email, number < 3)
}

/// A user of [`small_audit`]: id, name, address, whether an administrator.
pub(crate) type TestUser = (String, String, String, bool);

fn record((id, name, email, administrator): &TestUser) -> NewUser<'_> {
    NewUser {
        id,
        zuid: Some(id),
        full_name: Some(name),
        email: Some(email),
        status: "active",
        confirmed: Some(true),
        role: Some(("7", Some("CEO"))),
        profile: Some(if *administrator { ("1", Some("Administrator")) } else { ("2", Some("Standard")) }),
        created: None,
        modified: None,
    }
}

/// A directory of these users.
fn directory(users: &[TestUser]) -> Directory {
    let records: Vec<NewUser<'_>> = users.iter().map(record).collect();
    let mut directory = model::testing::directory(&records, at("2026-03-02T08:00:03Z"));
    directory.organization.company_name = Some("Example Company".to_owned());
    directory.organization.primary_zuid = Some(PersonId::from(users[0].0.as_str()));
    directory.current_user.email = Some(users[0].2.clone());
    directory.roles.push(Role {
        id: RoleId::from("7"),
        name: "CEO".to_owned(),
        reporting_to: None,
        admin_user: None,
        share_with_peers: None,
        description: None,
    });
    directory.profiles.extend([profile("1", "Administrator"), profile("2", "Standard")]);
    directory.reading = Reading {
        started_at: at("2026-03-02T08:00:01Z"),
        answers: 6,
        requests: 6,
        bytes: 4_096,
        query: "type=AllUsers".to_owned(),
        checks: [CheckKind::DistinctUsers, CheckKind::Administrators].map(model::testing::agreed).to_vec(),
        ..directory.reading
    };
    directory
}

/// The rules that the test audits name.
fn rules() -> Arc<RuleList> {
    model::testing::rules(&[
        (
            "unapproved-administrator",
            "Administrator not on the approved list",
            "Take the profile away, or add the person to `approved_administrators`.",
        ),
        ("dangerous-profile", "Profile with dangerous permissions", ""),
        ("foreign-domain", "User outside the company's domains", ""),
        ("primary-user", "Primary user", ""),
        ("profile-clone", "Profile cloned from Administrator", ""),
    ])
}

/// A first audit of these users that found nothing.
pub(crate) fn audit_of(users: &[TestUser]) -> Audit {
    Audit {
        id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
        job: Some("weekly-access-review".to_owned()),
        workspace: "acme".to_owned(),
        trigger: None,
        judged_at: at("2026-03-02T08:00:04Z"),
        version: "0.1.0",
        policy: Policy::default(),
        directory: directory(users),
        administrator_profiles: vec![ProfileId::from("1")],
        rules: rules(),
        findings: Vec::new(),
        outcomes: Vec::new(),
        drift: Drift::default(),
        past: Vec::new(),
        roster: None,
        judged_roster: None,
        reviewed: None,
    }
}

/// A first audit of six users, two of them administrators, that found nothing.
pub(crate) fn small_audit() -> Audit {
    let names = ["Ana One", "Ben Two", "Cleo Three", "Dan Four", "Eve Five", "Finn Six"];
    let users: Vec<_> = (1..).zip(names).map(|(number, name)| user(number, name)).collect();
    audit_of(&users)
}

pub(crate) fn finding(rule: &str, severity: Severity, subject: Subject, continuing: Option<bool>) -> Finding {
    let message = format!("what {rule} has to say about it").into();
    Finding { rule: rule.into(), severity, subject, message, status: FindingStatus::Open, continuing, planned: None }
}

pub(crate) fn change(kind: ChangeKind, subject: (&str, &str), before: &str, after: &str) -> Change {
    Change {
        kind,
        subject_type: "user",
        subject_id: subject.0.to_owned(),
        subject: subject.1.to_owned(),
        field: "",
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

/// A fire time that was answered late, after one that failed.
fn late() -> Trigger {
    let fire_at: DateTime<Utc> = "2026-03-09T07:00:00Z".parse().unwrap();
    let incident = Incident {
        kind: IncidentKind::Failed,
        job: "weekly".to_owned(),
        workspace: Some("acme".to_owned()),
        run: None,
        at: "2026-03-02T07:00:00Z".parse().unwrap(),
        detail: "the <refresh> token was revoked".to_owned(),
    };
    Trigger {
        fire_at,
        began_at: fire_at + chrono::Duration::hours(5),
        attempt: 2,
        by_hand: false,
        incidents: vec![incident],
    }
}

/// The second audit: Ben became an administrator, somebody left, and there are findings.
pub(crate) fn changed_audit() -> Audit {
    let mut audit = small_audit();
    audit.trigger = Some(late());
    let ben = Subject::User(UserIndex(1));
    audit.findings = vec![
        finding("unapproved-administrator", Severity::Critical, ben.clone(), Some(false)),
        finding("dangerous-profile", Severity::High, Subject::Profile(ProfileId::from("2")), Some(true)),
        finding("foreign-domain", Severity::Medium, Subject::User(UserIndex(3)), Some(true)),
        finding("foreign-domain", Severity::Medium, Subject::User(UserIndex(4)), Some(false)),
        finding("primary-user", Severity::Info, Subject::Workspace, Some(true)),
    ];
    audit.findings[2].status = FindingStatus::Excepted(0);
    audit.outcomes = vec![
        RuleOutcome { rule: "unapproved-administrator".into(), result: RuleResult::Passed },
        RuleOutcome {
            rule: "profile-clone".into(),
            result: RuleResult::NotEvaluated("the API does not give the permissions of profiles".to_owned()),
        },
    ];
    audit.drift = Drift {
        newly_known: 0,
        untold: Untold::default(),
        undecided: Vec::new(),
        departed: Vec::new(),
        unknown: Vec::new(),
        previous: Some(Previous {
            id: "1".to_owned(),
            finished_at: at("2026-02-23T08:00:03Z"),
            users: 7,
            administrators: 1,
        }),
        changes: vec![
            change(ChangeKind::AdministratorGranted, ("100002", "Ben Two"), "Standard", "Administrator"),
            change(ChangeKind::UserRemoved, ("100009", "Gus Seven"), "", ""),
            change(ChangeKind::RoleChanged, ("100005", "Eve Five"), "Manager", "CEO"),
            change(ChangeKind::FindingNew, ("100002", "Ben Two"), "", ""),
            change(ChangeKind::FindingResolved, ("100006", "Finn Six"), "", ""),
        ],
    };
    audit
}

/// Makes an audit's read incomplete.
pub(crate) fn incomplete(mut audit: Audit) -> Audit {
    let detail = "the API lists 3 administrators, the user list has 2".to_owned();
    audit.directory.reading.checks[1].outcome = CheckOutcome::Disagreed { detail };
    audit
}
