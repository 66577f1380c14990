//! Decisions, attestations, the close and what an audit proves.

use uuid::Uuid;

use super::*;
use crate::access::drift::SnapshotUser;
use crate::review::carrying_out::{CarriedOut, ShownAudit};

fn profile_2() -> Decision {
    Decision::Change { to: Target::Profile(named("profile-2")) }
}

#[test]
fn nobody_decides_about_their_own_account() {
    let mut review = opened(1);
    // Ana is the owner and item 3 is her account.
    let event = decides(&review, "ana", &[3], Decision::Keep);
    assert_eq!(why(&mut review, &event), Why::OwnAccount(address("ana")));
    let to_herself =
        Event::Assigned { item: ItemId(3), to: Address::of("Ana@Example.com"), reason: "x".into(), by: Actor::Daemon };
    assert_eq!(why(&mut review, &to_herself), Why::OwnAccount(address("ana")));
}

#[test]
fn two_people_do_not_decide_about_each_other_if_somebody_else_can() {
    let items = vec![item(1, "ben", "finn"), item(2, "finn", "ben")];
    let mut review = opened_with(1, population_of(items));
    let event = decides(&review, "finn", &[1], Decision::Keep);
    happens(&mut review, &[event]);
    let event = decides(&review, "ben", &[2], Decision::Keep);
    let expected = Why::EachOther { other: address("finn"), by: address("ben"), instead: address("ana") };
    assert_eq!(why(&mut review, &event), expected);
    let event = decides(&review, "ana", &[2], Decision::Keep);
    happens(&mut review, &[event]);
}

#[test]
fn only_the_reviewer_of_an_item_and_the_owner_decide_about_it() {
    let mut review = opened(1);
    let event = decides(&review, "finn", &[1], Decision::Keep);
    assert_eq!(why(&mut review, &event), Why::Stranger(address("finn")));
    let event = decides(&review, "ben", &[1], Decision::Keep);
    assert_eq!(why(&mut review, &event), Why::NotYours { reviewer: address("ana"), by: address("ben") });
    let to_ben = Event::Assigned { item: ItemId(1), to: address("ben"), reason: "on leave".into(), by: Actor::Daemon };
    happens(&mut review, &[to_ben]);
    let by_ben = decides(&review, "ben", &[1], Decision::Keep);
    happens(&mut review, &[by_ben]);
    let course = review.course(ItemId(1)).unwrap();
    assert_eq!((course.assignments().len(), course.version()), (1, 3));
}

#[test]
fn a_reason_is_required_where_it_matters() {
    let mut review = opened(1);
    for (item, decision) in [(4, Decision::Keep), (5, Decision::Keep), (1, Decision::Remove), (1, profile_2())] {
        let event = without_reason(decides(&review, "ana", &[item], decision));
        assert!(matches!(why(&mut review, &event), Why::NoReason(_)), "{event:?}");
    }
    let event = without_reason(decides(&review, "ana", &[1], Decision::Keep));
    happens(&mut review, &[event]);
    assert_eq!(review.course(ItemId(1)).unwrap().decided().unwrap().reason, None);
}

#[test]
fn only_ordinary_accounts_are_kept_together_and_every_other_row_is_named() {
    let mut review = opened(1);
    let event = decides(&review, "ana", &[1, 3, 4, 5, 6], Decision::Keep);
    let refusals = refused(&mut review, &event, 10);
    let items: Vec<u32> = refusals.iter().map(|refusal| refusal.item.unwrap().0).collect();
    assert_eq!(items, [3, 4, 5, 6]);
    assert_eq!(refusals[1].to_string(), "item 4: it cannot be decided together with others, because it is privileged");
    let event = decides(&review, "ana", &[1, 2], Decision::Remove);
    assert_eq!(refused(&mut review, &event, 10).len(), 2);
    let event = decides(&review, "ana", &[1, 2], Decision::Keep);
    happens(&mut review, &[event]);
    assert_eq!(review.course(ItemId(2)).unwrap().decided().unwrap().together, 2);
}

#[test]
fn at_most_twenty_five_are_decided_at_once() {
    let items = (1..=26).map(|number| item(number, &format!("u{number}"), "ana")).collect();
    let mut review = opened_with(1, population_of(items));
    let all: Vec<u32> = (1..=26).collect();
    let event = decides(&review, "ana", &all, Decision::Keep);
    assert_eq!(why(&mut review, &event), Why::TooMany(26));
    let event = decides(&review, "ana", &all[1..], Decision::Keep);
    happens(&mut review, &[event]);
    let event = decides(&review, "ana", &[1, 1], Decision::Keep);
    assert_eq!(why(&mut review, &event), Why::Twice);
    let nothing = decides(&review, "ana", &[], Decision::Keep);
    assert_eq!(why(&mut review, &nothing), Why::Nothing);
}

