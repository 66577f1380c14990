//! How an export leaves the company: as one zip, perhaps without names, perhaps encrypted.

use std::path::{Path, PathBuf};

use super::mapping;
use crate::{
    app,
    cli::{
        args::ExportArgs,
        output::{self, Failure},
    },
    evidence::{
        attestation::Attestation,
        encrypted::{self, Recipients},
        key::SigningKey,
        storage::Storage,
    },
    export::{Export, ExportError, Mapping},
    words::count,
};

fn failed(error: &ExportError) -> Failure {
    Failure::failed(error.to_string())
}

/// How an export is written.
pub(super) struct HandingOver<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) key: Option<&'a SigningKey>,
    pub(super) recipients: Option<&'a Recipients>,
}

impl HandingOver<'_> {
    /// The file to write.
    pub(super) fn out(&self, args: &ExportArgs, name: &str) -> PathBuf {
        let ending = if self.recipients.is_some() { "zip.age" } else { "zip" };
        args.out.clone().unwrap_or_else(|| Path::new(name).with_added_extension(ending))
    }

    /// Writes a file, encrypted if there are recipients. Nothing plain is left then.
    pub(super) fn write(
        &self,
        out: &Path,
        write: impl FnOnce(&Path) -> Result<(), ExportError>,
    ) -> Result<(), Failure> {
        let Some(recipients) = self.recipients else { return write(out).map_err(|error| failed(&error)) };
        let plain = out.with_added_extension("plain");
        let cannot = |error: std::io::Error| Failure::failed(format!("{}: {error}", out.display()));
        // What an interrupted export left.
        encrypted::remove_plain(&plain).map_err(cannot)?;
        let written = write(&plain)
            .map_err(|error| failed(&error))
            .and_then(|()| recipients.encrypt(&plain, out).map_err(cannot));
        let removed = encrypted::remove_plain(&plain).map_err(cannot);
        written.and(removed)
    }

    pub(super) fn without_names(
        &self,
        export: &Export,
        attestation: &Attestation,
        args: &ExportArgs,
    ) -> Result<(), Failure> {
        let out = self.out(args, &format!("{}_pseudonymised", export.name));
        let file = args.mapping.clone().unwrap_or_else(|| beside(&out));
        let mut mapping = mapping::of(&file)?;
        let made = export.pseudonymise(self.storage, attestation, &mut mapping, self.key.is_some(), &app::build());
        let made = made.map_err(|error| failed(&error))?;
        let mut save = |mapping: &Mapping| mapping::save(mapping, &file);
        self.write(&out, |path| made.write(self.storage, path, self.key, (&mut mapping, &mut save)))?;
        let (bags, pseudonyms) = (count(export.bags, "bag"), count(made.people, "pseudonym"));
        output::line(&format!("  wrote     {} ({bags}, {pseudonyms})", out.display()));
        output::line(&format!("  keep      {}: it names the people, and its key makes the pseudonyms", file.display()));
        output::line(
            "            nicknames, initials and descriptions of people are not recognized: read the export before you hand it over",
        );
        Ok(())
    }
}

/// Where the mapping is if nothing else is said: beside the export.
fn beside(out: &Path) -> PathBuf {
    let name = out.file_name().and_then(|name| name.to_str()).unwrap_or("export");
    let name = name.strip_suffix(".age").unwrap_or(name);
    out.with_file_name(format!("{}-mapping.json", name.strip_suffix(".zip").unwrap_or(name)))
}
