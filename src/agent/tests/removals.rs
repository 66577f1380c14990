//! Removals by an agent: what they take, and how they are refused.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_removal_takes_a_plan_the_process_and_a_person() {
    let bench = Bench::new().await;
    let id = bench.leaver(&json!({"email": "leaver@example.com"}));
    let other = bench.leaver(&json!({"email": "other@example.com"}));
    let agree = Scripted::typing("Leaver@example.com ");

    // Without a plan, with one that was made up, with one for somebody else.
    let invented = "0b1f0c52-3c55-4e0b-9a53-5f0d9c2e71aa";
    for (plan, code) in [("", "wrong_arguments"), ("yes", "wrong_arguments"), (invented, "no_such_plan")] {
        let (name, arguments) = delete(&id, plan);
        let outcome = bench.outcome(name, arguments, &agree).await;
        assert!(matches!(&outcome, Outcome::Failed(problem) if problem.code() == code), "{outcome:?}");
    }
    let plan = bench.plan_id("leaver@example.com").await;
    let code = async |user: &str, plan: &str, person: &Scripted| {
        let (name, arguments) = delete(user, plan);
        match bench.outcome(name, arguments, person).await {
            Outcome::Failed(problem) => problem.code(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code(&other, &plan, &agree).await, "plan_for_another_user");
    assert_eq!(agree.questions().len(), 0, "nobody is asked about what is refused anyway");

    // A person who is not there, or types something else; a call that is taken back while the person reads.
    assert_eq!(code(&id, &plan, &Scripted::nobody()).await, "nobody_to_ask");
    let cancelled = Scripted::typing("leaver@example.com");
    cancelled.left.store(true, Ordering::Relaxed);
    assert_eq!(code(&id, &plan, &cancelled).await, "nobody_to_ask");
    for typed in ["", "yes", "other@example.com", id.as_str()] {
        assert_eq!(code(&id, &plan, &Scripted::typing(typed)).await, "not_confirmed", "{typed}");
    }
    let (name, arguments) = delete(&id, &plan);
    let asked = Scripted::new(Reply::Asked);
    assert!(matches!(bench.outcome(name, arguments.clone(), &asked).await, Outcome::Waiting(_)));
    assert_eq!((bench.deletions(), bench.status(&id)), (0, "active".to_owned()));

    // However often that is tried, the workspace is not asked for anything.
    let calls = bench.simulator.journal().calls().len();
    for _ in 0..20 {
        assert_eq!(code(&id, &plan, &Scripted::nobody()).await, "nobody_to_ask");
    }
    assert_eq!(bench.simulator.journal().calls().len(), calls);

    // With everything, once.
    let outcome = bench.outcome(name, arguments, &agree).await;
    let Outcome::Answered { answer, failed: false } = outcome else { panic!("{outcome:?}") };
    assert_eq!((&answer["outcome"], &answer["user_id"]), (&json!("removed"), &json!(id)));
    insta::assert_snapshot!(agree.questions()[0].message.replace(bench.simulator.base_url(), "URL").replace(&id, "ID"));
    assert_eq!((bench.deletions(), bench.status(&id)), (1, "deleted".to_owned()));
    assert_eq!(code(&id, &plan, &agree).await, "plan_used");
    assert_eq!(bench.status(&other), "active");
    let begun = crate::store::ledger::Ledger::last(&*bench.store, Fact::OFFBOARDING_BEGUN, &id).await.unwrap().unwrap();
    let Fact::OffboardingBegun(begun) = begun.fact else { panic!("{begun:?}") };
    assert_eq!(begun.confirmed, "MCP client test 1, a test said so");

    // The list is not the one of before, and a second plan finds nothing left to do and asks nobody.
    let user = bench.answer("get_single_zoho_bigin_user_by_id", json!({"id": id})).await;
    assert_eq!(user["user"]["status"], "deleted");
    let again = bench.plan_id(&id).await;
    let (name, arguments) = delete(&id, &again);
    let outcome = bench.outcome(name, arguments, &Scripted::nobody()).await;
    let Outcome::Answered { answer, failed: false } = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer["outcome"], "already_removed");
    assert_eq!(bench.deletions(), 1);
}

#[tokio::test]
async fn a_process_that_was_not_started_for_it_removes_nobody_whatever_is_confirmed() {
    let bench = Bench::with(30, false).await;
    let id = bench.leaver(&json!({"email": "leaver@example.com"}));
    let plan = bench.answer("offboarding_plan", json!({"user": id})).await;
    assert_eq!(plan["can_be_carried_out_here"], false);
    let (name, arguments) = delete(&id, plan["plan"]["plan_id"].as_str().unwrap());
    let outcome = bench.outcome(name, arguments, &Scripted::typing("leaver@example.com")).await;
    assert!(matches!(outcome, Outcome::Failed(Problem::OffboardingOff)), "{outcome:?}");
    assert_eq!(bench.deletions(), 0);
}

