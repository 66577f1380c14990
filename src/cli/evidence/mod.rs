//! `rolecall evidence`: the key, the bags, and their verification.

mod coverage;
mod export;
mod recompute;
mod verify;

use std::{fs, io, path::Path};

use super::{
    args::{EvidenceCommand, PeriodArgs},
    check,
    output::{self, Failure},
};
use crate::{
    app,
    clock::Clock,
    config::settings::{Evidence, Settings},
    evidence::{
        NAMESPACE, PRINCIPAL,
        consistency::ConsistencyReport,
        inventory,
        key::{KeyError, SigningKey},
        period::Period,
        signers::Allowed,
        storage::{Storage as _, folder::Folder},
    },
    ledger::Head,
    run::anchor::Check,
    store::Database,
    timestamp::Roots,
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

/// The configuration, and its evidence settings.
fn configured(named: Option<&Path>) -> Result<(Settings, Evidence), Failure> {
    let mut settings = check::load(named)?;
    let evidence = settings.evidence.take();
    let nothing = || Failure::usage("the configuration has no [evidence] table, so no evidence is kept");
    Ok((settings, evidence.ok_or_else(nothing)?))
}

fn init_key(out: &Path) -> Result<(), Failure> {
    let failed = |error: KeyError| Failure::failed(error.to_string());
    let key = SigningKey::generate("rolecall evidence").map_err(failed)?;
    key.write(out).map_err(failed)?;
    output::line(&format!("The key {} is in {}; only its owner can read it.\n", key.fingerprint(), out.display()));
    output::line("Add to the configuration:\n");
    output::line(&format!("[evidence]\nsigning_key = {{ file = \"{}\" }}\n", out.display()));
    output::line(
        "Give this line to those who verify evidence, as a file named allowed_signers and by another channel than the evidence:\n",
    );
    output::line(&key.signer().map_err(failed)?);
    Ok(())
}

fn list(evidence: &Evidence) -> Result<(), Failure> {
    let storage = storage_of(evidence);
    let bags = inventory::bags(&storage).map_err(|error| unreadable(&evidence.directory, &error))?;
    if bags.is_empty() {
        output::line("no bags yet");
    }
    for bag in bags {
        output::line(&storage.place(&bag));
    }
    Ok(())
}

/// The configured storage.
fn storage_of(evidence: &Evidence) -> Folder {
    Folder::new(&evidence.directory)
}

/// A folder of evidence that must exist.
fn opened(path: &Path) -> Result<Folder, Failure> {
    Folder::open(path).map_err(|error| unreadable(path, &error))
}

/// The configured evidence, checked against the store if there is one; `None` if there is no evidence yet.
async fn anchored(
    settings: &Settings,
    evidence: &Evidence,
    allowed: &Allowed,
    anchors: &[Head],
) -> Result<Option<ConsistencyReport>, Failure> {
    let (storage, key, shown) = (storage_of(evidence), key(evidence)?, app::store_place(settings));
    let store = app::existing_store(settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    let check = Check { storage: &storage, key: key.as_ref(), allowed, anchors, store: &shown };
    let store = store.as_ref().map(|store| &**store as &dyn Database);
    check.against(store).await.map_err(|error| Failure::failed(error.to_string()))
}

/// The period that is asked for. Days are whole, in UTC.
fn period(args: &PeriodArgs) -> Result<Period, Failure> {
    Period::of_days(args.from, args.to).ok_or_else(|| Failure::usage("--to is before --from"))
}

/// The configured key; `None` if evidence is not signed.
fn key(evidence: &Evidence) -> Result<Option<SigningKey>, Failure> {
    let key = evidence.signing_key.as_deref().map(SigningKey::read).transpose();
    key.map_err(|error| Failure::usage(error.to_string()))
}

/// The configured key as the only trusted one.
fn signers(evidence: &Evidence) -> Result<Allowed, Failure> {
    let Some(key) = key(evidence)? else { return Ok(Allowed::default()) };
    let signer = key.signer().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Allowed::parse(&signer, Clock::system().now()))
}

/// The trusted keys of a file.
fn signers_of(file: &Path) -> Result<Allowed, Failure> {
    let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let allowed = Allowed::parse(&text, Clock::system().now());
    if allowed.is_empty() {
        return Err(Failure::usage(format!(
            "{} allows no key to sign as {PRINCIPAL} in the namespace {NAMESPACE} today",
            file.display()
        )));
    }
    Ok(allowed)
}

/// The timestamp authorities of a file, which are trusted; `None` if nobody said which.
fn roots_of(file: Option<&Path>) -> Result<Option<Roots>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let pem = fs::read(file).map_err(|error| unreadable(file, &error))?;
    let roots = Roots::from_pem(&pem).map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
    Ok(Some(roots))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{} cannot be read: {error}", path.display()))
}
