//! The proxy that the environment names, as errors name it. The HTTP client reads the same variables.

use std::env;

use url::{Host, Url};

use crate::tls::is_this_machine;

/// The variables that name a proxy for a scheme, the first that is set counts.
fn variables(scheme: &str) -> [&'static str; 4] {
    match scheme {
        "https" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    }
}

/// Whether the environment names any proxy.
pub(super) fn is_configured() -> bool {
    ["https", "http"].into_iter().any(|scheme| named(scheme).is_some())
}

fn named(scheme: &str) -> Option<(&'static str, String)> {
    variables(scheme).into_iter().find_map(|name| Some((name, env::var(name).ok().filter(|value| !value.is_empty())?)))
}

/// The proxy that calls of an address go through, with the variable that names it; `None` if there is none.
pub(super) fn of(url: &Url) -> Option<String> {
    let (variable, value) = named(url.scheme())?;
    let exempt = env::var("NO_PROXY").or_else(|_| env::var("no_proxy")).unwrap_or_default();
    let host = url.host()?;
    (!is_this_machine(url) && !is_exempt(&host, &exempt)).then(|| format!("{} ({variable})", place(&value)))
}

/// Host and port of a proxy, without the password that its address may hold.
fn place(proxy: &str) -> String {
    let url = Url::parse(proxy).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("http://{proxy}")).ok());
    let place = url.and_then(|url| {
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}{port}", url.host_str()?))
    });
    place.unwrap_or_else(|| "of the environment".to_owned())
}

/// Whether `NO_PROXY` names a host, or a domain above it.
fn is_exempt(host: &Host<&str>, exempt: &str) -> bool {
    let host = host.to_string();
    exempt.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let domain = entry.trim_start_matches('.');
        entry == "*" || host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_password() {
        for (given, expected) in [
            ("http://user:pass-word@proxy.example.com:3128", "proxy.example.com:3128"),
            ("user:pass-word@proxy.example.com:3128", "proxy.example.com:3128"),
            ("proxy.example.com:3128", "proxy.example.com:3128"),
            ("http://[::1]:3128/", "[::1]:3128"),
            ("://", "of the environment"),
        ] {
            assert_eq!(place(given), expected, "{given}");
        }
        let host = Host::Domain("api.example.com");
        assert!(is_exempt(&host, "other.example, .example.com") && is_exempt(&host, "*"));
        assert!(!is_exempt(&host, "ample.com,example.org"));
    }
}
