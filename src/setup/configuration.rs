//! The text of the configuration: what was answered, and every other common key as a comment.

use std::fmt::Write as _;

use super::{
    answers::{Administrators, Answers, JOB, Mail},
    files::Layout,
};

/// The configuration for these answers, with secrets named by their files.
pub fn configuration(answers: &Answers, layout: &Layout) -> String {
    let mut text = String::from(
        "# Configuration of rolecall, written by `rolecall init`. Check changes with `rolecall check`.\n\
         # Keys in comments show the default or an example. Paths are relative to this file.\n",
    );
    // Writing to a string cannot fail.
    let _ = workspace(&mut text, answers, layout);
    let _ = policy(&mut text, answers);
    let _ = job(&mut text, answers);
    let _ = mail(&mut text, answers.mail.as_ref(), layout);
    let _ = state(&mut text, answers, layout);
    text
}

fn workspace(text: &mut String, answers: &Answers, layout: &Layout) -> std::fmt::Result {
    writeln!(text, "\n# The workspace that rolecall reads. Its name appears in every report.")?;
    writeln!(text, "[workspaces.{}]", answers.workspace)?;
    writeln!(text, "connector = \"zoho_bigin\"")?;
    writeln!(text, "data_center = {}   # us eu in au jp cn sa ca", quoted(&answers.data_center))?;
    writeln!(text, "client_id = {}", quoted(&answers.client_id))?;
    writeln!(text, "# Secrets stay in files that only their owner may read, or in {{ env = \"NAME\" }}.")?;
    writeln!(text, "client_secret = {{ file = {} }}", quoted(&layout.relative(&layout.client_secret)))?;
    writeln!(text, "refresh_token = {{ file = {} }}", quoted(&layout.relative(&layout.refresh_token)))?;
    if let Some(url) = &answers.accounts_url {
        writeln!(text, "accounts_url = {}", quoted(url.as_str().trim_end_matches('/')))?;
    }
    writeln!(
        text,
        "# organization = \"Example\"         # the only organization that `preflight` and `offboard` accept"
    )?;
    writeln!(text, "# allow_offboarding = false        # whether `rolecall offboard` may remove users")
}

fn policy(text: &mut String, answers: &Answers) -> std::fmt::Result {
    writeln!(text, "\n# What the company considers right. `rolecall rules` lists the rules.")?;
    writeln!(text, "[policy]")?;
    writeln!(text, "administrator_profiles = [\"Administrator\"]   # names or ids of profiles")?;
    match &answers.administrators {
        Administrators::Approved(addresses) => {
            writeln!(text, "# Every other administrator is a finding.")?;
            writeln!(text, "approved_administrators = {}", list(addresses))?;
        }
        Administrators::Proposed(addresses) if addresses.is_empty() => {
            writeln!(text, "# Without this list, nobody is reported as an unapproved administrator.")?;
            writeln!(text, "# approved_administrators = [\"ana@example.com\"]")?;
        }
        Administrators::Proposed(addresses) => {
            writeln!(
                text,
                "# The administrators found by `rolecall init`. Remove those who should not be one, then remove the `#`."
            )?;
            writeln!(text, "# Without this list, nobody is reported as an unapproved administrator.")?;
            writeln!(text, "# approved_administrators = {}", list(addresses))?;
        }
    }
    writeln!(text, "# Users with addresses elsewhere are a finding. Subdomains are included.")?;
    if answers.company_domains.is_empty() {
        writeln!(text, "# company_domains = [\"example.com\"]")?;
    } else {
        writeln!(text, "company_domains = {}", list(&answers.company_domains))?;
    }
    writeln!(text, "# max_administrators = 5")
}

fn job(text: &mut String, answers: &Answers) -> std::fmt::Result {
    writeln!(text, "\n# A scheduled audit. `rolecall daemon` runs it; `rolecall audit` runs it now.")?;
    writeln!(text, "[jobs.{JOB}]")?;
    writeln!(text, "workspaces = [{}]", quoted(&answers.workspace))?;
    writeln!(text, "schedule = \"0 8 * * MON\"          # minute hour day month weekday")?;
    writeln!(text, "time_zone = {}", quoted(&answers.time_zone))?;
    writeln!(
        text,
        "# missed = \"latest\"                # runs missed while the daemon was down: latest | all | skip"
    )?;
    writeln!(text, "# fail_on = \"high\"                 # exit code 3 at or above this severity")
}

fn mail(text: &mut String, mail: Option<&Mail>, layout: &Layout) -> std::fmt::Result {
    let Some(mail) = mail else {
        writeln!(
            text,
            "\n# To mail the reports, remove the `#` of both tables and fill them in; `rolecall mail test` tries them."
        )?;
        writeln!(text, "# [jobs.{JOB}.email]")?;
        writeln!(text, "# to = [\"security@example.com\"]")?;
        writeln!(text, "# [smtp]")?;
        writeln!(text, "# host = \"smtp.example.com\"")?;
        writeln!(text, "# username = \"rolecall\"")?;
        writeln!(text, "# password = {{ file = \"secrets/smtp-password\" }}")?;
        return writeln!(text, "# from = \"rolecall <audit@example.com>\"");
    };
    writeln!(text, "\n# Who receives the report, one message each.")?;
    writeln!(text, "[jobs.{JOB}.email]")?;
    writeln!(text, "to = {}", list(&mail.to))?;
    writeln!(text, "# attach = [\"csv\", \"xlsx\"]         # also html and json")?;
    writeln!(text, "# when = \"always\"                  # always | findings | changes")?;
    writeln!(text, "\n# The mail server. `rolecall mail test` sends one message through it.")?;
    writeln!(text, "[smtp]")?;
    writeln!(text, "host = {}", quoted(&mail.host))?;
    match mail.port {
        Some(port) => writeln!(text, "port = {port}")?,
        None => writeln!(text, "# port = 587                       # 465 with security = \"tls\"")?,
    }
    writeln!(text, "security = {}   # starttls | tls | none (only on this machine)", quoted(&mail.security))?;
    if let Some(username) = &mail.username {
        writeln!(text, "username = {}", quoted(username))?;
        writeln!(text, "password = {{ file = {} }}", quoted(&layout.relative(&layout.smtp_password)))?;
    }
    writeln!(text, "from = {}", quoted(&mail.from))
}

fn state(text: &mut String, answers: &Answers, layout: &Layout) -> std::fmt::Result {
    let inside = |name: &str| match &answers.state {
        Some(folder) => folder.join(name).display().to_string(),
        None => name.to_owned(),
    };
    writeln!(text, "\n# Audits and runs, so that the next audit can say what changed.")?;
    writeln!(text, "[store]")?;
    writeln!(text, "url = {}", quoted(&format!("sqlite:{}", inside("rolecall.db"))))?;
    writeln!(text, "# keep_days = 400")?;
    writeln!(text, "\n# One signed folder for each audit, which an auditor can verify without rolecall.")?;
    writeln!(text, "[evidence]")?;
    writeln!(text, "directory = {}", quoted(&inside("evidence")))?;
    writeln!(text, "signing_key = {{ file = {} }}", quoted(&layout.relative(&layout.evidence_key)))?;
    writeln!(text, "# keep_days = 800")?;
    writeln!(text, "\n# [daemon]")?;
    writeln!(text, "# listen = \"127.0.0.1:9719\"        # /healthz, /readyz and /metrics; \"off\" for none")
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}
