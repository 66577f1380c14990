//! The workspaces, and the users of one: searched, filtered, sorted and cut to pages.

use askama::Template;

use super::{
    Area, Choice, Frame, Pager,
    facts::status,
    text::{label, moment, path, with_query},
};
use crate::{
    access::power::Power,
    console::{
        index::{Account, Found, Indexed, Question, Sort},
        viewer::Viewer,
    },
    store::AuditRecord,
    words::{count, number},
};

/// Roles, and profiles, that the filter offers.
const OFFERED: usize = 1_000;

/// The workspaces.
#[derive(Template)]
#[template(path = "console/workspaces.html")]
pub(in crate::console) struct Workspaces {
    frame: Frame,
    rows: Vec<WorkspaceRow>,
}

struct WorkspaceRow {
    name: String,
    address: String,
    read: String,
    users: String,
    administrators: String,
    findings: String,
}

/// The page of all workspaces; each with its last complete audit.
pub(in crate::console) fn workspaces(viewer: &Viewer, all: &[(String, Option<AuditRecord>)]) -> Workspaces {
    let row = |(name, record): &(String, Option<AuditRecord>)| {
        let of =
            |value: fn(&AuditRecord) -> u64| record.as_ref().map(|record| number(value(record))).unwrap_or_default();
        WorkspaceRow {
            name: label(name),
            address: record.as_ref().map(|_| path(&["workspaces", name])).unwrap_or_default(),
            read: record
                .as_ref()
                .map_or_else(|| "no complete audit yet".to_owned(), |record| moment(record.finished_at)),
            users: of(|record| record.users),
            administrators: of(|record| record.administrators),
            findings: of(|record| record.open_findings),
        }
    };
    Workspaces { frame: Frame::of(viewer, Area::Workspaces, "Workspaces"), rows: all.iter().map(row).collect() }
}

/// What every page of a workspace begins with.
pub(in crate::console) struct Head {
    /// The workspace.
    pub(super) name: String,
    /// When it was read, and by which job.
    pub(super) read: String,
    pub(super) tabs: Vec<Tab>,
}

pub(super) struct Tab {
    pub(super) title: String,
    pub(super) address: String,
    pub(super) is_here: bool,
}

impl Head {
    /// The head of a page that is `here`: `users`, `roles`, `profiles`, `findings` or `past`.
    pub(in crate::console) fn of(audit: &Indexed, here: &str) -> Self {
        let record = &audit.record;
        let base = path(&["workspaces", &record.workspace]);
        let findings = audit.header.findings.iter().filter(|finding| finding.open).count();
        let tab = |key: &str, title: &str, size: usize| Tab {
            title: format!("{title} ({})", number(size)),
            address: if key == "users" { base.clone() } else { format!("{base}/{key}") },
            is_here: key == here,
        };
        Self {
            name: label(&record.workspace),
            read: match &record.job {
                Some(job) => format!("As read on {} by the job {}", moment(record.finished_at), label(job)),
                None => format!("As read on {}, on demand", moment(record.finished_at)),
            },
            tabs: vec![
                tab("users", "Users", audit.len()),
                tab("profiles", "Profiles", audit.header.profiles.len()),
                tab("roles", "Roles", audit.header.roles.len()),
                tab("findings", "Open findings", findings),
                Tab { title: "Earlier".to_owned(), address: format!("{base}/past"), is_here: here == "past" },
            ],
        }
    }
}

/// The users of a workspace.
#[derive(Template)]
#[template(path = "console/matrix.html")]
pub(in crate::console) struct Matrix {
    frame: Frame,
    head: Head,
    address: String,
    text: String,
    statuses: Vec<Choice>,
    powers: Vec<Choice>,
    roles: Vec<Choice>,
    profiles: Vec<Choice>,
    is_flagged: bool,
    sort: &'static str,
    is_reversed: bool,
    found: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    pager: Pager,
}

/// A column by which the users can be sorted.
struct Column {
    title: &'static str,
    address: String,
    /// `ascending`, `descending`, or empty if the users are sorted by another one.
    sorted: &'static str,
}

/// A user in a table.
pub(in crate::console) struct Row {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) email: String,
    pub(super) status: String,
    pub(super) role: String,
    pub(super) profile: String,
    pub(super) power: &'static str,
    pub(super) is_full: bool,
    pub(super) open: String,
}

