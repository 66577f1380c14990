//! `rolecall tools`: definitions for agent frameworks without MCP, and single calls.

use std::{
    io::{IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    args::{ToolsArgs, ToolsCommand, ToolsFormat},
    mcp,
    output::{self, Failure, plain},
};
use crate::agent::{self, Outcome, Person, Question, Reply, definition::Dialect};

/// Characters of an error's sentence.
const SENTENCE: usize = 2_000;

pub(super) async fn run(named: Option<&Path>, args: ToolsArgs) -> Result<(), Failure> {
    let Some(ToolsCommand::Call { name, arguments, confirm, agent }) = args.command else {
        let dialect = match args.format {
            ToolsFormat::Openai => Dialect::OpenAi,
            ToolsFormat::Anthropic => Dialect::Anthropic,
            ToolsFormat::JsonSchema => Dialect::JsonSchema,
        };
        return print(&agent::tools().iter().map(|tool| tool.definition.in_dialect(dialect)).collect());
    };
    let tool = agent::tool(&name).ok_or_else(|| {
        let known: Vec<&str> = agent::tools().iter().map(|tool| tool.definition.name).collect();
        Failure::usage(format!("there is no tool {}; there are: {}", plain(&name, 80), known.join(", ")))
    })?;
    let person = Caller { confirm };
    let outcome = match read(&arguments)? {
        // What a model got wrong is told to the model, like everything else that it gets wrong.
        Err(why) => Outcome::Failed(agent::Problem::Arguments(why)),
        Ok(arguments) => mcp::agent(named, &agent).await?.call(tool, arguments, &person).await,
    };
    match outcome {
        Outcome::Answered { answer, failed } => {
            print(&answer)?;
            if failed { Err(Failure::failed("what was asked for did not come to be; see the answer")) } else { Ok(()) }
        }
        Outcome::Failed(problem) => {
            let message = plain(&problem.to_string(), SENTENCE);
            print(&json!({ "error": { "code": problem.code(), "message": message } }))?;
            Err(Failure::failed(message))
        }
        // The caller always answers at once.
        Outcome::Waiting(_) => Err(Failure::failed("a person has to answer")),
    }
}

/// The arguments as JSON; the inner error is the model's, the outer one is the caller's.
fn read(arguments: &str) -> Result<Result<Value, String>, Failure> {
    let mut text = arguments.to_owned();
    if arguments == "-" {
        text.clear();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("the arguments cannot be read from stdin: {error}")))?;
    }
    Ok(serde_json::from_str(&text).map_err(|error| format!("they are no JSON: {error}")))
}

fn print(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&text);
    Ok(())
}

/// Whoever called the command.
struct Caller {
    confirm: Option<String>,
}

#[async_trait]
impl Person for Caller {
    fn name(&self) -> &'static str {
        "command line, tools call"
    }

    async fn ask(&self, question: &Question) -> Reply {
        if let Some(confirm) = &self.confirm {
            return Reply::Typed(confirm.clone());
        }
        if !std::io::stdin().is_terminal() {
            return Reply::Unable("there is no terminal; --confirm takes a person's word".to_owned());
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
