//! Lag and progress of the partitions that this instance holds.
//!
//! In: assignments, revocations, and where each partition stands. Out: three gauges per assigned partition, computed
//! when they are read, so that a stuck loop shows a lag that grows. A revoked partition has no series, and a late
//! report about one does not bring it back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::GaugeVec;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::{VALID, options};

/// Name and help of each family, in the order of [`State::values`].
const FAMILIES: [(&str, &str); 3] = [
    ("consumer_lag_records", "Records of the partition that are not settled yet"),
    (
        "consumer_lag_seconds",
        "Age of the partition's oldest record that is not settled; 0 when there is none",
    ),
    (
        "partition_last_progress_timestamp_seconds",
        "Unix time when a record of the partition was last settled, or the partition was assigned",
    ),
];

/// The assigned partitions; clones share them.
#[derive(Debug, Clone)]
pub struct Partitions {
    states: Arc<Mutex<BTreeMap<(String, i32), State>>>,
    families: Arc<[GaugeVec; 3]>,
}

impl Partitions {
    pub(super) fn new() -> Self {
        let families = FAMILIES.map(|(name, help)| {
            GaugeVec::new(options(name, help), &["topic", "partition"]).expect(VALID)
        });
        Self { states: Arc::default(), families: Arc::new(families) }
    }

    /// The partition is this instance's: its series begin, at lag zero until the first report.
    pub fn assigned(&self, topic: &str, partition: i32) {
        let state = State { n_records: 0, behind_since: 0.0, progressed_at: now() };
        self.states().insert((topic.to_owned(), partition), state);
    }

    /// The partition was revoked or lost: its series end.
    pub fn revoked(&self, topic: &str, partition: i32) {
        self.states().remove(&(topic.to_owned(), partition));
    }

    /// `n_records` of the partition are not settled; the oldest has this timestamp (milliseconds since the epoch), where
    /// it is known. Without it the age counts from when the partition fell behind.
    pub fn lagging(&self, topic: &str, partition: i32, n_records: u64, oldest_ms: Option<i64>) {
        if let Some(state) = self.states().get_mut(&(topic.to_owned(), partition)) {
            let fell_behind = state.n_records == 0 && n_records > 0;
            state.n_records = n_records;
            #[expect(clippy::cast_precision_loss, reason = "milliseconds need 41 of the 52 bits")]
            match oldest_ms {
                Some(oldest_ms) => state.behind_since = oldest_ms as f64 / 1000.0,
                None if fell_behind => state.behind_since = now(),
                None => {}
            }
        }
    }

    /// A record of the partition was settled just now.
    pub fn progressed(&self, topic: &str, partition: i32) {
        if let Some(state) = self.states().get_mut(&(topic.to_owned(), partition)) {
            state.progressed_at = now();
        }
    }

    /// How many partitions are assigned.
    pub fn len(&self) -> usize {
        self.states().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The families' help and type when no partition is assigned: the encoder leaves out families without series, and
    /// a dashboard should find them from the start.
    pub(super) fn describe_when_empty(&self) -> String {
        if !self.is_empty() {
            return String::new();
        }
        FAMILIES
            .map(|(name, help)| {
                format!("# HELP copydesk_{name} {help}\n# TYPE copydesk_{name} gauge\n")
            })
            .concat()
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<(String, i32), State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one partition stands; times in seconds since the epoch.
#[derive(Debug, Clone, Copy)]
struct State {
    n_records: u64,
    /// When the oldest unsettled record was written; means nothing while there is none.
    behind_since: f64,
    progressed_at: f64,
}

impl State {
    fn values(self, now: f64) -> [f64; 3] {
        let lag_seconds =
            if self.n_records == 0 { 0.0 } else { (now - self.behind_since).max(0.0) };
        #[expect(clippy::cast_precision_loss, reason = "no log holds 2^52 records")]
        [self.n_records as f64, lag_seconds, self.progressed_at]
    }
}

impl Collector for Partitions {
    fn desc(&self) -> Vec<&Desc> {
        self.families.iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let states = self.states();
        let now = now();
        for family in self.families.iter() {
            family.reset();
        }
        for ((topic, partition), state) in states.iter() {
            let labels = [topic.as_str(), &partition.to_string()];
            for (family, value) in self.families.iter().zip(state.values(now)) {
                family.with_label_values(&labels).set(value);
            }
        }
        // Still under the lock: two readers at once must not reset each other's series.
        self.families.iter().flat_map(Collector::collect).collect()
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}
