//! Bags whose seals fit and whose content does not follow from their answers: the review made once more finds each.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    evidence::{bench, judge},
    support::{Bench, recompute},
    tools::tool,
};

fn bag(bench: &Bench) -> PathBuf {
    bench.audit(&["--send"]);
    let folders = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|path| path.join("bagit.txt").exists()).max().unwrap()
}

/// A copy that somebody changes by a command and seals again.
fn forged(bag: &Path, command: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(bag.file_name().unwrap());
    assert!(Command::new("cp").arg("-r").arg(bag).arg(&copy).status().unwrap().success());
    let seal = "
        oxum=$(find data -type f -exec cat {} + | wc -c).$(find data -type f | wc -l)
        sed -i \"s/^Payload-Oxum: .*/Payload-Oxum: $oxum/\" bag-info.txt
        for n in 256 512; do (find data -type f | LC_ALL=C sort | xargs sha${n}sum) > manifest-sha$n.txt; done
        for n in 256 512; do
          sha${n}sum README.txt bag-info.txt bagit.txt manifest-sha256.txt manifest-sha512.txt verify.sh > tagmanifest-sha$n.txt
        done";
    let (done, said) = judge(&copy, "sh", &["-c", &format!("set -e; chmod -R u+w .; {command}; {seal}")]);
    assert!(done, "{command}: {said}");
    let (whole, said) = judge(&copy, tool("bagit.py"), &["--validate", "."]);
    assert!(whole, "{command}: the digests fit: {said}");
    (folder, copy)
}

#[test]
fn whatever_does_not_follow_from_the_answers_is_named() {
    let bench = bench(30);
    let bag = bag(&bench);
    let (code, said) = recompute(&bag);
    assert!(code == 0 && said.matches("same    ").count() == 19 && !said.contains("DIFFERS"), "{said}");
    for (command, file) in [
        ("sed -i 's/acme/ACME/' data/reports/report.html", "data/reports/report.html"),
        ("sed -i 's/\"state\": *\"/&x/' data/reports/report.json", "data/reports/report.json"),
        ("cp data/rules.json data/reports/report.xlsx", "data/reports/report.xlsx"),
        ("sed -i 's/they agree/THEY AGREE/' data/completeness.json", "data/completeness.json"),
        ("echo '[]' > data/rules.json", "data/rules.json"),
        ("sed -i 's/\"max_administrators\": ./&0/' data/policy.json", "data/policy.json"),
        ("sed -i '2s/: .*/: null,/' data/directory/organization.json", "data/directory/organization.json"),
        ("sed -i 's/zoho_bigin/truto/' data/directory/source.json", "data/directory/source.json"),
        (
            "gunzip data/directory/users.jsonl.gz; sed -i 1d data/directory/users.jsonl; gzip -n data/directory/users.jsonl",
            "data/directory/users.jsonl.gz",
        ),
        ("sed -i 's/^  Complete .*/  Complete   certainly/' README.txt", "README.txt"),
        ("sed -i '$d' verify.sh", "verify.sh"),
        ("sed -i 's/^Rolecall-Complete: true/Rolecall-Complete: false/' bag-info.txt", "bag-info.txt"),
        // The dates of the answers, moved by a day.
        ("sed -i 's/\"asked_at\":\"20../\"asked_at\":\"19../' data/answers.jsonl", "data/answers.jsonl"),
        (
            "sed -i 's/\"date\":\"[A-Z][a-z][a-z], .. /\"date\":\"Mon, 01 /; s/ 20[0-9][0-9] / 2019 /' data/answers.jsonl",
            "data/completeness.json",
        ),
        ("echo more > data/answers/99999.json", "data/answers.jsonl"),
        // An answer.
        ("sed -i 's/\"company_name\":\"/&X/' $(grep -l company_name data/answers/*.json)", "data/answers.jsonl"),
        ("sed -i 's/\"by_hand\": true/\"by_hand\": false/' data/occasion.json", "data/reports/report.html"),
    ] {
        let (_folder, copy) = forged(&bag, command);
        let (code, said) = recompute(&copy);
        assert!(code == 1 && said.contains(&format!("DIFFERS {file}, ")), "{command}: {said}");
    }
    // Only answers of the bag are read, and no more of them than the index says.
    let first = "data/answers/[0-9]*.json[.gz]*";
    for file in [
        "/dev/zero",
        "data/../../../../../../../../etc/hostname",
        "data/answers/../answers.jsonl",
        "data/answers.jsonl",
    ] {
        let (_folder, copy) = forged(&bag, &format!("sed -i '1s#{first}\"#{file}\"#' data/answers.jsonl"));
        let (code, said) = recompute(&copy);
        assert!(code == 1 && said.contains("is not the name of an answer of this bag"), "{file}: {said}");
    }
    let bomb = "for file in data/answers/*.gz; do head -c 400000000 /dev/zero | gzip -n -1 > $file; done";
    let (_folder, copy) = forged(&bag, bomb);
    let (code, said) = recompute(&copy);
    assert!(code == 1 && said.contains("the bag has no answer to"), "{said}");
    let (_folder, copy) = forged(&bag, "sed -i '1s/\"bytes\":[0-9]*/\"bytes\":99999999999/' data/answers.jsonl");
    let (code, said) = recompute(&copy);
    assert!(code == 1 && said.contains("expected at most"), "{said}");
    // A bomb whose true size is in the index.
    let bomb = "file=$(ls data/answers/*.gz | head -1); head -c 400000000 /dev/zero | gzip -n -1 > $file; \
        sed -i \"\\#${file#data/}#s/\\\"bytes\\\":[0-9]*/\\\"bytes\\\":400000000/\" data/answers.jsonl";
    let (_folder, copy) = forged(&bag, bomb);
    let (code, said) = recompute(&copy);
    assert!(code == 1 && said.contains("has 400000000 bytes; expected at most 16777216"), "{said}");
    let (_folder, copy) = forged(&bag, "sed -i '/type=AdminUsers/d' data/answers.jsonl");
    let (code, said) = recompute(&copy);
    assert!(code == 1 && said.contains("the bag has no answer to /bigin/v2/users?type=AdminUsers&page=1"), "{said}");
}

