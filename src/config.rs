//! Settings: what was written ([`RawConfig`], TOML, environment, flags) becomes what is meant ([`Config`]).
//!
//! The only reader of the environment. All faults are reported at once; an unknown key is a fault.

mod raw;
mod reader;
mod settings;
mod properties;
mod faults;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::article::Format;
use crate::decode::DecodeOptions;
use crate::encode::OffsetUnits;
use crate::trace::Endpoint;

pub use faults::{Fault, Faults, Origin, Problem};
pub use properties::{Properties, Secrets};
pub use raw::{ConfigSources, RawConfig};
pub use reader::Setting;

/// Everything a command needs to know, validated and with its units in types.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub kafka: KafkaConfig,
    pub input: InputConfig,
    pub output: OutputConfig,
    pub state: StateConfig,
    pub pipeline: PipelineConfig,
    pub model: ModelConfig,
    pub admin: AdminConfig,
    pub log: LogConfig,
    pub tracing: TracingConfig,
}

/// A configuration, and where each of its values comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub config: Config,
    /// In the order of `config/copydesk.toml`.
    pub settings: Vec<Setting>,
}

/// How this program was called, for examples that can be copied.
pub fn program() -> String {
    let program = std::env::args_os().next().map(|name| name.to_string_lossy().into_owned());
    program.filter(|name| !name.is_empty()).unwrap_or_else(|| "copydesk".to_owned())
}

