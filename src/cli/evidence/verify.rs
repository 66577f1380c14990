//! `rolecall evidence verify`: whether bags, signatures and the ledger are as they were written, and consistent.

use std::path::Path;

use super::{
    Located, anchored, configured, key, located, memory::Memory, roots_of, signers, signers_of, storage_of, unreadable,
};
use crate::{
    app,
    cli::{
        args::Trust,
        output::{self, Failure},
    },
    evidence::{
        consistency::{self, ConsistencyReport},
        inventory,
        ledger::LEDGER,
        seal::{self, SUMS},
        signers::Allowed,
        storage::{Storage, has},
        timestamps::{self, Times},
        verified::Verified,
        verify,
    },
    export::{
        self,
        pseudonymised::{self, ORIGIN},
    },
    timestamp::Roots,
    words::count,
};

/// The longest problem that is shown, in characters.
const PROBLEM: usize = 1_000;

pub(super) async fn run(named: Option<&Path>, path: Option<&Path>, all: bool, args: &Trust) -> Result<(), Failure> {
    let Some(path) = path else { return own(named, all, args).await };
    // With a folder and a list of signers no configuration is read: an auditor does not have one.
    let allowed = match &args.allowed_signers {
        Some(file) => signers_of(file)?,
        None => signers(&configured(named).map_err(unknown_keys)?.1)?,
    };
    verify(&located(named, path)?, allowed, args)
}

/// An auditor has no configuration: it is the keys that are missing.
pub(super) fn unknown_keys(failure: Failure) -> Failure {
    match failure {
        Failure::Usage(why) => Failure::usage(format!(
            "the keys to trust are not known: name a file of them with --allowed-signers, or a configuration with a signing key. {why}"
        )),
        other => other,
    }
}

/// A bag, a folder of evidence, or an export.
fn verify(located: &Located, allowed: Allowed, args: &Trust) -> Result<(), Failure> {
    let (storage, folder) = (&*located.storage, &*located.folder);
    if !folder.is_empty() || inventory::is_bag(storage, "") {
        if !args.witnesses.is_empty() {
            return Err(Failure::usage("--witness needs a ledger; name the folder that contains the bag"));
        }
        let is_sound = print_bag(&storage.place(folder), &verify::bag(storage, folder, &allowed), &[], None);
        return if is_sound { Ok(()) } else { Err(Failure::failed("the bag is not as it was sealed")) };
    }
    let is_here = |file| has(storage, file).map_err(|error| unreadable(&located.shown, &error));
    if is_here(SUMS)? && is_here(ORIGIN)? {
        return without_names(storage, &allowed);
    }
    let found =
        consistency::check(storage, allowed, &args.witnesses).map_err(|error| unreadable(&located.shown, &error))?;
    print(storage, &found, roots_of(args.timestamp_ca.as_deref())?.as_ref(), 0)
}

/// An export without names: its files, and who sealed them. That it follows from its origin, only its origin shows.
fn without_names(storage: &dyn Storage, allowed: &Allowed) -> Result<(), Failure> {
    let found = seal::check(storage, allowed);
    let sums = storage.place(SUMS);
    let good = format!("{sums}, {} files, {}", found.files, signed_by(found.signer.as_ref()));
    if !print_lines(&sums, &good, found.problems.iter().map(ToString::to_string).collect()) {
        return Err(Failure::failed("the export has been changed"));
    }
    let origin = storage.place(ORIGIN);
    let problems = pseudonymised::check_origin(storage).map_err(|error| unreadable(&origin, &error))?;
    if !print_lines(&origin, &format!("{origin}, every file that is kept of the origin, and no other"), problems) {
        return Err(Failure::failed("the export has been changed"));
    }
    output::line(
        "\nVerified: every file of this export is as it was sealed. It has no names; what it was derived from stands in",
    );
    output::line(&format!("{ORIGIN}, and the digest of every file of that in origin-SHA256SUMS."));
    Ok(())
}

/// The configured directory. What was found to be as it was sealed is remembered beside the store.
async fn own(named: Option<&Path>, all: bool, args: &Trust) -> Result<(), Failure> {
    let (settings, evidence) = configured(named)?;
    let allowed = match &args.allowed_signers {
        Some(file) => signers_of(file)?,
        None => signers(&evidence)?,
    };
    let storage = storage_of(&evidence)?;
    let memory = Memory::of(&settings.store.place, key(&evidence)?, &*storage, all);
    let verified = memory.as_ref().map(|memory| &memory.verified);
    let Some(found) = anchored(&settings, &evidence, &allowed, &args.witnesses, verified).await? else {
        output::line("no evidence yet");
        return Ok(());
    };
    if let Some(memory) = &memory {
        memory.keep();
    }
    let taken = verified.map_or(0, Verified::taken);
    print(&*storage, &found, roots_of(args.timestamp_ca.as_deref())?.as_ref(), taken)
}

