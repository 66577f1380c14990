//! The view of a rule over the users, roles and profiles of an audit.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use chrono::{NaiveDate, NaiveTime};

use crate::{
    access::{drift::SnapshotUser, matrix::MatrixRow, roster::Standing},
    audit::{
        context::Context,
        facts::{Facts, ProfileFacts, RoleFacts},
        roster::Identity,
    },
    cel::{Key, Reading, Root, View},
    model::{
        finding::Subject,
        policy::ForEach,
        status::Status,
        unread::{Field, Fields},
        users::UserIndex,
    },
};

/// A subject by its number among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    User(u32),
    Role(u32),
    Profile(u32),
    Workspace,
}

/// The subjects of a rule, in the order of findings.
#[expect(clippy::cast_possible_truncation, reason = "lists of roles and profiles end long before 2^32")]
pub(super) fn places(context: &Context<'_>, each: ForEach) -> Vec<Place> {
    let directory = context.directory;
    match each {
        ForEach::User => context.present().map(|row| Place::User(row.user.index().0)).collect(),
        ForEach::Role => (0..directory.roles.len() as u32).map(Place::Role).collect(),
        ForEach::Profile => (0..directory.profiles.len() as u32).map(Place::Profile).collect(),
        ForEach::Workspace => vec![Place::Workspace],
    }
}

/// One subject after the other.
pub(super) struct Subjects<'c, 'a> {
    context: &'c Context<'a>,
    facts: &'c Facts<'a>,
    kind: AtomicU32,
    number: AtomicU32,
}

impl<'c, 'a> Subjects<'c, 'a> {
    pub(super) fn new(context: &'c Context<'a>, facts: &'c Facts<'a>) -> Self {
        Self { context, facts, kind: AtomicU32::new(3), number: AtomicU32::new(0) }
    }

    /// Shows a subject from now on.
    pub(super) fn show(&self, place: Place) {
        let (kind, number) = match place {
            Place::User(number) => (0, number),
            Place::Role(number) => (1, number),
            Place::Profile(number) => (2, number),
            Place::Workspace => (3, 0),
        };
        self.kind.store(kind, Relaxed);
        self.number.store(number, Relaxed);
    }

    fn place(&self) -> Place {
        let number = self.number.load(Relaxed);
        match self.kind.load(Relaxed) {
            0 => Place::User(number),
            1 => Place::Role(number),
            2 => Place::Profile(number),
            _ => Place::Workspace,
        }
    }

    /// The subject of a finding about it.
    pub(super) fn subject(&self) -> Subject {
        match self.place() {
            Place::User(number) => Subject::User(UserIndex(number)),
            Place::Role(number) => Subject::Role(self.facts.roles[number as usize].role.id.clone()),
            Place::Profile(number) => Subject::Profile(self.facts.profiles[number as usize].profile.id.clone()),
            Place::Workspace => Subject::Workspace,
        }
    }

    /// Its kind and id.
    pub(super) fn label(&self) -> String {
        match self.subject() {
            Subject::User(index) => format!("user {}", self.context.directory.users.get(index).id()),
            Subject::Role(id) => format!("role {id}"),
            Subject::Profile(id) => format!("profile {id}"),
            Subject::Workspace => "the workspace".to_owned(),
        }
    }

