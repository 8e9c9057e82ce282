//! `copydesk check`: configuration lint, broker reachability.

use super::Ending;
use crate::cli::CheckArgs;
use crate::config::Config;

#[expect(clippy::unused_async, reason = "the broker's check takes its place")]
pub(super) async fn run(_args: CheckArgs, _config: Config) -> anyhow::Result<Ending> {
    anyhow::bail!("not built yet")
}