/// Prints what the timestamps prove; returns whether every authority is trusted. What is wrong with a timestamp stands
/// with the ledger.
fn print_times(storage: &dyn Storage, times: &Times, roots: Option<&Roots>) -> bool {
    if times.good == 0 {
        return true;
    }
    let proven = times.proven.as_ref().map_or_else(String::new, |proven| {
        let at = proven.at.format("%Y-%m-%d %H:%M:%S UTC");
        format!("; the ledger existed up to entry {} by {at}, as {} says", proven.entry, proven.authority)
    });
    let place = storage.place(timestamps::FOLDER);
    let unknown = times.roots.iter().filter(|root| roots.is_some_and(|roots| !roots.has(root)));
    let unknown = unknown.map(|root| format!("{root}.pem is not among the trusted certificates of authorities"));
    let is_trusted =
        print_lines(&place, &format!("{place}, {}{proven}", count(times.good, "timestamp")), unknown.collect());
    if times.unproven > 0 {
        let bags = count(times.unproven, "bag");
        output::line(&format!("note    {bags} without a timestamp yet: the times are by this machine's clock"));
    }
    is_trusted
}

fn print(storage: &dyn Storage, found: &ConsistencyReport, roots: Option<&Roots>, taken: usize) -> Result<(), Failure> {
    if let Some(seal) = &found.seal {
        let sums = storage.place(SUMS);
        let good = format!("{sums}, {} files, {}", seal.files, signed_by(seal.signer.as_ref()));
        print_lines(&sums, &good, seal.problems.iter().map(ToString::to_string).collect());
    }
    for bag in &found.bags {
        print_bag(&storage.place(&bag.folder), &bag.found, &bag.problems, bag.note.as_deref());
    }
    let remade = remade(storage, found)?;
    let (ledger, attestation) = (storage.place(LEDGER), &found.attestation);
    let signed = attestation.signed.as_ref().map_or_else(|| "unsigned".to_owned(), ToString::to_string);
    let rest = attestation.rest().map(|rest| format!("; {rest}")).unwrap_or_default();
    let good = format!("{ledger}, {} entries, {signed}{rest}", attestation.chain.head().number);
    let missing = found.missing.iter().map(ToString::to_string);
    print_lines(&ledger, &good, found.problems.iter().cloned().chain(missing).collect());
    let is_trusted = print_times(storage, &found.times, roots);
    for remark in &found.remarks {
        output::line(&format!("note    {}", output::plain(remark, PROBLEM)));
    }
    if !(found.is_sound() && remade) {
        return Err(Failure::failed("the evidence has been changed"));
    }
    if !is_trusted {
        return Err(Failure::failed("a timestamp is by an authority that is not trusted"));
    }
    let bags = match found.bags.len() {
        0 => String::new(),
        bags => format!("{} and ", count(bags, "evidence bag")),
    };
    output::line(&format!("\nVerified: {bags}the ledger; nothing has been changed."));
    if taken > 0 {
        output::line(&format!(
            "{} verified before and unchanged since, by size, inode and times; --all reads everything again.",
            if taken == 1 { "1 of them was".to_owned() } else { format!("{taken} of them were") }
        ));
    }
    Ok(())
}

/// Makes an export again and prints whether it is the same; returns whether it is. A directory in use is not an export; of
/// one that is not as it was sealed, nothing can be said.
fn remade(storage: &dyn Storage, found: &ConsistencyReport) -> Result<bool, Failure> {
    if found.seal.is_none() || !found.is_sound() {
        return Ok(true);
    }
    let remade = export::check(storage, found, &app::build()).map_err(|error| Failure::failed(error.to_string()))?;
    let place = storage.place("coverage.csv");
    let good = match remade.other {
        Some(other) => format!("{place}, {other}"),
        None => format!("{place}, coverage.html and README.txt follow from the ledger and the bags"),
    };
    Ok(print_lines(&place, &good, remade.problems))
}

/// Prints what was found of a bag; returns whether it is sound.
fn print_bag(place: &str, found: &verify::VerifyReport, problems: &[String], note: Option<&str>) -> bool {
    let note = note.map(|note| format!("; {note}")).unwrap_or_default();
    let good = format!("{place}, {}{note}", signed_by(found.signer.as_ref()));
    print_lines(place, &good, found.problems.iter().map(ToString::to_string).chain(problems.iter().cloned()).collect())
}

fn signed_by(signer: Option<&String>) -> String {
    signer.map_or_else(|| "unsigned".to_owned(), |signer| format!("signed by {signer}"))
}

/// Prints that something is sound, or its problems; returns whether it is sound.
fn print_lines(place: &str, good: &str, problems: Vec<String>) -> bool {
    if problems.is_empty() {
        output::line(&format!("ok      {}", output::plain(good, PROBLEM)));
        return true;
    }
    output::line(&format!("BROKEN  {}", output::plain(place, PROBLEM)));
    for problem in problems {
        output::line(&format!("        {}", output::plain(&problem, PROBLEM)));
    }
    false
}
