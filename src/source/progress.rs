//! Per-partition low-water mark: the offset below which every record is settled.
//!
//! In: records as they are read, finished, sent and acknowledged; finishing and acknowledging come in any order. Out:
//! what is to be sent next, in input order per partition, and the offsets that may be committed. No offset is ever
//! committable past a record that is not settled, and nothing of an earlier assignment counts in a later one.

use std::collections::{BTreeMap, VecDeque};

/// The records in flight of all assigned partitions; `T` is what a finished record carries until it is settled.
#[derive(Debug)]
pub struct Progress<T> {
    partitions: BTreeMap<i32, Partition<T>>,
    epochs_begun: u64,
    n_records: usize,
    n_bytes: usize,
}

/// One record in flight. The epoch tells assignments of the same partition apart: a broker would accept offsets of a
/// partition that has moved on, so results that outlive their assignment are recognised here and dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    pub partition: i32,
    pub offset: i64,
    epoch: u64,
}

/// What is known of a record when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub offset: i64,
    /// Bytes that it holds in memory until it is settled.
    pub n_bytes: usize,
    /// Milliseconds since the epoch, when the source has one.
    pub timestamp_ms: Option<i64>,
}

/// Where a partition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The offset below which all is settled; `None` until the first record of the assignment was read.
    pub settled_below: Option<i64>,
    /// One past the last record that was read.
    pub read_below: Option<i64>,
    pub n_inflight: usize,
    /// Timestamp of the oldest record that is not settled.
    pub oldest_ms: Option<i64>,
}

/// A record cannot begin: its partition is not assigned, or its offset is not above those read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record is out of order, or of a partition that is not assigned")]
pub struct OutOfOrder;

#[derive(Debug)]
struct Partition<T> {
    epoch: u64,
    slots: VecDeque<Slot<T>>,
    /// Slots before this one have been sent: the next one to send is here, or has not been finished yet.
    n_sent: usize,
    last_read: Option<i64>,
    settled_below: Option<i64>,
    committed: Option<i64>,
}

#[derive(Debug)]
struct Slot<T> {
    arrival: Arrival,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Working,
    Finished(T),
    Sent(T),
    Settled,
}

impl<T> Default for Progress<T> {
    fn default() -> Self {
        Self { partitions: BTreeMap::new(), epochs_begun: 0, n_records: 0, n_bytes: 0 }
    }
}

impl<T> Progress<T> {
    /// Begins an assignment of `partition`; what was in flight of an earlier one is forgotten.
    pub fn assign(&mut self, partition: i32) {
        self.revoke(partition);
        self.epochs_begun += 1;
        let state = Partition {
            epoch: self.epochs_begun,
            slots: VecDeque::new(),
            n_sent: 0,
            last_read: None,
            settled_below: None,
            committed: None,
        };
        self.partitions.insert(partition, state);
    }

    /// Ends the assignment of `partition`; returns how many of its records were not settled.
    pub fn revoke(&mut self, partition: i32) -> usize {
        let Some(state) = self.partitions.remove(&partition) else { return 0 };
        let unsettled = state.slots.iter().filter(|slot| !slot.is_settled());
        let sizes = unsettled.map(|slot| slot.arrival.n_bytes);
        let (n_records, n_bytes) = sizes.fold((0, 0), |(n, sum), bytes| (n + 1, sum + bytes));
        self.n_records -= n_records;
        self.n_bytes -= n_bytes;
        n_records
    }

    /// A record was read.
    ///
    /// # Errors
    /// [`OutOfOrder`]: it must not be worked on, since its settling could not be told from another's.
    pub fn begin(&mut self, partition: i32, arrival: Arrival) -> Result<Ticket, OutOfOrder> {
        let state = self.partitions.get_mut(&partition).ok_or(OutOfOrder)?;
        if state.last_read.is_some_and(|last| arrival.offset <= last) {
            return Err(OutOfOrder);
        }
        state.last_read = Some(arrival.offset);
        // Where reading began is where the group stands: there is nothing to commit until a record is settled.
        state.settled_below.get_or_insert(arrival.offset);
        state.committed.get_or_insert(arrival.offset);
        state.slots.push_back(Slot { arrival, state: State::Working });
        self.n_records += 1;
        self.n_bytes += arrival.n_bytes;
        Ok(Ticket { partition, offset: arrival.offset, epoch: state.epoch })
    }

    /// A record is ready to be sent: its work has ended, or what was sent for it was refused and `item` takes its
    /// place. `false` when the ticket is stale.
    pub fn finish(&mut self, ticket: Ticket, item: T) -> bool {
        let Some((state, index)) = self.locate(ticket) else { return false };
        let slot = &mut state.slots[index];
        if slot.is_settled() {
            return false;
        }
        slot.state = State::Finished(item);
        state.n_sent = state.n_sent.min(index);
        true
    }

