//! `rolecall evidence export`: one zip for the auditor.

use std::{collections::BTreeSet, fs, path::Path};

use askama::Template;
use chrono::{DateTime, Duration, NaiveTime, Utc};

use super::{configured, coverage, directory, key, signers, unreadable};
use crate::{
    cli::{
        args::ExportArgs,
        output::{self, Failure},
    },
    clock::Clock,
    coverage::Question,
    evidence::{
        NAMESPACE, PRINCIPAL, SIGNATURE,
        agreement::Found,
        export::{self, Source},
        ledger::{Checkpoint, LEDGER},
        mail,
        period::{PERIOD, Period},
        seal::SUMS,
    },
    ledger::{Entry, Fact},
    words::count,
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
    bags: String,
    checkpoint: &'a str,
    principal: &'static str,
    namespace: &'static str,
    sums: &'static str,
    signed: bool,
}

#[derive(Template)]
#[template(path = "evidence/export/verify.sh", escape = "none")]
struct Script {
    principal: &'static str,
    namespace: &'static str,
    signature: &'static str,
    sums: &'static str,
    signed: bool,
}

pub(super) async fn run(named: Option<&Path>, args: &ExportArgs) -> Result<(), Failure> {
    let (settings, evidence) = configured(named)?;
    let folder = &evidence.directory;
    let (from, to) = coverage::period(&args.period)?;
    let period = Period { from, to };
    let key = key(&evidence)?;
    let nothing = || Failure::failed("there is no evidence yet that can be exported");
    let found = directory::look(&settings, &evidence, &signers(&evidence)?, &[]).await?.ok_or_else(nothing)?;
    sound(folder, &found, period)?;
    let checkpoint = found.testimony.checkpoint.as_ref().ok_or_else(nothing)?;
    if let Some(rest) = found.testimony.rest() {
        output::note(&format!("rolecall: {rest}; this is not exported"));
    }
    let entries: Vec<&Entry> =
        found.testimony.believed().take_while(|entry| entry.number <= checkpoint.head.number).collect();
    let now = known_at(entries.last().map(|last| last.at), to, Clock::system().now());
    let sealed = coverage::sealed(folder)?;
    let question = Question { from, to, job: None, late_after: LATE_AFTER, now, bags: Some(&sealed) };
    let answer = coverage::answer(&found.testimony, &question);
    let bags = bags(&entries, period);

    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("the export cannot be made: {error}"));
    let signed = key.is_some();
    let mut contents = Vec::new();
    let mut text = |name: &str, text: Vec<u8>| contents.push((name.to_owned(), Source::Text(text)));
    for (name, content) in coverage::files_of(&answer, &question, &checkpoint.head)? {
        text(name, content);
    }
    let json = serde_json::to_string(&period).map_err(|error| failed(&error))? + "\n";
    text(PERIOD, json.into_bytes());
    text("allowed_signers", keys(&entries).into_bytes());
    let (principal, namespace, sums) = (PRINCIPAL, NAMESPACE, SUMS);
    let script = Script { principal, namespace, signature: SIGNATURE, sums, signed }.render();
    text("verify.sh", (script.map_err(|error| failed(&error))? + "\n").into_bytes());
    text(LEDGER, ledger(folder, checkpoint).map_err(|error| unreadable(folder, &error))?.into_bytes());
    text(&checkpoint.name, checkpoint.text.clone());
    if let Some(signature) = &checkpoint.signature {
        text(&checkpoint.signature_name(), signature.clone());
    }
    let gaps = answer.gaps().count();
    let readme = Readme {
        from: args.period.from.to_string(),
        to: args.period.to.to_string(),
        verdict: format!("{} due reviews, {gaps} gaps; {} bags.", answer.due(), bags.len()),
        version: env!("CARGO_PKG_VERSION"),
        bags: beginnings(&bags),
        checkpoint: &checkpoint.name,
        principal,
        namespace,
        sums,
        signed,
    };
    text("README.txt", (readme.render().map_err(|error| failed(&error))? + "\n").into_bytes());
    contents.extend(mail::named(entries.iter().copied(), Some(period)).into_keys().map(|sha256| {
        let path = mail::path(folder, sha256);
        (format!("{}/{sha256}.eml", mail::FOLDER), Source::File(path))
    }));
    contents.extend(bags.iter().map(|bag| ((*bag).to_owned(), Source::Folder(folder.join(bag)))));

    let name = format!("evidence_{}_{}", args.period.from, args.period.to);
    let out = args.out.clone().unwrap_or_else(|| Path::new(&name).with_added_extension("zip"));
    let written = export::write(&out, &name, &contents, key.as_ref());
    written.map_err(|error| Failure::failed(format!("{}: {error}", out.display())))?;
    output::line(&format!(
        "  wrote     {} ({}, {}, {})",
        out.display(),
        count(bags.len(), "bag"),
        count(answer.due(), "due review"),
        count(gaps, "gap")
    ));
    if !signed {
        output::line("            it is not signed, because no key is configured: it proves nothing to a stranger");
    }
    output::line("            its README.txt says how to verify it without rolecall");
    Ok(())
}

