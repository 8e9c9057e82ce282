//! `copydesk demo`: the service on an embedded broker, with sample articles and no set-up.
//!
//! The same pipeline as `serve`, between three topics of a broker inside this process; it tells what went in and what
//! came out, and serves the metrics until it is stopped.

mod broker;
mod report;
mod samples;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::broker::Broker;
use self::report::{Origin, Report};
use self::samples::SAMPLES;
use super::{Ending, models};
use crate::admin::{self, Health};
use crate::cli::DemoArgs;
use crate::config::{Config, Delivery, KafkaConfig};
use crate::metrics::Metrics;
use crate::pipeline::process::Processor;
use crate::pipeline::{self, PipelineError, Service, Settled};
use crate::pool::Pool;
use crate::shutdown;
use crate::source::lines::{Framing, Input, InputFault, Inputs, place};
use crate::stages::Stages;

/// Published and not yet settled: well below what the embedded broker remembers of a partition (5 MB).
const AHEAD_BYTES_MAX: usize = 2 * 1024 * 1024;
const AHEAD_RECORDS_MAX: usize = 200;

/// Over [`AHEAD_RECORDS_MAX`], so that no settled record is missed.
const OBSERVED_RECORDS_MAX: usize = 1024;

/// The consumer group takes three seconds to form, an article milliseconds: after this nothing more will come.
const SILENCE_MAX: Duration = Duration::from_secs(30);

pub(super) async fn run(args: DemoArgs, config: Config) -> anyhow::Result<Ending> {
    let broker = Broker::start(&config)?;
    let config = for_the_broker(config, &broker);
    let interrupted = shutdown::on_signals().context("cannot listen for signals")?;
    let shutdown = CancellationToken::new();
    let metrics = Metrics::new(&config);
    let health = Health::new(SILENCE_MAX);
    let admin = serve_metrics(&config, &metrics, &health, &shutdown).await?;

    let (observer, settled) = broadcast::channel(OBSERVED_RECORDS_MAX);
    let pool =
        Pool::start(config.pipeline.compute_threads).context("cannot start the compute threads")?;
    let processor = Processor::new(&config, models::load(&config)?, Stages::default(), pool);
    health.model_loaded();
    let service = Service { processor, metrics, health, observer: Some(observer), tracer: None };

    let mut report = Report::to_stdout(config.input.decode.clone());
    let source = args.input.as_ref().map(|folder| folder.display().to_string());
    report.opening(source.as_deref(), &broker.address(), admin.address(), &config)?;
    let demo = Demo {
        inputs: inputs(args.input, &config),
        topic: config.input.topic.clone(),
        output_topic: config.output.topic.clone(),
        broker,
        settled,
        report,
        ahead: VecDeque::new(),
        ahead_bytes: 0,
        n_faults: 0,
        metrics_address: admin.address(),
        is_once: args.once,
        interrupted,
    };
    let stop = shutdown.clone();
    let pipeline = tokio::spawn(async move { pipeline::run(&config, service, stop).await });
    let ending = demo.run(pipeline, shutdown).await;
    admin.stopped().await;
    ending
}

