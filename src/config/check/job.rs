//! Jobs: schedule, workspaces, recipients.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use toml::Spanned;

use super::Checker;
use crate::{
    config::{
        file,
        problem::Problem,
        settings::{Email, Job},
        shape::suggestion,
    },
    model::email,
    schedule::Schedule,
};

impl Checker<'_> {
    pub(super) fn job(&mut self, job: &file::Job) -> Option<Job> {
        if job.workspaces.get_ref().is_empty() {
            self.error(
                job.workspaces.span(),
                "a job needs at least one workspace",
                format!("configured: {}", self.written.workspaces.join(", ")),
            );
        }
        for workspace in job.workspaces.get_ref() {
            self.known_workspace(workspace);
        }
        let policy = job.policy.as_ref().map(|name| self.known_policy(name));
        let schedule = self.schedule(&job.schedule, job.time_zone.as_ref());
        let fail_on = job.fail_on.as_ref().and_then(|word| self.severity(word, word.get_ref()));
        let email = job.email.as_ref().map(|email| self.email(email.get_ref()));
        if let Some(email) = job.email.as_ref().filter(|email| email.get_ref().combine)
            && job.workspaces.get_ref().len() == 1
        {
            self.problems.push(Problem::warning(
                email.span(),
                "`combine` has no effect on a job with one workspace",
                "remove it, or add the other workspaces to the job",
            ));
        }
        Some(Job {
            workspaces: job.workspaces.get_ref().iter().map(|name| name.get_ref().clone()).collect(),
            policy,
            schedule: schedule?,
            missed: job.missed,
            fail_on,
            email,
            heartbeat: job.heartbeat.as_ref().map(|heartbeat| self.secret(heartbeat)),
        })
    }

    /// A schedule; `None` after an error.
    pub(super) fn schedule(
        &mut self,
        written: &Spanned<String>,
        time_zone: Option<&Spanned<String>>,
    ) -> Option<Schedule> {
        let zone = time_zone.map_or(Some(Tz::UTC), |zone| self.zone(zone));
        let schedule = Schedule::parse(written.get_ref(), zone.unwrap_or(Tz::UTC), self.context.now);
        if let Err(error) = &schedule {
            let help = "expected minute, hour, day, month and weekday, for example \"0 8 * * MON\"; a sixth field in \
                        front is for seconds";
            let message = format!("invalid schedule `{}`: {error}", written.get_ref());
            self.error(written.span(), message, help);
        }
        if let Some(surprise) = schedule.as_ref().ok().and_then(|schedule| schedule.surprise(self.context.now)) {
            let message = format!(
                "on {}, when the clocks change, this schedule runs {} instead of {}",
                surprise.day,
                times(surprise.fires),
                times(surprise.otherwise)
            );
            self.problems.push(Problem::warning(
                written.span(),
                message,
                "a time that no clock change touches avoids this, for example 08:00",
            ));
        }
        schedule.ok().filter(|_| zone.is_some())
    }

    pub(super) fn zone(&mut self, zone: &Spanned<String>) -> Option<Tz> {
        let parsed = zone.get_ref().parse().ok();
        if parsed.is_none() {
            let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let help = suggestion(zone.get_ref(), &names);
            let help =
                if help.starts_with("did") { help.as_str() } else { "expected an IANA name such as Europe/Berlin" };
            self.error(zone.span(), format!("invalid time zone `{}`", zone.get_ref()), help);
        }
        parsed
    }

    fn email(&mut self, email: &file::Email) -> Email {
        if email.to.get_ref().is_empty() {
            self.error(email.to.span(), "`to` has no recipient", "expected at least one address");
        }
        let mut seen = BTreeSet::new();
        for to in email.to.get_ref() {
            self.address(to);
            if !seen.insert(email::comparable(to.get_ref())) {
                self.error(
                    to.span(),
                    format!("duplicate recipient `{}`", to.get_ref()),
                    "each recipient gets one message",
                );
            }
        }
        Email {
            to: email.to.get_ref().iter().map(|to| to.get_ref().clone()).collect(),
            attach: email.attach.clone(),
            when: email.when,
            combine: email.combine,
        }
    }
}

fn times(count: usize) -> String {
    match count {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
