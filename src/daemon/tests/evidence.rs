//! Evidence that is removed, or cannot be written, while a daemon runs.

use super::*;
use crate::evidence::ledger::LEDGER;

/// A daemon that keeps evidence in a folder.
async fn keeping(path: std::path::PathBuf) -> Bench {
    let bench = Bench::new(Missed::Latest).await;
    {
        let mut setup = bench.daemon.setup.write().unwrap();
        let storage = Arc::new(Folder::new(path));
        let (configuration, agent) = (Configuration::default(), "rolecall".into());
        Arc::get_mut(&mut setup).unwrap().vault =
            Some(Vault { storage, keep_days: None, key: None, timestamps: None, configuration, agent });
    }
    bench.daemon.forget();
    bench
}

#[tokio::test]
async fn evidence_that_is_removed_is_said_for_a_day_whoever_noticed_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("evidence");
    let bench = keeping(folder.clone()).await;
    bench.at(WEEK_1).await;
    let warnings = async || bench.daemon.health().await.unwrap().warnings;
    assert_eq!(warnings().await, Vec::<String>::new());
    std::fs::rename(&folder, place.path().join("gone")).unwrap();
    bench.at("2026-03-02T07:00:01Z").await;
    let said = warnings().await;
    assert!(said.len() == 1 && said[0].contains("was removed") && said[0].contains("evidence verify"), "{said:?}");
    assert!(folder.join(LEDGER).exists(), "it is written again");
    bench.at("2026-03-02T07:00:02Z").await;
    assert_eq!(warnings().await, said, "once");
    // Another process would find that, and this one says so.
    bench.daemon.forget();
    assert_eq!(warnings().await, said);
    std::fs::OpenOptions::new().write(true).open(folder.join(LEDGER)).unwrap().set_len(300).unwrap();
    bench.at("2026-03-02T08:00:00Z").await;
    let said = warnings().await;
    assert!(said.len() == 1 && said[0].contains("was cut: of"), "{said:?}");
    bench.at("2026-03-03T08:00:00Z").await;
    assert_eq!(warnings().await, Vec::<String>::new());
}

#[tokio::test]
async fn evidence_that_cannot_be_written_is_a_failure_before_a_run_fails() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("new/evidence");
    let bench = keeping(folder).await;
    assert_eq!(bench.daemon.health().await.unwrap().failure, None);
    std::fs::write(place.path().join("new"), "in its place").unwrap();
    let failure = bench.daemon.health().await.unwrap().failure.unwrap();
    assert!(failure.contains("cannot be written: it is not a folder"), "{failure}");
}
