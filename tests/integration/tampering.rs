//! A folder of evidence that the real binary wrote, changed by somebody in every way that a seeded test thinks of.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use rolecall::{
    evidence::{agreement, inventory, signers::Allowed},
    ledger::Head,
};

use crate::{
    evidence::{bench, judge},
    support::Bench,
};

const LEDGER: &str = "ledger.jsonl";

/// Where the evidence is, who signed it, and what it was like one review ago.
struct Evidence {
    bench: Bench,
    allowed: String,
    earlier: PathBuf,
}

impl Evidence {
    /// Three reviews that were mailed.
    fn new() -> Self {
        let bench = bench(12);
        bench.audit(&["--send"]);
        bench.audit(&["--send"]);
        let earlier = bench.path("earlier");
        copy(&bench.path("bags"), &earlier);
        bench.audit(&["--send"]);
        let allowed = fs::read_to_string(bench.path("allowed_signers")).unwrap();
        Self { bench, allowed, earlier }
    }

    fn folder(&self) -> PathBuf {
        self.bench.path("bags")
    }

    /// What is found of a folder; nothing where it is sound.
    fn found(&self, folder: &Path, witnesses: &[Head]) -> Vec<String> {
        let found = agreement::folder(folder, Allowed::parse(&self.allowed, chrono::Utc::now()), witnesses).unwrap();
        let mut said = found.problems.clone();
        said.extend(found.missing.iter().map(ToString::to_string));
        for bag in &found.bags {
            let name = bag.path.file_name().unwrap().to_str().unwrap();
            let problems = bag.found.problems.iter().map(ToString::to_string).chain(bag.problems.iter().cloned());
            said.extend(problems.map(|problem| format!("{name}: {problem}")));
        }
        assert_eq!(said.is_empty(), found.is_sound());
        said
    }

    /// A copy that can be changed.
    fn copy(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        copy(&self.folder(), &folder.path().join("bags"));
        folder
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
    assert!(Command::new("chmod").args(["-R", "u+w"]).arg(to).status().unwrap().success());
}

/// The head that each mail named.
fn witnesses(bench: &Bench) -> Vec<Head> {
    let named = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace("=\r\n", "");
        let line = text.lines().find_map(|line| line.strip_prefix("Ledger: ")).unwrap().trim().to_owned();
        line.parse().unwrap()
    };
    bench.simulator.inbox().messages().iter().map(|message| named(&message.bytes)).collect()
}

