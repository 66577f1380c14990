//! `rolecall evidence certificate`: one page about the read of an audit.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Located, configured, key, located, signature, signers, signers_of, storage_of, unreadable};
use crate::{
    cli::{
        args::CertificateArgs,
        output::{self, Failure},
    },
    clock::Clock,
    config::settings::Evidence,
    evidence::{
        attestation::Attestation,
        inventory,
        ledger::LEDGER,
        signers::Allowed,
        storage::{Storage, has},
    },
    export::certificate::{Known, bag_of, certificate},
    run::anchor,
};

pub(super) async fn run(named: Option<&Path>, args: &CertificateArgs) -> Result<(), Failure> {
    let id = args.audit.to_str().and_then(|text| text.parse::<Uuid>().ok()).filter(|_| !args.audit.exists());
    let (page, audit, key) = if let Some(id) = id {
        let (_, evidence) = configured(named)?;
        (of_audit(&evidence, args, id).await?, id.to_string(), key(&evidence)?)
    } else {
        // Who has only a bag has no key.
        let (page, audit) = of_bag(named, args).await?;
        (page, audit, None)
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("certificate_{audit}.html")));
    write(&out, page.as_bytes())?;
    if let Some(key) = key {
        write(&out.with_added_extension("sig"), &signature(&key, page.as_bytes())?)?;
    }
    Ok(())
}

fn write(out: &Path, content: &[u8]) -> Result<(), Failure> {
    output::save(out, content).map_err(|error| Failure::failed(format!("{}: {error}", out.display())))?;
    output::line(&format!("  wrote     {}", out.display()));
    Ok(())
}

/// The page about an audit of the configured evidence.
async fn of_audit(evidence: &Evidence, args: &CertificateArgs, id: Uuid) -> Result<String, Failure> {
    let allowed = match &args.allowed_signers {
        Some(file) => signers_of(file)?,
        None => signers(evidence)?,
    };
    let storage = storage_of(evidence)?;
    let ledger = ledger(&*storage, allowed.clone()).await?;
    let bag = ledger.as_ref().and_then(|ledger| bag_of(ledger, id));
    let bag = bag.ok_or_else(|| {
        Failure::failed(format!("the ledger names no evidence bag of an audit {id}; `rolecall runs` lists the audits"))
    })?;
    made(&*storage, &bag.folder, ledger.as_ref(), &allowed)
}

/// The page about a bag, and the id of its audit. The ledger is looked for beside it.
async fn of_bag(named: Option<&Path>, args: &CertificateArgs) -> Result<(String, String), Failure> {
    let allowed = match &args.allowed_signers {
        Some(file) => signers_of(file)?,
        None => Allowed::default(),
    };
    // A folder is a bag among others; the object store and a zip know what is beside it, if anything is.
    let path =
        std::path::absolute(&args.audit).map_err(|error| unreadable(&args.audit.display().to_string(), &error))?;
    let parts = path.parent().zip(path.file_name().and_then(|name| name.to_str())).filter(|_| path.is_dir());
    let Located { storage, folder, shown } = match parts {
        Some((around, folder)) => {
            Located { folder: folder.to_owned(), shown: path.display().to_string(), ..located(named, around)? }
        }
        None => located(named, &args.audit)?,
    };
    if !inventory::is_bag(&*storage, &folder) {
        return Err(Failure::usage(format!("{shown} is not a bag of evidence")));
    }
    let ledger = ledger(&*storage, allowed.clone()).await?;
    let of = |name: &str| name.split(['_', '.']).rev().find(|part| part.parse::<Uuid>().is_ok()).map(str::to_owned);
    let audit = of(&folder).or_else(|| of(&shown)).unwrap_or_else(|| "audit".to_owned());
    Ok((made(&*storage, &folder, ledger.as_ref(), &allowed)?, audit))
}

/// The ledger of a storage; `None` if there is none.
async fn ledger(storage: &dyn Storage, allowed: Allowed) -> Result<Option<Attestation>, Failure> {
    let place = storage.place(LEDGER);
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("{place}: {error}"));
    if !has(storage, LEDGER).map_err(|error| failed(&error))? {
        return Ok(None);
    }
    let found = anchor::attestation(storage, allowed).await.map_err(|error| failed(&error))?;
    match found.problems.first() {
        None => Ok(Some(found)),
        Some(problem) => Err(failed(&format!("{problem}. `rolecall evidence verify` lists all problems"))),
    }
}

fn made(
    storage: &dyn Storage,
    folder: &str,
    ledger: Option<&Attestation>,
    allowed: &Allowed,
) -> Result<String, Failure> {
    let page = certificate(storage, folder, Known { allowed, ledger }, Clock::system().now());
    page.map_err(|error| Failure::failed(error.to_string()))
}
