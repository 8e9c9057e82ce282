//! Traces: what a collector sees of records, and that records do not depend on it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use copydesk::config::Config;
use copydesk::metrics::Metrics;
use copydesk::sink::Destination;
use copydesk::trace::{self, Endpoint};
use expect_test::{Expect, expect};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::support;
use crate::support::collector::{Collector, attributes};
use crate::support::service::{Service, TIMEOUT, pause};
use crate::support::topics::{self, Message};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

struct Desk {
    /// Its broker ends with it.
    _cluster: MockCluster<'static, DefaultProducerContext>,
    brokers: String,
}

impl Desk {
    fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in ["articles.raw", "articles.enriched", "articles.dead", "articles.state"] {
            cluster.create_topic(topic, 1, 1).unwrap();
        }
        let brokers = cluster.bootstrap_servers();
        Self { _cluster: cluster, brokers }
    }

    fn write(&self, messages: &[Message]) {
        topics::write(&self.brokers, "articles.raw", messages);
    }

    fn serve(&self, more: &[&str]) -> Service {
        let mut settings = vec![
            format!("kafka.brokers={}", self.brokers),
            // The mock broker knows no transactions: see kafka.rs for those.
            "kafka.delivery=at_least_once".to_owned(),
            "pipeline.stage_budget_ms=19000".to_owned(),
        ];
        settings.extend(more.iter().map(ToString::to_string));
        Service::start(&settings)
    }

    /// Waits until so many are committed.
    fn wait_for(&self, n: i64) {
        let until = Instant::now() + TIMEOUT;
        let committed = || topics::committed(&self.brokers, "copydesk", "articles.raw");
        while committed().as_deref() != Some(&[(0, n)]) {
            assert!(Instant::now() < until, "committed is {:?}", committed());
            pause();
        }
    }

    fn published(&self) -> Vec<Message> {
        topics::read_all(&self.brokers, "articles.enriched")
    }
}

fn article(id: &str, headers: &[(&str, &str)]) -> Message {
    let header = |(name, value): &(&str, &str)| (name.to_string(), Some(value.as_bytes().to_vec()));
    let text = "The harbour master, Ada Winter, said the ferry would sail on Monday.";
    Message { headers: headers.iter().map(header).collect(), ..Message::article(0, id, text) }
}

/// `trace-span` of a span, as a `traceparent` has them.
fn context(span: &Span) -> String {
    format!("{}-{}", hex::encode(&span.trace_id), hex::encode(&span.span_id))
}

fn context_of(message: &Message) -> String {
    let parts: Vec<_> = message.header("traceparent").split('-').collect();
    format!("{}-{}", parts[1], parts[2])
}

#[track_caller]
fn count(message: &Message, name: &str) -> usize {
    message.headers.iter().filter(|(found, _)| found == name).count()
}

/// Spans of one trace, one line each: kind, name, parent, links, state and attributes.
#[track_caller]
fn check_trace(spans: &[Span], trace: &str, expected: Expect) {
    let ours: Vec<_> = spans.iter().filter(|span| hex::encode(&span.trace_id) == trace).collect();
    let name = |id: &[u8]| match ours.iter().find(|span| span.span_id == id) {
        Some(span) => span.name.clone(),
        None => hex::encode(id),
    };
    let mut text = String::new();
    for span in &ours {
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
        let kind = SpanKind::try_from(span.kind).unwrap().as_str_name();
        writeln!(text, "{} {}", kind.trim_start_matches("SPAN_KIND_"), span.name).unwrap();
        writeln!(text, "  parent {:?} state {:?}", name(&span.parent_span_id), span.trace_state)
            .unwrap();
        for link in &span.links {
            let (trace, span) = (hex::encode(&link.trace_id), hex::encode(&link.span_id));
            writeln!(text, "  link {trace} {span}").unwrap();
        }
        for (key, value) in attributes(&span.attributes) {
            writeln!(text, "  {key}: {value}").unwrap();
        }
    }
    expected.assert_eq(&text);
}

/// One of each kind: its trace goes on, begins here, is not sampled, is not valid; and one that becomes a dead letter.
fn messages() -> [Message; 5] {
    let traceparent =
        |begin: &str, end: &str| format!("00-{TRACE}-{PARENT}-{end}").replace("4bf9", begin);
    let both = |id: &str, traceparent: &str| {
        article(id, &[("traceparent", traceparent), ("tracestate", "desk=1")])
    };
    [
        both("id-continued", &traceparent("4bf9", "01")),
        article("id-begun", &[]),
        both("id-unsampled", &traceparent("aaaa", "00")),
        both("id-hostile", &traceparent("bbbb", "01-and-more")),
        Message {
            value: Some(b"Ada Winter is no JSON".to_vec()),
            ..article("id-broken", &[("traceparent", &traceparent("cccc", "01"))])
        },
    ]
}

