//! What several test files share.

pub(crate) mod collector;
pub(crate) mod kafka_server;
pub(crate) mod service;
pub(crate) mod topics;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use copydesk::config::Config;
use copydesk::encode::OffsetUnits;
use copydesk::pipeline::process::{Processed, Processor};
use copydesk::pool::Pool;
use copydesk::source::{Position, RawRecord};
use copydesk::stages::{Models, Stages};
use serde_json::Value;
use tokio::runtime::Runtime;

/// Tests that start a real Kafka take turns: side by side they would only wait for each other, and time out.
pub(crate) fn take_turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The data folder (`COPYDESK_DATA`), or `None` with one line on standard error; with `CI=true` its absence is a failure.
#[allow(dead_code, reason = "the first tests that read data land with their modules")]
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let Some(root) = std::env::var_os("COPYDESK_DATA") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "COPYDESK_DATA is not set, and with CI set nothing is skipped"
        );
        eprintln!("skipped: COPYDESK_DATA is not set, {path} cannot be read");
        return None;
    };
    let path = PathBuf::from(root).join(path);
    assert!(path.exists(), "{} is missing", path.display());
    Some(path)
}

/// The published body of one input value, by the pipeline without Kafka.
///
/// # Panics
/// When the record is not enriched.
#[track_caller]
pub(crate) fn enrich(value: &[u8]) -> Bytes {
    match process(value) {
        Processed::Enriched { body, .. } => {
            assert_eq!(body.n_spans_withheld, 0, "a span was withheld");
            body.bytes
        }
        other => panic!("not enriched: {other:?}"),
    }
}

/// One input value through decode, stages, link and encode, with every offset unit published.
pub(crate) fn process(value: &[u8]) -> Processed {
    static PROCESSOR: LazyLock<(Runtime, Processor)> = LazyLock::new(|| {
        let mut config = Config::default();
        config.input.decode.article_bytes_max = 8 * 1024 * 1024;
        config.output.offset_units = OffsetUnits { utf8: true, utf16: true, source: true };
        // A debug build on a busy machine: the budget is not what these tests are about.
        config.pipeline.stage_budget = Duration::from_secs(600);
        let pool = Pool::start(config.pipeline.compute_threads).unwrap();
        let processor = Processor::new(&config, Models::embedded(), Stages::default(), pool);
        (Runtime::new().unwrap(), processor)
    });
    let raw = record(Some(b"key"), Some(value));
    PROCESSOR.0.block_on(PROCESSOR.1.process(raw))
}

/// A record as it came from a topic.
pub(crate) fn record(key: Option<&[u8]>, value: Option<&[u8]>) -> RawRecord {
    RawRecord {
        position: Position { topic: "articles.raw".into(), partition: 0, offset: 0 },
        timestamp_ms: None,
        key: key.map(Bytes::copy_from_slice),
        value: value.map(Bytes::copy_from_slice),
        headers: Vec::new(),
    }
}

/// Every span of a record covers the text that it carries, in code points, UTF-8 and UTF-16, counted the plain way.
#[track_caller]
pub(crate) fn check_spans(record: &Value) {
    let mut spans = Vec::new();
    collect_spans(record, &mut spans);
    let mut fields: BTreeMap<&str, FieldUnits> = BTreeMap::new();
    for span in spans {
        let field = span.get("field").and_then(Value::as_str).unwrap_or("text");
        let text = record[field].as_str().unwrap();
        let units = fields.entry(field).or_insert_with(|| FieldUnits::of(text));
        let expected = span["text"].as_str().unwrap();
        let range = |value: &Value| {
            let at = |name: &str| usize::try_from(value[name].as_u64().unwrap()).unwrap();
            at("start")..at("end")
        };
        assert_eq!(
            units.chars[range(&Value::Object(span.clone()))].iter().collect::<String>(),
            expected
        );
        assert_eq!(text.get(range(&span["utf8"])), Some(expected));
        assert_eq!(String::from_utf16(&units.utf16[range(&span["utf16"])]).unwrap(), expected);
    }
}

struct FieldUnits {
    chars: Vec<char>,
    utf16: Vec<u16>,
}

impl FieldUnits {
    fn of(text: &str) -> Self {
        Self { chars: text.chars().collect(), utf16: text.encode_utf16().collect() }
    }
}

/// Objects with `start`, `end` and `text`, wherever they stand in the record.
fn collect_spans<'v>(value: &'v Value, spans: &mut Vec<&'v serde_json::Map<String, Value>>) {
    match value {
        Value::Object(object) => {
            if ["start", "end", "text"].iter().all(|name| object.contains_key(*name)) {
                spans.push(object);
            }
            object.values().for_each(|value| collect_spans(value, spans));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_spans(value, spans)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
