//! One account of a review, and the form that decides about it.

use askama::Template;

use super::{
    Area, Choice, Frame,
    facts::{Shown, decision},
    text::{label, moment, path, prose},
};
use crate::{
    console::part::Part,
    review::{
        event::{Decision, Target},
        item::{Item, ItemId, Masters, Named},
        state::Course,
    },
};

/// Entries of the history that are shown, the latest.
const HISTORY: usize = 30;

#[derive(Template)]
#[template(path = "console/item.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    heading: String,
    review: String,
    review_address: String,
    /// More about the account; empty if the person may not read the workspace.
    person_address: String,
    place: String,
    before: String,
    after: String,
    facts: String,
    form: Option<Form>,
    objection: String,
    reviewer: String,
    history: Vec<Line>,
    assign: Option<Assign>,
    problems: Vec<String>,
}

/// The form that decides.
struct Form {
    action: String,
    version: u32,
    page: String,
    decision: String,
    reason: String,
    reason_is_required: &'static str,
    roles: Vec<Choice>,
    profiles: Vec<Choice>,
    is_decided: bool,
}

impl Form {
    fn is(&self, decision: &str) -> bool {
        self.decision == decision
    }
}

/// The form that names another reviewer.
struct Assign {
    action: String,
    known: Vec<String>,
    to: String,
    reason: String,
}

/// An entry of the history.
struct Line {
    at: String,
    said: String,
    reason: String,
}

/// What a person has filled in, to be shown again if it is refused.
#[derive(Debug, Clone, Default)]
pub(in crate::console) struct Entered {
    pub(in crate::console) decision: String,
    pub(in crate::console) target: String,
    pub(in crate::console) reason: String,
    pub(in crate::console) to: String,
    pub(in crate::console) why: String,
    /// Why it is refused, in sentences.
    pub(in crate::console) problems: Vec<String>,
}

/// The page of an account.
pub(in crate::console) fn page(
    part: Part<'_>,
    (item, course): (&Item, &Course),
    shown: Shown,
    entered: Option<&Entered>,
    notice: String,
) -> Page {
    let Part { review, viewer } = part;
    let id = review.id().to_string();
    let heading = label(item.label());
    let objection = part.objection(item, course);
    let own = |id: ItemId| path(&["reviews", &review.id().to_string(), "items", &id.to_string()]);
    let (place, before, after) = place(part, item, own);
    let problems = entered.into_iter().flat_map(|entered| &entered.problems).map(|problem| prose(problem)).collect();
    let form = objection.is_none().then(|| form(part, (item, course), &shown, entered));
    let assign = part.may_assign().then(|| assign(part, item, entered));
    Page {
        frame: Frame::of(viewer, Area::Reviews, format!("{heading}, {}", label(&review.opening().name))).noting(notice),
        heading,
        review: label(&review.opening().name),
        review_address: path(&["reviews", &id]),
        person_address: if viewer.may_read() {
            path(&["workspaces", &item.workspace, "users", &item.user_id])
        } else {
            String::new()
        },
        place,
        before,
        after,
        facts: shown.html,
        form,
        objection: objection.unwrap_or_default(),
        reviewer: label(course.reviewer().as_str()),
        history: history(course, 0),
        assign,
        problems,
    }
}

/// Where an account stands among those of the person, or among all; and the addresses before and after it.
fn place(part: Part<'_>, item: &Item, address: impl Fn(ItemId) -> String) -> (String, String, String) {
    let own: Vec<ItemId> =
        part.review.by_risk().filter(|(_, course)| part.is_mine(course)).map(|(item, _)| item.item).collect();
    let (list, whose) = if own.contains(&item.item) {
        (own, " of yours")
    } else {
        let seen = part.review.by_risk().filter(|(item, course)| part.sees(item, course));
        (seen.map(|(item, _)| item.item).collect::<Vec<_>>(), "")
    };
    let at = list.iter().position(|id| *id == item.item).unwrap_or(0);
    let neighbour = |at: Option<usize>| at.and_then(|at| list.get(at)).map(|id| address(*id)).unwrap_or_default();
    let place = format!("Account {} of {}{whose}", at + 1, list.len());
    (place, neighbour(at.checked_sub(1)), neighbour(Some(at + 1)))
}

