//! What is known of articles: restored when a partition comes, asked once for each record before it is sent.
//!
//! In: finished records in input order per partition, and what the restorer has read. Out: judged records, each with
//! what is to be published for it and written to the state topic. What is known of an article decides whether its record
//! is published and what has changed; all else of a body is decided by the input.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::Timestamp;

use super::{InDelivery, Judged, Stream};
use crate::article::{Retraction, RetractionReason};
use crate::encode;
use crate::metrics::NoticeOutcome;
use crate::pipeline::Fate;
use crate::pipeline::outgoing::Envelope;
use crate::pipeline::process::Processed;
use crate::sink::{Destination, Outgoing};
use crate::source::RawRecord;
use crate::source::kafka::restorer::{Restored, Restorer};
use crate::source::progress::Ticket;
use crate::trace::Sending;
use crate::versions::{Book, Judgement, Submission, Target, Undo, Verdict, Write};

/// The state of articles, while one is kept.
#[derive(Debug)]
pub(super) struct Versions {
    book: Book,
    restorer: Restorer,
    /// Partitions whose records wait, and which assignment of theirs it is.
    restoring: BTreeMap<i32, u64>,
    n_assignments: u64,
    /// Of the restorer, when it was last looked at.
    n_read: u64,
}

impl Versions {
    pub(super) fn new(book: Book, restorer: Restorer) -> Self {
        Self { book, restorer, restoring: BTreeMap::new(), n_assignments: 0, n_read: 0 }
    }
}

impl Stream {
    /// A partition comes: its records wait until what is known of its articles is here.
    pub(super) fn begin_restoring(&mut self, partition: i32) {
        let Some(versions) = &mut self.versions else { return };
        versions.n_assignments += 1;
        versions.restoring.insert(partition, versions.n_assignments);
        versions.restorer.restore(partition, versions.n_assignments);
        self.source.hold(partition);
        self.service.health.set_restoring(versions.restoring.len());
    }

    pub(super) fn on_restored(&mut self, restored: Restored) {
        let Restored { partition, assignment, ledger, n_records, n_bytes, n_unreadable, elapsed } =
            restored;
        let Some(versions) = &mut self.versions else { return };
        if versions.restoring.get(&partition) != Some(&assignment) {
            return;
        }
        versions.restoring.remove(&partition);
        let n_articles = ledger.n_articles();
        versions.book.open(partition, ledger);
        self.source.let_go(partition);
        self.watchdog.progressed(partition, Instant::now());
        self.service.health.set_restoring(versions.restoring.len());
        self.service.metrics.state.restored(n_records, n_unreadable, elapsed);
        self.tell_known();
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            partition,
            n_records,
            n_bytes,
            n_articles,
            n_unreadable,
            elapsed_ms,
            "state restored"
        );
    }

    /// A partition has left, and what is known of it with it.
    pub(super) fn forget_versions(&mut self, partition: i32) {
        let Some(versions) = &mut self.versions else { return };
        versions.restorer.cancel(partition);
        versions.restoring.remove(&partition);
        versions.book.close(partition);
        self.service.health.set_restoring(versions.restoring.len());
        self.tell_known();
    }

    /// Partitions that are being restored make progress as long as records are read.
    pub(super) fn watch_restoring(&mut self, now: Instant) {
        let Some(versions) = &mut self.versions else { return };
        let n_read = versions.restorer.n_read();
        if std::mem::replace(&mut versions.n_read, n_read) != n_read {
            versions
                .restoring
                .keys()
                .for_each(|&partition| self.watchdog.progressed(partition, now));
        }
    }

    fn tell_known(&self) {
        if let Some(versions) = &self.versions {
            let (n_articles, n_bytes) = (versions.book.n_articles(), versions.book.n_bytes());
            self.service.metrics.state.set_known(n_articles, n_bytes);
        }
    }

    /// The next record to send, judged. What is sent again after an aborted transaction has been judged already.
    pub(super) fn next_judged(&mut self) -> Option<(Ticket, &mut InDelivery)> {
        let (_, item) = self.progress.next_to_send()?;
        if let Some(processed) = item.processed.take() {
            let now = Timestamp::now();
            let book = self.versions.as_mut().map(|versions| &mut versions.book);
            let (envelope, trace) = (&self.envelope, item.trace.as_ref());
            let judged = judge(processed, &item.record, book, envelope, now, trace);
            if let Some(notice) = judged.notice {
                self.service.metrics.state.kill_notice(notice);
            }
            item.judged = Some(judged);
            self.tell_known();
        }
        self.progress.next_to_send()
    }

    /// What was known of an article is known again, since its record is not published after all.
    pub(super) fn take_back(&mut self, record: &RawRecord, undo: Option<Undo>) -> Vec<Outgoing> {
        let (Some(versions), Some(undo)) = (&mut self.versions, undo) else { return Vec::new() };
        let partition = record.position.partition;
        let writes = versions.book.undo(submission(record, Timestamp::now()), undo);
        writes.into_iter().map(|write| state_record(write, partition)).collect()
    }
}

