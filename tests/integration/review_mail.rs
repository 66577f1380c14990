//! What the daemon says by mail about a review, read back from a real inbox, and that a killed daemon says it once.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
};

use mailparse::MailHeaderMap as _;

use crate::{
    daemon::{Daemon, eventually},
    operation::ask,
    review::{bench, decide, dies, facts, item_of, items, keep_the_rest, opened, text},
    support::Bench,
};

/// A message of the inbox.
struct Mail {
    to: String,
    subject: String,
    thread: String,
    id: String,
    text: String,
    length: usize,
}

fn mails(bench: &Bench) -> Vec<Mail> {
    let read = |bytes: &[u8]| {
        let parsed = mailparse::parse_mail(bytes).unwrap();
        let header = |name: &str| parsed.headers.get_first_value(name).unwrap();
        let text = parsed.parts().find(|part| part.ctype.mimetype == "text/plain").unwrap().get_body().unwrap();
        Mail {
            to: header("To"),
            subject: header("Subject"),
            thread: header("References"),
            id: header("Message-ID"),
            text,
            length: bytes.len(),
        }
    };
    bench.simulator.inbox().messages().iter().map(|message| read(&message.bytes)).collect()
}

fn to<'a>(mails: &'a [Mail], name: &str, subject: &str) -> Vec<&'a Mail> {
    mails.iter().filter(|mail| mail.to == format!("{name}@example.com") && mail.subject.contains(subject)).collect()
}

