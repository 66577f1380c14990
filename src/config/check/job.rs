//! Jobs: when, for which workspaces, and who is told.

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
    pub(super) fn job(&mut self, job: &file::Job, known: &[&str]) -> Option<Job> {
        if job.workspaces.get_ref().is_empty() {
            self.error(
                job.workspaces.span(),
                "a job needs at least one workspace",
                format!("known: {}", known.join(", ")),
            );
        }
        for workspace in job.workspaces.get_ref() {
            if !known.contains(&workspace.get_ref().as_str()) {
                self.error(
                    workspace.span(),
                    format!("there is no workspace `{}`", workspace.get_ref()),
                    suggestion(workspace.get_ref(), known),
                );
            }
        }
        let zone = job.time_zone.as_ref().map_or(Some(Tz::UTC), |zone| self.zone(zone));
        let schedule = Schedule::parse(job.schedule.get_ref(), zone.unwrap_or(Tz::UTC), self.context.now);
        if let Err(error) = &schedule {
            let help =
                "five fields: minute hour day month weekday, for example \"0 8 * * MON\"; six with seconds first";
            self.error(job.schedule.span(), error.to_string(), help);
        }
        if let Some(surprise) = schedule.as_ref().ok().and_then(|schedule| schedule.surprise(self.context.now)) {
            let message = format!(
                "on {}, when the clock changes, this fires {} and not {}",
                surprise.day,
                times(surprise.fires),
                times(surprise.otherwise)
            );
            self.problems.push(Problem::warning(
                job.schedule.span(),
                message,
                "one hour of the day that no clock change touches (for example 8) avoids it",
            ));
        }
        let fail_on = job.fail_on.as_ref().and_then(|word| self.severity(word, word.get_ref()));
        let email = job.email.as_ref().map(|email| self.email(email.get_ref()));
        Some(Job {
            workspaces: job.workspaces.get_ref().iter().map(|name| name.get_ref().clone()).collect(),
            schedule: schedule.ok().filter(|_| zone.is_some())?,
            missed: job.missed,
            fail_on,
            email,
            heartbeat: job.heartbeat.as_ref().map(|heartbeat| self.secret(heartbeat)),
        })
    }

    fn zone(&mut self, zone: &Spanned<String>) -> Option<Tz> {
        let parsed = zone.get_ref().parse().ok();
        if parsed.is_none() {
            let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let help = suggestion(zone.get_ref(), &names);
            let help = help
                .split(" (known")
                .next()
                .filter(|help| help.starts_with("did"))
                .unwrap_or("an IANA name such as Europe/Berlin");
            self.error(zone.span(), format!("“{}” is no time zone", zone.get_ref()), help);
        }
        parsed
    }

    fn email(&mut self, email: &file::Email) -> Email {
        if email.to.get_ref().is_empty() {
            self.error(email.to.span(), "a mail needs a recipient", "");
        }
        let mut seen = BTreeSet::new();
        for to in email.to.get_ref() {
            self.address(to);
            if !seen.insert(email::comparable(to.get_ref())) {
                self.error(
                    to.span(),
                    format!("“{}” stands here twice", to.get_ref()),
                    "each recipient gets one message",
                );
            }
        }
        Email {
            to: email.to.get_ref().iter().map(|to| to.get_ref().clone()).collect(),
            attach: email.attach.clone(),
            when: email.when,
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
