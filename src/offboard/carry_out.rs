//! Carries out a confirmed plan, one user after another, and stops at the first surprise.

use std::time::Duration;

use chrono::SecondsFormat;
use uuid::Uuid;

use super::{Confirmed, Decision, Offboarding, Plan, PlannedRemoval, Refusal, history::History};
use crate::{
    connector::Removal,
    ledger::{
        Fact,
        fact::{OffboardingBegun, OffboardingEnded},
    },
    model::{actor::Actor, directory::UserRecord, id::UserId},
    store::StoreError,
};

/// How often the user is read back: the vendor may take a moment to report the removal.
const READS: u32 = 4;
/// The wait before the second read; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// The proof for a user that the vendor does not list after the removal.
const UNKNOWN_USER: &str = "the API no longer finds the user";

/// Who asked for a removal, and how it was confirmed, for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who asked for it.
    pub by: Actor,
    /// How it was confirmed, in words that claim no more than is known.
    pub how: String,
}

/// The result for one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The user's id.
    pub user_id: String,
    /// How messages name the user.
    pub label: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How that is known, in a sentence.
    pub detail: String,
}

/// How the removal of a user ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Removed now, and proved by reading back.
    Removed,
    /// There was nothing left to do.
    AlreadyRemoved,
    /// Certainly not removed.
    NotRemoved,
    /// The API's answers do not decide it.
    Unknown,
    /// Not tried, because an earlier step failed.
    NotTried,
}

impl Outcome {
    /// The word in the ledger and in the answers of tools.
    pub fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::AlreadyRemoved => "already_removed",
            Self::NotRemoved => "not_removed",
            Self::Unknown => "unknown",
            Self::NotTried => "not_tried",
        }
    }

    /// Whether the user is gone.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Removed | Self::AlreadyRemoved)
    }
}

/// Whether a user still exists.
enum Presence {
    Gone(&'static str),
    There(UserRecord),
    /// Why it is unknown, in a sentence.
    Unknown(String),
}

/// What a removal relies on: the plan made again from the workspace as it is now, and the history of earlier removals.
struct Ground {
    plan: Plan,
    history: History,
    /// The ledger's last entry before the workspace was read.
    since: u64,
}

impl Offboarding<'_> {
    /// Removes the users of a plan. Returns the result for each, in the plan's order.
    pub async fn carry_out(&self, plan: Confirmed<'_>, approval: &Approval) -> Vec<Done> {
        let done = |removal: &PlannedRemoval, outcome, detail| Done {
            user_id: removal.user.user_id.clone(),
            label: removal.label(),
            outcome,
            detail,
        };
        let planned = plan.plan();
        let ground = match self.ground(planned, approval).await {
            Ok(ground) => ground,
            Err(refusal) => {
                let why = refusal.to_string();
                return planned.removals.iter().map(|one| done(one, Outcome::NotTried, why.clone())).collect();
            }
        };
        let mut all = Vec::with_capacity(ground.plan.removals.len());
        let mut stopped: Option<String> = None;
        for removal in &ground.plan.removals {
            let (outcome, detail) = match &stopped {
                Some(why) => (Outcome::NotTried, why.clone()),
                None => self.remove_one(&ground, removal, approval).await,
            };
            if !outcome.is_gone() && stopped.is_none() {
                stopped = Some(format!("stopped earlier, at {}", removal.label()));
            }
            all.push(done(removal, outcome, detail));
        }
        all
    }

