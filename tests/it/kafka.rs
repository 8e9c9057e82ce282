//! The service as a process on a real Apache Kafka from Maven Central, started and stopped by the test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::support::collector::Collector;
use crate::support::kafka_server::{KafkaServer, PLAIN_SECRET, SECRET};
use crate::support::service::{Service, TIMEOUT, pause};
use crate::support::take_turn;
use crate::support::topics::{self, Message};

/// One broker serves all scenarios, each with its own topics and group: starting it takes longer than most of them.
#[test]
fn the_service_on_a_real_broker() {
    let _turn = take_turn();
    let Some(mut server) = KafkaServer::start() else { return };
    all_kinds_of_records_pass(&server);
    a_killed_service_loses_nothing(&server, "killed", "at_least_once");
    a_killed_service_loses_nothing(&server, "exactly", "exactly_once");
    a_zombie_is_fenced(&server);
    transactions_are_bounded(&server);
    an_older_version_never_overwrites_a_newer_one(&server);
    a_standby_is_ready_and_takes_over(&server);
    dead_letters_are_listed_and_redriven(&server);
    a_secured_cluster_lets_in_whom_it_should(&server);
    a_plain_password_lets_in_and_is_never_shown(&server);
    records_that_are_sent_again_keep_their_trace(&server);
    instances_share_the_work_and_hand_it_over(&server);
    an_output_that_the_topic_refuses_becomes_a_dead_letter(&server);
    an_output_is_made_smaller_until_the_topic_takes_it(&server);
    a_named_instance_comes_back_to_its_partitions(&server);
    a_hand_over_that_was_cut_off_is_made_good(&server);
    a_second_signal_ends_at_once(&server);
    an_unknown_topic_is_waited_for(&server);
    a_broker_that_restarts_is_waited_for(&mut server);
}

/// How long it takes until what is known of many articles is back. Runs when it is asked for, by `COPYDESK_RESTORE`, the
/// number of articles.
#[test]
fn what_is_known_of_many_articles_comes_back() {
    let Some(n) = std::env::var_os("COPYDESK_RESTORE") else {
        eprintln!("skipped: COPYDESK_RESTORE is not set, and writing many states takes a while");
        return;
    };
    let n: usize = n.to_str().unwrap().parse().unwrap();
    let _turn = take_turn();
    let Some(server) = KafkaServer::start() else { return };
    let desk = Desk::new(&server, "restore", 1);
    // As large as that of an article of medium length: five quotes, twenty entities.
    let people = ["Ann Lee", "Bob Ray", "Cleo Marsh", "Dan Ford", "Eva Stone"];
    let places = ["Dover", "Calais", "Oslo", "Bergen", "Malmo", "Turku", "Riga", "Vilnius"];
    let text: Vec<_> = people
        .iter()
        .zip(places)
        .map(|(who, place)| {
            format!("“The council of {place} will build a tunnel, and not before May of next year,” said {who}, who leads the port authority of {place}.")
        })
        .collect();
    let settings = ["state.bytes_max=1073741824"];
    desk.write(&[Message::article(0, "first", &text.join(" "))]);
    let service = desk.serve(&settings);
    desk.wait_for("enriched", 1);
    assert!(service.stop().success());
    let state = desk.read("state").remove(0);
    let state_bytes = state.value.as_ref().unwrap().len();
    let states: Vec<_> = (0..n)
        .map(|n| Message { key: Some(format!("urn:newsml:desk:{n:08}").into()), ..state.clone() })
        .collect();
    topics::write(&server.brokers, &desk.topic("state"), &states);
    let service = desk.serve(&settings);
    let line = service.wait_for_log("state restored");
    let memory = service.memory_mib();
    assert_eq!(line["n_articles"], n + 1);
    let elapsed_ms = line["elapsed_ms"].as_u64().unwrap();
    eprintln!(
        "{n} articles of {state_bytes} bytes restored in {elapsed_ms} ms, {memory:.0} MiB: {line}"
    );
    assert!(service.stop().success());
}