    /// The next record to send: finished, and every record before it in its partition has been sent.
    pub fn next_to_send(&mut self) -> Option<(Ticket, &mut T)> {
        self.partitions.iter_mut().find_map(|(&partition, state)| state.next_to_send(partition))
    }

    /// A record was handed to the sink.
    pub fn sent(&mut self, ticket: Ticket) {
        let Some((state, index)) = self.locate(ticket) else { return };
        let slot = &mut state.slots[index];
        slot.state = match std::mem::replace(&mut slot.state, State::Working) {
            State::Finished(item) => State::Sent(item),
            other => other,
        };
    }

    /// What was sent for a record will not be delivered: it is to be sent again, in its place.
    pub fn unsend(&mut self, ticket: Ticket) {
        let Some((state, index)) = self.locate(ticket) else { return };
        let slot = &mut state.slots[index];
        slot.state = match std::mem::replace(&mut slot.state, State::Working) {
            State::Sent(item) => State::Finished(item),
            other => other,
        };
        state.n_sent = state.n_sent.min(index);
    }

    /// What was sent for a record, until it is settled; `None` when the ticket is stale.
    pub fn in_delivery(&mut self, ticket: Ticket) -> Option<&mut T> {
        let (state, index) = self.locate(ticket)?;
        match &mut state.slots[index].state {
            State::Sent(item) => Some(item),
            State::Working | State::Finished(_) | State::Settled => None,
        }
    }

    /// What a finished record carries, whether or not it is sent; `None` when the ticket is stale.
    pub fn item(&mut self, ticket: Ticket) -> Option<&mut T> {
        let (state, index) = self.locate(ticket)?;
        match &mut state.slots[index].state {
            State::Finished(item) | State::Sent(item) => Some(item),
            State::Working | State::Settled => None,
        }
    }

    /// The delivery of a record was acknowledged; `None` when the ticket is stale.
    pub fn settle(&mut self, ticket: Ticket) -> Option<T> {
        let (state, index) = self.locate(ticket)?;
        let slot = &mut state.slots[index];
        let item = match std::mem::replace(&mut slot.state, State::Settled) {
            State::Sent(item) => item,
            other => {
                slot.state = other;
                return None;
            }
        };
        let n_bytes = slot.arrival.n_bytes;
        state.advance();
        self.n_records -= 1;
        self.n_bytes -= n_bytes;
        Some(item)
    }

    /// The offsets that may be committed and are not yet: the next one to read, per partition.
    pub fn committable(&self) -> Vec<(i32, i64)> {
        let uncommitted = self.partitions.iter().filter(|(_, state)| state.is_uncommitted());
        uncommitted
            .filter_map(|(&partition, state)| Some((partition, state.settled_below?)))
            .collect()
    }

    /// The broker has stored these offsets.
    pub fn committed(&mut self, offsets: &[(i32, i64)]) {
        for (partition, offset) in offsets {
            if let Some(state) = self.partitions.get_mut(partition) {
                state.committed = state.committed.max(Some(*offset));
            }
        }
    }

    /// Records read and not settled.
    pub fn n_records(&self) -> usize {
        self.n_records
    }

    /// Bytes of the records that are read and not settled.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    pub fn partitions(&self) -> impl Iterator<Item = i32> + '_ {
        self.partitions.keys().copied()
    }

    pub fn standing(&self, partition: i32) -> Option<Standing> {
        let state = self.partitions.get(&partition)?;
        let mut unsettled = state.slots.iter().filter(|slot| !slot.is_settled());
        let oldest_ms = unsettled.next().and_then(|slot| slot.arrival.timestamp_ms);
        Some(Standing {
            settled_below: state.settled_below,
            read_below: state.last_read.map(|last| last + 1),
            n_inflight: state.slots.len(),
            oldest_ms,
        })
    }

    /// Whether all that was read of a partition is settled and committed; true of one that is not assigned.
    pub fn is_done(&self, partition: i32) -> bool {
        let state = self.partitions.get(&partition);
        state.is_none_or(|state| state.slots.is_empty() && !state.is_uncommitted())
    }

    fn locate(&mut self, ticket: Ticket) -> Option<(&mut Partition<T>, usize)> {
        let state = self.partitions.get_mut(&ticket.partition)?;
        if state.epoch != ticket.epoch {
            return None;
        }
        let index = state.slots.binary_search_by_key(&ticket.offset, |slot| slot.arrival.offset);
        index.ok().map(|index| (state, index))
    }
}

