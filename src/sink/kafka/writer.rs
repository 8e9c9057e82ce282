//! Records to any topic, as they are: for commands.
//!
//! In: records with the partition that they go to. Out: acknowledged records, in order and none twice; the first one that
//! is refused ends it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext as _, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};
use rdkafka::types::RDKafkaErrorCode;

use super::{DEFAULTS, SendError, headers};
use crate::config::Config;
use crate::kafka;
use crate::source::RawRecord;

/// Between two attempts to hand a record to a full queue.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// For all that was handed over to be acknowledged.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// Writes records.
pub struct TopicWriter {
    producer: ThreadedProducer<Context>,
    failure: Arc<Mutex<Option<String>>>,
}

struct Context {
    failure: Arc<Mutex<Option<String>>>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, detail: &str) {
        kafka::log("producer", level, facility, detail);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| error.to_string());
        }
    }
}

impl TopicWriter {
    /// # Errors
    /// When a property is not valid.
    pub fn open(config: &Config) -> Result<Self, SendError> {
        let failure = Arc::default();
        let mut properties = kafka::client_config(&config.kafka, DEFAULTS);
        properties.set("enable.idempotence", "true").set_log_level(RDKafkaLogLevel::Error);
        let context = Context { failure: Arc::clone(&failure) };
        let producer = ThreadedProducer::from_config_and_context(&properties, context)
            .map_err(|error| SendError::Failed(kafka::describe(&error)))?;
        Ok(Self { producer, failure })
    }

    /// Writes a record to the place that its position names, whatever the offset; waits while the queue is full.
    ///
    /// # Errors
    /// When this record or an earlier one is refused.
    pub fn write(&self, record: &RawRecord) -> Result<(), SendError> {
        loop {
            self.check()?;
            let position = &record.position;
            let mut message =
                BaseRecord::<[u8], [u8]>::to(&position.topic).partition(position.partition);
            message.key = record.key.as_deref();
            message.payload = record.value.as_deref();
            message.headers = headers(&record.headers);
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    std::thread::park_timeout(FULL_PAUSE);
                }
                Err((error, _)) => return Err(SendError::Failed(error.to_string())),
            }
        }
    }

    /// Waits until all is acknowledged.
    ///
    /// # Errors
    /// When something is refused, or not acknowledged in time.
    pub fn finish(self) -> Result<(), SendError> {
        let flushed = self.producer.flush(FLUSH_TIMEOUT);
        self.check()?;
        flushed.map_err(|error| SendError::Failed(error.to_string()))
    }

    fn check(&self) -> Result<(), SendError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().map_or(Ok(()), |error| Err(SendError::Failed(error)))
    }
}

impl std::fmt::Debug for TopicWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicWriter").finish_non_exhaustive()
    }
}
