//! A review as a table: who decides, what is decided, and what is missing before it can be closed.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};

use super::{
    Area, Choice, Frame, Pager,
    facts::decision,
    progress::Progress,
    text::{day, label, moment, path, prose, with_query},
};
use crate::{
    console::{part::Part, path::again},
    review::{
        carrying_out::CarriedOut,
        item::{Item, ItemId},
        messages::late,
        person::Address,
        refusal::LARGEST_BATCH,
        state::{Course, Stage, State},
    },
    words::{count, counted, number},
};

/// The mark of an account that was not in the review before.
const NEW: &str = "new";
/// Accounts on one page.
const PAGE: usize = 50;

/// Which accounts, and what else the address says.
#[derive(Debug, Clone, Default)]
pub(in crate::console) struct Asked {
    /// `mine` or `all`. Empty for the default.
    pub(in crate::console) whose: String,
    /// `undecided`, `decided`, `special` or `work`. Empty for all.
    pub(in crate::console) show: String,
    /// A part of the name or address.
    pub(in crate::console) text: String,
    /// The page, from 1.
    pub(in crate::console) page: usize,
    /// The accounts that were chosen, if the choice was refused.
    pub(in crate::console) chosen: Vec<ItemId>,
    /// Why something was refused, about an account.
    pub(in crate::console) refusals: BTreeMap<ItemId, String>,
    /// Why something was refused, about the review.
    pub(in crate::console) problems: Vec<String>,
    /// What was just done. Empty if nothing was.
    pub(in crate::console) notice: String,
    /// The reason for cancelling the review, if that was refused.
    pub(in crate::console) reason: String,
}

