//! The database: the address in `[store] url`, and what belongs to it.

use std::{net::IpAddr, ops::Range, path::Path, time::Duration};

use chrono::DateTime;
use toml::Spanned;
use url::{Host, Url, form_urlencoded};

use super::{Checker, Context, WrittenTables};
use crate::config::{
    file,
    settings::{Database, DatabaseHost, SslMode, Store, StorePlace, relative},
    shape::StandIns,
};

/// The file of a configuration that names none.
const FILE: &str = "rolecall.db";
/// The port of PostgreSQL.
const PORT: u16 = 5432;
const DAY: Duration = Duration::from_hours(24);
const EXPECTED: &str = "expected postgres://ROLE@HOST/DATABASE, with a port if it is not 5432";

/// The place that an address names, outside a configuration.
///
/// # Errors
/// Every problem of the address, as a text.
pub(in crate::config) fn place_of(
    url: &str,
    password_file: Option<&str>,
    root_certificate: Option<&str>,
    folder: &Path,
) -> Result<StorePlace, String> {
    let stand_ins = StandIns::default();
    let now = DateTime::UNIX_EPOCH;
    let context = Context { text: "", folder, rules: &[], now, is_applied: false, stand_ins: &stand_ins };
    let written = WrittenTables::default();
    let mut checker = Checker::new(&context, &written);
    let is_server = is_server(url);
    let spanned = |text: &str| Spanned::new(0..0, text.to_owned());
    let store = file::Store {
        url: spanned(url),
        password: password_file.map(|file| Spanned::new(0..0, file::Secret::File(file.to_owned()))),
        root_certificate: root_certificate.filter(|_| is_server).map(spanned),
        max_connections: None,
        token_key: None,
        keep_days: None,
    };
    let place = checker.store(Some(&store)).place;
    let problems = checker.problems.iter().map(|problem| format!("{}; {}", problem.message, problem.help));
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() { Ok(place) } else { Err(problems.join(". ")) }
}

/// What an address of a server says.
struct Address {
    host: DatabaseHost,
    user: String,
    database: String,
    ssl_mode: SslMode,
}

