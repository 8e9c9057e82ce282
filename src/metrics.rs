//! Every metric family of the service: name, help, labels and buckets, in one place.
//!
//! In: facts that the components report through inherent methods. Out: the text that `/metrics` answers
//! ([`Metrics::render`]). All labels come from closed sets and stand at zero from the start; only partitions come and
//! go, with their assignment. The registry is this instance's own, never the global one.

mod partitions;
mod state;
mod traces;

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use crate::article::{DecodeWarning, Format, RetractionReason};
use crate::config::Config;
use crate::dead_letter::Reason;
use crate::kafka::Fault;
use crate::stages::quotes::QuoteKind;
use crate::stages::{Stage, StageOutcome};

pub use partitions::Partitions;
pub use state::{NoticeOutcome, StateMetrics};
pub use traces::TraceMetrics;

/// From 1 ms (a short article on an idle machine) to beyond the default drain time-out of 20 s.
const RECORD_SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// From 0.1 ms (a news-in-brief) to the default stage budget of 2 s and beyond: a stage that was cut off counts with
/// its whole budget.
const STAGE_SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0,
];

/// Below a minute for alerts on fresh news; above, up to a week, for catching up and replays.
const AGE_SECONDS: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 43_200.0, 86_400.0,
    604_800.0,
];

/// The service's metrics, one part per component; clones share their values.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub source: SourceMetrics,
    pub decode: DecodeMetrics,
    pub stages: StageMetrics,
    pub sink: SinkMetrics,
    pub pipeline: PipelineMetrics,
    pub state: StateMetrics,
    pub trace: TraceMetrics,
    registry: Registry,
}

impl Metrics {
    /// The `Content-Type` of [`Metrics::render`].
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Registers every family; the topics' names come from the configuration.
    pub fn new(config: &Config) -> Self {
        let registry = Registry::new();
        register_build_info(&registry);
        register_process(&registry);
        Self {
            source: SourceMetrics::register(&registry, &config.input.topic),
            decode: DecodeMetrics::register(&registry),
            stages: StageMetrics::register(&registry),
            sink: SinkMetrics::register(
                &registry,
                &config.output.topic,
                &config.output.dead_letter_topic,
            ),
            pipeline: PipelineMetrics::register(&registry),
            state: StateMetrics::register(&registry),
            trace: TraceMetrics::register(&registry),
            registry,
        }
    }

    /// All families in the text exposition format 0.0.4.
    pub fn render(&self) -> String {
        let text = TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("the registry checked every family when it was registered");
        text + &self.source.partitions.describe_when_empty()
    }
}

/// What was read, from where, and how far behind that is.
#[derive(Debug, Clone)]
pub struct SourceMetrics {
    /// Lag and progress of the partitions that are assigned now.
    pub partitions: Partitions,
    records: IntCounter,
    bytes: IntCounter,
    rebalances: IntCounter,
    faults: IntCounterVec,
    stalled: IntGauge,
    unowned: IntGauge,
}

impl SourceMetrics {
    fn register(registry: &Registry, topic: &str) -> Self {
        let records = register(
            registry,
            counters("records_consumed_total", "Records received from the input topic", &["topic"]),
        );
        let bytes = register(
            registry,
            counters(
                "bytes_consumed_total",
                "Bytes of these records, keys and headers included",
                &["topic"],
            ),
        );
        let faults = counters(
            "kafka_faults_total",
            "Faults of brokers, topics and partitions that were met, each kind counted apart",
            &["fault"],
        );
        zero(&faults, Fault::ALL.map(Fault::as_str));
        Self {
            partitions: register(registry, Partitions::new()),
            records: records.with_label_values(&[topic]),
            bytes: bytes.with_label_values(&[topic]),
            rebalances: register(
                registry,
                counter(
                    "rebalances_total",
                    "Changes of this instance's partitions by the consumer group",
                ),
            ),
            faults: register(registry, faults),
            stalled: register(
                registry,
                gauge(
                    "partitions_stalled",
                    "Partitions with records to read and no progress for admin.stall_timeout_ms",
                ),
            ),
            unowned: register(
                registry,
                gauge(
                    "partitions_unowned",
                    "Partitions of the input topic that no instance of the group reads, for some time",
                ),
            ),
        }
    }

    /// A record of `n_bytes` ([`crate::source::RawRecord::size_bytes`]) was received.
    pub fn consumed(&self, n_bytes: usize) {
        self.records.inc();
        self.bytes.inc_by(n_bytes as u64);
    }

    /// A fault was met; it may pass.
    pub fn fault(&self, fault: Fault) {
        self.faults.with_label_values(&[fault.as_str()]).inc();
    }

    /// How many partitions stand still now.
    pub fn set_unowned(&self, n_partitions: usize) {
        self.unowned.set(i64::try_from(n_partitions).unwrap_or(i64::MAX));
    }

    pub fn set_stalled(&self, n_partitions: usize) {
        self.stalled.set(i64::try_from(n_partitions).unwrap_or(i64::MAX));
    }