#[test]
fn reviewers_are_invited_and_reminded_and_the_owner_gets_the_result() {
    let (bench, id) = opened(14);
    let daemon = Daemon::start(&bench);
    eventually("the invitations", || bench.simulator.inbox().messages().len() >= 4);
    let (code, said, _) = bench.run(&["review", "remind", &id]);
    assert_eq!((code, said.trim()), (0, "the daemon now sends a reminder to 3 reviewers"));
    let (_, said, _) = bench.run(&["review", "remind", &id]);
    assert_eq!(said.trim(), "3 reviewers were already reminded today");
    eventually("the reminders", || bench.simulator.inbox().messages().len() >= 7);
    keep_the_rest(&bench, &id);
    let (_, said, _) = bench.run(&["review", "remind", &id]);
    assert_eq!(said.trim(), "every account is decided; nobody is reminded");
    assert_eq!(bench.run(&["review", "close", &id]).0, 0);
    assert_eq!(bench.run(&["review", "remind", &id]).0, 1, "it is closed");
    eventually("the result", || bench.simulator.inbox().messages().len() >= 8);
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");

    let mails = mails(&bench);
    for name in ["ana", "ben", "sec"] {
        let invitation = to(&mails, name, "decide about ");
        assert_eq!(invitation.len(), 1, "{name}");
        let command = format!("rolecall review export {id} --reviewer {name}@example.com --out review.xlsx");
        assert!(invitation[0].text.contains(&command), "{}", invitation[0].text);
        assert_eq!(to(&mails, name, "Reminder: review quarterly").len(), 1, "{name}");
    }
    assert_eq!(to(&mails, "ana", "is open: ").len(), 1);
    assert_eq!(to(&mails, "ana", "is closed: ").len(), 1);
    assert_eq!(mails.len(), 8);
    assert_eq!(mails.iter().map(|mail| &mail.thread).collect::<BTreeSet<_>>().len(), 1, "one thread");
    assert!(mails.iter().all(|mail| mail.length < 100_000));
    let delivered = facts(&bench, "delivery").into_iter().filter(|entry| entry["review"] == id.as_str());
    let delivered: BTreeSet<String> = delivered.map(|entry| text(&entry, "message_id").to_owned()).collect();
    assert_eq!(delivered, mails.iter().map(|mail| mail.id.clone()).collect(), "each is on record");
    let (code, stdout, stderr) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

#[test]
fn without_a_mail_server_nobody_can_be_reminded() {
    let (bench, id) = opened(12);
    let configuration = bench.read("rolecall.toml");
    let (before, rest) = configuration.split_once("[jobs.weekly.email]").unwrap();
    let (_, after) = rest.split_once("[store]").unwrap();
    std::fs::write(bench.path("rolecall.toml"), format!("{before}[store]{after}")).unwrap();
    let (code, _, said) = bench.run(&["review", "remind", &id]);
    assert!(code == 2 && said.contains("no mail server is configured; add [smtp]"), "{said}");
}

#[test]
fn a_daemon_that_dies_while_it_says_something_says_it_once() {
    for moment in ["before", "after"] {
        let (bench, id) = opened(12);
        let point = format!("tell.{moment}");
        let (code, said) = Daemon::start_with(&bench, &[("ROLECALL_CRASH_AT", &point)]).wait();
        assert_eq!(code, None, "{point}: {said}");
        let expected = usize::from(moment == "before");
        let daemon = Daemon::start(&bench);
        eventually("the invitations", || bench.simulator.inbox().messages().len() >= 4);
        let (_, said) = daemon.stop();
        assert_eq!(said.matches("wrote messages about a review").count(), expected, "{point}: {said}");
        let mails = mails(&bench);
        assert_eq!(mails.iter().map(|mail| &mail.id).collect::<BTreeSet<_>>().len(), 4, "{point}");
        assert_eq!(mails.len(), 4, "{point}: {:?}", items(&bench, &id).len());
    }
}

#[test]
fn who_was_invited_is_told_once_that_the_review_is_cancelled() {
    let (bench, id) = opened(12);
    let daemon = Daemon::start(&bench);
    eventually("the invitations", || bench.simulator.inbox().messages().len() >= 4);
    assert_eq!(bench.run(&["review", "cancel", &id, "--reason", "opened by mistake"]).0, 0);
    eventually("that it is cancelled", || bench.simulator.inbox().messages().len() >= 7);
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    let (_, said) = Daemon::start(&bench).stop();
    assert!(!said.contains("wrote messages about a review"), "{said}");
    let mails = mails(&bench);
    for name in ["ana", "ben", "sec"] {
        let [mail] = to(&mails, name, "is cancelled")[..] else { panic!("{name}") };
        assert!(mail.text.contains("opened by mistake") && !mail.text.contains("WHAT TO DO"), "{}", mail.text);
    }
    assert_eq!(mails.len(), 7);
    assert_eq!(mails.iter().map(|mail| &mail.thread).collect::<BTreeSet<_>>().len(), 1, "one thread");
}

#[test]
fn a_review_shows_what_was_not_delivered_and_why() {
    let (bench, id) = opened(12);
    bench.simulator.inbox().set_fault(Some(rolecall_simulator::InboxFault::RecipientDeferred));
    let daemon = Daemon::start(&bench);
    eventually("that each was tried", || daemon.said().matches("it will be retried").count() >= 4);
    daemon.stop();
    let (_, said, _) = bench.run(&["review", "show", &id]);
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("not delivered: ")).collect();
    assert!(lines.len() == 3 && lines[1].contains("invitation to ben@example.com; it is tried again: "), "{said}");
    let (_, said, _) = bench.run(&["review", "show", &id, "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&said).unwrap();
    let mail = &shown["not_delivered"][1];
    assert_eq!((text(mail, "to"), text(mail, "state")), ("ben@example.com", "waiting"));
    assert!(text(mail, "answer").contains("450"), "{mail}");
}

#[test]
fn the_numbers_of_a_review_are_what_promtool_takes_and_name_nobody() {
    let (bench, id) = opened(12);
    let removed = item_of(&bench, &id, "leaver@example.com");
    let reason = ["--reason", "left in May"];
    assert_eq!(decide(&bench, &id, text(&removed, "item"), "remove", "ben@example.com", &reason).0, 0);
    let undecided = items(&bench, &id).len() - 1;
    let daemon = Daemon::start(&bench);
    let (status, page) = ask(&daemon.address(), "/metrics");
    assert_eq!(status, 200, "{page}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let judged = promtool.wait_with_output().unwrap();
    assert!(judged.status.success() && judged.stderr.is_empty(), "{}", String::from_utf8_lossy(&judged.stderr));
    for (name, number) in [
        ("reviews_open", 1),
        ("reviews_overdue", 0),
        ("review_items_undecided", undecided),
        ("review_items_overdue", 0),
        ("review_decisions_unproven", 1),
        ("review_decisions_overdue", 0),
    ] {
        let line = format!("rolecall_{name}{{review=\"quarterly\"}} {number}.0");
        assert!(page.lines().any(|other| other == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains('@'), "{page}");
}

#[test]
fn the_owner_is_told_that_an_invitation_was_refused() {
    let (bench, _) = opened(12);
    bench.simulator.inbox().set_fault(Some(rolecall_simulator::InboxFault::RecipientRefused));
    let daemon = Daemon::start(&bench);
    // Four messages, and a notice about each of the two that were not for the owner.
    eventually("that all are given up", || daemon.said().matches("not accepted; giving up").count() >= 6);
    let (_, said) = daemon.stop();
    assert_eq!(said.matches("not accepted; giving up").count(), 6, "{said}");
    let refused = facts(&bench, "delivery");
    let notices: Vec<_> = refused.iter().filter(|entry| entry["kind"] == "undelivered").collect();
    assert_eq!(notices.len(), 2);
    assert!(notices.iter().all(|entry| entry["recipient"] == "ana@example.com"), "{notices:?}");
}

/// A review that is due every second.
fn scheduled(with_audit: bool) -> Bench {
    let bench = bench(12);
    bench.reconfigure("schedule = \"0 9 1 1,4,7,10 *\"", "schedule = \"* * * * * *\"");
    if with_audit {
        bench.audit(&["--job", "weekly"]);
    }
    bench
}

fn listed(bench: &Bench) -> Vec<serde_json::Value> {
    let (code, stdout, stderr) = bench.run(&["review", "list", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn a_daemon_that_dies_while_it_opens_a_review_leaves_one_that_goes_on() {
    for write in ["plan_review", "open_review", "review_not_opened"] {
        for moment in ["before", "after"] {
            let point = format!("{write}.{moment}");
            let bench = scheduled(write != "review_not_opened");
            let (code, said) = Daemon::start_with(&bench, &[("ROLECALL_CRASH_AT", &point)]).wait();
            assert_eq!(code, None, "{point}: {said}");
            if write == "review_not_opened" {
                bench.audit(&["--job", "weekly"]);
            }
            let daemon = Daemon::start(&bench);
            eventually(&format!("after {point}, a review"), || listed(&bench).len() == 1);
            eventually("the invitations", || bench.simulator.inbox().messages().len() >= 4);
            let (code, said) = daemon.stop();
            assert_eq!(code, Some(0), "{said}");
            let opened: Vec<_> = facts(&bench, "review").into_iter().filter(|fact| fact["event"] == "opened").collect();
            assert_eq!((listed(&bench).len(), opened.len()), (1, 1), "{point}");
            assert!(opened[0]["fire_at"].is_string() && opened[0]["by"] == "daemon", "{point}: {opened:?}");
            assert_eq!(mails(&bench).len(), 4, "{point}");
            let (code, stdout, stderr) = bench.run(&["evidence", "verify"]);
            assert_eq!(code, 0, "{point}: {stdout}{stderr}");
        }
    }
}

#[test]
fn the_daemon_seals_what_a_process_closed_that_died_before_it_could() {
    let (bench, id) = opened(12);
    keep_the_rest(&bench, &id);
    dies(&bench, "change_review.after", &["review", "close", &id]);
    assert_eq!(listed(&bench)[0]["state"], "closed");
    assert_eq!(facts(&bench, "review_sealed").len(), 0);
    let daemon = Daemon::start(&bench);
    eventually("the bag of the review", || facts(&bench, "review_sealed").len() == 1);
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("sealed a closed review that had no bag").count(), 1, "{said}");
    let (code, stdout, stderr) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}
