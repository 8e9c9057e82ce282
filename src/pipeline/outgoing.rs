//! What is published for a processed record: topic, key, headers and timestamp around the body.
//!
//! In: what a record became, and the record. Out: an [`Outgoing`] record. What varies from run to run (the time, the
//! source position, the trace) stands in the headers, never in the body.

use bytes::Bytes;
use jiff::{Timestamp, Unit};

use super::Fate;
use super::process::Processed;
use crate::config::RetractionForm;
use crate::dead_letter::{self, DeadLetter};
use crate::sink::{Destination, Outgoing};
use crate::source::{Header, RawRecord};
use crate::trace::Sending;
use crate::trace::context::{Ids, TRACEPARENT, TRACESTATE};

const SOURCE: &str = "copydesk-source";
const BUILD: &str = "copydesk-build";
const PROCESSED_AT: &str = "copydesk-processed-at";

/// What the records of one run have in common, beside their bodies.
#[derive(Debug)]
pub(super) struct Envelope {
    retraction: RetractionForm,
    ids: Ids,
}

impl Envelope {
    pub(super) fn new(retraction: RetractionForm) -> Self {
        Self { retraction, ids: Ids::default() }
    }

    /// What to publish for a record, and what has then become of it.
    pub(super) fn seal(
        &self,
        processed: Processed,
        record: &RawRecord,
        now: Timestamp,
        trace: Option<&Sending>,
    ) -> (Outgoing, Fate) {
        match processed {
            Processed::Enriched { id, body, .. } => {
                let key = key(record, id.as_str());
                (self.enriched(key, Some(body.bytes), record, now, trace), Fate::Enriched)
            }
            Processed::Retracted { retraction, body } => {
                let value = match self.retraction {
                    RetractionForm::Record => Some(body.bytes),
                    RetractionForm::Tombstone => None,
                };
                let key = key(record, retraction.id.as_str());
                let fate = Fate::Retracted(retraction.reason);
                (self.enriched(key, value, record, now, trace), fate)
            }
            Processed::Refused(letter) => {
                let fate = Fate::DeadLettered(letter.reason);
                (dead(letter), fate)
            }
        }
    }

    fn enriched(
        &self,
        key: Bytes,
        value: Option<Bytes>,
        record: &RawRecord,
        now: Timestamp,
        trace: Option<&Sending>,
    ) -> Outgoing {
        Outgoing {
            destination: Destination::Enriched,
            key: Some(key),
            value,
            headers: self.headers(record, now, trace),
            // Event time is kept, as Kafka Streams does, so a replay keeps it too. Brokers refuse times too far in the
            // future, and this record is certainly not written before now.
            timestamp_ms: record.timestamp_ms.map(|written| written.min(now.as_millisecond())),
        }
    }

    /// The input's headers, then ours: none of ours is there twice.
    fn headers(&self, record: &RawRecord, now: Timestamp, trace: Option<&Sending>) -> Vec<Header> {
        let is_replaced = |name: &str| match (name, trace) {
            (SOURCE | BUILD | PROCESSED_AT, _) | (TRACEPARENT, Some(_)) => true,
            // It says more about the trace that its `traceparent` names, and about no other.
            (TRACESTATE, Some(trace)) => !trace.is_continued(),
            // What was redriven carries its attempts; once it is published they mean nothing.
            _ => dead_letter::is_ours(name),
        };
        let copied = record.headers.iter().filter(|header| !is_replaced(&header.name));
        let mut headers: Vec<_> = copied.cloned().collect();
        headers.push(Header::new(SOURCE, record.position.to_string()));
        headers.push(Header::new(BUILD, crate::BUILD));
        headers.push(Header::new(PROCESSED_AT, in_milliseconds(now)));
        let is_of_a_trace =
            |header: &Header| [TRACEPARENT, TRACESTATE].contains(&header.name.as_str());
        if let Some(trace) = trace {
            headers.push(Header::new(TRACEPARENT, trace.traceparent()));
        } else if !headers.iter().any(is_of_a_trace) {
            // A trace begins here: whoever reads the topic may want to follow the record from here on.
            headers.push(Header::new(TRACEPARENT, self.ids.root(false).to_string()));
        }
        headers
    }
}

/// The dead letter as it is published. Its time is when it was refused, so that the topic's retention begins then.
pub(super) fn dead(letter: DeadLetter) -> Outgoing {
    Outgoing {
        destination: Destination::DeadLetters,
        headers: letter.headers(crate::BUILD),
        key: letter.record.key,
        value: letter.record.value,
        timestamp_ms: None,
    }
}

/// The input's key, byte for byte; without one the article's id, since equal keys keep versions in order.
fn key(record: &RawRecord, id: &str) -> Bytes {
    record.key.clone().unwrap_or_else(|| Bytes::copy_from_slice(id.as_bytes()))
}

