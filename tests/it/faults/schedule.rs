//! Who does what to the service and its brokers, and when: all of it from one seed.

use std::fmt;
use std::time::Duration;

use super::checker::Promise;

/// Instances that a schedule may have at once.
pub(crate) const N_SLOTS: usize = 3;

pub(crate) const N_BROKERS: usize = 3;

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    pub(crate) promise: Promise,
    pub(crate) group: Group,
    /// Instances from the beginning.
    pub(crate) n_instances: usize,
    /// Ordered by time since the beginning.
    pub(crate) faults: Vec<(Duration, Fault)>,
}

/// How instances are members of their group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Named,
    Nameless,
    Consumer,
}

/// Durations are how long it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL; a supervisor starts it again.
    InstanceKilled(usize, Duration),
    /// SIGTERM; started again: a rolling restart's step.
    InstanceRestarted(usize, Duration),
    /// SIGSTOP, SIGCONT: over the session's time-out it comes back as a zombie.
    InstanceFrozen(usize, Duration),
    InstanceJoins,
    InstanceLeaves(usize),
    BrokerKilled(usize, Duration),
    /// SIGTERM: its leaders move before it ends.
    BrokerRestarted(usize, Duration),
    /// SIGSTOP: connected, and silent, like one behind a cut network.
    BrokerFrozen(usize, Duration),
}

impl Schedule {
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        let promise =
            if random.below(4) == 0 { Promise::AtLeastOnce } else { Promise::ExactlyOnce };
        let group = [Group::Named, Group::Nameless, Group::Consumer][random.below(3)];
        let n_instances = 1 + random.below(N_SLOTS);
        let n_faults = 2 + random.below(3);
        let mut faults: Vec<_> = (0..n_faults).map(|_| random.fault(n_instances)).collect();
        faults.sort_by_key(|(at, _)| *at);
        // One broker at a time: with two of three gone there is no cluster, and nothing to promise but patience.
        let mut has_broker = false;
        faults.retain(|(_, fault)| {
            !fault.is_of_broker() || !std::mem::replace(&mut has_broker, true)
        });
        Self { seed, promise, group, n_instances, faults }
    }

    /// Faults by themselves, one every two seconds, for two instances.
    pub(crate) fn planned(faults: &[Fault], promise: Promise, group: Group) -> Self {
        let at = (1..).step_by(2).map(Duration::from_secs);
        let faults = at.zip(faults.iter().copied()).collect();
        Self { seed: 0, promise, group, n_instances: 2, faults }
    }
}

impl Fault {
    fn is_of_broker(self) -> bool {
        matches!(self, Self::BrokerKilled(..) | Self::BrokerRestarted(..) | Self::BrokerFrozen(..))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, promise, group, n_instances, faults } = self;
        write!(f, "seed {seed}: {promise:?}, {group:?}, {n_instances} instances")?;
        for (at, fault) in faults {
            write!(f, "; {:.1} s {fault:?}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

/// `SplitMix64`.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn milliseconds(&mut self, from: usize, to: usize) -> Duration {
        Duration::from_millis((from + self.below(to - from)) as u64)
    }

    fn fault(&mut self, n_instances: usize) -> (Duration, Fault) {
        let at = self.milliseconds(300, 4000);
        let (slot, broker) = (self.below(n_instances), self.below(N_BROKERS));
        let fault = match self.below(12) {
            0..3 => Fault::InstanceKilled(slot, self.milliseconds(0, 1500)),
            3 => Fault::InstanceRestarted(slot, self.milliseconds(0, 1500)),
            4 => Fault::InstanceFrozen(slot, self.milliseconds(500, 3000)),
            5 => Fault::InstanceFrozen(slot, self.milliseconds(6500, 8500)),
            6..8 => Fault::InstanceJoins,
            8 => Fault::InstanceLeaves(slot),
            9 => Fault::BrokerKilled(broker, self.milliseconds(0, 3000)),
            10 => Fault::BrokerRestarted(broker, self.milliseconds(0, 2000)),
            _ => Fault::BrokerFrozen(broker, self.milliseconds(500, 5000)),
        };
        (at, fault)
    }
}
