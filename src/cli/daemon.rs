//! `rolecall daemon`: the schedule, until SIGTERM.

use std::{path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    check,
    output::{self, Failure},
    signals,
};
use crate::{app, config::settings::Settings, daemon::Daemon};

pub(super) async fn run(named: Option<&Path>) -> Result<(), Failure> {
    let settings = check::load(named)?;
    if settings.jobs.is_empty() {
        return Err(Failure::usage("the configuration has no job: there is nothing to run on a schedule"));
    }
    let setup = app::daemon_setup(&settings).map_err(|error| Failure::usage(error.to_string()))?;
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    let failed = |what: &'static str| move |error: std::io::Error| Failure::failed(format!("{what}: {error}"));
    let mut hangup = signal(SignalKind::hangup()).map_err(failed("cannot wait for SIGHUP"))?;

    let daemon = Daemon::new(Arc::new(store), Arc::new(Utc::now), setup);
    let stop = CancellationToken::new();
    let running = daemon.run(stop.clone());
    tokio::pin!(running);
    announce(&settings);
    let stopped = signals::stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            ended = &mut running => return ended.map_err(|error| Failure::failed(error.to_string())),
            result = &mut stopped, if !stop.is_cancelled() => {
                result.map_err(failed("cannot wait for a signal"))?;
                tracing::info!("stopping: what is being worked on is finished or handed back");
                stop.cancel();
            }
            _ = hangup.recv() => reload(named, &daemon, &settings),
        }
    }
}

fn announce(settings: &Settings) {
    let now = Utc::now();
    for (name, job) in &settings.jobs {
        let next = job.schedule.next(now, 1).first().map_or("never".to_owned(), DateTime::to_rfc3339);
        output::note(&format!("rolecall: {name} is next due {next}"));
    }
}

/// Goes on with the configuration as it is now, or with the old one where the new one is not valid.
fn reload(named: Option<&Path>, daemon: &Daemon, began_with: &Settings) {
    let loaded = check::load(named).and_then(|settings| {
        if settings.store != began_with.store {
            return Err(Failure::usage("`[store]` cannot change while the daemon runs; restart it"));
        }
        let setup = app::daemon_setup(&settings).map_err(|error| Failure::usage(error.to_string()))?;
        Ok((settings, setup))
    });
    match loaded {
        Ok((settings, setup)) => {
            daemon.reconfigure(setup);
            output::note("rolecall: the configuration was read anew");
            announce(&settings);
        }
        Err(failure) => {
            failure.report();
            output::note("rolecall: the new configuration is not valid; the old one stays in force");
        }
    }
}
