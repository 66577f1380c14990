//! The certificate of a read: what it counts, other tools count too; and what it says of bags of every kind.

use std::{fs, path::Path};

use rolecall_simulator::Fault;

use crate::{
    browser::{length, problems},
    evidence::{bench, judge},
    first_generation::Left,
    review,
    support::{Bench, recompute, rolecall},
    tools::read_html,
};

/// The page about a bag, made without a configuration.
fn of_bag(bag: &Path, more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("page.html");
    let output = rolecall()
        .args(["evidence", "certificate"])
        .arg(bag)
        .args(["--out", out.to_str().unwrap()])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), fs::read_to_string(out).unwrap_or_default(), said)
}

/// The only audit's id and bag.
fn audited(bench: &Bench) -> (String, std::path::PathBuf) {
    bench.audit(&["--send"]);
    let recorded = review::facts(bench, "recorded").pop().unwrap();
    let bag = bench.path("bags").join(recorded["bag"]["folder"].as_str().unwrap());
    (recorded["run"].as_str().unwrap().to_owned(), bag)
}

/// The commands that a page gives an auditor, without the one that needs rolecall.
fn commands(page: &str, bag: &Path, keys: &Path) -> String {
    let block = page.split_once("<pre>").unwrap().1.split_once("</pre>").unwrap().0;
    let text = block
        .replace("&lt;", "<")
        .replace("&#60;", "<")
        .replace("&#38;", "&")
        .replace("&#39;", "'")
        .replace("&#34;", "\"");
    let lines = text.lines().filter(|line| !line.starts_with("rolecall ") && !line.starts_with("cd "));
    let lines: Vec<String> = lines.map(|line| line.replace("FILE", keys.to_str().unwrap())).collect();
    format!("set -e\ncd {}\n{}\n", bag.display(), lines.join("\n"))
}

#[test]
fn every_number_is_counted_again_and_the_commands_on_the_page_say_the_same() {
    let bench = bench(450);
    let (id, bag) = audited(&bench);
    let (code, printed, said) = bench.run(&["evidence", "certificate", &id]);
    assert_eq!(code, 0, "{printed}{said}");
    let file = bench.path(&format!("certificate_{id}.html"));
    let page = fs::read_to_string(&file).unwrap();
    let verified = format!(
        "ssh-keygen -Y verify -f allowed_signers -I rolecall -n rolecall-evidence -s {0}.sig < {0}",
        file.file_name().unwrap().to_str().unwrap()
    );
    let (good, said) = judge(bench.folder.path(), "sh", &["-c", &verified]);
    assert!(good && said.contains("Good \"rolecall-evidence\" signature"), "{said}");
    let same = page.matches("✓ the same").count();
    assert!(same >= 9 && !page.contains("✕ differs") && !page.contains("not stated"), "{same}: {page}");
    assert!(page.contains("<span class=\"badge\">Complete, not from the vendor</span>"), "{page}");
    assert!(
        page.contains("valid, by the trusted key SHA256:") && page.contains("accepted by the servers of"),
        "{page}"
    );
    assert!(page.contains("last login") && page.contains("NOT a host of the vendor"), "{page}");
    let users = bench.simulator.world().read(rolecall_simulator::World::user_ids).len();
    assert!(page.contains(&format!("All {users} accounts of acme are in the list")), "{page}");
    let (good, said) =
        judge(bench.folder.path(), "sh", &["-c", &commands(&page, &bag, &bench.path("allowed_signers"))]);
    assert!(good && said.contains("Good \"rolecall-evidence\" signature"), "{said}");
    assert!(said.lines().any(|line| line.trim() == users.to_string()), "{said}");
    let answers = fs::read_to_string(bag.join("data/answers.jsonl")).unwrap().lines().count();
    assert!(said.lines().any(|line| line.trim() == answers.to_string()), "{said}");
    let stated = |file: &str, pointer: &str| {
        let file: serde_json::Value = serde_json::from_slice(&fs::read(bag.join(file)).unwrap()).unwrap();
        file.pointer(pointer).unwrap().to_string()
    };
    for number in [
        stated("data/completeness.json", "/reading/bytes"),
        stated("data/reports/report.json", "/summary/administrators"),
    ] {
        assert!(said.lines().any(|line| line.trim() == number), "{number} is not in {said}");
    }
    // The ids in the answers, the lines of the users as parsed, and nothing that only this program can count.
    assert_eq!(said.lines().filter(|line| line.trim() == users.to_string()).count(), 2, "{said}");
    assert!(page.contains("data/answers/00") && page.contains("/reading/checks/0"), "{page}");

    let html = read_html(&file);
    assert_eq!(html["mismatched"], serde_json::json!([]));
    assert_eq!(problems("page", &file), [""; 0]);
    let length = length(&file);
    assert!(length["pages"].as_u64().unwrap() <= 2 && length["folded_on_paper"] == 0, "{length}");
    // It is made from the bag, and leaves no trace in it.
    let (code, again) = recompute(&bag);
    assert_eq!(code, 0, "{again}");
    assert_eq!(bench.run(&["evidence", "verify"]).0, 0);
    let (_, by_folder, _) = of_bag(&bag, &["--allowed-signers", bench.path("allowed_signers").to_str().unwrap()]);
    let without_time = |page: &str| page.split("<footer>").next().unwrap().to_owned();
    assert_eq!(without_time(&by_folder), without_time(&page));
}

