//! What is on record before, while and after somebody is removed.

use super::*;

/// Refuses to take the ledger anywhere, from a call on.
struct Refuses(std::sync::atomic::AtomicU32);

#[async_trait::async_trait]
impl LedgerWriter for Refuses {
    async fn write_out(&self) -> Result<(), String> {
        match self.0.fetch_sub(1, Ordering::Relaxed) {
            1.. => Ok(()),
            0 => Err("the disk is full".to_owned()),
        }
    }
}

#[tokio::test]
async fn what_cannot_be_kept_beside_the_store_is_not_done() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let plan = bench.plan(&[&leaver]).await.unwrap();
    let done = bench.carry_out_seen_by(&Refuses(0.into()), &plan).await;
    assert_eq!(outcomes(&done), [Outcome::NotTried]);
    assert!(done[0].detail.contains("the disk is full"), "{done:?}");
    assert!(bench.last(Fact::OFFBOARDING_BEGUN, &leaver).await.is_none());

    let done = bench.carry_out_seen_by(&Refuses(1.into()), &plan).await;
    assert_eq!(outcomes(&done), [Outcome::NotRemoved], "{done:?}");
    assert_eq!(bench.outcome(&leaver).await.as_deref(), Some("not_removed"));
    assert_eq!((bench.status(&leaver), bench.deletions()), ("active".to_owned(), 0));
}

#[tokio::test]
async fn while_somebody_is_being_removed_nobody_else_is() {
    let bench = Bench::new().await;
    let [leaver, other] = ["leaver", "other"].map(|name| bench.plain_user(name));
    bench.begin(&bench.plan(&[&other]).await.unwrap()).await;
    let plan = bench.plan(&[&leaver]).await.unwrap();
    let done = bench.carry_out(&plan).await;
    assert_eq!(outcomes(&done), [Outcome::NotTried]);
    assert!(done[0].detail.contains(&format!("the removal of user {other}")), "{done:?}");
    // What is older came to its end long ago, whatever that was.
    bench.moved.store(601, Ordering::Relaxed);
    assert_eq!(outcomes(&bench.remove(&[&leaver]).await), [Outcome::Removed]);
    bench.moved.store(0, Ordering::Relaxed);

    // Running it again settles it, and then the way is free.
    let next = bench.plain_user("next");
    assert_eq!(outcomes(&bench.remove(&[&other]).await), [Outcome::Removed]);
    assert_eq!(outcomes(&bench.remove(&[&next]).await), [Outcome::Removed]);
    assert_eq!(bench.deletions(), 3);
}

#[tokio::test]
async fn an_attempt_that_ended_before_it_asked_is_closed_before_the_next_one() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let plans = [bench.plan(&[&leaver]).await.unwrap(), bench.plan(&[&leaver]).await.unwrap()];
    for plan in &plans {
        bench.begin(plan).await;
    }
    assert_eq!(outcomes(&bench.remove(&[&leaver]).await), [Outcome::Removed]);
    let facts: Vec<Fact> = bench.store.offboardings().await.unwrap().into_iter().map(|entry| entry.fact).collect();
    let [Fact::OffboardingBegun(_), Fact::OffboardingBegun(_), ended @ .., Fact::OffboardingBegun(_), last] =
        &facts[..]
    else {
        panic!("{facts:?}")
    };
    for (ended, plan) in ended.iter().zip(&plans) {
        let Fact::OffboardingEnded(ended) = ended else { panic!("{ended:?}") };
        assert_eq!((ended.plan, ended.outcome.as_str()), (plan.plan_id, "not_removed"));
        assert_eq!(ended.detail, "found later by reading: still there");
    }
    assert!(matches!(last, Fact::OffboardingEnded(last) if last.outcome == "removed"), "{last:?}");
    assert_eq!(facts.len(), 6);
}

#[tokio::test]
async fn an_outcome_that_nobody_knows_is_settled_also_where_nothing_lists_the_user_any_more() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let id = leaver.as_str();
    bench.begin(&bench.plan(&[id]).await.unwrap()).await;
    bench.simulator.world().edit(|world| world.remove_user(id)).unwrap();
    for wanted in ["leaver@example.com", id] {
        let plan = bench.plan(&[wanted]).await.unwrap();
        assert!(plan.unneeded().is_some());
        assert_eq!(plan.removals[0].user.status, "not listed");
        let done = bench.carry_out(&plan).await;
        assert_eq!(outcomes(&done), [Outcome::AlreadyRemoved], "{done:?}");
        assert_eq!(bench.outcome(id).await.as_deref(), Some("removed"));
    }
    // In another place nobody of that name was ever to be removed.
    bench.simulator.world().edit(|world| world.patch_org(&json!({"id": "42"})));
    let elsewhere = async |offboarding: &Offboarding<'_>| {
        let offboarding = Offboarding { workspace: "other", ..*offboarding };
        offboarding.plan(std::slice::from_ref(&leaver), &()).await.unwrap_err().code()
    };
    assert_eq!(bench.on(None, elsewhere).await, "no_such_user");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unknown_until_reading_settles_it() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let plan = bench.plan(&[&leaver]).await.unwrap();
    // The gateway gives up; nobody can say whether the vendor went on.
    let path = format!("/bigin/v2/users/{leaver}");
    bench.simulator.override_answer(&path, Some(Answer::html(504, "Gateway Timeout")));
    let done = bench.carry_out(&plan).await;
    assert_eq!(outcomes(&done), [Outcome::NotRemoved], "not even the user could be read: {done:?}");
    bench.simulator.override_answer(&path, None);

    // The intent is on record and the process dies: the same as an answer that never came.
    bench.begin(&plan).await;
    bench.simulator.world().edit(|world| world.delete(&leaver)).unwrap();
    let done = bench.remove(&[&leaver]).await;
    assert_eq!(outcomes(&done), [Outcome::AlreadyRemoved]);
    assert!(done[0].detail.contains("an earlier attempt"), "{done:?}");
    assert_eq!(bench.outcome(&leaver).await.as_deref(), Some("removed"));
    assert_eq!(bench.deletions(), 0);
}
