//! The loop's partitions: taken over, drained, given up, and committed in between.
//!
//! In: what the group decides, and where the logs end. Out: commits of what is settled, and lag.

use std::time::{Duration, Instant};

use super::Stream;
use crate::kafka::Fault;
use crate::pipeline::PipelineError;
use crate::source::PartitionEnd;
use crate::source::kafka::{CommitError, PendingCommit};

/// Between two commits while partitions wait to be given up: a rebalance lets none pass for a moment.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Between two looks of the watchdog; several fit into the shortest `admin.stall_timeout_ms`.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);

/// Between two questions for the ends of the logs, in looks of the watchdog: 10 s.
const LOOKS_PER_PROBE: u32 = 40;

/// Partitions that are to be given up when they are drained and committed.
#[derive(Debug)]
pub(super) struct Revocation {
    partitions: Vec<i32>,
    is_lost: bool,
    drain_until: Instant,
}

impl Stream {
    pub(super) fn on_assigned(&mut self, partitions: Vec<i32>) -> Result<(), PipelineError> {
        if partitions.is_empty() {
            return self.take_over(&[]);
        }
        self.source.look_up_offsets(partitions);
        Ok(())
    }

    pub(super) fn take_over(
        &mut self,
        offsets: &[(i32, Option<i64>)],
    ) -> Result<(), PipelineError> {
        let partitions: Vec<i32> = offsets.iter().map(|&(partition, _)| partition).collect();
        for &partition in &partitions {
            self.progress.assign(partition);
            self.service.metrics.source.partitions.assigned(&self.config.input.topic, partition);
            self.watchdog.assigned(partition, Instant::now());
        }
        self.source.accept(offsets).map_err(|error| PipelineError::Source(error.to_string()))?;
        partitions.iter().for_each(|&partition| self.begin_restoring(partition));
        tracing::info!(?partitions, ?offsets, "partitions assigned");
        self.rebalanced();
        Ok(())
    }

    pub(super) fn on_revoked(
        &mut self,
        mut partitions: Vec<i32>,
        mut is_lost: bool,
    ) -> Result<(), PipelineError> {
        tracing::info!(?partitions, is_lost, "partitions revoked");
        // The group waits for an answer before it revokes more: an earlier one that is still draining has been overtaken.
        if let Some(earlier) = self.revocation.take() {
            is_lost |= earlier.is_lost;
            partitions.extend(earlier.partitions);
            partitions.sort_unstable();
            partitions.dedup();
        }
        self.source.stop_reading(&partitions);
        self.waiting.take_if(|record| partitions.contains(&record.position.partition));
        if is_lost {
            // Others may be reading them. Only what is in a transaction already is left to the brokers to judge.
            self.forget(&partitions);
        }
        let drain_until = Instant::now() + self.config.pipeline.drain_timeout;
        self.revocation = Some(Revocation { partitions, is_lost, drain_until });
        self.give_up_when_drained()
    }

    pub(super) fn on_ends(&mut self, ends: &[PartitionEnd]) {
        for end in ends {
            self.ends.insert(end.partition, *end);
            let Some(standing) = self.progress.standing(end.partition) else { continue };
            let read_below = standing.read_below.unwrap_or(end.fetched_below - end.n_prefetched);
            // Offsets that are no records (transaction markers) may stand at the end for ever.
            let has_all = end.n_prefetched == 0 && end.fetched_below >= end.end;
            let n_unread = if has_all || read_below < 0 { 0 } else { end.end - read_below };
            let n_behind = u64::try_from(n_unread).unwrap_or_default() + standing.n_inflight as u64;
            let partitions = &self.service.metrics.source.partitions;
            partitions.lagging(
                &self.config.input.topic,
                end.partition,
                n_behind,
                standing.oldest_ms,
            );
            self.watchdog.lagging(end.partition, n_behind, Instant::now());
        }
    }

    /// Ends that the brokers tell: fetching may know of less.
    pub(super) fn on_probed(&mut self, ends: &[(i32, i64)]) {
        let known = |&(partition, end): &(i32, i64)| {
            let known = self.ends.get(&partition)?;
            Some(PartitionEnd { end: end.max(known.end), ..*known })
        };
        let ends: Vec<_> = ends.iter().filter_map(known).collect();
        self.on_ends(&ends);
    }

    /// What nobody has is behind for nobody: no other series tells of it.
    pub(super) fn on_unowned(&mut self, partitions: &[i32]) -> Result<(), PipelineError> {
        let (partitions, is_due) = self.watchdog.unowned(partitions);
        self.service.metrics.source.set_unowned(partitions.len());
        if !is_due {
            return Ok(());
        }
        self.service.metrics.source.fault(Fault::PartitionUnowned);
        let is_idle = self.progress.partitions().next().is_none() && self.drain_until.is_none();
        tracing::error!(?partitions, is_idle, "partitions are read by no instance of the group");
        // A static member does not leave by leaving; it waits at its start instead.
        if is_idle && self.config.kafka.instance.is_none() {
            self.source.rejoin().map_err(|error| PipelineError::Source(error.to_string()))?;
        }
        Ok(())
    }

