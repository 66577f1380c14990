//! `rolecall daemon`: the schedule, until SIGTERM.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::DateTime;
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{check, output::Failure};
use crate::{
    app::{self, console::Reload},
    clock::Clock,
    config::{
        directory::{AtRest, Watch},
        settings::Settings,
    },
    connections::Listener,
    console,
    daemon::{Daemon, Part},
    store::Database,
    web,
};

/// How often the directory of workspaces is looked at. A change is taken over at the second look that sees it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A file that so many looks in a row have seen changed is named in the log.
const RESTLESS: u32 = 12;

pub(super) async fn run(named: Option<&Path>) -> Result<(), Failure> {
    // Before anything else, so that a signal that comes early is not lost.
    let failed = |what: &'static str| move |error: std::io::Error| Failure::failed(format!("{what}: {error}"));
    let listen_for = |kind| signal(kind).map_err(failed("cannot wait for a signal"));
    let mut hangup = listen_for(SignalKind::hangup())?;
    let (mut terminate, mut interrupt) = (listen_for(SignalKind::terminate())?, listen_for(SignalKind::interrupt())?);
    let settings = check::load_running(named, None)?;
    if settings.jobs.is_empty() {
        return Err(Failure::usage("the configuration has no job, so there is nothing to run on a schedule"));
    }
    let clock = Clock::system();
    let links = app::Links::new(clock.clone());
    let setup = app::daemon_setup(&settings, &clock, &links).map_err(|error| Failure::usage(error.to_string()))?;
    say_problems(&setup.problems);
    let server = listen(&settings).await?;
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    links.keep_in(&store);
    let stop = CancellationToken::new();
    let console = console(&settings, &store, &clock, &stop).await?;

    let daemon = Daemon::new(store, clock, setup);
    daemon.join().await.map_err(|error| Failure::failed(error.to_string()))?;
    if let Some(server) = server {
        tracing::info!(address = %server.address, "listening");
        let routes = web::routes(Arc::clone(&daemon), settings.daemon.allowed_hosts.clone());
        tokio::spawn(server.serve(routes, stop.clone().cancelled_owned()));
    }
    tokio::spawn(watchdog(Arc::clone(&daemon)));
    let worker = Arc::clone(&daemon);
    let running = worker.run(stop.clone());
    tokio::pin!(running);
    announce(&settings);
    tell(&[NotifyState::Ready]);
    let mut running_with = RunningWith { named, daemon, console, links, settings };
    let (notify, mut changes) = mpsc::channel(1);
    let mut watch = watch(&running_with.settings, notify.clone());
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
                running_with.reload();
                watch.abort();
                // What it has seen may be older than what was read now.
                while changes.try_recv().is_ok() {}
                watch = self::watch(&running_with.settings, notify.clone());
                tell(&[NotifyState::Ready]);
            }
            Some(at_rest) = changes.recv(), if !stop.is_cancelled() => running_with.refresh(&at_rest),
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
    let smtp = settings.smtp.as_ref();
    let Some(settings) = &settings.console else { return Ok(None) };
    let served = app::console::bind(settings, smtp, plans, Arc::clone(store), clock.clone()).await;
    let served = served.map_err(|error| Failure::failed(error.to_string()))?;
    let reload = served.reload(settings);
    tracing::info!(address = %served.listener.address, url = %served.origin, "serving the web console");
    let (warm, stopped) = (console::warm::keep(Arc::clone(&served.console)), stop.clone().cancelled_owned());
    tokio::spawn(async move {
        tokio::select! { () = warm => {}, () = stopped => {} }
    });
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

/// Looks at the directory of workspaces now and then, and says what is at rest when that has changed.
fn watch(settings: &Settings, changed: mpsc::Sender<AtRest>) -> JoinHandle<()> {
    let folder = settings.directory.as_ref().map(|directory| directory.path.clone());
    tokio::spawn(async move {
        let Some(folder) = folder else { return };
        let mut watch = Watch::new(folder);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // Thousands of files take a while.
            let looked = tokio::task::spawn_blocking(move || (watch.look(), watch)).await;
            let Ok((at_rest, same)) = looked else { return };
            watch = same;
            for workspace in watch.restless_for(RESTLESS) {
                let seconds = RESTLESS * u32::try_from(LOOK_EVERY.as_secs()).unwrap_or_default();
                tracing::warn!(
                    workspace,
                    "the file of the workspace has changed all the time for {seconds} seconds, and is not taken over before it stays the same; write it under another name and rename it"
                );
            }
            if let Some(at_rest) = at_rest
                && changed.send(at_rest).await.is_err()
            {
                return;
            }
        }
    })
}

