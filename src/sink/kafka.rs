//! A Kafka producer as a sink: the only file that names rdkafka's producer.
