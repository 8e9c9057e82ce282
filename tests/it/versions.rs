//! What is known of articles decides about their next records: the pipeline on librdkafka's mock broker.

use copydesk::article::RetractionReason;
use copydesk::enriched::JSON_SCHEMA;
use copydesk::pipeline::Fate;
use copydesk::stages::Stages;
use copydesk::versions::SkipReason;
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};

use crate::pipeline::{Broker, DEAD, Desk, ENRICHED, RAW, STATE};
use crate::support::topics::{self, Message};

const OLDER: Fate = Fate::Skipped(SkipReason::OlderVersion);
const SUPERSEDED: Fate = Fate::Skipped(SkipReason::Superseded);

/// An article with a version, on the key of its id.
fn article(id: &str, version: &str, text: &str) -> Message {
    record(id, &json!({ "id": id, "version": version, "text": text }))
}

fn titled(id: &str, headline: &str) -> Message {
    record(id, &json!({ "id": id, "headline": headline, "text": "It was announced on Monday." }))
}

fn kill(id: &str, version: &str) -> Message {
    record(id, &json!({ "id": id, "version": version, "status": "killed", "text": "Wrong." }))
}

fn deletion(key: &str) -> Message {
    Message { key: Some(key.into()), ..Message::default() }
}

fn record(key: &str, value: &Value) -> Message {
    let value = Some(value.to_string().into_bytes());
    Message { key: Some(key.into()), value, ..Message::default() }
}

/// One run over these records; returns what became of each, in order.
fn run(broker: &Broker, records: &[Message]) -> Vec<Fate> {
    broker.write(records);
    let mut desk = Desk::start(broker.config(), Stages::default());
    let mut settled = desk.settle(records.len());
    desk.stop();
    settled.sort_by_key(|settled| settled.position.offset);
    settled.iter().map(|settled| settled.fate).collect()
}

/// All that was published, each of it of the schema.
fn published(broker: &Broker) -> Vec<Value> {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let records: Vec<_> = broker.read(ENRICHED).iter().map(Message::json).collect();
    for record in &records {
        let faults: Vec<_> = validator.iter_errors(record).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{record}");
    }
    records
}

const FIRST: &str = "“We will build the tunnel,” said Ann Lee, the mayor of Dover. “It is too late,” \
                     said Bob Ray of Calais.";
const SECOND: &str = "“We will build the bridge,” said Ann Lee, the mayor of Dover. “It is too late,” \
                      said Bob Ray of Calais.";

#[test]
fn an_older_version_is_skipped_and_a_newer_one_says_what_has_changed() {
    let broker = Broker::start(1);
    broker.write(&[article("a", "2", FIRST), article("a", "1", FIRST), article("a", "3", SECOND)]);
    let mut desk = Desk::start(broker.config(), Stages::default());
    let fates: Vec<_> = desk.settle(3).iter().map(|settled| settled.fate).collect();
    assert!(fates.contains(&OLDER), "{fates:?}");
    assert_eq!(desk.metric("copydesk_records_skipped_total{reason=\"older_version\"}"), 1.0);
    assert_eq!(desk.metric("copydesk_state_articles"), 1.0);
    assert!(desk.metric("copydesk_state_bytes") > 100.0);
    desk.stop();
    let [first, second] = &published(&broker)[..] else { panic!("not two records") };
    assert_eq!((&first["version"], first.get("changes")), (&json!("2"), None));
    assert_eq!(second["version"], "3");
    let changes = json!({
        "since": "2",
        "entities": [],
        "quotes": [{"change": "altered", "id": "q1", "text": "We will build the bridge,",
            "before": "We will build the tunnel,", "speaker": "Ann Lee"}],
        "tone": [],
    });
    assert_eq!(second["changes"], changes);
    // Last, after all that the input alone decides.
    let body = broker.read(ENRICHED)[1].value.clone().unwrap();
    let body = String::from_utf8(body).unwrap();
    let (before, last) = body.split_once(",\"changes\":").unwrap();
    assert!(serde_json::from_str::<Value>(&format!("{before}}}")).is_ok(), "{body}");
    assert_eq!(serde_json::from_str::<Value>(last.strip_suffix('}').unwrap()).unwrap(), changes);
}

