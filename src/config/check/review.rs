//! Reviews: job, schedule, who decides.

use toml::Spanned;

use super::Checker;
use crate::{
    config::{
        file::{File, reviews},
        problem::Problem,
        settings::{Review, Settings},
        shape::suggestion,
    },
    model::pattern::Pattern,
    review::{
        assign::{Choice, Rule},
        event::RemediationDays,
        open::Terms,
        person::Address,
    },
};

impl Checker<'_> {
    /// A review; `None` if it cannot be opened, after an error.
    pub(super) fn review(&mut self, name: &Spanned<String>, review: &reviews::Review, file: &File) -> Option<Review> {
        self.name("review", name);
        let job = review.job.get_ref();
        let known: Vec<&str> = self.written.jobs.iter().map(String::as_str).collect();
        if !known.contains(&job.as_str()) {
            let help = if known.is_empty() { "add a table [jobs.NAME]".to_owned() } else { suggestion(job, &known) };
            self.error(review.job.span(), format!("unknown job `{job}`"), help);
        }
        if file.evidence.is_none() {
            self.error(
                name.span(),
                format!("the review `{}` needs evidence, but there is no [evidence] table", name.get_ref()),
                "a review is about the sealed bag of an audit; add an [evidence] table with `directory`",
            );
        }
        let schedule = match (&review.schedule, &review.time_zone) {
            (Some(schedule), zone) => Some(self.schedule(schedule, zone.as_ref())?),
            (None, Some(zone)) => {
                self.error(zone.span(), "`time_zone` without `schedule`", "add `schedule`, or remove `time_zone`");
                None
            }
            (None, None) => None,
        };
        let days = &review.remediation_days;
        let standard = RemediationDays::default();
        let remediation_days = RemediationDays {
            default: self.days(days.default.as_ref(), standard.default),
            administrator: self.days(days.administrator.as_ref(), standard.administrator),
            leaver: self.days(days.leaver.as_ref(), standard.leaver),
        };
        let terms = Terms {
            name: name.get_ref().clone(),
            job: job.clone(),
            scope: review.scope,
            due_days: self.days(review.due_days.as_ref(), 14),
            owner: self.person(&review.owner),
            reviewers: self.reviewers(&review.reviewers),
            four_eyes: review.four_eyes,
            remediation_days,
            escalate_to: review.escalate_to.as_ref().map(|address| self.person(address)),
        };
        Some(Review { terms, schedule })
    }

    /// Entries of `reviewers` that read a roster which no policy of the job's workspaces has.
    pub(super) fn reviewers_by_roster(&mut self, file: &File, settings: &Settings) {
        for review in file.reviews.values() {
            let name = review.job.get_ref();
            let Some(job) = settings.jobs.get(name) else { continue };
            let lacks = |workspace: &&String| settings.policy_for(Some(name), workspace).roster.is_empty();
            let Some(workspace) = job.workspaces.iter().find(lacks) else { continue };
            for entry in review.reviewers.get_ref() {
                let reads = [("roster", &entry.get_ref().roster), ("department", &entry.get_ref().department)];
                for (key, value) in
                    reads.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value)))
                {
                    self.error(
                        value.span(),
                        format!(
                            "`{key}` needs a roster, but the policy of the workspace `{workspace}` in the job `{name}` has none"
                        ),
                        "add `roster = \"NAME\"` to that policy, and a table [rosters.NAME]",
                    );
                }
            }
        }
    }

    fn days(&mut self, days: Option<&Spanned<i64>>, standard: u32) -> u32 {
        // What is out of range is an error, and the standard takes its place.
        u32::try_from(self.number(days, i64::from(standard), 1..=365)).unwrap_or(standard)
    }

    fn person(&mut self, address: &Spanned<String>) -> Address {
        self.mailable(address);
        Address::of(&self.address(address))
    }

    fn reviewers(&mut self, reviewers: &Spanned<Vec<Spanned<reviews::ReviewersEntry>>>) -> Vec<Rule> {
        let entries = reviewers.get_ref();
        let rules: Vec<Rule> = entries.iter().filter_map(|entry| self.reviewer(entry)).collect();
        let matches_all = |rule: &Rule| {
            let Rule { workspace, role, profile, department, reviewer, .. } = rule;
            matches!(reviewer, Choice::Person(_))
                && [workspace, role, profile, department].into_iter().all(Option::is_none)
        };
        if entries.is_empty() {
            self.error(
                reviewers.span(),
                "`reviewers` is empty",
                "expected at least { reviewer = \"ana@example.com\" }",
            );
        } else if rules.len() == entries.len() && !rules.iter().any(matches_all) {
            self.problems.push(Problem::warning(
                reviewers.span(),
                "an account that no entry matches has no reviewer, and then the review cannot be opened",
                "add an entry without a condition at the end, such as { reviewer = \"ana@example.com\" }",
            ));
        }
        rules
    }

    fn reviewer(&mut self, entry: &Spanned<reviews::ReviewersEntry>) -> Option<Rule> {
        let reviews::ReviewersEntry { workspace, role, profile, department, reviewer, roster, alternate } =
            entry.get_ref();
        let choice = match (reviewer, roster) {
            (Some(address), None) => Some(Choice::Person(self.person(address))),
            (None, Some(word)) if word.get_ref() == "manager" => Some(Choice::Manager),
            (None, Some(word)) => {
                self.error(word.span(), format!("invalid value `{}`; expected manager", word.get_ref()), "");
                None
            }
            _ => {
                self.error(
                    entry.span(),
                    "an entry of `reviewers` names one who decides",
                    "expected either `reviewer = \"ana@example.com\"` or `roster = \"manager\"`",
                );
                None
            }
        };
        let alternate_address = alternate.as_ref().map(|address| self.person(address));
        if let (Some(Choice::Person(reviewer)), Some(other), Some(written)) = (&choice, &alternate_address, alternate)
            && reviewer == other
        {
            self.error(written.span(), "the alternate is the reviewer", "expected the address of somebody else");
        }
        Some(Rule {
            workspace: self.condition(workspace.as_ref()),
            role: self.condition(role.as_ref()),
            profile: self.condition(profile.as_ref()),
            department: self.condition(department.as_ref()),
            reviewer: choice?,
            alternate: alternate_address,
        })
    }

    fn condition(&mut self, text: Option<&Spanned<String>>) -> Option<Pattern> {
        let text = text?;
        match Pattern::parse(text.get_ref()) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.error(text.span(), error.to_string(), "expected a name, an id or a pattern such as Sales*");
                None
            }
        }
    }
}
