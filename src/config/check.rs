//! From the file as written to checked settings: everything that the shape alone does not tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    path::Path,
    time::Duration,
};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use toml::Spanned;
use url::Url;

use super::{
    file::{self, File, Security},
    problem::Problem,
    settings::{BiginSettings, ConnectorSettings, Email, Job, SecretSource, Settings, Smtp, Workspace, relative},
    shape::suggestion,
};
use crate::{
    model::{
        email,
        finding::Severity,
        policy::{Exception, Policy, RuleSetting},
    },
    schedule::Schedule,
};

/// The data centres of the vendor.
const DATA_CENTERS: [&str; 8] = ["us", "eu", "in", "au", "jp", "cn", "sa", "ca"];
/// Calls in flight that the vendor allows at most.
const MOST_CONCURRENT: i64 = 10;

/// What the checks need to know beside the file.
pub(super) struct Context<'a> {
    /// The folder of the configuration file.
    pub(super) folder: &'a Path,
    /// The names of all rules.
    pub(super) rules: &'a [&'a str],
    /// The time: whether an exception has expired, whether a schedule ever fires again.
    pub(super) now: DateTime<Utc>,
}

pub(super) fn check(file: &File, context: &Context<'_>) -> (Settings, Vec<Problem>) {
    let mut checker = Checker { context, problems: Vec::new() };
    let settings = checker.settings(file);
    (settings, checker.problems)
}

