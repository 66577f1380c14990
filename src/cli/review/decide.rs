//! `rolecall review decide`.

use super::Desk;
use crate::{
    cli::{
        args::{DecideArgs, DecisionWord},
        output::{self, Failure},
    },
    review::{
        event::{Decided, Decision, Event, SeenItem, Target, Via},
        item::ItemId,
        person::Address,
        refusal::{Refusal, Refused, Why},
        sheet,
        state::Review,
    },
    run::reviews::ReviewError,
};

pub(super) async fn run(desk: &Desk, args: &DecideArgs) -> Result<(), Failure> {
    if (args.decision == DecisionWord::Change) != args.to.is_some() {
        return Err(Failure::usage("`change` needs --to with the id of a role or profile, and only `change` takes it"));
    }
    if args.seen.is_some() && args.item.len() > 1 {
        return Err(Failure::usage("--seen is for one item"));
    }
    // What was there when the command began is what was seen.
    let seen = desk.read(args.id).await?;
    let by = Address::of(&args.by);
    let decided = decided(&seen, args, &by)?;
    let review = desk.change_read(seen, &|_| Ok(vec![Event::Decided(decided.clone())])).await?;
    for item in &args.item {
        let label = review.item(*item).map_or("", crate::review::item::Item::label);
        let to = match &decided.decision {
            Decision::Change { to } => format!(" to {to}"),
            Decision::Keep | Decision::Remove => String::new(),
        };
        let text = format!("item {item}  {label}  {}{to}, decided by {by}", decided.decision.word());
        output::line(&output::plain(&text, super::TEXT));
    }
    Ok(())
}

fn decided(review: &Review, args: &DecideArgs, by: &Address) -> Result<Decided, Failure> {
    let item = |id: &ItemId| {
        let now =
            review.seen(*id).unwrap_or_else(|| SeenItem { item: *id, version: 0, bag: String::new(), page: None });
        SeenItem { version: args.seen.unwrap_or(now.version), ..now }
    };
    let decision = match (args.decision, &args.to) {
        (DecisionWord::Keep, _) => Decision::Keep,
        (DecisionWord::Remove, _) => Decision::Remove,
        (DecisionWord::Change, to) => {
            Decision::Change { to: target(review, args.item.first(), to.as_deref().unwrap_or_default())? }
        }
    };
    Ok(Decided {
        items: args.item.iter().map(item).collect(),
        decision,
        reason: args.reason.clone(),
        by: by.clone(),
        via: Via::CommandLine,
        sheet: None,
    })
}

/// The role or profile of the item's workspace that a text means: an id, or a name that only one has.
fn target(review: &Review, item: Option<&ItemId>, text: &str) -> Result<Target, Failure> {
    let refused = |why| Failure::from(ReviewError::Refused(Refused(vec![Refusal { item: item.copied(), why }])));
    let item = item.and_then(|id| review.item(*id)).ok_or_else(|| refused(Why::NoItem))?;
    sheet::target(review, item, text).map_err(refused)
}
