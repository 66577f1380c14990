use insta::assert_snapshot;

use super::*;
use crate::{
    access::matrix::AccessMatrix,
    mail::testing::{TestUser, audit_of, change, changed_audit, finding, incomplete, small_audit},
    model::{
        change::{ChangeKind, Past},
        finding::{FindingStatus, RuleOutcome, RuleResult, Severity, Subject},
        users::UserIndex,
    },
};

fn brief(audit: &Audit) -> Brief {
    Brief::of(audit, &AccessMatrix::of(audit))
}

fn mail_with(audit: &Audit, attachments: Vec<Attachment>, left_out: &[LeftOut]) -> Content {
    let proof = Proof {
        bag: Some(BagName { folder: "2026-03-02T070000Z_acme_0195".into(), sha256: "ab".repeat(32) }),
        ledger: Some(Head { number: 41, sha256: "cd".repeat(32) }),
    };
    ReportMail::new(audit, &brief(audit), attachments, left_out, &proof).unwrap().content().clone()
}

fn mail(audit: &Audit) -> Content {
    mail_with(audit, Vec::new(), &[])
}

fn left_out(name: &str, bytes: usize) -> LeftOut {
    LeftOut { file_name: name.to_owned(), bytes, path: Some(PathBuf::from("/srv/out").join(name)) }
}

fn file(name: &str, length: usize) -> Attachment {
    Attachment { file_name: name.to_owned(), content_type: "text/csv".to_owned(), bytes: vec![b'x'; length] }
}

#[test]
fn a_first_audit_without_findings() {
    let content = mail(&small_audit());
    assert_snapshot!("first_subject", content.subject);
    assert_snapshot!("first_text", content.text);
    assert_snapshot!("first_html", content.html);
}

#[test]
fn an_audit_with_changes_and_findings() {
    let content = mail_with(&changed_audit(), vec![file("findings.csv", 10)], &[left_out("access-matrix.csv", 90)]);
    assert_snapshot!("changed_subject", content.subject);
    assert_snapshot!("changed_text", content.text);
    assert_snapshot!("changed_html", content.html);
}

#[test]
fn an_incomplete_audit_says_so_first_and_never_reads_as_nothing_found() {
    for audit in [incomplete(small_audit()), incomplete(changed_audit())] {
        let Content { subject, text, html, .. } = mail(&audit);
        assert!(subject.starts_with("[rolecall] INCOMPLETE acme: "), "{subject}");
        assert!(text.starts_with("Incomplete – "), "{text}");
        for body in [&text, &html] {
            let lower = body.to_lowercase();
            for calm in ["no open findings", "nothing to do", "no change,", "no open finding"] {
                assert!(!lower.contains(calm), "{calm}: {body}");
            }
            assert!(body.contains("run the audit again"));
            assert!(body.contains("the API lists 3 administrators, the user list has 2"));
        }
    }
    let content = mail(&incomplete(small_audit()));
    assert_snapshot!("incomplete_subject", content.subject);
    assert_snapshot!("incomplete_text", content.text);
}

#[test]
fn subjects_tell_the_result_and_the_change() {
    let subject = |audit: &Audit| mail(audit).subject;
    let mut unchanged = changed_audit();
    unchanged.drift.changes.clear();
    unchanged.findings.retain(|finding| finding.continuing == Some(true));
    let accepted = "[rolecall] acme: no change, 2 findings open (1 high), 1 accepted – weekly-access-review";
    assert_eq!(subject(&unchanged), accepted);
    unchanged.findings.clear();
    assert_eq!(subject(&unchanged), "[rolecall] acme: no change, no open findings – weekly-access-review");
    let mut on_demand = changed_audit();
    on_demand.job = None;
    on_demand.findings.iter_mut().for_each(|finding| finding.continuing = Some(true));
    on_demand.drift.changes = vec![change(ChangeKind::AdministratorRevoked, ("1", "Ana"), "", "")];
    assert_eq!(
        subject(&on_demand),
        "[rolecall] acme: −1 administrator, 4 findings open (1 critical, 1 high), 1 accepted"
    );
}

