//! Carries out a confirmed plan, one user after another, and stops at the first surprise.

use std::time::Duration;

use super::{Confirmed, Offboarding, Plan, PlannedRemoval, Refusal};
use crate::{
    connector::{ConnectorError, Removal},
    ledger::{
        Fact,
        fact::{OffboardingBegun, OffboardingEnded},
    },
    model::{directory::UserRecord, id::UserId},
    store::StoreError,
};

/// How often is read whether a user is gone: the vendor may take a moment to say so.
const LOOKS: u32 = 4;
/// The wait before the second look; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// What became of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The user's id.
    pub user_id: String,
    /// How messages name the user.
    pub label: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How that is known, in a sentence.
    pub detail: String,
}

/// What became of the removal of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Removed now, and proved by reading.
    Removed,
    /// There was nothing left to do.
    AlreadyRemoved,
    /// Certainly not removed.
    NotRemoved,
    /// Nobody can say.
    Unknown,
    /// Not tried, because of what happened before.
    NotTried,
}

impl Outcome {
    /// The word for it.
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

/// Whether a user is still there.
enum Look {
    Gone(&'static str),
    There(UserRecord),
    Failed(ConnectorError),
}

impl Offboarding<'_> {
    /// Removes who is planned. `confirmed` says through what it was asked for and how it was confirmed, for the ledger.
    ///
    /// Every user of the plan is in what is returned, in its order.
    pub async fn carry_out(&self, plan: Confirmed<'_>, confirmed: &str) -> Vec<Done> {
        let plan = plan.plan();
        let mut all = Vec::with_capacity(plan.removals.len());
        let mut stopped = self.guard(plan).await.err().map(|refusal| refusal.to_string());
        for removal in &plan.removals {
            let (outcome, detail) = match &stopped {
                Some(why) => (Outcome::NotTried, why.clone()),
                None => self.one(plan, removal, confirmed).await,
            };
            if !outcome.is_gone() && stopped.is_none() {
                stopped = Some(format!("stopped before, at {}", removal.label()));
            }
            all.push(Done { user_id: removal.user.user_id.clone(), label: removal.label(), outcome, detail });
        }
        all
    }

    /// The credentials may have been exchanged since the plan was made, and time has passed.
    async fn guard(&self, plan: &Plan) -> Result<(), Refusal> {
        if (self.clock)() >= plan.valid_until {
            return Err(Refusal::OldPlan(plan.plan_id.to_string()));
        }
        let organization = self.remover.organization().await?;
        if organization.id != plan.organization_id {
            let expected = plan.organization_name.clone().unwrap_or_default();
            let found = organization.company_name.or(organization.id).unwrap_or_default();
            return Err(Refusal::AnotherOrganization { expected, found });
        }
        Ok(())
    }

    async fn one(&self, plan: &Plan, removal: &PlannedRemoval, confirmed: &str) -> (Outcome, String) {
        let id = UserId::from(removal.user.user_id.as_str());
        match self.look(&id).await {
            Look::Gone(how) => {
                let earlier = self.settle(plan, &id, how).await;
                let detail = match earlier {
                    Ok(true) => format!("{how}; an earlier attempt had ended without anybody knowing how"),
                    Ok(false) => how.to_owned(),
                    Err(error) => format!("{how}; but that could not be recorded: {error}"),
                };
                return (Outcome::AlreadyRemoved, detail);
            }
            Look::Failed(error) => return (Outcome::NotRemoved, format!("{error}. Nothing was asked for")),
            Look::There(user) if !is_as_planned(&user, removal) => {
                let detail =
                    "the address, role or profile is another than when the plan was made; nothing was asked for";
                return (Outcome::NotRemoved, detail.to_owned());
            }
            Look::There(_) => {}
        }
        let begun = Fact::OffboardingBegun(OffboardingBegun {
            plan: plan.plan_id,
            workspace: plan.workspace.clone(),
            organization: plan.organization_id.clone(),
            leaver: removal.leaver(),
            request: removal.request.clone().unwrap_or_default(),
            confirmed: confirmed.to_owned(),
        });
        if let Err(error) = self.ledger.note(&[begun], (self.clock)()).await {
            return (Outcome::NotRemoved, format!("{error}. What cannot be recorded is not done"));
        }
        let (outcome, detail) = self.remove(&id).await;
        match self.end(plan, &id, outcome, &detail).await {
            Ok(()) => (outcome, detail),
            Err(error) => (outcome, format!("{detail}; but that could not be recorded: {error}")),
        }
    }