/// Runs when it is asked for, by `COPYDESK_SOAK`: 200,000 articles.
#[test]
fn memory_does_not_grow_with_uptime() {
    const N_EARLY: i64 = 20_000;
    const N_LATE: i64 = 200_000;
    const N_AT_ONCE: i32 = 2_000;
    /// Without any progress: on a busy machine a broker may not answer for a minute.
    const PATIENCE: Duration = Duration::from_secs(600);
    if std::env::var_os("COPYDESK_SOAK").is_none() {
        eprintln!("skipped: COPYDESK_SOAK is not set, and 200,000 articles take minutes");
        return;
    }
    let _turn = take_turn();
    let Some(server) = KafkaServer::start() else { return };
    let desk = Desk::new(&server, "soak", 4);
    let mut service = desk.serve(&[]);
    let writer = topics::Writer::start(&server.brokers, &desk.topic("raw"));
    let begun = Instant::now();
    let (mut n_written, mut n_out) = (0, 0);
    let mut wait_for = |n: i64| {
        while n_written < n {
            for message in articles(N_AT_ONCE, 4) {
                writer.send(&message);
                writer.poll();
            }
            writer.flush_within(PATIENCE);
            n_written += i64::from(N_AT_ONCE);
            let mut progressed = Instant::now();
            while n_out < n_written {
                std::thread::park_timeout(Duration::from_millis(500));
                assert!(service.is_running(), "the service has ended");
                // No answer is no progress, and nothing worse.
                let found = committed(&server.brokers, "soak").unwrap_or_default();
                let found = found.iter().map(|(_, offset)| offset).sum();
                if found > n_out {
                    (n_out, progressed) = (found, Instant::now());
                }
                assert!(progressed.elapsed() < PATIENCE, "{n_out} of {n_written} are out");
            }
            if n_out % N_EARLY == 0 {
                let (memory, seconds) = (service.memory_mib(), begun.elapsed().as_secs());
                eprintln!("{n_out} of {N_LATE} articles after {seconds} s, {memory:.1} MiB");
            }
        }
        service.memory_mib()
    };
    let (early, late) = (wait_for(N_EARLY), wait_for(N_LATE));
    eprintln!("{early:.1} MiB after {N_EARLY} articles, {late:.1} MiB after {N_LATE}");
    assert!(late < early * 1.1);
    assert!(service.stop().success());
}

/// The topics and the group of one scenario.
struct Desk<'a> {
    server: &'a KafkaServer,
    name: &'static str,
}

impl<'a> Desk<'a> {
    fn new(server: &'a KafkaServer, name: &'static str, n_partitions: i32) -> Self {
        let desk = Self { server, name };
        for topic in ["raw", "enriched", "dead"] {
            server.create_topic(&desk.topic(topic), n_partitions, &[]);
        }
        desk.create_state_topic(n_partitions);
        desk
    }

    fn create_state_topic(&self, n_partitions: i32) {
        let compacted = [("cleanup.policy", "compact")];
        self.server.create_topic(&self.topic("state"), n_partitions, &compacted);
    }

    fn topic(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }

    fn serve(&self, more: &[&str]) -> Service {
        Service::start(&self.settings(more))
    }

    fn settings(&self, more: &[&str]) -> Vec<String> {
        settings(&self.server.brokers, self.name, more)
    }

    fn write(&self, messages: &[Message]) {
        topics::write(&self.server.brokers, &self.topic("raw"), messages);
    }

    fn read(&self, kind: &str) -> Vec<Message> {
        topics::read_all(&self.server.brokers, &self.topic(kind))
    }

    fn wait_for(&self, kind: &str, n: usize) {
        wait_for(&self.server.brokers, &self.topic(kind), n);
    }

    fn committed(&self) -> Vec<(i32, i64)> {
        committed(&self.server.brokers, self.name).unwrap()
    }
}

fn settings(brokers: &str, name: &str, more: &[&str]) -> Vec<String> {
    let mut settings = vec![
        format!("kafka.brokers={brokers}"),
        format!("kafka.group={name}"),
        format!("input.topic={name}.raw"),
        format!("output.topic={name}.enriched"),
        format!("output.dead_letter_topic={name}.dead"),
        format!("state.topic={name}.state"),
    ];
    settings.extend(more.iter().map(ToString::to_string));
    settings
}

fn wait_for(brokers: &str, topic: &str, n: usize) {
    let until = Instant::now() + TIMEOUT;
    let mut reader = topics::Reader::start(brokers, topic);
    let mut found = 0;
    while found < n {
        assert!(Instant::now() < until, "{topic} has {found} of {n} messages");
        found += usize::from(reader.poll(Duration::from_millis(100)).is_some());
    }
}

fn committed(brokers: &str, name: &str) -> Option<Vec<(i32, i64)>> {
    topics::committed(brokers, name, &format!("{name}.raw"))
}

fn wait_until_committed(brokers: &str, name: &str, offsets: &[(i32, i64)]) {
    wait_until(|| committed(brokers, name), offsets);
}

