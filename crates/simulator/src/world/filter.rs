//! The values of the query parameter `type` of `/users`, and whom each lists.

use super::{World, user::User};

/// What `type` asks for. The API takes exactly these words, case-sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserFilter {
    All,
    Active,
    Deactive,
    Confirmed,
    NotConfirmed,
    Deleted,
    ActiveConfirmed,
    Admin,
    ActiveConfirmedAdmins,
    CurrentUser,
}

impl UserFilter {
    /// The filter of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "AllUsers" => Self::All,
            "ActiveUsers" => Self::Active,
            "DeactiveUsers" => Self::Deactive,
            "ConfirmedUsers" => Self::Confirmed,
            "NotConfirmedUsers" => Self::NotConfirmed,
            "DeletedUsers" => Self::Deleted,
            "ActiveConfirmedUsers" => Self::ActiveConfirmed,
            "AdminUsers" => Self::Admin,
            "ActiveConfirmedAdmins" => Self::ActiveConfirmedAdmins,
            "CurrentUser" => Self::CurrentUser,
            _ => return None,
        })
    }
}

/// A stretch of the list of users.
#[derive(Debug)]
pub(crate) struct Stretch<'a> {
    pub(crate) users: Vec<&'a User>,
    /// Whether the list continues after it.
    pub(crate) more: bool,
}

impl World {
    /// The users that `filter` lists, from number `offset` on, at most `limit`.
    pub(crate) fn stretch(&self, filter: UserFilter, offset: usize, limit: usize) -> Stretch<'_> {
        if filter == UserFilter::All {
            let end = offset.saturating_add(limit).min(self.users.len());
            let users = self.users.get(offset..end).unwrap_or_default().iter().collect();
            return Stretch { users, more: end < self.users.len() };
        }
        if filter == UserFilter::CurrentUser {
            let users = self.find(&self.caller).into_iter().skip(offset).take(limit).collect();
            return Stretch { users, more: false };
        }
        let administrator = self.administrator_profile();
        let mut matching = self.users.iter().filter(|user| self.matches(user, filter, administrator)).skip(offset);
        let users = matching.by_ref().take(limit).collect();
        Stretch { users, more: matching.next().is_some() }
    }

    /// Administrators are those with the built-in profile: clones are missed, as by the real API.
    fn matches(&self, user: &User, filter: UserFilter, administrator: Option<&str>) -> bool {
        let status = self.status_of(user);
        let active = status == "active";
        let confirmed = || self.is_confirmed(user);
        let admin = || administrator.is_some() && self.profile_id_of(user) == administrator;
        match filter {
            UserFilter::Active => active,
            UserFilter::Deactive => matches!(status, "disabled" | "inactive"),
            UserFilter::Confirmed => confirmed(),
            UserFilter::NotConfirmed => !confirmed(),
            UserFilter::Deleted => status == "deleted",
            UserFilter::ActiveConfirmed => active && confirmed(),
            UserFilter::Admin => admin(),
            UserFilter::ActiveConfirmedAdmins => active && confirmed() && admin(),
            UserFilter::All | UserFilter::CurrentUser => true,
        }
    }

    /// The id of the built-in Administrator profile: by the vendor's usual id, else by name.
    fn administrator_profile(&self) -> Option<&str> {
        let built_in = |profile: &&serde_json::Value| {
            profile["category"] != true && profile["custom"] != true && profile["id"].is_string()
        };
        let mut candidates = self.profiles.iter().filter(built_in);
        let id = |profile: &serde_json::Value| profile["id"].as_str().is_some_and(|id| id.ends_with("026011"));
        candidates
            .clone()
            .find(|profile| id(profile))
            .or_else(|| candidates.find(|profile| profile["name"] == "Administrator"))
            .and_then(|profile| profile["id"].as_str())
    }
}
