//! The names that a rule can use: each has a type, and each is always there.

use crate::model::policy::ForEach;

/// What a key belongs to: the name before the dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// The user that is judged.
    User,
    /// The user's role, or the role that is judged.
    Role,
    /// The user's profile, or the profile that is judged.
    Profile,
    /// The organization.
    Organization,
    /// The user's entry on the roster.
    Roster,
    /// The same user in the previous audit.
    Previous,
    /// When the workspace is judged.
    Now,
    /// The workspace's name.
    Workspace,
}

impl Root {
    /// All of them, as the documentation lists them.
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::Role,
        Self::Profile,
        Self::Organization,
        Self::Roster,
        Self::Previous,
        Self::Now,
        Self::Workspace,
    ];

    /// Its name in a rule.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Profile => "profile",
            Self::Organization => "organization",
            Self::Roster => "roster",
            Self::Previous => "previous",
            Self::Now => "now",
            Self::Workspace => "workspace",
        }
    }

    /// The root of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|root| root.name() == name)
    }

    /// Whether it is a value itself and has no keys.
    pub fn is_value(self) -> bool {
        matches!(self, Self::Now | Self::Workspace)
    }
}

/// The type of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`; false if it is empty.
    Bool,
    /// A whole number. It has no empty value: reading one that is not known fails.
    Int,
    /// A text; empty if there is none.
    Text,
    /// A timestamp. It has no empty value: reading one that is not known fails.
    Time,
    /// A list of texts; empty if there is none.
    Texts,
}

impl Kind {
    /// Its name for readers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int => "whole number",
            Self::Text => "text",
            Self::Time => "timestamp",
            Self::Texts => "list of texts",
        }
    }
}

macro_rules! keys {
    ($($key:ident = $root:ident . $name:literal : $kind:ident, $about:literal;)*) => {
        /// A name that a rule can use.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key { $(#[doc = $about] $key,)* }

        impl Key {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$key,)*];

            /// What it belongs to.
            pub fn root(self) -> Root {
                match self { $(Self::$key => Root::$root,)* }
            }

            /// Its name after the dot. Empty if the root is the value.
            pub fn name(self) -> &'static str {
                match self { $(Self::$key => $name,)* }
            }

            /// Its type.
            pub fn kind(self) -> Kind {
                match self { $(Self::$key => Kind::$kind,)* }
            }

            /// What it is, for the documentation.
            pub fn about(self) -> &'static str {
                match self { $(Self::$key => $about,)* }
            }
        }
    };
}