    /// Asks for the removal, and reads what came of it.
    async fn remove(&self, id: &UserId) -> (Outcome, String) {
        let answer = match self.remover.remove(id).await {
            Ok(answer) => answer,
            Err(error) => return (Outcome::NotRemoved, error.to_string()),
        };
        let looks = if matches!(answer, Removal::Unknown(_)) { 1 } else { LOOKS };
        let mut pause = PAUSE;
        let mut look = self.look(id).await;
        for _ in 1..looks {
            if matches!(look, Look::Gone(_)) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            look = self.look(id).await;
        }
        let said = match &answer {
            Removal::Accepted => "the API accepted it".to_owned(),
            Removal::AlreadyGone => "the API says that it was done before".to_owned(),
            Removal::Unknown(how) => format!("the API's answer does not tell ({how})"),
        };
        match look {
            Look::Gone(how) => (Outcome::Removed, format!("{said}; read back: {how}")),
            Look::There(_) => {
                let detail =
                    format!("{said}; read back: still there. It may be done later, or not at all; run it again to see");
                (Outcome::Unknown, detail)
            }
            Look::Failed(error) => {
                (Outcome::Unknown, format!("{said}, and it could not be read back: {error}. Run it again to see"))
            }
        }
    }

    async fn look(&self, id: &UserId) -> Look {
        match self.remover.user(id).await {
            Ok(None) => Look::Gone("the API knows no such user any more"),
            Ok(Some(user)) if user.is_deleted() => Look::Gone("the API lists the user as deleted"),
            Ok(Some(user)) => Look::There(user),
            Err(error) => Look::Failed(error),
        }
    }

    /// Records how an earlier attempt ended, where nobody knew. Says whether there was one.
    async fn settle(&self, plan: &Plan, id: &UserId, how: &str) -> Result<bool, StoreError> {
        let begun = self.ledger.last(Fact::OFFBOARDING_BEGUN, id.as_str()).await?;
        let Some(begun) = begun else { return Ok(false) };
        let ended = self.ledger.last(Fact::OFFBOARDING_ENDED, id.as_str()).await?;
        let is_settled = ended.is_some_and(|ended| {
            let unknown = matches!(&ended.fact, Fact::OffboardingEnded(end) if end.outcome == Outcome::Unknown.word());
            ended.number > begun.number && !unknown
        });
        if is_settled {
            return Ok(false);
        }
        let earlier = match begun.fact {
            Fact::OffboardingBegun(begun) => Plan { plan_id: begun.plan, ..plan.clone() },
            _ => plan.clone(),
        };
        self.end(&earlier, id, Outcome::Removed, &format!("found later by reading: {how}")).await.map(|()| true)
    }

    async fn end(&self, plan: &Plan, id: &UserId, outcome: Outcome, detail: &str) -> Result<(), StoreError> {
        let ended = OffboardingEnded {
            plan: plan.plan_id,
            workspace: plan.workspace.clone(),
            user: id.to_string(),
            outcome: outcome.word().to_owned(),
            detail: detail.to_owned(),
        };
        self.ledger.note(&[Fact::OffboardingEnded(ended)], (self.clock)()).await
    }
}

fn is_as_planned(user: &UserRecord, removal: &PlannedRemoval) -> bool {
    user.email == removal.user.email
        && user.role.as_ref().map(AsRef::as_ref) == removal.user.role_id.as_deref()
        && user.profile.as_ref().map(AsRef::as_ref) == removal.user.profile_id.as_deref()
}
