//! Exceptions, planned fixes and separations.

use std::{collections::BTreeSet, ops::Range};

use chrono::NaiveDate;
use toml::{Spanned, value::Datetime};

use super::Checker;
use crate::{
    config::{file, names::is_blank, problem::Problem},
    model::{
        exception::{PROTECTED, PlannedFix},
        pattern::Pattern,
        policy::Exception,
        separation::{Right, Separation},
    },
};

/// What every exception and planned fix has.
struct Common<'a> {
    /// `an exception`, or `a planned fix`.
    what: &'static str,
    rule: &'a Spanned<String>,
    subject: &'a Spanned<String>,
    workspace: Option<&'a Spanned<String>>,
    /// Texts that must not be empty.
    texts: [(&'static str, Option<&'a Spanned<String>>); 4],
}

/// What is said of something that applies until a day.
pub(super) struct Lasting {
    pub(super) what: &'static str,
    /// What it means that it is over, and what to do.
    pub(super) expired: &'static str,
    /// What else it means that it lasts long.
    pub(super) long: &'static str,
}

const EXCEPTION: Lasting = Lasting {
    what: "exception",
    expired: "the finding is open again; renew the exception with a new approval, or remove it",
    long: ", and every report has a finding about it",
};

impl Checker<'_> {
    pub(super) fn exception(
        &mut self,
        exception: &file::Exception,
        max_days: i64,
        may_except: &BTreeSet<String>,
    ) -> Option<Exception> {
        let common = Common {
            what: "an exception",
            rule: &exception.rule,
            subject: &exception.subject,
            workspace: exception.workspace.as_ref(),
            texts: [
                ("approved_by", Some(&exception.approved_by)),
                ("reason", Some(&exception.reason)),
                ("ticket", exception.ticket.as_ref()),
                ("owner", exception.owner.as_ref()),
            ],
        };
        let (rule, until) = (self.common(&common), self.last_day(&exception.until));
        self.lasts(exception.until.span(), until, max_days, &EXCEPTION);
        let name = exception.rule.get_ref();
        if PROTECTED.contains(&name.as_str()) && !may_except.contains(name) {
            self.error(
                exception.rule.span(),
                format!("an exception must not accept findings of `{name}`"),
                format!(
                    "it would hide what an audit is for; to allow it nevertheless, name the rule in the policy: may_except = \
                     [\"{name}\"]"
                ),
            );
        }
        Some(Exception {
            rule: rule?,
            subject: exception.subject.get_ref().clone(),
            workspace: owned(exception.workspace.as_ref()),
            approved_by: exception.approved_by.get_ref().clone(),
            reason: exception.reason.get_ref().clone(),
            until: until?,
            ticket: owned(exception.ticket.as_ref()),
            owner: owned(exception.owner.as_ref()),
        })
    }

    /// Warns of what is over or lasts too long: an exception, or the declaration of an account.
    pub(super) fn lasts(&mut self, span: Range<usize>, until: Option<NaiveDate>, max_days: i64, of: &Lasting) {
        let Some(until) = until else { return };
        let (today, Lasting { what, expired, long }) = (self.context.now.date_naive(), of);
        if until < today {
            self.problems.push(Problem::warning(span, format!("this {what} expired on {until}"), *expired));
        } else if (until - today).num_days() > max_days {
            self.problems.push(Problem::warning(
                span,
                format!("this {what} lasts longer than {max_days} days (max_exception_days)"),
                format!("it applies{long}; choose an earlier day and renew it then"),
            ));
        }
    }

    pub(super) fn planned_fix(&mut self, fix: &file::PlannedFix) -> Option<PlannedFix> {
        let common = Common {
            what: "a planned fix",
            rule: &fix.rule,
            subject: &fix.subject,
            workspace: fix.workspace.as_ref(),
            texts: [
                ("owner", Some(&fix.owner)),
                ("reason", Some(&fix.reason)),
                ("ticket", fix.ticket.as_ref()),
                ("ticket", None),
            ],
        };
        let (rule, until) = (self.common(&common), self.last_day(&fix.until));
        if let Some(until) = until.filter(|until| *until < self.context.now.date_naive()) {
            self.problems.push(Problem::warning(
                fix.until.span(),
                format!("this planned fix was due on {until}"),
                "every report says that it is overdue; fix it, or agree on a new day",
            ));
        }
        Some(PlannedFix {
            rule: rule?,
            subject: fix.subject.get_ref().clone(),
            workspace: owned(fix.workspace.as_ref()),
            owner: fix.owner.get_ref().clone(),
            reason: fix.reason.get_ref().clone(),
            until: until?,
            ticket: owned(fix.ticket.as_ref()),
        })
    }

    /// Checks what exceptions and planned fixes have in common, and returns the rule if it is known.
    fn common(&mut self, of: &Common<'_>) -> Option<String> {
        let known = self.known_rule(of.rule);
        let texts = [("subject", Some(of.subject))].into_iter().chain(of.texts);
        for (key, text) in texts.filter_map(|(key, text)| Some((key, text?))) {
            if is_blank(text.get_ref()) {
                let help = match key {
                    "ticket" => "name the ticket, or remove the key",
                    "owner" => "name who looks after it",
                    _ => "an auditor will ask who approved it, and why",
                };
                self.error(text.span(), format!("{}'s `{key}` must not be empty", of.what), help);
            }
        }
        self.pattern(of.subject);
        if let Some(workspace) = of.workspace {
            self.known_workspace(workspace);
        }
        known.then(|| of.rule.get_ref().clone())
    }

    pub(super) fn last_day(&mut self, until: &Spanned<Datetime>) -> Option<NaiveDate> {
        let date = until.get_ref().date.filter(|_| until.get_ref().time.is_none());
        let day = date
            .and_then(|date| NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day)));
        if day.is_none() {
            self.error(
                until.span(),
                "`until` must be a date without a time",
                "expected a date without quotes, such as until = 2027-03-31",
            );
        }
        day
    }

    /// Reports a pattern that cannot be read.
    pub(super) fn pattern(&mut self, text: &Spanned<String>) {
        if let Err(error) = Pattern::parse(text.get_ref()) {
            self.error(
                text.span(),
                error.to_string(),
                "a text between slashes is a regular expression; `*` is any text; every other text is exact",
            );
        }
    }

    /// The protected rules that an exception may be for.
    pub(super) fn may_except(&mut self, rules: &[Spanned<String>]) -> BTreeSet<String> {
        for rule in rules {
            if !PROTECTED.contains(&rule.get_ref().as_str()) {
                let known = PROTECTED.map(|rule| format!("`{rule}`")).join(" or ");
                self.error(
                    rule.span(),
                    format!("invalid rule `{}` in `may_except`; expected {known}", rule.get_ref()),
                    "findings of every other rule may be accepted without it",
                );
            }
        }
        rules.iter().map(|rule| rule.get_ref().clone()).collect()
    }

    pub(super) fn separations(&mut self, written: &[file::Separation]) -> Vec<Separation> {
        let mut names = BTreeSet::new();
        for separation in written {
            let name = separation.name.get_ref();
            if is_blank(name) {
                self.error(separation.name.span(), "a separation's `name` must not be empty", "reports show it");
            } else if !names.insert(name) {
                self.error(
                    separation.name.span(),
                    format!("there are two separations with the name `{name}`"),
                    "give each a name of its own, because findings name it",
                );
            }
        }
        written.iter().filter_map(|separation| self.separation(separation)).collect()
    }

    fn separation(&mut self, written: &file::Separation) -> Option<Separation> {
        let (first, second) = (self.right(&written.first), self.right(&written.second));
        let severity = written.severity.as_ref().map(|word| self.severity(word, word.get_ref()));
        Some(Separation {
            name: written.name.get_ref().trim().to_owned(),
            first: first?,
            second: second?,
            severity: severity.flatten(),
        })
    }

    fn right(&mut self, written: &Spanned<file::Right>) -> Option<Right> {
        let file::Right { permission, profile, role } = written.get_ref();
        let (right, text) = match (permission, profile, role) {
            (Some(text), None, None) => (Right::Permission(text.get_ref().trim().to_owned()), text),
            (None, Some(text), None) => (Right::Profile(text.get_ref().trim().to_owned()), text),
            (None, None, Some(text)) => (Right::Role(text.get_ref().trim().to_owned()), text),
            _ => {
                self.error(
                    written.span(),
                    "expected one of `permission`, `profile` and `role`",
                    "for example first = { permission = \"Export*\" }",
                );
                return None;
            }
        };
        if is_blank(text.get_ref()) {
            self.error(text.span(), format!("the {} must not be empty", right.kind()), "name it, or write a pattern");
        }
        self.pattern(text);
        Some(right)
    }
}

fn owned(text: Option<&Spanned<String>>) -> Option<String> {
    text.map(|text| text.get_ref().clone())
}
