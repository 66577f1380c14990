//! The demo's configuration, secrets and store: in a folder that is removed at the end.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use chrono::Months;
use rolecall_simulator::Simulator;

use super::{JOB, WORKSPACE, company, serve};
use crate::{clock::Clock, evidence::key::SigningKey};

/// A folder that is removed with everything in it: configuration, secrets and store of the demo.
pub(super) struct Private(PathBuf);

impl Private {
    pub(super) fn new() -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("rolecall-demo-{}", uuid::Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Writes a configuration as a user would; returns its path.
    pub(super) fn configure(
        &self,
        simulator: &Simulator,
        evidence: &Path,
        roster: &Path,
        serves: bool,
    ) -> io::Result<PathBuf> {
        let credentials = simulator.credentials();
        let inbox = simulator.inbox().address();
        for (name, secret) in
            [("client-secret", &credentials.client_secret), ("refresh-token", &credentials.refresh_token)]
        {
            let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.0.join(name));
            file.and_then(|mut file| file.write_all(secret.as_bytes()))?;
        }
        let key = SigningKey::generate("rolecall demo").and_then(|key| {
            key.write(&self.0.join("evidence-key"))?;
            key.signer()
        });
        fs::create_dir_all(evidence)?;
        fs::write(evidence.join("allowed_signers"), key.map_err(io::Error::other)? + "\n")?;
        let directory = toml::Value::from(evidence.to_string_lossy().into_owned());
        let roster = toml::Value::from(roster.to_string_lossy().into_owned());
        let next_year = Clock::system().now().date_naive() + Months::new(12);
        let path = self.0.join("rolecall.toml");
        let text = format!(
            r#"
[workspaces.{WORKSPACE}]
connector = "zoho_bigin"
data_center = "us"
client_id = "{}"
client_secret = {{ file = "client-secret" }}
refresh_token = {{ file = "refresh-token" }}
accounts_url = "{}"

[policy]
company_domains = ["example.com"]
roster = "hr"

[[policy.accounts]]
subject = "{service}"
kind = "service"
owner = "security@example.com"
reason = "Copies leads from the web site"
until = {next_year}

[[policy.accounts]]
subject = "info@example.com"
kind = "shared"
owner = "security@example.com"
reason = "Shared by the people at the reception"
until = {next_year}

[rosters.hr]
source = {{ file = {roster} }}
format = "csv"

[jobs.{JOB}]
workspaces = ["{WORKSPACE}"]
schedule = "0 8 * * MON"
time_zone = "Europe/Berlin"

[jobs.{JOB}.email]
to = ["security@example.com"]

[smtp]
host = "{}"
port = {}
security = "none"
from = "rolecall <audit@example.com>"

[store]
url = "sqlite:rolecall.db"

[evidence]
directory = {directory}
signing_key = {{ file = "evidence-key" }}
"#,
            credentials.client_id,
            simulator.base_url(),
            inbox.ip(),
            inbox.port(),
            service = company::SERVICE,
        );
        let more = if serves { serve::configuration(JOB)? } else { String::new() };
        fs::write(&path, text + &more)?;
        Ok(path)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // If this fails, the files stay in the system's folder of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
