//! `rolecall roster check`: reads rosters as they are configured, and says what an audit would make of them.

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    args::{RosterCheckArgs, RosterCommand, RuleFormat},
    check, lookup,
    output::{self, Failure, plain},
    workspaces,
};
use crate::{
    access::roster::{Match, People, Standing},
    app,
    audit::judged_roster,
    clock::Clock,
    config::settings::Settings,
    model::{
        audit::Audit,
        email::comparable,
        policy::Policy,
        roster::{JudgedRoster, Meaning, Roster, Source},
    },
    words::{count, counted, number},
};

/// Maximum length of a text in a line.
const SHOWN: usize = 400;
/// Users, words and warnings that the text names.
const NAMED: usize = 20;

/// What the rosters are.
#[derive(Serialize)]
struct Answer {
    rosters: Vec<Checked>,
    /// Null if no workspace was asked for.
    workspace: Option<InWorkspace>,
    /// Why an audit would not rely on the rosters; empty if it would. How many people worked here at the last audit is not
    /// part of it.
    problems: Vec<String>,
}

/// One roster.
#[derive(Serialize)]
struct Checked {
    name: String,
    /// The file or the address, without secrets.
    place: String,
    as_of: Option<DateTime<Utc>>,
    sha256: Option<String>,
    encoding: Option<String>,
    /// The columns that are kept, by field, as the roster names them.
    columns: BTreeMap<&'static str, Vec<String>>,
    rows: usize,
    people: u64,
    work_here: u64,
    not_yet: usize,
    left: u64,
    /// People of whom the roster does not say whether they work here.
    not_known: usize,
    without_address: usize,
    /// Words of the status whose meaning is not known, with the number of their rows.
    unknown_words: BTreeMap<String, usize>,
    warnings: Vec<String>,
}

/// The users of a workspace beside the people of the rosters. Deleted users are left out.
#[derive(Serialize)]
struct InWorkspace {
    workspace: String,
    users: usize,
    without_address: usize,
    matched: usize,
    /// Users whose address nobody in the rosters has.
    unmatched: Vec<Unmatched>,
    /// Users whose address several people in the rosters have.
    ambiguous: Vec<Unmatched>,
}

#[derive(Serialize)]
struct Unmatched {
    user_id: String,
    user: String,
    email: String,
    status: String,
    /// The address that the only person with the user's name has in the rosters: a hint, and never a match.
    same_name: Option<String>,
}

pub(super) async fn run(named: Option<&Path>, command: RosterCommand) -> Result<(), Failure> {
    let RosterCommand::Check(args) = command;
    let settings = check::load_quietly(named)?;
    let workspace = args.workspace.as_deref().map(|name| workspaces::named(&settings, Some(name))).transpose()?;
    let workspace = workspace.map(|(name, _)| name);
    let policy = settings.policy_for(None, workspace.unwrap_or_default());
    let chosen = chosen(&settings, policy, &args, workspace)?;
    let now = Clock::system().now();
    let roster = app::rosters(&settings).read(&chosen, now).await.unwrap_or_default();
    // As if the policy named these rosters.
    let policy = Policy { roster: chosen, ..Policy::clone(policy) };
    let judged = judged_roster(&roster, &policy, now);
    let people = People::new(&roster, &policy, now);
    let matched = match workspace {
        Some(workspace) => Some(matched(&lookup::judged(&settings, workspace, None).await?, &people)),
        None => None,
    };
    let rosters = roster.sources.iter().map(|source| checked(source, &roster, &judged, &people)).collect();
    let answer = Answer { rosters, workspace: matched, problems: judged.unreliable };
    match args.format {
        RuleFormat::Json => output::json(&answer)?,
        RuleFormat::Table => print(&answer, now),
    }
    if answer.problems.is_empty() { Ok(()) } else { Err(Failure::failed(plain(&answer.problems.join(" "), 2_000))) }
}

/// The rosters to read: the named one, those of the policy of the workspace, or all.
fn chosen(
    settings: &Settings,
    policy: &Policy,
    args: &RosterCheckArgs,
    workspace: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let known: Vec<&str> = settings.rosters.keys().map(String::as_str).collect();
    if known.is_empty() {
        return Err(Failure::usage("the configuration has no [rosters.NAME] table"));
    }
    match (&args.name, workspace) {
        (Some(name), _) if known.contains(&name.as_str()) => Ok(vec![name.clone()]),
        (Some(name), _) => {
            Err(Failure::usage(format!("unknown roster `{name}`; the configured rosters are: {}", known.join(", "))))
        }
        (None, Some(workspace)) if policy.roster.is_empty() => Err(Failure::usage(format!(
            "the policy of `{workspace}` names no roster; name one of {}",
            known.join(", ")
        ))),
        (None, Some(_)) => Ok(policy.roster.clone()),
        (None, None) => Ok(known.into_iter().map(str::to_owned).collect()),
    }
}

