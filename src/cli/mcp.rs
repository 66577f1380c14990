//! `rolecall mcp`: the tools for agents, on stdin and stdout or by HTTP.

use std::{path::Path, sync::Arc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    args::{AgentArgs, McpArgs},
    check,
    output::Failure,
    signals,
};
use crate::{
    agent::Agent,
    app,
    clock::Clock,
    config::{
        secret::{SecretError, SecretSource},
        settings::Settings,
    },
    connections::Listener,
    mcp::{
        Server,
        http::{self, Admission, PATH},
    },
};

/// The environment variable of the token.
const TOKEN: &str = "ROLECALL_MCP_TOKEN";
/// A token that is shorter can be guessed.
const TOKEN_LENGTH: usize = 16;

pub(super) async fn run(named: Option<&Path>, args: McpArgs) -> Result<(), Failure> {
    let admission = match args.http {
        Some(address) if !address.ip().is_loopback() && !args.allow_plaintext => {
            return Err(Failure::usage(format!(
                "{address} is reachable from the network, and the token would be sent unencrypted. Listen on 127.0.0.1, or add --allow-plaintext if a proxy adds TLS"
            )));
        }
        Some(address) => {
            let token = token(args.token_file.as_deref())?;
            let origins = args.allowed_origins.iter().map(origin).collect::<Result<_, _>>()?;
            Some((address, Admission { token, hosts: args.allowed_hosts, origins }))
        }
        None => None,
    };
    let server = Server::new(agent(named, &args.agent).await?).map_err(|error| Failure::failed(error.to_string()))?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        if signals::stopped().await.is_ok() {
            stopped.cancel();
        }
    });
    let Some((address, admission)) = admission else {
        return server.serve_stdio(stop).await.map_err(|error| Failure::failed(error.to_string()));
    };
    let failed = |error: std::io::Error| Failure::failed(format!("cannot listen on {address}: {error}"));
    let listener = Listener::bind(address).await.map_err(failed)?;
    tracing::info!(url = format!("http://{}{PATH}", listener.address), "listening");
    http::serve(listener, server, admission, stop).await;
    Ok(())
}

/// An origin with its port (RFC 6454).
fn origin(url: &Url) -> Result<String, Failure> {
    match (url.host_str(), url.port_or_known_default(), url.path()) {
        (Some(host), Some(port), "/") => Ok(format!("{}://{host}:{port}", url.scheme())),
        _ => Err(Failure::usage(format!(
            "invalid --allowed-origin {url}; expected an origin such as https://app.example.com:443"
        ))),
    }
}

/// An agent over the configuration.
pub(super) async fn agent(named: Option<&Path>, args: &AgentArgs) -> Result<Arc<Agent>, Failure> {
    agent_of(&check::load(named)?, args).await
}

/// An agent over a configuration that is loaded.
pub(super) async fn agent_of(settings: &Settings, args: &AgentArgs) -> Result<Arc<Agent>, Failure> {
    let store = app::store(settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    let max_age = Duration::from_secs(args.max_age);
    let clock = Clock::system();
    let setup = app::agent_setup(settings, store, args.allow_offboarding, max_age, &clock);
    let setup = setup.map_err(|error| Failure::usage(error.to_string()))?;
    if args.allow_offboarding && !settings.workspaces.values().any(|workspace| workspace.allow_offboarding) {
        return Err(Failure::usage(
            "--allow-offboarding: no workspace of the configuration has `allow_offboarding = true`",
        ));
    }
    Ok(Arc::new(Agent::new(setup, clock)))
}

/// The token that requests by HTTP carry.
fn token(file: Option<&Path>) -> Result<SecretString, Failure> {
    let source = file.map_or_else(|| SecretSource::Env(TOKEN.to_owned()), |path| SecretSource::File(path.to_owned()));
    if let Some(path) = file {
        check::warn_if_readable("--token-file", path);
        check::warn_if_replaceable(&[("--token-file".to_owned(), path)]);
    }
    let token = match source.read() {
        Ok(token) => token,
        Err(SecretError::NotSet(_) | SecretError::Empty(_)) => SecretString::default(),
        Err(error) => return Err(Failure::usage(error.to_string())),
    };
    let length = token.expose_secret().chars().count();
    if length < TOKEN_LENGTH {
        let place = file.map_or_else(|| TOKEN.to_owned(), |path| path.display().to_string());
        let missing = if length == 0 { "holds no token" } else { "holds a token that is too short" };
        return Err(Failure::usage(format!(
            "{place} {missing}, but over HTTP every request must carry the token. Put at least {TOKEN_LENGTH} characters into --token-file PATH or {TOKEN}, for example from `openssl rand -hex 32`"
        )));
    }
    Ok(token)
}
