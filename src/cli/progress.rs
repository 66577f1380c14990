//! How far a read is: a line on stderr, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

use crate::connector::Progress;

/// A line that grows with the read and goes away with it.
pub(super) struct Line {
    bar: ProgressBar,
    workspace: String,
}

impl Line {
    pub(super) fn new(workspace: &str) -> Self {
        // Draws nothing where stderr is no terminal.
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
        self.bar.set_message(format!("{}: {users} users on {pages} pages", self.workspace));
    }

    fn again(&self, attempt: u32) {
        self.bar
            .set_message(format!("{}: the list changed while it was read; reading again ({attempt})", self.workspace));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
