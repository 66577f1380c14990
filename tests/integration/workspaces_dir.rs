//! Workspaces in files of their own, which come and go while a daemon runs.

use std::fs;

use crate::{
    daemon::{Daemon, eventually, runs},
    operation::ask,
    support::{Bench, options},
};

/// A daemon's configuration over a directory of workspaces, with a job that is due every second.
fn bench() -> Bench {
    let bench = Bench::new(options(12));
    let text = bench.read("rolecall.toml");
    let text = text
        .replace("workspaces = [\"acme\"]\nschedule = \"0 8 * * MON\"", "workspaces = [\"tenant-*\"]\nschedule = \"*/2 * * * * *\"")
        .replace("[jobs.weekly.email]\nto = [\"security@example.com\", \"compliance@example.com\"]\nattach = [\"csv\", \"xlsx\"]\n", "");
    fs::write(bench.path("rolecall.toml"), format!("workspaces_dir = \"workspaces.d\"\n{text}")).unwrap();
    fs::create_dir(bench.path("workspaces.d")).unwrap();
    fs::create_dir(bench.path("tokens")).unwrap();
    bench
}

/// Writes the file of a workspace as it should be done, and its secret.
fn tenant(bench: &Bench, name: &str, more: &str) {
    let credentials = bench.simulator.credentials();
    fs::write(bench.path(&format!("tokens/{name}")), &credentials.refresh_token).unwrap();
    let text = format!(
        "connector = \"zoho_bigin\"\ndata_center = \"us\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"TEST_CLIENT_SECRET\" }}\n\
         refresh_token = {{ file = \"tokens/{{workspace}}\" }}\naccounts_url = \"{}\"\n{more}",
        credentials.client_id,
        bench.simulator.base_url()
    );
    fs::write(bench.path("workspaces.d/.new"), text).unwrap();
    fs::rename(bench.path("workspaces.d/.new"), bench.path(&format!("workspaces.d/{name}.toml"))).unwrap();
}

fn is_audited(bench: &Bench, name: &str) -> bool {
    runs(bench).iter().any(|run| run["workspace"] == name && run["state"] == "closed")
}

#[test]
fn files_of_workspaces_come_break_and_go_while_the_daemon_runs() {
    let bench = bench();
    tenant(&bench, "tenant-1", "");
    let daemon = Daemon::start(&bench);
    let address = daemon.address();
    let is_said = |what: &str| ask(&address, "/readyz").1.contains(what);
    eventually("an audit of the first one", || is_audited(&bench, "tenant-1"));
    tenant(&bench, "tenant-2", "");
    eventually("an audit of the second one", || is_audited(&bench, "tenant-2"));
    // A broken file, and one that is broken from the beginning.
    tenant(&bench, "tenant-1", "concurency = 1\n");
    tenant(&bench, "tenant-3", "concurrency = 99\n");
    eventually("that both are said", || {
        is_said("workspace tenant-1: it is audited as its file was before")
            && is_said("workspace tenant-3: it cannot be audited")
    });
    let metrics = ask(&address, "/metrics").1;
    assert!(metrics.contains("rolecall_configuration_problems 2"), "{metrics}");
    assert!(
        metrics.contains("rolecall_runs_due ") && metrics.contains("rolecall_oldest_due_age_seconds "),
        "{metrics}"
    );
    assert!(ask(&address, "/readyz").1.contains("\"queue\":{\"due\":"));
    // For a person who checks it, it is an error with its place.
    let (code, _, said) = bench.run(&["check"]);
    assert_eq!(code, 2);
    assert!(said.contains("tenant-1.toml:7:1") && said.contains("did you mean `concurrency`?"), "{said}");
    let before = runs(&bench).iter().filter(|run| run["workspace"] == "tenant-1").count();
    eventually("more audits of the broken one", || {
        runs(&bench).iter().filter(|run| run["workspace"] == "tenant-1" && run["state"] == "closed").count() > before
    });
    tenant(&bench, "tenant-1", "");
    fs::remove_file(bench.path("workspaces.d/tenant-3.toml")).unwrap();
    let is_well = || ask(&address, "/metrics").1.contains("rolecall_configuration_problems 0");
    eventually("that all is well", is_well);
    // A volume that is away for a while, and comes back as it was.
    fs::rename(bench.path("workspaces.d"), bench.path("away")).unwrap();
    eventually("that the directory is missed", || is_said("the directory of workspaces could not be taken over"));
    fs::rename(bench.path("away"), bench.path("workspaces.d")).unwrap();
    eventually("that all is well again", is_well);
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(&bench.simulator.credentials().refresh_token), "{said}");
}

#[test]
fn replicas_are_ready_while_they_take_over_a_new_workspace_and_when_one_comes_back() {
    let bench = bench();
    crate::fleet::move_to_postgres(&bench);
    tenant(&bench, "tenant-1", "");
    let text = bench.read("rolecall.toml");
    let start = |name: &str| {
        let named = text.replace("[daemon]", &format!("[daemon]\nreplica = \"{name}\""));
        fs::write(bench.path("rolecall.toml"), named).unwrap();
        let daemon = Daemon::start(&bench);
        daemon.address();
        daemon
    };
    let (one, two) = (start("one"), start("two"));
    let differ = |daemon: &Daemon| {
        let said = ask(&daemon.address(), "/readyz").1;
        let problem =
            ["another configuration", "a newer configuration", "is named"].iter().any(|what| said.contains(what));
        assert!(!problem, "{said}");
        said
    };
    eventually("that they see one another", || [&one, &two].iter().all(|daemon| differ(daemon).contains("\"of\":2")));
    tenant(&bench, "tenant-2", "");
    let has_taken_over = |daemon: &Daemon| daemon.said().contains("took over the directory of workspaces");
    eventually("that both have the new workspace", || {
        differ(&one);
        differ(&two);
        has_taken_over(&one) && has_taken_over(&two)
    });
    two.signal("-KILL");
    two.wait();
    let two = start("two");
    let (code, printed, said) = bench.run(&["runs", "replicas", "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(printed.matches("\"name\"").count(), 2, "the one before is replaced: {printed}");
    eventually("an audit of it", || {
        differ(&one);
        differ(&two);
        is_audited(&bench, "tenant-2")
    });
}
