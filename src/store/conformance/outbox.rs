//! Notifications that wait, are delivered, rejected, replaced and sent again.

use super::*;
use crate::{model::run::MessageState, store::queue::Sent};

pub(crate) async fn a_run_is_delivered_with_its_last_message_and_a_rejected_recipient_holds_nobody_up<H: Home>() {
    let bench = Bench::<H>::new().await;
    bench.due(&[10]).await;
    let claim = bench.claim(20).await.unwrap();
    let messages = [message(&claim, "a@example.com"), message(&claim, "b@example.com")];
    bench.store.record(&claim, &kept(&claim), &messages, at(21)).await.unwrap();

    let a = bench.take(22).await.unwrap();
    let b = bench.take(22).await.unwrap();
    assert_eq!([&a.notification, &b.notification], [&messages[0], &messages[1]]);
    assert_eq!(bench.take(22).await, None);
    bench.store.sent(&a, &Sent::Accepted, "250 ok", &[], at(23)).await.unwrap();
    bench.store.sent(&b, &Sent::Again(at(100)), "451 later", &[], at(23)).await.unwrap();
    assert!(bench.store.delivered().await.unwrap().is_empty());
    assert_eq!(bench.take(99).await, None);

    let again = bench.take(100).await.unwrap();
    assert_eq!((&again.notification, again.attempt), (&messages[1], 2));
    is_lost(bench.store.sent(&b, &Sent::Accepted, "late", &[], at(101)).await);
    bench.store.sent(&again, &Sent::GivenUp, "550 no such user", &[], at(102)).await.unwrap();
    let delivered = bench.store.delivered().await.unwrap();
    assert_eq!(delivered.iter().map(|run| run.id).collect::<Vec<_>>(), [claim.run.id]);
    let states: Vec<_> = bench.store.messages(claim.run.id).await.unwrap();
    let states: Vec<_> = states.into_iter().map(|message| (message.state, message.answer.unwrap())).collect();
    assert_eq!(
        states,
        [(MessageState::Accepted, "250 ok".to_owned()), (MessageState::Rejected, "550 no such user".to_owned())]
    );
}

pub(crate) async fn a_message_whose_sender_died_is_taken_out_again_as_it_was<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    bench.store.record(&claim, &kept(&claim), &[message(&claim, "a@example.com")], at(21)).await.unwrap();
    let first = bench.take(22).await.unwrap();
    assert_eq!(bench.take(81).await, None);
    let second = bench.take(82).await.unwrap();
    assert_eq!(first.notification, second.notification);
    is_lost(bench.store.sent(&first, &Sent::Accepted, "250 ok", &[ping(0, "success")], at(83)).await);
    assert_eq!(bench.take(83).await, None, "a notice of a write that was refused is not in the outbox");
}

pub(crate) async fn a_run_that_is_given_up_is_failed_and_its_notice_is_sent<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    let notice = Notification { kind: "failure".into(), ..message(&claim, "a@example.com") };
    bench.store.give_up(&claim, "the token was revoked", &[notice], at(21)).await.unwrap();
    let out = bench.take(22).await.unwrap();
    bench.store.sent(&out, &Sent::Accepted, "250 ok", &[], at(23)).await.unwrap();
    assert!(bench.store.delivered().await.unwrap().is_empty());
    let run = bench.store.run(claim.run.id).await.unwrap().unwrap();
    assert_eq!(
        (run.state, run.error.as_deref(), run.finished_at),
        (RunState::Failed, Some("the token was revoked"), Some(at(21)))
    );
}

