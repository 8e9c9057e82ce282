//! What becomes of the spans that are made for a collector.
//!
//! In: how many were taken, and how many were not. Out: one family, there from the start whether traces are exported or
//! not.

use prometheus::{IntCounter, Registry};

use super::{counters, register};

/// What became of the spans that were made for a collector.
#[derive(Debug, Clone)]
pub struct TraceMetrics {
    exported: IntCounter,
    dropped: IntCounter,
}

impl TraceMetrics {
    pub(super) fn register(registry: &Registry) -> Self {
        let spans = register(
            registry,
            counters(
                "trace_spans_total",
                "Spans for the collector, by how they ended",
                &["outcome"],
            ),
        );
        Self {
            exported: spans.with_label_values(&["exported"]),
            dropped: spans.with_label_values(&["dropped"]),
        }
    }

    /// The collector took so many.
    pub fn exported(&self, n_spans: u64) {
        self.exported.inc_by(n_spans);
    }

    /// So many found no room, or no collector that takes them.
    pub fn dropped(&self, n_spans: u64) {
        self.dropped.inc_by(n_spans);
    }

    /// All that were dropped so far.
    pub fn n_dropped(&self) -> u64 {
        self.dropped.get()
    }
}
