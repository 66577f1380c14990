//! `rolecall evidence export`: one zip for the auditor.

use std::path::Path;

use super::{anchored, configured, key, period, signers, storage_of};
use crate::{
    app,
    cli::{
        args::ExportArgs,
        output::{self, Failure},
    },
    clock::Clock,
    export::{Export, ExportError},
    words::count,
};

pub(super) async fn run(named: Option<&Path>, args: &ExportArgs) -> Result<(), Failure> {
    let (settings, evidence) = configured(named)?;
    let period = period(&args.period)?;
    let (key, storage) = (key(&evidence)?, storage_of(&evidence));
    let failed = |error: ExportError| Failure::failed(error.to_string());
    let found = anchored(&settings, &evidence, &signers(&evidence)?, &[]).await?;
    let found = found.ok_or_else(|| failed(ExportError::Nothing))?;
    let export =
        Export::of(&storage, &found, period, key.is_some(), &app::build(), Clock::system().now()).map_err(failed)?;
    for note in &export.notes {
        output::note(&format!("rolecall: {note}"));
    }
    let out = args.out.clone().unwrap_or_else(|| Path::new(&export.name).with_added_extension("zip"));
    export.write(&storage, &out, key.as_ref()).map_err(failed)?;
    let (bags, due, gaps) = (count(export.bags, "bag"), count(export.due, "due review"), count(export.gaps, "gap"));
    output::line(&format!("  wrote     {} ({bags}, {due}, {gaps})", out.display()));
    if key.is_none() {
        output::line("            it is not signed, because no key is configured: a third party cannot verify it");
    }
    output::line("            its README.txt describes how to verify it without rolecall");
    Ok(())
}
