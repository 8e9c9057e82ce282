//! Whether the service is alive and ready, and if not, why.
//!
//! In: what the loop, the source and the sink report. Out: reasons, in words for people; none means yes.
//! Alive means that a restart would not help: an unreachable broker makes the service unready, never dead.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What speaks against being alive or ready; empty when nothing does.
pub type Reasons = Vec<String>;

/// The service's state of health; clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    state: Arc<Mutex<State>>,
    stall_timeout: Duration,
}

#[derive(Debug)]
struct State {
    model_loaded: bool,
    n_partitions: usize,
    is_member: bool,
    /// Partitions whose records wait for what is known of their articles.
    n_restoring: usize,
    stalled: Vec<i32>,
    producer_usable: bool,
    draining: bool,
    n_pending: usize,
    /// When the loop last turned.
    turned_at: Instant,
    /// When a record was last settled, or work last began.
    progressed_at: Instant,
}

impl Health {
    /// `stall_timeout` is the longest silence of a loop that is alive. Starting up counts as a turn of the loop.
    pub fn new(stall_timeout: Duration) -> Self {
        let now = Instant::now();
        let state = State {
            model_loaded: false,
            n_partitions: 0,
            is_member: false,
            n_restoring: 0,
            stalled: Vec::new(),
            producer_usable: false,
            draining: false,
            n_pending: 0,
            turned_at: now,
            progressed_at: now,
        };
        Self { state: Arc::new(Mutex::new(state)), stall_timeout }
    }

    /// Models and knowledge are in memory, compute threads run.
    pub fn model_loaded(&self) {
        self.state().model_loaded = true;
    }

    /// How many partitions are assigned to this instance now.
    pub fn set_partitions(&self, n_partitions: usize) {
        self.state().n_partitions = n_partitions;
    }

    /// Whether this instance is a member of the consumer group. One without partitions is a hot standby: it is ready to
    /// take over.
    pub fn set_member(&self, is_member: bool) {
        self.state().is_member = is_member;
    }

    /// How many partitions' state is being restored: their records wait for it.
    pub fn set_restoring(&self, n_partitions: usize) {
        self.state().n_restoring = n_partitions;
    }

    /// The partitions that stand still although there is work for them.
    pub fn set_stalled(&self, partitions: Vec<i32>) {
        self.state().stalled = partitions;
    }

    /// Whether the producer can deliver: false while no broker can be reached, and after a fatal error.
    pub fn set_producer_usable(&self, usable: bool) {
        let mut state = self.state();
        // Whoever was cut off gets the whole time again once the broker is back.
        if usable && !state.producer_usable {
            state.progressed_at = Instant::now();
        }
        state.producer_usable = usable;
    }

    /// The loop has turned, with or without work; `n_pending` records are waiting to be settled.
    pub fn turned(&self, n_pending: usize) {
        let mut state = self.state();
        state.turned_at = Instant::now();
        if state.n_pending == 0 && n_pending > 0 {
            state.progressed_at = state.turned_at;
        }
        state.n_pending = n_pending;
    }

    /// A record was settled.
    pub fn progressed(&self) {
        self.state().progressed_at = Instant::now();
    }

    /// The service is shutting down: not ready any more, and alive until it ends.
    pub fn draining(&self) {
        self.state().draining = true;
    }

    /// Why a restart would help.
    pub fn liveness(&self) -> Reasons {
        self.liveness_at(Instant::now())
    }

    /// Why no records can be processed now.
    pub fn readiness(&self) -> Reasons {
        let state = self.state();
        let conditions = [
            (!state.model_loaded, "model is not loaded"),
            (state.n_partitions == 0 && !state.is_member, "not in the consumer group"),
            (!state.producer_usable, "producer cannot reach a broker"),
            (state.n_restoring > 0, "restoring state"),
            (state.draining, "shutting down"),
        ];
        let against = conditions.into_iter().filter(|(is_against, _)| *is_against);
        against.map(|(_, reason)| reason.to_owned()).collect()
    }

    fn liveness_at(&self, now: Instant) -> Reasons {
        let state = self.state();
        let mut reasons = Reasons::new();
        let silence = now.saturating_duration_since(state.turned_at);
        if silence > self.stall_timeout {
            reasons.push(format!("the loop has not turned for {} s", silence.as_secs()));
        }
        let stalled = now.saturating_duration_since(state.progressed_at);
        if state.n_pending > 0 && state.producer_usable && stalled > self.stall_timeout {
            reasons.push(format!(
                "{} records are pending and none was settled for {} s",
                state.n_pending,
                stalled.as_secs()
            ));
        }
        if !state.stalled.is_empty() && state.producer_usable {
            let partitions: Vec<_> = state.stalled.iter().map(ToString::to_string).collect();
            reasons.push(format!(
                "no progress on partition {} for {} s",
                partitions.join(", "),
                self.stall_timeout.as_secs()
            ));
        }
        reasons
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(60);

    #[track_caller]
    fn check_liveness(health: &Health, seconds_later: u64, expected: &[&str]) {
        let later = Instant::now() + Duration::from_secs(seconds_later);
        assert_eq!(health.liveness_at(later), expected);
    }

    #[test]
    fn a_loop_that_stands_still_is_dead() {
        let health = Health::new(TIMEOUT);
        check_liveness(&health, 59, &[]);
        check_liveness(&health, 61, &["the loop has not turned for 61 s"]);
    }

    #[test]
    fn a_loop_that_turns_without_settling_is_dead() {
        let health = Health::new(Duration::ZERO);
        health.set_producer_usable(true);
        health.turned(3);
        let reasons = health.liveness_at(Instant::now() + Duration::from_secs(5));
        assert_eq!(reasons[1], "3 records are pending and none was settled for 5 s");
        health.turned(0);
        assert_eq!(health.liveness_at(Instant::now() + Duration::from_secs(5)).len(), 1);
    }

    #[test]
    fn a_partition_that_stands_still_is_a_reason_to_restart() {
        let health = Health::new(TIMEOUT);
        health.set_producer_usable(true);
        health.set_stalled(vec![0, 3]);
        check_liveness(&health, 1, &["no progress on partition 0, 3 for 60 s"]);
        health.set_stalled(vec![]);
        check_liveness(&health, 1, &[]);
    }

    #[test]
    fn an_unreachable_broker_is_not_a_reason_to_restart() {
        let health = Health::new(Duration::ZERO);
        health.set_producer_usable(true);
        health.turned(3);
        health.set_producer_usable(false);
        let reasons = health.liveness_at(Instant::now() + Duration::from_secs(5));
        assert_eq!(reasons, ["the loop has not turned for 5 s"]);
    }

    #[test]
    fn readiness_says_what_is_missing() {
        let health = Health::new(TIMEOUT);
        assert_eq!(
            health.readiness(),
            ["model is not loaded", "not in the consumer group", "producer cannot reach a broker"]
        );
        health.model_loaded();
        health.set_partitions(2);
        health.set_producer_usable(true);
        assert!(health.readiness().is_empty());
        health.set_partitions(0);
        assert_eq!(health.readiness(), ["not in the consumer group"]);
        health.set_member(true);
        assert!(health.readiness().is_empty(), "a hot standby is ready");
        health.set_restoring(1);
        assert_eq!(health.readiness(), ["restoring state"]);
        health.set_restoring(0);
        health.draining();
        assert_eq!(health.readiness(), ["shutting down"]);
    }
}