fn wait_until(committed: impl Fn() -> Option<Vec<(i32, i64)>>, offsets: &[(i32, i64)]) {
    let until = Instant::now() + TIMEOUT;
    loop {
        let found = committed();
        if found.as_deref() == Some(offsets) {
            return;
        }
        assert!(Instant::now() < until, "committed is {found:?}");
        pause();
    }
}

fn articles(n: i32, n_partitions: i32) -> Vec<Message> {
    let text = "The council approved the plan. “It took years,” said the mayor, Ann Lee of Dover.";
    (0..n)
        .map(|n| {
            Message::article(n % n_partitions, &format!("id-{n}"), &text.repeat(1 + n as usize % 9))
        })
        .collect()
}

/// Every input record came out once at least, and where it came out first is in input order; returns how many came
/// out more than once.
#[track_caller]
fn check_complete(published: &[Message], n: usize) -> usize {
    let mut seen = BTreeSet::new();
    let mut firsts: BTreeMap<(i32, i32), Vec<i64>> = BTreeMap::new();
    for message in published {
        let (partition, offset) = message.source();
        if seen.insert((partition, offset)) {
            firsts.entry((partition, message.partition)).or_default().push(offset);
        }
    }
    assert_eq!(seen.len(), n, "records are missing");
    assert!(firsts.values().all(|offsets| offsets.is_sorted()), "out of order: {firsts:?}");
    published.len() - n
}

fn all_kinds_of_records_pass(server: &KafkaServer) {
    let desk = Desk::new(server, "kinds", 3);
    let poison = Message {
        partition: 1,
        key: Some(b"\x00\xff".to_vec()),
        value: Some(b"{\"text\": \"cut o\xff".to_vec()),
        headers: vec![
            ("a".into(), Some(b"1".to_vec())),
            ("b".into(), None),
            ("a".into(), Some(vec![])),
        ],
        timestamp_ms: None,
    };
    let keyless = Message { key: None, ..Message::article(2, "no-key", "Snow fell on the hills.") };
    desk.write(&articles(60, 3));
    desk.write(&[poison.clone(), keyless]);
    let service = desk.serve(&[]);
    desk.wait_for("enriched", 61);
    desk.wait_for("dead", 1);
    assert_eq!(service.get("/readyz").0, 200);
    let (_, metrics) = service.get("/metrics");
    assert!(metrics.contains("copydesk_records_dead_lettered_total{reason=\"not_utf8\"} 1\n"));
    assert!(service.stop().success());

    let published = desk.read("enriched");
    assert_eq!(check_complete(&published, 61), 0);
    let keyless = published.iter().find(|message| message.json()["id"] == "no-key").unwrap();
    assert_eq!(keyless.key.as_deref(), Some(&b"no-key"[..]));
    let dead = desk.read("dead");
    assert_eq!((&dead[0].key, &dead[0].value), (&poison.key, &poison.value));
    assert_eq!(dead[0].headers[..3], poison.headers[..]);
    assert_eq!(dead[0].header("copydesk-error-source"), "kinds.raw/1/20");
    assert_eq!(desk.committed(), [(0, 20), (1, 21), (2, 21)]);
}

fn a_killed_service_loses_nothing(server: &KafkaServer, name: &'static str, delivery: &str) {
    let desk = Desk::new(server, name, 2);
    desk.write(&articles(600, 2));
    // Rare commits leave much to be done again.
    let settings = [
        "kafka.session_timeout_ms=6000",
        "kafka.instance=copydesk-0",
        "pipeline.commit_interval_ms=300",
        &format!("kafka.delivery={delivery}"),
    ];
    for n_published in [50, 250] {
        let service = desk.serve(&settings);
        desk.wait_for("enriched", n_published);
        service.kill();
    }
    let service = desk.serve(&settings);
    wait_until_committed(&server.brokers, name, &[(0, 300), (1, 300)]);
    assert!(service.stop().success());
    let n_repeated = check_complete(&desk.read("enriched"), 600);
    if delivery == "exactly_once" {
        assert_eq!(n_repeated, 0);
    } else {
        assert!(n_repeated < 600, "{n_repeated} repeated: nothing was committed before the kills");
    }
}

