//! A simulated workspace, a configuration that points at it, and the real binary.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use rolecall_simulator::{Options, Simulator};
use tempfile::TempDir;

/// A configuration beside a simulated workspace.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) folder: TempDir,
}

/// Options under which many audits can be made without waiting.
pub(crate) fn options(users: u32) -> Options {
    Options { users, seed: 7, tokens_per_window: 10_000, ..Options::default() }
}

impl Bench {
    pub(crate) fn new(options: Options) -> Self {
        let bench = Self { simulator: Simulator::start(options).unwrap(), folder: tempfile::tempdir().unwrap() };
        bench.configure("");
        bench
    }

    /// Writes the configuration anew, with more at its end.
    pub(crate) fn configure(&self, more: &str) {
        let credentials = self.simulator.credentials();
        let inbox = self.simulator.inbox().address();
        let text = format!(
            r#"
[workspaces.acme]
connector = "zoho_bigin"
data_center = "us"
client_id = "{}"
client_secret = {{ env = "TEST_CLIENT_SECRET" }}
refresh_token = {{ env = "TEST_REFRESH_TOKEN" }}
accounts_url = "{}"

[policy]
company_domains = ["example.com"]

[jobs.weekly]
workspaces = ["acme"]
schedule = "0 8 * * MON"
time_zone = "Europe/Berlin"

[jobs.weekly.email]
to = ["security@example.com", "compliance@example.com"]
attach = ["csv", "xlsx"]

[smtp]
host = "{}"
port = {}
security = "none"
from = "rolecall <audit@example.com>"

[store]
url = "sqlite:rolecall.db"

[daemon]
listen = "127.0.0.1:0"
{more}"#,
            credentials.client_id,
            self.simulator.base_url(),
            inbox.ip(),
            inbox.port(),
        );
        fs::write(self.folder.path().join("rolecall.toml"), text).unwrap();
    }

    /// The real binary, in the configuration's folder, with nothing of this process's environment but the path.
    pub(crate) fn rolecall(&self, arguments: &[&str]) -> Command {
        let credentials = self.simulator.credentials();
        let mut command = rolecall();
        command
            .current_dir(self.folder.path())
            .env("TEST_CLIENT_SECRET", &credentials.client_secret)
            .env("TEST_REFRESH_TOKEN", &credentials.refresh_token)
            .args(arguments);
        command
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub(crate) fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap()
    }
}

/// The real binary, without a configuration.
pub(crate) fn rolecall() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .timeout(std::time::Duration::from_mins(2));
    command
}

/// What a finished process printed on stdout and on stderr.
pub(crate) fn printed(output: &std::process::Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

impl Bench {
    /// Replaces a text of the configuration, which must be there.
    pub(crate) fn reconfigure(&self, from: &str, to: &str) {
        let text = self.read("rolecall.toml");
        assert!(text.contains(from), "the configuration has no {from:?}");
        fs::write(self.path("rolecall.toml"), text.replace(from, to)).unwrap();
    }

    /// Runs the binary and gives its exit code with what it printed on stdout and on stderr.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.rolecall(arguments).output().unwrap();
        let (stdout, stderr) = printed(&output);
        (output.status.code().unwrap(), stdout, stderr)
    }

    /// Audits, which must end with exit code 0.
    pub(crate) fn audit(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(&[&["audit"], arguments].concat());
        assert_eq!(code, 0, "{stderr}");
        stdout
    }

    /// The messages in the inbox, the oldest first, as files that other programs can read.
    pub(crate) fn mails(&self) -> Vec<PathBuf> {
        let messages = self.simulator.inbox().messages().into_iter().enumerate();
        messages
            .map(|(number, message)| {
                let path = self.path(&format!("{number}.eml"));
                fs::write(&path, &message.bytes).unwrap();
                path
            })
            .collect()
    }
}

/// What `evidence recompute` says of a bag, and its exit code, in a folder with nothing else.
pub(crate) fn recompute(bag: &Path) -> (i32, String) {
    let elsewhere = tempfile::tempdir().unwrap();
    let output =
        rolecall().args(["evidence", "recompute"]).arg(bag).current_dir(&elsewhere).env_clear().output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), text)
}
