//! `rolecall audit` when the read succeeds: the six files, the matrix, options, exit codes.

use std::{collections::BTreeSet, fs};

use rolecall_simulator::{Fault, Options, World};
use serde_json::{Value, json};

use crate::{
    support::{Bench, options},
    tools::read_csv,
};

const FILES: [&str; 6] =
    ["access-matrix.csv", "changes.csv", "findings.csv", "report.html", "report.json", "report.xlsx"];
const MATRIX_COLUMNS: [&str; 12] = [
    "workspace",
    "user_id",
    "full_name",
    "email",
    "status",
    "confirmed",
    "role_id",
    "role_name",
    "profile_id",
    "profile_name",
    "administrator",
    "findings",
];

fn names_in(bench: &Bench, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(bench.path(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Everything that the API lists under a key, page by page.
async fn listed(client: &reqwest::Client, token: &str, url: &str, key: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let call = client.get(url).query(&[("page", page.to_string())]);
        let call = if key == "users" { call.query(&[("type", "AllUsers"), ("per_page", "200")]) } else { call };
        let answer = call.header("Authorization", format!("Zoho-oauthtoken {token}")).send().await.unwrap();
        let body: Value = answer.error_for_status().unwrap().json().await.unwrap();
        rows.extend(body[key].as_array().unwrap().iter().cloned());
        if key != "users" || body["info"]["more_records"] != true {
            break;
        }
    }
    rows
}

/// The first columns of the matrix but `findings`, calculated here from the API's answers alone.
async fn independent_matrix(bench: &Bench) -> Vec<Vec<String>> {
    let client = rolecall::tls::http().build().unwrap();
    let (base, credentials) = (bench.simulator.base_url(), bench.simulator.credentials());
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &credentials.client_id),
        ("client_secret", &credentials.client_secret),
        ("refresh_token", &credentials.refresh_token),
    ];
    let answer = client.post(format!("{base}/oauth/v2/token")).form(&form).send().await.unwrap();
    let token = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let list = async |path: &str, key: &str| listed(&client, &token, &format!("{base}/bigin/v2/{path}"), key).await;
    let (users, roles, profiles) = (
        list("users", "users").await,
        list("settings/roles", "roles").await,
        list("settings/profiles", "profiles").await,
    );

    let name_on = |list: &[Value], id: &Value| -> String {
        list.iter()
            .find(|row| row["id"] == *id)
            .map_or_else(String::new, |row| row["name"].as_str().unwrap().to_owned())
    };
    let administrator = profiles.iter().find(|profile| profile["name"] == "Administrator").unwrap()["id"].clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let unformula = |text: String| if text.starts_with('=') { format!("'{text}") } else { text };
    let mut rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            let (role, profile) = (&user["role"]["id"], &user["profile"]["id"]);
            vec![
                "acme".to_owned(),
                text(&user["id"]),
                unformula(text(&user["full_name"])),
                text(&user["email"]),
                text(&user["status"]),
                user["confirm"].to_string(),
                text(role),
                name_on(&roles, role),
                text(profile),
                name_on(&profiles, profile),
                (*profile == administrator).to_string(),
            ]
        })
        .collect();
    rows.sort_by_key(|row| row[1].parse::<u64>().unwrap());
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_equals_an_independent_calculation_from_the_api_s_answers() {
    let bench = Bench::new(options(457));
    // Ids as numbers and names alike must not matter: a profile that is only called nearly the same has no power.
    bench.simulator.world().edit(|world| {
        let mut profiles = world.profiles().to_vec();
        profiles.push(json!({"id": "5820190000000499001", "name": "administrator", "category": true}));
        world.set_profiles(profiles);
        let colleague = world.user_ids()[30].clone();
        world.set_profile(&colleague, "5820190000000499001").unwrap();
    });
    let expected = independent_matrix(&bench).await;
    bench.audit(&["--out", "out"]);
    let records = read_csv(&bench.path("out/access-matrix.csv"));
    assert_eq!(records[0][..12], MATRIX_COLUMNS);
    let matrix: Vec<Vec<String>> = records[1..].iter().map(|record| record[..11].to_vec()).collect();
    assert_eq!(matrix.len(), 457);
    assert!(matrix.iter().any(|row| row[10] == "true") && matrix.iter().any(|row| row[9] == "administrator"));
    for (row, expected) in matrix.iter().zip(&expected) {
        assert_eq!(row, expected);
    }
}

