//! What a tool is called, what it takes and gives, and what it may do.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{Agent, Person, Problem, schema};

/// What a tool does beside answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// It leaves a record on rolecall's side, and changes nothing in the workspace. Each call may leave another.
    Records,
    /// It removes a user from the workspace. Calling it again removes nobody else.
    Removes,
}

impl Effect {
    /// Whether the tool changes nothing anywhere.
    pub fn is_read_only(self) -> bool {
        self == Self::Reads
    }

    /// Whether it may destroy something.
    pub fn is_destructive(self) -> bool {
        self == Self::Removes
    }

    /// Whether calling it again changes nothing more.
    pub fn is_idempotent(self) -> bool {
        self != Self::Records
    }
}

/// A tool as others see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The name, which is a promise.
    pub name: &'static str,
    /// The same for people.
    pub title: &'static str,
    /// What it does and when to use it, for a model.
    pub description: &'static str,
    /// JSON Schema of the arguments.
    pub input: Map<String, Value>,
    /// JSON Schema of the answer.
    pub output: Map<String, Value>,
    /// What it does beside answering.
    pub effect: Effect,
}

/// Runs a tool with arguments; returns the answer, and whether it reports a failure.
type Run = for<'a> fn(&'a Agent, Value, &'a dyn Person) -> BoxFuture<'a, Result<(Value, bool), Problem>>;

/// A tool.
pub struct Tool {
    /// As others see it.
    pub definition: Definition,
    pub(super) run: Run,
}

/// What a file of [`operations`](super::operations) has.
pub(super) trait Operation: 'static {
    /// See [`Definition`].
    const NAME: &'static str;
    /// See [`Definition`].
    const TITLE: &'static str;
    /// See [`Definition`].
    const DESCRIPTION: &'static str;
    /// See [`Definition`].
    const EFFECT: Effect;
    /// What it takes.
    type Arguments: DeserializeOwned + JsonSchema + Send;
    /// What it gives.
    type Answer: Serialize + JsonSchema + Send;

    /// Does it.
    fn run(
        agent: &Agent,
        arguments: Self::Arguments,
        person: &dyn Person,
    ) -> impl Future<Output = Result<Self::Answer, Problem>> + Send;

    /// Whether an answer reports a failure.
    fn is_failure(_answer: &Self::Answer) -> bool {
        false
    }
}

impl Tool {
    pub(super) fn of<O: Operation>() -> Self {
        let definition = Definition {
            name: O::NAME,
            title: O::TITLE,
            description: O::DESCRIPTION,
            input: schema::input::<O::Arguments>(),
            output: schema::output::<O::Answer>(),
            effect: O::EFFECT,
        };
        Self { definition, run: |agent, arguments, person| Box::pin(call::<O>(agent, arguments, person)) }
    }
}

async fn call<O: Operation>(agent: &Agent, arguments: Value, person: &dyn Person) -> Result<(Value, bool), Problem> {
    // A tool without an argument that it needs is called with none.
    let mut arguments = if arguments.is_null() { json!({}) } else { arguments };
    whole(&mut arguments);
    schema::holds(&schema::input::<O::Arguments>(), &arguments).map_err(Problem::Arguments)?;
    let arguments: O::Arguments = serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!("`{path}`: ") };
        Problem::Arguments(format!("{place}{}", error.inner()))
    })?;
    let answer = O::run(agent, arguments, person).await?;
    let failed = O::is_failure(&answer);
    serde_json::to_value(answer).map(|answer| (answer, failed)).map_err(|error| Problem::Evidence(error.to_string()))
}

/// Makes `5.0` the `5` that it is by JSON Schema, in the arguments themselves.
fn whole(arguments: &mut Value) {
    // Numbers up to here are exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    for value in arguments.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let float = value.as_f64().filter(|_| value.is_f64());
        if let Some(float) = float.filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)
            && let Ok(number) = format!("{float:.0}").parse::<i64>()
        {
            *value = number.into();
        }
    }
}

/// How definitions are written down for frameworks that speak no MCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `tools` of OpenAI's chat completions, and of what is compatible with it.
    OpenAi,
    /// `tools` of Anthropic's messages.
    Anthropic,
    /// Names, descriptions and both schemas.
    JsonSchema,
}

impl Definition {
    /// The definition in a dialect.
    pub fn in_dialect(&self, dialect: Dialect) -> Value {
        let Self { name, title, description, input, output, effect } = self;
        match dialect {
            Dialect::OpenAi => json!({
                "type": "function",
                "function": { "name": name, "description": description, "parameters": input },
            }),
            Dialect::Anthropic => json!({ "name": name, "description": description, "input_schema": input }),
            Dialect::JsonSchema => json!({
                "name": name,
                "title": title,
                "description": description,
                "input_schema": input,
                "output_schema": output,
                "read_only": effect.is_read_only(),
                "destructive": effect.is_destructive(),
                "idempotent": effect.is_idempotent(),
            }),
        }
    }
}