#[test]
fn a_collector_sees_each_sampled_record_and_the_outputs_name_their_spans() {
    // It is down at first.
    let (desk, collector) = (Desk::start(), Collector::start(1));
    desk.write(&messages());
    let service = desk.serve(&[
        &format!("tracing.otlp_endpoint={}", collector.endpoint()),
        "tracing.service_name=news-desk",
        "tracing.headers.authorization=Bearer hunter2",
        "kafka.instance=copydesk-0",
    ]);
    desk.wait_for(5);
    service.wait_for_log("collector takes traces again");
    assert_eq!(service.log().matches("collector does not take traces").count(), 1);
    assert!(!service.log().contains("hunter2") && !service.get("/metrics").1.contains("hunter2"));
    assert!(service.stop().success());

    let spans = collector.spans();
    assert_eq!(collector.header("authorization"), "Bearer hunter2");
    let resource = collector.resource();
    let names = ["service.name", "service.instance.id"].map(|name| resource[name].as_str());
    assert_eq!(names, ["news-desk", "copydesk-0"]);
    let contexts: BTreeSet<_> = spans.iter().map(context).collect();
    assert_eq!(contexts.len(), spans.len(), "a span came twice");
    let said = format!("{spans:?}");
    for secret in ["Ada", "Winter", "ferry", "id-"] {
        assert!(!said.contains(secret), "{secret} is in a span");
    }
    check_outputs(&desk, &spans);
    check_traces(&spans);
    check_commits(&spans);
}

#[track_caller]
fn check_outputs(desk: &Desk, spans: &[Span]) {
    let (input, published) = (messages(), desk.published());
    let [continued, begun, unsampled, hostile] = &published[..] else { panic!("{published:?}") };
    let sends = spans.iter().filter(|span| span.name == "send articles.enriched");
    let sends: Vec<_> = sends.map(context).collect();
    assert_eq!(sends.len(), 3);
    for (message, n_states) in [(continued, 1), (begun, 0), (hostile, 0)] {
        assert!(sends.contains(&context_of(message)), "{message:?}");
        assert_eq!((count(message, "traceparent"), count(message, "tracestate")), (1, n_states));
        assert!(message.header("traceparent").ends_with("-01"));
    }
    assert!(context_of(continued).starts_with(TRACE));
    assert_eq!(continued.header("tracestate"), "desk=1");
    assert_eq!(unsampled.headers[..2], input[2].headers);
    assert_eq!(count(unsampled, "traceparent"), 1);
    let dead = topics::read_all(&desk.brokers, "articles.dead");
    assert_eq!(dead[0].headers[..1], input[4].headers);
}

