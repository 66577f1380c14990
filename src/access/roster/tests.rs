use chrono::{NaiveDate, TimeZone as _, Utc};
use proptest::prelude::*;

use super::*;
use crate::model::roster::{Bounds, Meaning, Source};

pub(super) fn record(name: &str, addresses: &[&str], meaning: Meaning) -> Record {
    Record {
        roster: "hr".into(),
        addresses: addresses.iter().map(ToString::to_string).collect(),
        name: name.into(),
        meaning,
        ..Record::default()
    }
}

fn roster(records: Vec<Record>) -> Roster {
    let source = Source {
        name: "hr".into(),
        place: "people.csv".into(),
        bounds: Bounds::default(),
        read_at: now(),
        as_of: Some(now()),
        sha256: None,
        encoding: None,
        columns: BTreeMap::new(),
        problem: None,
        warnings: Vec::new(),
    };
    Roster { sources: vec![source], records }
}

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, 5, 8, 0, 0).unwrap()
}

fn day(text: &str) -> Option<NaiveDate> {
    (!text.is_empty()).then(|| text.parse().unwrap())
}

fn policy() -> Policy {
    Policy {
        company_domains: vec!["example.com".into()],
        domain_aliases: [("old.example".to_owned(), "example.com".to_owned())].into(),
        ..Policy::default()
    }
}

#[test]
fn an_address_is_the_same_in_these_forms_and_no_other() {
    let roster = roster(vec![record("Ana Example", &["Ana@Example.com", "a.example@example.com"], Meaning::Current)]);
    let policy = policy();
    let people = People::new(&roster, &policy, now());
    for same in [
        "ana@example.com",
        " ANA@EXAMPLE.COM ",
        "mailto:ana@example.com",
        "MailTo: ana@example.com",
        "\u{feff}ana@\u{200b}example.com",
        "ana+crm@example.com",
        "ana@old.example",
        "ana+crm@OLD.example",
        "a.example@example.com",
        "ana@example.com.",
    ] {
        assert_eq!(people.find(same).one().map(Member::label), Some("Ana Example"), "{same:?}");
    }
    for other in [
        "an.a@example.com",
        "ana@mail.example.com",
        "ana@example.org",
        "aexample@example.com",
        "\u{e1}na@example.com",
        "ana",
        "@example.com",
        "",
        "Ana Example",
    ] {
        assert!(matches!(people.find(other), Match::Nobody), "{other:?}");
    }
}

#[test]
fn a_tag_counts_where_the_domain_is_not_the_companys() {
    let roster = roster(vec![record("Bo Example", &["bo@partner.example"], Meaning::Current)]);
    let policy = policy();
    let people = People::new(&roster, &policy, now());
    assert!(people.find("bo@partner.example").one().is_some());
    assert!(people.find("bo+crm@partner.example").one().is_none());
}

#[test]
fn an_accent_is_the_same_composed_or_not() {
    let roster = roster(vec![record("J\u{f6}rg", &["j\u{f6}rg@example.com"], Meaning::Current)]);
    let policy = policy();
    let people = People::new(&roster, &policy, now());
    assert!(people.find("jo\u{308}rg@example.com").one().is_some());
    assert!(people.find("jorg@example.com").one().is_none());
}

#[test]
fn whether_a_person_works_here_on_a_day() {
    use Standing::{Current, Joining, Left, Unknown};
    for (meaning, start, end, expected) in [
        (Meaning::Current, "", "", Current(None)),
        (Meaning::Unsaid, "2020-01-01", "", Current(None)),
        (Meaning::Left, "", "", Left(None)),
        (Meaning::Unknown, "", "", Unknown),
        (Meaning::Joining, "", "", Joining(None)),
        (Meaning::Joining, "2026-10-05", "", Current(None)),
        (Meaning::Joining, "2026-10-06", "", Joining(day("2026-10-06"))),
        (Meaning::Current, "2026-11-01", "", Joining(day("2026-11-01"))),
        // The last day counts, whatever the status says already.
        (Meaning::Current, "2020-01-01", "2026-10-05", Current(day("2026-10-05"))),
        (Meaning::Left, "2020-01-01", "2026-10-05", Current(day("2026-10-05"))),
        (Meaning::Left, "2020-01-01", "2026-12-31", Current(day("2026-12-31"))),
        (Meaning::Left, "2020-01-01", "2026-10-04", Left(day("2026-10-04"))),
        (Meaning::Current, "2020-01-01", "2026-10-04", Left(day("2026-10-04"))),
        (Meaning::Unknown, "", "2026-10-04", Left(day("2026-10-04"))),
        // Came back: the end is that of the earlier employment.
        (Meaning::Current, "2026-03-01", "2025-12-31", Current(None)),
        (Meaning::Current, "2026-11-01", "2025-12-31", Left(day("2025-12-31"))),
    ] {
        let one = Record { start: day(start), end: day(end), ..record("Ana Example", &[], meaning) };
        assert_eq!(standing(&one, day("2026-10-05").unwrap()), expected, "{meaning:?} {start} {end}");
    }
}

