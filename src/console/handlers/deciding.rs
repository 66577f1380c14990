//! Decisions: about one account, and about several at once.

use axum::{
    extract::{Path, Query},
    http::StatusCode,
    response::Response,
};
use uuid::Uuid;

use super::{
    Trouble,
    desk::Desk,
    html,
    reviews::{asked, lines, written},
    to,
    trouble::sentence,
};
use crate::{
    console::{
        fields::Fields,
        pages::{
            facts::{Facts, Shown, decision},
            item::{self, Entered},
            review::Asked,
            text::{label, path, with_query},
        },
    },
    model::actor::Actor,
    review::{
        event::{Decided, Decision, Event, SeenItem},
        item::{Item, ItemId},
        person::Address,
        refusal::Refused,
        state::{Course, Review},
    },
    run::reviews::ReviewError,
};

/// The account of an address, if the person may see it.
fn found(desk: &Desk, id: ItemId) -> Result<(&Item, &Course), Trouble> {
    let found = desk.review.item(id).zip(desk.review.course(id));
    let (item, course) =
        found.filter(|(item, course)| desk.part().sees(item, course)).ok_or(Trouble::Nothing("account"))?;
    Ok((item, course))
}

impl Desk {
    /// What is shown of an account.
    async fn shown(&self, item: &Item, course: &Course) -> Result<Shown, Trouble> {
        let (site, plans) = (self.console.site(), self.console.site().plans());
        let basis = self.review.opening().bases.iter().find(|basis| basis.workspace == item.workspace);
        let basis = match basis {
            Some(basis) => site.shelf.audit(basis.audit).await?,
            None => None,
        };
        let latest = site.shelf.latest_of(&plans.jobs_of(&item.workspace), &item.workspace).await?;
        let latest = match latest {
            Some(record) => site.shelf.audit(record.id).await?,
            None => None,
        };
        Ok(Facts::of(&self.review, item, course, basis.as_deref(), latest.as_deref()).shown())
    }

    async fn account(&self, id: ItemId, entered: Option<&Entered>, notice: String) -> Result<Response, Trouble> {
        let (item, course) = found(self, id)?;
        let shown = self.shown(item, course).await?;
        let status = if entered.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
        html(status, &item::page(self.part(), (item, course), shown, entered, notice))
    }

    fn account_address(&self, id: ItemId) -> String {
        path(&["reviews", &self.review.id().to_string(), "items", &id.to_string()])
    }
}

/// One account.
pub(in crate::console) async fn show(
    desk: Desk,
    Path((_, item)): Path<(Uuid, ItemId)>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let fields = Fields(fields);
    let saved = ItemId(fields.number("saved"));
    let made = desk.review.item(saved).zip(desk.review.course(saved).and_then(Course::decided));
    let notice = made.filter(|(_, made)| made.by == desk.viewer.address);
    let notice = notice.map(|(saved, made)| format!("Saved: {}, {}.", label(saved.label()), decision(&made.decision)));
    desk.account(item, None, notice.unwrap_or_default()).await
}

/// Decides about one account.
pub(in crate::console) async fn decide(
    desk: Desk,
    Path((_, number)): Path<(Uuid, ItemId)>,
    fields: Fields,
) -> Result<Response, Trouble> {
    let (item, course) = found(&desk, number)?;
    desk.decides()?;
    let value = |name| written(fields.get(name));
    let mut entered =
        Entered { decision: value("decision"), target: value("target"), reason: value("reason"), ..Entered::default() };
    let version = fields.number("version");
    let wanted = match (entered.decision.as_str(), item::target(desk.part(), item, &entered.target)) {
        ("keep", _) => Some(Decision::Keep),
        ("remove", _) => Some(Decision::Remove),
        ("change", Some(to)) => Some(Decision::Change { to }),
        _ => None,
    };
    let Some(wanted) = wanted else {
        entered.problems = vec![match entered.decision.as_str() {
            "change" => "Choose the role or profile that the account is to get.".to_owned(),
            _ => "Choose whether the account stays, changes or goes.".to_owned(),
        }];
        return desk.account(number, Some(&entered), String::new()).await;
    };
    if is_made(course, &desk.viewer.address, version, &wanted, &entered.reason) {
        return Ok(to(&after(&desk, &desk.review, number, &fields)));
    }
    if version != course.version() {
        entered.problems =
            vec!["The account was decided or assigned while you looked at it. Look at it again:".to_owned()];
        entered.problems.extend(item::since(course, version));
        return desk.account(number, Some(&entered), String::new()).await;
    }
    let shown = desk.shown(item, course).await?;
    if shown.sha256 != fields.get("page") {
        entered.problems = vec![
            "What is known about the account has changed while you looked at it. Look at it again, then save."
                .to_owned(),
        ];
        return desk.account(number, Some(&entered), String::new()).await;
    }
    let bag = desk.review.bag_of(&item.workspace).unwrap_or_default().to_owned();
    let decided = Decided {
        items: vec![SeenItem { item: number, version, bag, page: Some(shown.sha256) }],
        decision: wanted,
        reason: Some(entered.reason.clone()).filter(|reason| !reason.is_empty()),
        by: desk.viewer.address.clone(),
        via: desk.viewer.via,
        sheet: None,
    };
    match desk.change(&|_| Ok(vec![Event::Decided(decided.clone())])).await? {
        Ok(review) => Ok(to(&after(&desk, &review, number, &fields))),
        Err(error) => {
            entered.problems = reasons(&error);
            // Somebody else may have been faster: what is shown has to be what is there now.
            let desk = desk.read_again().await?;
            desk.account(number, Some(&entered), String::new()).await
        }
    }
}

