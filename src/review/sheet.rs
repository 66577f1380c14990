//! A review as a spreadsheet: the rows that a reviewer fills in, and what the filled-in rows decide.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};

use super::{
    event::{Decided, Decision, Event, Sheet, Target, Via},
    item::{Item, ItemId, Named},
    person::Address,
    refusal::Why,
    state::{Course, Proposal, Review, Stage},
};
use crate::access::power::Power;

/// The columns, in order.
pub const COLUMNS: [&str; 17] = [
    "item",
    "workspace",
    "user_id",
    "full_name",
    "email",
    "status",
    "role_name",
    "profile_name",
    "administrator",
    "findings",
    "last_decision",
    "last_decided_by",
    "last_decided_on",
    "decision",
    "change_to",
    "reason",
    "version",
];
/// The column after the others, if there is a proposal: what programs proposed. It is not read back.
pub const PROPOSALS: &str = "proposals";
/// The words for a decision.
pub const DECISIONS: [&str; 3] = ["keep", "change", "remove"];
/// The columns that are filled in: `decision`, `change_to` and `reason`.
pub const OPEN: [usize; 3] = [DECISION, CHANGE_TO, REASON];
/// The place of `administrator`.
const ADMINISTRATOR: usize = 8;
/// The place of `decision`.
const DECISION: usize = 13;
/// The place of `change_to`.
const CHANGE_TO: usize = 14;
/// The place of `reason`.
const REASON: usize = 15;
/// The place of `version`.
const VERSION: usize = 16;

/// How a text is written into a cell: with the guard against formulas.
pub type Writing = fn(&str) -> Cow<'_, str>;

/// The rows of a reviewer: each item, and the decision that stands. There are none if the person decides about nothing.
/// If there is a proposal, each row has a cell more, for [`PROPOSALS`].
pub fn rows(review: &Review, reviewer: &Address) -> Vec<Vec<String>> {
    let own = || review.items().filter(|(_, course)| course.reviewer() == reviewer);
    let has_proposals = own().any(|(_, course)| !course.proposals().is_empty());
    let with_proposals = |(item, course): (&Item, &Course)| {
        let mut cells = row(item, course);
        cells.extend(has_proposals.then(|| proposals(course)));
        cells
    };
    own().map(with_proposals).collect()
}

/// What was proposed, a line for each.
fn proposals(course: &Course) -> String {
    let one = |proposal: &Proposal| {
        let to = match &proposal.decision {
            Decision::Change { to } => format!(" to {to}"),
            Decision::Keep | Decision::Remove => String::new(),
        };
        format!("{} proposes: {}{to}, because {}", proposal.by, proposal.decision.word(), proposal.reason)
    };
    course.proposals().iter().map(one).collect::<Vec<_>>().join("\n")
}

fn row(item: &Item, course: &Course) -> Vec<String> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let name = |named: &Option<Named>| text(named.as_ref().and_then(|named| named.name.as_deref()));
    let last = item.last.as_ref();
    let findings: BTreeSet<&str> = item.findings.iter().map(|flag| flag.rule.as_str()).collect();
    let [decision, change_to, reason] = standing(course);
    vec![
        item.item.to_string(),
        item.workspace.clone(),
        item.user_id.clone(),
        text(item.full_name.as_deref()),
        text(item.email.as_deref()),
        item.status.clone(),
        name(&item.role),
        name(&item.profile),
        (item.power == Power::Administrator).to_string(),
        findings.into_iter().collect::<Vec<_>>().join(";"),
        text(last.map(|last| last.decision.as_str())),
        text(last.map(|last| last.by.as_str())),
        last.map(|last| last.at.date_naive().to_string()).unwrap_or_default(),
        decision,
        change_to,
        reason,
        course.version().to_string(),
    ]
}

/// The decision that stands, as cells. They are empty if there is none.
fn standing(course: &Course) -> [String; 3] {
    let Some(made) = course.decided() else { return Default::default() };
    let to = match &made.decision {
        Decision::Change { to } => to.id().to_owned(),
        Decision::Keep | Decision::Remove => String::new(),
    };
    [made.decision.word().to_owned(), to, made.reason.clone().unwrap_or_default()]
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// Its cells.
    pub cells: Vec<String>,
}

/// Why a line is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line; `None` if it is about the file as a whole.
    pub line: Option<u64>,
    /// The item, if the line names one.
    pub item: Option<ItemId>,
    /// Why.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.item) {
            (Some(line), Some(item)) => write!(f, "line {line} (item {item}): {}", self.why),
            (Some(line), None) => write!(f, "line {line}: {}", self.why),
            (None, _) => f.write_str(&self.why),
        }
    }
}

impl From<Why> for Problem {
    fn from(why: Why) -> Self {
        Self { line: None, item: None, why: why.to_string() }
    }
}