    fn row(&self) -> Option<MatrixRow<'a>> {
        match self.place() {
            Place::User(number) => Some(self.context.input.matrix.row(UserIndex(number))),
            _ => None,
        }
    }

    fn user(&self, key: Key) -> Reading<'_> {
        let Some(row) = self.row() else { return Reading::Unknown };
        let (user, unread) = (row.user, row.user.unread());
        let known = |field, reading| if unread.has(field) { Reading::Unknown } else { reading };
        match key {
            Key::UserId => Some(user.id()).into(),
            Key::UserEmail => known(Field::Email, user.email().into()),
            Key::UserFullName => known(Field::FullName, user.full_name().into()),
            Key::UserStatus => known(Field::Status, Some(user.status().word()).into()),
            Key::UserActive => known(Field::Status, Reading::Bool(user.status().is_active())),
            Key::UserConfirmed => known(Field::Confirmed, truth(user.confirmed())),
            Key::UserAdministrator => known(Field::Profile, Reading::Bool(row.administrator)),
            Key::UserHasRole => known(Field::Role, Reading::Bool(row.role.is_some())),
            Key::UserRoleId => known(Field::Role, row.role.map(|role| role.stated.id.as_str()).into()),
            Key::UserRoleName => known(Field::Role, self.role(Key::RoleName)),
            Key::UserHasProfile => known(Field::Profile, Reading::Bool(row.profile.is_some())),
            Key::UserProfileId => known(Field::Profile, row.profile.map(|profile| profile.stated.id.as_str()).into()),
            Key::UserProfileName => known(Field::Profile, self.profile(Key::ProfileName)),
            Key::UserCreated => known(Field::Created, user.created().map_or(Reading::Unknown, Reading::Time)),
            Key::UserAccount => self.context.accounts.get(user.index()).map(|account| account.kind.word()).into(),
            _ => known(Field::Profile, self.profile(Key::ProfileCustom)),
        }
    }

    fn role(&self, key: Key) -> Reading<'_> {
        let (stated, master) = match self.place() {
            Place::User(_) => match self.row() {
                Some(row) if row.user.unread().has(Field::Role) => return Reading::Unknown,
                Some(row) => {
                    let place = row.user.role_place();
                    let Some(place) = place else { return Reading::Empty };
                    (row.role.map(|role| role.stated.id.as_str()), self.facts.role_of[place])
                }
                None => return Reading::Unknown,
            },
            Place::Role(number) => (None, Some(number as usize)),
            _ => return Reading::Unknown,
        };
        match master.map(|place| &self.facts.roles[place]) {
            Some(facts) => of_role(key, facts, self.context.directory.unread.role(&facts.role.id)),
            // The role list does not have it.
            None if key == Key::RoleId => stated.into(),
            None if key == Key::RoleName => Reading::Empty,
            None => Reading::Unknown,
        }
    }

    fn profile(&self, key: Key) -> Reading<'_> {
        let (stated, master) = match self.place() {
            Place::User(_) => match self.row() {
                Some(row) if row.user.unread().has(Field::Profile) => return Reading::Unknown,
                Some(row) => {
                    let Some(place) = row.user.profile_place() else { return Reading::Empty };
                    (row.profile.map(|profile| profile.stated.id.as_str()), self.facts.profile_of[place])
                }
                None => return Reading::Unknown,
            },
            Place::Profile(number) => (None, Some(number as usize)),
            _ => return Reading::Unknown,
        };
        match master.map(|place| &self.facts.profiles[place]) {
            Some(facts) if key == Key::ProfileAdministrator => {
                Reading::Bool(self.context.input.administrator_profiles.contains(&facts.profile.id))
            }
            Some(facts) => of_profile(key, facts, self.context.directory.unread.profile(&facts.profile.id)),
            None if key == Key::ProfileId => stated.into(),
            None if key == Key::ProfileName => Reading::Empty,
            None => Reading::Unknown,
        }
    }

    fn organization(&self, key: Key) -> Reading<'_> {
        let organization = &self.context.directory.organization;
        let population = &self.context.population;
        let text = match key {
            Key::OrganizationId => &organization.id,
            Key::OrganizationName => &organization.company_name,
            Key::OrganizationDomain => &organization.domain_name,
            Key::OrganizationPrimaryEmail => &organization.primary_email,
            Key::OrganizationEdition => &organization.paid_type,
            Key::OrganizationCountry => &organization.country_code,
            Key::OrganizationTimeZone => &organization.time_zone,
            Key::OrganizationSeats => {
                let seats = organization.users_license_purchased.and_then(|seats| i64::try_from(seats).ok());
                return seats.map_or(Reading::Unknown, Reading::Int);
            }
            Key::OrganizationUsers => return number(population.active),
            _ => return number(population.active_administrators),
        };
        text.as_deref().into()
    }

    /// The person of the roster that the user is, by the row that decides. Not known without a roster that can be relied
    /// on, without an address, and if the address belongs to several people.
    fn roster(&self, key: Key) -> Reading<'_> {
        let (Ok(people), Some(row)) = (self.context.employment.people(), self.row()) else { return Reading::Unknown };
        let member = match self.context.employment.identity(row.user.index()) {
            Identity::One(place) => people.members().get(place),
            Identity::Nobody if key == Key::RosterFound => return Reading::Bool(false),
            Identity::Nobody => return Reading::Empty,
            Identity::NoAddress | Identity::Several => None,
        };
        let Some(member) = member else { return Reading::Unknown };
        let record = member.record();
        let text = |text: &'a str| Some(text).filter(|text| !text.is_empty()).into();
        match key {
            Key::RosterFound => Reading::Bool(true),
            Key::RosterName => text(&record.name),
            Key::RosterStatus => text(&record.status),
            Key::RosterCurrent if member.standing == Standing::Unknown => Reading::Unknown,
            Key::RosterCurrent => Reading::Bool(matches!(member.standing, Standing::Current(_))),
            Key::RosterDepartment => text(&record.department),
            Key::RosterTitle => text(&record.title),
            Key::RosterManager => text(member.manager()),
            Key::RosterStart => midnight(record.start),
            _ => midnight(record.end),
        }
    }

    /// The same user in the previous audit.
    fn previous(&self, key: Key) -> Reading<'_> {
        let Some(header) = self.context.input.previous else {
            return if self.context.input.lacking.previous { Reading::Unknown } else { Reading::Empty };
        };
        let (Some(users), Some(row)) = (self.context.input.previous_users, self.row()) else {
            return Reading::Unknown;
        };
        let Some(user) = users.get(row.user.id()) else { return Reading::Empty };
        let known = |field, reading| if user.unread.has(field) { Reading::Unknown } else { reading };
        let (role, profile) = (user.role_id.as_deref(), user.profile_id.as_deref());
        match key {
            Key::PreviousFound => Reading::Bool(true),
            Key::PreviousEmail => known(Field::Email, user.email.as_deref().into()),
            Key::PreviousFullName => known(Field::FullName, user.full_name.as_deref().into()),
            Key::PreviousStatus => known(Field::Status, Some(&*user.status).into()),
            Key::PreviousActive => known(Field::Status, Reading::Bool(status(user).is_active())),
            Key::PreviousConfirmed => known(Field::Confirmed, truth(user.confirmed)),
            Key::PreviousAdministrator => {
                let is = header.administrator_profiles.iter().any(|id| Some(id.as_str()) == profile);
                known(Field::Profile, Reading::Bool(is))
            }
            Key::PreviousRoleId => known(Field::Role, role.into()),
            Key::PreviousRoleName => {
                let listed = header.roles.iter().find(|listed| Some(listed.id.as_str()) == role);
                known(Field::Role, listed.map(|listed| listed.name.as_str()).into())
            }
            Key::PreviousProfileId => known(Field::Profile, profile.into()),
            _ => {
                let listed = header.profiles.iter().find(|listed| Some(listed.id.as_str()) == profile);
                known(Field::Profile, listed.map(|listed| listed.name.as_str()).into())
            }
        }
    }
}

