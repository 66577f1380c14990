//! The arguments of what is for AI agents.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use url::Url;

/// How far an agent may go.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Let a user be removed: by a plan, and where a person confirms it; the workspace must have `allow_offboarding = true`
    #[arg(long)]
    pub(crate) allow_offboarding: bool,
    /// Answer from one read of the workspace for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) max_age: u64,
}

#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    /// Serve Streamable HTTP at this address and port, below /mcp; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<SocketAddr>,
    /// The file of the token that each request by HTTP carries; without it, the environment variable `ROLECALL_MCP_TOKEN`
    #[arg(long, value_name = "PATH", requires = "http")]
    pub(crate) token_file: Option<PathBuf>,
    /// A name, with its port where it has one, under which the server is reached beside localhost
    #[arg(long = "allowed-host", value_name = "HOST", requires = "http")]
    pub(crate) allowed_hosts: Vec<String>,
    /// An `Origin` of requests that is not refused beside those of this machine, as `https://app.example.com:443`
    #[arg(long = "allowed-origin", value_name = "ORIGIN", requires = "http")]
    pub(crate) allowed_origins: Vec<Url>,
    /// Listen on an address that others reach, although the token crosses the network unencrypted: behind a TLS proxy
    #[arg(long, requires = "http")]
    pub(crate) allow_plaintext: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ToolsArgs {
    /// For whom the definitions are
    #[arg(long, value_name = "FORMAT", default_value = "json-schema")]
    pub(crate) format: ToolsFormat,
    #[command(subcommand)]
    pub(crate) command: Option<ToolsCommand>,
}

/// For whom definitions of tools are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ToolsFormat {
    /// `tools` of OpenAI's chat completions, and of what is compatible with it
    Openai,
    /// `tools` of Anthropic's messages
    Anthropic,
    /// Names, descriptions and JSON Schemas of arguments and answers
    JsonSchema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ToolsCommand {
    /// Call a tool and print its answer as JSON; where there is none, why, and exit 1
    Call {
        /// The tool's name
        name: String,
        /// Its arguments, as a JSON object; `-` reads them from stdin
        #[arg(long, value_name = "JSON", default_value = "{}")]
        arguments: String,
        /// The confirmation of a removal: the user's address, from a person and never from a model
        #[arg(long, value_name = "EMAIL")]
        confirm: Option<String>,
        /// Let a user be removed, by a plan and a confirmation; the workspace must have `allow_offboarding = true`
        #[arg(long)]
        allow_offboarding: bool,
    },
    /// Answer calls that come on stdin, one JSON object a line as {"name": …, "arguments": …}, until it closes: for an
    /// agent that calls in a loop, since each process asks the vendor for a token and the vendor gives ten in ten minutes
    Serve(AgentArgs),
}
