//! One account through all reads.

use super::look::{Look, Read, State};

/// A time in which every read saw the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The account as the last of these reads saw it. `None` if it was not listed.
    pub state: Option<State>,
    /// The first of these reads.
    pub first: Read,
    /// The last of these reads.
    pub last: Read,
    /// How many reads they are.
    pub reads: u64,
}

/// The periods of one account, oldest first.
#[derive(Debug)]
pub struct Course {
    id: String,
    periods: Vec<Period>,
}

impl Course {
    /// Of the user with this id.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), periods: Vec::new() }
    }

    /// Takes the next look, in the order of time.
    pub fn push(&mut self, look: &Look) {
        let state = look.accounts.get(&self.id);
        if let Some(period) = self.periods.last_mut() {
            let is_same = match (&period.state, state) {
                (Some(then), Some(now)) => {
                    then.is_same_access(now) && then.email == now.email && then.full_name == now.full_name
                }
                (None, None) => true,
                _ => false,
            };
            if is_same {
                period.last = look.read.clone();
                period.reads += 1;
                return;
            }
        }
        let (first, last) = (look.read.clone(), look.read.clone());
        self.periods.push(Period { state: state.cloned(), first, last, reads: 1 });
    }

    /// The user's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The periods, oldest first.
    pub fn periods(&self) -> &[Period] {
        &self.periods
    }
}
