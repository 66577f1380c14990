//! Removes users from a workspace, guarded: read, refuse or plan, confirm, record the intent, remove, read back, record
//! the outcome.
//!
//! [`plan`] is pure and decides who may not be removed. Only a [`Confirmed`] plan can be carried out, and only if it comes
//! out the same when it is made again. If the outcome of an earlier removal is unknown, because a process died or the API
//! did not answer, reading the user settles it; `history` finds such removals in the ledger. A [`LedgerWriter`] copies each
//! intent out of the store before the removal is requested.

mod carry_out;
mod decision;
mod history;
mod ledger_writer;
pub mod list;
pub mod plan;
pub mod refusal;
#[cfg(test)]
mod tests;

use std::time::Duration;

use uuid::Uuid;

use self::history::History;
pub use self::{
    carry_out::{Approval, Done, Outcome},
    decision::Decision,
    ledger_writer::LedgerWriter,
    plan::{Confirmed, Plan, PlannedRemoval},
    refusal::Refusal,
};
use crate::{
    clock::Clock,
    connector::{ConnectorError, Progress, ReadRequest, Remover},
    ledger::{
        Fact,
        fact::{OffboardingDeclined, OffboardingPlanned},
    },
    model::{
        actor::Actor,
        directory::Directory,
        id::UserId,
        policy::Policy,
        survey::{GrantState, Purpose, Survey},
    },
    store::{
        StoreError,
        ledger::Ledger,
        reviews::{Reviews, reviewed},
    },
};

/// A workspace that allows offboarding, and what that needs.
pub struct Offboarding<'a> {
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// Reads and removes.
    pub remover: &'a dyn Remover,
    /// Keeps plans, intents and outcomes.
    pub ledger: &'a dyn Ledger,
    /// Has the decisions of reviews.
    pub reviews: &'a dyn Reviews,
    /// The review that must have decided each removal; `None` if none has to.
    pub review: Option<Uuid>,
    /// Gets each intent before it is carried out.
    pub ledger_writer: &'a dyn LedgerWriter,
    /// Who is an administrator.
    pub policy: &'a Policy,
    /// The required organization; `None` if any is accepted.
    pub organization: Option<&'a str>,
    /// How long a read may take.
    pub deadline: Duration,
    /// The source of the current time.
    pub clock: &'a Clock,
}

