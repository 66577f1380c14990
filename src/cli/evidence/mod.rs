//! `rolecall evidence`: the key, the bags, and whether they are as they were sealed.

mod coverage;
mod directory;
mod export;
mod recompute;
mod verify;

use std::{fs, io, path::Path};

use super::{
    args::EvidenceCommand,
    check,
    output::{self, Failure},
};
use crate::{
    clock::Clock,
    config::settings::{Evidence, Settings},
    evidence::{
        NAMESPACE, PRINCIPAL, inventory,
        key::{KeyError, SigningKey},
        signers::Allowed,
    },
};

pub(super) async fn run(named: Option<&Path>, command: EvidenceCommand) -> Result<(), Failure> {
    match command {
        EvidenceCommand::InitKey { out } => init_key(&out),
        EvidenceCommand::List => list(&configured(named)?.1),
        EvidenceCommand::Coverage(args) => coverage::run(named, &args),
        EvidenceCommand::Export(args) => export::run(named, &args).await,
        EvidenceCommand::Recompute { bag } => recompute::run(&bag).await,
        EvidenceCommand::Verify { path, trust } => verify::run(named, path.as_deref(), &trust).await,
    }
}

/// The configuration, and what it says of evidence.
fn configured(named: Option<&Path>) -> Result<(Settings, Evidence), Failure> {
    let mut settings = check::load(named)?;
    let evidence = settings.evidence.take();
    let nothing = || Failure::usage("the configuration has no [evidence] table: no bags are kept");
    Ok((settings, evidence.ok_or_else(nothing)?))
}

fn init_key(out: &Path) -> Result<(), Failure> {
    let failed = |error: KeyError| Failure::failed(error.to_string());
    let key = SigningKey::generate("rolecall evidence").map_err(failed)?;
    key.write(out).map_err(failed)?;
    output::line(&format!("The key {} is in {}; nobody else may read it.\n", key.fingerprint(), out.display()));
    output::line("In the configuration:\n");
    output::line(&format!("[evidence]\nsigning_key = {{ file = \"{}\" }}\n", out.display()));
    output::line(
        "Give whoever verifies evidence this line, by another way than the evidence, as a file allowed_signers:\n",
    );
    output::line(&key.signer().map_err(failed)?);
    Ok(())
}

fn list(evidence: &Evidence) -> Result<(), Failure> {
    let bags = if evidence.directory.exists() {
        inventory::bags(&evidence.directory).map_err(|error| unreadable(&evidence.directory, &error))?
    } else {
        Vec::new()
    };
    if bags.is_empty() {
        output::line("there are no bags yet");
    }
    for bag in bags {
        output::line(&bag.display().to_string());
    }
    Ok(())
}

/// The configured key; none where nobody signs.
fn key(evidence: &Evidence) -> Result<Option<SigningKey>, Failure> {
    let key = evidence.signing_key.as_deref().map(SigningKey::read).transpose();
    key.map_err(|error| Failure::usage(error.to_string()))
}

/// Who signs by the configuration.
fn signers(evidence: &Evidence) -> Result<Allowed, Failure> {
    let Some(key) = key(evidence)? else { return Ok(Allowed::default()) };
    let signer = key.signer().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Allowed::parse(&signer, Clock::system().now()))
}

/// Who signs by a file of allowed signers.
fn signers_of(file: &Path) -> Result<Allowed, Failure> {
    let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let allowed = Allowed::parse(&text, Clock::system().now());
    if allowed.is_empty() {
        return Err(Failure::usage(format!(
            "{} allows no key to sign as {PRINCIPAL} for {NAMESPACE} today",
            file.display()
        )));
    }
    Ok(allowed)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {error}", path.display()))
}
