//! One account of a workspace: what it can do, its findings, how it changed, and what people decided about it.

use askama::Template;

use super::{
    Area, Frame,
    facts::{decision, permission, power, status},
    text::{day, label, moment, path, prose},
    workspace::Head,
};
use crate::{
    access::power::is_dangerous,
    console::{
        history::{Change, History, Step},
        index::{Account, Indexed},
        viewer::Viewer,
    },
    model::directory::Permissions,
    review::{
        item::Item,
        state::{Course, Review},
    },
    words::count,
};

/// Steps of the history that are shown, the latest.
const STEPS: usize = 50;
/// Permissions that are named.
const PERMISSIONS: usize = 40;

#[derive(Template)]
#[template(path = "console/person.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    head: Head,
    name: String,
    email: String,
    user_id: String,
    status: String,
    role: String,
    profile: String,
    profile_address: String,
    power: &'static str,
    is_full: bool,
    permits: String,
    dangerous: Vec<String>,
    findings: Vec<Finding>,
    steps: Vec<(String, String)>,
    since: String,
    /// The address of the whole history.
    history: String,
    decisions: Vec<Decided>,
}

struct Finding {
    rule: String,
    message: String,
    is_open: bool,
}

/// A decision in a review.
struct Decided {
    review: String,
    address: String,
    said: String,
    reason: String,
    at: String,
}

/// The page. `reviews` are those that the person may read and that have the account.
pub(in crate::console) fn page(
    viewer: &Viewer,
    audit: &Indexed,
    account: &Account,
    history: &History,
    reviews: &[(&Review, &Item, &Course)],
) -> Page {
    let profile = account.profile.as_deref();
    let (permits, dangerous) = permits(audit, account);
    let steps = history.of(&account.id);
    let findings = audit.findings_of(&account.id).map(|finding| Finding {
        rule: label(&finding.rule),
        message: prose(&finding.message),
        is_open: finding.open,
    });
    let name = label(account.label());
    Page {
        frame: Frame::of(viewer, Area::Workspaces, format!("{name}, {}", label(&audit.record.workspace))),
        head: Head::of(audit, ""),
        name,
        email: label(account.email.as_deref().unwrap_or("none")),
        user_id: label(&account.id),
        status: status(account),
        role: held(&audit.shown_role(account)),
        profile: held(&audit.shown_profile(account)),
        profile_address: profile
            .filter(|id| audit.profile(id).is_some())
            .map(|id| path(&["workspaces", &audit.record.workspace, "profiles", id]))
            .unwrap_or_default(),
        power: power(account.power),
        is_full: account.power.is_full(),
        permits,
        dangerous,
        findings: findings.collect(),
        steps: steps.iter().rev().take(STEPS).map(|step| (day(step.at), said(step))).collect(),
        history: path(&["workspaces", &audit.record.workspace, "users", &account.id, "history"]),
        since: history.since.map(day).unwrap_or_default(),
        decisions: reviews.iter().flat_map(|(review, item, course)| decisions(review, item, course)).collect(),
    }
}

fn held(name: &str) -> String {
    if name.is_empty() { "none".to_owned() } else { label(name) }
}

/// How many permissions the profile gives, and those that the policy calls dangerous.
fn permits(audit: &Indexed, account: &Account) -> (String, Vec<String>) {
    let Some(id) = account.profile.as_deref() else { return (String::new(), Vec::new()) };
    let Some(profile) = audit.profile(id) else {
        return ("The profile list does not have this profile.".to_owned(), Vec::new());
    };
    if let Permissions::Unknown(why) = &profile.permissions {
        return (format!("The API does not say what it permits: {}", prose(why)), Vec::new());
    }
    let fragments = audit.header.policy.as_ref().map_or(&[][..], |policy| &policy.dangerous_permissions);
    let enabled = || profile.permissions.enabled().into_iter().flatten();
    let dangerous = enabled().filter(|one| is_dangerous(one, fragments)).take(PERMISSIONS).map(permission);
    (format!("It gives {}.", count(enabled().count(), "permission")), dangerous.collect())
}

fn said(step: &Step) -> String {
    let value = |value: &str| if value.is_empty() { "none".to_owned() } else { format!("“{}”", label(value)) };
    match &step.change {
        Change::Added => "The account is new.".to_owned(),
        Change::Gone => "The account is not listed any more.".to_owned(),
        Change::Field { name, before, now } => format!("The {name} changed from {} to {}.", value(before), value(now)),
    }
}

/// The decisions about an account in a review, the latest first.
fn decisions(review: &Review, item: &Item, course: &Course) -> Vec<Decided> {
    let address = path(&["reviews", &review.id().to_string(), "items", &item.item.to_string()]);
    let name = label(&review.opening().name);
    if course.decisions().is_empty() {
        let said = format!("Waits for {}", label(course.reviewer().as_str()));
        let at = format!("due on {}", day(review.opening().due));
        return vec![Decided { review: name, address, said, reason: String::new(), at }];
    }
    let decided = course.decisions().iter().rev().map(|made| Decided {
        review: name.clone(),
        address: address.clone(),
        said: format!("{} by {}", decision(&made.decision), label(made.by.as_str())),
        reason: made.reason.as_deref().map(prose).unwrap_or_default(),
        at: moment(made.at),
    });
    decided.collect()
}
