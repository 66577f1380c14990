//! What is delivered beside the binary, judged by the tools of those who run it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::{support::rolecall, tools::tool};

fn top(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inside)
}

/// Runs a program to its end, which must be a good one, and gives what it printed.
fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {printed}");
    printed
}

#[test]
fn the_unit_is_what_systemd_takes_and_as_locked_up_as_it_can_be() {
    let unit = fs::read_to_string(top("deploy/systemd/rolecall.service")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("rolecall.service");
    // The same unit for a machine on which the binary is elsewhere and no manual is installed.
    let local = unit
        .replace("/usr/bin/rolecall", env!("CARGO_BIN_EXE_rolecall"))
        .replace("Documentation=man:rolecall(1)\n", "");
    fs::write(&here, local).unwrap();
    let said = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&here));
    assert!(!said.contains("rolecall.service"), "{said}");
    let security = ["security", "--offline=true", "--no-pager", "--threshold=15"];
    run(Command::new("systemd-analyze").args(security).arg(top("deploy/systemd/rolecall.service")));
}

#[test]
fn the_unit_calls_the_binary_as_it_wants_to_be_called() {
    let unit = fs::read_to_string(top("deploy/systemd/rolecall.service")).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let arguments: Vec<&str> = line.split_whitespace().skip(1).chain(["--help"]).collect();
    assert_eq!(arguments[arguments.len() - 2], "daemon");
    let output = rolecall().args(&arguments).output().unwrap();
    assert!(output.status.success(), "{line}");
}

#[test]
fn the_unit_gives_up_on_a_wrong_configuration_and_leaves_no_core() {
    let unit = fs::read_to_string(top("deploy/systemd/rolecall.service")).unwrap();
    for line in ["RestartPreventExitStatus=2", "LimitCORE=0", "Restart=always"] {
        assert!(unit.lines().any(|other| other == line), "{line}");
    }
    // Only what the main process returns prevents a restart.
    assert!(!unit.contains("\nExecStartPre="));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rolecall.toml"), "[workspaces]\n").unwrap();
    let output = rolecall().current_dir(folder.path()).arg("daemon").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_command_runs_with_the_credentials_of_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    program("systemctl", &format!("#!/bin/sh\ncat {}\n", top("deploy/systemd/rolecall.service").display()));
    program("systemd-run", "#!/bin/sh\nfor word in \"$@\"; do echo \"<$word>\"; done\n");
    let configuration = folder.path().join("rolecall.toml");
    fs::write(&configuration, "password = { file = \"/run/credentials/rolecall.service/smtp-password\" }\n").unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(top("deploy/systemd/rolecall-with-credentials"));
    command.args(["mail", "test", "--to", "ana b@example.com"]).env("PATH", path).env("ROLECALL_CONFIG", configuration);
    let called = run(&mut command);
    for word in [
        "<--unit=rolecall-once>",
        "<--property=LoadCredential=client-secret:/etc/rolecall/credentials/client-secret>",
        "<--property=LoadCredential=smtp-password:/etc/rolecall/credentials/smtp-password>",
    ] {
        assert!(called.contains(word), "{word}: {called}");
    }
    let end = "</usr/bin/rolecall>\n<--config>\n</run/credentials/rolecall-once.service/rolecall.toml>\n<mail>\n<test>\n<--to>\n<ana b@example.com>\n";
    assert!(called.ends_with(end), "{called}");
}

#[test]
fn the_alerts_are_what_prometheus_takes_and_fire_when_they_should() {
    run(Command::new("promtool").args(["check", "rules"]).arg(top("deploy/prometheus/alerts.yml")));
    run(Command::new("promtool").args(["test", "rules"]).arg(top("deploy/prometheus/alerts_test.yml")));
}

#[test]
fn the_manifests_are_what_kubernetes_takes() {
    for file in [
        "configuration.yaml",
        "deployment.yaml",
        "cronjob.yaml",
        "network.yaml",
        "fleet/statefulset.yaml",
        "fleet/disruption.yaml",
        "fleet/network.yaml",
    ] {
        let path = top("deploy/kubernetes").join(file);
        run(Command::new(tool("kubernetes-validate")).args(["--strict"]).arg(path));
    }
}

#[test]
fn the_configuration_of_the_manifests_is_valid_where_its_secrets_are() {
    let manifest = fs::read_to_string(top("deploy/kubernetes/configuration.yaml")).unwrap();
    let inside = manifest.split("rolecall.toml: |\n").nth(1).unwrap().split("\n---").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for secret in ["client-secret", "refresh-token", "smtp-password"] {
        fs::write(folder.path().join(secret), "a secret").unwrap();
    }
    let mut key = rolecall();
    key.args(["evidence", "init-key", "--out"]).arg(folder.path().join("evidence-key"));
    assert!(key.output().unwrap().status.success());
    let lines: Vec<&str> = inside.lines().map(|line| line.strip_prefix("    ").unwrap_or("")).collect();
    let text = lines.join("\n").replace("/run/secrets/rolecall", folder.path().to_str().unwrap());
    fs::write(folder.path().join("rolecall.toml"), text).unwrap();
    let output = rolecall().current_dir(folder.path()).arg("check").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("weekly-access-review"), "{printed}");
}

/// The base as Kustomize builds it, where it is installed.
#[test]
fn the_base_for_a_fleet_names_its_parts() {
    let base = top("deploy/kubernetes/fleet");
    let text = fs::read_to_string(base.join("kustomization.yaml")).unwrap();
    let named = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "yaml" || ending == "toml"));
    let named: Vec<&str> = named.collect();
    assert_eq!(named.len(), 6, "{named:?}");
    for file in named {
        assert!(base.join(file).is_file(), "{file}");
    }
    let built = Command::new("kubectl").arg("kustomize").arg(&base).output();
    if let Ok(built) = built {
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("fleet.yaml");
        fs::write(&manifest, built.stdout).unwrap();
        run(Command::new(tool("kubernetes-validate")).arg("--strict").arg(manifest));
    }
}

