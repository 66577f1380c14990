//! One user of the workspace, and its JSON.
//!
//! A generated user is only a number until it is read; one that was edited, added or
//! given as JSON is kept as text. Pages are written straight into a `String`: no tree of values is
//! built for a user on the way to the wire.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use serde_json::Value;

use super::{
    World,
    population::{FIRST_USER_ID, FIRST_ZUID, Member, Part},
};

/// A user of the workspace.
#[derive(Debug, Clone)]
pub(crate) enum User {
    /// Number so-and-so of the population.
    Generated(u32),
    /// A complete record.
    Raw(Arc<RawUser>),
}

/// A record kept as JSON, with what the filters ask of it.
#[derive(Debug)]
pub(crate) struct RawUser {
    pub(super) json: String,
    id: String,
    status: String,
    confirmed: bool,
    profile_id: Option<String>,
    zuid: Option<String>,
}

impl RawUser {
    pub(super) fn new(record: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Self {
            json: record.to_string(),
            id: text(&record["id"]).unwrap_or_default(),
            status: text(&record["status"]).unwrap_or_default(),
            confirmed: record["confirm"].as_bool().unwrap_or_default(),
            profile_id: text(&record["profile"]["id"]),
            zuid: text(&record["zuid"]),
        }
    }
}

impl User {
    /// The id; empty if the record has none.
    pub(super) fn id(&self) -> Cow<'_, str> {
        match self {
            Self::Generated(index) => Cow::Owned(generated_id(*index)),
            Self::Raw(raw) => Cow::Borrowed(&raw.id),
        }
    }

    /// Finds users by id without spelling out the id of each generated one.
    pub(super) fn has_id(id: &str) -> impl Fn(&Self) -> bool {
        let number = id.parse::<u64>().ok().and_then(|number| number.checked_sub(FIRST_USER_ID));
        let wanted = number.and_then(|number| u32::try_from(number).ok()).filter(|index| generated_id(*index) == id);
        move |user| match user {
            Self::Generated(index) => wanted == Some(*index),
            Self::Raw(raw) => raw.id == id,
        }
    }
}

