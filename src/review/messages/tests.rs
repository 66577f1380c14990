use proptest::prelude::*;

use super::*;
use crate::review::{
    event::{Decision, Event},
    item::ItemId,
    testing::{address, at, attests, closes, decides, opened},
};

const DAY: i64 = 86_400;

/// A review, what was said, and a daemon that looks.
struct World {
    review: Review,
    said: Said,
    all: Vec<(i64, Message)>,
}

impl World {
    fn new() -> Self {
        Self { review: opened(1), said: Said::default(), all: Vec::new() }
    }

    /// What a look at a time says, as `kind to`.
    fn look(&mut self, seconds: i64) -> Vec<String> {
        let (messages, next) = due(&self.review, &self.said, at(seconds));
        assert!(next.is_none_or(|next| next > at(seconds)), "the next look is later");
        let shown = |message: &Message| {
            let (name, _) = message.to.as_str().split_once('@').unwrap();
            format!("{} {name}", message.kind.word())
        };
        let shown = messages.iter().map(shown).collect();
        for message in messages {
            let Message { kind, about, to } = message.clone();
            self.said.add(kind.word().to_owned(), about, to.as_str(), at(seconds));
            self.all.push((seconds, message));
        }
        shown
    }

    fn happens(&mut self, event: &Event, seconds: i64) {
        self.review.apply(event, at(seconds)).unwrap();
    }

    fn decides(&mut self, by: &str, items: &[u32], decision: &Decision, seconds: i64) {
        for item in items {
            let event = decides(&self.review, by, &[*item], decision.clone());
            self.happens(&event, seconds);
        }
    }
}

#[test]
fn who_has_decided_is_left_alone_and_who_has_not_is_reminded_until_it_is_overdue_and_after() {
    let mut world = World::new();
    assert_eq!(world.look(1), ["invitation ana", "invitation ben", "opened ana"]);
    assert_eq!(world.look(2), [""; 0]);
    assert_eq!(world.look(7 * DAY - 1), [""; 0]);
    assert_eq!(world.look(7 * DAY), ["reminder ana", "reminder ben"]);
    world.decides("ben", &[3], &Decision::Keep, 8 * DAY);
    assert_eq!(world.look(12 * DAY), [""; 0]);
    assert_eq!(world.look(13 * DAY + 5), ["reminder ana"], "the day before it is due");
    assert_eq!(world.look(14 * DAY), [""; 0]);
    assert_eq!(world.look(14 * DAY + 1), ["reminder ana", "overdue ana"]);
    assert_eq!(world.look(14 * DAY + 9), [""; 0]);
    assert_eq!(world.look(21 * DAY + 1), ["reminder ana", "overdue ana"]);
    world.decides("ana", &[1, 2, 4, 5, 6], &Decision::Keep, 22 * DAY);
    assert_eq!(world.look(28 * DAY + 1), ["overdue ana"], "it is decided, but not closed");
    world.happens(&attests(&world.review, "ana", &["ana", "ben"]), 29 * DAY);
    world.happens(&closes(true), 29 * DAY);
    assert_eq!(world.look(29 * DAY), ["summary ana"]);
    let (messages, next) = due(&world.review, &world.said, at(300 * DAY));
    assert_eq!((messages, next), (Vec::new(), None));
}

#[test]
fn a_review_that_only_has_to_be_closed_is_its_owners_task() {
    let mut world = World::new();
    world.look(1);
    world.decides("ben", &[3], &Decision::Keep, 2);
    world.decides("ana", &[1, 2, 4, 5, 6], &Decision::Keep, 2);
    assert_eq!(world.look(7 * DAY), ["reminder ana"]);
    assert_eq!(late(&world.review).len(), 0);
    assert_eq!(asked(&world.review, at(7 * DAY)), []);
}

#[test]
fn after_three_weeks_of_silence_only_the_latest_is_said() {
    let mut world = World::new();
    world.look(1);
    assert_eq!(world.look(22 * DAY), ["reminder ana", "reminder ben", "overdue ana"]);
    let mut late = World::new();
    assert_eq!(late.look(22 * DAY), ["invitation ana", "invitation ben", "opened ana", "overdue ana"]);
    assert_eq!(late.look(28 * DAY + 1), ["reminder ana", "reminder ben", "overdue ana"]);
}

