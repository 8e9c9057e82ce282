//! The pipeline on librdkafka's mock broker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use copydesk::admin::Health;
use copydesk::article::RetractionReason;
use copydesk::config::{Config, Delivery, RetractionForm};
use copydesk::dead_letter::Reason;
use copydesk::knowledge::Knowledge;
use copydesk::metrics::Metrics;
use copydesk::model::ArticleReading;
use copydesk::pipeline::process::Processor;
use copydesk::pipeline::{self, Fate, PipelineError, Service, Settled};
use copydesk::pool::Pool;
use copydesk::stages::{Models, Stages, Tones, entities, quotes, sentiment};
use copydesk::text::Segmented;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio::runtime::Runtime;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::topics::{self, Message};

pub(crate) const RAW: &str = "articles.raw";
pub(crate) const ENRICHED: &str = "articles.enriched";
pub(crate) const DEAD: &str = "articles.dead";
pub(crate) const STATE: &str = "articles.state";

const TIMEOUT: Duration = Duration::from_secs(60);

/// An embedded broker with the topics.
pub(crate) struct Broker {
    pub(crate) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(crate) brokers: String,
}

impl Broker {
    pub(crate) fn start(n_partitions: i32) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for topic in [RAW, ENRICHED, DEAD, STATE] {
            cluster.create_topic(topic, n_partitions, 1).unwrap();
        }
        let brokers = cluster.bootstrap_servers();
        Self { cluster, brokers }
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::default();
        config.kafka.brokers = vec![self.brokers.clone()];
        // The mock broker knows no transactions: see kafka.rs for those.
        config.kafka.delivery = Delivery::AtLeastOnce;
        // Budgets are not what these tests are about, unless they say so.
        config.pipeline.stage_budget = TIMEOUT;
        config
    }

    pub(crate) fn write(&self, messages: &[Message]) {
        topics::write(&self.brokers, RAW, messages);
    }

    pub(crate) fn read(&self, topic: &str) -> Vec<Message> {
        topics::read_all(&self.brokers, topic)
    }

    fn committed(&self) -> Vec<(i32, i64)> {
        topics::committed(&self.brokers, "copydesk", RAW).unwrap()
    }
}

/// The pipeline at work, as `serve` runs it.
pub(crate) struct Desk {
    runtime: Runtime,
    shutdown: CancellationToken,
    settled: broadcast::Receiver<Settled>,
    metrics: Metrics,
    pub(crate) health: Health,
    end: JoinHandle<Result<(), PipelineError>>,
}

impl Desk {
    pub(crate) fn start(config: Config, stages: Stages) -> Self {
        let runtime = Runtime::new().unwrap();
        let pool = Pool::start(config.pipeline.compute_threads).unwrap();
        let processor = Processor::new(&config, Models::embedded(), stages, pool);
        let metrics = Metrics::new(&config);
        let health = Health::new(TIMEOUT);
        health.model_loaded();
        let (observer, settled) = broadcast::channel(4096);
        let service = Service {
            processor,
            metrics: metrics.clone(),
            health: health.clone(),
            observer: Some(observer),
            tracer: None,
        };
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let end = runtime.spawn(async move { pipeline::run(&config, service, token).await });
        Self { runtime, shutdown, settled, metrics, health, end }
    }

    /// Waits until `n` more records are settled.
    pub(crate) fn settle(&mut self, n: usize) -> Vec<Settled> {
        let settled = async {
            let mut all = Vec::new();
            while all.len() < n {
                all.push(self.settled.recv().await.unwrap());
            }
            all
        };
        self.runtime.block_on(async { tokio::time::timeout(TIMEOUT, settled).await.unwrap() })
    }

    /// Asks for a shutdown and waits for its end.
    pub(crate) fn stop(self) {
        self.shutdown.cancel();
        self.end().unwrap();
    }

    fn end(self) -> Result<(), PipelineError> {
        let end = async { tokio::time::timeout(TIMEOUT, self.end).await };
        self.runtime.block_on(end).unwrap().unwrap()
    }

    /// The value of one series, as `/metrics` shows it.
    #[track_caller]
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.metrics.render();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no series {series}")).parse().unwrap()
    }

    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + TIMEOUT;
        while !is_so(self) {
            assert!(Instant::now() < until, "waited in vain until {what}");
            self.sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn sleep(&self, duration: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(duration).await });
    }
}

