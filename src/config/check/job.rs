//! Jobs: schedule, workspaces, recipients.

use std::collections::BTreeSet;

use chrono::Duration;
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

/// The longest splay, in minutes: a week.
const MOST_SPLAY: i64 = 10_080;
/// Scheduled times whose distances a splay is compared with.
const TIMES_COMPARED: usize = 32;

impl Checker<'_> {
    pub(super) fn job(&mut self, job: &file::Job) -> Option<Job> {
        let workspaces = self.targets(&job.workspaces);
        let policy = job.policy.as_ref().map(|name| self.known_policy(name));
        let schedule = self.schedule(&job.schedule, job.time_zone.as_ref());
        let schedule = schedule.map(|schedule| self.spread(schedule, job));
        let fail_on = job.fail_on.as_ref().and_then(|word| self.severity(word, word.get_ref()));
        let email = job.email.as_ref().map(|email| self.email(email.get_ref()));
        if let Some(email) = job.email.as_ref().filter(|email| email.get_ref().combine)
            && workspaces.len() == 1
            && !workspaces.has_patterns()
        {
            self.problems.push(Problem::warning(
                email.span(),
                "`combine` has no effect on a job with one workspace",
                "remove it, or add the other workspaces to the job",
            ));
        }
        Some(Job {
            has_patterns: workspaces.has_patterns(),
            workspaces: workspaces.names,
            policy,
            schedule: schedule?,
            missed: job.missed,
            fail_on,
            email,
            heartbeat: job.heartbeat.as_ref().map(|heartbeat| self.secret(heartbeat)),
        })
    }

    /// A schedule with the splay of its job.
    fn spread(&mut self, schedule: Schedule, job: &file::Job) -> Schedule {
        let Some(written) = &job.splay_minutes else { return schedule };
        let splay = Duration::minutes(self.number(Some(written), 0, 1..=MOST_SPLAY));
        let mails_together = job.email.as_ref().is_some_and(|email| email.get_ref().combine);
        for key in [mails_together.then_some("combine"), job.heartbeat.is_some().then_some("heartbeat")] {
            let Some(key) = key else { continue };
            self.error(
                written.span(),
                format!("`splay_minutes` and `{key}` cannot be used together"),
                format!("`{key}` is about one scheduled time of all workspaces, and with a splay each has its own; remove one of the two"),
            );
        }
        let times = schedule.next(self.context.now, TIMES_COMPARED);
        let shortest = times.windows(2).map(|pair| pair[1] - pair[0]).min().filter(|shortest| *shortest < splay);
        if let Some(shortest) = shortest {
            self.problems.push(Problem::warning(
                written.span(),
                format!("the splay is longer than the {} minutes between two scheduled times", shortest.num_minutes()),
                "audits are spread over the time until the next scheduled time only; set a shorter splay",
            ));
        }
        schedule.spread_over(splay)
    }

    /// A schedule; `None` after an error.
    pub(super) fn schedule(
        &mut self,
        written: &Spanned<String>,
        time_zone: Option<&Spanned<String>>,
    ) -> Option<Schedule> {
        let zone = time_zone.map_or(Some(Tz::UTC), |zone| self.zone(zone));
        let same = (written.get_ref().clone(), zone.unwrap_or(Tz::UTC));
        let schedule = match self.schedules.get(&same) {
            Some(known) => Ok(known.clone()),
            None => Schedule::parse(&same.0, same.1, self.context.now),
        };
        if let Ok(schedule) = &schedule {
            self.schedules.entry(same).or_insert_with(|| schedule.clone());
        }
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
            self.mailable(to);
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
