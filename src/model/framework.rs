//! Frameworks whose criteria reports name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words;

/// A framework that an auditor audits by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Framework {
    /// SOC 2: the Trust Services Criteria of 2017.
    Soc2,
    /// ISO/IEC 27001:2022, Annex A.
    Iso27001,
}

impl Framework {
    /// What of it a review supports evidence for.
    fn scope(self) -> &'static str {
        match self {
            Self::Soc2 => "CC6.1 to CC6.3 of the Trust Services Criteria",
            Self::Iso27001 => {
                "the controls A.5.3, A.5.15, A.5.16, A.5.18, A.5.36, A.8.2 and A.8.3 of ISO/IEC 27001:2022"
            }
        }
    }

    /// What of some frameworks a review supports evidence for.
    pub fn scopes(frameworks: &[Self]) -> String {
        let scopes: Vec<&str> = frameworks.iter().map(|framework| framework.scope()).collect();
        words::list(&scopes, scopes.len())
    }

    /// The name in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Soc2 => "soc2",
            Self::Iso27001 => "iso27001",
        }
    }
}
