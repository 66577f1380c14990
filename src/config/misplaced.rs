//! Finds secrets that were written where the name of their place belongs.

use toml::de::{DeTable, DeValue};

use super::{
    names::{is_variable, looks_like_secret},
    problem::Problem,
};

/// An error for every secret that was written in place of its name.
pub(super) fn misplaced(table: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) => {
                for (kind, place) in inner.iter().filter(|_| inner.len() == 1) {
                    let (kind, name) = (kind.get_ref().as_ref(), place.get_ref().as_str().unwrap_or_default());
                    let problem = match kind {
                        "env" | "file" if looks_like_secret(name) => Some("this looks like the secret itself"),
                        "env" if !is_variable(name) => Some("this is not the name of an environment variable"),
                        _ => None,
                    };
                    problems.extend(problem.map(|problem| {
                        let message = format!("`{}` must say where to find the secret; {problem}", key.get_ref());
                        let help = "expected a name such as { env = \"ACME_CLIENT_SECRET\" } or { file = \"/run/secrets/acme\" }";
                        Problem::error(place.span(), message, help)
                    }));
                }
                problems.extend(misplaced(inner));
            }
            DeValue::Array(items) => {
                let tables = items.iter().filter_map(|item| item.get_ref().as_table());
                problems.extend(tables.flat_map(misplaced));
            }
            _ => {}
        }
    }
    problems
}
