//! `rolecall evidence export`: one zip for the auditor.

use std::{collections::BTreeSet, path::Path};

use askama::Template;
use chrono::{Duration, Utc};

use super::{configured, coverage, signers, unreadable};
use crate::{
    cli::{
        args::ExportArgs,
        output::{self, Failure},
    },
    coverage::{Coverage, Question},
    evidence::{
        NAMESPACE, PRINCIPAL,
        agreement::{self, PERIOD, Period},
        export::{self, Source},
        ledger::{LEDGER, checkpoints},
        mail,
    },
    ledger::{Fact, chain::Found as Chain},
};

/// A review that is recorded later than this after its fire time is late.
const LATE_AFTER: Duration = Duration::hours(24);

#[derive(Template)]
#[template(path = "evidence/export/README.txt")]
struct Readme<'a> {
    from: String,
    to: String,
    verdict: String,
    version: &'static str,
    checkpoint: &'a str,
}

#[derive(Template)]
#[template(path = "evidence/export/verify.sh", escape = "none")]
struct Script {
    principal: &'static str,
    namespace: &'static str,
}

pub(super) fn run(named: Option<&Path>, args: &ExportArgs) -> Result<(), Failure> {
    let evidence = configured(named)?;
    let folder = &evidence.directory;
    let (from, to) = coverage::period(&args.period)?;
    let found = agreement::folder(folder, signers(&evidence)?, &[]).map_err(|error| unreadable(folder, &error))?;
    if !found.is_sound() {
        return Err(Failure::failed(
            "the evidence is not as it was written, and is not exported; `rolecall evidence verify` says what is wrong",
        ));
    }
    let chain = coverage::ledger(folder)?;
    // What was found later changes nothing of a period that is over: the same evidence is the same export.
    let sealed = coverage::sealed(folder)?;
    let now = Utc::now().min(to + LATE_AFTER);
    let question = Question { from, to, job: None, late_after: LATE_AFTER, now, bags: Some(&sealed) };
    let answer = Coverage::of(chain.entries.iter().map(|(entry, _)| entry), &question);
    let period = Period { from, to };
    let bags = bags(&chain, period);

    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("the export cannot be made: {error}"));
    let mut contents = Vec::new();
    let mut text = |name: &str, text: Vec<u8>| contents.push((name.to_owned(), Source::Text(text)));
    for (name, content) in coverage::files_of(&answer, &question, &chain)? {
        text(name, content);
    }
    let json = serde_json::to_string(&period).map_err(|error| failed(&error))? + "\n";
    text(PERIOD, json.into_bytes());
    text("allowed_signers", keys(&chain).into_bytes());
    let script = Script { principal: PRINCIPAL, namespace: NAMESPACE }.render().map_err(|error| failed(&error))?;
    text("verify.sh", (script + "\n").into_bytes());
    let mut checkpoint = String::new();
    for (_, path) in checkpoints(folder).map_err(|error| unreadable(folder, &error))? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let signature = path.with_added_extension("sig");
        if signature.exists() {
            contents.push((format!("{name}.sig"), Source::File(signature)));
        }
        contents.push((name.clone(), Source::File(path)));
        checkpoint = name;
    }
    let gaps = answer.gaps().count();
    let readme = Readme {
        from: args.period.from.to_string(),
        to: args.period.to.to_string(),
        verdict: format!("{} due reviews, {gaps} gaps; {} bags.", answer.due(), bags.len()),
        version: env!("CARGO_PKG_VERSION"),
        checkpoint: &checkpoint,
    };
    let readme = readme.render().map_err(|error| failed(&error))? + "\n";
    contents.push(("README.txt".to_owned(), Source::Text(readme.into_bytes())));
    contents.push((LEDGER.to_owned(), Source::File(folder.join(LEDGER))));
    let entries = chain.entries.iter().map(|(entry, _)| entry);
    contents.extend(mail::named(entries, Some(period)).into_keys().map(|sha256| {
        let path = mail::path(folder, sha256);
        (format!("{}/{sha256}.eml", mail::FOLDER), Source::File(path))
    }));
    contents.extend(bags.iter().map(|bag| ((*bag).to_owned(), Source::Folder(folder.join(bag)))));

    let name = format!("evidence_{}_{}", args.period.from, args.period.to);
    let out = args.out.clone().unwrap_or_else(|| Path::new(&name).with_added_extension("zip"));
    export::write(&out, &name, &contents).map_err(|error| Failure::failed(format!("{}: {error}", out.display())))?;
    let count = if bags.len() == 1 { "1 bag".to_owned() } else { format!("{} bags", bags.len()) };
    output::line(&format!("  wrote     {} ({count}, {} due reviews, {gaps} gaps)", out.display(), answer.due()));
    output::line("            its README.txt says how to verify it without rolecall");
    Ok(())
}

/// The bags of the reviews of a period that are still kept.
fn bags(chain: &Chain, period: Period) -> BTreeSet<&str> {
    let mut bags = BTreeSet::new();
    for (entry, _) in &chain.entries {
        match &entry.fact {
            Fact::Recorded(recorded) if period.holds(recorded) => {
                bags.extend(recorded.bag.as_ref().map(|bag| bag.folder.as_str()));
            }
            Fact::BagOfFailure { bag, .. } if (period.from..period.to).contains(&entry.at) => {
                bags.insert(bag.folder.as_str());
            }
            Fact::BagRemoved { bag, .. } => {
                bags.remove(bag.folder.as_str());
            }
            _ => {}
        }
    }
    bags
}

/// The keys that the ledger names, as an `allowed_signers` file.
fn keys(chain: &Chain) -> String {
    let mut keys = String::new();
    for (entry, _) in &chain.entries {
        if let Fact::Key { signer, .. } = &entry.fact
            && !keys.lines().any(|line| line == signer)
        {
            keys = keys + signer + "\n";
        }
    }
    keys
}