/// Takes long when the text says so, which makes later records overtake.
fn dawdle(article: &Segmented, _: &ArticleReading) -> Tones {
    if article.article.text.contains("slow") {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Tones::default()
}

#[test]
fn records_of_a_partition_come_out_in_order_whatever_finishes_first() {
    let broker = Broker::start(3);
    let messages: Vec<_> = (0..90)
        .map(|n| {
            let pace = if n % 7 == 0 { "slow" } else { "quick" };
            Message::article(n % 3, &format!("id-{n}"), &format!("A {pace} story, number {n}."))
        })
        .collect();
    broker.write(&messages);
    let mut desk = Desk::start(broker.config(), Stages { sentiment: dawdle, ..Stages::default() });
    let settled = desk.settle(90);
    assert!(settled.iter().all(|settled| settled.fate == Fate::Enriched));
    assert_eq!(desk.metric("copydesk_records_consumed_total{topic=\"articles.raw\"}"), 90.0);
    assert!(desk.health.readiness().is_empty(), "{:?}", desk.health.readiness());
    desk.wait_until("all is committed", |_| broker.committed() == [(0, 30), (1, 30), (2, 30)]);
    desk.stop();

    let published = broker.read(ENRICHED);
    assert_eq!(published.len(), 90);
    let mut offsets: BTreeMap<(i32, i32), Vec<i64>> = BTreeMap::new();
    for message in &published {
        let (partition, offset) = message.source();
        offsets.entry((partition, message.partition)).or_default().push(offset);
    }
    assert!(offsets.values().all(|offsets| offsets.is_sorted()), "{offsets:?}");
}

#[test]
fn keys_headers_and_time_are_kept_and_ours_are_added() {
    let broker = Broker::start(1);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let keyed = Message {
        key: Some(b"\x00\xffkey".to_vec()),
        headers: vec![
            ("desk".into(), Some(b"politics".to_vec())),
            ("traceparent".into(), Some(traceparent.into())),
            ("tracestate".into(), Some(b"desk=1".to_vec())),
            ("empty".into(), Some(Vec::new())),
            ("null".into(), None),
            ("desk".into(), Some(b"world".to_vec())),
        ],
        timestamp_ms: Some(1_700_000_000_123),
        ..Message::article(0, "id-1", "The council met on Monday.")
    };
    let keyless = Message { key: None, ..Message::article(0, "id-2", "The mayor left early.") };
    let hostile = Message {
        headers: vec![
            ("traceparent".into(), Some(vec![0xff; 1000])),
            ("tracestate".into(), None),
            ("traceparent".into(), Some(traceparent.into())),
        ],
        ..Message::article(0, "id-3", "The council met again.")
    };
    broker.write(&[keyed.clone(), keyless, hostile.clone()]);
    let mut desk = Desk::start(broker.config(), Stages::default());
    desk.settle(3);
    desk.stop();

    let published = broker.read(ENRICHED);
    let [first, second, third] = &published[..] else { panic!("{published:?}") };
    assert_eq!(third.headers[..3], hostile.headers);
    assert_eq!(third.headers.len(), 6);
    assert_eq!((&first.key, first.timestamp_ms), (&keyed.key, keyed.timestamp_ms));
    assert_eq!(first.headers[..6], keyed.headers[..]);
    let names: Vec<_> = first.headers[6..].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["copydesk-source", "copydesk-build", "copydesk-processed-at"]);
    assert_eq!(first.header("copydesk-source"), "articles.raw/0/0");
    assert_eq!(second.key.as_deref(), Some(&b"id-2"[..]));
    assert_eq!(second.header("traceparent").len(), traceparent.len());
}

#[test]
fn a_broken_record_goes_to_the_dead_letter_topic_byte_for_byte() {
    let broker = Broker::start(1);
    let poison = Message {
        partition: 0,
        key: Some(b"\xfe".to_vec()),
        value: Some(b"{\"text\": \"cut o\xff".to_vec()),
        headers: vec![("a".into(), Some(b"1".to_vec())), ("a".into(), None)],
        timestamp_ms: None,
    };
    let article = Message::article(0, "id", "The bridge is open again.");
    broker.write(&[poison.clone(), article]);
    let mut desk = Desk::start(broker.config(), Stages::default());
    let settled = desk.settle(2);
    let fates: BTreeSet<_> = settled.iter().map(|s| format!("{:?}", s.fate)).collect();
    assert_eq!(Vec::from_iter(fates), ["DeadLettered(NotUtf8)", "Enriched"]);
    desk.stop();

    let dead = broker.read(DEAD);
    let [letter] = &dead[..] else { panic!("{dead:?}") };
    assert_eq!((&letter.key, &letter.value), (&poison.key, &poison.value));
    assert_eq!(letter.headers[..2], poison.headers[..]);
    assert_eq!(letter.header("copydesk-error-reason"), "not_utf8");
    assert_eq!(letter.header("copydesk-error-source"), "articles.raw/0/0");
    assert_eq!(letter.header("copydesk-error-attempts"), "1");
    assert_eq!(broker.read(ENRICHED).len(), 1);
    assert_eq!(broker.committed(), [(0, 2)]);
}

