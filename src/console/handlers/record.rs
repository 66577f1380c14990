//! What is on record: runs, evidence, settings.

use std::{
    io::{self, Write},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use tokio::sync::mpsc;

use super::{Trouble, html};
use crate::{
    console::{
        Console,
        fields::Fields,
        pages::{record, text::label},
        site::Plans,
        viewer::Viewer,
    },
    evidence::{
        export, inventory,
        signers::Allowed,
        storage::{Kind, Storage, join},
        verify,
    },
    ledger::Fact,
    run::vault::Vault,
};

/// Runs that the page shows at first.
const RUNS: u32 = 50;
/// The most runs that it shows.
const MOST_RUNS: u32 = 1_000;
/// Bytes of a download that are sent at a time, and how many of these wait for a slow client.
const CHUNK: usize = 64 << 10;
const CHUNKS: usize = 4;

/// The latest runs.
pub(in crate::console) async fn runs(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    if !viewer.may_read() {
        return Err(Trouble::Right("a viewer"));
    }
    let most = Fields(fields).number("most").clamp(RUNS, MOST_RUNS);
    let store = console.site().shelf.store();
    let runs = store.runs(most).await?;
    let has_more = runs.len() >= most as usize && most < MOST_RUNS;
    let more = if has_more { format!("/runs?most={}", (most * 4).min(MOST_RUNS)) } else { String::new() };
    let mut gaps = store.gaps(most).await?;
    if let Some(oldest) = runs.last().filter(|_| !more.is_empty()) {
        // Earlier ones are on the page of earlier runs.
        gaps.retain(|gap| gap.last >= oldest.fire_at);
    }
    let replicas = store.replicas().await?.unwrap_or_default();
    html(StatusCode::OK, &record::runs(&viewer, &runs, &gaps, more, &replicas))
}

fn may_read_evidence(viewer: &Viewer) -> Result<(), Trouble> {
    if viewer.may_read_evidence() { Ok(()) } else { Err(Trouble::Right("an auditor or owner")) }
}

/// The bags.
pub(in crate::console) async fn bags(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    may_read_evidence(&viewer)?;
    let plans = console.site().plans();
    let folders = match &plans.vault {
        Some(_) => Some(blocking(&plans, |vault| inventory::bags(&*vault.storage)).await?),
        None => None,
    };
    html(StatusCode::OK, &record::bags(&viewer, folders.as_deref(), Fields(fields).page()))
}

/// Reads the evidence, on a thread that may wait for a disk.
async fn blocking<T: Send + 'static>(
    plans: &Arc<Plans>,
    read: impl FnOnce(&Vault) -> io::Result<T> + Send + 'static,
) -> Result<T, Trouble> {
    let plans = Arc::clone(plans);
    let read = tokio::task::spawn_blocking(move || {
        let vault = plans.vault.as_ref().ok_or_else(|| io::Error::other("no evidence is kept"))?;
        read(vault)
    });
    let read = read.await.map_err(|error| Trouble::Broken(error.to_string()))?;
    read.map_err(|error| Trouble::Broken(format!("the evidence cannot be read: {error}")))
}

/// The files of a bag with their sizes. `None` if there is no such bag.
fn files(storage: &dyn Storage, folder: &str) -> io::Result<Option<Vec<(String, u64)>>> {
    fn below(storage: &dyn Storage, key: &str, name: &str, files: &mut Vec<(String, u64)>) -> io::Result<()> {
        for item in storage.list(key)? {
            let inside = if name.is_empty() { item.name.clone() } else { join(name, &item.name) };
            match item.kind {
                Kind::Folder => below(storage, &join(key, &item.name), &inside, files)?,
                Kind::Object(size) => files.push((inside, size)),
                Kind::Draft | Kind::Foreign(_) => {}
            }
        }
        Ok(())
    }
    if !inventory::bags(storage)?.iter().any(|known| known == folder) {
        return Ok(None);
    }
    let mut files = Vec::new();
    below(storage, folder, "", &mut files)?;
    files.sort();
    Ok(Some(files))
}

/// One bag.
pub(in crate::console) async fn bag(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(folder): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    may_read_evidence(&viewer)?;
    let (site, plans) = (console.site(), console.site().plans());
    let name = folder.clone();
    let files = blocking(&plans, move |vault| files(&*vault.storage, &name)).await?.ok_or(Trouble::Nothing("bag"))?;
    let verified = if Fields(fields).get("verify") == "yes" {
        let (name, now) = (folder.clone(), site.clock.now());
        let report = blocking(&plans, move |vault| {
            let signer = vault.key.as_ref().map(|key| key.signer().map_err(io::Error::other)).transpose()?;
            let allowed = signer.map(|signer| Allowed::parse(&signer, now)).unwrap_or_default();
            Ok(verify::bag(&*vault.storage, &name, &allowed))
        });
        let report = report.await?;
        let known = named(&console, report.info.says("External-Identifier"), &folder).await?;
        Some((report, known))
    } else {
        None
    };
    html(StatusCode::OK, &record::bag(&viewer, &folder, &files, verified))
}

/// The digest by which the record of an audit or of a closed review names a bag. `None` if neither does.
async fn named(console: &Console, id: Option<&str>, folder: &str) -> Result<Option<String>, Trouble> {
    let Some(id) = id.and_then(|id| id.parse().ok()) else { return Ok(None) };
    let store = console.site().shelf.store();
    let of_audit = store.audit(id).await?.and_then(|record| record.bag);
    let bag = if of_audit.is_some() {
        of_audit
    } else {
        let last = store.last(Fact::REVIEW_SEALED, &id.to_string()).await?;
        match last.map(|entry| entry.fact) {
            Some(Fact::ReviewSealed(sealed)) => Some(sealed.bag),
            _ => None,
        }
    };
    Ok(bag.filter(|bag| bag.folder == folder).map(|bag| bag.sha256))
}

/// A bag as one file.
pub(in crate::console) async fn download(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(folder): Path<String>,
) -> Result<Response, Trouble> {
    may_read_evidence(&viewer)?;
    let plans = console.site().plans();
    let name = folder.clone();
    blocking(&plans, move |vault| files(&*vault.storage, &name)).await?.ok_or(Trouble::Nothing("bag"))?;
    tracing::info!(address = %viewer.address, bag = label(&folder), "a bag is downloaded");
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let name = folder.clone();
    // It ends by itself when the client has gone: then nothing can be sent any more.
    tokio::task::spawn_blocking(move || {
        let Some(vault) = &plans.vault else { return };
        let out = io::BufWriter::with_capacity(CHUNK, Pipe(sender.clone()));
        if let Err(error) = export::stream(&*vault.storage, &name, out) {
            // The connection breaks off, so that nobody takes a part for the whole.
            drop(sender.blocking_send(Err(error)));
        }
    });
    let body = Body::from_stream(stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }));
    // The name of a bag has no letters that would need quoting: `files` has found it among those of the storage.
    let safe: String = folder.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{safe}.zip\"")),
    ];
    Ok((headers, body).into_response())
}

/// Sends what is written.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The configuration as applied.
pub(in crate::console) async fn settings(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    may_read_evidence(&viewer)?;
    html(StatusCode::OK, &record::settings(&viewer, &console.site().plans().configuration))
}