impl<T> Partition<T> {
    fn next_to_send(&mut self, partition: i32) -> Option<(Ticket, &mut T)> {
        let is_past = |slot: &Slot<T>| matches!(slot.state, State::Sent(_) | State::Settled);
        while self.slots.get(self.n_sent).is_some_and(is_past) {
            self.n_sent += 1;
        }
        let slot = self.slots.get_mut(self.n_sent)?;
        let ticket = Ticket { partition, offset: slot.arrival.offset, epoch: self.epoch };
        match &mut slot.state {
            State::Finished(item) => Some((ticket, item)),
            State::Working | State::Sent(_) | State::Settled => None,
        }
    }

    /// Drops the settled prefix. Offsets have gaps (compaction, transaction markers), so the mark is one past the last
    /// settled record, never a count.
    fn advance(&mut self) {
        while let Some(slot) = self.slots.pop_front_if(|slot| slot.is_settled()) {
            self.settled_below = Some(slot.arrival.offset + 1);
            self.n_sent = self.n_sent.saturating_sub(1);
        }
    }

    fn is_uncommitted(&self) -> bool {
        self.settled_below > self.committed
    }
}

impl<T> Slot<T> {
    fn is_settled(&self) -> bool {
        matches!(self.state, State::Settled)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn arrival(offset: i64) -> Arrival {
        Arrival { offset, n_bytes: 10, timestamp_ms: Some(offset * 1000) }
    }

    /// Progress of partition 0 with these offsets read, finished and sent.
    fn sent(offsets: &[i64]) -> (Progress<i64>, Vec<Ticket>) {
        let mut progress = Progress::default();
        progress.assign(0);
        let tickets: Vec<_> =
            offsets.iter().map(|&offset| progress.begin(0, arrival(offset)).unwrap()).collect();
        for &ticket in &tickets {
            progress.finish(ticket, ticket.offset);
        }
        while let Some((ticket, _)) = progress.next_to_send() {
            progress.sent(ticket);
        }
        (progress, tickets)
    }

    #[test]
    fn offsets_are_committable_up_to_the_first_unsettled_record() {
        let (mut progress, tickets) = sent(&[5, 6, 9, 10]);
        assert_eq!(progress.committable(), []);
        progress.settle(tickets[1]);
        assert_eq!(progress.committable(), []);
        progress.settle(tickets[0]);
        assert_eq!(progress.committable(), [(0, 7)]);
        progress.settle(tickets[2]);
        assert_eq!(progress.committable(), [(0, 10)]);
        progress.committed(&[(0, 10)]);
        assert_eq!(progress.committable(), []);
        assert!(!progress.is_done(0));
        let standing = progress.standing(0).unwrap();
        assert_eq!((standing.settled_below, standing.oldest_ms), (Some(10), Some(10_000)));
        assert_eq!((progress.n_records(), progress.n_bytes()), (1, 10));
        progress.settle(tickets[3]);
        assert!(!progress.is_done(0));
        progress.committed(&[(0, 11)]);
        assert!(progress.is_done(0));
    }

    #[test]
    fn records_are_sent_in_input_order_whatever_finishes_first() {
        let mut progress = Progress::default();
        progress.assign(0);
        let first = progress.begin(0, arrival(1)).unwrap();
        let second = progress.begin(0, arrival(2)).unwrap();
        progress.finish(second, "second");
        assert!(progress.next_to_send().is_none());
        progress.finish(first, "first");
        assert_eq!(progress.next_to_send().unwrap().1, &mut "first");
        progress.sent(first);
        assert_eq!(progress.next_to_send().unwrap().1, &mut "second");
    }

    #[test]
    fn a_refused_record_is_sent_again_and_holds_the_mark() {
        let (mut progress, tickets) = sent(&[1, 2]);
        progress.settle(tickets[1]);
        assert!(progress.finish(tickets[0], -1));
        assert_eq!(progress.next_to_send(), Some((tickets[0], &mut -1)));
        progress.sent(tickets[0]);
        assert_eq!(progress.committable(), []);
        assert_eq!(progress.settle(tickets[0]), Some(-1));
        assert_eq!(progress.committable(), [(0, 3)]);
    }

    #[test]
    fn records_of_an_aborted_transaction_are_sent_again_in_order() {
        let (mut progress, tickets) = sent(&[1, 2, 3]);
        progress.unsend(tickets[2]);
        progress.finish(tickets[1], -2);
        progress.unsend(tickets[0]);
        let mut again = Vec::new();
        while let Some((ticket, &mut item)) = progress.next_to_send() {
            progress.sent(ticket);
            again.push(item);
        }
        assert_eq!(again, [1, -2, 3]);
        assert_eq!(progress.committable(), []);
    }

    #[test]
    fn nothing_of_an_earlier_assignment_counts() {
        let (mut progress, tickets) = sent(&[1, 2]);
        assert_eq!(progress.revoke(0), 2);
        assert_eq!((progress.n_records(), progress.n_bytes()), (0, 0));
        progress.assign(0);
        progress.begin(0, arrival(1)).unwrap();
        assert!(!progress.finish(tickets[0], 0));
        assert_eq!(progress.settle(tickets[0]), None);
        assert_eq!(progress.committable(), []);
    }

    #[test]
    fn a_record_out_of_order_is_not_begun() {
        let (mut progress, _) = sent(&[4]);
        assert_eq!(progress.begin(0, arrival(4)), Err(OutOfOrder));
        assert_eq!(progress.begin(1, arrival(5)), Err(OutOfOrder));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Read { gap: i64 },
        Finish(prop::sample::Index),
        Send,
        Settle(prop::sample::Index),
        Refuse(prop::sample::Index),
        Commit,
        Reassign,
    }

    fn step() -> impl Strategy<Value = Step> {
        let index = any::<prop::sample::Index>;
        prop_oneof![
            4 => (1..4_i64).prop_map(|gap| Step::Read { gap }),
            4 => index().prop_map(Step::Finish),
            4 => Just(Step::Send),
            4 => index().prop_map(Step::Settle),
            1 => index().prop_map(Step::Refuse),
            1 => Just(Step::Commit),
            1 => Just(Step::Reassign),
        ]
    }

    /// The plain account that [`Progress`] is compared with: every record ever read, in sets.
    #[derive(Default)]
    struct Account {
        read: Vec<Ticket>,
        unsettled: BTreeSet<i64>,
        last_sent: Option<i64>,
        refused: BTreeSet<i64>,
        next_offset: i64,
    }

    proptest! {
        #[test]
        fn no_order_of_events_commits_past_an_unsettled_record(
            steps in prop::collection::vec(step(), 1..200)
        ) {
            let mut progress = Progress::default();
            progress.assign(0);
            let mut account = Account::default();
            for step in steps {
                apply(&mut progress, &mut account, step)?;
                prop_assert_eq!(progress.n_records(), account.unsettled.len());
                prop_assert_eq!(progress.n_bytes(), account.unsettled.len() * 10);
                for (_, offset) in progress.committable() {
                    prop_assert!(account.unsettled.iter().all(|&unsettled| offset <= unsettled));
                }
            }
            settle_all(&mut progress, &account.read);
            prop_assert_eq!(progress.n_records(), 0);
            if let Some(last) = account.read.last().filter(|_| !account.unsettled.is_empty()) {
                prop_assert_eq!(progress.committable(), vec![(0, last.offset + 1)]);
            }
        }
    }

    fn apply(
        progress: &mut Progress<()>,
        account: &mut Account,
        step: Step,
    ) -> Result<(), TestCaseError> {
        let pick = |index: prop::sample::Index| {
            (!account.read.is_empty()).then(|| account.read[index.index(account.read.len())])
        };
        match step {
            Step::Read { gap } => {
                account.next_offset += gap;
                account.read.push(progress.begin(0, arrival(account.next_offset)).unwrap());
                account.unsettled.insert(account.next_offset);
            }
            // A record that was sent is finished again only when it was refused: see below.
            Step::Finish(index) => {
                if let Some(ticket) = pick(index)
                    && progress.in_delivery(ticket).is_none()
                {
                    progress.finish(ticket, ());
                }
            }
            Step::Send => {
                if let Some((ticket, ())) = progress.next_to_send() {
                    progress.sent(ticket);
                    if !account.refused.remove(&ticket.offset) {
                        prop_assert!(account.last_sent < Some(ticket.offset));
                        account.last_sent = Some(ticket.offset);
                    }
                }
            }
            Step::Settle(index) => {
                if let Some(ticket) = pick(index)
                    && progress.settle(ticket).is_some()
                {
                    account.unsettled.remove(&ticket.offset);
                }
            }
            Step::Refuse(index) => {
                if let Some(ticket) = pick(index)
                    && progress.in_delivery(ticket).is_some()
                {
                    progress.finish(ticket, ());
                    account.refused.insert(ticket.offset);
                }
            }
            Step::Commit => progress.committed(&progress.committable()),
            Step::Reassign => {
                progress.assign(0);
                // Tickets of the old assignment stay in `read`: none of them may have an effect any more.
                account.unsettled.clear();
                account.refused.clear();
                account.last_sent = None;
                // Read again from the start: stale tickets have the offsets of valid ones.
                account.next_offset = 0;
            }
        }
        Ok(())
    }

    fn settle_all(progress: &mut Progress<()>, tickets: &[Ticket]) {
        for &ticket in tickets {
            if progress.in_delivery(ticket).is_none() {
                progress.finish(ticket, ());
            }
        }
        while let Some((ticket, ())) = progress.next_to_send() {
            progress.sent(ticket);
        }
        for &ticket in tickets {
            progress.settle(ticket);
        }
    }
}
