//! Who works here, by the exports of a company's HR system: from a file and over HTTP.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use chrono::Utc;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param},
};

use crate::{
    across,
    evidence::bench,
    support::{Bench, recompute},
};

/// A column that nobody mapped.
const SALARY: &str = "98765.43";

/// Columns of access-matrix.csv that the tests name.
struct Account {
    address: String,
    full_name: String,
    status: String,
}

fn accounts(bench: &Bench) -> Vec<Account> {
    let (code, users, said) = bench.run(&["users", "acme", "--format", "csv"]);
    assert_eq!(code, 0, "{said}");
    let mut reader = csv::Reader::from_reader(users.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let [address, full_name, status] = ["email", "full_name", "status"].map(column);
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| Account {
        address: row[address].to_owned(),
        full_name: row[full_name].to_owned(),
        status: row[status].to_owned(),
    })
    .collect()
}

/// An export with semicolons and days first, of everybody but `missing`, who never worked here; `left` has left.
fn export(all: &[Account], left: &str, missing: &str) -> String {
    let gone = (Utc::now() - chrono::Duration::days(10)).format("%d.%m.%Y");
    let mut text = "Export of all people\r\n\r\nWork Email;Name;Status;Termination Date;Salary\r\n".to_owned();
    for account in all.iter().filter(|account| account.address != missing) {
        let (status, end) =
            if account.address == left { ("Terminated", gone.to_string()) } else { ("Active", String::new()) };
        let (address, name) = (account.address.to_uppercase(), &account.full_name);
        writeln!(text, "{address};\"{name}\";{status};{end};{SALARY}\r").unwrap();
    }
    text
}

fn configure(bench: &Bench, source: &str) {
    bench.reconfigure("company_domains = [\"example.com\"]", "company_domains = [\"example.com\"]\nroster = \"hr\"");
    let configuration = bench.read("rolecall.toml")
        + &format!(
            "\n[rosters.hr]\nsource = {source}\nformat = \"csv\"\ndate_format = \"%d.%m.%Y\"\nmax_age_days = 7\n"
        );
    fs::write(bench.path("rolecall.toml"), configuration).unwrap();
}

/// The findings of an audit by the rules about the roster: rule, severity and subject.
fn found(bench: &Bench, folder: &str) -> Vec<(String, String, String)> {
    let mut reader = csv::Reader::from_path(bench.path(&format!("{folder}/findings.csv"))).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let [rule, severity, subject] = ["rule", "severity", "subject"].map(column);
    let rows = reader.records().map(Result::unwrap);
    let about = ["leaver-active", "not-on-roster", "ambiguous-roster-match", "manager-left", "unreliable-roster"];
    rows.filter(|row| about.contains(&&row[rule]))
        .map(|row| (row[rule].to_owned(), row[severity].to_owned(), row[subject].to_owned()))
        .collect()
}

fn finding(rule: &str, severity: &str, subject: &str) -> (String, String, String) {
    (rule.to_owned(), severity.to_owned(), subject.to_owned())
}

fn newest_bag(bench: &Bench) -> PathBuf {
    let bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    bags.filter(|path| path.join("bagit.txt").exists()).max().unwrap()
}

/// Two active users: one who has left, one who is not in the export.
fn two(all: &[Account]) -> [&Account; 2] {
    let mut active = all.iter().filter(|account| {
        let twins = all.iter().filter(|other| other.address.eq_ignore_ascii_case(&account.address)).count();
        account.status == "active" && account.address.ends_with("@example.com") && twins == 1
    });
    [active.next_back().unwrap(), active.next_back().unwrap()]
}