fn bags(folder: &Path) -> Vec<PathBuf> {
    inventory::bags(folder).unwrap()
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

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// One change to the files of a folder; what must be named.
fn tamper(folder: &Path, random: &mut StdRng) -> String {
    let all = files(folder);
    let file = all.choose(random).unwrap().clone();
    let bytes = fs::read(&file).unwrap();
    let named = name(&file);
    match random.random_range(0..8) {
        0..3 if !bytes.is_empty() => {
            let mut changed = bytes.clone();
            let at = random.random_range(0..bytes.len());
            changed[at] = changed[at].wrapping_add(random.random_range(1..=255));
            fs::write(&file, changed).unwrap();
        }
        3 if !bytes.is_empty() => fs::write(&file, &bytes[..random.random_range(0..bytes.len())]).unwrap(),
        4 => fs::remove_file(&file).unwrap(),
        5 => {
            let other = all.choose(random).unwrap();
            let their = fs::read(other).unwrap();
            if their == bytes {
                return tamper(folder, random);
            }
            fs::write(other, &bytes).unwrap();
            fs::write(&file, their).unwrap();
        }
        6 => {
            let bag = bags(folder).choose(random).unwrap().clone();
            fs::write(bag.join("data/new.json"), "{}").unwrap();
            return "new.json".to_owned();
        }
        _ => fs::write(&file, [bytes.as_slice(), b"\n"].concat()).unwrap(),
    }
    named
}

#[test]
fn every_change_to_a_file_is_found_and_named() {
    let evidence = Evidence::new();
    assert_eq!(evidence.found(&evidence.folder(), &witnesses(&evidence.bench)), Vec::<String>::new());
    let mut random = StdRng::seed_from_u64(20_261_123);
    for number in 0..150 {
        let copy = evidence.copy();
        let folder = copy.path().join("bags");
        let named = tamper(&folder, &mut random);
        let said = evidence.found(&folder, &[]).join("\n");
        // A sealed manifest or its signature is wrong where either is changed.
        let either = named.starts_with("tagmanifest-sha256.txt") && said.contains("signature");
        assert!(either || said.contains(named.trim_end_matches(".sig")), "change {number} of {named}: {said}");
    }
}

#[test]
fn bags_that_are_swapped_copied_taken_away_or_put_back_are_named() {
    let evidence = Evidence::new();
    let whole = bags(&evidence.folder());
    let (first, last) = (name(&whole[0]), name(&whole[2]));

    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    fs::rename(folder.join(&first), folder.join("aside")).unwrap();
    fs::rename(folder.join(&last), folder.join(&first)).unwrap();
    fs::rename(folder.join("aside"), folder.join(&last)).unwrap();
    let said = evidence.found(&folder, &[]);
    assert!(said.iter().filter(|said| said.contains("this one was put in its place")).count() == 2, "{said:?}");

    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    fs::remove_dir_all(folder.join(&first)).unwrap();
    let said = evidence.found(&folder, &[]);
    assert!(
        said.len() == 1 && said[0].starts_with(&format!("the bag {first} is in the ledger and is not")),
        "{said:?}"
    );

    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    self::copy(&folder.join(&first), &folder.join(format!("{first}_2")));
    let said = evidence.found(&folder, &[]);
    assert!(said.len() == 1 && said[0].contains("it was put there, or copied"), "{said:?}");
}

#[test]
fn a_ledger_that_was_cut_edited_reordered_or_put_back_is_located() {
    let evidence = Evidence::new();
    let text = fs::read_to_string(evidence.folder().join(LEDGER)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let copy = evidence.copy();
        let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        change(&mut changed);
        fs::write(copy.path().join("bags").join(LEDGER), changed.join("\n") + "\n").unwrap();
        evidence.found(&copy.path().join("bags"), &[]).join("\n")
    };
    for line in 0..lines.len() {
        let number = line + 1;
        let last = number == lines.len();
        let said = with(&|lines| lines[line] = lines[line].replacen("202", "203", 1));
        let place = if last { format!("entry {number}") } else { format!("line {}", number + 1) };
        assert!(said.contains(&place), "edited {number}: {said}");
        let said = with(&|lines| drop(lines.remove(line)));
        let place = if last { format!("ends with entry {}", number - 1) } else { format!("line {number} is entry") };
        assert!(said.contains(&place), "removed {number}: {said}");
        let said = with(&|lines| lines.insert(line, lines[lines.len() / 2].clone()));
        assert!(said.contains("line "), "inserted at {number}: {said}");
        if !last {
            let said = with(&|lines| lines.swap(line, line + 1));
            assert!(said.contains(&format!("line {number} is entry {}", number + 1)), "swapped {number}: {said}");
            let said = with(&|lines| lines.truncate(number));
            assert!(said.contains(&format!("ends with entry {number}")), "cut after {number}: {said}");
        }
    }
}

#[test]
fn who_puts_an_old_state_back_whole_is_found_out_by_a_mailbox() {
    let evidence = Evidence::new();
    let witnesses = witnesses(&evidence.bench);
    assert_eq!(witnesses.len(), 6, "three reviews, two recipients");
    assert_eq!(evidence.found(&evidence.earlier, &[]), Vec::<String>::new(), "by itself it is what it was");
    let said = evidence.found(&evidence.earlier, &witnesses);
    assert!(said.len() == 2 && said[0].contains("the witness knows entry"), "{said:?}");
    let allowed = evidence.bench.path("allowed_signers");
    let witness = witnesses[5].to_string();
    let arguments = |folder: &Path| {
        let (folder, allowed) = (folder.to_str().unwrap().to_owned(), allowed.to_str().unwrap().to_owned());
        ["evidence", "verify", &folder, "--allowed-signers", &allowed, "--witness", &witness].map(str::to_owned)
    };
    let run = |folder: &Path| {
        let arguments = arguments(folder);
        evidence.bench.run(&arguments.each_ref().map(String::as_str))
    };
    let (code, printed, _) = run(&evidence.earlier);
    assert!(code == 1 && printed.contains("BROKEN") && printed.contains("the end was cut off"), "{printed}");
    let (code, printed, _) = run(&evidence.folder());
    assert!(code == 0, "{printed}");
}

#[test]
fn bags_outlive_the_key_that_signed_them() {
    let evidence = Evidence::new();
    let bench = &evidence.bench;
    bench.run(&["evidence", "init-key", "--out", "newer"]);
    bench.reconfigure("{ file = \"key\" }", "{ file = \"newer\" }");
    bench.audit(&["--send"]);
    let (code, printed, _) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}");
    let mut signers: Vec<&str> =
        printed.lines().filter_map(|line| line.split_once("signed by ")).map(|(_, signer)| signer).collect();
    assert_eq!(signers.len(), 4);
    signers.dedup();
    assert_eq!(signers.len(), 2, "two keys: {printed}");
    // Who trusts the old key only does not trust what the new one signed, nor its checkpoint.
    let said = evidence.found(&bench.path("bags"), &[]);
    assert!(said.iter().any(|said| said.contains("not among the allowed ones")), "{said:?}");
}

#[test]
fn every_entry_is_canonical_to_somebody_else_and_its_chain_can_be_followed_by_hand() {
    let evidence = Evidence::new();
    let script = "import hashlib, rfc8785, json, sys\n\
                  previous = '0' * 64\n\
                  for number, line in enumerate(open(sys.argv[1], 'rb').read().splitlines(), 1):\n\
                  \x20   entry = json.loads(line)\n\
                  \x20   assert rfc8785.dumps(entry) == line, line\n\
                  \x20   assert entry['number'] == number and entry['previous'] == previous, entry\n\
                  \x20   previous = hashlib.sha256(line).hexdigest()\n\
                  print(previous)\n";
    let (read, head) = judge(&evidence.folder(), crate::tools::tool("python"), &["-c", script, LEDGER]);
    assert!(read, "{head}");
    let checkpoints: Vec<_> =
        files(&evidence.folder()).into_iter().filter(|f| name(f).starts_with("checkpoint-")).collect();
    let checkpoint = fs::read_to_string(&checkpoints[0]).unwrap();
    assert!(checkpoint.contains(head.trim()), "{checkpoint}");
    let verify = format!(
        "ssh-keygen -Y verify -f ../allowed_signers -I rolecall -n rolecall-evidence -s {0}.sig < {0}",
        name(&checkpoints[0])
    );
    let (good, said) = judge(&evidence.folder(), "sh", &["-c", &verify]);
    assert!(good && said.contains("Good \"rolecall-evidence\" signature"), "{said}");
}
