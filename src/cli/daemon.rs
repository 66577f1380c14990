//! `rolecall daemon`: the schedule, until SIGTERM.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::DateTime;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{check, output::Failure};
use crate::{
    app::{self, console::Reload},
    clock::Clock,
    config::settings::Settings,
    connections::Listener,
    console,
    daemon::Daemon,
    store::Database,
    web,
};

pub(super) async fn run(named: Option<&Path>) -> Result<(), Failure> {
    // Before anything else, so that a signal that comes early is not lost.
    let failed = |what: &'static str| move |error: std::io::Error| Failure::failed(format!("{what}: {error}"));
    let listen_for = |kind| signal(kind).map_err(failed("cannot wait for a signal"));
    let mut hangup = listen_for(SignalKind::hangup())?;
    let (mut terminate, mut interrupt) = (listen_for(SignalKind::terminate())?, listen_for(SignalKind::interrupt())?);
    let settings = check::load(named)?;
    if settings.jobs.is_empty() {
        return Err(Failure::usage("the configuration has no job, so there is nothing to run on a schedule"));
    }
    let clock = Clock::system();
    let setup = app::daemon_setup(&settings, &clock).map_err(|error| Failure::usage(error.to_string()))?;
    let server = listen(&settings).await?;
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    let stop = CancellationToken::new();
    let console = console(&settings, &store, &clock, &stop).await?;

    let daemon = Daemon::new(store, clock, setup);
    if let Some(server) = server {
        tracing::info!(address = %server.address, "listening");
        let routes = web::routes(Arc::clone(&daemon), settings.daemon.allowed_hosts.clone());
        tokio::spawn(server.serve(routes, stop.clone().cancelled_owned()));
    }
    tokio::spawn(watchdog(Arc::clone(&daemon)));
    let running = daemon.run(stop.clone());
    tokio::pin!(running);
    announce(&settings);
    tell(&[NotifyState::Ready]);
    loop {
        tokio::select! {
            ended = &mut running => return ended.map_err(|error| Failure::failed(error.to_string())),
            () = async { tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} } }, if !stop.is_cancelled() => {
                tell(&[NotifyState::Stopping]);
                tracing::info!("stopping: finishing or releasing work in progress");
                stop.cancel();
            }
            _ = hangup.recv() => {
                // The time is for systemd 253 and newer, which wants to know to which reload the next READY belongs.
                let now = NotifyState::monotonic_usec_now();
                tell(&[Some(NotifyState::Reloading), now.ok()].into_iter().flatten().collect::<Vec<_>>());
                reload(named, &daemon, &settings, console.as_ref());
                tell(&[NotifyState::Ready]);
            }
        }
    }
}

/// Binds the configured address first, so that a second daemon started by mistake stops here.
async fn listen(settings: &Settings) -> Result<Option<Listener>, Failure> {
    let Some(address) = settings.daemon.listen else { return Ok(None) };
    match Listener::bind(address).await {
        Ok(server) => Ok(Some(server)),
        Err(error) => Err(Failure::failed(format!(
            "cannot listen on {address}: {error}. Set another address as `[daemon] listen`, or \"off\""
        ))),
    }
}

/// Serves the web console, if there is one.
async fn console(
    settings: &Settings,
    store: &Arc<dyn Database>,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<Option<Reload>, Failure> {
    let plans = app::console::plans(settings).map_err(|error| Failure::usage(error.to_string()))?;
    let Some(settings) = &settings.console else { return Ok(None) };
    let served = app::console::bind(settings, plans, Arc::clone(store), clock.clone()).await;
    let served = served.map_err(|error| Failure::failed(error.to_string()))?;
    let reload = served.reload(settings);
    tracing::info!(address = %served.listener.address, url = %served.origin, "serving the web console");
    tokio::spawn(served.listener.serve(console::routes(served.console), stop.clone().cancelled_owned()));
    Ok(Some(reload))
}

/// Sends the service manager's watchdog a signal as long as the daemon makes progress.
async fn watchdog(daemon: Arc<Daemon>) {
    let Some(timeout) = sd_notify::watchdog_enabled() else { return };
    loop {
        tokio::time::sleep((timeout / 3).max(Duration::from_millis(100))).await;
        if daemon.is_alive() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

/// Notifies the service manager, if there is one.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be notified");
    }
}

fn announce(settings: &Settings) {
    let now = Clock::system().now();
    for (name, job) in &settings.jobs {
        let next = job.schedule.next(now, 1).first().map_or("never".to_owned(), DateTime::to_rfc3339);
        tracing::info!(job = name, next, "scheduled the job");
    }
}

/// Reloads the configuration; keeps the old one if the new one is not valid.
fn reload(named: Option<&Path>, daemon: &Daemon, began_with: &Settings, console: Option<&Reload>) {
    let loaded = check::load(named).and_then(|settings| {
        if settings.store.path != began_with.store.path || settings.daemon.listen != began_with.daemon.listen {
            return Err(Failure::usage(
                "`[store] url` and `[daemon] listen` cannot change while the daemon runs; restart it",
            ));
        }
        match (console, &settings.console) {
            (Some(console), Some(new)) if console.is_possible(new) => {}
            (None, None) => {}
            _ => {
                return Err(Failure::usage(
                    "of `[console]`, only `rights` and the content of the certificate's files can change while the daemon runs; restart it",
                ));
            }
        }
        let setup =
            app::daemon_setup(&settings, &Clock::system()).map_err(|error| Failure::usage(error.to_string()))?;
        if let Some((console, new)) = console.zip(settings.console.as_ref()) {
            let plans = app::console::plans(&settings).map_err(|error| Failure::usage(error.to_string()))?;
            console.take_over(new, plans).map_err(|error| Failure::failed(error.to_string()))?;
        }
        Ok((settings, setup))
    });
    match loaded {
        Ok((settings, setup)) => {
            daemon.reconfigure(setup);
            tracing::info!("reloaded the configuration");
            announce(&settings);
        }
        Err(failure) => {
            failure.report();
            tracing::error!("the new configuration is not valid; the old one stays active");
        }
    }
}
