//! The service under load, on a real single-node Apache Kafka that this program starts and stops.
//!
//! Input: `$COPYDESK_DATA/samples/wikinews.jsonl`, repeated under new ids. Output, for each way of delivery: throughput
//! with a backlog, latency at half of that rate, the service's peak of memory; what exactly-once costs as a ratio; and a
//! failure when a record is lost, doubled or out of order.
//! Broker, producer, consumer and service share this machine, which `docs/performance.md` names.
#![allow(clippy::unwrap_used, reason = "a benchmark that unwraps fails where it stands")]

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use kafka_server::KafkaServer;
use service::Service;

#[path = "../it/support/kafka_server.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod kafka_server;
#[path = "../it/support/service.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod service;

const RAW: &str = "bench.raw";
const DEAD: &str = "bench.dead";

/// In one partition: the case in which order costs most.
const N_BACKLOG: usize = 10_000;
const N_PACED: usize = 2_000;

const TIMEOUT: Duration = Duration::from_secs(600);

fn main() {
    let Some(articles) = articles() else { return };
    let Some(server) = KafkaServer::start() else { return };
    for topic in [RAW, DEAD] {
        server.create_topic(topic, 1, &[]);
    }
    let producer: BaseProducer = client(&server).set("linger.ms", "1").create().unwrap();
    let mut numbered = (0..).zip(articles.iter().cycle());
    let mut first_offset = 0;
    let [exactly, at_least] = ["exactly_once", "at_least_once"].map(|delivery| {
        for (n, article) in numbered.by_ref().take(N_BACKLOG) {
            send(&producer, n, article);
        }
        producer.flush(TIMEOUT).unwrap();
        say(delivery);
        let mut bench = Bench::start(&server, delivery, first_offset);
        first_offset += i64::try_from(N_BACKLOG + N_PACED).unwrap();
        let rate = bench.work_off(mean_bytes(&articles));
        bench.keep_pace(&producer, numbered.by_ref().take(N_PACED), rate);
        bench.end();
        rate
    });
    say(&format!("exactly_once : at_least_once {:>6.3} in records/s", exactly / at_least));
}

/// One service, from a backlog to a steady stream.
struct Bench {
    service: Service,
    started: Instant,
    reader: Reader,
}

impl Bench {
    fn start(server: &KafkaServer, delivery: &str, first_offset: i64) -> Self {
        let topic = format!("bench.{delivery}");
        server.create_topic(&topic, 1, &[]);
        let state = format!("bench.state.{delivery}");
        server.create_topic(&state, 1, &[("cleanup.policy", "compact")]);
        let reader = Reader::start(server, &topic, first_offset);
        // Both read the same topic; each goes on where the one before has stopped.
        let settings = [
            format!("kafka.brokers={}", server.brokers),
            "kafka.group=bench".to_owned(),
            format!("kafka.delivery={delivery}"),
            format!("input.topic={RAW}"),
            format!("output.topic={topic}"),
            format!("output.dead_letter_topic={DEAD}"),
            format!("state.topic={state}"),
        ];
        Self { started: Instant::now(), service: Service::start(&settings), reader }
    }

    /// Returns records a second.
    fn work_off(&mut self, mean_bytes: f64) -> f64 {
        self.reader.read();
        let first_at = Instant::now();
        self.reader.read_more(N_BACKLOG - 1);
        let elapsed = first_at.elapsed();
        let rate = f64::from(u32::try_from(N_BACKLOG - 1).unwrap()) / elapsed.as_secs_f64();
        let start = (first_at - self.started).as_secs_f64();
        say(&format!("start to first record    {start:>10.2} s"));
        say(&format!("backlog of {N_BACKLOG}         {rate:>10.1} records/s"));
        say(&format!("                         {:>10.2} MB/s in", rate * mean_bytes / 1e6));
        let (p50, p99) = record_seconds(&self.service);
        say(&format!(
            "received to delivered    {p50:>10.3} s p50, {p99:.3} s p99 (upper bounds of buckets)"
        ));
        rate
    }

    fn keep_pace<'a>(
        &mut self,
        producer: &BaseProducer,
        articles: impl Iterator<Item = (usize, &'a Value)>,
        rate: f64,
    ) {
        let pause = Duration::from_secs_f64(2.0 / rate);
        let mut latencies = Vec::new();
        let paced_from = Instant::now();
        for (index, (n, article)) in (0..).zip(articles) {
            send(producer, n, article);
            let due = paced_from + pause * (index + 1);
            while Instant::now() < due {
                producer.poll(Duration::ZERO);
                latencies.extend(self.reader.poll(due).map(|arrival| arrival.latency_ms));
            }
        }
        producer.flush(TIMEOUT).unwrap();
        while latencies.len() < N_PACED {
            latencies.push(self.reader.read().latency_ms);
        }
        latencies.sort_unstable();
        let at = |share: f64| percentile(&latencies, share);
        say(&format!("paced at half the rate   {:>10.1} records/s", rate / 2.0));
        say(&format!(
            "written to readable      {:>10} ms p50, {} ms p99, {} ms max",
            at(0.5),
            at(0.99),
            at(1.0)
        ));
    }

