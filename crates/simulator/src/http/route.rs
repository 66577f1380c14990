//! Which resource of the API a path names, and which scopes open it.

/// A resource under `/bigin/v2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Users,
    User(&'a str),
    Roles,
    Role(&'a str),
    Profiles,
    Profile(&'a str),
    Modules,
    Org,
}

/// The right to read, in the words of the scopes.
pub(super) const READ: &str = "READ";
/// The right to delete, in the words of the scopes.
pub(super) const DELETE: &str = "DELETE";

impl<'a> Route<'a> {
    /// The resource at a path; versions 1 and 2 of the API have the same ones.
    pub(super) fn parse(path: &'a str) -> Option<Self> {
        let path = path.strip_prefix("/bigin/v2/").or_else(|| path.strip_prefix("/bigin/v1/"))?;
        let mut segments = path.split('/');
        let route = match (segments.next()?, segments.next(), segments.next()) {
            ("users", None, None) => Self::Users,
            ("users", Some(id), None) => Self::User(id),
            ("settings", Some("roles"), None) => Self::Roles,
            ("settings", Some("roles"), Some(id)) => Self::Role(id),
            ("settings", Some("profiles"), None) => Self::Profiles,
            ("settings", Some("profiles"), Some(id)) => Self::Profile(id),
            ("settings", Some("modules"), None) => Self::Modules,
            ("org", None, None) => Self::Org,
            _ => return None,
        };
        segments.next().is_none().then_some(route)
    }

    /// The right that a method needs; `None` if the resource does not support it.
    pub(super) fn right(self, method: &str) -> Option<&'static str> {
        match (self, method) {
            (_, "GET") => Some(READ),
            (Self::User(_), "DELETE") => Some(DELETE),
            _ => None,
        }
    }

    /// Whether one of the granted scopes opens the resource for `right`.
    pub(super) fn is_open_to(self, granted: &[String], right: &str) -> bool {
        let area = self.area();
        granted.iter().any(|scope| {
            let Some((scope_area, scope_right)) =
                scope.strip_prefix("ZohoBigin.").and_then(|scope| scope.rsplit_once('.'))
            else {
                return false;
            };
            let covers =
                scope_area == area || area.strip_prefix(scope_area).is_some_and(|narrower| narrower.starts_with('.'));
            covers && (scope_right == "ALL" || scope_right == right)
        })
    }

    fn area(self) -> &'static str {
        match self {
            Self::Users | Self::User(_) => "users",
            Self::Roles | Self::Role(_) => "settings.roles",
            Self::Profiles | Self::Profile(_) => "settings.profiles",
            Self::Modules => "settings.modules",
            Self::Org => "org",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_both_versions_name_resources() {
        assert_eq!(Route::parse("/bigin/v2/users/12"), Some(Route::User("12")));
        assert_eq!(Route::parse("/bigin/v1/settings/profiles"), Some(Route::Profiles));
        for path in ["/bigin/v2/user", "/bigin/v3/users", "/bigin/v2/users/1/2", "/bigin/v2/org/1"] {
            assert_eq!(Route::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_scope_opens_its_area_and_what_is_below_it() {
        let open = |scope: &str, route: Route<'_>, right| route.is_open_to(&[scope.to_owned()], right);
        assert!(open("ZohoBigin.users.READ", Route::Users, READ));
        assert!(open("ZohoBigin.users.ALL", Route::User("1"), DELETE));
        assert!(open("ZohoBigin.settings.ALL", Route::Roles, READ));
        assert!(!open("ZohoBigin.users.READ", Route::User("1"), DELETE));
        assert!(!open("ZohoBigin.settings.roles.READ", Route::Profiles, READ));
        assert!(!open("ZohoCRM.users.READ", Route::Users, READ));
    }
}
