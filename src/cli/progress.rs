//! Progress of a read: a line on stderr, if it is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use crate::{connector::Progress, words::count};

/// A line that is updated during the read and then cleared.
pub(super) struct Line {
    bar: ProgressBar,
    workspace: String,
}

impl Line {
    pub(super) fn new(workspace: &str) -> Self {
        // Draws nothing if stderr is not a terminal.
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.set_message(format!("{workspace}: reading"));
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { bar, workspace: workspace.to_owned() }
    }
}

impl Progress for Line {
    fn read(&self, pages: u32, users: u64) {
        self.bar.set_message(format!("{}: {} read, {}", self.workspace, count(users, "user"), count(pages, "page")));
    }

    fn again(&self, attempt: u32) {
        self.bar
            .set_message(format!("{}: the list changed during the read; reading again ({attempt})", self.workspace));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
