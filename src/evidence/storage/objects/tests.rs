//! What an object store does that a folder does not: it fails, and it is read in parts.

mod s3;

use std::{
    fmt,
    io::{ErrorKind, Write as _},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, stream, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};
use tempfile::TempDir;

pub(in crate::evidence::storage) use self::s3::in_bucket;
use super::{Objects, is_unreachable};
use crate::evidence::storage::{Log as _, Storage as _, read};

const SEAL: &str = "seal.txt";

/// A storage over objects in memory.
pub(in crate::evidence::storage) fn in_memory() -> (Objects, TempDir) {
    over(Arc::new(InMemory::new()))
}

fn over(store: Arc<dyn ObjectStore>) -> (Objects, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (reopened(store, &folder), folder)
}

/// Another process with the same spool.
fn reopened(store: Arc<dyn ObjectStore>, folder: &TempDir) -> Objects {
    let mut objects =
        Objects::new(store, "some/prefix", "s3://bucket/some/prefix".into(), folder.path().join("spool"), 1 << 20)
            .unwrap();
    objects.chapter = 10;
    objects
}

fn commit(objects: &Objects, name: &str) -> std::io::Result<()> {
    let spool = objects.spool(name).unwrap();
    for file in ["data/a.txt", SEAL] {
        spool.file(file).unwrap().write_all(name.as_bytes()).unwrap();
    }
    objects.commit(spool, SEAL)
}