fn in_milliseconds(now: Timestamp) -> String {
    now.round(Unit::Millisecond).unwrap_or(now).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::{ArticleId, Format, Retraction, RetractionReason};
    use crate::dead_letter::Reason;
    use crate::encode::{self, Body};
    use crate::pipeline::process::Facts;
    use crate::source::Position;
    use crate::stages::Annotations;
    use crate::trace::context::Context;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn record(headers: &[(&str, &str)]) -> RawRecord {
        let header = |(name, value): &(&str, &str)| Header::new(*name, value.to_string());
        RawRecord {
            position: Position { topic: "articles.raw".into(), partition: 3, offset: 42 },
            timestamp_ms: Some(1_700_000_000_000),
            key: Some(Bytes::from_static(b"\xff\x00key")),
            value: Some(Bytes::from_static(b"{}")),
            headers: headers.iter().map(header).collect(),
        }
    }

    fn enriched() -> Processed {
        let body = Body { bytes: Bytes::from_static(b"body"), n_spans_withheld: 0 };
        let facts = Facts {
            format: Format::Plain,
            n_unknown_fields: 0,
            warnings: Vec::new(),
            stages: Annotations::default().runs(),
            quotes: Vec::new(),
        };
        let id = ArticleId::parse("urn:x:1").unwrap();
        Processed::Enriched { id, body, facts, edition: None }
    }

    fn now() -> Timestamp {
        "2026-03-01T09:30:00.123456789Z".parse().unwrap()
    }

    fn seal(processed: Processed, record: &RawRecord, form: RetractionForm) -> Outgoing {
        Envelope::new(form).seal(processed, record, now(), None).0
    }

    #[track_caller]
    fn check_headers(input: &[(&str, &str)], expected: &[(&str, &str)]) {
        let outgoing = seal(enriched(), &record(input), RetractionForm::Record);
        let found: Vec<_> = outgoing
            .headers
            .iter()
            .map(|h| (h.name.as_str(), std::str::from_utf8(h.value.as_deref().unwrap()).unwrap()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn headers_are_copied_in_order_and_ours_are_added() {
        check_headers(
            &[("x", "1"), ("traceparent", VALID), ("x", "2"), ("copydesk-build", "old")],
            &[
                ("x", "1"),
                ("traceparent", VALID),
                ("x", "2"),
                ("copydesk-source", "articles.raw/3/42"),
                ("copydesk-build", crate::BUILD),
                ("copydesk-processed-at", "2026-03-01T09:30:00.123Z"),
            ],
        );
    }

    #[test]
    fn a_trace_is_begun_where_there_is_none() {
        let outgoing = seal(enriched(), &record(&[("x", "1")]), RetractionForm::Record);
        let begun = Context::of(&outgoing.headers).unwrap();
        assert!(!begun.is_sampled());
        assert_eq!(outgoing.headers.last().unwrap().value, Some(begun.to_string().into()));
    }

    #[test]
    fn trace_headers_pass_byte_for_byte_whatever_they_are() {
        let twice = [("traceparent", VALID), ("tracestate", "a=1"), ("traceparent", VALID)];
        for input in [
            &[("tracestate", "b=2"), ("traceparent", VALID)][..],
            &[("traceparent", "00-xyz"), ("tracestate", ",=\u{0}é")],
            &[("traceparent", "")],
            &[("tracestate", "a=1")],
            &twice,
        ] {
            let record = record(input);
            let outgoing = seal(enriched(), &record, RetractionForm::Record);
            assert_eq!(outgoing.headers[..input.len()], record.headers);
            let is_of_a_trace = |header: &&Header| header.name.starts_with("trace");
            assert_eq!(outgoing.headers.iter().filter(is_of_a_trace).count(), input.len());
        }
    }

    #[test]
    fn keys_are_kept_and_a_missing_key_is_the_articles_id() {
        let outgoing = seal(enriched(), &record(&[]), RetractionForm::Record);
        assert_eq!(outgoing.key.as_deref(), Some(&b"\xff\x00key"[..]));
        let keyless = RawRecord { key: None, ..record(&[]) };
        let outgoing = seal(enriched(), &keyless, RetractionForm::Record);
        assert_eq!(outgoing.key.as_deref(), Some(&b"urn:x:1"[..]));
    }

    #[test]
    fn event_time_is_kept_but_never_lies_in_the_future() {
        let outgoing = seal(enriched(), &record(&[]), RetractionForm::Record);
        assert_eq!(outgoing.timestamp_ms, Some(1_700_000_000_000));
        let future = RawRecord { timestamp_ms: Some(i64::MAX), ..record(&[]) };
        let outgoing = seal(enriched(), &future, RetractionForm::Record);
        assert_eq!(outgoing.timestamp_ms, Some(now().as_millisecond()));
    }

    #[test]
    fn a_retraction_is_a_record_or_a_tombstone() {
        let retracted = || {
            let retraction = Retraction {
                id: ArticleId::parse("urn:x:1").unwrap(),
                version: None,
                reason: RetractionReason::Canceled,
                names: None,
                warnings: Vec::new(),
            };
            let body = encode::retraction(&retraction, false);
            Processed::Retracted { retraction, body }
        };
        let published = seal(retracted(), &record(&[]), RetractionForm::Record);
        assert!(published.value.is_some());
        let tombstone = seal(retracted(), &record(&[]), RetractionForm::Tombstone);
        assert_eq!(tombstone.value, None);
        assert_eq!(tombstone.key, record(&[]).key);
    }

    #[test]
    fn a_dead_letter_is_the_input_and_says_why() {
        let record = record(&[("x", "1")]);
        let letter = DeadLetter {
            reason: Reason::NotJson,
            detail: "value is not JSON".into(),
            record: record.clone(),
        };
        let refused = Processed::Refused(letter);
        let (outgoing, fate) =
            Envelope::new(RetractionForm::Record).seal(refused, &record, now(), None);
        assert_eq!(fate, Fate::DeadLettered(Reason::NotJson));
        assert_eq!((outgoing.key, outgoing.value), (record.key, record.value));
        assert_eq!(outgoing.headers[0], Header::new("x", "1"));
        assert_eq!(outgoing.headers[1], Header::new("copydesk-error-reason", "not_json"));
    }
}
