//! `rolecall demo --serve`: the web console with a review under way, until stopped.

use std::{net::TcpListener, path::Path, sync::Arc};

use chrono::SubsecRound as _;

use super::failed;
use crate::{
    app,
    cli::{
        output::{self, Failure},
        signals,
    },
    clock::Clock,
    config::settings::Settings,
    console::{
        self,
        link::{Maker, address_of},
    },
    model::actor::Actor,
    review::{
        event::{Decided, Decision, Event, Via},
        item::ItemId,
        open::Occasion,
        person::Address,
        state::Review,
    },
    run::reviews::{self, ReviewError},
    store::{Database, sessions::LINK},
};

/// The name of the review.
const REVIEW: &str = "quarterly";
/// Who owns the review, who decides about most accounts, and who looks at it all.
const PEOPLE: [(&str, &str); 3] = [
    ("ana@example.com", "owns the review, and decides about administrators"),
    ("ben@example.com", "decides about the other accounts"),
    ("auditor@example.com", "reads everything, and changes nothing"),
];
/// Accounts that are decided already.
const DECIDED: usize = 5;
/// The usual port of the console.
const PORT: u16 = 9720;

/// The tables of the configuration: a review, and a console on a port of this machine that nobody uses.
pub(super) fn configuration(job: &str) -> std::io::Result<String> {
    let free = TcpListener::bind(("127.0.0.1", PORT)).or_else(|_| TcpListener::bind("127.0.0.1:0"))?.local_addr()?;
    let [(owner, _), (reviewer, _), (auditor, _)] = PEOPLE;
    Ok(format!(
        r#"
[reviews.{REVIEW}]
job = "{job}"
owner = "{owner}"
reviewers = [
  {{ profile = "Administrator", reviewer = "{owner}", alternate = "{reviewer}" }},
  {{ reviewer = "{reviewer}", alternate = "{owner}" }},
]

[console]
listen = "{free}"

[console.rights]
owners = ["{owner}"]
auditors = ["{auditor}"]
"#
    ))
}

/// Opens the review, and serves the console until the process is asked to end.
pub(super) async fn serve(config: &Path, settings: &Settings, store: &Arc<dyn Database>) -> Result<(), Failure> {
    let missing = || Failure::failed("the demo's configuration has no console");
    let console = settings.console.as_ref().ok_or_else(missing)?;
    let clock = Clock::system();
    under_way(settings, &**store, &clock).await?;
    let plans = app::console::plans(settings).map_err(failed("cannot open the demo's evidence"))?;
    let served = app::console::bind(console, None, plans, Arc::clone(store), clock.clone()).await;
    let served = served.map_err(failed("cannot serve the console"))?;
    let (rights, origin) = (&console.rights, &served.origin);
    let maker = Maker { store: &**store, clock: &clock, rights };
    output::line("\nThe web console, with a review under way. Each address signs in once, within 10 minutes:");
    for (address, does) in PEOPLE {
        let by = Actor::CommandLine { command: None };
        let secret = maker.secret(&Address::of(address), Via::ConsoleLink, LINK, &by).await;
        let url = address_of(origin, &secret.map_err(failed("cannot sign in"))?, None);
        output::line(&format!("\n  {address} {does}:\n  {url}"));
    }
    output::line(&format!(
        "\nFor another address: rolecall console link --config {} --as {}\nPress Ctrl+C to end.",
        config.display(),
        PEOPLE[0].0
    ));
    let stop = async {
        if let Err(error) = signals::stopped().await {
            tracing::error!(%error, "cannot wait for a signal");
        }
    };
    served.listener.serve(console::routes(served.console), stop).await;
    Ok(())
}

/// Opens the review, in which one of the reviewers has begun to decide.
async fn under_way(settings: &Settings, store: &dyn Database, clock: &Clock) -> Result<(), Failure> {
    let missing = || Failure::failed("the demo's configuration has no review");
    let terms = &settings.reviews.get(REVIEW).ok_or_else(missing)?.terms;
    let job = settings.jobs.get(&terms.job).ok_or_else(missing)?;
    let vault = app::vault(settings).map_err(failed("cannot open the demo's evidence"))?.ok_or_else(missing)?;
    let by = Actor::CommandLine { command: None };
    let occasion = Occasion { at: clock.now().trunc_subsecs(3), fire_at: None, by };
    let review = reviews::open(store, &vault, terms, &job.workspaces, occasion).await?;
    let reviewer = Address::of(PEOPLE[1].0);
    let own = review.items().filter(|(_, course)| *course.reviewer() == reviewer).map(|(item, _)| item.item);
    for item in own.take(DECIDED).collect::<Vec<_>>() {
        let keeps = |review: &Review| Ok::<_, ReviewError>(kept(review, item, &reviewer).into_iter().collect());
        reviews::change(store, review.id(), clock.now(), &keeps).await?;
    }
    Ok(())
}

fn kept(review: &Review, item: ItemId, by: &Address) -> Option<Event> {
    Some(Event::Decided(Decided {
        items: vec![review.seen(item)?],
        decision: Decision::Keep,
        reason: Some("Works in the team and needs it.".to_owned()),
        by: by.clone(),
        via: Via::CommandLine,
        sheet: None,
    }))
}
