//! The loop: event → decode → annotate → link → encode → deliver → settle.
//!
//! In: a source and a sink. Out: every record of the source settled: published, dead-lettered, or skipped and counted.

pub mod process;
