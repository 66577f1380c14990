mod decisions;
mod ledger;
mod surprises;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    clock::Clock,
    connector::{
        Limits,
        zoho::{DataCenter, ZohoBigin, ZohoSettings},
    },
    ledger::Entry,
    store::testing::{self, TestStore},
};
use rolecall_simulator::{ALL_SCOPES, Answer, Fault, Options, Simulator};

/// A workspace whose credentials may delete, a store, and a clock that can be moved.
struct Bench {
    simulator: Simulator,
    store: TestStore,
    policy: Policy,
    moved: Arc<AtomicI64>,
    _folder: TempDir,
}

/// As if somebody had confirmed a plan at the command line.
fn approval() -> Approval {
    Approval { by: Actor::CommandLine { command: None }, how: "typed".to_owned() }
}

impl Bench {
    async fn new() -> Self {
        Self::with(Options { users: 30, seed: 7, ..Options::default() }).await
    }

    async fn with(options: Options) -> Self {
        let scopes = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
        let options = Options { scopes, tokens_per_window: 10_000, retry_after: Duration::ZERO, ..options };
        let folder = tempfile::tempdir().unwrap();
        Self {
            simulator: Simulator::start(options).unwrap(),
            store: testing::open(folder.path()).await,
            policy: Policy::default(),
            moved: Arc::default(),
            _folder: folder,
        }
    }

    fn remover(&self) -> ZohoBigin {
        let credentials = self.simulator.credentials();
        ZohoBigin::new(
            ZohoSettings {
                data_center: DataCenter::Us,
                client_id: credentials.client_id.clone(),
                client_secret: credentials.client_secret.clone().into(),
                refresh_token: credentials.refresh_token.clone().into(),
                accounts_url: Some(self.simulator.base_url().parse().unwrap()),
                api_url: None,
                limits: Limits { backoff: Duration::from_millis(1), attempts: 2, ..Limits::default() },
                reads: 1,
                pause_between_reads: Duration::ZERO,
            },
            Clock::system(),
        )
        .unwrap()
    }

    async fn on<T>(&self, organization: Option<&str>, work: impl AsyncFnOnce(&Offboarding<'_>) -> T) -> T {
        self.seen_by(&(), organization, work).await
    }

    async fn seen_by<T>(
        &self,
        ledger_writer: &dyn LedgerWriter,
        organization: Option<&str>,
        work: impl AsyncFnOnce(&Offboarding<'_>) -> T,
    ) -> T {
        let remover = self.remover();
        let moved = Arc::clone(&self.moved);
        let clock = Clock::new(move || Utc::now() + TimeDelta::seconds(moved.load(Ordering::Relaxed)));
        work(&Offboarding {
            workspace: "acme",
            remover: &remover,
            ledger: &self.store,
            reviews: &self.store,
            review: None,
            ledger_writer,
            policy: &self.policy,
            organization,
            deadline: Duration::from_mins(1),
            clock: &clock,
        })
        .await
    }

    async fn plan(&self, wanted: &[&str]) -> Result<Plan, Refusal> {
        let wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
        self.on(None, async |offboarding| offboarding.plan(&wanted, &()).await).await
    }

    /// The code of the refusal of a plan, of which nothing came.
    async fn refused(&self, wanted: &[&str]) -> &'static str {
        let refusal = self.plan(wanted).await.unwrap_err();
        assert!(
            refusal.to_string().to_lowercase().contains("nobody was removed") || matches!(refusal, Refusal::Whom(_))
        );
        refusal.code()
    }

    /// Plans and carries out, as if somebody had confirmed it.
    async fn remove(&self, wanted: &[&str]) -> Vec<Done> {
        let plan = self.plan(wanted).await.unwrap();
        self.carry_out(&plan).await
    }

    async fn carry_out(&self, plan: &Plan) -> Vec<Done> {
        self.carry_out_seen_by(&(), plan).await
    }

    async fn carry_out_seen_by(&self, ledger_writer: &dyn LedgerWriter, plan: &Plan) -> Vec<Done> {
        let confirmed = plan.confirm(&plan.confirmation).unwrap();
        self.seen_by(ledger_writer, None, async |offboarding| offboarding.carry_out(confirmed, &approval()).await).await
    }

    /// An intent whose end nobody recorded: the process died, or it is still at it.
    async fn begin(&self, plan: &Plan) {
        let begun = crate::ledger::fact::OffboardingBegun {
            plan: plan.plan_id,
            workspace: "acme".to_owned(),
            organization: plan.organization_id.clone(),
            leaver: plan.removals[0].leaver(),
            request: plan.removals[0].request.clone().unwrap(),
            confirmed: "test".to_owned(),
            by: None,
            decisions: Vec::new(),
        };
        self.store.append(&[Fact::OffboardingBegun(begun)], Utc::now()).await.unwrap();
    }

    /// A user of the generated workspace, by the place in its list: the first is the caller.
    fn user(&self, place: usize) -> String {
        self.simulator.world().read(|world| world.user_ids()[place].clone())
    }

    fn email(&self, id: &str) -> String {
        self.simulator.world().read(|world| world.user(id).unwrap()["email"].as_str().unwrap().to_owned())
    }

    /// An active, confirmed user without anything special.
    fn plain_user(&self, name: &str) -> String {
        self.simulator.world().edit(|world| world.add_user(&json!({"email": format!("{name}@example.com")})))
    }

    fn status(&self, id: &str) -> String {
        self.simulator.world().read(|world| world.user(id).unwrap()["status"].as_str().unwrap().to_owned())
    }

    fn deletions(&self) -> usize {
        self.simulator.journal().calls().iter().filter(|call| call.method == "DELETE").count()
    }

    /// What the ledger says last of a user, of a kind.
    async fn last(&self, kind: &str, user: &str) -> Option<Entry> {
        self.store.last(kind, user).await.unwrap()
    }

    async fn outcome(&self, user: &str) -> Option<String> {
        match self.last(Fact::OFFBOARDING_ENDED, user).await?.fact {
            Fact::OffboardingEnded(ended) => Some(ended.outcome),
            other => panic!("{other:?}"),
        }
    }
}

/// Somebody does something after everything was looked at once more, and before anything is done.
struct Meanwhile<'a>(tokio::sync::Mutex<Option<futures::future::BoxFuture<'a, ()>>>);