#[tokio::test]
async fn a_plan_that_is_asked_for_again_is_the_same_until_something_is_another() {
    let bench = Bench::new().await;
    let id = bench.leaver(&json!({"email": "leaver@example.com"}));
    let plan = bench.plan_id(&id).await;
    let calls = bench.simulator.journal().calls().len();
    let again = bench.answer("offboarding_plan", json!({"user": "leaver@example.com"})).await;
    assert_eq!((&again["plan"]["plan_id"], &again["made_before"]), (&json!(plan), &json!(true)));
    assert_eq!(bench.simulator.journal().calls().len(), calls);
    bench.simulator.world().edit(|world| world.promote(&id)).unwrap();
    bench.pass(MAX_AGE + 1);
    assert_ne!(bench.plan_id(&id).await, plan);
    // The first plan is not for the user as he or she is now.
    let (name, arguments) = delete(&id, &plan);
    let outcome = bench.outcome(name, arguments, &Scripted::typing("leaver@example.com")).await;
    assert!(matches!(&outcome, Outcome::Failed(problem) if problem.code() == "user_changed"), "{outcome:?}");
    let caller = bench.simulator.world().read(|world| world.caller().to_owned());
    assert_eq!(bench.problem("offboarding_plan", json!({"user": caller})).await, "oneself");
    assert_eq!(bench.deletions(), 0);
}

#[tokio::test]
async fn two_calls_at_once_remove_once() {
    let bench = Bench::new().await;
    let id = bench.leaver(&json!({"email": "leaver@example.com"}));
    let plan = bench.plan_id(&id).await;
    let agree = Scripted::typing("leaver@example.com");
    let call = || {
        let (name, arguments) = delete(&id, &plan);
        bench.outcome(name, arguments, &agree)
    };
    let both = futures::future::join(call(), call()).await;
    let words = [&both.0, &both.1].map(|outcome| match outcome {
        Outcome::Answered { answer, .. } => answer["outcome"].as_str().unwrap().to_owned(),
        Outcome::Failed(problem) => problem.code().to_owned(),
        Outcome::Waiting(_) => "waiting".to_owned(),
    });
    let [one, other] = words.each_ref().map(String::as_str);
    let refused = if one == "removed" { other } else { one };
    assert!(words.contains(&"removed".to_owned()) && ["plan_used", "already_asked"].contains(&refused), "{words:?}");
    assert_eq!(bench.deletions(), 1);
}

#[tokio::test]
async fn a_no_is_on_record_and_nobody_is_asked_again_for_a_while() {
    let bench = Bench::new().await;
    let id = bench.leaver(&json!({"email": "leaver@example.com"}));
    let plan = bench.plan_id(&id).await;
    let agree = Scripted::typing("leaver@example.com");
    let code = async |plan: &str, person: &Scripted| {
        let (name, arguments) = delete(&id, plan);
        match bench.outcome(name, arguments, person).await {
            Outcome::Failed(problem) => problem.code(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code(&plan, &Scripted::new(Reply::Declined)).await, "declined");
    assert_eq!(code(&plan, &agree).await, "declined");
    assert_eq!(bench.problem("offboarding_plan", json!({"user": id})).await, "declined");
    assert_eq!((agree.questions().len(), bench.deletions()), (0, 0));
    let no = crate::store::ledger::Ledger::last(&*bench.store, Fact::OFFBOARDING_DECLINED, &id).await.unwrap().unwrap();
    let Fact::OffboardingDeclined(no) = no.fact else { panic!("{no:?}") };
    assert_eq!((no.plan.to_string(), no.by.to_string()), (plan.clone(), "MCP client test 1".to_owned()));
    bench.pass(601);
    let again = bench.plan_id(&id).await;
    let (name, arguments) = delete(&id, &again);
    assert!(matches!(bench.outcome(name, arguments, &agree).await, Outcome::Answered { failed: false, .. }));
    assert_eq!(bench.deletions(), 1);
}

#[tokio::test]
async fn a_plan_that_was_confirmed_wrongly_again_and_again_is_withdrawn_and_nobody_learns_the_word() {
    let bench = Bench::new().await;
    let id = bench.leaver(&json!({"email": "leaver@example.com"}));
    let plan = bench.plan_id(&id).await;
    for left in (0..5).rev() {
        let (name, arguments) = delete(&id, &plan);
        let outcome = bench.outcome(name, arguments, &Scripted::typing("guess")).await;
        let Outcome::Failed(problem) = outcome else { panic!("{outcome:?}") };
        let said = problem.to_json().to_string();
        assert!(matches!(problem, Problem::NotConfirmed { left: found } if found == left), "{problem:?}");
        assert!(!said.contains("leaver@example.com") && !said.contains("guess"), "{said}");
    }
    let (name, arguments) = delete(&id, &plan);
    let outcome = bench.outcome(name, arguments, &Scripted::typing("leaver@example.com")).await;
    assert!(matches!(&outcome, Outcome::Failed(problem) if problem.code() == "declined"), "{outcome:?}");
    assert_eq!((bench.deletions(), bench.status(&id)), (0, "active".to_owned()));
}
