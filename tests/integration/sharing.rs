//! Exports for people who may not see names, and exports for nobody but their recipients. And keys that were lost or leaked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::Utc;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use rolecall::{
    evidence::{key::SigningKey, ledger, storage::folder::Folder},
    ledger::{Fact, fact::RunName},
};
use serde_json::Value;

use crate::{
    evidence::{bench, judge},
    export::days,
    support::{Bench, rolecall},
    tools::{read_csv, tool},
};

/// A bench with two audits that were mailed, whose policy names people.
pub(crate) fn audited() -> Bench {
    let bench = bench(40);
    let policy = "company_domains = [\"example.com\"]";
    let more = format!(
        "{policy}\napproved_administrators = [\"cleo.approved@example.com\"]\n\n[[policy.exceptions]]\nrule = \"unused-role\"\nsubject = \"*\"\nreason = \"Asked for by Zeno Quill (zeno@partner.example.org)\"\napproved_by = \"ciso@example.com\"\nuntil = 2027-06-30\n"
    );
    bench.reconfigure(policy, &more);
    bench.audit(&["--send"]);
    bench.audit(&["--send"]);
    bench
}

/// Exports everything with more arguments and gives the file.
pub(crate) fn export(bench: &Bench, out: &str, more: &[&str]) -> String {
    let [from, to] = days();
    let (code, printed, said) =
        bench.run(&[&["evidence", "export", "--from", &from, "--to", &to, "--out", out], more].concat());
    assert_eq!(code, 0, "{printed}{said}");
    printed + &said
}

/// Unpacks a zip; the folder in it.
pub(crate) fn unpacked(zip: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(tool("python")).args(["-m", "zipfile", "-e"]).arg(zip).arg(folder.path()).status();
    assert!(done.unwrap().success());
    let inside = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    (folder, inside)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Every name, part of a name, address and id of the users that the bags list, and of those whom the configuration names.
fn identifiers(bench: &Bench) -> BTreeSet<String> {
    let mut found: BTreeSet<String> =
        ["security@example.com", "compliance@example.com", "cleo.approved", "zeno@partner", "ciso@example.com"]
            .map(str::to_owned)
            .into();
    let users = bench.rolecall(&["users", "acme", "--format", "json"]).output().unwrap().stdout;
    let users: Value = serde_json::from_slice(&users).unwrap();
    let list = users.as_array().or_else(|| users["users"].as_array()).unwrap();
    assert!(list.len() >= 40);
    for user in list {
        let text = |key: &str| user[key].as_str().unwrap_or_default().to_owned();
        let (name, email, id) = (text("full_name"), text("email"), user["id"].as_str().or(user["user_id"].as_str()));
        assert!(!name.is_empty() && id.is_some(), "{user}");
        found.extend(name.split_whitespace().filter(|part| part.chars().count() > 2).map(str::to_owned));
        // “info” and the like are words.
        found.extend(email.split_once('@').filter(|(local, _)| local.contains('.')).map(|(local, _)| local.to_owned()));
        found.extend([name, email, id.unwrap().to_owned(), text("zuid")]);
    }
    found.retain(|text| text.len() > 2);
    found
}

/// Whether `text` has `name`: a part of a name as a word, as it is written, since “info” is a word, too, and the digits of a run id can spell “ada”; an address or an id anywhere and in any case.
fn is_in(text: &str, name: &str) -> bool {
    let is_part = !name.contains(['@', '.', ' ']) && !name.bytes().any(|byte| byte.is_ascii_digit());
    if is_part {
        text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
    } else {
        text.to_lowercase().contains(&name.to_lowercase())
    }
}

#[test]
fn the_digits_of_a_run_id_are_not_a_name() {
    let path = "2026-11-28t111252z_acme_01a221db-a54d-750f-b9b8-4883aada7b45/data/completeness.json";
    assert!(!is_in(path, "Ada"));
    assert!(is_in("data/reports/Ada_Lopez.csv", "Ada") && is_in("ADA.LOPEZ@Example.com", "ada.lopez@example.com"));
}

#[test]
fn an_export_without_names_names_nobody() {
    let bench = audited();
    export(&bench, "plain.zip", &[]);
    let said = export(&bench, "shared.zip", &["--pseudonymise", "--mapping", "engagement.json"]);
    assert!(said.contains("keep      engagement.json"), "{said}");
    let (folder, inside) = unpacked(&bench.path("shared.zip"));
    let named = identifiers(&bench);
    for file in files(&inside) {
        let path = file.strip_prefix(folder.path()).unwrap().to_str().unwrap();
        let text = String::from_utf8(fs::read(&file).unwrap()).unwrap();
        for name in &named {
            let is_named = is_in(path, name) || is_in(&path.to_uppercase(), &name.to_uppercase()) || is_in(&text, name);
            assert!(!is_named, "{path} names {name}");
        }
        assert!(!text.contains('@'), "{path} has an address");
    }
    // The same person has the same pseudonym in both reviews, and no two people share one.
    let tables: Vec<PathBuf> =
        files(&inside).into_iter().filter(|path| path.ends_with("data/reports/access-matrix.csv")).collect();
    let tables: Vec<Vec<Vec<String>>> = tables.iter().map(|path| read_csv(path)).collect();
    assert_eq!(tables.len(), 2);
    let ids = |table: &[Vec<String>]| table[1..].iter().map(|row| row[1].clone()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&tables[0]), ids(&tables[1]));
    assert_eq!(ids(&tables[0]).len(), tables[0].len() - 1);
    for row in &tables[0][1..] {
        // Two people of one name share its pseudonym, which is then neither's.
        let is_same = row[3].is_empty() || row[3] == row[1];
        // What a spreadsheet would run stays guarded.
        let name = row[2].trim_start_matches('\'');
        assert!(row[1].starts_with("P-") && name.starts_with("P-") && is_same, "{row:?}");
    }
    // It names the digest of every file of its origin.
    let (_plain, origin) = unpacked(&bench.path("plain.zip"));
    let sums = fs::read_to_string(inside.join("origin-SHA256SUMS")).unwrap();
    assert_eq!(sums, fs::read_to_string(origin.join("SHA256SUMS")).unwrap());
    let stated: Value = serde_json::from_str(&fs::read_to_string(inside.join("origin.json")).unwrap()).unwrap();
    let (_, digest) = judge(&origin, "sha256sum", &["SHA256SUMS"]);
    assert!(digest.starts_with(stated["sums_sha256"].as_str().unwrap()), "{stated}");
    assert!(sums.contains("/data/answers/") && sums.contains("mail/") && !inside.join("mail").exists());
}

