//! `rolecall evidence`: the key, the bags, and whether they are as they were sealed.

mod coverage;
mod export;
mod recompute;
mod verify;

use std::{fs, io, path::Path};

use chrono::Utc;

use super::{
    args::EvidenceCommand,
    check,
    output::{self, Failure},
};
use crate::{
    config::settings::Evidence,
    evidence::{
        NAMESPACE, PRINCIPAL, inventory,
        key::{KeyError, SigningKey},
        signers::Allowed,
    },
};

pub(super) async fn run(named: Option<&Path>, command: EvidenceCommand) -> Result<(), Failure> {
    match command {
        EvidenceCommand::InitKey { out } => init_key(&out),
        EvidenceCommand::List => list(&configured(named)?),
        EvidenceCommand::Coverage(args) => coverage::run(named, &args),
        EvidenceCommand::Export(args) => export::run(named, &args),
        EvidenceCommand::Recompute { bag } => recompute::run(&bag).await,
        EvidenceCommand::Verify { path, trust } => verify::run(named, path.as_deref(), &trust).await,
    }
}

fn configured(named: Option<&Path>) -> Result<Evidence, Failure> {
    let settings = check::load(named)?;
    settings.evidence.ok_or_else(|| Failure::usage("the configuration has no [evidence] table: no bags are kept"))
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

/// Who signs by the configuration.
fn signers(evidence: &Evidence) -> Result<Allowed, Failure> {
    let Some(key) = &evidence.signing_key else { return Ok(Allowed::default()) };
    let signer = SigningKey::read(key).and_then(|key| key.signer());
    Ok(Allowed::parse(&signer.map_err(|error| Failure::usage(error.to_string()))?, Utc::now()))
}

/// Who signs by a file of allowed signers.
fn signers_of(file: &Path) -> Result<Allowed, Failure> {
    let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let allowed = Allowed::parse(&text, Utc::now());
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
