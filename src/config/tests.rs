use std::path::Path;

use proptest::prelude::*;

use super::*;

const EXAMPLE: &str = include_str!("../../config/rolecall.example.toml");
const RULES: [&str; 3] = ["administrator", "shared-mailbox", "stale-role-name"];

fn read_text(text: &str) -> Result<(Settings, Vec<Problem>), Vec<Problem>> {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    read(text, &check::Context { text, folder: Path::new("/etc/rolecall"), rules: &RULES, now })
}

/// Every problem of a text as a user sees it.
fn shown(text: &str) -> String {
    let problems = match read_text(text) {
        Ok((_, problems)) | Err(problems) => problems,
    };
    assert!(!problems.is_empty(), "nothing was found wrong");
    Problems::new(Path::new("rolecall.toml"), text, problems).render(false)
}

#[test]
fn the_example_is_valid_and_says_what_it_means() {
    let (settings, problems) = read_text(EXAMPLE).unwrap();
    assert_eq!(problems, []);
    assert_eq!(settings.store.path, Path::new("/etc/rolecall/rolecall.db"));
    assert_eq!(settings.jobs["weekly-access-review"].schedule.zone().name(), "Europe/Berlin");
    assert_eq!(settings.policy.exceptions.len(), 1);
    assert_eq!(settings.secrets().len(), 3);
}

#[test]
fn the_example_names_every_key_of_the_schema() {
    let schema = json_schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let tables = definitions.values().chain(std::iter::once(&schema));
    let keys = tables.filter_map(|table| table["properties"].as_object()).flat_map(|properties| properties.keys());
    let missing: Vec<&String> = keys.filter(|key| !EXAMPLE.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn everything_wrong_with_the_shape_is_told_at_once() {
    insta::assert_snapshot!(shown(
        r#"
[workspaces.acme]
conector = "zoho_bigin"
client_secret = "s3cret-in-the-clear"
[policy]
company_domain = ["example.com"]
max_administrators = "three"
[jobs.weekly]
workspaces = ["acme"]
missed = "lates"
"#
    ));
}

#[test]
fn everything_wrong_with_the_meaning_is_told_at_once() {
    insta::assert_snapshot!(shown(
        r#"
[workspaces."a/b"]
connector = "zoho_bigin"
data_center = "uk"
client_id = "1000.A"
client_secret = { env = "A" }
accounts_url = "http://accounts.example.com"
[policy]
approved_administrators = ["nobody"]
rules = { shared-mailboxes = "off", administrator = "severe" }
[[policy.exceptions]]
rule = "administrator"
subject = "7"
approved_by = ""
reason = "because"
until = 2020-01-31
[jobs.weekly]
workspaces = ["acme"]
schedule = "0 8 30 2 *"
time_zone = "Europe/Berln"
[jobs.weekly.email]
to = ["a@example.com", "A@example.com"]
[jobs.night]
workspaces = ["a/b"]
schedule = "15,45 2 * * *"
time_zone = "Europe/Berlin"
[smtp]
host = "smtp.example.com"
security = "none"
from = "nobody"
[store]
url = "postgres://db/rolecall"
[evidence]
directory = "evidence"
keep_days = 90
"#
    ));
}

#[test]
fn text_that_is_no_toml_names_its_place() {
    insta::assert_snapshot!(shown("[workspaces.acme]\nconnector = zoho\n"));
}

#[test]
fn a_secret_written_out_is_refused_and_every_key_of_it_explained() {
    let text = shown("[workspaces.acme]\nconnector = \"zoho_bigin\"\nrefresh_token = \"1000.abc\"\n");
    assert!(text.contains("never the secret itself"), "{text}");
    assert!(!text.contains("1000.abc"), "{text}");
}

#[test]
fn a_secret_loses_the_line_break_at_its_end_and_nothing_else() {
    use secrecy::ExposeSecret;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    for (written, read) in [("abc\n", Some("abc")), ("a bc ", Some("a bc ")), ("\n", None), ("a\nb", None)] {
        std::fs::write(&path, written).unwrap();
        let secret = settings::SecretSource::File(path.clone()).read();
        assert_eq!(secret.as_ref().map(ExposeSecret::expose_secret).ok(), read, "{written:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(cut in 0..EXAMPLE.len(), length in 0_usize..40, with in "[\\[\\]{}=\"#.,a-z0-9\n ]{0,12}") {
        let start = (0..=cut).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap();
        let end = (cut + length..EXAMPLE.len()).find(|at| EXAMPLE.is_char_boundary(*at)).unwrap_or(EXAMPLE.len());
        let text = format!("{}{with}{}", &EXAMPLE[..start], &EXAMPLE[end.max(start)..]);
        if let Err(problems) = read_text(&text) {
            prop_assert!(!Problems::new(Path::new("x"), &text, problems).render(false).is_empty());
        }
    }
}
