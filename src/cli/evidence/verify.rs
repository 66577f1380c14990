//! `rolecall evidence verify`: whether bags, signatures and the ledger are as they were written, and agree.

use std::path::Path;

use super::{configured, directory, signers, signers_of, unreadable};
use crate::{
    cli::{
        args::Trust,
        output::{self, Failure},
    },
    evidence::{
        agreement::{self, Found},
        inventory,
        ledger::LEDGER,
        seal::SUMS,
        verify,
    },
};

/// The longest problem that is shown, in characters.
const PROBLEM: usize = 1_000;

pub(super) async fn run(named: Option<&Path>, path: Option<&Path>, args: &Trust) -> Result<(), Failure> {
    let Some(path) = path else { return own(named, args).await };
    // A folder and a list of signers need no configuration: an auditor has none.
    let allowed = match &args.allowed_signers {
        Some(file) => signers_of(file)?,
        None => signers(&configured(named)?.1)?,
    };
    if inventory::is_bag(path) {
        if !args.witnesses.is_empty() {
            return Err(Failure::usage("--witness is about a ledger; name the folder that the bag is in"));
        }
        let is_sound = told(path, &verify::bag(path, &allowed), &[], None);
        return if is_sound { Ok(()) } else { Err(Failure::failed("the bag is not as it was sealed")) };
    }
    let found = agreement::folder(path, allowed, &args.witnesses).map_err(|error| unreadable(path, &error))?;
    tell(path, &found)
}

/// The configured directory.
async fn own(named: Option<&Path>, args: &Trust) -> Result<(), Failure> {
    let (settings, evidence) = configured(named)?;
    let allowed = match &args.allowed_signers {
        Some(file) => signers_of(file)?,
        None => signers(&evidence)?,
    };
    if let Some(found) = directory::look(&settings, &evidence, &allowed, &args.witnesses).await? {
        return tell(&evidence.directory, &found);
    }
    output::line("there is no evidence yet");
    Ok(())
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
    for remark in &found.remarks {
        output::line(&format!("note    {}", output::plain(remark, PROBLEM)));
    }
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