impl Loaded {
    /// How a command logs that writes for people: warnings alone, unless the environment or a flag says otherwise. The
    /// file and the defaults are about the service.
    pub fn log_for_people(&self) -> LogConfig {
        let is_wanted = |setting: &Setting| {
            setting.key == "log.filter"
                && matches!(setting.origin, Origin::Environment(_) | Origin::Flag)
        };
        let mut log = self.config.log.clone();
        if !self.settings.iter().any(is_wanted) {
            log.filter = "warn".to_owned();
        }
        log
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct KafkaConfig {
    /// `host:port`, at least one.
    pub brokers: Vec<String>,
    pub group: String,
    /// Stable name of this instance: the transactional id, and static membership where the protocol has it.
    pub instance: Option<String>,
    pub delivery: Delivery,
    pub group_protocol: GroupProtocol,
    pub session_timeout: Duration,
    /// Bytes that are fetched ahead of the work, per assigned partition.
    pub prefetch_bytes_max: usize,
    /// Any other librdkafka property, passed through to consumer and producer.
    pub properties: Properties,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Outputs, dead letters and input offsets in one transaction.
    ExactlyOnce,
    /// Offsets follow the acknowledgements: after a crash the last records come twice.
    AtLeastOnce,
}

/// How members of the consumer group share its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupProtocol {
    /// Cooperative-sticky; an instance with a name is a static member.
    Classic,
    /// KIP-848: the broker assigns. Names are not used for membership, since librdkafka's static members stall there.
    Consumer,
}

#[derive(Debug, Clone, PartialEq)]
pub struct InputConfig {
    pub topic: String,
    pub decode: DecodeOptions,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OutputConfig {
    pub topic: String,
    pub dead_letter_topic: String,
    pub offset_units: OffsetUnits,
    pub retraction: RetractionForm,
    /// Whether a later version of an article says what has changed.
    pub changes: bool,
}

/// What is kept of articles from version to version.
#[derive(Debug, Clone, PartialEq)]
pub struct StateConfig {
    /// `None` keeps nothing: versions are published as they come.
    pub topic: Option<String>,
    /// Bytes in memory, over all assigned partitions.
    pub bytes_max: usize,
}

impl StateConfig {
    pub fn is_on(&self) -> bool {
        self.topic.is_some()
    }
}

/// How a retraction is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetractionForm {
    /// A record with `"status":"retracted"`.
    Record,
    /// A null value on the same key, for compacted topics.
    Tombstone,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PipelineConfig {
    pub compute_threads: NonZeroUsize,
    /// Records read and not yet settled, over all partitions.
    pub inflight_records_max: usize,
    /// Bytes of these records' values.
    pub inflight_bytes_max: usize,
    /// Longest time for one stage of one article.
    pub stage_budget: Duration,
    /// Longest time between two commits while there is progress.
    pub commit_interval: Duration,
    /// Records of one transaction.
    pub transaction_records_max: usize,
    /// Bytes of what one transaction publishes; a larger record passes alone.
    pub transaction_bytes_max: usize,
    /// Longest time that a shutdown waits for records in flight.
    pub drain_timeout: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// The reader's weights; `None` for those inside the binary.
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AdminConfig {
    /// `None` switches the HTTP server off.
    pub listen: Option<SocketAddr>,
    /// Silence of the loop, or pending records without progress, after which `/livez` fails.
    pub stall_timeout: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    pub format: LogFormat,
    /// A `tracing` filter: `info`, `copydesk=debug,rdkafka=warn`.
    pub filter: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON when standard error is not a terminal, pretty otherwise.
    Auto,
    Json,
    Pretty,
}

/// Where traces go. What is in a record's body does not depend on it.
#[derive(Debug, Clone, PartialEq)]
pub struct TracingConfig {
    /// The collector; `None` exports nothing.
    pub endpoint: Option<Endpoint>,
    /// Of the traces that begin here, so many are sampled: from 0 to 1.
    pub sample_ratio: f64,
    pub service_name: String,
    /// Longest time for one request.
    pub timeout: Duration,
    /// Spans that wait for the collector.
    pub queue_spans_max: usize,
    /// Certificates that the collector's is checked against (PEM); `None` for the system's.
    pub ca_file: Option<PathBuf>,
    /// HTTP headers for the collector.
    pub headers: Secrets,
}

impl Default for Config {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            kafka: KafkaConfig {
                brokers: vec!["localhost:9092".into()],
                group: "copydesk".into(),
                instance: None,
                delivery: Delivery::ExactlyOnce,
                group_protocol: GroupProtocol::Classic,
                session_timeout: Duration::from_secs(10),
                prefetch_bytes_max: 4 * 1024 * 1024,
                properties: Properties::default(),
            },
            input: InputConfig { topic: "articles.raw".into(), decode: DecodeOptions::default() },
            output: OutputConfig {
                topic: "articles.enriched".into(),
                dead_letter_topic: "articles.dead".into(),
                offset_units: OffsetUnits::default(),
                retraction: RetractionForm::Record,
                changes: true,
            },
            state: StateConfig {
                topic: Some("articles.state".into()),
                bytes_max: 64 * 1024 * 1024,
            },
            pipeline: PipelineConfig {
                compute_threads: threads,
                inflight_records_max: 256,
                inflight_bytes_max: 32 * 1024 * 1024,
                stage_budget: Duration::from_secs(2),
                commit_interval: Duration::from_millis(100),
                transaction_records_max: 500,
                transaction_bytes_max: 16 * 1024 * 1024,
                drain_timeout: Duration::from_secs(20),
            },
            model: ModelConfig { file: None },
            admin: AdminConfig {
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 9464))),
                stall_timeout: Duration::from_secs(60),
            },
            log: LogConfig { format: LogFormat::Auto, filter: "info".into() },
            tracing: TracingConfig {
                endpoint: None,
                sample_ratio: 1.0,
                service_name: "copydesk".into(),
                timeout: Duration::from_secs(5),
                queue_spans_max: 4096,
                ca_file: None,
                headers: Secrets::default(),
            },
        }
    }
}

impl Config {
    /// Reads all sources: flags over the environment over the file over the defaults.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(sources: &ConfigSources) -> Result<Loaded, Faults> {
        Loaded::try_from(RawConfig::gather(sources, std::env::vars_os()))
    }

    /// `sha256:` of the settings that a record's body depends on: `input.format` and `output.offset_units`. Whether it
    /// has `changes` shows in the record itself.
    ///
    /// Whether a record is refused (`input.article_bytes_max`) or a stage cut off (`pipeline.stage_budget_ms`) shows in
    /// what is published, not here: a fleet that is tuned machine by machine keeps publishing equal bytes.
    pub fn fingerprint(&self) -> String {
        // Exhaustive, so that a new option is either named here or left out on purpose.
        let DecodeOptions { format, article_bytes_max: _ } = &self.input.decode;
        let OffsetUnits { utf8, utf16, source } = self.output.offset_units;
        let format = format.map_or("auto", Format::as_str);
        let settings = format!("input.format={format};utf8={utf8};utf16={utf16};source={source}");
        crate::encode::digest(settings.as_bytes())
    }
}
