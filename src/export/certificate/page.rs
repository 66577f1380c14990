//! The certificate as a page.

mod again;

use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use self::again::{CountLine, counts};
use super::{
    InLedger,
    counts::{Counted, USERS},
    stated::{Stated, text},
};
use crate::{
    evidence::{NAMESPACE, PRINCIPAL, SEALED, SIGNATURE, sealed::SealedBag},
    export::bag::{ANSWERS, COMPLETENESS, FINDINGS, MATRIX, REPORT},
    report::shown,
    words::{count, number},
};

/// The characters of a value that the page shows.
const VALUE: usize = 400;
/// Rules that could not be evaluated and are shown.
const MOST: usize = 40;
/// A value that the bag does not have.
const UNSAID: &str = "not stated in this bag";

const SOURCE: &str = "data/directory/source.json";
const ORGANIZATION: &str = "data/directory/organization.json";
const READER: &str = "data/directory/current-user.json";
const RULES: &str = "data/rules.json";
const POLICY: &str = "data/policy.json";

/// What the page is made from.
pub(super) struct About<'a> {
    pub(super) bag: &'a SealedBag<'a>,
    /// Its folder, for people.
    pub(super) folder: String,
    pub(super) stated: &'a Stated,
    pub(super) counted: &'a Counted,
    /// The lines of `bag-info.txt`.
    pub(super) says: &'a dyn Fn(&str) -> Option<String>,
    /// The key that signed; `None` if it is not trusted here, or if there is none.
    pub(super) signer: Option<&'a str>,
    pub(super) is_signed: bool,
    /// The address that was read, if it is not one of the vendor's.
    pub(super) foreign: Option<&'a str>,
    pub(super) ledger: Option<&'a InLedger>,
    pub(super) now: DateTime<Utc>,
}

/// A number or a fact, and where it stands.
struct Line {
    name: String,
    value: String,
    place: String,
}

struct CheckLine {
    title: String,
    outcome: String,
    class: &'static str,
    figures: String,
    /// Where it stands.
    place: String,
}