#[derive(Template)]
#[template(path = "console/review.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    name: String,
    address: String,
    state: &'static str,
    said: String,
    facts: Vec<(&'static str, String)>,
    progress: Progress,
    mine: Option<Mine>,
    reviewers: Vec<Reviewer>,
    closing: Option<Closing>,
    managing: Option<Managing>,
    /// Whose and which accounts can be asked for.
    whose: Vec<Choice>,
    show: Vec<Choice>,
    text: String,
    /// The same as the form that keeps several accounts sends it.
    asked: [(&'static str, String); 3],
    found: String,
    rows: Vec<Row>,
    any_together: bool,
    pager: Pager,
    problems: Vec<String>,
}

/// What the person has to do.
struct Mine {
    progress: Progress,
    next: String,
    attest: String,
    is_attested: bool,
    statement: &'static str,
    /// Where the person proves again who it is, if that is needed first. Empty if not.
    again: String,
}

/// A reviewer, and how far they are.
struct Reviewer {
    address: String,
    progress: Progress,
    state: &'static str,
}

/// The end of a review.
struct Closing {
    action: String,
    /// What is missing before it can be closed. Empty if nothing is.
    missing: String,
    /// The reviewers for whom the owner has to confirm.
    unattested: String,
    next: String,
    earliest: String,
    result: String,
    /// Where the person proves again who it is, if that is needed first. Empty if not.
    again: String,
}

/// What else the owner can do while the review is under way.
struct Managing {
    /// Where reviewers are reminded; empty if no mail is sent or nobody is late.
    remind: String,
    late: String,
    cancel: String,
    /// Where the person proves again who it is, if that is needed first. Empty if not.
    again: String,
    reason: String,
}

/// What the configuration adds to a review.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::console) struct Offered {
    /// The day of the next review.
    pub(in crate::console) next: Option<NaiveDate>,
    /// Whether people can be reminded by mail.
    pub(in crate::console) by_mail: bool,
}

/// An account.
struct Row {
    number: String,
    address: String,
    account: String,
    email: String,
    workspace: String,
    access: String,
    marks: Vec<&'static str>,
    /// The value of its box, `item.version`; empty if it has none.
    together: String,
    is_chosen: bool,
    decided: String,
    by: String,
    carried: String,
    is_late: bool,
    reviewer: String,
    is_mine: bool,
    refusal: String,
}

/// What a reviewer confirms.
pub(in crate::console) const STATEMENT: &str = "I looked at each of these accounts and made these decisions.";
/// What the owner confirms for others.
pub(in crate::console) const FOR_OTHERS: &str =
    "The owner confirms that every decision of these reviewers was made as recorded.";

/// The page.
pub(in crate::console) fn page(part: Part<'_>, asked: &Asked, offered: Offered, now: DateTime<Utc>) -> Page {
    let Part { review, viewer } = part;
    let (opening, summary) = (review.opening(), review.summary());
    let address = path(&["reviews", &review.id().to_string()]);
    // It reads every decision; once is enough.
    let unattested = review.unattested();
    let has_own = review.items().any(|(_, course)| part.is_mine(course));
    let whose = match asked.whose.as_str() {
        "all" if part.sees_all() => "all",
        "mine" => "mine",
        _ if has_own && !part.is_owner() || !part.sees_all() => "mine",
        _ => "all",
    };
    let found = find(part, asked, whose, now);
    let pages = found.len().div_ceil(PAGE).max(1);
    let at = asked.page.clamp(1, pages);
    let shown = found.iter().skip((at - 1) * PAGE).take(PAGE);
    // In the first review every account is new, and saying so of each says nothing.
    let is_first = review.items().all(|(item, _)| item.changed && item.last.is_none());
    let mut rows: Vec<Row> = shown.map(|(item, course)| row(part, item, course, asked, now)).collect();
    if is_first {
        for row in &mut rows {
            row.marks.retain(|mark| *mark != NEW);
        }
    }
    let query = |page: usize| {
        let page = if page > 1 { page.to_string() } else { String::new() };
        let values = [("whose", whose), ("show", &*asked.show), ("q", &*asked.text), ("page", &*page)];
        with_query(&address, &values)
    };
    let decided = (summary.items - summary.undecided.min(summary.items)) as usize;
    Page {
        frame: Frame::of(viewer, Area::Reviews, label(&opening.name)).noting(asked.notice.clone()),
        name: label(&opening.name),
        state: summary.state.word(),
        said: said(part, now),
        facts: facts(part),
        progress: Progress::of(decided, summary.items as usize),
        mine: has_own.then(|| mine(part, &unattested)),
        reviewers: if part.sees_all() { reviewers(part, &unattested) } else { Vec::new() },
        closing: (part.is_owner() && part.is_open()).then(|| closing(part, &unattested, offered.next, now)),
        managing: part.may_assign().then(|| managing(part, asked, offered)),
        whose: [("mine", "yours"), ("all", "everybody’s")]
            .map(|(value, label)| Choice::new(value, label, whose))
            .into(),
        show: SHOWS.map(|(value, label)| Choice::new(value, label, &asked.show)).into(),
        text: asked.text.clone(),
        asked: [("whose", asked.whose.clone()), ("show", asked.show.clone()), ("q", asked.text.clone())],
        found: count(found.len(), "account"),
        any_together: rows.iter().any(|row| !row.together.is_empty()),
        rows,
        pager: Pager::of(at, pages, query),
        problems: asked.problems.iter().map(|problem| prose(problem)).collect(),
        address,
    }
}

/// What can be shown.
const SHOWS: [(&str, &str); 6] = [
    ("", "all"),
    ("undecided", "not decided"),
    ("decided", "decided"),
    ("special", "privileged or with findings"),
    ("work", "to carry out"),
    ("together", "can be kept together"),
];

fn find<'a>(part: Part<'a>, asked: &Asked, whose: &str, now: DateTime<Utc>) -> Vec<(&'a Item, &'a Course)> {
    let text = asked.text.trim().to_lowercase();
    let has_text = |item: &Item| {
        let texts = [item.email.as_deref(), item.full_name.as_deref(), Some(&*item.user_id), Some(&*item.workspace)];
        text.is_empty() || texts.into_iter().flatten().any(|one| one.to_lowercase().contains(&text))
    };
    let is_shown = |item: &Item, course: &Course| match asked.show.as_str() {
        "undecided" => course.decided().is_none(),
        "decided" => course.decided().is_some(),
        "special" => item.special().is_some(),
        "work" => {
            matches!(part.review.carried_out(item, course, now), CarriedOut::Open { .. } | CarriedOut::Overdue { .. })
        }
        "together" => part.may_keep_together(item, course),
        _ => true,
    };
    let items = part.review.by_risk().filter(|(item, course)| {
        (if whose == "mine" { part.is_mine(course) } else { part.sees(item, course) })
            && is_shown(item, course)
            && has_text(item)
    });
    items.collect()
}

