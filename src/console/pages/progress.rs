//! How far something is, as a bar that needs no styles of its own.

use crate::words::number;

/// A bar, with its meaning in words.
pub(in crate::console) struct Progress {
    done: usize,
    of: usize,
}

impl Progress {
    pub(in crate::console) fn of(done: usize, of: usize) -> Self {
        Self { done: done.min(of), of }
    }

    /// The length of the bar, of 100.
    pub(in crate::console) fn bar(&self) -> usize {
        (self.done * 100).checked_div(self.of).unwrap_or(100)
    }

    /// `3 of 12`.
    pub(in crate::console) fn words(&self) -> String {
        format!("{} of {}", number(self.done), number(self.of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_only_if_everything_is_done() {
        let bars = [(0, 3), (1, 3), (299, 300), (300, 300), (0, 0)].map(|(done, of)| Progress::of(done, of).bar());
        assert_eq!(bars, [0, 33, 99, 100, 100]);
        assert_eq!(Progress::of(1_000, 2_000).words(), "1,000 of 2,000");
    }
}
