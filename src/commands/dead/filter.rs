//! Which dead letters are meant.
//!
//! In: what was typed. Out: a yes or no for each letter; all that is given must hold.

use anyhow::Context as _;
use jiff::{SpanRelativeTo, Timestamp};
use serde_json::Value;

use crate::cli::DeadFilterArgs;
use crate::dead_letter::{Reason, Received};

#[derive(Debug)]
pub(super) struct Filter {
    reasons: Vec<String>,
    ids: Vec<String>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
    n_left: usize,
}

impl Filter {
    pub(super) fn new(args: &DeadFilterArgs) -> anyhow::Result<Self> {
        for reason in &args.reason {
            let names = Reason::ALL.map(Reason::as_str);
            if !names.contains(&reason.as_str()) {
                anyhow::bail!("there is no reason {reason:?}; there are {}", names.join(", "));
            }
        }
        let moment = |text: &Option<String>| {
            text.as_deref().map(|text| moment(text, Timestamp::now())).transpose()
        };
        Ok(Self {
            reasons: args.reason.clone(),
            ids: args.id.clone(),
            since_ms: moment(&args.since)?,
            until_ms: moment(&args.until)?,
            n_left: args.limit.unwrap_or(usize::MAX),
        })
    }

    pub(super) fn since_ms(&self) -> Option<i64> {
        self.since_ms
    }

    pub(super) fn lets_through(&mut self, letter: &Received) -> bool {
        let is_reason = self.reasons.is_empty() || self.reasons.contains(&letter.reason);
        let is_id = self.ids.is_empty() || self.ids.iter().any(|id| is_of(letter, id));
        let time = letter.record.timestamp_ms;
        let is_time = self.since_ms.is_none_or(|since| time.is_none_or(|time| time >= since))
            && self.until_ms.is_none_or(|until| time.is_none_or(|time| time < until));
        let is_through = is_reason && is_id && is_time && self.n_left > 0;
        self.n_left -= usize::from(is_through);
        is_through
    }

    pub(super) fn has_enough(&self) -> bool {
        self.n_left == 0
    }
}

/// Whether `id` is the letter's own position, where its record stood, its key, or the id of its article.
fn is_of(letter: &Received, id: &str) -> bool {
    let value = || serde_json::from_slice::<Value>(letter.record.value.as_deref()?).ok();
    letter.record.position.to_string() == id
        || letter.source == id
        || letter.record.key.as_deref() == Some(id.as_bytes())
        || value().is_some_and(|value| {
            ["id", "uri", "_id", "@id"].iter().any(|name| value[name].as_str() == Some(id))
        })
}

/// Milliseconds since the epoch: a time of RFC 3339, or a span before now, such as `90m`, `2h` or `7d`.
fn moment(text: &str, now: Timestamp) -> anyhow::Result<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_millisecond());
    }
    let expected =
        || format!("{text:?} is no time; expected 2026-03-01T09:30:00Z, or 2h for two hours ago");
    let span: jiff::Span = text.parse().with_context(expected)?;
    let duration =
        span.to_duration(SpanRelativeTo::days_are_24_hours()).with_context(expected)?.abs();
    Ok(now.checked_sub(duration).with_context(expected)?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::source::{Header, Position, RawRecord};

    fn letter(reason: &str, key: &str, value: &str, timestamp_ms: i64) -> Received {
        Received::new(RawRecord {
            position: Position { topic: "articles.dead".into(), partition: 0, offset: 7 },
            timestamp_ms: Some(timestamp_ms),
            key: Some(Bytes::copy_from_slice(key.as_bytes())),
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            headers: vec![
                Header::new("copydesk-error-reason", reason.to_owned()),
                Header::new("copydesk-error-source", "articles.raw/3/42"),
            ],
        })
    }

    #[track_caller]
    fn check(args: &DeadFilterArgs, expected: bool) {
        let letter = letter("not_json", "key-1", r#"{"uri":"urn:x:1"}"#, 5000);
        assert_eq!(Filter::new(args).unwrap().lets_through(&letter), expected, "{args:?}");
    }

    #[test]
    fn all_that_is_given_must_hold() {
        let none = DeadFilterArgs::default;
        check(&none(), true);
        for id in ["key-1", "urn:x:1", "articles.raw/3/42", "articles.dead/0/7"] {
            check(&DeadFilterArgs { id: vec![id.into()], ..none() }, true);
        }
        check(&DeadFilterArgs { id: vec!["urn:x".into()], ..none() }, false);
        check(&DeadFilterArgs { reason: vec!["not_json".into()], ..none() }, true);
        check(&DeadFilterArgs { reason: vec!["too_large".into()], ..none() }, false);
        check(&DeadFilterArgs { since: Some("1970-01-01T00:00:05Z".into()), ..none() }, true);
        check(&DeadFilterArgs { until: Some("1970-01-01T00:00:05Z".into()), ..none() }, false);
        check(&DeadFilterArgs { since: Some("1h".into()), ..none() }, false);
        check(&DeadFilterArgs { limit: Some(0), ..none() }, false);
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        let reason = DeadFilterArgs { reason: vec!["nonsense".into()], ..Default::default() };
        assert!(Filter::new(&reason).unwrap_err().to_string().contains("not_json"));
        let since = DeadFilterArgs { since: Some("yesterday".into()), ..Default::default() };
        assert!(Filter::new(&since).is_err());
    }

    #[test]
    fn spans_count_back_from_now() {
        let now = Timestamp::from_millisecond(200_000_000).unwrap();
        assert_eq!(moment("1d", now).unwrap(), 200_000_000 - 86_400_000);
        assert_eq!(moment("90m", now).unwrap(), 200_000_000 - 5_400_000);
    }
}
