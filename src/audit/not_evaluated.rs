//! Why a rule could not look.

use std::borrow::Cow;

/// Why a rule could not be evaluated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotEvaluated(pub(super) Cow<'static, str>);

impl NotEvaluated {
    pub(super) fn because(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}