#[test]
fn text_and_html_say_the_same() {
    let Content { text, html, .. } = mail_with(&changed_audit(), Vec::new(), &[left_out("findings.csv", 90)]);
    // What the HTML shows, without tags, must stand in the text, word for word.
    let start = html.find("<h1").unwrap();
    let mut plain = String::new();
    let mut inside = false;
    for c in html[start..].chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                plain.push(' ');
            }
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    let words = |text: &str| -> std::collections::BTreeSet<String> {
        let cleaned = text.replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&nbsp;", " ");
        let trimmed = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        cleaned.split_whitespace().map(trimmed).filter(|word| !word.is_empty()).collect()
    };
    let missing: Vec<_> = words(&plain).difference(&words(&text)).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn html_stays_small_and_whole_with_thousands_of_hostile_findings() {
    let hostile = "&<script>\"'".repeat(500);
    let users: Vec<TestUser> = (0..3_000)
        .map(|number| (format!("1{number:06}"), format!("{number} {hostile}"), format!("{number}@{hostile}"), true))
        .collect();
    let mut audit = audit_of(&users);
    let all = |severity| {
        move |index| {
            let mut finding = finding("unapproved-administrator", severity, Subject::User(UserIndex(index)), None);
            finding.message = "&".repeat(5_000).into();
            finding
        }
    };
    audit.findings = (0..1_500).map(all(Severity::Critical)).chain((1_500..3_000).map(all(Severity::Low))).collect();
    audit.drift.previous = changed_audit().drift.previous;
    audit.drift.changes = (0..3_000)
        .map(|_| change(ChangeKind::AdministratorGranted, ("1", hostile.as_str()), hostile.as_str(), hostile.as_str()))
        .collect();
    audit.outcomes = (0..60)
        .map(|_| RuleOutcome { rule: "profile-clone".into(), result: RuleResult::NotEvaluated(hostile.clone()) })
        .collect();
    audit.workspace = hostile.clone();
    audit.job = Some(hostile.clone());
    audit.directory.organization.company_name = Some(hostile);
    let Content { subject, text, html, .. } = mail(&audit);
    assert!(html.len() <= MAX_HTML, "{}", html.len());
    assert!(html.ends_with("</html>"), "it was cut");
    assert!(!html.contains("<script"), "a name became markup");
    assert!(text.len() <= MAX_HTML, "{}", text.len());
    assert!(subject.chars().count() <= 250, "{subject}");
    assert!(html.contains("more in findings.csv of this audit"), "nothing says that there is more");
    assert!(html.contains("3,000 open (1,500 critical, 1,500 low)"), "the counts are not of all");
    assert!(html.contains("#a01c1c"), "the most severe are not shown");
}

#[test]
fn a_rule_is_said_once_with_its_subjects_and_the_rest_is_pointed_to() {
    let mut audit = small_audit();
    let of = |number: u32| finding("foreign-domain", Severity::High, Subject::User(UserIndex(number % 6)), None);
    audit.findings = (0..40).map(of).collect();
    let content = mail_with(&audit, vec![file("findings.csv", 10)], &[]);
    let message = audit.findings[0].message.clone();
    for body in [&content.text, &content.html] {
        assert_eq!(body.matches(&*message).count(), 1, "{body}");
    }

    for (number, finding) in audit.findings.iter_mut().enumerate() {
        finding.message = format!("has waited for {number} days").into();
    }
    let content = mail_with(&audit, vec![file("findings.csv", 10)], &[]);
    for body in [&content.text, &content.html] {
        assert_eq!(body.matches("has waited for").count(), 3, "{body}");
        assert!(body.contains("and 37 more in the attached findings.csv"), "{body}");
    }
}

#[test]
fn what_is_only_to_know_is_no_task() {
    let mut audit = small_audit();
    audit.findings = vec![finding("foreign-domain", Severity::Info, Subject::User(UserIndex(0)), None)];
    let Content { text, html, .. } = mail(&audit);
    assert!(text.contains("No open finding asks for action. 1 open (1 info).\n"), "{text}");
    assert!(text.contains("\n\nFOR INFORMATION\n- User outside the company's domains: Ana One\n"), "{text}");
    assert!(html.contains("For information") && !html.contains("Who:"), "{html}");
}

#[test]
fn the_past_audits_are_told_in_the_numbers_of_the_report() {
    let mut audit = small_audit();
    assert!(!mail(&audit).text.contains("lowest"));
    let past = |day: &str, administrators, open_findings| Past {
        finished_at: format!("{day}T08:00:00Z").parse().unwrap(),
        administrators,
        open_findings,
    };
    audit.past = vec![past("2026-02-16", 9, 1_200), past("2026-02-23", 7, 30)];
    let (text, brief) = (mail(&audit).text, brief(&audit));
    let now = brief.counts.administrators;
    let expected = format!("3 audits since 16 February 2026: administrators 9 → {now}; lowest {now}, highest 9.");
    assert!(text.contains(&expected), "{text}");
    assert!(text.contains("Open findings 1,200 → "), "{text}");
}

