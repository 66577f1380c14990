//! Exchanges the grant code, tries the credentials and reads the workspace.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::files::{self, FileError, Layout};
use crate::{
    access::{administrators::resolve_administrator_profiles, matrix::AccessMatrix},
    connector::{Cause, Connector, ConnectorError, Credential as Refused, Progress, ReadRequest},
    model::policy::Policy,
    preflight::{self, Preflight, Question},
};

/// How long reading the workspace may take.
const DEADLINE: Duration = Duration::from_mins(30);

/// What proves to the vendor that rolecall may read.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A self client's code, which works once.
    GrantCode(SecretString),
    /// A refresh token.
    RefreshToken(SecretString),
}

/// The vendor, as `init` needs it.
#[async_trait]
pub trait Vendor: Send + Sync {
    /// Exchanges a grant code for a refresh token.
    ///
    /// # Errors
    /// [`ConnectorError`]
    async fn exchange(&self, code: &SecretString) -> Result<SecretString, ConnectorError>;

    /// A connector that uses this refresh token.
    ///
    /// # Errors
    /// [`ConnectorError`]
    fn connector(&self, refresh_token: SecretString) -> Result<Box<dyn Connector>, ConnectorError>;
}

/// The credentials could not be obtained. What is wrong with credentials that were obtained is in [`Connected`].
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The refresh token could not be saved.
    #[error(
        "the new refresh token could not be saved and is lost: {0}. Correct that, generate a new grant code and run the command again"
    )]
    Keep(#[source] FileError),
    /// The grant code was not exchanged, or the connector could not be built.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
}

impl ConnectError {
    /// The answer that the vendor refused, if it is one, so that another one may do: nothing was written.
    pub fn mistake(&self) -> Option<Mistake> {
        let Self::Connector(ConnectorError { cause: Cause::Unauthorized { credential, .. }, .. }) = self else {
            return None;
        };
        match credential {
            Refused::ClientId => Some(Mistake::Client),
            Refused::ClientSecret => Some(Mistake::ClientSecret),
            Refused::GrantCode => Some(Mistake::GrantCode),
            Refused::RefreshToken | Refused::AccessToken | Refused::ApiToken | Refused::StoredCredentials => None,
        }
    }
}

/// An answer that the vendor refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The data center does not know the client id.
    Client,
    /// The secret of the client.
    ClientSecret,
    /// The code, which may be used up or too old.
    GrantCode,
}

/// A workspace that answered.
#[derive(Debug)]
pub struct Connected {
    /// The refresh token; `None` if it was just obtained and is in its file.
    pub refresh_token: Option<SecretString>,
    /// Whether the credentials suffice.
    pub preflight: Preflight,
    /// The addresses of the active administrators; the error if the users could not be read.
    pub administrators: Result<Vec<String>, ConnectorError>,
}

/// Obtains a refresh token and saves it, then tries it. Nothing but the refresh token is written.
///
/// # Errors
/// [`ConnectError`]
pub async fn connect(
    workspace: &str,
    vendor: &dyn Vendor,
    credential: Credential,
    layout: &Layout,
    progress: &dyn Progress,
) -> Result<Connected, ConnectError> {
    let (token, refresh_token) = match credential {
        Credential::RefreshToken(token) => (token.clone(), Some(token)),
        Credential::GrantCode(code) => {
            let token = vendor.exchange(&code).await?;
            // The code is used up: whatever fails from here on, the token must not be lost.
            files::keep(layout, &layout.refresh_token, &token).map_err(ConnectError::Keep)?;
            (token, None)
        }
    };
    let connector = vendor.connector(token)?;
    let policy = Policy::default();
    let preflight = match connector.survey().await {
        Err(error) => preflight::refused(workspace, error.to_string()),
        Ok(survey) => preflight::judge(&Question {
            workspace,
            survey: &survey,
            policy: &policy,
            allow_offboarding: false,
            organization: None,
            expectations: &[],
        }),
    };
    let administrators =
        if preflight.ready { administrators(&*connector, &policy, progress).await } else { Ok(Vec::new()) };
    Ok(Connected { refresh_token, preflight, administrators })
}

async fn administrators(
    connector: &dyn Connector,
    policy: &Policy,
    progress: &dyn Progress,
) -> Result<Vec<String>, ConnectorError> {
    let request = ReadRequest {
        administrator_profiles: policy.administrator_profiles.clone(),
        deadline: DEADLINE,
        recorder: None,
    };
    let directory = connector.read(&request, progress).await?;
    let (profiles, _) = resolve_administrator_profiles(&policy.administrator_profiles, &directory.profiles);
    let matrix = AccessMatrix::new(&directory, &profiles, &policy.dangerous_permissions);
    let mut found: Vec<String> = matrix
        .rows()
        .filter(crate::access::matrix::MatrixRow::can_administer)
        .filter_map(|row| row.user.email().map(str::to_owned))
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}
