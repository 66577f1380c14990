//! Hides secrets that someone wrote into a configuration, so that a message about a line does not show them.

use std::{collections::BTreeSet, ops::Range};

use toml::de::{DeTable, DeValue};

/// Parts of keys, misspelt or not, whose value may be a secret.
const SECRET_WORDS: [&str; 6] = ["secr", "tok", "pas", "pwd", "cred", "key"];
/// Tables without secrets, where a value under an unknown key may be shown.
const HARMLESS: [&str; 3] = ["policy", "policies", "daemon"];
/// Keys whose value is an identifier that may look like a secret.
const IDS: [&str; 4] = ["client_id", "integrated_account_id", "organization", "subject"];
/// An identifier that is shorter is not taken for a secret.
const SHORT: usize = 20;
/// A run of letters and digits that is longer is taken for one: nobody names a variable or a file so.
const LONG: usize = 32;

/// The text with every value that may be a secret replaced by `*`, byte for byte, so that places stay the same.
pub(super) fn masked(text: &str, schema: &serde_json::Value) -> String {
    let known = keys(schema);
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
            &Walk { known: &known, is_open, is_secret: !key_is_known },
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

/// Whether the name of a variable or file is more likely the secret itself.
pub(super) fn looks_like_secret(name: &str) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let small = name.chars().filter(char::is_ascii_lowercase).count();
    let is_mixed = small > 0 && name.chars().any(|c| c.is_ascii_uppercase());
    // Names have separators; tokens are runs of digits and small letters, Zoho's with dots between.
    let is_run = name.split('.').all(|part| part.chars().all(|c| c.is_ascii_alphanumeric()));
    let is_random = digits >= 4 && (small >= 2 || digits >= 8) || is_mixed && digits >= 2;
    is_run && (name.len() >= SHORT && is_random || name.len() >= LONG)
}

/// Whether a name can be that of an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(is_good)
}

struct Walk<'k> {
    known: &'k BTreeSet<String>,
    /// Whether values under unknown keys may be shown here.
    is_open: bool,
    /// Whether every text below is hidden.
    is_secret: bool,
}

fn collect(key: &str, value: &DeValue<'_>, span: Range<usize>, walk: &Walk<'_>, hidden: &mut Vec<Range<usize>>) {
    match value {
        DeValue::String(text) => {
            let names_place = matches!(key, "env" | "file") && !walk.is_secret;
            let is_bad_name = names_place && (looks_like_secret(text) || (key == "env" && !is_variable(text)));
            let is_out_of_place = !IDS.contains(&key) && text.split('@').any(looks_like_secret);
            if walk.is_secret || is_bad_name || is_out_of_place || has_password(text) {
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
                let inner = Walk { is_secret: walk.is_secret || !may_show, ..*walk };
                collect(name, value.get_ref(), value.span(), &inner, hidden);
            }
        }
        _ => {}
    }
}

/// Whether a text is an address with a password in it.
fn has_password(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')))
}

/// The names of all keys of a schema.
fn keys(schema: &serde_json::Value) -> BTreeSet<String> {
    let tables =
        schema["$defs"].as_object().into_iter().flatten().map(|(_, table)| table).chain(std::iter::once(schema));
    tables.filter_map(|table| table["properties"].as_object()).flat_map(|keys| keys.keys().cloned()).collect()
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
        let names_its_place = ["env", "file"].iter().any(|word| {
            value.trim_start().strip_prefix('{').is_some_and(|inside| {
                inside.trim_start().strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('='))
            })
        });
        if !key_of_secret || names_its_place {
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
        let masked = shown("[workspaces.acme]\nrefresh_token = { file = \"1000.70c5de1f4b6a9c.8e3d21\" }\n");
        assert!(!masked.contains("70c5"), "{masked}");
        for name in [
            "acme-refresh-token",
            "/run/secrets/acme-refresh-token-2026",
            "evidence_ed25519",
            "ACME_CLIENT_SECRET_2026",
            "ACMECLIENTSECRET2026PROD",
            "acmeClientSecretOfEurope",
        ] {
            assert!(!looks_like_secret(name), "{name}");
        }
    }
}