#[test]
fn an_incomplete_read_is_certified_as_incomplete() {
    let bench = bench(201);
    bench.simulator.set_faults([Fault::UsersShiftAlways]);
    let (id, _) = audited(&bench);
    assert_eq!(bench.run(&["evidence", "certificate", &id, "--out", "page.html"]).0, 0);
    let page = bench.read("page.html");
    assert!(
        page.contains("<span class=\"badge\">Incomplete</span>") && page.contains("class=\"result failed\""),
        "{page}"
    );
}

#[test]
fn what_is_no_read_or_was_changed_gets_no_certificate() {
    let bench = bench(15);
    let (id, bag) = audited(&bench);
    let (code, _, said) = bench.run(&["evidence", "certificate", "019a0000-0000-7000-8000-000000000000"]);
    assert!(code == 1 && said.contains("no evidence bag of an audit"), "{said}");
    let (code, _, said) = of_bag(bench.folder.path(), &[]);
    assert!(code == 2 && said.contains("is not a bag of evidence"), "{said}");
    let file = bag.join("data/completeness.json");
    let (good, said) = judge(&bag, "chmod", &["-R", "u+w", "."]);
    assert!(good, "{said}");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("\"excluded\": 0", "\"excluded\": 1")).unwrap();
    for (code, page, said) in [of_bag(&bag, &[]), {
        let (code, _, said) = bench.run(&["evidence", "certificate", &id, "--out", "never.html"]);
        (code, bench.path("never.html").exists().then(String::new).unwrap_or_default(), said)
    }] {
        assert!(code == 1 && page.is_empty() && said.contains("data/completeness.json"), "{said}");
    }
}

#[test]
fn bags_of_the_first_generation_are_certified_too() {
    let left = Left::unpacked();
    let mut certified = 0;
    for bag in left.bags("bags") {
        let (code, page, said) = of_bag(&bag, &[]);
        if bag.join("data/failure.json").exists() {
            assert!(code == 1 && said.contains("has no audit in it"), "{said}");
            continue;
        }
        assert_eq!(code, 0, "{said}");
        assert!(page.contains(">Complete, not from the vendor</span>") && !page.contains("✕ differs"), "{page}");
        assert!(page.contains("it was not checked, because no trusted key was named"), "{page}");
        certified += 1;
    }
    assert_eq!(certified, 3);
}
