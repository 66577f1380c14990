//! Who is signed in: sessions end by themselves, links work once, and both are in the ledger.

use super::*;
use crate::{
    model::actor::Actor,
    review::{event::Via, person::Address},
    store::sessions::{Identity, KNOWN, LINKS, Link, Place, SESSIONS, SecretDigest, Sessions as _, SignedIn},
};

fn ana() -> SignedIn {
    SignedIn {
        address: Address::of("ana@example.com"),
        name: Some("Ana".into()),
        groups: vec!["security".into()],
        via: Via::Console,
        identity: Some(Identity { issuer: "https://login.example.com".into(), subject: "7".into() }),
        proven_at: Some(at(-60)),
        place: Some(Place { client: "192.0.2.7".into(), browser: "Firefox on Linux".into() }),
    }
}

fn ben() -> SignedIn {
    SignedIn::by(Address::of("ben@example.com"), Via::MailLink)
}

fn link(who: &SignedIn, until: i64) -> Link {
    Link { address: who.address.clone(), via: who.via, valid_until: at(until), used_at: None }
}

fn id(name: &str) -> SecretDigest {
    SecretDigest::of(name)
}

pub(crate) async fn a_session_is_read_back_until_it_is_too_old_or_not_used<H: Home>() {
    const MINUTE: i64 = 60;
    let bench = Bench::<H>::new().await;
    bench.store.begin_session(id("a"), &ana(), None, None, at(0)).await.unwrap();
    let other = bench.home.open().await;
    let session = other.session(id("a"), at(29 * MINUTE)).await.unwrap().unwrap();
    assert_eq!((&session.who, session.began_at, session.seen_at), (&ana(), at(0), at(0)));
    assert_eq!(other.session(id("b"), at(0)).await.unwrap(), None);
    assert_eq!(other.session(id("a"), at(30 * MINUTE)).await.unwrap(), None, "not used for too long");
    for half_hours in 1..30 {
        let now = at(half_hours * 29 * MINUTE);
        let is_there = other.session(id("a"), now).await.unwrap().is_some();
        assert_eq!(is_there, half_hours * 29 < 12 * 60, "after {} minutes", half_hours * 29);
        other.use_session(id("a"), now).await.unwrap();
    }
    // What is too old is deleted when somebody else signs in.
    bench.store.begin_session(id("b"), &ben(), None, None, at(13 * 60 * MINUTE)).await.unwrap();
    assert_eq!(bench.store.session(id("a"), at(0)).await.unwrap(), None);
}

pub(crate) async fn a_session_ends_when_it_is_replaced_ended_or_one_of_too_many<H: Home>() {
    let bench = Bench::<H>::new().await;
    let is_there = async |name: &str| bench.store.session(id(name), at(100)).await.unwrap().is_some();
    bench.store.begin_session(id("a"), &ana(), None, None, at(0)).await.unwrap();
    bench.store.begin_session(id("b"), &ana(), Some(id("a")), None, at(1)).await.unwrap();
    assert!(!is_there("a").await && is_there("b").await);
    bench.store.begin_session(id("ben"), &ben(), None, None, at(2)).await.unwrap();
    bench.store.end_session(id("b")).await.unwrap();
    assert!(!is_there("b").await && is_there("ben").await);
    for number in 0..=SESSIONS {
        let name = format!("ana {number}");
        bench.store.begin_session(id(&name), &ana(), None, None, at(i64::from(number) + 3)).await.unwrap();
    }
    assert!(!is_there("ana 0").await && is_there("ana 1").await && is_there("ben").await);
    bench.store.use_session(id("ana 5"), at(99)).await.unwrap();
    let listed = bench.home.open().await.sessions_of(&ana().address, at(100)).await.unwrap();
    assert_eq!((listed.len(), listed[0].0, listed[0].1.seen_at), (SESSIONS as usize, id("ana 5"), at(99)));
    assert!(listed.iter().all(|(_, session)| session.who == ana()) && listed[1].0 == id(&format!("ana {SESSIONS}")));
    assert_eq!(bench.store.sessions_of(&ana().address, at(1_806)).await.unwrap().len(), 7, "the others are too old");
    assert_eq!(bench.store.end_sessions_of(&ana().address).await.unwrap(), u64::from(SESSIONS));
    assert!(!is_there("ana 1").await && is_there("ben").await);
}

pub(crate) async fn a_link_begins_one_session_in_its_time_and_none_if_that_fails<H: Home>() {
    let bench = Bench::<H>::new().await;
    let by = Actor::CommandLine { command: None };
    bench.store.keep_link(id("l"), &link(&ben(), 900), &by, at(0)).await.unwrap();
    let other = bench.home.open().await;
    assert_eq!(other.link(id("l")).await.unwrap(), Some(link(&ben(), 900)));
    assert_eq!(other.link(id("m")).await.unwrap(), None);
    is_lost(other.begin_session(id("s"), &ben(), None, Some(id("m")), at(1)).await);
    is_lost(other.begin_session(id("s"), &ben(), None, Some(id("l")), at(900)).await);
    assert_eq!(other.session(id("s"), at(900)).await.unwrap(), None);
    // Two browsers at once.
    let who = ben();
    let (one, two) = tokio::join!(
        bench.store.begin_session(id("s"), &who, None, Some(id("l")), at(2)),
        other.begin_session(id("t"), &who, None, Some(id("l")), at(2)),
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    assert_eq!(bench.store.link(id("l")).await.unwrap().unwrap().used_at, Some(at(2)));
    is_lost(bench.store.begin_session(id("u"), &ben(), None, Some(id("l")), at(3)).await);
    let facts = bench.facts().await;
    let [Fact::SignInLink { address, via, valid_until, by: maker }, Fact::SignedIn { issuer, .. }] = &facts[..] else {
        panic!("{facts:?}")
    };
    assert_eq!((address, *via, *valid_until, maker), (&ben().address, Via::MailLink, at(900), &by));
    assert_eq!(*issuer, None);
    bench.store.begin_session(id("v"), &ana(), None, None, at(4)).await.unwrap();
    let identity = (Some("https://login.example.com".to_owned()), Some("7".to_owned()));
    let (issuer, subject) = identity;
    let signed_in = Fact::SignedIn { address: ana().address, via: Via::Console, issuer, subject };
    assert_eq!(bench.facts().await.last(), Some(&signed_in));
}

pub(crate) async fn links_are_known_for_a_while_after_they_expired_and_deleted_then_or_if_they_are_too_many<H: Home>() {
    let bench = Bench::<H>::new().await;
    let by = Actor::Daemon;
    let is_there = async |name: &str| bench.store.link(id(name)).await.unwrap().is_some();
    bench.store.keep_link(id("ana"), &link(&ana(), 100), &by, at(0)).await.unwrap();
    for number in 0..=LINKS {
        let link = link(&ben(), i64::from(number) + 200);
        bench.store.keep_link(id(&format!("ben {number}")), &link, &by, at(i64::from(number))).await.unwrap();
    }
    assert!(is_there("ana").await && !is_there("ben 0").await && is_there("ben 1").await);
    let long_after = 100 + KNOWN.num_seconds();
    bench.store.keep_link(id("new"), &link(&ana(), long_after + 200), &by, at(long_after - 1)).await.unwrap();
    assert!(is_there("ana").await && is_there("new").await, "it is known whose it was");
    bench.store.keep_link(id("newer"), &link(&ana(), long_after + 201), &by, at(long_after)).await.unwrap();
    assert!(!is_there("ana").await && is_there("new").await && is_there("newer").await);
}
