use super::*;
use crate::{
    access::matrix::AccessMatrix,
    model::{
        account::{Account, AccountKind},
        audit::Audit,
        change::{Change, ChangeKind, Past},
        directory::{Permission, Permissions, Profile},
        finding::{RuleOutcome, RuleResult, Severity},
        id::ProfileId,
        reading::{Check, CheckKind, CheckOutcome},
        users::NewUser,
    },
    report::testing,
};

/// What the contract allows.
const LIMIT: usize = 5_000_000;

fn html(audit: &Audit) -> String {
    let matrix = AccessMatrix::of(audit);
    let mut out = Vec::new();
    write(&ReportInput::new(audit, &matrix), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_page_of_a_hostile_world() {
    let html = html(&testing::hostile());
    let body = html.split_once("</head>").unwrap().1;
    insta::assert_snapshot!(body);
}

#[test]
fn no_name_reaches_the_page_unescaped_and_nothing_is_loaded() {
    let html = html(&testing::hostile());
    for markup in ["<script", "<img", "<b>bold", "<i>Loop", "\u{202e}", "<Clerk>", "src=\"", "url("] {
        assert!(!html.contains(markup), "{markup}");
    }
    assert!(html.contains("&#60;script&#62;alert(1)"));
    assert!(!html.contains("http://") && !html.contains("compliant"));
}

#[test]
fn rules_that_were_not_evaluated_for_one_reason_share_a_line() {
    let mut audit = testing::quiet();
    let outcome = |rule: &str, result| RuleOutcome { rule: rule.into(), result };
    let unread = || "the read was incomplete".to_owned();
    let failed = RuleResult::Failed { open: 2, excepted: 0, not_evaluated: unread() };
    audit.outcomes = vec![
        outcome("no-role", RuleResult::NotEvaluated(unread())),
        outcome("no-profile", RuleResult::NotEvaluated("the API returned no profiles".to_owned())),
        outcome("unused-role", RuleResult::NotEvaluated(unread())),
        outcome("administrator", failed),
    ];
    let [role, profile, unused, administrator] =
        ["no-role", "no-profile", "unused-role", "administrator"].map(|rule| crate::brief::title(&audit, rule));
    let html = html(&audit);
    for line in [
        format!("{role}, {unused}: <span class=\"quiet\">the read was incomplete"),
        format!("{profile}: <span class=\"quiet\">the API returned no profiles"),
        format!("{administrator} (2 open): <span class=\"quiet\">Not evaluated: the read was incomplete"),
    ] {
        assert_eq!(html.matches(&line).count(), 1, "{line}");
    }
}

#[test]
fn an_incomplete_audit_is_shouted_first_and_never_reads_as_nothing_found() {
    let mut audit = testing::quiet();
    let detail = "page 2 held 3 users where it said 200".to_owned();
    audit.directory.reading.checks = vec![Check {
        kind: CheckKind::PageLength,
        outcome: CheckOutcome::Disagreed { detail },
        figures: String::new(),
    }];
    let html = html(&audit);
    let words = html.to_lowercase();
    assert!(html.contains("<title>Incomplete:"));
    assert!(html.find("This audit cannot stand as the review").unwrap() < html.find("Who can administer").unwrap());
    for phrase in ["found nothing", "no action needed", "asks for action", "no finding"] {
        assert!(!words.contains(phrase), "{phrase}");
    }
}

#[test]
fn it_stays_small_however_many_users_there_are_and_says_what_it_leaves_out() {
    let names: Vec<String> = (0..50_000).map(|id| format!("{}{id}", "<&\"'>".repeat(30))).collect();
    let ids: Vec<String> = (1..=names.len()).map(|id| id.to_string()).collect();
    let users: Vec<_> = ids
        .iter()
        .zip(&names)
        .map(|(id, name)| NewUser { id, full_name: Some(name), email: Some(name), ..testing::ANA })
        .collect();
    let mut audit = testing::audit(&users);
    audit.findings = (0..50_000).map(|user| testing::finding("administrator", Severity::High, user)).collect();
    let html = html(&audit);
    assert!(html.len() < LIMIT, "{} bytes", html.len());
    assert!(html.contains("are only in findings.csv and report.xlsx"));
    assert!(html.contains("are only in access-matrix.csv and report.xlsx"));
}

#[test]
fn who_has_power_or_a_finding_comes_first_in_the_matrix_whatever_the_id() {
    let ids: Vec<String> = (1..=3000).map(|id| id.to_string()).collect();
    let user = |id| NewUser { id, profile: Some(("22", None)), role: None, zuid: None, ..testing::ANA };
    let mut users: Vec<_> = ids.iter().map(|id| user(id.as_str())).collect();
    users[2998] = NewUser { id: "2999", full_name: Some("Late Administrator"), ..testing::ANA };
    users[2999] = NewUser { full_name: Some("Late Flagged"), ..user("3000") };
    let mut audit = testing::audit(&users);
    audit.findings = vec![testing::finding("no-role", Severity::Low, 2999)];
    let html = html(&audit);
    let matrix = html.split_once("id=\"matrix\"").unwrap().1;
    assert!(matrix.contains("This page shows 502 of 3,000 users"), "{}", &matrix[..400]);
    let at = |text: &str| matrix.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(at("Late Flagged") < at("Late Administrator") && at("Late Administrator") < at("<details"));
    assert!(at("500 more users") < at("Ana Lima"));
    let on_paper =
        "2 of 3,000 users: those with a finding or known power. access-matrix.csv and report.xlsx have every user.";
    assert!(matrix.contains(on_paper), "paper says how many it leaves out");
}

#[test]
fn a_rule_is_one_entry_what_to_do_is_said_once_and_a_severity_only_where_it_differs() {
    let mut audit = testing::audit(&[testing::ANA, NewUser { id: "5000000000002", zuid: None, ..testing::ANA }]);
    audit.findings = vec![testing::finding("administrator", Severity::Medium, 0)];
    let advice = "Check that each still needs it.";
    let found = |page: &str| page.split_once("class=\"found\"").unwrap().1.split_once("</ul>").unwrap().0.to_owned();
    let page = html(&audit);
    assert_eq!((page.matches(advice).count(), page.matches("id=\"rule-administrator\"").count()), (1, 1));
    assert!(!found(&page).contains("severity"));

    audit.findings.push(testing::finding("administrator", Severity::Info, 1));
    let page = html(&audit);
    assert_eq!((page.matches(advice).count(), page.matches("id=\"rule-administrator\"").count()), (1, 1));
    assert!(found(&page).contains("severity info"));

    audit.findings.remove(0);
    let page = html(&audit);
    assert_eq!(page.matches(advice).count(), 1, "what is only to know has its advice too");
    assert!(page.contains("For information"));
}

#[test]
fn what_is_true_of_several_is_said_once_with_their_names_and_paper_shows_the_first() {
    let ids: Vec<String> = (1..=9).map(|id| id.to_string()).collect();
    let users: Vec<_> = ids.iter().map(|id| NewUser { id, zuid: None, email: None, ..testing::ANA }).collect();
    let mut audit = testing::audit(&users);
    audit.findings = (0..9).map(|user| testing::finding("no-role", Severity::Low, user)).collect();
    let page = html(&audit);
    let message = "has what nobody approved";
    assert_eq!(page.matches(message).count(), 2, "for paper and for the rest");
    assert!(page.contains("3 more in findings.csv and report.xlsx"));

    audit.findings.truncate(6);
    let page = html(&audit);
    assert_eq!(page.matches(message).count(), 1);
    assert!(!page.contains("more in findings.csv"));
}

#[test]
fn what_the_tables_replace_is_said() {
    let mut audit = testing::quiet();
    assert!(!html(&audit).contains("Replaced in tables"));
    let said = "1 record has the character U+0000 in a name or address";
    audit.directory.roles[0].name = "C\0O".to_owned();
    assert!(html(&audit).contains(said));
    let audit = testing::audit(&[NewUser { full_name: Some("A\0na"), ..testing::ANA }]);
    let html = html(&audit);
    assert!(html.contains(said) && html.contains("A[U+0000]na"), "{html}");
}

#[test]
fn paper_says_which_users_it_shows_and_not_what_the_screen_shows() {
    let ids: Vec<String> = (1..=600).map(|id| format!("50000000{id:05}")).collect();
    for (users, expected) in [
        (
            600,
            "40 of 600 users: the first of 600 with a finding or known power. access-matrix.csv and report.xlsx have every user.",
        ),
        (100, "40 of 100 users: the first of 100 with a finding or known power."),
        (30, ""),
    ] {
        let people: Vec<_> = ids[..users].iter().map(|id| NewUser { id, ..testing::ANA }).collect();
        let html = html(&testing::audit(&people));
        let (_, section) = html.split_once("id=\"matrix\">").unwrap();
        let paper =
            section.split_once("<p class=\"paper\">").map_or("", |(_, rest)| rest.split_once("</p>").unwrap().0);
        assert!(
            if expected.is_empty() {
                !paper.contains("with a finding or known power")
            } else {
                paper.starts_with(expected)
            },
            "{paper}"
        );
        // What is said of the screen is not printed beside it.
        assert_eq!(section.starts_with("Access matrix</h2>\n<p class=\"quiet screen\">"), users > 40, "{users}");
    }
}

#[test]
fn a_complete_report_can_be_signed_on_paper() {
    assert!(html(&testing::quiet()).contains("<section class=\"paper sign\""));
    let mut audit = testing::quiet();
    audit.directory.reading.checks = vec![Check {
        kind: CheckKind::PageLength,
        outcome: CheckOutcome::Disagreed { detail: "x".to_owned() },
        figures: String::new(),
    }];
    assert!(!html(&audit).contains("class=\"paper sign\""));
}

#[test]
fn the_number_of_administrators_is_the_least_if_some_power_is_unknown() {
    assert!(!html(&testing::quiet()).contains("at least"));
    let html = html(&testing::with_unknown_power());
    let tile = "<span class=\"value\">at least 1</span> <span class=\"label\">administrator</span> <span class=\"note\">of 1 user \
                the status, profile or role could not be read; ";
    assert!(html.contains(tile), "{html}");
}

#[test]
fn changes_name_a_finding_by_the_title_of_its_rule() {
    let mut audit = testing::hostile();
    audit.drift.changes.push(Change {
        kind: ChangeKind::FindingNew,
        subject_type: "finding",
        subject_id: "role-cycle:role:13".to_owned(),
        subject: "role-cycle: Loop".to_owned(),
        field: "",
        before: String::new(),
        after: "reports to itself".to_owned(),
    });
    let page = html(&audit);
    assert!(page.contains(">Roles that report to each other: Loop<"), "not by its title");
}

#[test]
fn a_sentence_runs_from_left_to_right_whatever_the_name_in_it() {
    let mut audit = testing::hostile();
    let first = &mut audit.drift.changes[0];
    (first.kind, first.field) = (ChangeKind::RoleChanged, "role");
    (first.subject, first.before, first.after) = ("מרים כהן".into(), "7".into(), "Sales".into());
    let page = html(&audit);
    let said = "<bdi dir=\"ltr\"><bdi>מרים כהן</bdi> has another role: Sales (was 7)</bdi>";
    assert!(page.contains(said), "{}", page.split_once("id=\"since\"").unwrap().1);
}

/// A profile with the first `on` of `all` permissions, each in two modules.
fn profile(id: &str, on: usize, all: usize) -> Profile {
    let of = |place: usize| {
        let module = if place.is_multiple_of(2) { "Deals" } else { "Tasks" };
        Permission {
            name: format!("permission_{:03}_{module}", place / 2),
            module: Some(module.to_owned()),
            label: Some(format!("Permission {:03}", place / 2)),
            enabled: place < on,
        }
    };
    Profile {
        id: ProfileId::from(id),
        name: format!("Profile {id}"),
        custom: Some(true),
        description: None,
        modified: None,
        permissions: Permissions::Known((0..all).map(of).collect()),
    }
}

#[test]
fn the_map_marks_a_clone_of_administrator_and_says_each_mark_in_words() {
    let mut audit = testing::quiet();
    audit.directory.profiles = vec![profile("21", 8, 8), profile("22", 5, 8), profile("23", 8, 8)];
    let page = html(&audit);
    let map = page.split_once("class=\"map\"").unwrap().1.split_once("</table>").unwrap().0;
    let rows: Vec<&str> = map.split("<tr").skip(2).collect();
    assert!(rows[0].contains("Profile 21") && rows[0].contains("makes administrators"), "{}", rows[0]);
    assert!(rows[1].contains("Profile 23") && rows[1].contains("full power"));
    assert!(rows[2].contains("Profile 22") && !rows[2].contains("class=\"tag\""), "{}", rows[2]);
    for (mark, text) in [("#q4", "2 of 2"), ("#q2", "1 of 2"), ("#q0", "no")] {
        assert!(rows[2].contains(&format!("{mark}\"/></svg><span class=\"sr\">{text}")), "{text}: {}", rows[2]);
    }
    assert_eq!(rows[1].matches("#q4").count(), 4);
}

#[test]
fn the_map_is_bounded_and_says_what_it_leaves_out() {
    let mut audit = testing::quiet();
    audit.directory.profiles = (21..121).map(|id| profile(&id.to_string(), 600 - id, 600)).collect();
    let page = html(&audit);
    let map = page.split_once("id=\"profiles\"").unwrap().1.split_once("</table>").unwrap().0;
    assert_eq!((map.matches("<tr").count(), map.matches("class=\"v\"").count()), (25, 18));
    assert!(map.contains("leaves out the 76 profiles with the fewest permissions, which 0 users hold"), "{map}");
    assert!(map.contains("last column gathers 283 other permissions"));
}

#[test]
fn past_audits_are_lines_with_their_numbers_in_words_and_a_first_audit_has_none() {
    let mut audit = testing::quiet();
    assert!(!html(&audit).contains("Over the past audits"));
    let past = |hour, administrators| Past { finished_at: testing::at(hour, 0), administrators, open_findings: 40 };
    audit.past = vec![past(1, 3), past(2, 9), past(4, 2)];
    let page = html(&audit);
    assert!(page.contains("Administrators, 4 audits since 2 March 2026: 3 → 1; lowest 1, highest 9</title>"), "{page}");
    // By time, from the left edge to the right: after 0, 60, 180 and 421 of 421 minutes.
    assert!(page.contains("points=\"4.0,36.0 59.9,4.0 171.6,41.3 396.0,46.7\""), "{page}");
    assert!(page.contains("<td class=\"n\">9</td><td class=\"n\">40</td>"));
}

/// The section from its heading to its end, without markup: one line for each row and paragraph.
fn section_of_accounts(html: &str) -> Vec<String> {
    let Some((_, section)) = html.split_once("<h2 id=\"not-people\">") else { return Vec::new() };
    let section = section.split_once("</section>").unwrap().0;
    let lines = section
        .replace("</th><th scope=\"col\">", " | ")
        .replace("</td><td>", " | ")
        .replace("</th><td>", " | ")
        .replace("</p>", "\n");
    let text = |line: &str| {
        let (mut text, mut is_text) = (String::new(), true);
        for c in line.chars() {
            match c {
                '<' => is_text = false,
                '>' => is_text = true,
                c if is_text => text.push(c),
                _ => {}
            }
        }
        text.trim().to_owned()
    };
    lines.lines().map(text).filter(|line| !line.is_empty()).collect()
}

#[test]
fn accounts_that_are_not_people_stand_apart_with_owner_last_day_and_power() {
    let (role, profile) = (Some(("12", Some("Sales"))), Some(("22", Some("Standard"))));
    let user = |id, email| NewUser { id, email: Some(email), role, profile, ..testing::ANA };
    let mut audit = testing::audit(&[
        testing::ANA,
        user("5000000000002", "sync@example.com"),
        user("5000000000003", "sales@example.com"),
        NewUser { id: "5000000000004", email: Some("break-glass@example.com"), ..testing::ANA },
        user("5000000000005", "old@example.com"),
    ]);
    assert_eq!(section_of_accounts(&html(&audit)), [""; 0], "no section if none is declared");
    let account = |subject: &str, kind, until: &str| Account {
        subject: subject.to_owned(),
        kind,
        owner: "bo@example.com".to_owned(),
        reason: format!("Why {subject} exists, <b>briefly"),
        until: until.parse().unwrap(),
        workspace: None,
    };
    audit.policy.accounts = vec![
        account("sync@example.com", AccountKind::Service, "2027-01-31"),
        account("sales@example.com", AccountKind::Shared, "2027-02-28"),
        account("break-glass@example.com", AccountKind::BreakGlass, "2027-03-31"),
        account("old@example.com", AccountKind::Service, "2026-01-31"),
        account("nobody@example.com", AccountKind::Shared, "2027-01-31"),
    ];
    insta::assert_snapshot!(section_of_accounts(&html(&audit)).join("\n"));
}

#[test]
fn a_report_that_judges_again_names_the_audit_and_both_policies() {
    let mut audit = testing::quiet();
    audit.policy.name = "strict".to_owned();
    let earlier = uuid::Uuid::from_u128(7);
    let matrix = AccessMatrix::of(&audit);
    let again = crate::report::JudgedAgain { audit: earlier, policy: "<base>".to_owned() };
    let mut out = Vec::new();
    write(&ReportInput::new(&audit, &matrix).judged_again(again), &mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    let said = "Judged again from audit <span class=\"id\">00000000-0000-0000-0000-000000000007</span> under the policy \
                “<bdi>strict</bdi>”; the policy then was “<bdi>&#60;base&#62;</bdi>”.";
    assert!(page.contains(said), "{}", page.split("<main").next().unwrap());
    assert!(!html(&audit).contains("Judged again"));
}