#[test]
fn what_is_known_outlives_a_restart() {
    let broker = Broker::start(2);
    assert_eq!(run(&broker, &[article("a", "2", FIRST)]), [Fate::Enriched]);
    let more = [article("a", "1", FIRST), article("a", "3", FIRST), kill("a", "1")];
    assert_eq!(
        run(&broker, &more),
        [OLDER, Fate::Enriched, Fate::Retracted(RetractionReason::Canceled)]
    );
    assert_eq!(
        run(&broker, &[article("a", "3", FIRST), article("a", "4", FIRST)]),
        [OLDER, Fate::Enriched]
    );
    let records = published(&broker);
    let nothing = json!({ "since": "2", "entities": [], "quotes": [], "tone": [] });
    assert_eq!(records[1]["changes"], nothing);
    assert_eq!(records[3].get("changes"), None, "nothing is kept of what was killed");
}

#[test]
fn a_kill_counts_although_it_comes_early_or_late() {
    let broker = Broker::start(1);
    let records = [
        kill("early", "2"),
        article("early", "1", FIRST),
        article("early", "2", FIRST),
        article("late", "5", FIRST),
        deletion("late"),
        article("late", "5", FIRST),
        article("late", "6", FIRST),
    ];
    assert_eq!(
        run(&broker, &records),
        [
            Fate::Retracted(RetractionReason::Canceled),
            OLDER,
            OLDER,
            Fate::Enriched,
            Fate::Retracted(RetractionReason::Deleted),
            OLDER,
            Fate::Enriched,
        ]
    );
    assert_eq!(published(&broker).len(), 4);
}

#[test]
fn a_replay_publishes_the_last_version_of_each_article_as_it_was() {
    let broker = Broker::start(1);
    let records = [
        article("a", "1", FIRST),
        article("a", "2", SECOND),
        titled("b", "No version here"),
        titled("b", "No version here either"),
        kill("c", "1"),
    ];
    let killed = Fate::Retracted(RetractionReason::Canceled);
    let all = [Fate::Enriched, Fate::Enriched, Fate::Enriched, Fate::Enriched, killed];
    assert_eq!(run(&broker, &records), all);
    let before = broker.read(ENRICHED);
    let mut config = broker.config();
    config.kafka.group = "another".to_owned();
    let mut desk = Desk::start(config, Stages::default());
    let mut settled = desk.settle(5);
    desk.stop();
    settled.sort_by_key(|settled| settled.position.offset);
    let fates: Vec<_> = settled.iter().map(|settled| settled.fate).collect();
    assert_eq!(fates, [OLDER, Fate::Enriched, SUPERSEDED, Fate::Enriched, killed]);
    let values = |messages: &[Message], indices: &[usize]| -> Vec<_> {
        indices.iter().map(|&index| messages[index].value.clone()).collect()
    };
    let after = broker.read(ENRICHED);
    assert_eq!(values(&after, &[5, 6, 7]), values(&before, &[1, 3, 4]));
}

#[test]
fn a_notice_retracts_the_item_that_it_names() {
    let broker = Broker::start(1);
    let named = Message {
        key: Some(b"\xffkey".to_vec()),
        ..titled("urn:x:1", "Acme to buy Bolt for two billion")
    };
    let notice = |id: &str, text: &str| record(id, &json!({ "id": id, "text": text }));
    let records = [
        named,
        titled("urn:x:2", "Acme denies that it buys Bolt"),
        notice("n1", "EDITORS: KILL the story “Acme to buy Bolt for two billion”."),
        notice("n2", "EDITORS: KILL the story urn:x:7. Use urn:x:2."),
        notice("n3", "MANDATORY KILL"),
    ];
    broker.write(&records);
    let mut desk = Desk::start(broker.config(), Stages::default());
    desk.settle(5);
    for outcome in ["own", "named", "unresolved"] {
        let series = format!("copydesk_kill_notices_total{{outcome=\"{outcome}\"}}");
        assert_eq!(desk.metric(&series), 1.0);
    }
    desk.stop();
    let records = published(&broker);
    let retraction = json!({"schema": "copydesk/enriched/1", "id": "urn:x:1", "status": "retracted",
        "reason": "kill_notice"});
    assert_eq!(records[2], retraction);
    assert_eq!(broker.read(ENRICHED)[2].key.as_deref(), Some(&b"\xffkey"[..]));
    assert_eq!((&records[3]["id"], &records[3]["unresolved"]), (&json!("n2"), &json!(true)));
    assert_eq!((&records[4]["id"], records[4].get("unresolved")), (&json!("n3"), None));
}

