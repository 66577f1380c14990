//! `[evidence.timestamps]`: authorities that confirm when evidence existed.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::roster::Names;
use crate::timestamp::authorities::Mode;

/// Authorities that confirm when evidence existed (RFC 3161).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Timestamps {
    /// The address of an authority, or a list of several: they are asked in this order until one answers.
    #[schemars(with = "Names")]
    pub(in crate::config) url: Spanned<Names>,
    /// The policy to ask for, as an object identifier; without it, the authority chooses.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) policy: Option<Spanned<String>>,
    /// A PEM file with the certificates to trust; without it, those that this machine trusts.
    pub(in crate::config) ca_file: Option<String>,
    /// `each`: a timestamp for each bag; `daily`: one a day, for authorities that allow few requests.
    #[serde(default)]
    pub(in crate::config) mode: Mode,
}
