//! `people.csv`: one row for each account, with what its person has elsewhere.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use super::PeopleInput;
use crate::{
    people::{Account, People, Standing},
    report::{
        cell::{NOT_APPLICABLE, Stamp, UNKNOWN, guarded},
        csv::{builder, quoted},
    },
};

/// Bytes gathered before they go to the writer.
const BUFFER: usize = 64 * 1024;

/// The columns. They are a contract; more may be added after them.
const COLUMNS: [&str; 21] = [
    "person",
    "person_name",
    "workspace",
    "user_id",
    "full_name",
    "email",
    "status",
    "access",
    "confirmed",
    "role_name",
    "profile_name",
    "power",
    "can_administer",
    "workspaces_active",
    "workspaces_administered",
    "left_behind",
    "workspace_read",
    "workspaces_not_read",
    "read_at",
    "missed_at",
    "conflicting_access",
];

/// What is between the names of workspaces in one cell.
const BETWEEN: &str = " | ";

pub(super) fn write(input: &PeopleInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut table = builder().buffer_capacity(BUFFER).from_writer(out);
    table.write_record(COLUMNS)?;
    let people = input.people;
    let not_read = not_read(people);
    let (mut read_at, mut missed_at) = (Stamp::default(), Stamp::default());
    for (place, person) in people.persons.iter().enumerate() {
        let (active, administers) = (people.names(&person.active_in()), people.names(&person.administers()));
        let (active, administers) = (active.join(BETWEEN), administers.join(BETWEEN));
        let conflicts = people.separations_of(place).join(BETWEEN);
        for account in &person.accounts {
            let workspace = &people.workspaces[account.workspace];
            let read = if workspace.standing == Standing::Complete { "complete" } else { "incomplete" };
            let cells: [&str; 21] = [
                person.address.as_deref().unwrap_or(""),
                &person.label,
                &workspace.name,
                &account.id,
                account.name.as_deref().unwrap_or(UNKNOWN),
                account.email.as_deref().unwrap_or(UNKNOWN),
                &account.status,
                account.activity.word(),
                confirmed(account),
                people.role(account),
                people.profile(account),
                power(account),
                yes(account.can_administer()),
                &active,
                &administers,
                yes(person.is_left_behind()),
                read,
                &not_read,
                read_at.of(workspace.read_at),
                missed(&mut missed_at, account),
                &conflicts,
            ];
            for cell in cells {
                let guarded: Cow<'_, str> = guarded(cell);
                table.write_field(&*quoted(&guarded))?;
            }
            table.write_record(None::<&[u8]>)?;
        }
    }
    table.flush()
}

/// The workspaces about which nothing is known.
fn not_read(people: &People) -> String {
    let missing = |standing: &Standing| matches!(standing, Standing::Missing(_));
    let names = people.workspaces.iter().filter(|workspace| missing(&workspace.standing));
    names.map(|workspace| workspace.name.as_str()).collect::<Vec<_>>().join(BETWEEN)
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn confirmed(account: &Account) -> &'static str {
    match account.confirmed {
        _ if account.missed_at.is_some() => NOT_APPLICABLE,
        Some(confirmed) => yes(confirmed),
        None => UNKNOWN,
    }
}

fn power(account: &Account) -> &'static str {
    if account.missed_at.is_some() { NOT_APPLICABLE } else { account.power.word() }
}

fn missed<'s>(stamp: &'s mut Stamp, account: &Account) -> &'s str {
    if account.missed_at.is_some() { stamp.of(account.missed_at) } else { NOT_APPLICABLE }
}