impl Row {
    /// A user of an audit.
    pub(in crate::console) fn of(audit: &Indexed, account: &Account) -> Self {
        Self {
            name: label(account.label()),
            address: path(&["workspaces", &audit.record.workspace, "users", &account.id]),
            // An account without a name is named by its address.
            email: label(account.email.as_deref().filter(|email| *email != account.label()).unwrap_or_default()),
            status: status(account),
            role: label(&audit.shown_role(account)),
            profile: label(&audit.shown_profile(account)),
            power: power(account.power),
            is_full: account.power.is_full(),
            open: if account.open == 0 { String::new() } else { number(account.open) },
        }
    }
}

/// How much power, in a word or two.
pub(in crate::console) fn power(power: Power) -> &'static str {
    match power {
        Power::Administrator => "administrator",
        Power::Equivalent => "full power",
        Power::Dangerous => "dangerous",
        Power::Ordinary => "",
        Power::Unknown => "unknown",
    }
}

/// The columns, with what they are sorted by.
const COLUMNS: [(Sort, &str); 7] = [
    (Sort::Name, "Name"),
    (Sort::Email, "Address"),
    (Sort::Status, "Status"),
    (Sort::Profile, "Profile"),
    (Sort::Role, "Role"),
    (Sort::Power, "Power"),
    (Sort::Findings, "Findings"),
];

/// The address of a question.
fn address(base: &str, question: &Question) -> String {
    let page = if question.page > 1 { question.page.to_string() } else { String::new() };
    let sort = if question.sort == Sort::default() { "" } else { question.sort.word() };
    let values = [
        ("q", question.text.as_str()),
        ("status", &question.status),
        ("power", &question.power),
        ("role", &question.role),
        ("profile", &question.profile),
        ("flagged", if question.flagged { "yes" } else { "" }),
        ("sort", sort),
        ("down", if question.reversed { "yes" } else { "" }),
        ("page", &page),
    ];
    with_query(base, &values)
}

/// The page of the users that were asked for.
pub(in crate::console) fn matrix(viewer: &Viewer, audit: &Indexed, question: &Question) -> Matrix {
    let base = path(&["workspaces", &audit.record.workspace]);
    let found: Found<'_> = audit.find(question);
    let any = || Choice::new("", "any", "-");
    let statuses = audit.statuses().iter().map(|(status, users)| (&**status, users));
    let status = |(status, users): (&str, &usize)| {
        Choice::new(status, format!("{} ({})", label(status), number(*users)), &question.status)
    };
    let power = |power: Power| {
        let said = match power {
            Power::Ordinary => "ordinary",
            power => self::power(power),
        };
        Choice::new(power.word(), said, &question.power)
    };
    let roles = audit.header.roles.iter().map(|role| (role.id.as_str(), role.name.as_str()));
    let profiles = audit.header.profiles.iter().map(|profile| (profile.id.as_str(), profile.name.as_str()));
    let column = |(sort, title): (Sort, &'static str)| {
        let is_here = question.sort == sort;
        let asked = Question { sort, reversed: is_here && !question.reversed, page: 1, ..question.clone() };
        let sorted = match (is_here, question.reversed) {
            (true, false) => "ascending",
            (true, true) => "descending",
            (false, _) => "",
        };
        Column { title, address: address(&base, &asked), sorted }
    };
    Matrix {
        frame: Frame::of(viewer, Area::Workspaces, label(&audit.record.workspace)),
        head: Head::of(audit, "users"),
        text: question.text.clone(),
        statuses: [any()].into_iter().chain(statuses.map(status)).collect(),
        powers: [any()].into_iter().chain(Power::ALL.into_iter().map(power)).collect(),
        roles: offered(roles, &question.role),
        profiles: offered(profiles, &question.profile),
        is_flagged: question.flagged,
        sort: question.sort.word(),
        is_reversed: question.reversed,
        found: count(found.all, "user"),
        columns: COLUMNS.into_iter().map(column).collect(),
        rows: found.accounts.iter().map(|account| Row::of(audit, account)).collect(),
        pager: Pager::of(found.page, found.pages, |page| address(&base, &Question { page, ..question.clone() })),
        address: base,
    }
}

/// What a filter offers, by name.
fn offered<'a>(all: impl Iterator<Item = (&'a str, &'a str)>, chosen: &str) -> Vec<Choice> {
    let mut all: Vec<(&str, &str)> = all.take(OFFERED).collect();
    all.sort_by_key(|(_, name)| name.to_lowercase());
    let all = all.into_iter().map(|(id, name)| Choice::new(id, label(name), chosen));
    [Choice::new("", "any", "-")].into_iter().chain(all).collect()
}