#[test]
fn an_export_of_the_hr_system_finds_who_has_left_and_who_never_worked_here_and_nobody_else() {
    let bench = bench(30);
    let all = accounts(&bench);
    let [left, unknown] = two(&all);
    configure(&bench, "{ file = \"people.csv\" }");
    fs::write(bench.path("people.csv"), export(&all, &left.address, &unknown.address)).unwrap();
    bench.audit(&["--out", "1"]);
    let expected =
        [finding("leaver-active", "critical", &left.full_name), finding("not-on-roster", "high", &unknown.full_name)];
    assert_eq!(found(&bench, "1"), expected);

    // The evidence has the mapped columns and nothing else, and gives the same findings.
    let bag = newest_bag(&bench);
    let kept = fs::read_to_string(bag.join("data/roster.json")).unwrap();
    assert!(kept.to_lowercase().contains(&left.address.to_lowercase()), "{kept}");
    let (code, said) = recompute(&bag);
    assert_eq!(code, 0, "{said}");
    for file in ["data/roster.json", "data/report/report.json", "data/report/findings.csv"] {
        let text = fs::read_to_string(bag.join(file)).unwrap_or_default();
        assert!(!text.contains("98765"), "{file}");
    }

    // A roster that shrank, is old, or is not there finds no company of leavers.
    let few = export(&all[..all.len() / 2], &left.address, &unknown.address);
    for (folder, text) in [("2", few.as_str()), ("3", ""), ("4", "Name;Status\r\nAna Lima;Active\r\n")] {
        fs::write(bench.path("people.csv"), text).unwrap();
        bench.audit(&["--out", folder]);
        assert_eq!(found(&bench, folder), [finding("unreliable-roster", "high", "acme")], "{text}");
        let report = bench.read(&format!("{folder}/report.html"));
        assert!(report.contains("the roster cannot be relied on"));
        // What it had found is not resolved by that.
        let said = "2 open findings of an earlier audit could not be looked for, and are neither open nor resolved.";
        assert!(report.contains(said) && !report.contains("2 resolved"), "{report}");
    }
    fs::write(bench.path("people.csv"), export(&all, &left.address, &unknown.address)).unwrap();
    let old = SystemTime::now() - Duration::from_hours(24 * 9);
    fs::File::options().append(true).open(bench.path("people.csv")).unwrap().set_modified(old).unwrap();
    bench.audit(&["--out", "5"]);
    assert_eq!(found(&bench, "5"), [finding("unreliable-roster", "high", "acme")]);
    fs::remove_file(bench.path("people.csv")).unwrap();
    bench.audit(&["--out", "6"]);
    assert_eq!(found(&bench, "6"), [finding("unreliable-roster", "high", "acme")]);
    // A policy without the roster no longer looks for what it had found.
    bench.reconfigure("roster = \"hr\"", "");
    bench.audit(&["--out", "7"]);
    let changes = bench.read("7/changes.csv");
    let not_counted = changes.lines().filter(|line| line.contains(",finding-not-counted,"));
    let rules: Vec<&str> = not_counted.filter_map(|line| line.split([',', ':']).nth(3)).collect();
    assert_eq!(rules, ["leaver-active", "not-on-roster", "unreliable-roster"], "{changes}");
    assert!(bench.read("7/report.html").contains("3 findings are no longer counted because the policy changed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_over_http_is_read_with_its_token_which_is_kept_nowhere() {
    let token = "invented-hr-token-4711";
    let bench = bench(30);
    let all = accounts(&bench);
    let [left, unknown] = two(&all);
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_string(export(&all, &left.address, &unknown.address));
    let allowed = Mock::given(method("GET")).and(path("/people.csv"));
    let allowed = allowed.and(header("authorization", format!("Bearer {token}").as_str()));
    allowed.respond_with(answer.insert_header("etag", "\"1\"")).mount(&server).await;
    configure(&bench, &format!("{{ url = \"{}/people.csv\", token = {{ env = \"HR_TOKEN\" }} }}", server.uri()));
    let audit = |token: &str, folder: &str| {
        let output = bench.rolecall(&["audit", "--out", folder]).env("HR_TOKEN", token).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        said
    };
    let said = tokio::task::block_in_place(|| audit(token, "1"));
    let expected =
        [finding("leaver-active", "critical", &left.full_name), finding("not-on-roster", "high", &unknown.full_name)];
    assert_eq!(found(&bench, "1"), expected);
    let kept = fs::read_to_string(newest_bag(&bench).join("data/roster.json")).unwrap();
    assert!(!said.contains(token) && !kept.contains(token), "{said}");

    // Without the right token the audit takes place, and says that it does not know who works here.
    let said = tokio::task::block_in_place(|| audit("another-token-4712", "2"));
    assert_eq!(found(&bench, "2"), [finding("unreliable-roster", "high", "acme")]);
    assert!(!said.contains("another-token-4712"), "{said}");
}

/// A page of a SCIM list.
fn page(all: &[Account], from: usize, to: usize) -> String {
    let user = |(place, account): (usize, &Account)| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": format!("scim-{place}"),
            "userName": format!("login-{place}"),
            "displayName": account.full_name,
            "active": true,
            "emails": [{ "value": account.address, "type": "work", "primary": true }],
            "x-salary": SALARY,
        })
    };
    let users: Vec<Value> = all.iter().enumerate().skip(from).take(to - from).map(user).collect();
    let list = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": all.len(), "startIndex": from + 1, "itemsPerPage": users.len(), "Resources": users,
    });
    list.to_string()
}

