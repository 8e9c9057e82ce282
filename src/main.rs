//! Command line → configuration → logs → runtime → one command; exit codes 0 ok, 1 failed, 64 bad usage or configuration.

use std::process::ExitCode;

use clap::Parser as _;
use copydesk::cli::{Cli, Command};
use copydesk::commands::{self, Ending};
use copydesk::config::{Config, Loaded};
use copydesk::telemetry;

/// `EX_USAGE` of BSD's sysexits: the command line or the configuration is wrong.
const BAD_USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too; whether somebody still reads them does not matter.
            drop(error.print());
            return if error.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let loaded = match Config::load(&cli.settings.into_sources()) {
        Ok(loaded) => loaded,
        Err(faults) => {
            eprintln!("copydesk: {faults}");
            return ExitCode::from(BAD_USAGE);
        }
    };
    match run(cli.command, loaded) {
        Ok(Ending::Ok) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::FAILURE,
        Ok(Ending::BadConfiguration) => ExitCode::from(BAD_USAGE),
        Err(error) => {
            eprintln!("copydesk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command, loaded: Loaded) -> anyhow::Result<Ending> {
    let log =
        if command.is_for_people() { loaded.log_for_people() } else { loaded.config.log.clone() };
    telemetry::start(&log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(commands::run(command, loaded))
}
