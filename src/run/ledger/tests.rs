//! A ledger's file that is removed or cut while it is in use, in a folder and in an object store.

use std::{fs, path::PathBuf, sync::Arc};

use chrono::DateTime;

use super::*;
use crate::{
    evidence::storage::{folder::Folder, memory::Memory, read},
    ledger::chain,
    run::vault::Configuration,
    store::testing,
};

/// Evidence in one kind of storage, with a way to remove what is after a position of the ledger.
struct Kept {
    vault: Vault,
    cut: Box<dyn Fn(u64)>,
}

fn kept(storage: Arc<dyn Storage>, cut: impl Fn(u64) + 'static) -> Kept {
    let (configuration, agent) = (Configuration::default(), "rolecall".into());
    Kept {
        vault: Vault { storage, key: None, timestamps: None, keep_days: None, configuration, agent },
        cut: Box::new(cut),
    }
}

fn in_folder(path: PathBuf) -> Kept {
    let storage = Arc::new(Folder::new(&path));
    let cut = move |position| match position {
        0 => fs::remove_dir_all(&path).unwrap(),
        position => fs::OpenOptions::new().write(true).open(path.join(LEDGER)).unwrap().set_len(position).unwrap(),
    };
    kept(storage, cut)
}

fn in_objects() -> Kept {
    let storage = Arc::new(Memory::new());
    let same = Arc::clone(&storage);
    kept(storage, move |position| same.lose(LEDGER, position))
}

/// Adds an entry and writes it out; returns how long the file is then.
async fn add(store: &dyn Database, vault: &Vault, number: u32) -> u64 {
    let now = DateTime::UNIX_EPOCH + chrono::Duration::minutes(number.into());
    let fact = Fact::Key { fingerprint: Some(number.to_string()), signer: None };
    store.append(&[fact], now).await.unwrap();
    write_out(store, vault, now).await.unwrap();
    vault.storage.length(LEDGER).unwrap()
}

/// What the ledger says about cuts, which is in the file, too.
async fn cuts(store: &dyn Database, vault: &Vault) -> Vec<(u64, u64)> {
    let file = chain::read(&String::from_utf8(read(&*vault.storage, LEDGER).unwrap()).unwrap());
    assert_eq!(file.faults, []);
    assert_eq!(file.head(), store.head().await.unwrap());
    let cut = |fact: &Fact| match fact {
        Fact::LedgerFileCut { had, found } => Some((*had, *found)),
        _ => None,
    };
    file.entries.iter().filter_map(|(entry, _)| cut(&entry.fact)).collect()
}

#[tokio::test]
async fn a_file_that_is_removed_or_cut_while_it_is_in_use_is_noticed_once_and_written_again() {
    let place = tempfile::tempdir().unwrap();
    for (number, Kept { vault, cut }) in (0..).zip([in_folder(place.path().join("evidence")), in_objects()]) {
        let folder = place.path().join(number.to_string());
        fs::create_dir(&folder).unwrap();
        let store = testing::open(&folder).await;
        // Entry 1 is the beginning.
        let length = add(&store, &vault, 1).await;
        add(&store, &vault, 2).await;
        assert_eq!(cuts(&store, &vault).await, [], "nothing was there before");
        cut(0);
        add(&store, &vault, 3).await;
        assert_eq!(cuts(&store, &vault).await, [(3, 0)]);
        // The objects of the ledger have no shorter ones in them.
        let (position, found) = if number == 0 { (length, 2) } else { (0, 0) };
        cut(position);
        // Another process, and nothing new to write.
        let store = testing::open(&folder).await;
        write_out(&store, &vault, DateTime::UNIX_EPOCH).await.unwrap();
        add(&store, &vault, 4).await;
        assert_eq!(cuts(&store, &vault).await, [(3, 0), (5, found)]);
        // Another place on purpose.
        let elsewhere = in_folder(folder.join("elsewhere")).vault;
        add(&store, &elsewhere, 5).await;
        assert_eq!(cuts(&store, &elsewhere).await.len(), 2);
    }
}
