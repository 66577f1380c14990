//! What `rolecall policy show` prints is a configuration again.

use super::*;

#[test]
fn the_complete_policy_as_a_table_gives_the_same_policy() {
    let full = format!(
        "{WORKSPACE}[policy]\nframeworks = [\"iso27001\", \"soc2\"]\nrules = {{ administrator = \"off\", shared-mailbox = \"high\" }}\n\
         off_reasons = {{ administrator = \"listed # elsewhere\" }}\nmax_administrator_percent = 12.5\napproved_administrators = []\n\
         [[policy.accounts]]\nsubject = \"svc-*@example.com\"\nkind = \"break-glass\"\nowner = \"a@example.com\"\n\
         reason = \"two\\nlines\"\nuntil = 2027-06-30\n\
         [[policy.separations]]\nname = \"both\"\nfirst = {{ permission = \"Export*\" }}\nsecond = {{ profile = \"Administrator\" }}\n\
         severity = \"high\"\n"
    );
    for text in [WORKSPACE, EXAMPLE, full.as_str()] {
        let (settings, _) = read_text(text).unwrap();
        let shown = settings.policy.toml().unwrap();
        // The example names its workspace acme, too.
        let (again, problems) = read_text(&format!("{WORKSPACE}{shown}")).unwrap();
        assert_eq!(problems, [], "{shown}");
        assert_eq!(again.policy, settings.policy, "{shown}");
        assert_eq!(again.policy.sha256(), settings.policy.sha256());
    }
}

#[test]
fn a_rule_that_is_off_needs_a_reason_and_a_reason_needs_a_rule_that_is_off() {
    let warned = |policy: &str| -> Vec<String> {
        let (_, problems) = read_text(&format!("{WORKSPACE}policy = \"strict\"\n{policy}")).unwrap();
        assert!(problems.iter().all(|problem| problem.warning), "{problems:?}");
        problems.into_iter().map(|problem| problem.message).collect()
    };
    let off = "[policy]\nrules = { administrator = \"off\" }\n";
    let reason = "off_reasons = { administrator = \"listed elsewhere\" }\n";
    let missing = "the rule `administrator` is off without a reason";
    assert_eq!(warned(&format!("{off}[policies.strict]\n")), [missing], "once");
    assert_eq!(warned(&format!("{off}{reason}[policies.strict]\n")), [""; 0]);
    assert_eq!(warned(&format!("{off}{reason}[policies.strict]\nrules = {{ administrator = \"high\" }}\n")), [""; 0]);
    assert_eq!(warned("[policies.strict]\nrules = { administrator = \"off\" }\n"), [missing]);
    let not_off = "off_reasons has a reason for `administrator`, which is not off";
    assert_eq!(warned(&format!("[policy]\n{reason}[policies.strict]\n")), [not_off]);
    assert_eq!(warned(&format!("[policies.strict]\n{reason}")), [not_off]);
    let messages = messages(&format!("{WORKSPACE}{off}off_reasons = {{ administrator = \" \", nothing = \"x\" }}\n"));
    assert_eq!(messages, ["the reason for a rule that is off must not be empty", "unknown rule `nothing`"]);
}
