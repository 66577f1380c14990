//! Who had which access when, from the reads of complete audits.
//!
//! A [`Look`] is what one audit saw. [`Stretches`] walks from one look to earlier and later ones and says how far back and
//! how far on the same access reaches; [`Course`] follows one account through all of them; [`compare()`] tells two audits
//! apart. Each answer names the audits that it rests on: what happened between two reads, nobody saw.

pub mod answer;
mod compare;
mod course;
mod look;
mod moment;
mod stretches;

pub use self::{
    compare::{Kept, compare},
    course::{Course, Period},
    look::{Accounts, Held, Look, Read, State},
    moment::{Moment, Side},
    stretches::{Edge, Stretches},
};