#[track_caller]
fn check_traces(spans: &[Span]) {
    check_trace(
        spans,
        TRACE,
        expect![[r#"
        INTERNAL entities
          parent "process articles.raw" state "desk=1"
        CONSUMER process articles.raw
          parent "00f067aa0ba902b7" state "desk=1"
          link 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7
          kafka.offset: 0
          messaging.client.id: copydesk-0
          messaging.consumer.group.name: copydesk
          messaging.destination.name: articles.raw
          messaging.destination.partition.id: 0
          messaging.operation.name: process
          messaging.operation.type: process
          messaging.system: kafka
          messaging.system.name: kafka
        INTERNAL quotes
          parent "process articles.raw" state "desk=1"
        PRODUCER send articles.enriched
          parent "process articles.raw" state "desk=1"
          messaging.client.id: copydesk-0
          messaging.destination.name: articles.enriched
          messaging.operation.name: send
          messaging.operation.type: send
          messaging.system: kafka
          messaging.system.name: kafka
        INTERNAL sentiment
          parent "process articles.raw" state "desk=1"
    "#]],
    );
    check_trace(
        spans,
        &TRACE.replace("4bf9", "cccc"),
        expect![[r#"
        CONSUMER process articles.raw
          parent "00f067aa0ba902b7" state ""
          link cccc2f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7
          error.type: not_json
          kafka.offset: 4
          messaging.client.id: copydesk-0
          messaging.consumer.group.name: copydesk
          messaging.destination.name: articles.raw
          messaging.destination.partition.id: 0
          messaging.operation.name: process
          messaging.operation.type: process
          messaging.system: kafka
          messaging.system.name: kafka
        PRODUCER send articles.dead
          parent "process articles.raw" state ""
          messaging.client.id: copydesk-0
          messaging.destination.name: articles.dead
          messaging.operation.name: send
          messaging.operation.type: send
          messaging.system: kafka
          messaging.system.name: kafka
    "#]],
    );
}

#[track_caller]
fn check_commits(spans: &[Span]) {
    let commits: Vec<_> = spans.iter().filter(|span| span.name == "commit articles.raw").collect();
    let links: BTreeSet<_> = commits
        .iter()
        .flat_map(|span| &span.links)
        .map(|link| format!("{}-{}", hex::encode(&link.trace_id), hex::encode(&link.span_id)))
        .collect();
    assert_eq!(links.len(), 4, "one of each sampled record: {links:?}");
    assert!(links.contains(&format!("{TRACE}-{PARENT}")));
    assert!(commits.iter().all(|span| span.parent_span_id.is_empty()));
}

/// Whatever is wrong with the collector, records pass, and what is lost is counted.
#[track_caller]
fn check_without_collector(endpoint: &str) {
    let desk = Desk::start();
    let messages: Vec<_> = (0..20).map(|n| article(&format!("id-{n}"), &[])).collect();
    desk.write(&messages);
    let mut service = desk.serve(&[
        &format!("tracing.otlp_endpoint={endpoint}"),
        "tracing.queue_spans_max=10",
        "tracing.timeout_ms=1000",
    ]);
    desk.wait_for(20);
    let line = service.wait_for_log("collector does not take traces");
    assert_eq!(line["level"], "WARN");
    // What is in the request under way keeps its place, so only these find no room.
    desk.write(&messages);
    desk.wait_for(40);
    let (_, metrics) = service.get("/metrics");
    assert!(metrics.contains("copydesk_trace_spans_total{outcome=\"exported\"} 0\n"));
    assert!(!metrics.contains("copydesk_trace_spans_total{outcome=\"dropped\"} 0\n"));
    assert_eq!(service.get("/readyz").0, 200);
    service.signal("TERM");
    let told = Instant::now();
    assert!(service.wait().success());
    assert!(told.elapsed() < Duration::from_secs(20), "{:?}", told.elapsed());
    assert_eq!(service.log().matches("collector does not take traces").count(), 1);
    let lost = service.wait_for_log("collector did not take traces to the end");
    // Five a record, and commits.
    assert!(lost["n_dropped"].as_u64().unwrap() >= 200, "{lost}");
    let published = desk.published();
    assert_eq!(published.len(), 40);
    assert!(published.iter().all(|message| count(message, "traceparent") == 1));
}

#[test]
fn a_collector_that_is_not_there_holds_nothing_up() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check_without_collector(&format!("http://{address}"));
}

#[test]
fn a_collector_that_never_answers_holds_nothing_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    check_without_collector(&format!("http://{}", silent.local_addr().unwrap()));
}

/// What becomes of one record's two spans, sent to a collector whose certificate is its own and for 127.0.0.1.
#[track_caller]
fn check_tls(host: &str, is_trusted: bool, n_expected: [f64; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = own_certificate();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, certificate.to_pem().unwrap()).unwrap();
    let port = answer_by_tls(&certificate, &key);

    let mut config = Config::default();
    config.tracing.endpoint = Endpoint::parse(&format!("https://{host}:{port}"));
    config.tracing.ca_file = is_trusted.then_some(ca_file);
    let metrics = Metrics::new(&config);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (tracer, exporter) =
        runtime.block_on(async { trace::start(&config, &metrics.trace) }).unwrap().unwrap();
    let record = support::record(None, None);
    let processing = tracer.begin(&record).unwrap();
    let sending = tracer.processed(processing, &record, &[], None, Destination::Enriched);
    tracer.sent(&sending, true, None);
    runtime.block_on(exporter.stop());
    let text = metrics.render();
    let found = ["exported", "dropped"].map(|outcome| {
        let series = format!("copydesk_trace_spans_total{{outcome=\"{outcome}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse::<f64>().unwrap()
    });
    assert_eq!(found, n_expected, "{host}");
}

#[test]
fn the_collectors_certificate_is_checked() {
    check_tls("127.0.0.1", true, [2.0, 0.0]);
    check_tls("127.0.0.1", false, [0.0, 2.0]);
    check_tls("localhost", true, [0.0, 2.0]);
}

/// Answers 200 to every request; its thread ends with the process.
fn answer_by_tls(certificate: &X509, key: &PKey<Private>) -> u16 {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(certificate).unwrap();
    acceptor.set_private_key(key).unwrap();
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // Clients that do not trust it go away.
            let Ok(stream) = acceptor.accept(stream) else { continue };
            let mut stream = BufReader::new(stream);
            let mut length = 0;
            for line in stream.by_ref().lines().map_while(Result::ok) {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
    });
    port
}

fn own_certificate() -> (X509, PKey<Private>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "collector").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial_number = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial_number).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    let names = SubjectAlternativeName::new()
        .ip("127.0.0.1")
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(names).unwrap();
    builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}
