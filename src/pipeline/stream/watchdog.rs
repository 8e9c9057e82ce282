//! Which partitions stand still although there is work for them.
//!
//! In: assignments, lag, records as they are settled, and what the group leaves to nobody. Out: the partitions that have
//! had lag and no progress for longer than a time-out, and those that are without an owner for good. What keeps a partition (a missed wake-up of the client, a record that never ends) makes no
//! difference; only while no broker can be reached is nobody to blame here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Looks at the group in a row, 10 s apart, after which a partition without an owner is not just being handed over.
const LOOKS_WITHOUT_OWNER: u32 = 4;

#[derive(Debug)]
pub(super) struct Watchdog {
    timeout: Duration,
    partitions: BTreeMap<i32, Watch>,
    /// In how many looks in a row a partition had no owner.
    unowned: BTreeMap<i32, u32>,
}

#[derive(Debug)]
struct Watch {
    /// When a record was last settled, or lag began.
    moved_at: Instant,
    is_behind: bool,
    is_stalled: bool,
}

/// What has changed since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) stalled: Vec<i32>,
    pub(super) moving_again: Vec<i32>,
}

impl Watchdog {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, partitions: BTreeMap::new(), unowned: BTreeMap::new() }
    }

    pub(super) fn assigned(&mut self, partition: i32, now: Instant) {
        let watch = Watch { moved_at: now, is_behind: false, is_stalled: false };
        self.partitions.insert(partition, watch);
    }

    pub(super) fn revoked(&mut self, partition: i32) {
        self.partitions.remove(&partition);
    }

    pub(super) fn progressed(&mut self, partition: i32, now: Instant) {
        if let Some(watch) = self.partitions.get_mut(&partition) {
            watch.moved_at = now;
        }
    }

    pub(super) fn lagging(&mut self, partition: i32, n_behind: u64, now: Instant) {
        if let Some(watch) = self.partitions.get_mut(&partition) {
            if !watch.is_behind {
                watch.moved_at = now;
            }
            watch.is_behind = n_behind > 0;
        }
    }

    /// Nobody could have made progress until now.
    pub(super) fn excuse(&mut self, now: Instant) {
        for watch in self.partitions.values_mut() {
            watch.moved_at = now;
        }
    }

    pub(super) fn look(&mut self, now: Instant) -> Changes {
        let mut changes = Changes::default();
        for (&partition, watch) in &mut self.partitions {
            let since = now.saturating_duration_since(watch.moved_at);
            let is_stalled = watch.is_behind && since > self.timeout;
            match (watch.is_stalled, is_stalled) {
                (false, true) => changes.stalled.push(partition),
                (true, false) => changes.moving_again.push(partition),
                _ => {}
            }
            watch.is_stalled = is_stalled;
        }
        changes
    }

    /// Takes note of one look at the group. Returns the partitions that are without an owner for good, and whether it is
    /// time to do something about them: when one has become so, and again after as many looks.
    pub(super) fn unowned(&mut self, partitions: &[i32]) -> (Vec<i32>, bool) {
        let looks = |&partition: &i32| {
            let n_before = self.unowned.get(&partition).copied().unwrap_or_default();
            (partition, n_before.saturating_add(1))
        };
        self.unowned = partitions.iter().map(looks).collect();
        let for_good = self.unowned.iter().filter(|&(_, &n)| n >= LOOKS_WITHOUT_OWNER);
        let is_due = self.unowned.values().any(|&n| n.is_multiple_of(LOOKS_WITHOUT_OWNER));
        (for_good.map(|(&partition, _)| partition).collect(), is_due)
    }

    /// As of the last look.
    pub(super) fn stalled(&self) -> Vec<i32> {
        let stalled = self.partitions.iter().filter(|(_, watch)| watch.is_stalled);
        stalled.map(|(&partition, _)| partition).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_nobody_takes_is_told_now_and_then() {
        let mut watchdog = Watchdog::new(Duration::from_secs(60));
        for _ in 1..LOOKS_WITHOUT_OWNER {
            assert_eq!(watchdog.unowned(&[1, 2]), (vec![], false));
        }
        assert_eq!(watchdog.unowned(&[2]), (vec![2], true));
        for _ in 1..LOOKS_WITHOUT_OWNER {
            assert_eq!(watchdog.unowned(&[2]), (vec![2], false));
        }
        assert_eq!(watchdog.unowned(&[1, 2]), (vec![2], true));
        assert_eq!(watchdog.unowned(&[]), (vec![], false));
        assert_eq!(watchdog.unowned(&[2]), (vec![], false));
    }

    #[test]
    fn lag_without_progress_is_a_stall_until_either_ends() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watchdog = Watchdog::new(Duration::from_secs(60));
        watchdog.assigned(0, at(0));
        watchdog.assigned(1, at(0));
        // Idle for long, then behind: the time counts from there.
        watchdog.lagging(0, 0, at(100));
        watchdog.lagging(0, 5, at(200));
        watchdog.lagging(1, 5, at(200));
        watchdog.progressed(1, at(250));
        assert_eq!(watchdog.look(at(260)), Changes::default());
        assert_eq!(watchdog.look(at(261)), Changes { stalled: vec![0], moving_again: vec![] });
        assert_eq!(watchdog.look(at(262)), Changes::default());
        assert_eq!(watchdog.stalled(), [0]);
        watchdog.progressed(0, at(263));
        assert_eq!(watchdog.look(at(264)), Changes { stalled: vec![], moving_again: vec![0] });
        watchdog.lagging(1, 0, at(300));
        watchdog.excuse(at(320));
        assert_eq!(watchdog.look(at(375)), Changes::default());
        assert_eq!(watchdog.look(at(381)), Changes { stalled: vec![0], moving_again: vec![] });
        watchdog.revoked(0);
        assert_eq!(watchdog.stalled(), Vec::<i32>::new());
    }
}
