//! `rolecall man`: one manual page with every command, its options and examples, the files and the exit codes.

use std::io;

use clap::Command;
use clap_mangen::Man;

use super::args::{EXAMPLES, Example, command};

/// What clap does not know, in roff.
const CLOSING: &str = r#".SH FILES
.TP
rolecall.toml, /etc/rolecall/rolecall.toml
The configuration; the first one that exists is used.
.TP
rolecall.db
The store: completed audits, runs and outgoing mail, as \fB[store] url\fR says.
.TP
evidence/
Evidence bags, the ledger and the mails as sent, as \fB[evidence] directory\fR says.
.SH "EXIT STATUS"
.TP
0
Success.
.TP
1
Failure.
.TP
2
Wrong usage or invalid configuration.
.TP
3
Success, but there are open findings at or above \fB\-\-fail\-on\fR, or gaps in \fBevidence coverage\fR.
.SH ENVIRONMENT
.TP
ROLECALL_CONFIG
The configuration file, if \fB\-\-config\fR is not given.
.TP
ROLECALL_LOG
What to log, as a filter of the Rust crate tracing, for example \fBrolecall=debug\fR; overrides \fB\-v\fR.
.TP
ROLECALL_MCP_TOKEN
The token that \fBmcp \-\-http\fR asks for, if \fB\-\-token\-file\fR is not given.
.TP
NO_COLOR
Disables colours if it is not empty.
.SH "SEE ALSO"
.BR crontab (5),
.BR ssh\-keygen (1),
.BR sha256sum (1),
.BR systemd.service (5)
"#;

/// The page in roff.
pub(super) fn page() -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut command = command();
    // Gives the subcommands the global options and their full names.
    command.build();
    let man = Man::new(command.clone().disable_help_flag(true));
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    write_subcommands(&command, command.get_name(), &mut out)?;
    write_examples(&mut out);
    out.extend_from_slice(CLOSING.as_bytes());
    Ok(out)
}

/// A section for each command that does something, including nested ones.
fn write_subcommands(command: &Command, path: &str, out: &mut Vec<u8>) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        let path = format!("{path} {}", subcommand.get_name());
        if subcommand.has_subcommands() {
            write_subcommands(subcommand, &path, out)?;
        }
        if subcommand.is_subcommand_required_set() {
            continue;
        }
        let own = subcommand.clone().bin_name(path.clone()).display_name(path.clone());
        // Every subcommand has them; the manual page has them once, at the top.
        let own = own
            .mut_args(|arg| if arg.is_global_set() && arg.get_help_heading().is_some() { arg.hide(true) } else { arg });
        let has_options = own.get_arguments().any(|arg| !arg.is_hide_set());
        let man = Man::new(own);
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_synopsis_section(&mut section)?;
        if has_options {
            man.render_options_section(&mut section)?;
        }
        let section = String::from_utf8_lossy(&section);
        // Sections of a page of its own become parts of this one.
        let section = section.replace(".SH DESCRIPTION", &format!(".SH \"{}\"", path.to_uppercase()));
        let section = section.replace(".SH SYNOPSIS", ".PP").replace(".SH OPTIONS", ".PP");
        out.extend_from_slice(section.as_bytes());
    }
    Ok(())
}

fn write_examples(out: &mut Vec<u8>) {
    out.extend_from_slice(b".SH EXAMPLES\n");
    // Those of nested commands repeat what their parents show.
    for (_, examples) in EXAMPLES.iter().filter(|(path, _)| !path.contains(' ')) {
        for Example { does, line } in *examples {
            out.extend_from_slice(format!(".TP\n{}\n\\fB{}\\fR\n", escaped(does), escaped(line)).as_bytes());
        }
    }
}

/// A line of text in roff.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
