//! `rolecall evidence verify`: whether bags, signatures and the ledger are as they were written, and agree.

use std::{path::Path, time::Duration};

use super::{configured, signers, signers_of, unreadable};
use crate::{
    app,
    cli::{
        args::Trust,
        check,
        output::{self, Failure},
    },
    evidence::{
        agreement::{self, Found},
        inventory,
        ledger::LEDGER,
        seal::SUMS,
        signers::Allowed,
        verify,
    },
    run::ledger::{Parted, compare, was_kept},
    store::StoreError,
};

/// The longest problem that is shown, in characters.
const PROBLEM: usize = 1_000;
/// Longer than an entry of the store takes to its file.
const WRITING: Duration = Duration::from_millis(1_500);

pub(super) async fn run(named: Option<&Path>, path: Option<&Path>, args: &Trust) -> Result<(), Failure> {
    // A folder and a list of signers need no configuration: an auditor has none.
    let allowed = match &args.allowed_signers {
        Some(file) => signers_of(file)?,
        None => signers(&configured(named)?)?,
    };
    let Some(path) = path else { return directory(named, allowed, args).await };
    if inventory::is_bag(path) {
        if !args.witnesses.is_empty() {
            return Err(Failure::usage("--witness is about a ledger; name the folder that the bag is in"));
        }
        let found = verify::bag(path, &allowed);
        let is_sound = told(path, &found, &[], None);
        return if is_sound { Ok(()) } else { Err(Failure::failed("the bag is not as it was sealed")) };
    }
    let found = agreement::folder(path, allowed, &args.witnesses).map_err(|error| unreadable(path, &error))?;
    tell(path, &found)
}

/// The configured directory: the store knows what should be there.
async fn directory(named: Option<&Path>, allowed: Allowed, args: &Trust) -> Result<(), Failure> {
    let (settings, folder) = (check::load(named)?, configured(named)?.directory);
    let failed = |error: StoreError| Failure::failed(error.to_string());
    if !settings.store.path.exists() {
        if !folder.exists() {
            output::line("there is no evidence yet");
            return Ok(());
        }
        let mut found = look(&folder, &allowed, args)?;
        let store = settings.store.path.display();
        found.problems.push(format!("there is no store {store}: nobody else knows what the ledger should hold"));
        return tell(&folder, &found);
    }
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    if !folder.exists() {
        if !was_kept(&*store).await.map_err(failed)? {
            output::line("there is no evidence yet");
            return Ok(());
        }
        return Err(Failure::failed(format!(
            "{} is not there, and the store says that evidence was kept: it was taken away",
            folder.display()
        )));
    }
    let mut found = look(&folder, &allowed, args)?;
    let mut parted = compare(&*store, &found.testimony.chain).await.map_err(failed)?;
    if matches!(parted, Some(Parted::FileBehind { .. })) {
        // A daemon that is at work may just be writing.
        tokio::time::sleep(WRITING).await;
        found = look(&folder, &allowed, args)?;
        parted = compare(&*store, &found.testimony.chain).await.map_err(failed)?;
    }
    found.problems.extend(parted.map(|parted| format!("{LEDGER}: {parted}")));
    tell(&folder, &found)
}

fn look(folder: &Path, allowed: &Allowed, args: &Trust) -> Result<Found, Failure> {
    agreement::directory(folder, allowed.clone(), &args.witnesses).map_err(|error| unreadable(folder, &error))
}

fn tell(folder: &Path, found: &Found) -> Result<(), Failure> {
    if let Some(seal) = &found.seal {
        let sums = folder.join(SUMS);
        let said = format!("{}, {} files, {}", sums.display(), seal.files, signed_by(seal.signer.as_ref()));
        lines(&sums, &said, seal.problems.iter().map(ToString::to_string).collect());
    }
    for bag in &found.bags {
        told(&bag.path, &bag.found, &bag.problems, bag.note.as_deref());
    }
    let (ledger, testimony) = (folder.join(LEDGER), &found.testimony);
    let signed = testimony.vouched.as_ref().map_or_else(|| "unsigned".to_owned(), ToString::to_string);
    let rest = testimony.rest().map(|rest| format!("; {rest}")).unwrap_or_default();
    let said = format!("{}, {} entries, {signed}{rest}", ledger.display(), testimony.chain.head().number);
    let missing = found.missing.iter().map(ToString::to_string);
    lines(&ledger, &said, found.problems.iter().cloned().chain(missing).collect());
    if found.is_sound() { Ok(()) } else { Err(Failure::failed("the evidence is not as it was written")) }
}

/// Tells what was found of a bag; whether it is sound.
fn told(path: &Path, found: &verify::Found, problems: &[String], note: Option<&str>) -> bool {
    let note = note.map(|note| format!("; {note}")).unwrap_or_default();
    let said = format!("{}, {}{note}", path.display(), signed_by(found.signer.as_ref()));
    lines(path, &said, found.problems.iter().map(ToString::to_string).chain(problems.iter().cloned()).collect())
}

fn signed_by(signer: Option<&String>) -> String {
    signer.map_or_else(|| "unsigned".to_owned(), |signer| format!("signed by {signer}"))
}

/// Tells what is good, or what is wrong; whether it is good.
fn lines(path: &Path, good: &str, problems: Vec<String>) -> bool {
    if problems.is_empty() {
        output::line(&format!("ok      {}", output::plain(good, PROBLEM)));
        return true;
    }
    output::line(&format!("BROKEN  {}", output::plain(&path.display().to_string(), PROBLEM)));
    for problem in problems {
        output::line(&format!("        {}", output::plain(&problem, PROBLEM)));
    }
    false
}