    /// Reads everything again: the confirmation took time, and another user may have been removed, promoted or disabled
    /// meanwhile.
    ///
    /// Two processes must not both conclude that another administrator stays. The ledger itself is the lease: an intent is
    /// written only if no other process wrote one for the same place since this read began
    /// ([`begin_offboarding`](crate::store::ledger::Ledger::begin_offboarding)), and no read begins while another intent is
    /// recent and has no outcome. There is no lease to renew or to expire, and running the command again settles what a
    /// killed process left behind.
    async fn ground(&self, planned: &Plan, approval: &Approval) -> Result<Ground, Refusal> {
        if self.clock.now() >= planned.valid_until {
            return Err(Refusal::OldPlan(planned.plan_id.to_string()));
        }
        // Read the head first: a removal that begins later is then noticed when the intent is written.
        let since = self.ledger.head().await?.number;
        let history = self.history(planned.organization_id.as_deref()).await?;
        let users: Vec<&str> = planned.removals.iter().map(|removal| removal.user.user_id.as_str()).collect();
        if !planned.is_empty()
            && let Some(begun) = history.under_way(&users, self.clock.now())
        {
            let since = begun.at.to_rfc3339_opts(SecondsFormat::Secs, true);
            return Err(Refusal::UnderWay { user: format!("user {}", begun.what.leaver.user), since });
        }
        let wanted: Vec<String> = users.into_iter().map(str::to_owned).collect();
        let plan = self.plan_for(&self.read(&()).await?, &wanted, planned.plan_id).await?;
        if plan.organization_id != planned.organization_id {
            let expected = planned.organization_name.clone().unwrap_or_default();
            let found = plan.organization_name.or(plan.organization_id).unwrap_or_default();
            return Err(Refusal::AnotherOrganization { expected, found });
        }
        let mut pairs = planned.removals.iter().zip(&plan.removals);
        if let Some((then, _)) = pairs.find(|(then, now)| !is_still(then, now)) {
            return Err(Refusal::Changed(then.label()));
        }
        // What was decided may have changed too.
        self.may_carry_out(&plan, &approval.by)?;
        self.ledger_writer.write_out().await.map_err(Refusal::Unwritten)?;
        Ok(Ground { plan, history, since })
    }

    async fn remove_one(&self, ground: &Ground, removal: &PlannedRemoval, approval: &Approval) -> (Outcome, String) {
        let id = UserId::from(removal.user.user_id.as_str());
        match self.obstacle(ground, removal, &id).await {
            Some(ended) => ended,
            None => self.remove_recorded(ground, removal, approval).await,
        }
    }

    /// The result if no removal must be requested: the user is gone, has changed, or cannot be read. `None` if the removal
    /// can be requested.
    async fn obstacle(&self, ground: &Ground, removal: &PlannedRemoval, id: &UserId) -> Option<(Outcome, String)> {
        let user = match self.presence(id, removal.already_removed).await {
            Presence::Gone(how) => {
                let detail = match self.settle(ground, id, Outcome::Removed, how).await {
                    Ok(true) => format!("{how}; the outcome of an earlier attempt was unknown until now"),
                    Ok(false) => how.to_owned(),
                    Err(error) => format!("{how}; but that could not be recorded: {error}"),
                };
                return Some((Outcome::AlreadyRemoved, detail));
            }
            Presence::Unknown(error) => return Some((Outcome::NotRemoved, format!("{error}. Nothing was requested"))),
            Presence::There(user) => user,
        };
        let why = if removal.already_removed {
            "the user was gone when the plan was made, but the API returns the user now; make a new plan, which shows the request. \
             Nothing was requested"
        } else if !is_as_planned(&user, removal) {
            "the address, status, role or profile changed since the plan was made; nothing was requested"
        } else {
            return None;
        };
        Some((Outcome::NotRemoved, why.to_owned()))
    }

    /// Records the intent, removes the user, and records the outcome. Without a recorded intent nothing is removed.
    async fn remove_recorded(
        &self,
        ground: &Ground,
        removal: &PlannedRemoval,
        approval: &Approval,
    ) -> (Outcome, String) {
        let (plan, id) = (&ground.plan, UserId::from(removal.user.user_id.as_str()));
        let begun = OffboardingBegun {
            plan: plan.plan_id,
            workspace: plan.workspace.clone(),
            organization: plan.organization_id.clone(),
            leaver: removal.leaver(),
            request: removal.request.clone().unwrap_or_default(),
            confirmed: format!("{}, {}", approval.by, approval.how),
            by: Some(approval.by.clone()),
            decisions: removal.decisions.iter().map(Decision::on_record).collect(),
        };
        let on_record = async {
            self.settle(ground, &id, Outcome::NotRemoved, "still there").await?;
            self.ledger.begin_offboarding(&begun, ground.since, self.clock.now()).await
        };
        if let Err(error) = on_record.await {
            return (Outcome::NotRemoved, format!("{error}. Nothing is changed without a record"));
        }
        let (outcome, detail) = match self.ledger_writer.write_out().await {
            Ok(()) => self.remove(&id).await,
            Err(error) => (Outcome::NotRemoved, format!("{error}. Nothing is changed without a record")),
        };
        match self.end(plan.plan_id, &id, outcome, &detail).await {
            Ok(()) => (outcome, detail),
            Err(error) => (outcome, format!("{detail}; but that could not be recorded: {error}")),
        }
    }

