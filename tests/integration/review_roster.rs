//! Who decides in a review by the roster that its audit read: managers, departments, leavers, and other addresses of one
//! person.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::{
    review::{bench, items, text},
    support::Bench,
};

const REVIEWERS: &str = "reviewers = [
  { department = \"Legal\", reviewer = \"sec@example.com\" },
  { roster = \"manager\" },
  { reviewer = \"ana@example.com\", alternate = \"cto@example.com\" },
]";

/// A workspace with accounts of ben, leaver, ana+crm and eva, and a roster that knows them.
fn with_roster(people: &str) -> Bench {
    let bench = bench(12);
    for name in ["ana+crm", "eva"] {
        let user = serde_json::json!({"email": format!("{name}@example.com")});
        bench.simulator.world().edit(|world| world.add_user(&user));
    }
    let configuration = bench.read("rolecall.toml");
    let begin = configuration.find("reviewers = [").unwrap();
    let end = begin + configuration[begin..].find("\n]").unwrap() + 2;
    let configuration = format!("{}{REVIEWERS}{}", &configuration[..begin], &configuration[end..])
        .replace("company_domains = [\"example.com\"]", "company_domains = [\"example.com\"]\nroster = \"hr\"");
    let roster = "\n[rosters.hr]\nsource = { file = \"people.csv\" }\nmax_shrink_percent = 100\n";
    fs::write(bench.path("rolecall.toml"), configuration + roster).unwrap();
    fs::write(bench.path("people.csv"), people).unwrap();
    bench
}

const PEOPLE: &str = "Email,Aliases,Name,Status,Department,Manager,End Date
ben@example.com,,Ben,Active,Sales,mia@example.com,
leaver@example.com,,Leaver,Terminated,Sales,mia@example.com,2020-05-31
mia@example.com,,Mia,Active,Sales,ana@example.com,
ana@example.com,a.first@old.example,Ana,Active,Board,,
eva@example.com,,Eva,Active,Legal,mia@example.com,
";

fn open(bench: &Bench) -> (i32, String, String) {
    bench.run(&["review", "open", "quarterly", "--format", "json"])
}

#[test]
fn managers_and_departments_of_the_roster_decide_and_leavers_are_due_sooner() {
    let bench = with_roster(PEOPLE);
    bench.run(&["audit", "--job", "weekly"]);
    // What counts is the roster that the audit read, which is in its bag, and not the file as it is now.
    fs::remove_file(bench.path("people.csv")).unwrap();
    let (code, stdout, said) = open(&bench);
    assert_eq!(code, 0, "{said}");
    let row: Value = serde_json::from_str(&stdout).unwrap();
    let id = text(&row, "id").to_owned();
    let all = items(&bench, &id);
    let of = |email: &str| all.iter().find(|item| item["email"] == email).unwrap().clone();
    for (email, reviewer) in [
        ("ben@example.com", "mia@example.com"),
        ("leaver@example.com", "mia@example.com"),
        ("eva@example.com", "sec@example.com"),
        ("ana+crm@example.com", "cto@example.com"),
    ] {
        assert_eq!(text(&of(email), "reviewer"), reviewer, "{email}");
    }
    let own = of("ana+crm@example.com");
    for address in ["ana@example.com", "a.first@old.example"] {
        let (code, _, said) = bench.run(&["review", "assign", &id, text(&own, "item"), address, "--reason", "x"]);
        assert!(code == 1 && said.contains("nobody decides about their own account"), "{said}");
    }
    let days = |email: &str| {
        let item = of(email);
        let arguments = ["review", "decide", &id, text(&item, "item"), "remove", "--as", text(&item, "reviewer")];
        let (code, _, said) = bench.run(&[&arguments[..], &["--reason", "not needed"]].concat());
        assert_eq!(code, 0, "{said}");
        let item = items(&bench, &id).into_iter().find(|item| item["email"] == email).unwrap();
        let time = |key: &str| text(&item, key).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        (time("carry_out_by") - time("decided_at")).num_days()
    };
    assert_eq!((days("leaver@example.com"), days("ben@example.com")), (1, 14));
}

#[test]
fn a_roster_that_was_changed_in_the_bag_or_does_not_say_it_opens_nothing() {
    let bench = with_roster("Email,Name,Status\nben@example.com,Ben,Active\n");
    bench.run(&["audit", "--job", "weekly"]);
    let (code, _, said) = open(&bench);
    assert!(code == 1 && said.contains("the roster does not say who is in which department"), "{said}");

    fs::write(bench.path("people.csv"), PEOPLE).unwrap();
    bench.run(&["audit", "--job", "weekly"]);
    let bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let mut bags: Vec<PathBuf> = bags.filter(|path| path.is_dir()).collect();
    bags.sort();
    let roster = bags.last().unwrap().join("data/roster.json");
    let content = fs::read_to_string(&roster).unwrap();
    let mut permissions = fs::metadata(&roster).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "the test owns the file")]
    permissions.set_readonly(false);
    fs::set_permissions(&roster, permissions).unwrap();
    fs::write(&roster, content.replace("mia@example.com", "eve@example.com")).unwrap();
    let (code, _, said) = open(&bench);
    assert!(code == 1 && said.contains("data/roster.json is not as it was sealed"), "{said}");
    fs::write(&roster, content).unwrap();
    assert_eq!(open(&bench).0, 0);
}
