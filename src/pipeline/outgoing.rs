//! What is published for a processed record: topic, key, headers and timestamp around the body.
//!
//! In: what a record became, and the record. Out: an [`Outgoing`] record. What varies from run to run (the time, the
//! source position, the trace) stands in the headers, never in the body.

use std::hash::{BuildHasher as _, RandomState};

use bytes::Bytes;
use jiff::{Timestamp, Unit};

use super::Fate;
use super::process::Processed;
use crate::config::RetractionForm;
use crate::dead_letter::{self, DeadLetter};
use crate::sink::{Destination, Outgoing};
use crate::source::{Header, RawRecord};

const SOURCE: &str = "copydesk-source";
const BUILD: &str = "copydesk-build";
const PROCESSED_AT: &str = "copydesk-processed-at";
const TRACEPARENT: &str = "traceparent";

/// What the records of one run have in common, beside their bodies.
#[derive(Debug)]
pub(super) struct Envelope {
    retraction: RetractionForm,
    /// Random trace ids: the keys of this hasher are, and that is as random as a trace id has to be.
    ids: RandomState,
}

impl Envelope {
    pub(super) fn new(retraction: RetractionForm) -> Self {
        Self { retraction, ids: RandomState::new() }
    }

    /// What to publish for a record, and what has then become of it.
    pub(super) fn seal(
        &self,
        processed: Processed,
        record: &RawRecord,
        now: Timestamp,
    ) -> (Outgoing, Fate) {
        match processed {
            Processed::Enriched { id, body, .. } => {
                let key = key(record, id.as_str());
                (self.enriched(key, Some(body.bytes), record, now), Fate::Enriched)
            }
            Processed::Retracted { retraction, body } => {
                let value = match self.retraction {
                    RetractionForm::Record => Some(body.bytes),
                    RetractionForm::Tombstone => None,
                };
                let key = key(record, retraction.id.as_str());
                let fate = Fate::Retracted(retraction.reason);
                (self.enriched(key, value, record, now), fate)
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
    ) -> Outgoing {
        Outgoing {
            destination: Destination::Enriched,
            key: Some(key),
            value,
            headers: self.headers(record, now),
            // Event time is kept, as Kafka Streams does, so a replay keeps it too. Brokers refuse times too far in the
            // future, and this record is certainly not written before now.
            timestamp_ms: record.timestamp_ms.map(|written| written.min(now.as_millisecond())),
        }
    }

    /// The input's headers, then ours: where both have a name, Kafka's readers take the last.
    fn headers(&self, record: &RawRecord, now: Timestamp) -> Vec<Header> {
        // What was redriven carries its attempts; once it is published they mean nothing.
        let is_ours = |header: &Header| {
            [SOURCE, BUILD, PROCESSED_AT].contains(&header.name.as_str())
                || dead_letter::is_ours(&header.name)
        };
        let copied = record.headers.iter().filter(|header| !is_ours(header));
        let mut headers: Vec<_> = copied.cloned().collect();
        headers.push(Header::new(SOURCE, record.position.to_string()));
        headers.push(Header::new(BUILD, crate::BUILD));
        headers.push(Header::new(PROCESSED_AT, in_milliseconds(now)));
        let traceparent = headers.iter().rev().find(|header| header.name == TRACEPARENT);
        if !traceparent.is_some_and(|header| is_traceparent(header.value.as_deref())) {
            headers.push(Header::new(TRACEPARENT, self.traceparent(record, now)));
        }
        headers
    }

    /// A trace that begins here, not sampled: version, trace id, span id, flags.
    fn traceparent(&self, record: &RawRecord, now: Timestamp) -> String {
        let part = |index: u8| {
            let seed = (&record.position, now.as_nanosecond(), index);
            // All zeros would be invalid.
            self.ids.hash_one(seed).max(1)
        };
        format!("00-{:016x}{:016x}-{:016x}-00", part(0), part(1), part(2))
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

/// Whether this is a `traceparent` of W3C Trace Context: `00-` 32 hex digits `-` 16 hex digits `-` 2 hex digits, with
/// neither id all zeros. Later versions may append fields.
fn is_traceparent(value: Option<&[u8]>) -> bool {
    let Some(value) = value.and_then(|value| std::str::from_utf8(value).ok()) else { return false };
    let mut fields = value.split('-');
    let mut field = |length: usize| {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        fields.next().filter(|field| field.len() == length && field.bytes().all(is_hex))
    };
    let (Some(version), Some(trace), Some(span), Some(_flags)) =
        (field(2), field(32), field(16), field(2))
    else {
        return false;
    };
    let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
    let is_last = fields.next().is_none();
    version != "ff" && (is_last || version != "00") && !is_zero(trace) && !is_zero(span)
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
            stages: Annotations::default().outcomes(),
            quotes: Vec::new(),
        };
        let id = ArticleId::parse("urn:x:1").unwrap();
        Processed::Enriched { id, body, facts, edition: None }
    }

    fn now() -> Timestamp {
        "2026-03-01T09:30:00.123456789Z".parse().unwrap()
    }

    fn seal(processed: Processed, record: &RawRecord, form: RetractionForm) -> Outgoing {
        Envelope::new(form).seal(processed, record, now()).0
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
        for input in [&[][..], &[("traceparent", "00-xyz")]] {
            let outgoing = seal(enriched(), &record(input), RetractionForm::Record);
            let last = outgoing.headers.last().unwrap();
            assert_eq!(last.name, "traceparent");
            assert!(is_traceparent(last.value.as_deref()), "{last:?}");
        }
    }

    #[test]
    fn traceparents_are_checked() {
        let long = format!("01{}-more", VALID.strip_prefix("00").unwrap());
        assert!(is_traceparent(Some(VALID.as_bytes())));
        assert!(is_traceparent(Some(long.as_bytes())));
        for invalid in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert!(!is_traceparent(Some(invalid.as_bytes())), "{invalid}");
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
        let (outgoing, fate) = Envelope::new(RetractionForm::Record).seal(refused, &record, now());
        assert_eq!(fate, Fate::DeadLettered(Reason::NotJson));
        assert_eq!((outgoing.key, outgoing.value), (record.key, record.value));
        assert_eq!(outgoing.headers[0], Header::new("x", "1"));
        assert_eq!(outgoing.headers[1], Header::new("copydesk-error-reason", "not_json"));
    }
}