impl World {
    pub(crate) fn status_of<'a>(&self, user: &'a User) -> &'a str {
        match user {
            User::Generated(index) => self.population.member(*index).status,
            User::Raw(raw) => &raw.status,
        }
    }

    pub(crate) fn is_confirmed(&self, user: &User) -> bool {
        match user {
            User::Generated(index) => self.population.member(*index).confirmed,
            User::Raw(raw) => raw.confirmed,
        }
    }

    pub(crate) fn profile_id_of<'a>(&self, user: &'a User) -> Option<&'a str> {
        match user {
            User::Generated(index) => Some(self.population.member(*index).profile.id),
            User::Raw(raw) => raw.profile_id.as_deref(),
        }
    }

    pub(crate) fn zuid_of<'a>(&self, user: &'a User) -> Option<Cow<'a, str>> {
        match user {
            User::Generated(index) => {
                let member = self.population.member(*index);
                member.confirmed.then(|| Cow::Owned(zuid(member)))
            }
            User::Raw(raw) => raw.zuid.as_deref().map(Cow::Borrowed),
        }
    }

    /// Appends the user's record to `out`.
    pub(crate) fn write_user(&self, user: &User, out: &mut String) {
        match user {
            User::Generated(index) => self.write_member(self.population.member(*index), out),
            User::Raw(raw) => out.push_str(&raw.json),
        }
    }

    /// The user's record as a value, to be changed.
    pub(super) fn record(&self, user: &User) -> Value {
        let mut text = String::new();
        self.write_user(user, &mut text);
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Writes a generated record with every key that the API sends, nulls included, and one that it
    /// does not send yet: the API grows without a new version, and clients must not mind.
    fn write_member(&self, member: Member, out: &mut String) {
        let name = self.population.name(member);
        let stale = member.part == Part::StaleNames;
        let noise = member.noise;
        let online = member.status == "active" && member.confirmed && noise.is_multiple_of(7);

        out.push_str(
            r#"{"country":"US","Preferred_Currency__s":null,"language":"en_US","microsoft":false,"$shift_effective_from":null,"id":""#,
        );
        out.push_str(&generated_id(member.index));
        let (year, month, day) = (2023 + (noise >> 16) % 3, 1 + (noise >> 20) % 12, 1 + (noise >> 24) % 28);
        // Writing into a `String` cannot fail.
        let _ = write!(
            out,
            r#"","state":null,"fax":null,"country_locale":"en_US","sandboxDeveloper":false,"zip":null,"decimal_separator":"Period","created_time":"{year}-{month:02}-{day:02}T09:14:03+00:00","time_format":"hh:mm a","offset":0,"profile":"#,
        );
        let profile_name =
            if stale { "Standard User" } else { self.profile_name(member.profile.id, member.profile.name) };
        push_reference(out, profile_name, member.profile.id);
        out.push_str(r#","created_by":"#);
        out.push_str(&self.author);
        out.push_str(r#","zuid":"#);
        push_optional(out, member.confirmed.then(|| zuid(member)).as_deref());
        out.push_str(r#","full_name":"#);
        push_string(out, &name.full());
        out.push_str(r#","phone":null,"dob":null,"status":""#);
        out.push_str(member.status);
        out.push_str(r#"","role":"#);
        match member.role {
            Some(role) => {
                let role_name = if stale { "Account Executive" } else { self.role_name(role.id, role.name) };
                push_reference(out, role_name, role.id);
            }
            None => out.push_str("null"),
        }
        let _ = write!(
            out,
            r##","customize_info":{{"notes_desc":null,"show_right_panel":null,"bc_view":null,"show_home":false,"show_detail_view":true,"show_left_panel":true,"unpin_recent_item":null}},"city":null,"signature":null,"sort_order_preference":"First Name,Last Name","name_format":"Salutation,First Name,Last Name","locale":"en_US","personal_account":false,"Isonline":{online},"default_tab_group":"0","Modified_By":{author},"street":null,"$current_shift":null,"alias":null,"theme":{{"normal_tab":{{"font_color":"#FFFFFF","background":"#222222"}},"selected_tab":{{"font_color":"#FFFFFF","background":"#222222"}},"new_background":null,"background":"#F3F0EB","screen":"fixed","type":"default"}},"first_name":"##,
            author = self.author,
        );
        push_optional(out, name.first.as_deref());
        out.push_str(r#","email":"#);
        push_string(out, &name.email);
        let (month, day) = (1 + (noise >> 32) % 9, 1 + (noise >> 36) % 28);
        let _ = write!(
            out,
            r#","status_reason__s":null,"website":null,"Modified_Time":"2026-{month:02}-{day:02}T16:40:55+00:00","$next_shift":null,"mobile":null,"last_name":"#,
        );
        push_optional(out, name.last.as_deref());
        let confirmed = member.confirmed;
        let _ = write!(
            out,
            r#","time_zone":"Etc/UTC","number_separator":"Comma","confirm":{confirmed},"date_format":"MM/dd/yyyy","category":"regular_user","Future_Field__s":{{"values":[null,1.5]}}}}"#,
        );
    }
}

pub(super) fn generated_id(index: u32) -> String {
    (FIRST_USER_ID + u64::from(index)).to_string()
}

fn zuid(member: Member) -> String {
    (FIRST_ZUID + u64::from(member.index)).to_string()
}

/// Appends `{"name":…,"id":…}`, the API's way to refer to something.
pub(super) fn push_reference(out: &mut String, name: &str, id: &str) {
    out.push_str(r#"{"name":"#);
    push_string(out, name);
    out.push_str(r#","id":"#);
    push_string(out, id);
    out.push('}');
}

fn push_optional(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => push_string(out, text),
        None => out.push_str("null"),
    }
}

/// Appends a JSON string. Nearly all need no escape, which is found out without an allocation.
fn push_string(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&Value::from(text).to_string());
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}
