mod accepted;
mod console;
mod custom_rules;
mod directory;
mod evidence;
mod fleet;
mod policies;
mod policy_text;
mod reviews;
mod store;

use std::{collections::BTreeSet, path::Path};

use proptest::prelude::*;

use super::{settings::StorePlace, *};
use crate::model::{
    finding::Severity,
    kind::{ConnectorKind, Key, KeyValue},
    policy::{Policy, RuleSetting},
};

const EXAMPLE: &str = include_str!("../../config/rolecall.example.toml");
const RULES: [&str; 3] = ["administrator", "shared-mailbox", "stale-role-name"];

fn read_text(text: &str) -> Result<(Settings, Vec<Problem>), Vec<Problem>> {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let (folder, stand_ins) = (Path::new("/etc/rolecall"), shape::StandIns::default());
    let context = check::Context { text, folder, rules: &RULES, now, is_applied: false, stand_ins: &stand_ins };
    read(Path::new("rolecall.toml"), text, &context, None).0
}

/// Every problem of a text as a user sees it.
fn rendered(text: &str) -> String {
    let problems = match read_text(text) {
        Ok((_, problems)) | Err(problems) => problems,
    };
    assert!(!problems.is_empty(), "no problem was found");
    Problems::new(Path::new("rolecall.toml"), text, problems).render(false)
}

/// The same without line breaks, wherever a sentence is wrapped.
fn shown(text: &str) -> String {
    one_line(&rendered(text))
}

