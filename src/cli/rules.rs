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
    let rule = registry::rule(name)
        .ok_or_else(|| Failure::usage(format!("there is no rule `{name}`; `rolecall rules` lists them all")))?;
    output::line(rule.doc.trim_end());
    output::line(&format!("\nSeverity: {}, unless the policy says otherwise", rule.severity));
    Ok(())
}
