//! Samples for auditors: drawn again by the script that comes with them, and followed place by place by somebody else's code.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    browser::problems,
    evidence::judge,
    export::{days, exported},
    review::{decide, item_of, keep_the_rest, opened, text},
    support::{Bench, rolecall},
    tools::{read_csv, run_script, tool},
};

/// Evidence with a review that decided to remove somebody, the proof of it, somebody new, and mails.
fn reviewed() -> Bench {
    let (bench, id) = opened(14);
    let leaver = item_of(&bench, &id, "leaver@example.com");
    let item = text(&leaver, "item");
    assert_eq!(decide(&bench, &id, item, "remove", "ben@example.com", &["--reason", "left in May"]).0, 0);
    keep_the_rest(&bench, &id);
    assert_eq!(bench.run(&["review", "attest", &id, "--as", "ben@example.com"]).0, 0);
    assert_eq!(bench.run(&["review", "close", &id]).0, 0);
    let user = text(&leaver, "user_id").to_owned();
    bench
        .simulator
        .world()
        .edit(|world| {
            world.add_user(&serde_json::json!({"full_name": "=New <b>One</b>", "email": "new@example.com"}));
            world.remove_user(&user)
        })
        .unwrap();
    bench.audit(&["--job", "weekly", "--send"]);
    bench
}

/// Draws, and gives what sample.json says.
fn draw(bench: &Bench, of: &str, n: &str, out: &str) -> Value {
    let [from, to] = days();
    let period = ["evidence", "sample", "--from", &from, "--to", &to];
    let more = ["--seed", "4711 §", "--of", of, "--n", n, "--out", out];
    let (code, printed, said) = bench.run(&[&period[..], &more[..]].concat());
    assert_eq!(code, 0, "{printed}{said}");
    serde_json::from_str(&bench.read(&format!("{out}/sample.json"))).unwrap()
}

#[test]
fn each_file_of_a_sample_is_signed() {
    let bench = crate::evidence::bench(8);
    bench.audit(&["--job", "weekly"]);
    draw(&bench, "accounts", "3", "sample");
    let files = fs::read_dir(bench.path("sample")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = files.filter(|file| file.extension().is_none_or(|ending| ending != "sig")).collect();
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        let script = format!(
            "ssh-keygen -Y verify -f allowed_signers -I rolecall -n rolecall-evidence -s {0}.sig < {0}",
            file.display()
        );
        let (good, said) = judge(bench.folder.path(), "sh", &["-c", &script]);
        assert!(good, "{said}");
    }
}

fn ids(sample: &Value) -> Vec<String> {
    sample["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// The draw of the script that is in a sample.
fn drawn_again(folder: &Path, n: &str) -> Vec<String> {
    let script = format!("{} draw.py '4711 §' {n} < population.txt", tool("python").display());
    let (good, said) = judge(folder, "sh", &["-c", &script]);
    assert!(good, "{said}");
    said.lines().map(str::to_owned).collect()
}

/// How many places of each kind an auditor follows.
fn followed(sample: &Path, evidence: &Path) -> Value {
    serde_json::from_slice(&run_script("trace.py", &[sample, evidence])).unwrap()
}

/// The step of an item.
fn step<'a>(item: &'a Value, title: &str) -> &'a Value {
    let steps = item["steps"].as_array().unwrap();
    steps.iter().find(|step| step["title"] == title).unwrap_or_else(|| panic!("{title} is not in {item}"))
}

#[test]
fn every_population_is_drawn_again_by_the_script_and_every_place_is_where_the_sample_says() {
    let bench = reviewed();
    for of in ["reviews", "accounts", "joiners", "leavers", "changes"] {
        let sample = draw(&bench, of, "7", of);
        let folder = bench.path(of);
        assert_eq!(drawn_again(&folder, "7"), ids(&sample), "{of}");
        assert!(!ids(&sample).is_empty(), "{of}");
        let followed = followed(&folder, &bench.path("bags"));
        assert!(followed["line"].as_u64() > Some(0), "{of}: {followed}");
        let rows = read_csv(&folder.join("sample.csv"));
        let numbers: BTreeSet<&String> = rows[1..].iter().map(|row| &row[0]).collect();
        assert_eq!(numbers.len(), ids(&sample).len(), "{of}");
        assert!(rows.iter().flatten().all(|cell| !cell.starts_with('=')), "{of}: a formula");
        if matches!(of, "leavers" | "reviews") {
            for page in ["index.html", "item-01.html"] {
                assert_eq!(problems("page", &folder.join(page)), [""; 0], "{of}: {page}");
            }
        }
    }
    // The population of accounts is what the matrices list.
    let mut listed = BTreeSet::new();
    for bag in fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path()) {
        let matrix = bag.join("data/reports/access-matrix.csv");
        if matrix.exists() {
            listed.extend(read_csv(&matrix)[1..].iter().map(|row| format!("{}/{}", row[0], row[1])));
        }
    }
    let population: BTreeSet<String> = bench.read("accounts/population.txt").lines().map(str::to_owned).collect();
    assert_eq!(population, listed);
}

