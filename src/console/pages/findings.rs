//! The findings of a workspace's last audit, with the lines of configuration that would accept each.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    Area, Choice, Frame, Pager,
    text::{label, path, prose, with_query},
    workspace::Head,
};
use crate::{
    access::drift::KnownFinding,
    console::{index::Indexed, viewer::Viewer},
    exceptions::{Known, acceptance_of},
    model::{finding::Severity, kind::Product, policy::Policy, rule::RuleInfo},
    words::{count, number},
};

/// Findings on one page.
const PAGE: usize = 100;

/// Which findings.
#[derive(Debug, Clone, Default)]
pub(in crate::console) struct Asked {
    /// The rule. Empty for all.
    pub(in crate::console) rule: String,
    /// `accepted` or `all`. Empty for those that are open.
    pub(in crate::console) show: String,
    /// The page, from 1.
    pub(in crate::console) page: usize,
}

#[derive(Template)]
#[template(path = "console/findings.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    head: Head,
    address: String,
    rules: Vec<Choice>,
    show: Vec<Choice>,
    found: String,
    groups: Vec<Group>,
    pager: Pager,
}

/// The findings of a rule.
struct Group {
    rule: String,
    title: String,
    severity: &'static str,
    advice: String,
    rows: Vec<Row>,
}

struct Row {
    subject: String,
    address: String,
    message: String,
    is_open: bool,
    /// The lines that accept it. Empty if none do, or if it is accepted.
    lines: String,
}

/// The page.
pub(in crate::console) fn page(
    viewer: &Viewer,
    audit: &Indexed,
    asked: &Asked,
    product: Product,
    now: DateTime<Utc>,
) -> Page {
    let (policy, rules) = (audit.policy(), audit.rules());
    let is_shown = |finding: &&KnownFinding| match asked.show.as_str() {
        "all" => true,
        "accepted" => !finding.open,
        _ => finding.open,
    };
    let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in audit.header.findings.iter().filter(is_shown) {
        *by_rule.entry(&finding.rule).or_default() += 1;
    }
    let is_asked = |finding: &&KnownFinding| asked.rule.is_empty() || *finding.rule == *asked.rule;
    let all = rules.order.iter().map(|place| &audit.header.findings[*place as usize]);
    let found: Vec<&KnownFinding> = all.filter(is_shown).filter(is_asked).collect();
    let pages = found.len().div_ceil(PAGE).max(1);
    let at = asked.page.clamp(1, pages);
    let shown = &found[(at - 1) * PAGE..(at * PAGE).min(found.len())];
    let base = path(&["workspaces", &audit.record.workspace, "findings"]);
    let groups = shown.chunk_by(|one, other| one.rule == other.rule).map(|of_rule| {
        let rule = of_rule.first().map_or("", |finding| &*finding.rule);
        let rows = of_rule.iter().map(|finding| row(audit, &policy, finding, now)).collect();
        let advice = rules.list.get(rule).map(|info| prose(&info.advice(product)).replace('`', "")).unwrap_or_default();
        group(rule, rules.list.get(rule), audit.severity(&rules.list, rule), advice, rows)
    });
    let choice =
        |(rule, all): (&&str, &usize)| Choice::new(rule, format!("{} ({})", label(rule), number(*all)), &asked.rule);
    let offered = [("", "open"), ("accepted", "accepted"), ("all", "all")];
    let query = |page: usize| {
        let page = if page > 1 { page.to_string() } else { String::new() };
        with_query(&base, &[("rule", &asked.rule), ("show", &asked.show), ("page", &page)])
    };
    Page {
        frame: Frame::of(viewer, Area::Workspaces, format!("Findings of {}", label(&audit.record.workspace))),
        head: Head::of(audit, "findings"),
        rules: [Choice::new("", "all", "-")].into_iter().chain(by_rule.iter().map(choice)).collect(),
        show: offered.map(|(value, said)| Choice::new(value, said, &asked.show)).into(),
        found: count(found.len(), "finding"),
        groups: groups.collect(),
        pager: Pager::of(at, pages, query),
        address: base,
    }
}

fn group(rule: &str, info: Option<&RuleInfo>, severity: Option<Severity>, advice: String, rows: Vec<Row>) -> Group {
    Group {
        rule: label(rule),
        title: info.map_or_else(|| label(rule), |info| label(&info.title)),
        severity: severity.map_or("", Severity::word),
        advice,
        rows,
    }
}

fn row(audit: &Indexed, policy: &Policy, finding: &KnownFinding, now: DateTime<Utc>) -> Row {
    let workspace = audit.record.workspace.as_str();
    let address = match &*finding.subject_type {
        "user" => path(&["workspaces", workspace, "users", &finding.subject_id]),
        "profile" if audit.profile(&finding.subject_id).is_some() => {
            path(&["workspaces", workspace, "profiles", &finding.subject_id])
        }
        _ => String::new(),
    };
    let known = Known {
        rule: &finding.rule,
        kind: &finding.subject_type,
        id: &finding.subject_id,
        label: &finding.subject,
        workspace,
    };
    Row {
        subject: if &*finding.subject_type == "workspace" {
            "the workspace".to_owned()
        } else {
            label(&finding.subject)
        },
        address,
        message: prose(&finding.message),
        is_open: finding.open,
        lines: if finding.open {
            acceptance_of(&known, policy, now.date_naive()).unwrap_or_default()
        } else {
            String::new()
        },
    }
}
