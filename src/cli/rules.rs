//! `rolecall rules`: the rules, and the documentation of each.

use super::output::{self, Failure};
use crate::{audit::RuleSet, model::rule::RuleList};

pub(super) fn run(name: Option<&str>) -> Result<(), Failure> {
    let rules = RuleSet::built_in();
    let rules = rules.list();
    let Some(name) = name else {
        let width = rules.names().map(str::len).max().unwrap_or(0);
        for rule in rules.iter() {
            let (name, severity, criteria) = (&rule.name, rule.severity, rule.criteria_text());
            output::line(&format!("{name:<width$}  {severity:<8}  {criteria:<5}  {}", rule.title));
        }
        return Ok(());
    };
    let rule = rules.get(name).ok_or_else(|| {
        let hint = nearest(rules, name).map_or_else(String::new, |rule| format!(" (did you mean `{rule}`?)"));
        Failure::usage(format!("unknown rule `{name}`{hint}; run `rolecall rules` for the list"))
    })?;
    output::line(&reflowed(rule.doc.trim_end()));
    output::line(&format!("\nDefault severity: {}", rule.severity));
    Ok(())
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
fn nearest<'r>(rules: &'r RuleList, word: &str) -> Option<&'r str> {
    /// How alike two words are of which one is the other misspelt; 1 is equal.
    const ALIKE: f64 = 0.8;
    let likeness = rules.names().map(|name| (strsim::jaro_winkler(word, name), name));
    likeness.filter(|(alike, _)| *alike > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
