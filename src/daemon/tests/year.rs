//! A year of weekly reviews, some of which go wrong: the coverage names exactly those.

use std::collections::BTreeMap;

use super::*;
use crate::{
    coverage::{self, Coverage, Question, State},
    evidence::{
        consistency, inventory,
        ledger::LEDGER,
        mail,
        signers::Allowed,
        storage::{Storage as _, read},
    },
    ledger::{Head, chain},
};

/// Lets the bench keep evidence, and mail to one recipient.
fn equip(bench: &Bench, to: &str) {
    let mut setup = bench.daemon.setup.write().unwrap();
    let setup = Arc::get_mut(&mut setup).unwrap();
    setup.vault = Some(Vault {
        storage: Arc::new(Folder::new(bench.folder.path().join("bags"))),
        key: None,
        timestamps: None,
        keep_days: Some(200),
        configuration: Configuration::default(),
        agent: "rolecall".into(),
    });
    setup.jobs.get_mut("weekly").unwrap().email.as_mut().unwrap().to = vec![to.to_owned()];
}

#[tokio::test]
async fn of_a_year_of_reviews_the_coverage_names_exactly_the_gaps() {
    let bench = Bench::new(Missed::Latest).await;
    let berlin = "Europe/Berlin".parse().unwrap();
    let schedule = Schedule::parse("0 8 * * MON", berlin, time(SUNDAY)).unwrap();
    let mondays = schedule.next(time(SUNDAY), 52);
    let mut expected = BTreeMap::new();
    for (week, monday) in mondays.iter().enumerate() {
        equip(&bench, if week == 26 { "gone@example.com" } else { "security@example.com" });
        let faults: &[Fault] = match week {
            14 | 33 => &[Fault::MissingScopeUsers],
            20 => &[Fault::ShortPageAlways],
            _ => &[],
        };
        bench.simulator.set_faults(faults.iter().copied());
        let at = |later: chrono::Duration| (*monday + later).to_rfc3339();
        let state = match week {
            // Nobody is there, and then the next week somebody is, or never again.
            4 | 45..=47 | 51 => State::Missing,
            9 => {
                bench.at(&at(chrono::Duration::hours(30))).await;
                State::Late
            }
            33 => {
                bench.at(&at(chrono::Duration::zero())).await;
                bench.simulator.set_faults([]);
                let failed = bench.runs().await.remove(0);
                assert!(bench.daemon.store.retry(failed.id, time(&at(chrono::Duration::hours(50)))).await.unwrap());
                bench.at(&at(chrono::Duration::hours(50))).await;
                State::Late
            }
            _ => {
                bench.at(&at(chrono::Duration::seconds(1))).await;
                match week {
                    14 => State::Missing,
                    20 => State::Incomplete,
                    26 => State::Undelivered,
                    _ => State::OnTime,
                }
            }
        };
        expected.insert(*monday, state);
    }
    let storage = Folder::new(bench.folder.path().join("bags"));
    let chain = chain::read(&String::from_utf8(read(&storage, LEDGER).unwrap()).unwrap());
    assert_eq!(chain.faults, []);
    let there = inventory::digests(&storage).unwrap();
    let question = Question {
        from: time("2026-03-01T00:00:00Z"),
        to: time("2027-03-01T00:00:00Z"),
        job: None,
        late_after: chrono::Duration::hours(24),
        now: time("2027-03-05T00:00:00Z"),
        bags: Some(&there),
        foreign: &coverage::NONE_FOREIGN,
    };
    let coverage = Coverage::of(chain.entries.iter().map(|(entry, _)| entry), &question);
    let found: BTreeMap<_, _> = coverage.rows.iter().map(|row| (row.fire_at, row.state)).collect();
    assert_eq!(found, expected);
    let reasons: Vec<&str> =
        coverage.rows.iter().filter(|row| row.state == State::Missing).map(|row| row.reason.as_str()).collect();
    assert!(reasons[0].starts_with("skipped: no daemon was able to run it in time"), "{reasons:?}");
    assert!(reasons[1].starts_with("the run failed: workspace acme"), "{reasons:?}");
    assert_eq!(reasons[5], "no record of a run");
    assert_eq!(coverage.due(), 52);
    let bags = consistency::check(&storage, Allowed::default(), &[]).unwrap();
    assert!(bags.is_sound(), "{:?}", bags.problems);
    // The older ones are removed when the next review comes, which is not there yet then.
    let made: Vec<_> =
        expected.iter().filter(|(_, state)| **state != State::Missing).map(|(monday, _)| *monday).collect();
    let oldest = made[made.len() - 2] - chrono::Duration::days(200);
    // Two runs failed, and what was answered until then is kept as the reviews are.
    let reviews = bags.bags.iter().filter(|bag| bag.due.is_some()).count();
    assert_eq!(reviews, made.iter().filter(|monday| **monday >= oldest).count());
    let removed = chain.entries.iter().filter(|(entry, _)| entry.fact.kind() == "bag_removed").count();
    assert!(removed > 10 && removed + bags.bags.len() == made.len() + 2, "{removed}");

    // And their mails with them; of those that are there each is as it was sent.
    let mails = storage.list(mail::FOLDER).unwrap().len();
    assert_eq!(mails, mail::named(chain.entries.iter().map(|(entry, _)| entry), None).len());
    assert!(mails < made.len(), "{mails}");

    let page = coverage::page(&coverage, &question, &Head { number: 1, sha256: "ab".repeat(32) }).unwrap();
    // Which of two calls at the same time is refused first differs from run to run.
    let filters = [
        (r"<summary>the run failed: [^<]*</summary>", "<summary>the run failed: …</summary>"),
        (r"GET /bigin/v2/users\?type=\w+[^:<]*:", "GET /bigin/v2/users?type=…:"),
    ];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!(page.split_once("<body>").unwrap().1.split("<h2>Every scheduled review").next().unwrap());
    });
    let mut table = Vec::new();
    coverage::table(&coverage, &question, &mut table).unwrap();
    assert_eq!(String::from_utf8(table).unwrap().lines().count(), 53);
}