#[test]
fn a_decision_about_what_was_not_seen_is_refused() {
    let mut review = opened(1);
    let early = decides(&review, "ana", &[1], Decision::Remove);
    let event = decides(&review, "ana", &[1], Decision::Keep);
    happens(&mut review, &[event]);
    assert_eq!(why(&mut review, &early), Why::Stale { seen: 1, now: 2 });
    let Event::Decided(mut other) = decides(&review, "ana", &[1], Decision::Keep) else { unreachable!() };
    other.items[0].bag = "another".into();
    assert!(matches!(why(&mut review, &Event::Decided(other)), Why::OtherBag { .. }));
    let again = decides(&review, "ana", &[1], Decision::Remove);
    happens(&mut review, &[again]);
    let decisions: Vec<&str> =
        review.course(ItemId(1)).unwrap().decisions().iter().map(|made| made.decision.word()).collect();
    assert_eq!(decisions, ["keep", "remove"], "the history stays");
}

#[test]
fn a_change_names_another_role_or_profile_of_the_workspace() {
    let mut review = opened(1);
    let same = Decision::Change { to: Target::Role(named("role-1")) };
    let event = decides(&review, "ana", &[1], same);
    assert!(matches!(why(&mut review, &event), Why::SameTarget(_)));
    // The id of a profile is no role's.
    let unknown = Decision::Change { to: Target::Role(named("profile-2")) };
    let event = decides(&review, "ana", &[1], unknown);
    assert!(matches!(why(&mut review, &event), Why::NoTarget { .. }));
}

#[test]
fn a_proposal_decides_nothing() {
    let mut review = opened(1);
    let proposed = Event::Proposed {
        item: ItemId(1),
        decision: Decision::Remove,
        reason: "no sign-in for a year".into(),
        by: Actor::Agent { client: None },
    };
    happens(&mut review, &[proposed]);
    let course = review.course(ItemId(1)).unwrap();
    assert_eq!((course.proposals().len(), course.decided(), course.version()), (1, None, 1));
    assert_eq!(review.undecided(), 6);
}

/// Decides about everything; item 1 as given.
fn decided(first: Decision) -> Review {
    let mut review = opened(1);
    for (by, item, decision) in [
        ("ana", 1, first),
        ("ana", 2, Decision::Keep),
        ("ben", 3, Decision::Keep),
        ("ana", 4, Decision::Keep),
        ("ana", 5, Decision::Keep),
        ("ana", 6, Decision::Keep),
    ] {
        let event = decides(&review, by, &[item], decision);
        happens(&mut review, &[event]);
    }
    review
}

#[test]
fn a_review_closes_only_when_nothing_is_missing_and_everything_missing_is_said() {
    let mut review = opened(1);
    assert_eq!(review.state(), State::Open);
    let event = decides(&review, "ana", &[1, 2], Decision::Keep);
    happens(&mut review, &[event]);
    let missing: Vec<String> = refused(&mut review, &closes(true), 60).iter().map(ToString::to_string).collect();
    let undecided =
        "4 items are not decided: 3 (ben@example.com), 4 (ana@example.com), 5 (ana@example.com), 6 (ana@example.com)";
    assert_eq!(missing, [undecided, "ana@example.com has not attested", "ben@example.com has not attested"]);

    let mut review = decided(Decision::Keep);
    assert_eq!(review.state(), State::Decided);
    let by_ben = attests(&review, "ben", &["ben"]);
    happens(&mut review, &[by_ben]);
    // Ben cannot attest for ana, ana as the owner can for ben.
    let for_ana = attests(&review, "ben", &["ana"]);
    assert!(matches!(why(&mut review, &for_ana), Why::NotTheOwner { .. }));
    let by_ana = attests(&review, "ana", &["ana"]);
    happens(&mut review, &[by_ana]);
    // A decision that is changed has to be attested again.
    let event = decides(&review, "ana", &[1], Decision::Remove);
    happens(&mut review, &[event]);
    assert_eq!(review.unattested(), [address("ana")]);
    let by_ana = attests(&review, "ana", &["ana", "ben"]);
    happens(&mut review, &[by_ana]);
    assert_eq!(
        why(&mut review, &closes(true)),
        Why::Result("“no change needed” means that every decision is `keep`, and nothing else")
    );
    let Event::Closed(closed) = closes(false) else { unreachable!() };
    let past = Event::Closed(Closed { next_review: at(0).date_naive(), ..closed.clone() });
    assert!(matches!(why(&mut review, &past), Why::NextReview(_)));
    let by_ben = Event::Closed(Closed { by: address("ben"), ..closed });
    assert!(matches!(why(&mut review, &by_ben), Why::NotTheOwner { .. }));
    happens(&mut review, &[closes(false)]);
    assert_eq!(review.state(), State::Closed);
    for event in [decides(&review, "ana", &[1], Decision::Keep), closes(true), attests(&review, "ana", &["ana"])] {
        assert_eq!(why(&mut review, &event), Why::Ended { state: "closed" });
    }
}

