//! The conformance test of renderings: HTML report, `report.json`, terminal and both bodies of the mail say what the
//! brief says, in the same words and numbers. A new rendering is added to [`renderings`] and has to pass as it is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    cli::summary,
    mail::report_mail::{Proof, ReportMail},
    model::{
        change::{Drift, Previous, Untold},
        finding::Finding,
        trigger::{Incident, IncidentKind, Trigger},
        users::{NewUser, UserIndex},
    },
    report::{self, ReportFile, ReportInput},
};

/// Actions, and administrators, that a mail shows.
const IN_A_MAIL: (usize, usize) = (10, 15);

const RULES: [&str; 6] =
    ["unapproved-administrator", "role-cycle", "administrator", "no-role", "shared-mailbox", "too-many-administrators"];
const NAMES: [&str; 6] = ["Ana Lima", "Ola <Berg>", "Dana & Sons", "Zoë O'Neil", "Ana Lima", "Xi \"Ken\" 示"];

/// An audit, by what it has of each kind.
#[derive(Debug, Clone)]
struct Case {
    users: usize,
    administrators: usize,
    /// Rule, severity, user (`None`: the workspace), accepted, new.
    findings: Vec<(usize, Severity, Option<usize>, bool, bool)>,
    incomplete: bool,
    off: usize,
    not_evaluated: usize,
    first: bool,
    changes: Vec<ChangeKind>,
    incidents: usize,
}

const CLEAN: Case = Case {
    users: 3,
    administrators: 1,
    findings: Vec::new(),
    incomplete: false,
    off: 0,
    not_evaluated: 0,
    first: true,
    changes: Vec::new(),
    incidents: 0,
};

fn audit(case: &Case) -> Audit {
    let texts: Vec<[String; 3]> = (0..case.users)
        .map(|place| {
            let name = NAMES[place % NAMES.len()];
            let name = if place < NAMES.len() { name.to_owned() } else { format!("{name} {place}") };
            [(1000 + place).to_string(), name, format!("user{place}@example.com")]
        })
        .collect();
    let users: Vec<NewUser<'_>> = texts
        .iter()
        .enumerate()
        .map(|(place, [id, name, email])| NewUser {
            id,
            full_name: Some(name),
            email: Some(email),
            zuid: Some(id),
            status: if place % 7 == 6 { "deleted" } else { "active" },
            profile: Some((if place < case.administrators { "21" } else { "22" }, None)),
            ..testing::ANA
        })
        .collect();
    let mut audit = testing::audit(&users);
    audit.findings = case.findings.iter().map(|finding| one_finding(case, finding)).collect();
    audit.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    audit.outcomes = outcomes(case);
    if case.incomplete {
        make_incomplete(&mut audit, "page 2 held 3 users where it said 200");
    }
    if !case.first {
        audit.drift = drift(case);
    }
    let incident = |_| Incident {
        kind: IncidentKind::Failed,
        job: "weekly".to_owned(),
        workspace: Some("acme".to_owned()),
        run: None,
        at: audit.judged_at,
        detail: "HTTP 500 & nothing else".to_owned(),
    };
    audit.trigger = (case.incidents > 0).then(|| Trigger {
        fire_at: audit.judged_at,
        began_at: audit.judged_at,
        attempt: 1,
        by_hand: false,
        incidents: (0..case.incidents).map(incident).collect(),
    });
    audit
}

fn one_finding(case: &Case, finding: &(usize, Severity, Option<usize>, bool, bool)) -> Finding {
    let (rule, severity, user, accepted, new) = *finding;
    Finding {
        subject: user
            .map_or(Subject::Workspace, |user| Subject::User(UserIndex(u32::try_from(user % case.users).unwrap()))),
        status: if accepted { FindingStatus::Excepted(0) } else { FindingStatus::Open },
        continuing: (!case.first).then_some(!new),
        ..testing::finding(RULES[rule], severity, 0)
    }
}

fn outcomes(case: &Case) -> Vec<RuleOutcome> {
    let result = |place| match place {
        place if place < case.off => RuleResult::SwitchedOff,
        place if place < case.off + case.not_evaluated => {
            RuleResult::NotEvaluated("the API returned no <permissions>".to_owned())
        }
        _ => RuleResult::Passed,
    };
    RULES.iter().enumerate().map(|(place, rule)| RuleOutcome { rule: (*rule).into(), result: result(place) }).collect()
}

fn drift(case: &Case) -> Drift {
    let at = "2026-02-23T08:00:00Z".parse().unwrap();
    let change = |(place, kind): (usize, &ChangeKind)| Change {
        kind: *kind,
        subject_type: "user",
        subject_id: (1000 + place).to_string(),
        subject: NAMES[place % NAMES.len()].to_owned(),
        field: "profile",
        before: "Standard".to_owned(),
        after: "Administrator".to_owned(),
    };
    Drift {
        newly_known: 0,
        previous: Some(Previous { id: "1".to_owned(), finished_at: at, users: 7, administrators: 1 }),
        changes: case.changes.iter().enumerate().map(change).collect(),
        untold: Untold::default(),
        undecided: Vec::new(),
        departed: Vec::new(),
        unknown: Vec::new(),
    }
}

