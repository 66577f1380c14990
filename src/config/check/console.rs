//! The web console: where it listens, how people sign in, who may do what.

use std::{net::SocketAddr, path::PathBuf};

use toml::Spanned;
use url::Url;

use super::{Checker, is_safe};
use crate::{
    config::{
        file::{
            self,
            console::{Console as Written, Oidc as WrittenOidc, Rights as WrittenRights},
        },
        problem::Problem,
        settings::{Console, Oidc, Tls, relative},
    },
    model::{
        network::Network,
        right::{Holder, Right, Rights},
    },
};

/// Default of `listen`.
const LISTEN: &str = "127.0.0.1:9720";
/// What comes before the name of a group.
const GROUP: &str = "group:";
/// Issuers that stand for every tenant of a provider: anyone could make up a person there.
const ANY_TENANT: [&str; 3] = ["/common/", "/organizations/", "/consumers/"];

impl Checker<'_> {
    pub(super) fn console(&mut self, console: &Written, has_mail: bool) -> Console {
        let written = console.listen.as_ref();
        let text = written.map_or(LISTEN, |listen| listen.get_ref().as_str());
        let address = text.parse::<SocketAddr>().ok();
        if let Some(written) = written.filter(|_| address.is_none()) {
            let help = format!("expected an address and a port such as {LISTEN}");
            self.error(written.span(), format!("invalid listen address `{text}`"), help);
        }
        let listen = address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 9720)));
        let tls = self.tls(console);
        let trusted_proxies: Vec<Network> =
            console.trusted_proxies.iter().filter_map(|text| self.network(text)).collect();
        let is_behind = !console.trusted_proxies.is_empty();
        let has_tls = console.certificate.is_some() || console.key.is_some();
        if let Some(written) = written.filter(|_| !listen.ip().is_loopback() && !has_tls && !is_behind) {
            let message = format!("on {listen}, the console would send sessions over the network unencrypted");
            let help = "set `certificate` and `key`, or `trusted_proxies` if a proxy adds TLS, or listen on 127.0.0.1";
            self.error(written.span(), message, help);
        }
        let public_url = console.public_url.as_ref().and_then(|url| self.public_url(url));
        if let Some(written) = console.public_url.as_ref()
            && public_url.as_ref().is_some_and(|url| url.scheme() == "http")
            && has_tls
        {
            self.error(written.span(), "the console has a certificate, so its address begins with https", "");
        }
        if let (Some(oidc), None) = (&console.oidc, &console.public_url) {
            let help = "set public_url = \"https://rolecall.example.com\": the provider sends people back to it";
            self.error(oidc.span(), "sign-in by OpenID Connect needs `public_url`", help);
        }
        Console {
            listen,
            public_url,
            tls,
            trusted_proxies,
            oidc: console.oidc.as_ref().map(|oidc| self.oidc(oidc.get_ref())),
            mail_links: self.mail_links(console, has_mail),
            rights: self.rights(&console.rights, console.oidc.is_some()),
        }
    }

    /// Whether people sign in by mail: as written, or if there is no other way and everything for it.
    fn mail_links(&mut self, console: &Written, has_mail: bool) -> bool {
        let is_possible = has_mail && console.public_url.is_some();
        let Some(written) = &console.mail_links else { return is_possible && console.oidc.is_none() };
        if *written.get_ref() && !is_possible {
            let help = "add a [smtp] table with the mail server, and `public_url` with the address that people open";
            self.error(written.span(), "sign-in links by mail need a mail server and `public_url`", help);
        }
        *written.get_ref()
    }

    fn tls(&mut self, console: &Written) -> Option<Tls> {
        match (&console.certificate, &console.key) {
            (Some(certificate), Some(key)) => {
                let certificate = relative(self.context.folder, certificate.get_ref());
                self.key_file(key).map(|key| Tls { certificate, key })
            }
            (Some(lonely), None) => {
                self.error(lonely.span(), "`certificate` without `key`", "set both, or neither");
                None
            }
            (None, Some(lonely)) => {
                self.error(lonely.span(), "`key` without `certificate`", "set both, or neither");
                None
            }
            (None, None) => None,
        }
    }

    fn key_file(&mut self, key: &Spanned<file::Secret>) -> Option<PathBuf> {
        match key.get_ref() {
            file::Secret::File(path) => Some(relative(self.context.folder, path)),
            file::Secret::Env(_) => {
                self.error(key.span(), "`key` must be a file", "expected key = { file = \"PATH\" }");
                None
            }
        }
    }

    fn network(&mut self, text: &Spanned<String>) -> Option<Network> {
        let parsed = text.get_ref().parse();
        let refused = |expected| self.error(text.span(), format!("invalid proxy `{}`", text.get_ref()), expected);
        parsed.map_err(refused).ok()
    }

    /// The address that people open: an origin, without a path.
    fn public_url(&mut self, text: &Spanned<String>) -> Option<Url> {
        let bare = |url: &Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let url = Url::parse(text.get_ref()).ok().filter(|url| is_safe(url) && bare(url));
        if url.is_none() {
            let help = "expected an https address without a path, such as https://rolecall.example.com; http only for this machine";
            self.error(text.span(), format!("invalid `public_url` `{}`", text.get_ref()), help);
        }
        url
    }

    fn oidc(&mut self, oidc: &WrittenOidc) -> Oidc {
        let help = "expected the issuer as the provider states it, such as https://login.example.com";
        self.safe_url(&oidc.issuer, help, |url| url.query().is_none() && url.fragment().is_none());
        let issuer = oidc.issuer.get_ref();
        if ANY_TENANT.iter().any(|tenant| format!("{issuer}/").contains(tenant)) {
            let message = "this issuer signs people of every organization in";
            self.error(oidc.issuer.span(), message, "expected the issuer of your own tenant, with its id");
        }
        Oidc {
            issuer: issuer.clone(),
            client_id: oidc.client_id.clone(),
            client_secret: oidc.client_secret.as_ref().map(|secret| self.secret(secret.get_ref())),
            scopes: oidc.scopes.clone(),
            groups_claim: oidc.groups_claim.clone().unwrap_or_else(|| "groups".to_owned()),
            trust_email: oidc.trust_email,
        }
    }

    fn rights(&mut self, rights: &WrittenRights, has_groups: bool) -> Rights {
        let lists =
            [(Right::Owner, &rights.owners), (Right::Auditor, &rights.auditors), (Right::Viewer, &rights.viewers)];
        let mut holders: Vec<(Right, Holder)> = Vec::new();
        for (right, list) in lists {
            for written in list {
                if let Some(name) = written.get_ref().strip_prefix(GROUP) {
                    if name.trim().is_empty() {
                        self.error(written.span(), "the group has no name", "expected for example group:security");
                    } else if !has_groups {
                        let help = "groups come from the provider of [console.oidc]; add it, or name addresses";
                        let message = format!("nobody is in the group `{}`", name.trim());
                        self.problems.push(Problem::warning(written.span(), message, help));
                    }
                } else {
                    self.address(written);
                }
                let holder = Holder::of(written.get_ref());
                if right == Right::Auditor && holders.iter().any(|(_, by)| *by == holder) {
                    let message = format!("`{}` is an owner and an auditor", written.get_ref());
                    let help = "an auditor changes nothing, so that the right of an owner has no effect";
                    self.problems.push(Problem::warning(written.span(), message, help));
                }
                holders.push((right, holder));
            }
        }
        Rights(holders)
    }
}