/// What a file decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The decisions, in the order of the lines.
    pub events: Vec<Event>,
    /// Lines with a decision that stands already.
    pub unchanged: usize,
    /// Lines without a decision.
    pub empty: usize,
}

/// The file that is imported.
#[derive(Debug)]
pub struct File<'a> {
    /// The lines, the header first.
    pub lines: &'a [Line],
    /// The SHA-256 of its bytes, and who signed it.
    pub sheet: Sheet,
    /// How a cell was written.
    pub writing: Writing,
}

/// What the lines of a file decide, if a person imports it now: all of it or nothing.
///
/// # Errors
/// Every line that is refused, and why.
pub fn import(review: &Review, by: &Address, file: &File<'_>, now: DateTime<Utc>) -> Result<Imported, Vec<Problem>> {
    if !review.takes_part(by) {
        return Err(vec![Why::Stranger(by.clone()).into()]);
    }
    let Some((header, lines)) = file.lines.split_first() else {
        return Err(vec![about_the_file(
            "the file is empty; expected the header and rows of `rolecall review export`",
        )]);
    };
    if !is_header(header) {
        return Err(vec![about_the_file(&format!(
            "the first line is not the header of `rolecall review export`; expected {}",
            COLUMNS.join(",")
        ))]);
    }
    let mut after = review.clone();
    let (mut imported, mut problems, mut named) = (Imported::default(), Vec::new(), BTreeSet::new());
    for line in lines.iter().filter(|line| line.cells.iter().any(|cell| !cell.trim().is_empty())) {
        let reading = Reading { review, by, file, line };
        let problem = |item, why| Problem { line: Some(line.number), item, why };
        let (item, course) = match reading.item() {
            Ok(found) => found,
            Err(why) => {
                problems.push(problem(None, why));
                continue;
            }
        };
        if !named.insert(item.item) {
            problems.push(problem(Some(item.item), Why::Twice.to_string()));
            continue;
        }
        match reading.decided(item, course) {
            Ok(Says::Nothing) => imported.empty += 1,
            Ok(Says::What { stands: true, .. }) => imported.unchanged += 1,
            Ok(Says::What { decided, .. }) => {
                let event = Event::Decided(decided);
                match after.apply(&event, now) {
                    Ok(()) => imported.events.push(event),
                    Err(refused) => {
                        let whys = refused.0.into_iter().map(|refusal| refusal.why.to_string());
                        problems.extend(whys.map(|why| problem(Some(item.item), why)));
                    }
                }
            }
            Err(whys) => problems.extend(whys.into_iter().map(|why| problem(Some(item.item), why))),
        }
    }
    let is_new = !imported.events.is_empty() || !problems.is_empty();
    if is_new && *review.stage() != Stage::Open {
        return Err(vec![Why::Ended { state: review.state().word() }.into()]);
    }
    if problems.is_empty() { Ok(imported) } else { Err(problems) }
}

fn about_the_file(why: &str) -> Problem {
    Problem { line: None, item: None, why: why.to_owned() }
}

/// Whether a line is the header, with or without [`PROPOSALS`]. Empty cells after it do not matter.
fn is_header(line: &Line) -> bool {
    let cells: Vec<&str> = line.cells.iter().map(|cell| cell.trim_start_matches('\u{feff}').trim()).collect();
    let after = cells.strip_prefix(&COLUMNS[..]).map(|after| after.strip_prefix(&[PROPOSALS]).unwrap_or(after));
    after.is_some_and(|after| after.iter().all(|cell| cell.is_empty()))
}

/// What a line says.
enum Says {
    /// It is not filled in.
    Nothing,
    /// A decision.
    What {
        decided: Decided,
        /// Whether that decision stands already.
        stands: bool,
    },
}

/// A line that is read.
struct Reading<'a> {
    review: &'a Review,
    by: &'a Address,
    file: &'a File<'a>,
    line: &'a Line,
}

