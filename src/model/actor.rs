//! Who did something: the one type for it in the ledger, in offboarding, and in reviews.
//!
//! Its serialized form is one text, as in the first ledgers. Reading a text and writing it again gives the same text, also
//! for texts that are no longer written, so that old entries keep their digests.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Actor {
    /// A person who signed in or is named in a record, by address.
    Person {
        /// The address.
        address: String,
    },
    /// A person at the command line of this machine; rolecall does not know who.
    CommandLine {
        /// The command; `None` for the usual one.
        command: Option<String>,
    },
    /// A program that calls tools over the Model Context Protocol.
    Agent {
        /// Its name and version, as it states them; `None` if it states none.
        client: Option<String>,
    },
    /// The daemon.
    Daemon,
    /// A text of another version.
    Other(String),
}

const PERSON: &str = "person ";
const COMMAND_LINE: &str = "command line";
const AGENT: &str = "MCP client";
const DAEMON: &str = "daemon";

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { address } => write!(f, "{PERSON}{address}"),
            Self::CommandLine { command: None } => f.write_str(COMMAND_LINE),
            Self::CommandLine { command: Some(command) } => write!(f, "{COMMAND_LINE}, {command}"),
            Self::Agent { client: None } => f.write_str(AGENT),
            Self::Agent { client: Some(client) } => write!(f, "{AGENT} {client}"),
            Self::Daemon => f.write_str(DAEMON),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

impl From<String> for Actor {
    fn from(text: String) -> Self {
        if text == COMMAND_LINE {
            Self::CommandLine { command: None }
        } else if text == AGENT {
            Self::Agent { client: None }
        } else if text == DAEMON {
            Self::Daemon
        } else if let Some(address) = text.strip_prefix(PERSON) {
            Self::Person { address: address.to_owned() }
        } else if let Some(command) = text.strip_prefix(COMMAND_LINE).and_then(|rest| rest.strip_prefix(", ")) {
            Self::CommandLine { command: Some(command.to_owned()) }
        } else if let Some(client) = text.strip_prefix(AGENT).and_then(|rest| rest.strip_prefix(' ')) {
            Self::Agent { client: Some(client.to_owned()) }
        } else {
            Self::Other(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_actor_has_one_text_and_is_read_from_it() {
        let some = |text: &str| Some(text.to_owned());
        for (actor, text) in [
            (Actor::Person { address: "ana@example.com".to_owned() }, "person ana@example.com"),
            (Actor::CommandLine { command: None }, "command line"),
            (Actor::CommandLine { command: some("tools") }, "command line, tools"),
            (Actor::Agent { client: None }, "MCP client"),
            (Actor::Agent { client: some("Desk 1.2") }, "MCP client Desk 1.2"),
            (Actor::Daemon, "daemon"),
            (Actor::Other("test".to_owned()), "test"),
        ] {
            assert_eq!(actor.to_string(), text);
            assert_eq!(Actor::from(text.to_owned()), actor);
            let json = serde_json::to_string(&actor).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Actor>(&json).unwrap(), actor);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_it_was_read(
            prefix in prop::sample::select(vec!["", PERSON, COMMAND_LINE, "command line, ", AGENT, "MCP client ", DAEMON]),
            rest in ".{0,20}",
        ) {
            let text = format!("{prefix}{rest}");
            prop_assert_eq!(Actor::from(text.clone()).to_string(), text);
        }
    }
}