fn checked(source: &Source, roster: &Roster, judged: &JudgedRoster, people: &People<'_>) -> Checked {
    let counts = judged.sources.iter().find(|counts| counts.name == source.name);
    let members = || {
        let members = people.members().iter();
        members.filter(|member| member.records().iter().any(|record| record.roster == source.name))
    };
    let standing = |is: fn(&Standing) -> bool| members().filter(|member| is(&member.standing)).count();
    let rows = || roster.records.iter().filter(|record| record.roster == source.name);
    let mut unknown_words = BTreeMap::new();
    for record in rows().filter(|record| record.meaning == Meaning::Unknown) {
        *unknown_words.entry(record.status.to_string()).or_default() += 1;
    }
    Checked {
        name: source.name.clone(),
        place: source.place.clone(),
        as_of: source.as_of,
        sha256: source.sha256.clone(),
        encoding: source.encoding.clone(),
        columns: source.columns.iter().map(|(field, columns)| (field.word(), columns.clone())).collect(),
        rows: rows().count(),
        people: counts.map_or(0, |counts| counts.people),
        work_here: counts.map_or(0, |counts| counts.current),
        not_yet: standing(|standing| matches!(standing, Standing::Joining(_))),
        left: counts.map_or(0, |counts| counts.left),
        not_known: standing(|standing| *standing == Standing::Unknown),
        without_address: members()
            .filter(|member| member.records().iter().all(|record| record.addresses.is_empty()))
            .count(),
        unknown_words,
        warnings: source.warnings.clone(),
    }
}

fn matched(audit: &Audit, people: &People<'_>) -> InWorkspace {
    let mut answer = InWorkspace {
        workspace: audit.workspace.clone(),
        users: 0,
        without_address: 0,
        matched: 0,
        unmatched: Vec::new(),
        ambiguous: Vec::new(),
    };
    for user in audit.directory.users.iter().filter(|user| !user.status().is_deleted()) {
        answer.users += 1;
        let Some(address) = user.email().filter(|address| !comparable(address).is_empty()) else {
            answer.without_address += 1;
            continue;
        };
        let one = |same_name| Unmatched {
            user_id: user.id().to_owned(),
            user: user.label().to_owned(),
            email: address.to_owned(),
            status: user.status().word().to_owned(),
            same_name,
        };
        match people.find(address) {
            Match::One(_) => answer.matched += 1,
            Match::Several(_) => answer.ambiguous.push(one(None)),
            Match::Nobody => {
                let member = user.full_name().and_then(|name| people.suggest(name));
                let mut addresses = member.iter().flat_map(|member| member.records()).flat_map(|row| &row.addresses);
                answer.unmatched.push(one(addresses.next().cloned()));
            }
        }
    }
    answer
}

fn print(answer: &Answer, now: DateTime<Utc>) {
    for roster in &answer.rosters {
        print_roster(roster, now);
    }
    if let Some(matched) = &answer.workspace {
        let users = matched.users - matched.without_address;
        output::line(&format!(
            "{}: {} of {} with an address {} in it",
            plain(&matched.workspace, SHOWN),
            number(matched.matched),
            count(users, "user"),
            if matched.matched == 1 { "is" } else { "are" }
        ));
        print_users("not in it", &matched.unmatched);
        print_users("ambiguous", &matched.ambiguous);
    }
    if answer.problems.is_empty() {
        output::line("An audit would rely on it.");
    }
}

fn print_roster(roster: &Checked, now: DateTime<Utc>) {
    output::line(&format!("{}: {}", roster.name, plain(&roster.place, SHOWN)));
    if let Some(as_of) = roster.as_of {
        let age = counted((now - as_of).num_days().max(0), "day", "days");
        let encoding = roster.encoding.as_deref().unwrap_or_default();
        output::line(&format!("  as of      {}, {age} old; {encoding}", as_of.format("%Y-%m-%d %H:%M UTC")));
    }
    for (field, columns) in &roster.columns {
        output::line(&format!("  column     {field}: {}", plain(&columns.join(", "), SHOWN)));
    }
    output::line(&format!(
        "  people     {} in {}: {}, {}, {}, {} not known",
        counted(roster.people, "person", "people"),
        count(roster.rows, "row"),
        counted(roster.work_here, "works here", "work here"),
        counted(roster.left, "has left", "have left"),
        counted(roster.not_yet, "does not work here yet", "do not work here yet"),
        number(roster.not_known)
    ));
    if roster.without_address > 0 {
        let people = counted(roster.without_address, "person has", "people have");
        output::line(&format!("  address    {people} none, and can be no user"));
    }
    for (word, rows) in roster.unknown_words.iter().take(NAMED) {
        let word = if word.is_empty() { "an empty status" } else { word };
        output::line(&format!("  status     {}: not known, {}", plain(word, SHOWN), count(*rows, "row")));
    }
    more(roster.unknown_words.len());
    for warning in roster.warnings.iter().take(NAMED) {
        output::line(&format!("  warning    {}", plain(warning, SHOWN)));
    }
    more(roster.warnings.len());
    output::line("");
}

fn print_users(what: &str, users: &[Unmatched]) {
    for user in users.iter().take(NAMED) {
        let hint = user.same_name.as_ref().map(|address| format!("; somebody of this name has {address}"));
        let line = format!(
            "  {what}  {}, {} (id {}, {}){}",
            user.user,
            user.email,
            user.user_id,
            user.status,
            hint.unwrap_or_default()
        );
        output::line(&plain(&line, SHOWN));
    }
    more(users.len());
}

/// Says how many are not named.
fn more(all: usize) {
    if all > NAMED {
        output::line(&format!("  and {} more (--format json has all)", number(all - NAMED)));
    }
}
