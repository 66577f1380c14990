//! Hides secrets that someone wrote into a configuration, so that a message about a line does not show them.

use std::{collections::BTreeSet, ops::Range};

use toml::de::{DeTable, DeValue};

use super::names::{has_login, has_password, is_file, is_variable_name, looks_like_secret};

/// Parts of keys, misspelt or not, whose value may be a secret.
const SECRET_WORDS: [&str; 7] = ["secr", "tok", "pas", "pwd", "cred", "key", "heartb"];
/// Tables without secrets, where a value under an unknown key may be shown.
const HARMLESS: [&str; 3] = ["policy", "policies", "daemon"];
/// Keys whose value is an identifier that may look like a secret.
const IDS: [&str; 4] = ["client_id", "integrated_account_id", "organization", "subject"];
/// A number that is longer is hidden where a text would be.
const LONG_NUMBER: usize = 6;

/// The text with every value that may be a secret replaced by `*`, byte for byte, so that places stay the same.
pub(super) fn masked(text: &str, schema: &serde_json::Value) -> String {
    let (known, secret) = (keys(schema), secret_keys(schema));
    // What can be read of a text that is not valid TOML is masked by its structure, the rest line by line.
    let (table, _) = DeTable::parse_recoverable(text);
    let mut hidden = Vec::new();
    for (key, value) in table.get_ref() {
        let is_open = HARMLESS.contains(&key.get_ref().as_ref());
        let key_is_known = known.contains(key.get_ref().as_ref());
        collect(
            key.get_ref(),
            value.get_ref(),
            value.span(),
            &Walk { known: &known, secret: &secret, is_open, is_secret: !key_is_known },
            &mut hidden,
        );
    }
    let mut out: Vec<u8> = by_line(text).into_bytes();
    for span in hidden {
        let inside = text.get(span.clone()).unwrap_or_default();
        if let Some(place) = out.get_mut(span) {
            place.copy_from_slice(stars(inside).as_bytes());
        }
    }
    // Stars replace whole characters, so that it is still text.
    String::from_utf8(out).unwrap_or_default()
}

struct Walk<'k> {
    known: &'k BTreeSet<String>,
    /// Those of secrets.
    secret: &'k BTreeSet<String>,
    /// Whether values under unknown keys may be shown here.
    is_open: bool,
    /// Whether every text below is hidden.
    is_secret: bool,
}

fn collect(key: &str, value: &DeValue<'_>, span: Range<usize>, walk: &Walk<'_>, hidden: &mut Vec<Range<usize>>) {
    match value {
        DeValue::String(text) => {
            let is_bad_name = match key {
                "env" => !is_variable_name(text),
                "file" => !is_file(text),
                _ => false,
            };
            let is_out_of_place = !IDS.contains(&key) && text.split('@').any(looks_like_secret);
            let has_secret = has_password(text) || (!walk.is_open && has_login(text));
            if walk.is_secret || is_bad_name || is_out_of_place || has_secret {
                hidden.push(span);
            }
        }
        DeValue::Array(items) => {
            for item in items {
                collect(key, item.get_ref(), item.span(), walk, hidden);
            }
        }
        DeValue::Table(table) => {
            for (key, value) in table {
                let name = key.get_ref().as_ref();
                let is_named = matches!(value.get_ref(), DeValue::Table(_)) || walk.known.contains(name);
                let may_show = walk.is_open || is_named || matches!(name, "env" | "file");
                // A secret is a table that names its place.
                let is_secret = walk.secret.contains(name) && !matches!(value.get_ref(), DeValue::Table(_));
                let inner = Walk { is_secret: walk.is_secret || is_secret || !may_show, ..*walk };
                collect(name, value.get_ref(), value.span(), &inner, hidden);
            }
        }
        _ if walk.is_secret && span.len() >= LONG_NUMBER => hidden.push(span),
        _ => {}
    }
}

/// The names of all keys whose value says where a secret is.
fn secret_keys(schema: &serde_json::Value) -> BTreeSet<String> {
    const SECRET: &str = "#/$defs/Secret";
    let is_secret = |key: &serde_json::Value| {
        let options = key["anyOf"].as_array().into_iter().flatten();
        options.chain(std::iter::once(key)).any(|option| option["$ref"] == SECRET)
    };
    let keys = tables(schema).filter_map(|table| table["properties"].as_object()).flatten();
    keys.filter(|(_, key)| is_secret(key)).map(|(name, _)| name.clone()).collect()
}

/// All tables of a schema.
fn tables(schema: &serde_json::Value) -> impl Iterator<Item = &serde_json::Value> {
    schema["$defs"].as_object().into_iter().flatten().map(|(_, table)| table).chain(std::iter::once(schema))
}

/// The names of all keys of a schema.
fn keys(schema: &serde_json::Value) -> BTreeSet<String> {
    tables(schema).filter_map(|table| table["properties"].as_object()).flat_map(|keys| keys.keys().cloned()).collect()
}

fn by_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut until: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        if let Some(end) = until {
            out.push_str(&stars(line));
            until = until.filter(|_| !line.contains(end));
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            out.push_str(line);
            continue;
        };
        let key_of_secret = SECRET_WORDS.iter().any(|word| key.to_lowercase().contains(word));
        let is_shown = if key_of_secret { names_its_place(value) } else { !has_password(value) && !has_login(value) };
        if is_shown {
            out.push_str(line);
            continue;
        }
        out.push_str(key);
        out.push('=');
        out.push_str(&stars(value));
        // A text over several lines continues until its end.
        until = ["\"\"\"", "'''"].into_iter().find(|mark| value.matches(mark).count() == 1);
    }
    out
}

