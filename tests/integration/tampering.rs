//! A folder of evidence that the real binary wrote, changed by somebody in every way that a seeded test thinks of.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::Utc;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use rolecall::{
    evidence::{consistency, inventory, signers::Allowed, storage::folder::Folder},
    ledger::{
        Fact, Head, chain,
        fact::{BagName, DueRun, Recorded, RunName},
    },
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
        let found =
            consistency::check(&Folder::new(folder), Allowed::parse(&self.allowed, Utc::now()), witnesses).unwrap();
        let mut said = found.problems.clone();
        said.extend(found.missing.iter().map(ToString::to_string));
        for bag in &found.bags {
            let name = &bag.folder;
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
    let names = inventory::bags(&Folder::new(folder)).unwrap();
    names.into_iter().map(|name| folder.join(name)).collect()
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
pub(crate) fn tamper(folder: &Path, random: &mut StdRng) -> String {
    let all = files(folder);
    let file = all.choose(random).unwrap().clone();
    let bytes = fs::read(&file).unwrap();
    let named = name(&file);
    match random.random_range(0..12) {
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
        7 => {
            let stray = ["more.csv", ".more", "more.html"].choose(random).unwrap();
            fs::write(folder.join(stray), "more").unwrap();
            return (*stray).to_owned();
        }
        8 => {
            fs::remove_file(&file).unwrap();
            std::os::unix::fs::symlink("/etc/hostname", &file).unwrap();
        }
        // One more byte anywhere, of those that some readers do not see.
        9 | 10 => {
            let mut changed = bytes.clone();
            changed.insert(random.random_range(0..=bytes.len()), *b"\r\n \0".choose(random).unwrap());
            fs::write(&file, changed).unwrap();
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
    assert!(said.iter().filter(|said| said.contains("this one was substituted")).count() == 2, "{said:?}");

    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    fs::remove_dir_all(folder.join(&first)).unwrap();
    let said = evidence.found(&folder, &[]);
    assert!(
        said.len() == 1 && said[0].starts_with(&format!("the bag {first} is in the ledger but missing")),
        "{said:?}"
    );

    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    self::copy(&folder.join(&first), &folder.join(format!("{first}_2")));
    let said = evidence.found(&folder, &[]);
    assert!(said.len() == 1 && said[0].contains("it was added or copied"), "{said:?}");
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
    assert!(code == 1 && printed.contains("BROKEN") && printed.contains("it was truncated"), "{printed}");
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

/// Adds entries to the ledger of a folder that follow from the others, as anybody can who may write there.
fn add(folder: &Path, facts: Vec<Fact>) {
    let path = folder.join(LEDGER);
    let mut text = fs::read_to_string(&path).unwrap();
    let mut head = chain::read(&text).head();
    for fact in facts {
        let line = head.link(Utc::now(), fact).unwrap();
        text = text + &line.text + "\n";
        head = line.head;
    }
    fs::write(path, text).unwrap();
}

/// The reviews of a folder's ledger.
fn recorded(folder: &Path) -> Vec<Recorded> {
    let chain = chain::read(&fs::read_to_string(folder.join(LEDGER)).unwrap());
    let facts = chain.entries.into_iter().map(|(entry, _)| entry.fact);
    facts.filter_map(|fact| if let Fact::Recorded(recorded) = fact { Some(recorded) } else { None }).collect()
}

#[test]
fn entries_that_nobody_signed_excuse_no_bag_and_show_none_for_another() {
    let evidence = Evidence::new();
    let reviews = recorded(&evidence.folder());
    let bag = reviews[1].bag.clone().unwrap();

    // Where the disk was full, the last entries are signed only later.
    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    add(&folder, vec![Fact::Retried { run: run(&reviews[0]) }, Fact::Retried { run: run(&reviews[1]) }]);
    assert_eq!(evidence.found(&folder, &[]), Vec::<String>::new());
    let allowed = evidence.bench.path("allowed_signers");
    let arguments = ["evidence", "verify", folder.to_str().unwrap(), "--allowed-signers", allowed.to_str().unwrap()]
        .map(str::to_owned);
    let (code, printed, _) = evidence.bench.run(&arguments.each_ref().map(String::as_str));
    assert!(code == 0 && printed.contains("are not signed yet"), "{printed}");

    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    add(&folder, vec![Fact::BagRemoved { bag: bag.clone(), keep_days: 800 }]);
    fs::remove_dir_all(folder.join(&bag.folder)).unwrap();
    let said = evidence.found(&folder, &[]);
    assert!(said.len() == 1 && said[0].starts_with(&format!("the bag {} is in the ledger", bag.folder)), "{said:?}");

    // A bag that is made to answer for another fire time, under its own name and under another.
    for name in [bag.folder.clone(), format!("{}_2", bag.folder)] {
        let copy = evidence.copy();
        let folder = copy.path().join("bags");
        let due = "2026-01-19T07:00:00Z".parse().unwrap();
        let forged = Recorded {
            run: uuid::Uuid::new_v4(),
            fire_at: Some(due),
            bag: Some(BagName { folder: name.clone(), ..bag.clone() }),
            ..reviews[1].clone()
        };
        let runs = vec![DueRun { workspace: "acme".into(), run: forged.run }];
        let due = Fact::Due { job: "weekly".into(), fire_at: due, by_hand: false, runs };
        add(&folder, vec![due, Fact::Recorded(forged)]);
        if name != bag.folder {
            self::copy(&folder.join(&bag.folder), &folder.join(&name));
        }
        let said = evidence.found(&folder, &[]).join("\n");
        assert!(said.contains("name the same bag"), "{said}");
        let other = said.contains("names it for the run") && said.contains("names it for the fire time");
        assert!(other || name == bag.folder, "{said}");
    }
}

fn run(recorded: &Recorded) -> RunName {
    let Recorded { run, job, workspace, fire_at, .. } = recorded.clone();
    RunName { run, job: job.unwrap(), workspace, fire_at: fire_at.unwrap() }
}

#[test]
fn coverage_believes_what_is_signed_and_says_up_to_where() {
    let evidence = Evidence::new();
    let bench = &evidence.bench;
    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    let review = recorded(&folder).remove(0);
    let forged = Recorded { run: uuid::Uuid::new_v4(), ..review };
    add(&folder, vec![Fact::Recorded(forged)]);
    let day = |days| (Utc::now() + chrono::Duration::days(days)).format("%Y-%m-%d").to_string();
    let covered = |more: &[&str]| {
        let (from, to) = (day(-1), day(1));
        let named = ["evidence", "coverage", "--from", &from, "--to", &to, "--out", "cover", folder.to_str().unwrap()];
        let (code, printed, said) = bench.run(&[&named, more].concat());
        let rows =
            if code == 1 { 0 } else { fs::read_to_string(bench.path("cover/coverage.csv")).unwrap().lines().count() };
        (code, rows, printed + &said)
    };
    let (code, rows, said) = covered(&["--allowed-signers", "allowed_signers"]);
    assert!(code == 0 && rows == 4, "three reviews and the names of the columns: {said}");
    assert!(said.contains("The ledger is signed up to entry") && said.contains("is not signed yet"), "{said}");
    assert!(bench.read("cover/coverage.html").contains("The ledger is signed up to entry"));
    // Who knows no key has to believe all of it, and is told so.
    let (code, rows, said) = covered(&[]);
    assert!(code == 0 && rows == 5 && said.contains("a key that only the ledger itself names"), "{said}");
    bench.run(&["evidence", "init-key", "--out", "other"]);
    let other = fs::read_to_string(bench.path("other.pub")).unwrap();
    fs::write(bench.path("others"), format!("rolecall {other}")).unwrap();
    let (code, _, said) = covered(&["--allowed-signers", "others"]);
    assert!(code == 1 && said.contains("is not among the allowed ones"), "{said}");
}

/// What somebody puts into the directory, or makes of what is there; `$BAG` is a bag. Then what has to be named.
const STRAYS: &[(&str, &str)] = &[
    ("echo x > access-matrix.csv", "access-matrix.csv"),
    ("echo x > .hidden", ".hidden"),
    ("mkdir notes", "notes"),
    ("mkdir .notes; echo x > .notes/bagit.txt", ".notes"),
    ("ln -s $BAG another", "another"),
    ("mv $BAG ../elsewhere; ln -s ../elsewhere $BAG", "$BAG"),
    ("mkfifo pipe", "pipe"),
    ("rm ledger.jsonl; mkfifo ledger.jsonl", "ledger.jsonl"),
    ("rm checkpoint-*.json; mkfifo checkpoint-00000001.json", "checkpoint-00000001.json"),
    ("echo '{\"from\":\"1970-01-01T00:00:00Z\",\"to\":\"1970-01-02T00:00:00Z\"}' > period.json; rm -rf $BAG", "$BAG"),
    ("mkdir lost+found; echo x > lost+found/review.json", "lost+found/review.json"),
    ("echo x > .checkpoint-00000099.json", ".checkpoint-00000099.json"),
    ("echo x > mail/.hidden", "mail/.hidden"),
    ("echo x > mail/note.eml", "mail/note.eml"),
    (
        "echo forged > forged; name=mail/$(sha256sum < forged | cut -c 1-64).eml; mv forged $name",
        "no entry of the ledger names mail/",
    ),
    ("echo >> checkpoint-*.json", "checkpoint-"),
    ("mv checkpoint-*.json checkpoint-00000001.json", "checkpoint-00000001.json"),
];

#[test]
fn what_is_laid_beside_the_evidence_is_named() {
    let evidence = Evidence::new();
    for (change, named) in STRAYS {
        let copy = evidence.copy();
        let folder = copy.path().join("bags");
        let bag = name(&bags(&folder)[0]);
        let (changed, said) = judge(&folder, "sh", &["-c", &format!("set -e; BAG={bag}; {change}")]);
        assert!(changed, "{change}: {said}");
        let said = evidence.found(&folder, &[]).join("\n");
        assert!(said.contains(&named.replace("$BAG", &bag)), "{change}: {said}");
    }
    // What a process leaves that died at the wrong moment, and what may stand beside its evidence.
    let copy = evidence.copy();
    let folder = copy.path().join("bags");
    let left = "mkdir .draft-x lost+found; cp ../../allowed_signers . || echo > allowed_signers";
    assert!(judge(&folder, "sh", &["-c", left]).0);
    assert_eq!(evidence.found(&folder, &[]), Vec::<String>::new());
}

#[test]
fn the_store_knows_what_the_directory_should_hold() {
    let evidence = Evidence::new();
    let bench = &evidence.bench;
    let verified = || bench.run(&["evidence", "verify"]);
    assert_eq!(verified().0, 0, "{}", verified().1);

    let aside = bench.path("aside");
    fs::rename(evidence.folder(), &aside).unwrap();
    let (code, printed, said) = verified();
    assert!(code == 1 && said.contains("it was removed"), "{printed}{said}");
    copy(&evidence.earlier, &evidence.folder());
    let (code, printed, _) = verified();
    assert!(code == 1 && printed.contains("BROKEN") && printed.contains("an older state was restored"), "{printed}");
    // Nor is that exported.
    let (code, _, said) = bench.run(&["evidence", "export", "--from", "2026-01-01", "--to", "2026-01-31"]);
    assert!(code == 1 && said.contains("an older state was restored"), "{said}");
    fs::remove_dir_all(evidence.folder()).unwrap();
    fs::rename(&aside, evidence.folder()).unwrap();

    // A backup of the store.
    let backup = |from: &str, to: &str| {
        for end in ["", "-wal", "-shm"] {
            let (from, to) = (bench.path(&format!("{from}{end}")), bench.path(&format!("{to}{end}")));
            let _ = fs::remove_file(&to);
            if from.exists() {
                fs::copy(from, to).unwrap();
            }
        }
    };
    backup("rolecall.db", "backup.db");
    bench.audit(&["--send"]);
    assert_eq!(verified().0, 0);
    backup("backup.db", "rolecall.db");
    let (code, printed, _) = verified();
    assert!(code == 1 && printed.contains("the store was restored from an older state"), "{printed}");
    let (code, _, said) = bench.run(&["audit", "--send"]);
    assert!(code == 1 && said.contains("the store was restored from an older state"), "{said}");
    for _ in 0..5 {
        bench.run(&["audit", "--send"]);
    }
    let (code, printed, _) = verified();
    assert!(code == 1 && printed.contains(" on it differs from the store"), "{printed}");
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

#[test]
fn a_mail_that_waits_to_be_sent_is_known_to_the_store_and_a_forged_one_is_not() {
    let bench = bench(12);
    bench.audit(&["--send"]);
    let verified = || bench.run(&["evidence", "verify"]);
    assert_eq!(verified().0, 0);
    let forged = b"From: a@example.com\r\n\r\nforged\r\n";
    let name = bench.path(&format!("bags/mail/{}.eml", rolecall::digest::sha256(forged)));
    fs::write(&name, forged).unwrap();
    let (code, printed, _) = verified();
    assert!(code == 1 && printed.contains("no entry of the ledger names mail/"), "{printed}");
    // An export is not made of such evidence.
    let (code, _, said) = bench.run(&["evidence", "export", "--from", "2026-01-01", "--to", "2026-01-31"]);
    assert!(code == 1 && said.contains("is not exported"), "{said}");
    fs::remove_file(name).unwrap();
    // Nobody accepts the next mails: they are kept, and wait.
    let inbox = bench.simulator.inbox().address();
    bench.reconfigure(&format!("port = {}", inbox.port()), "port = 1");
    assert_eq!(bench.run(&["audit", "--send"]).0, 1);
    assert!(fs::read_dir(bench.path("bags/mail")).unwrap().count() >= 4);
    let (code, printed, _) = verified();
    assert_eq!(code, 0, "{printed}");
}

#[test]
fn entries_of_the_store_that_were_changed_or_removed_are_found() {
    let evidence = Evidence::new();
    let bench = &evidence.bench;
    for change in
        ["DELETE FROM ledger WHERE number = 3", "UPDATE ledger SET line = replace(line, '20', '19') WHERE number = 3"]
    {
        let script = "import sqlite3, sys\n\
                      sqlite3.connect('rolecall.db').backup(sqlite3.connect('whole.db'))\n\
                      db = sqlite3.connect('rolecall.db')\n\
                      for name, in db.execute(\"SELECT name FROM sqlite_master WHERE type = 'trigger'\").fetchall():\n\
                      \x20   db.execute(f'DROP TRIGGER {name}')\n\
                      db.execute(sys.argv[1])\n\
                      db.commit()\n\
                      db.close()\n";
        let folder = bench.folder.path();
        let (done, said) = judge(folder, crate::tools::tool("python"), &["-c", script, change]);
        assert!(done, "{said}");
        let (code, printed, said) = bench.run(&["evidence", "verify"]);
        assert!(code == 1 && printed.contains("the store's copy is broken at entry 3"), "{change}: {printed}{said}");
        for file in ["rolecall.db-wal", "rolecall.db-shm"] {
            // They belong to the changed store.
            let _ = fs::remove_file(bench.path(file));
        }
        fs::rename(bench.path("whole.db"), bench.path("rolecall.db")).unwrap();
    }
}
