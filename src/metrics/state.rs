//! What is known of articles: how much, how it came back, and what was judged by it.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry};

use super::{counter, counters, gauge, histogram, register, zero};
use crate::versions::SkipReason;

/// From an empty partition to one that holds the members of a group up for long.
const RESTORE_SECONDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// How the article was found that a kill notice means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeOutcome {
    /// It carries the id.
    Own,
    /// It names another article, with certainty.
    Named,
    /// It names another, and which one is not certain: somebody has to look.
    Unresolved,
}

impl NoticeOutcome {
    pub const ALL: [Self; 3] = [Self::Own, Self::Named, Self::Unresolved];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Named => "named",
            Self::Unresolved => "unresolved",
        }
    }
}

/// The state of articles.
#[derive(Debug, Clone)]
pub struct StateMetrics {
    skipped: IntCounterVec,
    notices: IntCounterVec,
    articles: IntGauge,
    bytes: IntGauge,
    restores: Histogram,
    restored: IntCounter,
    unreadable: IntCounter,
}

impl StateMetrics {
    pub(super) fn register(registry: &Registry) -> Self {
        let skipped = counters(
            "records_skipped_total",
            "Records that were not published since a newer one of their article is known",
            &["reason"],
        );
        zero(&skipped, SkipReason::ALL.map(SkipReason::as_str));
        let notices = counters(
            "kill_notices_total",
            "Kill notices in words, by how the article was found that they mean",
            &["outcome"],
        );
        zero(&notices, NoticeOutcome::ALL.map(NoticeOutcome::as_str));
        Self {
            skipped: register(registry, skipped),
            notices: register(registry, notices),
            articles: register(
                registry,
                gauge("state_articles", "Articles that are known, over all assigned partitions"),
            ),
            bytes: register(
                registry,
                gauge("state_bytes", "Memory of what is known of them; at most state.bytes_max"),
            ),
            restores: register(
                registry,
                histogram(
                    "state_restore_duration_seconds",
                    "From the assignment of a partition until what is known of its articles is restored",
                    RESTORE_SECONDS,
                ),
            ),
            restored: register(
                registry,
                counter("state_records_restored_total", "Records read from the state topic"),
            ),
            unreadable: register(
                registry,
                counter(
                    "state_records_unreadable_total",
                    "Records of the state topic that were passed over, since they cannot be read",
                ),
            ),
        }
    }

    /// A record was settled without being published.
    pub fn skipped(&self, reason: SkipReason) {
        self.skipped.with_label_values(&[reason.as_str()]).inc();
    }

    /// A kill notice was judged.
    pub fn kill_notice(&self, outcome: NoticeOutcome) {
        self.notices.with_label_values(&[outcome.as_str()]).inc();
    }

    /// What is known now.
    pub fn set_known(&self, n_articles: usize, n_bytes: usize) {
        self.articles.set(i64::try_from(n_articles).unwrap_or(i64::MAX));
        self.bytes.set(i64::try_from(n_bytes).unwrap_or(i64::MAX));
    }

    /// The state of one partition was restored.
    pub fn restored(&self, n_records: u64, n_unreadable: u64, elapsed: Duration) {
        self.restores.observe(elapsed.as_secs_f64());
        self.restored.inc_by(n_records);
        self.unreadable.inc_by(n_unreadable);
    }
}