/// Up to when an export tells of a period that ends with `to`. What was found later changes nothing of one that is over: the
/// same evidence is the same export. While it goes on, it is the time of the ledger's last entry, but not before today: that
/// nothing was written any more is a gap too.
fn known_at(last: Option<DateTime<Utc>>, to: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    last.map_or(today, |last| last.max(today)).min(to + LATE_AFTER)
}

/// Whether the evidence is as it was written for the period that is asked for. What is wrong elsewhere is told.
fn sound(folder: &Path, found: &Found, period: Period) -> Result<(), Failure> {
    let is_asked = |due: Option<DateTime<Utc>>| due.is_some_and(|due| (period.from..period.to).contains(&due));
    let broken = found.bags.iter().filter(|bag| !bag.is_sound());
    let (inside, outside): (Vec<_>, Vec<_>) = broken
        .map(|bag| (bag.path.display().to_string(), bag.due))
        .chain(found.missing.iter().map(|missing| (folder.join(&missing.folder).display().to_string(), missing.due)))
        .partition(|(_, due)| is_asked(*due));
    if let Some(what) = found.problems.first().or(inside.first().map(|(bag, _)| bag)) {
        return Err(Failure::failed(format!(
            "the evidence is not as it was written, and is not exported: {what}. `rolecall evidence verify` says what is wrong"
        )));
    }
    for (bag, _) in outside {
        output::note(&format!("rolecall: {bag} is not as it was written; it is not of this period, and not exported"));
    }
    Ok(())
}

/// The ledger up to a checkpoint: what follows nobody has signed.
fn ledger(folder: &Path, checkpoint: &Checkpoint) -> std::io::Result<String> {
    let text = fs::read_to_string(folder.join(LEDGER))?;
    let lines = usize::try_from(checkpoint.head.number).unwrap_or(usize::MAX);
    Ok(text.split_inclusive('\n').take(lines).collect())
}

/// The bags of the reviews of a period that are still kept.
fn bags<'a>(entries: &[&'a Entry], period: Period) -> BTreeSet<&'a str> {
    let mut bags = BTreeSet::new();
    for entry in entries {
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

/// How the names of bags begin, as a list of contents has it.
fn beginnings(bags: &BTreeSet<&str>) -> String {
    let years: BTreeSet<&str> = bags.iter().filter_map(|bag| bag.split('-').next()).collect();
    let years: Vec<String> = years.into_iter().map(|year| format!("{year}-.../")).collect();
    if years.is_empty() { "(no folder)".to_owned() } else { years.join(", ") }
}

/// The keys that the ledger names, as an `allowed_signers` file.
fn keys(entries: &[&Entry]) -> String {
    let mut keys = String::new();
    for entry in entries {
        if let Fact::Key { signer: Some(signer), .. } = &entry.fact
            && !keys.lines().any(|line| line == signer)
        {
            keys = keys + signer + "\n";
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_evidence_on_the_same_day_is_the_same_export_and_silence_does_not_end_it() {
        let to = time("2026-04-01T00:00:00Z");
        let at = |last: &str, now: &str| known_at(Some(time(last)), to, time(now)).to_rfc3339();
        assert_eq!(at("2026-03-09T08:00:01Z", "2026-03-09T09:10:11Z"), "2026-03-09T08:00:01+00:00");
        assert_eq!(at("2026-03-09T08:00:01Z", "2026-03-09T23:59:59Z"), "2026-03-09T08:00:01+00:00");
        // Two reviews that nobody made since.
        assert_eq!(at("2026-03-09T08:00:01Z", "2026-03-25T10:00:00Z"), "2026-03-25T00:00:00+00:00");
        for now in ["2026-04-02T00:00:00Z", "2026-11-25T10:00:00Z"] {
            assert_eq!(at("2026-03-30T08:00:01Z", now), "2026-04-02T00:00:00+00:00");
        }
        assert_eq!(at("2026-11-25T08:00:01Z", "2026-11-25T10:00:00Z"), "2026-04-02T00:00:00+00:00");
    }

    #[test]
    fn the_list_of_contents_has_the_years_of_the_bags() {
        assert_eq!(
            beginnings(&BTreeSet::from(["2027-01-04T0700_a", "2026-12-28T0700_a", "2026-12-21T0700_a"])),
            "2026-.../, 2027-.../"
        );
        assert_eq!(beginnings(&BTreeSet::new()), "(no folder)");
    }
}
