//! `rolecall demo`: the whole product against a simulated workspace. It ends by itself and leaves only files.
//!
//! It writes a configuration as a user would, runs the `audit` command twice with a week's changes in between, and
//! saves the messages that arrived in the built-in inbox.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chrono::Days;

use super::{
    args::{AuditArgs, DemoArgs, EvidenceCommand, ExportArgs, PeriodArgs, ReportKind},
    audit, evidence,
    output::{self, Failure},
};
use crate::{clock::Clock, evidence::key::SigningKey};
use rolecall_simulator::{Options, Simulator, WorldError, WorldHandle};

const JOB: &str = "weekly-access-review";
const WORKSPACE: &str = "acme";

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| Failure::failed(format!("{what}: {error}"))
    };
    fs::create_dir_all(&args.out).map_err(failed(&format!("cannot create the folder {}", args.out.display())))?;
    let simulator = Simulator::start(Options { users: args.users, ..Options::default() })
        .map_err(failed("the simulated workspace cannot listen on 127.0.0.1"))?;
    let private = Private::new().map_err(failed("cannot create a folder for the demo's configuration"))?;
    let proof = unused(&args.out);
    let directory = std::path::absolute(&proof).map_err(failed("cannot find the path of the output folder"))?;
    let config = private.configure(&simulator, &directory).map_err(failed("cannot write the demo's configuration"))?;

    output::line(&format!("Simulated Bigin workspace with {} users at {}.\n", args.users, simulator.base_url()));
    output::line("First weekly audit:");
    let first = args.out.join("week-1");
    review(&config, &first).await?;
    a_week_passes(simulator.world())
        .map_err(|error| Failure::failed(format!("cannot change the simulated workspace: {error}")))?;
    output::line(
        "\nA week passes: one user becomes Administrator, one changes roles, one leaves.\nSecond weekly audit:",
    );
    let second = args.out.join("week-2");
    review(&config, &second).await?;

    let today = Clock::system().now().date_naive();
    let zip = proof.with_added_extension("zip");
    // Yesterday too: it may have become today meanwhile.
    let period = PeriodArgs { from: today - Days::new(1), to: today };
    let export = EvidenceCommand::Export(ExportArgs { period, out: Some(zip.clone()) });
    evidence::run(Some(&config), export).await?;

    let mut saved = Vec::new();
    for (week, message) in (1..).zip(simulator.inbox().messages()) {
        let path = args.out.join(format!("week-{week}.eml"));
        fs::write(&path, &message.bytes).map_err(failed("cannot save a message"))?;
        saved.push(path);
    }
    simulator.stop().await;
    output::line("\nOpen:");
    output::line(&format!("  {:<44} the report, in a browser", second.join("report.html").display().to_string()));
    if let Some(mail) = saved.last() {
        output::line(&format!("  {:<44} the mail as it arrived, in a mail program", mail.display().to_string()));
    }
    output::line(&format!("  {:<44} the tables, in a spreadsheet", second.join("report.xlsx").display().to_string()));
    output::line(&format!("  {:<44} the evidence: a signed folder for each audit", proof.display().to_string()));
    output::line(&format!("  {:<44} the same evidence as one file for an auditor", zip.display().to_string()));
    output::line("\nVerify the evidence without rolecall, with sha256sum and ssh-keygen:");
    output::line(&format!("  for bag in {0}/2*/; do sh \"$bag/verify.sh\" {0}/allowed_signers; done", proof.display()));
    Ok(())
}

/// The folder for the evidence: a new one each time, because the store of an earlier demo, which could extend its ledger,
/// is gone.
fn unused(out: &Path) -> PathBuf {
    let first = out.join("evidence");
    if !first.exists() {
        return first;
    }
    let later = (2_u32..).map(|number| out.join(format!("evidence-{number}")));
    later.into_iter().find(|folder| !folder.exists()).unwrap_or(first)
}

async fn review(config: &Path, out: &Path) -> Result<(), Failure> {
    let args = AuditArgs {
        job: Some(JOB.to_owned()),
        workspaces: Vec::new(),
        out: Some(out.to_owned()),
        reports: ReportKind::ALL.to_vec(),
        send: true,
        fail_on: None,
    };
    audit::run(Some(config), args).await
}

/// The changes of one week: a new administrator, another role, a leaver.
fn a_week_passes(world: &WorldHandle) -> Result<(), WorldError> {
    world.edit(|world| {
        let ordinary: Vec<String> = world
            .user_ids()
            .into_iter()
            .filter(|id| {
                world.user(id).is_some_and(|user| {
                    user["status"] == "active" && user["confirm"] == true && user["profile"]["name"] == "Standard"
                })
            })
            .collect();
        let other_role = world.roles().last().and_then(|role| role["id"].as_str()).map(str::to_owned);
        if let [promoted, .., moved, leaver] = ordinary.as_slice() {
            world.promote(promoted)?;
            if let Some(role) = other_role {
                world.set_role(moved, &role)?;
            }
            world.delete(leaver)?;
        }
        Ok(())
    })
}

/// A folder that is removed with everything in it: configuration, secrets and store of the demo.
struct Private(PathBuf);

impl Private {
    fn new() -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("rolecall-demo-{}", uuid::Uuid::new_v4()));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    fn configure(&self, simulator: &Simulator, evidence: &Path) -> io::Result<PathBuf> {
        let credentials = simulator.credentials();
        let inbox = simulator.inbox().address();
        fs::write(self.0.join("client-secret"), &credentials.client_secret)?;
        fs::write(self.0.join("refresh-token"), &credentials.refresh_token)?;
        let key = SigningKey::generate("rolecall demo").and_then(|key| {
            key.write(&self.0.join("evidence-key"))?;
            key.signer()
        });
        fs::create_dir_all(evidence)?;
        fs::write(evidence.join("allowed_signers"), key.map_err(io::Error::other)? + "\n")?;
        let directory = toml::Value::from(evidence.to_string_lossy().into_owned());
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

[evidence]
directory = {directory}
signing_key = {{ file = "evidence-key" }}
"#,
            credentials.client_id,
            simulator.base_url(),
            inbox.ip(),
            inbox.port(),
        );
        fs::write(&path, text)?;
        Ok(path)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // If this fails, the files stay in the system's folder of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