fn submission(record: &RawRecord, now: Timestamp) -> Submission<'_> {
    Submission {
        partition: record.position.partition,
        offset: record.position.offset,
        key: record.key.as_deref().filter(|key| !key.is_empty()),
        now_ms: now.as_millisecond(),
    }
}

fn state_record(write: Write, partition: i32) -> Outgoing {
    Outgoing {
        destination: Destination::State { partition },
        key: Some(write.id),
        value: write.value,
        headers: Vec::new(),
        timestamp_ms: None,
    }
}

/// Decides what is published for a record; what is refused is not judged, since it says of no article what it is.
fn judge(
    processed: Processed,
    record: &RawRecord,
    book: Option<&mut Book>,
    envelope: &Envelope,
    now: Timestamp,
    trace: Option<&Sending>,
) -> Judged {
    let at = submission(record, now);
    let position = &record.position;
    let (sealed, judgement, notice) = match (processed, book) {
        (Processed::Enriched { id, mut body, facts, edition: Some(edition) }, Some(book)) => {
            let judgement = book.judge_article(at, id.as_str(), &edition);
            if let Verdict::Publish { changes: Some(changes) } = &judgement.verdict {
                body.bytes = encode::with_changes(&body.bytes, changes);
            }
            let processed = Processed::Enriched { id, body, facts, edition: None };
            (envelope.seal(processed, record, now, trace), judgement, None)
        }
        (Processed::Retracted { retraction, .. }, Some(book)) => {
            let judgement = book.judge_retraction(at, &retraction, record.value.is_none());
            let (sealed, notice) = retract(retraction, &judgement, record, envelope, now, trace);
            (sealed, judgement, notice)
        }
        (processed, _) => return Judged::new(envelope.seal(processed, record, now, trace)),
    };
    let Judgement { verdict, writes, undo } = judgement;
    let mut judged = Judged { undo, notice, ..Judged::new(sealed) };
    if let Verdict::Skip(reason) = verdict {
        tracing::info!(%position, reason = reason.as_str(), "record is not published");
        judged.outgoing.clear();
        judged.fate = Fate::Skipped(reason);
        judged.notice = None;
    }
    let partition = position.partition;
    judged.outgoing.extend(writes.into_iter().map(|write| state_record(write, partition)));
    judged
}

/// The retraction of the article that is meant, on that article's key.
fn retract(
    mut retraction: Retraction,
    judgement: &Judgement,
    record: &RawRecord,
    envelope: &Envelope,
    now: Timestamp,
    trace: Option<&Sending>,
) -> ((Outgoing, Fate), Option<NoticeOutcome>) {
    let (target, is_unresolved) = match &judgement.verdict {
        Verdict::Retract { target, is_unresolved } => (target.as_ref(), *is_unresolved),
        Verdict::Publish { .. } | Verdict::Skip(_) => (None, false),
    };
    let position = &record.position;
    let is_notice = retraction.reason == RetractionReason::KillNotice;
    let notice = is_notice.then_some(match target {
        Some(_) => NoticeOutcome::Named,
        None if is_unresolved => NoticeOutcome::Unresolved,
        None => NoticeOutcome::Own,
    });
    if is_unresolved {
        tracing::warn!(%position, "kill notice names another item, and which one is not certain");
    } else if notice == Some(NoticeOutcome::Named) {
        tracing::info!(%position, "kill notice retracts the item that it names");
    }
    if let Some(Target { id, version, .. }) = target {
        retraction.id = crate::article::ArticleId::parse(id).unwrap_or(retraction.id);
        retraction.version.clone_from(version);
    }
    let body = encode::retraction(&retraction, is_unresolved);
    let (mut outgoing, fate) =
        envelope.seal(Processed::Retracted { retraction, body }, record, now, trace);
    if let Some(target) = target {
        outgoing.key = Some(target.key.clone());
    }
    ((outgoing, fate), notice)
}
