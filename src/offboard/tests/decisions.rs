//! Removals that a review decided: shown, on record, and with four eyes carried out by somebody else.

use super::*;
use crate::{
    ledger::fact::OffboardingBegun,
    review::{
        event::{Decision as Decided, Event},
        item::ItemId,
        state::Review,
        testing::{address, at, decides, item, opening, population_of},
    },
    store::reviews::Reviews as _,
};

impl Bench {
    /// A review of one account, whose removal ben has decided.
    async fn decided(&self, user: &str, four_eyes: bool) -> Review {
        let mut account = item(1, "somebody", "ben");
        account.user_id = user.to_owned();
        let population = population_of(vec![account]);
        let opening = crate::review::event::Opening { four_eyes, ..opening(&population) };
        let mut review = Review::opened(uuid::Uuid::now_v7(), opening, population, at(0)).unwrap();
        self.store.open_review(&review).await.unwrap();
        let event = decides(&review, "ben", &[1], Decided::Remove);
        self.happens(&mut review, event).await;
        review
    }

    async fn happens(&self, review: &mut Review, event: Event) {
        review.apply(&event, at(10)).unwrap();
        self.store.change_review(review, &[event], at(10)).await.unwrap();
    }

    /// Carries a plan out as a person.
    async fn carry_out_as(&self, plan: &Plan, name: &str) -> Vec<Done> {
        let confirmed = plan.confirm(&plan.confirmation).unwrap();
        let by = Actor::Person { address: format!("{name}@example.com") };
        let approval = Approval { by, how: "typed".to_owned() };
        self.on(None, async |offboarding| offboarding.carry_out(confirmed, &approval).await).await
    }

    async fn begun(&self) -> Vec<OffboardingBegun> {
        let lines = self.store.entries(0, 1_000).await.unwrap();
        let facts = lines.iter().map(|line| serde_json::from_str::<Entry>(&line.text).unwrap().fact);
        facts.filter_map(|fact| if let Fact::OffboardingBegun(begun) = fact { Some(begun) } else { None }).collect()
    }

    fn leaver(&self) -> String {
        let user = json!({"email": "somebody@example.com"});
        self.simulator.world().edit(|world| world.add_user(&user))
    }
}

#[tokio::test]
async fn with_four_eyes_somebody_else_carries_out_what_was_decided() {
    let mut bench = Bench::new().await;
    bench.policy.company_domains = vec!["example.com".to_owned()];
    let user = bench.leaver();
    let review = bench.decided(&user, true).await;
    let plan = bench.plan(&[&user]).await.unwrap();
    let [decision] = plan.removals[0].decisions.as_slice() else { panic!("{plan:?}") };
    assert_eq!((decision.review, decision.item, decision.decided_by.as_str()), (review.id(), 1, "ben@example.com"));
    for name in ["ben", "BEN", "ben+crm"] {
        let done = bench.carry_out_as(&plan, name).await;
        assert_eq!(done[0].outcome, Outcome::NotTried, "{name}");
        assert!(done[0].detail.contains("another person has to carry it out"), "{}", done[0].detail);
    }
    // Nobody says who it is.
    let done = bench.carry_out(&plan).await;
    assert!(done[0].outcome == Outcome::NotTried && done[0].detail.contains("--as ADDRESS"), "{}", done[0].detail);
    assert_eq!(bench.begun().await, []);
    let done = bench.carry_out_as(&plan, "cat").await;
    assert_eq!(done[0].outcome, Outcome::Removed, "{}", done[0].detail);
    let begun = bench.begun().await.remove(0);
    assert_eq!(begun.by, Some(Actor::Person { address: "cat@example.com".to_owned() }));
    let [decided] = begun.decisions.as_slice() else { panic!("{begun:?}") };
    assert_eq!((decided.review, decided.item, decided.decided_by.as_str()), (review.id(), 1, "ben@example.com"));
}

#[tokio::test]
async fn what_counts_is_what_is_decided_when_it_is_carried_out() {
    let bench = Bench::new().await;
    let user = bench.leaver();
    let mut review = bench.decided(&user, true).await;
    let plan = bench.plan(&[&user]).await.unwrap();
    // Ana decides so too, after the plan was made: then it is her who may not.
    let event = decides(&review, "ana", &[1], Decided::Remove);
    bench.happens(&mut review, event).await;
    assert_eq!(review.course(ItemId(1)).unwrap().decided().unwrap().by, address("ana"));
    let done = bench.carry_out_as(&plan, "ana").await;
    assert_eq!(done[0].outcome, Outcome::NotTried);
    // It is to be kept after all: without an open decision nothing is special about the removal.
    let event = decides(&review, "ana", &[1], Decided::Keep);
    bench.happens(&mut review, event).await;
    assert_eq!(bench.plan(&[&user]).await.unwrap().removals[0].decisions, []);
}

#[tokio::test]
async fn without_four_eyes_it_is_only_on_record_and_a_named_review_must_have_decided_it() {
    let bench = Bench::new().await;
    let (user, other) = (bench.leaver(), bench.leaver());
    let review = bench.decided(&user, false).await;
    let of_review = async |wanted: &str| {
        let wanted = [wanted.to_owned()];
        bench
            .on(None, async |offboarding| {
                let offboarding = Offboarding { review: Some(review.id()), ..*offboarding };
                let plan = offboarding.plan(&wanted, &()).await.unwrap();
                offboarding.may_carry_out(&plan, &approval().by)
            })
            .await
    };
    assert!(of_review(&user).await.is_ok());
    let refusal = of_review(&other).await.unwrap_err();
    assert_eq!(refusal.code(), "not_decided");
    assert!(refusal.to_string().contains(&review.id().to_string()), "{refusal}");
    assert_eq!(bench.remove(&[&user]).await[0].outcome, Outcome::Removed);
    assert_eq!(bench.begun().await[0].decisions[0].review, review.id());
    assert_eq!(bench.remove(&[&other]).await[0].outcome, Outcome::Removed);
    assert_eq!(bench.begun().await[1].decisions, []);
}
