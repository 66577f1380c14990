//! What may have happened between the plan and the removal, and what the API says that is not so.

use super::*;

/// Carries a plan out while something happens after everything was looked at once more.
async fn with(bench: &Bench, plan: &Plan, happens: impl Future<Output = ()> + Send) -> Vec<Outcome> {
    outcomes(&bench.carry_out_seen_by(&Meanwhile::new(happens), plan).await)
}

#[tokio::test]
async fn nobody_is_meant_by_nothing_and_nothing_confirms_nothing() {
    let bench = Bench::new().await;
    for email in ["", " \t"] {
        let user = json!({"email": email});
        let id = bench.simulator.world().edit(|world| world.add_user(&user));
        for text in ["", " ", email] {
            assert_eq!(bench.refused(&[text]).await, "no_such_user");
        }
        let plan = bench.plan(&[&id]).await.unwrap();
        assert_eq!(plan.confirmation, id);
        for typed in ["", " \n", "\u{200e}"] {
            assert_eq!(plan.confirm(typed).unwrap_err().code(), "not_confirmed");
            let blank = Plan { confirmation: String::new(), ..plan.clone() };
            assert_eq!(blank.confirm(typed).unwrap_err().code(), "not_confirmed");
        }
    }
    let several = ["a", "b"].map(|name| bench.plain_user(name));
    bench.simulator.world().edit(|world| world.patch_org(&json!({"company_name": "Two\nLines\u{202e}"})));
    let plan = bench.plan(&[&several[0], &several[1]]).await.unwrap();
    let (words, code) = plan.confirmation.rsplit_once(' ').unwrap();
    assert_eq!((words, code.len()), ("remove 2 users of Two Lines", 10));
    for typed in [format!("Remove 2 users of Two Lines {code}"), format!("remove 2 users of Two\nLines {code}")] {
        assert!(plan.confirm(&typed).is_ok(), "{typed}");
    }
    bench.simulator.world().edit(|world| world.patch_org(&json!({"company_name": " "})));
    let plan = bench.plan(&[&several[0], &several[1]]).await.unwrap();
    assert!(plan.confirmation.starts_with("remove 2 users of acme ("), "{}", plan.confirmation);
}

/// A workspace with two administrators who can be removed.
async fn two_administrators() -> (Bench, [String; 2]) {
    let bench = Bench::new().await;
    let world = bench.simulator.world();
    let both = ["first", "second"].map(|name| bench.plain_user(name));
    world.edit(|world| {
        for id in world.user_ids() {
            let profile = if both.contains(&id) { "5820190000000026011" } else { "5820190000000412004" };
            world.set_profile(&id, profile).unwrap();
        }
    });
    (bench, both)
}

#[tokio::test]
async fn the_last_administrator_stays_however_many_remove_administrators_at_once() {
    let (bench, [first, second]) = two_administrators().await;
    let (one, other) = (bench.plan(&[&first]).await.unwrap(), bench.plan(&[&second]).await.unwrap());
    // The other removal begins and ends after this one looked at everything once more.
    let happens = async { assert_eq!(outcomes(&bench.carry_out(&other).await), [Outcome::Removed]) };
    assert_eq!(with(&bench, &one, happens).await, [Outcome::NotRemoved]);
    assert_eq!(bench.deletions(), 1);
    let done = bench.carry_out(&one).await;
    assert_eq!(outcomes(&done), [Outcome::NotTried]);
    assert!(done[0].detail.contains("last active administrator"), "{done:?}");

    let (bench, [first, second]) = two_administrators().await;
    let (one, other) = (bench.plan(&[&first]).await.unwrap(), bench.plan(&[&second]).await.unwrap());
    let (one, other) = tokio::join!(bench.carry_out(&one), bench.carry_out(&other));
    let left = [&first, &second].into_iter().filter(|id| bench.status(id) == "active").count();
    assert_eq!((left, bench.deletions()), (1, 1), "{one:?} {other:?}");
}

#[tokio::test]
async fn an_administrator_who_may_be_gone_at_any_moment_is_nobody_to_rely_on() {
    let (bench, [first, second]) = two_administrators().await;
    let plan = bench.plan(&[&first]).await.unwrap();
    bench.simulator.set_faults([Fault::DeletionFeigned]);
    assert_eq!(outcomes(&bench.carry_out(&plan).await), [Outcome::Unknown]);
    bench.simulator.set_faults([]);
    assert_eq!(bench.refused(&[&second]).await, "last_administrator");
    // Anybody else may go.
    let other = bench.plain_user("other");
    assert_eq!(outcomes(&bench.remove(&[&other]).await), [Outcome::Removed]);
    // What nobody heard of for so long does not come any more.
    bench.moved.store(601, Ordering::Relaxed);
    assert!(bench.plan(&[&second]).await.is_ok());
}

#[tokio::test]
async fn everything_is_looked_at_once_more_after_somebody_confirmed() {
    let (bench, [first, second]) = two_administrators().await;
    let plan = bench.plan(&[&first]).await.unwrap();
    bench.simulator.world().edit(|world| world.disable(&second)).unwrap();
    let done = bench.carry_out(&plan).await;
    assert!(done[0].outcome == Outcome::NotTried && done[0].detail.contains("last active administrator"), "{done:?}");

    let [a, b] = ["a", "b"].map(|name| bench.plain_user(name));
    let plan = bench.plan(&[&a, &b]).await.unwrap();
    bench.simulator.world().edit(|world| world.disable(&b)).unwrap();
    assert_eq!(outcomes(&bench.carry_out(&plan).await), [Outcome::NotTried, Outcome::NotTried]);
    // Whoever is gone meanwhile is no surprise: nothing is left to do.
    let plan = bench.plan(&[&a, &b]).await.unwrap();
    bench.simulator.world().edit(|world| world.delete(&a)).unwrap();
    assert_eq!(outcomes(&bench.carry_out(&plan).await), [Outcome::AlreadyRemoved, Outcome::Removed]);
}