fn transactions_are_bounded(server: &KafkaServer) {
    let desk = Desk::new(server, "bounded", 1);
    for (round, bound, n_expected) in
        [(1, "transaction_records_max=7", 100 / 7), (2, "transaction_bytes_max=1024", 50)]
    {
        desk.write(&articles(100, 1));
        let pipeline = [
            format!("pipeline.{bound}"),
            // Long, so that hardly any begins before it is full.
            "pipeline.commit_interval_ms=10000".to_owned(),
        ];
        let settings: Vec<_> = pipeline.iter().map(String::as_str).collect();
        let service = desk.serve(&settings);
        wait_until_committed(&server.brokers, "bounded", &[(0, 100 * round)]);
        let (_, metrics) = service.get("/metrics");
        let name = "copydesk_transactions_total{outcome=\"committed\"} ";
        let n = metrics.lines().find_map(|line| line.strip_prefix(name)?.parse::<i32>().ok());
        assert!(n.unwrap() >= n_expected, "{n:?} transactions with {bound}");
        assert!(service.stop().success());
    }
    assert_eq!(check_complete(&desk.read("enriched"), 200), 0);
}

fn an_older_version_never_overwrites_a_newer_one(server: &KafkaServer) {
    let desk = Desk::new(server, "versions", 2);
    let text = "“We will build the tunnel,” said Ann Lee, the mayor of Dover.";
    let record = |id: &str, value: &serde_json::Value| Message {
        key: Some(id.into()),
        value: Some(value.to_string().into_bytes()),
        ..Message::default()
    };
    let article = |id: &str, version: u32, text: &str| {
        record(
            id,
            &serde_json::json!({"id": id, "version": version, "headline": "Dover gets its tunnel", "text": text}),
        )
    };
    let settings = ["kafka.instance=copydesk-0", "kafka.session_timeout_ms=6000"];
    desk.write(&[article("urn:x:1", 2, text), article("urn:x:1", 1, text)]);
    let service = desk.serve(&settings);
    wait_until_committed_in_sum(&desk, 2);
    service.kill();
    desk.write(&[
        article("urn:x:1", 1, text),
        article("urn:x:1", 3, &text.replace("tunnel", "bridge")),
        record("n", &serde_json::json!({"id": "n", "text": "EDITORS: KILL the story “Dover gets its tunnel”."})),
        article("urn:x:1", 3, text),
        record("urn:x:2", &serde_json::json!({"id": "urn:x:2", "version": 4, "status": "killed", "text": "No."})),
        article("urn:x:2", 4, text),
        article("urn:x:2", 5, text),
    ]);
    let service = desk.serve(&settings);
    let restored = service.wait_for_log("state restored");
    assert!(restored["elapsed_ms"].is_u64(), "{restored}");
    wait_until_committed_in_sum(&desk, 9);
    let (_, metrics) = service.get("/metrics");
    // The first run has skipped one more.
    assert!(
        metrics.contains("copydesk_records_skipped_total{reason=\"older_version\"} 3\n"),
        "{metrics}"
    );
    assert!(service.stop().success());
    let shown: Vec<_> = desk
        .read("enriched")
        .iter()
        .map(|message| {
            let record = message.json();
            let quote = &record["changes"]["quotes"][0]["change"];
            let of = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {}",
                of("id"),
                of("version"),
                of("status"),
                quote.as_str().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "urn:x:1 2 enriched -",
            "urn:x:1 3 enriched altered",
            "urn:x:1 3 retracted -",
            "urn:x:2 4 retracted -",
            "urn:x:2 5 enriched -",
        ]
    );
}

/// An instance that was stopped for longer than its session, and wakes up in the middle of what it did.
fn a_zombie_is_fenced(server: &KafkaServer) {
    let desk = Desk::new(server, "zombie", 2);
    desk.write(&articles(600, 2));
    let settings = ["kafka.session_timeout_ms=6000", "kafka.group_protocol=consumer"];
    let zombie = desk.serve(&settings);
    desk.wait_for("enriched", 50);
    zombie.signal("STOP");
    let second = desk.serve(&settings);
    // The broker's session of the consumer protocol, or a transaction that the first one has left open, has to end.
    desk.wait_for("enriched", 600);
    desk.write(&articles(200, 2));
    zombie.signal("CONT");
    desk.wait_for("enriched", 800);
    wait_until_committed_in_sum(&desk, 800);
    drop(zombie);
    assert!(second.stop().success());
    assert_eq!(check_complete(&desk.read("enriched"), 800), 0);
}

/// Transactions leave marks in no input topic, so the offsets of all partitions sum up to its records.
fn wait_until_committed_in_sum(desk: &Desk<'_>, n: i64) {
    let until = Instant::now() + TIMEOUT;
    let sum = || desk.committed().iter().map(|(_, offset)| offset).sum::<i64>();
    while sum() != n {
        assert!(Instant::now() < until, "committed is {:?}", desk.committed());
        pause();
    }
}