struct Section {
    title: &'static str,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "evidence/certificate.html")]
struct Page {
    workspace: String,
    company: String,
    read: String,
    made: String,
    version: &'static str,
    badge: &'static str,
    class: &'static str,
    verdict: String,
    sections: Vec<Section>,
    counts: Vec<CountLine>,
    checks: Vec<CheckLine>,
    rules: Vec<Line>,
    unevaluated: Vec<(String, String)>,
    more_unevaluated: usize,
    integrity: Vec<Line>,
    audit: String,
    folder: String,
    is_signed: bool,
    principal: &'static str,
    namespace: &'static str,
    signature: &'static str,
    sealed: &'static str,
    again: Vec<String>,
    ledger: bool,
}

pub(super) fn render(about: &About<'_>) -> Result<String, askama::Error> {
    let stated = about.stated;
    let (counts, checks) = (counts(about), checks(stated));
    let (badge, class, verdict) = verdict(about, &counts);
    let unevaluated = unevaluated(stated);
    let page = Page {
        workspace: shown(&stated.report.workspace, VALUE),
        company: text(stated.organization.get("company_name")).map(|name| shown(&name, VALUE)).unwrap_or_default(),
        read: span(stated),
        made: about.now.to_rfc3339_opts(SecondsFormat::Secs, true),
        version: env!("CARGO_PKG_VERSION"),
        badge,
        class,
        verdict,
        sections: vec![
            Section { title: "The system, and who read it", lines: system(about) },
            Section { title: "When and how it was read", lines: reading(stated) },
        ],
        counts,
        checks,
        rules: rules(about),
        more_unevaluated: unevaluated.len().saturating_sub(MOST),
        unevaluated: unevaluated.into_iter().take(MOST).collect(),
        integrity: integrity(about),
        audit: (about.says)("External-Identifier").unwrap_or_default(),
        folder: about.folder.clone(),
        is_signed: about.is_signed,
        principal: PRINCIPAL,
        namespace: NAMESPACE,
        signature: SIGNATURE,
        sealed: SEALED,
        again: again::commands(stated, about.counted),
        ledger: about.ledger.is_some(),
    };
    page.render()
}

fn line(name: impl Into<String>, value: Option<String>, place: impl Into<String>) -> Line {
    let value = value.map_or_else(|| UNSAID.to_owned(), |value| shown(&value, VALUE));
    Line { name: name.into(), value, place: place.into() }
}

/// A file and a JSON pointer in it.
fn at(file: &str, pointer: &str) -> String {
    format!("{file} {pointer}")
}

/// When the read began and ended.
fn span(stated: &Stated) -> String {
    let moment = |name: &str| {
        let value = stated.report.reading.get(name).and_then(Value::as_str)?;
        Some(value.parse::<DateTime<Utc>>().ok()?.to_rfc3339_opts(SecondsFormat::Millis, true))
    };
    let unsaid = || UNSAID.to_owned();
    format!("{} to {}", moment("started_at").unwrap_or_else(unsaid), moment("finished_at").unwrap_or_else(unsaid))
}

fn verdict(about: &About<'_>, counts: &[CountLine]) -> (&'static str, &'static str, String) {
    let report = &about.stated.report;
    let workspace = shown(&report.workspace, VALUE);
    let checks = about.stated.checks();
    let agreeing = checks.iter().filter(|check| check.agrees == Some(true)).count();
    let made = checks.iter().filter(|check| check.agrees.is_some()).count();
    let wrong: Vec<&str> =
        counts.iter().filter(|line| line.agrees == Some(false)).map(|line| line.name.as_str()).collect();
    if !wrong.is_empty() {
        let what = format!("Counted again from the evidence, these numbers differ: {}.", wrong.join(", "));
        return ("Numbers differ", "act", what);
    }
    if !report.complete {
        let what = format!(
            "The read of {workspace} is incomplete: {agreeing} of {made} cross-checks agree. What it does not list may still exist."
        );
        return ("Incomplete", "incomplete", what);
    }
    let again = counts.iter().filter(|line| line.agrees == Some(true)).count();
    let what = format!(
        "All {} of {workspace} are in the list: no filter was applied, {agreeing} of {made} cross-checks agree, and {} \
         were counted again in the evidence and are the same.",
        count(about.counted.rows, "account"),
        count(again, "number"),
    );
    match about.foreign {
        Some(_) => (
            "Complete, not from the vendor",
            "review",
            format!("{what} But it was not read from a host of the vendor."),
        ),
        None => ("Complete", "clear", what),
    }
}

fn system(about: &About<'_>) -> Vec<Line> {
    let Stated { source, organization, reader, profiles, .. } = about.stated;
    let address = text(source.get("api_url"));
    let whose = match about.foreign {
        Some(_) => "NOT a host of the vendor: a gateway of the company, a simulation, or a forgery",
        None => "a host of the vendor",
    };
    let profile = text(reader.get("profile"));
    let named = profiles.as_array().into_iter().flatten();
    let named = named.into_iter().find(|one| text(one.get("id")) == profile).and_then(|one| text(one.get("name")));
    let rights = profile.map(|id| match &named {
        Some(name) => format!("profile {name} ({id})"),
        None => format!("profile {id}, which the list of profiles does not have"),
    });
    let scopes = source.get("scopes").and_then(Value::as_array);
    let scopes = scopes.map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
    let joined = |of: &Value, names: [&str; 3]| {
        let parts: Vec<String> = names.iter().filter_map(|name| text(of.get(*name))).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    };
    let center = text(source.get("data_center")).unwrap_or_else(|| "not applicable".to_owned());
    let connector = text(source.get("connector")).map(|name| format!("connector {name}, data center {center}"));
    vec![
        line("Read from", address.map(|address| format!("{address}: {whose}")), at(SOURCE, "/api_url")),
        line("System", connector, at(SOURCE, "/connector")),
        line("Tenant", joined(organization, ["company_name", "id", "domain_name"]), at(ORGANIZATION, "/id")),
        line(
            "Licensed seats",
            text(organization.get("users_license_purchased")),
            at(ORGANIZATION, "/users_license_purchased"),
        ),
        line("Read by the account", joined(reader, ["full_name", "email", "id"]), at(READER, "/id")),
        line("Its rights in the product", rights, at(READER, "/profile")),
        line(
            "Rights of its token",
            Some(scopes.unwrap_or_else(|| "unknown: the token response did not name any".to_owned())),
            at(SOURCE, "/scopes"),
        ),
        line("Program", (about.says)("Bag-Software-Agent"), "bag-info.txt Bag-Software-Agent"),
        line("Configuration", sha256(about, "data/configuration.toml"), "data/configuration.toml"),
    ]
}

fn reading(stated: &Stated) -> Vec<Line> {
    let due = stated.occasion.get("occasion");
    let due = match due {
        Some(Value::Object(_)) => {
            let of = |name: &str| text(due.and_then(|due| due.get(name)));
            let on_demand = if of("by_hand").as_deref() == Some("yes") { ", started on demand" } else { "" };
            of("due_at").map(|at| format!("{at}, attempt {}{on_demand}", of("attempt").unwrap_or_default()))
        }
        Some(_) => Some("on demand".to_owned()),
        None => None,
    };
    let reading = |name: &str| text(stated.completeness.pointer(&format!("/reading/{name}")));
    let place = |name: &str| at(COMPLETENESS, &format!("/reading/{name}"));
    let clock = stated.checks().into_iter().rev().find(|check| check.title.contains("clock"));
    let calls = || {
        Some(format!(
            "{} calls = {} answers kept + {} for a token + {} without an answer; {} repeated after a refusal or an error",
            reading("requests")?,
            reading("answers")?,
            reading("token_calls")?,
            reading("unanswered")?,
            reading("retries")?
        ))
    };
    vec![
        line("Scheduled", due, "data/occasion.json /occasion"),
        line("Read", Some(span(stated)), place("started_at, finished_at")),
        line("Query of the list", reading("query"), place("query")),
        line("Filters", text(stated.completeness.get("filters")), at(COMPLETENESS, "/filters")),
        line("Accounts left out", text(stated.completeness.get("excluded")), at(COMPLETENESS, "/excluded")),
        line("Page size", reading("per_page"), place("per_page")),
        line("Times that the list was read", reading("attempts"), place("attempts")),
        line("Calls", calls(), place("requests …")),
        line(
            "Clock of this machine",
            clock.map(|clock| {
                let detail = if clock.detail.is_empty() { String::new() } else { format!("; {}", clock.detail) };
                format!("{}{detail}", clock.figures)
            }),
            at(COMPLETENESS, "/reading/checks, kind clock"),
        ),
    ]
}

fn checks(stated: &Stated) -> Vec<CheckLine> {
    let checks = stated.checks().into_iter().enumerate();
    let line = |(place, check): (usize, super::stated::Check)| CheckLine {
        place: format!("/reading/checks/{place}"),
        class: match check.agrees {
            Some(true) => "passed",
            Some(false) => "failed",
            None => "unevaluated",
        },
        figures: shown(
            &[check.figures, check.detail].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; "),
            VALUE,
        ),
        title: sentence(&check.title),
        outcome: check.outcome,
    };
    checks.map(line).collect()
}

/// A text with its first letter in upper case.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn rules(about: &About<'_>) -> Vec<Line> {
    let stated = about.stated;
    let all = &stated.report.rules;
    let ended = |result: &str| all.iter().filter(|rule| text(rule.get("result")).as_deref() == Some(result)).count();
    let ends = format!(
        "{}: {} found nothing, {} found something, {} could not be evaluated, {} switched off",
        count(all.len(), "rule"),
        ended("passed"),
        ended("failed"),
        ended("not-evaluated"),
        ended("switched-off")
    );
    let policy = text(stated.policy.get("name")).or_else(|| text(stated.report.policy.get("name")));
    let digest = text(stated.policy.get("sha256")).or_else(|| text(stated.report.policy.get("sha256")));
    let exceptions = stated.report.policy.get("exceptions").and_then(Value::as_array).map(Vec::len);
    let previous = match text(stated.report.previous.get("audit_id")) {
        Some(audit) => format!("audit {audit}"),
        None => "nothing: this is the first audit".to_owned(),
    };
    let roster = match stated.report.roster.get("relied_on").and_then(Value::as_bool) {
        Some(true) => "relied on",
        Some(false) => "could not be relied on",
        None => "none is configured",
    };
    vec![
        line("Rules", Some(ends), at(RULES, "/rules: by result")),
        line("Policy", policy, at(POLICY, "/name")),
        line("SHA-256 of the policy", digest, at(POLICY, "/sha256: of /policy in canonical JSON (RFC 8785)")),
        line("Exceptions in the policy", exceptions.map(number), at(POLICY, "/policy/exceptions")),
        line("Compared with", Some(previous), at(REPORT, "/previous/audit_id")),
        line("Roster of employees", Some(roster.to_owned()), at(REPORT, "/roster")),
    ]
}

