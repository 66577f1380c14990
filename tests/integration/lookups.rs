//! Look-ups and the pre-flight check: the real binary against a simulated workspace.

use rolecall_simulator::{ALL_SCOPES, Fault, Options};
use serde_json::{Value, json};

use crate::support::{Bench, options};

fn bench() -> Bench {
    Bench::new(options(40))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The ids of users that a look-up lists.
fn listed(bench: &Bench, filter: &[&str]) -> Vec<String> {
    let (code, stdout, stderr) = bench.run(&[&["users", "--format", "json"], filter].concat());
    assert_eq!(code, 0, "{stderr}");
    json(&stdout).as_array().unwrap().iter().map(|user| user["user_id"].as_str().unwrap().to_owned()).collect()
}

/// The ids of users of the world of which something is true.
fn of_world(bench: &Bench, is: impl Fn(&Value) -> bool) -> Vec<String> {
    let users = bench.simulator.world().read(rolecall_simulator::World::users);
    users.iter().filter(|user| is(user)).map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn users_are_filtered_by_status_role_profile_and_administrators() {
    let bench = bench();
    assert_eq!(listed(&bench, &[]), of_world(&bench, |_| true));
    let inactive = of_world(&bench, |user| user["status"] == "disabled" || user["status"] == "inactive");
    assert!(!inactive.is_empty());
    assert_eq!(listed(&bench, &["--status", "inactive"]), inactive);
    assert_eq!(
        listed(&bench, &["acme", "--role", "sales rep"]),
        of_world(&bench, |u| u["role"]["id"] == "5820190000000413001")
    );
    let administrators = of_world(&bench, |user| user["profile"]["id"] == "5820190000000026011");
    // A copy of the profile under another name gives the same power.
    let full_power = of_world(&bench, |user| {
        ["5820190000000026011", "5820190000000412004"].iter().any(|profile| user["profile"]["id"] == *profile)
    });
    assert!(full_power.len() > administrators.len());
    assert_eq!(listed(&bench, &["--administrators"]), full_power);
    assert_eq!(listed(&bench, &["--profile", "5820190000000026011"]), administrators);
    let active = of_world(&bench, |user| user["status"] == "active");
    let both: Vec<String> = full_power.into_iter().filter(|id| active.contains(id)).collect();
    assert_eq!(listed(&bench, &["--administrators", "--status", "ACTIVE"]), both);
    let (code, _, stderr) = bench.run(&["users", "--profile", "Nobody's"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("the profiles are ") && stderr.contains("Administrator"), "{stderr}");
    for misspelt in ["activ", "", " "] {
        let (code, stdout, stderr) = bench.run(&["users", "--status", misspelt]);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(stderr.contains("expected active, deleted, disabled, inactive"), "{stderr}");
    }
    let (code, _, stderr) = bench.run(&["users", "other"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("configured: acme"), "{stderr}");
}

#[test]
fn one_user_is_found_by_id_or_exact_address_and_never_guessed() {
    let bench = bench();
    let world = bench.simulator.world();
    let id =
        world.edit(|world| world.add_user(&json!({"email": "Lone@example.com", "full_name": "Lone \u{1b}[2J Wolf"})));
    for who in [id.as_str(), "lone@EXAMPLE.com"] {
        let (code, stdout, stderr) = bench.run(&["users", "show", who]);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.contains(&id) && stdout.contains("Sales Rep") && stdout.contains("permits"), "{stdout}");
        assert!(!stdout.contains('\u{1b}'), "{stdout:?}");
    }
    let (_, stdout, _) = bench.run(&["users", "show", "acme", &id, "--format", "json"]);
    assert_eq!(json(&stdout)[0]["user_id"], id.as_str());
    assert_eq!(json(&stdout)[0]["only_in_role"], json!([]), "others in the role have the same profile");
    assert_eq!(bench.run(&["users", "show", "lone"]).0, 1);
    world.edit(|world| world.add_user(&json!({"email": "lone@example.com"})));
    let (code, _, stderr) = bench.run(&["users", "show", "lone@example.com"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("choose one by id") && stderr.contains(&id), "{stderr}");
}

#[test]
fn roles_draw_a_tree_and_profiles_say_what_they_permit() {
    let bench = bench();
    let (code, tree, stderr) = bench.run(&["roles", "--tree"]);
    assert_eq!(code, 0, "{stderr}");
    insta::assert_snapshot!("roles-tree", tree);
    let (_, profiles, _) = bench.run(&["profiles"]);
    insta::assert_snapshot!("profiles", profiles);
    let (_, roles, _) = bench.run(&["roles", "--format", "json"]);
    let roles = json(&roles);
    let active = of_world(&bench, |user| user["status"] == "active").len() as u64;
    let top: u64 = roles
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["depth"] == 0)
        .map(|r| r["active_users_with_below"].as_u64().unwrap())
        .sum();
    let dangling = of_world(&bench, |user| {
        let known = |role: &Value| role["role_id"] == user["role"]["id"];
        user["status"] == "active" && !roles.as_array().unwrap().iter().any(known)
    });
    assert_eq!(top + dangling.len() as u64, active);
}

#[test]
fn csv_holds_no_formula_and_the_columns_of_the_access_matrix() {
    let bench = bench();
    bench.simulator.world().edit(|world| world.add_user(&json!({"full_name": "=HYPERLINK(\"http://example.com\")"})));
    let (code, csv, stderr) = bench.run(&["users", "--format", "csv"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(csv.starts_with(
        "user_id,full_name,email,status,confirmed,role_id,role_name,profile_id,profile_name,administrator,power\r\n"
    ));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let cells: Vec<String> =
        reader.records().flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(cells.iter().any(|cell| cell.starts_with("'=HYPERLINK")));
    assert!(!cells.iter().any(|cell| cell.starts_with(['=', '@'])));
    // What stands in a cell is what stands there in the access matrix.
    let blank = bench.simulator.world().edit(|world| world.add_user(&json!({"email": " "})));
    let users = bench.run(&["users", "--format", "csv"]).1;
    bench.audit(&["--workspace", "acme", "--out", "report"]);
    let row = |text: &str| text.lines().find(|line| line.contains(&blank)).unwrap().to_owned();
    let matrix = row(&bench.read("report/access-matrix.csv"));
    let users = row(&users);
    let (person, power) = users.rsplit_once(',').unwrap();
    // Between them the matrix has the findings.
    assert!(matrix.starts_with(&format!("acme,{person},,{power},")), "{matrix} {users}");
    for command in ["roles", "profiles", "org", "me"] {
        let (code, csv, stderr) = bench.run(&[command, "--format", "csv"]);
        assert_eq!(code, 0, "{stderr}");
        assert!(csv::Reader::from_reader(csv.as_bytes()).records().all(|record| record.is_ok()), "{command}: {csv}");
        json(&bench.run(&[command, "--format", "json"]).1);
    }
}

#[test]
fn what_was_not_read_completely_is_said() {
    let bench = bench();
    bench.simulator.set_faults([Fault::ShortPageAlways]);
    let (code, stdout, stderr) = bench.run(&["users", "--format", "json"]);
    assert_eq!(code, 1);
    assert_eq!(json(&stdout).as_array().unwrap().len(), 39);
    assert!(stderr.contains("not read completely, so the list may be incomplete"), "{stderr}");
}

#[test]
fn me_and_org_say_who_and_what_it_is() {
    let bench = bench();
    let (_, me, _) = bench.run(&["me"]);
    insta::assert_snapshot!("me", me);
    let (_, org, _) = bench.run(&["org"]);
    insta::assert_snapshot!("org", org);
}

/// The checks of a pre-flight, by name: how they ended.
fn checks(stdout: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = json(stdout);
    found[0]["checks"].as_array().unwrap().iter().map(|check| (text(&check["name"]), text(&check["outcome"]))).collect()
}

#[test]
fn a_preflight_is_green_or_red_and_says_why() {
    let bench = bench();
    let (code, stdout, stderr) = bench.run(&["preflight"]);
    assert_eq!(code, 0, "{stderr}");
    insta::with_settings!({filters => vec![(r"127\.0\.0\.1:\d+", "ADDRESS"), (r"\d+ s (behind|ahead of)", "to the second,")]}, {
        insta::assert_snapshot!("preflight", stdout);
    });
    assert!(stderr.is_empty(), "{stderr}");

    let (code, stdout, _) = bench.run(&[
        "preflight",
        "--format",
        "json",
        "--expect",
        "administrator=true, time_zone=Etc/UTC",
        "--expect",
        "role=CEO",
    ]);
    assert_eq!(code, 0, "{stdout}");
    assert!(checks(&stdout).iter().all(|(_, outcome)| outcome == "passed"), "{stdout}");
    let (code, stdout, stderr) = bench.run(&["preflight", "--format", "json", "--expect", "org=Another"]);
    assert_eq!(code, 1);
    assert!(checks(&stdout).contains(&("expect org".to_owned(), "failed".to_owned())), "{stdout}");
    assert!(stderr.contains("not ready: acme"), "{stderr}");
    assert_eq!(bench.run(&["preflight", "--expect", "colour=red"]).0, 2);

    for (fault, check) in [
        (Fault::MissingScopeRoles, "reach"),
        (Fault::MissingScopeUsers, "account"),
        (Fault::MissingScopeOrg, "organization"),
        (Fault::MissingScopeProfiles, "administrator profiles"),
        (Fault::WrongDataCentre, "credentials"),
        (Fault::Revoked, "credentials"),
    ] {
        bench.simulator.set_faults([fault]);
        let (code, stdout, stderr) = bench.run(&["preflight", "--format", "json"]);
        assert_eq!(code, 1, "{fault}: {stdout}");
        assert!(checks(&stdout).contains(&(check.to_owned(), "failed".to_owned())), "{fault}: {stdout}");
        let credentials = bench.simulator.credentials();
        for secret in [&credentials.client_secret, &credentials.refresh_token] {
            assert!(!stdout.contains(secret) && !stderr.contains(secret));
        }
    }
}

#[test]
fn a_preflight_warns_of_credentials_that_can_do_more_than_rolecall_needs() {
    let scopes = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    let bench = Bench::new(Options { scopes, ..options(12) });
    let least = |bench: &Bench| {
        let (code, stdout, _) = bench.run(&["preflight", "--format", "json"]);
        assert_eq!(code, 0, "{stdout}");
        checks(&stdout).into_iter().find(|(name, _)| name == "least privilege").unwrap().1
    };
    assert_eq!(least(&bench), "warning");
    bench.simulator.world().edit(|world| {
        world.patch_org(&json!({"license_details": {"paid_type": null, "users_license_purchased": 25}}));
    });
    assert!(bench.run(&["preflight"]).1.contains("25 licensed seats"));
    assert!(!bench.simulator.journal().calls().iter().any(|call| call.method == "DELETE"));
}

#[test]
fn who_can_names_permissions_profiles_and_holders() {
    let bench = bench();
    let (code, answer, stderr) = bench.run(&["who-can", "export", "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let answer = json(&answer);
    assert!(!answer["permissions"].as_array().unwrap().is_empty());
    let profiles: Vec<&Value> =
        answer["profiles"].as_array().unwrap().iter().map(|profile| &profile["profile_id"]).collect();
    let holders = of_world(&bench, |user| user["status"] == "active" && profiles.contains(&&user["profile"]["id"]));
    let named: Vec<&str> = answer["users"].as_array().unwrap().iter().map(|u| u["user_id"].as_str().unwrap()).collect();
    assert_eq!(named, holders);
    assert!(!named.is_empty());

    assert_eq!(listed(&bench, &["--permission", "export", "--status", "active"]), holders);
    let (code, table, _) = bench.run(&["who-can", "export", "acme"]);
    assert_eq!(code, 0);
    assert!(holders.iter().all(|id| table.contains(id)), "{table}");
    assert_eq!(bench.run(&["who-can", "export", "--format", "csv"]).1.lines().count(), holders.len() + 1);
    for command in [&["who-can", "teleport"][..], &["users", "--permission", "teleport"]] {
        let (code, stdout, stderr) = bench.run(command);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(stderr.contains("no permission has “teleport”"), "{stderr}");
    }
}

#[test]
fn findings_are_those_of_an_audit_and_nothing_is_recorded() {
    let bench = bench();
    let (code, rows, stderr) = bench.run(&["findings", "--format", "csv", "--accepted"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(bench.run(&["runs", "--format", "json"]).1, bench.run(&["runs", "list", "--format", "json"]).1);
    assert!(json(&bench.run(&["runs", "--format", "json"]).1)["runs"].as_array().unwrap().is_empty());
    let (code, _, stderr) = bench.run(&["audit", "--out", "out"]);
    assert_eq!(code, 0, "{stderr}");
    let file = std::fs::read_to_string(bench.path("out/findings.csv")).unwrap();
    let of_file = |text: &str, first: usize| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().skip(first).take(7).map(str::to_owned).collect()).collect()
    };
    assert_eq!(of_file(&rows, 0), of_file(&file, 1));

    let (_, text, _) = bench.run(&["findings"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80 || !line.starts_with(' ')), "{text}");
    let some = of_file(&file, 1).into_iter().find(|row| row[2] == "user").unwrap();
    let (_, one, _) = bench.run(&["findings", "--subject", &some[3], "--rule", &some[1], "--format", "json"]);
    assert_eq!(json(&one).as_array().unwrap().len(), 1);
    let (_, severe, _) = bench.run(&["findings", "--severity", "high", "--format", "json"]);
    assert!(
        json(&severe).as_array().unwrap().iter().all(|row| row["severity"] == "high" || row["severity"] == "critical")
    );
    let (code, stdout, stderr) = bench.run(&["findings", "--subject", "Nobody"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("no user, role or profile has the id, name or address “Nobody”"), "{stderr}");
    let (code, _, stderr) = bench.run(&["findings", "--rule", "no-such-rule"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("unknown rule `no-such-rule`"), "{stderr}");
}

#[test]
fn many_look_ups_take_one_token_and_the_shared_one_is_its_owner_s_alone() {
    use std::os::unix::fs::MetadataExt as _;

    // The vendor's own limit: ten tokens in ten minutes.
    let bench = Bench::new(Options { users: 20, seed: 7, ..Options::default() });
    for _ in 0..6 {
        let (code, _, stderr) = bench.run(&["me"]);
        assert_eq!(code, 0, "{stderr}");
    }
    let shared = &bench;
    std::thread::scope(|scope| {
        for command in ["me", "org", "users", "roles", "profiles", "me"] {
            scope.spawn(move || {
                let (code, _, stderr) = shared.run(&[command]);
                assert_eq!(code, 0, "{command}: {stderr}");
            });
        }
    });
    assert_eq!(bench.simulator.journal().token_requests(), 1);
    // It says whether the credentials are accepted today.
    assert_eq!(bench.run(&["preflight"]).0, 0);
    assert_eq!(bench.simulator.journal().token_requests(), 2);
    let files = std::fs::read_dir(bench.path("rolecall.db-tokens")).unwrap().map(|entry| entry.unwrap());
    let modes: Vec<u32> = files.map(|file| file.metadata().unwrap().mode() & 0o777).collect();
    assert!(modes.len() == 2 && modes.iter().all(|mode| *mode == 0o600), "{modes:?}");
}

#[test]
fn too_many_requests_for_tokens_are_warned_of_before_the_vendor_refuses() {
    let bench =
        Bench::new(Options { users: 20, seed: 7, token_lifetime: std::time::Duration::ZERO, ..Options::default() });
    bench.simulator.set_faults([Fault::TokenNeverAccepted]);
    // Each command is refused with the token that is shared, and with a new one.
    let said: Vec<String> = (0..8).map(|_| bench.run(&["org"]).2).collect();
    let warned = |said: &String| said.contains("Zoho issues 10");
    assert!(!warned(&said[0]) && warned(&said[7]), "{said:?}");
}
