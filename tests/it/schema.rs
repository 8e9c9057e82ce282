//! The JSON Schema of the output topic: valid itself, it takes what is promised and nothing else.

use std::sync::LazyLock;

use copydesk::article::RetractionReason;
use copydesk::enriched::{JSON_SCHEMA, SCHEMA};
use copydesk::stages::StageOutcome;
use copydesk::stages::quotes::QuoteKind;
use jsonschema::Validator;
use serde_json::{Value, json};

static SCHEMA_VALUE: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(JSON_SCHEMA).unwrap());
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA_VALUE).unwrap());

/// The record of DESIGN §4, in words of our own.
fn enriched() -> Value {
    json!({
        "schema": SCHEMA, "id": "urn:desk:7", "version": "3", "status": "enriched",
        "language": {"code": "en", "confidence": 0.99},
        "published": "2024-05-01T10:00:00Z",
        "headline": "Harbour vote delayed",
        "text": "“We will wait,” Mayor Ada Winter said.",
        "entities": [{
            "id": "e1", "type": "PERSON", "name": "Ada Winter", "salience": 0.8, "wikidata": "Q42",
            "sentiment": {"label": "neutral", "score": 0.0},
            "mentions": [{"start": 22, "end": 32, "text": "Ada Winter", "confidence": 0.9,
                "utf8": {"start": 26, "end": 36}, "utf16": {"start": 22, "end": 32}}],
        }],
        "quotes": [{
            "id": "q1", "type": "direct", "start": 0, "end": 15, "text": "“We will wait,”",
            "cue": {"start": 33, "end": 37, "text": "said"},
            "speaker": {"start": 16, "end": 32, "text": "Mayor Ada Winter", "entity": "e1"},
            "confidence": 0.97,
        }],
        "sentiment": {
            "document": {"label": "neutral", "score": 0.02},
            "narrator": {"label": "neutral", "score": 0.0},
            "quoted": {"label": "neutral", "score": 0.0},
            "headline": {"label": "negative", "score": -0.3},
            "sentences": [{"start": 0, "end": 38, "label": "neutral", "score": 0.0}],
        },
        "stages": {"entities": {"outcome": "ok"}, "quotes": {"outcome": "ok"}, "sentiment": {"outcome": "ok"}},
        "provenance": {"build": "0.1.0", "model": "rules-1", "knowledge": "kb-1", "config": "sha256:0",
            "input": format!("sha256:{}", "0".repeat(64))},
    })
}

fn retracted() -> Value {
    json!({"schema": SCHEMA, "id": "urn:desk:7", "status": "retracted", "reason": "canceled"})
}

/// `record` with the value at `pointer` replaced, or with a new member where there is none, is taken or not.
#[track_caller]
fn check(mut record: Value, pointer: &str, value: Value, is_valid: bool) {
    match record.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            record.pointer_mut(parent).unwrap()[name] = value;
        }
    }
    let found: Vec<String> =
        VALIDATOR.iter_errors(&record).map(|error| error.to_string()).collect();
    assert_eq!(found.is_empty(), is_valid, "{pointer}: {found:?}");
}

/// `record` without the member at `pointer` is taken or not.
#[track_caller]
fn check_without(mut record: Value, pointer: &str, is_valid: bool) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    record.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    assert_eq!(VALIDATOR.is_valid(&record), is_valid, "without {pointer}");
}

