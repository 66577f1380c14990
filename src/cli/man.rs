//! `rolecall man`: one manual page with every command, its options, and what the exit codes mean.

use std::io::{self, Write};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::args::Cli;

/// What clap does not know, in roff.
const CLOSING: &str = r#".SH "EXIT STATUS"
.TP
0
Done.
.TP
1
It failed.
.TP
2
Wrong usage or configuration.
.TP
3
Done, and there are findings at or above \fB\-\-fail\-on\fR.
.SH ENVIRONMENT
.TP
ROLECALL_CONFIG
The configuration file, where \fB\-\-config\fR names none.
.TP
ROLECALL_LOG
What is logged, as tracing's filters say it, in place of \fB\-v\fR.
.TP
NO_COLOR
Not empty: no colours.
"#;

/// Writes the page in roff.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    let command = Cli::command();
    let man = Man::new(command.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    write_subcommands(&command, command.get_name(), out)?;
    out.write_all(CLOSING.as_bytes())
}

/// A section for each command that does something, those inside others included.
fn write_subcommands(command: &Command, path: &str, out: &mut dyn Write) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        let path = format!("{path} {}", subcommand.get_name());
        if subcommand.has_subcommands() {
            write_subcommands(subcommand, &path, out)?;
            continue;
        }
        let man = Man::new(subcommand.clone().bin_name(path.clone()).display_name(path.clone()));
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_synopsis_section(&mut section)?;
        if subcommand.get_arguments().next().is_some() {
            man.render_options_section(&mut section)?;
        }
        let section = String::from_utf8_lossy(&section);
        // Sections of a page of its own become parts of this one.
        let section = section.replace(".SH DESCRIPTION", &format!(".SH \"{}\"", path.to_uppercase()));
        let section = section.replace(".SH SYNOPSIS", ".PP").replace(".SH OPTIONS", ".PP");
        out.write_all(section.as_bytes())?;
    }
    Ok(())
}
