//! The story of the demo: twelve weeks in which people come, go and gain power, and the daemon is down once.

use chrono::{DateTime, TimeDelta, Utc};
use rolecall_simulator::{World, WorldError};
use serde_json::{Value, json};

/// Weekly reviews of the demo.
pub(super) const WEEKS: usize = 12;

/// How long after the scheduled time the daemon is back in the late week: two days and three hours.
const DOWN_UNTIL: TimeDelta = TimeDelta::hours(51);

/// When the daemon runs in a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Daemon {
    /// It is up at the scheduled time.
    Up,
    /// It is down the whole week.
    Down,
    /// It comes back after the scheduled time.
    Back,
}

/// The daemon in a week, from 1.
pub(super) fn daemon(week: usize) -> Daemon {
    match week {
        5 => Daemon::Down,
        6 => Daemon::Back,
        _ => Daemon::Up,
    }
}

/// When the review of a week is made; `None` if the daemon is down.
pub(super) fn reviewed_at(week: usize, due: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match daemon(week) {
        Daemon::Up => Some(due),
        Daemon::Down => None,
        Daemon::Back => Some(due + DOWN_UNTIL),
    }
}

/// The people whom the story follows from one week to another.
#[derive(Debug, Default)]
pub(super) struct Story {
    invited: Option<String>,
    elevated: Option<String>,
}

impl Story {
    /// Changes the workspace as it changes in the days before the review of a week; returns what happened, in sentences.
    pub(super) fn happen(
        &mut self,
        world: &mut World,
        week: usize,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, WorldError> {
        let ordinary = with_profile(world, "Standard");
        let mut happened = Vec::new();
        match week {
            2 => happened.extend(self::moved(world, ordinary.get(3))?),
            4 => {
                let created = now.to_rfc3339();
                let user = json!({"confirm": false, "created_time": created, "Modified_Time": created});
                let user = world.add_user(&user);
                happened.push(format!("{} is invited", name(world, &user)));
                self.invited = Some(user);
            }
            5 => happened.extend(left(world, ordinary.get(4))?),
            7 => {
                if let Some(user) = &self.invited {
                    world.patch_user(user, &json!({"confirm": true}))?;
                    happened.push(format!("{} accepts the invitation", name(world, user)));
                }
            }
            8 => {
                // This profile is a copy of Administrator under another name.
                let copy = with_profile(world, "Operations Lead").first().and_then(|user| profile(world, user));
                if let (Some(user), Some(copy)) = (ordinary.get(6), copy) {
                    world.set_profile(user, &copy)?;
                    happened.push(format!("{} gets a copy of the Administrator profile", name(world, user)));
                    self.elevated = Some(user.clone());
                }
            }
            9 => {
                let standard = ordinary.first().and_then(|user| profile(world, user));
                if let (Some(user), Some(standard)) = (self.elevated.take(), standard) {
                    world.set_profile(&user, &standard)?;
                    happened.push(format!("{} has the profile Standard again", name(world, &user)));
                }
            }
            WEEKS => {
                if let [promoted, moving, leaver, ..] = ordinary.as_slice() {
                    world.promote(promoted)?;
                    happened.push(format!("{} becomes Administrator", name(world, promoted)));
                    happened.extend(moved(world, Some(moving))?);
                    happened.extend(left(world, Some(leaver))?);
                }
            }
            _ => {}
        }
        Ok(happened)
    }
}

fn moved(world: &mut World, user: Option<&String>) -> Result<Option<String>, WorldError> {
    let role = world.roles().last().and_then(|role| role["id"].as_str()).map(str::to_owned);
    let (Some(user), Some(role)) = (user, role) else { return Ok(None) };
    world.set_role(user, &role)?;
    Ok(Some(format!("{} changes roles", name(world, user))))
}

fn left(world: &mut World, user: Option<&String>) -> Result<Option<String>, WorldError> {
    let Some(user) = user else { return Ok(None) };
    world.delete(user)?;
    Ok(Some(format!("{} leaves", name(world, user))))
}

/// The ids of the users with a profile who can sign in. Names that are formulas are left out of the story.
pub(super) fn with_profile(world: &World, profile: &str) -> Vec<String> {
    let holds = |user: &Value| {
        user["status"] == "active"
            && user["confirm"] == true
            && user["profile"]["name"] == profile
            && user["full_name"].as_str().is_some_and(|name| name.starts_with(char::is_alphabetic))
    };
    world.user_ids().into_iter().filter(|id| world.user(id).is_some_and(|user| holds(&user))).collect()
}

fn profile(world: &World, user: &str) -> Option<String> {
    world.user(user).and_then(|user| user["profile"]["id"].as_str().map(str::to_owned))
}

fn name(world: &World, user: &str) -> String {
    let name = world.user(user).and_then(|user| user["full_name"].as_str().map(str::to_owned));
    name.unwrap_or_else(|| user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_happens_in_the_weeks_of_the_story_and_everybody_in_it_is_real() {
        let mut world = World::generate(48, 1);
        let mut story = Story::default();
        let happened = |week| story.happen(&mut world, week, DateTime::UNIX_EPOCH).unwrap();
        let weeks: Vec<Vec<String>> = (1..=WEEKS).map(happened).collect();
        let eventful: Vec<usize> =
            (1..).zip(&weeks).filter(|(_, week)| !week.is_empty()).map(|(week, _)| week).collect();
        assert_eq!(eventful, [2, 4, 5, 7, 8, 9, 12]);
        assert_eq!(weeks[11].len(), 3);
        assert!(!weeks.concat().iter().any(|sentence| sentence.starts_with(char::is_numeric)), "{weeks:?}");
    }

    #[test]
    fn a_small_workspace_has_a_shorter_story() {
        let mut world = World::generate(12, 1);
        let mut story = Story::default();
        for week in 1..=WEEKS {
            story.happen(&mut world, week, DateTime::UNIX_EPOCH).unwrap();
        }
    }

    #[test]
    fn one_week_is_missed_and_the_next_one_is_late() {
        let due = DateTime::UNIX_EPOCH;
        let at: Vec<_> = (1..=WEEKS).map(|week| reviewed_at(week, due)).collect();
        assert_eq!(at.iter().filter(|at| at.is_none()).count(), 1);
        assert_eq!(at.iter().flatten().filter(|at| **at > due).count(), 1);
    }
}
