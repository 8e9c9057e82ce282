//! A Kafka topic as a source: the only file that names rdkafka's consumer.
