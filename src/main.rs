//! Command line → configuration → logs → runtime → one command; exit codes 0 ok, 1 failed, 64 bad usage or configuration.

use std::process::ExitCode;

use clap::Parser as _;
use copydesk::cli::Cli;
use copydesk::commands::{self, Ending};
use copydesk::config::Config;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = Config::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(commands::run(cli.command, config)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(Ending::Ok) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("copydesk: {error:#}");
            ExitCode::FAILURE
        }
    }
}