/// What a reader sees of an HTML page: its text, from the first heading.
fn seen(html: &str) -> String {
    let body = &html[html.find("<body").unwrap()..];
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    for (entity, c) in
        [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&#38;", "&")]
    {
        text = text.replace(entity, c);
    }
    text
}

/// A text without what layout adds: runs of blanks, marks of lists, blanks before a colon.
fn flat(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "-" | "•")).collect();
    words.join(" ").replace(" :", ":").replace(['[', ']'], "")
}

/// Each rendering of an audit as flat text, and `report.json`.
fn renderings(audit: &Audit) -> (Brief, Vec<(&'static str, String)>, serde_json::Value) {
    let matrix = AccessMatrix::of(audit);
    let input = ReportInput::new(audit, &matrix);
    let written = |file| {
        let mut out = Vec::new();
        report::write(file, &input, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let mail = ReportMail::new(audit, input.brief(), Vec::new(), &[], &Proof::default()).unwrap();
    let content = mail.content();
    assert!(content.subject.contains(&input.brief().headline), "{}", content.subject);
    let texts = vec![
        ("HTML report", flat(&seen(&written(ReportFile::Html)))),
        ("terminal", flat(&summary::text(input.brief(), None))),
        ("text mail", flat(&content.text)),
        ("HTML mail", flat(&seen(&content.html))),
    ];
    (input.brief().clone(), texts, serde_json::from_str(&written(ReportFile::Json)).unwrap())
}

/// Whether all renderings of an audit say what its brief says.
fn conforms(audit: &Audit) {
    let (brief, texts, json) = renderings(audit);
    for (rendering, text) in &texts {
        let says = |phrase: &str| {
            assert!(text.contains(&flat(phrase)), "the {rendering} does not say “{}”:\n{text}", flat(phrase));
        };
        says(brief.state.word());
        says(&brief.verdict);
        brief.incidents.iter().take(8).for_each(|incident| says(incident));
        if brief.changes.is_some() || *rendering != "terminal" {
            says(&brief.change_summary());
        }
        brief.changes.iter().flat_map(|changes| &changes.lines).for_each(|line| says(&line.sentence));
        actions_are_said(&brief, rendering, text);
        if *rendering != "terminal" {
            brief.administrators.named.iter().take(IN_A_MAIL.1).for_each(|person| {
                says(&person.label);
                says(&person.notes());
            });
            says_what_was_not_evaluated(&brief, &says);
            if brief.counts.open_total > 0 {
                says(&brief.counts.findings());
            }
            says(&brief.counts.population);
        }
    }
    json_conforms(&brief, &json);
}

fn says_what_was_not_evaluated(brief: &Brief, says: &impl Fn(&str)) {
    for rule in &brief.not_evaluated.rules {
        says(&rule.title);
        says(&rule.reason);
    }
    for rule in &brief.not_evaluated.switched_off {
        says(&rule.title);
        says(&rule.reason);
    }
    for (check, detail) in &brief.not_evaluated.problems {
        says(&check[1..]);
        says(detail);
    }
}

fn actions_are_said(brief: &Brief, rendering: &str, text: &str) {
    let actions = if rendering.contains("mail") {
        &brief.actions[..brief.actions.len().min(IN_A_MAIL.0)]
    } else {
        &brief.actions[..]
    };
    // Who should resolve most points is said once.
    let usual = brief.usual_who();
    let mut said = 0;
    if let Some(who) = usual {
        said += 1;
        let phrase = flat(&format!("Who: {who}"));
        assert!(
            text.contains(&phrase) && text.contains("unless a point says otherwise"),
            "the {rendering} does not say “{phrase}”:\n{text}"
        );
    }
    // One after the other, so that none is said of another rule and the order is the same.
    let mut rest = text;
    for action in actions {
        let rule = if rendering == "terminal" { format!("({}) ", action.rule) } else { String::new() };
        let mut phrase = format!("{}: {} {} {rule}", action.title, action.subjects, action.news());
        if usual != Some(&action.who) {
            said += 1;
            phrase = format!("{phrase} Who: {}", action.who);
        }
        let phrase = flat(&phrase);
        let Some(at) = rest.find(&phrase) else {
            panic!("the {rendering} does not say “{phrase}”, or not in its place:\n{text}")
        };
        rest = &rest[at + phrase.len()..];
        assert!(text.contains(&action.by().to_string()), "the {rendering} does not say {}", action.by());
    }
    assert_eq!(text.matches("Who: ").count(), said, "the {rendering} has other actions:\n{text}");
    if brief.actions.is_empty() {
        assert!(text.contains(brief.nothing_to_do()), "the {rendering} does not say that there is nothing to do");
    }
}

fn json_conforms(brief: &Brief, json: &serde_json::Value) {
    let summary = &json["summary"];
    let counts = &brief.counts;
    let state = match brief.state {
        State::Incomplete => "incomplete",
        State::Act => "act",
        State::Review => "review",
        State::Clear => "clear",
    };
    assert_eq!((&summary["state"], &summary["verdict"]), (&state.into(), &brief.verdict.as_str().into()));
    for (key, count) in [
        ("users", counts.users),
        ("administrators", counts.administrators),
        ("unconfirmed", counts.unconfirmed),
        ("excepted_findings", counts.accepted),
        ("changes", counts.changes),
        ("rules_not_evaluated", counts.rules_not_evaluated),
        ("rules_switched_off", counts.rules_off),
    ] {
        assert_eq!(summary[key], count, "{key}");
    }
    for (severity, count) in &counts.open {
        assert_eq!(summary["open_findings"][severity.word()], *count);
    }
    assert_eq!(summary["new_findings"], serde_json::json!(counts.new));
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in json["findings"].as_array().unwrap() {
        if finding["status"] == "open" && finding["severity"] != "info" {
            *open.entry(finding["rule"].as_str().unwrap()).or_default() += 1;
        }
    }
    let actions: BTreeMap<&str, usize> =
        brief.actions.iter().map(|action| (action.rule.as_str(), action.open)).collect();
    assert_eq!(open, actions);
}

#[test]
fn every_kind_of_audit_reads_the_same_in_every_rendering() {
    let of = |severity| vec![(0, severity, Some(1), false, true), (3, severity, Some(2), true, false)];
    let cases = [
        CLEAN,
        Case { incomplete: true, ..CLEAN },
        Case { incomplete: true, findings: of(Severity::Critical), first: false, ..CLEAN },
        Case { off: 3, ..CLEAN },
        Case { not_evaluated: 2, off: 1, findings: of(Severity::Low), ..CLEAN },
        Case { first: false, ..CLEAN },
        Case {
            first: false,
            changes: vec![ChangeKind::AdministratorGranted, ChangeKind::UserRemoved, ChangeKind::FindingResolved],
            findings: of(Severity::High),
            ..CLEAN
        },
        Case { incidents: 2, ..CLEAN },
        Case { users: 60, administrators: 30, findings: of(Severity::Medium), ..CLEAN },
        Case { administrators: 0, ..CLEAN },
    ];
    for case in cases.into_iter().chain(Severity::ALL.map(|severity| Case { findings: of(severity), ..CLEAN })) {
        conforms(&audit(&case));
    }
}

#[test]
fn an_audit_of_20_000_users_reads_the_same_in_every_rendering() {
    let findings =
        (0..2_000).map(|user| (user % RULES.len(), Severity::ALL[user % 5], Some(user), false, user % 3 == 0));
    conforms(&audit(&Case {
        users: 20_000,
        administrators: 1_500,
        findings: findings.collect(),
        first: false,
        changes: vec![ChangeKind::ProfileChanged; 5_000],
        ..CLEAN
    }));
}

fn case() -> impl Strategy<Value = Case> {
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let finding =
        (0..RULES.len(), severity, prop::option::of(0..30_usize), prop::bool::weighted(0.2), prop::bool::weighted(0.4));
    let kinds = vec![
        ChangeKind::AdministratorGranted,
        ChangeKind::AdministratorRevoked,
        ChangeKind::PrimaryUserChanged,
        ChangeKind::UserAdded,
        ChangeKind::RoleChanged,
        ChangeKind::FullPowerGranted,
        ChangeKind::FullPowerRevoked,
        ChangeKind::PolicyLoosened,
        ChangeKind::PolicyChanged,
        ChangeKind::FindingNew,
        ChangeKind::FindingResolved,
        ChangeKind::FindingAccepted,
        ChangeKind::FindingNotCounted,
    ];
    let changes = prop::collection::vec(prop::sample::select(kinds), 0..8);
    let findings = prop::collection::vec(finding, 0..20);
    (
        1..25_usize,
        0..25_usize,
        findings,
        prop::bool::weighted(0.2),
        0..3_usize,
        0..3_usize,
        any::<bool>(),
        changes,
        0..3_usize,
    )
        .prop_map(
            |(users, administrators, findings, incomplete, off, not_evaluated, first, changes, incidents)| Case {
                users,
                administrators,
                findings,
                incomplete,
                off,
                not_evaluated,
                first,
                changes,
                incidents,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_audit_reads_the_same_in_every_rendering(case in case()) {
        conforms(&audit(&case));
    }
}
