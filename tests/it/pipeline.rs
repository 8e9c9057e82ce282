//! The pipeline on librdkafka's mock broker.