#[test]
fn a_new_reviewer_is_invited_and_not_reminded_of_what_was_before() {
    let mut world = World::new();
    world.look(7 * DAY);
    let event = Event::Assigned {
        item: ItemId(1),
        to: address("cleo"),
        reason: "on leave".to_owned(),
        by: crate::model::actor::Actor::Daemon,
    };
    world.happens(&event, 10 * DAY);
    assert_eq!(world.look(10 * DAY), ["invitation cleo"]);
    assert_eq!(world.look(13 * DAY), ["reminder ana", "reminder ben", "reminder cleo"]);
}

#[test]
fn somebody_else_is_told_when_it_is_overdue_unless_that_is_the_owner() {
    for (boss, told) in [("cto", vec!["overdue ana", "escalation cto"]), ("ana", vec!["overdue ana"])] {
        let population = crate::review::testing::population();
        let mut opening = crate::review::testing::opening(&population);
        opening.escalate_to = Some(address(boss));
        let mut world = World::new();
        world.review = Review::opened(uuid::Uuid::from_u128(1), opening, population, at(0)).unwrap();
        world.look(1);
        let messages = world.look(14 * DAY + 1);
        assert_eq!(messages[2..], told, "{messages:?}");
    }
}

#[test]
fn work_that_is_not_proven_in_time_is_reported_once_a_day_and_again_each_week() {
    let mut world = World::new();
    world.look(1);
    world.decides("ana", &[1], &Decision::Remove, 100);
    world.decides("ana", &[2], &Decision::Remove, 200);
    world.decides("ana", &[4], &Decision::Remove, DAY);
    let said = |world: &mut World, seconds| {
        let mut said = world.look(seconds);
        said.retain(|message| message.starts_with("not-carried-out"));
        said.len()
    };
    // The account of an administrator within 3 days, any other within 14.
    assert_eq!(said(&mut world, 4 * DAY), 0);
    assert_eq!(said(&mut world, 4 * DAY + 1), 1);
    assert_eq!(said(&mut world, 11 * DAY + 1), 1);
    assert_eq!(said(&mut world, 14 * DAY + 101), 1);
    assert_eq!(said(&mut world, 14 * DAY + 201), 0, "one a day");
}

#[test]
fn who_was_asked_is_told_once_that_a_review_is_cancelled() {
    let cancels = || {
        let by = crate::model::actor::Actor::Daemon;
        Event::Cancelled { by, reason: "opened by mistake".to_owned() }
    };
    let mut world = World::new();
    world.look(1);
    world.decides("ben", &[3], &Decision::Keep, 2);
    world.happens(&cancels(), DAY);
    assert_eq!(world.look(DAY + 1), ["cancelled ana", "cancelled ben"]);
    assert_eq!(world.look(DAY + 2), [""; 0]);

    let mut nobody_knows = World::new();
    nobody_knows.happens(&cancels(), 1);
    assert_eq!(nobody_knows.look(2), [""; 0], "nobody was asked");

    let mut long_ago = World::new();
    long_ago.look(1);
    long_ago.happens(&cancels(), 2);
    assert_eq!(long_ago.look(8 * DAY), [""; 0], "it is no news any more");
}

/// A step of a history: a look, or a decision about an item.
#[derive(Debug, Clone)]
enum Step {
    Look,
    Decide(u32, Decision),
    Close,
    Cancel,
}

fn step() -> impl Strategy<Value = Step> {
    let decision = prop_oneof![Just(Decision::Keep), Just(Decision::Remove)];
    prop_oneof![
        6 => Just(Step::Look),
        4 => (1_u32..=6, decision).prop_map(|(item, decision)| Step::Decide(item, decision)),
        1 => Just(Step::Close),
        1 => Just(Step::Cancel),
    ]
}

