//! Logs: one subscriber for the process, to standard error.
//!
//! In: events of this crate and, through `log`, of librdkafka. Out: JSON or lines for people. Article text never
//! appears above `debug`; a panic's message may quote it, so only its place is an error.

use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{LogConfig, LogFormat};

/// Starts logging for this process; panics are logged too.
///
/// # Errors
/// When logging was started before.
pub fn start(config: &LogConfig) -> Result<(), TryInitError> {
    let filter = filter(&config.filter).unwrap_or_default();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let is_terminal = io::stderr().is_terminal();
    let is_json = match config.format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Json => true,
        LogFormat::Pretty => false,
    };
    if is_json {
        subscriber.json().flatten_event(true).finish().try_init()?;
    } else {
        subscriber.compact().with_ansi(is_terminal).finish().try_init()?;
    }
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// The filter that `text` describes, if it does: a level, or `module=level`, or several separated by commas.
pub fn filter(text: &str) -> Option<EnvFilter> {
    // `tracing` would take a misspelt level for the name of a module, and log nothing.
    let is_clear = |part: &str| {
        let part = part.trim();
        part.contains('=') || (!part.is_empty() && part.parse::<LevelFilter>().is_ok())
    };
    if !text.split(',').all(is_clear) {
        return None;
    }
    EnvFilter::builder().parse(text).ok()
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked");
    tracing::debug!(message_of_panic = info.payload_as_str(), "panicked");
}
