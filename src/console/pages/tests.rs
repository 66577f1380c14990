//! Each page as HTML, of accounts with hostile names.

use std::sync::Arc;

use askama::Template;

use super::*;
use crate::{
    access::matrix::AccessMatrix,
    console::{
        part::Part,
        style,
        testing::{HOSTILE, owner, review, reviewer, viewer, workspace},
        viewer::Right,
    },
    past::{Accounts, Course, Look, Moment, Read, answer::periods},
    review::{item::ItemId, testing::at},
};

/// A page, without the address of the stylesheet, which changes with every style.
fn html(page: &impl Template) -> String {
    let html = page.render().unwrap();
    assert_harmless(&html);
    html.replace(style::address(), "/console.css")
}

/// Whether nothing of a hostile name is markup, and nothing is inline that the policy of the console forbids.
fn assert_harmless(html: &str) {
    for harm in ["<script", " style=", " onclick", "javascript:", "\u{202e}", "alert(\"", "http://", "https://"] {
        assert!(!html.contains(harm), "{harm:?} is in:\n{html}");
    }
}

fn item_page(viewer: &Viewer, number: u32, entered: Option<&item::Entered>) -> item::Page {
    let review = review();
    let (item, course) = (review.item(ItemId(number)).unwrap(), review.course(ItemId(number)).unwrap());
    let now = workspace();
    let shown = facts::Facts::of(&review, item, course, Some(&now), Some(&now)).shown();
    item::page(Part { review: &review, viewer }, (item, course), shown, entered, String::new())
}

#[test]
fn one_account_with_everything_about_it() {
    insta::assert_snapshot!(html(&item_page(&reviewer("ben"), 4, None)));
}

#[test]
fn a_refused_decision_keeps_what_was_written() {
    let entered = item::Entered {
        decision: "change".to_owned(),
        target: "profile:profile-2".to_owned(),
        reason: "<b>\"why\"".to_owned(),
        problems: vec![format!("{HOSTILE} is refused")],
        ..item::Entered::default()
    };
    let html = html(&item_page(&reviewer("ben"), 6, Some(&entered)));
    assert!(html.contains("value=\"change\" checked"), "{html}");
    assert!(html.contains("value=\"profile:profile-2\" selected"), "{html}");
    assert!(html.contains("role=\"alert\"") && html.contains("&#60;b&#62;&#34;why&#34;"), "{html}");
}

#[test]
fn nobody_is_offered_to_decide_about_what_is_not_theirs() {
    for (viewer, number, said) in [
        (reviewer("ben"), 3, "This is your own account."),
        (reviewer("eva"), 4, "ben@example.com decides about this account."),
        (viewer("ben", &[Right::Auditor], None), 4, "An auditor changes nothing."),
    ] {
        let html = html(&item_page(&viewer, number, None));
        assert!(html.contains(said), "{html}");
        assert!(!html.contains("id=\"decide\" method"), "{html}");
    }
}

#[test]
fn the_digest_of_what_is_shown_changes_with_what_is_known_and_not_with_who_looks() {
    let (review, now) = (review(), workspace());
    let shown = |latest| {
        let (item, course) = (review.item(ItemId(1)).unwrap(), review.course(ItemId(1)).unwrap());
        facts::Facts::of(&review, item, course, Some(&now), latest).shown()
    };
    assert_eq!(shown(None).sha256, shown(None).sha256);
    assert_ne!(shown(None).sha256, shown(Some(&now)).sha256, "another profile since");
    assert!(shown(Some(&now)).html.contains("the profile is"), "{}", shown(Some(&now)).html);
}

fn table(viewer: &Viewer, asked: &review::Asked) -> String {
    let review = review();
    html(&review::page(Part { review: &review, viewer }, asked, review::Offered::default(), at(5_000)))
}

#[test]
fn a_review_as_its_owner_sees_it() {
    insta::assert_snapshot!(table(&owner(), &review::Asked::default()));
}

#[test]
fn a_reviewer_sees_the_own_accounts_and_nobody_elses() {
    let html = table(&reviewer("ben"), &review::Asked { whose: "all".to_owned(), ..review::Asked::default() });
    assert!(html.contains("eva@example.com") && !html.contains("items/3"), "{html}");
    assert!(!html.contains("Close the review"), "{html}");
}

