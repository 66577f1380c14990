//! Rosters, and what a policy says about them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use toml::Spanned;

use super::Checker;
use crate::{
    config::{
        file::{
            self, File,
            roster::{ExpectedAccess as Written, Names},
        },
        problem::Problem,
        settings::{Roster, RosterSource, relative},
        shape::suggestion,
    },
    model::{
        pattern::Pattern,
        policy::Policy,
        roster::{Bounds, ExpectedAccess, Format, Layout},
    },
};

/// Encodings that a roster may name.
const ENCODINGS: [&str; 6] = ["utf-8", "utf-16", "utf-16le", "utf-16be", "windows-1252", "iso-8859-15"];

impl Checker<'_> {
    /// `[rosters.NAME]`.
    pub(super) fn rosters(&mut self, file: &File) -> BTreeMap<String, Roster> {
        let policies = std::iter::once(&file.policy).chain(file.policies.values());
        let named = policies.filter_map(|policy| policy.roster.as_ref());
        let used: BTreeSet<&str> = named.flat_map(|names| names.get_ref().0.iter().map(String::as_str)).collect();
        let mut rosters = BTreeMap::new();
        for (name, roster) in &file.rosters {
            self.name("roster", name);
            let text = name.get_ref().as_str();
            if !used.contains(text) {
                let help = format!("it is read if [policy] or a [policies.NAME] says roster = \"{text}\"");
                self.problems.push(Problem::warning(name.span(), format!("no policy uses the roster `{text}`"), help));
            }
            if let Some(roster) = self.roster(roster) {
                rosters.insert(text.to_owned(), roster);
            }
        }
        rosters
    }

    fn roster(&mut self, roster: &file::roster::Roster) -> Option<Roster> {
        let source = self.roster_source(&roster.source);
        let format = roster.format.as_ref().map_or(Some(Format::Csv), |word| {
            let format = Format::of(word.get_ref());
            if format.is_none() {
                let message = format!("invalid roster format `{}`; expected csv, json or scim", word.get_ref());
                self.error(word.span(), message, "");
            }
            format
        });
        if let Some(format) = roster.date_format.as_ref().filter(|format| !is_date_format(format.get_ref())) {
            self.error(
                format.span(),
                format!("invalid `date_format` `{}`", format.get_ref()),
                "expected the day, the month and the year, such as \"%d.%m.%Y\" or \"%Y-%m-%d\"",
            );
        }
        if let Some(current) = roster.current.as_ref().filter(|words| words.get_ref().is_empty()) {
            self.error(
                current.span(),
                "`current` is empty, so everyone would have left",
                "name the values of the status that mean that a person works here, or remove the key",
            );
        }
        let encoding = roster.encoding.as_ref().map(|encoding| {
            let word = encoding.get_ref().to_ascii_lowercase();
            if !ENCODINGS.contains(&word.as_str()) {
                let message = format!("unknown encoding `{}`", encoding.get_ref());
                self.error(encoding.span(), message, suggestion(&word, &ENCODINGS));
            }
            word
        });
        let standard = Bounds::default();
        let age = self.number(roster.max_age_days.as_ref(), standard.max_age_days.into(), 1..=3650);
        let shrink = self.number(roster.max_shrink_percent.as_ref(), standard.max_shrink_percent.into(), 0..=100);
        let time_zone = roster.time_zone.as_ref().map_or(Some(Tz::UTC), |zone| self.zone(zone));
        Some(Roster {
            source: source?,
            layout: Layout {
                format: format?,
                columns: roster.columns.named().map(|(field, name)| (field, name.to_owned())).collect(),
                date_format: roster.date_format.as_ref().map(|format| format.get_ref().clone()),
                current: roster.current.as_ref().map(|words| words.get_ref().clone()),
                encoding,
            },
            bounds: Bounds {
                max_age_days: u32::try_from(age).unwrap_or(standard.max_age_days),
                max_shrink_percent: u32::try_from(shrink).unwrap_or(standard.max_shrink_percent),
                time_zone: time_zone.unwrap_or(Tz::UTC),
            },
        })
    }

    fn roster_source(&mut self, source: &Spanned<file::roster::RosterSource>) -> Option<RosterSource> {
        let (span, source) = (source.span(), source.get_ref());
        match (&source.file, &source.url, &source.token) {
            (Some(file), None, None) => Some(RosterSource::File(relative(self.context.folder, file))),
            (None, Some(url), token) => {
                let token = token.as_ref().map(|token| self.secret(token.get_ref()));
                self.url_with_query(url).map(|url| RosterSource::Url { url, token })
            }
            (Some(_), None, Some(token)) => {
                self.error(token.span(), "a file needs no `token`", "remove it, or name a `url` instead of the file");
                None
            }
            _ => {
                let help = "expected { file = \"people.csv\" } or { url = \"https://…\", token = { env = \"NAME\" } }";
                self.error(span, "a roster has either a `file` or a `url`", help);
                None
            }
        }
    }

    /// What a policy says about rosters.
    pub(super) fn roster_policy(&mut self, written: &file::Policy, policy: Policy) -> Policy {
        let roster = written.roster.as_ref().map(|names| self.known_rosters(names)).unwrap_or_default();
        let domain_aliases = written.domain_aliases.iter().map(|(from, to)| (self.domain(from), self.domain(to)));
        let domain_aliases = domain_aliases.collect();
        let expected_access = written.expected_access.iter().map(|entry| self.expected_access(entry)).collect();
        Policy { roster, domain_aliases, expected_access, ..policy }
    }

    fn known_rosters(&mut self, names: &Spanned<Names>) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        for name in &names.get_ref().0 {
            if !self.written.rosters.contains(name) {
                let rosters: Vec<&str> = self.written.rosters.iter().map(String::as_str).collect();
                let help = match rosters[..] {
                    [] => format!("add a table [rosters.{name}] with the `source` of the roster"),
                    _ => suggestion(name, &rosters),
                };
                self.error(names.span(), format!("unknown roster `{name}`"), help);
            }
            if !known.contains(name) {
                known.push(name.clone());
            }
        }
        known
    }

    fn expected_access(&mut self, entry: &Written) -> ExpectedAccess {
        let whom = [&entry.department, &entry.title].into_iter().flatten();
        let what = [&entry.profiles, &entry.roles].into_iter().flatten().flatten();
        for pattern in whom.chain(what) {
            if let Err(error) = Pattern::parse(pattern.get_ref()) {
                self.error(pattern.span(), format!("invalid pattern `{}`: {error}", pattern.get_ref()), "");
            } else if pattern.get_ref().trim().is_empty() {
                self.error(pattern.span(), "the pattern is empty", "expected a name, or a pattern such as \"Sales*\"");
            }
        }
        let texts = |list: &Vec<Spanned<String>>| list.iter().map(|text| text.get_ref().clone()).collect();
        ExpectedAccess {
            department: entry.department.as_ref().map(|text| text.get_ref().clone()),
            title: entry.title.as_ref().map(|text| text.get_ref().clone()),
            profiles: entry.profiles.as_ref().map(texts),
            roles: entry.roles.as_ref().map(texts),
        }
    }
}

/// Whether a date that is written in a format can be read again.
fn is_date_format(format: &str) -> bool {
    use std::fmt::Write as _;
    let Some(day) = NaiveDate::from_ymd_opt(2026, 11, 23) else { return false };
    let mut text = String::new();
    let time = day.and_hms_opt(13, 14, 15).unwrap_or_default();
    write!(text, "{}", time.format(format)).is_ok()
        && NaiveDate::parse_from_str(&text, format).is_ok_and(|read| read == day)
}
