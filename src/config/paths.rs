//! Finds texts that mean something else than they seem to: paths that a shell would expand, which rolecall does not, blanks
//! around a path or an id, and characters that nobody sees.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{names::is_unseen, problem::Problem};

/// Keys whose value is a path, or a URL of one.
const PATHS: [&str; 8] =
    ["file", "directory", "ca_file", "root_certificate", "certificate", "spool", "url", "workspaces_dir"];
/// Keys whose value is sent as it is written.
const IDS: [&str; 3] = ["client_id", "integrated_account_id", "username"];
/// Keys whose value is what people write, or call things elsewhere: a word of another script may need a character of no width.
/// Everything in them is theirs, too.
const FREE: [&str; 23] = [
    "administrator_profiles",
    "approved_by",
    "columns",
    "current",
    "custom_rules",
    "dangerous_permissions",
    "date_format",
    "department",
    "first",
    "name",
    "off_reasons",
    "organization",
    "owner",
    "permission",
    "profile",
    "profiles",
    "reason",
    "role",
    "roles",
    "second",
    "subject",
    "ticket",
    "title",
];
/// Tables whose keys are names that the operator chose: `[rosters.profiles]` is a roster, whatever it is called.
const NAMED: [&str; 5] = ["jobs", "policies", "reviews", "rosters", "workspaces"];
/// A sender: a name, which is free, and an address in angle brackets.
const SENDER: &str = "from";
/// The name of a variable, which has an error of its own.
const VARIABLE: &str = "env";

/// An error for every text that hides what it means, and for every path that is empty or would be expanded by a shell.
pub(super) fn deceptive(table: &DeTable<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in table {
        let key = key.get_ref();
        match value.get_ref() {
            DeValue::Table(chosen) if NAMED.contains(&&**key) => {
                for (_, value) in chosen {
                    in_value("", value, &mut problems);
                }
            }
            _ => in_value(key, value, &mut problems),
        }
    }
    problems
}

fn in_value(key: &str, value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) {
    match value.get_ref() {
        DeValue::Table(_) | DeValue::Array(_) if FREE.contains(&key) => {}
        DeValue::Table(inner) => problems.extend(deceptive(inner)),
        DeValue::Array(items) => items.iter().for_each(|item| in_value(key, item, problems)),
        DeValue::String(text) => {
            let found = hidden(key, text).or_else(|| around(key, text)).or_else(|| unexpanded(key, text));
            problems.extend(found.map(|(problem, help)| Problem::error(value.span(), problem, help)));
        }
        _ => {}
    }
}

/// A character that nobody sees, and what to do.
fn hidden(key: &str, text: &str) -> Option<(String, &'static str)> {
    if FREE.contains(&key) || key == VARIABLE {
        return None;
    }
    let address = text.rfind('<').filter(|_| key == SENDER).unwrap_or(0);
    let (place, unseen) = text.char_indices().find(|(at, c)| *at >= address && (c.is_control() || is_unseen(*c)))?;
    let number = text.get(..place).map_or(0, |before| before.chars().count()) + 1;
    let character = format!("U+{:04X} (character {number})", u32::from(unseen));
    Some((
        format!("`{key}` contains {character}, which cannot be seen"),
        "remove it, or type the value again: it probably came with a copy from a page or a document",
    ))
}

/// A blank at the beginning or the end of a path or an id.
fn around(key: &str, text: &str) -> Option<(String, &'static str)> {
    let is_exact = PATHS.contains(&key) || IDS.contains(&key);
    let inner = without_scheme(text);
    let is_blank = |text: &str| text.trim() != text && !text.trim().is_empty();
    (is_exact && (is_blank(text) || is_blank(inner)))
        .then(|| (format!("`{key}` begins or ends with a blank"), "remove the blank: it would be part of the value"))
}

/// A path that is empty, or that a shell would expand.
fn unexpanded(key: &str, text: &str) -> Option<(String, &'static str)> {
    let problem = match without_scheme(text).trim().chars().next() {
        _ if !PATHS.contains(&key) => return None,
        Some('~') => "`~` is not expanded: it would be a folder of that name",
        Some('$') => "variables are not expanded in a path",
        // An empty URL has an error of its own.
        None if key != "url" => "the path is empty",
        _ => return None,
    };
    Some((problem.to_owned(), "expected an absolute path, or one relative to the folder of this file"))
}

/// The path in the address of a store.
fn without_scheme(text: &str) -> &str {
    text.strip_prefix("sqlite:").map_or(text, |path| path.trim_start_matches("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        deceptive(DeTable::parse(text).unwrap().get_ref()).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn what_people_write_may_have_characters_of_no_width() {
        // Persian words have a non-joiner, and emoji a joiner.
        for key in ["subject", "reason", "title", "organization", "profile"] {
            assert_eq!(found(&format!("{key} = \"می\u{200c}خواهم 👩\u{200d}💻 \"\n")), [""; 0], "{key}");
        }
        assert_eq!(found("[columns]\nemail = \"E\u{200b}mail\"\n[off_reasons]\nx = \"a\\nb\"\n"), [""; 0]);
        assert_eq!(found("from = \"👩\u{200d}💻 <audit@example.com>\"\n"), [""; 0]);
    }

    #[test]
    fn what_is_compared_or_sent_as_it_is_has_none() {
        for (text, expected) in [
            ("approved_administrators = [\"ana@example.com\", \"b\u{200b}o@example.com\"]", "U+200B (character 2)"),
            ("[a.resources]\nusers = \"us\u{2060}ers\"", "`users` contains U+2060 (character 3)"),
            ("[[accounts]]\nworkspace = \"ac\\u0007me\"", "`workspace` contains U+0007 (character 3)"),
            ("[a]\nspool = \"x\\t\"", "`spool` contains U+0009 (character 2)"),
            ("[a]\ncertificate = \"x \"", "`certificate` begins or ends with a blank"),
            ("integrated_account_id = \" x\"", "`integrated_account_id` begins or ends with a blank"),
            ("[rosters.profiles]\nsource = { file = \"~/hr.csv\" }", "`~` is not expanded"),
            ("[workspaces.first]\nclient_id = \" x\"", "`client_id` begins or ends with a blank"),
            ("[jobs.current]\nworkspaces = [\"ac\u{200b}me\"]", "`workspaces` contains U+200B"),
        ] {
            let found = found(text);
            assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
        }
    }
}
