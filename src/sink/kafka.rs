//! A Kafka producer as a sink: the only place that names rdkafka's producer. Exactly once it is in [`transactions`].
//!
//! In: [`Outgoing`] records. Out: [`SinkEvent`]s, from the producer's own thread. What may pass by itself (a lost
//! connection, a leader that moves, a full broker queue) the client retries in order and without duplicates, within
//! [`DELIVERY_TIMEOUT_MS`]; what can never pass comes back as a [`Refusal`]; everything else ends the service, with
//! nothing lost, since what was not acknowledged is not committed either.

pub mod transactions;
pub mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header as KafkaHeader, Message as _, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};
use rdkafka::types::RDKafkaErrorCode;
use serde::Deserialize;

use crate::config::Config;
use crate::kafka;
use crate::sink::{Destination, Outgoing, Refusal, SinkEvent};
use crate::source::Header;
use crate::source::progress::Ticket;

/// Called with each event, from the producer's thread.
pub type OnEvent = Box<dyn Fn(SinkEvent) + Send + Sync>;

/// How long a record is retried. An outage that lasts longer ends the process; its supervisor starts it again.
const DELIVERY_TIMEOUT_MS: &str = "120000";

/// The largest record that is handed to the client, before compression. Brokers judge what is compressed, so they
/// decide about most large records; this keeps out what no broker takes (its requests end at 100 MiB).
const RECORD_BYTES_MAX: &str = "67108864";

/// librdkafka's own bound of a batch, before compression, in bytes.
const BATCH_BYTES_MAX: u64 = 1_000_000;

/// What a batch needs beside its records, in bytes: a topic's limit includes it.
const BATCH_OVERHEAD_BYTES: u64 = 512;

/// How long the brokers may take to tell a topic's limits. Brokers answer in milliseconds; the mock broker never does.
const LIMITS_TIMEOUT: Duration = Duration::from_secs(2);

/// May be overridden by the user's properties.
const DEFAULTS: &[(&str, &str)] =
    &[("compression.type", "zstd"), ("linger.ms", "5"), ("message.max.bytes", RECORD_BYTES_MAX)];

/// A producer for the output topic, the dead-letter topic and the state topic.
pub struct KafkaSink {
    producer: ThreadedProducer<Context>,
    topics: Topics,
}

/// Why a record was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the producer's queue is full")]
    Full,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the producer failed: {0}")]
    Failed(String),
}

/// The largest batch that a topic takes, in bytes, as far as the brokers tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopicLimits {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub dead_letters: Option<u64>,
    pub state: Option<u64>,
    /// Whether the state topic keeps the last record of each key alone.
    pub is_state_compacted: Option<bool>,
}

impl KafkaSink {
    /// Builds the client.
    ///
    /// # Errors
    /// When a property is not valid.
    pub fn connect(
        config: &Config,
        limits: TopicLimits,
        on_event: OnEvent,
    ) -> Result<Self, SendError> {
        let context = Context { on_event, in_transaction: None };
        let defaults = [("message.timeout.ms", DELIVERY_TIMEOUT_MS)];
        let properties = properties(config, limits, &defaults);
        let producer = ThreadedProducer::from_config_and_context(&properties, context)
            .map_err(|error| SendError::Failed(kafka::describe(&error)))?;
        Ok(Self { producer, topics: Topics::new(config) })
    }

    /// Takes a record for publishing. Never waits.
    ///
    /// # Errors
    /// See [`SendError`]; the record has not been taken then, and no event follows.
    pub fn send(&self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), SendError> {
        send(&self.producer, &self.topics, ticket, outgoing)
    }

    /// Waits until every record that was taken has been reported.
    ///
    /// # Errors
    /// When that takes longer than `timeout`.
    pub fn flush(&self, timeout: Duration) -> Result<(), SendError> {
        self.producer.flush(timeout).map_err(|error| SendError::Failed(error.to_string()))
    }
}

impl std::fmt::Debug for KafkaSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaSink").field("topics", &self.topics).finish_non_exhaustive()
    }
}

