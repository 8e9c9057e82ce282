//! The integration tests: one binary, since cargo links each test file anew.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it stands")]

mod support;

mod tidy;
mod decode;
mod stages;
mod quotes;
mod tone;
mod properties;
mod schema;
mod golden;
mod hostile;
mod cli;
mod enrich;
mod eval;
mod demo;
mod operations;
mod pipeline;
mod versions;
mod trace;
mod kafka;
mod faults;