#[test]
fn what_became_a_dead_letter_is_not_known() {
    let broker = Broker::start(1);
    broker.write(&[
        article("a", "1", "A short one."),
        article("a", "2", &"It says the same again. ".repeat(200)),
        article("a", "3", "A short one."),
    ]);
    let mut config = broker.config();
    config.kafka.properties =
        [("message.max.bytes".to_owned(), "6000".to_owned())].into_iter().collect();
    // One after the other: what is judged before the refusal is known cannot know of it.
    config.pipeline.inflight_records_max = 1;
    let mut desk = Desk::start(config, Stages::default());
    desk.settle(3);
    desk.stop();
    assert_eq!(broker.read(DEAD).len(), 1);
    let records = published(&broker);
    assert_eq!(records.len(), 2);
    assert_eq!(
        (&records[1]["version"], &records[1]["changes"]["since"]),
        (&json!("3"), &json!("1"))
    );
}

#[test]
fn changes_and_state_can_be_switched_off() {
    let broker = Broker::start(1);
    let records = [article("a", "2", FIRST), article("a", "3", SECOND), article("a", "1", FIRST)];
    broker.write(&records);
    let mut config = broker.config();
    config.output.changes = false;
    let mut desk = Desk::start(config, Stages::default());
    desk.settle(3);
    desk.stop();
    let versions = |records: &[Value]| -> Vec<Value> {
        records.iter().map(|record| record["version"].clone()).collect()
    };
    let found = published(&broker);
    assert_eq!(versions(&found), ["2", "3"]);
    assert!(found.iter().all(|record| record.get("changes").is_none()));

    let broker = Broker::start(1);
    broker.write(&records);
    let mut config = broker.config();
    config.state.topic = None;
    let mut desk = Desk::start(config, Stages::default());
    desk.settle(3);
    desk.stop();
    let found = published(&broker);
    assert_eq!(versions(&found), ["2", "3", "1"]);
    assert!(found.iter().all(|record| record.get("changes").is_none()));
    assert_eq!(broker.read(STATE), []);
}

#[test]
fn garbage_in_the_state_topic_is_passed_over() {
    let broker = Broker::start(1);
    topics::write(
        &broker.brokers,
        STATE,
        &[
            record("a", &json!("nothing")),
            Message { key: None, value: Some(b"\xff".to_vec()), ..Message::default() },
            Message { key: Some(b"\xfe".to_vec()), value: None, ..Message::default() },
        ],
    );
    broker.write(&[article("a", "1", FIRST)]);
    let mut desk = Desk::start(broker.config(), Stages::default());
    assert_eq!(desk.settle(1)[0].fate, Fate::Enriched);
    assert_eq!(desk.metric("copydesk_state_records_unreadable_total"), 3.0);
    assert_eq!(desk.metric("copydesk_state_records_restored_total"), 3.0);
    desk.stop();
}

#[test]
fn positions_of_an_earlier_input_topic_do_not_count() {
    let first = Broker::start(1);
    let filler: Vec<_> = (0..5).map(|n| titled(&format!("f{n}"), "A filler")).collect();
    run(&first, &[filler, vec![titled("a", "It counts"), article("b", "2", FIRST)]].concat());
    // The input topic is made anew, and the state topic stays.
    let second = Broker::start(1);
    let state = first.read(STATE);
    assert_eq!(state.len(), 7);
    topics::write(&second.brokers, STATE, &state);
    let fates = run(&second, &[titled("a", "It counts"), article("b", "1", FIRST), deletion("b")]);
    assert_eq!(fates, [Fate::Enriched, OLDER, Fate::Retracted(RetractionReason::Deleted)]);
}

#[test]
fn a_state_topic_with_too_few_partitions_is_not_used() {
    let cluster = MockCluster::new(1).unwrap();
    for (topic, n_partitions) in [(RAW, 2), (ENRICHED, 1), (DEAD, 1), (STATE, 1)] {
        cluster.create_topic(topic, n_partitions, 1).unwrap();
    }
    cluster.create_topic("enough", 2, 1).unwrap();
    let broker = Broker { brokers: cluster.bootstrap_servers(), cluster };
    broker.write(&[article("a", "1", FIRST)]);
    let desk = Desk::start(broker.config(), Stages::default());
    desk.sleep(std::time::Duration::from_millis(500));
    assert!(!desk.health.readiness().is_empty());
    desk.stop();
    assert_eq!(broker.read(ENRICHED), []);
    let mut config = broker.config();
    config.state.topic = Some("enough".to_owned());
    let mut desk = Desk::start(config, Stages::default());
    desk.settle(1);
    desk.stop();
}
