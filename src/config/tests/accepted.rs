//! Exceptions, planned fixes and separations that are refused, and those that are not.

use super::*;
use crate::model::separation::Right;

fn exception(more: &str) -> String {
    let plain = [("rule", "\"administrator\""), ("subject", "\"1\""), ("approved_by", "\"a@example.com\"")];
    let plain = plain.into_iter().chain([("reason", "\"known\""), ("until", "2027-01-31")]);
    let own: Vec<&str> = more.lines().filter_map(|line| line.split(" =").next()).collect();
    let rest: Vec<String> =
        plain.filter(|(key, _)| !own.contains(key)).map(|(key, value)| format!("{key} = {value}\n")).collect();
    let rest = rest.concat();
    format!("{WORKSPACE}[[policy.exceptions]]\n{more}\n{rest}")
}

#[test]
fn an_exception_without_approver_reason_or_end_is_refused() {
    for key in ["approved_by", "reason"] {
        for blank in ["\"\"", "\"  \"", "\"\\t\\n\"", "\"\\u200b\"", "\"\\u00a0\""] {
            let said = shown(&exception(&format!("{key} = {blank}")));
            assert!(said.contains(&format!("an exception's `{key}` must not be empty")), "{said}");
        }
    }
    for key in ["approved_by", "reason", "until"] {
        let text = exception("");
        let without: Vec<&str> = text.lines().filter(|line| !line.starts_with(key)).collect();
        let without = without.join("\n");
        assert!(shown(&without).contains(key), "{without}");
    }
    let said = shown(&exception("ticket = \" \"\nowner = \"\""));
    assert!(said.contains("an exception's `ticket` must not be empty"), "{said}");
    assert!(said.contains("an exception's `owner` must not be empty"), "{said}");
}

#[test]
fn a_pattern_is_checked_and_kept_as_it_is_written() {
    let (settings, problems) =
        read_text(&exception("subject = \"*@Partner.example.com\"\nticket = \"SEC-142\"")).unwrap();
    assert_eq!(problems, []);
    let kept = &settings.policy.exceptions[0];
    assert_eq!((kept.subject.as_str(), kept.ticket.as_deref()), ("*@Partner.example.com", Some("SEC-142")));
    let said = shown(&exception("subject = '/svc-(/'"));
    assert!(said.contains("invalid regular expression"), "{said}");
}

#[test]
fn a_protected_rule_needs_the_policy_to_name_it() {
    let text = format!(
        "{WORKSPACE}[[policy.exceptions]]\nrule = \"incomplete-read\"\nsubject = \"*\"\napproved_by = \"a@example.com\"\n\
         reason = \"known\"\nuntil = 2027-01-31\n"
    );
    let rules = ["administrator", "incomplete-read"];
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let read = |text: &str| {
        let (folder, stand_ins) = (Path::new("/"), shape::StandIns::default());
        let context = check::Context { text, folder, rules: &rules, now, is_applied: false, stand_ins: &stand_ins };
        read(Path::new("rolecall.toml"), text, &context, None).0
    };
    let problems = |text: &str| read(text).map_or_else(|problems| problems, |(_, problems)| problems);
    let refused = problems(&text);
    assert_eq!(refused[0].message, "an exception must not accept findings of `incomplete-read`");
    let allowed = text.replace("[[policy.exc", "[policy]\nmay_except = [\"incomplete-read\"]\n[[policy.exc");
    let (settings, said) = read(&allowed).unwrap();
    assert_eq!((said, settings.policy.may_except.len()), (Vec::new(), 1));
    let wrong = problems(&allowed.replace("[\"incomplete-read\"]", "[\"incomplete-read\", \"administrator\"]"));
    assert!(wrong[0].message.starts_with("invalid rule `administrator` in `may_except`"), "{wrong:?}");
}

#[test]
fn a_planned_fix_needs_an_owner_and_warns_after_its_day() {
    let fix = |owner: &str, until: &str| {
        format!(
            "{WORKSPACE}[[policy.planned_fixes]]\nrule = \"administrator\"\nsubject = \"1\"\nowner = \"{owner}\"\n\
             reason = \"split\"\nuntil = {until}\n"
        )
    };
    assert!(shown(&fix(" ", "2027-01-31")).contains("a planned fix's `owner` must not be empty"));
    assert!(shown(&fix("ben@example.com", "2026-11-22")).contains("this planned fix was due on 2026-11-22"));
    let (settings, problems) = read_text(&fix("ben@example.com", "2026-11-23")).unwrap();
    assert_eq!((problems, settings.policy.planned_fixes.len()), (Vec::new(), 1));
}

#[test]
fn a_side_of_a_separation_is_one_right() {
    let separation = |first: &str, more: &str| {
        format!(
            "{WORKSPACE}[[policy.separations]]\nname = \"sod\"\nfirst = {first}\nsecond = {{ role = \"CEO\" }}\n{more}\n"
        )
    };
    let (settings, problems) = read_text(&separation("{ permission = \"Export*\" }", "severity = \"low\"")).unwrap();
    assert_eq!(problems, []);
    assert_eq!(settings.policy.separations[0].first, Right::Permission("Export*".into()));
    let one_of = "expected one of `permission`, `profile` and `role`";
    assert!(shown(&separation("{}", "")).contains(one_of));
    assert!(shown(&separation("{ permission = \"a\", profile = \"b\" }", "")).contains(one_of));
    assert!(shown(&separation("{ profile = \"\" }", "")).contains("the profile must not be empty"));
    assert!(shown(&separation("{ profile = \"/(/\" }", "")).contains("invalid regular expression"));
    assert!(shown(&separation("{ profile = \"a\" }", "severity = \"off\"")).contains("invalid severity `off`"));
    let twice = separation(
        "{ profile = \"a\" }",
        "[[policy.separations]]\nname = \"sod\"\nfirst = { role = \"a\" }\nsecond = { role = \"b\" }",
    );
    assert!(shown(&twice).contains("two separations with the name `sod`"));
}

#[test]
fn what_lasts_longer_than_the_policy_allows_is_warned_of() {
    let account = |until: &str, more: &str| {
        format!(
            "{WORKSPACE}[policy]\n{more}\n[[policy.accounts]]\nsubject = \"svc@example.com\"\nkind = \"service\"\n\
             owner = \"ana@example.com\"\nreason = \"Writes leads\"\nuntil = {until}\n"
        )
    };
    let long = |what: &str, days: u32| format!("this {what} lasts longer than {days} days (max_exception_days)");
    assert_eq!(messages(&account("2099-12-31", "")), [long("declaration", 366)]);
    assert_eq!(messages(&account("2027-01-31", "max_exception_days = 30")), [long("declaration", 30)]);
    assert_eq!(messages(&account("2027-06-30", "")), [""; 0]);
    assert_eq!(messages(&account("2026-01-31", "")), ["this declaration expired on 2026-01-31"]);
    assert_eq!(messages(&exception("until = 2099-12-31")), [long("exception", 366)]);
}
