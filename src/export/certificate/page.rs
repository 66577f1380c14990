//! The certificate as a page.

use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use super::{
    InLedger,
    counts::{Counted, USERS, parts_of},
    stated::{Stated, text},
};
use crate::{
    evidence::{NAMESPACE, PRINCIPAL, SEALED, SIGNATURE, sealed::SealedBag},
    export::bag::{ANSWERS, COMPLETENESS, FINDINGS, MATRIX, REPORT},
    report::shown,
    words::{count, number},
};

/// The files with answers that the page names.
const FILES: usize = 3;
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

/// A number that was counted again.
struct CountLine {
    name: String,
    stated: String,
    again: String,
    /// Whether both are the same; `None` if that means nothing.
    agrees: Option<bool>,
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
        again: again(stated, about.counted),
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

fn count_line(name: impl Into<String>, stated: Option<u64>, again: Option<u64>, place: String) -> CountLine {
    let said = |value: Option<u64>| value.map_or_else(|| "not stated".to_owned(), number);
    CountLine {
        name: name.into(),
        stated: said(stated),
        again: again.map_or_else(|| "not counted".to_owned(), number),
        agrees: stated.zip(again).map(|(stated, again)| stated == again),
        place,
    }
}

fn counts(about: &About<'_>) -> Vec<CountLine> {
    let (stated, counted) = (about.stated, about.counted);
    let pages = stated.completeness.pointer("/reading/rows_per_page").and_then(Value::as_array);
    let on_pages = pages.map(|pages| pages.iter().filter_map(Value::as_u64).sum());
    let users = stated.completeness.get("users").and_then(Value::as_u64).or_else(|| stated.reading("users"));
    let repeated = stated.reading("repeated");
    let once = stated.reading("rows").zip(repeated).map(|(rows, repeated)| rows.saturating_sub(repeated));
    let named: Vec<&str> = counted.lists.iter().take(FILES).map(String::as_str).collect();
    let more = counted.lists.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let lists = format!(
        "records of {}{more}: the files whose request in {ANSWERS} is the query of the list",
        if named.is_empty() { "no file".to_owned() } else { named.join(", ") }
    );
    let mut raw = count_line("Distinct ids that the API listed", users, counted.raw_ids, lists);
    if stated.reading("attempts").is_some_and(|attempts| attempts > 1) && raw.agrees == Some(false) {
        // Accounts may have come and gone between two reads.
        raw.agrees = None;
    }
    let mut lines = vec![
        count_line(
            format!("Rows on {}", pages.map_or_else(|| "the pages".to_owned(), |pages| count(pages.len(), "page"))),
            stated.reading("rows"),
            on_pages,
            at(COMPLETENESS, "/reading/rows_per_page, added up"),
        ),
        count_line(
            format!("Rows without the {} of a repeated id", number(repeated.unwrap_or_default())),
            users,
            once,
            at(COMPLETENESS, "/reading/rows - /reading/repeated"),
        ),
        raw,
        count_line("Accounts as parsed", users, counted.parsed, format!("lines of {USERS}")),
        count_line("Rows of the access matrix", users, Some(counted.rows), format!("rows of {MATRIX}")),
    ];
    let by_status = stated.completeness.get("users_by_status").and_then(Value::as_object);
    for (status, stated) in by_status.into_iter().flatten() {
        let again = counted.by_status.get(status).copied().unwrap_or_default();
        let name = format!("… of them {}", shown(status, VALUE));
        lines.push(count_line(name, stated.as_u64(), Some(again), format!("column status of {MATRIX}")));
    }
    let administrators = stated.report.summary.get("administrators").and_then(Value::as_u64);
    lines.extend([
        count_line(
            "Active accounts that can administer",
            administrators,
            Some(counted.administrators),
            match counted.column {
                "power" => format!("rows of {MATRIX}: status active, power administrator or equivalent"),
                column => format!("rows of {MATRIX}: status active, {column} true"),
            },
        ),
        count_line("Answers kept", stated.reading("answers"), Some(counted.answers), format!("lines of {ANSWERS}")),
        count_line(
            "Bytes of the answers",
            stated.reading("bytes"),
            Some(counted.bytes),
            "files below data/answers/, decompressed".to_owned(),
        ),
    ]);
    lines
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

/// Commands that count without rolecall what the page counts.
fn again(stated: &Stated, counted: &Counted) -> Vec<String> {
    let python = |script: &str| format!("python3 -c \"{script}\"");
    let mut all = vec![
        format!("wc -l < {ANSWERS}"),
        "for answer in data/answers/*; do gzip -dcf $answer; done | wc -c".to_owned(),
    ];
    let query = text(stated.completeness.pointer("/reading/query")).map(|query| parts_of(&query)).unwrap_or_default();
    // What a shell or Python would read as something else is not put into a command.
    let is_plain =
        |part: &String| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/?=&._-%,".contains(&byte));
    if !query.is_empty() && query.iter().all(is_plain) {
        let parts: Vec<String> = query.iter().map(|part| format!("'{part}'")).collect();
        all.push(python(&format!(
            "import gzip, json; read = lambda name: json.load((gzip.open if name.endswith('gz') else open)(name)); \
             lists = [read(one['file']) for one in map(json.loads, open('{ANSWERS}')) \
             if one['status'] == 200 and all(part in one['request'] for part in [{}])]; \
             print(len({{user['id'] for page in lists for value in page.values() if isinstance(value, list) for user in value}}))",
            parts.join(", ")
        )));
    }
    let matrix = format!("csv.DictReader(open('{MATRIX}', newline=''))");
    let can = match counted.column {
        "power" => "row['power'] in ('administrator', 'equivalent')".to_owned(),
        column => format!("row['{column}'] == 'true'"),
    };
    all.push(format!("gzip -dc {USERS} | wc -l"));
    all.push(python(&format!(
        "import csv, collections; print(collections.Counter(row['status'] for row in {matrix}))"
    )));
    all.push(python(&format!("import csv; print(sum(row['status'] == 'active' and {can} for row in {matrix}))")));
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