#[test]
fn six_files_with_their_exact_names_are_written_and_named_and_nothing_else() {
    let bench = Bench::new(options(20));
    let printed = bench.audit(&["--out", "out/deep"]);
    assert_eq!(names_in(&bench, "out/deep"), FILES);
    for name in FILES {
        assert!(printed.contains(&format!("wrote     out/deep/{name}\n")), "{printed}");
    }
    let first_columns = |name: &str| read_csv(&bench.path("out/deep").join(name))[0].join(",");
    assert!(
        first_columns("findings.csv")
            .starts_with("workspace,severity,rule,subject_type,subject_id,subject,message,status")
    );
    assert_eq!(first_columns("changes.csv"), "workspace,change,subject_type,subject_id,subject,field,before,after");
    assert!(bench.simulator.inbox().messages().is_empty(), "a mail left without --send");
}

#[test]
fn rule_ids_of_the_matrix_are_those_of_the_findings() {
    let bench = Bench::new(options(60));
    bench.audit(&["--out", "out"]);
    let findings: BTreeSet<(String, String)> = read_csv(&bench.path("out/findings.csv"))[1..]
        .iter()
        .filter(|record| record[3] == "user")
        .map(|record| (record[4].clone(), record[2].clone()))
        .collect();
    let matrix: BTreeSet<(String, String)> = read_csv(&bench.path("out/access-matrix.csv"))[1..]
        .iter()
        .flat_map(|record| {
            record[11].split(';').filter(|rule| !rule.is_empty()).map(|rule| (record[1].clone(), rule.to_owned()))
        })
        .collect();
    assert!(findings.len() > 5, "{findings:?}");
    assert!(findings.is_subset(&matrix), "{:?}", findings.difference(&matrix));
}

#[test]
fn only_the_reports_that_are_asked_for_are_written() {
    let bench = Bench::new(options(12));
    bench.audit(&["--out", "out", "--reports", "matrix,json"]);
    assert_eq!(names_in(&bench, "out"), ["access-matrix.csv", "report.json"]);
    let (code, _, stderr) = bench.run(&["audit", "--reports", "matrix"]);
    assert_eq!(code, 2, "--reports without --out is a mistake: {stderr}");
}

