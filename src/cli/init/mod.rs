//! `rolecall init`: asks the few questions, tries the credentials, writes a configuration that works.

mod questions;
mod terminal;

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tokio::task::spawn_blocking;

use self::questions::Asked;
use super::{
    args::InitArgs,
    output::{self, Failure, note},
    preflight, progress, signals,
};
use crate::{
    app::setup::Zoho,
    audit::RuleSet,
    clock::Clock,
    config,
    evidence::key::SigningKey,
    setup::{self, Administrators, Answers, Connected, Credential, Layout, Mail, Mistake, Secrets, connect, files},
    words::counted,
};

/// Where the configuration is written if `--config` names no other place.
const DEFAULT: &str = "rolecall.toml";
/// How often an answer that the vendor refuses is asked for again.
const MORE_TRIES: usize = 3;
/// Characters of an address that the API answered.
const ADDRESS: usize = 200;

pub(super) async fn run(named: Option<&Path>, args: InitArgs) -> Result<(), Failure> {
    let path = named.unwrap_or(Path::new(DEFAULT)).to_owned();
    if args.print {
        return print(&path, &args);
    }
    let layout = Layout::new(&path, "");
    if layout.configuration.symlink_metadata().is_ok() {
        return Err(Failure::usage(files::FileError::Exists(path).to_string()));
    }
    let _restore = terminal::Restore::new();
    let asked = answered({
        let args = args.clone();
        move || questions::ask(&path, &args)
    });
    let asked =
        asked.await.map_err(|stopped| stopped.unwrap_or_else(|| Failure::failed("stopped; nothing was written")))?;
    set_up(asked, &args).await
}

async fn set_up(asked: Asked, args: &InitArgs) -> Result<(), Failure> {
    let Asked {
        workspace,
        layout,
        data_center,
        client_id,
        client_secret,
        company_domains,
        mail,
        credential,
        is_token_in_place,
    } = asked;
    let mut answers = Answers {
        workspace,
        data_center,
        client_id,
        accounts_url: args.accounts_url.clone(),
        company_domains,
        administrators: Administrators::Approved(args.approved_administrators.clone()),
        time_zone: args.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        mail: mail.as_ref().map(|(mail, _)| mail.clone()),
        state: args.state_dir.clone(),
    };
    // Before the grant code is used up.
    validate(&answers, &layout)?;
    let (connected, client_secret) = connected(&mut answers, client_secret, credential, &layout).await?;
    let kept = kept(&layout);
    preflight::print(&connected.preflight);
    if !connected.preflight.ready {
        return Err(Failure::failed(format!(
            "the workspace is not ready; no configuration was written{}",
            again(kept.as_deref())
        )));
    }
    if args.time_zone.is_none() {
        answers.time_zone = zone(&connected);
    }
    answers.administrators = administrators(&connected, args, kept.as_deref()).await?;
    let text = validate(&answers, &layout)?;
    let secrets = secrets(client_secret, mail, connected, is_token_in_place)
        .and_then(|secrets| files::write(&layout, &secrets, &text).map_err(|error| error.to_string()));
    secrets.map_err(|error| Failure::failed(format!("{error}{}", again(kept.as_deref()))))?;
    say(&layout, &answers);
    Ok(())
}

/// Tries the credentials. At a terminal, an answer that is refused is asked for again: the others stand. Returns the client
/// secret that was accepted, too.
async fn connected(
    answers: &mut Answers,
    mut client_secret: SecretString,
    mut credential: Credential,
    layout: &Layout,
) -> Result<(Connected, SecretString), Failure> {
    let stopped =
        || Failure::failed(format!("stopped; no configuration was written{}", again(kept(layout).as_deref())));
    let mut left = if terminal::is_interactive() { MORE_TRIES } else { 0 };
    loop {
        let accounts = answers.accounts_url.clone();
        let vendor =
            Zoho::new(&answers.data_center, &answers.client_id, client_secret.clone(), accounts, Clock::system())
                .map_err(Failure::usage)?;
        let line = progress::Line::new(&answers.workspace);
        let connected = tokio::select! {
            connected = connect(&answers.workspace, &vendor, credential.clone(), layout, &line) => connected,
            _ = signals::stopped() => {
                drop(line);
                return Err(stopped());
            }
        };
        drop(line);
        let error = match connected {
            Ok(connected) => return Ok((connected, client_secret)),
            Err(error) => error,
        };
        let Some(mistake) = error.mistake().filter(|_| left > 0) else {
            return Err(Failure::failed(format!("{error}{}", again(kept(layout).as_deref()))));
        };
        note(&format!("{error}\nThe other answers are kept; {} left.", counted(left, "try is", "tries are")));
        left -= 1;
        let stop = |failure: Option<Failure>| failure.unwrap_or_else(stopped);
        match mistake {
            Mistake::GrantCode => {
                credential = Credential::GrantCode(answered(questions::grant_code).await.map_err(stop)?);
            }
            Mistake::ClientSecret => client_secret = answered(questions::client_secret).await.map_err(stop)?,
            Mistake::Client => {
                let before = (answers.data_center.clone(), answers.client_id.clone());
                let client = answered(move || questions::client(&before.0, &before.1)).await.map_err(stop)?;
                (answers.data_center, answers.client_id) = client;
            }
        }
    }
}

/// Runs questions beside the signals that stop the process. `Err(None)` if one did.
async fn answered<T: Send + 'static>(
    questions: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Option<Failure>> {
    tokio::select! {
        answers = spawn_blocking(questions) => match answers {
            Ok(answers) => answers.map_err(Some),
            Err(error) => Err(Some(Failure::failed(format!("cannot read the answer: {error}")))),
        },
        _ = signals::stopped() => {
            note("");
            Err(None)
        }
    }
}

