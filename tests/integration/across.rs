//! The view over the workspaces of a job, by the real binary over two simulated workspaces.

use std::{fs, path::Path};

use rolecall_simulator::{Fault, Simulator};
use serde_json::Value;

use crate::{
    support::{Bench, options},
    tools::{check_jsonschema, read_csv, read_mail},
};

/// A job with two workspaces: `acme` and, over another simulator, `broken`.
pub(crate) fn two(users: u32) -> (Bench, Simulator) {
    let (bench, other) = (Bench::new(options(users)), Simulator::start(options(users)).unwrap());
    bench.reconfigure("workspaces = [\"acme\"]", "workspaces = [\"zeta\", \"acme\"]");
    let text = bench.read("rolecall.toml");
    let table = text.split("[policy]").next().unwrap().replace("workspaces.acme", "workspaces.zeta");
    let table = table.replace(bench.simulator.base_url(), other.base_url());
    fs::write(bench.path("rolecall.toml"), text + &table).unwrap();
    (bench, other)
}

fn json(bench: &Bench, file: &str) -> Value {
    serde_json::from_str(&bench.read(file)).unwrap()
}

#[test]
fn a_job_of_two_workspaces_gets_one_view_by_person_that_other_tools_read() {
    let (bench, other) = two(12);
    let stdout = bench.audit(&["--out", "first"]);
    assert!(stdout.contains("Across the workspaces: ") && stdout.contains("wrote     first/people.csv"), "{stdout}");
    let first = json(&bench, "first/people.json");
    assert!(first["people"].as_array().unwrap().iter().all(|person| person["left_behind"] == false));

    // Both workspaces have the same people. One is disabled in one of them, and one disappears from it.
    let mut active = other.world().read(rolecall_simulator::World::users);
    active.retain(|user| user["status"] == "active" && user["email"].as_str().is_some_and(|email| email.contains('@')));
    let (disabled, gone) = (&active[active.len() - 1], &active[active.len() - 2]);
    other.world().edit(|world| world.disable(disabled["id"].as_str().unwrap())).unwrap();
    other.world().edit(|world| world.remove_user(gone["id"].as_str().unwrap())).unwrap();
    let stdout = bench.audit(&["--out", "second", "--job", "weekly"]);
    let left = |folder: &str| -> Vec<String> {
        let people = json(&bench, &format!("{folder}/people.json"));
        let left = people["people"].as_array().unwrap().iter().filter(|person| person["left_behind"] == true);
        left.map(|person| person["address"].as_str().unwrap().to_owned()).collect()
    };
    let mut expected = [disabled, gone].map(|user| user["email"].as_str().unwrap().to_lowercase());
    expected.sort();
    assert_eq!(left("second"), expected, "{stdout}");
    assert!(stdout.contains("active in acme; disabled or removed in zeta"), "{stdout}");
    // It stays said until somebody does something about it.
    bench.audit(&["--out", "third"]);
    assert_eq!(left("third"), expected);

    let table = read_csv(&bench.path("third/people.csv"));
    let people = json(&bench, "third/people.json");
    let accounts =
        people["people"].as_array().unwrap().iter().map(|person| person["accounts"].as_array().unwrap().len());
    assert_eq!(table.len(), accounts.sum::<usize>() + 1, "a row for each account, and the header");
    let (_, schema, _) = bench.run(&["schema", "people"]);
    fs::write(bench.path("people.schema.json"), schema).unwrap();
    let (schema, file) = (bench.path("people.schema.json"), bench.path("third/people.json"));
    let output = check_jsonschema(&["--schemafile".as_ref(), schema.as_os_str(), file.as_os_str()]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_workspace_that_fails_is_named_and_nobody_is_left_behind_because_of_it() {
    let (bench, other) = two(12);
    bench.audit(&["--out", "first"]);
    other.set_faults([Fault::TokenNeverAccepted]);
    let (code, stdout, stderr) = bench.run(&["audit", "--out", "out"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("Across the workspaces: zeta is missing: "), "{stdout}");
    let people = json(&bench, "out/people.json");
    assert_eq!(people["workspaces"][1]["read"], "missing");
    let reason = people["workspaces"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("token") && !reason.contains("workspace zeta"), "{reason}");
    assert!(people["people"].as_array().unwrap().iter().all(|person| person["left_behind"] == false));
    let page = bench.read("out/people.html");
    assert!(page.contains("zeta is missing: ") && page.contains("<span class=\"badge\">Incomplete</span>"), "{page}");
    assert!(bench.read("out/people.csv").contains(",zeta,"), "each row names it");
}

#[test]
fn rights_in_different_workspaces_that_must_be_separate_are_a_finding_across_them() {
    let (bench, other) = two(12);
    let users = other.world().read(rolecall_simulator::World::users);
    let administrator = "5820190000000026011";
    let is_administrator = |user: &Value| user["profile"]["id"] == administrator;
    let ana = users.iter().find(|user| {
        !is_administrator(user)
            && user["status"] == "active"
            && user["email"].as_str().is_some_and(|email| email.contains('@'))
    });
    let ana = ana.unwrap();
    let (id, address) = (ana["id"].as_str().unwrap(), ana["email"].as_str().unwrap());
    let profile = ana["profile"]["name"].as_str().unwrap();
    // In one workspace an administrator, in the other one what she was.
    other.world().edit(|world| world.set_profile(id, administrator)).unwrap();
    let separation = format!(
        "\n[[policy.separations]]\nname = \"apart\"\nfirst = {{ profile = \"{profile}\" }}\nsecond = {{ profile = \"Administrator\" }}\n"
    );
    let plain = bench.read("rolecall.toml") + &separation;
    fs::write(bench.path("rolecall.toml"), &plain).unwrap();
    let (code, stdout, said) = bench.run(&["audit", "--job", "weekly", "--out", "1", "--fail-on", "critical"]);
    assert!(code == 0 || code == 3, "{said}");
    assert!(
        stdout.contains("must be separate") && stdout.contains("and the profile “Administrator” in zeta"),
        "{stdout}"
    );
    let people = json(&bench, "1/people.json");
    let found = people["findings"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["person"], address.to_lowercase());
    assert_eq!(
        (&found[0]["rule"], &found[0]["severity"], &found[0]["status"]),
        (&"conflicting-access".into(), &"high".into(), &"open".into())
    );
    let table = read_csv(&bench.path("1/people.csv"));
    assert_eq!(table[0].last().unwrap(), "conflicting_access");
    assert_eq!(table.iter().filter(|row| row.last().unwrap() == "apart").count(), 2);
    for workspace in ["acme", "zeta"] {
        let report = json(&bench, &format!("1/{workspace}/report.json"));
        let findings = report["findings"].as_array().unwrap();
        assert!(findings.iter().all(|finding| finding["rule"] != "conflicting-access"), "{workspace}");
    }
    assert!(bench.read("1/people.html").contains("Rights that must be separate"));

    // An exception of the policy accepts it, and is not called unmatched in the workspaces.
    let until = (chrono::Utc::now() + chrono::Duration::days(30)).format("%Y-%m-%d");
    let exception = format!(
        "\n[[policy.exceptions]]\nrule = \"conflicting-access\"\nsubject = \"{address}\"\napproved_by = \"bo@example.com\"\nreason = \"handover\"\nuntil = {until}\n"
    );
    fs::write(bench.path("rolecall.toml"), plain + &exception).unwrap();
    let stdout = bench.audit(&["--job", "weekly", "--out", "2"]);
    assert!(stdout.contains("(accepted by bo@example.com until "), "{stdout}");
    assert_eq!(json(&bench, "2/people.json")["findings"][0]["status"], "excepted");
    let findings = bench.read("2/acme/findings.csv");
    assert!(!findings.contains("unmatched-exception"), "{findings}");
}

/// The same job, reported in one message.
pub(crate) fn combined(users: u32) -> (Bench, Simulator) {
    let (bench, other) = two(users);
    bench.reconfigure("attach = [\"csv\", \"xlsx\"]", "attach = [\"csv\", \"html\"]\ncombine = true");
    (bench, other)
}

/// The subject of a mail, and the names of its attached files.
fn outline(mail: &Path) -> (String, Vec<String>) {
    let mail = read_mail(mail);
    let parts = mail["parts"].as_array().unwrap().iter();
    let names = parts.filter_map(|part| part["file"].as_str().map(str::to_owned)).collect();
    let subject = mail["headers"].as_array().unwrap().iter().find(|header| header[0] == "Subject").unwrap();
    (subject[1].as_str().unwrap().to_owned(), names)
}

#[test]
fn one_message_on_demand_is_about_all_workspaces_and_covers_each() {
    let (bench, other) = combined(12);
    bench.reconfigure("[daemon]", "[evidence]\ndirectory = \"evidence\"\n\n[daemon]");
    let stdout = bench.audit(&["--job", "weekly", "--send", "--out", "out"]);
    assert_eq!(stdout.matches("  mailed    ").count(), 2, "one for each recipient: {stdout}");
    let mails = bench.mails();
    assert_eq!(mails.len(), 2);
    let (subject, names) = outline(&mails[0]);
    assert!(subject.starts_with("[rolecall] weekly: ") && subject.ends_with("; 1 more workspace"), "{subject}");
    assert_eq!(&names[..2], ["people.csv", "people.html"], "{names:?}");
    for file in ["acme-findings.csv", "acme-report.html", "zeta-access-matrix.csv"] {
        assert!(names.iter().any(|name| name == file), "{file}: {names:?}");
    }
    let verified = bench.run(&["evidence", "verify"]);
    assert_eq!(verified.0, 0, "{verified:?}");
    let (code, runs, _) = bench.run(&["runs", "--format", "json"]);
    assert_eq!(code, 0);
    assert_eq!(runs.matches("\"closed\"").count(), 2, "both runs are delivered: {runs}");
    let (_, entries) = (0, bench.read("evidence/ledger.jsonl"));
    assert_eq!(
        (entries.matches("\"fact\":\"combined\"").count(), entries.matches("\"fact\":\"delivery\"").count()),
        (1, 2)
    );

    // A workspace that fails is in the message, and the command fails.
    other.set_faults([Fault::TokenNeverAccepted]);
    let (code, _, stderr) = bench.run(&["audit", "--job", "weekly", "--send"]);
    assert_eq!(code, 1, "{stderr}");
    let (subject, names) = outline(&bench.mails()[2]);
    assert!(subject.starts_with("[rolecall] MISSING weekly: zeta was not reviewed; acme: "), "{subject}");
    assert!(!names.iter().any(|name| name.starts_with("zeta-")), "{names:?}");
    assert_eq!(bench.mails().len(), 4);
}

#[test]
fn one_workspace_of_such_a_job_is_reported_as_always() {
    let (bench, _other) = combined(12);
    bench.audit(&["--job", "weekly", "--workspace", "acme", "--send"]);
    let (subject, names) = outline(&bench.mails()[0]);
    assert!(
        subject.starts_with("[rolecall] acme: ") && names.contains(&"findings.csv".to_owned()),
        "{subject} {names:?}"
    );
}
