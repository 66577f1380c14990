//! `{workspace}` in the path of a secret: one line of configuration for the secrets of every workspace. The name of a workspace
//! is letters, digits, `-` and `_`, so that the path leads nowhere else.

use toml::de::{DeTable, DeValue};

use super::problem::Problem;

/// What stands for the name of the workspace.
const PLACEHOLDER: &str = "{workspace}";

/// The path of a secret of a workspace.
pub(super) fn expanded(path: &str, workspace: &str) -> String {
    path.replace(PLACEHOLDER, workspace)
}

/// An error for every other placeholder in the table of a workspace.
pub(super) fn of_workspace(table: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    each_path(table, &mut |path, span| {
        let other = others(path);
        let wrong = |part: &str| {
            let message = format!("unknown placeholder `{part}` in the path of a secret");
            Problem::error(span.clone(), message, format!("expected {PLACEHOLDER}, the name of the workspace"))
        };
        problems.extend(other.into_iter().map(wrong));
    });
    problems
}

/// The errors of a whole configuration: unknown placeholders in workspaces, and the placeholder where there is no workspace.
pub(super) fn misused(root: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in root {
        let Some(table) = value.get_ref().as_table() else { continue };
        if matches!(key.get_ref().as_ref(), "workspaces" | "workspace") {
            problems.extend(of_workspace(table));
            continue;
        }
        each_path(table, &mut |path, span| {
            if path.contains(PLACEHOLDER) {
                let help = "it is replaced in the secrets of workspaces only; name the file";
                problems.push(Problem::error(span, format!("`{PLACEHOLDER}` has no meaning here"), help));
            }
        });
    }
    problems
}

/// Every path of a secret below a table, with its place.
fn each_path(table: &DeTable<'_>, found: &mut dyn FnMut(&str, std::ops::Range<usize>)) {
    for (_, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) => {
                let path = inner.get("file").filter(|_| inner.len() == 1);
                if let Some((path, text)) = path.and_then(|path| Some((path, path.get_ref().as_str()?))) {
                    found(text, path.span());
                }
                each_path(inner, found);
            }
            DeValue::Array(items) => {
                for inner in items.iter().filter_map(|item| item.get_ref().as_table()) {
                    each_path(inner, found);
                }
            }
            _ => {}
        }
    }
}

/// What stands in braces in a path and is not the placeholder.
fn others(path: &str) -> Vec<&str> {
    let mut rest = path;
    let mut others = Vec::new();
    while let Some(start) = rest.find('{') {
        let inside = &rest[start..];
        let end = inside.find('}').map_or(inside.len(), |end| end + 1);
        if &inside[..end] != PLACEHOLDER {
            others.push(&inside[..end]);
        }
        rest = &inside[end..];
    }
    others
}
