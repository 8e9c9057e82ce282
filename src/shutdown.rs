//! Signals become one cancellation token.
//!
//! In: SIGTERM and SIGINT. Out: a token that the first of them cancels. The second ends the process at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Listens for signals from here on.
///
/// # Errors
/// When the operating system refuses a handler.
pub fn on_signals() -> io::Result<CancellationToken> {
    let mut signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
    };
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        let name = signals.next().await;
        tracing::info!(signal = name, "shutdown requested");
        token.cancel();
        let name = signals.next().await;
        tracing::warn!(signal = name, "second signal, ending without draining");
        end_at_once();
    });
    Ok(shutdown)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[expect(clippy::exit, reason = "whoever signals twice does not want to wait for anything")]
fn end_at_once() -> ! {
    std::process::exit(1)
}
