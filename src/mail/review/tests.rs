use super::*;
use crate::{
    mail::testing::parse,
    review::{
        event::Decision,
        messages::{Said, asked, due as due_of},
        testing::{address, at, attests, closes, decides, item, opened, opened_with, population_of},
    },
};

const DAY: i64 = 86_400;
const FROM: &str = "rolecall <audit@example.com>";

/// The messages that are due at a time if none was sent before.
fn mails(review: &Review, seconds: i64) -> Vec<ReviewMail> {
    let (messages, _) = due_of(review, &Said::default(), at(seconds));
    messages.iter().map(|message| ReviewMail::of(review, message, None, at(seconds))).collect()
}

fn one(review: &Review, kind: Kind, to: &str, seconds: i64) -> ReviewMail {
    let message = Message { kind, about: "2026-03-02".to_owned(), to: address(to) };
    ReviewMail::of(review, &message, None, at(seconds))
}

fn parts(mail: &ReviewMail) -> (String, String) {
    (Text { mail }.render().unwrap(), Html { mail }.render().unwrap())
}

#[test]
fn a_reviewer_is_told_what_is_to_do_by_when_and_how() {
    let review = opened(1);
    let mails = mails(&review, 1);
    let to: Vec<(&str, &str)> = mails.iter().map(|mail| (mail.kind, mail.to.as_str())).collect();
    let expected =
        [("invitation", "ana@example.com"), ("invitation", "ben@example.com"), ("opened", "ana@example.com")];
    assert_eq!(to, expected);
    let (text, html) = parts(&mails[0]);
    insta::assert_snapshot!("invitation_text", text);
    insta::assert_snapshot!("invitation_html", html);
    insta::assert_snapshot!("opened_text", parts(&mails[2]).0);
    let id = |mail: &ReviewMail| mail.email(FROM, at(9)).unwrap().message_id;
    assert_eq!(id(&mails[0]), id(&self::mails(&review, 1)[0]), "the same message has the same id");
    assert_ne!(id(&mails[0]), id(&mails[1]));
}

#[test]
fn with_a_console_a_message_leads_to_it_and_only_who_decides_is_signed_in() {
    let review = opened(1);
    let (messages, _) = due_of(&review, &Said::default(), at(1));
    let door = |signs_in| Door { origin: "https://rolecall.example.com".parse().unwrap(), signs_in };
    let texts = |door: &Door| {
        let mails = messages.iter().map(|message| ReviewMail::of(&review, message, Some(door), at(1)));
        mails.map(|mail| parts(&mail)).collect::<Vec<_>>()
    };
    let page = format!("https://rolecall.example.com/reviews/{}\n", review.id());
    let texts_of = texts(&door(true));
    let [(invitation, html), _, (opened, _)] = &texts_of[..] else { panic!("{texts_of:?}") };
    let place = crate::mail::link::place(&review.id().to_string(), "invitation", "");
    let link = format!("https://rolecall.example.com/link/{place}?next=%2Freviews%2F{}", review.id());
    assert!(invitation.contains(&format!("{link}\n")) && html.contains(&format!("<a href=\"{link}\"")), "{invitation}");
    assert!(!invitation.contains("rolecall review export"), "{invitation}");
    assert!(opened.contains(&page) && !opened.contains("/link/") && opened.contains("rolecall review remind"));
    insta::assert_snapshot!("invitation_with_link_text", invitation);
    for (text, html) in texts(&door(false)) {
        assert!(text.contains(&page) && !text.contains("/link/") && html.contains(page.trim()), "{text}");
    }
}