struct Checker<'a> {
    context: &'a Context<'a>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::error(span, message, help));
    }

    fn settings(&mut self, file: &File) -> Settings {
        let mut workspaces = BTreeMap::new();
        for (name, workspace) in &file.workspaces {
            self.name("workspace", name);
            workspaces.insert(name.get_ref().clone(), self.workspace(workspace));
        }
        if let Some(evidence) = &file.evidence {
            let (message, help) =
                ("this version writes no evidence bags yet", "the table is accepted and nothing is done with it");
            self.problems.push(Problem::warning(evidence.span(), message, help));
        }
        let policy = self.policy(file);
        let known: Vec<&str> = file.workspaces.keys().map(|name| name.get_ref().as_str()).collect();
        let mut jobs = BTreeMap::new();
        for (name, job) in &file.jobs {
            self.name("job", name);
            if let Some(email) = job.email.as_ref().filter(|_| file.smtp.is_none()) {
                self.error(
                    email.span(),
                    format!("job `{}` mails, and there is no [smtp]", name.get_ref()),
                    "add an [smtp] table with host and from",
                );
            }
            if let Some(job) = self.job(job, &known) {
                jobs.insert(name.get_ref().clone(), job);
            }
        }
        let smtp = file.smtp.as_ref().map(|smtp| self.smtp(smtp));
        let store = self.store(file.store.as_ref());
        Settings { workspaces, policy, jobs, smtp, store }
    }

    fn name(&mut self, what: &str, name: &Spanned<String>) {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let text = name.get_ref();
        if text.is_empty() || text.len() > 64 || !text.chars().all(good) {
            self.error(
                name.span(),
                format!("“{text}” cannot be the name of a {what}"),
                "letters, digits, - and _, at most 64: names become names of folders",
            );
        }
    }

    fn workspace(&mut self, workspace: &Spanned<file::Workspace>) -> Workspace {
        let (span, workspace) = (workspace.span(), workspace.get_ref());
        let accounts_url = workspace.accounts_url.as_ref().and_then(|url| self.url(url));
        let api_url = workspace.api_url.as_ref().and_then(|url| self.url(url));
        let connector = match workspace.connector.get_ref() {
            file::Connector::Truto => {
                let message = "this version cannot read through Truto yet";
                self.problems.push(Problem::warning(
                    workspace.connector.span(),
                    message,
                    "an audit of this workspace fails and says so",
                ));
                for (key, missing) in [
                    ("integrated_account_id", workspace.integrated_account_id.is_none()),
                    ("api_token", workspace.api_token.is_none()),
                ] {
                    if missing {
                        self.error(span.clone(), format!("a workspace with the connector truto needs `{key}`"), "");
                    }
                }
                ConnectorSettings::Truto
            }
            file::Connector::ZohoBigin => {
                for (key, there) in [
                    ("integrated_account_id", workspace.integrated_account_id.is_some()),
                    ("api_token", workspace.api_token.is_some()),
                ] {
                    if there {
                        self.error(
                            span.clone(),
                            format!("`{key}` is for the connector truto"),
                            "remove it, or set connector = \"truto\"",
                        );
                    }
                }
                self.zoho(&span, workspace, accounts_url, api_url)
            }
        };
        let concurrency = self.number(workspace.concurrency.as_ref(), 4, 1..=MOST_CONCURRENT);
        let minutes = self.number(workspace.deadline_minutes.as_ref(), 60, 1..=1440);
        Workspace {
            connector,
            concurrency: usize::try_from(concurrency).unwrap_or(1),
            deadline: Duration::from_secs(minutes.unsigned_abs() * 60),
        }
    }

    fn zoho(
        &mut self,
        span: &Range<usize>,
        workspace: &file::Workspace,
        accounts_url: Option<Url>,
        api_url: Option<Url>,
    ) -> ConnectorSettings {
        for (key, missing) in [
            ("data_center", workspace.data_center.is_none()),
            ("client_id", workspace.client_id.is_none()),
            ("client_secret", workspace.client_secret.is_none()),
            ("refresh_token", workspace.refresh_token.is_none()),
        ] {
            if missing {
                self.error(span.clone(), format!("a workspace with the connector zoho_bigin needs `{key}`"), "");
            }
        }
        if let Some(center) = &workspace.data_center
            && !DATA_CENTERS.contains(&center.get_ref().as_str())
        {
            self.error(
                center.span(),
                format!("“{}” is no data centre", center.get_ref()),
                format!("one of: {}", DATA_CENTERS.join(", ")),
            );
        }
        let secret = |secret: &Option<file::Secret>| {
            secret.as_ref().map_or_else(|| SecretSource::Env(String::new()), |secret| self.secret(secret))
        };
        ConnectorSettings::ZohoBigin(Box::new(BiginSettings {
            data_center: workspace.data_center.as_ref().map(|center| center.get_ref().clone()).unwrap_or_default(),
            client_id: workspace.client_id.clone().unwrap_or_default(),
            client_secret: secret(&workspace.client_secret),
            refresh_token: secret(&workspace.refresh_token),
            accounts_url,
            api_url,
        }))
    }

    fn secret(&self, secret: &file::Secret) -> SecretSource {
        match secret {
            file::Secret::Env(name) => SecretSource::Env(name.clone()),
            file::Secret::File(path) => SecretSource::File(relative(self.context.folder, path)),
        }
    }

    fn url(&mut self, text: &Spanned<String>) -> Option<Url> {
        let help = "an https address; http only on this machine (127.0.0.1, localhost)";
        let parsed = Url::parse(text.get_ref());
        let safe = parsed.as_ref().is_ok_and(|url| {
            let loopback = match url.host() {
                Some(url::Host::Domain(name)) => name == "localhost",
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            };
            let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
            bare && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
        });
        if !safe {
            self.error(text.span(), "this address cannot be trusted with a token", help);
            return None;
        }
        parsed.ok()
    }

    fn number(&mut self, number: Option<&Spanned<i64>>, standard: i64, range: std::ops::RangeInclusive<i64>) -> i64 {
        let Some(number) = number else { return standard };
        if !range.contains(number.get_ref()) {
            self.error(
                number.span(),
                format!("{} is out of range", number.get_ref()),
                format!("{} to {}", range.start(), range.end()),
            );
            return standard;
        }
        *number.get_ref()
    }

    fn address(&mut self, address: &Spanned<String>) -> String {
        if address.get_ref().parse::<lettre::Address>().is_err() {
            self.error(
                address.span(),
                format!("“{}” is no e-mail address", address.get_ref()),
                "for example security@example.com",
            );
        }
        address.get_ref().clone()
    }

    fn policy(&mut self, file: &File) -> Policy {
        let (written, standard) = (&file.policy, Policy::default());
        let administrator_profiles = written.administrator_profiles.as_ref().map(|profiles| {
            if profiles.get_ref().is_empty() {
                self.error(
                    profiles.span(),
                    "without an administrator profile nobody would be an administrator",
                    "name at least one, or leave the key out for [\"Administrator\"]",
                );
            }
            profiles.get_ref().clone()
        });
        let approved = written.approved_administrators.as_ref();
        let approved_administrators =
            approved.map(|list| list.iter().map(|address| email::comparable(&self.address(address))).collect());
        let company_domains = written.company_domains.iter().map(|domain| self.domain(domain)).collect();
        let percent = written.max_administrator_percent.as_ref().map(|percent| {
            if !(0.0..=100.0).contains(percent.get_ref()) {
                self.error(percent.span(), "a share is 0 to 100 percent", "");
            }
            *percent.get_ref()
        });
        let max_administrators =
            self.number(written.max_administrators.as_ref(), count(standard.max_administrators), 1..=1_000_000);
        let unconfirmed_days = self.number(written.unconfirmed_days.as_ref(), standard.unconfirmed_days, 0..=3650);
        let lower = |words: &Vec<String>| words.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>();
        Policy {
            administrator_profiles: administrator_profiles.unwrap_or(standard.administrator_profiles),
            approved_administrators,
            company_domains,
            max_administrators: usize::try_from(max_administrators).unwrap_or(usize::MAX),
            max_administrator_percent: percent.unwrap_or(standard.max_administrator_percent),
            unconfirmed_days,
            shared_mailboxes: written
                .shared_mailboxes
                .as_ref()
                .map_or(standard.shared_mailboxes, |words| lower(words).into_iter().collect()),
            dangerous_permissions: written.dangerous_permissions.as_ref().map_or(standard.dangerous_permissions, lower),
            rules: written.rules.iter().filter_map(|(name, setting)| self.rule(name, setting)).collect(),
            exceptions: written.exceptions.iter().filter_map(|exception| self.exception(exception, file)).collect(),
        }
    }

    fn domain(&mut self, domain: &Spanned<String>) -> String {
        let text = domain.get_ref().trim().to_lowercase();
        let good =
            text.contains('.') && !text.starts_with('.') && !text.contains(|c: char| c == '@' || c.is_whitespace());
        if !good {
            self.error(
                domain.span(),
                format!("“{}” is no domain", domain.get_ref()),
                "for example example.com, without an @",
            );
        }
        text
    }

    fn known_rule(&mut self, name: &Spanned<String>) -> bool {
        let known = self.context.rules.contains(&name.get_ref().as_str());
        if !known {
            self.error(
                name.span(),
                format!("there is no rule `{}`", name.get_ref()),
                suggestion(name.get_ref(), self.context.rules),
            );
        }
        known
    }

    fn rule(&mut self, name: &Spanned<String>, setting: &Spanned<String>) -> Option<(String, RuleSetting)> {
        let known = self.known_rule(name);
        let value = match setting.get_ref().as_str() {
            "off" => Some(RuleSetting::Off),
            word => self.severity(setting, word).map(RuleSetting::Severity),
        };
        known.then_some(name.get_ref().clone()).zip(value)
    }

    fn severity(&mut self, at: &Spanned<String>, word: &str) -> Option<Severity> {
        let severity = word.parse().ok();
        if severity.is_none() {
            self.error(
                at.span(),
                format!("“{word}” is no severity"),
                "critical, high, medium, low or info (a rule may also be off)",
            );
        }
        severity
    }

    fn exception(&mut self, exception: &file::Exception, file: &File) -> Option<Exception> {
        let known = self.known_rule(&exception.rule);
        for (key, text) in
            [("subject", &exception.subject), ("approved_by", &exception.approved_by), ("reason", &exception.reason)]
        {
            if text.get_ref().trim().is_empty() {
                self.error(
                    text.span(),
                    format!("an exception's `{key}` must not be empty"),
                    "an auditor asks who approved it, and why",
                );
            }
        }
        if let Some(workspace) = &exception.workspace
            && !file.workspaces.keys().any(|name| name.get_ref() == workspace.get_ref())
        {
            let known: Vec<&str> = file.workspaces.keys().map(|name| name.get_ref().as_str()).collect();
            self.error(
                workspace.span(),
                format!("there is no workspace `{}`", workspace.get_ref()),
                suggestion(workspace.get_ref(), &known),
            );
        }
        let date = exception.until.get_ref().date.filter(|_| exception.until.get_ref().time.is_none());
        let until = date
            .and_then(|date| NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day)));
        match until {
            None => self.error(
                exception.until.span(),
                "`until` must be a day",
                "for example until = 2027-03-31, without quotes and without a time",
            ),
            Some(until) if until < self.context.now.date_naive() => {
                let message = format!("this exception expired on {until}");
                self.problems.push(Problem::warning(
                    exception.until.span(),
                    message,
                    "what it accepted counts again; renew it with a new approval, or remove it",
                ));
            }
            Some(_) => {}
        }
        Some(Exception {
            rule: known.then(|| exception.rule.get_ref().clone())?,
            subject: exception.subject.get_ref().clone(),
            workspace: exception.workspace.as_ref().map(|name| name.get_ref().clone()),
            approved_by: exception.approved_by.get_ref().clone(),
            reason: exception.reason.get_ref().clone(),
            until: until?,
        })
    }

    fn job(&mut self, job: &file::Job, known: &[&str]) -> Option<Job> {
        if job.workspaces.get_ref().is_empty() {
            self.error(
                job.workspaces.span(),
                "a job needs at least one workspace",
                format!("known: {}", known.join(", ")),
            );
        }
        for workspace in job.workspaces.get_ref() {
            if !known.contains(&workspace.get_ref().as_str()) {
                self.error(
                    workspace.span(),
                    format!("there is no workspace `{}`", workspace.get_ref()),
                    suggestion(workspace.get_ref(), known),
                );
            }
        }
        let zone = job.time_zone.as_ref().map_or(Some(Tz::UTC), |zone| self.zone(zone));
        let schedule = Schedule::parse(job.schedule.get_ref(), zone.unwrap_or(Tz::UTC), self.context.now);
        if let Err(error) = &schedule {
            let help =
                "five fields: minute hour day month weekday, for example \"0 8 * * MON\"; six with seconds first";
            self.error(job.schedule.span(), error.to_string(), help);
        }
        if let Some(surprise) = schedule.as_ref().ok().and_then(|schedule| schedule.surprise(self.context.now)) {
            let message = format!(
                "on {}, when the clock changes, this fires {} and not {}",
                surprise.day,
                times(surprise.fires),
                times(surprise.otherwise)
            );
            self.problems.push(Problem::warning(
                job.schedule.span(),
                message,
                "one hour of the day that no clock change touches (for example 8) avoids it",
            ));
        }
        let fail_on = job.fail_on.as_ref().and_then(|word| self.severity(word, word.get_ref()));
        let email = job.email.as_ref().map(|email| self.email(email.get_ref()));
        Some(Job {
            workspaces: job.workspaces.get_ref().iter().map(|name| name.get_ref().clone()).collect(),
            schedule: schedule.ok().filter(|_| zone.is_some())?,
            missed: job.missed,
            fail_on,
            email,
        })
    }

    fn zone(&mut self, zone: &Spanned<String>) -> Option<Tz> {
        let parsed = zone.get_ref().parse().ok();
        if parsed.is_none() {
            let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let help = suggestion(zone.get_ref(), &names);
            let help = help
                .split(" (known")
                .next()
                .filter(|help| help.starts_with("did"))
                .unwrap_or("an IANA name such as Europe/Berlin");
            self.error(zone.span(), format!("“{}” is no time zone", zone.get_ref()), help);
        }
        parsed
    }

    fn email(&mut self, email: &file::Email) -> Email {
        if email.to.get_ref().is_empty() {
            self.error(email.to.span(), "a mail needs a recipient", "");
        }
        let mut seen = BTreeSet::new();
        for to in email.to.get_ref() {
            self.address(to);
            if !seen.insert(email::comparable(to.get_ref())) {
                self.error(
                    to.span(),
                    format!("“{}” stands here twice", to.get_ref()),
                    "each recipient gets one message",
                );
            }
        }
        Email {
            to: email.to.get_ref().iter().map(|to| to.get_ref().clone()).collect(),
            attach: email.attach.clone(),
            when: email.when,
        }
    }

    fn smtp(&mut self, smtp: &Spanned<file::Smtp>) -> Smtp {
        let (span, smtp) = (smtp.span(), smtp.get_ref());
        let host = smtp.host.get_ref();
        let loopback =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if smtp.security == Security::None && !loopback && !smtp.allow_plaintext {
            self.error(
                smtp.host.span(),
                format!("reports and the password would travel to {host} unprotected"),
                "use security = \"starttls\" or \"tls\", or say allow_plaintext = true",
            );
        }
        if host.trim().is_empty() {
            self.error(smtp.host.span(), "the mail server has no name", "");
        }
        if smtp.username.is_some() != smtp.password.is_some() {
            self.error(span, "`username` and `password` belong together", "give both, or neither");
        }
        if smtp.from.get_ref().parse::<lettre::message::Mailbox>().is_err() {
            self.error(
                smtp.from.span(),
                format!("“{}” is no sender", smtp.from.get_ref()),
                "for example rolecall <audit@example.com>",
            );
        }
        let standard = if smtp.security == Security::Tls { 465 } else { 587 };
        let port = self.number(smtp.port.as_ref(), standard, 1..=65_535);
        let timeout = self.number(smtp.timeout_seconds.as_ref(), 120, 5..=3600);
        Smtp {
            host: host.clone(),
            port: u16::try_from(port).unwrap_or(587),
            security: smtp.security,
            username: smtp.username.clone(),
            password: smtp.password.as_ref().map(|password| self.secret(password)),
            from: smtp.from.get_ref().clone(),
            timeout: Duration::from_secs(timeout.unsigned_abs()),
            ca_file: smtp.ca_file.as_ref().map(|path| relative(self.context.folder, path)),
        }
    }

    fn store(&mut self, store: Option<&file::Store>) -> std::path::PathBuf {
        let Some(store) = store else { return relative(self.context.folder, "rolecall.db") };
        let url = store.url.get_ref();
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            self.error(store.url.span(), "this version keeps audits in SQLite only", "for example sqlite:rolecall.db");
        }
        let path = url
            .strip_prefix("sqlite:")
            .map(|path| path.strip_prefix("//").unwrap_or(path))
            .filter(|path| !path.is_empty());
        if path.is_none() && !url.starts_with("postgres") {
            self.error(
                store.url.span(),
                format!("“{url}” is no store"),
                "for example sqlite:rolecall.db or sqlite:/var/lib/rolecall/rolecall.db",
            );
        }
        relative(self.context.folder, path.unwrap_or("rolecall.db"))
    }
}

fn times(count: usize) -> String {
    match count {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