fn status(user: &SnapshotUser<'_>) -> Status {
    Status::from(&*user.status)
}

/// A day as the time at which it begins in UTC.
fn midnight(day: Option<NaiveDate>) -> Reading<'static> {
    day.map_or(Reading::Empty, |day| Reading::Time(day.and_time(NaiveTime::MIN).and_utc()))
}

fn truth(value: Option<bool>) -> Reading<'static> {
    value.map_or(Reading::Unknown, Reading::Bool)
}

fn number(value: usize) -> Reading<'static> {
    i64::try_from(value).map_or(Reading::Unknown, Reading::Int)
}

fn of_role<'f>(key: Key, facts: &'f RoleFacts<'_>, unread: Fields) -> Reading<'f> {
    let known = |field, reading| if unread.has(field) { Reading::Unknown } else { reading };
    match key {
        Key::RoleId => Some(facts.role.id.as_str()).into(),
        Key::RoleName => known(Field::Name, Some(facts.role.name.as_str()).into()),
        Key::RoleParent => known(Field::ReportingTo, facts.parent.into()),
        Key::RolePath => known(Field::ReportingTo, Reading::Texts(&facts.path)),
        Key::RoleAdminUser => known(Field::AdminUser, truth(facts.role.admin_user)),
        Key::RoleDepth => known(Field::ReportingTo, number(facts.depth)),
        _ => number(facts.users),
    }
}

fn of_profile<'f>(key: Key, facts: &'f ProfileFacts<'_>, unread: Fields) -> Reading<'f> {
    let known = |field, reading| if unread.has(field) { Reading::Unknown } else { reading };
    match key {
        Key::ProfileId => Some(facts.profile.id.as_str()).into(),
        Key::ProfileName => known(Field::Name, Some(facts.profile.name.as_str()).into()),
        Key::ProfileCustom => known(Field::Custom, truth(facts.profile.custom)),
        Key::ProfilePermissions => facts.permissions.as_ref().map_or(Reading::Unknown, Reading::Texts),
        Key::ProfilePermissionNames => facts.permission_names.as_ref().map_or(Reading::Unknown, Reading::Texts),
        _ => number(facts.users),
    }
}

impl View for Subjects<'_, '_> {
    fn value(&self, key: Key) -> Reading<'_> {
        match key.root() {
            Root::User => self.user(key),
            Root::Role => self.role(key),
            Root::Profile => self.profile(key),
            Root::Organization => self.organization(key),
            Root::Roster => self.roster(key),
            Root::Previous => self.previous(key),
            Root::Now => Reading::Time(self.context.input.now),
            Root::Workspace => Some(self.context.input.workspace).into(),
        }
    }

    fn group(&self) -> u64 {
        match self.place() {
            Place::User(number) => {
                let user = self.context.directory.users.get(UserIndex(number));
                // What could not be read is its own group of one.
                if user.unread().has(Field::Role) || user.unread().has(Field::Profile) {
                    return u64::MAX - u64::from(number);
                }
                let part = |place: Option<usize>| place.map_or(0, |place| place as u64 + 1);
                part(user.role_place()) << 32 | part(user.profile_place())
            }
            Place::Role(number) | Place::Profile(number) => u64::from(number),
            Place::Workspace => 0,
        }
    }
}
