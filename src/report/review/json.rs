//! `review.json`, under a published schema. Docstrings become the descriptions of the schema.

use std::io::{self, Write};

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::days;
use crate::{
    access::power::Power,
    review::{
        carrying_out::CarriedOut,
        event::{Decision, Target},
        item::{Item, Named},
        state::{Course, Made, Review, Stage},
    },
};

/// The version of the format, as `schema_version` in every file.
pub const SCHEMA_VERSION: &str = "1.0";

/// A review by people. A value is null if it is not known or there is none.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "rolecall review", deny_unknown_fields)]
struct Document<'a> {
    /// The version of this format.
    schema_version: &'static str,
    /// The review's id.
    id: Uuid,
    /// Its name in the configuration.
    name: &'a str,
    /// The job whose audits it is about.
    job: &'a str,
    /// Which accounts of those that can sign in: `all`, `privileged` or `changed`.
    scope: &'static str,
    /// `open`, `decided`, `closed` or `cancelled`.
    state: &'static str,
    /// Who opened, assigned and closed.
    owner: &'a str,
    /// When it was opened.
    opened_at: DateTime<Utc>,
    /// When every decision was due.
    due: DateTime<Utc>,
    /// When it was closed.
    closed_at: Option<DateTime<Utc>>,
    /// The day of the next review.
    next_review: Option<NaiveDate>,
    /// Whether every account stays as it is, as the owner said when closing.
    no_change_needed: Option<bool>,
    /// Whether a removal is to be carried out by another person than who decided it.
    four_eyes: bool,
    /// The audits that it is about, one for each workspace.
    audits: Vec<AuditLine<'a>>,
    /// The SHA-256 of population.json.
    population_sha256: &'a str,
    /// The accounts.
    items: Vec<ItemLine<'a>>,
    /// What was confirmed.
    attestations: Vec<AttestationLine<'a>>,
    /// How long it took to carry decisions out.
    service_level: ServiceLine,
}

/// The audit of one workspace.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AuditLine<'a> {
    /// The workspace.
    workspace: &'a str,
    /// The audit's id.
    audit: Uuid,
    /// The folder of its evidence bag.
    bag: &'a str,
    /// The SHA-256 of the bag's tagmanifest-sha256.txt.
    bag_sha256: &'a str,
    /// When its read ended.
    read_at: DateTime<Utc>,
}

/// A role or profile.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NamedLine<'a> {
    /// Its id.
    id: &'a str,
    /// Its name.
    name: Option<&'a str>,
}

impl<'a> From<&'a Named> for NamedLine<'a> {
    fn from(named: &'a Named) -> Self {
        Self { id: &named.id, name: named.name.as_deref() }
    }
}

/// One account in one workspace.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ItemLine<'a> {
    /// Its number.
    item: u32,
    /// The workspace.
    workspace: &'a str,
    /// The user's id.
    user_id: &'a str,
    /// The display name.
    full_name: Option<&'a str>,
    /// The address.
    email: Option<&'a str>,
    /// The status as the API wrote it.
    status: &'a str,
    /// The role.
    role: Option<NamedLine<'a>>,
    /// The profile.
    profile: Option<NamedLine<'a>>,
    /// How much power the account had.
    power: Power,
    /// The rules with open findings about it.
    findings: Vec<&'a str>,
    /// Whether it was new or had changed since the review before.
    changed: bool,
    /// Who was to decide at the end.
    reviewer: &'a str,
    /// Earlier and later reviewers, in order.
    assignments: Vec<AssignmentLine<'a>>,
    /// Every decision, in order; the last one stands.
    decisions: Vec<DecisionLine<'a>>,
    /// What programs proposed.
    proposals: Vec<ProposalLine<'a>>,
    /// `none`, `open` or `proven`.
    carried_out: &'static str,
    /// Until when an audit had to show that it was carried out.
    carry_out_by: Option<DateTime<Utc>>,
    /// The audit that shows it.
    proven_by: Option<Uuid>,
    /// What that audit shows: `gone`, `deleted`, `inactive` or `changed`.
    shown: Option<&'static str>,
}

/// A change of the reviewer.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AssignmentLine<'a> {
    /// When.
    at: DateTime<Utc>,
    /// To whom.
    to: &'a str,
    /// Why.
    reason: &'a str,
    /// Who said it.
    by: String,
}

/// A decision.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct DecisionLine<'a> {
    /// `keep`, `change` or `remove`.
    decision: &'static str,
    /// The role that the account is to get.
    change_to_role: Option<NamedLine<'a>>,
    /// The profile that the account is to get.
    change_to_profile: Option<NamedLine<'a>>,
    /// Why.
    reason: Option<&'a str>,
    /// Who decided.
    by: &'a str,
    /// When.
    at: DateTime<Utc>,
    /// How it was said: `command-line`, `spreadsheet`, `signed-spreadsheet`, `mail-link`, `console-link` or `console`.
    via: &'static str,
    /// The SHA-256 of the spreadsheet that said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    spreadsheet_sha256: Option<&'a str>,
    /// The fingerprint of the key that signed the spreadsheet.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<&'a str>,
    /// How many accounts were decided about at once.
    decided_together: usize,
    /// The SHA-256 that identifies the bag of the audit that was decided about.
    audit_bag_sha256: &'a str,
    /// The SHA-256 of what a page of the console showed of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    page_sha256: Option<&'a str>,
}

