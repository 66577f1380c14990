//! The pages of the web console with the real binary: who sees what, who may decide what, and what is refused.

use std::process::Command;

use reqwest::StatusCode;
use rolecall_simulator::Fault;
use serde_json::Value;

use crate::{
    console::Desk,
    daemon::eventually,
    review::{CONFIGURATION, facts, items, keep_the_rest, opened, review_bag, text},
    support::{Bench, options},
    tools::{run_script, tool},
};

const CONSOLE: &str = r#"
[console]
listen = "127.0.0.1:0"

[console.rights]
owners = ["olga@example.com"]
auditors = ["auditor@example.com", "gus@example.com"]
viewers = ["viewer@example.com"]
"#;

/// A console with a review of 14 accounts that is just opened.
fn desk() -> (Desk, String) {
    let (bench, id) = opened(14);
    (Desk::with(bench, &format!("{CONFIGURATION}{CONSOLE}")), id)
}

/// The items of a reviewer.
fn items_of(bench: &Bench, id: &str, reviewer: &str) -> Vec<Value> {
    items(bench, id).into_iter().filter(|item| text(item, "reviewer") == reviewer).collect()
}

/// The page of an item, and the hidden values of its form.
async fn form(desk: &Desk, cookie: &str, id: &str, item: &str) -> String {
    let page = desk.get(&format!("/reviews/{id}/items/{item}"), cookie).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    let value = |name: &str| {
        let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
        rest.unwrap_or_else(|| panic!("no {name} in {page}")).split('"').next().unwrap().to_owned()
    };
    format!("version={}&page={}", value("version"), value("page"))
}

/// What the ledger's file says of an event of the review, once it has at least so many of them: the daemon writes it every
/// second.
fn told(bench: &Bench, event: &str, least: usize) -> Vec<Value> {
    let told = || facts(bench, "review").into_iter().filter(|entry| entry["event"] == event).collect::<Vec<_>>();
    eventually("what happened in the ledger", || told().len() >= least);
    told()
}

/// Sends a decision; gives the status, and the page or the address that follows.
async fn decide(desk: &Desk, cookie: &str, id: &str, item: &str, form: &str) -> (StatusCode, String) {
    send(desk, cookie, &format!("/reviews/{id}/items/{item}"), form).await
}

async fn send(desk: &Desk, cookie: &str, path: &str, form: &str) -> (StatusCode, String) {
    let response = desk.post(path, cookie, form).send().await.unwrap();
    let status = response.status();
    let location = response.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
    let text = match location {
        Some(location) => location,
        None => response.text().await.unwrap(),
    };
    (status, text)
}