fn one_line(rendered: &str) -> String {
    rendered.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn the_example_is_valid() {
    let (settings, problems) = read_text(EXAMPLE).unwrap();
    assert_eq!(problems, []);
    assert_eq!(settings.store.place, StorePlace::File("/etc/rolecall/rolecall.db".into()));
    assert_eq!(settings.jobs["weekly-access-review"].schedule.zone().name(), "Europe/Berlin");
    assert_eq!(settings.policy.exceptions.len(), 1);
    assert_eq!(settings.secrets().len(), 4);
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
fn a_workspace_may_have_the_keys_of_its_kind_of_connector_and_no_other() {
    let schema = json_schema();
    let written = schema["$defs"]["Workspace"]["properties"].as_object().unwrap();
    let common = ["connector", "allow_offboarding", "organization", "policy", "concurrency", "deadline_minutes"];
    let keys = || ConnectorKind::ALL.into_iter().flat_map(ConnectorKind::keys);
    let known: BTreeSet<&str> = keys().map(|key| key.name).chain(common).collect();
    assert_eq!(written.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);

    let line = |key: &Key| match key.value {
        KeyValue::Text => format!("{} = \"x\"\n", key.name),
        KeyValue::OneOf(words) => format!("{} = \"{}\"\n", key.name, words[0]),
        KeyValue::Secret => format!("{} = {{ env = \"X\" }}\n", key.name),
        KeyValue::Address => format!("{} = \"https://x.example\"\n", key.name),
        KeyValue::Names => format!("{} = {{ users = \"people\" }}\n", key.name),
    };
    for kind in ConnectorKind::ALL {
        let all: String = kind.keys().iter().map(line).collect();
        let text = format!("[workspaces.acme]\nconnector = \"{kind}\"\n{all}");
        let (settings, problems) = read_text(&text).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let workspace = &settings.workspaces["acme"];
        assert_eq!(workspace.kind, kind);
        assert!(kind.keys().iter().all(|key| workspace.values.contains_key(key.name)), "{workspace:?}");
        for foreign in keys().filter(|key| kind.key(key.name).is_none()) {
            let text = shown(&format!("{text}{}", line(foreign)));
            assert!(text.contains(&format!("`{}` applies only to the connector ", foreign.name)), "{text}");
        }
    }
}

#[test]
fn every_error_of_shape_is_reported() {
    insta::assert_snapshot!(rendered(
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
fn every_error_of_meaning_is_reported() {
    insta::assert_snapshot!(rendered(
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
fn sentences_about_a_configuration_fit_80_columns_and_paths_stay_whole() {
    let path = format!("/{}", ["a-folder-with-a-long-name"; 4].join("/"));
    let text = format!(
        "{WORKSPACE}policy = \"strict\"\n[evidence]\nurl = \"{path}\"\nspool = \"{path}\"\n[[policy.exceptions]]\n\
         rule = \"administrator\"\nsubject = \"7\"\napproved_by = \"\"\nreason = \"because\"\nuntil = 2020-01-31\n"
    );
    let rendered = rendered(&text);
    let is_of_the_file = |line: &str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let wide = |line: &&str| {
        line.chars().count() > 80 && !is_of_the_file(line) && !line.contains('─') && !line.contains(&path)
    };
    assert_eq!(rendered.lines().filter(wide).collect::<Vec<_>>(), [""; 0]);
    assert!(rendered.contains(&format!("`{path}`")) && rendered.lines().count() > 20, "{rendered}");
}

#[test]
fn invalid_toml_is_reported_with_its_place() {
    insta::assert_snapshot!(rendered("[workspaces.acme]\nconnector = zoho\n"));
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    let text = shown("[workspaces.acme]\nconnector = \"zoho_bigin\"\nrefresh_token = \"1000.abc\"\n");
    assert!(text.contains("must say where to find the secret, not contain it"), "{text}");
    assert!(!text.contains("1000.abc"), "{text}");
}

/// The messages of a text's problems.
fn messages(text: &str) -> Vec<String> {
    let problems = read_text(text).map_or_else(|problems| problems, |(_, problems)| problems);
    problems.into_iter().map(|problem| problem.message).collect()
}

const WORKSPACE: &str =
    "[workspaces.acme]\nconnector = \"truto\"\nintegrated_account_id = \"a\"\napi_token = { env = \"T\" }\n";

#[test]
fn errors_of_shape_and_of_meaning_are_reported_in_one_pass() {
    let found = messages(&format!(
        "{WORKSPACE}[policy]\ncompany_domain = [\"a.example\"]\nmax_administrators = 0\n\
         [jobs.weekly]\nworkspaces = [\"acm\"]\nschedule = \"0 8 * * MOO\"\nmissed = \"lates\"\n"
    ));
    let words = ["`company_domain`", "invalid value 0", "unknown workspace `acm`", "MOO is not", "`lates`"];
    assert_eq!(found.len(), words.len(), "{found:?}");
    for word in words {
        assert!(found.iter().any(|message| message.contains(word)), "{word}: {found:?}");
    }
}

#[test]
fn a_required_key_that_is_missing_or_ill_formed_hides_no_error_beside_it() {
    let zoho = "client_id = \"1000.A\"\nclient_secret = { env = \"S\" }\nrefresh_token = { env = \"R\" }\n";
    let exception = "rule = \"administratr\"\nsubject = \"7\"\napproved_by = \"\"\nreason = \"r\"\n";
    let rule = "name = \"Mine\"\ntitle = \"T\"\nseverity = \"grave\"\nmessage = \"{user.emial}\"\nfix = \"f\"\n";
    for (text, expected) in [
        (
            format!(
                "{WORKSPACE}[jobs.weekly]\nworkspaces = \"acme\"\nschedule = \"0 8 * * MOO\"\n\
                 time_zone = \"Europe/Berln\"\nfail_on = \"grave\"\n"
            ),
            &["invalid type for `jobs.weekly.workspaces`", "MOO is not", "invalid time zone", "invalid severity"][..],
        ),
        (
            format!("{WORKSPACE}[jobs.weekly]\nworkspaces = [\"acm\"]\n"),
            &["missing key `schedule` in [jobs.weekly]", "unknown workspace `acm`"],
        ),
        (
            format!("{WORKSPACE}[[policy.exceptions]]\n{exception}until = \"2027-01-31\"\n"),
            &["invalid type for `policy.exceptions.until`", "unknown rule `administratr`", "`approved_by` must not be"],
        ),
        (
            format!("{WORKSPACE}[[policy.exceptions]]\n{exception}"),
            &["missing key `until` in [policy.exceptions]", "unknown rule `administratr`", "`approved_by` must not be"],
        ),
        (
            format!("{WORKSPACE}[[policy.custom_rules]]\n{rule}when = 7\n"),
            &[
                "invalid type for `policy.custom_rules.when`",
                "invalid rule name `Mine`",
                "invalid severity",
                "emial",
                "has no test cases",
            ],
        ),
        (
            format!("[workspaces.acme]\nconnector = \"zoho\"\ndata_center = \"uk\"\n{zoho}"),
            &["invalid value `zoho` for `workspaces.acme.connector`", "invalid data center `uk`"],
        ),
        (
            format!("[workspaces.acme]\ndata_center = \"uk\"\napi_token = {{ env = \"T\" }}\n{zoho}"),
            &["missing key `connector` in [workspaces.acme]", "invalid data center `uk`"],
        ),
        (
            format!("{WORKSPACE}[store]\nurl = 7\npassword = {{ env = \"P\" }}\nkeep_days = 0\n"),
            &["invalid type for `store.url`", "invalid value 0"],
        ),
        (
            format!("{WORKSPACE}[smtp]\nhost = [\"x\"]\nport = 0\n"),
            &["invalid type for `smtp.host`", "missing key `from` in [smtp]", "invalid value 0"],
        ),
        (
            format!(
                "{WORKSPACE}[[policy.separations]]\nname = \"a\"\nfirst = 7\nseverity = \"grave\"\n\
                 second = {{ permission = \"\" }}\n"
            ),
            &["invalid type for `policy.separations.first`", "the permission must not be empty", "invalid severity"],
        ),
    ] {
        let found = messages(&text);
        assert_eq!(found.len(), expected.len(), "{text}{found:#?}");
        for word in expected {
            assert!(found.iter().any(|message| message.contains(word)), "{word}: {found:#?}");
        }
    }
}

#[test]
fn one_mistake_is_one_error() {
    let job = "[jobs.weekly]\nworkspaces = [\"acme\"]\nschedule = \"0 8 * * MON\"\n";
    let mail = format!("{job}[jobs.weekly.email]\nto = [\"a@example.com\"]\n");
    let smtp = "[smtp]\nhost = \"x\"\nfrom = \"a@example.com\"\n";
    for (text, message) in [
        (format!("{}{job}", WORKSPACE.replace("workspaces.", "workspace.")), "unknown table [workspace]"),
        (job.to_owned(), "no workspace configured"),
        (WORKSPACE.replace("connector", "conector"), "unknown key `conector` in [workspaces.acme]"),
        (WORKSPACE.replace("api_token", "api_tokn"), "unknown key `api_tokn` in [workspaces.acme]"),
        (WORKSPACE.replace("{ env = \"T\" }", "7"), "invalid type for `workspaces.acme.api_token`"),
        (format!("{WORKSPACE}{mail}[smtp]\nhost = 7\nfrom = \"a@example.com\"\n"), "invalid type for `smtp.host`"),
        (
            format!("{WORKSPACE}[smtp]\nhost = \"x\"\nfrom = \"a@example.com\"\nusername = \"x\"\n"),
            "`username` without",
        ),
        (
            format!(
                "{WORKSPACE}[smtp]\nhost = \"x\"\nfrom = \"a@example.com\"\nusername = \"x\"\npasword = {{ env = \"P\" }}\n"
            ),
            "unknown key `pasword`",
        ),
        (format!("{WORKSPACE}{mail}"), "job `weekly` sends mail, but there is no [smtp] table"),
        (
            format!(
                "{WORKSPACE}[job.weekly]\nworkspaces = [\"acme\"]\nschedule = \"0 8 * * MON\"\n[jobs.weekly.email]\nto = [\"a@example.com\"]\n{smtp}"
            ),
            "unknown table [job]",
        ),
        (
            format!("{WORKSPACE}[evidence]\npath = \"evidence\"\nsigning_key = {{ file = \"key\" }}\n"),
            "unknown key `path` in [evidence]",
        ),
        (
            format!("{WORKSPACE}[evidence]\ndirectory = 7\nsigning_key = {{ file = \"key\" }}\n"),
            "invalid type for `evidence.directory`",
        ),
        (format!("{WORKSPACE}[policy]\nrules = {{ administratr = \"off\" }}\n"), "unknown rule `administratr`"),
    ] {
        let found = messages(&text);
        assert!(found.len() == 1 && found[0].starts_with(message), "{message}: {found:?}");
    }
}

#[test]
fn what_a_misspelt_table_does_not_have_is_still_missing() {
    let text =
        format!("{WORKSPACE}[job.weekly]\nworkspaces = [\"acme\"]\n[jobs.weekly.email]\nto = [\"a@example.com\"]\n");
    let no_mail_server = "job `weekly` sends mail, but there is no [smtp] table";
    assert_eq!(messages(&text), ["unknown table [job]", "missing key `schedule` in [jobs.weekly]", no_mail_server]);
    let text = format!("{WORKSPACE}[evidence]\npath = \"evidence\"\n");
    assert!(shown(&text).contains("did you mean `directory`?"));
}

#[test]
fn a_data_center_may_be_written_in_capitals() {
    let text = "[workspaces.acme]\nconnector = \"zoho_bigin\"\ndata_center = \"EU\"\nclient_id = \"1000.A\"\n\
                client_secret = { env = \"S\" }\nrefresh_token = { env = \"T\" }\n";
    let (settings, problems) = read_text(text).unwrap();
    assert_eq!(problems, []);
    let data_center = &settings.workspaces["acme"].values["data_center"];
    assert!(matches!(data_center, settings::Value::Text(code) if code == "eu"), "{data_center:?}");
}

#[test]
fn a_secret_in_place_of_its_name_is_refused_and_not_shown() {
    for place in
        ["{ env = \"74b246c5e0b84b1f9a535f0d9c2e71aa\" }", "{ file = \"1000.74b246c5e0b84b1f9a.5f0d9c2e71aa\" }"]
    {
        let text = shown(&WORKSPACE.replace("{ env = \"T\" }", place));
        assert!(text.contains("this looks like the secret itself") && !text.contains("74b246"), "{text}");
    }
    let source = settings::SecretSource::Env("74b246c5e0b84b1f9a535f0d9c2e71aa".to_owned());
    let said = source.read().unwrap_err().to_string();
    assert!(said.starts_with("an environment variable (") && said.ends_with(" is not set"), "{said}");
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

/// What a policy can have beside the keys of the example.
const POLICY: &str = r#"
[policy]
roster = ["hr", "contractors"]
domain_aliases = { "old.example" = "example.com" }
rules = { unused-role = "off" }
off_reasons = { unused-role = "Kept for partners" }
[[policy.accounts]]
subject = "svc-*@example.com"
kind = "service"
owner = "ana@example.com"
reason = "Writes leads"
until = 2027-06-30
[[policy.exceptions]]
rule = "shared-mailbox"
subject = '/sales[0-9]+@example\.com/'
approved_by = "ana@example.com"
reason = "Shared by the sales desk"
until = 2027-06-30
[[policy.expected_access]]
department = "Sales*"
profiles = ["Standard"]
[[policy.separations]]
name = "export-and-administer"
first = { permission = "Export*" }
second = { profile = "Administrator" }
[[policy.custom_rules]]
name = "contractor-export"
title = "Contractor who may export"
severity = "high"
when = 'user.active && domain(user.email) == "contractor.example.com" && profile.permissions.exists(p, p.contains("Export"))'
message = "{user.full_name} may export."
fix = "Give a profile without export."
tests = [{ expect = false, user = { email = "x@example.com", created = 2026-01-01T00:00:00Z } }]
[policies.strict]
max_administrators = 3
[rosters.hr]
source = { file = "people.csv" }
format = "csv"
columns = { email = "Work Email" }
[rosters.contractors]
source = { url = "https://hr.example.com/people", token = { env = "HR_TOKEN" } }
format = "scim"
"#;

#[test]
fn the_policy_that_is_changed_below_is_valid() {
    let workspace = "[workspaces.acme]\nconnector = \"truto\"\nintegrated_account_id = \"7b1f0c52-3c55-4e0b-9a53-5f0d9c2e71aa\"\napi_token = { env = \"T\" }\n";
    let (settings, _) = read_text(&format!("{workspace}{POLICY}"))
        .unwrap_or_else(|_| panic!("{}", shown(&format!("{workspace}{POLICY}"))));
    assert_eq!((settings.policy.custom_rules.len(), settings.policy.separations.len()), (1, 1));
}

proptest! {
    #[test]
    fn no_change_of_a_policy_makes_it_panic(cut in 0..POLICY.len(), length in 0_usize..60, times in 0_usize..40, with in "\\PC{0,12}") {
        let end = (cut + length).min(POLICY.len());
        let text = format!("{}{with}{}{}", &POLICY[..cut], POLICY[cut..end].repeat(times), &POLICY[end..]);
        if let Err(problems) = read_text(&text) {
            prop_assert!(!Problems::new(Path::new("x"), &text, problems).render(false).is_empty());
        }
    }

    #[test]
    fn no_text_at_all_makes_it_panic(text in "(\\PC|\n){0,200}") {
        if let Err(problems) = read_text(&text) {
            prop_assert!(!Problems::new(Path::new("x"), &text, problems).render(false).is_empty());
        }
    }
}

#[test]
fn a_value_in_the_wrong_place_is_not_shown_if_it_may_be_a_secret() {
    let token = "1000.4f6a2b8c9d0e1f2a3b4c5d6e7f809101.a1b2c3d4e5f60718293a4b5c6d7e8f90";
    let text = shown(&format!(
        "[workspaces.acme]\nconnector = \"zoho_bigin\"\n[policy]\napproved_administrators = [\"{token}\"]\n"
    ));
    assert!(text.contains("invalid e-mail address `[masked]`") && !text.contains("4f6a2b8c"), "{text}");
}

#[test]
fn a_mail_server_is_a_name_or_an_address_and_nothing_else() {
    let told = |host: &str| {
        let text = format!("[workspaces]\n[smtp]\nhost = \"{host}\"\nfrom = \"a@example.com\"\n");
        messages(&text).iter().any(|message| message.starts_with("invalid `host`"))
    };
    for host in
        ["smtp.example.com", "mail", "mail.example.com.", "192.0.2.1", "2001:db8::1", "m_x.example", "bücher.example"]
    {
        assert!(!told(host), "{host}");
    }
    let text = "[workspaces]\n[smtp]\nsecurity = \"none\"\nfrom = \"a@example.com\"\nhost = ";
    for host in ["user:hunter22@mail.example.com", "smtp://user:hunter22@mail.example.com"] {
        let text = shown(&format!("{text}\"{host}\"\n"));
        assert!(text.contains("invalid `host` `[masked]`") && !text.contains("hunter22"), "{text}");
    }
    for host in ["", " ", "a@smtp.example.com", "smtp.example.com:587", "smtp://smtp.example.com", "a..example"] {
        assert!(told(host), "{host}");
    }
}

#[test]
fn the_name_of_this_machine_is_a_full_host_name() {
    let told = |name: &str| {
        let text = format!("[workspaces]\n[smtp]\nhost = \"x\"\nfrom = \"a@example.com\"\nhelo_name = \"{name}\"\n");
        messages(&text).iter().any(|message| message.starts_with("invalid `helo_name`"))
    };
    for name in ["reports.example.com", "a-1.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
        assert!(!told(name), "{name}");
    }
    for name in ["reports", "-x.example", "x-.example", "x.example-", "x..example", "m_x.example", "192.0.2.1]"] {
        assert!(told(name), "{name}");
    }
}

#[test]
fn an_address_that_not_every_mail_server_takes_is_warned_of() {
    for (from, is_told) in
        [("s\u{e9}c@example.com", true), ("sec@b\u{fc}cher.example", false), ("S\u{e9}c <sec@x.example>", false)]
    {
        let text = format!("[workspaces]\n[smtp]\nhost = \"x\"\nfrom = \"{from}\"\n");
        let told = messages(&text).iter().any(|message| message.ends_with("not ASCII before the `@`"));
        assert_eq!(told, is_told, "{from}");
    }
}

#[test]
fn a_table_that_belongs_into_another_is_pointed_there() {
    assert!(shown("[rules]\nno-role = \"off\"\n").contains("did you mean [policy.rules]?"));
    assert!(shown("[jobz.weekly]\n").contains("did you mean [jobs]?"));
}
