//! Workspaces.

use std::{ops::Range, time::Duration};

use toml::Spanned;
use url::Url;

use super::Checker;
use crate::config::{
    file,
    settings::{BiginSettings, ConnectorSettings, SecretSource, TrutoSettings, Workspace},
    shape::one_of,
};

/// The vendor's data centers.
const DATA_CENTERS: [&str; 8] = ["us", "eu", "in", "au", "jp", "cn", "sa", "ca"];
/// Concurrent calls that the vendor allows.
const MOST_CONCURRENT: i64 = 10;

impl Checker<'_> {
    pub(super) fn workspace(&mut self, workspace: &Spanned<file::Workspace>) -> Workspace {
        let (span, workspace) = (workspace.span(), workspace.get_ref());
        let accounts_url = workspace.accounts_url.as_ref().and_then(|url| self.url(url));
        let api_url = workspace.api_url.as_ref().and_then(|url| self.url(url));
        let connector = match workspace.connector.get_ref() {
            file::Connector::Truto => {
                for (key, there) in [
                    ("data_center", workspace.data_center.is_some()),
                    ("client_id", workspace.client_id.is_some()),
                    ("client_secret", workspace.client_secret.is_some()),
                    ("refresh_token", workspace.refresh_token.is_some()),
                    ("accounts_url", workspace.accounts_url.is_some()),
                ] {
                    if there {
                        self.error(
                            span.clone(),
                            format!("`{key}` applies only to the connector zoho_bigin"),
                            "remove it, or set connector = \"zoho_bigin\"",
                        );
                    }
                }
                self.truto(&span, workspace, api_url)
            }
            file::Connector::ZohoBigin => {
                for (key, there) in [
                    ("integrated_account_id", workspace.integrated_account_id.is_some()),
                    ("api_token", workspace.api_token.is_some()),
                    ("resources", workspace.resources.is_some()),
                ] {
                    if there {
                        self.error(
                            span.clone(),
                            format!("`{key}` applies only to the connector truto"),
                            "remove it, or set connector = \"truto\"",
                        );
                    }
                }
                self.zoho(&span, workspace, accounts_url, api_url)
            }
        };
        let concurrency = self.number(workspace.concurrency.as_ref(), 4, 1..=MOST_CONCURRENT);
        let minutes = self.number(workspace.deadline_minutes.as_ref(), 60, 1..=1440);
        Workspace {
            connector,
            concurrency: usize::try_from(concurrency).unwrap_or(1),
            deadline: Duration::from_secs(minutes.unsigned_abs() * 60),
            allow_offboarding: workspace.allow_offboarding,
            organization: workspace.organization.clone(),
        }
    }

    fn truto(&mut self, span: &Range<usize>, workspace: &file::Workspace, api_url: Option<Url>) -> ConnectorSettings {
        for (key, missing) in [
            ("integrated_account_id", workspace.integrated_account_id.is_none()),
            ("api_token", workspace.api_token.is_none()),
        ] {
            if missing {
                self.error(span.clone(), format!("missing key `{key}`, which the connector truto needs"), "");
            }
        }
        let resources = workspace.resources.as_ref().map_or_else(Default::default, |resources| {
            let (span, file::Resources { users, roles, profiles, current_organization, me }) =
                (resources.span(), resources.get_ref());
            let names = [users, roles, profiles, current_organization, me].map(Clone::clone);
            let is_bad = |name: &String| name.is_empty() || name.contains(['/', '?', '#']);
            if names.iter().flatten().any(is_bad) {
                self.error(span, "invalid resource name".to_owned(), "expected a name without `/`, `?` or `#`");
            }
            names
        });
        let api_token = workspace.api_token.as_ref();
        ConnectorSettings::Truto(Box::new(TrutoSettings {
            integrated_account_id: workspace.integrated_account_id.clone().unwrap_or_default(),
            api_token: api_token.map_or_else(|| SecretSource::Env(String::new()), |secret| self.secret(secret)),
            api_url,
            resources,
        }))
    }

    fn zoho(
        &mut self,
        span: &Range<usize>,
        workspace: &file::Workspace,
        accounts_url: Option<Url>,
        api_url: Option<Url>,
    ) -> ConnectorSettings {
        for (key, missing) in [
            ("data_center", workspace.data_center.is_none()),
            ("client_id", workspace.client_id.is_none()),
            ("client_secret", workspace.client_secret.is_none()),
            ("refresh_token", workspace.refresh_token.is_none()),
        ] {
            if missing {
                self.error(span.clone(), format!("missing key `{key}`, which the connector zoho_bigin needs"), "");
            }
        }
        // Zoho writes them in capitals.
        let data_center = workspace.data_center.as_ref().map(|center| center.get_ref().trim().to_ascii_lowercase());
        if let (Some(written), Some(center)) = (&workspace.data_center, &data_center)
            && !DATA_CENTERS.contains(&center.as_str())
        {
            self.error(
                written.span(),
                format!("invalid data center `{}`; {}", written.get_ref(), one_of(&DATA_CENTERS)),
                "",
            );
        }
        let secret = |secret: &Option<file::Secret>| {
            secret.as_ref().map_or_else(|| SecretSource::Env(String::new()), |secret| self.secret(secret))
        };
        ConnectorSettings::ZohoBigin(Box::new(BiginSettings {
            data_center: data_center.unwrap_or_default(),
            client_id: workspace.client_id.clone().unwrap_or_default(),
            client_secret: secret(&workspace.client_secret),
            refresh_token: secret(&workspace.refresh_token),
            accounts_url,
            api_url,
        }))
    }
}
