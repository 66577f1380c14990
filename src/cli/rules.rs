//! `rolecall rules`: the rules, and the documentation of each.

use std::path::Path;

use super::{
    check,
    output::{self, Failure, plain},
};
use crate::{audit::RuleSet, config, model::rule::RuleInfo};

/// The longest title in the list, in characters.
const TITLE: usize = 200;

pub(super) fn run(named: Option<&Path>, name: Option<&str>) -> Result<(), Failure> {
    let built_in = RuleSet::built_in();
    let built_in = built_in.list();
    let Some(name) = name else {
        let own = own(named)?;
        let all = || built_in.iter().chain(&own);
        let width = all().map(|rule| rule.name.len()).max().unwrap_or(0);
        for rule in all() {
            let (name, severity, criteria) = (&rule.name, rule.severity, rule.criteria_text());
            output::line(&format!("{name:<width$}  {severity:<8}  {criteria:<5}  {}", plain(&rule.title, TITLE)));
        }
        return Ok(());
    };
    // What comes with rolecall needs no configuration.
    let own = if built_in.get(name).is_some() { Vec::new() } else { own(named)? };
    let rule = built_in.get(name).or_else(|| own.iter().find(|rule| rule.name == *name));
    let rule = rule.ok_or_else(|| {
        let known = built_in.names().chain(own.iter().map(|rule| rule.name.as_str()));
        let hint = nearest(known, name).map_or_else(String::new, |rule| format!(" (did you mean `{rule}`?)"));
        Failure::usage(format!("unknown rule `{name}`{hint}; run `rolecall rules` for the list"))
    })?;
    output::line(&reflowed(rule.doc.trim_end()));
    output::line(&format!("\nDefault severity: {}", rule.severity));
    Ok(())
}

/// The rules of the company's own in all policies of the configuration. None without a configuration, unless it is named.
fn own(named: Option<&Path>) -> Result<Vec<RuleInfo>, Failure> {
    if named.is_none() && config::locate(None).is_err() {
        return Ok(Vec::new());
    }
    let settings = check::load_with_failing_tests(named)?;
    let mut own: Vec<RuleInfo> = Vec::new();
    for policy in settings.policy_names().into_iter().filter_map(|name| settings.policy_named(name)) {
        let rules = RuleSet::for_policy(policy);
        let custom = policy.custom_rules.iter();
        let new = rules.list().iter().filter(|rule| {
            custom.clone().any(|custom| rule.name == *custom.name) && own.iter().all(|known| known.name != rule.name)
        });
        let new: Vec<_> = new.cloned().collect();
        own.extend(new);
    }
    Ok(own)
}

/// A document with each paragraph on one line, so that it is wrapped for the terminal that shows it.
fn reflowed(doc: &str) -> String {
    let paragraph = |text: &str| {
        let starts = |line: &str| line.starts_with(['#', '-', '|', '`']) || line.trim_start().len() < line.len();
        text.lines().fold(String::new(), |out, line| match out.as_str() {
            "" => line.to_owned(),
            _ if starts(line) && !line.starts_with("  ") => format!("{out}\n{line}"),
            _ => format!("{out} {}", line.trim_start()),
        })
    };
    doc.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// The rule whose name is most like a word. `None` if no name is much like it.
fn nearest<'r>(names: impl Iterator<Item = &'r str>, word: &str) -> Option<&'r str> {
    /// How alike two words are of which one is the other misspelt; 1 is equal.
    const ALIKE: f64 = 0.8;
    let likeness = names.map(|name| (strsim::jaro_winkler(word, name), name));
    likeness.filter(|(alike, _)| *alike > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