    /// Says which partitions stand still, and which do no longer.
    pub(super) fn watch_when_due(&mut self) {
        let now = Instant::now();
        if now.duration_since(self.looked_at) < WATCH_INTERVAL {
            return;
        }
        self.looked_at = now;
        self.n_looks = self.n_looks.wrapping_add(1);
        if self.n_looks.is_multiple_of(LOOKS_PER_PROBE) {
            self.source.probe(self.progress.partitions().collect());
        }
        self.watch_restoring(now);
        if !self.is_reachable || !self.is_sink_ready {
            self.watchdog.excuse(now);
        }
        let changes = self.watchdog.look(now);
        for partition in &changes.stalled {
            let standing = self.progress.standing(*partition);
            tracing::error!(partition, ?standing, "partition makes no progress");
            self.service.metrics.source.fault(Fault::PartitionStalled);
        }
        for partition in &changes.moving_again {
            tracing::info!(partition, "partition makes progress again");
        }
        let stalled = self.watchdog.stalled();
        self.service.metrics.source.set_stalled(stalled.len());
        self.service.health.set_stalled(stalled);
    }

    /// One commit after the other, without waiting for any.
    pub(super) fn commit_when_due(&mut self) {
        if let Some(pending) = self.committing.take() {
            match pending.result() {
                Some(result) => self.on_committed(&pending, result),
                None => self.committing = Some(pending),
            }
        }
        let is_leaving = self.drain_until.is_some() || self.revocation.is_some();
        let interval = if is_leaving { RETRY_PAUSE } else { self.config.pipeline.commit_interval };
        if self.committing.is_none() && self.committed_at.elapsed() >= interval {
            self.committing = self.begin_commit();
        }
    }

    /// The last commit, when the loop ends early: waits for the broker, for the session's time-out at most.
    pub(super) fn commit_and_wait(&mut self) {
        let until = Instant::now() + self.config.kafka.session_timeout;
        let mut pending = self.committing.take().or_else(|| self.begin_commit());
        while let Some(commit) = pending {
            let Some(result) = commit.wait(until.saturating_duration_since(Instant::now())) else {
                tracing::warn!(offsets = ?commit.offsets(), "commit is not answered");
                return;
            };
            let is_ok = result.is_ok();
            self.on_committed(&commit, result);
            pending = if is_ok { self.begin_commit() } else { None };
        }
    }

    fn begin_commit(&mut self) -> Option<PendingCommit> {
        let offsets = self.progress.committable();
        if offsets.is_empty() {
            return None;
        }
        self.committed_at = Instant::now();
        let begun = self.source.begin_commit(offsets);
        let delivered = std::mem::take(&mut self.delivered);
        self.trace_of_commit =
            self.service.tracer.as_ref().and_then(|tracer| tracer.begin_commit(delivered));
        begun.inspect_err(|error| tracing::warn!(%error, "offsets are not committed")).ok()
    }

    /// A commit that failed is repeated with the next.
    fn on_committed(&mut self, commit: &PendingCommit, result: Result<(), CommitError>) {
        self.service.metrics.pipeline.committed(result.is_ok());
        if let (Some(tracer), Some(trace)) = (&self.service.tracer, self.trace_of_commit.take()) {
            tracer.committed(&trace, result.as_ref().err().map(CommitError::as_str));
        }
        match result {
            Ok(()) => self.progress.committed(commit.offsets()),
            Err(CommitError::Rebalancing) => {
                tracing::debug!("commit waits for the group to rebalance");
            }
            Err(error @ CommitError::Failed(_)) => {
                tracing::warn!(%error, offsets = ?commit.offsets(), "offsets are not committed");
            }
        }
    }

    pub(super) fn give_up_when_drained(&mut self) -> Result<(), PipelineError> {
        let Some(revocation) = &self.revocation else { return Ok(()) };
        let is_drained =
            revocation.partitions.iter().all(|&partition| self.progress.is_done(partition));
        let is_over = revocation.is_lost || Instant::now() >= revocation.drain_until;
        // What is in a transaction may still be published: nothing of a partition may be once it is given up.
        let is_in_transaction = self.is_in_transaction();
        match self.revocation.take_if(|_| (is_drained || is_over) && !is_in_transaction) {
            Some(revocation) => self.give_up(&revocation),
            None => Ok(()),
        }
    }

    fn give_up(&mut self, revocation: &Revocation) -> Result<(), PipelineError> {
        let partitions = &revocation.partitions;
        let n_dropped = self.forget(partitions);
        self.source
            .release(partitions)
            .map_err(|error| PipelineError::Source(error.to_string()))?;
        tracing::info!(?partitions, n_dropped, "partitions given up");
        self.rebalanced();
        Ok(())
    }

    /// Drops what is in flight of these partitions, and their series; returns how many records that are.
    fn forget(&mut self, partitions: &[i32]) -> usize {
        let mut n_dropped = 0;
        for &partition in partitions {
            n_dropped += self.progress.revoke(partition);
            self.forget_versions(partition);
            self.watchdog.revoked(partition);
            self.ends.remove(&partition);
            self.service.metrics.source.partitions.revoked(&self.config.input.topic, partition);
        }
        n_dropped
    }

    fn rebalanced(&self) {
        self.service.metrics.source.rebalanced();
        self.service.health.set_partitions(self.progress.partitions().count());
    }
}
