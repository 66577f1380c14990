//! What needs a new proof of who it is, what an owner does with a review under way, and the list of one's sessions.

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    console::{CONSOLE, Desk},
    daemon::eventually,
    review::{CONFIGURATION, bench, facts, keep_the_rest, opened_in, text},
};

/// A review that is just opened, a console, and the id of the review.
fn desk() -> (Desk, String) {
    let bench = bench(12);
    let id = opened_in(&bench);
    (Desk::with(bench, &format!("{CONFIGURATION}{CONSOLE}")), id)
}

fn state(desk: &Desk, id: &str) -> String {
    let (_, shown, _) = desk.bench.run(&["review", "show", id, "--format", "json"]);
    serde_json::from_str::<Value>(&shown).unwrap()["state"].as_str().unwrap().to_owned()
}

async fn sent(desk: &Desk, path: &str, cookie: &str, form: &str) -> (StatusCode, String) {
    let response = desk.post(path, cookie, form).send().await.unwrap();
    let to = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (response.status(), to.unwrap_or_default())
}

#[tokio::test]
async fn confirming_and_closing_need_a_proof_that_is_new() {
    let (desk, id) = desk();
    keep_the_rest(&desk.bench, &id);
    let (ana, ben) = (desk.sign_in("ana@example.com").await, desk.sign_in("ben@example.com").await);
    desk.alter("UPDATE session SET body = json_set(body, '$.proven_at', '2026-01-01T00:00:00Z')").await;
    let again = format!("/sign-in/again?next=%2Freviews%2F{id}");
    for (path, who, form) in [
        ("attest", &ben, "confirmed=yes"),
        ("close", &ana, "confirmed=yes&next=2027-01-01"),
        ("cancel", &ana, "reason=wrong+job"),
    ] {
        let answer = sent(&desk, &format!("/reviews/{id}/{path}"), who, form).await;
        assert_eq!(answer, (StatusCode::SEE_OTHER, again.clone()), "{path}");
    }
    assert_eq!(state(&desk, &id), "decided");
    assert!(facts(&desk.bench, "review").iter().all(|entry| entry["event"] != "attested"), "nothing was recorded");
    let page = desk.get(&format!("/reviews/{id}"), &ben).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(&again.replace('&', "&amp;")) && !page.contains("Confirm my decisions"), "{page}");
    let page = desk.get(&again, &ben).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("rolecall console link --as ben@example.com"), "{page}");
    // After another link in the same browser, it goes on where it was.
    let fresh = crate::console::cookie(&desk.press(&desk.link("ben@example.com"), &ben).await);
    let back = desk.get(&again, &fresh).send().await.unwrap();
    assert_eq!(back.headers()["location"], format!("/reviews/{id}"));
    let (status, to) = sent(&desk, &format!("/reviews/{id}/attest"), &fresh, "confirmed=yes").await;
    assert_eq!((status, to), (StatusCode::SEE_OTHER, format!("/reviews/{id}?done=attested")));
}

#[tokio::test]
async fn the_owner_reminds_and_cancels_with_a_reason_and_nobody_else_does() {
    let (desk, id) = desk();
    eventually("the invitations", || desk.bench.simulator.inbox().messages().len() >= 4);
    let (ana, ben) = (desk.sign_in("ana@example.com").await, desk.sign_in("ben@example.com").await);
    let (remind, cancel) = (format!("/reviews/{id}/remind"), format!("/reviews/{id}/cancel"));
    for (path, form) in [(&remind, ""), (&cancel, "reason=wrong+job")] {
        assert_eq!(sent(&desk, path, &ben, form).await.0, StatusCode::FORBIDDEN, "{path}");
        let log = format!("address=\"ben@example.com\" method=POST path=\"{path}\"");
        eventually("a line in the log", || desk.daemon.said().contains(&log));
    }
    let (status, to) = sent(&desk, &remind, &ana, "").await;
    assert_eq!((status, to), (StatusCode::SEE_OTHER, format!("/reviews/{id}?done=reminded&late=3&now=3")));
    let page = desk.get(&format!("/reviews/{id}?done=reminded&late=3&now=3"), &ana).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("3 reviewers are reminded now."));
    eventually("the reminders", || desk.bench.simulator.inbox().messages().len() >= 7);
    assert!(sent(&desk, &remind, &ana, "").await.1.ends_with("late=3&now=0"), "once a day");
    assert_eq!(sent(&desk, &cancel, &ana, "reason=+").await.0, StatusCode::CONFLICT, "without a reason");
    assert_eq!(state(&desk, &id), "open");
    for _ in 0..2 {
        let answer = sent(&desk, &cancel, &ana, "reason=wrong+job").await;
        assert_eq!(answer, (StatusCode::SEE_OTHER, format!("/reviews/{id}?done=cancelled")), "a second click, too");
    }
    assert_eq!(state(&desk, &id), "cancelled");
    desk.bench.run(&["evidence", "verify"]);
    let events = facts(&desk.bench, "review");
    let cancelled: Vec<&Value> = events.iter().filter(|entry| entry["event"] == "cancelled").collect();
    assert_eq!(cancelled.len(), 1);
    assert_eq!((text(cancelled[0], "by"), text(cancelled[0], "reason")), ("person ana@example.com", "wrong job"));
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_it_there() {
    let (desk, _) = desk();
    let here = desk.sign_in("ana@example.com").await;
    let secret = desk.link("ana@example.com");
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0";
    let pressed = desk.post("/link", "", &format!("secret={secret}")).header("user-agent", firefox);
    let there = crate::console::cookie(&pressed.send().await.unwrap());
    let third = desk.sign_in("ana@example.com").await;
    let stranger = desk.sign_in("ben@example.com").await;
    let page = async |cookie: &str| desk.get("/sessions", cookie).send().await.unwrap().text().await.unwrap();
    let shown = page(&here).await;
    assert!(shown.contains("Firefox on Linux") && shown.contains("127.0.0.1"), "{shown}");
    assert_eq!(shown.matches("this one").count(), 1, "{shown}");
    let row = shown.split_once("Firefox on Linux").unwrap().1;
    let name = row.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    // Somebody else's cannot be ended, whoever knows its name.
    sent(&desk, "/sessions/end", &stranger, &format!("session={name}")).await;
    assert!(desk.is_in(&there).await);
    assert_eq!(sent(&desk, "/sessions/end", &here, &format!("session={name}")).await.1, "/sessions");
    assert!(!desk.is_in(&there).await && desk.is_in(&third).await && desk.is_in(&here).await);
    sent(&desk, "/sessions/end", &here, "session=others").await;
    assert!(!desk.is_in(&third).await && desk.is_in(&here).await && desk.is_in(&stranger).await);
    assert!(page(&here).await.contains("You are signed in nowhere else."));
    let (code, said, _) = desk.bench.run(&["console", "sign-out", "--as", "Ana@example.com"]);
    assert_eq!((code, said.trim()), (0, "ended 1 session of ana@example.com"));
    assert!(!desk.is_in(&here).await && desk.is_in(&stranger).await);
}