#[test]
fn a_removal_is_traced_from_the_answer_to_the_proof() {
    let bench = reviewed();
    let sample = draw(&bench, "leavers", "25", "leavers");
    let items = sample["items"].as_array().unwrap();
    let leaver =
        items.iter().find(|item| item.to_string().contains("leaver@example.com")).expect("the leaver is drawn");
    let says = |title: &str| text(step(leaver, title), "says").to_owned();
    assert!(says("Raw answer before").starts_with("The API answered with this record in "), "{leaver}");
    assert!(text(step(leaver, "Raw answer before"), "quote").contains("leaver@example.com"), "{leaver}");
    assert_eq!(says("Decision by people"), "ben@example.com decided to remove it.");
    let proof = says("Proof of carrying out");
    assert!(proof.starts_with("The audit ") && proof.contains(" shows the account as "), "{proof}");
    let row = &step(leaver, "Proof of carrying out")["places"][0];
    assert!(text(row, "place").starts_with("every row: none is of user ") && row["sha256"].is_string(), "{row}");
    assert_eq!(says("Delivery of the report"), "Mail servers accepted 2 messages.");
    let joiners = draw(&bench, "joiners", "25", "joiners");
    let page = bench.read(&format!("joiners/{}", text(&joiners["items"][0], "page")));
    assert!(page.contains("&#60;b&#62;One") && !page.contains("<b>One"), "a name is markup");
}

#[test]
fn an_auditor_draws_from_an_export_without_a_configuration() {
    let bench = reviewed();
    let own = draw(&bench, "accounts", "6", "own");
    let (folder, inside) = exported(&bench, "all.zip");
    let [from, to] = days();
    let drawn = |evidence: &Path, out: &str| {
        let mut command: assert_cmd::Command = rolecall();
        command.current_dir(&folder).args(["evidence", "sample", "--from", &from, "--to", &to, "--n", "6"]);
        command.args(["--seed", "4711 §", "--out", out, "--allowed-signers", "trusted"]).arg(evidence);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let sample = folder.path().join(out).join("sample.json");
        serde_json::from_slice::<Value>(&fs::read(sample).unwrap()).unwrap()
    };
    let zip: PathBuf = bench.path("all.zip");
    for (evidence, out) in [(inside.as_path(), "unpacked"), (zip.as_path(), "zipped")] {
        let sample = drawn(evidence, out);
        assert_eq!(sample["items"], own["items"], "{out}");
        followed(&folder.path().join(out), &inside);
    }
}

#[test]
fn evidence_that_was_changed_gives_no_sample() {
    let bench = reviewed();
    let bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let bag = bags.filter(|path| path.join("data/reports").exists()).max().unwrap();
    let matrix = bag.join("data/reports/access-matrix.csv");
    assert!(Command::new("chmod").args(["-R", "u+w"]).arg(&bag).status().unwrap().success());
    fs::write(&matrix, fs::read_to_string(&matrix).unwrap().replace("active", "deleted")).unwrap();
    let [from, to] = days();
    let period = ["evidence", "sample", "--from", &from, "--to", &to, "--seed", "1", "--out", "never"];
    let (code, _, said) = bench.run(&period);
    assert!(code == 1 && said.contains("has been changed and is not exported"), "{said}");
    assert!(!bench.path("never").exists());
}

#[test]
fn a_folder_is_never_written_over_and_a_missed_review_can_be_drawn() {
    let bench = reviewed();
    fs::create_dir(bench.path("there")).unwrap();
    let [from, to] = days();
    let period = ["evidence", "sample", "--from", &from, "--to", &to, "--seed", "1"];
    let (code, _, said) = bench.run(&[&period[..], &["--out", "there"]].concat());
    assert!(code == 1 && said.contains("exists already"), "{said}");
    let reviews = draw(&bench, "reviews", "25", "reviews");
    let covered = read_csv(&{
        let (code, _, _) = bench.run(&["evidence", "coverage", "--from", &from, "--to", &to, "--out", "coverage"]);
        assert!(code == 0 || code == 3);
        bench.path("coverage/coverage.csv")
    });
    assert_eq!(reviews["population"], covered.len() - 1, "{covered:?}");
    let item = &reviews["items"][0];
    assert!(text(step(item, "Schedule"), "says").starts_with("The review is "), "{item}");
    assert!(text(step(item, "Raw answers"), "says").contains("agrees"), "{item}");
    // The audit that people decided about says what, and what proves it.
    let has_decisions = |item: &&Value| text(step(item, "Decision by people"), "says").starts_with("1 closed review");
    let decided = reviews["items"].as_array().unwrap().iter().find(has_decisions).expect("the audit is drawn");
    let decisions = step(decided, "Decision by people");
    assert!(decisions["facts"][0].to_string().contains(", 1 remove"), "{decisions}");
    assert_eq!(text(&decisions["places"][0], "file"), "data/decisions.csv");
    let proof = step(decided, "Proof of carrying out");
    assert_eq!(text(proof, "says"), "1 decision to change or remove, 1 of them proven by an audit.");
    assert_eq!(
        (text(&proof["facts"][0], "name"), text(&proof["places"][0], "file")),
        ("leaver@example.com", "ledger.jsonl")
    );
}
