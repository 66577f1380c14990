//! Progress of a read: a line on stderr, if it is a terminal. What else is written meanwhile goes through [`aside`], so that
//! no part of the line stays on the screen.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{connector::Progress, words::count};

/// The lines on the screen.
static SHOWN: Mutex<Vec<ProgressBar>> = Mutex::new(Vec::new());

/// Writes something while the lines are off the screen. stdout is often the same terminal.
pub(super) fn aside<R>(write: impl FnOnce() -> R) -> R {
    let last = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
    match last {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// stderr for logs.
pub(super) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        aside(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

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
        SHOWN.lock().unwrap_or_else(PoisonError::into_inner).push(bar.clone());
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
        SHOWN.lock().unwrap_or_else(PoisonError::into_inner).pop();
        self.bar.finish_and_clear();
    }
}
