//! `rolecall evidence`: the key, the bags, and whether they are as they were sealed.

mod coverage;
mod export;
mod recompute;

use std::{fs, io, path::Path};

use super::{
    args::{EvidenceCommand, Trust},
    check,
    output::{self, Failure},
};
use crate::{
    config::settings::Evidence,
    evidence::{
        NAMESPACE, agreement,
        key::{Allowed, KeyError, SigningKey},
        ledger::LEDGER,
        verify,
    },
    ledger::Head,
};

/// The longest problem that is shown, in characters.
const PROBLEM: usize = 500;

pub(super) async fn run(named: Option<&Path>, command: EvidenceCommand) -> Result<(), Failure> {
    match command {
        EvidenceCommand::InitKey { out } => init_key(&out),
        EvidenceCommand::List => list(&configured(named)?),
        EvidenceCommand::Coverage(args) => coverage::run(named, &args),
        EvidenceCommand::Export(args) => export::run(named, &args),
        EvidenceCommand::Recompute { bag } => recompute::run(&bag).await,
        EvidenceCommand::Verify { path, trust } => verify(named, path.as_deref(), &trust),
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
        agreement::bags(&evidence.directory).map_err(|error| unreadable(&evidence.directory, &error))?
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
    Ok(Allowed::parse(&signer.map_err(|error| Failure::usage(error.to_string()))?))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {error}", path.display()))
}

fn verify(named: Option<&Path>, path: Option<&Path>, args: &Trust) -> Result<(), Failure> {
    // A folder and a list of signers need no configuration: an auditor has none.
    let evidence = if path.is_some() && args.allowed_signers.is_some() { None } else { Some(configured(named)?) };
    let allowed = match (&args.allowed_signers, &evidence) {
        (Some(file), _) => Allowed::parse(&fs::read_to_string(file).map_err(|error| unreadable(file, &error))?),
        (None, Some(evidence)) => signers(evidence)?,
        (None, None) => Allowed::default(),
    };
    if args.allowed_signers.is_some() && allowed.is_empty() {
        return Err(Failure::usage(format!("the allowed signers have no key for {NAMESPACE}")));
    }
    match (path, &evidence) {
        (Some(path), _) if path.join("bagit.txt").exists() => {
            if !args.witnesses.is_empty() {
                return Err(Failure::usage("--witness is about a ledger; name the folder that the bag is in"));
            }
            let found = verify::bag(path, &allowed);
            let is_sound = told(path, &found, &[], None);
            if is_sound { Ok(()) } else { Err(Failure::failed("the bag is not as it was sealed")) }
        }
        (Some(path), _) => verify_folder(path, allowed, &args.witnesses),
        (None, Some(evidence)) if evidence.directory.exists() => {
            verify_folder(&evidence.directory, allowed, &args.witnesses)
        }
        _ => {
            output::line("there is no evidence yet");
            Ok(())
        }
    }
}

fn verify_folder(folder: &Path, allowed: Allowed, witnesses: &[Head]) -> Result<(), Failure> {
    let found = agreement::folder(folder, allowed, witnesses).map_err(|error| unreadable(folder, &error))?;
    for bag in &found.bags {
        told(&bag.path, &bag.found, &bag.problems, bag.note.as_deref());
    }
    let ledger = folder.join(LEDGER);
    if found.problems.is_empty() {
        let signed = found
            .signed
            .as_ref()
            .map_or_else(|| "unsigned".to_owned(), |(signer, upto)| format!("signed up to entry {upto} by {signer}"));
        output::line(&format!("ok      {}, {} entries, {signed}", ledger.display(), found.head.number));
    } else {
        output::line(&format!("BROKEN  {}", ledger.display()));
        for problem in &found.problems {
            output::line(&format!("        {}", output::plain(problem, PROBLEM)));
        }
    }
    for remark in &found.remarks {
        output::line(&format!("note    {}", output::plain(remark, PROBLEM)));
    }
    if found.is_sound() { Ok(()) } else { Err(Failure::failed("the evidence is not as it was written")) }
}

/// Tells what was found of a bag; whether it is sound.
fn told(path: &Path, found: &verify::Found, problems: &[String], note: Option<&str>) -> bool {
    let is_sound = found.problems.is_empty() && problems.is_empty();
    if is_sound {
        let signed =
            found.signer.as_ref().map_or_else(|| "unsigned".to_owned(), |signer| format!("signed by {signer}"));
        let note = note.map(|note| format!("; {note}")).unwrap_or_default();
        output::line(&format!("ok      {}, {signed}{note}", path.display()));
        return true;
    }
    output::line(&format!("BROKEN  {}", path.display()));
    for problem in found.problems.iter().map(ToString::to_string).chain(problems.iter().cloned()) {
        output::line(&format!("        {}", output::plain(&problem, PROBLEM)));
    }
    false
}
