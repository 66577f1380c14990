//! `rolecall tools`: definitions for agent frameworks without MCP, and single calls.

use std::{
    io::{IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{
    args::{AgentArgs, ToolsArgs, ToolsCommand, ToolsFormat},
    mcp,
    output::{self, Failure},
};
use crate::{
    agent::{self, Agent, Outcome, Person, Problem, Question, Reply, definition::Dialect},
    model::actor::Actor,
};

pub(super) async fn run(named: Option<&Path>, args: ToolsArgs) -> Result<(), Failure> {
    match args.command {
        None => {
            let dialect = match args.format {
                ToolsFormat::Openai => Dialect::OpenAi,
                ToolsFormat::Anthropic => Dialect::Anthropic,
                ToolsFormat::JsonSchema => Dialect::JsonSchema,
            };
            print(&agent::tools().iter().map(|tool| tool.definition.in_dialect(dialect)).collect())
        }
        Some(ToolsCommand::Call { name, arguments, confirm, allow_offboarding }) => {
            let arguments = read(&arguments)?;
            let agent = AgentArgs { allow_offboarding, max_age: 0 };
            let agent = mcp::agent(named, &agent).await?;
            // A mistake of the model is answered to the model.
            let outcome = match (agent::tool(&name), arguments) {
                (Err(problem), _) => Outcome::Failed(problem),
                (_, Err(why)) => Outcome::Failed(Problem::Arguments(why)),
                (Ok(tool), Ok(arguments)) => agent.call(tool, arguments, &Caller { confirm }).await,
            };
            let (answer, failed) = printable(outcome);
            print(&answer)?;
            let why = answer["error"]["message"].as_str().unwrap_or("the tool failed");
            if failed { Err(Failure::failed(why)) } else { Ok(()) }
        }
        Some(ToolsCommand::Serve(agent)) => serve(&*mcp::agent(named, &agent).await?).await,
    }
}

/// The JSON to print for an outcome, and whether it is a failure.
fn printable(outcome: Outcome) -> (Value, bool) {
    match outcome {
        Outcome::Answered { answer, failed } => (answer, failed),
        Outcome::Failed(problem) => (problem.to_json(), true),
        // The command line answers at once.
        Outcome::Waiting(_) => (Problem::NobodyToAsk("no answer arrived".to_owned()).to_json(), true),
    }
}

/// One line of input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// Returned unchanged with the answer.
    #[serde(default)]
    id: Value,
    name: String,
    #[serde(default)]
    arguments: Value,
}

/// Answers calls in order.
async fn serve(agent: &Agent) -> Result<(), Failure> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let failed = |error: std::io::Error| Failure::failed(format!("the calls cannot be read from stdin: {error}"));
    while let Some(line) = lines.next_line().await.map_err(failed)? {
        let (id, outcome) = match serde_json::from_str::<Line>(&line) {
            Err(why) => (
                Value::Null,
                Outcome::Failed(Problem::Arguments(format!(
                    "invalid line: {why}; expected a JSON object with `name` and `arguments`"
                ))),
            ),
            Ok(Line { id, name, arguments }) => match agent::tool(&name) {
                Err(problem) => (id, Outcome::Failed(problem)),
                Ok(tool) => (id, agent.call(tool, arguments, &Caller { confirm: None }).await),
            },
        };
        let (answer, failed) = printable(outcome);
        output::line(&json!({ "id": id, "failed": failed, "answer": answer }).to_string());
    }
    Ok(())
}

/// The arguments as JSON; the inner error is the model's, the outer one is the caller's.
fn read(arguments: &str) -> Result<Result<Value, String>, Failure> {
    let mut text = arguments.to_owned();
    if arguments == "-" {
        text.clear();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("the arguments cannot be read from stdin: {error}")))?;
    }
    Ok(serde_json::from_str(&text).map_err(|error| format!("invalid JSON: {error}")))
}

fn print(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&text);
    Ok(())
}

/// The person at the command line.
struct Caller {
    confirm: Option<String>,
}

#[async_trait]
impl Person for Caller {
    fn actor(&self) -> Actor {
        Actor::CommandLine { command: Some("tools call".to_owned()) }
    }

    fn confirmation(&self) -> String {
        if self.confirm.is_some() { "--confirm" } else { "typed at the terminal" }.to_owned()
    }

    async fn ask(&self, question: &Question) -> Reply {
        if let Some(confirm) = &self.confirm {
            return Reply::Typed(confirm.clone());
        }
        if !std::io::stdin().is_terminal() {
            return Reply::Unable("without a terminal, pass the confirmation with --confirm".to_owned());
        }
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "{}\n> ", question.message).and_then(|()| stderr.flush());
        let mut typed = String::new();
        match std::io::stdin().read_line(&mut typed) {
            Ok(_) if !typed.trim().is_empty() => Reply::Typed(typed),
            Ok(_) => Reply::Declined,
            Err(error) => Reply::Unable(error.to_string()),
        }
    }
}
