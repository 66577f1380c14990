//! Completed audits.

use super::*;

pub(crate) async fn the_last_complete_audit_of_the_same_job_and_workspace_is_read_back_whole<H: Home>() {
    let bench = Bench::<H>::new().await;
    let wanted = record("acme", Some("weekly"), 200);
    let incomplete = AuditRecord { complete: false, ..record("acme", Some("weekly"), 300) };
    for other in [
        &record("acme", Some("weekly"), 100),
        &record("acme", None, 400),
        &record("beta", Some("weekly"), 500),
        &incomplete,
    ] {
        bench.store.keep(&Kept { record: other.clone(), parts: vec![vec![9]] }, at(0)).await.unwrap();
    }
    let wanted = Kept { record: wanted, parts: vec![vec![1, 2], vec![3]] };
    bench.store.keep(&wanted, at(0)).await.unwrap();
    let again = bench.home.open().await;
    assert_eq!(again.last_complete(Some("weekly"), "acme").await.unwrap(), Some(wanted.clone()));
    assert_eq!(again.kept(wanted.record.id).await.unwrap(), Some(wanted.clone()));
    assert_eq!(again.kept(incomplete.id).await.unwrap().unwrap().parts, [[9]]);
    assert_eq!(again.kept(Uuid::nil()).await.unwrap(), None);
    assert_eq!(again.audit(wanted.record.id).await.unwrap(), Some(wanted.record));
    assert_eq!(again.audit(incomplete.id).await.unwrap(), Some(incomplete));
    assert_eq!(again.last_complete(Some("daily"), "acme").await.unwrap(), None);
}

pub(crate) async fn the_past_is_the_last_complete_audits_in_their_order<H: Home>() {
    let bench = Bench::<H>::new().await;
    let of = |second, administrators| AuditRecord { administrators, ..record("acme", Some("weekly"), second) };
    let incomplete = AuditRecord { complete: false, ..of(250, 9) };
    // The last one was kept while the clock was behind.
    for kept in [
        &of(100, 1),
        &of(200, 2),
        &record("acme", None, 210),
        &record("beta", Some("weekly"), 220),
        &incomplete,
        &of(300, 3),
        &of(50, 4),
    ] {
        bench.store.keep(&Kept { record: kept.clone(), parts: Vec::new() }, at(0)).await.unwrap();
    }
    let past = |limit| bench.store.past(Some("weekly"), "acme", limit);
    let expected = [of(200, 2), of(300, 3), of(50, 4)].map(|record| Past {
        finished_at: record.finished_at,
        administrators: record.administrators,
        open_findings: record.open_findings,
    });
    assert_eq!(past(3).await.unwrap(), expected);
    assert_eq!(past(9).await.unwrap().len(), 4);
    assert_eq!(bench.store.past(Some("daily"), "acme", 3).await.unwrap(), []);
    let completed = bench.store.completed(Some("weekly"), "acme", 2).await.unwrap();
    let times: Vec<_> = completed.iter().map(|record| record.finished_at).collect();
    assert_eq!(times, [of(50, 4), of(300, 3)].map(|record| record.finished_at), "the last one first");
    assert_eq!(bench.store.completed(Some("daily"), "acme", 2).await.unwrap(), []);
}