fn user(id: &str, status: &str, profile: &str) -> SnapshotUser<'static> {
    serde_json::from_value(serde_json::json!({
        "id": id, "full_name": null, "email": null, "status": status, "confirmed": true, "role_id": "role-1",
        "profile_id": profile,
    }))
    .unwrap()
}

/// What an audit that began at a time proves.
fn proven(review: &Review, read_at: i64, users: &[SnapshotUser<'_>]) -> Vec<(u32, Shown)> {
    let (audit, bag) = (Uuid::from_u128(9), Some(bag("later")));
    let shown = ShownAudit { workspace: "acme", audit, bag, read_at: at(read_at), users };
    review.proven_by(&shown).into_iter().map(|proven| (proven.item.0, proven.shown)).collect()
}

#[test]
fn only_a_later_audit_proves_that_a_decision_was_carried_out() {
    let review = decided(Decision::Remove);
    let there = [user("1", "active", "profile-1")];
    assert_eq!(proven(&review, 60, &there), []);
    assert_eq!(proven(&review, 60, &[]), [(1, Shown::Gone)]);
    assert_eq!(proven(&review, 60, &[user("1", "deleted", "profile-1")]), [(1, Shown::Deleted)]);
    assert_eq!(proven(&review, 60, &[user("1", "disabled", "profile-1")]), [(1, Shown::Inactive)]);
    // The read began before the decision, or with it.
    assert_eq!(proven(&review, 50, &[]), []);
    let review = decided(profile_2());
    assert_eq!(proven(&review, 60, &there), []);
    assert_eq!(proven(&review, 60, &[user("1", "active", "profile-2")]), [(1, Shown::Changed)]);
    assert_eq!(proven(&decided(Decision::Keep), 60, &[]), []);
}

#[test]
fn what_is_not_proven_in_time_is_overdue_and_a_breach() {
    const DAY: i64 = 86_400;
    let mut review = decided(Decision::Remove);
    let event = decides(&review, "ana", &[4], Decision::Remove);
    happens(&mut review, &[event]);
    let what = |review: &Review, number: u32, seconds: i64| {
        let (item, course) = (review.item(ItemId(number)).unwrap(), review.course(ItemId(number)).unwrap());
        match review.carried_out(item, course, at(seconds)) {
            CarriedOut::Open { due } => format!("open until {}", (due - at(50)).num_days()),
            CarriedOut::Overdue { .. } => "overdue".to_owned(),
            other => other.word().to_owned(),
        }
    };
    assert_eq!([1, 2, 4].map(|item| what(&review, item, DAY)), ["open until 14", "none", "open until 3"]);
    assert_eq!([1, 4].map(|item| what(&review, item, 4 * DAY)), ["open until 14", "overdue"]);
    let proof = |item: u32, read_at: i64| {
        let (audit, shown) = (Uuid::from_u128(9), Shown::Gone);
        Event::Proven(Proven { item: ItemId(item), audit, bag: None, read_at: at(read_at), shown })
    };
    happens(&mut review, &[proof(1, 50 + 2 * DAY), proof(4, 50 + 4 * DAY)]);
    let level = review.service_level(at(5 * DAY));
    assert_eq!((level.proven, level.breaches), (2, vec![ItemId(4)]));
    assert_eq!((level.median.unwrap().num_days(), level.p95.unwrap().num_days()), (2, 4));
    assert_eq!(why(&mut review, &proof(1, 9 * DAY)), Why::NothingToProve);
    assert_eq!(review.summary().unproven, 0);
    // Another decision has to be carried out again.
    let event = decides(&review, "ana", &[4], profile_2());
    happens(&mut review, &[event]);
    assert_eq!(review.summary().unproven, 1);
}
