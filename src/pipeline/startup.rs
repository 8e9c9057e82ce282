//! Before the loop: the topics must be there, and the group must not be stuck.
//!
//! In: the configured topics and group. Out: an open source and sink, once every topic was found; until then one log
//! line a topic and attempt, with pauses that grow to [`PAUSE_MAX`], and a service that is alive but not ready.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::mailbox::{Event, Mailbox};
use super::stream::Publisher;
use super::{PipelineError, Service};
use crate::config::{Config, GroupProtocol};
use crate::kafka::TopicFault;
use crate::sink::kafka::{self, TopicLimits};
use crate::source::SourceEvent;
use crate::source::kafka::KafkaSource;
use crate::versions::STATE_VALUE_BYTES_MAX;

const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Over the session's time-out: until the coordinator, too, has missed this instance.
const EXPIRY_MARGIN: Duration = Duration::from_secs(5);

/// Opens both ends of the stream; `None` when a shutdown was requested first.
pub(super) fn open(
    config: &Config,
    service: &Service,
    mailbox: &Mailbox,
    runtime: &Handle,
) -> Result<Option<(KafkaSource, Publisher)>, PipelineError> {
    let mut source = {
        let (post, wake) = (mailbox.clone(), mailbox.clone());
        let on_event = Box::new(move |event| post.post(Event::Source(event)));
        KafkaSource::connect(config, on_event, Arc::new(move || wake.wake()))
            .map_err(|error| PipelineError::Client(error.to_string()))?
    };
    if !wait_for_topics(&mut source, config, service, mailbox)?
        || !wait_for_group(&mut source, config, service, mailbox)?
    {
        return Ok(None);
    }
    // Joining takes a moment, in which the limits are looked up.
    source.subscribe().map_err(|error| PipelineError::Source(error.to_string()))?;
    tracing::info!(topic = config.input.topic, group = config.kafka.group, "subscribed");
    let limits = runtime.block_on(kafka::topic_limits(config));
    warn_of_limits(limits);
    let post = mailbox.clone();
    let publisher = Publisher::connect(config, limits, move |event| post.post(Event::Sink(event)))
        .map_err(|error| PipelineError::Client(error.to_string()))?;
    Ok(Some((source, publisher)))
}

/// `false` when a shutdown was requested first.
fn wait_for_topics(
    source: &mut KafkaSource,
    config: &Config,
    service: &Service,
    mailbox: &Mailbox,
) -> Result<bool, PipelineError> {
    let mut pause = PAUSE_MIN;
    while !are_usable(source, config, service) {
        if !rest(pause, source, service, mailbox)? {
            return Ok(false);
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
    Ok(true)
}

/// A named instance that ended in the middle of a hand-over would be given its old place back, and the hand-over would
/// never end (see [`crate::source::kafka::Ownership`]). So it lets the group miss it first, which makes the group share
/// out everything anew. `false` when a shutdown was requested first.
fn wait_for_group(
    source: &mut KafkaSource,
    config: &Config,
    service: &Service,
    mailbox: &Mailbox,
) -> Result<bool, PipelineError> {
    let Some(instance) = &config.kafka.instance else { return Ok(true) };
    if config.kafka.group_protocol != GroupProtocol::Classic {
        return Ok(true);
    }
    let until = Instant::now() + config.kafka.session_timeout + EXPIRY_MARGIN;
    let mut is_told = false;
    loop {
        let ownership = source.ownership();
        let stuck = ownership.filter(|it| !it.unowned.is_empty() && it.has_instance(instance));
        let Some(stuck) = stuck else { return Ok(true) };
        if Instant::now() >= until {
            let partitions = stuck.unowned;
            tracing::warn!(?partitions, "partitions belong to no instance, joining all the same");
            return Ok(true);
        }
        if !is_told {
            is_told = true;
            let partitions = stuck.unowned;
            tracing::info!(
                ?partitions,
                "partitions belong to no instance, joining when the group has missed this one"
            );
        }
        if !rest(PAUSE_MIN, source, service, mailbox)? {
            return Ok(false);
        }
    }
}

/// `false` when a shutdown was requested.
fn rest(
    pause: Duration,
    source: &mut KafkaSource,
    service: &Service,
    mailbox: &Mailbox,
) -> Result<bool, PipelineError> {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        service.health.turned(0);
        source.serve();
        mailbox.wait(PAUSE_MIN);
        match mailbox.take() {
            Some(Event::ShutdownRequested) => return Ok(false),
            Some(Event::Source(SourceEvent::Failed(error))) => {
                return Err(PipelineError::Source(error));
            }
            _ => {}
        }
    }
    Ok(true)
}

fn are_usable(source: &KafkaSource, config: &Config, service: &Service) -> bool {
    let mut n_usable = 0;
    let mut n_partitions = 0;
    let topics = [&config.input.topic, &config.output.topic, &config.output.dead_letter_topic];
    let topics: Vec<_> = topics.into_iter().chain(&config.state.topic).collect();
    for &topic in &topics {
        let result = match source.look_up(topic) {
            Ok(found) if config.state.topic.as_ref() == Some(topic) && found < n_partitions => {
                Err(TopicFault::TooFewPartitions { found, needed: n_partitions })
            }
            other => other,
        };
        if let (Ok(found), true) = (&result, *topic == config.input.topic) {
            n_partitions = *found;
        }
        if let Some(fault) = result.as_ref().err().and_then(TopicFault::fault) {
            service.metrics.source.fault(fault);
        }
        match result {
            Ok(_) => n_usable += 1,
            Err(TopicFault::Unreachable(error)) => {
                tracing::warn!(
                    brokers = config.kafka.brokers.join(","),
                    error,
                    "no broker answers"
                );
                return false;
            }
            Err(error) => tracing::warn!(topic, %error, "topic is not usable"),
        }
    }
    n_usable == topics.len()
}

/// Also of what a state topic needs. A record that fits into the input topic must fit into the dead-letter topic, or it stops the service.
fn warn_of_limits(limits: TopicLimits) {
    if let (Some(input), Some(dead_letters)) = (limits.input, limits.dead_letters)
        && dead_letters < input
    {
        tracing::warn!(
            input_bytes_max = input,
            dead_letter_bytes_max = dead_letters,
            "dead-letter topic takes less than the input topic"
        );
    }
    if limits.state.is_some_and(|limit| limit < STATE_VALUE_BYTES_MAX) {
        tracing::warn!(
            state_bytes_max = limits.state,
            needed_bytes_max = STATE_VALUE_BYTES_MAX,
            "state topic may refuse what is known of long articles, which ends the service"
        );
    }
    if limits.is_state_compacted == Some(false) {
        tracing::warn!(
            "state topic is not compacted: set cleanup.policy=compact, or it grows for ever"
        );
    }
}