impl<'a> Meanwhile<'a> {
    fn new(happens: impl Future<Output = ()> + Send + 'a) -> Self {
        Self(tokio::sync::Mutex::new(Some(Box::pin(happens))))
    }
}

#[async_trait::async_trait]
impl LedgerWriter for Meanwhile<'_> {
    async fn write_out(&self) -> Result<(), String> {
        let happens = self.0.lock().await.take();
        if let Some(happens) = happens {
            happens.await;
        }
        Ok(())
    }
}

fn outcomes(done: &[Done]) -> Vec<Outcome> {
    done.iter().map(|done| done.outcome).collect()
}

#[tokio::test]
async fn who_may_not_be_removed_is_refused_and_nothing_is_asked_for() {
    let bench = Bench::new().await;
    let world = bench.simulator.world();
    let caller = bench.user(0);
    assert_eq!(bench.refused(&[&caller]).await, "oneself");
    assert_eq!(bench.refused(&[&bench.email(&caller).to_uppercase()]).await, "oneself");
    assert_eq!(bench.refused(&["nobody@example.com"]).await, "no_such_user");
    assert_eq!(bench.refused(&["999"]).await, "no_such_user");

    // The organization's primary contact, by the vendor's id of the person and by address.
    let primary = bench.plain_user("primary");
    let zuid = world.read(|world| world.user(&primary).unwrap()["zuid"].clone());
    world.edit(|world| world.patch_org(&json!({"primary_zuid": zuid, "primary_email": null})));
    assert_eq!(bench.refused(&[&primary]).await, "primary_contact");
    world.edit(|world| world.patch_org(&json!({"primary_zuid": null, "primary_email": "Primary@Example.com"})));
    assert_eq!(bench.refused(&["primary@example.com"]).await, "primary_contact");
    world.edit(|world| world.patch_org(&json!({"primary_zuid": null, "primary_email": null})));
    let leaver = bench.plain_user("leaver");
    assert_eq!(bench.refused(&[&leaver]).await, "primary_contact");
    let email = bench.email(&caller);
    world.edit(|world| world.patch_org(&json!({"primary_email": email})));

    let twice = [leaver.as_str(), "leaver@example.com"];
    assert_eq!(bench.refused(&twice).await, "user_named_twice");
    let same = json!({"email": "twin@example.com"});
    world.edit(|world| (world.add_user(&same), world.add_user(&same)));
    let refusal = bench.plan(&["TWIN@example.com"]).await.unwrap_err();
    assert_eq!(refusal.code(), "ambiguous_user");
    assert!(refusal.to_string().contains("choose one by id: "), "{refusal}");

    let organization =
        bench.on(Some("Another"), async |offboarding| offboarding.plan(std::slice::from_ref(&leaver), &()).await).await;
    assert_eq!(organization.unwrap_err().code(), "another_organization");
    bench.simulator.set_faults([Fault::ShortPageAlways]);
    assert_eq!(bench.refused(&[&leaver]).await, "incomplete_read");
    bench.simulator.set_faults([]);
    assert_eq!(bench.deletions(), 0);
    assert_eq!(bench.plan(&[&leaver]).await.unwrap().removals.len(), 1);
}

