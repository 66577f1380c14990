//! Evidence that is removed, or cannot be written, while a daemon runs.

use super::*;

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
async fn evidence_that_cannot_be_written_is_a_failure_before_a_run_fails() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("new/evidence");
    let bench = keeping(folder).await;
    assert_eq!(bench.daemon.health().await.unwrap().failure, None);
    std::fs::write(place.path().join("new"), "in its place").unwrap();
    let failure = bench.daemon.health().await.unwrap().failure.unwrap();
    assert!(failure.contains("cannot be written: it is not a folder"), "{failure}");
}