/// A configuration below `deploy` in a folder of its own, with a secret wherever it expects one.
fn checked(inside: &str, workspaces: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let here = folder.path().to_str().unwrap();
    let text = fs::read_to_string(top(inside).join("rolecall.toml")).unwrap();
    fs::create_dir(path("workspaces.d")).unwrap();
    for entry in fs::read_dir(top(inside).join("workspaces.d")).unwrap() {
        let entry = entry.unwrap().path();
        let text = fs::read_to_string(&entry).unwrap().replace("/run/secrets/rolecall", here);
        let text = text.replace("/run/secrets/workspaces", here);
        let name = Path::new("workspaces.d").join(entry.file_name().unwrap());
        fs::write(path(name.to_str().unwrap()), text).unwrap();
        let stem = entry.file_stem().unwrap().to_str().unwrap();
        fs::write(path(&format!("{stem}.refresh-token")), "a secret").unwrap();
    }
    for secret in ["client-secret", "smtp-password", "store-password", "s3-key-id", "s3-secret"] {
        fs::write(path(secret), "a secret").unwrap();
    }
    let mut key = rolecall();
    key.args(["evidence", "init-key", "--out"]).arg(path("evidence-key"));
    assert!(key.output().unwrap().status.success());
    let text = text.replace("/run/secrets/rolecall", here).replace(workspaces, "workspaces.d");
    fs::write(path("rolecall.toml"), text).unwrap();
    let mut command = rolecall();
    // `check` would look for the bucket, which is not here.
    let output = command.current_dir(folder.path()).arg("schedule").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

#[test]
fn the_configurations_of_a_fleet_are_valid() {
    let printed = checked("deploy/kubernetes/fleet", "/etc/rolecall-workspaces");
    for said in ["nightly-emea", "emea-acme", "emea-umbrella"] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    let compose = fs::read_to_string(top("deploy/compose/compose.yaml")).unwrap();
    let printed = checked("deploy/compose", "workspaces.d");
    for said in ["all-workspaces", "acme", "beta"] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    // The secrets that the configuration names are in the environment of the containers.
    for inside in ["rolecall.toml", "workspaces.d/acme.toml", "workspaces.d/beta.toml"] {
        let text = fs::read_to_string(top("deploy/compose").join(inside)).unwrap();
        for name in text.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(compose.contains(&format!("    {name}: ")), "{name} is not in compose.yaml");
        }
    }
}

#[test]
fn the_images_of_the_compose_file_have_a_registry_and_a_version() {
    let compose = fs::read_to_string(top("deploy/compose/compose.yaml")).unwrap();
    let images = compose.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let others: Vec<&str> = images.filter(|image| *image != "rolecall").collect();
    assert_eq!(others.len(), 4, "{others:?}");
    for image in others {
        let (registry, rest) = image.split_once('/').unwrap();
        assert!(registry.contains('.') && rest.contains(':') && !rest.ends_with(":latest"), "{image}");
    }
}

#[test]
fn the_image_is_described_without_a_fault() {
    run(Command::new(tool("hadolint")).arg(top("deploy/docker/Dockerfile")));
}

#[test]
fn the_package_holds_what_it_should_and_its_binary_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (package, root) = (folder.path().join("rolecall.deb"), folder.path().join("root"));
    let mut build = Command::new(top("deploy/deb/build"));
    // Fast rather than small.
    run(build.arg("--fast").arg("-o").arg(&package).env("BINARY", env!("CARGO_BIN_EXE_rolecall")));
    run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&root));
    for file in [
        "usr/lib/systemd/system/rolecall.service",
        "usr/share/doc/rolecall/copyright",
        "usr/share/doc/rolecall/rolecall.cdx.json",
        "usr/share/doc/rolecall/examples/rolecall.example.toml",
        "usr/share/doc/rolecall/examples/alerts.yml",
        "usr/share/doc/rolecall/examples/grafana.json",
        "usr/sbin/rolecall-with-credentials",
        "usr/share/man/man1/rolecall.1.gz",
        "usr/share/bash-completion/completions/rolecall",
        "usr/share/zsh/vendor-completions/_rolecall",
        "usr/share/fish/vendor_completions.d/rolecall.fish",
    ] {
        assert!(root.join(file).metadata().unwrap().len() > 100, "{file}");
    }
    let sbom = root.join("usr/share/doc/rolecall/rolecall.cdx.json");
    run(Command::new(tool("python")).arg(top("tests/integration/python/check_sbom.py")).arg(sbom));
    let version = run(Command::new(root.join("usr/bin/rolecall")).arg("--version"));
    assert_eq!(version.trim(), concat!("rolecall ", env!("CARGO_PKG_VERSION")));
    let fields = run(Command::new("dpkg-deb").arg("-I").arg(&package));
    let control = folder.path().join("control");
    run(Command::new("dpkg-deb").arg("-e").arg(&package).arg(&control));
    let scripts =
        ["postinst", "prerm", "postrm"].map(|name| fs::read_to_string(control.join(name)).unwrap()).join("\n");
    assert!(scripts.contains("try-restart") || scripts.contains("deb-systemd-invoke"), "{scripts}");
    assert!(!scripts.contains("deb-systemd-invoke start") && scripts.contains("deb-systemd-invoke stop"), "{scripts}");
    assert!(fields.contains("Depends: ") && fields.contains("libc6") && fields.contains("ca-certificates"), "{fields}");
}