#[tokio::test]
async fn the_last_active_administrator_stays() {
    let bench = Bench::new().await;
    let world = bench.simulator.world();
    // The account that reads holds a profile that is no administrator's and may manage users all the same.
    let caller = bench.user(0);
    let custom = world.read(|world| {
        let id = world.user(&caller).unwrap()["profile"]["id"].clone();
        world.profiles().iter().find(|profile| profile["id"] == id).unwrap().clone()
    });
    assert_eq!(custom["name"], "Administrator");
    let administrators: Vec<String> = world.read(|world| {
        let holds = |id: &&String| world.user(id).unwrap()["profile"]["id"] == custom["id"];
        world.user_ids().iter().filter(holds).cloned().collect()
    });
    world.edit(|world| {
        for id in administrators.iter().skip(1) {
            let _ = world.disable(id);
        }
        world.set_profile(&caller, "5820190000000412004").unwrap();
    });
    let [first, second] = ["first", "second"].map(|name| bench.plain_user(name));
    world.edit(|world| world.promote(&first)).unwrap();
    assert_eq!(bench.refused(&[&first]).await, "last_administrator");
    // Somebody who never accepted the invitation cannot administer.
    world.edit(|world| (world.promote(&second), world.patch_user(&second, &json!({"confirm": false})))).0.unwrap();
    assert_eq!(bench.refused(&[&first]).await, "last_administrator");
    world.edit(|world| world.patch_user(&second, &json!({"confirm": true}))).unwrap();
    assert!(bench.plan(&[&first]).await.is_ok());
    assert_eq!(bench.refused(&[&first, &second]).await, "last_administrator");
    // Without an administrators' profile the last one cannot be told.
    let mut bench = bench;
    bench.policy.administrator_profiles = vec!["Boss".to_owned()];
    assert_eq!(bench.refused(&[&second]).await, "last_administrator");
    assert_eq!(bench.deletions(), 0);
}

#[tokio::test]
async fn a_plan_says_who_it_is_who_reports_to_them_and_the_exact_request() {
    let bench = Bench::new().await;
    let world = bench.simulator.world();
    let manager = bench.plain_user("manager");
    world.edit(|world| world.set_role(&manager, "5820190000000026008")).unwrap();
    let plan = bench.plan(&["manager@example.com"]).await.unwrap();
    let removal = &plan.removals[0];
    assert_eq!(removal.user.role_name.as_deref(), Some("Manager"));
    assert_eq!(removal.user.profile_name.as_deref(), Some("Standard"));
    let below = world.read(|world| {
        let rep = |user: &&serde_json::Value| {
            let role = user["role"]["id"].as_str().unwrap_or_default();
            ["5820190000000413001", "5820190000000413010"].contains(&role) && user["status"] == "active"
        };
        world.users().iter().filter(rep).count()
    });
    assert!(below > 0);
    assert_eq!(removal.reporting_total, below);
    let url = bench.simulator.base_url();
    assert_eq!(removal.request, Some(format!("DELETE {url}/bigin/v2/users/{manager}")));
    assert_eq!(plan.confirmation, "manager@example.com");
    assert_eq!(plan.confirm("somebody@example.com").unwrap_err().code(), "not_confirmed");
    assert!(plan.confirm(" Manager@Example.com\n").is_ok());
    assert_eq!(bench.deletions(), 0);
    assert!(bench.last(Fact::OFFBOARDING_BEGUN, &manager).await.is_none());
}

#[tokio::test]
async fn a_removal_is_recorded_before_and_after_proved_and_safe_to_repeat() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let done = bench.remove(&[&leaver]).await;
    assert_eq!(outcomes(&done), [Outcome::Removed], "{done:?}");
    assert_eq!(bench.status(&leaver), "deleted");
    let begun = bench.last(Fact::OFFBOARDING_BEGUN, &leaver).await.unwrap();
    let ended = bench.last(Fact::OFFBOARDING_ENDED, &leaver).await.unwrap();
    assert!(begun.number < ended.number);
    let Fact::OffboardingBegun(begun) = begun.fact else { panic!("{begun:?}") };
    assert_eq!(begun.leaver.email.as_deref(), Some("leaver@example.com"));
    assert!(begun.request.starts_with("DELETE "));
    assert_eq!(bench.outcome(&leaver).await.as_deref(), Some("removed"));

    let again = bench.remove(&["leaver@example.com"]).await;
    assert_eq!(outcomes(&again), [Outcome::AlreadyRemoved]);
    assert_eq!(bench.deletions(), 1);
}

