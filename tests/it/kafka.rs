//! The pipeline on a real Apache Kafka from Maven Central, started and stopped by the test.