fn dead_letters_are_listed_and_redriven(server: &KafkaServer) {
    let desk = Desk::new(server, "redrive", 2);
    let poison = Message {
        partition: 1,
        key: Some(b"\x00\xff".to_vec()),
        value: Some(b"{\"text\": \"cut o\xff".to_vec()),
        headers: vec![("a".into(), Some(b"1".to_vec())), ("a".into(), None)],
        timestamp_ms: None,
    };
    let broken = Message { value: Some(b"[]".to_vec()), ..Message::article(0, "list", "") };
    desk.write(&[poison.clone(), broken]);
    let service = desk.serve(&[]);
    desk.wait_for("dead", 2);
    let dead = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_copydesk"))
            .arg("dead")
            .args(arguments)
            .args(["--set", &format!("kafka.brokers={}", server.brokers)])
            .args(["--set", "output.dead_letter_topic=redrive.dead"])
            .current_dir(std::env::temp_dir())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        (output.stdout, String::from_utf8(output.stderr).unwrap())
    };
    let lines = String::from_utf8(dead(&["list", "--json"]).0).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().any(|line| line["source"] == "redrive.raw/1/0"), "{lines:?}");
    assert_eq!(dead(&["show", "--value", "--reason", "not_utf8"]).0, poison.value.clone().unwrap());
    let tried = dead(&["redrive", "--reason", "not_utf8", "--dry-run"]);
    assert!(tried.1.starts_with("1 would be redriven"), "{}", tried.1);
    for round in 1..=3 {
        // Two rounds more are let through, then it has had its three attempts.
        let (_, said) = dead(&["redrive", "--reason", "not_utf8", "--since", "1h", "--limit", "1"]);
        assert!(said.starts_with("1 redriven"), "round {round}: {said}");
        desk.wait_for("dead", 2 + round);
    }
    assert!(service.stop().success());
    let raw: Vec<_> =
        desk.read("raw").into_iter().filter(|message| message.value == poison.value).collect();
    assert_eq!(raw.len(), 4);
    for again in &raw[1..] {
        assert_eq!((again.partition, &again.key), (1, &poison.key));
        assert_eq!(again.headers[..2], poison.headers);
        assert_eq!(again.headers[2], ("copydesk-error-attempts".into(), Some(b"1".to_vec())));
        assert_eq!(again.headers.len(), 3);
    }
    let dead_letters = desk.read("dead");
    let last = dead_letters.iter().rfind(|message| message.value == poison.value).unwrap();
    assert_eq!(last.header("copydesk-error-attempts"), "2");
    let (_, said) = dead(&["redrive", "--all", "--attempts-max", "1"]);
    assert!(said.starts_with("0 redriven; left out: 5 with 1 attempts"), "{said}");
}

fn a_secured_cluster_lets_in_whom_it_should(server: &KafkaServer) {
    let desk = Desk::new(server, "secured", 1);
    desk.write(&articles(20, 1));
    let (address, certificate) = server.secured();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{SECRET}\n")).unwrap();
    let wrong = folder.path().join("wrong");
    std::fs::write(&wrong, "guess").unwrap();
    let serve = |user: &str, password: &Path| {
        let settings = [
            "security.protocol=SASL_SSL".to_owned(),
            "sasl.mechanisms=SCRAM-SHA-512".to_owned(),
            format!("sasl.username={user}"),
            format!("ssl.ca.location={}", certificate.display()),
        ];
        let mut settings = settings.map(|setting| format!("kafka.properties.{setting}")).to_vec();
        settings.push(format!("kafka.property_files.sasl.password={}", password.display()));
        settings.push(format!("kafka.brokers={address}"));
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        desk.serve(&settings)
    };
    let guest = serve("guest", &password);
    let line = guest.wait_for_log("topic is not usable");
    assert!(line["error"].as_str().unwrap().starts_with("access is refused"), "{line}");
    assert_eq!((guest.get("/readyz").0, guest.get("/livez").0), (503, 200));
    let refused = "copydesk_kafka_faults_total{fault=\"access_refused\"} 0\n";
    assert!(!guest.get("/metrics").1.contains(refused));
    assert!(guest.stop().success());
    let stranger = serve("desk", &wrong);
    stranger.wait_for_log("no broker answers");
    assert!(stranger.log().contains("SASL authentication error"), "{}", stranger.log());
    assert!(stranger.stop().success());
    let service = serve("desk", &password);
    desk.wait_for("enriched", 20);
    assert!(!service.log().contains(SECRET) && !service.get("/metrics").1.contains(SECRET));
    assert!(service.stop().success());
}