/// A store that fails when told, and changes what it stores.
#[derive(Debug, Default)]
struct Faulty {
    inner: InMemory,
    is_away: AtomicBool,
    /// How many of the next puts arrive changed.
    corrupts: AtomicUsize,
    /// Whether the answers to puts are lost.
    loses_answers: AtomicBool,
    calls: AtomicUsize,
    /// How many objects were listed.
    listed: AtomicUsize,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

impl Faulty {
    fn call(&self) -> Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(Error::Generic { store: "faulty", source: "connection refused".into() });
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.call()?;
        let is_changed =
            self.corrupts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        let payload = if is_changed {
            let mut bytes = Bytes::from(payload).to_vec();
            bytes[0] ^= 1;
            bytes.into()
        } else {
            payload
        };
        let put = self.inner.put_opts(path, payload, options).await?;
        if self.loses_answers.load(Ordering::SeqCst) {
            return Err(Error::Generic { store: "faulty", source: "connection closed before the answer".into() });
        }
        Ok(put)
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.call()?;
        self.inner.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.call()?;
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Err(error) = self.call() {
            return stream::once(async { Err(error) }).boxed();
        }
        let listed = self.inner.list_with_offset(prefix, offset).collect::<Vec<_>>().now_or_never().unwrap();
        self.listed.fetch_add(listed.len(), Ordering::SeqCst);
        stream::iter(listed).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.call()?;
        let listed = self.inner.list_with_delimiter(prefix).await?;
        self.listed.fetch_add(listed.objects.len() + listed.common_prefixes.len(), Ordering::SeqCst);
        Ok(listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[test]
fn a_bag_waits_while_the_store_is_away_and_nothing_is_written_before_it() {
    let store = Arc::new(Faulty::default());
    let (objects, folder) = over(store.clone());
    store.is_away.store(true, Ordering::SeqCst);
    commit(&objects, "2026-a").unwrap();
    assert_eq!(objects.backlog().unwrap().bags, 1);
    assert_eq!(read(&objects, "2026-a/data/a.txt").unwrap(), b"2026-a", "it is read from the spool");
    for error in [objects.put_new("mail/a", b"a").unwrap_err(), objects.append("log", 0, b"a").unwrap_err()] {
        assert!(is_unreachable(&error), "{error}");
        assert!(error.to_string().contains("s3://bucket/some/prefix cannot be used: connection refused"), "{error}");
    }
    // The process is killed; the next one finds what waits. The store comes back.
    drop(objects);
    let objects = reopened(store.clone(), &folder);
    store.is_away.store(false, Ordering::SeqCst);
    objects.put_new("mail/a", b"a").unwrap();
    assert_eq!(objects.backlog().unwrap(), super::Backlog::default());
    let (elsewhere, _folder) = over(store);
    assert_eq!(read(&elsewhere, "2026-a/data/a.txt").unwrap(), b"2026-a");
    assert_eq!(read(&elsewhere, "mail/a").unwrap(), b"a");
}

#[test]
fn the_spool_is_bounded() {
    let store = Arc::new(Faulty::default());
    let (mut objects, folder) = over(store.clone());
    objects.waiting = super::Waiting::new(folder.path().join("spool"), 1_000);
    store.is_away.store(true, Ordering::SeqCst);
    let failed = (0..20).find_map(|number| commit(&objects, &format!("2026-{number:02}")).err()).unwrap();
    assert_eq!(failed.kind(), ErrorKind::StorageFull);
    assert!(objects.backlog().unwrap().bytes <= 1_000);
    store.is_away.store(false, Ordering::SeqCst);
    let objects = reopened(store, &folder);
    objects.drain().unwrap();
    commit(&objects, "2026-99").unwrap();
}

#[test]
fn a_store_that_does_not_answer_is_not_asked_again_at_once() {
    let store = Arc::new(Faulty::default());
    let (objects, _folder) = over(store.clone());
    store.is_away.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        assert!(is_unreachable(&objects.list("").unwrap_err()));
    }
    assert_eq!(store.calls.load(Ordering::SeqCst), 1);
}

#[test]
fn what_arrives_changed_is_put_again_or_refused() {
    let store = Arc::new(Faulty::default());
    let (objects, _folder) = over(store.clone());
    store.corrupts.store(2, Ordering::SeqCst);
    objects.put_new("mail/a", b"mail").unwrap();
    assert_eq!(read(&objects, "mail/a").unwrap(), b"mail");
    store.corrupts.store(usize::MAX, Ordering::SeqCst);
    let error = objects.put_new("mail/b", b"mail").unwrap_err();
    assert!(error.to_string().contains("did not arrive as it was sent"), "{error}");
    assert_eq!(objects.client.size("mail/b").unwrap_or(None), None);
}

#[test]
fn an_answer_that_is_lost_does_no_harm() {
    let store = Arc::new(Faulty::default());
    let (objects, folder) = over(store.clone());
    store.loses_answers.store(true, Ordering::SeqCst);
    commit(&objects, "2026-a").unwrap();
    assert_eq!(objects.backlog().unwrap().bags, 1, "it is not known whether it is stored");
    store.loses_answers.store(false, Ordering::SeqCst);
    let objects = reopened(store.clone(), &folder);
    objects.drain().unwrap();
    assert_eq!(objects.backlog().unwrap().bags, 0);
    store.loses_answers.store(true, Ordering::SeqCst);
    assert!(is_unreachable(&objects.append("log", 0, b"line\n").unwrap_err()));
    store.loses_answers.store(false, Ordering::SeqCst);
    let objects = reopened(store, &folder);
    assert!(!objects.append("log", 0, b"line\n").unwrap(), "it is there already");
    assert_eq!(objects.read_from("log", 0).unwrap(), b"line\n");
}

#[test]
fn another_bag_of_the_name_of_one_that_waits_is_reported_and_not_overwritten() {
    let store = Arc::new(Faulty::default());
    let (objects, folder) = over(store.clone());
    store.is_away.store(true, Ordering::SeqCst);
    commit(&objects, "2026-a").unwrap();
    store.is_away.store(false, Ordering::SeqCst);
    let (other, _other) = over(store.clone());
    other.client.create("bags/2026-a.zip", Bytes::from_static(b"other"), other.client.patience).unwrap();
    let objects_again = reopened(store, &folder);
    let error = objects_again.put_new("mail/a", b"a").unwrap_err();
    assert!(error.to_string().contains("bags/2026-a.zip is another bag"), "{error}");
    assert_eq!(objects_again.backlog().unwrap().bags, 1);
    drop(objects);
}

#[test]
fn a_ledger_of_many_chapters_is_read_from_any_position() {
    let store = Arc::new(InMemory::new());
    let (objects, folder) = over(store.clone());
    let mut whole = Vec::new();
    for number in 0..40 {
        let line = format!("{}\n", "x".repeat(number % 7 + 1));
        assert!(objects.append("ledger.jsonl", whole.len() as u64, line.as_bytes()).unwrap());
        whole.extend_from_slice(line.as_bytes());
    }
    let objects = reopened(store.clone(), &folder);
    assert_eq!(objects.length("ledger.jsonl").unwrap(), whole.len() as u64);
    for from in 0..=whole.len() {
        assert_eq!(objects.read_from("ledger.jsonl", from as u64).unwrap(), whole[from..], "{from}");
    }
    assert_eq!(read(&objects, "ledger.jsonl").unwrap(), whole);
    let (_, wholes) = objects.client.list("log/ledger.jsonl/000000000000").unwrap();
    assert!(wholes.iter().any(|(name, _)| name == "whole"), "a complete chapter is one object");
    // A part that does not belong there is noticed.
    objects
        .client
        .create("log/ledger.jsonl/000000000999/00000000000000009999", Bytes::from_static(b"x"), objects.client.patience)
        .unwrap();
    assert_eq!(objects.read_from("ledger.jsonl", 0).unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn the_end_of_a_ledger_is_found_without_a_list_of_it() {
    let store = Arc::new(Faulty::default());
    let (mut objects, mut other) = (over(store.clone()), over(store.clone()));
    (objects.0.chapter, other.0.chapter) = (1 << 9, 1 << 9);
    let mut whole = Vec::new();
    let end = |objects: &Objects| objects.end("ledger.jsonl").unwrap();
    for number in 0..1_000 {
        let (objects, line) = (if number % 3 == 0 { &other.0 } else { &objects.0 }, format!("{number}\n"));
        let (length, bytes) = end(objects);
        assert!(length == whole.len() as u64 && whole.ends_with(&bytes), "{number}");
        let has_two_lines = bytes.split(|byte| *byte == b'\n').nth(2).is_some();
        assert!(has_two_lines || number < 2, "where the last line begins is seen: {number}");
        assert!(objects.append("ledger.jsonl", length, line.as_bytes()).unwrap());
        assert!(!objects.append("ledger.jsonl", length, b"x\n").unwrap(), "another one was there first");
        whole.extend_from_slice(line.as_bytes());
    }
    let (calls, listed) = (store.calls.swap(0, Ordering::SeqCst), store.listed.swap(0, Ordering::SeqCst));
    assert!(calls < 9 * 1_000 && listed < 40 * 1_000, "{calls} calls, {listed} objects listed");
    assert_eq!(read(&reopened(store.clone(), &other.1), "ledger.jsonl").unwrap(), whole);
    // What is cut is not remembered.
    for cut in [1, 3, 20, 200] {
        for part in 1_000 - cut..1_000 {
            let start = position_of(part);
            let chapter = start / (1 << 9);
            objects.0.client.remove(&format!("log/ledger.jsonl/{chapter:012}/{start:020}")).unwrap();
        }
        let left = &whole[..usize::try_from(position_of(1_000 - cut)).unwrap()];
        for objects in [&objects.0, &other.0] {
            assert_eq!(end(objects).0, left.len() as u64, "{cut}");
        }
    }
    // What is written again in other pieces is read as it is now.
    let left = usize::try_from(position_of(800)).unwrap();
    assert!(other.0.append("ledger.jsonl", left as u64, &whole[left..]).unwrap());
    for objects in [&objects.0, &other.0] {
        let (length, bytes) = end(objects);
        assert!(length == whole.len() as u64 && whole.ends_with(&bytes), "{length}");
    }
}

/// Where the line with a number begins, if each line has one number from 0 on.
fn position_of(number: u64) -> u64 {
    (0..number).map(|number| number.to_string().len() as u64 + 1).sum()
}

#[test]
fn a_large_bag_is_read_in_parts() {
    let store = Arc::new(Faulty::default());
    let (objects, folder) = over(store.clone());
    let large: Vec<u8> =
        (0..3_000_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let spool = objects.spool("2026-large").unwrap();
    spool.file("data/large.gz").unwrap().write_all(&large).unwrap();
    spool.file(SEAL).unwrap().write_all(b"seal").unwrap();
    objects.commit(spool, SEAL).unwrap();
    let objects = reopened(store.clone(), &folder);
    let before = store.calls.load(Ordering::SeqCst);
    assert_eq!(read(&objects, "2026-large/seal.txt").unwrap(), b"seal");
    assert_eq!(store.calls.load(Ordering::SeqCst) - before, 1, "the end of the object has it");
    assert_eq!(read(&objects, "2026-large/data/large.gz").unwrap(), large);
}

#[test]
fn places_are_addresses_of_objects() {
    let (objects, _folder) = in_memory();
    assert_eq!(objects.place(""), "s3://bucket/some/prefix");
    assert_eq!(objects.place("2026-a"), "s3://bucket/some/prefix/bags/2026-a.zip");
    assert_eq!(objects.place("mail/a.eml"), "s3://bucket/some/prefix/mail/a.eml");
    assert!(!format!("{objects:?}").contains("InMemory"), "the store may hold credentials");
}