#[tokio::test]
async fn somebody_who_is_not_as_planned_at_the_last_moment_stays() {
    let bench = Bench::new().await;
    let world = bench.simulator.world();
    let [leaver, gone] = ["leaver", "gone"].map(|name| bench.plain_user(name));
    let plan = bench.plan(&[&leaver]).await.unwrap();
    let happens = async { world.edit(|world| world.disable(&leaver)).unwrap() };
    assert_eq!(with(&bench, &plan, happens).await, [Outcome::NotRemoved]);
    assert_eq!(bench.status(&leaver), "disabled");

    // Somebody who was gone is given back: no request was shown for it, and nothing was refused.
    world.edit(|world| world.delete(&gone)).unwrap();
    let restore = || world.edit(|world| world.patch_user(&gone, &json!({"status": "active"}))).unwrap();
    let plan = bench.plan(&[&gone]).await.unwrap();
    assert!(plan.unneeded().is_some());
    assert_eq!(with(&bench, &plan, async { restore() }).await, [Outcome::NotRemoved]);
    assert_eq!(outcomes(&bench.carry_out(&plan).await), [Outcome::NotTried]);
    assert_eq!((bench.status(&gone), bench.deletions()), ("active".to_owned(), 0));
}

#[tokio::test]
async fn a_user_the_api_does_not_find_counts_as_gone_only_if_the_list_agrees() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let path = format!("/bigin/v2/users/{leaver}");
    bench.simulator.override_answer(&path, Some(Answer::html(204, "")));
    let done = bench.remove(&[&leaver]).await;
    assert_eq!(outcomes(&done), [Outcome::NotRemoved], "{done:?}");
    assert!(done[0].detail.contains("still lists the user"), "{done:?}");
    assert!(bench.last(Fact::OFFBOARDING_BEGUN, &leaver).await.is_none());

    let plan = bench.plan(&[&leaver]).await.unwrap();
    let vanish = async { bench.simulator.world().edit(|world| world.remove_user(&leaver)).unwrap() };
    assert_eq!(with(&bench, &plan, vanish).await, [Outcome::AlreadyRemoved]);
    bench.simulator.override_answer(&path, None);
    assert_eq!(bench.deletions(), 0);
}

#[tokio::test]
async fn what_the_api_says_of_a_removal_is_proved_by_reading() {
    for (fault, expected) in [
        (Fault::DeletionDenied, Outcome::Removed),
        (Fault::DeletionVanishes, Outcome::Removed),
        (Fault::DeletionFeigned, Outcome::Unknown),
    ] {
        let bench = Bench::new().await;
        let leaver = bench.plain_user("leaver");
        let plan = bench.plan(&[&leaver]).await.unwrap();
        bench.simulator.set_faults([fault]);
        let done = bench.carry_out(&plan).await;
        assert_eq!(outcomes(&done), [expected], "{fault}: {done:?}");
        assert_eq!(bench.outcome(&leaver).await.as_deref(), Some(expected.word()), "{fault}");
        // A user whom nothing lists any more is still found by what is on record.
        bench.simulator.set_faults([]);
        let again = if expected == Outcome::Unknown { Outcome::Removed } else { Outcome::AlreadyRemoved };
        assert_eq!(outcomes(&bench.remove(&["leaver@example.com"]).await), [again], "{fault}");
    }
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let plan = bench.plan(&[&leaver]).await.unwrap();
    // The vendor refuses, and means it.
    let forbid = async {
        let (profile, permission) = ("5820190000000026011", "Crm_Implied_Manage_Users");
        bench.simulator.world().edit(|world| world.set_permission(profile, permission, false)).unwrap();
    };
    let done = bench.carry_out_seen_by(&Meanwhile::new(forbid), &plan).await;
    assert_eq!(outcomes(&done), [Outcome::NotRemoved]);
    assert!(done[0].detail.ends_with("read back: still there"), "{done:?}");
    assert_eq!(bench.outcome(&leaver).await.as_deref(), Some("not_removed"));
}

#[tokio::test]
async fn the_primary_contact_stays_also_where_only_the_list_tells_who_it_is_not() {
    let bench = Bench::new().await;
    let world = bench.simulator.world();
    let leaver = bench.plain_user("leaver");
    let org = |zuid: &str, email: &str| {
        world.edit(|world| world.patch_org(&json!({"primary_zuid": zuid, "primary_email": email})));
    };
    let zuid = |zuid: serde_json::Value| world.edit(|world| world.patch_user(&leaver, &json!({"zuid": zuid}))).unwrap();
    // Two ids tell two people apart.
    zuid(json!("71"));
    org("72", "nobody@example.com");
    assert!(bench.plan(&[&leaver]).await.is_ok());
    // Without one of them only that the primary is somebody else on the list does.
    for (id, primary) in [(json!(null), "72"), (json!("71"), "")] {
        zuid(id);
        org(primary, "nobody@example.com");
        assert_eq!(bench.refused(&[&leaver]).await, "primary_contact");
        org(primary, &bench.email(&bench.user(0)));
        assert!(bench.plan(&[&leaver]).await.is_ok());
    }
    org("", "");
    assert_eq!(bench.refused(&[&leaver]).await, "primary_contact");
}
