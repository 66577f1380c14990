//! `rolecall evidence export`: one zip for the auditor.

use std::path::{Path, PathBuf};

use super::{anchored, configured, hand_over::HandingOver, key, period, signers, storage_of};
use crate::{
    app,
    cli::{
        args::{ExportArgs, ExportFormat},
        output::{self, Failure},
    },
    clock::Clock,
    evidence::{consistency::ConsistencyReport, encrypted::Recipients, period::Period, storage::Storage},
    export::{self, Export, ExportError},
    report::exchange::{self, PeriodFormat},
    words::count,
};

pub(super) async fn run(named: Option<&Path>, args: &ExportArgs) -> Result<(), Failure> {
    let recipients = Recipients::parse(&args.encrypt_to).map_err(|error| Failure::usage(error.to_string()))?;
    let (settings, evidence) = configured(named)?;
    let period = period(&args.period)?;
    let (key, storage) = (key(&evidence)?, storage_of(&evidence)?);
    let failed = |error: ExportError| Failure::failed(error.to_string());
    let found = anchored(&settings, &evidence, &signers(&evidence)?, &[], None).await?;
    let found = found.ok_or_else(|| failed(ExportError::Nothing))?;
    if let Some(format) = args.format {
        return write_as(&*storage, &found, period, (format, args.out.as_deref()));
    }
    let export =
        Export::of(&*storage, &found, period, key.is_some(), &app::build(), Clock::system().now()).map_err(failed)?;
    for note in &export.notes {
        output::note(&format!("rolecall: {note}"));
    }
    let handing_over = HandingOver { storage: &*storage, key: key.as_ref(), recipients: recipients.as_ref() };
    if args.pseudonymise {
        handing_over.without_names(&export, &found.attestation, args)?;
    } else {
        let out = handing_over.out(args, &export.name);
        handing_over.write(&out, |path| export.write(&*storage, path, key.as_ref()))?;
        let (bags, due, gaps) = (count(export.bags, "bag"), count(export.due, "due review"), count(export.gaps, "gap"));
        output::line(&format!("  wrote     {} ({bags}, {due}, {gaps})", out.display()));
    }
    if key.is_none() {
        output::line("            it is not signed, because no key is configured: a third party cannot verify it");
    }
    if let Some(recipients) = &recipients {
        print_recipients(recipients);
    }
    output::line("            its README.txt describes how to verify it without rolecall");
    Ok(())
}

fn print_recipients(recipients: &Recipients) {
    let people = count(recipients.count(), "recipient");
    output::line(&format!("            it is encrypted for {people}: `age -d -i KEY` opens it"));
    if recipients.count() == 1 {
        output::note(
            "rolecall: only one key opens this export; name a key of your own too, to be able to show what was handed over",
        );
    }
}

/// Writes what the audits of the period found in the format of another tool.
fn write_as(
    storage: &dyn Storage,
    found: &ConsistencyReport,
    period: Period,
    (format, out): (ExportFormat, Option<&Path>),
) -> Result<(), Failure> {
    let failed = |error: ExportError| Failure::failed(error.to_string());
    let (audits, notes) = export::exchange::audits(storage, found, period).map_err(failed)?;
    for note in notes {
        output::note(&format!("rolecall: {note}"));
    }
    if audits.is_empty() {
        return Err(Failure::failed("no audit of this period has a bag of evidence"));
    }
    let (first, last) = period.days();
    let (format, ending) = match format {
        ExportFormat::Oscal => (PeriodFormat::Oscal, "oscal.json"),
        ExportFormat::Ocsf => (PeriodFormat::Ocsf, "ocsf.jsonl"),
    };
    let out = out.map_or_else(|| PathBuf::from(format!("evidence_{first}_{last}.{ending}")), Path::to_owned);
    let place = out.display();
    if out.exists() {
        return Err(Failure::failed(format!("{place} exists already; name another file with --out")));
    }
    let mut content = Vec::new();
    let title = format!("Access audits from {first} to {last}");
    let written = exchange::write_period(format, &audits, &title, &mut content);
    written
        .and_then(|()| output::save(&out, &content))
        .map_err(|error| Failure::failed(format!("{place}: {error}")))?;
    output::line(&format!("  wrote     {place} ({})", count(audits.len(), "audit")));
    Ok(())
}