    fn end(mut self) {
        say(&format!("peak of memory           {:>10.1} MiB", self.service.memory_peak_mib()));
        assert!(self.service.stop().success());
        let more = self.reader.poll(Instant::now() + Duration::from_secs(1));
        assert!(more.is_none(), "more came out than went in");
        let (_, refused) = self.reader.consumer.fetch_watermarks(DEAD, 0, TIMEOUT).unwrap();
        assert_eq!(refused, 0, "records were refused");
        say("all out, in order, none lost, none twice");
    }
}

/// The articles, without their ids; `None` with one line on standard error where there are none.
fn articles() -> Option<Vec<Value>> {
    let Some(root) = std::env::var_os("COPYDESK_DATA").filter(|root| !root.is_empty()) else {
        drop(writeln!(
            std::io::stderr(),
            "COPYDESK_DATA is not set: it names the folder with samples/wikinews.jsonl"
        ));
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(root).join("samples/wikinews.jsonl")).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn mean_bytes(articles: &[Value]) -> f64 {
    let n_bytes: usize = articles.iter().map(|article| article.to_string().len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    let mean = n_bytes as f64 / articles.len() as f64;
    mean
}

fn send(producer: &BaseProducer, n: usize, article: &Value) {
    let mut article = article.clone();
    let id = format!("bench-{n:05}");
    article["id"] = id.as_str().into();
    let value = article.to_string();
    let mut record = BaseRecord::to(RAW).partition(0).key(&id).payload(&value);
    while let Err((_full, returned)) = producer.send(record) {
        producer.poll(Duration::from_millis(10));
        record = returned;
    }
    producer.poll(Duration::ZERO);
}

fn client(server: &KafkaServer) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &server.brokers);
    config
}

/// Reads what the service publishes, and checks that it is what went in, in order.
struct Reader {
    consumer: BaseConsumer,
    /// Of the input.
    next_offset: i64,
}

struct Arrival {
    latency_ms: i64,
}

impl Reader {
    fn start(server: &KafkaServer, topic: &str, next_offset: i64) -> Self {
        let consumer: BaseConsumer = client(server)
            .set("group.id", "bench-reader")
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "10")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
        consumer.assign(&list).unwrap();
        Self { consumer, next_offset }
    }

    fn read(&mut self) -> Arrival {
        self.poll(Instant::now() + TIMEOUT).expect("the service publishes")
    }

    fn read_more(&mut self, n: usize) {
        for _ in 0..n {
            self.read();
        }
    }

    fn poll(&mut self, until: Instant) -> Option<Arrival> {
        let message = self.consumer.poll(until.saturating_duration_since(Instant::now()))?.unwrap();
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let written_ms = message.timestamp().to_millis().unwrap();
        let headers = message.headers().unwrap();
        let source = headers.iter().find(|header| header.key == "copydesk-source").unwrap();
        let source = std::str::from_utf8(source.value.unwrap()).unwrap();
        let offset: i64 = source.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(offset, self.next_offset, "lost, doubled or out of order");
        self.next_offset += 1;
        Some(Arrival { latency_ms: i64::try_from(now_ms).unwrap() - written_ms })
    }
}

/// Median and 99th percentile of the service's own histogram, as the upper bounds of their buckets.
fn record_seconds(service: &Service) -> (f64, f64) {
    let (_, metrics) = service.get("/metrics");
    let buckets: Vec<(f64, f64)> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("copydesk_record_duration_seconds_bucket{le=\""))
        .map(|line| {
            let (bound, count) = line.split_once("\"} ").unwrap();
            (bound.parse().unwrap_or(f64::INFINITY), count.parse().unwrap())
        })
        .collect();
    let total = buckets.last().unwrap().1;
    let at = |share: f64| buckets.iter().find(|(_, count)| *count >= share * total).unwrap().0;
    (at(0.5), at(0.99))
}

fn percentile(sorted: &[i64], share: f64) -> i64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into a few thousand values"
    )]
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len()) - 1;
    sorted[index]
}

fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").unwrap();
}