/// Names of the topics that are written.
#[derive(Debug)]
struct Topics {
    enriched: String,
    dead_letters: String,
    /// Empty where no state is kept.
    state: String,
}

impl Topics {
    fn new(config: &Config) -> Self {
        let output = &config.output;
        Self {
            enriched: output.topic.clone(),
            dead_letters: output.dead_letter_topic.clone(),
            state: config.state.topic.clone().unwrap_or_default(),
        }
    }
}

/// What a delivery is reported for.
#[derive(Debug, Clone, Copy)]
struct Part {
    ticket: Ticket,
    destination: Destination,
}

fn send(
    producer: &ThreadedProducer<Context>,
    topics: &Topics,
    ticket: Ticket,
    outgoing: &Outgoing,
) -> Result<(), SendError> {
    let (topic, partition) = match outgoing.destination {
        Destination::Enriched => (&topics.enriched, None),
        Destination::DeadLetters => (&topics.dead_letters, None),
        Destination::State { partition } => (&topics.state, Some(partition)),
    };
    let part = Box::new(Part { ticket, destination: outgoing.destination });
    let mut record = BaseRecord::<[u8], [u8], Box<Part>>::with_opaque_to(topic, part);
    record.partition = partition;
    record.key = outgoing.key.as_deref();
    record.payload = outgoing.value.as_deref();
    record.timestamp = outgoing.timestamp_ms;
    record.headers = headers(&outgoing.headers);
    match producer.send(record) {
        Ok(()) => Ok(()),
        Err((KafkaError::MessageProduction(code), _)) => {
            Err(match verdict(code, outgoing.destination) {
                Verdict::Later => SendError::Full,
                Verdict::Never(refusal) => SendError::Refused(refusal),
                Verdict::Fatal => SendError::Failed(format!("{code} (topic {topic})")),
            })
        }
        Err((other, _)) => Err(SendError::Failed(other.to_string())),
    }
}

/// Asks the brokers for the topics' limits; what they do not tell stays `None`.
pub async fn topic_limits(config: &Config) -> TopicLimits {
    match describe(config).await {
        Ok(limits) => limits,
        Err(error) => {
            tracing::info!(%error, "topic limits are not known");
            TopicLimits::default()
        }
    }
}

async fn describe(config: &Config) -> Result<TopicLimits, KafkaError> {
    let admin: AdminClient<DefaultClientContext> =
        kafka::client_config(&config.kafka, &[]).create()?;
    let topics = [&config.input.topic, &config.output.topic, &config.output.dead_letter_topic];
    let topics = topics.into_iter().chain(&config.state.topic);
    let resources: Vec<_> = topics.map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let options = AdminOptions::new().request_timeout(Some(LIMITS_TIMEOUT));
    let described = admin.describe_configs(&resources, &options).await?;
    let described: Vec<_> = described.into_iter().map(Result::ok).collect();
    let setting = |index: usize, name: &str| -> Option<String> {
        described.get(index)?.as_ref()?.get(name)?.value.clone()
    };
    let limit = |index| setting(index, "max.message.bytes")?.parse().ok();
    Ok(TopicLimits {
        input: limit(0),
        output: limit(1),
        dead_letters: limit(2),
        state: limit(3),
        is_state_compacted: setting(3, "cleanup.policy").map(|policy| policy.contains("compact")),
    })
}

fn properties(config: &Config, limits: TopicLimits, defaults: &[(&str, &str)]) -> ClientConfig {
    // A batch that is too large is refused whole, with records that would have fitted. Batches that fit leave only
    // records that are too large by themselves, and these are batches of their own.
    let smallest = [limits.output, limits.dead_letters, limits.state].into_iter().flatten().min();
    let batch_bytes_max = smallest.map_or(BATCH_BYTES_MAX, |limit| {
        limit.saturating_sub(BATCH_OVERHEAD_BYTES).clamp(1, BATCH_BYTES_MAX)
    });
    let mut properties = kafka::client_config(&config.kafka, &[DEFAULTS, defaults].concat());
    properties
        // Retries neither repeat nor reorder records.
        .set("enable.idempotence", "true")
        // Equal keys go where Java's producer would put them.
        .set("partitioner", "murmur2_random")
        .set("batch.size", batch_bytes_max.to_string());
    properties
}

