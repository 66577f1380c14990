//! The report by mail: parts, threads, size, recipients, and the stage at which a mail server fails.

use std::net::TcpListener;

use rolecall_simulator::InboxFault;
use serde_json::{Value, json};

use crate::{
    support::{Bench, options},
    tools::{read_html, read_mail},
};

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let headers = mail["headers"].as_array().unwrap();
    let mut found = headers.iter().filter(|header| header[0] == name);
    let value = found.next().unwrap_or_else(|| panic!("there is no {name}"))[1].as_str().unwrap();
    assert!(found.next().is_none(), "{name} appears twice");
    value
}

#[test]
fn each_recipient_gets_a_message_of_their_own_with_text_html_and_attachments() {
    let bench = Bench::new(options(30));
    bench.audit(&["--send"]);
    let mails: Vec<Value> = bench.mails().iter().map(|path| read_mail(path)).collect();
    let envelopes: Vec<Vec<String>> =
        bench.simulator.inbox().messages().into_iter().map(|message| message.to).collect();
    assert_eq!(envelopes, [["security@example.com"], ["compliance@example.com"]]);
    for (mail, recipient) in mails.iter().zip(["security@example.com", "compliance@example.com"]) {
        assert_eq!((header(mail, "To"), header(mail, "From")), (recipient, "rolecall <audit@example.com>"));
        assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
        let types: Vec<&str> =
            mail["structure"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
        assert_eq!(types[..4], ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]);
        let files: Vec<&str> =
            mail["parts"].as_array().unwrap().iter().filter_map(|part| part["file"].as_str()).collect();
        assert_eq!(files, ["findings.csv", "changes.csv", "access-matrix.csv", "report.xlsx"]);
        std::fs::write(bench.path("mail.html"), mail["parts"][1]["content"].as_str().unwrap()).unwrap();
        let html = read_html(&bench.path("mail.html"));
        assert_eq!((&html["addresses"], &html["handlers"]), (&json!([]), &json!([])), "it loads something");
        assert!(["img", "script", "link", "iframe"].iter().all(|tag| html["tags"][tag].is_null()), "{}", html["tags"]);
    }
    assert_ne!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
}

#[test]
fn the_mails_of_one_job_and_workspace_thread_and_each_has_an_id_of_its_own() {
    let bench = Bench::new(options(20));
    bench.audit(&["--send"]);
    bench.audit(&["--send"]);
    let mails: Vec<Value> = bench.mails().iter().map(|path| read_mail(path)).collect();
    assert_eq!(mails.len(), 4);
    let root = header(&mails[0], "References");
    for mail in &mails {
        assert_eq!((header(mail, "References"), header(mail, "In-Reply-To")), (root, root));
        assert_eq!(header(mail, "List-Id"), "<weekly.acme.rolecall.example.com>");
        assert!(header(mail, "Message-ID").ends_with("@example.com>"));
    }
    let mut ids: Vec<&str> = mails.iter().map(|mail| header(mail, "Message-ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn the_html_of_three_thousand_users_is_not_clipped_and_the_tables_are_attached_whole() {
    let bench = Bench::new(options(3_000));
    bench.audit(&["--send"]);
    let mail = read_mail(&bench.mails()[0]);
    // Gmail clips at 102 KB of the encoded part, so the bytes on the wire count.
    let raw = String::from_utf8(bench.simulator.inbox().messages()[0].bytes.clone()).unwrap();
    let part = raw.split("Content-Type: text/html").nth(1).unwrap().split("--=_alternative").next().unwrap();
    assert!(part.len() < 100 * 1024 && part.len() > 2_000, "{} bytes", part.len());
    let matrix = mail["parts"].as_array().unwrap().iter().find(|part| part["file"] == "access-matrix.csv").unwrap();
    assert_eq!(matrix["content"].as_str().unwrap().lines().count(), 3_001);
}

#[test]
fn recipients_who_are_refused_fail_the_audit_each_is_tried_and_the_files_are_not_lost() {
    let bench = Bench::new(options(12));
    bench.simulator.inbox().set_fault(Some(InboxFault::RecipientRefused));
    let (code, stdout, stderr) = bench.run(&["audit", "--send", "--out", "out"]);
    assert_eq!(code, 1);
    for recipient in ["security@example.com", "compliance@example.com"] {
        assert!(stderr.contains(&format!("the report was not delivered to {recipient}: ")), "{stderr}");
    }
    assert!(stdout.contains("wrote     out/report.html"), "{stdout}");
}

#[test]
fn mail_test_names_the_stage_that_failed_with_what_to_do() {
    let bench = Bench::new(options(12));
    for (fault, stage) in [
        (InboxFault::AuthenticationRefused, "authentication"),
        (InboxFault::SenderRefused, "sender"),
        (InboxFault::RecipientRefused, "recipient"),
        (InboxFault::RecipientDeferred, "recipient"),
        (InboxFault::DataRefused, "data"),
        (InboxFault::DropAfterData, "data"),
    ] {
        if stage == "authentication" {
            bench.reconfigure(
                "security = \"none\"",
                "security = \"none\"\nusername = \"u\"\npassword = { env = \"TEST_CLIENT_SECRET\" }",
            );
        }
        bench.simulator.inbox().set_fault(Some(fault));
        fails_at(&bench, stage);
        if stage == "authentication" {
            bench.reconfigure("username = \"u\"\npassword = { env = \"TEST_CLIENT_SECRET\" }", "");
        }
    }
}

/// Fails where `mail test` does anything but fail at this stage.
fn fails_at(bench: &Bench, stage: &str) {
    let (code, stdout, stderr) = bench.run(&["mail", "test"]);
    assert_eq!((code, stderr), (1, format!("rolecall: the message was not delivered: {stage} failed\n")), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    let failed = lines.iter().position(|line| line.starts_with(&format!("FAILED   {stage} "))).expect(&stdout);
    assert!(lines[1..failed].iter().all(|line| line.starts_with("ok ")), "{stdout}");
    assert!(lines[failed + 1].contains("fix: "), "{stdout}");
    assert!(lines[failed + 2..].iter().all(|line| line.ends_with("not reached")), "{stdout}");
}

#[test]
fn mail_test_tells_a_name_a_port_and_encryption_apart() {
    let bench = Bench::new(options(12));
    let inbox = bench.simulator.inbox().address();
    bench.reconfigure("security = \"none\"", "security = \"starttls\"");
    fails_at(&bench, "TLS");
    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    bench.reconfigure(&format!("port = {}", inbox.port()), &format!("port = {free}"));
    fails_at(&bench, "connect");
    bench.reconfigure(&format!("host = \"{}\"", inbox.ip()), "host = \"mail.invalid\"");
    fails_at(&bench, "resolve");
}
