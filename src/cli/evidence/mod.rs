//! `rolecall evidence`: the key, the bags, and their verification.

mod certificate;
mod coverage;
mod export;
mod hand_over;
mod list;
mod mapping;
mod memory;
pub(super) mod recompute;
mod sample;
mod verify;

use std::{fs, io, path::Path, sync::Arc};

use super::{
    args::{EvidenceCommand, PeriodArgs},
    check,
    output::{self, Failure},
};
use crate::{
    app,
    clock::Clock,
    config::settings::{Evidence, EvidencePlace, Settings},
    evidence::{
        NAMESPACE, PRINCIPAL,
        consistency::ConsistencyReport,
        key::{KeyError, SigningKey},
        period::Period,
        signers::Allowed,
        storage::{Storage, archive::Archive, bounded, folder::Folder},
        verified::Verified,
    },
    ledger::Head,
    run::anchor::Check,
    store::Database,
    timestamp::Roots,
};

/// The largest file with keys or authorities to trust, in bytes.
const LARGEST_TRUST: u64 = 16 << 20;

pub(super) async fn run(named: Option<&Path>, command: EvidenceCommand) -> Result<(), Failure> {
    match command {
        EvidenceCommand::InitKey { out } => init_key(&out),
        EvidenceCommand::List { format } => list::run(&configured(named)?.1, format).await,
        EvidenceCommand::Coverage(args) => coverage::run(named, &args).await,
        EvidenceCommand::Export(args) => export::run(named, &args).await,
        EvidenceCommand::Sample(args) => sample::run(named, &args).await,
        EvidenceCommand::Certificate(args) => certificate::run(named, &args).await,
        EvidenceCommand::Recompute { bag } => recompute::run(named, &bag).await,
        EvidenceCommand::Verify { path, all, trust } => verify::run(named, path.as_deref(), all, &trust).await,
    }
}

/// The configuration, and its evidence settings.
pub(super) fn configured(named: Option<&Path>) -> Result<(Settings, Evidence), Failure> {
    let mut settings = check::load_quietly(named)?;
    let evidence = settings.evidence.take();
    let nothing = || Failure::usage("the configuration has no [evidence] table, so no evidence is kept");
    Ok((settings, evidence.ok_or_else(nothing)?))
}

fn init_key(out: &Path) -> Result<(), Failure> {
    let failed = |error: KeyError| Failure::failed(error.to_string());
    let key = SigningKey::generate("rolecall evidence").map_err(failed)?;
    key.write(out).map_err(failed)?;
    output::line(&format!("The key {} is in {}; only its owner can read it.\n", key.fingerprint(), out.display()));
    output::line("Add to the configuration:\n");
    output::line(&format!("[evidence]\nsigning_key = {{ file = \"{}\" }}\n", out.display()));
    output::line(
        "Give this line to those who verify evidence, as a file named allowed_signers and by another channel than the evidence:\n",
    );
    output::line(&key.signer().map_err(failed)?);
    Ok(())
}

/// The configured storage.
fn storage_of(evidence: &Evidence) -> Result<Arc<dyn Storage>, Failure> {
    app::evidence_storage(evidence).map_err(|error| Failure::failed(error.to_string()))
}

/// Evidence that is named on the command line.
struct Located {
    storage: Arc<dyn Storage>,
    /// The folder in it that is meant; empty for all of it.
    folder: String,
    /// Its name as given.
    shown: String,
}

/// A folder, a zip, or an address in the configured object store: its own, or that of a bag.
fn located(named: Option<&Path>, path: &Path) -> Result<Located, Failure> {
    let shown = path.display().to_string();
    if shown.starts_with("s3://") {
        let storage = storage_of(&configured(named)?.1)?;
        let place = storage.place("");
        let outside = || Failure::usage(format!("{shown} is not in the configured evidence, which is in {place}"));
        let folder = bag_in(&place, &shown).ok_or_else(outside)?.to_owned();
        return Ok(Located { storage, folder, shown });
    }
    let storage: io::Result<Arc<dyn Storage>> = if path.is_file() {
        Archive::open(path).map(|archive| Arc::new(archive) as _)
    } else {
        Folder::open(path).map(|folder| Arc::new(folder) as _)
    };
    Ok(Located { storage: storage.map_err(|error| unreadable(&shown, &error))?, folder: String::new(), shown })
}

/// Named evidence that is not a single bag of an object store.
fn whole(located: Located) -> Result<Arc<dyn Storage>, Failure> {
    if located.folder.is_empty() {
        return Ok(located.storage);
    }
    Err(Failure::usage(format!("{} is a bag; name the evidence that has it", located.shown)))
}

