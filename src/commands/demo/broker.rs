//! The embedded broker: librdkafka's mock cluster, with the service's topics and a producer for the articles.
//!
//! In: records to publish. Out: an address that any Kafka client on this machine can use while the demo runs.
//! The mock keeps the newest 5 MB of a partition in memory and forgets the rest: the caller publishes no more than a
//! part of that ahead of the pipeline.

use anyhow::Context as _;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};

use crate::config::Config;

/// Over the largest article that the configuration can let in, with its key and headers.
const MESSAGE_BYTES_MAX: &str = "100000000";

pub(super) struct Broker {
    // Dropped before the cluster that it is connected to.
    producer: ThreadedProducer<DefaultProducerContext>,
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Broker {
    /// Starts a broker on a free port of this machine, with one partition a topic: as newsrooms do for the sake of order.
    pub(super) fn start(config: &Config) -> anyhow::Result<Self> {
        let cluster = MockCluster::new(1).context("cannot start the embedded broker")?;
        let topics = [&config.input.topic, &config.output.topic, &config.output.dead_letter_topic];
        for topic in topics.into_iter().chain(&config.state.topic) {
            cluster
                .create_topic(topic, 1, 1)
                .with_context(|| format!("cannot create topic {topic} on the embedded broker"))?;
        }
        let producer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("message.max.bytes", MESSAGE_BYTES_MAX)
            .set("linger.ms", "0")
            .set_log_level(RDKafkaLogLevel::Critical)
            .create()
            .context("cannot connect to the embedded broker")?;
        Ok(Self { producer, cluster })
    }

    /// `host:port`.
    pub(super) fn address(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    pub(super) fn publish(&self, topic: &str, value: &[u8]) -> anyhow::Result<()> {
        let record: BaseRecord<'_, (), [u8]> = BaseRecord::to(topic).payload(value);
        self.producer
            .send(record)
            .map_err(|(error, _)| error)
            .context("cannot publish to the embedded broker")
    }
}
