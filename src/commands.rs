//! One file a command: each builds its parts and runs them; it composes, and never computes.

pub mod check;
pub mod dead;
pub mod demo;
pub mod enrich;
pub mod eval;
pub mod schema;
pub mod serve;
mod models;

use std::io;

use crate::cli::Command;
use crate::config::Loaded;

/// How a command ended, as the exit code tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0.
    Ok,
    /// 1: it ran, and something failed.
    Failed,
    /// 64: nothing was done, the configuration does not allow it.
    BadConfiguration,
}

/// Runs one command to its end. Whoever reads its output may stop early: that is no failure.
///
/// # Errors
/// Whatever stopped the command; the message is for the person who started it.
pub async fn run(command: Command, loaded: Loaded) -> anyhow::Result<Ending> {
    match command {
        Command::Serve if !check::accepts_properties(&loaded.config)? => {
            Ok(Ending::BadConfiguration)
        }
        Command::Serve => Ok(serve::run(loaded.config).await.unwrap_or_else(log_failure)),
        Command::Dead(args) => until_unread(dead::run(args, loaded.config).await),
        Command::Demo(args) => until_unread(demo::run(args, loaded.config).await),
        Command::Enrich(args) => until_unread(enrich::run(args, loaded.config).await),
        Command::Eval(args) => until_unread(eval::run(args, loaded.config).await),
        Command::Check(args) => until_unread(check::run(args, &loaded).await),
        Command::Schema => until_unread(schema::run()),
    }
}

/// A service's last word goes where its other words went.
fn log_failure(error: anyhow::Error) -> Ending {
    tracing::error!(error = format!("{error:#}"), "service failed");
    Ending::Failed
}

/// A closed pipe on standard output (`copydesk schema | head -1`) ends the command well.
fn until_unread(result: anyhow::Result<Ending>) -> anyhow::Result<Ending> {
    let is_broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    match result {
        Err(error) if error.chain().any(is_broken_pipe) => Ok(Ending::Ok),
        result => result,
    }
}