    /// The consumer group assigned or revoked partitions.
    pub fn rebalanced(&self) {
        self.rebalances.inc();
    }
}

/// What the input was like.
#[derive(Debug, Clone)]
pub struct DecodeMetrics {
    articles: IntCounterVec,
    unknown_fields: IntCounter,
    warnings: IntCounterVec,
}

impl DecodeMetrics {
    fn register(registry: &Registry) -> Self {
        let articles =
            counters("articles_decoded_total", "Articles decoded, by input format", &["format"]);
        zero(&articles, Format::ALL.map(Format::as_str));
        let warnings = counters(
            "decode_warnings_total",
            "Oddities of the input that did not stop decoding",
            &["warning"],
        );
        zero(&warnings, DecodeWarning::ALL.map(DecodeWarning::as_str));
        Self {
            articles: register(registry, articles),
            unknown_fields: register(
                registry,
                counter("unknown_fields_total", "Input fields that no format defines: ignored"),
            ),
            warnings: register(registry, warnings),
        }
    }

    /// An article was decoded.
    pub fn decoded(&self, format: Format, n_unknown_fields: usize, warnings: &[DecodeWarning]) {
        self.articles.with_label_values(&[format.as_str()]).inc();
        self.unknown_fields.inc_by(n_unknown_fields as u64);
        self.warned(warnings);
    }

    /// Something was odd in an article or a retraction.
    pub fn warned(&self, warnings: &[DecodeWarning]) {
        for warning in warnings {
            self.warnings.with_label_values(&[warning.as_str()]).inc();
        }
    }
}

/// How the stages ended and what they found.
#[derive(Debug, Clone)]
pub struct StageMetrics {
    durations: HistogramVec,
    outcomes: IntCounterVec,
    quotes: IntCounterVec,
}

impl StageMetrics {
    fn register(registry: &Registry) -> Self {
        let durations = histograms(
            "stage_duration_seconds",
            "Compute time of one stage of one article, without queueing",
            STAGE_SECONDS,
            &["stage"],
        );
        let outcomes = counters(
            "stage_outcomes_total",
            "How the stages of articles ended",
            &["stage", "outcome"],
        );
        for stage in Stage::ALL {
            durations.with_label_values(&[stage.as_str()]);
            for outcome in StageOutcome::ALL {
                outcomes.with_label_values(&[stage.as_str(), outcome.as_str()]);
            }
        }
        let quotes = counters(
            "quotes_total",
            "Quotes found, by type and by whether their speaker is an entity",
            &["type", "attributed"],
        );
        for kind in QuoteKind::ALL {
            for attributed in ["false", "true"] {
                quotes.with_label_values(&[kind.as_str(), attributed]);
            }
        }
        Self {
            durations: register(registry, durations),
            outcomes: register(registry, outcomes),
            quotes: register(registry, quotes),
        }
    }

    /// A stage of one article ended; its time counts unless it never ran.
    pub fn ended(&self, stage: Stage, outcome: StageOutcome, elapsed: Duration) {
        self.outcomes.with_label_values(&[stage.as_str(), outcome.as_str()]).inc();
        match outcome {
            StageOutcome::Ok | StageOutcome::BudgetExceeded => {
                self.durations.with_label_values(&[stage.as_str()]).observe(elapsed.as_secs_f64());
            }
            StageOutcome::Failed | StageOutcome::UnsupportedLanguage => {}
        }
    }

    /// A quote was found; `attributed` when its speaker is an entity of the article.
    pub fn quote(&self, kind: QuoteKind, attributed: bool) {
        let attributed = if attributed { "true" } else { "false" };
        self.quotes.with_label_values(&[kind.as_str(), attributed]).inc();
    }
}

/// What was delivered; a record counts when the broker has acknowledged it.
#[derive(Debug, Clone)]
pub struct SinkMetrics {
    enriched: IntCounter,
    retracted: IntCounter,
    dead: IntCounter,
    dead_letters: IntCounterVec,
    retractions: IntCounterVec,
    failures: IntCounter,
}

impl SinkMetrics {
    fn register(registry: &Registry, topic: &str, dead_letter_topic: &str) -> Self {
        let published = register(
            registry,
            counters(
                "records_published_total",
                "Records that the broker acknowledged",
                &["topic", "kind"],
            ),
        );
        let dead_letters = counters(
            "records_dead_lettered_total",
            "Records refused and published to the dead-letter topic",
            &["reason"],
        );
        zero(&dead_letters, Reason::ALL.map(Reason::as_str));
        let retractions = counters("retractions_total", "Retractions published", &["reason"]);
        zero(&retractions, RetractionReason::ALL.map(RetractionReason::as_str));
        Self {
            enriched: published.with_label_values(&[topic, "enriched"]),
            retracted: published.with_label_values(&[topic, "retraction"]),
            dead: published.with_label_values(&[dead_letter_topic, "dead_letter"]),
            dead_letters: register(registry, dead_letters),
            retractions: register(registry, retractions),
            failures: register(
                registry,
                counter(
                    "delivery_failures_total",
                    "Deliveries that the broker or the client refused, each attempt counted",
                ),
            ),
        }
    }

