//! Where the loop's events wait.
//!
//! In: [`Event`]s from any thread. Out: the same, in order, to the one thread that runs the loop. Its length is bounded
//! by what the loop admits: each record in flight has at most one event here, the clients a handful beside.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::pipeline::process::Processed;
use crate::sink::SinkEvent;
use crate::source::kafka::restorer::Restored;
use crate::source::progress::Ticket;
use crate::source::{RawRecord, SourceEvent};
use crate::trace::Processing;

/// All that can happen to the loop.
#[derive(Debug)]
pub(super) enum Event {
    Source(SourceEvent),
    Sink(SinkEvent),
    Finished(Box<Finished>),
    /// What is known of a partition's articles is here.
    Restored(Box<Restored>),
    /// The work on a record ended without a result: a defect.
    Abandoned(Ticket),
    ShutdownRequested,
}

/// A record after its work.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) ticket: Ticket,
    pub(super) record: RawRecord,
    pub(super) received_at: Instant,
    pub(super) processed: Processed,
    pub(super) trace: Option<Processing>,
}

/// Clones share one mailbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Mailbox {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    contents: Mutex<Contents>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Contents {
    events: VecDeque<Event>,
    /// Someone has something for the loop that is not an event: a queue that is not empty any more.
    is_woken: bool,
}

impl Mailbox {
    pub(super) fn post(&self, event: Event) {
        self.contents().events.push_back(event);
        self.shared.changed.notify_one();
    }

    pub(super) fn wake(&self) {
        self.contents().is_woken = true;
        self.shared.changed.notify_one();
    }

    pub(super) fn take(&self) -> Option<Event> {
        self.contents().events.pop_front()
    }

    /// Waits for an event, a wake-up, or the time-out.
    pub(super) fn wait(&self, timeout: Duration) {
        let contents = self.contents();
        let is_quiet = |contents: &mut Contents| contents.events.is_empty() && !contents.is_woken;
        let waited = self.shared.changed.wait_timeout_while(contents, timeout, is_quiet);
        let (mut contents, _) = waited.unwrap_or_else(PoisonError::into_inner);
        contents.is_woken = false;
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.shared.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Posts [`Event::Abandoned`] when dropped without a result: a record whose work is lost must never be waited for.
#[derive(Debug)]
pub(super) struct Reply {
    mailbox: Mailbox,
    ticket: Option<Ticket>,
}

impl Reply {
    pub(super) fn new(mailbox: Mailbox, ticket: Ticket) -> Self {
        Self { mailbox, ticket: Some(ticket) }
    }

    pub(super) fn finished(mut self, finished: Finished) {
        self.ticket = None;
        self.mailbox.post(Event::Finished(Box::new(finished)));
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.mailbox.post(Event::Abandoned(ticket));
        }
    }
}
