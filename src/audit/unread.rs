//! Which fields a rule needs. If one of a subject's fields could not be read, the rules that need it are not evaluated for
//! this subject, and say so.

use crate::{
    model::{
        directory::Directory,
        finding::Subject,
        unread::{Field, Fields},
        users::{User, UserIndex},
    },
    words::{count, number},
};

/// The most records that are named in a reason.
const EXAMPLES: usize = 3;

/// What a rule needs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// Of each record that it judges.
    fields: Fields,
    /// Whether it also says that there is nobody, or nothing: then one record whose field is unknown leaves it open.
    says_none: bool,
}

/// What the rule of this name needs; nothing if it judges no record.
pub(super) fn needs(rule: &str) -> Needs {
    use Field::{
        AdminUser, Confirmed, Created, Custom, Email, FullName, Name, Profile, ReportingTo, Role, Status, Zuid,
    };
    let (fields, says_none): (&[Field], bool) = match rule {
        "no-administrator" | "only-one-administrator" => (&[Status, Profile, Confirmed], true),
        "unapproved-administrator" => (&[Status, Profile, Email], false),
        "primary-user-inactive" => (&[Status, Zuid, Confirmed], true),
        "unconfirmed-administrator" => (&[Status, Profile, Confirmed], false),
        "administrator-clone"
        | "inactive-administrator"
        | "too-many-administrators"
        | "administrator"
        | "new-full-power" => (&[Status, Profile], false),
        "administrative-role" => (&[Status, Role, Profile, AdminUser], false),
        "dangerous-profile" => (&[Status, Profile, Custom], false),
        "break-glass-changed" => (&[Status, Profile, Role, Confirmed, Email], false),
        "conflicting-access" | "decision-not-carried-out" | "changed-without-decision" => {
            (&[Status, Profile, Role], false)
        }
        "unknown-profile" | "no-profile" => (&[Profile], false),
        "unknown-role" | "no-role" => (&[Role], false),
        "unknown-status" => (&[Status], false),
        "unexpected-access" => (&[Status, Email, Profile, Role], false),
        "joiner-without-account" => (&[Email], true),
        "outside-domain"
        | "shared-mailbox"
        | "look-alike-address"
        | "leaver-active"
        | "ambiguous-roster-match"
        | "not-on-roster"
        | "manager-left" => (&[Status, Email], false),
        "duplicate-person" => (&[Status, Email, Zuid, FullName], false),
        "unconfirmed-user" => (&[Status, Confirmed, Created], false),
        "role-cycle" | "missing-parent-role" => (&[ReportingTo], false),
        "stale-role-name" => (&[Role, Name], false),
        "stale-profile-name" => (&[Profile, Name], false),
        "unused-profile" => (&[Profile, Custom], true),
        "unused-role" => (&[Role], true),
        "similar-profile-names" | "similar-role-names" => (&[Name], false),
        _ => (&[], false),
    };
    Needs { fields: Fields::of(fields), says_none }
}

/// The users of a directory that are not deleted and have fields that could not be read.
pub(super) fn users(directory: &Directory) -> Vec<(UserIndex, Fields)> {
    let users = directory.users.iter().filter(|user| !user.unread().is_empty() && !user.status().is_deleted());
    users.map(|user| (user.index(), user.unread())).collect()
}

/// The fields of a user, and of the role and profile that it holds, that could not be read.
fn of_user(user: &User<'_>, directory: &Directory) -> Fields {
    let role = user.role().map(|role| directory.unread.role(&role.id)).unwrap_or_default();
    let profile = user.profile().map(|profile| directory.unread.profile(&profile.id)).unwrap_or_default();
    user.unread().or(role).or(profile)
}

impl Needs {
    /// Whether a finding about a subject would rest on a field that could not be read. `users` are those with such fields.
    pub(super) fn forbid(self, subject: &Subject, directory: &Directory, users: &[(UserIndex, Fields)]) -> bool {
        let of_subject = match subject {
            Subject::User(index) => return self.lack(of_user(&directory.users.get(*index), directory)),
            Subject::Role(id) => directory.unread.role(id),
            Subject::Profile(id) => directory.unread.profile(id),
            Subject::Workspace => Fields::default(),
        };
        self.lack(of_subject) || (self.says_none && users.iter().any(|(_, unread)| self.lack(*unread)))
    }

    fn lack(self, unread: Fields) -> bool {
        !self.fields.both(unread).is_empty()
    }

    /// For which records the rule was not evaluated; `None` if there is none.
    pub(super) fn reason(self, directory: &Directory, users: &[(UserIndex, Fields)]) -> Option<String> {
        let users = users.iter().map(|(index, unread)| ("user", directory.users.get(*index).id(), *unread));
        let roles = directory.unread.roles.iter().map(|(id, fields)| ("role", id.as_str(), *fields));
        let profiles = directory.unread.profiles.iter().map(|(id, fields)| ("profile", id.as_str(), *fields));
        let (mut some, mut all) = (Vec::new(), 0);
        for (kind, id, unread) in users.chain(roles).chain(profiles).filter(|(_, _, unread)| self.lack(*unread)) {
            all += 1;
            if some.len() < EXAMPLES {
                some.push(format!("{kind} {id} ({})", self.fields.both(unread).words()));
            }
        }
        let more = all - some.len();
        let more = if more > 0 { format!(" and {} more", number(more)) } else { String::new() };
        let records = count(all, "record");
        (all > 0).then(|| format!("{records} with a field that could not be read: {}{more}", some.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::registry;

    #[test]
    fn most_rules_need_fields_and_rules_about_the_policy_need_none() {
        let without: Vec<String> = registry::built_in()
            .map(|rule| rule.info.name.to_string())
            .filter(|name| needs(name).fields.is_empty())
            .collect();
        let expected = [
            "incomplete-read",
            "primary-user-changed",
            "unreliable-roster",
            "expired-exception",
            "long-exception",
            "unmatched-exception",
            "unmatched-policy-entry",
        ];
        assert_eq!(without, expected);
    }
}
