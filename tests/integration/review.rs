//! Reviews by people with the real binary: from the opening to the proof, and everything that is refused.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use rolecall_simulator::Options;
use serde_json::{Value, json};

use crate::{
    evidence::judge,
    export::{exported, verified},
    support::{Bench, options, printed, recompute},
    tools::{check_jsonschema, read_csv, tool},
};

pub(crate) const CONFIGURATION: &str = r#"
[evidence]
directory = "bags"
signing_key = { file = "key" }

[reviews.quarterly]
job = "weekly"
schedule = "0 9 1 1,4,7,10 *"
time_zone = "Europe/Berlin"
due_days = 14
owner = "ana@example.com"
reviewers = [
  { profile = "Administrator", reviewer = "sec@example.com" },
  { reviewer = "ben@example.com", alternate = "ana@example.com" },
]
remediation_days = { default = 14, administrator = 3, leaver = 1 }
"#;

/// A workspace with an account of ben, and a review of it that is just opened.
pub(crate) fn opened(users: u32) -> (Bench, String) {
    let bench = bench(users);
    let id = opened_in(&bench);
    (bench, id)
}

/// Audits and opens the review.
pub(crate) fn opened_in(bench: &Bench) -> String {
    bench.audit(&["--job", "weekly"]);
    let (code, stdout, stderr) = bench.run(&["review", "open", "quarterly", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let row: Value = serde_json::from_str(&stdout).unwrap();
    row["id"].as_str().unwrap().to_owned()
}

pub(crate) fn bench(users: u32) -> Bench {
    bench_with(options(users))
}

pub(crate) fn bench_with(options: Options) -> Bench {
    let bench = Bench::new(options);
    bench.configure("");
    let (code, said, _) = bench.run(&["evidence", "init-key", "--out", "key"]);
    assert_eq!(code, 0);
    bench.configure(CONFIGURATION);
    fs::write(bench.path("allowed_signers"), format!("{}\n", said.lines().last().unwrap())).unwrap();
    let add = |name: &str| {
        let user = json!({"email": format!("{name}@example.com")});
        bench.simulator.world().edit(|world| world.add_user(&user))
    };
    for name in ["ben", "leaver"] {
        add(name);
    }
    bench
}

fn shown(bench: &Bench, id: &str) -> Value {
    let (code, stdout, stderr) = bench.run(&["review", "show", id, "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

pub(crate) fn items(bench: &Bench, id: &str) -> Vec<Value> {
    shown(bench, id)["items"].as_array().unwrap().clone()
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// The item of an account.
pub(crate) fn item_of(bench: &Bench, id: &str, email: &str) -> Value {
    items(bench, id).into_iter().find(|item| item["email"] == email).unwrap()
}

/// Decides, and says the exit code and what was said on stderr.
pub(crate) fn decide(bench: &Bench, id: &str, item: &str, decision: &str, by: &str, more: &[&str]) -> (i32, String) {
    let (code, _, stderr) = bench.run(&[&["review", "decide", id, item, decision, "--as", by], more].concat());
    (code, stderr)
}

/// Keeps everything that is not decided.
pub(crate) fn keep_the_rest(bench: &Bench, id: &str) {
    for item in items(bench, id).iter().filter(|item| item["decision"].is_null()) {
        let (code, said) =
            decide(bench, id, text(item, "item"), "keep", text(item, "reviewer"), &["--reason", "needed for the work"]);
        assert_eq!(code, 0, "{said}");
    }
}

pub(crate) fn review_bag(bench: &Bench) -> PathBuf {
    let mut bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    bags.find(|path| path.to_string_lossy().contains("_review-quarterly_")).expect("the bag of the review")
}

pub(crate) fn facts(bench: &Bench, kind: &str) -> Vec<Value> {
    let ledger = bench.read("bags/ledger.jsonl");
    let entries = ledger.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter(|entry| entry["fact"] == kind).collect()
}

#[test]
fn a_review_is_carried_from_its_opening_to_the_proof_of_a_removal() {
    let (bench, id) = opened(14);
    let review = shown(&bench, &id);
    let accounts = review["items"].as_array().unwrap();
    assert_eq!(accounts.len() as u64, review["items"].as_array().unwrap().len() as u64);
    assert!(accounts.iter().all(|item| matches!(text(item, "status"), "active")), "{accounts:?}");
    assert_eq!(item_of(&bench, &id, "ben@example.com")["reviewer"], "ana@example.com", "nobody reviews themselves");
    let (_, stdout, _) = bench.run(&["review", "list", "--format", "json"]);
    let rows: Value = serde_json::from_str(&stdout).unwrap();
    let expected = accounts.len();
    assert_eq!(
        (&rows[0]["state"], &rows[0]["items"], &rows[0]["undecided"]),
        (&json!("open"), &json!(expected), &json!(expected))
    );

    let leaver = item_of(&bench, &id, "leaver@example.com");
    let number = text(&leaver, "item");
    let (code, said) = decide(&bench, &id, number, "remove", "ben@example.com", &["--reason", "left in May"]);
    assert_eq!(code, 0, "{said}");
    let (code, _, said) = bench.run(&["review", "close", &id]);
    assert_eq!(code, 1);
    assert!(said.contains(&format!("{} items are not decided", expected - 1)), "{said}");
    keep_the_rest(&bench, &id);
    assert_eq!(shown(&bench, &id)["state"], "decided");
    assert_eq!(bench.run(&["review", "attest", &id, "--as", "ben@example.com"]).0, 0);
    let (code, stdout, stderr) = bench.run(&["review", "close", &id]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("1 account to change or remove"), "{stdout}");
    let decided = item_of(&bench, &id, "leaver@example.com");
    let key = |key: &str| decided[key].clone();
    assert_eq!(
        ["decision", "reason", "decided_by", "via", "carried_out"].map(key),
        ["remove", "left in May", "ben@example.com", "command-line", "open"].map(Value::from)
    );
    let (code, _, said) = bench.run(&["review", "close", &id]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the review is closed"), "{said}");

    // Still there, then gone.
    bench.audit(&["--job", "weekly"]);
    assert_eq!(item_of(&bench, &id, "leaver@example.com")["carried_out"], "open");
    let user = text(&leaver, "user_id").to_owned();
    bench.simulator.world().edit(|world| world.remove_user(&user)).unwrap();
    bench.audit(&["--workspace", "acme"]);
    let proven = item_of(&bench, &id, "leaver@example.com");
    assert_eq!(proven["carried_out"], "proven");
    let last = facts(&bench, "recorded").last().unwrap()["run"].clone();
    assert_eq!(proven["proven_by"], last, "by the id of the audit that shows it");
    is_evidence(&bench);
}

/// The bag, the ledger and an export, as an auditor checks them.
fn is_evidence(bench: &Bench) {
    let (code, stdout, stderr) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let bag = review_bag(bench);
    let (good, said) = judge(&bag, tool("bagit.py"), &["--validate", "."]);
    assert!(good, "{said}");
    let (good, said) = judge(&bag, "sh", &["verify.sh", bench.path("allowed_signers").to_str().unwrap()]);
    assert!(good, "{said}");
    assert!(bench.run(&["evidence", "list"]).1.contains("_review-quarterly_"));
    let (code, again) = recompute(&bag);
    assert!(code == 0 && again.contains("same    data/decisions.csv"), "{again}");
    let (_, schema, _) = bench.run(&["schema", "review"]);
    fs::write(bench.path("review.schema.json"), schema).unwrap();
    let (schema, file) = (bench.path("review.schema.json"), bag.join("data/review.json"));
    let output = check_jsonschema(&[OsStr::new("--schemafile"), schema.as_os_str(), file.as_os_str()]);
    assert!(output.status.success(), "{}", printed(&output).0);

    let decisions = read_csv(&bag.join("data/decisions.csv"));
    let place = |name: &str| decisions[0].iter().position(|column| column == name).unwrap();
    let removed: Vec<_> = decisions[1..].iter().filter(|row| row[place("decision")] == "remove").collect();
    assert_eq!(removed.len(), 1);
    let audit = facts(bench, "recorded")[0]["bag"]["sha256"].clone();
    assert!(decisions[1..].iter().all(|row| row[place("audit_bag_sha256")] == audit), "{decisions:?}");
    assert_eq!(read_csv(&bag.join("data/attestations.csv")).len(), 3, "by ben, and by the owner for the others");
    assert_eq!(read_csv(&bag.join("data/remediation.csv")).len(), 2);

    let (_folder, inside) = exported(bench, "all.zip");
    let (good, said) = verified(&inside);
    assert!(good, "{said}");
    assert!(inside.join(bag.file_name().unwrap()).join("data/review.json").exists());
    // What was proven after the close stands in the export, and beside the audits in its coverage.
    let name = format!("remediation_{}.csv", bag.file_name().unwrap().to_str().unwrap());
    let carried_out = read_csv(&inside.join(name));
    let place = carried_out[0].iter().position(|column| column == "carried_out").unwrap();
    assert_eq!(carried_out[1][place], "proven");
    let at_the_close = read_csv(&bag.join("data/remediation.csv"));
    assert_eq!(at_the_close[1][place], "open");
    let reviews = read_csv(&inside.join("coverage-reviews.csv"));
    assert_eq!((reviews.len(), &*reviews[1][0], &*reviews[1][5]), (2, "quarterly", "by hand"));
    let readme = fs::read_to_string(inside.join("README.txt")).unwrap();
    for file in ["\n  coverage-reviews.csv every review", "\n  remediation_BAG.csv  for each"] {
        assert!(readme.contains(file), "{readme}");
    }
}

#[test]
fn what_is_not_allowed_is_refused_row_by_row_and_changes_nothing() {
    let (bench, id) = opened(14);
    let own = item_of(&bench, &id, "ben@example.com");
    let admin = items(&bench, &id).into_iter().find(|item| item["privileged"] == true).unwrap();
    assert_eq!(admin["reviewer"], "sec@example.com");
    let plain = item_of(&bench, &id, "leaver@example.com");
    let (own, admin, plain) = (text(&own, "item"), text(&admin, "item"), text(&plain, "item"));
    let both = format!("{plain},{own}");
    let refused = |item: &str, decision: &str, by: &str, more: &[&str], why: &str| {
        let before = shown(&bench, &id);
        let (code, said) = decide(&bench, &id, item, decision, by, more);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(why), "{said}");
        assert_eq!(shown(&bench, &id), before);
    };
    let reason = &["--reason", "because"][..];
    refused(own, "keep", "ben@example.com", reason, "nobody decides about their own account");
    refused(plain, "keep", "eve@example.com", reason, "eve@example.com is not a reviewer or the owner of this review");
    refused(plain, "keep", "sec@example.com", reason, "ben@example.com decides about it, not sec@example.com");
    refused(admin, "keep", "sec@example.com", &[], "a reason is required, because it is privileged");
    refused(plain, "remove", "ben@example.com", &[], "a reason is required");
    refused(plain, "keep", "ben@example.com", &["--seen", "9"], "it has changed since you saw it (version 9, now 1)");
    refused("4000", "keep", "ben@example.com", &[], "item 4000: the review has no such item");
    refused(
        plain,
        "change",
        "ben@example.com",
        &["--to", "x", "--reason", "r"],
        "no role or profile with the id or name",
    );
    // At the first review everything is new, so nothing is decided at once; both rows are named.
    refused(&both, "keep", "ana@example.com", &[], &format!("item {plain}: it cannot be decided together"));
    refused(&both, "keep", "ana@example.com", &[], &format!("item {own}: it cannot be decided together"));

    let unknown = "00000000-0000-0000-0000-000000000000";
    assert_eq!(decide(&bench, unknown, "1", "keep", "ana@example.com", &[]).0, 2);
    assert_eq!(decide(&bench, &id, plain, "change", "ben@example.com", &[]).0, 2);
    assert_eq!(bench.run(&["review", "open", "yearly"]).0, 2);
    let (code, _, said) = bench.run(&["review", "open", "quarterly"]);
    assert_eq!(code, 1, "one of a name at a time: {said}");

    // Assigned with a reason, on record, and then it is the other's.
    let (code, _, said) = bench.run(&["review", "assign", &id, own, "ben@example.com", "--reason", "x"]);
    assert!(code == 1 && said.contains("nobody decides about their own account"), "{said}");
    assert_eq!(bench.run(&["review", "assign", &id, plain, "sec@example.com", "--reason", "on leave"]).0, 0);
    refused(plain, "keep", "ben@example.com", &[], "sec@example.com decides about it");
    let (code, said) = decide(&bench, &id, plain, "keep", "sec@example.com", &[]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(facts(&bench, "review").len(), 3, "opened, assigned, decided");
}

#[test]
fn a_second_review_shows_the_first_and_lets_ordinary_accounts_be_kept_at_once() {
    let (bench, id) = opened(14);
    keep_the_rest(&bench, &id);
    let (code, stdout, said) = bench.run(&["review", "close", &id, "--next", "2099-01-31"]);
    assert_eq!(code, 0, "{said}");
    assert!(stdout.contains("no change needed") && stdout.contains("2099-01-31"), "{stdout}");
    let closed = facts(&bench, "review").into_iter().find(|entry| entry["event"] == "closed").unwrap();
    assert_eq!((&closed["no_change_needed"], &closed["next_review"]), (&json!(true), &json!("2099-01-31")));

    let (code, stdout, said) = bench.run(&["review", "open", "quarterly", "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    let second: Value = serde_json::from_str(&stdout).unwrap();
    let second = text(&second, "id");
    let all = items(&bench, second);
    assert!(all.iter().all(|item| item["changed"] == false));
    let ordinary: Vec<&str> = all
        .iter()
        .filter(|item| {
            item["privileged"] == false && item["findings"] == json!([]) && item["reviewer"] == "ben@example.com"
        })
        .map(|item| text(item, "item"))
        .collect();
    assert!(ordinary.len() > 1, "{all:?}");
    let (code, said) = decide(&bench, second, &ordinary.join(","), "keep", "ben@example.com", &[]);
    assert_eq!(code, 0, "{said}");
    let batch = facts(&bench, "review").pop().unwrap();
    assert_eq!(batch["items"].as_array().unwrap().len(), ordinary.len(), "recorded as one batch");
    assert_eq!(bench.run(&["review", "cancel", second, "--reason", "a rehearsal"]).0, 0);
    assert_eq!(shown(&bench, second)["state"], "cancelled");
    assert_eq!(decide(&bench, second, ordinary[0], "keep", "ben@example.com", &[]).0, 1);
}

#[test]
fn a_review_that_cannot_be_opened_says_why() {
    let bench = bench(12);
    let (code, _, said) = bench.run(&["review", "open", "quarterly"]);
    assert!(code == 1 && said.contains("the job weekly has no complete audit yet"), "{said}");
    bench.audit(&["--job", "weekly"]);
    bench.reconfigure("  { reviewer = \"ben@example.com\", alternate = \"ana@example.com\" },\n", "");
    let (code, _, said) = bench.run(&["review", "open", "quarterly"]);
    assert!(code == 1 && said.contains("acme: leaver@example.com: no entry of `reviewers` matches"), "{said}");
    assert_eq!(facts(&bench, "review").len(), 0);
    bench.reconfigure("owner = \"ana@example.com\"", "owner = \"ben@example.com\"");
    bench.reconfigure("reviewers = [", "reviewers = [ { reviewer = \"ben@example.com\" },");
    let (code, _, said) = bench.run(&["review", "open", "quarterly"]);
    assert!(code == 1 && said.contains("acme: ben@example.com: everybody who could decide"), "{said}");
    // The evidence is gone.
    bench.configure(CONFIGURATION);
    let bag = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    fs::rename(bag.unwrap(), bench.path("elsewhere")).unwrap();
    let (code, _, said) = bench.run(&["review", "open", "quarterly"]);
    assert!(code == 1 && said.contains("is missing or was changed"), "{said}");
}

/// Dies at a point of the store.
pub(crate) fn dies(bench: &Bench, point: &str, arguments: &[&str]) {
    let output = bench.rolecall(arguments).env("ROLECALL_CRASH_AT", point).output().unwrap();
    assert_eq!(output.status.code(), None, "{point}: {}", printed(&output).1);
}

#[test]
fn a_process_that_dies_at_any_write_leaves_a_review_that_goes_on() {
    let bench = bench(12);
    bench.audit(&["--job", "weekly"]);
    let open = ["review", "open", "quarterly"];
    dies(&bench, "open_review.before", &open);
    assert_eq!(bench.run(&["review", "list", "--format", "json"]).1.trim(), "[]");
    dies(&bench, "open_review.after", &open);
    let rows: Value = serde_json::from_str(&bench.run(&["review", "list", "--format", "json"]).1).unwrap();
    let id = text(&rows[0], "id").to_owned();
    let first = items(&bench, &id).remove(0);
    let (number, reviewer) = (text(&first, "item"), text(&first, "reviewer"));
    let keep = ["review", "decide", &id, number, "keep", "--as", reviewer, "--reason", "needed"];
    dies(&bench, "change_review.before", &keep);
    assert_eq!(items(&bench, &id)[0]["decision"], Value::Null);
    dies(&bench, "change_review.after", &keep);
    assert_eq!(items(&bench, &id)[0]["decision"], "keep");
    keep_the_rest(&bench, &id);
    let close = ["review", "close", id.as_str()];
    dies(&bench, "change_review.before", &close);
    assert_eq!(shown(&bench, &id)["state"], "decided");
    // Closed, and not yet sealed.
    dies(&bench, "change_review.after", &close);
    assert_eq!(shown(&bench, &id)["state"], "closed");
    assert_eq!(facts(&bench, "review_sealed").len(), 0);
    let (code, stdout, said) = bench.run(&close);
    assert!(code == 0 && stdout.contains("_review-quarterly_"), "{stdout}{said}");
    assert_eq!(facts(&bench, "review_sealed").len(), 1);
    assert_eq!(bench.run(&close).0, 1);
    let (code, stdout, stderr) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

/// A forger who can seal a bag again: the digests are right, and the table does not follow from the events.
#[test]
fn a_table_that_does_not_follow_from_the_events_is_found() {
    let (bench, id) = opened(12);
    keep_the_rest(&bench, &id);
    assert_eq!(bench.run(&["review", "close", &id]).0, 0);
    let bag = review_bag(&bench);
    forge(&bag.join("data/decisions.csv"), ",keep,", ",remove,");
    let seal = "chmod -R u+w .; rm -f tagmanifest-sha256.txt.sig
        sha256sum data/* > manifest-sha256.txt; sha512sum data/* > manifest-sha512.txt
        tags='README.txt bag-info.txt bagit.txt manifest-sha256.txt manifest-sha512.txt verify.sh'
        sed -i \"s/^Payload-Oxum.*/Payload-Oxum: $(cat data/* | wc -c).$(ls data | wc -l)/\" bag-info.txt
        sha512sum $tags > tagmanifest-sha512.txt
        sha256sum $tags > tagmanifest-sha256.txt";
    let (good, said) = judge(&bag, "sh", &["-c", seal]);
    assert!(good, "{said}");
    let (code, said) = recompute(&bag);
    assert!(code == 1 && said.contains("DIFFERS data/decisions.csv"), "{said}");
    assert!(said.contains("same    data/review.json"), "{said}");
    let (code, stdout, _) = bench.run(&["evidence", "verify"]);
    assert!(code == 1 && stdout.contains("this one was substituted"), "{stdout}");
}

/// Replaces a text of a sealed file.
fn forge(file: &Path, from: &str, to: &str) {
    let content = fs::read_to_string(file).unwrap();
    assert!(content.contains(from), "{content}");
    let mut permissions = fs::metadata(file).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "the test owns the file")]
    permissions.set_readonly(false);
    fs::set_permissions(file, permissions).unwrap();
    fs::write(file, content.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_decision_that_is_edited_afterwards_is_found() {
    let (bench, id) = opened(12);
    keep_the_rest(&bench, &id);
    assert_eq!(bench.run(&["review", "close", &id]).0, 0);
    forge(&review_bag(&bench).join("data/events.jsonl"), "\"decision\":\"keep\"", "\"decision\":\"remove\"");
    let (code, stdout, _) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("data/events.jsonl differs from entry"), "{stdout}");
}

#[test]
fn two_people_who_decide_at_once_both_have_their_decisions_recorded() {
    let (bench, id) = opened(12);
    let mine: Vec<Value> =
        items(&bench, &id).into_iter().filter(|item| item["reviewer"] == "ben@example.com").collect();
    let children: Vec<_> = mine
        .iter()
        .take(4)
        .map(|item| {
            let arguments =
                ["review", "decide", &id, text(item, "item"), "keep", "--as", "ben@example.com", "--reason", "needed"];
            let command = bench.rolecall(&arguments);
            let mut process = std::process::Command::new(command.get_program());
            process.args(command.get_args()).current_dir(bench.folder.path());
            process.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            process.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let decided = items(&bench, &id).iter().filter(|item| item["decision"] == "keep").count();
    assert_eq!(decided, mine.len().min(4));
}
