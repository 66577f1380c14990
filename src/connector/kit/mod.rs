//! What every connector needs: calls with everything that can happen to them, recording, pacing, completeness checks, and
//! putting the parts of a directory together.
//!
//! A connector implements [`Vendor`] (where a call goes, what a refusal means, what helps) and [`Reader`] (one read of
//! everything, in [`Parts`]); [`Api`] makes its calls and [`read`] reads until the checks agree.

mod account;
mod api;
mod assembly;
mod checks;
mod exchange;
mod json;
mod listed;
pub(in crate::connector) mod mask;
mod pace;
mod proxy;
mod quota;
mod reader;
mod record;
mod repair;
mod session;
mod survey;
pub(in crate::connector) mod wait;

pub(in crate::connector) use self::{
    account::{Account, LOOK_UP},
    api::{Api, Call, Refusal, Request, Vendor, escaped},
    assembly::{Administrators, Parts, UserPages},
    checks::Notes,
    json::{NO_CODE, NO_MESSAGE, ParseError, clean, parse},
    listed::{Entry, Listed},
    pace::Pace,
    quota::Quota,
    reader::{Reader, Rereads, read},
    repair::repair,
    session::{Answer, CallError, Session, is_safe},
    survey::{Aside, Grants, reached},
};