fn scim(bench: &Bench, server: &MockServer) {
    bench.reconfigure("company_domains = [\"example.com\"]", "company_domains = [\"example.com\"]\nroster = \"idp\"");
    let roster = format!("\n[rosters.idp]\nsource = {{ url = \"{}/Users\" }}\nformat = \"scim\"\n", server.uri());
    fs::write(bench.path("rolecall.toml"), bench.read("rolecall.toml") + &roster).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scim_list_of_several_pages_is_read_to_its_end() {
    let bench = bench(30);
    let mut all = accounts(&bench);
    let missing = two(&all)[0].address.clone();
    let unknown = two(&all)[0].full_name.clone();
    all.retain(|account| account.address != missing);
    let half = all.len() / 2;
    let server = MockServer::start().await;
    for (start, body) in [(1, page(&all, 0, half)), (half + 1, page(&all, half, all.len()))] {
        let mock = Mock::given(method("GET")).and(path("/Users")).and(query_param("startIndex", start.to_string()));
        mock.respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
    }
    scim(&bench, &server);
    tokio::task::block_in_place(|| bench.audit(&["--out", "1"]));
    assert_eq!(found(&bench, "1"), [finding("not-on-roster", "high", &unknown)]);
    let kept = fs::read_to_string(newest_bag(&bench).join("data/roster.json")).unwrap();
    assert!(!kept.contains("98765") && !kept.contains("login-"), "{kept}");

    // A list that ends early would make strangers of those who are missing.
    server.reset().await;
    let early = ResponseTemplate::new(200).set_body_string(page(&all, 0, half));
    Mock::given(query_param("startIndex", "1")).respond_with(early).mount(&server).await;
    let empty =
        ResponseTemplate::new(200).set_body_string(json!({ "totalResults": all.len(), "Resources": [] }).to_string());
    Mock::given(method("GET")).respond_with(empty).with_priority(9).mount(&server).await;
    tokio::task::block_in_place(|| bench.audit(&["--out", "2"]));
    assert_eq!(found(&bench, "2"), [finding("unreliable-roster", "high", "acme")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scim_list_that_has_not_changed_is_not_loaded_again() {
    let (bench, _other) = across::two(12);
    let all = accounts(&bench);
    let server = MockServer::start().await;
    let changed = ResponseTemplate::new(200).set_body_string(page(&all, 0, all.len())).insert_header("etag", "\"v1\"");
    let unchanged = Mock::given(header("if-none-match", "\"v1\"")).respond_with(ResponseTemplate::new(304));
    unchanged.with_priority(1).expect(1).mount(&server).await;
    Mock::given(path("/Users")).respond_with(changed).expect(1).mount(&server).await;
    scim(&bench, &server);
    tokio::task::block_in_place(|| bench.audit(&["--job", "weekly", "--out", "1"]));
    for workspace in ["acme", "zeta"] {
        let report: Value = serde_json::from_str(&bench.read(&format!("1/{workspace}/report.json"))).unwrap();
        let roster = &report["roster"];
        assert_eq!((&roster["relied_on"], &roster["matched"]), (&Value::from(true), &roster["users"]), "{roster}");
        assert_eq!(roster["sources"][0]["name"], "idp");
    }
    server.verify().await;
}

#[test]
fn a_roster_is_tried_before_an_audit_relies_on_it() {
    let bench = bench(30);
    let all = accounts(&bench);
    let [left, unknown] = two(&all);
    configure(&bench, "{ file = \"people.csv\" }");
    let odd = format!("stranger@example.com;Stranger;Zorp;;{SALARY}\r\n");
    fs::write(bench.path("people.csv"), export(&all, &left.address, &unknown.address) + &odd).unwrap();
    let (code, said, errors) = bench.run(&["roster", "check", "--workspace", "acme"]);
    assert_eq!(code, 0, "{errors}");
    assert!(said.contains("column     email: Work Email") && said.contains("An audit would rely on it."), "{said}");
    assert!(said.contains(&format!("not in it  {}, {}", unknown.full_name, unknown.address)), "{said}");
    assert!(said.contains("status     Zorp: not known, 1 row"), "{said}");
    let (_, json, _) = bench.run(&["roster", "check", "hr", "--workspace", "acme", "--format", "json"]);
    let answer: Value = serde_json::from_str(&json).unwrap();
    let roster = &answer["rosters"][0];
    assert_eq!((&roster["left"], &roster["not_known"]), (&Value::from(1), &Value::from(1)));
    let unmatched: Vec<&Value> = answer["workspace"]["unmatched"].as_array().unwrap().iter().collect();
    assert!(unmatched.iter().any(|user| user["email"] == unknown.address.as_str()), "{unmatched:?}");
    assert!(!said.contains("98765") && !json.contains("98765") && !json.contains("Salary"), "{json}");

    fs::write(bench.path("people.csv"), "Name;Status\r\nAna Lima;Active\r\n").unwrap();
    let (code, _, errors) = bench.run(&["roster", "check"]);
    assert!(code == 1 && errors.contains("cannot be read"), "{errors}");
    let (code, _, errors) = bench.run(&["roster", "check", "hrr"]);
    assert!(code == 2 && errors.contains("unknown roster `hrr`; the configured rosters are: hr"), "{errors}");
}
