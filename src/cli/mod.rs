//! The command line: reads the arguments, calls the library, says what came of it.

mod args;
mod audit;
mod check;
mod daemon;
mod demo;
mod evidence;
mod init;
mod lookup;
mod mail;
mod man;
mod mcp;
mod offboard;
mod output;
mod preflight;
mod progress;
mod rules;
mod runs;
mod signals;
mod simulate;
mod summary;
mod tools;
mod workspaces;

use std::{process::ExitCode, time::Duration};

use clap::{CommandFactory as _, Parser as _};

use self::{
    args::{Cli, Command, LogFormat, MailCommand, SchemaKind},
    output::Failure,
};

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failure; anything else is wrong usage.
            let code = u8::from(error.use_stderr()) * 2;
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    log_to_stderr(&cli);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::failed(format!("cannot start: {error}")).report(),
    };
    let ended = runtime.block_on(dispatch(cli));
    // A read of stdin that nobody answers would hold the process for ever.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let named = cli.config.as_deref();
    match cli.command {
        Command::Simulate(args) => simulate::run(args).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "rolecall", &mut std::io::stdout());
            Ok(())
        }
        Command::Man => man::write(&mut std::io::stdout())
            .map_err(|error| Failure::failed(format!("cannot write the manual page: {error}"))),
        Command::Check => check::run(named),
        Command::Audit(args) => audit::run(named, args).await,
        Command::Preflight(args) => preflight::run(named, args).await,
        Command::Users(args) => lookup::users(named, args).await,
        Command::Roles(args) => lookup::roles(named, args).await,
        Command::Profiles(args) => lookup::profiles(named, args).await,
        Command::Org(args) => lookup::organization(named, args).await,
        Command::Me(args) => lookup::me(named, args).await,
        Command::Offboard(args) => offboard::run(named, args).await,
        Command::Mcp(args) => mcp::run(named, args).await,
        Command::Tools(args) => tools::run(named, args).await,
        Command::Daemon => daemon::run(named).await,
        Command::Runs(args) => runs::run(named, args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Init(args) => init::run(named, *args).await,
        Command::Evidence(command) => evidence::run(named, command).await,
        Command::Rules { name } => rules::run(name.as_deref()),
        Command::Mail(MailCommand::Test { to }) => mail::test(named, to).await,
        Command::Schema { which } => schema(which),
    }
}

fn schema(which: SchemaKind) -> Result<(), Failure> {
    let schema = match which {
        SchemaKind::Config => crate::config::json_schema(),
        SchemaKind::Report => crate::report::json::schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&text);
    Ok(())
}

fn log_to_stderr(cli: &Cli) {
    // Nobody watches a daemon or what an agent calls: that is told without being asked for.
    let is_told = match &cli.command {
        Command::Daemon | Command::Mcp(_) => true,
        Command::Tools(args) => args.command.is_some(),
        _ => false,
    };
    let quiet = if is_told { "warn,rolecall=info" } else { "warn" };
    let level = [quiet, "info,sqlx=warn", "debug"][usize::from(cli.verbose.min(2))];
    let filter = tracing_subscriber::EnvFilter::try_from_env("ROLECALL_LOG").unwrap_or_else(|_| level.into());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(output::color());
    match cli.log_format {
        LogFormat::Text => subscriber.with_target(false).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}