/// SASL PLAIN without TLS.
fn a_plain_password_lets_in_and_is_never_shown(server: &KafkaServer) {
    const GUESS: &str = "guess-guess";
    const VARIABLE: &str = "COPYDESK_KAFKA__PROPERTIES__SASL_PASSWORD";
    let desk = Desk::new(server, "plain", 1);
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{PLAIN_SECRET}\n")).unwrap();
    let from_file = format!("kafka.property_files.sasl.password={}", password.display());
    let settings = |more: &[&str]| {
        let address = format!("kafka.brokers={}", server.plain());
        let ours = [
            "kafka.properties.security.protocol=SASL_PLAINTEXT",
            "kafka.properties.sasl.mechanisms=PLAIN",
            "kafka.properties.sasl.username=desk",
            &address,
        ];
        desk.settings(&[&ours, more].concat())
    };
    let shows = |service: &Service, secret: &str| {
        service.log().contains(secret) || service.get("/metrics").1.contains(secret)
    };

    let stranger = Service::start_with(&settings(&[]), &[(VARIABLE, GUESS)]);
    stranger.wait_for_log("no broker answers");
    assert!(stranger.log().contains("SASL authentication error"), "{}", stranger.log());
    assert_eq!(stranger.get("/readyz").0, 503);
    assert!(!shows(&stranger, GUESS));
    assert!(stranger.stop().success());

    type Environment<'a> = &'a [(&'a str, &'a str)];
    let ways: [(&[&str], Environment<'_>); 2] =
        [(&[&from_file], &[]), (&[], &[(VARIABLE, PLAIN_SECRET)])];
    for ((more, environment), round) in ways.into_iter().zip(1..) {
        desk.write(&articles(20, 1));
        let service = Service::start_with(&settings(more), environment);
        desk.wait_for("enriched", 20 * round);
        assert!(!shows(&service, PLAIN_SECRET));
        assert!(service.stop().success());
    }
    for (more, environment, code) in [
        (&[][..], &[(VARIABLE, PLAIN_SECRET)][..], 0),
        (&[&*from_file], &[], 0),
        (&[], &[(VARIABLE, GUESS)], 1),
    ] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_copydesk"));
        check.arg("check").current_dir(folder.path()).envs(environment.iter().copied());
        for setting in settings(more) {
            check.args(["--set", &setting]);
        }
        let output = check.output().unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        assert_eq!(output.status.code(), Some(code), "{said:?}");
        assert!(!said.iter().any(|said| said.contains(PLAIN_SECRET) || said.contains(GUESS)));
        assert!(said[1].contains("sends it unencrypted"), "{}", said[1]);
    }
}

/// A record that the topic does not take aborts the transaction that it is part of: all of it is sent again.
fn records_that_are_sent_again_keep_their_trace(server: &KafkaServer) {
    let desk = Desk { server, name: "traced" };
    desk.server.create_topic(&desk.topic("raw"), 1, &[]);
    desk.server.create_topic(&desk.topic("enriched"), 1, &[("max.message.bytes", "9000")]);
    desk.server.create_topic(&desk.topic("dead"), 1, &[]);
    desk.create_state_topic(1);
    let mut messages = articles(20, 1);
    messages.insert(10, Message::article(0, "long", &"It rained. ".repeat(3000)));
    desk.write(&messages);
    let collector = Collector::start(0);
    let service = desk.serve(&[
        "kafka.properties.compression.type=none",
        "pipeline.commit_interval_ms=2000",
        &format!("tracing.otlp_endpoint={}", collector.endpoint()),
    ]);
    wait_until_committed(&server.brokers, "traced", &[(0, 21)]);
    assert!(service.stop().success());

    let spans = collector.spans();
    let named = |name: &str| -> Vec<_> { spans.iter().filter(|span| span.name == name).collect() };
    // Each was sent once as far as its trace says, and under the name that its readers know.
    let sent = named("send traced.enriched");
    let n_failed = sent.iter().filter(|span| is_error(span)).count();
    assert_eq!((sent.len(), n_failed), (21, 1));
    let known: BTreeSet<_> = sent
        .iter()
        .map(|span| format!("00-{}-{}-01", hex::encode(&span.trace_id), hex::encode(&span.span_id)))
        .collect();
    let published = desk.read("enriched");
    assert_eq!(published.len(), 20);
    assert!(published.iter().all(|message| known.contains(message.header("traceparent"))));
    assert_eq!(named("send traced.dead").len(), 1);
    let commits = named("commit traced.raw");
    assert!(commits.iter().any(|span| is_error(span)), "no transaction was aborted");
    let n_linked: usize =
        commits.iter().filter(|span| !is_error(span)).map(|span| span.links.len()).sum();
    assert_eq!(n_linked, 21);
}

fn is_error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
}