#[test]
fn a_deleted_article_is_retracted_as_a_record() {
    let retracted = retraction(RetractionForm::Record);
    let body = retracted.json();
    assert_eq!((&body["status"], &body["reason"]), (&"retracted".into(), &"deleted".into()));
}

#[test]
fn a_deleted_article_is_retracted_as_a_tombstone() {
    assert_eq!(retraction(RetractionForm::Tombstone).value, None);
}

/// What is published for a null value.
#[track_caller]
fn retraction(form: RetractionForm) -> Message {
    let broker = Broker::start(1);
    broker.write(&[Message { key: Some(b"urn:x:9".to_vec()), ..Message::default() }]);
    let mut config = broker.config();
    config.output.retraction = form;
    let mut desk = Desk::start(config, Stages::default());
    assert_eq!(desk.settle(1)[0].fate, Fate::Retracted(RetractionReason::Deleted));
    desk.stop();
    let mut published = broker.read(ENRICHED);
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].key.as_deref(), Some(&b"urn:x:9"[..]));
    published.remove(0)
}

#[test]
fn a_stage_that_panics_or_takes_too_long_costs_its_own_part() {
    fn panic(_: &Segmented, _: &Knowledge, _: &ArticleReading) -> Vec<entities::Entity> {
        panic!("on purpose")
    }
    fn sleep(article: &Segmented, reading: &ArticleReading) -> Vec<quotes::Quote> {
        std::thread::park_timeout(Duration::from_secs(2));
        quotes::find(article, reading)
    }
    let broker = Broker::start(1);
    broker.write(&[Message::article(0, "id", "A wonderful, excellent and happy day.")]);
    let mut config = broker.config();
    config.pipeline.stage_budget = Duration::from_millis(500);
    let stages = Stages { entities: panic, quotes: sleep, sentiment: sentiment::score };
    let mut desk = Desk::start(config, stages);
    assert_eq!(desk.settle(1)[0].fate, Fate::Enriched);
    let outcome = "copydesk_stage_outcomes_total{outcome=\"failed\",stage=\"entities\"}";
    assert_eq!(desk.metric(outcome), 1.0);
    desk.stop();

    let body = broker.read(ENRICHED)[0].json();
    assert_eq!(body["stages"]["entities"]["outcome"], "failed");
    assert_eq!(body["stages"]["quotes"]["outcome"], "budget_exceeded");
    assert_eq!(body["stages"]["sentiment"]["outcome"], "ok");
    assert_eq!(body["text"], "A wonderful, excellent and happy day.");
}

#[test]
fn a_record_that_is_too_large_to_publish_becomes_a_dead_letter() {
    let broker = Broker::start(1);
    let long = "A sentence that says the same again. ".repeat(122);
    let large = Message::article(0, "large", &long);
    broker.write(&[large.clone(), Message::article(0, "small", "A short one.")]);
    let mut config = broker.config();
    // Room for the input with a dead letter's headers, not for what is made of it, whatever is left out.
    config.kafka.properties =
        [("message.max.bytes".to_owned(), "5000".to_owned())].into_iter().collect();
    let mut desk = Desk::start(config, Stages::default());
    let fates: Vec<_> = desk.settle(2).iter().map(|settled| settled.fate).collect();
    assert!(fates.contains(&Fate::DeadLettered(Reason::OutputTooLarge)), "{fates:?}");
    assert!(fates.contains(&Fate::Enriched), "{fates:?}");
    desk.stop();
    let dead = broker.read(DEAD);
    assert_eq!((&dead[0].key, &dead[0].value), (&large.key, &large.value));
    assert_eq!(dead[0].header("copydesk-error-reason"), "output_too_large");
    assert_eq!(broker.committed(), [(0, 2)]);
}