/// The file of the refresh token, if it is there.
fn kept(layout: &Layout) -> Option<PathBuf> {
    Some(&layout.refresh_token).filter(|path| path.exists()).cloned()
}

/// How to go on after a failure without a new grant code.
fn again(kept: Option<&Path>) -> String {
    let Some(path) = kept else { return String::new() };
    format!(
        ". The refresh token is saved in {0}; a grant code works only once, so run the command again with `--refresh-token-file {0}` instead of a grant code",
        path.display()
    )
}

/// The text of the configuration, checked as `rolecall check` does.
fn validate(answers: &Answers, layout: &Layout) -> Result<String, Failure> {
    let text = setup::configuration(answers, layout);
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    config::parse(&layout.configuration, &text, &rules, Clock::system().now()).map_err(|problems| {
        note(problems.render(output::color()).trim_end());
        Failure::usage("these answers do not make a valid configuration; nothing was written")
    })?;
    Ok(text)
}

/// The organization's time zone, if it is one that schedules know.
fn zone(connected: &Connected) -> String {
    let organization = connected.preflight.facts.organization.as_ref();
    let zone = organization.and_then(|organization| organization.time_zone.clone());
    zone.filter(|zone| zone.parse::<chrono_tz::Tz>().is_ok()).unwrap_or_else(|| "UTC".to_owned())
}

/// The approved administrators, from the arguments or the person; nobody is approved without either.
async fn administrators(
    connected: &Connected,
    args: &InitArgs,
    kept: Option<&Path>,
) -> Result<Administrators, Failure> {
    if !args.approved_administrators.is_empty() {
        return Ok(Administrators::Approved(args.approved_administrators.clone()));
    }
    let found = match &connected.administrators {
        Ok(found) => found.clone(),
        Err(error) => {
            note(&format!("warning: the users could not be read, so no administrators are proposed: {error}"));
            Vec::new()
        }
    };
    if found.is_empty() {
        return Ok(Administrators::Proposed(found));
    }
    output::line("Active administrators:");
    for address in &found {
        output::line(&format!("  {}", output::plain(address, ADDRESS)));
    }
    if args.approve_administrators {
        return Ok(Administrators::Approved(found));
    }
    if !terminal::is_interactive() {
        return Ok(Administrators::Proposed(found));
    }
    let question = "Should all of them be administrators? Every other administrator will be a finding.";
    let stopped = || Failure::failed(format!("stopped; no configuration was written{}", again(kept)));
    let all = answered(move || terminal::confirm(question)).await.map_err(|failure| failure.unwrap_or_else(stopped))?;
    Ok(if all { Administrators::Approved(found) } else { Administrators::Proposed(found) })
}

fn secrets(
    client_secret: SecretString,
    mail: Option<(Mail, Option<SecretString>)>,
    connected: Connected,
    is_token_in_place: bool,
) -> Result<Secrets, String> {
    let key = SigningKey::generate("rolecall evidence").map_err(|error| error.to_string())?;
    Ok(Secrets {
        client_secret,
        refresh_token: connected.refresh_token.filter(|_| !is_token_in_place),
        smtp_password: mail.and_then(|(_, password)| password),
        evidence_key: key.private().map_err(|error| error.to_string())?,
        evidence_public_key: key.public().map_err(|error| error.to_string())? + "\n",
    })
}

fn say(layout: &Layout, answers: &Answers) {
    let path = layout.configuration.display();
    output::line(&format!("\nWrote {path} and the secrets in {}, which only you can read.", layout.folder.display()));
    if matches!(answers.administrators, Administrators::Proposed(_)) {
        output::line("Approve the administrators: see `approved_administrators` there.");
    }
    let config = if layout.configuration == Path::new(DEFAULT) { String::new() } else { format!(" --config {path}") };
    output::line("\nNext:");
    output::line(&format!("  rolecall{config} audit --out reports   audit now and write the reports"));
    if answers.mail.is_some() {
        output::line(&format!("  rolecall{config} mail test             send a test message"));
    }
    output::line(&format!("  rolecall{config} daemon                audit on the schedule"));
}

/// Prints the configuration for what the arguments say, with examples for the rest.
fn print(path: &Path, args: &InitArgs) -> Result<(), Failure> {
    let example = |given: &Option<String>, otherwise: &str| given.clone().unwrap_or_else(|| otherwise.to_owned());
    let workspace = example(&args.workspace, "acme");
    let mail = (!args.mail.no_mail && !args.mail.mail_to.is_empty()).then(|| Mail {
        to: args.mail.mail_to.clone(),
        from: example(&args.mail.mail_from, "rolecall <audit@example.com>"),
        host: example(&args.mail.smtp_host, "smtp.example.com"),
        port: args.mail.smtp_port,
        security: args.mail.smtp_security.word().to_owned(),
        username: args.mail.smtp_username.clone(),
    });
    let answers = Answers {
        data_center: example(&args.data_center, "us"),
        client_id: example(&args.client_id, "1000.ABC"),
        accounts_url: args.accounts_url.clone(),
        company_domains: args.company_domains.clone(),
        administrators: match args.approved_administrators.as_slice() {
            [] => Administrators::Proposed(Vec::new()),
            approved => Administrators::Approved(approved.to_vec()),
        },
        time_zone: example(&args.time_zone, "UTC"),
        mail,
        state: args.state_dir.clone(),
        workspace,
    };
    let text = validate(&answers, &Layout::new(path, &answers.workspace))?;
    output::line(text.trim_end());
    Ok(())
}
