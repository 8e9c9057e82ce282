//! Whether librdkafka takes the properties, the brokers answer, and the topics exist.
//!
//! In: the Kafka settings. Out: findings for people, within [`TIMEOUT`]; never the value of a secret.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::types::{RDKafkaConfRes, RDKafkaErrorCode};

use crate::config::{Config, KafkaConfig, Properties};
use crate::kafka;

/// Longest wait for the brokers, all requests together: a name look-up, a TLS handshake and a log-in take less.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One request's share of it, after which what the client reports is looked at.
const PATIENCE: Duration = Duration::from_millis(500);

/// Events that the client may report between two requests: a few a broker and attempt.
const EVENTS_MAX: usize = 64;

/// Reasons that are kept of a failing connection: every broker repeats its own.
const REASONS_MAX: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) good: Vec<String>,
    pub(super) bad: Vec<String>,
}

/// Properties that librdkafka does not know, or whose values it does not take.
pub(super) fn refused_properties(config: &KafkaConfig) -> Vec<String> {
    let mut refused = Vec::new();
    for (name, value) in config.properties.iter() {
        let result = ClientConfig::new().set(name, value).create_native_config();
        if let Err(error) = result {
            let why = match error {
                // This may repeat the value; the error's own text always does.
                KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..) => {
                    "librdkafka has no such property".to_owned()
                }
                KafkaError::ClientConfig(_, why, ..) if Properties::is_public(name) => why,
                _ => "librdkafka does not take this value".to_owned(),
            };
            refused.push(format!("kafka.properties.{name}: {why}"));
        }
    }
    refused
}

/// Asks the brokers for the topics. Blocks for [`TIMEOUT`] at most.
///
/// # Errors
/// When no client can be made of the settings.
pub(super) fn reach(config: &Config) -> anyhow::Result<Findings> {
    let deadline = Instant::now() + TIMEOUT;
    let mut client = kafka::client_config(&config.kafka, &[]);
    // A reader's requests never create a topic.
    client.set("allow.auto.create.topics", "false").set_log_level(RDKafkaLogLevel::Warning);
    let witness = Witness::default();
    let client: BaseConsumer<Witness> = client
        .create_with_context(witness.clone())
        .map_err(|error| match error {
            KafkaError::ClientConfig(_, why, name, _) => anyhow::anyhow!("{name}: {why}"),
            error => error.into(),
        })
        .context("no Kafka client can be made of these settings")?;

    let mut findings = Findings::default();
    let topics = [&config.input.topic, &config.output.topic, &config.output.dead_letter_topic];
    let topics = topics.into_iter().chain(&config.state.topic);
    let mut n_input_partitions = 0;
    for (index, topic) in topics.enumerate() {
        let Some(metadata) = ask(&client, topic, deadline) else {
            let brokers = config.kafka.brokers.join(", ");
            findings.bad.push(format!("no broker answers at {brokers}"));
            findings.bad.extend(witness.reasons());
            return Ok(findings);
        };
        if index == 0 {
            let n_brokers = metadata.brokers().len();
            findings.good.push(format!("reached {}", count(n_brokers, "broker")));
        }
        let answer = metadata.topics().iter().find(|found| found.name() == topic);
        let n_partitions = answer.map_or(0, |topic| topic.partitions().len());
        if index == 0 {
            n_input_partitions = n_partitions;
        }
        let judged = answer.map_or(Err("the brokers did not answer for it".to_owned()), judge);
        match judged {
            Ok(finding)
                if config.state.topic.as_ref() == Some(topic)
                    && n_partitions < n_input_partitions =>
            {
                let needed = count(n_input_partitions, "partition");
                findings.bad.push(format!(
                    "topic {topic} {finding}, and needs {needed} like {}",
                    config.input.topic
                ));
            }
            Ok(finding) => findings.good.push(format!("topic {topic} {finding}")),
            Err(finding) => findings.bad.push(format!("topic {topic}: {finding}")),
        }
    }
    Ok(findings)
}

/// A topic's metadata, or `None` when all brokers are known to be down or the deadline has passed.
fn ask(client: &BaseConsumer<Witness>, topic: &str, deadline: Instant) -> Option<Metadata> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if let Ok(metadata) = client.fetch_metadata(Some(topic), left.min(PATIENCE)) {
            return Some(metadata);
        }
        // librdkafka hands over what it has to say when it is polled, one event a call.
        for _ in 0..EVENTS_MAX {
            drop(client.poll(Duration::ZERO));
        }
        if left.is_zero() || client.context().state().all_down {
            return None;
        }
    }
}

fn judge(topic: &MetadataTopic) -> Result<String, String> {
    match topic.error().map(RDKafkaErrorCode::from) {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            return Err("does not exist".to_owned());
        }
        Some(error) => return Err(error.to_string()),
        None => {}
    }
    let n_partitions = topic.partitions().len();
    let n_leaderless = topic.partitions().iter().filter(|partition| partition.leader() < 0).count();
    match (n_partitions, n_leaderless) {
        (0, _) => Err("does not exist".to_owned()),
        (_, 0) => Ok(format!("has {}", count(n_partitions, "partition"))),
        _ => Err(format!("{n_leaderless} of {} have no leader", count(n_partitions, "partition"))),
    }
}

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Keeps what librdkafka says about failing connections: the errors of its calls name no cause.
#[derive(Debug, Clone, Default)]
struct Witness {
    state: Arc<Mutex<Testimony>>,
}

#[derive(Debug, Default)]
struct Testimony {
    reasons: Vec<String>,
    all_down: bool,
}

impl Witness {
    fn reasons(&self) -> Vec<String> {
        self.state().reasons.clone()
    }

    fn state(&self) -> MutexGuard<'_, Testimony> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Witness {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, message: &str) {
        // "[thrd:a:9092/bootstrap]: a:9092/bootstrap: Connect to … failed: Connection refused (after 0ms in state …)"
        let message = message.split_once("]: ").map_or(message, |(_, message)| message);
        let message = message.split_once(" (after ").map_or(message, |(message, _)| message);
        let message = message.replace("/bootstrap: ", ": ");
        let reasons = &mut self.state().reasons;
        if reasons.len() < REASONS_MAX && !reasons.contains(&message) {
            reasons.push(message);
        }
    }

    fn error(&self, error: KafkaError, _reason: &str) {
        self.state().all_down |=
            error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown);
    }
}

impl ConsumerContext for Witness {}