keys! {
    UserId = User."id": Text, "The id.";
    UserEmail = User."email": Text, "The address.";
    UserFullName = User."full_name": Text, "The display name.";
    UserStatus = User."status": Text, "The status in the API's own word.";
    UserActive = User."active": Bool, "Whether the status is active.";
    UserConfirmed = User."confirmed": Bool, "Whether the invitation was accepted.";
    UserAdministrator = User."administrator": Bool, "Whether the profile is an administrator profile.";
    UserHasRole = User."has_role": Bool, "Whether the user has a role.";
    UserRoleId = User."role_id": Text, "The role's id.";
    UserRoleName = User."role_name": Text, "The role's name in the role list.";
    UserHasProfile = User."has_profile": Bool, "Whether the user has a profile.";
    UserProfileId = User."profile_id": Text, "The profile's id.";
    UserProfileName = User."profile_name": Text, "The profile's name in the profile list.";
    UserCreated = User."created": Time, "When the user was created.";
    UserCustom = User."custom": Bool, "Whether the user's profile is a custom one.";
    UserAccount = User."account": Text, "What the policy declares the user to be: service, shared or break-glass; empty for people.";
    RoleId = Role."id": Text, "The id.";
    RoleName = Role."name": Text, "The name.";
    RoleParent = Role."parent": Text, "The name of the role above.";
    RolePath = Role."path": Texts, "The names of the roles from the top down to this one.";
    RoleAdminUser = Role."admin_user": Bool, "Whether the role carries administrative power.";
    RoleDepth = Role."depth": Int, "Levels below the top; 0 at the top.";
    RoleUsers = Role."users": Int, "How many active users hold it.";
    ProfileId = Profile."id": Text, "The id.";
    ProfileName = Profile."name": Text, "The name.";
    ProfileCustom = Profile."custom": Bool, "Whether the customer made it.";
    ProfilePermissions = Profile."permissions": Texts, "What it permits: the labels in the product, or the names in the API where there is no label.";
    ProfilePermissionNames = Profile."permission_names": Texts, "What it permits: the names in the API.";
    ProfileAdministrator = Profile."administrator": Bool, "Whether it is an administrator profile.";
    ProfileUsers = Profile."users": Int, "How many active users hold it.";
    OrganizationId = Organization."id": Text, "The id.";
    OrganizationName = Organization."name": Text, "The company's name.";
    OrganizationDomain = Organization."domain": Text, "The domain name that the vendor gave it.";
    OrganizationPrimaryEmail = Organization."primary_email": Text, "The primary user's address.";
    OrganizationEdition = Organization."edition": Text, "The edition.";
    OrganizationCountry = Organization."country": Text, "The country code.";
    OrganizationTimeZone = Organization."time_zone": Text, "The time zone.";
    OrganizationSeats = Organization."licensed_seats": Int, "Licensed seats.";
    OrganizationUsers = Organization."users": Int, "How many active users there are.";
    OrganizationAdministrators = Organization."administrators": Int, "How many active users have full power.";
    RosterFound = Roster."found": Bool, "Whether the user is on the roster.";
    RosterName = Roster."name": Text, "The name.";
    RosterStatus = Roster."status": Text, "The status in the roster's own word.";
    RosterCurrent = Roster."current": Bool, "Whether the person works here now.";
    RosterDepartment = Roster."department": Text, "The department.";
    RosterTitle = Roster."title": Text, "The job title.";
    RosterManager = Roster."manager": Text, "The manager.";
    RosterStart = Roster."start": Time, "The first day, at midnight UTC.";
    RosterEnd = Roster."end": Time, "The last day, at midnight UTC.";
    PreviousFound = Previous."found": Bool, "Whether the previous audit had this user.";
    PreviousEmail = Previous."email": Text, "The address.";
    PreviousFullName = Previous."full_name": Text, "The display name.";
    PreviousStatus = Previous."status": Text, "The status in the API's own word.";
    PreviousActive = Previous."active": Bool, "Whether the status was active.";
    PreviousConfirmed = Previous."confirmed": Bool, "Whether the invitation was accepted.";
    PreviousAdministrator = Previous."administrator": Bool, "Whether the profile was an administrator profile.";
    PreviousRoleId = Previous."role_id": Text, "The role's id.";
    PreviousRoleName = Previous."role_name": Text, "The role's name in that audit's role list.";
    PreviousProfileId = Previous."profile_id": Text, "The profile's id.";
    PreviousProfileName = Previous."profile_name": Text, "The profile's name in that audit's profile list.";
    Now = Now."": Time, "When the workspace is judged.";
    Workspace = Workspace."": Text, "The workspace's name in the configuration.";
}

impl Key {
    /// The key of a root by its name.
    pub fn of(root: Root, name: &str) -> Option<Self> {
        Self::of_root(root).find(|key| key.name() == name)
    }

    /// The keys of a root.
    pub fn of_root(root: Root) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |key| key.root() == root)
    }

    /// The name as a rule writes it: `user.email`.
    pub fn path(self) -> String {
        match self.name() {
            "" => self.root().name().to_owned(),
            name => format!("{}.{name}", self.root().name()),
        }
    }

    /// The key that a rule writes so.
    pub fn parse(path: &str) -> Option<Self> {
        let (root, name) = path.split_once('.').unwrap_or((path, ""));
        Self::of(Root::of(root)?, name)
    }
}

/// What a rule can name.
pub fn roots(each: ForEach) -> impl Iterator<Item = Root> {
    Root::ALL.into_iter().filter(move |root| match root {
        Root::Organization | Root::Now | Root::Workspace => true,
        Root::User | Root::Roster | Root::Previous => each == ForEach::User,
        Root::Role => matches!(each, ForEach::User | ForEach::Role),
        Root::Profile => matches!(each, ForEach::User | ForEach::Profile),
    })
}