fn a_standby_is_ready_and_takes_over(server: &KafkaServer) {
    let desk = Desk::new(server, "standby", 1);
    let settings = ["kafka.session_timeout_ms=6000"];
    let services = [desk.serve(&settings), desk.serve(&settings)];
    let until = Instant::now() + TIMEOUT;
    while services.iter().any(|service| service.get("/readyz").0 != 200) {
        assert!(Instant::now() < until, "{:?}", services.each_ref().map(|s| s.get("/readyz")));
        pause();
    }
    let lag = "copydesk_consumer_lag_records{partition=\"0\",topic=\"standby.raw\"}";
    let has_it = |service: &Service| service.get("/metrics").1.contains(lag);
    let [first, second] = services;
    let (active, standby) = if has_it(&first) { (first, second) } else { (second, first) };
    assert!(has_it(&active) && !has_it(&standby));
    desk.write(&articles(20, 1));
    desk.wait_for("enriched", 20);
    assert!(active.stop().success());
    desk.write(&articles(20, 1));
    desk.wait_for("enriched", 40);
    assert!(standby.stop().success());
    assert_eq!(check_complete(&desk.read("enriched"), 40), 0);
}

fn instances_share_the_work_and_hand_it_over(server: &KafkaServer) {
    let desk = Desk::new(server, "shared", 4);
    desk.write(&articles(400, 4));
    let settings = ["kafka.session_timeout_ms=6000"];
    let first = desk.serve(&settings);
    desk.wait_for("enriched", 20);
    let second = desk.serve(&settings);
    second.wait_for_log("partitions assigned");
    desk.write(&articles(400, 4));
    first.wait_for_log("partitions given up");
    assert!(first.stop().success());
    desk.write(&articles(400, 4));
    desk.wait_for("enriched", 1200);
    assert!(second.stop().success());
    // Whoever gives up a partition drains it first.
    assert_eq!(check_complete(&desk.read("enriched"), 1200), 0);
}

fn an_output_that_the_topic_refuses_becomes_a_dead_letter(server: &KafkaServer) {
    let desk = Desk { server, name: "refused" };
    server.create_topic(&desk.topic("raw"), 1, &[]);
    server.create_topic(&desk.topic("enriched"), 1, &[("max.message.bytes", "20000")]);
    server.create_topic(&desk.topic("dead"), 1, &[]);
    desk.create_state_topic(1);
    // Hardly compressible, and so refused by the broker, not by the client.
    let noise: Vec<_> =
        (0..6000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let large = Message::article(0, "large", &format!("{}.", noise.join(" ")));
    let mut messages = articles(60, 1);
    messages.insert(30, large.clone());
    desk.write(&messages);
    let service = desk.serve(&[]);
    desk.wait_for("dead", 1);
    desk.wait_for("enriched", 60);
    assert!(service.stop().success());
    let published = desk.read("enriched");
    assert_eq!(check_complete(&published, 60), 0);
    let dead = desk.read("dead");
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0].key, &dead[0].value), (&large.key, &large.value));
    assert_eq!(dead[0].header("copydesk-error-reason"), "output_too_large");
    assert_eq!(desk.committed(), [(0, 61)]);
}

fn an_output_is_made_smaller_until_the_topic_takes_it(server: &KafkaServer) {
    let desk = Desk { server, name: "smaller" };
    server.create_topic(&desk.topic("raw"), 1, &[]);
    server.create_topic(&desk.topic("enriched"), 1, &[("max.message.bytes", "9000")]);
    server.create_topic(&desk.topic("dead"), 1, &[]);
    desk.create_state_topic(1);
    let sentences: Vec<_> = (1..=150).map(|n| format!("It rained on day {n}.")).collect();
    let mut messages = articles(20, 1);
    messages.insert(10, Message::article(0, "long", &sentences.join(" ")));
    desk.write(&messages);
    for delivery in ["kafka.delivery=exactly_once", "kafka.delivery=at_least_once"] {
        let name = delivery.rsplit('=').next().unwrap();
        let service = desk.serve(&[
            delivery,
            "kafka.properties.compression.type=none",
            &format!("kafka.group={name}"),
        ]);
        wait_until(|| topics::committed(&server.brokers, name, "smaller.raw"), &[(0, 21)]);
        assert!(service.stop().success());
    }
    let published = desk.read("enriched");
    assert_eq!(published.len(), 42);
    for long in published.iter().filter(|message| message.key.as_deref() == Some(b"long")) {
        let record = long.json();
        assert_eq!(record["omitted"], serde_json::json!(["sentiment.sentences"]));
        assert_eq!(record["sentiment"]["sentences"], serde_json::json!([]));
        assert_eq!(record["text"].as_str().unwrap(), sentences.join(" "));
        assert!(record["sentiment"]["document"]["label"].is_string());
    }
}