/// Whether exactly this was decided by the same person from the same page: a second click.
fn is_made(course: &Course, by: &Address, version: u32, wanted: &Decision, reason: &str) -> bool {
    let made = course.decided().filter(|_| course.version() == version.saturating_add(1));
    made.is_some_and(|made| {
        made.by == *by && made.decision == *wanted && made.reason.as_deref().unwrap_or_default() == reason
    })
}

/// Where to go after a decision: to the next account that waits, or back.
fn after(desk: &Desk, review: &Review, number: ItemId, fields: &Fields) -> String {
    let saved = number.to_string();
    if fields.get("then") == "stay" {
        return with_query(&desk.account_address(number), &[("saved", &saved)]);
    }
    let part = crate::console::part::Part { review, viewer: &desk.viewer };
    match part.next(Some(number)) {
        Some(next) => with_query(&desk.account_address(next), &[("saved", &saved)]),
        None => with_query(&desk.address(), &[("done", "all")]),
    }
}

/// Why something is refused, without the number of the account that the page is about.
fn reasons(error: &ReviewError) -> Vec<String> {
    match error {
        ReviewError::Refused(Refused(refusals)) => {
            refusals.iter().map(|refusal| sentence(&refusal.why.to_string())).collect()
        }
        other => lines(other),
    }
}

/// Gives an account to another reviewer.
pub(in crate::console) async fn assign(
    desk: Desk,
    Path((_, number)): Path<(Uuid, ItemId)>,
    fields: Fields,
) -> Result<Response, Trouble> {
    let (_, course) = found(&desk, number)?;
    desk.manages()?;
    let (to_whom, why) = (fields.get("to"), written(fields.get("reason")));
    let mut entered = Entered { to: to_whom.to_owned(), why: why.clone(), ..Entered::default() };
    if !is_address(to_whom) {
        entered.problems = vec!["Write the address of the reviewer, for example ben@example.com.".to_owned()];
        return desk.account(number, Some(&entered), String::new()).await;
    }
    let (reviewer, by) = (Address::of(to_whom), Actor::Person { address: desk.viewer.address.to_string() });
    let is_done = course
        .assignments()
        .last()
        .is_some_and(|last| *course.reviewer() == reviewer && last.reason == why && last.by == by);
    if is_done {
        return Ok(to(&desk.account_address(number)));
    }
    let assigned = Event::Assigned { item: number, to: reviewer, reason: why, by };
    match desk.change(&|_| Ok(vec![assigned.clone()])).await? {
        Ok(_) => Ok(to(&desk.account_address(number))),
        Err(error) => {
            entered.problems = reasons(&error);
            desk.account(number, Some(&entered), String::new()).await
        }
    }
}

fn is_address(text: &str) -> bool {
    let is_plain = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    is_plain && text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

/// Keeps several accounts at once.
pub(in crate::console) async fn keep(desk: Desk, fields: Fields) -> Result<Response, Trouble> {
    desk.decides()?;
    let seen = |text: &str| {
        let (item, version) = text.split_once('.')?;
        let (item, version) = (ItemId(item.parse().ok()?), version.parse().ok()?);
        let bag = desk.review.bag_of(&desk.review.item(item)?.workspace)?.to_owned();
        Some(SeenItem { item, version, bag, page: None })
    };
    let items: Vec<SeenItem> = fields.all("keep").filter_map(seen).collect();
    let chosen: Vec<ItemId> = items.iter().map(|seen| seen.item).collect();
    let refused = |asked: Asked| desk.refused_table(&Asked { chosen: chosen.clone(), ..asked });
    if items.is_empty() {
        return refused(Asked { problems: vec!["Choose at least one account.".to_owned()], ..asked(&fields) });
    }
    let (reason, kept) = (written(fields.get("reason")), items.len().to_string());
    let done = desk.table_address(&fields, ("kept", &kept));
    let is_done = items.iter().all(|seen| {
        let course = desk.review.course(seen.item);
        course.is_some_and(|course| is_made(course, &desk.viewer.address, seen.version, &Decision::Keep, &reason))
    });
    if is_done {
        return Ok(to(&done));
    }
    let decided = Decided {
        items,
        decision: Decision::Keep,
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        by: desk.viewer.address.clone(),
        via: desk.viewer.via,
        sheet: None,
    };
    match desk.change(&|_| Ok(vec![Event::Decided(decided.clone())])).await? {
        Ok(_) => Ok(to(&done)),
        Err(ReviewError::Refused(Refused(refusals))) => {
            let desk = desk.read_again().await?;
            let mut asked = Asked { chosen: chosen.clone(), ..asked(&fields) };
            for refusal in refusals {
                match refusal.item {
                    Some(item) => drop(asked.refusals.insert(item, sentence(&refusal.why.to_string()))),
                    None => asked.problems.push(sentence(&refusal.why.to_string())),
                }
            }
            if !asked.refusals.is_empty() {
                asked
                    .problems
                    .push("Some of the chosen accounts cannot be kept together; the rows say why.".to_owned());
            }
            desk.refused_table(&asked)
        }
        Err(error) => refused(Asked { problems: lines(&error), ..asked(&fields) }),
    }
}