#[test]
fn the_schema_is_a_schema() {
    jsonschema::meta::validate(&SCHEMA_VALUE).unwrap();
    assert_eq!(SCHEMA_VALUE["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn what_is_promised_is_valid() {
    check(enriched(), "/version", json!("4"), true);
    check(retracted(), "/version", json!("4"), true);
    for pointer in [
        "/version",
        "/published",
        "/headline",
        "/entities/0/wikidata",
        "/entities/0/mentions/0/utf8",
        "/quotes/0/cue",
        "/quotes/0/speaker",
        "/sentiment/narrator",
        "/sentiment/quoted",
        "/sentiment/headline",
    ] {
        check_without(enriched(), pointer, true);
    }
    check(retracted(), "/unresolved", json!(true), true);
    check(enriched(), "/changes", json!({}), true);
    let changes = json!({
        "since": "2",
        "entities": [{"change": "gone", "type": "ORG", "name": "Acme"}],
        "quotes": [
            {"change": "altered", "id": "q1", "text": "We will wait,", "before": "We wait,",
                "speaker": "Ada Winter", "speaker_before": "Bob Ray"},
            {"change": "removed", "text": "No."},
        ],
        "tone": [{"target": "document", "before": "neutral", "after": "negative"}],
        "left_out": 3,
    });
    check(enriched(), "/changes", changes, true);
    check(enriched(), "/changes", json!({"entities": [], "quotes": [], "tone": []}), true);
    check(enriched(), "/omitted", json!(copydesk::encode::STEPS), true);
    check(enriched(), "/entities", json!([]), true);
    check(enriched(), "/quotes", json!([]), true);
    check(enriched(), "/entities/0/mentions/0/field", json!("headline"), true);
    check(enriched(), "/quotes/0/speaker", json!({"entity": "e1"}), true);
    check(enriched(), "/quotes/0/unattributed", json!("anonymous"), true);
}

#[test]
fn every_name_of_a_closed_set_is_valid() {
    for outcome in StageOutcome::ALL {
        check(enriched(), "/stages/quotes/outcome", json!(outcome.as_str()), true);
    }
    for kind in QuoteKind::ALL {
        check(enriched(), "/quotes/0/type", json!(kind.as_str()), true);
    }
    for reason in RetractionReason::ALL {
        check(retracted(), "/reason", json!(reason.as_str()), true);
    }
}

#[test]
fn anything_else_is_not() {
    for pointer in [
        "/schema",
        "/id",
        "/status",
        "/language",
        "/text",
        "/entities",
        "/quotes",
        "/sentiment",
        "/stages",
        "/provenance",
        "/entities/0/mentions/0/text",
        "/quotes/0/start",
        "/quotes/0/speaker/end",
        "/sentiment/document",
        "/stages/quotes",
        "/provenance/input",
    ] {
        check_without(enriched(), pointer, false);
    }
    check_without(retracted(), "/reason", false);
    check(enriched(), "/schema", json!("copydesk/enriched/2"), false);
    check(enriched(), "/status", json!("retracted"), false);
    check(retracted(), "/text", json!("Still here."), false);
    check(retracted(), "/reason", json!("embargo"), false);
    check(enriched(), "/id", json!(""), false);
    check(retracted(), "/unresolved", json!(false), false);
    check(retracted(), "/changes", json!({}), false);
    check(enriched(), "/changes", json!({"left_out": 0}), false);
    check(enriched(), "/changes", json!({"quotes": [{"change": "moved", "text": "No."}]}), false);
    check(enriched(), "/processed_at", json!("2024-05-01T10:00:00Z"), false);
    check(enriched(), "/version", json!(3), false);
    check(enriched(), "/entities/0/type", json!("PER"), false);
    check(enriched(), "/entities/0/mentions", json!([]), false);
    check(enriched(), "/entities/0/mentions/0/start", json!(-1), false);
    check(enriched(), "/entities/0/salience", json!(1.01), false);
    check(enriched(), "/entities/0/wikidata", json!("P31"), false);
    check(enriched(), "/quotes/0/type", json!("scare"), false);
    check(
        enriched(),
        "/quotes/0/segments",
        json!([{"start": 0, "end": 15, "text": "“We will wait,”"}]),
        false,
    );
    check(enriched(), "/quotes/0/speaker", json!({}), false);
    check(enriched(), "/quotes/0/unattributed", json!("unknown"), false);
    check(enriched(), "/sentiment/document/score", json!(-1.1), false);
    check(enriched(), "/stages/quotes/outcome", json!("skipped"), false);
    check(enriched(), "/provenance/input", json!("sha256:abc"), false);
}
