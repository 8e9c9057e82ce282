//! What consumer and producer have in common: connection properties, log lines, and how a topic is looked up.
//!
//! In: [`KafkaConfig`]. Out: a client configuration in which the user's own properties stand; each client then sets
//! the properties that the guarantees rest on over them.

use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::config::{KafkaConfig, Properties};

/// How often a client reports the state of its brokers and partitions: often enough for a lag that people watch.
const STATISTICS_INTERVAL_MS: &str = "1000";

/// How long one look at a topic may take.
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// The properties of every client; `defaults` may be overridden by the user's own.
pub fn client_config(config: &KafkaConfig, defaults: &[(&str, &str)]) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("client.id", client_id(config));
    client.set("statistics.interval.ms", STATISTICS_INTERVAL_MS);
    for (name, value) in defaults {
        client.set(*name, *value);
    }
    for (name, value) in config.properties.iter() {
        client.set(name, value);
    }
    client.set("bootstrap.servers", config.brokers.join(","));
    client
}

/// Under which name the brokers know this client.
pub fn client_id(config: &KafkaConfig) -> &str {
    let mut properties = config.properties.iter();
    let own = properties.find(|(name, _)| *name == "client.id").map(|(_, value)| value);
    own.or(config.instance.as_deref()).unwrap_or("copydesk")
}

/// What may be wrong around the service, counted under these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    BrokerUnreachable,
    TopicMissing,
    /// The brokers do not let this service in, or not do this.
    AccessRefused,
    RecordTooLarge,
    PartitionStalled,
    /// No instance of the group has it.
    PartitionUnowned,
}

impl Fault {
    pub const ALL: [Self; 6] = [
        Self::BrokerUnreachable,
        Self::TopicMissing,
        Self::AccessRefused,
        Self::RecordTooLarge,
        Self::PartitionStalled,
        Self::PartitionUnowned,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::BrokerUnreachable => "broker_unreachable",
            Self::TopicMissing => "topic_missing",
            Self::AccessRefused => "access_refused",
            Self::RecordTooLarge => "record_too_large",
            Self::PartitionStalled => "partition_stalled",
            Self::PartitionUnowned => "partition_unowned",
        }
    }

    /// Of an error that the client waits out.
    pub fn of(code: RDKafkaErrorCode) -> Option<Self> {
        match code {
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => {
                Some(Self::TopicMissing)
            }
            RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::Authentication => Some(Self::AccessRefused),
            RDKafkaErrorCode::AllBrokersDown => Some(Self::BrokerUnreachable),
            _ => None,
        }
    }
}

/// Why a topic cannot be used now; all of these may pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicFault {
    #[error("no broker answers: {0}")]
    Unreachable(String),
    #[error("the topic does not exist")]
    Missing,
    #[error("access is refused: {0}")]
    Refused(String),
    #[error(
        "it has {found} partitions, and the input topic has {needed}: each needs its own state"
    )]
    TooFewPartitions { found: usize, needed: usize },
    #[error("the topic cannot be used: {0}")]
    Unusable(String),
}

impl TopicFault {
    /// Under which name it is counted.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Unreachable(_) => Some(Fault::BrokerUnreachable),
            Self::Missing => Some(Fault::TopicMissing),
            Self::Refused(_) => Some(Fault::AccessRefused),
            Self::TooFewPartitions { .. } | Self::Unusable(_) => None,
        }
    }
}

/// How many partitions a topic has; waits [`LOOKUP_TIMEOUT`] at most.
///
/// # Errors
/// See [`TopicFault`].
pub fn look_up<C: ClientContext>(client: &Client<C>, topic: &str) -> Result<usize, TopicFault> {
    let metadata = client
        .fetch_metadata(Some(topic), LOOKUP_TIMEOUT)
        .map_err(|error| TopicFault::Unreachable(error.to_string()))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let Some(found) = found else { return Err(TopicFault::Missing) };
    match found.error().map(RDKafkaErrorCode::from) {
        None if found.partitions().is_empty() => Err(TopicFault::Missing),
        None => Ok(found.partitions().len()),
        Some(code) => Err(match Fault::of(code) {
            Some(Fault::TopicMissing) => TopicFault::Missing,
            Some(Fault::AccessRefused) => TopicFault::Refused(code.to_string()),
            _ => TopicFault::Unusable(code.to_string()),
        }),
    }
}

/// An error in words. What a refused property was set to may be a secret, and librdkafka repeats it.
pub fn describe(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, why, name, _) if Properties::is_public(name) => {
            format!("{name}: {why}")
        }
        KafkaError::ClientConfig(_, _, name, _) => {
            format!("{name}: librdkafka does not take this property, or its value")
        }
        other => other.to_string(),
    }
}

/// One of librdkafka's own log lines.
pub fn log(client: &'static str, level: RDKafkaLogLevel, facility: &str, detail: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::error!(target: "librdkafka", client, facility, detail, "client reports");
        }
        RDKafkaLogLevel::Warning => {
            tracing::warn!(target: "librdkafka", client, facility, detail, "client reports");
        }
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "librdkafka", client, facility, detail, "client reports");
        }
        RDKafkaLogLevel::Debug => {
            tracing::debug!(target: "librdkafka", client, facility, detail, "client reports");
        }
    }
}
