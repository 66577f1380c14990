//! Bags that are whole, and every way of changing one that a seeded test tries.

mod live;
pub(super) mod written;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::Utc;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use tempfile::TempDir;

use super::{
    SEALED, SIGNATURE,
    draft::{Draft, DraftError},
    key::SigningKey,
    signers::Allowed,
    storage::folder::Folder,
    verify::{self, Problem},
};

fn write(bags: &Path, name: &str, key: Option<&SigningKey>) -> (PathBuf, String) {
    let storage = Folder::new(bags);
    let draft = Draft::begin(&storage, name).unwrap();
    draft.add("report.html", |writer| writer.write_all(b"<p>nothing found</p>")).unwrap();
    draft.add("empty.txt", |_| Ok(())).unwrap();
    for page in 1..4 {
        let content = format!("{{\"users\":[{}]}}", "1,".repeat(page * 1000));
        draft.add_gzip(&format!("answers/000{page}.json.gz"), content.as_bytes()).unwrap();
    }
    let info = [("Source-Organization", "Example\r\nLtd".to_owned()), ("Bagging-Date", "2026-03-02".to_owned())];
    let digest = draft.finish(&storage, &info, &[("README.txt", "Read me.\n".to_owned())], key).unwrap();
    (bags.join(name), digest)
}

/// Verifies a bag in its folder.
fn verified(bag: &Path, allowed: &Allowed) -> verify::VerifyReport {
    verify::bag(&Folder::new(bag), "", allowed)
}

fn allowed(key: &SigningKey) -> Allowed {
    let line = format!("# whom we trust\nrolecall namespaces=\"rolecall-evidence\" {}\n", key.public().unwrap());
    Allowed::parse(&line, Utc::now())
}

