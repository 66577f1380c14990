//! The lines of TOML that accept a finding. Approver and reason are empty, and `rolecall check` refuses them until somebody
//! fills them in.

use std::{collections::HashMap, fmt::Write as _};

use chrono::{Days, NaiveDate};

use super::matching::WORKSPACE;
use crate::{
    model::{
        audit::Audit,
        exception::{Exception, PROTECTED},
        finding::{Finding, Subject},
        pattern::exactly,
        plain::{code_point, shown},
        policy::Policy,
    },
    words::number,
};

/// How many days an exception lasts that is suggested, unless the policy allows fewer.
pub const DAYS: i64 = 90;
/// Characters of a name in a comment.
const NAME: usize = 80;

/// Writes the lines that accept the findings of one audit.
#[derive(Debug)]
pub struct Acceptance<'a> {
    audit: &'a Audit,
    until: NaiveDate,
    /// How many findings a rule has about a subject, if there are several.
    several: HashMap<(&'a str, &'a Subject), usize>,
}

/// What accepts the findings of an audit.
pub fn acceptance(audit: &Audit) -> Acceptance<'_> {
    let mut several: HashMap<(&str, &Subject), usize> = HashMap::new();
    for finding in &audit.findings {
        *several.entry((finding.rule.as_str(), &finding.subject)).or_default() += 1;
    }
    several.retain(|_, count| *count > 1);
    let until = last_day(audit.judged_at.date_naive(), DAYS, audit.policy.max_exception_days);
    Acceptance { audit, until, several }
}

impl Acceptance<'_> {
    /// The lines that accept a finding. `None` if it is accepted already, or if no exception may accept it.
    pub fn lines(&self, finding: &Finding) -> Option<String> {
        if !finding.is_open() || !is_acceptable(&finding.rule, &self.audit.policy) {
            return None;
        }
        let (label, id) = self.audit.subject_label(&finding.subject);
        let about = match finding.subject {
            Subject::Workspace => "the workspace as a whole".to_owned(),
            _ => format!("{} {}", finding.subject.kind(), plain(&label)),
        };
        let findings = self.several.get(&(finding.rule.as_str(), &finding.subject)).copied().unwrap_or(1);
        let exception = Exception {
            rule: finding.rule.to_string(),
            subject: subject(&finding.subject, &id),
            workspace: Some(self.audit.workspace.clone()),
            until: self.until,
            ..Exception::default()
        };
        Some(table(&exception, &comment(&about, findings)))
    }
}

/// The lines that accept what a kept audit found about a subject, by its id. `None` if no exception may accept it.
pub fn acceptance_of(known: &Known<'_>, policy: &Policy, today: NaiveDate) -> Option<String> {
    if !is_acceptable(known.rule, policy) {
        return None;
    }
    let is_workspace = known.kind == Subject::Workspace.kind();
    let comment = if is_workspace {
        "the workspace as a whole".to_owned()
    } else {
        format!("{} {}", known.kind, plain(known.label))
    };
    let exception = Exception {
        rule: known.rule.to_owned(),
        subject: if is_workspace { WORKSPACE.to_owned() } else { exactly(known.id) },
        workspace: Some(known.workspace.to_owned()),
        until: last_day(today, DAYS, policy.max_exception_days),
        ..Exception::default()
    };
    Some(table(&exception, &comment))
}

/// A finding of a kept audit.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The rule.
    pub rule: &'a str,
    /// The kind of its subject, as [`Subject::kind`] writes it.
    pub kind: &'a str,
    /// The subject's id.
    pub id: &'a str,
    /// The subject as a person would name it.
    pub label: &'a str,
    /// The workspace.
    pub workspace: &'a str,
}

/// Whether an exception may accept findings of a rule.
pub fn is_acceptable(rule: &str, policy: &Policy) -> bool {
    !PROTECTED.contains(&rule) || policy.may_except.contains(rule)
}

/// The last day of an exception that begins today.
pub(super) fn last_day(today: NaiveDate, days: i64, most: i64) -> NaiveDate {
    let days = u64::try_from(days.min(most)).unwrap_or(0);
    today.checked_add_days(Days::new(days)).unwrap_or(today)
}

/// What an exception is about, and how many findings it accepts, if there are several: they cannot be told apart by subject.
pub(super) fn comment(about: &str, findings: usize) -> String {
    match (findings, about) {
        (0 | 1, about) => about.to_owned(),
        (several, "") => format!("accepts all {} findings of this rule about it", number(several)),
        (several, about) => format!("{about}; accepts all {} findings of this rule about it", number(several)),
    }
}

/// The subject that matches what has this id and nothing else.
pub(super) fn subject(subject: &Subject, id: &str) -> String {
    if *subject == Subject::Workspace { WORKSPACE.to_owned() } else { exactly(id) }
}

/// An exception as a table of the configuration, with a comment about its subject.
pub(super) fn table(exception: &Exception, comment: &str) -> String {
    let subject = quoted(&exception.subject);
    let comment = if comment.is_empty() { String::new() } else { format!("  # {comment}") };
    let workspace = exception.workspace.as_deref();
    let workspace = workspace.map_or_else(String::new, |name| format!("workspace = {}\n", quoted(name)));
    format!(
        "[[policy.exceptions]]\nrule = {}\nsubject = {subject}{comment}\n{workspace}approved_by = {}\nreason = {}\nuntil = {}\n",
        quoted(&exception.rule),
        quoted(&exception.approved_by),
        quoted(&exception.reason),
        exception.until
    )
}

/// A basic string of TOML. What people would not see is an escape: what is copied still matches, and what is hidden is seen.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        let code = u32::from(letter);
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if !is_hidden(letter) => quoted.push(letter),
            _ if code > 0xffff => _ = write!(quoted, "\\U{code:08X}"),
            _ => _ = write!(quoted, "\\u{code:04X}"),
        }
    }
    quoted.push('"');
    quoted
}

/// A name for a comment: on one line, and not longer than a name needs.
pub(super) fn plain(text: &str) -> String {
    shown(text, NAME).trim().to_owned()
}

/// Whether a character ends a line, controls a terminal, turns the direction of a text, or shows nothing.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || code_point(letter).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_do_not_see_is_an_escape_and_reads_back_as_it_was() {
        let name = "a\u{202e}b\u{fe0f}\u{3164}\u{e0041}\n\"\\\u{0}\u{ad}ü";
        let text = quoted(name);
        assert_eq!(text, "\"a\\u202Eb\\uFE0F\\u3164\\U000E0041\\u000A\\\"\\\\\\u0000\\u00ADü\"");
        let read: toml::Table = toml::from_str(&format!("subject = {text}")).unwrap();
        assert_eq!(read["subject"].as_str(), Some(name));
        assert_eq!(plain("Ana\u{202e}\u{3164}\nLima"), "Ana[U+202E][U+3164] Lima");
    }
}