impl<'a> Reading<'a> {
    fn cell(&self, place: usize) -> &'a str {
        self.line.cells.get(place).map_or("", String::as_str)
    }

    fn item(&self) -> Result<(&'a Item, &'a Course), String> {
        let text = self.cell(0).trim();
        let id: ItemId = text.parse().map_err(|_| format!("invalid item `{text}`; expected the number of an item"))?;
        let found = self.review.item(id).zip(self.review.course(id));
        found.ok_or_else(|| format!("item {id}: {}", Why::NoItem))
    }

    fn decided(&self, item: &'a Item, course: &Course) -> Result<Says, Vec<String>> {
        let version = self.fixed(item, course)?;
        let one = |why: String| vec![why];
        let stands = standing(course);
        let [decision, to, reason] = [DECISION, CHANGE_TO, REASON].map(|place| self.cell(place).trim());
        let reason = self.unguarded(reason, &stands[2]);
        let decision = decision.to_lowercase();
        if decision.is_empty() {
            let rest = if to.is_empty() && reason.is_empty() { Ok(Says::Nothing) } else { Err(()) };
            return rest.map_err(|()| one("`change_to` or `reason` is filled in, but `decision` is not".to_owned()));
        }
        if decision != "change" && !to.is_empty() {
            return Err(one(format!("`change_to` is filled in, but the decision is `{decision}`; expected `change`")));
        }
        let decision = match decision.as_str() {
            "keep" => Decision::Keep,
            "remove" => Decision::Remove,
            "change" if to.is_empty() => {
                return Err(one("`change_to` is empty; expected the id or name of a role or profile".to_owned()));
            }
            "change" => {
                let to = target(self.review, item, self.unguarded(to, ""));
                Decision::Change { to: to.map_err(|why| one(why.to_string()))? }
            }
            other => return Err(one(format!("invalid decision `{other}`; expected keep, change or remove"))),
        };
        let made = course.decided();
        let is_current = version == course.version();
        let is_same = made.is_some_and(|made| {
            made.decision == decision
                && made.reason.as_deref().unwrap_or_default() == reason
                && (is_current || made.by == *self.by)
        });
        let seen = self.review.seen(item.item).map(|seen| super::event::SeenItem { version, ..seen });
        let via = if self.file.sheet.signed_by.is_some() { Via::SignedSpreadsheet } else { Via::Spreadsheet };
        let decided = Decided {
            items: seen.into_iter().collect(),
            decision,
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
            by: self.by.clone(),
            via,
            sheet: Some(self.file.sheet.clone()),
        };
        Ok(Says::What { decided, stands: is_same })
    }

    /// Checks the columns that may not be filled in. Returns the version.
    fn fixed(&self, item: &Item, course: &Course) -> Result<u32, Vec<String>> {
        let mut whys = Vec::new();
        for (place, expected) in row(item, course).iter().enumerate() {
            let found = self.cell(place);
            if place == 0 || place == VERSION || OPEN.contains(&place) {
                continue;
            }
            // Programs write truth values in capitals.
            let is_same_word = place == ADMINISTRATOR && found.eq_ignore_ascii_case(expected);
            if !is_same_word && !self.is_written(expected, found) {
                whys.push(format!(
                    "`{}` was changed from “{expected}” to “{found}”; only `decision`, `change_to` and `reason` may be filled in",
                    COLUMNS[place]
                ));
            }
        }
        let has_proposals =
            self.file.lines.first().is_some_and(|header| header.cells.iter().any(|one| one.trim() == PROPOSALS));
        if self.line.cells.iter().skip(COLUMNS.len() + usize::from(has_proposals)).any(|cell| !cell.trim().is_empty()) {
            whys.push("there is something after the last column".to_owned());
        }
        let text = self.cell(VERSION).trim();
        let version = text.parse().ok().filter(|version| (1..=course.version()).contains(version));
        match version {
            Some(version) if whys.is_empty() => Ok(version),
            Some(_) => Err(whys),
            None => {
                whys.push(format!("invalid version `{text}`; expected the number that was exported"));
                Err(whys)
            }
        }
    }

    /// Whether a cell holds a text. Programs change line breaks, and may drop the guard.
    fn is_written(&self, expected: &str, found: &str) -> bool {
        if found == expected {
            return true;
        }
        let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        let found = plain(found);
        found == plain(&(self.file.writing)(expected)) || found == plain(expected)
    }

    /// What was filled in: without the guard if a text was written with it.
    fn unguarded<'t>(&self, text: &'t str, before: &'t str) -> &'t str {
        if !before.is_empty() && self.is_written(before, text) {
            return before;
        }
        let inner = text.strip_prefix('\'').filter(|inner| (self.file.writing)(inner) == text);
        inner.unwrap_or(text)
    }
}

/// The role or profile of the item's workspace that a text means: an id, or a name that only one has.
///
/// # Errors
/// [`Why::NoTarget`] or [`Why::Ambiguous`].
pub fn target(review: &Review, item: &Item, text: &str) -> Result<Target, Why> {
    let masters = review.population().masters.get(&item.workspace);
    let roles = masters.into_iter().flat_map(|masters| &masters.roles).cloned().map(Target::Role);
    let profiles = masters.into_iter().flat_map(|masters| &masters.profiles).cloned().map(Target::Profile);
    let all: Vec<Target> = roles.chain(profiles).collect();
    let is_named = |target: &&Target| match target {
        Target::Role(named) | Target::Profile(named) => named.name.as_deref() == Some(text),
    };
    let by_id: Vec<&Target> = all.iter().filter(|target| target.id() == text).collect();
    let found = if by_id.is_empty() { all.iter().filter(is_named).collect() } else { by_id };
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [] => {
            let target = format!("role or profile with the id or name “{text}”");
            Err(Why::NoTarget { workspace: item.workspace.clone(), target })
        }
        _ => Err(Why::Ambiguous(text.to_owned())),
    }
}
