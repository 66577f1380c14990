//! The latest audit of a large workspace is indexed before somebody opens its page.

use crate::{
    console::{CONSOLE, Desk},
    daemon::eventually,
    support::{Bench, options},
};

#[tokio::test]
async fn the_latest_audit_of_a_large_workspace_is_indexed_when_it_comes() {
    let bench = Bench::new(options(2_100));
    bench.configure("");
    bench.audit(&["--job", "weekly"]);
    let desk = Desk::with(bench, CONSOLE);
    let indexed = || desk.daemon.said().matches("indexed the latest audit for the console").count();
    eventually("the audit that was there", || indexed() == 1);
    desk.bench.audit(&["--job", "weekly"]);
    eventually("the one that came", || indexed() == 2);
    let ana = desk.sign_in("ana@example.com").await;
    let page = desk.get("/workspaces/acme", &ana).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Users (2,1"), "{page}");
    assert!(desk.daemon.said().contains("users=2"), "{}", desk.daemon.said());
}
