//! Spans in OTLP's form, named and described as the messaging conventions have it.
//!
//! In: what was measured. Out: protobuf messages. Conventions: OpenTelemetry semantic conventions 1.45, messaging and
//! Kafka. Nothing of an article is in a span, not even its id or the record's key.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::context::Context;
use crate::config::Config;
use crate::kafka;
use crate::sink::Destination;
use crate::source::RawRecord;
use crate::stages::Stage;

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.45.0";

/// OTLP's flags of a span beyond those of W3C: that it is known where the parent ran, and that it ran elsewhere.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// What all spans of a run have in common.
#[derive(Debug)]
pub(super) struct Names {
    input_topic: String,
    output_topic: String,
    dead_letter_topic: String,
    state_topic: String,
    group: String,
    client_id: String,
}

impl Names {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            input_topic: config.input.topic.clone(),
            output_topic: config.output.topic.clone(),
            dead_letter_topic: config.output.dead_letter_topic.clone(),
            state_topic: config.state.topic.clone().unwrap_or_default(),
            group: config.kafka.group.clone(),
            client_id: kafka::client_id(&config.kafka).to_owned(),
        }
    }
}

/// One span, measured.
#[derive(Debug)]
pub(super) struct Spanned<'a> {
    pub(super) context: Context,
    pub(super) parent: Option<Context>,
    pub(super) is_parent_remote: bool,
    pub(super) tracestate: &'a str,
    pub(super) kind: Kind<'a>,
    pub(super) begun: SystemTime,
    pub(super) ended: SystemTime,
    /// `error.type`.
    pub(super) error: Option<&'static str>,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    Process(&'a RawRecord),
    Stage(Stage),
    Send { destination: Destination, is_tombstone: bool },
    Commit { n_records: usize },
}

impl Spanned<'_> {
    pub(super) fn into_span(self, names: &Names, links: &[Context]) -> Span {
        let (name, kind, mut attributes) = self.kind.describe(names);
        attributes.extend(self.error.map(|error| text("error.type", error)));
        let code = if self.error.is_some() { StatusCode::Error } else { StatusCode::Unset };
        let remote = if self.is_parent_remote { IS_REMOTE } else { 0 };
        Span {
            trace_id: self.context.trace_id.to_be_bytes().to_vec(),
            span_id: self.context.span_id.to_be_bytes().to_vec(),
            trace_state: self.tracestate.to_owned(),
            parent_span_id: self
                .parent
                .map_or_else(Vec::new, |parent| parent.span_id.to_be_bytes().to_vec()),
            flags: flags(self.context) | self.parent.map_or(0, |_| remote),
            name,
            kind: kind.into(),
            start_time_unix_nano: nanoseconds(self.begun),
            end_time_unix_nano: nanoseconds(self.ended.max(self.begun)),
            attributes,
            links: links.iter().map(|&context| link(context)).collect(),
            status: Some(Status { code: code.into(), message: String::new() }),
            ..Span::default()
        }
    }
}

impl Kind<'_> {
    /// Name, kind and attributes.
    fn describe(&self, names: &Names) -> (String, SpanKind, Vec<KeyValue>) {
        match self {
            Self::Process(record) => {
                let mut attributes = messaging("process", "process", &names.input_topic, names);
                attributes.push(text("messaging.consumer.group.name", &names.group));
                let position = &record.position;
                let partition = position.partition.to_string();
                attributes.push(text("messaging.destination.partition.id", &partition));
                attributes.push(integer("kafka.offset", position.offset));
                attributes.extend(record.value.is_none().then(tombstone));
                (format!("process {}", names.input_topic), SpanKind::Consumer, attributes)
            }
            Self::Stage(stage) => (stage.as_str().to_owned(), SpanKind::Internal, Vec::new()),
            Self::Send { destination, is_tombstone } => {
                let topic = match destination {
                    Destination::Enriched => &names.output_topic,
                    Destination::DeadLetters => &names.dead_letter_topic,
                    Destination::State { .. } => &names.state_topic,
                };
                let mut attributes = messaging("send", "send", topic, names);
                attributes.extend(is_tombstone.then(tombstone));
                (format!("send {topic}"), SpanKind::Producer, attributes)
            }
            Self::Commit { n_records } => {
                let mut attributes = messaging("commit", "settle", &names.input_topic, names);
                attributes.push(text("messaging.consumer.group.name", &names.group));
                let n_records = i64::try_from(*n_records).unwrap_or(i64::MAX);
                attributes.push(integer("messaging.batch.message_count", n_records));
                (format!("commit {}", names.input_topic), SpanKind::Client, attributes)
            }
        }
    }
}

fn messaging(operation: &str, kind: &str, topic: &str, names: &Names) -> Vec<KeyValue> {
    vec![
        text("messaging.system.name", "kafka"),
        // Its name before 1.45, by which most of today's backends know Kafka.
        text("messaging.system", "kafka"),
        text("messaging.operation.name", operation),
        text("messaging.operation.type", kind),
        text("messaging.destination.name", topic),
        text("messaging.client.id", &names.client_id),
    ]
}

/// All spans of one request are of this process and this library.
pub(super) fn resource_spans(config: &Config) -> ResourceSpans {
    let mut attributes = vec![
        text("service.name", &config.tracing.service_name),
        text("service.version", crate::BUILD),
    ];
    let instance = config.kafka.instance.as_deref();
    attributes.extend(instance.map(|instance| text("service.instance.id", instance)));
    let scope = InstrumentationScope {
        name: "copydesk".to_owned(),
        version: crate::BUILD.to_owned(),
        ..InstrumentationScope::default()
    };
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans {
            scope: Some(scope),
            spans: Vec::new(),
            schema_url: SCHEMA_URL.to_owned(),
        }],
        schema_url: SCHEMA_URL.to_owned(),
    }
}

fn link(context: Context) -> Link {
    Link {
        trace_id: context.trace_id.to_be_bytes().to_vec(),
        span_id: context.span_id.to_be_bytes().to_vec(),
        flags: flags(context),
        ..Link::default()
    }
}

fn flags(context: Context) -> u32 {
    u32::from(context.flags) | HAS_IS_REMOTE
}

fn tombstone() -> KeyValue {
    attribute("kafka.message.tombstone", Value::BoolValue(true))
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn integer(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Since the epoch. A clock before it or beyond the year 2554 is wrong in any case.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
