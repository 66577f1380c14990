//! The address of the database.

use super::*;
use crate::config::settings::{Database, DatabaseHost, SslMode};

fn problems(store: &str) -> Vec<String> {
    messages(&format!("{WORKSPACE}[store]\n{store}\n"))
}

fn server(url: &str) -> Database {
    let (settings, problems) = read_text(&format!("{WORKSPACE}[store]\nurl = \"{url}\"\n")).unwrap();
    assert_eq!(problems, []);
    match settings.store.place {
        StorePlace::Server(database) => database,
        StorePlace::File(path) => panic!("{}", path.display()),
    }
}

#[test]
fn an_address_of_a_server_is_read_whole() {
    let database = server("postgres://roll%2Bcall@db.example.com:6432/role-call?sslmode=verify-full");
    assert_eq!(database.host, DatabaseHost::Name("db.example.com".into(), 6432));
    assert_eq!((database.user.as_str(), database.database.as_str()), ("roll+call", "role-call"));
    assert_eq!((database.ssl_mode, database.max_connections), (SslMode::VerifyFull, 10));
    let database = server("postgresql://r@/d?host=/var/run/postgresql");
    assert_eq!(database.host, DatabaseHost::Socket("/var/run/postgresql".into(), 5432));
}

#[test]
fn a_connection_is_verified_unless_it_stays_on_this_machine() {
    for (url, expected) in [
        ("postgres://r@db.example.com/d", SslMode::VerifyFull),
        ("postgres://r@10.0.0.1/d", SslMode::VerifyFull),
        ("postgres://r@localhost.example.com/d", SslMode::VerifyFull),
        ("postgres://r@127.0.0.1/d", SslMode::Disable),
        ("postgres://r@[::1]/d", SslMode::Disable),
        ("postgres://r@localhost/d", SslMode::Disable),
        ("postgres://r@localhost/d?sslmode=require", SslMode::Require),
    ] {
        assert_eq!(server(url).ssl_mode, expected, "{url}");
    }
}

#[test]
fn what_would_weaken_or_mean_nothing_is_refused() {
    for (url, expected) in [
        ("postgres://r@db.example.com/d?sslmode=disable", "anybody on the way"),
        ("postgres://r@db.example.com/d?sslmode=require", "anybody on the way"),
        ("postgres://r@db.example.com/d?sslmode=prefer", "sslmode=prefer"),
        ("postgres://r@localhost/d?sslmode=allow", "sslmode=allow"),
        ("postgres://r@db.example.com/d?sslmode=verify-ca", "every public authority"),
        ("postgres://r@db.example.com/d?sslmod=disable", "unknown parameter `sslmod`"),
        ("postgres://r@db.example.com/d?sslmode=verify-full&sslmode=disable", "`sslmode` twice"),
        ("postgres://r@db.example.com/d?options=-csearch_path=x", "unknown parameter `options`"),
        ("postgres://r@db.example.com/d?password=x", "unknown parameter `password`"),
        ("postgres://r@db.example.com/d?host=other", "invalid `host`"),
        ("postgres://r@db.example.com/d?host=/run", "a host and a socket"),
        ("postgres://r:hunter2@db.example.com/d", "the store URL has a password"),
        ("postgres://db.example.com/d", "does not name a role"),
        ("postgres://r@db.example.com", "does not name a database"),
        ("postgres://r@/d", "does not name a host"),
        ("postgres://r@db.example.com/d#x", "invalid store URL"),
        ("postgres://r@db.example.com:x/d", "invalid store URL"),
        ("mysql://r@db.example.com/d", "invalid store URL"),
    ] {
        let found = problems(&format!("url = \"{url}\""));
        assert!(found.iter().any(|message| message.contains(expected)), "{url}: {found:?}");
    }
    let shown = shown(&format!("{WORKSPACE}[store]\nurl = \"postgres://r:hunter2@db.example.com/d\"\n"));
    assert!(!shown.contains("hunter2") && shown.contains("rolecall.toml:"), "{shown}");
}

#[test]
fn keys_of_a_server_are_for_a_server() {
    let found = problems(
        "url = \"sqlite:x.db\"\npassword = { env = \"P\" }\nroot_certificate = \"x\"\nmax_connections = 5\ntoken_key = { env = \"K\" }",
    );
    assert_eq!(found.len(), 4, "{found:?}");
    let url = "url = \"postgres://r@localhost/d\"";
    assert_eq!(problems(&format!("{url}\nmax_connections = 1")).len(), 1);
    let found = problems(&format!("{url}\nroot_certificate = \"x.pem\""));
    assert!(found[0].contains("no certificate is verified"), "{found:?}");
    assert_eq!(problems(&format!("{url}\npassword = \"x\"")).len(), 1);
}
