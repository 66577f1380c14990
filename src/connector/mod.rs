//! Reads a workspace over its API. A [`Connector`] has no method that writes: its type proves that to an auditor.
//! Offboarding also needs a [`Remover`], which is made only if the configuration allows it.
//!
//! `contract` is what the rest of the program knows, `kinds` makes the connector of each kind, `kit` holds what all of them
//! share, `commons` is what workspaces with the same credential share, `zoho` and `truto` are two kinds, `bigin` reads the records of the product that both of them reach, `parameters`
//! carries what the configuration says, `unavailable` stands for a workspace whose configuration cannot be used.

mod bigin;
mod commons;
mod contract;
mod error;
pub mod kinds;
mod kit;
mod parameters;
mod shelf;
#[cfg(test)]
mod tests;
pub mod truto;
mod unavailable;
pub mod zoho;

pub use self::{
    commons::Commons,
    contract::{Connector, Exchange, Needed, Progress, ReadRequest, Recorder, Removal, Remover},
    error::{Cause, ConnectorError, Credential},
    parameters::{Limits, Pacing, Parameter, Parameters, SharedTokens, TokenPlace},
    shelf::{Taken, TokenShelf},
    unavailable::Unavailable,
};