#[tokio::test]
async fn the_overview_says_what_the_report_of_the_last_audit_says() {
    let (desk, _) = desk();
    let bags = std::fs::read_dir(desk.bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let report = bags.map(|bag| bag.join("data/reports/report.json")).find(|report| report.exists()).unwrap();
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let verdict = report["summary"]["verdict"].as_str().unwrap();
    let overview = async |name: &str| {
        let cookie = desk.sign_in(&format!("{name}@example.com")).await;
        desk.get("/", &cookie).send().await.unwrap().text().await.unwrap()
    };
    let page = overview("viewer").await;
    let said = format!("<p class=\"verdict\">{}</p>", verdict.replace('\'', "&#39;"));
    assert!(page.contains(&said) && page.contains("<article class=\"answer act\">"), "{verdict}\n{page}");
    assert!(!overview("ben").await.contains("<article"));
}

#[tokio::test]
async fn the_overview_says_that_the_last_audit_is_incomplete() {
    let often = "\n[jobs.often]\nworkspaces = [\"acme\"]\nschedule = \"* * * * * *\"\n";
    let desk = Desk::with(Bench::new(options(450)), &format!("{often}{CONSOLE}"));
    let audits = || desk.daemon.said().matches("recorded the audit").count();
    eventually("an audit", || audits() > 0);
    let cookie = desk.sign_in("viewer@example.com").await;
    // The server ends a connection that waits for as long as the audits take.
    let request = || desk.get("/", &cookie).header("connection", "close");
    let overview = async || request().send().await.unwrap().text().await.unwrap();
    assert!(overview().await.contains("<article class=\"answer act\">"));
    desk.bench.simulator.set_faults([Fault::ShortPageAlways]);
    let before = audits();
    // The first of them may have begun before.
    eventually("an incomplete audit", || audits() > before + 1);
    let page = overview().await;
    assert!(page.contains("<article class=\"answer incomplete\">") && page.contains("could not be read"), "{page}");
}

#[tokio::test]
async fn every_page_is_open_to_those_who_have_the_right_and_to_nobody_else() {
    let (desk, id) = desk();
    let ben = items_of(&desk.bench, &id, "ben@example.com");
    let others = items_of(&desk.bench, &id, "sec@example.com");
    let (own, other) = (text(&ben[0], "item"), text(&others[0], "item"));
    let user = text(&ben[0], "user_id");
    let bag = std::fs::read_dir(desk.bench.path("bags")).unwrap().map(|entry| entry.unwrap());
    let bag = bag.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap());
    let bag = bag.into_iter().find(|name| name.starts_with("20")).unwrap();
    let mut cookies = Vec::new();
    // A viewer, an auditor, one with the right of an owner, a reviewer, and the owner of the review.
    for name in ["viewer", "auditor", "olga", "ben", "ana"] {
        cookies.push(desk.sign_in(&format!("{name}@example.com")).await);
    }
    let (yes, no, none) = (200, 403, 404);
    let table = [
        ("/".to_owned(), [yes; 5]),
        ("/reviews".to_owned(), [yes; 5]),
        (format!("/reviews/{id}"), [yes; 5]),
        (format!("/reviews/{id}/items/{own}"), [yes; 5]),
        (format!("/reviews/{id}/items/{other}"), [yes, yes, yes, none, yes]),
        (format!("/reviews/{id}/items/9999"), [none; 5]),
        ("/reviews/00000000-0000-0000-0000-000000000000".to_owned(), [none; 5]),
        ("/workspaces".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/acme".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/acme?q=a&sort=power&down=yes&page=7&flagged=yes".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/nowhere".to_owned(), [none, none, none, no, none]),
        (format!("/workspaces/acme/users/{user}"), [yes, yes, yes, no, yes]),
        ("/workspaces/acme/users/0".to_owned(), [none, none, none, no, none]),
        (format!("/workspaces/acme/users/{user}/history"), [yes, yes, yes, no, yes]),
        ("/workspaces/acme/users/0/history".to_owned(), [none, none, none, no, none]),
        ("/workspaces/acme/past?on=2999-01-01&until=2999-01-02".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/acme/past?on=2020-01-01".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/acme/past?on=yesterday".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/nowhere/past".to_owned(), [none, none, none, no, none]),
        ("/workspaces/acme/roles".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/acme/profiles".to_owned(), [yes, yes, yes, no, yes]),
        ("/workspaces/acme/findings?show=all".to_owned(), [yes, yes, yes, no, yes]),
        ("/runs".to_owned(), [yes, yes, yes, no, yes]),
        ("/evidence".to_owned(), [no, yes, yes, no, no]),
        (format!("/evidence/{bag}"), [no, yes, yes, no, no]),
        (format!("/evidence/{bag}/bag.zip"), [no, yes, yes, no, no]),
        ("/evidence/..%2Frolecall.toml".to_owned(), [no, none, none, no, no]),
        ("/settings".to_owned(), [no, yes, yes, no, no]),
        ("/nothing".to_owned(), [none; 5]),
    ];
    for (path, expected) in table {
        let mut found = [0; 5];
        for (status, cookie) in found.iter_mut().zip(&cookies) {
            *status = desk.get(&path, cookie).send().await.unwrap().status().as_u16();
        }
        assert_eq!(found, expected, "{path}");
        let stranger = desk.get(&path, "").send().await.unwrap().status().as_u16();
        assert!(stranger == 303 || (stranger == 404 && path == "/nothing"), "{path}: {stranger}");
    }
    let (changed, refused) = (303, 409);
    let posts = [
        (format!("/reviews/{id}/items/{own}"), "decision=keep", [no, no, no, refused, refused]),
        (format!("/reviews/{id}/items/{other}"), "decision=keep", [no, no, no, none, refused]),
        // Then it is not ben's any more, and eva already decides about it.
        (
            format!("/reviews/{id}/items/{own}/assign"),
            "to=eva@example.com&reason=away",
            [no, no, changed, none, refused],
        ),
        (format!("/reviews/{id}/keep"), "", [no, no, no, refused, refused]),
        (format!("/reviews/{id}/attest"), "", [no, no, no, refused, refused]),
        (format!("/reviews/{id}/close"), "next=2099-01-01", [no, no, refused, no, refused]),
        ("/reviews".to_owned(), "name=quarterly", [no, no, refused, no, no]),
    ];
    for (path, form, expected) in posts {
        let mut found = [0; 5];
        for (status, cookie) in found.iter_mut().zip(&cookies) {
            *status = send(&desk, cookie, &path, form).await.0.as_u16();
        }
        assert_eq!(found, expected, "{path}");
    }
}

#[tokio::test]
async fn a_reviewer_decides_once_however_often_they_click_and_nothing_forged_counts() {
    let (desk, id) = desk();
    let ben = desk.sign_in("ben@example.com").await;
    let own = items_of(&desk.bench, &id, "ben@example.com");
    let item = text(&own[0], "item");
    let hidden = form(&desk, &ben, &id, item).await;
    let keep = format!("{hidden}&decision=keep&reason=needed+for+the+work&then=next");
    let (status, next) = decide(&desk, &ben, &id, item, &keep).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{next}");
    assert!(next.starts_with(&format!("/reviews/{id}/items/")) && next.ends_with(&format!("?saved={item}")), "{next}");
    assert_eq!(decide(&desk, &ben, &id, item, &keep).await, (StatusCode::SEE_OTHER, next), "a second click");
    let first = &told(&desk.bench, "decided", 1)[0];
    assert_eq!(first["via"], "console-link");
    assert_eq!(first["items"][0]["page"], *hidden.rsplit('=').next().unwrap(), "the digest of what was shown");

    // Another decision from the page of before.
    let (status, page) = decide(&desk, &ben, &id, item, &format!("{hidden}&decision=remove&reason=left")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("was decided or assigned while you looked at it"), "{page}");
    assert!(page.contains("ben@example.com decided: keep") && page.contains("value=\"left\""), "{page}");
    // Pages that were never shown, decisions that do not exist, and missing reasons.
    let item = text(&own[1], "item");
    let hidden = form(&desk, &ben, &id, item).await;
    let version = hidden.split('&').next().unwrap();
    for (form, said) in [
        (format!("{version}&page=0&decision=keep"), "has changed while you looked at it"),
        (format!("{hidden}&decision=approve"), "Choose whether the account stays"),
        (hidden.clone(), "Choose whether the account stays"),
        (format!("{hidden}&decision=change&reason=x"), "Choose the role or profile"),
        (format!("{hidden}&decision=change&target=role:0&reason=x"), "Choose the role or profile"),
        (format!("{hidden}&decision=remove&reason=+"), "reason is required"),
    ] {
        let (status, page) = decide(&desk, &ben, &id, item, &form).await;
        assert!(status == StatusCode::CONFLICT && page.contains(said), "{form}: {status} {page}");
    }
    // Nobody decides about their own account, not even the owner, who may decide about any other.
    let ana = desk.sign_in("ana@example.com").await;
    let mine = items(&desk.bench, &id).into_iter().find(|item| item["email"] == "ben@example.com").unwrap();
    let mine = text(&mine, "item").to_owned();
    let (status, _) = decide(&desk, &ben, &id, &mine, "version=1&decision=keep&reason=x").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "ben does not even see the own account");
    let hidden = form(&desk, &ana, &id, item).await;
    let (status, next) =
        decide(&desk, &ana, &id, item, &format!("{hidden}&decision=keep&reason=I+know+them&then=stay")).await;
    assert_eq!((status, next.as_str()), (StatusCode::SEE_OTHER, &*format!("/reviews/{id}/items/{item}?saved={item}")));
    let saved = desk.get(&next, &ana).send().await.unwrap().text().await.unwrap();
    assert!(saved.contains("role=\"status\">Saved: "), "{saved}");
    assert_eq!(told(&desk.bench, "decided", 2).len(), 2);
}

#[tokio::test]
async fn two_reviewers_at_once_and_what_each_sees_of_the_other() {
    let (desk, id) = desk();
    let (ben, ana) = (desk.sign_in("ben@example.com").await, desk.sign_in("ana@example.com").await);
    let own = items_of(&desk.bench, &id, "ben@example.com");
    let item = text(&own[0], "item");
    let forms = [form(&desk, &ben, &id, item).await, form(&desk, &ana, &id, item).await];
    let [ben_says, ana_says] = forms.map(|hidden| format!("{hidden}&decision=keep&reason=mine"));
    let (first, second) =
        tokio::join!(decide(&desk, &ben, &id, item, &ben_says), decide(&desk, &ana, &id, item, &ana_says));
    let mut statuses = [first.0.as_u16(), second.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409], "exactly one of them");
    // The account goes to another reviewer while ben looks at it.
    let item = text(&own[1], "item");
    let hidden = form(&desk, &ben, &id, item).await;
    let (status, _) =
        send(&desk, &ana, &format!("/reviews/{id}/items/{item}/assign"), "to=eva@example.com&reason=knows+them").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, _) = decide(&desk, &ben, &id, item, &format!("{hidden}&decision=keep&reason=x")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "it is not ben's any more");
    let assigned = &told(&desk.bench, "assigned", 1)[0];
    assert_eq!(
        (&assigned["by"], &assigned["reason"]),
        (&Value::from("person ana@example.com"), &Value::from("knows them"))
    );
}