#[test]
fn only_ordinary_unchanged_accounts_can_be_chosen_and_refusals_stand_in_their_rows() {
    let refused = [(ItemId(7), format!("{HOSTILE} changed"))].into();
    let asked = review::Asked { chosen: vec![ItemId(7)], refusals: refused, ..review::Asked::default() };
    let html = table(&reviewer("ben"), &asked);
    let boxes: Vec<&str> =
        html.split("name=\"keep\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(boxes, ["7.1"], "1, 2 and 5 are decided, 4 is privileged, 6 is new");
    let row = html.split("<tr id=\"i7\"").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(row.contains(" checked") && row.contains("role=\"alert\""), "{row}");
}

#[test]
fn the_list_of_reviews() {
    let rows = [review().summary()];
    let openable = vec![reviews::Openable { name: "quarterly".to_owned(), job: "weekly".to_owned() }];
    let page = reviews::page(&viewer("ana", &[Right::Owner], None), &rows, openable, &[HOSTILE.to_owned()], at(5_000));
    insta::assert_snapshot!(html(&page));
}

#[test]
fn the_users_of_a_workspace() {
    let question = crate::console::index::Question { text: "e".to_owned(), ..Default::default() };
    insta::assert_snapshot!(html(&workspace::matrix(&viewer("ana", &[Right::Viewer], None), &workspace(), &question)));
}

#[test]
fn one_person_with_history_and_decisions() {
    let (audit, review) = (workspace(), review());
    let before =
        crate::console::testing::indexed(&[("4", "Gus Roe", "gus@example.com", "active", "role-1", "profile-2")]);
    let mut history = crate::console::history::History::default();
    history.add(&before, &audit);
    let (item, course) = (review.item(ItemId(4)).unwrap(), review.course(ItemId(4)).unwrap());
    let account = audit.account("4").unwrap();
    let page =
        person::page(&viewer("ana", &[Right::Viewer], None), &audit, account, &history, &[(&review, item, course)]);
    insta::assert_snapshot!(html(&page));
}

/// What an audit saw of a few accounts, one of which has a hostile name.
fn look(day: i64, world: &crate::audit::testing::World) -> Look {
    let directory = world.directory();
    let accounts = Arc::new(Accounts::of(&AccessMatrix::new(&directory, &[], &[])));
    let read = Read { audit: uuid::Uuid::nil(), at: at(day * 86_400), bag: Some("2026-03-02T080100Z_acme".to_owned()) };
    Look { read, accounts }
}

#[test]
fn access_on_a_day_names_the_audit_and_the_bag() {
    let mut world = crate::audit::testing::quiet();
    world.people[0].name = Some(HOSTILE.to_owned());
    let (audit, viewer) = (workspace(), viewer("ana", &[Right::Viewer], None));
    let mut asked = past::Asked { on: "2026-03-02".to_owned(), until: String::new(), text: String::new(), page: 9 };
    let read = look(1, &world).read;
    let compared = past::Compared { before: read.clone(), after: read, changes: Vec::new() };
    let seen = past::Seen { look: Some(look(0, &world)), next: None, compared: Some(compared) };
    insta::assert_snapshot!(html(&past::day(&viewer, &audit, &asked, Ok(seen))));
    asked.text = "<nobody>".to_owned();
    let seen = past::Seen { look: Some(look(0, &world)), next: None, compared: None };
    let none = html(&past::day(&viewer, &audit, &asked, Ok(seen)));
    assert!(none.contains("No account is like that.") && none.contains("&#60;nobody&#62;"), "{none}");
    let seen = past::Seen { look: None, next: Some(look(4, &world).read), compared: None };
    let before = html(&past::day(&viewer, &audit, &asked, Ok(seen)));
    assert!(before.contains("Not read by then. The first kept audit is of "), "{before}");
}

#[test]
fn days_are_checked_and_the_second_is_not_before_the_first() {
    let asked = |on: &str, until: &str| past::Asked {
        on: on.to_owned(),
        until: until.to_owned(),
        text: String::new(),
        page: 1,
    };
    assert_eq!(asked("", "").moments(at(0)), Ok((Moment(at(0)), None)));
    assert!(asked("2026-03-02", "2026-03-02").moments(at(0)).is_ok());
    for (on, until) in [("yesterday", ""), ("", "<b>"), ("2026-03-02", "2026-03-01")] {
        assert!(asked(on, until).moments(at(0)).is_err(), "{on} {until}");
    }
}

#[test]
fn the_whole_history_of_an_account() {
    let mut world = crate::audit::testing::quiet();
    let id = world.people[0].id.clone();
    let mut course = Course::new(&id);
    course.push(&look(0, &world));
    world.people[0].name = Some(HOSTILE.to_owned());
    world.people[0].status = "inactive".to_owned();
    course.push(&look(1, &world));
    world.people.remove(0);
    course.push(&look(2, &world));
    let rows = periods("acme", &course);
    insta::assert_snapshot!(html(&past::account(&viewer("ana", &[Right::Viewer], None), &workspace(), &rows, 2)));
}

#[test]
fn the_role_tree() {
    insta::assert_snapshot!(html(&roles::page(&viewer("ana", &[Right::Viewer], None), &workspace())));
}

#[test]
fn the_profiles_and_one_beside_another() {
    let (audit, ana) = (workspace(), viewer("ana", &[Right::Viewer], None));
    insta::assert_snapshot!("profiles", html(&profiles::profiles(&ana, &audit)));
    let page = profiles::profile(&ana, &audit, audit.profile("profile-2").unwrap(), "profile-1");
    insta::assert_snapshot!("profile", html(&page));
}

#[test]
fn the_findings_with_the_lines_that_accept_them() {
    let page = findings::page(
        &viewer("ana", &[Right::Viewer], None),
        &workspace(),
        &findings::Asked::default(),
        crate::model::kind::Product::Bigin,
        at(100),
    );
    insta::assert_snapshot!(html(&page));
}

#[test]
fn the_overview_says_what_needs_the_person() {
    let review = std::sync::Arc::new(review());
    let summary = review.summary();
    let past = |day: i64, administrators| crate::model::change::Past {
        finished_at: at(day * 86_400),
        administrators,
        open_findings: 9 - administrators,
    };
    let said = crate::access::drift::Said {
        state: "Action needed".to_owned(),
        class: "act".to_owned(),
        verdict: format!("“{HOSTILE}” became Administrator since the previous audit."),
    };
    let known = overview::Known {
        own: &[(summary.clone(), std::sync::Arc::clone(&review))],
        under_way: &[summary],
        plans: &crate::console::site::Plans::default(),
        latest: &[(crate::console::testing::workspace().record, said)],
        incidents: &[],
        past: &[("weekly".to_owned(), HOSTILE.to_owned(), vec![past(-14, 3), past(-7, 5), past(0, 4)])],
        now: at(5_000),
    };
    insta::assert_snapshot!(html(&overview::page(&reviewer("ben"), &known)));
}

#[test]
fn runs_evidence_and_settings() {
    let ana = viewer("ana", &[Right::Auditor], None);
    let run = crate::model::run::Run {
        id: uuid::Uuid::from_u128(9),
        job: HOSTILE.to_owned(),
        workspace: "acme".to_owned(),
        fire_at: at(0),
        state: crate::model::run::RunState::Failed,
        attempt: 3,
        started_at: Some(at(1)),
        finished_at: Some(at(2)),
        not_before: None,
        error: Some(format!("refused: {HOSTILE}")),
    };
    let replica = crate::store::replicas::Announced {
        replica: crate::store::replicas::Replica {
            name: HOSTILE.to_owned(),
            process: uuid::Uuid::from_u128(1),
            version: "0.1.0".to_owned(),
            signing_key: None,
            configuration: "aa".to_owned(),
            ahead: chrono::TimeDelta::milliseconds(-300),
            holds: vec![uuid::Uuid::from_u128(9)],
        },
        since: at(0),
        seen: at(60),
        is_gone: true,
    };
    let late = crate::model::run::Run {
        attempt: 1,
        state: crate::model::run::RunState::Closed,
        error: None,
        started_at: Some(at(60 * 60 * 51)),
        ..run.clone()
    };
    let missed = crate::model::run::Gap {
        job: "weekly".to_owned(),
        first: at(-60 * 60 * 24 * 14),
        last: at(-60 * 60 * 24 * 7),
        count: 2,
        reason: "no daemon was able to run it in time".to_owned(),
    };
    let page = record::runs(&ana, &[run, late], &[missed], String::new(), &[replica]);
    insta::assert_snapshot!("runs", html(&page));
    let named = ["2026-11-23T070000Z_acme_7", "2026-12-01T091500Z_review-quarterly_8"].map(str::to_owned);
    let page = html(&record::bags(&ana, Some(&named), 1));
    assert!(page.contains("23 November 2026, 07:00 UTC") && page.contains("Review quarterly"), "{page}");
    let folders: Vec<String> = (1..=120).map(|number| format!("bag-{number:03}")).collect();
    let page = html(&record::bags(&ana, Some(&folders), 2));
    assert!(page.contains("bag-020") && !page.contains("bag-021") && page.contains("Page 2 of 2"), "{page}");
    insta::assert_snapshot!("bag", html(&record::bag(&ana, "bag-1", &[("data/report.json".to_owned(), 12_345)], None)));
    insta::assert_snapshot!("settings", html(&record::settings(&ana, "name = \"<b>\"\n")));
}