fn form(part: Part<'_>, (item, course): (&Item, &Course), shown: &Shown, entered: Option<&Entered>) -> Form {
    let made = course.decided();
    let stands = made.map(|made| {
        let target = match &made.decision {
            Decision::Change { to } => to.id().to_owned(),
            Decision::Keep | Decision::Remove => String::new(),
        };
        Entered {
            decision: made.decision.word().to_owned(),
            target: kinded(&made.decision).unwrap_or(target),
            reason: made.reason.clone().unwrap_or_default(),
            ..Entered::default()
        }
    });
    let is_entered = entered.filter(|entered| !entered.decision.is_empty() || !entered.reason.is_empty());
    let Entered { decision, target, reason, .. } = is_entered.cloned().or(stands).unwrap_or_default();
    let nothing = Masters::default();
    let masters = part.review.population().masters.get(&item.workspace).unwrap_or(&nothing);
    let others = |kind: &str, all: &[Named], held: Option<&Named>| {
        let others = all.iter().filter(|one| held.is_none_or(|held| held.id != one.id));
        let mut names: Vec<&Named> = others.collect();
        names.sort_by_key(|one| one.to_string().to_lowercase());
        let choice = |one: &&Named| Choice::new(&format!("{kind}:{}", one.id), label(&one.to_string()), &target);
        names.iter().map(choice).collect::<Vec<_>>()
    };
    Form {
        action: path(&["reviews", &part.review.id().to_string(), "items", &item.item.to_string()]),
        version: course.version(),
        page: shown.sha256.clone(),
        decision,
        reason,
        reason_is_required: item.special().unwrap_or_default(),
        roles: others("role", &masters.roles, item.role.as_ref()),
        profiles: others("profile", &masters.profiles, item.profile.as_ref()),
        is_decided: made.is_some(),
    }
}

/// The target of a decision as the form writes it.
fn kinded(decision: &Decision) -> Option<String> {
    match decision {
        Decision::Change { to: Target::Role(named) } => Some(format!("role:{}", named.id)),
        Decision::Change { to: Target::Profile(named) } => Some(format!("profile:{}", named.id)),
        Decision::Keep | Decision::Remove => None,
    }
}

/// The role or profile that the form means.
pub(in crate::console) fn target(part: Part<'_>, item: &Item, written: &str) -> Option<Target> {
    let masters = part.review.population().masters.get(&item.workspace)?;
    let (kind, id) = written.split_once(':')?;
    let find = |all: &[Named]| all.iter().find(|named| named.id == id).cloned();
    match kind {
        "role" => find(&masters.roles).map(Target::Role),
        "profile" => find(&masters.profiles).map(Target::Profile),
        _ => None,
    }
}

fn assign(part: Part<'_>, item: &Item, entered: Option<&Entered>) -> Assign {
    let reviewers = part.review.reviewers();
    let known = reviewers
        .iter()
        .filter(|reviewer| !part.review.is_own(item, reviewer))
        .map(|reviewer| label(reviewer.as_str()));
    let entered = entered.cloned().unwrap_or_default();
    Assign {
        action: path(&["reviews", &part.review.id().to_string(), "items", &item.item.to_string(), "assign"]),
        known: known.collect(),
        to: entered.to,
        reason: entered.why,
    }
}

/// What happened to an account after so many decisions and assignments, the latest first.
fn history(course: &Course, after: usize) -> Vec<Line> {
    let decided = course.decisions().iter().map(|made| {
        let together =
            if made.together > 1 { format!(", together with {} others", made.together - 1) } else { String::new() };
        (
            made.at,
            Line {
                at: moment(made.at),
                said: format!(
                    "{} decided: {} ({}{together})",
                    label(made.by.as_str()),
                    decision(&made.decision),
                    made.via.word()
                ),
                reason: made.reason.as_deref().map(prose).unwrap_or_default(),
            },
        )
    });
    let assigned = course.assignments().iter().map(|one| {
        (
            one.at,
            Line {
                at: moment(one.at),
                said: format!("Assigned to {} by {}", label(one.to.as_str()), label(&one.by.to_string())),
                reason: prose(&one.reason),
            },
        )
    });
    let mut all: Vec<_> = decided.chain(assigned).collect();
    // Stable: what happened at one time stays in its order.
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().skip(after).map(|(_, line)| line).rev().take(HISTORY).collect()
}

/// What happened to an account since a version of it was seen, in sentences, the latest first.
pub(in crate::console) fn since(course: &Course, seen: u32) -> Vec<String> {
    let lines = history(course, (seen as usize).saturating_sub(1));
    let line = |line: Line| {
        if line.reason.is_empty() {
            format!("{}: {}.", line.at, line.said)
        } else {
            format!("{}: {}. Reason: {}", line.at, line.said, line.reason)
        }
    };
    lines.into_iter().map(line).collect()
}