#[test]
fn the_day_is_that_of_the_roster() {
    let one = Record { end: day("2026-10-04"), ..record("Ana Example", &["ana@example.com"], Meaning::Current) };
    let mut roster = roster(vec![one]);
    roster.sources[0].bounds.time_zone = chrono_tz::America::Los_Angeles;
    let policy = policy();
    let evening = Utc.with_ymd_and_hms(2026, 10, 5, 3, 0, 0).unwrap();
    let standing = |at| People::new(&roster, &policy, at).members()[0].standing;
    assert_eq!(standing(evening), Standing::Current(day("2026-10-04")), "in Los Angeles it is still the 4th");
    assert_eq!(standing(now()), Standing::Left(day("2026-10-04")));
}

#[test]
fn several_rows_of_one_person_are_one_and_two_people_are_never_one() {
    let left = |name: &str, end: &str| Record { end: day(end), ..record(name, &["ana@example.com"], Meaning::Left) };
    let here = |name: &str| record(name, &["ANA@example.com"], Meaning::Current);
    let policy = policy();
    // Hired again, or several positions.
    let again = roster(vec![left("Example, Ana", "2024-01-31"), here("Ana Example"), here("Ana  EXAMPLE")]);
    let people = People::new(&again, &policy, now());
    assert_eq!(people.members().len(), 1);
    assert_eq!(people.find("ana@example.com").one().unwrap().standing, Standing::Current(None));
    assert_eq!(people.current("hr"), 1);
    // The address was given to somebody else.
    let reused = roster(vec![left("Ana Example", "2024-01-31"), here("Cy Example"), here("")]);
    let people = People::new(&reused, &policy, now());
    assert_eq!(people.find("ana@example.com").all().len(), 3, "the row without a name is nobody's");
    // Married: the same number.
    let with_id = |mut one: Record| {
        one.id = "1001".into();
        one
    };
    let married = roster(vec![with_id(left("Ana Example", "2024-01-31")), with_id(here("Ana Sample"))]);
    let people = People::new(&married, &policy, now());
    assert!(people.find("ana@example.com").one().is_some());
    // The same number in two positions, each with its own address.
    let mut second = with_id(here("Ana Example"));
    second.addresses = vec!["ana.second@example.com".into()];
    let positions = roster(vec![with_id(here("Ana Example")), second]);
    let people = People::new(&positions, &policy, now());
    assert_eq!(people.members().len(), 1);
}

#[test]
fn a_name_is_a_suggestion_only_if_it_is_one_persons() {
    let roster = roster(vec![
        record("Example, Ana", &["ana.private@example.org"], Meaning::Current),
        record("Bo Sample", &["bo@example.com"], Meaning::Current),
        record("Bo Sample", &["bo.sample@example.com"], Meaning::Current),
        record("Cy", &["cy@example.com"], Meaning::Current),
    ]);
    let policy = policy();
    let people = People::new(&roster, &policy, now());
    assert!(matches!(people.find("ana@example.com"), Match::Nobody));
    assert_eq!(people.suggest("Ana Example").map(Member::label), Some("Example, Ana"));
    assert!(people.suggest("Bo Sample").is_none() && people.suggest("Cy").is_none());
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_matter(rows in prop::collection::vec((0..3_usize, 0..4_usize, 0..4_usize, 0..3_usize), 1..9), seed in any::<u64>()) {
        let names = ["", "Ana Example", "Bo Sample"];
        let addresses = ["", "ana@example.com", "bo@example.com", "cy@example.com"];
        let meanings = [Meaning::Current, Meaning::Left, Meaning::Unknown, Meaning::Joining];
        let records: Vec<Record> = rows.iter().map(|(name, address, meaning, id)| Record {
            id: if *id == 0 { String::new() } else { id.to_string() },
            ..record(names[*name], &[addresses[*address]], meanings[*meaning])
        }).collect();
        let mut shuffled = records.clone();
        let length = shuffled.len();
        for place in 0..length {
            shuffled.swap(place, usize::try_from((seed.rotate_left(u32::try_from(place).unwrap() * 7)) % length as u64).unwrap());
        }
        let policy = policy();
        let shown = |records: Vec<Record>| {
            let roster = roster(records);
            let people = People::new(&roster, &policy, now());
            addresses.map(|address| {
                let mut found: Vec<String> = people.find(address).all().iter().map(|one| format!("{:?} {:?}", one.standing, one.record())).collect();
                found.sort();
                found
            })
        };
        prop_assert_eq!(shown(records), shown(shuffled));
    }
}
