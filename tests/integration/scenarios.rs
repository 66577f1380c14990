//! The scenarios of `docs/scenarios`, played as they are written: commands by a shell, tools by the protocol's Python client.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::tools::{script, tool};

/// What stands for what is left out.
const LEFT_OUT: &str = "…";
/// The port that the documents name; the system hands out another one.
const PORT: &str = "8931";

/// A step of a document.
#[derive(Debug)]
enum Step {
    /// Commands and what they print, both as written.
    Commands(Vec<(String, Vec<String>)>),
    /// A file's text.
    File(String, String),
    /// A call of a tool.
    Call(Call),
}

#[derive(Debug, Default)]
struct Call {
    tool: String,
    arguments: String,
    /// What the person reads and types; none where nobody is asked.
    asked: Option<(String, String)>,
    answer: String,
}

/// The steps of a document.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut call = Call::default();
    // The prose line before a block says what the block is.
    let (mut before, mut file) = (String::new(), None);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if let Some(name) = between(line, "**The agent calls** `", "`:") {
                call = Call { tool: name, ..Call::default() };
            }
            if let (Some(typed), Some((_, word))) = (between(line, "**The person types** `", "`"), call.asked.as_mut())
            {
                *word = typed;
            }
            file = between(line, "`", "` there:").or(file.filter(|_| line.is_empty()));
            before = if line.is_empty() { before } else { line.to_owned() };
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block_text = block.join("\n");
        match kind {
            "console" => steps.push(Step::Commands(commands(&block))),
            "toml" => steps.push(Step::File(file.take().expect("the line before names the file"), block_text)),
            "text" if before.starts_with("**The person reads") => call.asked = Some((block_text, String::new())),
            "json" if before.starts_with("**The agent calls") => call.arguments = block_text,
            "json" if before.contains("is told:**") => {
                call.answer = block_text;
                steps.push(Step::Call(std::mem::take(&mut call)));
            }
            _ => {}
        }
    }
    steps
}

fn between(line: &str, left: &str, right: &str) -> Option<String> {
    let (_, rest) = line.split_once(left)?;
    rest.split_once(right).map(|(inside, _)| inside.to_owned())
}

fn commands(block: &[&str]) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for line in block {
        match line.strip_prefix("$ ") {
            Some(command) => all.push((command.to_owned(), Vec::new())),
            None => all.last_mut().expect("a block begins with a command").1.push((*line).to_owned()),
        }
    }
    all
}

