//! Workspaces. Which keys a workspace may have and must have depends on its kind of connector.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use toml::Spanned;

use super::Checker;
use crate::{
    config::{
        file::{self, Given},
        settings::{Value, Workspace},
        shape::one_of,
        template,
    },
    model::kind::{ConnectorKind, Key, KeyValue},
};

/// Concurrent calls that vendors allow.
const MOST_CONCURRENT: i64 = 10;

impl Checker<'_> {
    pub(super) fn workspace(&mut self, own_name: &str, workspace: &Spanned<file::Workspace>) -> Workspace {
        let (span, workspace) = (workspace.span(), workspace.get_ref());
        let kind = *workspace.connector.get_ref();
        let given: Vec<(&str, Range<usize>, Given<'_>)> = workspace.given().into_iter().flatten().collect();
        let is_unknown = self.context.stand_ins.has(&workspace.connector.span());
        if !is_unknown {
            self.keys_of(kind, &given, &span);
        }
        let mut values = BTreeMap::new();
        for (name, span, given) in given {
            let mut kinds = ConnectorKind::ALL.into_iter().filter(|one| is_unknown || *one == kind);
            if let Some(key) = kinds.find_map(|kind| kind.key(name))
                && let Some(value) = self.value(key, span, &given, own_name)
            {
                values.insert(key.name, value);
            }
        }
        let concurrency = self.number(workspace.concurrency.as_ref(), 4, 1..=MOST_CONCURRENT);
        let minutes = self.number(workspace.deadline_minutes.as_ref(), 60, 1..=1440);
        Workspace {
            kind,
            values,
            concurrency: usize::try_from(concurrency).unwrap_or(1),
            deadline: Duration::from_secs(minutes.unsigned_abs() * 60),
            allow_offboarding: workspace.allow_offboarding,
            organization: workspace.organization.clone(),
            policy: workspace.policy.as_ref().map(|name| self.known_policy(name)),
            text: None,
        }
    }

    /// Errors for keys that a kind of connector does not have, and for those that it needs.
    fn keys_of(&mut self, kind: ConnectorKind, given: &[(&str, Range<usize>, Given<'_>)], workspace: &Range<usize>) {
        for (name, span, _) in given {
            if kind.key(name).is_none() {
                let (kinds, help) = kinds_with(name);
                self.error(span.clone(), format!("`{name}` applies only to the connector {kinds}"), help);
            }
        }
        for key in kind.keys().iter().filter(|key| key.is_required) {
            if !given.iter().any(|(name, ..)| *name == key.name) {
                let message = format!("missing key `{}`, which the connector {kind} needs", key.name);
                self.error(workspace.clone(), message, "");
            }
        }
    }

    /// The value of a key; `None` if it is invalid, after reporting the error.
    fn value(&mut self, key: &Key, span: Range<usize>, given: &Given<'_>, workspace: &str) -> Option<Value> {
        match given {
            Given::Text(text) if text.trim().is_empty() => {
                self.error(span, format!("`{}` is empty", key.name), "");
                None
            }
            Given::Text(text) => {
                let KeyValue::OneOf(words) = key.value else { return Some(Value::Text((*text).to_owned())) };
                // Vendors write their codes in capitals.
                let word = text.trim().to_ascii_lowercase();
                if !words.contains(&word.as_str()) {
                    let what = key.name.replace('_', " ");
                    self.error(span, format!("invalid {what} `{text}`; {}", one_of(words)), "");
                    return None;
                }
                Some(Value::Text(word))
            }
            Given::Secret(file::Secret::File(path)) => {
                let path = template::expanded(path, workspace);
                Some(Value::Secret(self.secret(&file::Secret::File(path))))
            }
            Given::Secret(secret) => Some(Value::Secret(self.secret(secret))),
            Given::Address(address) => self.url(address).map(Value::Address),
            Given::Names(names) => {
                let is_bad = |name: &&str| name.is_empty() || name.contains(['/', '?', '#']);
                if names.values().any(is_bad) {
                    self.error(span, "invalid resource name", "expected a name without `/`, `?` or `#`");
                }
                let owned = |(usual, name): (&&str, &&str)| ((*usual).to_owned(), (*name).to_owned());
                Some(Value::Names(names.iter().map(owned).collect()))
            }
        }
    }
}

/// The kinds of connector that have a key, and what to do if another kind was given it.
fn kinds_with(name: &str) -> (String, String) {
    let kinds: Vec<ConnectorKind> = ConnectorKind::ALL.into_iter().filter(|kind| kind.key(name).is_some()).collect();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let settings: Vec<String> = kinds.iter().map(|kind| format!("connector = \"{kind}\"")).collect();
    (names.join(" or "), format!("remove it, or set {}", settings.join(" or ")))
}
