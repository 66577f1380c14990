//! Whether a text is the name of a place, or more likely a secret that was written instead of it; and whether it can be seen.

use std::path::{Path, PathBuf};

use crate::model::plain::is_invisible;

/// What the name of the file of a workspace ends in.
pub(super) const ENDING_OF_WORKSPACE: &str = ".toml";
/// An identifier that is shorter is not taken for a secret.
const SHORT: usize = 20;
/// A run of letters and digits that is longer is taken for one: nobody names a variable or a file so.
const LONG: usize = 32;
/// Endings of the names of files.
const ENDINGS: [&str; 16] = [
    "txt", "key", "pem", "secret", "token", "password", "pass", "pw", "conf", "cfg", "json", "csv", "toml", "db",
    "crt", "cred",
];

/// Whether the name of a variable or file is more likely the secret itself.
pub(super) fn looks_like_secret(name: &str) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let small = name.chars().filter(char::is_ascii_lowercase).count();
    let is_mixed = small > 0 && name.chars().any(|c| c.is_ascii_uppercase());
    // Names have separators; tokens are runs of digits and small letters, Zoho's with dots between.
    let is_run = name.split('.').all(|part| part.chars().all(|c| c.is_ascii_alphanumeric()));
    let is_random = digits >= 4 && (small >= 2 || digits >= 8) || is_mixed && digits >= 2;
    let is_key = name.contains("PRIVATE KEY-----");
    is_key || is_run && (name.len() >= SHORT && is_random || name.len() >= LONG)
}

/// Whether a text that may stand anywhere has a secret in it: it looks like one, or is an address with one.
pub(super) fn holds_secret(text: &str) -> bool {
    let is_address = text.contains("://");
    text.split(|c| c == '@' || is_address && matches!(c, '/' | '?' | '=' | '&' | '#')).any(looks_like_secret)
        || has_password(text)
        || has_login(text)
}

/// Whether a text is an address with a password in it, or with a parameter that may be one.
pub(super) fn has_password(text: &str) -> bool {
    /// Parameters of the address of a database or an object store.
    const KNOWN: [&str; 4] = ["sslmode", "host", "endpoint", "region"];
    let Some((_, rest)) = text.split_once("://") else { return false };
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let has_parameter = query.split('&').any(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        !KNOWN.contains(&key) || has_password(value)
    });
    // A password may have a slash in it.
    let is_bare = before.split('/').next().is_some_and(|host| !host.contains('@'));
    let has_user = before.rsplit_once('@').is_some_and(|(user, _)| !is_bare || user.contains(':'));
    has_user || !query.is_empty() && has_parameter
}

/// Whether a text has a name and a password before a host: `user:password@host`.
pub(super) fn has_login(text: &str) -> bool {
    let Some((before, _)) = text.rsplit_once('@') else { return false };
    let run = before.rsplit(|c: char| c.is_whitespace() || "\"'<>,;()".contains(c)).next().unwrap_or_default();
    let is_user = |user: &str| {
        !user.is_empty() && user.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%' | '@'))
    };
    run.split_once(':').is_some_and(|(user, password)| {
        let is_prefix = matches!(user, "mailto" | "group");
        is_user(user) && !is_prefix && !password.is_empty() && !password.starts_with("//")
    })
}

/// Whether a name can be that of an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(is_good)
}

/// Whether a text is clearly the name of a variable: in capitals, or several words.
pub(super) fn is_variable_name(name: &str) -> bool {
    let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    // Letters and digits take turns in a random text.
    let turns = name.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let is_random = !name.contains('_') && turns > 2;
    let is_name = name.chars().all(is_capital) && !is_random || name.contains('_') && is_words(name);
    is_variable(name) && is_name && !looks_like_secret(name)
}

/// Whether a text is clearly the name of a file, as someone wrote it: a path, a name with an ending, or words.
pub(super) fn is_file(name: &str) -> bool {
    let is_known = |(stem, ending): (&str, &str)| !stem.is_empty() && ENDINGS.contains(&ending);
    let is_path = name.contains('/') && !is_base64(name);
    !looks_like_secret(name) && (is_path || name.rsplit_once('.').is_some_and(is_known) || is_words(name))
}