/// A daemon and the configuration that it runs with.
struct RunningWith<'a> {
    named: Option<&'a Path>,
    daemon: Arc<Daemon>,
    console: Option<Reload>,
    links: Arc<app::Links>,
    settings: Settings,
}

impl RunningWith<'_> {
    /// Reloads the configuration; keeps the old one if the new one is not valid.
    fn reload(&mut self) {
        let loaded =
            check::load_running(self.named, Some(&self.settings)).and_then(|settings| self.take_over(settings));
        match loaded {
            Ok(()) => {
                // It has read the directory, too.
                self.daemon.reloaded(Part::File);
                self.daemon.reloaded(Part::Directory);
                tracing::info!("reloaded the configuration");
                announce(&self.settings);
            }
            Err(failure) => {
                failure.report();
                tracing::error!("the new configuration is not valid; the old one stays active");
                self.daemon.not_reloaded(
                    Part::File,
                    "the configuration could not be reloaded; see the log and `rolecall check`".to_owned(),
                );
            }
        }
    }

    /// Takes over what has changed in the directory of workspaces, with the rest of the configuration as it is.
    fn refresh(&mut self, at_rest: &AtRest) {
        let loaded = check::load_workspaces(self.named, &self.settings, at_rest).and_then(|settings| {
            if settings.directory == self.settings.directory {
                return Ok(false);
            }
            if settings.is_emptied(&self.settings) {
                return Err(Failure::usage(
                    "the directory of workspaces is empty, which may be a volume that is not mounted; the workspaces stay. SIGHUP takes it over",
                ));
            }
            self.take_over(settings).map(|()| true)
        });
        if loaded.is_ok() {
            // Also if it is again what is in force, as after a volume was away.
            self.daemon.reloaded(Part::Directory);
        }
        match loaded {
            Ok(true) => {
                let workspaces = self.settings.workspaces.len();
                tracing::info!(workspaces, "took over the directory of workspaces");
            }
            Ok(false) => {}
            Err(failure) => {
                failure.report();
                tracing::error!("the directory of workspaces was not taken over; the workspaces stay as they were");
                self.daemon.not_reloaded(
                    Part::Directory,
                    "the directory of workspaces could not be taken over; see the log and `rolecall check`".to_owned(),
                );
            }
        }
    }

    fn take_over(&mut self, settings: Settings) -> Result<(), Failure> {
        let began_with = &self.settings;
        if settings.store.place != began_with.store.place || settings.daemon.listen != began_with.daemon.listen {
            return Err(Failure::usage(
                "`[store] url` and `[daemon] listen` cannot change while the daemon runs; restart it",
            ));
        }
        match (&self.console, &settings.console) {
            (Some(console), Some(new)) if console.is_possible(new) => {}
            (None, None) => {}
            _ => {
                return Err(Failure::usage(
                    "of `[console]`, only `rights` and the content of the certificate's files can change while the daemon runs; restart it",
                ));
            }
        }
        let setup = app::daemon_setup(&settings, &Clock::system(), &self.links)
            .map_err(|error| Failure::usage(error.to_string()))?;
        if let Some((console, new)) = self.console.as_ref().zip(settings.console.as_ref()) {
            let plans = app::console::plans(&settings).map_err(|error| Failure::usage(error.to_string()))?;
            console.take_over(new, plans).map_err(|error| Failure::failed(error.to_string()))?;
        }
        say_problems(&setup.problems);
        self.daemon.reconfigure(setup);
        self.settings = settings;
        Ok(())
    }
}

/// Logs which workspaces have a configuration that cannot be used.
fn say_problems(problems: &[String]) {
    for problem in problems {
        tracing::error!("{problem}");
    }
}
