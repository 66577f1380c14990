//! Policies by name, from the text to the policy of a job and workspace.

use super::*;

const JOBS: &str = "[workspaces.us]\nconnector = \"truto\"\nintegrated_account_id = \"b\"\napi_token = { env = \"T\" }\n\
                    policy = \"strict\"\n\
                    [jobs.weekly]\nworkspaces = [\"acme\", \"us\"]\nschedule = \"0 8 * * MON\"\n\
                    [jobs.yearly]\nworkspaces = [\"acme\", \"us\"]\nschedule = \"0 8 1 1 *\"\npolicy = \"calm\"\n\
                    [jobs.plain]\nworkspaces = [\"us\"]\nschedule = \"0 8 1 1 *\"\npolicy = \"base\"\n";

const POLICIES: &str = r#"
[policy]
max_administrators = 5
unconfirmed_days = 7
company_domains = ["example.com"]
rules = { administrator = "low", stale-role-name = "off" }
off_reasons = { stale-role-name = "names are not shown anywhere" }
[[policy.exceptions]]
rule = "administrator"
subject = "1"
approved_by = "ana@example.com"
reason = "known"
until = 2027-01-31
[policies.strict]
max_administrators = 3
company_domains = ["other.example"]
rules = { administrator = "critical" }
[[policies.strict.exceptions]]
rule = "administrator"
subject = "2"
approved_by = "ana@example.com"
reason = "known"
until = 2027-01-31
[policies.calm]
unconfirmed_days = 90
"#;

#[test]
fn a_policy_says_only_what_differs_and_the_one_of_the_job_precedes_the_one_of_the_workspace() {
    let (settings, problems) = read_text(&format!("{WORKSPACE}{JOBS}{POLICIES}")).unwrap();
    assert_eq!(problems, []);
    let name = |job, workspace| settings.policy_for(job, workspace).name.as_str();
    for (job, workspace, expected) in [
        (None, "acme", "base"),
        (None, "us", "strict"),
        (Some("weekly"), "acme", "base"),
        (Some("weekly"), "us", "strict"),
        (Some("yearly"), "acme", "calm"),
        (Some("yearly"), "us", "calm"),
        (Some("plain"), "us", "base"),
        (Some("removed"), "us", "strict"),
    ] {
        assert_eq!(name(job, workspace), expected, "{job:?} {workspace}");
    }
    let (base, strict, calm) =
        (&settings.policy, settings.policy_for(None, "us"), settings.policy_for(Some("yearly"), "us"));
    assert_eq!((strict.max_administrators, strict.unconfirmed_days), (3, 7));
    assert_eq!(strict.company_domains, ["other.example"]);
    let subjects = |policy: &Policy| policy.exceptions.iter().map(|one| one.subject.clone()).collect::<Vec<_>>();
    assert_eq!((subjects(base), subjects(strict)), (vec!["1".to_owned()], vec!["1".to_owned(), "2".to_owned()]));
    let rules: Vec<(&str, RuleSetting)> = strict.rules.iter().map(|(name, of)| (name.as_str(), *of)).collect();
    assert_eq!(
        rules,
        [("administrator", RuleSetting::Severity(Severity::Critical)), ("stale-role-name", RuleSetting::Off)]
    );
    assert_eq!(**calm, Policy { name: "calm".to_owned(), unconfirmed_days: 90, ..(**base).clone() });
    assert_eq!(settings.policy_names(), ["base", "calm", "strict"]);
}

#[test]
fn an_unknown_policy_is_an_error_with_a_suggestion_and_an_unused_one_a_warning() {
    let text = format!("{WORKSPACE}policy = \"strikt\"\n[policies.strict]\n");
    let found = shown(&text);
    assert!(found.contains("unknown policy `strikt`") && found.contains("did you mean `strict`?"), "{found}");
    let found = shown(&format!("{WORKSPACE}policy = \"strict\"\n"));
    assert!(found.contains("add a table [policies.strict]"), "{found}");
    let (_, problems) = read_text(&format!("{WORKSPACE}[policies.strict]\n")).unwrap();
    assert!(problems.len() == 1 && problems[0].warning, "{problems:?}");
    assert!(problems[0].message.contains("no workspace and no job uses the policy `strict`"), "{problems:?}");
    let found = messages(&format!("{WORKSPACE}policy = \"base\"\n[policies.base]\n"));
    assert_eq!(found, ["a policy cannot be named `base`"]);
}

#[test]
fn what_is_wrong_in_the_base_is_said_once_and_what_is_wrong_in_a_policy_at_its_own_place() {
    let text = format!(
        "{WORKSPACE}policy = \"strict\"\n[policy]\nmax_administrators = 0\nrules = {{ nothing = \"off\" }}\n\
         [policies.strict]\nunconfirmed_days = -1\nmax_administrater = 1\n"
    );
    let problems = read_text(&text).unwrap_err();
    let mut at: Vec<&str> = problems.iter().map(|problem| &text[problem.span.clone().unwrap()]).collect();
    at.sort_unstable();
    assert_eq!(at, ["-1", "0", "max_administrater", "nothing"], "{problems:?}");
}

#[test]
fn a_domain_is_a_domain() {
    let of = |domain: &str| format!("{WORKSPACE}[policy]\ncompany_domains = [\"{domain}\"]\n");
    for (domain, read) in [
        ("Example.COM", "example.com"),
        ("mail.example.com.", "mail.example.com"),
        ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("BU\u{308}CHER.example", "xn--bcher-kva.example"),
        ("_dmarc.a-1.example", "_dmarc.a-1.example"),
    ] {
        let (settings, problems) = read_text(&of(domain)).unwrap();
        assert_eq!((problems, &*settings.policy.company_domains), (Vec::new(), &[read.to_owned()][..]), "{domain}");
    }
    for (domain, help) in [
        ("*.example.com", "subdomains are included: leave out the `*.`"),
        ("\u{ff45}xample.com", "type it again"),
        ("example\u{3002}com", "type it again"),
        ("\u{212a}elvin.example", "type it again"),
        ("ana@example.com", "without an @"),
        ("example", "without an @"),
        ("a..example", "without an @"),
        (".example.com", "without an @"),
        ("exa mple.com", "without an @"),
        ("https://example.com", "without an @"),
    ] {
        let shown = shown(&of(domain));
        assert!(shown.contains("invalid domain") && shown.contains(help), "{domain}: {shown}");
    }
    assert_eq!(
        messages(&of("exam\u{200b}ple.com")),
        ["`company_domains` contains U+200B (character 5), which cannot be seen"]
    );
}
