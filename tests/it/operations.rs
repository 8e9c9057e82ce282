//! Metrics, health, logs and signals of a running service.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use copydesk::admin::{self, Health};
use copydesk::article::{DecodeWarning, Format, RetractionReason};
use copydesk::config::Config;
use copydesk::dead_letter::Reason;
use copydesk::kafka::Fault;
use copydesk::metrics::Metrics;
use copydesk::stages::quotes::QuoteKind;
use copydesk::stages::{Stage, StageOutcome};
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::topics::{self, Message};

/// Far beyond what any step takes: a test that waits this long has failed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Every family of DESIGN §7.
const FAMILIES: &[&str] = &[
    "copydesk_records_consumed_total",
    "copydesk_records_published_total",
    "copydesk_records_dead_lettered_total",
    "copydesk_record_duration_seconds",
    "copydesk_stage_duration_seconds",
    "copydesk_stage_outcomes_total",
    "copydesk_article_age_seconds",
    "copydesk_consumer_lag_records",
    "copydesk_consumer_lag_seconds",
    "copydesk_inflight_records",
    "copydesk_inflight_bytes",
    "copydesk_partition_last_progress_timestamp_seconds",
    "copydesk_rebalances_total",
    "copydesk_transactions_total",
    "copydesk_partitions_stalled",
    "copydesk_partitions_unowned",
    "copydesk_kafka_faults_total",
    "copydesk_quotes_total",
    "copydesk_span_check_failures_total",
    "copydesk_retractions_total",
    "copydesk_records_skipped_total",
    "copydesk_kill_notices_total",
    "copydesk_state_articles",
    "copydesk_state_bytes",
    "copydesk_state_restore_duration_seconds",
    "copydesk_state_records_restored_total",
    "copydesk_state_records_unreadable_total",
    "copydesk_trace_spans_total",
    "copydesk_build_info",
];

fn metrics() -> Metrics {
    Metrics::new(&Config::default())
}

/// The value of the one sample that starts with `series`.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let lines: Vec<&str> =
        text.lines().filter(|line| line.starts_with(&format!("{series} "))).collect();
    assert_eq!(lines.len(), 1, "{series} in:\n{text}");
    lines[0].rsplit(' ').next().unwrap().parse().unwrap()
}

/// `promtool check metrics` finds nothing; says that it was skipped where promtool is missing, which CI does not allow.
#[track_caller]
fn check_with_promtool(text: &str) {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = started else {
        assert!(
            std::env::var_os("CI").is_none(),
            "promtool is missing, and with CI set nothing is skipped"
        );
        eprintln!(
            "skipped: promtool is missing (Debian package prometheus), /metrics was not linted"
        );
        return;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let findings = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&findings));
}

#[test]
fn every_family_and_label_is_there_at_zero() {
    let text = metrics().render();
    for family in FAMILIES {
        assert!(text.contains(&format!("# HELP {family} ")), "{family} in:\n{text}");
    }
    let samples = text.lines().filter(|line| line.starts_with("copydesk_"));
    for sample in samples.filter(|sample| !sample.starts_with("copydesk_build_info")) {
        assert!(sample.ends_with(" 0"), "not at zero: {sample}");
    }
    for reason in Reason::ALL {
        value(
            &text,
            &format!("copydesk_records_dead_lettered_total{{reason=\"{}\"}}", reason.as_str()),
        );
    }
    for reason in RetractionReason::ALL {
        value(&text, &format!("copydesk_retractions_total{{reason=\"{}\"}}", reason.as_str()));
    }
    for (stage, outcome) in
        Stage::ALL.iter().flat_map(|s| StageOutcome::ALL.map(|o| (s.as_str(), o.as_str())))
    {
        value(
            &text,
            &format!("copydesk_stage_outcomes_total{{outcome=\"{outcome}\",stage=\"{stage}\"}}"),
        );
    }
    for (kind, attributed) in
        QuoteKind::ALL.iter().flat_map(|k| ["true", "false"].map(|a| (k.as_str(), a)))
    {
        value(
            &text,
            &format!("copydesk_quotes_total{{attributed=\"{attributed}\",type=\"{kind}\"}}"),
        );
    }
    for outcome in ["exported", "dropped"] {
        value(&text, &format!("copydesk_trace_spans_total{{outcome=\"{outcome}\"}}"));
    }
    value(&text, "copydesk_records_consumed_total{topic=\"articles.raw\"}");
    value(&text, "copydesk_records_published_total{kind=\"enriched\",topic=\"articles.enriched\"}");
    value(
        &text,
        "copydesk_records_published_total{kind=\"retraction\",topic=\"articles.enriched\"}",
    );
    value(&text, "copydesk_records_published_total{kind=\"dead_letter\",topic=\"articles.dead\"}");
    check_with_promtool(&text);
}