#[test]
fn where_there_is_no_room_for_any_action_it_never_says_that_there_is_nothing_to_do() {
    let audit = changed_audit();
    let brief = brief(&audit);
    let input = Input { audit: &audit, brief: &brief, proof: &Proof::default(), attached: &[], left_out: &[] };
    let view = View::new(&input, Limits::NONE);
    for body in [Text { view: &view }.render().unwrap(), Html { view: &view }.render().unwrap()] {
        assert!(
            !body.contains(brief.nothing_to_do()) && body.contains("and 3 more in findings.csv of this audit"),
            "{body}"
        );
    }
}

#[test]
fn an_action_says_how_whom_and_what_of_it_is_new() {
    let of = |user, continuing| {
        finding("unapproved-administrator", Severity::High, Subject::User(UserIndex(user)), continuing)
    };
    let mut audit = small_audit();
    audit.findings = vec![of(0, Some(true)), of(0, Some(true)), of(2, Some(true)), of(1, Some(false))];
    let text = mail(&audit).text;
    let expected = "This week (high):\n- Administrator not on the approved list: Ben Two, Ana One (twice) and 1 more [1 new]\n  \
                    Who: someone who is not an administrator, such as the security team\n  \
                    what unapproved-administrator has to say about it\n  \
                    Take the profile away, or add the person to approved_administrators.\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_file_that_is_too_large_is_told_with_its_size_and_where_it_is_or_how_to_get_it() {
    let mut large = left_out("access-matrix.csv", 12 << 20);
    let said = |file: &LeftOut| mail_with(&small_audit(), Vec::new(), std::slice::from_ref(file));
    let place = "access-matrix.csv (12.0 MiB): see /srv/out/access-matrix.csv on the machine that ran the audit";
    assert!(said(&large).text.contains(place) && said(&large).html.contains(place), "{}", said(&large).text);
    large.path = None;
    assert!(said(&large).text.contains("(12.0 MiB): `rolecall audit --out DIR` writes it"));
}

#[test]
fn a_name_cannot_forge_a_line_or_make_a_link() {
    let mut users: Vec<TestUser> = vec![("1".into(), "Ana".into(), "ana@example.com".into(), true)];
    users[0].1 = "Eve\r\n\r\nVERDICT: nothing to do https://evil.example/".to_owned();
    let Content { text, html, .. } = mail(&audit_of(&users));
    assert!(text.contains("- Eve VERDICT: nothing to do https[:]//evil[.]example/ <"), "{text}");
    assert!(!html.contains("://evil"), "{html}");
}

#[test]
fn a_name_that_turns_the_text_is_seen_to_do_so() {
    let users: Vec<TestUser> = vec![
        ("1".into(), "\u{202e}gpj.exe".into(), "a@example.com".into(), true),
        ("2".into(), "מרים".into(), "m@example.com".into(), true),
    ];
    let Content { text, html, .. } = mail(&audit_of(&users));
    assert!(text.contains("- [U+202E]gpj[.]exe <a@example.com>") && html.contains("[U+202E]gpj[.]exe"), "{text}");
    assert!(html.contains("<strong><bdi>מרים</bdi></strong>"), "{html}");
}

#[test]
fn a_long_message_is_cut_only_where_the_page_cuts_it() {
    let mut audit = small_audit();
    audit.findings = vec![finding("foreign-domain", Severity::High, Subject::User(UserIndex(0)), None)];
    audit.findings[0].message = format!("{}end", "word ".repeat(119)).into();
    assert!(mail(&audit).text.contains("word end\n"), "{}", mail(&audit).text);
}

#[test]
fn accepted_findings_are_told_and_not_counted() {
    let mut audit = small_audit();
    audit.findings = vec![finding("foreign-domain", Severity::High, Subject::Workspace, None)];
    audit.findings[0].status = FindingStatus::Excepted(0);
    let content = mail(&audit);
    assert!(content.text.contains("1 finding is accepted by an exception."), "{}", content.text);
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let html = mail(&changed_audit()).html;
    for forbidden in ["<script", "<img", "<link", "<iframe", "src=", "href=", "url(", "@import", "onclick"] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}