fn headers(headers: &[Header]) -> Option<OwnedHeaders> {
    if headers.is_empty() {
        return None;
    }
    let owned = OwnedHeaders::new_with_capacity(headers.len());
    Some(headers.iter().fold(owned, |owned, header| {
        owned.insert(KafkaHeader { key: &header.name, value: header.value.as_deref() })
    }))
}

/// What an error of one record means.
enum Verdict {
    Later,
    Never(Refusal),
    Fatal,
}

fn verdict(code: RDKafkaErrorCode, destination: Destination) -> Verdict {
    match code {
        RDKafkaErrorCode::QueueFull => Verdict::Later,
        // A state is bounded, and small: only a topic that is not set up for it refuses one. Without it versions could
        // not be told apart after the next start.
        _ if matches!(destination, Destination::State { .. }) => Verdict::Fatal,
        RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge => {
            Verdict::Never(Refusal::TooLarge(code.to_string()))
        }
        // The last one is said of records that shared a batch with an invalid one. Sending them again would put them
        // after later versions of the same article.
        RDKafkaErrorCode::InvalidMessage
        | RDKafkaErrorCode::InvalidTimestamp
        | RDKafkaErrorCode::InvalidRecord
        | RDKafkaErrorCode::InvalidDifferentRecord => {
            Verdict::Never(Refusal::Invalid(code.to_string()))
        }
        _ => Verdict::Fatal,
    }
}

struct Context {
    on_event: OnEvent,
    /// Where records are part of a transaction only refusals are reported, and the rest is said of the whole. This is
    /// set when one of them failed.
    in_transaction: Option<Arc<AtomicBool>>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, detail: &str) {
        kafka::log("producer", level, facility, detail);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // What happens to connections is in the client's own log lines already.
        tracing::debug!(%error, reason, "producer reports");
        match error {
            KafkaError::Global(RDKafkaErrorCode::AllBrokersDown) => {
                (self.on_event)(SinkEvent::Reachable(false));
            }
            KafkaError::Global(RDKafkaErrorCode::Fatal) => {
                (self.on_event)(SinkEvent::Failed(reason.to_owned()));
            }
            _ => {}
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        let statistics: Result<Statistics, _> = serde_json::from_slice(statistics);
        let brokers = statistics.map(|statistics| statistics.brokers).unwrap_or_default();
        if brokers.values().any(|broker| broker.state == "UP") {
            (self.on_event)(SinkEvent::Reachable(true));
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Part>;

    fn delivery(&self, result: &DeliveryResult<'_>, part: Box<Part>) {
        let Part { ticket, destination } = *part;
        let event = match result {
            Ok(_) => SinkEvent::Delivered(ticket),
            Err((KafkaError::MessageProduction(code), message)) => {
                match verdict(*code, destination) {
                    Verdict::Never(refusal) => SinkEvent::Refused(ticket, refusal),
                    // Purged when the producer is dropped: nobody waits any more.
                    Verdict::Later | Verdict::Fatal => {
                        SinkEvent::Failed(format!("{code} (topic {})", message.topic()))
                    }
                }
            }
            Err((other, _)) => SinkEvent::Failed(other.to_string()),
        };
        let is_reported = match &self.in_transaction {
            None => true,
            Some(has_failed) => {
                has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                matches!(event, SinkEvent::Refused(..))
            }
        };
        if is_reported {
            (self.on_event)(event);
        }
    }
}

/// The part of librdkafka's statistics that tells whether a broker can be reached.
#[derive(Default, Deserialize)]
struct Statistics {
    brokers: BTreeMap<String, Broker>,
}

#[derive(Deserialize)]
struct Broker {
    state: String,
}
