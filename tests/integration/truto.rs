//! The same workspace through Truto: the real binary, and Truto's own published client.

use std::{fs, process::Command};

use rolecall_simulator::{ALL_SCOPES, Fault, Options};

use crate::support::{Bench, options};

const EVIDENCE: &str = "[evidence]\ndirectory = \"evidence\"\n";

/// Points the workspace of the same name at Truto's side.
fn through_truto(bench: &Bench) {
    let credentials = bench.simulator.credentials();
    let text = bench.read("rolecall.toml");
    let (_, rest) = text.split_once("[policy]").unwrap();
    fs::write(bench.path("token"), &credentials.truto_api_token).unwrap();
    let workspace = format!(
        "[workspaces.acme]\nconnector = \"truto\"\nintegrated_account_id = \"{}\"\napi_token = {{ file = \"token\" }}\napi_url = \"{}\"\n\n[policy]{rest}",
        credentials.integrated_account_id,
        bench.simulator.base_url(),
    );
    fs::write(bench.path("rolecall.toml"), workspace).unwrap();
}

fn bench(users: u32) -> Bench {
    let scopes = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    Bench::new(Options { scopes, ..options(users) })
}

#[test]
fn both_connectors_give_the_same_reports_byte_for_byte() {
    for users in [12, 200, 733] {
        let bench = bench(users);
        bench.audit(&["--workspace", "acme", "--out", "direct"]);
        fs::remove_file(bench.path("rolecall.db")).unwrap();
        for file in ["rolecall.db-wal", "rolecall.db-shm"] {
            let _ = fs::remove_file(bench.path(file));
        }
        through_truto(&bench);
        bench.audit(&["--workspace", "acme", "--out", "truto"]);
        for file in ["access-matrix.csv", "findings.csv", "changes.csv"] {
            assert_eq!(
                bench.read(&format!("direct/{file}")),
                bench.read(&format!("truto/{file}")),
                "{users} users: {file}"
            );
        }
    }
}

#[test]
fn an_audit_through_truto_is_evidence_that_can_be_worked_out_again_and_holds_no_token() {
    let bench = bench(450);
    bench.configure(EVIDENCE);
    through_truto(&bench);
    bench.audit(&["--workspace", "acme"]);
    let mut bags = fs::read_dir(bench.path("evidence")).unwrap().map(|entry| entry.unwrap().path());
    let bag = bags.find(|path| path.join("bag-info.txt").exists()).unwrap();
    let (code, stdout, stderr) = bench.run(&["evidence", "recompute", bag.to_str().unwrap()]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let token = &bench.simulator.credentials().truto_api_token;
    let mut folders = vec![bag];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                let plain = if path.extension().is_some_and(|e| e == "gz") {
                    let mut plain = Vec::new();
                    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut plain)
                        .unwrap();
                    plain
                } else {
                    bytes
                };
                assert!(memchr::memmem::find(&plain, token.as_bytes()).is_none(), "{}", path.display());
            }
        }
    }
}

#[test]
fn offboarding_preflight_and_look_ups_work_through_truto_too() {
    let bench = bench(30);
    through_truto(&bench);
    let (code, stdout, stderr) = bench.run(&["preflight", "--expect", "administrator=true"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("users.delete"), "{stdout}");
    let leaver =
        bench.simulator.world().edit(|world| world.add_user(&serde_json::json!({"email": "leaver@example.com"})));
    let remove = ["offboard", "acme", "leaver@example.com", "--confirm", "leaver@example.com"];
    assert_eq!(bench.run(&remove).0, 2);
    bench.reconfigure("connector = \"truto\"", "connector = \"truto\"\nallow_offboarding = true");
    let (code, stdout, stderr) = bench.run(&remove);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (_, users, _) = bench.run(&["users", "--status", "deleted", "--format", "csv"]);
    assert!(users.contains(&leaver), "{users}");
    bench.reconfigure("[policy]", "[workspaces.acme.resources]\nusers = \"persons\"\n\n[policy]");
    let (code, stdout, _) = bench.run(&["preflight"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("FAILED    reach") && stdout.contains("/proxy/persons"), "{stdout}");
    bench.reconfigure("users = \"persons\"", "users = \"users\"");
    bench.simulator.set_faults([Fault::TrutoPartialAlways]);
    let (code, _, stderr) = bench.run(&["users"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("a part of what there is"), "{stderr}");
    bench.simulator.set_faults([Fault::TrutoNeedsReauth]);
    let (code, stdout, _) = bench.run(&["preflight"]);
    assert_eq!(code, 1);
    assert!(stdout.contains("NOT READY"), "{stdout}");
}

#[test]
fn truto_s_own_client_finds_what_it_expects() {
    let bench = bench(450);
    let credentials = bench.simulator.credentials();
    let output = Command::new("target/test-tools/bin/python")
        .args(["tests/integration/python/truto_client.py", bench.simulator.base_url()])
        .args([&credentials.truto_api_token, &credentials.integrated_account_id])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids = bench.simulator.world().read(rolecall_simulator::World::user_ids);
    assert_eq!(found["user_ids"], serde_json::json!(ids));
    let removed = found["removed"].as_str().unwrap();
    assert_eq!(bench.simulator.world().read(|world| world.user(removed).unwrap()["status"].clone()), "deleted");
    bench.simulator.set_faults([Fault::TrutoQuota]);
    let output = Command::new("target/test-tools/bin/python")
        .args(["tests/integration/python/truto_client.py", bench.simulator.base_url()])
        .args([&credentials.truto_api_token, &credentials.integrated_account_id, "limit"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
