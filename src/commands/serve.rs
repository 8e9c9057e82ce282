//! `copydesk serve`: the service.

use super::Ending;
use crate::config::Config;

#[expect(clippy::unused_async, reason = "the pipeline takes its place")]
pub(super) async fn run(_config: Config) -> anyhow::Result<Ending> {
    anyhow::bail!("not built yet")
}
