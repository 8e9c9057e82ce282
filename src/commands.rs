//! One file a command: each builds its parts and runs them; it composes, and never computes.

pub mod check;
pub mod demo;
pub mod enrich;
pub mod schema;
pub mod serve;

use crate::cli::Command;
use crate::config::Config;

/// How a command ended, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0.
    Ok,
    /// 1: it ran, and something failed.
    Failed,
}

/// Runs one command to its end.
///
/// # Errors
/// Whatever stopped the command; the message is for the person who started it.
pub async fn run(command: Command, config: Config) -> anyhow::Result<Ending> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Demo(args) => demo::run(args, config).await,
        Command::Enrich(args) => enrich::run(args, config).await,
        Command::Check(args) => check::run(args, config).await,
        Command::Schema => schema::run(),
    }
}
