//! Plain data for the tests of all rooms.

use std::sync::Arc;

use super::{
    finding::Severity,
    rule::{RuleInfo, RuleList},
};

/// Rules of these names, titles and advice, all of CC6.3.
pub(crate) fn rules(rules: &[(&str, &str, &str)]) -> Arc<RuleList> {
    let info = |(name, title, advice): &(&str, &str, &str)| {
        Arc::new(RuleInfo {
            name: (*name).into(),
            title: (*title).to_owned().into(),
            severity: Severity::Medium,
            criteria: vec!["CC6.3".into()],
            doc: format!("# {name}\n\n## How to fix it\n\n{advice}\n").into(),
        })
    };
    Arc::new(rules.iter().map(info).collect())
}