fn a_named_instance_comes_back_to_its_partitions(server: &KafkaServer) {
    let desk = Desk::new(server, "named", 2);
    let settings = ["kafka.instance=copydesk-0", "kafka.session_timeout_ms=60000"];
    for round in 1..=2 {
        desk.write(&articles(20, 2));
        let service = desk.serve(&settings);
        // A member without a name, or with another one, would wait for the first one's session to end.
        desk.wait_for("enriched", 20 * round);
        assert!(service.stop().success());
    }
    assert_eq!(check_complete(&desk.read("enriched"), 40), 0);
}

/// A named instance is killed after it was told to give up partitions and before it did: brokers would give it its old
/// place back, and what it was to give up to nobody.
fn a_hand_over_that_was_cut_off_is_made_good(server: &KafkaServer) {
    let desk = Desk::new(server, "cut-off", 4);
    let serve = |instance| {
        desk.serve(&[instance, "kafka.session_timeout_ms=6000", "pipeline.compute_threads=1"])
    };
    let first = serve("kafka.instance=first");
    assert_eq!(first.wait_for_log("partitions assigned")["partitions"], "[0, 1, 2, 3]");
    // Seconds of work, which are to be finished before anything is given up.
    let text = "The council approved the plan, said the mayor, Ann Lee of Dover. ".repeat(200);
    let article = |n| Message::article(n % 4, &format!("id-{n}"), &text);
    desk.write(&(0..40).map(article).collect::<Vec<_>>());
    desk.wait_for("enriched", 1);
    let second = serve("kafka.instance=second");
    first.wait_for_log("partitions revoked");
    assert_eq!(second.wait_for_log("partitions assigned")["partitions"], "[]");
    assert!(!first.log().contains("partitions given up"), "the hand-over was not cut off");
    first.kill();

    let first = serve("kafka.instance=first");
    first.wait_for_log(
        "partitions belong to no instance, joining when the group has missed this one",
    );
    desk.wait_for("enriched", 40);
    assert_eq!(check_complete(&desk.read("enriched"), 40), 0);
    assert!(first.stop().success());
    assert!(second.stop().success());
}

fn a_second_signal_ends_at_once(server: &KafkaServer) {
    let desk = Desk::new(server, "twice", 1);
    let service = desk.serve(&[]);
    service.wait_for_log("partitions assigned");
    service.signals(&["TERM", "INT"]);
    assert_eq!(service.end().code(), Some(1));
}

fn an_unknown_topic_is_waited_for(server: &KafkaServer) {
    let desk = Desk { server, name: "late" };
    server.create_topic(&desk.topic("raw"), 1, &[]);
    server.create_topic(&desk.topic("dead"), 1, &[]);
    desk.create_state_topic(1);
    desk.write(&articles(1, 1));
    let service = desk.serve(&[]);
    let line = service.wait_for_log("topic is not usable");
    assert_eq!(line["topic"], "late.enriched");
    assert_eq!((service.get("/readyz").0, service.get("/livez").0), (503, 200));
    server.create_topic(&desk.topic("enriched"), 1, &[]);
    desk.wait_for("enriched", 1);
    assert!(service.stop().success());
}

fn a_broker_that_restarts_is_waited_for(server: &mut KafkaServer) {
    let desk = Desk::new(server, "outage", 2);
    desk.write(&articles(300, 2));
    // An outage that is longer than this in the middle of a transaction ends the service, for its supervisor to restart.
    let open_ms = "kafka.properties.transaction.timeout.ms=120000";
    let service = desk.serve(&["kafka.session_timeout_ms=6000", open_ms]);
    desk.wait_for("enriched", 30);
    let brokers = server.brokers.clone();
    server.kill();
    service.wait_for_log("no broker can be reached");
    server.restart();
    wait_until_committed(&brokers, "outage", &[(0, 150), (1, 150)]);
    assert!(service.stop().success());
    assert_eq!(check_complete(&topics::read_all(&brokers, "outage.enriched"), 300), 0);
}