impl<'a> From<&'a Made> for DecisionLine<'a> {
    fn from(made: &'a Made) -> Self {
        let (role, profile) = match &made.decision {
            Decision::Change { to: Target::Role(role) } => (Some(role), None),
            Decision::Change { to: Target::Profile(profile) } => (None, Some(profile)),
            Decision::Keep | Decision::Remove => (None, None),
        };
        Self {
            decision: made.decision.word(),
            change_to_role: role.map(Into::into),
            change_to_profile: profile.map(Into::into),
            reason: made.reason.as_deref(),
            by: made.by.as_str(),
            at: made.at,
            via: made.via.word(),
            spreadsheet_sha256: made.sheet.as_ref().map(|sheet| sheet.sha256.as_str()),
            signed_by: made.sheet.as_ref().and_then(|sheet| sheet.signed_by.as_deref()),
            decided_together: made.together,
            audit_bag_sha256: &made.bag,
            page_sha256: made.page.as_deref(),
        }
    }
}

/// A proposal by a program.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ProposalLine<'a> {
    /// `keep`, `change` or `remove`.
    decision: &'static str,
    /// Why.
    reason: &'a str,
    /// Which program.
    by: String,
    /// When.
    at: DateTime<Utc>,
}

/// An attestation.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AttestationLine<'a> {
    /// Who.
    by: &'a str,
    /// Whose decisions.
    reviewers: Vec<&'a str>,
    /// When.
    at: DateTime<Utc>,
    /// How it was said.
    via: &'static str,
    /// What is confirmed.
    statement: &'a str,
    /// The SHA-256 of the decisions that are confirmed.
    decisions_sha256: &'a str,
}

/// How long it took to carry decisions out.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ServiceLine {
    /// How many decisions are proven.
    proven: usize,
    /// The median of the days from decision to proof.
    median_days: Option<String>,
    /// The days within which 95 % were proven.
    p95_days: Option<String>,
    /// The items that were proven too late, or are overdue.
    breaches: Vec<u32>,
}

fn item<'a>(review: &Review, (item, course): (&'a Item, &'a Course), now: DateTime<Utc>) -> ItemLine<'a> {
    let carried_out = review.carried_out(item, course, now);
    let proven = match carried_out {
        CarriedOut::Proven(proven) => Some(proven),
        _ => None,
    };
    ItemLine {
        item: item.item.0,
        workspace: &item.workspace,
        user_id: &item.user_id,
        full_name: item.full_name.as_deref(),
        email: item.email.as_deref(),
        status: &item.status,
        role: item.role.as_ref().map(Into::into),
        profile: item.profile.as_ref().map(Into::into),
        power: item.power,
        findings: item.findings.iter().map(|flag| flag.rule.as_str()).collect(),
        changed: item.changed,
        reviewer: course.reviewer().as_str(),
        assignments: course
            .assignments()
            .iter()
            .map(|one| AssignmentLine { at: one.at, to: one.to.as_str(), reason: &one.reason, by: one.by.to_string() })
            .collect(),
        decisions: course.decisions().iter().map(Into::into).collect(),
        proposals: course
            .proposals()
            .iter()
            .map(|one| ProposalLine {
                decision: one.decision.word(),
                reason: &one.reason,
                by: one.by.to_string(),
                at: one.at,
            })
            .collect(),
        carried_out: carried_out.word(),
        carry_out_by: course.work().map(|made| review.due_of(item, made)),
        proven_by: proven.map(|proven| proven.audit),
        shown: proven.map(|proven| proven.shown.word()),
    }
}

fn document(review: &Review, now: DateTime<Utc>) -> Document<'_> {
    let opening = review.opening();
    let closed = match review.stage() {
        Stage::Closed { at, closed } => Some((*at, closed)),
        Stage::Open | Stage::Cancelled { .. } => None,
    };
    let level = review.service_level(now);
    Document {
        schema_version: SCHEMA_VERSION,
        id: review.id(),
        name: &opening.name,
        job: &opening.job,
        scope: opening.scope.word(),
        state: review.state().word(),
        owner: opening.owner.as_str(),
        opened_at: review.opened_at(),
        due: opening.due,
        closed_at: closed.map(|(at, _)| at),
        next_review: closed.map(|(_, closed)| closed.next_review),
        no_change_needed: closed.map(|(_, closed)| closed.no_change_needed),
        four_eyes: opening.four_eyes,
        audits: opening
            .bases
            .iter()
            .map(|basis| AuditLine {
                workspace: &basis.workspace,
                audit: basis.audit,
                bag: &basis.bag.folder,
                bag_sha256: &basis.bag.sha256,
                read_at: basis.read_at,
            })
            .collect(),
        population_sha256: &opening.population_sha256,
        items: review.items().map(|pair| item(review, pair, now)).collect(),
        attestations: review
            .attestations()
            .iter()
            .map(|(at, one)| AttestationLine {
                by: one.by.as_str(),
                reviewers: one.of.iter().map(crate::review::person::Address::as_str).collect(),
                at: *at,
                via: one.via.word(),
                statement: &one.statement,
                decisions_sha256: &one.decisions_sha256,
            })
            .collect(),
        service_level: ServiceLine {
            proven: level.proven,
            median_days: level.median.map(days),
            p95_days: level.p95.map(days),
            breaches: level.breaches.iter().map(|item| item.0).collect(),
        },
    }
}

pub(super) fn write(review: &Review, now: DateTime<Utc>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(review, now))?;
    out.write_all(b"\n")
}

/// The JSON Schema of `review.json` (draft 2020-12).
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document<'_>).to_value()
}
