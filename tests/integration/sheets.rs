//! A review by spreadsheet with the real binary: exported, filled in by other programs, signed, imported and refused.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    review::{facts, items, opened, text},
    support::Bench,
    tools::{fill_xlsx, read_csv},
};

/// The numbers of the items of a reviewer.
fn items_of(bench: &Bench, id: &str, reviewer: &str) -> Vec<Value> {
    items(bench, id).into_iter().filter(|item| item["reviewer"] == reviewer).collect()
}

fn export(bench: &Bench, id: &str, reviewer: &str, file: &str) {
    let (code, _, said) = bench.run(&["review", "export", id, "--reviewer", reviewer, "--out", file]);
    assert_eq!(code, 0, "{said}");
}

fn import(bench: &Bench, id: &str, file: &str, by: &str, more: &[&str]) -> (i32, String, String) {
    bench.run(&[&["review", "import", id, file, "--as", by], more].concat())
}

/// Writes a CSV file of records.
fn save(path: &Path, records: &[Vec<String>]) {
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    let line = |record: &Vec<String>| record.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n";
    fs::write(path, records.iter().map(line).collect::<String>()).unwrap();
}

/// Fills in the rows of an exported CSV file.
fn fill(path: &Path, fill: impl Fn(&mut [String])) {
    let mut records = read_csv(path);
    records[1..].iter_mut().for_each(|row| fill(row));
    save(path, &records);
}

fn keep(row: &mut [String]) {
    row[13..16].clone_from_slice(&["keep".to_owned(), String::new(), "needed for the work".to_owned()]);
}

