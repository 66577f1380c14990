//! The map of profiles and permissions: who could do the same as whom is seen before anything is read. It is a table, so
//! that it is read out as one; each mark in it has its number as text.

use std::collections::{HashMap, HashSet};

use super::text::{LABEL, shown};
use crate::{
    access::power::Power,
    model::directory::{Permission, Permissions, Profile},
    report::{ReportInput, holders::Holders},
    words::{count, number},
};

/// Profiles that the map draws, those with the most permissions first.
const PROFILES: usize = 24;
/// Columns of the map; the last one gathers the rest if there are more kinds of permission.
const COLUMNS: usize = 18;
/// Characters of a column's name.
const HEADING: usize = 24;
/// The marks between an empty one and a full one.
const PARTS: usize = 3;

/// The map.
pub(super) struct Map {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// What the map leaves out, in sentences; empty if nothing.
    pub(super) left_out: String,
}

/// Permissions of one name: those of the modules together.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) dangerous: bool,
}

/// One profile.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) holders: String,
    /// What its power is, if it is full; empty if it is not.
    pub(super) power: &'static str,
    pub(super) granted: String,
    /// The marks; empty if the API did not return the permissions.
    pub(super) cells: Vec<Cell>,
}

/// How many of a column's permissions a profile has.
pub(super) struct Cell {
    /// 0 for none, [`PARTS`] + 1 for all.
    pub(super) mark: usize,
    pub(super) text: String,
}

/// A permission, whatever its label.
type Key<'a> = (&'a str, Option<&'a str>);

fn key(permission: &Permission) -> Key<'_> {
    (&permission.name, permission.module.as_deref())
}

fn label(permission: &Permission) -> &str {
    permission.label.as_deref().unwrap_or(&permission.name)
}

/// One profile with the permissions that it has.
struct Granted<'a> {
    profile: &'a Profile,
    holders: usize,
    /// `None` if the API did not return them.
    on: Option<HashSet<Key<'a>>>,
    all: usize,
}

impl Granted<'_> {
    fn count(&self) -> usize {
        self.on.as_ref().map_or(0, HashSet::len)
    }
}

pub(super) fn map(input: &ReportInput<'_>) -> Map {
    let counted = Holders::count(input.matrix);
    let directory = &input.audit.directory;
    let granted = |profile| granted(profile, counted.of_profile(&profile.id));
    let mut profiles: Vec<Granted<'_>> = directory.profiles.iter().map(granted).collect();
    profiles.sort_by(|a, b| {
        let order =
            |granted: &Granted<'_>| (granted.on.is_none(), std::cmp::Reverse((granted.count(), granted.holders)));
        order(a).cmp(&order(b)).then_with(|| a.profile.name.cmp(&b.profile.name))
    });
    let left_out = profiles.split_off(profiles.len().min(PROFILES));
    let kinds = kinds(input, &profiles);
    let rows = profiles.iter().map(|granted| Row {
        name: shown(&granted.profile.name, LABEL),
        holders: number(granted.holders),
        power: match input.matrix.yardstick().of_profile(&granted.profile.id) {
            Power::Administrator => "makes administrators",
            Power::Equivalent => "full power",
            _ => "",
        },
        granted: match &granted.on {
            Some(on) => format!("{} of {}", number(on.len()), number(granted.all)),
            None => "unknown".to_owned(),
        },
        cells: granted.on.as_ref().map_or_else(Vec::new, |on| kinds.iter().map(|kind| kind.cell(on)).collect()),
    });
    let rows = rows.collect();
    Map { rows, left_out: said(&left_out, &kinds), columns: kinds.into_iter().map(Column::from).collect() }
}

fn granted(profile: &Profile, holders: usize) -> Granted<'_> {
    let (on, all) = match &profile.permissions {
        Permissions::Known(all) => {
            (Some(all.iter().filter(|permission| permission.enabled).map(key).collect()), all.len())
        }
        Permissions::Unknown(_) => (None, 0),
    };
    Granted { profile, holders, on, all }
}

/// The permissions of one name.
struct Kind<'a> {
    name: String,
    dangerous: bool,
    members: HashSet<Key<'a>>,
    /// How many kinds it gathers.
    gathers: usize,
}

impl From<Kind<'_>> for Column {
    fn from(kind: Kind<'_>) -> Self {
        Self { name: kind.name, dangerous: kind.dangerous }
    }
}

impl Kind<'_> {
    fn cell(&self, on: &HashSet<Key<'_>>) -> Cell {
        let (has, all) = (self.members.iter().filter(|member| on.contains(*member)).count(), self.members.len());
        let mark = match has {
            0 => 0,
            has if has == all => PARTS + 1,
            has => 1 + has * PARTS / (all + 1),
        };
        let text = match (has, all) {
            (0, _) => "no".to_owned(),
            (1, 1) => "yes".to_owned(),
            (has, all) => format!("{} of {}", number(has), number(all)),
        };
        Cell { mark, text }
    }
}

/// The columns: dangerous permissions first, then those that the fewest profiles have in full. What no profile has, or
/// has no room, is gathered in the last one.
fn kinds<'a>(input: &ReportInput<'_>, profiles: &[Granted<'a>]) -> Vec<Kind<'a>> {
    let mut kinds: Vec<Kind<'a>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let all = profiles.iter().filter_map(|granted| match &granted.profile.permissions {
        Permissions::Known(all) => Some(all),
        Permissions::Unknown(_) => None,
    });
    for permission in all.flatten() {
        let place = *places.entry(label(permission)).or_insert_with(|| {
            let name = shown(label(permission), HEADING);
            kinds.push(Kind { name, dangerous: false, members: HashSet::new(), gathers: 1 });
            kinds.len() - 1
        });
        if kinds[place].members.insert(key(permission)) {
            kinds[place].dangerous |= super::structure::is_dangerous(input, permission);
        }
    }
    let in_full = |kind: &Kind<'_>| {
        profiles.iter().filter(|granted| granted.on.as_ref().is_some_and(|on| on.is_superset(&kind.members))).count()
    };
    kinds.sort_by_cached_key(|kind| (!kind.dangerous, in_full(kind), kind.name.clone()));
    if kinds.len() > COLUMNS {
        let rest = kinds.split_off(COLUMNS - 1);
        kinds.push(Kind {
            name: format!("{} others", number(rest.len())),
            dangerous: rest.iter().any(|kind| kind.dangerous),
            gathers: rest.len(),
            members: rest.into_iter().flat_map(|kind| kind.members).collect(),
        });
    }
    kinds
}

fn said(profiles: &[Granted<'_>], kinds: &[Kind<'_>]) -> String {
    let mut sentences = Vec::new();
    if !profiles.is_empty() {
        let holders = profiles.iter().map(|granted| granted.holders).sum::<usize>();
        sentences.push(format!(
            "The map leaves out the {} with the fewest permissions, which {} hold.",
            count(profiles.len(), "profile"),
            count(holders, "user")
        ));
    }
    if let Some(kind) = kinds.last().filter(|kind| kind.gathers > 1) {
        sentences.push(format!("Its last column gathers {}.", count(kind.gathers, "other permission")));
    }
    sentences.join(" ")
}
