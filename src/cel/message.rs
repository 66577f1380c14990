//! The sentence of a finding: a text with names of the view in braces.

use super::{
    Mistake, View,
    keys::{self, Key},
};
use crate::model::policy::ForEach;

/// The sentence of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Key(Key),
}

/// The longest message, in bytes.
const LONGEST: usize = 1_000;
/// The longest value in a message, in characters.
const LONGEST_VALUE: usize = 200;

impl Message {
    /// Reads a text. `{user.email}` stands for a value; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(text: &str, each: ForEach) -> Result<Self, Vec<Mistake>> {
        if text.len() > LONGEST {
            let message = format!("this message has {} bytes; at most {LONGEST} are allowed", text.len());
            return Err(vec![Mistake::new(0..text.len(), message, "")]);
        }
        let (mut parts, mut mistakes, mut plain) = (Vec::new(), Vec::new(), String::new());
        let mut at = 0;
        while let Some(character) = text[at..].chars().next() {
            let rest = &text[at..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                plain.push(character);
                at += 2;
            } else if character == '{' {
                let end = rest.find('}').map_or(rest.len(), |end| end + 1);
                let name = rest[1..end].trim_end_matches('}').trim();
                match Key::parse(name).filter(|key| keys::roots(each).any(|root| root == key.root())) {
                    Some(key) if rest[..end].ends_with('}') => {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                        parts.push(Part::Key(key));
                    }
                    _ => mistakes.push(Mistake::new(
                        at..at + end,
                        format!("unknown name `{name}` in the message of a rule for each {}", each.word()),
                        "expected a name such as {user.email}; {{ and }} stand for braces",
                    )),
                }
                at += end;
            } else {
                plain.push(character);
                at += character.len_utf8();
            }
        }
        parts.push(Part::Text(plain));
        if mistakes.is_empty() { Ok(Self { parts }) } else { Err(mistakes) }
    }

    /// The names in it.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Key(key) => Some(*key),
            Part::Text(_) => None,
        })
    }

    /// The sentence about the subject of a view.
    pub fn about(&self, view: &dyn View) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Key(key) => view.value(*key).shown().chars().take(LONGEST_VALUE).collect(),
        };
        self.parts.iter().map(part).collect()
    }
}