/// The configured storage. A folder must exist.
pub(super) fn existing(evidence: &Evidence) -> Result<Arc<dyn Storage>, Failure> {
    if let EvidencePlace::Folder(path) = &evidence.place {
        Folder::open(path).map_err(|error| unreadable(&path.display().to_string(), &error))?;
    }
    storage_of(evidence)
}

/// The bag of an address in an object store; empty if it is the address of the evidence itself.
fn bag_in<'a>(place: &str, address: &'a str) -> Option<&'a str> {
    match address.strip_prefix(place)?.trim_end_matches('/') {
        "" => Some(""),
        rest => rest.strip_prefix("/bags/")?.strip_suffix(".zip").filter(|bag| !bag.contains('/')),
    }
}

/// The configured evidence, checked against the store if there is one; `None` if there is no evidence yet.
async fn anchored(
    settings: &Settings,
    evidence: &Evidence,
    allowed: &Allowed,
    anchors: &[Head],
    memory: Option<&Verified>,
) -> Result<Option<ConsistencyReport>, Failure> {
    let (storage, key, shown) = (storage_of(evidence)?, key(evidence)?, app::store_place(settings));
    let store = app::existing_store(settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    let check = Check { storage: &*storage, key: key.as_ref(), allowed, anchors, memory, store: &shown };
    let store = store.as_ref().map(|store| &**store as &dyn Database);
    check.against(store).await.map_err(|error| Failure::failed(error.to_string()))
}

/// The period that is asked for. Days are whole, in UTC.
fn period(args: &PeriodArgs) -> Result<Period, Failure> {
    Period::of_days(args.from, args.to).ok_or_else(|| Failure::usage("--to is before --from"))
}

/// The configured key; `None` if evidence is not signed.
fn key(evidence: &Evidence) -> Result<Option<SigningKey>, Failure> {
    let key = evidence.signing_key.as_deref().map(SigningKey::read).transpose();
    key.map_err(|error| Failure::usage(error.to_string()))
}

/// The signature of a file that is made of the evidence, in OpenSSH's format.
fn signature(key: &SigningKey, content: &[u8]) -> Result<Vec<u8>, Failure> {
    key.sign(content).map(String::into_bytes).map_err(|error| Failure::failed(error.to_string()))
}

/// The configured key as the only trusted one.
pub(super) fn signers(evidence: &Evidence) -> Result<Allowed, Failure> {
    let Some(key) = key(evidence)? else { return Ok(Allowed::default()) };
    let signer = key.signer().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Allowed::parse(&signer, Clock::system().now()))
}

/// The trusted keys of a file.
pub(super) fn signers_of(file: &Path) -> Result<Allowed, Failure> {
    let keys = fs::File::open(file).and_then(|opened| bounded(opened, LARGEST_TRUST));
    let keys = keys.map_err(|error| unreadable(&file.display().to_string(), &error))?;
    let allowed = Allowed::parse(&String::from_utf8_lossy(&keys), Clock::system().now());
    if allowed.is_empty() {
        return Err(Failure::usage(format!(
            "{} allows no key to sign as {PRINCIPAL} in the namespace {NAMESPACE} today",
            file.display()
        )));
    }
    Ok(allowed)
}

/// The timestamp authorities of a file, which are trusted; `None` if nobody said which.
fn roots_of(file: Option<&Path>) -> Result<Option<Roots>, Failure> {
    let Some(file) = file else { return Ok(None) };
    let pem = fs::File::open(file).and_then(|opened| bounded(opened, LARGEST_TRUST));
    let pem = pem.map_err(|error| unreadable(&file.display().to_string(), &error))?;
    let roots = Roots::from_pem(&pem).map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
    Ok(Some(roots))
}

fn unreadable(place: &str, error: &io::Error) -> Failure {
    Failure::usage(format!("{place} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::bag_in;

    #[test]
    fn an_address_names_the_evidence_or_a_bag_in_it() {
        let bag = |address| bag_in("s3://bucket/prefix", address);
        assert_eq!(bag("s3://bucket/prefix/"), Some(""));
        assert_eq!(bag("s3://bucket/prefix/bags/2026-a.zip"), Some("2026-a"));
        for other in
            ["s3://bucket/prefix2", "s3://bucket", "s3://bucket/prefix/mail/a.eml", "s3://bucket/prefix/bags/a/b.zip"]
        {
            assert_eq!(bag(other), None, "{other}");
        }
    }
}
