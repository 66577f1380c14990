//! What each part of an audit costs, on a simulated workspace: `cargo bench`.
//!
//! The bytes and users that a part works through are counted, so that parts compare across sizes. How a whole
//! audit stands to other programs is what `tests/compare-speed` shows.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot be set up should panic")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    sync::{Arc, LazyLock},
    time::Duration,
};

use chrono::Utc;
use divan::{Bencher, black_box, counter::BytesCount, counter::ItemsCount};
use rolecall::{
    access::{administrators::resolve_administrator_profiles, matrix::AccessMatrix},
    audit::{self, JudgeInput, Judgement, Lacking, RuleSet},
    clock::Clock,
    connector::{
        Connector as _, Limits, ReadRequest,
        zoho::{self, DataCenter, ZohoBigin, ZohoSettings},
    },
    model::{
        audit::Audit,
        change::Drift,
        finding::Severity,
        policy::{CustomRule, ForEach, Policy},
        roster::{Bounds, Format, Layout, Roster, Source},
    },
    report::{self, ReportFile, ReportInput},
    roster, run,
};
use rolecall_simulator::{Options, Simulator};

const USERS: u32 = 20_000;

fn main() {
    // Outside of what is measured.
    LazyLock::force(&READ);
    divan::main();
}

/// A workspace, read and judged once for all benchmarks.
struct Read {
    page: Vec<u8>,
    audit: Audit,
}

static READ: LazyLock<Read> = LazyLock::new(|| {
    let simulator =
        Simulator::start(Options { users: USERS, seed: 1, tokens_per_window: 1_000, ..Options::default() }).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let connector = ZohoBigin::new(
        ZohoSettings {
            data_center: DataCenter::Us,
            client_id: simulator.credentials().client_id.clone(),
            client_secret: simulator.credentials().client_secret.clone().into(),
            refresh_token: simulator.credentials().refresh_token.clone().into(),
            accounts_url: Some(simulator.base_url().parse().unwrap()),
            api_url: Some(simulator.base_url().parse().unwrap()),
            limits: Limits::default(),
            reads: 1,
            pause_between_reads: Duration::ZERO,
        },
        Clock::system(),
    )
    .unwrap();
    let policy = Policy { company_domains: ["example.com".to_owned()].into(), ..Policy::default() };
    let request = ReadRequest {
        administrator_profiles: policy.administrator_profiles.clone(),
        deadline: Duration::from_mins(5),
        recorder: None,
    };
    let directory = runtime.block_on(connector.read(&request, &())).unwrap();
    let (administrator_profiles, _) =
        resolve_administrator_profiles(&policy.administrator_profiles, &directory.profiles);
    let page = runtime.block_on(first_page(&simulator));
    let mut audit = Audit {
        trigger: None,
        id: uuid::Uuid::now_v7(),
        job: Some("weekly".to_owned()),
        workspace: "acme".to_owned(),
        judged_at: Utc::now(),
        version: env!("CARGO_PKG_VERSION"),
        policy,
        directory,
        administrator_profiles,
        rules: Arc::clone(RuleSet::built_in().list()),
        findings: Vec::new(),
        outcomes: Vec::new(),
        drift: Drift::default(),
        past: Vec::new(),
        roster: None,
        judged_roster: None,
        reviewed: None,
    };
    let Judgement { findings, outcomes, .. } = judge(&audit, &matrix(&audit));
    (audit.findings, audit.outcomes) = (findings, outcomes);
    Read { page, audit }
});

fn matrix(audit: &Audit) -> AccessMatrix<'_> {
    AccessMatrix::of(audit)
}

fn judge(audit: &Audit, matrix: &AccessMatrix<'_>) -> Judgement {
    judge_by(&audit.policy, None, audit, matrix)
}

fn judge_by(policy: &Policy, roster: Option<&Roster>, audit: &Audit, matrix: &AccessMatrix<'_>) -> Judgement {
    let rules = RuleSet::for_policy(policy);
    let input = JudgeInput {
        matrix,
        administrator_profiles: &audit.administrator_profiles,
        unmatched_administrator_profiles: &[],
        policy,
        workspace: &audit.workspace,
        roster,
        reviewed: None,
        now: audit.judged_at,
        previous: None,
        previous_users: None,
        undecided: &[],
        changes: &[],
        lacking: Lacking::default(),
    };
    audit::judge(&rules, &input)
}

async fn first_page(simulator: &Simulator) -> Vec<u8> {
    let client = rolecall::tls::http().build().unwrap();
    let credentials = simulator.credentials();
    let grant = BTreeMap::from([
        ("grant_type", "refresh_token"),
        ("client_id", &credentials.client_id),
        ("client_secret", &credentials.client_secret),
        ("refresh_token", &credentials.refresh_token),
    ]);
    let token = client.post(format!("{}/oauth/v2/token", simulator.base_url())).form(&grant).send().await.unwrap();
    let token: serde_json::Value = token.json().await.unwrap();
    let page = client
        .get(format!("{}/bigin/v2/users?type=AllUsers&page=1&per_page=200", simulator.base_url()))
        .header("Authorization", format!("Zoho-oauthtoken {}", token["access_token"].as_str().unwrap()));
    page.send().await.unwrap().bytes().await.unwrap().to_vec()
}

