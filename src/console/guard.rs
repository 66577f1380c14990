//! What every request has to pass, and the headers that every answer has.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

use super::{Console, Transport};
use crate::{
    connections::{Peer, is_for},
    model::network::Network,
};

/// How long a request may take, with its body.
const LONGEST: Duration = Duration::from_secs(30);

/// What a browser may do with a page: show it with our stylesheet, and send its forms to us.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

/// The headers of every answer that does not set its own.
const HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
];
/// For a year, a browser comes back over TLS only.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Where a request comes from: the peer, or whom the trusted proxies name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client(pub(super) IpAddr);

/// Who is signed in, as soon as the session is read: for the log.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<OnceLock<String>>);

impl Known {
    /// Notes who it is.
    pub(super) fn note(&self, address: &str) {
        self.0.get_or_init(|| address.to_owned());
    }
}

/// Refuses what does not belong here, bounds the rest, and adds the headers.
pub(super) async fn enter(
    State(console): State<Arc<Console>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let client = client(&console.setup.trusted_proxies, peer.0, request.headers());
    let mut response = if let Some(objection) = objection(&console, peer, &request) {
        tracing::warn!(%client, method = %request.method(), objection, "a request to the console was refused");
        (StatusCode::FORBIDDEN, format!("{objection}\n")).into_response()
    } else {
        let (known, method, path) = (Known::default(), request.method().clone(), request.uri().path().to_owned());
        request.extensions_mut().insert(Client(client));
        request.extensions_mut().insert(known.clone());
        let too_long = |_| (StatusCode::SERVICE_UNAVAILABLE, "the request took too long\n").into_response();
        let response = tokio::time::timeout(LONGEST, next.run(request)).await.unwrap_or_else(too_long);
        if let (StatusCode::FORBIDDEN, Some(address)) = (response.status(), known.0.get()) {
            tracing::warn!(%client, address, %method, path, "somebody asked for what needs another right");
        }
        response
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if console.is_secure() {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
    response
}

/// Why a request is refused. `None` if it is not.
fn objection(console: &Console, peer: Peer, request: &Request) -> Option<&'static str> {
    let Console { setup, .. } = console;
    if !may_connect(setup.transport, &setup.trusted_proxies, peer.0) {
        return Some("without TLS, only the proxies of `[console] trusted_proxies` may ask");
    }
    let host = setup.origin.host_str().unwrap_or_default();
    if !is_for(request.headers(), &[host.trim_matches(['[', ']']).to_owned()]) {
        return Some("this host name is not that of the console; set it as `[console] public_url`");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) && !is_own(&setup.origin, request.headers()) {
        return Some("this form was sent by another site");
    }
    None
}

/// Whether requests of a peer are answered: in plain, only this machine and the trusted proxies.
fn may_connect(transport: Transport, proxies: &[Network], peer: IpAddr) -> bool {
    transport != Transport::Proxied || peer.to_canonical().is_loopback() || is_one_of(proxies, peer)
}

fn is_one_of(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// Whether a page of this console sent a request. Browsers say it in `Sec-Fetch-Site`; older ones only in `Origin`.
fn is_own(origin: &Url, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(sent)) => {
            // On this machine, the console has several names.
            let by_host = || text("host").map(|host| format!("{}://{host}", origin.scheme()));
            sent == origin.origin().ascii_serialization() || by_host().is_some_and(|own| own == sent)
        }
        (None, None) => false,
    }
}

/// The address of who asks: the last one that `X-Forwarded-For` names and that is not a trusted proxy.
fn client(proxies: &[Network], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer;
    for address in named.iter().rev() {
        if !is_one_of(proxies, client) {
            break;
        }
        let Ok(address) = address.parse() else { break };
        client = address;
    }
    client.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn proxies() -> Vec<Network> {
        vec!["10.0.0.0/8".parse().unwrap(), "fd00::1".parse().unwrap()]
    }

    #[test]
    fn in_plain_only_this_machine_and_the_proxies_are_answered() {
        let may = |transport, peer: &str| may_connect(transport, &proxies(), peer.parse().unwrap());
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1"] {
            assert!(may(Transport::Proxied, peer), "{peer}");
        }
        for peer in ["192.0.2.1", "fd00::2", "::ffff:192.0.2.1"] {
            assert!(!may(Transport::Proxied, peer), "{peer}");
            assert!(may(Transport::Tls, peer), "{peer}");
        }
    }

    #[test]
    fn a_client_is_who_the_last_proxy_names_and_cannot_name_itself() {
        let of = |peer: &str, named: &[&str]| {
            let named: Vec<_> = named.iter().map(|value| ("x-forwarded-for", *value)).collect();
            client(&proxies(), peer.parse().unwrap(), &headers(&named)).to_string()
        };
        assert_eq!(of("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        // The first ones are what the client said of itself.
        assert_eq!(of("10.0.0.1", &["203.0.113.9, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(of("10.0.0.1", &["203.0.113.9", "192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(of("192.0.2.7", &["203.0.113.9"]), "192.0.2.7", "not a proxy");
        assert_eq!(of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("::ffff:10.0.0.1", &["::ffff:192.0.2.7"]), "192.0.2.7");
    }

    #[test]
    fn a_form_is_taken_from_the_own_pages_only() {
        let origin: Url = "https://rolecall.example.com".parse().unwrap();
        let own = |pairs: &[(&'static str, &str)]| is_own(&origin, &headers(pairs));
        let host = ("host", "rolecall.example.com");
        assert!(own(&[("sec-fetch-site", "same-origin"), host]));
        assert!(own(&[("sec-fetch-site", "none"), ("origin", "null"), host]));
        assert!(own(&[("origin", "https://rolecall.example.com"), host]));
        for site in ["cross-site", "same-site", "", "Same-Origin"] {
            assert!(!own(&[("sec-fetch-site", site), ("origin", "https://rolecall.example.com"), host]), "{site}");
        }
        for sent in ["null", "http://rolecall.example.com", "https://rolecall.example.com.evil.example", ""] {
            assert!(!own(&[("origin", sent), host]), "{sent}");
        }
        assert!(!own(&[host]));
    }
}