#[test]
fn a_bag_of_an_older_rolecall_is_compared_as_far_as_it_can_be_and_says_so() {
    let bench = bench(30);
    let bag = bag(&bench);
    let (_folder, older) = forged(&bag, "rm data/occasion.json");
    let (code, said) = recompute(&older);
    assert!(code == 0 && said.matches("same    ").count() == 3, "{said}");
    assert!(said.contains("An older rolecall made this bag"), "{said}");
    // Another version words things otherwise; what it found must be the same all the same.
    let other = "sed -i 's/^Bag-Software-Agent: rolecall [^ ]*/Bag-Software-Agent: rolecall 9.9.9/' bag-info.txt; sed -i 's/Judged/Weighed/' README.txt";
    let (_folder, other) = forged(&bag, other);
    let (code, said) = recompute(&other);
    assert!(
        code == 0 && said.contains("OTHER   README.txt, from line ") && said.contains("by rolecall 9.9.9"),
        "{said}"
    );
}

const POLICY: &str = r#"
[rosters.hr]
source = { file = "people.csv" }
format = "csv"

[[policy.separations]]
name = "administer-alone"
first = { profile = "Administrator" }
second = { permission = "*" }
severity = "medium"

[[policy.expected_access]]
department = "Sales"
profiles = ["Standard"]

[[policy.custom_rules]]
name = "own-administrator"
title = "Administrator by the roster"
severity = "low"
when = 'user.administrator && roster.found && roster.current'
message = "{user.email} works in {roster.department}."
fix = "Nothing."

[[policy.custom_rules]]
name = "own-new"
title = "Somebody who was not there"
severity = "low"
when = '!previous.found'
message = "{user.email}"
fix = "Nothing."
"#;

#[test]
fn a_review_by_rules_of_ones_own_a_roster_and_separations_follows_from_its_bag() {
    let bench = bench(30);
    bench.reconfigure("company_domains = [\"example.com\"]", "company_domains = [\"example.com\"]\nroster = \"hr\"");
    fs::write(bench.path("rolecall.toml"), bench.read("rolecall.toml") + POLICY).unwrap();
    let users = bench.simulator.world().read(rolecall_simulator::World::users);
    let mut people = "Work Email;Name;Status;Department\n".to_owned();
    for user in &users {
        let text = |key: &str| user[key].as_str().unwrap_or_default().replace([';', '"'], "");
        writeln!(people, "{};{};Active;Sales", text("email"), text("full_name")).unwrap();
    }
    fs::write(bench.path("people.csv"), people).unwrap();
    bag(&bench);
    let removed = users.iter().rfind(|user| user["status"] == "active").unwrap()["id"].as_str().unwrap();
    bench.simulator.world().edit(|world| world.remove_user(removed)).unwrap();
    let bag = bag(&bench);
    let found = fs::read_to_string(bag.join("data/reports/findings.csv")).unwrap();
    for rule in ["own-administrator", "conflicting-access"] {
        assert!(found.contains(rule), "{rule} found nothing: {found}");
    }
    assert!(!found.contains("own-new"), "everybody was there before: {found}");
    let (code, said) = recompute(&bag);
    assert!(code == 0 && !said.contains("DIFFERS"), "{said}");
    for (command, file) in [
        ("sed -i 's/\"Sales\"/\"Support\"/' data/roster.json", "data/reports/findings.csv"),
        ("sed -i 's/roster.found/user.active/' data/policy.json", "data/policy.json"),
        (
            "sed -i 's/user.administrator && roster.found/user.active/' data/configuration.toml",
            "data/reports/findings.csv",
        ),
        ("sed -i 's/own-administrator/own-something/' data/rules.json", "data/rules.json"),
        ("sed -i 's/,own-administrator,/,own-something,/' data/reports/findings.csv", "data/reports/findings.csv"),
        ("rm data/previous*", "data/reports/findings.csv"),
    ] {
        let (_folder, copy) = forged(&bag, command);
        let (code, said) = recompute(&copy);
        assert!(code == 1 && said.contains("DIFFERS") && said.contains(file), "{command}: {said}");
    }
}
