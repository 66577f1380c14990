//! How help is laid out: commands in groups, a command's own options before the global ones, examples last.

use clap::{Arg, Command, CommandFactory as _, builder::Styles, value_parser};

use super::{Cli, EXAMPLES, Example, GLOBAL};
use crate::cli::output::width;

/// The groups in which `rolecall --help` lists the commands.
const GROUPS: [(&str, &[&str]); 8] = [
    ("Get started", &["demo", "init", "check", "preflight"]),
    ("Audit", &["audit", "review", "policy", "roster", "rules"]),
    ("Look up", &["who-can", "findings", "users", "roles", "profiles", "org", "me"]),
    ("Look back", &["access", "history", "diff"]),
    ("Evidence", &["evidence"]),
    ("Operate", &["daemon", "console", "schedule", "runs", "store", "mail", "offboard"]),
    ("Agents", &["mcp", "tools"]),
    ("Develop", &["simulate", "schema", "completions", "man", "help"]),
];

/// The width of help that goes to no terminal, which is clap's.
const WIDTH: usize = 100;
/// The longest line of an example. A longer command is continued on the next line.
const LINE: usize = 76;

/// Commands that read no configuration, and whose help therefore does not show `--config`.
const WITHOUT_CONFIGURATION: [&str; 6] = ["demo", "simulate", "schema", "completions", "man", "help"];

/// The command line, with its help laid out.
pub(crate) fn command() -> Command {
    let mut command = with_examples(Cli::command(), "");
    for name in WITHOUT_CONFIGURATION {
        // clap gives a global argument only to commands that do not have one of that name.
        let hidden =
            Arg::new("config").long("config").global(true).hide(true).value_parser(value_parser!(std::path::PathBuf));
        command = command.mut_subcommand(name, |subcommand| subcommand.arg(hidden));
    }
    let template = template(&command);
    command.help_template(template)
}

fn with_examples(command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    let mut command = match examples(path) {
        [] => command,
        some => command.after_help(shown(some)),
    };
    for name in names {
        let path = format!("{path} {name}").trim_start().to_owned();
        command = command.mut_subcommand(&name, |subcommand| with_examples(subcommand, &path));
    }
    command
}

/// The examples of a command, by its path below `rolecall`.
pub(super) fn examples(path: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(name, _)| *name == path).map_or(&[], |(_, examples)| examples)
}

fn shown(examples: &[Example]) -> String {
    let header = Styles::default().get_header().to_owned();
    let lines = examples.iter().map(|Example { does, line }| format!("\n  # {does}\n  {}", continued(line)));
    format!("{header}Examples:{header:#}{}", lines.collect::<Vec<_>>().join("\n"))
}

