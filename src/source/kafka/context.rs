//! librdkafka's callbacks turned into [`SourceEvent`]s.
//!
//! In: callbacks, on the thread that polls the consumer. Out: events. A rebalance is only announced here: the group
//! waits until the source accepts or releases the partitions, so work in flight can be drained without blocking a
//! callback. Only while closing are partitions given up at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Statistics, TopicPartitionList};

use super::OnEvent;
use crate::kafka;
use crate::source::{PartitionEnd, SourceEvent};

pub(super) struct Context {
    on_event: Arc<OnEvent>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_closing: bool,
    unanswered: Option<Rebalance>,
}

/// A rebalance that the group waits to see answered.
#[derive(Debug)]
pub(super) enum Rebalance {
    Assigned(Vec<i32>),
    Revoked(Vec<i32>),
}

impl Context {
    pub(super) fn new(on_event: Arc<OnEvent>) -> Self {
        Self { on_event, state: Mutex::default() }
    }

    /// The rebalance that was announced last has been accepted or released.
    pub(super) fn answered(&self) {
        self.state().unanswered = None;
    }

    /// From now on rebalances are answered at once; returns the one that is still to be answered.
    pub(super) fn close(&self) -> Option<Rebalance> {
        let mut state = self.state();
        state.is_closing = true;
        state.unanswered.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Context {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, detail: &str) {
        kafka::log("consumer", level, facility, detail);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The same error comes out of the poll, where it is reported; the reason is only known here.
        tracing::debug!(%error, reason, "consumer error");
    }

    fn stats(&self, statistics: Statistics) {
        let is_member = |group: &rdkafka::statistics::ConsumerGroup| group.join_state == "steady";
        (self.on_event)(SourceEvent::Member(statistics.cgrp.as_ref().is_some_and(is_member)));
        let topics = statistics.topics.values();
        let partitions = topics.flat_map(|topic| topic.partitions.values());
        let ends: Vec<_> = partitions
            .filter(|partition| partition.desired && partition.ls_offset >= 0)
            .map(|partition| PartitionEnd {
                partition: partition.partition,
                end: partition.ls_offset,
                fetched_below: partition.next_offset,
                n_prefetched: partition.fetchq_cnt,
            })
            .collect();
        if !ends.is_empty() {
            (self.on_event)(SourceEvent::Ends(ends));
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let is_assignment = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let elements = list.elements();
        let partitions: Vec<_> = elements.iter().map(|element| element.partition()).collect();
        let mut state = self.state();
        if state.is_closing {
            let result = if is_assignment {
                consumer.incremental_assign(list)
            } else {
                consumer.incremental_unassign(list)
            };
            if let Err(error) = result {
                tracing::warn!(%error, "rebalance while closing failed");
            }
            return;
        }
        let is_lost = !is_assignment && consumer.assignment_lost();
        let (unanswered, event) = if is_assignment {
            (Rebalance::Assigned(partitions.clone()), SourceEvent::Assigned(partitions))
        } else {
            let revoked = partitions.clone();
            (Rebalance::Revoked(revoked), SourceEvent::Revoked { partitions, is_lost })
        };
        state.unanswered = Some(unanswered);
        drop(state);
        (self.on_event)(event);
    }
}