pub(crate) async fn a_rejected_message_can_be_sent_again_and_an_accepted_one_is_not_kept<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    let messages = [message(&claim, "a@example.com"), message(&claim, "b@example.com")];
    bench.store.record(&claim, &kept(&claim), &messages, at(1)).await.unwrap();
    assert_eq!(bench.store.take_message(Some("daily"), at(2), LEASE).await.unwrap(), None, "another job's");
    let take = async |now: i64| bench.store.take_message(Some("weekly"), at(now), LEASE).await.unwrap();
    let (a, b) = (take(2).await.unwrap(), take(2).await.unwrap());
    bench.store.sent(&a, &Sent::Accepted, "250 ok", &[], at(3)).await.unwrap();
    let notice = Notification { kind: "undelivered".into(), about: "b".into(), ..message(&claim, "a@example.com") };
    bench.store.sent(&b, &Sent::GivenUp, "550 no", &[notice], at(3)).await.unwrap();
    assert!(bench.store.delivered().await.unwrap().is_empty(), "the notice waits");
    let notice = take(5).await.unwrap();
    bench.store.sent(&notice, &Sent::Accepted, "250 ok", &[], at(6)).await.unwrap();
    assert!(bench.store.close(claim.run.id, &[], at(7)).await.unwrap());

    assert!(bench.store.retry(claim.run.id, at(8)).await.unwrap());
    let again = take(9).await.unwrap();
    assert_eq!(again.notification, messages[1]);
    assert_eq!(take(9).await, None, "what was accepted is not sent again");
    bench.store.sent(&again, &Sent::Accepted, "250 ok", &[], at(10)).await.unwrap();
    assert!(bench.store.close(claim.run.id, &[], at(11)).await.unwrap());
    assert!(!bench.store.retry(claim.run.id, at(12)).await.unwrap());
}

pub(crate) async fn a_message_is_in_the_outbox_once<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    let message = message(&claim, "a@example.com");
    let other = Notification { about: "other".into(), ..message.clone() };
    bench.store.give_up(&claim, "x", &[message.clone(), message, other], at(1)).await.unwrap();
    assert_eq!(bench.store.messages(claim.run.id).await.unwrap().len(), 2);
}

pub(crate) async fn a_notification_of_any_subject_and_channel_is_taken_out_as_it_was_put_in<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    let chat = Notification {
        channel: "chat".into(),
        address: "#security".into(),
        sender: None,
        message_id: None,
        bytes: vec![0, 255],
        ..message(&claim, "")
    };
    let ping = ping(10, "failure");
    bench.store.give_up(&claim, "x", &[chat.clone(), ping.clone()], at(1)).await.unwrap();
    let taken = [bench.take(2).await.unwrap(), bench.take(2).await.unwrap()];
    assert_eq!(taken.map(|outgoing| outgoing.notification), [chat, ping]);
    let of_run = bench.store.messages(claim.run.id).await.unwrap();
    assert_eq!(of_run.iter().map(|message| message.channel.as_str()).collect::<Vec<_>>(), ["chat"]);
    assert!(bench.store.incidents(at(100_000)).await.unwrap().iter().all(|incident| incident.run.is_some()));
}

pub(crate) async fn a_newer_ping_replaces_one_that_still_waits<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    let other = Notification { address: "daily".into(), ..ping(10, "failure") };
    bench.store.give_up(&claim, "x", &[ping(10, "failure"), other.clone()], at(1)).await.unwrap();
    let in_flight = bench.take(2).await.unwrap();
    assert!(bench.store.retry(claim.run.id, at(3)).await.unwrap());
    let again = bench.claim(4).await.unwrap();
    bench.store.record(&again, &kept(&again), &[], at(5)).await.unwrap();
    assert!(bench.store.close(again.run.id, &[ping(10, "success")], at(6)).await.unwrap());
    is_lost(bench.store.sent(&in_flight, &Sent::Again(at(7)), "503", &[], at(7)).await);
    let left = [bench.take(8).await.unwrap(), bench.take(8).await.unwrap()].map(|outgoing| outgoing.notification);
    assert_eq!(left, [other, ping(10, "success")]);
    assert_eq!(bench.take(100_000).await.map(|outgoing| outgoing.attempt), Some(2), "it is still to be delivered");
}

pub(crate) async fn a_run_is_closed_once_and_its_pings_come_with_that<H: Home>() {
    let bench = Bench::<H>::new().await;
    let claim = bench.begin().await;
    assert!(!bench.store.close(claim.run.id, &[ping(0, "success")], at(1)).await.unwrap());
    assert_eq!(bench.take(2).await, None);
    bench.store.record(&claim, &kept(&claim), &[], at(3)).await.unwrap();
    assert!(bench.store.close(claim.run.id, &[ping(0, "success")], at(4)).await.unwrap());
    assert!(!bench.store.close(claim.run.id, &[ping(0, "failure")], at(5)).await.unwrap());
    let run = bench.store.run(claim.run.id).await.unwrap().unwrap();
    assert_eq!((run.state, run.finished_at), (RunState::Closed, Some(at(4))));
    assert_eq!(bench.take(6).await.unwrap().notification, ping(0, "success"));
    assert_eq!(bench.take(6).await, None);
}
