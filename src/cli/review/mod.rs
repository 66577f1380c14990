//! `rolecall review`: people decide about every account of an audit.

mod decide;
mod rows;
mod spreadsheet;
mod work;

use std::path::Path;

use chrono::{NaiveDate, SubsecRound as _, Utc};
use uuid::Uuid;

use self::rows::{Row, ShownReview};
use super::{
    args::{ReviewArgs, ReviewCommand, ReviewFormat},
    check,
    output::{self, Failure, plain},
};
use crate::{
    app,
    clock::Clock,
    config::settings::{Review as Configured, Settings},
    model::actor::Actor,
    review::{
        event::{Attested, Closed, Event, Via},
        open::Occasion,
        person::Address,
        state::{Review, Stage},
    },
    run::{
        ledger::{record_signing_key, write_out},
        reviews::{self, ReviewError},
        vault::Vault,
    },
    store::Database,
    words::{count, counted},
};

/// Characters of a text in the output.
const TEXT: usize = 200;

/// What every command needs.
struct Desk {
    settings: Settings,
    store: std::sync::Arc<dyn Database>,
    vault: Option<Vault>,
    clock: Clock,
}

pub(super) async fn run(named: Option<&Path>, args: ReviewArgs) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let vault = app::vault(&settings).map_err(|error| Failure::usage(error.to_string()))?;
    let clock = Clock::system();
    let store = match args.command {
        ReviewCommand::List { .. } | ReviewCommand::Show { .. } => check::store_to_read(&settings).await?,
        _ => app::store_to_write(&settings, vault.as_ref(), &clock).await.map_err(failed)?,
    };
    let desk = Desk { settings, store, vault, clock };
    match args.command {
        ReviewCommand::List { limit } => desk.list(limit, args.format).await,
        ReviewCommand::Show { id } => desk.show(id, args.format).await,
        ReviewCommand::Open { name } => desk.open(&name, args.format).await,
        ReviewCommand::Decide(args) => decide::run(&desk, &args).await,
        ReviewCommand::Work { id, out } => work::run(&desk, id, out.as_deref(), args.format).await,
        ReviewCommand::Export(args) => spreadsheet::export(&desk, &args).await,
        ReviewCommand::Import(args) => spreadsheet::import(&desk, &args).await,
        ReviewCommand::Assign { id, item, address, reason } => {
            let event = Event::Assigned { item, to: Address::of(&address), reason, by: here() };
            desk.change(id, &|_| Ok(vec![event.clone()])).await?;
            output::line(&format!("item {item} is now decided by {}", Address::of(&address)));
            Ok(())
        }
        ReviewCommand::Remind { id } => desk.remind(id).await,
        ReviewCommand::Attest { id, by } => desk.attest(id, &Address::of(&by)).await,
        ReviewCommand::Close { id, by, next } => desk.close(id, by.as_deref(), next).await,
        ReviewCommand::Cancel { id, reason } => {
            let event = Event::Cancelled { by: here(), reason };
            desk.change(id, &|_| Ok(vec![event.clone()])).await?;
            output::line(&format!("{id} is cancelled"));
            Ok(())
        }
    }
}

/// Whoever has a shell here.
fn here() -> Actor {
    Actor::CommandLine { command: None }
}