#[test]
fn two_reviewers_decide_in_a_workbook_and_in_a_csv_file() {
    let (bench, id) = opened(14);
    let (ben, sec) = (items_of(&bench, &id, "ben@example.com"), items_of(&bench, &id, "sec@example.com"));
    export(&bench, &id, "Ben@Example.com", "ben.xlsx");
    export(&bench, &id, "sec@example.com", "sec.csv");
    let header = read_csv(&bench.path("sec.csv")).remove(0).join(",");
    assert_eq!(
        header,
        "item,workspace,user_id,full_name,email,status,role_name,profile_name,administrator,findings,last_decision,\
         last_decided_by,last_decided_on,decision,change_to,reason,version"
    );

    // Ben decides about all of his items but one, and removes one.
    let mut edits = serde_json::Map::new();
    for item in &ben[1..] {
        edits.insert(text(item, "item").to_owned(), json!({"decision": "keep", "reason": "needed for the work"}));
    }
    let leaver = ben.iter().find(|item| item["email"] == "leaver@example.com").unwrap();
    edits.insert(text(leaver, "item").to_owned(), json!({"decision": "remove", "reason": "left in May"}));
    let form = fill_xlsx(&bench.path("ben.xlsx"), &Value::Object(edits));
    let choices = json!({format!("N2:N{}", ben.len() + 1): "\"keep,change,remove\""});
    assert_eq!(
        form,
        json!({"protected": true, "frozen": "A2", "choices": choices, "open": ["decision", "change_to", "reason"],
               "types": ["s"]})
    );
    let (code, said, stderr) = import(&bench, &id, "ben.xlsx", "ben@example.com", &[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(said.contains(&format!("{} decisions by ben@example.com imported", ben.len() - 1)), "{said}");
    assert!(said.contains("1 left undecided"), "{said}");
    let after = items_of(&bench, &id, "ben@example.com");
    let undecided: Vec<_> = after.iter().filter(|item| item["decision"].is_null()).collect();
    assert_eq!((undecided.len(), &undecided[0]["item"]), (1, &ben[0]["item"]));
    let removed = after.iter().find(|item| item["item"] == leaver["item"]).unwrap();
    assert_eq!((&removed["decision"], &removed["via"]), (&json!("remove"), &json!("spreadsheet")));

    // The same file again changes nothing.
    let before = facts(&bench, "review").len();
    let (code, said, _) = import(&bench, &id, "ben.xlsx", "ben@example.com", &[]);
    assert!(code == 0 && said.contains("0 decisions") && said.contains("decided so already"), "{said}");
    assert_eq!(facts(&bench, "review").len(), before);

    fill(&bench.path("sec.csv"), keep);
    assert_eq!(import(&bench, &id, "sec.csv", "sec@example.com", &[]).0, 0);
    let after = items_of(&bench, &id, "sec@example.com");
    assert!(after.len() == sec.len() && after.iter().all(|item| item["decision"] == "keep"));
    let fact = facts(&bench, "review").pop().unwrap();
    assert_eq!(fact["sheet"], json!({"sha256": sha256(&bench.path("sec.csv"))}));
}

fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[test]
fn a_file_with_one_wrong_row_changes_nothing() {
    let (bench, id) = opened(14);
    let nobody = bench.run(&["review", "export", &id, "--reviewer", "eve@example.com", "--out", "eve.csv"]);
    assert!(nobody.0 == 1 && nobody.2.contains("eve@example.com decides about nothing in this review"), "{nobody:?}");
    let other = bench.run(&["review", "export", &id, "--reviewer", "ben@example.com", "--out", "ben.ods"]);
    assert!(other.0 == 2 && other.2.contains("ends with .xlsx or .csv"), "{other:?}");
    export(&bench, &id, "ben@example.com", "ben.csv");
    export(&bench, &id, "ana@example.com", "ana.csv");
    fill(&bench.path("ben.csv"), keep);
    let whole = read_csv(&bench.path("ben.csv"));
    let own = read_csv(&bench.path("ana.csv")).into_iter().find(|row| row[4] == "ben@example.com").unwrap();
    let refused = |change: &dyn Fn(&mut Vec<Vec<String>>), by: &str, why: &str| {
        let mut records = whole.clone();
        change(&mut records);
        save(&bench.path("changed.csv"), &records);
        let before = (items(&bench, &id), facts(&bench, "review").len());
        let (code, _, said) = import(&bench, &id, "changed.csv", by, &[]);
        assert!(code == 1 && said.contains(why), "{said}");
        assert_eq!((items(&bench, &id), facts(&bench, "review").len()), before);
    };
    let ben = "ben@example.com";
    let item = whole[1][0].clone();
    refused(
        &|rows| rows[1][4] = "x@example.com".to_owned(),
        ben,
        &format!("line 2 (item {item}): `email` was changed"),
    );
    refused(&|rows| rows[1][0] = "4000".to_owned(), ben, "line 2: item 4000: the review has no such item");
    refused(&|rows| rows[1][13] = "perhaps".to_owned(), ben, "invalid decision `perhaps`");
    refused(&|rows| rows[1][13] = "remove".to_owned(), "sec@example.com", "ben@example.com decides about it, not sec");
    let add_own = |rows: &mut Vec<Vec<String>>| {
        let mut own = own.clone();
        keep(&mut own);
        rows.push(own);
    };
    refused(&add_own, ben, "it is the account of ben@example.com, and nobody decides about their own account");
    refused(&|rows| rows.truncate(0), ben, "the file is empty");
    refused(&|rows| rows[0][0] = "number".to_owned(), ben, "the first line is not the header");

    // Decided at the command line since: the row is stale.
    let decide = ["review", "decide", &id, &item, "remove", "--as", ben, "--reason", "left"];
    assert_eq!(bench.run(&decide).0, 0);
    refused(&|_| {}, ben, &format!("line 2 (item {item}): it has changed since you saw it (version 1, now 2)"));
    let (code, _, said) = import(&bench, &id, "absent.csv", ben, &[]);
    assert!(code == 2 && said.contains("cannot read absent.csv"), "{said}");
}

#[test]
fn a_signed_file_is_recorded_with_its_signer() {
    let (bench, id) = opened(12);
    let keygen = |arguments: &[&str]| {
        let output = Command::new("ssh-keygen").args(arguments).current_dir(bench.folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for name in ["ben-key", "other-key"] {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name]);
    }
    let public = bench.read("ben-key.pub");
    fs::write(bench.path("people"), format!("ben@example.com namespaces=\"rolecall-review\" {public}")).unwrap();
    export(&bench, &id, "ben@example.com", "ben.csv");
    fill(&bench.path("ben.csv"), keep);
    let sign = |key: &str, namespace: &str| {
        let _ = fs::remove_file(bench.path("ben.csv.sig"));
        keygen(&["-q", "-Y", "sign", "-n", namespace, "-f", key, "ben.csv"]);
    };
    let signed = ["--signature", "ben.csv.sig", "--allowed-signers", "people"];
    let refused = |by: &str, why: &str| {
        let (code, _, said) = import(&bench, &id, "ben.csv", by, &signed);
        assert!(code == 1 && said.contains(why), "{said}");
        assert!(items(&bench, &id).iter().all(|item| item["decision"].is_null()));
    };
    sign("other-key", "rolecall-review");
    refused("ben@example.com", "is not among the allowed ones");
    sign("ben-key", "file");
    refused("ben@example.com", "its namespace is \"file\"; expected \"rolecall-review\"");
    sign("ben-key", "rolecall-review");
    refused("ana@example.com", "allows no key to sign as ana@example.com");
    let content = bench.read("ben.csv");
    fs::write(bench.path("ben.csv"), content.replace("needed", "required")).unwrap();
    refused("ben@example.com", "does not match: something was changed");
    fs::write(bench.path("ben.csv"), content).unwrap();
    assert_eq!(import(&bench, &id, "ben.csv", "ben@example.com", &signed[..2]).0, 2, "a signature needs the keys");

    let (code, said, stderr) = import(&bench, &id, "ben.csv", "ben@example.com", &signed);
    assert_eq!(code, 0, "{stderr}");
    let fingerprint = keygen(&["-l", "-f", "ben-key.pub"]).split(' ').nth(1).unwrap().to_owned();
    assert!(said.contains(&format!("signed by {fingerprint}")), "{said}");
    let fact = facts(&bench, "review").pop().unwrap();
    assert_eq!((&fact["via"], &fact["sheet"]["signed_by"]), (&json!("signed-spreadsheet"), &json!(fingerprint)));
    let decided = items(&bench, &id);
    assert!(decided.iter().any(|item| item["via"] == "signed-spreadsheet"), "{decided:?}");
    crate::review::keep_the_rest(&bench, &id);
    assert_eq!(bench.run(&["review", "close", &id]).0, 0);
    let table = read_csv(&crate::review::review_bag(&bench).join("data/decisions.csv"));
    let place = table[0].iter().position(|column| column == "signed_by").unwrap();
    assert!(table[1..].iter().any(|row| row[place] == fingerprint), "{table:?}");
    let (code, stdout, stderr) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(import(&bench, &id, "ben.csv", "ben@example.com", &signed).0, 0, "it changes nothing");
    is_kept(&bench);
}

/// The bag has the file as it came, its signature and its signer, and a change of any of them is found.
fn is_kept(bench: &Bench) {
    let bag = crate::review::review_bag(bench);
    let of = |name: &str| bag.join("data/sheets").join(name);
    assert_eq!(fs::read(of("001.csv")).unwrap(), fs::read(bench.path("ben.csv")).unwrap());
    assert_eq!(fs::read(of("001.csv.sig")).unwrap(), fs::read(bench.path("ben.csv.sig")).unwrap());
    let signers = fs::read_to_string(of("allowed_signers")).unwrap();
    assert!(signers.starts_with("ben@example.com namespaces=\"rolecall-review\" ssh-ed25519 AAAA"), "{signers}");
    let script = || Command::new("sh").arg(bag.join("verify.sh")).arg(bench.path("allowed_signers")).output().unwrap();
    let output = script();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("ok data/sheets/001.csv, signed by ben@example.com"), "{said}");
    let other = bench.read("other-key.pub");
    let forged = format!("ben@example.com namespaces=\"rolecall-review\" {other}");
    for (name, content, why) in [
        ("allowed_signers", forged, "the signature of data/sheets/001.csv by ben@example.com is not valid"),
        (
            "001.csv",
            "item\n".to_owned(),
            "data/sheets/001.csv is not the spreadsheet that ben@example.com decided with",
        ),
    ] {
        let before = fs::read(of(name)).unwrap();
        fs::write(of(name), content).unwrap();
        let (code, stdout, _) = bench.run(&["evidence", "verify"]);
        assert!(code == 1 && stdout.contains(why), "{name}: {stdout}");
        assert!(!script().status.success(), "{name}");
        fs::write(of(name), before).unwrap();
    }
    assert_eq!(bench.run(&["evidence", "verify"]).0, 0);
}
