//! Over a real S3-compatible server, and a proxy before it that damages what passes.

mod proxy;
mod server;

use std::{io::ErrorKind, time::Duration};

use secrecy::SecretString;
use tempfile::TempDir;
use url::Url;

use self::{
    proxy::{Fault, Proxy},
    server::server,
};
use super::{super::Objects, commit, is_unreachable};
use crate::evidence::storage::{
    Log as _, Storage as _,
    objects::s3::{Credentials, S3, connect},
    read,
};

/// A storage in a bucket of the server at an address.
fn at(endpoint: &str, bucket: &str, folder: &TempDir) -> Objects {
    let endpoint = Some(Url::parse(endpoint).unwrap());
    let key = Credentials::Key { id: SecretString::from("id"), secret: SecretString::from("secret"), token: None };
    let s3 = S3 { bucket: bucket.to_owned(), region: None, endpoint, roots: None, credentials: key };
    let place = format!("s3://{bucket}/some/prefix");
    let spool = folder.path().join("spool");
    let mut objects = Objects::new(connect(&s3).unwrap(), "some/prefix", place, spool, 1 << 20).unwrap();
    objects.client_mut().patience = Duration::from_secs(5);
    objects
}

/// A storage in a bucket of its own.
pub(in crate::evidence::storage) fn in_bucket() -> (Objects, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let bucket = server().bucket("bucket");
    (at(&server().url(), &bucket, &folder), folder)
}

/// A storage behind a proxy.
fn behind(proxy: &Proxy) -> (Objects, TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let bucket = server().bucket("bucket");
    (at(&proxy.url, &bucket, &folder), folder, bucket)
}

#[test]
fn what_is_damaged_on_the_way_is_put_again() {
    for fault in [Fault::FlipPuts(2), Fault::HalvePuts(2)] {
        let proxy = Proxy::start(&server().url());
        let (objects, folder, bucket) = behind(&proxy);
        proxy.set(fault);
        commit(&objects, "2026-a").unwrap();
        assert_eq!(objects.backlog().unwrap().bags, 0);
        let direct = at(&server().url(), &bucket, &folder);
        assert_eq!(read(&direct, "2026-a/data/a.txt").unwrap(), b"2026-a");
    }
}

#[test]
fn a_way_that_damages_everything_is_noticed_and_the_bag_waits() {
    let proxy = Proxy::start(&server().url());
    let (objects, folder, bucket) = behind(&proxy);
    proxy.set(Fault::FlipPuts(usize::MAX));
    commit(&objects, "2026-a").unwrap();
    assert_eq!(objects.backlog().unwrap().bags, 1);
    let direct = at(&server().url(), &bucket, &folder);
    let error = at(&proxy.url, &bucket, &folder).put_new("mail/a", b"a").unwrap_err();
    assert!(error.to_string().contains("did not arrive as it was sent"), "{error}");
    direct.put_new("mail/a", b"a").unwrap();
    assert_eq!(read(&direct, "2026-a/data/a.txt").unwrap(), b"2026-a");
}

#[test]
fn a_store_that_refuses_stalls_or_breaks_off_is_away_and_nothing_is_lost() {
    for fault in [Fault::Refuse, Fault::Stall, Fault::CutAnswers, Fault::LoseAnswers] {
        let proxy = Proxy::start(&server().url());
        let (mut objects, folder, bucket) = behind(&proxy);
        objects.client_mut().patience = Duration::from_secs(2);
        proxy.set(fault);
        commit(&objects, "2026-a").unwrap();
        let error = objects.put_new("mail/a", b"a").unwrap_err();
        assert!(is_unreachable(&error), "{fault:?}: {error}");
        proxy.set(Fault::None);
        // As the next process finds it.
        let objects = at(&proxy.url, &bucket, &folder);
        match objects.put_new("mail/a", b"a") {
            // The answer was lost.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            put => put.unwrap(),
        }
        assert_eq!(objects.backlog().unwrap().bags, 0, "{fault:?}");
        assert_eq!(read(&objects, "2026-a/data/a.txt").unwrap(), b"2026-a");
        assert_eq!(read(&objects, "mail/a").unwrap(), b"a");
    }
}

#[test]
fn the_end_of_a_log_is_waited_for_no_longer_than_anything_else() {
    let proxy = Proxy::start(&server().url());
    let (_, folder, bucket) = behind(&proxy);
    let opened = || {
        let mut objects = at(&proxy.url, &bucket, &folder);
        objects.client_mut().patience = Duration::from_secs(2);
        objects
    };
    let end = |objects: &Objects| objects.end("ledger.jsonl").map(|(length, _)| length);
    let fails = |objects: &Objects| {
        proxy.set(Fault::Stall);
        let error = end(objects).unwrap_err();
        proxy.set(Fault::None);
        assert!(error.to_string().contains("did not answer within 2 seconds"), "{error}");
    };
    // Once nothing is known of it, and once its last parts are.
    fails(&opened());
    let objects = opened();
    for (length, line) in [(0, "a\n"), (2, "b\n")] {
        assert!(objects.append("ledger.jsonl", length, line.as_bytes()).unwrap());
    }
    assert_eq!(end(&objects).unwrap(), 4);
    fails(&objects);
}

#[test]
fn an_answer_that_is_damaged_on_the_way_is_not_taken_for_the_object() {
    let proxy = Proxy::start(&server().url());
    let (objects, folder, bucket) = behind(&proxy);
    commit(&objects, "2026-a").unwrap();
    proxy.set(Fault::FlipAnswers);
    let objects = at(&proxy.url, &bucket, &folder);
    assert!(read(&objects, "2026-a/data/a.txt").is_err(), "the zip has a checksum of each file");
}

#[test]
fn a_probe_says_what_a_bucket_does() {
    let folder = tempfile::tempdir().unwrap();
    let plain = server().bucket("bucket");
    let probe = |bucket: &str| at(&server().url(), bucket, &folder).probe();
    for _ in 0..2 {
        let found = probe(&plain).unwrap();
        assert!(!found.keeps_versions && found.retention.is_none());
    }
    server().command(&format!("versions {plain}"));
    assert!(!probe(&plain).unwrap().keeps_versions, "the object of the first probe has no version");
    let versioned = server().bucket("bucket");
    server().command(&format!("versions {versioned}"));
    assert!(probe(&versioned).unwrap().keeps_versions);
    let missing = probe("no-such-bucket").unwrap_err().to_string();
    assert!(missing.contains("NoSuchBucket"), "{missing}");
    let nowhere = at("http://127.0.0.1:9", &plain, &folder).probe().unwrap_err().to_string();
    assert!(nowhere.contains("the object store s3://"), "{nowhere}");
}

#[test]
fn a_probe_finds_a_store_that_overwrites() {
    let proxy = Proxy::start(&server().url());
    let (objects, ..) = behind(&proxy);
    proxy.set(Fault::IgnoreConditions);
    let error = objects.probe().unwrap_err().to_string();
    assert!(error.contains("ignores `If-None-Match`"), "{error}");
}

#[test]
fn a_locked_bucket_keeps_what_was_put() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&server().url());
    // The server asks for a header that AWS does not.
    proxy.set(Fault::NameChecksums);
    let bucket = server().bucket("lock");
    let objects = at(&proxy.url, &bucket, &folder);
    let found = objects.probe().unwrap();
    assert!(found.keeps_versions);
    assert_eq!(found.retention.unwrap().0, "COMPLIANCE");
    commit(&objects, "2026-a").unwrap();
    objects.append("log", 0, b"line\n").unwrap();
    assert_eq!(objects.backlog().unwrap().bags, 0);
}