#[test]
fn a_dead_letter_that_cannot_be_delivered_stops_the_service_before_it_is_lost() {
    let broker = Broker::start(1);
    let garbage = Message { value: Some(vec![b'x'; 6000]), ..Message::default() };
    broker.write(&[Message::article(0, "id", "A short one."), garbage]);
    let mut config = broker.config();
    config.kafka.properties =
        [("message.max.bytes".to_owned(), "5000".to_owned())].into_iter().collect();
    let error = Desk::start(config, Stages::default()).end().unwrap_err();
    assert!(matches!(error, PipelineError::DeadLetterRefused { .. }), "{error}");
    assert!(error.to_string().starts_with("the dead letter of articles.raw/0/1 cannot"), "{error}");
    // The record before it is settled, the record itself is not.
    assert!(broker.committed().iter().all(|&(_, offset)| offset <= 1), "{:?}", broker.committed());
}

#[test]
fn transient_broker_errors_neither_lose_nor_repeat_nor_reorder() {
    use RDKafkaRespErr::{
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    };
    let broker = Broker::start(1);
    let errors = [
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    ];
    let messages: Vec<_> =
        (0..40).map(|n| Message::article(0, &format!("id-{n}"), "It rained.")).collect();
    broker.write(&messages);
    broker.cluster.request_errors(RDKafkaApiKey::Produce, &errors);
    let mut desk = Desk::start(broker.config(), Stages::default());
    desk.settle(40);
    desk.stop();
    let offsets: Vec<_> = broker.read(ENRICHED).iter().map(|m| m.source().1).collect();
    assert_eq!(offsets, Vec::from_iter(0..40));
}

/// Holds every record back until it is opened.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    const fn new() -> Self {
        Self { is_open: Mutex::new(false), opened: Condvar::new() }
    }

    fn pass(&self) {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

#[test]
fn no_more_is_read_than_there_is_room_for() {
    static GATE: Gate = Gate::new();
    fn wait(_: &Segmented, _: &ArticleReading) -> Tones {
        GATE.pass();
        Tones::default()
    }
    let broker = Broker::start(2);
    let messages: Vec<_> =
        (0..30).map(|n| Message::article(n % 2, &format!("id-{n}"), "The gate is shut.")).collect();
    broker.write(&messages);
    let mut config = broker.config();
    config.pipeline.inflight_records_max = 4;
    let mut desk = Desk::start(config, Stages { sentiment: wait, ..Stages::default() });
    check_full(&desk, 4);
    GATE.open();
    desk.settle(30);
    desk.stop();
    assert_eq!(broker.read(ENRICHED).len(), 30);
}

#[test]
fn a_partition_that_stands_still_beside_others_is_told() {
    static GATE: Gate = Gate::new();
    fn hold(article: &Segmented, _: &ArticleReading) -> Tones {
        if article.article.text.contains("held") {
            GATE.pass();
        }
        Tones::default()
    }
    let broker = Broker::start(2);
    let mut config = broker.config();
    config.admin.stall_timeout = Duration::from_secs(1);
    let mut desk = Desk::start(config, Stages { sentiment: hold, ..Stages::default() });
    broker.write(&[Message::article(0, "a", "It is held."), Message::article(1, "b", "It goes.")]);
    desk.settle(1);
    desk.wait_until("the stall is told", |desk| !desk.health.liveness().is_empty());
    assert_eq!(desk.health.liveness(), ["no progress on partition 0 for 60 s"]);
    assert_eq!(desk.metric("copydesk_partitions_stalled"), 1.0);
    assert_eq!(desk.metric("copydesk_kafka_faults_total{fault=\"partition_stalled\"}"), 1.0);
    GATE.open();
    desk.settle(1);
    desk.wait_until("it is over", |desk| desk.health.liveness().is_empty());
    assert_eq!(desk.metric("copydesk_partitions_stalled"), 0.0);
    desk.stop();
}

#[test]
fn an_outage_longer_than_a_delivery_may_take_ends_the_service() {
    static GATE: Gate = Gate::new();
    fn wait(_: &Segmented, _: &ArticleReading) -> Tones {
        GATE.pass();
        Tones::default()
    }
    let broker = Broker::start(1);
    broker.write(&[Message::article(0, "id", "The lights went out.")]);
    let mut config = broker.config();
    config.kafka.session_timeout = Duration::from_secs(6);
    config.kafka.properties =
        [("message.timeout.ms".to_owned(), "1000".to_owned())].into_iter().collect();
    let desk = Desk::start(config, Stages { sentiment: wait, ..Stages::default() });
    desk.wait_until("the record is at work", |desk| desk.metric("copydesk_inflight_records") > 0.0);
    broker.cluster.broker_down(1).unwrap();
    GATE.open();
    let error = desk.end().unwrap_err();
    assert!(matches!(error, PipelineError::Sink(_)), "{error}");
    broker.cluster.broker_up(1).unwrap();
    assert_eq!(broker.committed(), []);
}

#[test]
fn a_record_larger_than_all_room_passes_alone() {
    static GATE: Gate = Gate::new();
    fn wait(_: &Segmented, _: &ArticleReading) -> Tones {
        GATE.pass();
        Tones::default()
    }
    let broker = Broker::start(1);
    let large = "A long story. ".repeat(400);
    let texts = ["A short one.", "Another one.", &large, "The last one."];
    let messages: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| Message::article(0, &format!("id-{n}"), text))
        .collect();
    broker.write(&messages);
    let mut config = broker.config();
    config.pipeline.inflight_bytes_max = 1000;
    let mut desk = Desk::start(config, Stages { sentiment: wait, ..Stages::default() });
    check_full(&desk, 2);
    GATE.open();
    let settled = desk.settle(4);
    let offsets: Vec<_> = settled.iter().map(|settled| settled.position.offset).collect();
    assert_eq!(offsets, [0, 1, 2, 3]);
    desk.stop();
}

