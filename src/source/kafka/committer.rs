//! Commits on a thread of its own.
//!
//! In: offsets, one list at a time. Out: a [`PendingCommit`] that can be looked at, or waited for within bounds.
//!
//! A commit must be waited for to learn how it ended: rdkafka 0.39 has no event for one that was not. But a commit
//! whose coordinator goes away is answered only when it is back, however long that takes, so the loop must not be the
//! one who waits.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;

use super::Wake;
use super::context::Context;

/// Time for an idle committer to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Committer {
    requests: SyncSender<Request>,
    /// Closed when the thread ends.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

struct Request {
    list: TopicPartitionList,
    answer: SyncSender<KafkaResult<()>>,
}

/// A commit on its way.
#[derive(Debug)]
pub struct PendingCommit {
    offsets: Vec<(i32, i64)>,
    answer: Receiver<KafkaResult<()>>,
}

/// Why nothing was committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The group is between two generations: the same commit will do when that is over.
    #[error("the consumer group is rebalancing")]
    Rebalancing,
    #[error("{0}")]
    Failed(String),
}

impl CommitError {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Rebalancing => "rebalancing",
            Self::Failed(_) => "commit_failed",
        }
    }
}

impl From<KafkaError> for CommitError {
    fn from(error: KafkaError) -> Self {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::RebalanceInProgress | RDKafkaErrorCode::IllegalGeneration) => {
                Self::Rebalancing
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl PendingCommit {
    /// What is to be committed: partitions with the next offset to read.
    pub fn offsets(&self) -> &[(i32, i64)] {
        &self.offsets
    }

    /// How it ended, if it has. Never waits.
    pub fn result(&self) -> Option<Result<(), CommitError>> {
        match self.answer.try_recv() {
            Ok(result) => Some(result.map_err(CommitError::from)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(KafkaError::Canceled.into())),
        }
    }

    /// How it ended, waiting for `timeout` at most.
    pub fn wait(&self, timeout: Duration) -> Option<Result<(), CommitError>> {
        match self.answer.recv_timeout(timeout) {
            Ok(result) => Some(result.map_err(CommitError::from)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(KafkaError::Canceled.into())),
        }
    }
}

impl Committer {
    /// `wake` is called after each commit.
    pub(super) fn start(consumer: Arc<BaseConsumer<Context>>, wake: Wake) -> io::Result<Self> {
        let (requests, queue) = mpsc::sync_channel::<Request>(1);
        let (running, ended) = mpsc::sync_channel::<()>(0);
        let work = move || {
            for Request { list, answer } in queue {
                let result = consumer.commit(&list, CommitMode::Sync);
                // Who asked may have given up waiting.
                drop(answer.send(result));
                wake();
            }
            drop(consumer);
            drop(running);
        };
        let thread = std::thread::Builder::new().name("commit".to_owned()).spawn(work)?;
        Ok(Self { requests, ended, thread })
    }

    /// Begins to commit `list`, which says the same as `offsets`.
    pub(super) fn begin(
        &self,
        list: TopicPartitionList,
        offsets: Vec<(i32, i64)>,
    ) -> PendingCommit {
        let (answer, receive) = mpsc::sync_channel(1);
        // Full only when earlier commits were given up and hang; the dropped end of the channel then says so.
        drop(self.requests.try_send(Request { list, answer }));
        PendingCommit { offsets, answer: receive }
    }

    /// Ends the thread; `false` when it hangs in a commit, and keeps the consumer.
    pub(super) fn stop(self) -> bool {
        drop(self.requests);
        match self.ended.recv_timeout(STOP_TIMEOUT) {
            Err(RecvTimeoutError::Timeout) => false,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => self.thread.join().is_ok(),
        }
    }
}