impl Offboarding<'_> {
    /// Reads the workspace and plans the removal of users, by id or exact address.
    ///
    /// # Errors
    /// [`Refusal`]
    pub async fn plan(&self, wanted: &[String], progress: &dyn Progress) -> Result<Plan, Refusal> {
        let survey = self.remover.survey().await?;
        preflight(&survey)?;
        let directory = self.read(progress).await?;
        self.plan_for(&directory, wanted, Uuid::new_v4()).await
    }

    async fn read(&self, progress: &dyn Progress) -> Result<Directory, ConnectorError> {
        let request = ReadRequest {
            administrator_profiles: self.policy.administrator_profiles.clone(),
            deadline: self.deadline,
            recorder: None,
        };
        self.remover.read(&request, progress).await
    }

    /// What the ledger says about earlier removals from a place.
    async fn history(&self, organization: Option<&str>) -> Result<History, StoreError> {
        Ok(History::new(self.ledger.offboardings().await?, self.workspace, organization))
    }

    /// Plans from a workspace that was read recently. Later changes are noticed when the plan is carried out.
    ///
    /// # Errors
    /// [`Refusal`]
    pub async fn plan_from(&self, survey: &Survey, directory: &Directory, wanted: &[String]) -> Result<Plan, Refusal> {
        preflight(survey)?;
        self.plan_for(directory, wanted, Uuid::new_v4()).await
    }

    async fn plan_for(&self, directory: &Directory, wanted: &[String], plan_id: Uuid) -> Result<Plan, Refusal> {
        let now = self.clock.now();
        let (policy, organization, workspace) = (self.policy, self.organization, self.workspace);
        let history = self.history(directory.organization.id.as_deref()).await?;
        let (earlier, uncertain) = (&history.leavers(), &history.uncertain(now));
        let input =
            plan::PlanInput { workspace, directory, policy, organization, wanted, earlier, uncertain, plan_id, now };
        let mut plan = plan::plan(&input)?;
        let reviewed = reviewed(self.reviews, workspace).await?;
        for removal in plan.removals.iter_mut().filter(|removal| !removal.already_removed) {
            removal.decisions = decision::about(&reviewed, &removal.user.user_id);
            let id = UserId::from(removal.user.user_id.as_str());
            removal.request = Some(self.remover.removal_request(&id).await?);
        }
        Ok(plan)
    }

    /// Whether a person may carry a plan out.
    ///
    /// # Errors
    /// [`Refusal::SamePerson`], [`Refusal::Unnamed`] or [`Refusal::NotDecided`]
    pub fn may_carry_out(&self, plan: &Plan, by: &Actor) -> Result<(), Refusal> {
        plan.removals.iter().filter(|removal| !removal.already_removed).try_for_each(|removal| {
            decision::may_carry_out((&removal.label(), &removal.decisions), self.review, by, self.policy)
        })
    }

    /// Records a plan that `by` made, so that it can be carried out later by its id, once.
    ///
    /// # Errors
    /// [`Refusal::Store`]
    pub async fn keep(&self, plan: &Plan, by: Actor) -> Result<(), Refusal> {
        Ok(self.ledger.append(&[Fact::OffboardingPlanned(plan.planned(by))], self.clock.now()).await?)
    }

    /// A recorded plan, if it may still be carried out. Reads only the ledger.
    ///
    /// # Errors
    /// [`Refusal`] if the plan is not for exactly this user, has expired, was used, or was declined.
    pub async fn kept(&self, plan_id: &str, user: &UserId) -> Result<OffboardingPlanned, Refusal> {
        let unknown = || Refusal::NoPlan(plan_id.chars().filter(|c| !c.is_control()).take(60).collect());
        let id: Uuid = plan_id.parse().map_err(|_| unknown())?;
        let entry = self.ledger.last(Fact::OFFBOARDING_PLANNED, &id.to_string()).await?;
        let Some(entry) = entry else { return Err(unknown()) };
        let made = entry.number;
        let Fact::OffboardingPlanned(planned) = entry.fact else { return Err(unknown()) };
        let [leaver] = planned.users.as_slice() else { return Err(unknown()) };
        if leaver.user != user.as_str() || planned.workspace != self.workspace {
            return Err(Refusal::OtherPlan { plan: id.to_string(), user: user.to_string() });
        }
        // After a clock was set back, a plan from the future is not valid either.
        let valid_from = planned.valid_until - plan::VALID_FOR - plan::CLOCKS_DIFFER;
        if !(valid_from..planned.valid_until).contains(&self.clock.now()) {
            return Err(Refusal::OldPlan(id.to_string()));
        }
        // Any removal of this user that began since the plan was made used it up.
        let since = async |kind| {
            let last = self.ledger.last(kind, user.as_str()).await?;
            Ok::<_, StoreError>(last.is_some_and(|entry| entry.number > made))
        };
        if since(Fact::OFFBOARDING_BEGUN).await? {
            return Err(Refusal::UsedPlan(id.to_string()));
        }
        if since(Fact::OFFBOARDING_DECLINED).await? {
            return Err(Refusal::Declined(format!("user {user}")));
        }
        Ok(planned)
    }

    /// Makes a recorded plan again from a workspace that was read recently.
    ///
    /// # Errors
    /// [`Refusal`], also if the user changed since the plan was made.
    pub async fn again(
        &self,
        planned: &OffboardingPlanned,
        survey: &Survey,
        directory: &Directory,
    ) -> Result<Plan, Refusal> {
        let wanted: Vec<String> = planned.users.iter().map(|leaver| leaver.user.clone()).collect();
        let again = Plan { plan_id: planned.plan, ..self.plan_from(survey, directory, &wanted).await? };
        let is_same = again.organization_id == planned.organization
            && again.removals.iter().map(PlannedRemoval::leaver).eq(planned.users.iter().cloned());
        if is_same { Ok(again) } else { Err(Refusal::Changed(format!("user {}", wanted.join(", ")))) }
    }

    /// Records that a person declined a plan: nobody is asked about the same user for a while.
    ///
    /// # Errors
    /// [`Refusal::Store`]
    pub async fn decline(&self, planned: &OffboardingPlanned, by: &Actor) -> Result<(), Refusal> {
        let declined = planned.users.iter().map(|leaver| {
            Fact::OffboardingDeclined(OffboardingDeclined {
                plan: planned.plan,
                workspace: planned.workspace.clone(),
                user: leaver.user.clone(),
                by: by.clone(),
            })
        });
        Ok(self.ledger.append(&declined.collect::<Vec<_>>(), self.clock.now()).await?)
    }

    /// Fails if a person recently declined the removal of a user.
    ///
    /// # Errors
    /// [`Refusal::Declined`]
    pub async fn not_declined(&self, user: &str) -> Result<(), Refusal> {
        let last = self.ledger.last(Fact::OFFBOARDING_DECLINED, user).await?;
        let is_here = |fact: &Fact| matches!(fact, Fact::OffboardingDeclined(no) if no.workspace == self.workspace);
        let lately = last.is_some_and(|entry| is_here(&entry.fact) && self.clock.now() < entry.at + plan::VALID_FOR);
        if lately { Err(Refusal::Declined(format!("user {user}"))) } else { Ok(()) }
    }
}

/// Refuses if the credentials lack a permission, before anything is read or asked.
fn preflight(survey: &Survey) -> Result<(), Refusal> {
    let needed = survey.grants.iter().filter(|grant| grant.purpose != Purpose::Nothing);
    let lacking = needed.filter_map(|grant| match &grant.state {
        GrantState::Lacking(why) => Some(why.clone()),
        GrantState::Granted | GrantState::Unknown(_) => None,
    });
    let problems: Vec<String> = survey.obstacles.iter().cloned().chain(lacking).collect();
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Preflight(problems.join("; "))) }
}