/// What was not evaluated, and why.
fn unevaluated(stated: &Stated) -> Vec<(String, String)> {
    let not_available = stated.report.not_available.iter();
    let mut all: Vec<(String, String)> = not_available
        .map(|what| (shown(what, VALUE), "the API does not expose it for any account".to_owned()))
        .collect();
    for rule in &stated.report.rules {
        let title = text(rule.get("title")).or_else(|| text(rule.get("rule"))).unwrap_or_default();
        let off = text(rule.get("off_because")).map(|reason| format!("switched off by the policy: {reason}"));
        if let Some(reason) = text(rule.get("not_evaluated")).or(off) {
            all.push((shown(&title, VALUE), shown(&reason, VALUE)));
        }
    }
    all
}

fn sha256(about: &About<'_>, file: &str) -> Option<String> {
    about.bag.sha256(file).map(|digest| format!("SHA-256 {digest}"))
}

fn integrity(about: &About<'_>) -> Vec<Line> {
    let name = &about.bag.name;
    let signed = match (about.signer, about.is_signed) {
        (Some(key), _) => format!("valid, by the trusted key {key}"),
        (None, true) => "there is one; it was not checked, because no trusted key was named".to_owned(),
        (None, false) => "none: the bag is not signed".to_owned(),
    };
    let proven = about.ledger.and_then(|ledger| ledger.proven.as_deref());
    let proven = proven.unwrap_or("by no third party as far as is known here: all times are by the company's clock");
    let (entry, delivered) = match about.ledger {
        Some(ledger) => (
            format!("entry {}; the ledger is {}", ledger.entry, ledger.signed),
            match ledger.delivered.as_slice() {
                [] => "no mail server has accepted the report".to_owned(),
                some => format!("accepted by the servers of {}", some.join(", ")),
            },
        ),
        None => {
            ("not looked at: no ledger that names the audit is beside the bag".to_owned(), "not looked at".to_owned())
        }
    };
    let mut lines = vec![
        line("Evidence bag", Some(about.folder.clone()), "the folder"),
        line(
            "SHA-256 of the bag",
            Some(name.sha256.clone()),
            format!("of {SEALED}, which covers everything in the bag"),
        ),
        line(
            "Every file",
            Some("compared with its digest just now: as it was sealed".to_owned()),
            "manifest-*.txt, tagmanifest-*.txt",
        ),
        line("Signature", Some(signed), SIGNATURE),
        line("Ledger", Some(entry), "ledger.jsonl beside the bag"),
        line("Time proven", Some(proven.to_owned()), "ledger.jsonl, facts timestamped; timestamps/"),
        line("Report delivered", Some(delivered), "ledger.jsonl, facts delivery"),
    ];
    let files = [MATRIX, FINDINGS, REPORT, USERS, ANSWERS, COMPLETENESS];
    lines.extend(files.iter().filter_map(|file| {
        let digest = about.bag.sha256(file)?.to_owned();
        Some(line((*file).to_owned(), Some(digest), "manifest-sha256.txt"))
    }));
    lines
}