#[test]
fn messages_of_one_review_are_one_thread() {
    let review = opened(1);
    let roots = [&review, &opened(2)].map(|review| {
        let roots = mails(review, 14 * DAY).into_iter().map(|mail| {
            let email = mail.email(FROM, at(14 * DAY)).unwrap();
            parse(&email.bytes).header("References").unwrap().to_owned()
        });
        roots.collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!((roots[0].len(), roots[1].len()), (1, 1));
    assert_ne!(roots[0], roots[1]);
}

#[test]
fn who_has_not_decided_is_reminded_of_what_is_left() {
    let mut review = opened(1);
    let event = decides(&review, "ana", &[1], Decision::Keep);
    review.apply(&event, at(1)).unwrap();
    let reminder = one(&review, Kind::Reminder, "ana", 7 * DAY);
    assert_eq!(reminder.subject, "[rolecall] Reminder: review quarterly, 4 accounts not decided");
    assert!(!parts(&reminder).0.contains("eva@example.com"));
    let late = one(&review, Kind::Reminder, "ana", 15 * DAY);
    assert_eq!(late.subject, "[rolecall] OVERDUE: review quarterly, 4 accounts not decided");
    assert_eq!(asked(&review, at(7 * DAY)).len(), 2);
}

#[test]
fn an_overdue_review_names_who_is_late_to_the_owner_and_above() {
    let review = opened(1);
    let (text, _) = parts(&one(&review, Kind::Overdue, "ana", 15 * DAY));
    insta::assert_snapshot!("overdue_text", text);
    let (text, _) = parts(&one(&review, Kind::Escalation, "cto", 15 * DAY));
    assert!(text.contains("`escalate_to` of this review names you"), "{text}");
}

#[test]
fn the_owner_gets_the_result_and_what_is_not_carried_out() {
    let mut review = opened(1);
    for item in 1..=6 {
        let by = if item == 3 { "ben" } else { "ana" };
        let decision = if item == 2 { Decision::Remove } else { Decision::Keep };
        let event = decides(&review, by, &[item], decision);
        review.apply(&event, at(1)).unwrap();
    }
    assert!(parts(&one(&review, Kind::Reminder, "ana", DAY)).0.contains("Every account is decided."));
    for event in [attests(&review, "ana", &["ana", "ben"]), closes(false)] {
        review.apply(&event, at(2)).unwrap();
    }
    let mails = mails(&review, 3);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "[rolecall] Review quarterly is closed: 5 keep, 0 change, 1 remove");
    insta::assert_snapshot!("summary_text", parts(&mails[0]).0);
    let overdue = one(&review, Kind::NotCarriedOut, "ana", 20 * DAY);
    assert_eq!(overdue.subject, "[rolecall] OVERDUE: review quarterly, 1 decision not carried out");
    insta::assert_snapshot!("not_carried_out_text", parts(&overdue).0);
}

#[test]
fn who_was_asked_to_decide_is_told_in_one_sentence_that_it_is_cancelled() {
    let mut review = opened(1);
    let by = crate::model::actor::Actor::Person { address: "ana@example.com".to_owned() };
    let cancelled = crate::review::event::Event::Cancelled { by, reason: "opened by\nmistake".to_owned() };
    review.apply(&cancelled, at(DAY)).unwrap();
    let mail = one(&review, Kind::Cancelled, "ben", DAY + 1);
    assert_eq!(mail.subject, "[rolecall] Review quarterly is cancelled");
    let (text, html) = parts(&mail);
    insta::assert_snapshot!("cancelled_text", text);
    assert!(!html.contains("What to do") && html.contains("opened by mistake"), "{html}");
    let thread =
        |mail: &ReviewMail| parse(&mail.email(FROM, at(9)).unwrap().bytes).header("References").unwrap().to_owned();
    assert_eq!(thread(&mail), thread(&mails(&opened(1), 1)[0]));
}

#[test]
fn a_message_that_was_not_delivered_is_the_owners_to_know() {
    let mail = ReviewMail::undelivered(&opened(1), "invitation", "ben@example.com", "550 no such user");
    assert_eq!((mail.to.as_str(), mail.kind()), ("ana@example.com", "undelivered"));
    assert!(parts(&mail).0.contains("Why: 550 no such user"));
}

/// Names of any length and with anything in them, and thousands of them, make no message of 100 KB.
#[test]
fn a_message_is_bounded_and_names_do_no_harm() {
    let hostile = format!("<b>{}\r\nBcc: x@example.com http://evil.example", "x".repeat(5_000));
    let items = (1..=3_000).map(|number| {
        let mut item = item(number, &format!("user-{number}"), &format!("reviewer-{}", number % 700));
        item.full_name = Some(hostile.clone());
        item.email = None;
        if let Some(role) = &mut item.role {
            role.name = Some(hostile.clone());
        }
        item
    });
    let review = opened_with(1, population_of(items.collect()));
    let mut all = mails(&review, 20 * DAY);
    let boss = Message { kind: Kind::Escalation, about: String::new(), to: address("cto") };
    all.push(ReviewMail::of(&review, &boss, None, at(20 * DAY)));
    for mail in all.iter().take(3).chain(all.iter().rev().take(3)) {
        let email = mail.email(FROM, at(20 * DAY)).unwrap();
        assert!(email.bytes.len() < 100_000, "{}: {} bytes", mail.kind, email.bytes.len());
        let (text, html) = parts(mail);
        assert!(!html.contains("<b>") && !text.contains("://evil"), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
    }
}
