//! The configuration as kept in evidence: what was applied, without secrets.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use toml::{Table, Value};

/// Replaces a secret.
const MASK: &str = "[secret masked]";
/// A shorter secret is masked only if it is the whole value: inside a longer one it may be a coincidence.
const SHORT: usize = 8;

/// The text of a configuration with every secret in its values masked, and without comments, in which old secrets are often
/// left. The workspaces of the jobs in `resolved` are those names instead of patterns.
///
/// # Errors
/// If it is not valid TOML.
pub(super) fn applied(
    text: &str,
    secrets: &[SecretString],
    resolved: &BTreeMap<&str, &[String]>,
) -> Result<String, toml::de::Error> {
    let mut table: Table = text.parse()?;
    for (job, names) in resolved {
        let job = table.get_mut("jobs").and_then(|jobs| jobs.get_mut(job)?.as_table_mut());
        if let Some(job) = job {
            job.insert("workspaces".to_owned(), names.to_vec().into());
        }
    }
    // The workspaces of its files are kept beside it.
    table.remove("workspaces_dir");
    table.iter_mut().for_each(|(_, value)| mask(value, secrets));
    // A table that was parsed can be written.
    Ok(toml::to_string(&table).unwrap_or_default())
}

/// The text of a workspace's file as a table `[workspaces.NAME]`, in the same way.
///
/// # Errors
/// If it is not valid TOML.
pub(super) fn applied_workspace(name: &str, text: &str, secrets: &[SecretString]) -> Result<String, toml::de::Error> {
    let mut table: Table = text.parse()?;
    table.iter_mut().for_each(|(_, value)| mask(value, secrets));
    let named = Table::from_iter([(name.to_owned(), Value::Table(table))]);
    let workspaces = Table::from_iter([("workspaces".to_owned(), Value::Table(named))]);
    Ok(toml::to_string(&workspaces).unwrap_or_default())
}

fn mask(value: &mut Value, secrets: &[SecretString]) {
    match value {
        Value::String(text) => {
            for secret in secrets.iter().map(SecretString::expose_secret).filter(|secret| !secret.is_empty()) {
                if text == secret {
                    MASK.clone_into(text);
                } else if secret.chars().count() >= SHORT {
                    *text = text.replace(secret, MASK);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, secrets)),
        Value::Table(values) => values.iter_mut().for_each(|(_, value)| mask(value, secrets)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_comments_nor_secrets_are_kept_and_everything_else_is() {
        let text = r#"
# old secret: 1000.old-secret
[workspaces.acme]
client_id = "1000.ABC" # was "1000.other-secret"
client_secret = { env = "ACME_SECRET" }
[[policy.exceptions]]
reason = "the token 1000.new-secret leaked; see # 7"
until = 2026-12-31
[smtp]
password = { file = "pw" }
host = "mail.pw.example"
port = 587
username = "pw"
"#;
        let secrets = ["1000.new-secret", "pw", ""].map(SecretString::from);
        let kept = applied(text, &secrets, &BTreeMap::new()).unwrap();
        assert!(
            !kept.contains("old-secret") && !kept.contains("other-secret") && !kept.contains("new-secret"),
            "{kept}"
        );
        let (mut kept, mut meant): (Table, Table) = (kept.parse().unwrap(), text.parse().unwrap());
        let reason = |table: &mut Table| table["policy"]["exceptions"][0]["reason"].as_str().unwrap().to_owned();
        assert_eq!(reason(&mut kept), "the token [secret masked] leaked; see # 7");
        assert_eq!(kept["smtp"]["username"].as_str(), Some(MASK));
        assert_eq!(kept["smtp"]["host"].as_str(), Some("mail.pw.example"));
        for table in [&mut kept, &mut meant] {
            table["policy"]["exceptions"][0]["reason"] = Value::Boolean(true);
            table["smtp"]["username"] = Value::Boolean(true);
            table["smtp"]["password"] = Value::Boolean(true);
        }
        assert_eq!(kept, meant);
    }
}
