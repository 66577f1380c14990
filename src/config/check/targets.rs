//! Which workspaces a job has: names, and patterns that stand for every configured workspace that matches.

use std::collections::BTreeSet;

use toml::Spanned;

use super::Checker;
use crate::{
    config::problem::Problem,
    model::pattern::Pattern,
    words::{NAMED, list},
};

/// The workspaces of a job.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Each once, in their order: as listed, and those that match a pattern by name.
    pub(super) names: Vec<String>,
    has_patterns: bool,
}

impl Targets {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn has_patterns(&self) -> bool {
        self.has_patterns
    }
}

impl Checker<'_> {
    /// The workspaces that a list of names and patterns stands for.
    pub(super) fn targets(&mut self, written: &Spanned<Vec<Spanned<String>>>) -> Targets {
        if written.get_ref().is_empty() {
            let known = &self.written.workspaces;
            let help = format!("configured: {}", list(&known.iter().take(NAMED).collect::<Vec<_>>(), known.len()));
            self.error(written.span(), "a job needs at least one workspace", help);
        }
        let (mut targets, mut seen) = (Targets::default(), BTreeSet::new());
        for one in written.get_ref() {
            let names = if is_pattern(one.get_ref()) {
                targets.has_patterns = true;
                self.matching(one)
            } else {
                self.known_workspace(one);
                vec![one.get_ref().clone()]
            };
            targets.names.extend(names.into_iter().filter(|name| seen.insert(name.clone())));
        }
        targets
    }

    /// The workspaces that match a pattern, by name.
    fn matching(&mut self, written: &Spanned<String>) -> Vec<String> {
        let pattern = match Pattern::parse(written.get_ref()) {
            Ok(pattern) => pattern,
            Err(error) => {
                self.error(written.span(), error.to_string(), "expected a pattern such as `emea-*`");
                return Vec::new();
            }
        };
        let known = &self.written.workspaces;
        let names: Vec<String> = known.iter().filter(|name| pattern.matches(name)).cloned().collect();
        // Without any workspace, that is the error.
        if names.is_empty() && !self.context.is_applied && (self.written.has_directory || !known.is_empty()) {
            let help = format!("configured: {}", list(&known.iter().take(NAMED).collect::<Vec<_>>(), known.len()));
            let message = format!("no workspace matches `{}`", written.get_ref());
            let problem = if self.written.has_directory { Problem::warning } else { Problem::error };
            self.problems.push(problem(written.span(), message, help));
        }
        names
    }
}

/// Whether a text is a pattern: no name of a workspace has one of these characters.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?']) || text.starts_with('/')
}
