//! How a connector of each kind is made. Everything else about a kind, its name and its keys, is in
//! [`model::kind`](crate::model::kind).

use super::{
    contract::Remover,
    error::ConnectorError,
    parameters::Parameters,
    truto::{Truto, TrutoSettings},
    zoho::{ZohoBigin, ZohoSettings},
};
use crate::{clock::Clock, model::kind::ConnectorKind};

/// Makes the connector of a workspace, which dates its calls by `clock`. No call is made yet.
///
/// # Errors
/// [`Cause::Setup`](super::Cause::Setup)
pub fn connect(kind: ConnectorKind, given: &Parameters, clock: Clock) -> Result<Box<dyn Remover>, ConnectorError> {
    Ok(match kind {
        ConnectorKind::ZohoBigin => {
            Box::new(ZohoBigin::sharing(ZohoSettings::new(given)?, clock, given.tokens.as_ref(), &given.commons)?)
        }
        ConnectorKind::Truto => Box::new(Truto::sharing(TrutoSettings::new(given)?, clock, &given.commons)?),
    })
}
