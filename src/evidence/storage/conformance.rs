//! What every storage must do. An adapter that is added gets a line at the end.

use std::{
    io::{ErrorKind, Write as _},
    thread,
};

use super::{Kind, Storage, folder::Folder, join, memory::Memory, read};

const SEAL: &str = "seal.txt";

/// Spools a bag with two files and its seal.
fn spooled(storage: &dyn Storage, name: &str, content: &str) -> super::Spool {
    let spool = storage.spool(name).unwrap();
    for file in ["data/deep/a.txt", "b.txt", SEAL] {
        spool.file(file).unwrap().write_all(content.as_bytes()).unwrap();
    }
    spool
}

fn commit(storage: &dyn Storage, name: &str) {
    storage.commit(spooled(storage, name, "bag"), SEAL).unwrap();
}

/// The names of what is not a draft.
fn names(storage: &dyn Storage, folder: &str) -> Vec<String> {
    let items = storage.list(folder).unwrap().into_iter();
    items.filter(|item| item.kind != Kind::Draft).map(|item| item.name).collect()
}

fn an_object_comes_back_as_it_was_put(storage: &dyn Storage) {
    let content: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    storage.put_new("mail/a.eml", &content).unwrap();
    storage.put_new("empty", b"").unwrap();
    assert_eq!(read(storage, "mail/a.eml").unwrap(), content);
    assert_eq!(read(storage, "empty").unwrap(), b"");
    let kinds: Vec<Kind> = storage.list("").unwrap().into_iter().map(|item| item.kind).collect();
    assert_eq!((names(storage, ""), kinds), (vec!["empty".into(), "mail".into()], vec![Kind::Object(0), Kind::Folder]));
    assert_eq!(storage.list("mail").unwrap()[0].kind, Kind::Object(200_000));
    assert_eq!(storage.get("mail/b.eml").err().unwrap().kind(), ErrorKind::NotFound);
    assert!(storage.list("nothing").unwrap().is_empty());
}

fn nothing_is_overwritten(storage: &dyn Storage) {
    storage.put_new("a", b"first").unwrap();
    assert_eq!(storage.put_new("a", b"second").unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(read(storage, "a").unwrap(), b"first");
    commit(storage, "bag");
    assert_eq!(storage.spool("bag").unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(read(storage, "bag/b.txt").unwrap(), b"bag");
}

fn a_list_does_not_fail_while_others_write(storage: &dyn Storage) {
    let is_done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..300 {
                storage.put_new(&format!("mail/{number}"), b"").unwrap();
            }
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
            storage.list("").unwrap();
        }
    });
    assert_eq!(storage.list("mail").unwrap().len(), 300);
}

fn of_many_writers_one_wins(storage: &dyn Storage) {
    let put = |number: u8| storage.put_new("mail/one", &[number; 10_000]).is_ok();
    let won: Vec<u8> = thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|number| (number, scope.spawn(move || put(number)))).collect();
        writers.into_iter().filter_map(|(number, writer)| writer.join().unwrap().then_some(number)).collect()
    });
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(read(storage, "mail/one").unwrap(), [won[0]; 10_000]);
}

fn a_bag_is_visible_after_its_commit_and_not_before(storage: &dyn Storage) {
    let spool = spooled(storage, "bag", "bag");
    assert!(names(storage, "").is_empty() && names(storage, "bag").is_empty());
    assert_eq!(storage.get("bag/b.txt").err().unwrap().kind(), ErrorKind::NotFound);
    storage.commit(spool, SEAL).unwrap();
    assert_eq!(names(storage, ""), ["bag"]);
    assert_eq!(names(storage, "bag"), ["b.txt", "data", SEAL]);
    assert_eq!(read(storage, &join("bag", "data/deep/a.txt")).unwrap(), b"bag");
}