/// Whether a text is as written, where `…` stands for any text.
fn is_like(written: &str, text: &str) -> bool {
    let parts: Vec<&str> = written.split(LEFT_OUT).collect();
    let [first, middle @ .., last] = parts.as_slice() else { return written == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Whether lines are as written, where a line `…` stands for any lines.
fn are_like(written: &[String], lines: &[&str]) -> bool {
    match written.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == LEFT_OUT => (0..=lines.len()).any(|skip| are_like(rest, &lines[skip..])),
        Some((first, rest)) => {
            lines.first().is_some_and(|line| is_like(first, line.trim_end())) && are_like(rest, &lines[1..])
        }
    }
}

/// Whether a value is as written: what is left out of an object may be there, a word in capitals stands for the same
/// value everywhere.
fn is_value(written: &Value, found: &Value, words: &mut BTreeMap<String, String>) -> bool {
    match (written, found) {
        (Value::String(text), _) if text == LEFT_OUT => true,
        (Value::String(word), Value::String(text)) if word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => {
            words.entry(word.clone()).or_insert_with(|| text.clone()) == text
        }
        (Value::String(written), Value::String(text)) => is_like(written, text),
        (Value::Object(written), Value::Object(found)) => {
            written.iter().all(|(key, value)| found.get(key).is_some_and(|found| is_value(value, found, words)))
        }
        (Value::Array(written), Value::Array(found)) => {
            let (shown, is_cut) = match written.split_last() {
                Some((Value::String(last), shown)) if last == LEFT_OUT => (shown, true),
                _ => (written.as_slice(), false),
            };
            (shown.len() == found.len() || (is_cut && shown.len() <= found.len()))
                && shown.iter().zip(found).all(|(written, found)| is_value(written, found, words))
        }
        (written, found) => written == found,
    }
}

/// A folder on a stage, and what was learnt there.
struct Stage {
    folder: tempfile::TempDir,
    port: String,
    words: BTreeMap<String, String>,
}

impl Stage {
    fn play(&mut self, document: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenarios").join(document);
        let text = fs::read_to_string(path).unwrap().replace(PORT, &self.port);
        let steps = steps(&text);
        assert!(!steps.is_empty(), "{document} has no steps");
        for step in steps {
            match step {
                Step::Commands(commands) => self.run(&commands),
                Step::File(name, text) => fs::write(self.folder.path().join(name), text).unwrap(),
                Step::Call(call) => self.call(&call),
            }
        }
    }

    fn shell(&self, text: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_rolecall")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["-c", text]).current_dir(self.folder.path()).env("PATH", path);
        command
    }

    fn run(&self, commands: &[(String, Vec<String>)]) {
        // One shell, so that `$?` is what it says; a control character that no output has parts the commands.
        let mut text = String::new();
        for (command, _) in commands {
            let (command, background) = command.strip_suffix(" &").map_or((command.as_str(), ""), |rest| (rest, "&"));
            let output = if background.is_empty() { "2>&1" } else { ">/dev/null 2>&1 </dev/null" };
            let line = format!("{{ {command}; }} {output} {background}\n_code=$?; printf '\\036\\n'; (exit $_code)\n");
            text.push_str(&line);
        }
        text += "jobs -p >>pids\n";
        let output = self.shell(&text).stdin(Stdio::null()).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        for ((command, written), printed) in commands.iter().zip(printed.split("\u{1e}\n")) {
            let lines: Vec<&str> = printed.lines().collect();
            assert!(
                are_like(written, &lines),
                "$ {command}\nis written as\n{}\nand prints\n{printed}",
                written.join("\n")
            );
        }
    }

    fn call(&mut self, call: &Call) {
        let mut arguments = call.arguments.clone();
        for (word, value) in &self.words {
            arguments = arguments.replace(word.as_str(), value);
        }
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        let steps = json!([{"tool": call.tool, "arguments": arguments}]);
        let command = [env!("CARGO_BIN_EXE_rolecall"), "mcp", "--allow-offboarding"];
        let person = call.asked.as_ref().map(|(_, typed)| typed);
        let agent = json!({"command": command, "person": person, "steps": steps});
        let mut child = Command::new(tool("python"))
            .arg(script("mcp_agent.py"))
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(agent.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}: {}", call.tool, String::from_utf8_lossy(&output.stderr));
        let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
        let written: Value = serde_json::from_str(&call.answer).unwrap();
        let found = &seen["answers"][0]["answer"];
        assert!(is_value(&written, found, &mut self.words), "{} is told\n{found:#}\nand not\n{written:#}", call.tool);
        let questions = seen["questions"].as_array().unwrap();
        match &call.asked {
            None => assert!(questions.is_empty(), "{questions:?}"),
            Some((asked, _)) => {
                let message = questions[0]["message"].as_str().unwrap();
                assert!(is_like(asked, message), "the person reads\n{message}\nand not\n{asked}");
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What the stage started in the background.
        let _ = self.shell("kill $(cat pids)").output();
    }
}

fn on_stage(document: &str) {
    // Free a moment ago: the system does not hand it out again soon.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut stage = Stage { folder: tempfile::tempdir().unwrap(), port, words: BTreeMap::new() };
    stage.play("README.md");
    stage.play(document);
}

#[test]
fn offboarding_a_leaver_is_as_documented() {
    on_stage("offboarding.md");
}

#[test]
fn the_access_audit_is_as_documented() {
    on_stage("access-audit.md");
}

#[test]
fn the_pre_flight_check_is_as_documented() {
    on_stage("pre-flight.md");
}

#[test]
fn what_is_not_as_written_is_noticed() {
    assert!(is_like("a … c", "a b c") && is_like("…", "") && is_like("a", "a"));
    assert!(!is_like("a … c", "a b d") && !is_like("a", "ab") && !is_like("b…", "ab"));
    let written = ["a".to_owned(), LEFT_OUT.to_owned(), "z".to_owned()];
    assert!(are_like(&written, &["a", "z"]) && are_like(&written, &["a", "b", "c", "z"]));
    assert!(!are_like(&written, &["a", "z", "b"]) && !are_like(&written[..1], &[]));
    let mut words = BTreeMap::new();
    let mut is = |written: Value, found: Value| is_value(&written, &found, &mut words);
    assert!(is(json!({"a": ["ID", "…"]}), json!({"a": ["7", 2], "b": 1})));
    assert!(is(json!("ID"), json!("7")) && !is(json!("ID"), json!("8")));
    assert!(!is(json!([1]), json!([1, 2])) && !is(json!({"a": 1}), json!({})) && !is(json!(null), json!(false)));
}
