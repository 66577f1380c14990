//! Finds paths that mean something else than they seem to: rolecall expands neither `~` nor variables.

use toml::de::{DeTable, DeValue};

use super::problem::Problem;

/// Keys whose value is a path, or a URL of one.
const PATHS: [&str; 6] = ["file", "directory", "ca_file", "root_certificate", "url", "workspaces_dir"];

/// An error for every path that a shell would expand, and for every empty one.
pub(super) fn unexpanded(table: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) => problems.extend(unexpanded(inner)),
            DeValue::Array(items) => {
                let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                problems.extend(tables.flat_map(unexpanded));
            }
            DeValue::String(text) if PATHS.contains(&key.get_ref().as_ref()) => {
                let path = text.strip_prefix("sqlite:").map_or(text.as_ref(), |path| path.trim_start_matches("//"));
                let problem = match path.trim().chars().next() {
                    Some('~') => "`~` is not expanded: it would be a folder of that name",
                    Some('$') => "variables are not expanded in a path",
                    // An empty store URL has an error of its own.
                    None if key.get_ref() != "url" => "the path is empty",
                    _ => continue,
                };
                let help = "expected an absolute path, or one relative to the folder of this file";
                problems.push(Problem::error(value.span(), problem, help));
            }
            _ => {}
        }
    }
    problems
}
