//! Whatever people try, in whatever order: no decision is skipped, nobody decides about themselves, nothing is lost, and
//! the events alone give the same review.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;

const PEOPLE: [&str; 5] = ["ana", "ben", "eva", "finn", "gus"];

/// Something that somebody tries. It may be refused.
#[derive(Debug, Clone)]
enum Attempt {
    Decide { by: usize, items: Vec<u32>, decision: usize, stale: bool, reason: bool },
    Assign { item: u32, to: usize },
    Propose { item: u32 },
    Attest { by: usize, of: Vec<usize> },
    Close { by: usize, no_change: bool },
    Cancel,
    Prove { item: u32, second: i64 },
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let person = 0..PEOPLE.len();
    prop_oneof![
        8 => (person.clone(), prop::collection::vec(1..8u32, 1..4), 0..4usize, prop::bool::weighted(0.1), any::<bool>())
            .prop_map(|(by, items, decision, stale, reason)| Attempt::Decide { by, items, decision, stale, reason }),
        2 => (1..8u32, person.clone()).prop_map(|(item, to)| Attempt::Assign { item, to }),
        1 => (1..8u32).prop_map(|item| Attempt::Propose { item }),
        4 => (person.clone(), prop::collection::vec(person.clone(), 0..3)).prop_map(|(by, of)| Attempt::Attest { by, of }),
        3 => (person, any::<bool>()).prop_map(|(by, no_change)| Attempt::Close { by, no_change }),
        1 => Just(Attempt::Cancel),
        2 => (1..8u32, 0..400i64).prop_map(|(item, second)| Attempt::Prove { item, second }),
    ]
}

/// The event of an attempt, as of the review now.
fn event(review: &Review, attempt: &Attempt) -> Event {
    match attempt {
        Attempt::Decide { by, items, decision, stale, reason } => {
            let decision = match decision {
                0 | 1 => Decision::Keep,
                2 => Decision::Remove,
                _ => Decision::Change { to: Target::Role(named("role-2")) },
            };
            let bag = review.bag_of("acme").unwrap().to_owned();
            let seen = |number: &u32| {
                let item = ItemId(*number);
                let version = review.course(item).map_or(1, Course::version) + u32::from(*stale);
                SeenItem { item, version, bag: bag.clone(), page: None }
            };
            let (items, reason) = (items.iter().map(seen).collect(), reason.then(|| "needed".to_owned()));
            Event::Decided(Decided {
                items,
                decision,
                reason,
                by: address(PEOPLE[*by]),
                via: Via::CommandLine,
                sheet: None,
            })
        }
        Attempt::Assign { item, to } => Event::Assigned {
            item: ItemId(*item),
            to: address(PEOPLE[*to]),
            reason: "on leave".into(),
            by: Actor::Daemon,
        },
        Attempt::Propose { item } => Event::Proposed {
            item: ItemId(*item),
            decision: Decision::Remove,
            reason: "unused".into(),
            by: Actor::Agent { client: None },
        },
        Attempt::Attest { by, of } => {
            let of: Vec<&str> = of.iter().map(|person| PEOPLE[*person]).collect();
            attests(review, PEOPLE[*by], &of)
        }
        Attempt::Close { by, no_change } => {
            let Event::Closed(closed) = closes(*no_change) else { unreachable!() };
            Event::Closed(Closed { by: address(PEOPLE[*by]), ..closed })
        }
        Attempt::Cancel => Event::Cancelled { by: Actor::Daemon, reason: "wrong job".into() },
        Attempt::Prove { item, second } => Event::Proven(Proven {
            item: ItemId(*item),
            audit: uuid::Uuid::from_u128(9),
            bag: None,
            read_at: at(*second),
            shown: Shown::Gone,
        }),
    }
}

/// What must hold of every review at any time.
fn holds(review: &Review) {
    for (item, course) in review.items() {
        for made in course.decisions() {
            assert!(!review.is_own(item, &made.by), "{} decided about themselves", made.by);
            assert_eq!(Some(made.bag.as_str()), review.bag_of(&item.workspace));
            assert!(made.reason.is_some() || (!made.decision.is_work() && item.special().is_none()));
            assert!(
                made.together == 1 || (made.decision == Decision::Keep && item.special().is_none() && !item.changed)
            );
        }
        assert!(!review.is_own(item, course.reviewer()));
        assert_eq!(course.version() as usize, 1 + course.decisions().len() + course.assignments().len());
        if let Some((_, proven)) = course.proof() {
            assert!(course.work().is_some_and(|made| made.at < proven.read_at));
        }
    }
    if let Stage::Closed { closed, .. } = review.stage() {
        assert_eq!((review.undecided(), review.unattested()), (0, Vec::new()));
        assert_eq!(closed.no_change_needed, review.needs_no_change());
    }
}

/// Whether everything of `before` is still there.
fn extends(after: &Review, before: &Review) {
    for ((_, after), (_, before)) in after.items().zip(before.items()) {
        assert!(after.decisions().starts_with(before.decisions()));
        assert!(after.assignments().starts_with(before.assignments()));
        assert!(after.proposals().starts_with(before.proposals()));
    }
    assert!(after.attestations().starts_with(before.attestations()));
    if *before.stage() != Stage::Open {
        assert_eq!(after.stage(), before.stage());
        let decisions = |review: &Review| review.items().map(|(_, course)| course.decisions().len()).sum::<usize>();
        assert_eq!(decisions(after), decisions(before), "a decision after the end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]
    #[test]
    fn no_order_of_events_breaks_a_review_and_its_events_alone_give_it_again(
        attempts in prop::collection::vec(attempt(), 1..60),
        mend in any::<bool>(),
    ) {
        let mut review = opened(1);
        let mut told: Vec<(DateTime<Utc>, Event)> = vec![(at(0), Event::Opened(review.opening().clone()))];
        let mut second = 0;
        let mut tried: Vec<Attempt> = attempts;
        if mend {
            // So that some reviews reach their end.
            let keep = |by, item| Attempt::Decide { by, items: vec![item], decision: 0, stale: false, reason: true };
            tried.retain(|attempt| !matches!(attempt, Attempt::Cancel));
            tried.extend((1..7).flat_map(|item| [keep(0, item), keep(1, item)]));
            tried.extend((0..PEOPLE.len()).map(|of| Attempt::Attest { by: 0, of: vec![of] }));
            tried.extend([true, false].map(|no_change| Attempt::Close { by: 0, no_change }));
        }
        for attempt in &tried {
            second += 5;
            let before = review.clone();
            let event = event(&review, attempt);
            match review.apply(&event, at(second)) {
                Ok(()) => told.push((at(second), event)),
                Err(refused) => {
                    prop_assert!(!refused.0.is_empty() && !refused.to_string().is_empty());
                    prop_assert_eq!(&review, &before);
                }
            }
            holds(&review);
            extends(&review, &before);
        }
        // As text, and back: what a ledger or a store does.
        let lines: Vec<(DateTime<Utc>, String)> =
            told.iter().map(|(at, event)| (*at, serde_json::to_string(event).unwrap())).collect();
        let read: Vec<(DateTime<Utc>, Event)> =
            lines.iter().map(|(at, line)| (*at, serde_json::from_str(line).unwrap())).collect();
        prop_assert_eq!(&read, &told);
        let again = Review::replay(review.id(), review.population().clone(), read.iter().map(|(at, event)| (*at, event)));
        prop_assert_eq!(again.unwrap(), review);
    }
}
