//! The bag of a closed review: what was reviewed, every decision and attestation, and what was carried out by then.

use std::{collections::BTreeSet, io};

use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    digest::sha256,
    evidence::{
        SEALED, SIGNATURE,
        draft::{Draft, DraftError},
        review::{EVENTS, POPULATION, SHEET_SIGNERS, cited, line},
        storage::{Storage, join, read},
    },
    ledger::{Fact, fact::ReviewSealed},
    model::bag::BagName,
    report::review as files,
    review::{
        event::Event,
        item::canonical,
        state::{Review, Stage},
        table::is_workbook,
    },
    run::{
        bag::{EvidenceError, script, time},
        ledger::{self, WriteError, record_signing_key, write_out},
        vault::Vault,
    },
    store::Database,
    words::count,
};

#[derive(Template)]
#[template(path = "evidence/review/README.txt", escape = "none")]
struct Readme<'a> {
    name: &'a str,
    version: &'static str,
    id: String,
    owner: String,
    opened: String,
    closed: String,
    next: String,
    accounts: String,
    result: String,
    audits: Vec<String>,
    sheets: bool,
    signature: &'static str,
    signed: bool,
}

/// Seals a closed review, and names its bag in the ledger. A review that is sealed already is left as it is. Returns the
/// bag; `None` if the review is not closed.
///
/// # Errors
/// [`EvidenceError`]; then it can be sealed later.
pub async fn seal(
    store: &dyn Database,
    vault: &Vault,
    review: &Review,
    now: DateTime<Utc>,
) -> Result<Option<BagName>, EvidenceError> {
    let Stage::Closed { at, closed } = review.stage() else { return Ok(None) };
    if let Some(bag) = bag_of(store, review.id()).await? {
        return Ok(Some(bag));
    }
    record_signing_key(store, vault, now).await?;
    let head = ledger::head(store, vault, now).await?;
    let opening = review.opening();
    let folder = format!("{}_review-{}_{}", at.format("%Y-%m-%dT%H%M%SZ"), opening.name, review.id());
    let draft = match Draft::begin(&*vault.storage, &folder) {
        // A process died after it was sealed: the ledger says what it is.
        Err(DraftError::Exists { .. }) => {
            let sealed = read(&*vault.storage, &join(&folder, SEALED));
            let sha256 = sealed.map_or_else(|_| String::new(), |bytes| sha256(&bytes));
            return name(store, vault, review, BagName { folder, sha256 }, now).await.map(Some);
        }
        begun => begun?,
    };
    let events = store.review_events(review.id()).await.map_err(WriteError::from)?;
    draft.add(POPULATION, |writer| writer.write_all(&canonical(review.population())))?;
    draft.add(EVENTS, |writer| {
        events.iter().try_for_each(|(at, event)| writer.write_all(line(*at, event).as_bytes()))
    })?;
    let sheets = sheets(store, review.id(), &events, &draft).await?;
    // As of the close: what is carried out later is in the ledger.
    for (path, write) in files::FILES {
        draft.add(path, |writer| write(review, *at, writer))?;
    }
    draft.add("configuration.toml", |writer| writer.write_all(vault.configuration.common().as_bytes()))?;
    let work = review.items().filter(|(_, course)| course.work().is_some()).count();
    let basis = |basis: &crate::review::event::Basis| {
        format!("{}: audit {}, bag {}, sha256 {}", basis.workspace, basis.audit, basis.bag.folder, basis.bag.sha256)
    };
    let readme = Readme {
        name: &opening.name,
        version: env!("CARGO_PKG_VERSION"),
        id: review.id().to_string(),
        owner: opening.owner.to_string(),
        opened: time(review.opened_at()),
        closed: time(*at),
        next: closed.next_review.to_string(),
        accounts: count(opening.items, "account"),
        result: if closed.no_change_needed {
            "no change needed".to_owned()
        } else {
            format!("{work} to change or remove")
        },
        audits: opening.bases.iter().map(basis).collect(),
        sheets: sheets > 0,
        signature: SIGNATURE,
        signed: vault.key.is_some(),
    };
    let info = [
        ("External-Identifier", review.id().to_string()),
        ("External-Description", format!("Decisions of the review {}", opening.name)),
        ("Bagging-Date", at.format("%Y-%m-%d").to_string()),
        ("Bag-Software-Agent", vault.agent.clone()),
        ("Rolecall-Review", opening.name.clone()),
        ("Rolecall-Job", opening.job.clone()),
        ("Rolecall-Closed-At", time(*at)),
        ("Rolecall-Ledger", head.to_string()),
    ];
    let beside = [("README.txt", readme.render()? + "\n"), ("verify.sh", script()?)];
    let sha256 = draft.finish(&*vault.storage, &info, &beside, vault.key.as_ref())?;
    name(store, vault, review, BagName { folder, sha256 }, now).await.map(Some)
}