fn row(part: Part<'_>, item: &Item, course: &Course, asked: &Asked, now: DateTime<Utc>) -> Row {
    let made = course.decided();
    let carried = part.review.carried_out(item, course, now);
    let access =
        [&item.role, &item.profile].map(|named| named.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string));
    let marks = [
        (item.is_privileged(), "privileged"),
        (!item.findings.is_empty(), "findings"),
        (item.has_left, "has left"),
        (item.changed && item.last.is_some(), "changed"),
        (item.changed && item.last.is_none(), NEW),
    ];
    let account =
        label(item.full_name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| item.label()));
    let email = label(item.email.as_deref().unwrap_or_default());
    Row {
        number: item.item.to_string(),
        address: path(&["reviews", &part.review.id().to_string(), "items", &item.item.to_string()]),
        // An account without a name is named by its address.
        email: if email == account { String::new() } else { email },
        account,
        workspace: label(&item.workspace),
        access: format!("{} · {}", label(&access[1]), label(&access[0])),
        marks: marks.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect(),
        together: if part.may_keep_together(item, course) {
            format!("{}.{}", item.item, course.version())
        } else {
            String::new()
        },
        is_chosen: asked.chosen.contains(&item.item),
        decided: made.map(|made| decision(&made.decision)).unwrap_or_default(),
        by: made.map(|made| label(made.by.as_str())).unwrap_or_default(),
        carried: match carried {
            CarriedOut::None => String::new(),
            CarriedOut::Open { due } => format!("to carry out by {}", day(due)),
            CarriedOut::Overdue { due } => format!("was to be carried out by {}", day(due)),
            CarriedOut::Proven(proven) => {
                format!("carried out: {}, shown on {}", proven.shown.word(), day(proven.read_at))
            }
        },
        is_late: matches!(carried, CarriedOut::Overdue { .. }),
        reviewer: label(course.reviewer().as_str()),
        is_mine: part.is_mine(course),
        refusal: asked.refusals.get(&item.item).map(|why| prose(why)).unwrap_or_default(),
    }
}

/// How the review stands, as a sentence.
fn said(part: Part<'_>, now: DateTime<Utc>) -> String {
    let review = part.review;
    match review.stage() {
        Stage::Closed { at, closed } => {
            let work = review.items().filter(|(_, course)| course.work().is_some()).count();
            let result = match work {
                0 => "no change was needed".to_owned(),
                work => format!("{} to change or remove", count(work, "account")),
            };
            format!(
                "Closed on {} by {}: {result}. The next review is on {}.",
                day(*at),
                label(closed.by.as_str()),
                closed.next_review.format("%-d %B %Y")
            )
        }
        Stage::Cancelled { at, reason, .. } => format!("Cancelled on {}: {}", day(*at), prose(reason)),
        Stage::Open if review.opening().due < now => {
            format!("It was due on {}. {}", day(review.opening().due), waits(review.undecided()))
        }
        Stage::Open => format!("It is due on {}. {}", day(review.opening().due), waits(review.undecided())),
    }
}

fn waits(undecided: usize) -> String {
    match undecided {
        0 => "Every account is decided.".to_owned(),
        some => format!("{} for a decision.", counted(some, "account waits", "accounts wait")),
    }
}

fn facts(part: Part<'_>) -> Vec<(&'static str, String)> {
    let opening = part.review.opening();
    let scope = match opening.scope.word() {
        "all" => "every account that can sign in",
        "privileged" => "accounts with full power, or that may have it",
        _ => "accounts that are new or can do something else than last time",
    };
    let audits: Vec<String> = opening
        .bases
        .iter()
        .map(|basis| format!("{}, read on {}", label(&basis.workspace), moment(basis.read_at)))
        .collect();
    let mut facts = vec![
        ("Accounts", format!("{}: {scope}", number(opening.items))),
        ("Audit", audits.join("; ")),
        ("Opened", moment(part.review.opened_at())),
        ("Owner", label(opening.owner.as_str())),
    ];
    let level = part.review.service_level(part.review.opening().due);
    if level.proven > 0 {
        let days = |duration: Option<chrono::Duration>| {
            duration.map_or_else(String::new, |duration| count(duration.num_days().unsigned_abs(), "day"))
        };
        facts.push((
            "Carried out",
            format!("{}; half within {}, 95 % within {}", number(level.proven), days(level.median), days(level.p95)),
        ));
    }
    facts
}

