//! Workspaces in files of their own.

use std::{fs, path::PathBuf};

use super::*;
use crate::config::{
    directory::{AtRest, Watch},
    settings::{Instead, SecretSource, Value},
};

const COMMON: &str =
    "workspaces_dir = \"workspaces.d\"\n[jobs.nightly]\nworkspaces = [\"emea-*\"]\nschedule = \"0 1 * * *\"\n";
const FILE: &str =
    "connector = \"truto\"\nintegrated_account_id = \"a\"\napi_token = { file = \"secrets/{workspace}/token\" }\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.path("workspaces.d")).unwrap();
        folder.write("rolecall.toml", COMMON);
        for (name, text) in files {
            folder.file(name, text);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes the file of a workspace.
    fn file(&self, name: &str, text: &str) {
        self.write(&format!("workspaces.d/{name}"), text);
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        load(&self.path("rolecall.toml"), &RULES, now())
    }

    fn problems(&self) -> String {
        one_line(&match self.load() {
            Ok(loaded) => loaded.warnings.render(false),
            Err(error) => error.to_string(),
        })
    }

    fn again(&self, before: &Settings) -> Settings {
        self.again_as_of(&self.at_rest(), before)
    }

    /// All files as they are.
    fn at_rest(&self) -> AtRest {
        let mut watch = Watch::new(self.path("workspaces.d"));
        watch.look();
        watch.look().unwrap()
    }

    fn again_as_of(&self, at_rest: &AtRest, before: &Settings) -> Settings {
        load_workspaces(&self.path("rolecall.toml"), &RULES, now(), before, at_rest).unwrap().settings
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn names(settings: &Settings) -> Vec<&str> {
    settings.workspaces.keys().map(String::as_str).collect()
}

#[test]
fn each_file_is_a_workspace_with_the_name_of_the_file() {
    let folder = Folder::new(&[("emea-1.toml", FILE), ("emea-2.toml", FILE), ("apac-1.toml", FILE)]);
    folder.file(".hidden.toml", "x");
    folder.file("emea-3.toml.partial", "x");
    let loaded = folder.load().unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings.render(false));
    let settings = loaded.settings;
    assert_eq!(names(&settings), ["apac-1", "emea-1", "emea-2"]);
    assert_eq!(settings.jobs["nightly"].workspaces, ["emea-1", "emea-2"]);
    // The path is relative to the configuration, as in a table of it.
    let Value::Secret(SecretSource::File(path)) = &settings.workspaces["emea-2"].values["api_token"] else { panic!() };
    assert_eq!(*path, folder.path("secrets/emea-2/token"));
    assert_eq!(settings.secrets().len(), 3);
}

#[test]
fn every_error_of_every_file_is_reported_with_its_path_and_place() {
    let folder = Folder::new(&[
        (
            "emea-1.toml",
            "connector = \"truto\"\nintegrated_account_id = \"a\"\napi_tokn = { env = \"T\" }\npolicy = \"strct\"\n",
        ),
        ("emea-2.toml", "connector = \n"),
        ("emea-3.toml", &FILE.replace("{workspace}", "{tenant}")),
        ("emea 4.toml", FILE),
        ("emea-5.toml", "connector = \"zoho_bigin\"\nrefresh_token = \"s3cret-in-the-clear\"\n"),
        ("hq.toml", FILE),
    ]);
    folder.write("rolecall.toml", &format!("{COMMON}[workspaces.hq]\n{FILE}[policy]\ncompany_domain = []\n"));
    fs::create_dir(folder.path("workspaces.d/emea-6.toml")).unwrap();
    let text = folder.problems();
    for said in [
        "unknown key `company_domain`",
        "emea-1.toml:3:1",
        "unknown key `api_tokn` in [workspaces.emea-1]",
        "unknown policy `strct`",
        "emea-2.toml:1:",
        "emea-3.toml:3:22",
        "unknown placeholder `{tenant}`",
        "invalid workspace name `emea 4`",
        "`workspaces.emea-5.refresh_token` must say where to find the secret",
        "emea-6.toml",
        "the file cannot be read: it is not a regular file",
        "hq.toml",
        "workspace `hq` is configured twice: in this file and as [workspaces.hq] in ",
        "rolecall.toml",
        "remove one of the two",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn a_file_that_is_broken_leaves_its_workspace_as_it_was_and_the_others_alone() {
    let folder = Folder::new(&[("emea-1.toml", FILE), ("emea-2.toml", FILE)]);
    let before = folder.load().unwrap().settings;
    folder.file("emea-1.toml", "connector = \"tru");
    folder.file("emea-2.toml", &format!("{FILE}concurrency = 2\n"));
    folder.file("emea-3.toml", FILE);
    folder.file("emea-4.toml", "connector = 1\n");
    // For everything but a running daemon, it is an error.
    assert!(folder.load().is_err());
    let after = folder.again(&before);
    assert_eq!(names(&after), ["emea-1", "emea-2", "emea-3"]);
    assert_eq!((after.workspaces["emea-1"].concurrency, after.workspaces["emea-2"].concurrency), (4, 2));
    // It is due all the same: its run says what is wrong.
    assert_eq!(after.jobs["nightly"].workspaces, ["emea-1", "emea-2", "emea-3", "emea-4"]);
    let broken = &after.directory.as_ref().unwrap().broken;
    let shown: Vec<_> = broken.iter().map(|(name, file)| (name.as_str(), file.instead)).collect();
    assert_eq!(shown, [("emea-1", Instead::Before), ("emea-4", Instead::Nothing)]);
    assert!(broken["emea-4"].problem.contains("workspaces.d/emea-4.toml:1:13: invalid"), "{broken:?}");
    // Kept in evidence is what is used.
    assert!(after.applied_files()["emea-1"].contains("truto"));
    // Mended, removed.
    folder.file("emea-1.toml", FILE);
    fs::remove_file(folder.path("workspaces.d/emea-2.toml")).unwrap();
    fs::remove_file(folder.path("workspaces.d/emea-4.toml")).unwrap();
    let mended = folder.again(&after);
    assert_eq!(names(&mended), ["emea-1", "emea-3"]);
    assert_eq!(mended.directory.as_ref().unwrap().broken.len(), 0);
    assert_eq!(mended.jobs["nightly"].workspaces, ["emea-1", "emea-3"]);
    assert!(!mended.is_emptied(&after));
    // What is edited elsewhere waits for a reload.
    folder.write("rolecall.toml", "broken");
    assert_eq!(names(&folder.again(&mended)), ["emea-1", "emea-3"]);
    for name in ["emea-1", "emea-3"] {
        fs::remove_file(folder.path(&format!("workspaces.d/{name}.toml"))).unwrap();
    }
    assert!(folder.again(&mended).is_emptied(&mended));
}

#[test]
fn a_file_that_is_being_written_stays_as_it_was_until_it_is_at_rest() {
    let folder = Folder::new(&[("emea-1.toml", FILE), ("emea-2.toml", FILE)]);
    let before = folder.load().unwrap().settings;
    let mut watch = Watch::new(folder.path("workspaces.d"));
    watch.look();
    folder.file("emea-2.toml", &format!("{FILE}concurrency = 2\n"));
    folder.file("emea-3.toml", FILE);
    fs::remove_file(folder.path("workspaces.d/emea-1.toml")).unwrap();
    let at_rest = watch.look().unwrap();
    // Half of a file may be whole TOML.
    let after = folder.again_as_of(&at_rest, &before);
    assert_eq!((names(&after), after.workspaces["emea-2"].concurrency), (vec!["emea-1", "emea-2"], 4));
    // At rest when it was looked at, and written again before it was read.
    let at_rest = watch.look().unwrap();
    folder.file("emea-2.toml", "connector = \"tru");
    let after = folder.again_as_of(&at_rest, &after);
    assert_eq!((names(&after), after.workspaces["emea-2"].concurrency), (vec!["emea-2", "emea-3"], 4));
    assert!(after.directory.as_ref().unwrap().broken.is_empty());
}

#[test]
fn a_workspace_with_a_table_and_a_file_is_audited_by_the_table_and_both_are_named() {
    let folder = Folder::new(&[("emea-1.toml", &format!("{FILE}concurrency = 2\n"))]);
    let before = folder.load().unwrap().settings;
    folder.write("rolecall.toml", &format!("{COMMON}[workspaces.emea-1]\n{FILE}"));
    let after = load_running(&folder.path("rolecall.toml"), &RULES, now(), Some(&before)).unwrap().settings;
    assert_eq!(after.workspaces["emea-1"].concurrency, 4, "the table's");
    let broken = &after.directory.as_ref().unwrap().broken["emea-1"];
    assert_eq!(broken.instead, Instead::Table);
    let (file, common) = (folder.path("workspaces.d/emea-1.toml"), folder.path("rolecall.toml"));
    for path in [file, common] {
        assert!(broken.problem.contains(&path.display().to_string()), "{broken:?}");
    }
}

#[test]
fn a_pattern_may_match_only_later_and_a_name_may_not() {
    let folder = Folder::new(&[("apac-1.toml", FILE)]);
    let loaded = folder.load().unwrap();
    let warning = loaded.warnings.render(false);
    assert!(warning.contains("no workspace matches `emea-*`") && warning.contains("rolecall.toml:3:15"), "{warning}");
    assert_eq!(loaded.settings.jobs["nightly"].workspaces, [""; 0]);
    folder.write("rolecall.toml", &COMMON.replace("emea-*", "emea-1"));
    assert!(folder.problems().contains("unknown workspace `emea-1`"));
    fs::remove_dir_all(folder.path("workspaces.d")).unwrap();
    let text = folder.problems();
    assert!(text.contains("cannot read the directory") && text.contains("rolecall.toml:1:18"), "{text}");
}

#[test]
fn evidence_of_a_workspace_has_its_own_file_and_can_be_read_again() {
    let folder =
        Folder::new(&[("emea-1.toml", FILE), ("emea-2.toml", &format!("# old token\n{FILE}policy = \"strict\"\n"))]);
    let common = format!(
        "{COMMON}[jobs.apac]\nworkspaces = [\"apac-*\", \"emea-1\"]\nschedule = \"@daily\"\n[policies.strict]\nmax_administrators = 1\n"
    );
    folder.write("rolecall.toml", &common);
    let settings = folder.load().unwrap().settings;
    let text = format!("{}\n{}", settings.applied(), settings.applied_files()["emea-2"]);
    assert!(!text.contains("old token") && !text.contains("workspaces_dir"), "{text}");
    assert!(parse(Path::new("c.toml"), &text, &RULES, now()).is_err(), "it is not the whole configuration");
    let then = parse_applied(Path::new("c.toml"), &text, &RULES, now()).unwrap().settings;
    assert_eq!(names(&then), ["emea-2"]);
    assert_eq!(then.policy_for(Some("nightly"), "emea-2").name, "strict");
    assert_eq!(then.workspaces["emea-2"].values.len(), settings.workspaces["emea-2"].values.len());
}

#[test]
fn the_placeholder_of_a_path_is_the_name_of_the_workspace_and_leads_nowhere_else() {
    let text = WORKSPACE.replace("{ env = \"T\" }", "{ file = \"/run/secrets/{workspace}/token\" }");
    let (settings, problems) = read_text(&text).unwrap();
    assert_eq!(problems, []);
    let files: Vec<_> = settings.secret_files().into_iter().map(|(_, path)| path.to_owned()).collect();
    assert_eq!(files, [Path::new("/run/secrets/acme/token")]);
    for name in ["..", "a/../b", ".", "a\\u0000b"] {
        let found = messages(&text.replace("workspaces.acme", &format!("workspaces.\"{name}\"")));
        assert!(found[0].starts_with("invalid workspace name"), "{found:?}");
    }
    for (path, part) in [("/run/{job}/x", "{job}"), ("/run/{workspace", "{workspace"), ("/{}/x", "{}")] {
        let found = messages(&text.replace("/run/secrets/{workspace}/token", path));
        assert_eq!(found, [format!("unknown placeholder `{part}` in the path of a secret")]);
    }
    let smtp = "[smtp]\nhost = \"x\"\nfrom = \"a@example.com\"\nusername = \"u\"\npassword = { file = \"/run/{workspace}\" }\n";
    assert_eq!(messages(&format!("{text}{smtp}")), ["`{workspace}` has no meaning here"]);
}

#[test]
fn ten_thousand_files_are_read() {
    let folder = Folder::new(&[]);
    for number in 0..10_000 {
        folder.file(&format!("emea-{number:05}.toml"), FILE);
    }
    let settings = folder.load().unwrap().settings;
    assert_eq!(settings.jobs["nightly"].workspaces.len(), 10_000);
    assert_eq!(folder.again(&settings).workspaces.len(), 10_000);
}