fn a_writer_that_dies_leaves_nothing_visible(storage: &dyn Storage) {
    // Killed: nothing of it is dropped.
    std::mem::forget(spooled(storage, "bag", "dead"));
    drop(spooled(storage, "other", "dropped"));
    let spool = storage.spool("unsealed").unwrap();
    spool.file("b.txt").unwrap();
    assert_eq!(storage.commit(spool, SEAL).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(names(storage, "").is_empty());
    let spool = storage.spool("bag").unwrap();
    spool.file(SEAL).unwrap();
    storage.commit(spool, SEAL).unwrap();
    assert_eq!(names(storage, "bag"), [SEAL], "nothing of the first is left");
}

fn what_is_removed_is_gone(storage: &dyn Storage) {
    commit(storage, "bag");
    commit(storage, "bag-2");
    storage.put_new("mail/a", b"a").unwrap();
    storage.put_new("mail/b", b"b").unwrap();
    for key in ["bag", "mail/a", "mail/never"] {
        storage.remove(key).unwrap();
        storage.remove(key).unwrap();
    }
    assert_eq!((names(storage, ""), names(storage, "mail")), (vec!["bag-2".into(), "mail".into()], vec!["b".into()]));
    commit(storage, "bag");
}

fn a_key_that_leaves_the_storage_is_refused(storage: &dyn Storage) {
    for key in ["../a", "a/../../b", "/etc/passwd", "a//b", "a/", ".", "a/./b", "", ".draft-a/b", "a\0"] {
        let refused = [
            storage.put_new(key, b"").err(),
            storage.get(key).err(),
            storage.remove(key).err(),
            storage.spool(key).err(),
            storage.append(key, 0, b"").err(),
            storage.read_from(key, 0).err(),
        ];
        for error in refused {
            assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::InvalidInput), "{key:?}");
        }
    }
}

fn a_log_grows_by_those_who_know_its_length(storage: &dyn Storage) {
    assert_eq!(storage.length("log").unwrap(), 0);
    assert_eq!(storage.read_from("log", 0).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(storage.append("log", 0, b"one\n").unwrap());
    assert!(!storage.append("log", 0, b"uno\n").unwrap(), "another writer was faster");
    assert!(storage.append("log", 4, b"two\n").unwrap());
    assert_eq!(storage.length("log").unwrap(), 8);
    assert_eq!(storage.read_from("log", 2).unwrap(), b"e\ntwo\n");
    assert_eq!(names(storage, ""), ["log"]);
    let append = |number: u8| storage.append("log", 8, &[number; 4]).unwrap();
    let won = thread::scope(|scope| {
        let writers: Vec<_> = (0..8).map(|number| scope.spawn(move || append(number))).collect();
        writers.into_iter().filter(|_| true).map(|writer| u32::from(writer.join().unwrap())).sum::<u32>()
    });
    assert_eq!((won, storage.length("log").unwrap()), (1, 12));
}

/// A test of each behaviour for an adapter.
macro_rules! conforms {
    ($adapter:ident, $open:expr, $($behaviour:ident),*) => {
        mod $adapter {
            $(
                #[test]
                fn $behaviour() {
                    let (storage, _guard) = $open;
                    super::$behaviour(&storage);
                }
            )*
        }
    };
    ($adapter:ident, $open:expr) => {
        conforms!(
            $adapter, $open,
            an_object_comes_back_as_it_was_put,
            nothing_is_overwritten,
            a_list_does_not_fail_while_others_write,
            of_many_writers_one_wins,
            a_bag_is_visible_after_its_commit_and_not_before,
            a_writer_that_dies_leaves_nothing_visible,
            what_is_removed_is_gone,
            a_key_that_leaves_the_storage_is_refused,
            a_log_grows_by_those_who_know_its_length
        );
    };
}

conforms!(folder, {
    let folder = tempfile::tempdir().unwrap();
    (super::Folder::new(folder.path().join("evidence")), folder)
});
conforms!(memory, (super::Memory::new(), ()));
conforms!(objects, crate::evidence::storage::objects::tests::in_memory());
conforms!(bucket, crate::evidence::storage::objects::tests::in_bucket());

#[test]
fn a_file_in_the_place_of_the_folder_is_not_taken_for_an_object_that_exists() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("evidence"), "in the way").unwrap();
    let storage = Folder::new(folder.path().join("evidence"));
    let errors = [storage.put_new("a", b"").unwrap_err(), storage.spool("bag").unwrap_err()];
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::NotADirectory), "{errors:?}");
    let storage = Folder::new(folder.path().join("other"));
    storage.put_new("mail", b"in the way").unwrap();
    assert_eq!(storage.put_new("mail/a", b"").unwrap_err().kind(), ErrorKind::NotADirectory);
}

#[test]
fn an_object_store_that_fails_at_any_put_shows_no_part_of_a_bag() {
    for puts in 0..3 {
        let storage = Memory::new();
        storage.die_after(Some(puts));
        storage.commit(spooled(&storage, "bag", "half"), SEAL).unwrap_err();
        assert!(names(&storage, "").is_empty() && storage.get("bag/b.txt").is_err(), "after {puts} objects");
        storage.die_after(None);
        commit(&storage, "bag");
        assert_eq!(read(&storage, "bag/b.txt").unwrap(), b"bag");
    }
}