/// Whether the value of a secret only says where it is.
fn names_its_place(value: &str) -> bool {
    let Some(inside) = value.trim_start().strip_prefix('{') else { return false };
    ["env", "file"].into_iter().any(|kind| {
        let name = inside.trim_start().strip_prefix(kind).and_then(|rest| rest.trim_start().strip_prefix('='));
        let name = name.map(|name| name.trim().trim_end_matches('}').trim().trim_matches(['"', '\'']));
        name.is_some_and(
            |name| if kind == "env" { is_variable_name(name) } else { is_file(name) && !name.contains('"') },
        )
    })
}

/// As many bytes of `*` as a text has; white space stays.
fn stars(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() { c.to_string() } else { "*".repeat(c.len_utf8()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let masked = masked(text, &crate::config::json_schema());
        assert_eq!(masked.len(), text.len(), "no place moves");
        masked
    }

    #[test]
    fn a_secret_that_is_written_out_is_not_shown_and_everything_else_is() {
        let text = "[workspaces.acme]\nclient_secret = \"s3crét\"\nconnector = \"shown\"\nrefresh_tokn = { value = \"s3crét\" }\n\
                    api_token = \"\"\"\ns3crét\n\"\"\"\norganization = \"after\"\n[smtp]\npassword = { env = \"NAME\" }\n\
                    [policy]\ncompany_domain = [\"example.com\"]\n";
        let masked = shown(text);
        assert!(!masked.contains("s3cr"), "{masked}");
        for shown in ["connector = \"shown\"", "{ env = \"NAME\" }", "organization = \"after\"", "[\"example.com\"]"] {
            assert!(masked.contains(shown), "{masked}");
        }
    }

    #[test]
    fn no_misspelt_key_shows_its_secret() {
        for text in [
            "[smtp]\npasword = \"hunter22\"",
            "[smtp]\nlogin = \"hunter22\"",
            "[smtp]\nlogin = [\"hunter22\"]\nhost = \"x\"",
            "[workspaces.acme]\nsekret = \"hunter22\"",
            "[workspaces.acme]\nsekret = { value = \"hunter22\" }",
            "[workspace.acme]\nsekret = \"hunter22\"",
            "[jobs.weekly]\nheartbet = \"https://hc.example/hunter22\"",
            "[smtp]\nhost = broken\npasword = \"hunter22",
            "[store]\nurl = \"postgres://rolecall:hunter22@db/rolecall\"",
            "[store]\nurl = \"postgres://rolecall@db/rolecall?password=hunter22\"",
            "[store]\nurl = \"postgres://rolecall:hunter22@db/rolecall",
            "[smtp]\nhost = \"user:hunter22@mail.example.com\"",
            "[smtp]\nhost = \"user:hunter22@mail.example.com",
            "[smtp]\nhost = \"smtp://user:hunter22@mail.example.com\"",
            "smtp = { host = \"x\", password = \"hunter22\" }",
            "smtp = { host = \"x\", password = [\"hunter22\"] }",
            "[evidence]\ns3 = { access_key_id = \"hunter22\", secret_access_key = \"hunter22\" }",
            "[evidence]\nurl = \"s3://AKIA:hunter22@bucket/prefix\"",
            "[jobs.weekly]\nheartbeat = \"https://hc.example/hunter22\"",
            "jobs.weekly = { heartbeat = \"https://hc.example/hunter22\" }",
            "[rosters.hr]\nsource = { url = \"https://hr.example.com/people?key=hunter22\" }",
            "[workspaces.acme]\nclient_secret = { env = \"hunter22\" }",
            "[workspaces.acme]\nclient_secret = { env = \"hunter22\"",
            "[workspaces.acme]\nclient_secret = { file = \"hunter22\" }",
            "[workspaces.acme]\nrefresh_tokn = { env = \"hunter22\" }",
        ] {
            let masked = shown(text);
            assert!(!masked.contains("hunter22"), "{masked}");
        }
    }

    #[test]
    fn a_secret_in_place_of_a_name_is_not_shown() {
        for secret in [
            "74b246c5e0b84b1f9a535f0d9c2e71aa",
            "1000.70c5de1f4b6a9c.8e3d21",
            "hunter-22!",
            "aBcDeFgHiJkLmNoPqRs12",
            "qwertyuiopasdfghjklzxcvbnmqwertyuiop",
            "JBSWY3DP22K3PXP456789JBSWY",
        ] {
            let masked = shown(&format!("[workspaces.acme]\nclient_secret = {{ env = \"{secret}\" }}\n"));
            assert!(!masked.contains(secret), "{masked}");
        }
        let masked = shown("smtp = { host = \"x\", password = 12345678, pasword = 12345678, prt = 1 }");
        assert!(!masked.contains("12345678") && masked.contains("prt = 1"), "{masked}");
        let masked = shown("[workspaces.acme]\nrefresh_token = { file = \"1000.70c5de1f4b6a9c.8e3d21\" }\n");
        assert!(!masked.contains("70c5"), "{masked}");
    }
}