#[test]
fn use_is_counted() {
    let metrics = metrics();
    metrics.source.consumed(120);
    metrics.source.rebalanced();
    metrics.decode.decoded(Format::Ninjs, 3, &[DecodeWarning::CancelledSpelling]);
    metrics.stages.ended(Stage::Quotes, StageOutcome::Ok, Duration::from_millis(4));
    metrics.stages.ended(Stage::Quotes, StageOutcome::Failed, Duration::ZERO);
    metrics.stages.quote(QuoteKind::Mixed, true);
    metrics.sink.published();
    metrics.sink.retracted(RetractionReason::Withheld);
    metrics.sink.dead_lettered(Reason::NotJson);
    metrics.sink.delivery_failed();
    metrics.pipeline.settled(Duration::from_millis(7), Some(Duration::from_secs(90)));
    metrics.pipeline.set_inflight(5, 4096);
    metrics.pipeline.spans_withheld(1);
    metrics.pipeline.committed(true);
    metrics.pipeline.transaction_ended(true);
    metrics.pipeline.transaction_ended(false);
    metrics.source.fault(Fault::TopicMissing);
    metrics.source.set_stalled(2);
    metrics.source.set_unowned(3);
    metrics.trace.exported(7);
    metrics.trace.dropped(3);
    let text = metrics.render();
    for (series, expected) in [
        ("copydesk_records_consumed_total{topic=\"articles.raw\"}", 1.0),
        ("copydesk_bytes_consumed_total{topic=\"articles.raw\"}", 120.0),
        ("copydesk_rebalances_total", 1.0),
        ("copydesk_articles_decoded_total{format=\"ninjs\"}", 1.0),
        ("copydesk_unknown_fields_total", 3.0),
        ("copydesk_decode_warnings_total{warning=\"cancelled_spelling\"}", 1.0),
        ("copydesk_stage_outcomes_total{outcome=\"ok\",stage=\"quotes\"}", 1.0),
        ("copydesk_stage_outcomes_total{outcome=\"failed\",stage=\"quotes\"}", 1.0),
        ("copydesk_stage_duration_seconds_bucket{stage=\"quotes\",le=\"0.0025\"}", 0.0),
        ("copydesk_stage_duration_seconds_bucket{stage=\"quotes\",le=\"0.005\"}", 1.0),
        ("copydesk_stage_duration_seconds_count{stage=\"quotes\"}", 1.0),
        ("copydesk_quotes_total{attributed=\"true\",type=\"mixed\"}", 1.0),
        ("copydesk_records_published_total{kind=\"enriched\",topic=\"articles.enriched\"}", 1.0),
        ("copydesk_records_published_total{kind=\"retraction\",topic=\"articles.enriched\"}", 1.0),
        ("copydesk_records_published_total{kind=\"dead_letter\",topic=\"articles.dead\"}", 1.0),
        ("copydesk_records_dead_lettered_total{reason=\"not_json\"}", 1.0),
        ("copydesk_retractions_total{reason=\"withheld\"}", 1.0),
        ("copydesk_delivery_failures_total", 1.0),
        ("copydesk_record_duration_seconds_count", 1.0),
        ("copydesk_article_age_seconds_sum", 90.0),
        ("copydesk_inflight_records", 5.0),
        ("copydesk_inflight_bytes", 4096.0),
        ("copydesk_span_check_failures_total", 1.0),
        ("copydesk_commits_total{outcome=\"ok\"}", 1.0),
        ("copydesk_commits_total{outcome=\"failed\"}", 0.0),
        ("copydesk_transactions_total{outcome=\"committed\"}", 1.0),
        ("copydesk_transactions_total{outcome=\"aborted\"}", 1.0),
        ("copydesk_kafka_faults_total{fault=\"topic_missing\"}", 1.0),
        ("copydesk_partitions_stalled", 2.0),
        ("copydesk_partitions_unowned", 3.0),
        ("copydesk_trace_spans_total{outcome=\"exported\"}", 7.0),
        ("copydesk_trace_spans_total{outcome=\"dropped\"}", 3.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    check_with_promtool(&text);
}

#[test]
fn series_of_revoked_partitions_disappear() {
    let metrics = metrics();
    let partitions = &metrics.source.partitions;
    partitions.assigned("articles.raw", 0);
    partitions.assigned("articles.raw", 1);
    partitions.lagging("articles.raw", 1, 12, Some(0));
    let text = metrics.render();
    assert_eq!(
        value(&text, "copydesk_consumer_lag_records{partition=\"0\",topic=\"articles.raw\"}"),
        0.0
    );
    assert_eq!(
        value(&text, "copydesk_consumer_lag_seconds{partition=\"0\",topic=\"articles.raw\"}"),
        0.0
    );
    assert_eq!(
        value(&text, "copydesk_consumer_lag_records{partition=\"1\",topic=\"articles.raw\"}"),
        12.0
    );
    let since_1970 =
        value(&text, "copydesk_consumer_lag_seconds{partition=\"1\",topic=\"articles.raw\"}");
    assert!(since_1970 > 1.7e9, "{since_1970}");
    check_with_promtool(&text);

    // Without timestamps the time counts from when the partition fell behind, and ends when it has caught up.
    let seconds = "copydesk_consumer_lag_seconds{partition=\"0\",topic=\"articles.raw\"}";
    partitions.lagging("articles.raw", 0, 3, None);
    let since_now = value(&metrics.render(), seconds);
    assert!((0.0..600.0).contains(&since_now), "{since_now}");
    partitions.lagging("articles.raw", 0, 0, None);
    assert_eq!(value(&metrics.render(), seconds), 0.0);

    partitions.revoked("articles.raw", 1);
    // Reports of records that were in flight when the partition went.
    partitions.lagging("articles.raw", 1, 3, None);
    partitions.progressed("articles.raw", 1);
    let text = metrics.render();
    assert!(text.contains("partition=\"0\""), "{text}");
    assert!(!text.contains("partition=\"1\""), "{text}");

    partitions.revoked("articles.raw", 0);
    let text = metrics.render();
    assert!(!text.contains("partition=\"0\""), "{text}");
    assert!(text.contains("# TYPE copydesk_consumer_lag_records gauge"), "{text}");
    check_with_promtool(&text);
}

/// Sends one raw request and returns the whole answer.
fn request(address: SocketAddr, request_line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request_line} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// `GET path` answers with this status, content type and, where given, this body.
#[track_caller]
fn check_get(address: SocketAddr, path: &str, status: &str, content_type: &str, body: &str) {
    let answer = request(address, &format!("GET {path}"));
    let (head, found) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    assert!(head.contains(&format!("content-type: {content_type}\r\n")), "{answer}");
    assert_eq!(found, body, "{path}");
}

#[test]
fn the_admin_server_answers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (metrics, health) = (metrics(), Health::new(Duration::from_secs(60)));
    let shutdown = CancellationToken::new();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = admin::serve(listen, metrics.clone(), health.clone(), shutdown.clone());
    let server = runtime.block_on(server).unwrap();
    let address = server.address();
    assert_ne!(address.port(), 0);

    let json = "application/json";
    check_get(address, "/livez", "200 OK", json, "{\"live\":true,\"reasons\":[]}\n");
    let reasons = "[\"model is not loaded\",\"not in the consumer group\",\"producer cannot reach a broker\"]";
    let unready = format!("{{\"ready\":false,\"reasons\":{reasons}}}\n");
    check_get(address, "/readyz", "503 Service Unavailable", json, &unready);
    health.model_loaded();
    health.set_partitions(1);
    health.set_producer_usable(true);
    check_get(address, "/readyz", "200 OK", json, "{\"ready\":true,\"reasons\":[]}\n");
    let version = format!(
        "{{\"name\":\"copydesk\",\"schema\":\"copydesk/enriched/1\",\"version\":\"{}\"}}\n",
        copydesk::BUILD
    );
    check_get(address, "/version", "200 OK", json, &version);
    let elsewhere = "not found; there are /metrics /livez /readyz /version\n";
    check_get(address, "/admin/../etc", "404 Not Found", "text/plain; charset=utf-8", elsewhere);

    metrics.sink.dead_lettered(Reason::NotUtf8);
    let answer = request(address, "GET /metrics");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    assert_eq!(value(text, "copydesk_records_dead_lettered_total{reason=\"not_utf8\"}"), 1.0);
    check_with_promtool(text);
    assert!(request(address, "POST /metrics").starts_with("HTTP/1.1 405"));

    // A client that never finishes its request does not hold the shutdown up.
    let _unfinished = TcpStream::connect(address).unwrap();
    shutdown.cancel();
    runtime.block_on(server.stopped());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn an_address_in_use_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let health = Health::new(Duration::from_secs(60));
    let server =
        admin::serve(taken.local_addr().unwrap(), metrics(), health, CancellationToken::new());
    assert_eq!(runtime.block_on(server).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}

/// A service as its own process, ended when the test is.
struct Serving {
    child: Child,
    logs: mpsc::Receiver<String>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Serving {
    fn start(brokers: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_copydesk"))
            .args(["serve", "--set", "admin.listen=127.0.0.1:0", "--set", "log.format=json"])
            .args(["--set", &format!("kafka.brokers={brokers}")])
            // The mock broker knows no transactions.
            .args(["--set", "kafka.delivery=at_least_once"])
            .current_dir(std::env::temp_dir())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, logs) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Self { child, logs }
    }

    /// The next log line with this message; every line before it is JSON with a level and a message, and none has text of
    /// an article.
    #[track_caller]
    fn log(&self, message: &str) -> Value {
        loop {
            let line = self
                .logs
                .recv_timeout(TIMEOUT)
                .unwrap_or_else(|_| panic!("no log line {message:?}"));
            let line: Value =
                serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
            if line["message"] == message {
                return line;
            }
        }
    }
}

/// Asks until the answer is as expected, and returns its body.
#[track_caller]
fn wait_for(address: SocketAddr, path: &str, is_expected: impl Fn(&str) -> bool) -> String {
    let until = Instant::now() + TIMEOUT;
    loop {
        let answer = request(address, &format!("GET {path}"));
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        if is_expected(body) {
            return body.to_owned();
        }
        assert!(Instant::now() < until, "{path} was never as expected:\n{answer}");
        // The service needs the machine too.
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_service_is_watched_from_start_to_end() {
    let cluster = MockCluster::new(1).unwrap();
    for topic in ["articles.raw", "articles.enriched", "articles.dead", "articles.state"] {
        cluster.create_topic(topic, 2, 1).unwrap();
    }
    let brokers = cluster.bootstrap_servers();
    let mut service = Serving::start(&brokers);
    let address = service.log("admin server listens")["address"].as_str().unwrap().parse().unwrap();
    wait_for(address, "/livez", |body| body.contains("\"live\":true"));
    wait_for(address, "/readyz", |body| body.contains("\"ready\":true"));
    let lag = "copydesk_consumer_lag_records{partition=\"1\",topic=\"articles.raw\"}";
    let text = wait_for(address, "/metrics", |text| value(text, lag) == 0.0);
    check_with_promtool(&text);

    let words = "The harbour master, Ada Winter, said the ferry would sail on Monday.";
    let broken =
        Message { partition: 1, value: Some(b"not an article".to_vec()), ..Message::default() };
    topics::write(&brokers, "articles.raw", &[Message::article(0, "urn:a", words), broken]);
    let text = wait_for(address, "/metrics", |text| {
        [
            "copydesk_records_published_total{kind=\"enriched\",topic=\"articles.enriched\"}",
            "copydesk_records_dead_lettered_total{reason=\"not_json\"}",
            "copydesk_commits_total{outcome=\"ok\"}",
        ]
        .iter()
        .all(|series| value(text, series) > 0.0)
    });
    check_with_promtool(&text);

    let pid = service.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    service.log("consumer group left");
    service.log("admin server stopped");
    assert_eq!(service.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_service_that_cannot_start_says_so_in_its_log() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("admin.listen={}", taken.local_addr().unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_copydesk"))
        .args(["serve", "--set", &listen])
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let line: Value = serde_json::from_str(stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&line["level"], &line["message"]), (&json!("ERROR"), &json!("service failed")));
    assert!(line["error"].as_str().unwrap().starts_with("cannot listen on 127.0.0.1:"), "{line}");
}
