//! `copydesk serve`: the service.

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::{Ending, models};
use crate::admin::{self, Health};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::pipeline::process::Processor;
use crate::pipeline::{self, Service};
use crate::pool::Pool;
use crate::shutdown;
use crate::stages::Stages;
use crate::trace;

pub(super) async fn run(config: Config) -> anyhow::Result<Ending> {
    let shutdown = shutdown::on_signals().context("cannot listen for signals")?;
    let metrics = Metrics::new(&config);
    let health = Health::new(config.admin.stall_timeout);
    let admin_stop = CancellationToken::new();
    let admin = match config.admin.listen {
        Some(listen) => {
            let stop = admin_stop.clone();
            let server = admin::serve(listen, metrics.clone(), health.clone(), stop).await;
            Some(server.with_context(|| format!("cannot listen on {listen}"))?)
        }
        None => None,
    };

    let pool = Pool::start(config.pipeline.compute_threads).context("cannot start threads")?;
    let processor = Processor::new(&config, models::load(&config)?, Stages::default(), pool);
    health.model_loaded();

    let (tracer, exporter) = trace::start(&config, &metrics.trace)?.unzip();
    let service = Service { processor, metrics, health, observer: None, tracer };
    let result = pipeline::run(&config, service, shutdown).await;

    if let Some(exporter) = exporter {
        exporter.stop().await;
    }

    admin_stop.cancel();
    if let Some(server) = admin {
        server.stopped().await;
        tracing::info!("admin server stopped");
    }
    result?;
    Ok(Ending::Ok)
}