#[tokio::test]
async fn a_review_is_closed_and_the_next_one_is_opened_and_kept_in_a_batch() {
    let (desk, id) = desk();
    keep_the_rest(&desk.bench, &id);
    let (ana, olga) = (desk.sign_in("ana@example.com").await, desk.sign_in("olga@example.com").await);
    let close = format!("/reviews/{id}/close");
    let (status, page) = send(&desk, &ana, &close, "next=2099-01-01").await;
    assert!(status == StatusCode::CONFLICT && page.contains("has not attested"), "{page}");
    let (status, page) = send(&desk, &ana, &close, "next=2001-01-01&confirmed=yes").await;
    assert!(status == StatusCode::CONFLICT && page.contains("is not after today"), "{page}");
    let (status, next) = send(&desk, &ana, &close, "next=2099-01-01&confirmed=yes").await;
    assert_eq!((status, next.as_str()), (StatusCode::SEE_OTHER, &*format!("/reviews/{id}?done=closed")));
    assert_eq!(
        send(&desk, &ana, &close, "next=2099-01-01&confirmed=yes").await.0,
        StatusCode::SEE_OTHER,
        "a second click"
    );
    let bag = review_bag(&desk.bench);
    let bag = bag.file_name().unwrap().to_str().unwrap();
    let page = desk.get(&format!("/evidence/{bag}?verify=yes"), &olga).send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("As it was sealed") && page.contains("by the same digest") && page.contains("Signed by"),
        "{page}"
    );
    let zip = desk.get(&format!("/evidence/{bag}/bag.zip"), &olga).send().await.unwrap();
    assert_eq!(zip.headers()["content-type"], "application/zip");
    let path = desk.bench.path("bag.zip");
    std::fs::write(&path, zip.bytes().await.unwrap()).unwrap();
    let unzip = ["-m", "zipfile", "-e", "bag.zip", "unpacked"];
    let unpacked = Command::new("python3").args(unzip).current_dir(desk.bench.folder.path()).status().unwrap();
    assert!(unpacked.success());
    let verified = Command::new(tool("bagit.py"))
        .args(["--validate", "--quiet"])
        .arg(desk.bench.path("unpacked").join(bag))
        .status()
        .unwrap();
    assert!(verified.success(), "bagit.py does not accept the downloaded bag");

    let (status, next) = send(&desk, &olga, "/reviews", "name=quarterly").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{next}");
    let id = next.strip_prefix("/reviews/").unwrap();
    let ben = desk.sign_in("ben@example.com").await;
    let page = desk.get(&next, &ben).send().await.unwrap().text().await.unwrap();
    let boxes: Vec<&str> =
        page.split("name=\"keep\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(boxes.len() >= 2, "nothing can be kept together: {page}");
    let special = items_of(&desk.bench, id, "ben@example.com");
    let special = special.iter().find(|item| !item["findings"].as_array().unwrap().is_empty()).unwrap();
    let (first, flagged) = (boxes[0], format!("{}.1", text(special, "item")));
    let keep = format!("/reviews/{id}/keep");
    let (status, page) = send(&desk, &ben, &keep, &format!("keep={first}&keep={flagged}")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("It cannot be decided together with others, because it has open findings"), "{page}");
    let (status, next) = send(&desk, &ben, &keep, &format!("keep={}&keep={}", boxes[0], boxes[1])).await;
    assert_eq!((status, next.as_str()), (StatusCode::SEE_OTHER, &*format!("/reviews/{id}?kept=2")));
    assert_eq!(
        send(&desk, &ben, &keep, &format!("keep={}&keep={}", boxes[0], boxes[1])).await.1,
        next,
        "a second click"
    );
    let by_page = |entry: &&Value| entry["event"] == "decided" && entry["via"] == "console-link";
    eventually("that the ledger has the batch", || facts(&desk.bench, "review").iter().any(|entry| by_page(&entry)));
    let batches = facts(&desk.bench, "review");
    let sizes = batches.iter().filter(by_page).map(|entry| entry["items"].as_array().unwrap().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn the_settings_have_no_secret() {
    let (desk, _) = desk();
    let auditor = desk.sign_in("auditor@example.com").await;
    let page = desk.get("/settings", &auditor).send().await.unwrap().text().await.unwrap();
    let credentials = desk.bench.simulator.credentials();
    assert!(page.contains("[workspaces.acme]"), "{page}");
    assert!(!page.contains(&credentials.client_secret) && !page.contains(&credentials.refresh_token), "{page}");
}

#[tokio::test]
async fn every_page_reads_well_on_a_phone_and_a_desk_in_light_and_dark() {
    let (desk, id) = desk();
    // Somebody decided something, and a program proposed something.
    let own = items_of(&desk.bench, &id, "ben@example.com");
    let item = text(&own[0], "item");
    let (code, _, said) = desk.bench.run(&[
        "review",
        "decide",
        &id,
        item,
        "remove",
        "--as",
        "ben@example.com",
        "--reason",
        "left in May",
    ]);
    assert_eq!(code, 0, "{said}");
    let user = text(&own[1], "user_id");
    let pictures = std::env::var("ROLECALL_PICTURES").unwrap_or_else(|_| "-".to_owned());
    let profile = "/workspaces/acme/profiles".to_owned();
    let page = desk.sign_in("viewer@example.com").await;
    let page = desk.get(&profile, &page).send().await.unwrap().text().await.unwrap();
    let one = page.split("href=\"/workspaces/acme/profiles/").nth(1).unwrap().split('"').next().unwrap();
    let of_owner = [
        "/".to_owned(),
        "/reviews".to_owned(),
        format!("/reviews/{id}?whose=all"),
        format!("/reviews/{id}/items/{}", text(&own[1], "item")),
        "/workspaces".to_owned(),
        "/workspaces/acme".to_owned(),
        format!("/workspaces/acme/users/{user}"),
        format!("/workspaces/acme/users/{user}/history"),
        "/workspaces/acme/past?on=2999-01-01&until=2999-01-02".to_owned(),
        "/workspaces/acme/past?on=yesterday".to_owned(),
        "/workspaces/acme/roles".to_owned(),
        profile,
        format!("/workspaces/acme/profiles/{one}?with={one}"),
        "/workspaces/acme/findings".to_owned(),
        "/runs".to_owned(),
    ];
    let of_reviewer = [format!("/reviews/{id}"), format!("/reviews/{id}/items/{}", text(&own[1], "item"))];
    let of_auditor = ["/evidence".to_owned(), "/settings".to_owned()];
    for (who, paths) in [("ana", &of_owner[..]), ("ben", &of_reviewer[..]), ("auditor", &of_auditor[..])] {
        let link = format!("{}/link/{}", desk.url, desk.link(&format!("{who}@example.com")));
        let folder = if pictures == "-" { pictures.clone() } else { format!("{pictures}/{who}") };
        let mut arguments = vec!["look".to_owned(), folder, link];
        arguments.extend(paths.iter().cloned());
        let found: Value = serde_json::from_slice(&run_script("console.py", &arguments)).unwrap();
        assert_eq!(found["problems"], serde_json::json!([]), "{who}: {found:#}");
    }
}

#[tokio::test]
async fn a_review_is_carried_through_with_the_keyboard_alone() {
    let (desk, id) = desk();
    let link = format!("{}/link/{}", desk.url, desk.link("ben@example.com"));
    let found: Value = serde_json::from_slice(&run_script("console.py", &["decide", &link, &id])).unwrap();
    assert_eq!(found["problems"], serde_json::json!([]), "{found:#}");
    let own = items_of(&desk.bench, &id, "ben@example.com");
    // They come by risk: each once, as it was decided.
    let decided = found["decided"].as_array().unwrap();
    let item = |number: usize| own.iter().find(|item| item["item"] == decided[number][0]).unwrap();
    assert!((0..decided.len()).all(|number| item(number)["decision"] == decided[number][1]), "{found:#}");
    let all: std::collections::BTreeSet<_> = decided.iter().map(|one| one[0].as_str().unwrap()).collect();
    assert_eq!((decided.len(), all.len()), (own.len(), own.len()));
    assert_eq!(item(0)["decision"], "remove");
    assert_eq!((&item(1)["decision"], item(1)["change_to"].is_string()), (&Value::from("change"), true));
    assert!(own.iter().all(|item| text(item, "via") == "console-link"), "{own:#?}");
}
