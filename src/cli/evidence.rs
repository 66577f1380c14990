//! `rolecall evidence`: the key, the bags, and whether they are as they were sealed.

use std::{fs, path::Path};

use super::{
    args::EvidenceCommand,
    check,
    output::{self, Failure},
};
use crate::{
    config::settings::Evidence,
    evidence::{
        NAMESPACE, PRINCIPAL,
        key::{Allowed, KeyError, SigningKey},
        verify,
    },
    run::evidence::bags,
};

pub(super) fn run(named: Option<&Path>, command: EvidenceCommand) -> Result<(), Failure> {
    match command {
        EvidenceCommand::InitKey { out } => init_key(&out),
        EvidenceCommand::List => list(&configured(named)?),
        EvidenceCommand::Verify { path, allowed_signers } => verify(named, path.as_deref(), allowed_signers.as_deref()),
    }
}

fn configured(named: Option<&Path>) -> Result<Evidence, Failure> {
    let settings = check::load(named)?;
    settings.evidence.ok_or_else(|| Failure::usage("the configuration has no [evidence] table: no bags are kept"))
}

/// The line of an `allowed_signers` file by which others trust a key.
pub(super) fn signer(key: &SigningKey) -> Result<String, KeyError> {
    Ok(format!("{PRINCIPAL} namespaces=\"{NAMESPACE}\" {}", key.public()?))
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
    output::line(&signer(&key).map_err(failed)?);
    Ok(())
}

fn found(evidence: &Evidence) -> Result<Vec<std::path::PathBuf>, Failure> {
    if !evidence.directory.exists() {
        return Ok(Vec::new());
    }
    bags(&evidence.directory)
        .map_err(|error| Failure::failed(format!("{} cannot be read: {error}", evidence.directory.display())))
}

fn list(evidence: &Evidence) -> Result<(), Failure> {
    let bags = found(evidence)?;
    if bags.is_empty() {
        output::line("there are no bags yet");
    }
    for bag in bags {
        output::line(&bag.display().to_string());
    }
    Ok(())
}

fn verify(named: Option<&Path>, path: Option<&Path>, signers: Option<&Path>) -> Result<(), Failure> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))
    };
    // A bag and a list of signers need no configuration: an auditor has none.
    let evidence = if path.is_some() && signers.is_some() { None } else { Some(configured(named)?) };
    let allowed = match (signers, evidence.as_ref().and_then(|evidence| evidence.signing_key.as_deref())) {
        (Some(file), _) => Allowed::parse(&read(file)?),
        (None, Some(key)) => {
            let key = SigningKey::read(key).map_err(|error| Failure::usage(error.to_string()))?;
            Allowed::parse(&signer(&key).map_err(|error| Failure::usage(error.to_string()))?)
        }
        (None, None) => Allowed::default(),
    };
    if signers.is_some() && allowed.is_empty() {
        return Err(Failure::usage(format!("the allowed signers have no key for {NAMESPACE}")));
    }
    let bags = match (path, &evidence) {
        (Some(path), _) => vec![path.to_owned()],
        (None, Some(evidence)) => found(evidence)?,
        (None, None) => Vec::new(),
    };
    let mut broken = 0;
    for bag in &bags {
        let found = verify::bag(bag, &allowed);
        if found.problems.is_empty() {
            let signed = found.signer.map_or_else(|| "unsigned".to_owned(), |signer| format!("signed by {signer}"));
            output::line(&format!("ok      {}, {signed}", bag.display()));
        } else {
            broken += 1;
            output::line(&format!("BROKEN  {}", bag.display()));
            for problem in &found.problems {
                output::line(&format!("        {}", output::plain(&problem.to_string(), 500)));
            }
        }
    }
    match broken {
        0 => Ok(()),
        1 => Err(Failure::failed("one bag is not as it was sealed")),
        more => Err(Failure::failed(format!("{more} bags are not as they were sealed"))),
    }
}