/// Reading has stopped at `n` records, and stays stopped.
#[track_caller]
fn check_full(desk: &Desk, n: u32) {
    let inflight = |desk: &Desk| desk.metric("copydesk_inflight_records");
    desk.wait_until("the room is full", |desk| inflight(desk) >= f64::from(n));
    desk.sleep(Duration::from_millis(300));
    assert_eq!(inflight(desk), f64::from(n));
    assert_eq!(
        desk.metric("copydesk_records_consumed_total{topic=\"articles.raw\"}"),
        f64::from(n)
    );
}

#[test]
fn a_shutdown_drains_what_is_in_flight_and_the_next_run_goes_on_from_there() {
    let broker = Broker::start(1);
    let messages: Vec<_> =
        (0..120).map(|n| Message::article(0, &format!("id-{n}"), "A slow day.")).collect();
    broker.write(&messages);
    let mut config = broker.config();
    config.pipeline.inflight_records_max = 16;
    let stages = Stages { sentiment: dawdle, ..Stages::default() };
    let mut desk = Desk::start(config.clone(), stages);
    desk.settle(3);
    desk.stop();
    let n_first = broker.read(ENRICHED).len();
    assert!((3..=119).contains(&n_first), "{n_first} were published before the shutdown");
    assert_eq!(broker.committed(), [(0, i64::try_from(n_first).unwrap())]);

    let mut desk = Desk::start(config, stages);
    desk.settle(120 - n_first);
    desk.stop();
    let offsets: Vec<_> = broker.read(ENRICHED).iter().map(|m| m.source().1).collect();
    assert_eq!(offsets, Vec::from_iter(0..120));
}

#[test]
fn the_service_waits_for_missing_topics_and_says_so() {
    let cluster = MockCluster::new(1).unwrap();
    let broker = Broker { brokers: cluster.bootstrap_servers(), cluster };
    broker.cluster.create_topic(RAW, 1, 1).unwrap();
    broker.write(&[Message::article(0, "id", "The first story.")]);
    let mut desk = Desk::start(broker.config(), Stages::default());
    desk.sleep(Duration::from_millis(300));
    assert!(!desk.health.readiness().is_empty());
    assert!(desk.health.liveness().is_empty());
    for topic in [ENRICHED, DEAD, STATE] {
        broker.cluster.create_topic(topic, 1, 1).unwrap();
    }
    desk.settle(1);
    desk.stop();
}

#[test]
fn a_shutdown_does_not_wait_for_a_broker_that_never_came() {
    let mut config = Config::default();
    // The discard port: nothing listens there.
    config.kafka.brokers = vec!["127.0.0.1:9".to_owned()];
    let desk = Desk::start(config, Stages::default());
    desk.sleep(Duration::from_millis(200));
    desk.stop();
}
