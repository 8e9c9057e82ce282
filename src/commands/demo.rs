//! `copydesk demo`: the service on an embedded broker, with sample articles.

use super::Ending;
use crate::cli::DemoArgs;
use crate::config::Config;

#[expect(clippy::unused_async, reason = "the pipeline takes its place")]
pub(super) async fn run(_args: DemoArgs, _config: Config) -> anyhow::Result<Ending> {
    anyhow::bail!("not built yet")
}