/// A command as a shell takes it on several lines. What is quoted stays together, and so do an option and its value.
fn continued(line: &str) -> String {
    let is_open = |piece: &str| piece.matches(['"', '\'']).count() % 2 == 1;
    let lacks_value = |piece: &str| piece.starts_with("--") && !piece.contains(' ');
    let mut pieces: Vec<String> = Vec::new();
    for word in line.split(' ') {
        match pieces.last_mut() {
            Some(last) if is_open(last) || (lacks_value(last) && !word.starts_with('-')) => {
                *last = format!("{last} {word}");
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(last) if last.len() + 1 + piece.len() <= LINE => *last = format!("{last} {piece}"),
            Some(_) => lines.push(format!("    {piece}")),
            None => lines.push(piece),
        }
    }
    lines.join(" \\\n  ")
}

/// clap has no groups of commands, so that the template names each command itself.
fn template(command: &Command) -> String {
    let styles = Styles::default();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let longest = command.get_subcommands().map(|subcommand| subcommand.get_name().len()).max().unwrap_or(0);
    let indent = " ".repeat(longest + 4);
    let wrapping = textwrap::Options::new(width().unwrap_or(WIDTH).saturating_sub(indent.len()));
    let line = |name: &&str| {
        let about = command.find_subcommand(name).and_then(Command::get_about);
        let about = about.map(ToString::to_string).unwrap_or_default();
        let about = textwrap::wrap(&about, &wrapping).join(&format!("\n{indent}"));
        format!("  {literal}{name}{literal:#}{}  {about}\n", " ".repeat(longest - name.len()))
    };
    let groups = GROUPS.map(|(group, names)| {
        let lines: String = names.iter().map(line).collect();
        format!("\n{header}{group}:{header:#}\n{lines}")
    });
    format!(
        "{{about}}\n\n{{usage-heading}} {{usage}}\n{}\n{header}{GLOBAL}:{header:#}\n{{options}}\n\nSee `rolecall help COMMAND` \
         for the options and examples of a command.",
        groups.concat()
    )
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches as _, error::ErrorKind};

    use super::*;

    #[test]
    fn every_command_is_in_one_group_and_every_group_has_only_commands() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let command = command();
        let mut commands: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        grouped.sort_unstable();
        commands.sort_unstable();
        assert_eq!(grouped, commands);
    }

    /// The paths of all commands below `rolecall`.
    fn paths(command: &Command, path: &str) -> Vec<String> {
        let below = command.get_subcommands().flat_map(|subcommand| {
            let path = format!("{path} {}", subcommand.get_name()).trim_start().to_owned();
            [vec![path.clone()], paths(subcommand, &path)].concat()
        });
        below.collect()
    }

    #[test]
    fn every_command_has_examples_and_every_example_is_of_a_command() {
        let mut paths = paths(&command(), "");
        let mut shown: Vec<String> = EXAMPLES.iter().map(|(path, _)| (*path).to_owned()).collect();
        paths.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, paths);
    }

    #[test]
    fn every_example_can_be_parsed_and_fits_a_terminal() {
        for (path, examples) in EXAMPLES {
            for Example { line, does } in *examples {
                assert!(line.len() <= 130 && does.len() <= 76, "{line}");
                let words = crate::cli::args::help::tests::words(line);
                assert!(words[1..].join(" ").contains(path.split(' ').next().unwrap()), "{line} is not of {path}");
                let parsed = command().try_get_matches_from(&words).and_then(|matches| Cli::from_arg_matches(&matches));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn a_long_example_is_continued_as_a_shell_takes_it() {
        let line = "rolecall init --client-id 1000.ABC --client-secret-file secret --grant-code-file code --no-mail";
        let expected =
            "rolecall init --client-id 1000.ABC --client-secret-file secret \\\n      --grant-code-file code --no-mail";
        assert_eq!(continued(line), expected);
        let quoted = "rolecall review cancel 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59 --reason \"the wrong job\"";
        assert!(continued(quoted).ends_with(" \\\n      --reason \"the wrong job\""), "{}", continued(quoted));
        for Example { line, .. } in EXAMPLES.iter().flat_map(|(_, examples)| *examples) {
            let shown = format!("  {}", continued(line));
            assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
            assert_eq!(shown.replace(" \\\n     ", "").trim(), *line);
        }
    }

    /// The words of a command line, as a shell splits them: quotes only.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quote) = (vec![String::new()], None);
        for c in line.chars() {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c == ' ' => words.push(String::new()),
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn commands_that_read_no_configuration_do_not_show_the_option_and_still_take_it() {
        for name in WITHOUT_CONFIGURATION {
            let help = command().try_get_matches_from(["rolecall", name, "--help"]).unwrap_err();
            assert_eq!(help.kind(), ErrorKind::DisplayHelp);
            assert!(!help.to_string().contains("--config"), "{help}");
        }
        for line in ["rolecall demo --config x.toml", "rolecall --config x.toml demo", "rolecall check --config x.toml"]
        {
            let matches = command().try_get_matches_from(line.split(' ')).unwrap();
            let cli = Cli::from_arg_matches(&matches).unwrap();
            assert_eq!(cli.config.as_deref(), Some(std::path::Path::new("x.toml")), "{line}");
        }
    }

    #[test]
    fn the_command_line_has_no_contradiction() {
        command().debug_assert();
    }
}