/// Adds the spreadsheets that people decided with, their signatures, and the keys of those who signed. Returns how many
/// there are.
async fn sheets(
    store: &dyn Database,
    id: Uuid,
    events: &[(DateTime<Utc>, Event)],
    draft: &Draft,
) -> Result<usize, EvidenceError> {
    let (mut signers, mut kept) = (BTreeSet::new(), 0);
    for cited in cited(events.iter().map(|(at, event)| (*at, event))) {
        // An earlier version imported it, and did not keep it.
        let Some(sheet) = store.sheet(id, cited.sheet).await.map_err(WriteError::from)? else { continue };
        let path = cited.path(is_workbook(&sheet.content));
        draft.add(&path, |writer| writer.write_all(&sheet.content))?;
        kept += 1;
        if let Some(signature) = sheet.signature {
            draft.add(&format!("{path}.sig"), |writer| writer.write_all(signature.pem.as_bytes()))?;
            signers.insert(signature.signer);
        }
    }
    if !signers.is_empty() {
        let lines = signers.iter().fold(String::new(), |lines, line| lines + line + "\n");
        draft.add(SHEET_SIGNERS, |writer| writer.write_all(lines.as_bytes()))?;
    }
    Ok(kept)
}

/// The bag that the ledger names for a review. `None` if it is not sealed.
async fn bag_of(store: &dyn Database, review: Uuid) -> Result<Option<BagName>, EvidenceError> {
    let last = store.last(Fact::REVIEW_SEALED, &review.to_string()).await.map_err(WriteError::from)?;
    Ok(last.and_then(|entry| match entry.fact {
        Fact::ReviewSealed(sealed) => Some(sealed.bag),
        _ => None,
    }))
}

/// Names the bag in the ledger.
async fn name(
    store: &dyn Database,
    vault: &Vault,
    review: &Review,
    bag: BagName,
    now: DateTime<Utc>,
) -> Result<BagName, EvidenceError> {
    // Another process may have found it meanwhile.
    if let Some(bag) = bag_of(store, review.id()).await? {
        return Ok(bag);
    }
    let sealed = Fact::ReviewSealed(ReviewSealed { review: review.id(), bag: bag.clone() });
    store.append(&[sealed], now).await.map_err(WriteError::from)?;
    match write_out(store, vault, now).await {
        // It is in the store, and is written after the bag, which waits.
        Err(WriteError::File(error)) if error.is_unreachable() => {}
        written => drop(written?),
    }
    Ok(bag)
}

/// A line of the events.
#[derive(Deserialize)]
struct Line {
    at: DateTime<Utc>,
    #[serde(flatten)]
    event: Event,
}

/// Makes the files of a review's bag again, from what was reviewed and what happened alone. Returns each file, and whether it
/// is the same.
///
/// # Errors
/// If the bag cannot be read, or its events cannot have happened.
pub fn made_again(storage: &dyn Storage, folder: &str, id: Uuid) -> io::Result<Vec<(&'static str, bool)>> {
    let data = |file: &str| read(storage, &join(folder, &format!("data/{file}")));
    let population = serde_json::from_slice(&data(POPULATION)?)?;
    let written = data(EVENTS)?;
    let lines = serde_json::Deserializer::from_slice(&written).into_iter::<Line>().collect::<Result<Vec<_>, _>>()?;
    let events = lines.iter().map(|line| (line.at, &line.event));
    let review = Review::replay(id, population, events).map_err(io::Error::other)?;
    let Stage::Closed { at, .. } = review.stage() else {
        return Err(io::Error::other("its events do not close the review"));
    };
    let mut compared = Vec::new();
    for (file, write) in files::FILES {
        let mut made = Vec::new();
        write(&review, *at, &mut made)?;
        compared.push((file, data(file)? == made));
    }
    Ok(compared)
}