#[tokio::test]
async fn of_several_the_first_surprise_stops_the_rest() {
    let bench = Bench::new().await;
    let [a, b, c] = ["a", "b", "c"].map(|name| bench.plain_user(name));
    let plan = bench.plan(&[&a, &b, &c]).await.unwrap();
    let name = plan.organization_name.clone().unwrap();
    assert!(plan.confirmation.starts_with(&format!("remove 3 users of {name} (")), "{}", plan.confirmation);
    // Other users have another code, the same ones in another order have the same.
    let others = bench.plan(&[&a, &b, &bench.plain_user("d")]).await.unwrap();
    assert_eq!(others.confirm(&plan.confirmation).unwrap_err().code(), "not_confirmed");
    assert_eq!(bench.plan(&[&c, &a, &b]).await.unwrap().confirmation, plan.confirmation);
    let without_code = format!("remove 3 users of {name}");
    assert_eq!(plan.confirm(&without_code).unwrap_err().code(), "not_confirmed");
    // Everything was looked at once more, and then somebody is promoted.
    let promote = Meanwhile::new(async { bench.simulator.world().edit(|world| world.promote(&b)).unwrap() });
    let done = bench.carry_out_seen_by(&promote, &plan).await;
    assert_eq!(outcomes(&done), [Outcome::Removed, Outcome::NotRemoved, Outcome::NotTried], "{done:?}");
    assert_eq!([&a, &b, &c].map(|id| bench.status(id)), ["deleted", "active", "active"]);
    assert_eq!(bench.deletions(), 1);
}

#[tokio::test]
async fn a_kept_plan_is_for_exactly_one_user_once_and_for_minutes() {
    let bench = Bench::new().await;
    let [leaver, other] = ["leaver", "other"].map(|name| bench.plain_user(name));
    let id = |id: &str| UserId::from(id);
    let keep = async || {
        let plan = bench.plan(&[&leaver]).await.unwrap();
        bench.on(None, async |offboarding| offboarding.keep(&plan, approval().by).await).await.unwrap();
        plan.plan_id.to_string()
    };
    let kept = async |plan: &str, user: &str| {
        bench
            .on(None, async |offboarding| {
                let planned = offboarding.kept(plan, &id(user)).await?;
                let (survey, directory) = (offboarding.remover.survey().await?, offboarding.read(&()).await?);
                offboarding.again(&planned, &survey, &directory).await
            })
            .await
    };
    let code = async |plan: &str, user: &str| kept(plan, user).await.unwrap_err().code();
    assert_eq!(code("plan\u{1b}[2J", &leaver).await, "no_such_plan");
    assert_eq!(code(&Uuid::new_v4().to_string(), &leaver).await, "no_such_plan");
    let plan = keep().await;
    assert_eq!(code(&plan, &other).await, "plan_for_another_user");
    for seconds in [600, -600] {
        bench.moved.store(seconds, Ordering::Relaxed);
        assert_eq!(code(&plan, &leaver).await, "plan_expired", "{seconds}");
    }
    bench.moved.store(0, Ordering::Relaxed);
    bench.simulator.world().edit(|world| world.promote(&leaver)).unwrap();
    assert_eq!(code(&plan, &leaver).await, "user_changed");

    let [plan, spare] = [keep().await, keep().await];
    let again = kept(&plan, &leaver).await.unwrap();
    assert_eq!(again.plan_id.to_string(), plan);
    assert_eq!(outcomes(&bench.carry_out(&again).await), [Outcome::Removed]);
    assert_eq!(code(&plan, &leaver).await, "plan_used");
    assert_eq!(code(&spare, &leaver).await, "plan_used");
    // A plan that was read in time and carried out too late is refused, too.
    let late = bench.plan(&[&other]).await.unwrap();
    bench.moved.store(600, Ordering::Relaxed);
    assert_eq!(outcomes(&bench.carry_out(&late).await), [Outcome::NotTried]);
    assert_eq!(bench.deletions(), 1);
}

#[tokio::test]
async fn credentials_that_may_not_delete_are_found_before_anything_is_asked() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let path = "/bigin/v2/settings/roles";
    let refusal = Answer::json(401, &json!({"code": "OAUTH_SCOPE_MISMATCH", "message": "m", "status": "error"}));
    bench.simulator.override_answer(path, Some(refusal));
    assert_eq!(bench.refused(&[&leaver]).await, "preflight_failed");
    bench.simulator.override_answer(path, None);
    bench.simulator.set_faults([Fault::Revoked]);
    assert_eq!(bench.refused(&[&leaver]).await, "workspace_not_read");
    assert_eq!(bench.deletions(), 0);
}

#[tokio::test]
async fn the_organization_is_looked_at_again_before_anything_is_done() {
    let bench = Bench::new().await;
    let leaver = bench.plain_user("leaver");
    let plan = bench.plan(&[&leaver]).await.unwrap();
    bench.simulator.world().edit(|world| world.patch_org(&json!({"id": "42"})));
    assert_eq!(outcomes(&bench.carry_out(&plan).await), [Outcome::NotTried]);
    assert_eq!(bench.deletions(), 0);
}