    /// An enriched record was delivered.
    pub fn published(&self) {
        self.enriched.inc();
    }

    /// A retraction, as a record or a tombstone, was delivered.
    pub fn retracted(&self, reason: RetractionReason) {
        self.retracted.inc();
        self.retractions.with_label_values(&[reason.as_str()]).inc();
    }

    /// A dead letter was delivered.
    pub fn dead_lettered(&self, reason: Reason) {
        self.dead.inc();
        self.dead_letters.with_label_values(&[reason.as_str()]).inc();
    }

    /// A delivery failed; it is tried again, or the service ends.
    pub fn delivery_failed(&self) {
        self.failures.inc();
    }
}

/// The loop: what is in work, how long it takes, and how old it is when it leaves.
#[derive(Debug, Clone)]
pub struct PipelineMetrics {
    durations: Histogram,
    ages: Histogram,
    inflight_records: IntGauge,
    inflight_bytes: IntGauge,
    span_check_failures: IntCounter,
    commits: IntCounter,
    commit_failures: IntCounter,
    transactions: IntCounter,
    aborts: IntCounter,
}

impl PipelineMetrics {
    fn register(registry: &Registry) -> Self {
        let commits = register(
            registry,
            counters("commits_total", "Offset commits, by how they ended", &["outcome"]),
        );
        let transactions = register(
            registry,
            counters("transactions_total", "Transactions, by how they ended", &["outcome"]),
        );
        Self {
            durations: register(
                registry,
                histogram(
                    "record_duration_seconds",
                    "From receiving a record to its acknowledged delivery",
                    RECORD_SECONDS,
                ),
            ),
            ages: register(
                registry,
                histogram(
                    "article_age_seconds",
                    "From the input record's timestamp to its acknowledged delivery",
                    AGE_SECONDS,
                ),
            ),
            inflight_records: register(
                registry,
                gauge("inflight_records", "Records received and not yet settled"),
            ),
            inflight_bytes: register(registry, gauge("inflight_bytes", "Bytes of these records")),
            span_check_failures: register(
                registry,
                counter(
                    "span_check_failures_total",
                    "Spans withheld because their text was not what they said",
                ),
            ),
            commits: commits.with_label_values(&["ok"]),
            commit_failures: commits.with_label_values(&["failed"]),
            transactions: transactions.with_label_values(&["committed"]),
            aborts: transactions.with_label_values(&["aborted"]),
        }
    }

    /// A record was settled `elapsed` after it was received; `age` is the time since its timestamp, where it has one.
    pub fn settled(&self, elapsed: Duration, age: Option<Duration>) {
        self.durations.observe(elapsed.as_secs_f64());
        if let Some(age) = age {
            self.ages.observe(age.as_secs_f64());
        }
    }

    /// What is in flight now, over all partitions.
    pub fn set_inflight(&self, n_records: usize, n_bytes: usize) {
        self.inflight_records.set(i64::try_from(n_records).unwrap_or(i64::MAX));
        self.inflight_bytes.set(i64::try_from(n_bytes).unwrap_or(i64::MAX));
    }

    /// Spans that [`crate::encode::Body`] withheld.
    pub fn spans_withheld(&self, n_spans: usize) {
        self.span_check_failures.inc_by(n_spans as u64);
    }

    /// A transaction ended.
    pub fn transaction_ended(&self, is_committed: bool) {
        if is_committed { &self.transactions } else { &self.aborts }.inc();
    }

    /// An offset commit ended.
    pub fn committed(&self, is_ok: bool) {
        if is_ok { &self.commits } else { &self.commit_failures }.inc();
    }
}

fn register_build_info(registry: &Registry) {
    let family = IntGaugeVec::new(
        options("build_info", "Always 1; its label names the build"),
        &["version"],
    );
    let family = register(registry, family.expect(VALID));
    family.with_label_values(&[crate::BUILD]).set(1);
}

/// CPU, memory, descriptors and start time under their customary names, where the collector knows the system.
fn register_process(registry: &Registry) {
    #[cfg(target_os = "linux")]
    registry
        .register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))
        .expect(VALID);
}

const VALID: &str = "family names in this file are valid and unique";

fn register<C: Collector + Clone + 'static>(registry: &Registry, family: C) -> C {
    registry.register(Box::new(family.clone())).expect(VALID);
    family
}

fn zero<const N: usize>(family: &IntCounterVec, labels: [&str; N]) {
    for label in labels {
        family.with_label_values(&[label]);
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("copydesk")
}

fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::with_opts(options(name, help)).expect(VALID)
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(options(name, help), labels).expect(VALID)
}

fn gauge(name: &str, help: &str) -> IntGauge {
    IntGauge::with_opts(options(name, help)).expect(VALID)
}

fn histogram(name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
    Histogram::with_opts(options).expect(VALID)
}

fn histograms(name: &str, help: &str, buckets: &[f64], labels: &[&str]) -> HistogramVec {
    let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
    HistogramVec::new(options, labels).expect(VALID)
}