pub(crate) async fn complete_audits_are_walked_backwards_in_the_order_of_keeping<H: Home>() {
    let bench = Bench::<H>::new().await;
    let of = |second| record("acme", Some("weekly"), second);
    let incomplete = AuditRecord { complete: false, ..of(250) };
    let (first, second, third) = (of(100), of(300), of(50));
    let others = [&record("acme", None, 210), &record("beta", Some("weekly"), 220), &incomplete];
    for kept in [&first, &second].into_iter().chain(others).chain([&third]) {
        bench.store.keep(&Kept { record: kept.clone(), parts: Vec::new() }, at(0)).await.unwrap();
    }
    let before = |before, limit| bench.store.complete_before(Some("weekly"), "acme", before, limit);
    assert_eq!(before(None, 2).await.unwrap(), [third.clone(), second.clone()]);
    assert_eq!(before(Some(second.id), 9).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(before(Some(incomplete.id), 9).await.unwrap(), [second, first.clone()]);
    assert_eq!(before(Some(first.id), 9).await.unwrap(), []);
    assert_eq!(bench.store.complete_before(Some("daily"), "acme", None, 9).await.unwrap(), []);
}

pub(crate) async fn reads_are_in_the_order_of_time_and_of_audits_that_end_together<H: Home>() {
    let bench = Bench::<H>::new().await;
    let of = |id: u128, second| AuditRecord { id: Uuid::from_u128(id), ..record("acme", Some("weekly"), second) };
    // Two jobs read the workspace and end in the same millisecond; the one with the later id is kept first.
    let daily = AuditRecord { job: Some("daily".into()), ..of(5, 200) };
    let (first, weekly, last) = (of(9, 100), of(7, 200), of(2, 300));
    let others =
        [AuditRecord { complete: false, ..of(6, 200) }, AuditRecord { workspace: "beta".into(), ..of(8, 200) }];
    for record in [&first, &weekly, &daily, &last].into_iter().chain(&others) {
        bench.store.keep(&Kept { record: record.clone(), parts: Vec::new() }, at(0)).await.unwrap();
    }
    let cursor = |record: &AuditRecord| ReadCursor { at: record.finished_at, audit: record.id };
    let order = [&first, &daily, &weekly, &last];
    let (mut back, mut on) = (ReadCursor::end_of(at(1_000)), ReadCursor::end_of(at(0)));
    for record in order.into_iter().rev() {
        assert_eq!(bench.store.last_read("acme", back).await.unwrap().as_ref(), Some(record));
        back = cursor(record);
    }
    assert_eq!(bench.store.last_read("acme", back).await.unwrap(), None);
    for record in order {
        assert_eq!(bench.store.next_read("acme", on).await.unwrap().as_ref(), Some(record));
        on = cursor(record);
    }
    assert_eq!(bench.store.next_read("acme", on).await.unwrap(), None);
    assert_eq!(bench.store.last_read("acme", ReadCursor::end_of(at(200))).await.unwrap(), Some(weekly));
    assert_eq!(bench.store.next_read("acme", ReadCursor::end_of(at(200))).await.unwrap(), Some(last));
}

pub(crate) async fn an_audit_is_kept_once<H: Home>() {
    let bench = Bench::<H>::new().await;
    let mut audit = Kept { record: record("acme", None, 100), parts: vec![vec![1]] };
    bench.store.keep(&audit, at(0)).await.unwrap();
    audit.parts = vec![vec![2]];
    assert!(bench.store.keep(&audit, at(0)).await.is_err());
    assert_eq!(bench.store.last_complete(None, "acme").await.unwrap().unwrap().parts, [vec![1]]);
    assert_eq!(bench.facts().await.len(), 1);
}

pub(crate) async fn old_snapshots_are_pruned_but_never_the_one_to_compare_with<H: Home>() {
    let bench = Bench::<H>::new().await;
    let mut ids = Vec::new();
    for (job, second, complete) in
        [("weekly", 100, true), ("weekly", 200, true), ("weekly", 300, false), ("daily", 150, true)]
    {
        let record = AuditRecord { complete, ..record("acme", Some(job), second) };
        ids.push(record.id);
        bench.store.keep(&Kept { record, parts: vec![vec![1]] }, at(0)).await.unwrap();
    }
    assert_eq!(bench.store.prune(at(1_000)).await.unwrap(), 2);
    let weekly = bench.store.last_complete(Some("weekly"), "acme").await.unwrap().unwrap();
    assert_eq!((weekly.record.id, weekly.parts.len()), (ids[1], 1));
    let daily = bench.store.last_complete(Some("daily"), "acme").await.unwrap().unwrap();
    assert_eq!((daily.record.id, daily.parts.len()), (ids[3], 1));
    for id in ids {
        assert!(bench.store.audit(id).await.unwrap().is_some(), "the records stay");
        let is_last = [weekly.record.id, daily.record.id].contains(&id);
        assert_eq!(bench.store.kept(id).await.unwrap().is_some(), is_last);
    }
    assert_eq!(bench.store.prune(at(1_000)).await.unwrap(), 0);
}
