//! What all jobs share: mail server, evidence, daemon.

use std::{net::SocketAddr, path::Path, time::Duration};

use der::asn1::ObjectIdentifier;
use toml::Spanned;
use url::Url;

use super::Checker;
use crate::{
    config::{
        file::{self, timestamps::Timestamps},
        problem::Problem,
        settings::{self, Daemon, Evidence, Smtp, relative},
    },
    model::mail::Security,
};

/// Minimum days to keep evidence: an audited year, and half a year until the auditor asks.
const LEAST_KEPT: i64 = 550;
/// Default of `listen`.
const LISTEN: &str = "127.0.0.1:9719";
/// The value of `listen` for a daemon without a status page.
const OFF: &str = "off";

impl Checker<'_> {
    pub(super) fn smtp(&mut self, smtp: &file::Smtp) -> Smtp {
        let host = smtp.host.get_ref();
        let loopback =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        // Another error says that it is no host: a password may be in it.
        if smtp.security == Security::None && !loopback && !smtp.allow_plaintext && is_server(host) {
            self.error(
                smtp.host.span(),
                format!("reports and the password would be sent to {host} unencrypted"),
                "use security = \"starttls\" or \"tls\"; to allow it, set allow_plaintext = true",
            );
        }
        if !is_server(host) {
            let help =
                "expected a host name such as smtp.example.com, or an address; the port is a key of its own, `port`";
            self.error(smtp.host.span(), format!("invalid `host` `{host}`"), help);
        }
        let is_written = |key: &str| self.written.smtp.as_ref().is_some_and(|keys| keys.contains(key));
        let lonely = match (&smtp.username, &smtp.password) {
            (Some(username), None) if !is_written("password") => {
                Some((username.span(), "`username` without `password`"))
            }
            (None, Some(password)) if !is_written("username") => {
                Some((password.span(), "`password` without `username`"))
            }
            _ => None,
        };
        if let Some((span, message)) = lonely {
            self.error(span, message, "set both, or neither");
        }
        if smtp.from.get_ref().parse::<lettre::message::Mailbox>().is_err() {
            self.error(
                smtp.from.span(),
                format!("invalid sender `{}`", smtp.from.get_ref()),
                "expected an address such as rolecall <audit@example.com>",
            );
        }
        self.mailable(&smtp.from);
        if let Some(name) = &smtp.helo_name
            && !is_host_name(name.get_ref())
        {
            let message = format!("invalid `helo_name` `{}`", name.get_ref());
            self.error(name.span(), message, "expected a full name such as reports.example.com");
        }
        let standard = if smtp.security == Security::Tls { 465 } else { 587 };
        let port = self.number(smtp.port.as_ref(), standard, 1..=65_535);
        let timeout = self.number(smtp.timeout_seconds.as_ref(), 120, 5..=3600);
        Smtp {
            host: host.clone(),
            port: u16::try_from(port).unwrap_or(587),
            security: smtp.security,
            helo_name: smtp.helo_name.as_ref().map(|name| name.get_ref().clone()),
            username: smtp.username.as_ref().map(|username| username.get_ref().clone()),
            password: smtp.password.as_ref().map(|password| self.secret(password.get_ref())),
            from: smtp.from.get_ref().clone(),
            timeout: Duration::from_secs(timeout.unsigned_abs()),
            ca_file: smtp.ca_file.as_ref().map(|path| relative(self.context.folder, path)),
        }
    }

    pub(super) fn evidence(&mut self, evidence: &Spanned<file::Evidence>, store: &Path) -> Evidence {
        let (span, evidence) = (evidence.span(), evidence.get_ref());
        let signing_key = match evidence.signing_key.as_ref().map(|key| (key.span(), key.get_ref())) {
            Some((_, file::Secret::File(path))) => Some(relative(self.context.folder, path)),
            Some((span, file::Secret::Env(_))) => {
                self.error(span, "`signing_key` must be a file", "expected signing_key = { file = \"PATH\" }");
                None
            }
            None => {
                let help = "create a key with `rolecall evidence init-key`; then set signing_key = { file = \"PATH\" }";
                let message = "unsigned evidence cannot be verified by a third party";
                self.problems.push(Problem::warning(span.clone(), message, help));
                None
            }
        };
        let keep_days =
            evidence.keep_days.as_ref().map(|days| self.number(Some(days), LEAST_KEPT, LEAST_KEPT..=36_500));
        Evidence {
            place: self.evidence_place(span, evidence, store),
            signing_key,
            keep_days: keep_days.map(i64::unsigned_abs),
            timestamps: evidence.timestamps.as_ref().map(|timestamps| self.timestamps(timestamps)),
        }
    }

    fn timestamps(&mut self, written: &Timestamps) -> settings::Timestamps {
        let mut urls = Vec::new();
        for text in &written.url.get_ref().0 {
            match Url::parse(text).ok().filter(is_authority) {
                Some(url) => urls.push(url),
                None => self.error(
                    written.url.span(),
                    format!("invalid address `{text}` of a timestamp authority"),
                    "expected an http or https URL without a password, query or fragment, such as http://timestamp.example.com",
                ),
            }
        }
        if written.url.get_ref().0.is_empty() {
            self.error(written.url.span(), "no timestamp authority is named", "expected at least one URL");
        }
        let policy = written.policy.as_ref().and_then(|policy| {
            let parsed = ObjectIdentifier::new(policy.get_ref());
            if parsed.is_err() {
                let message = format!("invalid policy `{}`", policy.get_ref());
                self.error(policy.span(), message, "expected an object identifier such as 1.2.3.4.1");
            }
            parsed.ok()
        });
        settings::Timestamps {
            urls,
            policy,
            ca_file: written.ca_file.as_ref().map(|path| relative(self.context.folder, path)),
            mode: written.mode,
        }
    }

    pub(super) fn daemon(&mut self, daemon: &file::Daemon) -> Daemon {
        let listen = daemon.listen.as_ref().map_or(LISTEN, |listen| listen.get_ref().as_str());
        let address = listen.parse::<SocketAddr>().ok();
        if let Some(written) = daemon.listen.as_ref().filter(|_| address.is_none() && listen != OFF) {
            self.error(
                written.span(),
                format!("invalid listen address `{listen}`"),
                format!("expected an address and a port such as {LISTEN}, or \"{OFF}\""),
            );
        }
        if let Some((written, address)) = daemon.listen.as_ref().zip(address).filter(|(_, at)| !at.ip().is_loopback()) {
            let message = format!("the status page on {address} can be read from the network without a password");
            let help = "it names jobs and workspaces: let only your monitoring reach it, or listen on 127.0.0.1";
            self.problems.push(Problem::warning(written.span(), message, help));
        }
        if let Some(replica) = &daemon.replica {
            self.name("replica", replica);
        }
        let seconds = |number: i64| Duration::from_secs(number.unsigned_abs());
        Daemon {
            listen: address,
            allowed_hosts: daemon.allowed_hosts.clone(),
            replica: daemon.replica.as_ref().map(|replica| replica.get_ref().clone()),
            workers: usize::try_from(self.number(daemon.workers.as_ref(), 4, 1..=64)).unwrap_or(1),
            lease: seconds(self.number(daemon.lease_seconds.as_ref(), 60, 2..=3600)),
            grace_period: seconds(self.number(daemon.stop_seconds.as_ref(), 20, 0..=3600)),
        }
    }
}

/// Whether a timestamp authority can have this address. It is written into the ledger, so it holds no secret. Timestamps
/// are signed, so it need not be encrypted.
fn is_authority(url: &Url) -> bool {
    let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare && url.fragment().is_none()
}

/// Whether a text is a host name, of one label or more, or an IP address.
fn is_server(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    host.parse::<std::net::IpAddr>().is_ok() || host.strip_suffix('.').unwrap_or(host).split('.').all(is_label)
}

/// Whether a text is a full host name, or an address in brackets.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match literal {
        Some(literal) => literal.trim_start_matches("IPv6:").parse::<std::net::IpAddr>().is_ok(),
        None => name.contains('.') && name.split('.').all(is_label),
    }
}
