//! `rolecall evidence sample`: a sample for an auditor, who can draw it again.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    anchored, configured, key, located, period, signature, signers, signers_of, storage_of, unreadable,
    verify::unknown_keys, whole,
};
use crate::{
    cli::{
        args::{SampleArgs, SampleOf},
        output::{self, Failure},
    },
    clock::Clock,
    evidence::{
        consistency::{self, ConsistencyReport},
        key::SigningKey,
        signers::Allowed,
        storage::Storage,
    },
    export::{
        ExportError,
        sample::{self, Of, Wanted},
    },
    words::number,
};

pub(super) async fn run(named: Option<&Path>, args: &SampleArgs) -> Result<(), Failure> {
    let period = period(&args.period)?;
    let of = match args.of {
        SampleOf::Reviews => Of::Reviews,
        SampleOf::Accounts => Of::Accounts,
        SampleOf::Joiners => Of::Joiners,
        SampleOf::Leavers => Of::Leavers,
        SampleOf::Changes => Of::Changes,
    };
    let (first, last) = period.days();
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("sample_{of}_{first}_{last}")));
    if out.exists() {
        return Err(Failure::failed(format!("{} exists already; name another folder with --out", out.display())));
    }
    let (storage, found, key) = evidence(named, args).await?;
    let n = usize::try_from(args.n).unwrap_or(usize::MAX);
    let wanted = Wanted { period, of, n, seed: args.seed.clone() };
    let sample = sample::draw(&*storage, &found, &wanted, Clock::system().now());
    let mut sample = sample.map_err(|error| Failure::failed(error.to_string()))?;
    if let Some(key) = &key {
        let sign = |(name, content): &(String, Vec<u8>)| Ok((format!("{name}.sig"), signature(key, content)?));
        let signatures: Vec<_> = sample.files.iter().map(sign).collect::<Result<_, Failure>>()?;
        sample.files.extend(signatures);
    }
    for note in &sample.notes {
        output::note(&format!("rolecall: {note}"));
    }
    output::save_all(&out, &sample.files).map_err(|error| Failure::failed(format!("{}: {error}", out.display())))?;
    let (drawn, all) = (number(sample.drawn), number(sample.population));
    output::line(&format!("  wrote     {}: {drawn} of {all} {of}", out.join("index.html").display()));
    output::line(&format!("            python3 draw.py SEED {n} < population.txt, in that folder, draws them again"));
    Ok(())
}

/// The evidence, verified: the configured one against the store, with its key; or another as it is.
async fn evidence(
    named: Option<&Path>,
    args: &SampleArgs,
) -> Result<(Arc<dyn Storage>, ConsistencyReport, Option<SigningKey>), Failure> {
    let trusted = |configured: &dyn Fn() -> Result<Allowed, Failure>| match &args.allowed_signers {
        Some(file) => signers_of(file),
        None => configured(),
    };
    let Some(path) = &args.path else {
        let (settings, evidence) = configured(named)?;
        let allowed = trusted(&|| signers(&evidence))?;
        let found = anchored(&settings, &evidence, &allowed, &[], None).await?;
        let nothing = || Failure::failed(ExportError::Nothing.to_string());
        return Ok((storage_of(&evidence)?, found.ok_or_else(nothing)?, key(&evidence)?));
    };
    let allowed = trusted(&|| signers(&configured(named).map_err(unknown_keys)?.1))?;
    let located = located(named, path)?;
    let shown = located.shown.clone();
    let storage = whole(located)?;
    let found = consistency::check(&*storage, allowed, &[]).map_err(|error| unreadable(&shown, &error))?;
    let seal = found.seal.as_ref().and_then(|seal| seal.problems.first());
    if let Some(problem) = seal {
        return Err(Failure::failed(format!("{shown} is not as it was sealed: {problem}")));
    }
    Ok((storage, found, None))
}
