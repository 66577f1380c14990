//! `rolecall rules`: what is judged, and the documentation of each rule.

use super::output::{self, Failure};
use crate::audit::registry;

pub(super) fn run(name: Option<&str>) -> Result<(), Failure> {
    let Some(name) = name else {
        let width = registry::rules().iter().map(|rule| rule.name.len()).max().unwrap_or(0);
        for rule in registry::rules() {
            output::line(&format!(
                "{:<width$}  {:<8}  {:<5}  {}",
                rule.name, rule.severity, rule.criterion, rule.title
            ));
        }
        return Ok(());
    };
    let rule = registry::rule(name).ok_or_else(|| {
        let meant = nearest(name).map_or_else(|| ";".to_owned(), |rule| format!("; did you mean `{rule}`?"));
        Failure::usage(format!("there is no rule `{name}`{meant} `rolecall rules` lists them all"))
    })?;
    output::line(rule.doc.trim_end());
    output::line(&format!("\nSeverity: {}, unless the policy says otherwise", rule.severity));
    Ok(())
}

/// The rule whose name is most like a word; none where no name is much like it.
fn nearest(word: &str) -> Option<&'static str> {
    /// How much alike two words are that are one and the same, misspelt: 1 is equal.
    const ALIKE: f64 = 0.8;
    let likeness = registry::rules().iter().map(|rule| (strsim::jaro_winkler(word, rule.name), rule.name));
    likeness.filter(|(alike, _)| *alike > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