/// All files of a bag, by their path inside it.
fn files(bag: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![bag.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(bag).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// Makes a bag writable, as somebody would who wants to change it.
fn unlock(bag: &Path) {
    for path in files(bag).iter().map(|file| bag.join(file)) {
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(bag, fs::Permissions::from_mode(0o700)).unwrap();
}

fn bags() -> (TempDir, SigningKey) {
    (tempfile::tempdir().unwrap(), SigningKey::generate("evidence").unwrap())
}

#[test]
fn a_bag_is_whole_read_only_and_signed_by_whom_one_trusts() {
    let (folder, key) = bags();
    let (bag, name) = write(folder.path(), "run-1", Some(&key));
    let found = verified(&bag, &allowed(&key));
    assert_eq!((found.problems, found.signer), (vec![], Some(key.fingerprint())));
    assert_eq!(found.name, Some(name));
    for file in files(&bag) {
        assert_eq!(fs::metadata(bag.join(&file)).unwrap().permissions().mode() & 0o777, 0o400, "{file}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    assert!(fs::read_to_string(bag.join("bag-info.txt")).unwrap().contains("Source-Organization: Example Ltd\n"));
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let (folder, key) = bags();
    let (first, one) = write(folder.path(), "run-1", Some(&key));
    let (second, other) = write(folder.path(), "run-2", Some(&key));
    assert_eq!((one, files(&first)), (other, files(&second)));
    for file in files(&first) {
        assert_eq!(fs::read(first.join(&file)).unwrap(), fs::read(second.join(&file)).unwrap(), "{file}");
    }
}

#[test]
fn a_bag_is_never_written_over_and_what_a_dead_process_left_is_thrown_away() {
    let (folder, key) = bags();
    let draft = Draft::begin(&Folder::new(folder.path()), "run-1").unwrap();
    draft.add("half.txt", |writer| writer.write_all(b"half")).unwrap();
    // Killed: nothing of it is dropped.
    std::mem::forget(draft);
    let (bag, name) = write(folder.path(), "run-1", Some(&key));
    assert!(!bag.join("data/half.txt").exists());
    let again = Draft::begin(&Folder::new(folder.path()), "run-1").unwrap_err();
    assert!(matches!(again, DraftError::Exists { .. }), "{again}");
    assert_eq!(verified(&bag, &allowed(&key)).name, Some(name));
}

#[test]
fn a_draft_that_fails_leaves_nothing_behind() {
    let (folder, _) = bags();
    let draft = Draft::begin(&Folder::new(folder.path()), "run-1").unwrap();
    let error = draft.add("x.txt", |_| Err(std::io::ErrorKind::StorageFull.into())).unwrap_err();
    assert!(error.to_string().contains("earlier ones are untouched"), "{error}");
    drop(draft);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_unsigned_bag_a_strangers_and_one_signed_for_something_else_are_told_apart() {
    let (folder, key) = bags();
    let stranger = SigningKey::generate("stranger").unwrap();
    let (unsigned, _) = write(folder.path(), "run-1", None);
    assert_eq!(verified(&unsigned, &Allowed::default()).problems, []);
    let taken_away = vec![Problem::Unsigned { file: SIGNATURE.to_owned() }];
    assert_eq!(verified(&unsigned, &allowed(&key)).problems, taken_away);
    let (bag, _) = write(folder.path(), "run-2", Some(&stranger));
    let found = verified(&bag, &allowed(&key));
    assert!(found.signer.is_none() && found.problems[0].to_string().contains("not among the allowed ones"));
}

/// One change to a bag; gives the file that must be named.
fn tamper(bag: &Path, random: &mut StdRng) -> String {
    let all = files(bag);
    let file = all.choose(random).unwrap().clone();
    let path = bag.join(&file);
    let bytes = fs::read(&path).unwrap();
    match random.random_range(0..9) {
        // One bit of one byte.
        0 | 1 if !bytes.is_empty() => {
            let mut changed = bytes.clone();
            let at = random.random_range(0..bytes.len());
            changed[at] ^= 1 << random.random_range(0..8);
            fs::write(&path, changed).unwrap();
        }
        2 if !bytes.is_empty() => fs::write(&path, &bytes[..random.random_range(0..bytes.len())]).unwrap(),
        3 => fs::remove_file(&path).unwrap(),
        4 => {
            let other = format!("{}{file}.new", if file.starts_with("data/") { "" } else { "data/" });
            fs::create_dir_all(bag.join(&other).parent().unwrap()).unwrap();
            fs::write(bag.join(&other), "more").unwrap();
            return other;
        }
        5 => fs::write(&path, [bytes.as_slice(), b"x"].concat()).unwrap(),
        // One more byte anywhere, of those that some readers do not see.
        6 => {
            let mut changed = bytes.clone();
            changed.insert(random.random_range(0..=bytes.len()), *b"\r\n \0".choose(random).unwrap());
            fs::write(&path, changed).unwrap();
        }
        7 => {
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        }
        _ => {
            let folder = format!("{file}.folder");
            fs::create_dir(bag.join(&folder)).unwrap();
            return folder;
        }
    }
    file
}

#[test]
fn every_change_is_found_and_named() {
    let (folder, key) = bags();
    let mut random = StdRng::seed_from_u64(7);
    let mut touched = BTreeSet::new();
    for number in 0..300 {
        let (bag, _) = write(folder.path(), &format!("run-{number}"), Some(&key));
        unlock(&bag);
        let file = tamper(&bag, &mut random);
        let found = verified(&bag, &allowed(&key));
        let said: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        let named = said.iter().any(|problem| problem.contains(&file))
            || (file == SIGNATURE && said.iter().any(|problem| problem.contains("signature")))
            || (file == SEALED && found.signer.is_none());
        assert!(named, "change {number} of {file}: {said:?}");
        touched.insert(file);
        fs::remove_dir_all(&bag).unwrap();
    }
    assert!(touched.len() > 10, "{touched:?}");
}

#[test]
fn what_is_no_file_is_found_and_not_waited_for() {
    let (folder, key) = bags();
    let (bag, _) = write(folder.path(), "run-1", Some(&key));
    unlock(&bag);
    let file = bag.join("data/report.html");
    fs::remove_file(&file).unwrap();
    // Whoever opens it waits for somebody who writes.
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    let found = verified(&bag, &allowed(&key));
    let said: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|said| said.starts_with("data/report.html is neither a file nor a folder")), "{said:?}");
}

#[test]
fn who_rewrites_every_manifest_still_lacks_the_key() {
    let (folder, key) = bags();
    let (bag, _) = write(folder.path(), "run-1", Some(&key));
    let (forged, _) = write(folder.path(), "run-2", Some(&SigningKey::generate("forger").unwrap()));
    unlock(&forged);
    fs::copy(bag.join(SIGNATURE), forged.join(SIGNATURE)).unwrap();
    fs::write(forged.join(SEALED), [fs::read(forged.join(SEALED)).unwrap(), b"\n".to_vec()].concat()).unwrap();
    let found = verified(&forged, &allowed(&key));
    assert!(found.problems.iter().any(|problem| matches!(problem, Problem::Signature { .. })), "{:?}", found.problems);
}
