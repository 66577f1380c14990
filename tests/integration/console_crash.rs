//! A daemon that dies while somebody signs in or out: either nothing has happened, or all of it, and nobody is locked out.

use reqwest::StatusCode;

use crate::{
    console::{CONSOLE, Desk, cookie},
    daemon::Daemon,
    support::{Bench, options},
};

/// A console whose daemon dies at a point of a write.
fn doomed(point: &str) -> Desk {
    Desk::with_environment(Bench::new(options(5)), CONSOLE, &[("ROLECALL_CRASH_AT", point)])
}

/// Another daemon on what the first one left, once that one is dead.
fn goes_on(desk: Desk, point: &str) -> Desk {
    let Desk { daemon, bench, client, .. } = desk;
    let (code, said) = daemon.wait();
    assert_eq!(code, None, "{point}: it did not die of a signal: {said}");
    let daemon = Daemon::start(&bench);
    let url = crate::console::url(&daemon);
    Desk { daemon, bench, url, client }
}

#[tokio::test]
async fn a_link_is_used_up_with_its_session_or_not_at_all() {
    for (point, is_done) in [("begin_session.before", false), ("begin_session.after", true)] {
        let desk = doomed(point);
        let secret = desk.link("ana@example.com");
        let pressed = desk.post("/link", "", &format!("secret={secret}")).send().await;
        assert!(pressed.is_err(), "{point}: nobody hears of it");
        let desk = goes_on(desk, point);
        let again = desk.press(&secret, "").await;
        let expected = if is_done { StatusCode::GONE } else { StatusCode::SEE_OTHER };
        assert_eq!(again.status(), expected, "{point}");
        let ana = desk.sign_in("ana@example.com").await;
        assert!(desk.is_in(&ana).await, "{point}");
        assert_eq!(
            desk.count("SELECT count(*) FROM session").await,
            2,
            "{point}: one is of a browser that never got it, or of the second try"
        );
        assert_eq!(desk.count("SELECT count(*) FROM sign_in_link WHERE used_at IS NULL").await, 0, "{point}");
    }
}

#[tokio::test]
async fn a_session_has_ended_or_has_not() {
    for (write, form) in [("end_session", ""), ("end_sessions_of", "everywhere=true")] {
        for (moment, is_done) in [("before", false), ("after", true)] {
            let point = format!("{write}.{moment}");
            let desk = doomed(&point);
            let (ana, other) = (desk.sign_in("ana@example.com").await, desk.sign_in("ana@example.com").await);
            let auditor = desk.sign_in("auditor@example.com").await;
            assert!(desk.post("/sign-out", &ana, form).send().await.is_err(), "{point}");
            let desk = goes_on(desk, &point);
            let is_other_in = !is_done || form.is_empty();
            assert_eq!(desk.is_in(&ana).await, !is_done, "{point}");
            assert_eq!((desk.is_in(&other).await, desk.is_in(&auditor).await), (is_other_in, true), "{point}");
        }
    }
}

#[tokio::test]
async fn a_use_of_a_session_that_is_not_noted_ends_nothing() {
    for point in ["use_session.before", "use_session.after"] {
        let desk = doomed(point);
        let ana = desk.sign_in("ana@example.com").await;
        desk.alter("UPDATE session SET seen_at = seen_at - 61000").await;
        assert!(desk.get("/", &ana).send().await.is_err(), "{point}");
        let desk = goes_on(desk, point);
        assert!(desk.is_in(&ana).await, "{point}");
    }
}

#[tokio::test]
async fn a_link_is_kept_before_it_is_sent_or_another_one_is_asked_for() {
    for (point, kept) in [("keep_link.before", 0), ("keep_link.after", 1)] {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let console = CONSOLE.replace(
            "listen = \"127.0.0.1:0\"",
            &format!("listen = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\""),
        );
        let desk = Desk::with_environment(Bench::new(options(5)), &console, &[("ROLECALL_CRASH_AT", point)]);
        let ask = async |desk: &Desk| desk.post("/link/mail", "", "address=ana%40example.com").send().await;
        // The answer comes before the link is made.
        let _ = ask(&desk).await;
        let desk = goes_on(desk, point);
        assert_eq!(desk.count("SELECT count(*) FROM sign_in_link").await, kept, "{point}");
        let mails = || crate::console_mail::link(&desk, "ana@example.com", "Your sign-in link");
        assert_eq!(mails(), None, "{point}: nothing was sent");
        assert_eq!(ask(&desk).await.unwrap().status(), StatusCode::OK);
        crate::daemon::eventually("the link", || mails().is_some());
        let pressed = desk.press(crate::console_mail::secret(&mails().unwrap()), "").await;
        assert!(desk.is_in(&cookie(&pressed)).await, "{point}");
    }
}