fn mine(part: Part<'_>, unattested: &[Address]) -> Mine {
    let own = || part.review.items().filter(|(_, course)| part.is_mine(course));
    let (all, decided) = (own().count(), own().filter(|(_, course)| course.decided().is_some()).count());
    let is_unattested = unattested.contains(&part.viewer.address);
    let id = part.review.id().to_string();
    let next = part.next(None).filter(|_| part.is_open());
    Mine {
        progress: Progress::of(decided, all),
        next: next.map(|item| path(&["reviews", &id, "items", &item.to_string()])).unwrap_or_default(),
        attest: if part.is_open() && decided == all && is_unattested {
            path(&["reviews", &id, "attest"])
        } else {
            String::new()
        },
        is_attested: !is_unattested,
        statement: STATEMENT,
        again: proof(part),
    }
}

fn managing(part: Part<'_>, asked: &Asked, offered: Offered) -> Managing {
    let id = part.review.id().to_string();
    let late: Vec<String> = late(part.review).into_iter().map(|one| label(one.as_str())).collect();
    let remind = if offered.by_mail && !late.is_empty() { path(&["reviews", &id, "remind"]) } else { String::new() };
    Managing {
        remind,
        late: late.join(", "),
        cancel: path(&["reviews", &id, "cancel"]),
        again: proof(part),
        reason: asked.reason.clone(),
    }
}

/// Where the person proves again who it is; empty if that was a short time ago.
fn proof(part: Part<'_>) -> String {
    let address = path(&["reviews", &part.review.id().to_string()]);
    if part.viewer.is_fresh { String::new() } else { again(&address) }
}

fn reviewers(part: Part<'_>, unattested: &[Address]) -> Vec<Reviewer> {
    let mut counts: BTreeMap<&Address, (usize, usize)> = BTreeMap::new();
    for (_, course) in part.review.items() {
        let (all, decided) = counts.entry(course.reviewer()).or_default();
        *all += 1;
        *decided += usize::from(course.decided().is_some());
    }
    let reviewer = |(address, (all, decided)): (&Address, (usize, usize))| Reviewer {
        address: label(address.as_str()),
        progress: Progress::of(decided, all),
        state: match (decided == all, unattested.contains(address)) {
            (true, false) => "confirmed",
            (true, true) => "not confirmed yet",
            (false, _) => "",
        },
    };
    counts.into_iter().map(reviewer).collect()
}

fn closing(part: Part<'_>, unattested: &[Address], next: Option<NaiveDate>, now: DateTime<Utc>) -> Closing {
    let review = part.review;
    let undecided = review.undecided();
    let missing = if undecided > 0 {
        counted(undecided, "account is not decided", "accounts are not decided")
    } else {
        String::new()
    };
    let unattested: Vec<String> = unattested.iter().map(|one| label(one.as_str())).collect();
    let work = review.items().filter(|(_, course)| course.work().is_some()).count();
    Closing {
        action: path(&["reviews", &review.id().to_string(), "close"]),
        missing,
        unattested: if review.state() == State::Decided { unattested.join(", ") } else { String::new() },
        next: next.map(|day| day.to_string()).unwrap_or_default(),
        earliest: now.date_naive().succ_opt().map(|day| day.to_string()).unwrap_or_default(),
        result: match work {
            0 => "No change is needed: every account stays as it is.".to_owned(),
            work => format!("{} to change or remove. A later audit has to prove each.", count(work, "account")),
        },
        again: proof(part),
    }
}

/// The most accounts that can be kept together.
impl Page {
    fn most_together() -> usize {
        LARGEST_BATCH
    }
}
