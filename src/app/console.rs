//! The web console of a configuration.

use std::{io, net::SocketAddr, sync::Arc};

use url::Url;

use super::{
    AppError,
    sign_in::{Postman, sender},
    smtp_settings, vault,
};
use crate::{
    clock::Clock,
    config::settings::{self, Console as Settings, Oidc, SecretError, SecretSource, Smtp, Tls},
    connections::{
        Listener,
        certificate::{Certificate, CertificateError},
    },
    console::{
        self, Console, Setup, Transport, oidc,
        post::Post,
        site::{Job, Plans, Review},
    },
    mail::smtp::SmtpMailer,
    store::Database,
};

/// The most connections at a time: browsers hold several each.
const CONNECTIONS: usize = 512;

/// The console cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The address cannot be bound.
    #[error("the console cannot listen on {address}: {source}. Set another address as `[console] listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// TLS cannot be used.
    #[error("the console cannot serve TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The address is not one that can be opened.
    #[error("the console has no address that can be opened: {0}; set `[console] public_url`")]
    Origin(#[from] url::ParseError),
    /// A secret cannot be read.
    #[error("`console.oidc.client_secret`: {0}")]
    Secret(#[from] SecretError),
    /// The identity provider cannot be used.
    #[error("{0}")]
    Oidc(String),
    /// Mail cannot be sent.
    #[error("the console cannot send mail: {0}")]
    Mail(String),
}

/// A console that is bound to its address.
pub struct Served {
    /// Where it listens.
    pub listener: Listener,
    /// The console.
    pub console: Arc<Console>,
    /// The address that people open.
    pub origin: Url,
    certificate: Option<Arc<Certificate>>,
}

/// Binds the console to its address.
///
/// # Errors
/// [`ConsoleError`]
pub async fn bind(
    settings: &Settings,
    smtp: Option<&Smtp>,
    plans: Plans,
    store: Arc<dyn Database>,
    clock: Clock,
) -> Result<Served, ConsoleError> {
    let certificate = settings.tls.as_ref().map(certificate).transpose()?.map(Arc::new);
    let address = settings.listen;
    let bound = Listener::bind(address).await.map_err(|source| ConsoleError::Listen { address, source })?;
    let mut listener = bound.at_most(CONNECTIONS);
    if let Some(certificate) = &certificate {
        listener = listener.with_tls(certificate)?;
    }
    let transport = Transport::of(listener.address, certificate.is_some());
    let origin = origin(settings, listener.address, transport)?;
    let oidc = settings.oidc.as_ref().map(oidc).transpose()?;
    let setup = Setup {
        store,
        clock: clock.clone(),
        origin: origin.clone(),
        transport,
        trusted_proxies: settings.trusted_proxies.clone(),
        rights: settings.rights.clone(),
        oidc,
        post: if settings.mail_links { smtp.map(|smtp| post(smtp, clock)).transpose()? } else { None },
    };
    let console = Console::new(setup, plans).map_err(ConsoleError::Oidc)?;
    Ok(Served { listener, console, origin, certificate })
}

/// Sends links that somebody asks for.
fn post(smtp: &Smtp, clock: Clock) -> Result<Arc<dyn Post>, ConsoleError> {
    let settings = smtp_settings(smtp).map_err(|error| ConsoleError::Mail(error.to_string()))?;
    Ok(Arc::new(Postman { mailer: SmtpMailer::new(settings), from: smtp.from.clone(), clock }))
}

/// What pages show of a configuration.
///
/// # Errors
/// [`AppError::Key`]
pub fn plans(settings: &settings::Settings) -> Result<Plans, AppError> {
    let job = |(name, job): (&String, &settings::Job)| {
        (name.clone(), Job { workspaces: job.workspaces.clone(), schedule: job.schedule.clone() })
    };
    let review = |(name, review): (&String, &settings::Review)| {
        (name.clone(), Review { terms: review.terms.clone(), schedule: review.schedule.clone() })
    };
    Ok(Plans {
        jobs: settings.jobs.iter().map(job).collect(),
        workspaces: settings.workspaces.iter().map(|(name, workspace)| (name.clone(), workspace.kind)).collect(),
        reviews: settings.reviews.iter().map(review).collect(),
        sender: sender(settings),
        vault: vault(settings)?,
        configuration: settings.applied(),
    })
}

/// The address that people open.
///
/// # Errors
/// If the address cannot be part of a URL.
pub fn configured_origin(settings: &Settings) -> Result<Url, url::ParseError> {
    origin(settings, settings.listen, Transport::of(settings.listen, settings.tls.is_some()))
}

fn origin(settings: &Settings, address: SocketAddr, transport: Transport) -> Result<Url, url::ParseError> {
    settings.public_url.clone().map_or_else(|| console::origin(address, transport), Ok)
}

fn oidc(settings: &Oidc) -> Result<oidc::Setup, SecretError> {
    Ok(oidc::Setup {
        issuer: settings.issuer.clone(),
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.as_ref().map(SecretSource::read).transpose()?,
        scopes: settings.scopes.clone(),
        groups_claim: settings.groups_claim.clone(),
        trust_email: settings.trust_email,
    })
}

fn certificate(tls: &Tls) -> Result<Certificate, CertificateError> {
    Certificate::read(&tls.certificate, &tls.key)
}

/// What of a running console a new configuration changes.
pub struct Reload {
    console: Arc<Console>,
    certificate: Option<Arc<Certificate>>,
    began_with: Settings,
}

impl Served {
    /// What changes with the configuration while this is served.
    pub fn reload(&self, began_with: &Settings) -> Reload {
        Reload {
            console: Arc::clone(&self.console),
            certificate: self.certificate.clone(),
            began_with: began_with.clone(),
        }
    }
}

impl Reload {
    /// Whether a new configuration can be taken over: everything but the rights and what is in the files stays.
    pub fn is_possible(&self, settings: &Settings) -> bool {
        Settings { rights: self.began_with.rights.clone(), ..settings.clone() } == self.began_with
    }

    /// Takes a new configuration over, and reads the certificate again.
    ///
    /// # Errors
    /// [`CertificateError`]; then nothing has changed.
    pub fn take_over(&self, settings: &Settings, plans: Plans) -> Result<(), CertificateError> {
        if let (Some(current), Some(tls)) = (&self.certificate, &settings.tls) {
            current.replace(&certificate(tls)?);
        }
        self.console.set_rights(settings.rights.clone());
        self.console.site().reconfigure(plans);
        Ok(())
    }
}
