//! `rolecall tools`: definitions for agent frameworks without MCP, and single calls.

use std::{
    io::{IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::{
    args::{AgentArgs, LookupFormat, ToolsArgs, ToolsCommand, ToolsFormat},
    check,
    lookup::table::{self, Column},
    mcp,
    output::{self, Failure},
};
use crate::{
    agent::{
        self, Agent, Outcome, Person, Problem, Question, Reply,
        definition::{Definition, Dialect, Effect},
    },
    model::actor::Actor,
};

/// The longest call on stdin, in bytes; that of MCP is the same.
const LONGEST: u64 = 1 << 20;

pub(super) async fn run(named: Option<&Path>, args: ToolsArgs) -> Result<(), Failure> {
    match args.command {
        None => {
            let is_read = std::io::stdout().is_terminal();
            let default = if is_read { ToolsFormat::Table } else { ToolsFormat::JsonSchema };
            let dialect = match args.format.unwrap_or(default) {
                ToolsFormat::Table => return list(),
                ToolsFormat::Openai => Dialect::OpenAi,
                ToolsFormat::Anthropic => Dialect::Anthropic,
                ToolsFormat::JsonSchema => Dialect::JsonSchema,
            };
            print(&agent::tools().iter().map(|tool| tool.definition.in_dialect(dialect)).collect())
        }
        Some(ToolsCommand::Call { name, arguments, confirm, allow_offboarding }) => {
            let arguments = read(&arguments)?;
            let agent = AgentArgs { allow_offboarding, max_age: 0 };
            let agent = mcp::agent_of(&check::load_quietly(named)?, &agent).await?;
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

/// The tools for people.
fn list() -> Result<(), Failure> {
    let rows: Vec<Row> = agent::tools().iter().map(|tool| Row::of(&tool.definition)).collect();
    table::print(&rows, LookupFormat::Table, COLUMNS, COLUMNS)?;
    output::line("\n`rolecall tools --format json-schema` prints their descriptions, arguments and answers.");
    Ok(())
}

/// A tool for people.
#[derive(Serialize)]
struct Row {
    tool: &'static str,
    does: &'static str,
    effect: &'static str,
}

const COLUMNS: &[Column<Row>] = &[
    ("tool", |row| row.tool.to_owned()),
    ("does", |row| row.does.to_owned()),
    ("effect", |row| row.effect.to_owned()),
];

impl Row {
    fn of(definition: &Definition) -> Self {
        let effect = match definition.effect {
            Effect::Reads => "reads",
            Effect::Records => "records",
            Effect::Removes => "removes a user",
        };
        Self { tool: definition.name, does: definition.title, effect }
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
    let mut input = BufReader::new(tokio::io::stdin());
    let failed = |error: std::io::Error| Failure::failed(format!("the calls cannot be read from stdin: {error}"));
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut input).take(LONGEST + 1).read_until(b'\n', &mut line).await.map_err(failed)? == 0 {
            return Ok(());
        }
        if line.len() as u64 > LONGEST {
            return Err(Failure::usage(format!("a line on stdin has more than {LONGEST} bytes")));
        }
        let (id, outcome) = match serde_json::from_slice::<Line>(&line) {
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
}

/// The arguments as JSON; the inner error is the model's, the outer one is the caller's.
fn read(arguments: &str) -> Result<Result<Value, String>, Failure> {
    let mut text = arguments.to_owned();
    if arguments == "-" {
        text.clear();
        let read = std::io::stdin().take(LONGEST + 1).read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("the arguments cannot be read from stdin: {error}")))?;
        if text.len() as u64 > LONGEST {
            return Err(Failure::usage(format!("the arguments on stdin have more than {LONGEST} bytes")));
        }
    }
    Ok(serde_json::from_str(&text).map_err(|error| format!("invalid JSON: {error}")))
}

fn print(value: &Value) -> Result<(), Failure> {
    output::json(value)
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