    /// Requests the removal and reads the user back, even if the API refused: the refusal may come from a gateway.
    async fn remove(&self, id: &UserId) -> (Outcome, String) {
        let answer = self.remover.remove(id).await;
        let reads = if matches!(answer, Ok(Removal::Accepted | Removal::AlreadyGone)) { READS } else { 1 };
        let mut pause = PAUSE;
        let mut presence = self.presence(id, false).await;
        for _ in 1..reads {
            if matches!(presence, Presence::Gone(_)) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            presence = self.presence(id, false).await;
        }
        let said = match &answer {
            Ok(Removal::Accepted) => "the API accepted the removal".to_owned(),
            Ok(Removal::AlreadyGone) => "the API reports that the user was already removed".to_owned(),
            Ok(Removal::Unknown(how)) => format!("the API's answer is unclear ({how})"),
            Err(error) => error.to_string(),
        };
        match presence {
            Presence::Gone(how) => (Outcome::Removed, format!("{said}; read back: {how}")),
            Presence::There(_) if answer.is_err() => (Outcome::NotRemoved, format!("{said}; read back: still there")),
            Presence::There(_) => {
                let detail = format!(
                    "{said}; read back: still there. It may take effect later or not at all; run it again to check"
                );
                (Outcome::Unknown, detail)
            }
            Presence::Unknown(error) => (
                Outcome::Unknown,
                format!("{said}, and the user could not be read back: {error}. Run it again to check"),
            ),
        }
    }

    /// Whether a user still exists. With `listed_as_gone`, the user list already says that the user does not.
    async fn presence(&self, id: &UserId, listed_as_gone: bool) -> Presence {
        match self.remover.user(id).await {
            Ok(Some(user)) if user.is_deleted() => Presence::Gone("the API lists the user as deleted"),
            Ok(Some(user)) => Presence::There(user),
            // The vendor keeps deleted users in the list; an answer without the user may have other reasons.
            Ok(None) if listed_as_gone => Presence::Gone(UNKNOWN_USER),
            Ok(None) => self.presence_in_list(id).await,
            Err(error) => Presence::Unknown(error.to_string()),
        }
    }

    async fn presence_in_list(&self, id: &UserId) -> Presence {
        let directory = match self.read(&()).await {
            Ok(directory) => directory,
            Err(error) => {
                return Presence::Unknown(format!(
                    "the API does not find the user, and the user list cannot be read: {error}"
                ));
            }
        };
        let problem = directory.reading.problems().next().map(|(_, detail)| detail.to_owned());
        let listed = directory.users.find(id.as_str()).filter(|user| user.id() == id.as_str());
        match (listed.map(|user| user.status().is_deleted()), problem) {
            (Some(true), _) => Presence::Gone("the API lists the user as deleted"),
            (Some(false), _) => {
                Presence::Unknown("the API does not find the user by id, but still lists the user".to_owned())
            }
            (None, None) => Presence::Gone(UNKNOWN_USER),
            (None, Some(problem)) => Presence::Unknown(format!(
                "the API does not find the user, and the user list was not read completely: {problem}"
            )),
        }
    }

    /// Records how earlier attempts ended if their outcome was unknown. Returns whether there were any.
    async fn settle(&self, ground: &Ground, id: &UserId, outcome: Outcome, how: &str) -> Result<bool, StoreError> {
        let mut was_open = false;
        for begun in ground.history.open(id.as_str()) {
            self.end(begun.plan, id, outcome, &format!("found later by reading: {how}")).await?;
            was_open = true;
        }
        Ok(was_open)
    }

    async fn end(&self, plan: Uuid, id: &UserId, outcome: Outcome, detail: &str) -> Result<(), StoreError> {
        let ended = OffboardingEnded {
            plan,
            workspace: self.workspace.to_owned(),
            user: id.to_string(),
            outcome: outcome.word().to_owned(),
            detail: detail.to_owned(),
        };
        self.ledger.append(&[Fact::OffboardingEnded(ended)], self.clock.now()).await
    }
}

/// Whether the plan for a user still holds: nothing is left to do, or nothing changed.
fn is_still(then: &PlannedRemoval, now: &PlannedRemoval) -> bool {
    now.already_removed
        || (!then.already_removed && then.leaver() == now.leaver() && then.user.status == now.user.status)
}

fn is_as_planned(user: &UserRecord, removal: &PlannedRemoval) -> bool {
    user.email == removal.user.email
        && user.status.as_deref() == Some(removal.user.status.as_str())
        && user.role.as_ref().map(AsRef::as_ref) == removal.user.role_id.as_deref()
        && user.profile.as_ref().map(AsRef::as_ref) == removal.user.profile_id.as_deref()
}