/// The file of a workspace in a folder of such files.
pub(super) fn file_of_workspace(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{ENDING_OF_WORKSPACE}"))
}

/// Whether a character looks like nothing: a space other than the usual one, or one of no width.
pub(super) fn is_unseen(c: char) -> bool {
    (c.is_whitespace() && c != ' ') || is_invisible(c)
}

/// Whether a text shows nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c.is_control() || is_unseen(c))
}

/// Words with `-`, `_` or `.` between them, and perhaps a number.
fn is_words(name: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let is_number = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    // Such as `s3`, `ed25519` or `smtp2`.
    let is_numbered = |part: &str| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = part.len() - word.len();
        is_word(word) && digits == 1 || part == "ed25519"
    };
    let parts: Vec<&str> = name.split(['-', '_', '.', ' ']).collect();
    let is_part = |part: &&str| is_word(part) || is_number(part) || is_numbered(part);
    parts.iter().any(|part| is_word(part)) && parts.iter().all(is_part)
}

/// Whether a text that could be a relative path is more likely a secret in base64, such as an access key.
fn is_base64(name: &str) -> bool {
    let is_in = |is: fn(&char) -> bool| name.chars().any(|c| is(&c));
    let is_mixed = is_in(char::is_ascii_uppercase) && is_in(char::is_ascii_lowercase) && is_in(char::is_ascii_digit);
    let is_run = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '='));
    name.len() >= LONG && !name.starts_with('/') && is_mixed && is_run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_secrets() {
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
        assert!(looks_like_secret("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn"));
        for name in
            ["A", "NAME", "S3_KEY_ID", "ACMECLIENTSECRET2026PROD", "acme_token", "acme_token_2026", "Acme_Token"]
        {
            assert!(is_variable_name(name), "{name}");
        }
        for secret in ["hunter22", "hunter", "acmeClientSecret", "JBSWY3DPEHPK3PXP", "Tr0ub4dor_x", "a_b-c", "", "22"] {
            assert!(!is_variable_name(secret), "{secret}");
        }
        for name in
            ["key", "s3-secret", "acme 2", "smtp2-password", "token-key", "people2b.csv", "a/b9c", "{workspace}/x"]
        {
            assert!(is_file(name), "{name}");
        }
        for secret in ["hunter22", "Tr0ub4dor&3", "correct horse!", "pa55.word", "1234567890", ".9x", ""] {
            assert!(!is_file(secret), "{secret}");
        }
    }

    #[test]
    fn an_address_with_a_secret_is_known_with_and_without_a_scheme() {
        for text in [
            "user:hunter22@mail.example.com",
            "me@example.com:hunter22@mail.example.com",
            "rolecall <user:hunter22@mail.example.com>",
            "smtp://user:hunter22@mail.example.com",
            "postgres://rolecall:hun/ter22@db/rolecall",
            "s3://AKIA:hunter22@bucket/prefix",
            "https://hr.example.com/people?token=hunter22",
            "https://hooks.example.com/T000/74b246c5e0b84b1f9a535f0d9c2e71aa",
            "postgres://rolecall@db/rolecall?sslmode=disable&password=hunter22",
        ] {
            assert!(holds_secret(text), "{text}");
        }
        for text in [
            "ana@example.com",
            "mailto:ana@example.com",
            "group:security@example.com",
            "192.0.2.1:587",
            "https://console.example.com:8443/",
            "rolecall <audit@example.com>",
            "/(?:svc|bot)-[a-z]+@example/",
            "s3://bucket/prefix",
            "s3://bucket?endpoint=https://example.com",
            "postgres://db/rolecall?sslmode=disable",
            "0 8 * * MON",
            "2001:db8::1",
        ] {
            assert!(!holds_secret(text), "{text}");
        }
    }
}
