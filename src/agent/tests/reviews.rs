//! Reviews by people: an agent lists, explains and proposes, and decides nothing.

use super::*;
use crate::{
    ledger::Entry,
    review::{
        event::Event,
        state::State,
        testing::{at, opened},
    },
    store::{ledger::Ledger as _, reviews::Reviews as _},
};

const UNKNOWN: &str = "00000000-0000-0000-0000-000000000063";

/// The review of six accounts of acme.
async fn with_review() -> (Bench, String) {
    let bench = Bench::new().await;
    let review = opened(7);
    bench.store.open_review(&review).await.unwrap();
    (bench, review.id().to_string())
}

fn propose(review: &str, item: u32, decision: &str) -> Value {
    json!({"review": review, "item": item, "decision": decision, "reason": "no sign-in since May"})
}

#[tokio::test]
async fn a_proposal_is_recorded_with_the_name_of_the_client_and_decides_nothing() {
    let (bench, id) = with_review().await;
    let listed = bench.answer("list_reviews", json!({})).await;
    assert_eq!((&listed["reviews"][0]["review"], &listed["reviews"][0]["undecided"]), (&json!(id), &json!(6)));
    let answer = bench.answer("propose_decision", propose(&id, 4, "remove")).await;
    let expected = json!(["remove", "no sign-in since May", "MCP client test 1"]);
    let proposal = &answer["item"]["proposals"][0];
    assert_eq!(json!([proposal["decision"], proposal["reason"], proposal["by"]]), expected);
    assert_eq!(answer["item"]["decision"], Value::Null);
    let change =
        json!({"review": id, "item": 1, "decision": "change", "change_to": "name of role-2", "reason": "moved"});
    let answer = bench.answer("propose_decision", change).await;
    assert_eq!(answer["item"]["proposals"][0]["change_to"], "name of role-2");

    let explained =
        bench.answer("explain_review", json!({"review": id, "undecided": true, "reviewer": "ANA@example.com"})).await;
    assert_eq!((&explained["total"], &explained["owner"]), (&json!(5), &json!("ana@example.com")));
    let row = explained["rows"].as_array().unwrap().iter().find(|row| row["item"] == 4).unwrap();
    assert_eq!((&row["privileged"], &row["proposals"][0]["decision"]), (&json!(true), &json!("remove")));
    let kept = bench.store.review(id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((kept.state(), kept.undecided()), (State::Open, 6));
    let lines = bench.store.entries(0, 100).await.unwrap();
    let entries = lines.iter().map(|line| serde_json::from_str::<Entry>(&line.text).unwrap().fact);
    let proposed =
        entries.filter(|fact| matches!(fact, Fact::Review(told) if matches!(told.event, Event::Proposed { .. })));
    assert_eq!(proposed.count(), 2);
}

#[tokio::test]
async fn what_cannot_be_proposed_is_refused_and_nothing_is_recorded() {
    let (bench, id) = with_review().await;
    for (arguments, expected) in [
        (propose(UNKNOWN, 1, "keep"), "no_such_review"),
        (propose("quarterly", 1, "keep"), "wrong_arguments"),
        (propose(&id, 7, "keep"), "review_refused"),
        (propose(&id, 1, "approve"), "wrong_arguments"),
        (propose(&id, 1, "change"), "wrong_arguments"),
        (json!({"review": id, "item": 1, "decision": "change", "change_to": "x", "reason": "r"}), "review_refused"),
        (json!({"review": id, "item": 1, "decision": "keep", "change_to": "role-2", "reason": "r"}), "wrong_arguments"),
        (json!({"review": id, "item": 1, "decision": "keep", "reason": " "}), "review_refused"),
        (json!({"review": id, "item": 1, "decision": "keep"}), "wrong_arguments"),
        (
            json!({"review": id, "item": 1, "decision": "keep", "reason": "r", "as": "ana@example.com"}),
            "wrong_arguments",
        ),
    ] {
        assert_eq!(bench.problem("propose_decision", arguments.clone()).await, expected, "{arguments}");
    }
    // An agent in a loop fills nothing.
    for _ in 0..20 {
        bench.answer("propose_decision", propose(&id, 1, "keep")).await;
    }
    assert_eq!(bench.problem("propose_decision", propose(&id, 1, "keep")).await, "review_refused");
    // Nothing of another workspace is shown, or taken.
    let mut bench = bench;
    let session = session("other", &bench.simulator, Policy::default());
    bench.agent.setup.workspaces = BTreeMap::from([("other".to_owned(), session)]);
    assert_eq!(bench.answer("explain_review", json!({"review": id})).await["total"], 0);
    assert_eq!(bench.problem("propose_decision", propose(&id, 2, "keep")).await, "review_refused");
}

#[tokio::test]
async fn a_review_that_has_ended_takes_no_proposal() {
    let (bench, id) = with_review().await;
    let mut review = bench.store.review(id.parse().unwrap()).await.unwrap().unwrap();
    let cancelled = Event::Cancelled { by: Actor::Daemon, reason: "wrong job".to_owned() };
    review.apply(&cancelled, at(10)).unwrap();
    bench.store.change_review(&review, &[cancelled], at(10)).await.unwrap();
    let outcome = bench.outcome("propose_decision", propose(&id, 1, "keep"), &Scripted::nobody()).await;
    let Outcome::Failed(problem) = outcome else { panic!("{outcome:?}") };
    assert!(problem.to_string().contains("the review is cancelled"), "{problem}");
}
