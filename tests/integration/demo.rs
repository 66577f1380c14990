//! `rolecall demo` on a machine where nothing is configured.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::Value;

use crate::{
    console::cookie,
    support::{printed, rolecall},
    tools::{read_csv, read_mail},
};

#[test]
fn the_demo_ends_by_itself_leaves_only_what_it_names_and_shows_drift() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let began = Instant::now();
    let output = rolecall().arg("demo").current_dir(&folder).env("TMPDIR", temporary.path()).output().unwrap();
    let (stdout, stderr) = printed(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(began.elapsed().as_secs() < 60, "it took {:?}", began.elapsed());

    let address = stdout.split("http://").nth(1).unwrap().lines().next().unwrap().trim_end_matches('.');
    assert!(TcpStream::connect(address).is_err(), "something still listens on {address}");
    let left: Vec<_> = fs::read_dir(&temporary).unwrap().collect();
    assert!(left.is_empty(), "{left:?} is left behind");

    let command = stdout.lines().find(|line| line.starts_with("  for bag in ")).unwrap();
    let verified = std::process::Command::new("sh").args(["-c", command]).current_dir(&folder).output().unwrap();
    let verified = printed(&verified);
    assert_eq!(verified.0.matches("Verified: every file is as it was sealed").count(), 11, "{verified:?}");
    assert!(!verified.1.contains("verify.sh"), "of bags only: {verified:?}");

    let lines = stdout.lines().filter(|line| *line != command);
    let named = lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("rolecall-demo/")));
    let named: Vec<&str> = named.collect();
    assert!(named.len() >= 9, "{stdout}");
    for path in named {
        assert!(fs::metadata(folder.path().join(path)).unwrap().len() > 0, "{path}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

    let demo = folder.path().join("rolecall-demo");
    assert_eq!(read_csv(&demo.join("week-1/changes.csv")).len(), 1);
    let kinds: Vec<String> =
        read_csv(&demo.join("week-12/changes.csv")).into_iter().map(|change| change[1].clone()).collect();
    assert_eq!(kinds[1], "administrator-granted");
    assert!(kinds.contains(&"role-changed".to_owned()) && kinds.contains(&"user-removed".to_owned()), "{kinds:?}");

    // A person who has left, accounts that the roster does not have, and the account of a program, in report and mail.
    let findings = read_csv(&demo.join("week-12/findings.csv"));
    let of = |rule: &str| -> Vec<&str> {
        findings.iter().filter(|finding| finding[2] == rule).map(|finding| finding[5].as_str()).collect()
    };
    assert_eq!(of("leaver-active").len(), 1, "{findings:?}");
    let unknown = of("not-on-roster");
    assert!(unknown.len() == 2 && unknown.iter().any(|name| name.starts_with("New Colleague")), "{unknown:?}");
    let page = fs::read_to_string(demo.join("week-12/report.html")).unwrap();
    assert!(
        page.contains("2 users are declared as not being a person: 1 service and 1 shared"),
        "the declared accounts"
    );
    assert!(page.contains("crm-sync@example.com"));

    let mail = read_mail(&demo.join("week-12.eml"));
    let text = mail.to_string();
    assert!(text.contains(of("leaver-active")[0]) && text.contains(" left on "), "{text}");
    assert_eq!(
        mail["structure"].as_array().unwrap()[..4],
        ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    );
    assert!(mail["headers"].to_string().contains("[rolecall] acme: +1 administrator"), "{}", mail["headers"]);
}

#[test]
fn the_demo_is_a_quarter_with_a_late_week_and_a_missed_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = rolecall().args(["demo", "--out", "d"]).current_dir(&folder).output().unwrap();
    let (stdout, stderr) = printed(&output);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("12 due: 10 on time, 1 late, 1 missing"), "{stdout}");
    assert!(stdout.contains("(11 bags, 12 due reviews, 1 gap)"), "{stdout}");
    let demo = folder.path().join("d");
    let weeks: Vec<u32> = (1..=12).filter(|week| demo.join(format!("week-{week}.eml")).exists()).collect();
    assert_eq!(weeks, [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]);
    let report = |week: u32| -> Value {
        let path = demo.join(format!("week-{week}/report.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    // Each is compared with the review of the week before, and all of them on the clock of their week.
    let judged = |report: &Value| report["judged_at"].as_str().map(str::to_owned);
    let (before, last) = (report(11), report(12));
    assert!(judged(&last) > judged(&before), "{:?} {:?}", judged(&last), judged(&before));
    assert_eq!(last["previous"]["audit_id"], before["audit_id"]);
    let bags = demo.join("evidence").read_dir().unwrap().filter(|bag| bag.as_ref().unwrap().path().is_dir());
    assert_eq!(bags.count(), 11 + 1, "bags and the mail");
}

#[test]
fn the_demo_can_be_repeated_in_the_same_folder_and_knows_no_one_s_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rolecall.toml"), "this is no TOML").unwrap();
    for _ in 0..2 {
        let output = rolecall().args(["demo", "--out", "here", "--users", "12"]).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output).1);
    }
    let report: Value =
        serde_json::from_slice(&fs::read(folder.path().join("here/week-1/report.json")).unwrap()).unwrap();
    assert_eq!(report["previous"], Value::Null, "it remembers the demo before");
    assert_eq!(report["access_matrix"].as_array().unwrap().len(), 12);
}

#[test]
fn a_folder_that_cannot_be_created_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("taken"), "a file").unwrap();
    let output = rolecall().args(["demo", "--out", "taken"]).current_dir(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).1.starts_with("rolecall: cannot create the folder taken"), "{}", printed(&output).1);
}

#[tokio::test]
async fn the_demo_serves_a_console_with_a_review_under_way_until_it_is_stopped() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut process = Command::new(env!("CARGO_BIN_EXE_rolecall"))
        .args(["demo", "--serve", "--users", "14"])
        .current_dir(&folder)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let links: Vec<String> = said.by_ref().filter(|line| line.contains("/link/")).take(3).collect();
    let command = said.find(|line| line.contains("rolecall console link")).unwrap();
    let client = rolecall::tls::http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let enter = async |link: &str| {
        let (origin, secret) = link.trim().split_once("/link/").unwrap();
        let post = client.post(format!("{origin}/link")).header("origin", origin).body(format!("secret={secret}"));
        let entered = post.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        let page = client.get(origin).header("cookie", cookie(&entered)).send().await.unwrap();
        assert_eq!(page.status(), reqwest::StatusCode::OK, "{link}");
    };
    for link in &links {
        enter(link).await;
    }
    let config = command.split("--config ").nth(1).unwrap().split(' ').next().unwrap();
    let more = rolecall().args(["--config", config, "console", "link", "--as", "ben@example.com"]).output().unwrap();
    enter(&printed(&more).0).await;
    let list = rolecall().args(["--config", config, "review", "list", "--format", "json"]).output().unwrap();
    let list: Value = serde_json::from_str(&printed(&list).0).unwrap();
    assert_eq!(list[0]["items"].as_u64().unwrap(), list[0]["undecided"].as_u64().unwrap() + 5, "{list}");
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "something is left behind");
}
