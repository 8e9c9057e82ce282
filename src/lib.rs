//! copydesk: a streaming service that finds who and what is named in news articles, who said what, and in which tone.
//!
//! ```text
//! topic articles.raw ─ source ─ decode ─ Article ─ stages: entities ∥ quotes ∥ sentiment ─ link ─ encode ─ sink ─ topic articles.enriched
//!                                  └── DeadLetter (original bytes, key, headers, reason) ──────────────── sink ─ topic articles.dead
//! ```
//!
//! Guarantees: no record is lost (an offset is committed only when every record before it is settled); order is kept
//! per partition; the body is a pure function of input, build, model and configuration; a stage that fails costs its
//! part of one record; every span is checked before it is published; everything has a bound.
//!
//! The modules stand in the order in which a record travels.

pub mod cli;
pub mod commands;
pub mod config;

pub mod kafka;
pub mod source;
pub mod decode;
pub mod article;
pub mod text;
pub mod knowledge;
pub mod model;
pub mod pool;
pub mod stages;
pub mod link;
pub mod enriched;
pub mod encode;
pub mod versions;
pub mod pretty;
pub mod evaluation;
pub mod dead_letter;
pub mod sink;
pub mod pipeline;

pub mod metrics;
pub mod admin;
pub mod telemetry;
pub mod trace;
pub mod shutdown;

/// Version of this build, as records and `/version` carry it.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");