impl From<ReviewError> for Failure {
    fn from(error: ReviewError) -> Self {
        let text = error.to_string();
        let lines: Vec<String> = text.lines().map(|line| plain(line, 2_000)).collect();
        match error {
            ReviewError::Unknown(_) => Self::usage(lines.join("\n")),
            _ => Self::failed(lines.join("\n")),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(error.to_string())
}

impl Desk {
    async fn list(&self, limit: u32, format: ReviewFormat) -> Result<(), Failure> {
        let rows: Vec<Row> = self.store.reviews(limit).await.map_err(failed)?.into_iter().map(Row::from).collect();
        if format == ReviewFormat::Json {
            return print(&rows);
        }
        if rows.is_empty() {
            output::line("No reviews yet.");
        }
        for row in &rows {
            output::line(&row.line());
        }
        Ok(())
    }

    async fn read(&self, id: Uuid) -> Result<Review, Failure> {
        let review = self.store.review(id).await.map_err(failed)?;
        review.ok_or_else(|| ReviewError::Unknown(id).into())
    }

    async fn show(&self, id: Uuid, format: ReviewFormat) -> Result<(), Failure> {
        let review = self.read(id).await?;
        let messages = self.store.review_messages(id).await.map_err(failed)?;
        let shown = ShownReview::of(&review, &messages, self.clock.now());
        if format == ReviewFormat::Json {
            return print(&shown);
        }
        for line in shown.lines() {
            output::line(&line);
        }
        Ok(())
    }

    async fn remind(&self, id: Uuid) -> Result<(), Failure> {
        let no_server = || Failure::usage("no mail server is configured; add [smtp] to the configuration");
        let sender = app::sender(&self.settings).ok_or_else(no_server)?;
        let (late, reminded) = reviews::messages::remind(&*self.store, id, &sender, self.clock.now()).await?;
        let already = u64::try_from(late).unwrap_or(u64::MAX).saturating_sub(reminded);
        let mut text = match (late, reminded) {
            (0, _) => "every account is decided; nobody is reminded".to_owned(),
            (_, 0) => String::new(),
            _ => format!("the daemon now sends a reminder to {}", count(reminded, "reviewer")),
        };
        if already > 0 {
            let and = if text.is_empty() { "" } else { "; " };
            text = format!("{text}{and}{} already reminded today", counted(already, "reviewer was", "reviewers were"));
        }
        output::line(&text);
        Ok(())
    }

    fn configured(&self, name: &str) -> Option<&Configured> {
        self.settings.reviews.get(name)
    }

    async fn open(&self, name: &str, format: ReviewFormat) -> Result<(), Failure> {
        let unknown = || {
            let names: Vec<&str> = self.settings.reviews.keys().map(String::as_str).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Failure::usage(format!("no review is named `{name}`; configured: {known}"))
        };
        let Configured { terms, .. } = self.configured(name).ok_or_else(unknown)?;
        // The configuration was checked: the job exists, and evidence is kept.
        let job = self.settings.jobs.get(&terms.job).ok_or_else(unknown)?;
        let vault = self.vault.as_ref().ok_or_else(unknown)?;
        let occasion = Occasion { at: self.clock.now(), fire_at: None, by: here() };
        let review = reviews::open(&*self.store, vault, terms, &job.workspaces, occasion).await?;
        self.write_out().await?;
        let row = Row::from(review.summary());
        if format == ReviewFormat::Json {
            return print(&row);
        }
        output::line(&row.line());
        for reviewer in review.reviewers() {
            let own = review.items().filter(|(_, course)| course.reviewer() == reviewer).count();
            output::line(&format!("  {reviewer} decides about {}", count(own, "account")));
        }
        Ok(())
    }

    /// Changes a review, and copies the ledger's new entries beside the evidence.
    async fn change(
        &self,
        id: Uuid,
        events: &(dyn Fn(&Review) -> Result<Vec<Event>, Failure> + Send + Sync),
    ) -> Result<Review, Failure> {
        let review = reviews::change(&*self.store, id, self.clock.now(), events).await?;
        self.write_out().await?;
        Ok(review)
    }

    /// The same for a review that was read already.
    async fn change_read(
        &self,
        read: Review,
        events: &(dyn Fn(&Review) -> Result<Vec<Event>, Failure> + Send + Sync),
    ) -> Result<Review, Failure> {
        let review = reviews::change_read(&*self.store, read, self.clock.now(), events).await?;
        self.write_out().await?;
        Ok(review)
    }

    async fn write_out(&self) -> Result<(), Failure> {
        let Some(vault) = &self.vault else { return Ok(()) };
        record_signing_key(&*self.store, vault, self.clock.now()).await.map_err(failed)?;
        write_out(&*self.store, vault, self.clock.now()).await.map(|_| ()).map_err(failed)
    }

    async fn attest(&self, id: Uuid, by: &Address) -> Result<(), Failure> {
        let of = [by.clone()];
        self.change(id, &|review| Ok(vec![attestation(review, by, &of, "I made these decisions.")])).await?;
        output::line(&format!("attested by {by}"));
        Ok(())
    }

    async fn close(&self, id: Uuid, by: Option<&str>, next: Option<NaiveDate>) -> Result<(), Failure> {
        let mut review = self.read(id).await?;
        let is_closed = matches!(review.stage(), Stage::Closed { .. });
        // A closed review may have no bag yet, if a process died.
        if !is_closed || self.sealed(&review).await? {
            let owner = review.opening().owner.clone();
            let by = by.map_or(owner, Address::of);
            let next_review = self.next_review(&review, next)?;
            review = self.change_read(review, &|review| Ok(closing(review, &by, next_review))).await?;
        }
        if let Some(vault) = &self.vault {
            let bag = reviews::bag::seal(&*self.store, vault, &review, self.clock.now()).await.map_err(failed)?;
            if let Some(bag) = bag {
                output::line(&format!("  evidence  {}", vault.storage.place(&bag.folder)));
            }
        }
        let Stage::Closed { closed, .. } = review.stage() else { return Ok(()) };
        let work = review.items().filter(|(_, course)| course.work().is_some()).count();
        let result = match work {
            0 => "no change needed".to_owned(),
            work => format!("{} to change or remove; a later audit proves each", count(work, "account")),
        };
        output::line(&format!("  closed    {} on {}: {result}", review.opening().name, day(&review)));
        output::line(&format!("  next      {}", closed.next_review));
        Ok(())
    }

    /// Whether a closed review has its bag.
    async fn sealed(&self, review: &Review) -> Result<bool, Failure> {
        let last = self.store.last(crate::ledger::Fact::REVIEW_SEALED, &review.id().to_string()).await;
        Ok(last.map_err(failed)?.is_some() || self.vault.is_none())
    }

    fn next_review(&self, review: &Review, next: Option<NaiveDate>) -> Result<NaiveDate, Failure> {
        let schedule = self.configured(&review.opening().name).and_then(|configured| configured.schedule.as_ref());
        let scheduled = || {
            let zone = schedule?.zone();
            schedule?.next(self.clock.now(), 1).first().map(|time| time.with_timezone(&zone).date_naive())
        };
        next.or_else(scheduled).ok_or_else(|| {
            Failure::usage("the review has no schedule; name the day of the next review with --next, for example --next 2027-01-31")
        })
    }
}

fn day(review: &Review) -> NaiveDate {
    match review.stage() {
        Stage::Closed { at, .. } => at.trunc_subsecs(0).with_timezone(&Utc).date_naive(),
        Stage::Open | Stage::Cancelled { .. } => review.opened_at().date_naive(),
    }
}

fn attestation(review: &Review, by: &Address, of: &[Address], statement: &str) -> Event {
    Event::Attested(Attested {
        by: by.clone(),
        of: of.to_vec(),
        via: Via::CommandLine,
        statement: statement.to_owned(),
        decisions_sha256: review.decisions_sha256(of),
    })
}

/// What closes a review at the command line: the owner attests for every reviewer who has not.
fn closing(review: &Review, by: &Address, next_review: NaiveDate) -> Vec<Event> {
    let of = review.unattested();
    let statement =
        "At the command line the owner confirms that every decision of these reviewers was made as recorded.";
    let is_decided = review.undecided() == 0 && review.opening().owner == *by;
    let attested = (is_decided && !of.is_empty()).then(|| attestation(review, by, &of, statement));
    let closed = Event::Closed(Closed {
        by: by.clone(),
        via: Via::CommandLine,
        next_review,
        no_change_needed: review.needs_no_change(),
    });
    attested.into_iter().chain([closed]).collect()
}

fn print(value: &impl serde::Serialize) -> Result<(), Failure> {
    output::json(value)
}
