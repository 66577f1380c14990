//! The schedule of a review is changed while no daemon runs, or by one that dies before it decides anything.

use super::{reviews::bench, *};
use crate::{
    ledger::{Fact, fact::ReviewTerms},
    schedule::Schedule,
};

const SUNDAYS: &str = "0 13 * * SUN";
const DAILY: &str = "0 9 * * *";

impl Bench {
    /// Publishes a schedule of a review at a moment, and no more.
    async fn publishes(&self, name: &str, pattern: Option<&str>, at: &str) {
        let terms = pattern.map(|pattern| ReviewTerms {
            job: "weekly".into(),
            pattern: pattern.into(),
            time_zone: "UTC".into(),
        });
        let fact = Fact::ReviewSchedule { name: name.into(), terms };
        self.daemon.store.append(&[fact], time(at)).await.unwrap();
    }

    /// From now on, the configuration has this schedule for a review.
    fn configures(&self, name: &str, pattern: &str) {
        {
            let mut setup = self.daemon.setup.write().unwrap();
            let reviews = &mut Arc::get_mut(&mut setup).unwrap().reviews;
            let (_, mut review) = reviews.pop_first().unwrap();
            review.terms.name = name.to_owned();
            review.schedule = Some(Schedule::parse(pattern, chrono_tz::Tz::UTC, time(SUNDAY)).unwrap());
            reviews.insert(name.to_owned(), review);
        }
        self.daemon.forget();
    }

    /// The scheduled times for which reviews were opened, the earliest first.
    async fn opened(&self) -> Vec<String> {
        let opened = self.reviews().await.into_iter().rev().filter_map(|review| review.fire_at);
        opened.map(|at| at.format("%m-%d %H:%M").to_string()).collect()
    }

    /// The scheduled times that were passed over: the first, the last, and how many.
    async fn passed(&self) -> Vec<(String, String, u64)> {
        let text = |at: DateTime<Utc>| at.format("%m-%d %H:%M").to_string();
        let skipped = self.facts().await.into_iter().filter_map(|fact| match fact {
            Fact::ReviewSkipped { first, last, count, .. } => Some((text(first), text(last), count)),
            _ => None,
        });
        skipped.collect()
    }
}

#[tokio::test]
async fn each_schedule_of_a_review_is_decided_for_the_time_in_which_it_was_in_force() {
    let bench = bench().await;
    bench.publishes("quarterly", Some(DAILY), "2026-03-09T08:00:00Z").await;
    bench.configures("quarterly", DAILY);
    bench.at("2026-03-10T10:00:00Z").await;
    bench.at("2026-03-10T10:01:30Z").await;
    assert_eq!(bench.opened().await, ["03-10 09:00"]);
    let passed = |first: &str, last: &str, count| (first.to_owned(), last.to_owned(), count);
    let expected = [passed("03-01 13:00", "03-08 13:00", 2), passed("03-09 09:00", "03-09 09:00", 1)];
    assert_eq!(bench.passed().await, expected);
}

#[tokio::test]
async fn a_review_that_had_no_schedule_for_a_while_was_not_due_then() {
    let bench = bench().await;
    bench.publishes("quarterly", None, "2026-03-01T20:00:00Z").await;
    bench.publishes("quarterly", Some(SUNDAYS), "2026-03-09T20:00:00Z").await;
    bench.configures("quarterly", SUNDAYS);
    bench.at("2026-03-10T10:00:00Z").await;
    bench.at("2026-03-10T10:01:30Z").await;
    assert_eq!(bench.opened().await, ["03-01 13:00"]);
    assert_eq!(bench.passed().await, []);
}

#[tokio::test]
async fn a_new_review_is_due_from_the_moment_at_which_it_was_published() {
    let bench = bench().await;
    bench.configures("daily", DAILY);
    bench.publishes("daily", Some(DAILY), "2026-03-02T08:00:00Z").await;
    bench.at("2026-03-02T10:00:00Z").await;
    bench.at("2026-03-02T10:01:30Z").await;
    assert_eq!(bench.opened().await, ["03-02 09:00"]);
}