#[test]
fn several_workspaces_get_a_folder_each_and_one_that_fails_does_not_hold_back_the_others() {
    let bench = Bench::new(options(12));
    let other = Bench::new(Options { faults: vec![Fault::Revoked], ..options(12) });
    bench.reconfigure("workspaces = [\"acme\"]", "workspaces = [\"broken\", \"acme\"]");
    let text = bench.read("rolecall.toml");
    let table = text.split("[policy]").next().unwrap().replace("workspaces.acme", "workspaces.broken");
    let table = table.replace(bench.simulator.base_url(), other.simulator.base_url());
    fs::write(bench.path("rolecall.toml"), text + &table).unwrap();
    let (code, stdout, stderr) = bench.run(&["audit", "--out", "out"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("workspace broken: ") && stderr.contains("refresh token"), "{stderr}");
    assert!(stdout.contains("wrote     out/acme/report.html"), "{stdout}");
    assert_eq!(names_in(&bench, "out"), ["acme", "people.csv", "people.html", "people.json"]);

    other.simulator.set_faults([]);
    bench.audit(&["--out", "both"]);
    assert_eq!(
        (names_in(&bench, "both/acme"), names_in(&bench, "both/broken")),
        (FILES.map(str::to_owned).to_vec(), FILES.map(str::to_owned).to_vec())
    );
    bench.audit(&["--out", "one", "--workspace", "acme"]);
    assert_eq!(names_in(&bench, "one"), FILES, "one workspace needs no folder of its own");
}

#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    let bench = Bench::new(options(12));
    fs::write(bench.path("taken"), "a file").unwrap();
    let (code, _, stderr) = bench.run(&["audit", "--out", "taken/reports"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("cannot create the folder taken/reports"), "{stderr}");
}

#[test]
fn exit_codes_tell_findings_wrong_usage_and_success_apart() {
    let bench = Bench::new(options(20));
    assert_eq!(bench.run(&["audit"]).0, 0, "findings alone are no failure");
    let (code, _, stderr) = bench.run(&["audit", "--fail-on", "high"]);
    assert_eq!(code, 3);
    assert!(stderr.contains("findings of severity high, and --fail-on is high"), "{stderr}");
    assert_eq!(bench.run(&["audit", "--fail-on", "critical"]).0, 0, "there is none as grave as that");
    for wrong in [
        &["audit", "--fail-on", "grave"][..],
        &["audit", "--job", "monthly"],
        &["audit", "--workspace", "other"],
        &["audit", "--sent"],
        &["audit", "--workspace", "acme", "--send"],
        &["--config", "missing.toml", "audit"],
        &["audits"],
    ] {
        let (code, stdout, stderr) = bench.run(wrong);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong:?}: {stderr}");
        assert!(!stderr.is_empty(), "{wrong:?}");
    }
    bench.reconfigure("[jobs.weekly]", "[jobs.weekly]\nfail_on = \"medium\"");
    assert_eq!(bench.run(&["audit"]).0, 3, "the job's own limit counts");
    assert_eq!(bench.run(&["audit", "--fail-on", "critical"]).0, 0, "--fail-on wins over the job's");
}

#[test]
fn a_workspace_with_nothing_wrong_exits_with_0_at_any_limit() {
    let bench = Bench::new(Options { world: Some(quiet()), ..options(0) });
    bench.reconfigure(
        "[policy]",
        "[policy]\nrules = { administrator = \"off\", only-one-administrator = \"off\" }\n\
         off_reasons = { administrator = \"known\", only-one-administrator = \"a small company\" }",
    );
    let (code, stdout, stderr) = bench.run(&["audit", "--out", "out", "--fail-on", "info"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert_eq!(read_csv(&bench.path("out/findings.csv")).len(), 1, "{stdout}");
}

/// A workspace in which no rule finds anything, but that it has one administrator.
fn quiet() -> World {
    let generated = World::generate(12, 1);
    let mut owner = generated.user(generated.caller()).unwrap();
    let mut colleague = owner.clone();
    let standard = generated.profiles().iter().find(|profile| profile["name"] == "Standard").unwrap();
    owner["email"] = json!("owner.first@example.com");
    owner["full_name"] = json!("Owner First");
    colleague["id"] = json!("5820190000000627099");
    colleague["zuid"] = json!("700100099");
    colleague["email"] = json!("colleague.second@example.com");
    colleague["full_name"] = json!("Colleague Second");
    colleague["first_name"] = json!("Colleague");
    colleague["last_name"] = json!("Second");
    colleague["profile"] = json!({"id": standard["id"], "name": "Standard"});
    let role = owner["role"]["id"].clone();
    let held = |profile: &&Value| profile["name"] == "Administrator" || profile["name"] == "Standard";
    let profiles: Vec<Value> = generated.profiles().iter().filter(held).cloned().collect();
    let detail = |profile: &Value| generated.profile_detail(profile["id"].as_str().unwrap()).unwrap().clone();
    let world = json!({
        "profile_details": profiles.iter().map(detail).collect::<Vec<_>>(),
        "profiles": profiles,
        "roles": generated.roles().iter().filter(|candidate| candidate["id"] == role).collect::<Vec<_>>(),
        "org": generated.org(), "caller": generated.caller(), "users": [owner, colleague],
    });
    World::from(serde_json::from_value::<rolecall_simulator::WorldJson>(world).unwrap())
}
