//! How far the work has come, on one line of a terminal; nothing in a pipe.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Work that is shorter needs no progress.
const QUIET: Duration = Duration::from_secs(2);
/// Time between two repaints.
const REPAINT: Duration = Duration::from_millis(250);

pub(super) struct Progress {
    is_wanted: bool,
    started: Instant,
    painted: Option<Instant>,
    is_on_screen: bool,
}

impl Progress {
    /// Not where the records themselves run over the same terminal: they are progress enough.
    pub(super) fn to_stderr() -> Self {
        let is_wanted = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        Self { is_wanted, started: Instant::now(), painted: None, is_on_screen: false }
    }

    pub(super) fn show(&mut self, n_records: u64) {
        let elapsed = self.started.elapsed();
        let is_due = self.painted.is_none_or(|painted| painted.elapsed() >= REPAINT);
        if !self.is_wanted || elapsed < QUIET || !is_due {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = n_records as f64 / elapsed.as_secs_f64();
        // A terminal that went away needs no progress.
        drop(write!(std::io::stderr().lock(), "\r\x1b[K{n_records} records, {rate:.0} a second"));
        self.painted = Some(Instant::now());
        self.is_on_screen = true;
    }

    /// Makes room for a line.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_on_screen) {
            drop(write!(std::io::stderr().lock(), "\r\x1b[K"));
        }
    }
}