#[divan::bench]
fn parse_a_page(bencher: Bencher<'_, '_>) {
    let page = &READ.page;
    bencher.counter(BytesCount::of_slice(page)).bench(|| zoho::users_of_page(black_box(page)).unwrap());
}

#[divan::bench]
fn correlate(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(USERS))
        .bench(|| matrix(&READ.audit).rows().filter(|row| black_box(row).is_active_administrator()).count());
}

#[divan::bench]
fn judge_by_all_rules(bencher: Bencher<'_, '_>) {
    let matrix = matrix(&READ.audit);
    bencher.counter(ItemsCount::new(USERS)).bench(|| judge(&READ.audit, black_box(&matrix)));
}

/// Conditions as a company writes them.
const CONDITIONS: [&str; 10] = [
    "user.active && !user.has_role",
    "user.administrator && user.email.matches('^(svc|bot)-')",
    "has(user.created) && now - user.created < days(7) && user.administrator",
    "user.active && domain(user.email) == 'contractor.example.com' && profile.permissions.exists(p, p.contains('Export'))",
    "user.email != lower(user.email)",
    "user.profile_name in ['Nobody', 'Guest'] || user.role_name == 'Guest'",
    "size(profile.permissions) > 500 && !user.administrator",
    "role.path.exists(r, r == 'Board') && !user.confirmed",
    "user.administrator && roster.found && roster.department == 'Sales'",
    "user.full_name == '' || user.full_name.startsWith('test')",
];

fn own_rules() -> Vec<CustomRule> {
    let rule = |(number, when): (usize, &&str)| CustomRule {
        name: format!("own-{number}"),
        title: "Title".to_owned(),
        severity: Severity::Low,
        criteria: Vec::new(),
        for_each: ForEach::User,
        when: (*when).to_owned(),
        message: "{user.full_name}".to_owned(),
        fix: "Fix".to_owned(),
        tests: Vec::new(),
    };
    CONDITIONS.iter().enumerate().map(rule).collect()
}

/// A tenth of the difference to `judge_by_all_rules` is the cost of one condition.
#[divan::bench]
fn judge_by_all_rules_and_ten_of_the_company_s_own(bencher: Bencher<'_, '_>) {
    let matrix = matrix(&READ.audit);
    let policy = Policy { custom_rules: own_rules(), ..READ.audit.policy.clone() };
    bencher.counter(ItemsCount::new(USERS)).bench(|| judge_by(&policy, None, &READ.audit, black_box(&matrix)));
}

/// A roster with a row for each user, as an HR system exports it.
fn export() -> Vec<u8> {
    let mut rows =
        String::from("Employee #,Name,Work Email,Status,Department,Job Title,Manager Email,Hire Date,Last day\n");
    for (number, row) in matrix(&READ.audit).rows().enumerate() {
        let Some(address) = row.user.email() else { continue };
        let department = ["Sales", "Support", "Finance", "Operations"][number % 4];
        let (title, manager, day) = (number % 40, number % 100, 1 + number % 28);
        writeln!(
            rows,
            "E{number},Name{number} Surname,{address},Active,{department},{department} {title},manager{manager}@example.com,2019-03-{day:02},"
        )
        .unwrap();
    }
    rows.into_bytes()
}

fn layout() -> Layout {
    Layout { format: Format::Csv, columns: BTreeMap::new(), date_format: None, current: None, encoding: None }
}

#[divan::bench]
fn read_a_roster(bencher: Bencher<'_, '_>) {
    let (export, layout) = (export(), layout());
    bencher.counter(ItemsCount::new(USERS)).bench(|| roster::read("hr", &[black_box(&export)], &layout).unwrap());
}

#[divan::bench]
fn judge_by_all_rules_a_roster_and_ten_of_the_company_s_own(bencher: Bencher<'_, '_>) {
    let matrix = matrix(&READ.audit);
    let now = READ.audit.judged_at;
    let source = Source {
        name: "hr".to_owned(),
        place: "people.csv".to_owned(),
        bounds: Bounds::default(),
        read_at: now,
        as_of: Some(now),
        sha256: None,
        encoding: None,
        columns: BTreeMap::new(),
        problem: None,
        warnings: Vec::new(),
    };
    let records = roster::read("hr", &[export()], &layout()).unwrap().records;
    let roster = Roster { sources: vec![source], records };
    let policy = Policy { custom_rules: own_rules(), roster: vec!["hr".to_owned()], ..READ.audit.policy.clone() };
    let judged = judge_by(&policy, Some(&roster), &READ.audit, &matrix);
    assert!(judged.roster.is_some_and(|judged| judged.unreliable.is_empty()), "the roster is not relied on");
    bencher.counter(ItemsCount::new(USERS)).bench(|| judge_by(&policy, Some(&roster), &READ.audit, black_box(&matrix)));
}

#[divan::bench]
fn pack_for_the_store(bencher: Bencher<'_, '_>) {
    let matrix = matrix(&READ.audit);
    bencher.counter(ItemsCount::new(USERS)).bench(|| run::pack(black_box(&READ.audit), &matrix).unwrap());
}

#[divan::bench(args = ReportFile::ALL)]
fn write_a_report(bencher: Bencher<'_, '_>, file: ReportFile) {
    let matrix = matrix(&READ.audit);
    let input = ReportInput::new(&READ.audit, &matrix);
    bencher.counter(ItemsCount::new(USERS)).bench(|| report::write(black_box(file), &input, &mut io::sink()).unwrap());
}
