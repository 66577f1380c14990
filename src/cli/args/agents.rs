//! The arguments of `rolecall mcp` and `rolecall tools`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use url::Url;

#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Allow removing users, with a plan and a person's confirmation; the workspace must have `allow_offboarding = true`
    #[arg(long)]
    pub(crate) allow_offboarding: bool,
    /// Reuse data read from the workspace for up to this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) max_age: u64,
}

#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    /// Serve Streamable HTTP at this address and port, under /mcp, instead of stdio; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<SocketAddr>,
    /// File with the token that every HTTP request must carry [default: the environment variable `ROLECALL_MCP_TOKEN`]
    #[arg(long, value_name = "PATH", requires = "http")]
    pub(crate) token_file: Option<PathBuf>,
    /// Accept this host name besides localhost, with its port if it has one
    #[arg(long = "allowed-host", value_name = "HOST", requires = "http")]
    pub(crate) allowed_hosts: Vec<String>,
    /// Accept this `Origin` besides this machine's, for example `https://app.example.com:443`
    #[arg(long = "allowed-origin", value_name = "ORIGIN", requires = "http")]
    pub(crate) allowed_origins: Vec<Url>,
    /// Allow a non-loopback address, where the token travels unencrypted; only behind a TLS proxy
    #[arg(long, requires = "http")]
    pub(crate) allow_plaintext: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ToolsArgs {
    /// Format of the definitions [default: table on a terminal, json-schema elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ToolsFormat>,
    #[command(subcommand)]
    pub(crate) command: Option<ToolsCommand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ToolsFormat {
    /// Names and what the tools do, for people
    Table,
    /// `tools` for OpenAI's Chat Completions API and compatible ones
    Openai,
    /// `tools` for Anthropic's Messages API
    Anthropic,
    /// Names, descriptions and JSON Schemas
    JsonSchema,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ToolsCommand {
    /// Call a tool and print its answer as JSON; exit with 1 on an error
    Call {
        /// The tool
        name: String,
        /// Arguments as a JSON object; `-` reads them from stdin
        #[arg(long, value_name = "JSON", default_value = "{}")]
        arguments: String,
        /// Confirm a removal with the user's address; it must come from a person, never from a model
        #[arg(long, value_name = "EMAIL")]
        confirm: Option<String>,
        /// Allow removing users, with a plan and a confirmation; the workspace must have `allow_offboarding = true`
        #[arg(long)]
        allow_offboarding: bool,
    },
    /// Answer calls from stdin, one JSON object per line as {"name": …, "arguments": …}
    Serve(AgentArgs),
}
