//! The second audit says what changed since the first: on the terminal, in every file, in the mail.

use serde_json::Value;

use crate::{
    support::{Bench, options},
    tools::{read_csv, read_html, read_mail, read_xlsx},
};

/// A bench that was audited once, then changed: one more administrator, a leaver, another role.
fn changed() -> (Bench, [String; 3]) {
    let bench = Bench::new(options(40));
    bench.audit(&["--out", "first", "--send"]);
    let people = bench.simulator.world().edit(|world| {
        let ordinary: Vec<Value> = world
            .users()
            .into_iter()
            .filter(|user| {
                user["status"] == "active"
                    && user["confirm"] == true
                    && user["profile"]["name"] == "Standard"
                    && user["role"]["name"] == "Sales Rep"
                    && !user["full_name"].as_str().unwrap().starts_with('=')
            })
            .collect();
        let [promoted, moved, leaver, ..] = ordinary.as_slice() else { panic!("too few ordinary users") };
        let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
        let manager = world.roles().iter().find(|role| role["name"] == "Manager").map(&id).unwrap();
        // The promotion comes last: reports order by weight and not by time.
        world.delete(&id(leaver)).unwrap();
        world.set_role(&id(moved), &manager).unwrap();
        world.promote(&id(promoted)).unwrap();
        [promoted, moved, leaver].map(|user| user["full_name"].as_str().unwrap().to_owned())
    });
    (bench, people)
}

#[test]
fn the_new_administrator_stands_first_everywhere() {
    let (bench, [promoted, moved, leaver]) = changed();
    let first = read_csv(&bench.path("first/changes.csv"));
    assert_eq!(first.len(), 1, "the first audit has nothing to compare with: {first:?}");

    let printed = bench.audit(&["--out", "second", "--send"]);
    let change = printed.lines().find(|line| line.starts_with("  changed")).unwrap();
    assert!(change.contains(&format!("{promoted} became Administrator")), "{printed}");

    let changes = read_csv(&bench.path("second/changes.csv"));
    assert_eq!(
        changes[1][1..],
        ["administrator-granted", "user", &changes[1][3], &promoted, "profile", "Standard", "Administrator"]
    );
    let of = |kind: &str, name: &str| changes.iter().any(|change| change[1] == kind && change[4] == name);
    assert!(of("role-changed", &moved) && of("user-removed", &leaver), "{changes:?}");

    let json: Value = serde_json::from_str(&bench.read("second/report.json")).unwrap();
    assert_eq!(json["changes"].as_array().unwrap().len(), changes.len() - 1);
    assert_eq!(
        (&json["changes"][0]["change"], &json["changes"][0]["subject"]),
        (&"administrator-granted".into(), &promoted.as_str().into())
    );
    let previous: Value = serde_json::from_str(&bench.read("first/report.json")).unwrap();
    assert_eq!(json["previous"]["audit_id"], previous["audit_id"]);

    let workbook = read_xlsx(&bench.path("second/report.xlsx"));
    let sheet = workbook.as_array().unwrap().iter().find(|sheet| sheet["title"] == "Changes").unwrap();
    assert_eq!(sheet["rows"][1][4][0], promoted.as_str());

    let html = read_html(&bench.path("second/report.html"))["texts"].to_string();
    let became = html.find("became Administrator").unwrap();
    assert!(became < html.find(&leaver).unwrap(), "the new administrator comes after the leaver");

    let mail = read_mail(&bench.mails()[2]);
    let subject = mail["headers"].as_array().unwrap().iter().find(|header| header[0] == "Subject").unwrap();
    assert!(
        subject[1].as_str().unwrap().starts_with(&format!("[rolecall] acme: +1 administrator ({promoted}), ")),
        "{subject}"
    );
    for part in 0..2 {
        let text = mail["parts"][part]["content"].as_str().unwrap();
        let place = |name: &str| text.find(name).unwrap_or_else(|| panic!("{name} is not in {text}"));
        assert!(place(&promoted) < place(&leaver), "{text}");
    }
}

#[test]
fn an_audit_of_the_same_workspace_says_that_nothing_changed() {
    let bench = Bench::new(options(20));
    bench.audit(&[]);
    bench.audit(&["--out", "out", "--send"]);
    assert_eq!(read_csv(&bench.path("out/changes.csv")).len(), 1);
    let mail = read_mail(&bench.mails()[0]);
    assert!(mail["headers"].to_string().contains("[rolecall] acme: no change, "), "{}", mail["headers"]);
    let findings = read_csv(&bench.path("out/findings.csv"));
    assert!(findings[1..].iter().all(|finding| finding[8] == "continuing"), "{findings:?}");
}

#[test]
fn when_changes_mails_the_first_audit_and_then_only_changes() {
    let bench = Bench::new(options(20));
    bench.reconfigure("attach = [\"csv\", \"xlsx\"]", "when = \"changes\"");
    let recipients = 2;
    bench.audit(&["--send"]);
    assert_eq!(bench.mails().len(), recipients);
    assert!(bench.audit(&["--send"]).contains("mail      not sent"));
    assert_eq!(bench.mails().len(), recipients);
    let somebody = bench.simulator.world().read(|world| world.user_ids()[9].clone());
    bench.simulator.world().edit(|world| world.disable(&somebody)).unwrap();
    bench.audit(&["--send"]);
    assert_eq!(bench.mails().len(), 2 * recipients);
}