impl Checker<'_> {
    pub(super) fn store(&mut self, store: Option<&file::Store>) -> Store {
        let keep_days = self.number(store.and_then(|store| store.keep_days.as_ref()), 400, 1..=36_500);
        let keep = DAY * u32::try_from(keep_days).unwrap_or(u32::MAX);
        let file = |path: &str| StorePlace::File(relative(self.context.folder, path));
        let place = match store {
            None => file(FILE),
            Some(store) if is_server(store.url.get_ref()) => self.server(store).unwrap_or_else(|| {
                // The errors are reported; nothing is opened.
                StorePlace::File(relative(self.context.folder, FILE))
            }),
            // It may be a server: the file does not say.
            Some(store) if self.context.stand_ins.has(&store.url.span()) => file(FILE),
            Some(store) => {
                self.only_for_servers(store);
                let path = self.store_path(store);
                StorePlace::File(relative(self.context.folder, path))
            }
        };
        Store { place, keep }
    }

    fn store_path<'f>(&mut self, store: &'f file::Store) -> &'f str {
        let url = store.url.get_ref();
        let path = url
            .strip_prefix("sqlite:")
            .map(|path| path.strip_prefix("//").unwrap_or(path))
            .filter(|path| !path.trim().is_empty());
        let problem = match path {
            None => Some("invalid store URL"),
            Some(path) if path.starts_with(':') || path.starts_with("file:") => {
                Some("the store must be a file: one in memory would forget every review")
            }
            Some(path) if path.contains(['?', '#']) => {
                Some("the store URL has options, which this version does not have")
            }
            Some(path) if path.ends_with('/') || path.ends_with("/.") || Path::new(path).file_name().is_none() => {
                Some("the store URL names a folder, and the store is a file")
            }
            Some(_) => None,
        };
        if let Some(problem) = problem {
            let help = "expected a URL such as sqlite:rolecall.db, sqlite:/var/lib/rolecall/rolecall.db or postgres://rolecall@db.example.com/rolecall";
            self.error(store.url.span(), problem, help);
        }
        path.unwrap_or(FILE)
    }

    /// Errors for keys that a file does not have.
    fn only_for_servers(&mut self, store: &file::Store) {
        let keys = [
            ("password", store.password.as_ref().map(Spanned::span)),
            ("root_certificate", store.root_certificate.as_ref().map(Spanned::span)),
            ("token_key", store.token_key.as_ref().map(Spanned::span)),
            ("max_connections", store.max_connections.as_ref().map(Spanned::span)),
        ];
        for (key, span) in keys.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            self.error(span, format!("`{key}` is for a server, and the store is a file"), "remove it");
        }
    }

    /// The server of an address; `None` if there are problems.
    fn server(&mut self, store: &file::Store) -> Option<StorePlace> {
        let most = self.number(store.max_connections.as_ref(), 10, 2..=200);
        let address = self.server_address(&store.url);
        let root_certificate = store.root_certificate.as_ref();
        let address = address?;
        let is_verified = matches!(address.ssl_mode, SslMode::VerifyCa | SslMode::VerifyFull);
        if let Some(written) = root_certificate.filter(|_| !is_verified) {
            let message = format!("with sslmode={} no certificate is verified", address.ssl_mode.word());
            self.error(written.span(), message, "set sslmode=verify-full in `url`, or remove `root_certificate`");
        }
        if address.ssl_mode == SslMode::VerifyCa && root_certificate.is_none() {
            let message = "sslmode=verify-ca accepts every certificate of every public authority";
            let help = "name your authority as `root_certificate`, or use sslmode=verify-full";
            self.error(store.url.span(), message, help);
        }
        Some(StorePlace::Server(Database {
            host: address.host,
            user: address.user,
            database: address.database,
            ssl_mode: address.ssl_mode,
            password: store.password.as_ref().map(|password| self.secret(password.get_ref())),
            root_certificate: root_certificate.map(|path| relative(self.context.folder, path.get_ref())),
            max_connections: u32::try_from(most).unwrap_or(10),
            token_key: store.token_key.as_ref().map(|key| self.secret(key.get_ref())),
        }))
    }

    /// The parts of an address, if there is no problem with any.
    fn server_address(&mut self, written: &Spanned<String>) -> Option<Address> {
        let span = written.span();
        let before = self.problems.len();
        // The library refuses a role without a host, which an address of a socket has.
        let is_hostless = written.get_ref().contains("@/");
        let Ok(url) = Url::parse(&written.get_ref().replacen("@/", "@localhost/", 1)) else {
            self.error(span, "invalid store URL", EXPECTED);
            return None;
        };
        if url.password().is_some() {
            let help = "set `password = { env = \"NAME\" }` or `{ file = \"PATH\" }` in [store], and change the password: it may have been read here";
            self.error(span.clone(), "the store URL has a password", help);
        }
        let (socket, mode) = self.parameters(&url, &span);
        let user = decoded(url.username());
        let database = decoded(url.path().trim_start_matches('/'));
        for (what, text) in [("a role", &user), ("a database", &database)] {
            if text.is_empty() {
                self.error(span.clone(), format!("the store URL does not name {what}"), EXPECTED);
            }
        }
        if database.contains(['/', '\0']) || url.fragment().is_some() {
            self.error(span.clone(), "invalid store URL", EXPECTED);
        }
        let port = url.port().unwrap_or(PORT);
        let (host, is_here) = match (url.host_str().filter(|host| !host.is_empty() && !is_hostless), socket) {
            (None, Some(folder)) => (Some(DatabaseHost::Socket(folder.into(), port)), true),
            (Some(host), None) => (Some(DatabaseHost::Name(host.to_owned(), port)), is_loopback(&url, host)),
            (None, None) => {
                let help = "expected postgres://ROLE@HOST/DATABASE, or postgres://ROLE@/DATABASE?host=/var/run/postgresql for a socket";
                self.error(span.clone(), "the store URL does not name a host", help);
                (None, true)
            }
            (Some(_), Some(_)) => {
                self.error(span.clone(), "the store URL names a host and a socket", "expected one of them");
                (None, true)
            }
        };
        let ssl_mode = mode.unwrap_or(if is_here { SslMode::Disable } else { SslMode::VerifyFull });
        if !is_here && matches!(ssl_mode, SslMode::Disable | SslMode::Require) {
            let message = format!(
                "with sslmode={} anybody on the way to the database can read and change everything in it",
                ssl_mode.word()
            );
            let help = "use sslmode=verify-full, which is the default, and name the authority as `root_certificate` if it is your own";
            self.error(span, message, help);
        }
        let address = Address { host: host?, user, database, ssl_mode };
        (self.problems.len() == before).then_some(address)
    }

    /// The folder of the socket and the mode of TLS, if they are named. There are no other parameters.
    fn parameters(&mut self, url: &Url, span: &Range<usize>) -> (Option<String>, Option<SslMode>) {
        let (mut socket, mut mode) = (None, None);
        for (key, value) in url.query_pairs() {
            let is_new = match &*key {
                "sslmode" => {
                    if let Some(known) = SslMode::of_word(&value) {
                        mode.replace(known).is_none()
                    } else {
                        let help = "expected verify-full, verify-ca, require or disable; the last two only for a server on this machine";
                        self.error(span.clone(), format!("the store URL has sslmode={value}"), help);
                        true
                    }
                }
                "host" if value.starts_with('/') => socket.replace(value.into_owned()).is_none(),
                "host" => {
                    let help = "expected the folder of a socket such as host=/var/run/postgresql";
                    self.error(span.clone(), "the store URL has an invalid `host`", help);
                    true
                }
                other => {
                    let help = "it may have `sslmode` and, for a socket, `host`; all else is a key of [store]";
                    // Without a value, it may be a password that was written there.
                    let named = if value.is_empty() { String::new() } else { format!(" `{other}`") };
                    self.error(span.clone(), format!("the store URL has an unknown parameter{named}"), help);
                    true
                }
            };
            if !is_new {
                self.error(span.clone(), format!("the store URL has `{key}` twice"), "expected it once");
            }
        }
        (socket, mode)
    }
}

fn is_server(url: &str) -> bool {
    url.starts_with("postgres:") || url.starts_with("postgresql:")
}

fn is_loopback(url: &Url, host: &str) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // The host of a scheme that is not the web's is not parsed further.
        _ => host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

/// A text whose special characters are percent-encoded; a plus sign means itself.
fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes()).map(|(text, _)| text.into_owned()).collect()
}
