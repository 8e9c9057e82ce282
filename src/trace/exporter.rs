//! From the queue to the collector, batch by batch, on a task of its own.
//!
//! In: spans. Out: requests. A collector that does not answer is tried again with pauses that grow to [`PAUSE_MAX`]; what
//! finds no room in the queue meanwhile is dropped and counted. An outage is logged when it begins and when it ends.

use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message as _;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Endpoint, PostError};
use super::spans;
use crate::config::Config;
use crate::metrics::TraceMetrics;

/// Spans of one request, and how long the first one waits for more: as OpenTelemetry's own libraries do, but sooner.
const BATCH_SPANS_MAX: usize = 512;
const BATCH_DELAY: Duration = Duration::from_secs(1);

/// Between two attempts, doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// For what is left when the service ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// The task that exports.
#[derive(Debug)]
pub struct Exporter {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
#[error("traces cannot be exported: {0}")]
pub struct StartError(String);

impl Exporter {
    pub(super) fn start(
        config: &Config,
        endpoint: &Endpoint,
        queue: Receiver<Span>,
        metrics: TraceMetrics,
    ) -> Result<Self, StartError> {
        let tracing = &config.tracing;
        let client = Client::new(endpoint, &tracing.headers, tracing.ca_file.as_deref());
        let stop = CancellationToken::new();
        let work = Work {
            queue,
            client: client.map_err(|error| StartError(error.to_string()))?,
            envelope: spans::resource_spans(config),
            timeout: tracing.timeout,
            outage: None,
            n_dropped: metrics.n_dropped(),
            is_overflowing: false,
            stop: stop.clone(),
            flush_until: None,
            metrics,
        };
        Ok(Self { task: tokio::spawn(work.run()), stop })
    }

    /// Sends what is left, for [`FLUSH_TIMEOUT`] at most.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "exporting traces failed");
        }
    }
}

struct Work {
    queue: Receiver<Span>,
    client: Client,
    /// A request without its spans.
    envelope: ResourceSpans,
    timeout: Duration,
    metrics: TraceMetrics,
    /// How many spans were dropped before the outage that lasts, if one does: when all was well for the last time.
    outage: Option<u64>,
    /// How many were dropped when that was last looked at, and whether more were then than before.
    n_dropped: u64,
    is_overflowing: bool,
    stop: CancellationToken,
    /// Set when the service ends.
    flush_until: Option<Instant>,
}

impl Work {
    async fn run(mut self) {
        loop {
            let batch = self.gather().await;
            if batch.is_empty() {
                break;
            }
            self.deliver(batch).await;
        }
        if let Some(n_before) = self.outage {
            let n_dropped = self.metrics.n_dropped() - n_before;
            tracing::warn!(n_dropped, "collector did not take traces to the end");
        }
    }

    /// The next spans; none when there will be none any more.
    async fn gather(&mut self) -> Vec<Span> {
        let mut batch = Vec::new();
        let mut until = None;
        while batch.len() < BATCH_SPANS_MAX {
            let room = BATCH_SPANS_MAX - batch.len();
            let out_of_time = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.stop.cancelled(), if self.flush_until.is_none() => {
                    self.flush_until = Some(Instant::now() + FLUSH_TIMEOUT);
                    self.queue.close();
                }
                n_received = self.queue.recv_many(&mut batch, room) => {
                    if n_received == 0 {
                        break;
                    }
                    until = until.or(Some(Instant::now() + BATCH_DELAY));
                }
                () = out_of_time => break,
            }
        }
        batch
    }

    async fn deliver(&mut self, batch: Vec<Span>) {
        let n_spans = batch.len() as u64;
        let body = self.encode(batch);
        let mut pause = PAUSE_MIN;
        loop {
            let mut timeout = self.timeout;
            if let Some(until) = self.flush_until {
                timeout = timeout.min(until.saturating_duration_since(Instant::now()));
            }
            let error = match self.client.post(body.clone(), timeout).await {
                Ok(n_rejected) => return self.delivered(n_spans, n_rejected.min(n_spans)),
                Err(error) => error,
            };
            self.failed(&error);
            let (PostError::Later { not_before, .. }, None) = (error, self.flush_until) else {
                return self.metrics.dropped(n_spans);
            };
            let wait = pause.max(not_before.unwrap_or_default()).min(PAUSE_MAX);
            pause *= 2;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.stop.cancelled() => {
                    self.flush_until = Some(Instant::now() + FLUSH_TIMEOUT);
                    self.queue.close();
                }
            }
        }
    }

    fn encode(&self, batch: Vec<Span>) -> Bytes {
        let mut spans = self.envelope.clone();
        if let Some(scope) = spans.scope_spans.first_mut() {
            scope.spans = batch;
        }
        ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec().into()
    }

    fn delivered(&mut self, n_spans: u64, n_rejected: u64) {
        self.metrics.exported(n_spans - n_rejected);
        self.metrics.dropped(n_rejected);
        if n_rejected > 0 {
            let error = format!("it rejects {n_rejected} of {n_spans} spans");
            return self.failed(&PostError::Never(error));
        }
        let n_dropped = self.metrics.n_dropped();
        if let Some(n_before) = self.outage.take() {
            tracing::info!(n_dropped = n_dropped - n_before, "collector takes traces again");
        } else {
            let n_more = n_dropped - self.n_dropped;
            if n_more > 0 && !self.is_overflowing {
                tracing::warn!(n_dropped = n_more, "collector is slower than traces are made");
            }
            self.is_overflowing = n_more > 0;
        }
        self.n_dropped = n_dropped;
    }

    fn failed(&mut self, error: &PostError) {
        if self.outage.is_none() {
            self.outage = Some(self.n_dropped);
            tracing::warn!(%error, "collector does not take traces");
        }
    }
}