#[test]
fn the_mapping_is_kept_back_and_its_key_makes_the_same_pseudonyms_again() {
    let bench = audited();
    let mapped = |out: &str, mapping: &str| -> (Vec<Vec<String>>, BTreeMap<String, Value>) {
        export(&bench, out, &["--pseudonymise", "--mapping", mapping]);
        let (_folder, inside) = unpacked(&bench.path(out));
        let table = files(&inside).into_iter().find(|path| path.ends_with("access-matrix.csv")).unwrap();
        let mapping: Value = serde_json::from_str(&bench.read(mapping)).unwrap();
        (read_csv(&table), serde_json::from_value(mapping["people"].clone()).unwrap())
    };
    let (first, people) = mapped("one.zip", "a.json");
    assert_eq!(bench.path("a.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let (again, _) = mapped("two.zip", "a.json");
    assert_eq!(first, again);
    let (other, _) = mapped("three.zip", "b.json");
    assert!(first[1..].iter().zip(&other[1..]).all(|(one, other)| one[1] != other[1] && one[4..7] == other[4..7]));
    // It opens each of them.
    let matrix = bench.read("bags/ledger.jsonl");
    assert!(!matrix.contains(&first[1][1]));
    let who = people[&first[1][1]].as_array().unwrap();
    assert!(who.iter().any(|text| text.as_str().unwrap().contains('@')), "{who:?}");
    let key = bench.read("a.json");
    let key = serde_json::from_str::<Value>(&key).unwrap()["key"].as_str().unwrap().to_owned();
    let (_folder, inside) = unpacked(&bench.path("one.zip"));
    assert!(files(&inside).iter().all(|file| !fs::read_to_string(file).unwrap().contains(&key)));
    // Without --mapping it stands beside the export.
    export(&bench, "four.zip", &["--pseudonymise"]);
    assert!(bench.path("four-mapping.json").exists());
    fs::write(bench.path("bad.json"), "{\"key\": \"00\", \"people\": {}}").unwrap();
    let [from, to] = days();
    let arguments = ["evidence", "export", "--from", &from, "--to", &to, "--out", "five.zip", "--pseudonymise"];
    let (code, _, said) = bench.run(&[&arguments[..], &["--mapping", "bad.json"]].concat());
    assert!(code == 2 && said.contains("bad.json") && !bench.path("five.zip").exists(), "{said}");
}

#[test]
fn each_change_of_an_export_without_names_is_found_and_named() {
    let bench = audited();
    export(&bench, "shared.zip", &["--pseudonymise"]);
    let (folder, inside) = unpacked(&bench.path("shared.zip"));
    fs::copy(bench.path("allowed_signers"), folder.path().join("trusted")).unwrap();
    let by_hand = "ssh-keygen -Y verify -f ../trusted -I rolecall -n rolecall-evidence -s SHA256SUMS.sig < SHA256SUMS && sha256sum --check --strict --quiet SHA256SUMS";
    let verify = |inside: &Path| {
        let mut verify = rolecall();
        verify.args(["evidence", "verify"]).arg(inside).arg("--allowed-signers").arg(folder.path().join("trusted"));
        let output = verify.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = verify(&inside);
    assert!(code == 0 && said.contains("It has no names") && said.contains("signed by SHA256:"), "{said}");
    let (good, said) = judge(&inside, "sh", &["-c", by_hand]);
    assert!(good, "{said}");
    assert!(
        fs::read_to_string(inside.join("README.txt"))
            .unwrap()
            .contains("sha256sum --check --strict --quiet SHA256SUMS")
    );
    let mut random = StdRng::seed_from_u64(16);
    for _ in 0..20 {
        let copy = folder.path().join("copy");
        assert!(judge(folder.path(), "cp", &["-r", inside.to_str().unwrap(), "copy"]).0);
        let all = files(&copy);
        let file = all.choose(&mut random).unwrap().clone();
        let mut named = file.file_name().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&file).unwrap();
        match random.random_range(0..4) {
            0 => fs::remove_file(&file).unwrap(),
            1 => {
                fs::write(copy.join("more.csv"), "x").unwrap();
                "more.csv".clone_into(&mut named);
            }
            _ => {
                let mut changed = bytes.clone();
                let at = random.random_range(0..bytes.len());
                changed[at] ^= 1;
                fs::write(&file, changed).unwrap();
            }
        }
        let (code, said) = verify(&copy);
        // What is wrong with the signature is said of the list that it is of.
        let is_named = said.contains(&named) || (named == "SHA256SUMS.sig" && said.contains("signature"));
        assert!(code != 0 && is_named, "{named}: {said}");
        fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn an_encrypted_export_that_was_opened_changed_and_encrypted_again_is_found_out() {
    let bench = audited();
    let auditor = age_key(&bench, "auditor.key");
    export(&bench, "shared.zip.age", &["--encrypt-to", &auditor]);
    let sh = |script: &str| judge(bench.folder.path(), "sh", &["-c", script]);
    assert!(sh("age -d -i auditor.key -o opened.zip shared.zip.age").0);
    let python = tool("python").display().to_string();
    let rewrite = |change: &str| {
        let script = format!(
            "import zipfile\nold = zipfile.ZipFile('opened.zip')\nnew = zipfile.ZipFile('changed.zip', 'w')\n\
             for name in old.namelist():\n    data = old.read(name)\n    {change}\n    new.writestr(name, data)\nnew.close()"
        );
        fs::write(bench.path("rewrite.py"), script).unwrap();
        let (done, said) = sh(&format!(
            "rm -f changed.* again.zip; {python} rewrite.py && age -r {auditor} -o changed.zip.age changed.zip && age -d -i auditor.key -o again.zip changed.zip.age"
        ));
        assert!(done, "{said}");
        let (code, printed, said) =
            bench.run(&["evidence", "verify", "again.zip", "--allowed-signers", "allowed_signers"]);
        (code, printed + &said)
    };
    let (code, said) = rewrite("pass");
    assert_eq!(code, 0, "packing and encrypting it again changes nothing: {said}");
    for (change, named) in [
        (
            "data = data.replace(b',active,', b',deleted,') if name.endswith('access-matrix.csv') else data",
            "access-matrix.csv",
        ),
        ("if name.endswith('.eml'): continue", ".eml"),
        ("if name.endswith('ledger.jsonl'): data = data[:data[:-1].rfind(b'\\n') + 1]", "ledger.jsonl"),
        ("if name.endswith('findings.csv'): new.writestr(name, b'')", "two files of one name"),
    ] {
        let (code, said) = rewrite(change);
        assert!(code != 0 && said.contains(named), "{change}: {said}; expected {named}");
    }
    // Bytes after the end, the last block left out, the head of another file.
    let bytes = fs::read(bench.path("shared.zip.age")).unwrap();
    export(&bench, "other.zip.age", &["--encrypt-to", &auditor]);
    let other = fs::read(bench.path("other.zip.age")).unwrap();
    let end_of_head = |bytes: &[u8]| {
        let at = bytes.windows(4).position(|window| window == b"--- ").unwrap();
        at + bytes[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1
    };
    let body = bytes.len() - end_of_head(&bytes) - 16;
    let blocks = body / (65_536 + 16);
    let cut = end_of_head(&bytes) + 16 + blocks * (65_536 + 16);
    assert!(blocks > 0 && cut < bytes.len());
    for changed in [
        [&bytes[..], b"x"].concat(),
        bytes[..cut].to_vec(),
        [&other[..end_of_head(&other)], &bytes[end_of_head(&bytes)..]].concat(),
    ] {
        fs::write(bench.path("bad.age"), changed).unwrap();
        assert!(!sh("age -d -i auditor.key -o bad.zip bad.age").0);
    }
}

/// A key of age: its file, and its public half.
fn age_key(bench: &Bench, name: &str) -> String {
    let (made, said) = judge(bench.folder.path(), "age-keygen", &["-o", name]);
    assert!(made, "{said}");
    let (_, public) = judge(bench.folder.path(), "age-keygen", &["-y", name]);
    public.trim().to_owned()
}

#[test]
fn an_encrypted_export_opens_for_each_recipient_and_for_nobody_else() {
    let bench = audited();
    let [auditor, own] = ["auditor.key", "own.key"].map(|name| age_key(&bench, name));
    age_key(&bench, "other.key");
    export(&bench, "plain.zip", &[]);
    let said = export(&bench, "shared.zip.age", &["--encrypt-to", &auditor, "--encrypt-to", &own]);
    assert!(said.contains("encrypted for 2 recipients"), "{said}");
    let there = fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = there.filter(|name| name.starts_with("shared")).collect();
    assert_eq!(left, ["shared.zip.age"], "nothing plain is left");
    let opened =
        |key: &str, file: &str| judge(bench.folder.path(), "age", &["-d", "-i", key, "-o", "opened.zip", file]).0;
    for key in ["auditor.key", "own.key"] {
        assert!(opened(key, "shared.zip.age"));
        assert_eq!(fs::read(bench.path("opened.zip")).unwrap(), fs::read(bench.path("plain.zip")).unwrap());
    }
    let (code, printed, said) =
        bench.run(&["evidence", "verify", "opened.zip", "--allowed-signers", "allowed_signers"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert!(!opened("other.key", "shared.zip.age"));
    // age finds every change itself.
    let bytes = fs::read(bench.path("shared.zip.age")).unwrap();
    for at in [bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(bench.path("changed.age"), changed).unwrap();
        assert!(!opened("own.key", "changed.age"), "byte {at}");
    }
    fs::write(bench.path("cut.age"), &bytes[..bytes.len() - 20]).unwrap();
    assert!(!opened("own.key", "cut.age"));
    // Both at once, for one recipient.
    let said = export(&bench, "both.zip.age", &["--pseudonymise", "--encrypt-to", &auditor]);
    assert!(said.contains("only one key opens this export") && bench.path("both-mapping.json").exists(), "{said}");
    assert!(opened("auditor.key", "both.zip.age"));
    let (_folder, inside) = unpacked(&bench.path("opened.zip"));
    assert!(inside.join("origin.json").exists());
    // A private key is refused and not repeated.
    let private = bench.read("own.key").lines().last().unwrap().to_owned();
    let [from, to] = days();
    let (code, _, said) = bench.run(&["evidence", "export", "--from", &from, "--to", &to, "--encrypt-to", &private]);
    assert!(code == 2 && said.contains("is a private key") && !said.contains(&private[20..]), "{said}");
}

/// A thief has the key that was in use, and the evidence as it is. The company has replaced the key, and trusts the new one.
#[test]
fn a_key_that_leaked_is_believed_no_more_once_it_is_replaced_and_what_it_signed_before_stays_good() {
    let bench = bench(12);
    bench.audit(&["--send"]);
    let (code, printed, _) = bench.run(&["evidence", "init-key", "--out", "newer"]);
    assert_eq!(code, 0);
    fs::copy(bench.path("allowed_signers"), bench.path("both")).unwrap();
    let newer = printed.lines().last().unwrap().to_owned() + "\n";
    fs::write(bench.path("both"), bench.read("both") + &newer).unwrap();
    fs::write(bench.path("only_newer"), &newer).unwrap();
    bench.reconfigure("{ file = \"key\" }", "{ file = \"newer\" }");
    bench.audit(&["--send"]);
    let verify = |folder: &str, trusted: &str| {
        let (code, printed, said) = bench.run(&["evidence", "verify", folder, "--allowed-signers", trusted]);
        (code, printed + &said)
    };
    let (code, said) = verify("bags", "only_newer");
    assert_eq!(code, 0, "the bag that the old key signed is named by the ledger that the new one signed: {said}");

    // He adds an entry and signs the ledger.
    assert!(judge(bench.folder.path(), "sh", &["-c", "cp -r bags forged && chmod -R u+w forged"]).0);
    let (storage, leaked) = (Folder::new(bench.path("forged")), SigningKey::read(&bench.path("key")).unwrap());
    let tail = ledger::tail(&storage).unwrap();
    let run = RunName { run: uuid(), job: "weekly".into(), workspace: "acme".into(), fire_at: Utc::now() };
    let line = tail.head.link(Utc::now(), Fact::Failed { run, error: "forged".into() }).unwrap();
    assert!(ledger::append(&storage, &tail, std::slice::from_ref(&line)).unwrap());
    ledger::checkpoint(&storage, &line.head, &tail.head, Some(&leaked)).unwrap();
    let (code, said) = verify("forged", "only_newer");
    assert!(code == 1 && said.contains("not among the allowed"), "{said}");
    // Whoever still trusts the old key believes him: its line has to go from every list.
    assert_eq!(verify("forged", "both").0, 0);

    // He signs a bag of his own with it.
    let forge = "cp -r bags other && chmod -R u+w other && cd other && b=$(ls -d 2*/ | head -n 1) && cp -r $b 2026-01-05T070000Z_acme_x && cd 2026-01-05T070000Z_acme_x && rm tagmanifest-sha256.txt.sig && ssh-keygen -q -Y sign -f ../../key -n rolecall-evidence tagmanifest-sha256.txt";
    let (done, said) = judge(bench.folder.path(), "sh", &["-c", forge]);
    assert!(done, "{said}");
    let (code, said) = verify("other", "only_newer");
    assert!(code == 1 && said.contains("no entry of the ledger names this bag"), "{said}");
}

fn uuid() -> uuid::Uuid {
    uuid::Uuid::from_u128(16)
}

/// The key is lost: nobody can sign with it, and what it signed stays good.
#[test]
fn a_key_that_is_lost_is_replaced_and_earlier_evidence_stays_verified() {
    let bench = bench(12);
    bench.audit(&["--send"]);
    fs::remove_file(bench.path("key")).unwrap();
    let (code, _, said) = bench.run(&["audit", "--send"]);
    assert!(code == 2 && said.contains("evidence.signing_key"), "{said}");
    let (_, printed, _) = bench.run(&["evidence", "init-key", "--out", "newer"]);
    fs::write(bench.path("only_newer"), printed.lines().last().unwrap().to_owned() + "\n").unwrap();
    bench.reconfigure("{ file = \"key\" }", "{ file = \"newer\" }");
    bench.audit(&["--send"]);
    for trusted in ["only_newer", "allowed_signers"] {
        let (code, printed, said) = bench.run(&["evidence", "verify", "bags", "--allowed-signers", trusted]);
        // The old key has not signed what came after it.
        let expected = i32::from(trusted != "only_newer");
        assert_eq!(code, expected, "{trusted}: {printed}{said}");
    }
}
