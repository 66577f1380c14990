//! The command line: parses the arguments, calls the library, prints the result.

mod again;
mod args;
mod audit;
mod check;
mod console;
mod daemon;
mod demo;
#[cfg(test)]
mod documents;
mod evidence;
mod init;
mod lookup;
mod mail;
mod man;
mod mcp;
mod offboard;
mod output;
mod past;
mod policy;
mod preflight;
mod progress;
mod review;
mod roster;
mod rules;
mod runs;
mod schedule;
mod signals;
mod simulate;
mod store;
pub(crate) mod summary;
mod tools;
mod workspaces;

use std::{ffi::OsString, path::PathBuf, process::ExitCode, time::Duration};

use clap::FromArgMatches as _;
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use self::{
    args::{CONFIG_VARIABLE, Cli, Command, LogFormat, MailCommand, SchemaKind},
    output::Failure,
};
use crate::{app, connections};

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    connections::raise_file_limit();
    let mut several = None;
    if std::env::args_os().any(|word| word == "daemon") {
        let runtime = Builder::new_multi_thread().enable_all().build();
        if let Ok(runtime) = &runtime {
            // From now on SIGHUP does not end the process, however early it comes; the daemon listens for it.
            let _inside = runtime.enter();
            drop(signal(SignalKind::hangup()));
        }
        several = Some(runtime);
    }
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    log_to_stderr(&cli);
    leave_no_core();
    let runtime = several.unwrap_or_else(|| match cli.command {
        // An audit waits for the vendor. One thread is enough for it, and memory that several keep is saved.
        Command::Audit(_) => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().enable_all().build(),
    });
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Failure::failed(format!("cannot start: {error}")).report(),
    };
    let ended = runtime.block_on(async {
        let ended = dispatch(cli).await;
        app::close_stores().await;
        ended
    });
    // A pending read of stdin would keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    output::end(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    })
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(&args::command().try_get_matches_from(arguments)?)?;
    if let Command::Help { command } = &cli.command {
        // The help of a command, or an error that names the nearest one.
        let words = ["rolecall"].into_iter().chain(command.iter().map(String::as_str)).chain(["--help"]);
        return parse(words.map(OsString::from));
    }
    // A variable that is set and empty names nothing.
    let variable = || std::env::var_os(CONFIG_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    cli.config = cli.config.or_else(variable);
    Ok(cli)
}

/// Prints help, the version or an error of usage.
fn explain(error: &clap::Error) -> ExitCode {
    let code = u8::from(error.use_stderr()) * 2;
    if let Err(unwritten) = error.print() {
        output::lose(unwritten);
    }
    output::end(ExitCode::from(code))
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let named = cli.config.as_deref();
    match cli.command {
        Command::Simulate(args) => simulate::run(args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut args::command(), "rolecall", &mut script);
            output::write(&script);
            Ok(())
        }
        Command::Man => {
            output::write(&man::page().map_err(|error| Failure::failed(format!("cannot render the page: {error}")))?);
            Ok(())
        }
        // `parse` has answered it.
        Command::Help { .. } => Ok(()),
        Command::Check { offline } => check::run(named, offline).await,
        Command::Audit(args) => match &args.from {
            Some(from) => again::run(named, &args, from).await,
            None => Box::pin(audit::run(named, args)).await,
        },
        Command::Preflight(args) => preflight::run(named, args).await,
        Command::WhoCan(args) => lookup::who_can(named, args).await,
        Command::Findings(args) => lookup::findings(named, args).await,
        Command::Users(args) => lookup::users(named, args).await,
        Command::Roles(args) => lookup::roles(named, args).await,
        Command::Profiles(args) => lookup::profiles(named, args).await,
        Command::Org(args) => lookup::organization(named, args).await,
        Command::Me(args) => lookup::me(named, args).await,
        Command::Access(args) => past::access(named, args).await,
        Command::History(args) => past::history(named, args).await,
        Command::Diff(args) => past::diff(named, args).await,
        Command::Offboard(args) => offboard::run(named, args).await,
        Command::Mcp(args) => mcp::run(named, args).await,
        Command::Tools(args) => tools::run(named, args).await,
        Command::Daemon => daemon::run(named).await,
        Command::Schedule(args) => schedule::run(named, &args),
        Command::Runs(args) => runs::run(named, args).await,
        Command::Roster(command) => roster::run(named, command).await,
        Command::Review(args) => review::run(named, args).await,
        Command::Console(command) => console::run(named, command).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Init(args) => init::run(named, *args).await,
        Command::Evidence(command) => evidence::run(named, command).await,
        Command::Policy(command) => policy::run(named, command).await,
        Command::Rules { name } => rules::run(named, name.as_deref()),
        Command::Mail(MailCommand::Test { to }) => mail::test(named, to).await,
        Command::Store(command) => store::run(named, command).await,
        Command::Schema { which } => schema(which),
    }
}

fn schema(which: SchemaKind) -> Result<(), Failure> {
    let schema = match which {
        SchemaKind::Config => crate::config::json_schema(),
        SchemaKind::Report => crate::report::json::schema(),
        SchemaKind::People => crate::report::people::schema(),
        SchemaKind::Review => crate::report::review::schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&text);
    Ok(())
}

/// Keeps secrets in memory out of core files: the process is not dumped, and other processes of its account cannot read its
/// memory. A system that refuses is no reason to stop.
fn leave_no_core() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .and_then(|()| setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }));
    if let Err(error) = hidden {
        tracing::debug!(%error, "a core file of this process is possible");
    }
}

fn log_to_stderr(cli: &Cli) {
    // Nobody watches a daemon or an agent's calls, so they log without `-v`.
    let logs_info = match &cli.command {
        Command::Daemon | Command::Mcp(_) => true,
        Command::Tools(args) => args.command.is_some(),
        _ => false,
    };
    let quiet = match &cli.command {
        // It misses a review on purpose.
        Command::Demo(_) => "error",
        _ if logs_info => "warn,rolecall=info",
        _ => "warn",
    };
    // What it logs about a certificate is in the error that follows, in words.
    let level = [quiet, "info,sqlx=warn", "debug"][usize::from(cli.verbose.min(2))];
    let level = format!("{level},rustls_platform_verifier={}", if cli.verbose > 1 { "debug" } else { "off" });
    let filter = tracing_subscriber::EnvFilter::try_from_env("ROLECALL_LOG").unwrap_or_else(|_| level.into());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| progress::Stderr).with_ansi(output::color());
    match cli.log_format {
        LogFormat::Text => subscriber.with_target(false).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}
