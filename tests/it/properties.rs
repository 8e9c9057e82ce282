//! What always holds of a published record, on text that nobody would write.
//!
//! Nothing panics, the record is enriched (not dead-lettered), the body is the same twice, and every span's text stands
//! where the span says, counted here by other means than the product's.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support;

/// Enriches `text` and checks all that must hold of any record; returns it for more.
#[track_caller]
fn check(text: &str) -> Value {
    let input = json!({"id": "a1", "headline": "“Go,” says Ann Lee", "text": text}).to_string();
    let body = support::enrich(input.as_bytes());
    assert_eq!(body, support::enrich(input.as_bytes()), "same input, same bytes");
    let record: Value = serde_json::from_slice(&body).unwrap();
    let outcomes = record["stages"].as_object().unwrap().values();
    let failed: Vec<&Value> = outcomes.filter(|stage| stage["outcome"] == "failed").collect();
    assert_eq!(failed, Vec::<&Value>::new(), "no stage panics");
    support::check_spans(&record);
    record
}

/// Pieces that the stages look at.
const PIECES: &str = "Ann Lee|Mr. Kim|Kim|the State Department|Secretary|U.S.|Paris|The|he|she|who|said|told reporters|\
    according to|wrote|was killed|not|very good|terrible|that|of|“|”|\"|'|‘|’|«|»|„|''|``|,|.|?|!|…|—|-|(|)|:|;|\n|\n\n|\
    \u{a0}|\u{ad}|\u{200b}|$5 million|12%|May 5|3 p.m.|😀|👩‍👩‍👧|שלום|مرحبا|日本語|e\u{301}|\u{1}|@desk|https://x.example/a|\
    O’Brien|’s|'s|I|U.N.|NATO";

/// The pieces in any order: more of the stages' paths than random characters would reach.
fn newsprint() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(PIECES.split('|').collect::<Vec<_>>());
    let spaced = (pieces, prop::bool::weighted(0.7))
        .prop_map(|(piece, space)| piece.to_owned() + if space { " " } else { "" });
    prop::collection::vec(spaced, 0..120).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_newsprint_gives_a_correct_record(text in newsprint()) {
        prop_assume!(!text.trim().is_empty());
        check(&format!("Ann Lee spoke in Paris. {text}"));
    }

    #[test]
    fn any_characters_give_a_correct_record(text in "\\PC{1,200}") {
        check(&format!("Ann Lee spoke in Paris. {text}"));
    }
}

#[test]
fn monstrous_texts_give_a_correct_record() {
    let monsters = [
        "\"".repeat(1_000_000),
        "“".repeat(330_000),
        "'".repeat(1_000_000),
        "” he said. “".repeat(60_000),
        "x".repeat(1_000_000),
        "A".repeat(1_000_000),
        "Ann Lee ".repeat(120_000),
        "Ann Lee said ".repeat(75_000),
        "Mr. ".repeat(250_000),
        "A. ".repeat(300_000),
        "a\n".repeat(500_000),
        "“We go\n".repeat(100_000),
        "not ".repeat(250_000),
        "$1 ".repeat(300_000),
        "May 5, ".repeat(140_000),
        "of the ".repeat(140_000),
        "Kim of ".repeat(140_000),
        "(".repeat(1_000_000),
        "e\u{301}".repeat(300_000),
        "😀".repeat(250_000),
        "\u{200b}".repeat(300_000),
    ];
    for monster in monsters {
        check(&monster);
    }
}