fn play(world: &mut World, step: &Step, seconds: i64) {
    match step {
        Step::Look => {
            world.look(seconds);
        }
        Step::Decide(item, decision) if *world.review.stage() == Stage::Open => {
            let by = if *item == 3 { "ben" } else { "ana" };
            world.decides(by, &[*item], decision, seconds);
        }
        Step::Close if world.review.state() == crate::review::state::State::Decided => {
            world.happens(&attests(&world.review, "ana", &["ana", "ben"]), seconds);
            let result = world.review.needs_no_change();
            let mut closing = closes(result);
            if let Event::Closed(closed) = &mut closing {
                closed.next_review = at(seconds + 400 * DAY).date_naive();
            }
            world.happens(&closing, seconds);
        }
        Step::Cancel if *world.review.stage() == Stage::Open => {
            let by = crate::model::actor::Actor::Daemon;
            world.happens(&Event::Cancelled { by, reason: "a rehearsal".to_owned() }, seconds);
        }
        Step::Decide(..) | Step::Close | Step::Cancel => {}
    }
}

proptest! {
    #[test]
    fn nothing_is_said_twice_too_often_or_to_somebody_who_has_nothing_to_do(
        steps in prop::collection::vec((1_i64..5 * DAY, step()), 1..40),
    ) {
        let (mut world, mut seconds) = (World::new(), 0);
        for (wait, step) in steps {
            seconds += wait;
            let before = world.all.len();
            let late: Vec<Address> = late(&world.review).into_iter().cloned().collect();
            let is_open = *world.review.stage() == Stage::Open;
            play(&mut world, &step, seconds);
            let owner = world.review.opening().owner.clone();
            for (_, message) in &world.all[before..] {
                let is_owners = message.to == owner;
                let is_right = match message.kind {
                    Kind::Invitation => late.contains(&message.to),
                    Kind::Reminder => late.contains(&message.to) || (is_owners && late.is_empty() && is_open),
                    Kind::Opened | Kind::Overdue => is_owners && is_open,
                    Kind::Escalation => false,
                    Kind::NotCarriedOut => is_owners && !world.review.service_level(at(seconds)).breaches.is_empty(),
                    Kind::Summary => is_owners && matches!(world.review.stage(), Stage::Closed { .. }),
                    Kind::Cancelled => matches!(world.review.stage(), Stage::Cancelled { .. }),
                };
                prop_assert!(is_right, "{message:?} on day {}", seconds / DAY);
            }
            if matches!(step, Step::Look) {
                prop_assert_eq!(world.look(seconds), Vec::<String>::new(), "a second look at once");
            }
        }
        let keys: BTreeSet<&Message> = world.all.iter().map(|(_, message)| message).collect();
        prop_assert_eq!(keys.len(), world.all.len());
        // Whatever happens, a person is not reminded more often than once a week, the last call and the due day apart.
        for name in ["ana", "ben"] {
            let reminders: Vec<i64> = world.all.iter()
                .filter(|(_, message)| message.kind == Kind::Reminder && message.to == address(name))
                .map(|(seconds, _)| *seconds).collect();
            prop_assert!(i64::try_from(reminders.len()).unwrap() <= seconds / (7 * DAY) + 2, "{reminders:?}");
        }
    }

    #[test]
    fn a_daemon_that_looks_only_when_it_is_told_to_says_what_one_says_that_looks_all_the_time(
        decided in prop::collection::vec((0_i64..40 * DAY, 1_u32..=6), 0..6),
    ) {
        let mut decided = decided;
        decided.sort_unstable();
        let said = |only_when_told: bool| {
            let mut world = World::new();
            let (mut events, mut next, mut at_last) = (decided.iter().peekable(), Some(at(0)), -1);
            for hour in 0..(50 * 24) {
                let seconds = hour * 3_600;
                while let Some((when, item)) = events.next_if(|(when, _)| *when <= seconds) {
                    let by = if *item == 3 { "ben" } else { "ana" };
                    world.decides(by, &[*item], &Decision::Remove, *when);
                    at_last = seconds;
                }
                if !only_when_told || next.is_some_and(|next| next <= at(seconds)) || at_last == seconds {
                    world.look(seconds);
                    next = due(&world.review, &world.said, at(seconds)).1;
                }
            }
            world.all
        };
        prop_assert_eq!(said(true), said(false));
    }
}
