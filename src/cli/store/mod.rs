//! `rolecall store`: tries the database, copies one store into another, and restores one from the evidence.

mod rebuild;

use std::path::Path;

use super::{
    args::{CopyArgs, MigrateArgs, StoreCommand},
    check,
    output::{self, Failure},
};
use crate::{
    app::{self, StoreCheck},
    clock::Clock,
    config::{
        self,
        settings::{Database, StorePlace},
    },
    store::{
        copy,
        postgres::check::{Outcome, Stage},
    },
    words::count,
};

pub(super) async fn run(named: Option<&Path>, command: StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Check => try_stages(named).await,
        StoreCommand::Migrate(args) => migrate(named, &args).await,
        StoreCommand::Copy(args) => copy_all(named, &args).await,
        StoreCommand::Rebuild(args) => rebuild::run(named, &args).await,
    }
}

async fn try_stages(named: Option<&Path>) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let place = app::store_place(&settings);
    let tried = app::check_store(&settings, &Clock::system()).await;
    let stages = match tried.map_err(|error| Failure::usage(error.to_string()))? {
        StoreCheck::Stages(stages) => stages,
        StoreCheck::File => {
            output::line(&format!("ok       {:<15} {place}", "file"));
            return Ok(());
        }
        StoreCheck::NoFile => {
            output::line(&format!("ok       {:<15} {place} does not exist yet; created at the first start", "file"));
            return Ok(());
        }
    };
    for (stage, outcome) in &stages {
        output::line(&line(*stage, outcome));
    }
    match stages.iter().find(|(_, outcome)| matches!(outcome, Outcome::Failed(_))) {
        Some((stage, _)) => Err(Failure::failed(format!("the store {place} cannot be used: {stage} failed"))),
        None => Ok(()),
    }
}

/// One stage as a line for people: its result, and what to do if it failed.
fn line(stage: Stage, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed(detail) => format!("ok       {stage:<15} {detail}"),
        Outcome::Failed(why) => format!("FAILED   {stage:<15} {}\n{:25}fix: {}", why.reason, "", why.advice),
        Outcome::NotReached => format!("–        {stage:<15} not reached"),
    }
}

/// Brings a store up to date as the role that owns it.
async fn migrate(named: Option<&Path>, args: &MigrateArgs) -> Result<(), Failure> {
    let configured = check::load_for_store(named)?.store.place;
    let owned = match &args.url {
        None => configured.clone(),
        Some(url) => {
            let (password, root) = (args.password_file.as_deref(), args.root_certificate.as_deref());
            place(url, password, root, Some(&configured))?
        }
    };
    let user = match (&owned, &configured) {
        (StorePlace::Server(owned), StorePlace::Server(used)) => {
            if (&owned.host, &owned.database) != (&used.host, &used.database) {
                return Err(Failure::usage("--url is another database than `[store] url`; only the role may differ"));
            }
            Some(used.user.as_str()).filter(|user| *user != owned.user)
        }
        (StorePlace::File(_), StorePlace::File(_)) => None,
        _ => return Err(Failure::usage("--url is another store than `[store] url`; only the role may differ")),
    };
    let migrated = app::migrate_store(&owned, user).await.map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&format!("ok       {:<15} {migrated} is up to date", "schema"));
    if let Some(user) = user {
        let line =
            format!("ok       {:<15} {user} may read and write every table, and only extend the ledger", "rights");
        output::line(&line);
    }
    Ok(())
}

async fn copy_all(named: Option<&Path>, args: &CopyArgs) -> Result<(), Failure> {
    let configured = config::locate(named).ok().and_then(|_| check::load_quietly(named).ok());
    let configured = configured.as_ref().map(|settings| &settings.store.place);
    let root = args.root_certificate.as_deref();
    let from = place(&args.from, args.from_password_file.as_deref(), root, configured)?;
    let to = place(&args.to, args.to_password_file.as_deref(), root, configured)?;
    if let StorePlace::File(path) = &from
        && !path.exists()
    {
        return Err(Failure::usage(format!("there is no store at {}", path.display())));
    }
    if from == to {
        return Err(Failure::usage("--from and --to are the same store"));
    }
    let failed = |error: app::AppError| Failure::failed(error.to_string());
    let from = app::tables(&from).await.map_err(failed)?;
    let to = app::tables(&to).await.map_err(failed)?;
    output::note(&format!("Copying {} into {}", from.place(), to.place()));
    let copied = copy::copy(&*from, &*to).await.map_err(|error| Failure::failed(error.to_string()))?;
    for table in &copied {
        output::line(&format!("ok       {:<15} {:<12} sha256 {}", table.table, count(table.rows, "row"), table.sha256));
    }
    output::line(&format!("Both stores hold the same. Set `[store] url` to {}.", args.to));
    Ok(())
}

/// The place of an address. The configuration knows how to reach its own store.
fn place(
    url: &str,
    password_file: Option<&Path>,
    root_certificate: Option<&Path>,
    configured: Option<&StorePlace>,
) -> Result<StorePlace, Failure> {
    let text = |path: &Path| path.display().to_string();
    let (password, root) = (password_file.map(text), root_certificate.map(text));
    let written = config::store_place(url, password.as_deref(), root.as_deref(), Path::new("."))
        .map_err(|error| Failure::usage(format!("{error}: {}", without_password(url))))?;
    Ok(match (written, configured) {
        (StorePlace::Server(written), Some(StorePlace::Server(known))) if is_same(&written, known) => {
            StorePlace::Server(Database {
                password: written.password.or_else(|| known.password.clone()),
                token_key: None,
                root_certificate: written.root_certificate.or_else(|| known.root_certificate.clone()),
                ..written
            })
        }
        // Another role of the same server, which has the same certificate.
        (StorePlace::Server(written), Some(StorePlace::Server(known))) if written.host == known.host => {
            StorePlace::Server(Database {
                root_certificate: written.root_certificate.or_else(|| known.root_certificate.clone()),
                ..written
            })
        }
        (written, _) => written,
    })
}

fn is_same(one: &Database, other: &Database) -> bool {
    (&one.host, &one.user, &one.database) == (&other.host, &other.user, &other.database)
}

/// An address without what may be a password.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}