/// At the configured address, or at any port when another copydesk has that: here any will do.
async fn serve_metrics(
    config: &Config,
    metrics: &Metrics,
    health: &Health,
    shutdown: &CancellationToken,
) -> anyhow::Result<admin::Server> {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let serve = |listen| admin::serve(listen, metrics.clone(), health.clone(), shutdown.clone());
    let server = match serve(config.admin.listen.unwrap_or(any_port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => serve(any_port).await,
        result => result,
    };
    server.context("cannot serve the metrics")
}

/// The user's settings, but for where Kafka is and how to get in. The embedded broker has no transactions.
fn for_the_broker(config: Config, broker: &Broker) -> Config {
    let kafka = KafkaConfig {
        brokers: vec![broker.address()],
        delivery: Delivery::AtLeastOnce,
        ..Config::default().kafka
    };
    Config { kafka, ..config }
}

fn inputs(folder: Option<PathBuf>, config: &Config) -> Inputs {
    let bytes_max = config.input.decode.article_bytes_max;
    match folder {
        Some(folder) => Inputs::new(vec![folder], Framing::ByName, bytes_max),
        None => Inputs::embedded(&SAMPLES, bytes_max),
    }
}

struct Demo {
    inputs: Inputs,
    topic: String,
    output_topic: String,
    broker: Broker,
    settled: broadcast::Receiver<Settled>,
    report: Report,
    /// Published and not yet settled, in order.
    ahead: VecDeque<Published>,
    ahead_bytes: usize,
    n_faults: usize,
    metrics_address: SocketAddr,
    is_once: bool,
    interrupted: CancellationToken,
}

struct Published {
    place: String,
    value: Bytes,
    /// What became of it, kept until all before it are settled: dead letters are acknowledged apart.
    settled: Option<Settled>,
}

/// Why the demo's loop ended.
enum End {
    AllSettled,
    Interrupted,
    Silent,
}

impl Demo {
    async fn run(
        mut self,
        mut pipeline: JoinHandle<Result<(), PipelineError>>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Ending> {
        let shown = tokio::select! {
            end = self.show() => Some(end),
            ended = &mut pipeline => {
                ended.context("the pipeline panicked")?.context("the pipeline failed")?;
                None
            }
        };
        shutdown.cancel();
        if shown.is_some() {
            pipeline.await.context("the pipeline panicked")?.context("the pipeline failed")?;
        }
        match shown.transpose()? {
            Some(End::AllSettled) if self.n_faults == 0 => Ok(Ending::Ok),
            Some(End::Interrupted) => {
                self.report.stopped()?;
                Ok(Ending::Ok)
            }
            Some(End::Silent) => {
                anyhow::bail!(
                    "nothing came out for {} s, and {} articles are still under way",
                    SILENCE_MAX.as_secs(),
                    self.ahead.len()
                )
            }
            Some(End::AllSettled) | None => Ok(Ending::Failed),
        }
    }

    /// Publishes the articles and shows what becomes of them, until there is a reason to end.
    async fn show(&mut self) -> anyhow::Result<End> {
        let mut silent_at = Instant::now() + SILENCE_MAX;
        let mut is_publishing = true;
        let mut is_summed_up = false;
        loop {
            while is_publishing && self.has_room() {
                is_publishing = self.publish_next()?;
            }
            if self.ahead.is_empty() && !is_publishing && !is_summed_up {
                self.report.summary()?;
                is_summed_up = true;
                if self.is_once {
                    return Ok(End::AllSettled);
                }
                self.report.hints(
                    self.metrics_address,
                    &self.broker.address(),
                    &self.output_topic,
                )?;
            }
            tokio::select! {
                settled = self.settled.recv() => {
                    self.settle(settled.context("the pipeline went on without being watched")?)?;
                    silent_at = Instant::now() + SILENCE_MAX;
                }
                () = self.interrupted.cancelled() => return Ok(End::Interrupted),
                () = tokio::time::sleep_until(silent_at), if !self.ahead.is_empty() => {
                    return Ok(End::Silent);
                }
            }
        }
    }

    fn has_room(&self) -> bool {
        self.ahead.len() < AHEAD_RECORDS_MAX && self.ahead_bytes < AHEAD_BYTES_MAX
    }

    /// False when there are no more articles.
    fn publish_next(&mut self) -> anyhow::Result<bool> {
        match self.inputs.next() {
            None => return Ok(false),
            Some(Err(fault)) => self.pass_over(&fault)?,
            Some(Ok(input)) => {
                let position = &input.record.position;
                let place = place(&position.topic, position.offset);
                let value = as_published(input);
                self.broker.publish(&self.topic, &value)?;
                self.ahead_bytes += value.len();
                self.ahead.push_back(Published { place, value, settled: None });
            }
        }
        Ok(true)
    }

    fn pass_over(&mut self, fault: &InputFault) -> anyhow::Result<()> {
        self.n_faults += 1;
        self.report.fault(fault)?;
        Ok(())
    }

    /// Shows what is settled, in the order of the input. Records of others, who publish to the same topic, are shown too.
    fn settle(&mut self, settled: Settled) -> anyhow::Result<()> {
        let is_it = |published: &&mut Published| {
            published.settled.is_none() && settled.input.as_ref() == Some(&published.value)
        };
        match self.ahead.iter_mut().find(is_it) {
            Some(published) => published.settled = Some(settled),
            None => self.report.settled(&Origin(settled.position.to_string()), &settled)?,
        }
        while let Some(first) = self.ahead.pop_front_if(|first| first.settled.is_some()) {
            self.ahead_bytes -= first.value.len();
            if let Some(settled) = first.settled {
                self.report.settled(&Origin(first.place), &settled)?;
            }
        }
        Ok(())
    }
}

/// Raw text becomes a plain record: the topic carries JSON. Bytes that are no text go as they are.
fn as_published(input: Input) -> Bytes {
    let Input { record, is_text } = input;
    let value = record.value.unwrap_or_default();
    let text = std::str::from_utf8(&value).ok().filter(|_| is_text);
    let id = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok());
    match (text, id) {
        (Some(text), Some(id)) => serde_json::json!({ "id": id, "text": text }).to_string().into(),
        _ => value,
    }
}
